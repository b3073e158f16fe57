//! What one seed decides: how many people there are, what goes wrong, and the limits.

use chinwag::core::accounts::AccountPolicy;
use chinwag::core::limits::Limits;

use crate::model::ModelLimits;
use crate::random::Random;

/// The chances of a run, in percent of steps unless stated otherwise.
#[derive(Debug)]
pub(crate) struct Plan {
    /// How many people are connected at most.
    pub(crate) people: usize,
    pub(crate) limits: Limits,
    /// Somebody starts to read slowly, or stops reading.
    pub(crate) stalls: usize,
    /// Somebody's connection fails.
    pub(crate) connection_failures: usize,
    /// Somebody ends their half of the connection.
    pub(crate) half_closes: usize,
    /// Time jumps to the next deadline, or past it.
    pub(crate) time_jumps: usize,
    /// A read ends at an arbitrary byte instead of taking all that arrived.
    pub(crate) packet_cuts: usize,
    /// Clients that speak another protocol, such as browsers, in percent of new connections.
    pub(crate) other_protocols: usize,
    /// Somebody sends 200 lines at once.
    pub(crate) floods: usize,
    /// The server is killed, and starts again with the saved history.
    pub(crate) kills: usize,
    /// An operator announces something to everybody, or removes a user.
    pub(crate) operator_actions: usize,
    /// Somebody enters a room, in percent of what they do at the menu.
    pub(crate) enters_rooms: usize,
    /// How many addresses there are. With 0, nobody has one.
    pub(crate) addresses: usize,
    /// The server keeps accounts. Its limits say whether every name needs one.
    pub(crate) keeps_accounts: bool,
    /// How many names are registered at the start, at most.
    pub(crate) first_accounts: usize,
    /// The store answers a question in this turn.
    pub(crate) store_speed: usize,
    /// The store is full, or dies.
    pub(crate) store_failures: usize,
    /// An operator changes an account.
    pub(crate) account_changes: usize,
    /// Somebody types `register`, `password` or `unregister`, in percent of what they do at the menu.
    pub(crate) uses_accounts: usize,
    /// The server stops at the end, before anybody leaves.
    pub(crate) stops_server: bool,
}

impl Plan {
    pub(crate) fn new(random: &mut Random) -> Plan {
        let people = random.pick(&[2, 3, 5, 8, 12, 20, 70]);
        let mut limits = limits(random);
        let keeps_accounts = random.chance(60);
        limits.accounts = match random.below(10) {
            _ if !keeps_accounts => AccountPolicy::Off,
            0 => AccountPolicy::Required,
            _ => AccountPolicy::Optional,
        };
        limits.allow_plain_passwords = random.chance(90);
        Plan {
            people,
            keeps_accounts,
            first_accounts: random.pick(&[0, 10, 40]),
            store_speed: random.pick(&[100, 30, 3]),
            store_failures: if keeps_accounts { random.pick(&[0, 0, 3]) } else { 0 },
            account_changes: if keeps_accounts { random.pick(&[0, 0, 5]) } else { 0 },
            uses_accounts: if keeps_accounts { random.pick(&[2, 10, 40]) } else { 1 },
            limits,
            stalls: random.pick(&[0, 1, 5]),
            connection_failures: random.pick(&[0, 0, 1, 3]),
            half_closes: random.pick(&[0, 0, 1, 3]),
            time_jumps: random.pick(&[0, 1, 5]),
            packet_cuts: random.pick(&[0, 20, 80]),
            other_protocols: random.pick(&[0, 5]),
            floods: random.pick(&[0, 0, 1, 5]),
            kills: random.pick(&[0, 0, 1]),
            operator_actions: random.pick(&[0, 0, 2]),
            enters_rooms: random.pick(&[0, 10, 80]),
            addresses: random.pick(&[0, 1, 2, 6]),
            stops_server: random.chance(25),
        }
    }

    pub(crate) fn model_limits(&self) -> ModelLimits {
        ModelLimits {
            naming_ms: self.limits.naming_ms,
            ask_ms: self.limits.ask_ms,
            ask_again_ms: self.limits.ask_again_ms,
            stall_ms: self.limits.stall_ms,
            high_water: self.limits.high_water_bytes,
            is_scarce: self.is_scarce(),
            rooms_max: self.limits.rooms_max,
            members_max: self.limits.members_max,
            room_line_ms: self.limits.room_line_ms,
            room_history_ms: self.limits.room_history_ms,
            address_share: self.limits.address_share,
            rooms_per_address_max: self.limits.rooms_per_address_max,
            keeps_accounts: self.keeps_accounts,
            requires_accounts: self.limits.accounts == AccountPolicy::Required,
            takes_passwords: self.limits.allow_plain_passwords,
        }
    }

    /// Whether so little may wait in all outboxes that the limit is reached (7.58).
    pub(crate) fn is_scarce(&self) -> bool {
        self.limits.scarce_bytes < Limits::default().scarce_bytes
    }

    /// Stops the faults.
    pub(crate) fn stop_faults(&mut self) {
        (self.stalls, self.connection_failures, self.half_closes) = (0, 0, 0);
        (self.time_jumps, self.packet_cuts, self.floods, self.other_protocols) = (0, 0, 0, 0);
        (self.kills, self.operator_actions) = (0, 0);
        (self.store_speed, self.store_failures, self.account_changes) = (100, 0, 0);
    }
}

/// The defaults of part 7, or limits so low that every run reaches them.
fn limits(random: &mut Random) -> Limits {
    if random.chance(30) {
        return Limits::default();
    }
    Limits {
        naming_ms: random.pick(&[1_000, 60_000]),
        ask_ms: random.pick(&[500, 3_000, 60_000]),
        ask_again_ms: random.pick(&[0, 1, 1_000, 10_000]),
        high_water_bytes: random.pick(&[1_024, 3_000, 20_000]),
        scarce_bytes: if random.chance(20) { 10_000 } else { 4_194_304 },
        stall_ms: random.pick(&[1_000, 5_000, 30_000]),
        closing_ms: random.pick(&[10, 5_000]),
        rooms_max: random.pick(&[3, 50, 1_000]),
        rooms_per_address_max: random.pick(&[1, 2, 64]),
        address_share: random.pick(&[0, 1, 2, 64]),
        members_max: random.pick(&[1, 2, 1_000, 1_000]),
        room_line_ms: random.pick(&[0, 50, 200]),
        room_history_ms: random.pick(&[0, 1_000, 60_000, 86_400_000]),
        ..Limits::default()
    }
}
