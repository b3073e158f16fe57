//! Metrics: the counters of the loop, and the names of all metrics of the server (8.2.8, 8.3.1).
//!
//! The loop counts by adding to plain numbers, without lookups or allocations. The only additional
//! cost is one more look at the clock per turn, which Linux answers without a system call
//! (vdso(7)). `operator_commands.rs` collects all metrics when an operator asks for them.

use super::admission::Rejection;
use super::{Server, logging};
use crate::core::chat::{DisconnectReason, Event};
use crate::core::operator::{Histogram, MetricFamily, MetricValue, Unit};

/// Bucket limits for the duration of a turn, in nanoseconds: from a usual turn to a delay that
/// users notice.
const TURN_NS: [u64; 14] = [
    10_000,
    25_000,
    50_000,
    100_000,
    250_000,
    500_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    25_000_000,
    50_000_000,
    100_000_000,
    1_000_000_000,
];

/// Bucket limits for the number of events in a turn, up to [`EVENTS_PER_TURN`].
///
/// [`EVENTS_PER_TURN`]: crate::core::limits::EVENTS_PER_TURN
const TURN_EVENTS: [u64; 7] = [1, 2, 4, 8, 16, 32, 64];

/// Counters since the start of the server.
#[derive(Debug)]
pub(super) struct Metrics {
    /// Time from the end of the wait to the end of the turn, in nanoseconds.
    pub(super) turn_ns: Histogram<{ TURN_NS.len() }>,
    /// Readiness events per turn.
    pub(super) turn_events: Histogram<{ TURN_EVENTS.len() }>,
    /// Reads of user connections.
    pub(super) reads: u64,
    /// Calls of write(2) for user connections.
    pub(super) writes: u64,
    /// Closed user connections.
    pub(super) closes: u64,
    /// Bytes read from user connections.
    pub(super) bytes_in: u64,
    /// Those of them that may be passwords: a watcher must not see how long one is.
    pub(super) secret_bytes_in: u64,
    /// Bytes written to user connections.
    pub(super) bytes_out: u64,
    /// Rejected connections, by the number of the [`Rejection`].
    rejected: [u64; Rejection::ALL.len()],
    /// Sessions that took a username.
    named: u64,
    /// Requests to chat.
    asked: u64,
    /// Chats that began.
    paired: u64,
    /// Times that a user entered a room.
    joined: u64,
    /// Ended sessions, by the number of the [`DisconnectReason`].
    departures: [u64; DisconnectReason::ALL.len()],
}

impl Metrics {
    /// All counters at zero. They live as long as the process: Prometheus detects a restart by a
    /// counter that falls.
    pub(super) fn new() -> Metrics {
        Metrics {
            turn_ns: Histogram::new(Unit::Nanoseconds, TURN_NS),
            turn_events: Histogram::new(Unit::Count, TURN_EVENTS),
            reads: 0,
            writes: 0,
            closes: 0,
            bytes_in: 0,
            secret_bytes_in: 0,
            bytes_out: 0,
            rejected: [0; Rejection::ALL.len()],
            named: 0,
            asked: 0,
            paired: 0,
            joined: 0,
            departures: [0; DisconnectReason::ALL.len()],
        }
    }

    /// Counts an event of the chat. The exchange reports each event once, in the turn in which it
    /// happened.
    pub(super) fn record(&mut self, event: Event) {
        match event {
            Event::Named(_) => self.named += 1,
            Event::Asked { .. } => self.asked += 1,
            Event::Paired { .. } => self.paired += 1,
            Event::Left { why, .. } => self.departures[why as usize] += 1,
            Event::Joined { .. } => self.joined += 1,
            // Each of these follows from an event that is counted, or happens once.
            Event::Unanswered { .. }
            | Event::Parted { .. }
            | Event::LeftRoom { .. }
            | Event::WrongPassword(_)
            | Event::AccountChanged(_)
            | Event::StopIsDue => {}
        }
    }

    /// Counts a rejected connection.
    /// The connection has no session, so the chat reports no event.
    pub(super) fn count_rejection(&mut self, rejection: Rejection) {
        self.rejected[rejection as usize] += 1;
    }
}

impl Server {
    /// Collects the current values of all metrics. This walks the rooms and bans, so its cost grows
    /// with their number; only an operator or an agent causes it.
    pub(super) fn metrics(&self) -> Vec<MetricFamily> {
        let mut families = self.metrics_now();
        families.extend(self.tls.as_ref().map(|tls| {
            gauge("certificate_seconds", "Until the certificate expires", tls.seconds_left())
        }));
        families.extend(self.metrics_of_users());
        families.extend(self.metrics_of_traffic());
        families.extend(self.metrics_of_accounts());
        families
    }

    /// Gauges: numbers that rise and fall.
    /// Each is read from its owner at this time, so that no second counter can disagree with it.
    fn metrics_now(&self) -> Vec<MetricFamily> {
        let chat = self.exchange.chat();
        let uptime_s = self.started.elapsed().as_secs();
        vec![
            gauge("uptime_seconds", "Since the start", uptime_s),
            gauge("connections", "Connections of users now", self.connections.len() as u64),
            gauge("users", "Users now", chat.user_count() as u64),
            gauge("pairs", "Chats of two now", chat.pair_count() as u64),
            gauge("rooms", "Rooms with members now", chat.rooms("").count() as u64),
            gauge("consoles", "Consoles open now", self.operators.console_count() as u64),
            gauge("bans", "Bans now", self.operators.bans.iter().count() as u64),
            gauge(
                "buffered_bytes",
                "Bytes that wait in buffers now",
                self.exchange.buffered_bytes() as u64,
            ),
        ]
    }

    /// Counters of what users did.
    fn metrics_of_users(&self) -> Vec<MetricFamily> {
        let metrics = &self.metrics;
        let rejections = Rejection::ALL.map(|rejection| rejection.kind()).into_iter();
        let departures = DisconnectReason::ALL.map(departure_label).into_iter();
        let refusals = self.exchange.chat().refusals().iter();
        vec![
            counter("arrivals", "Connections that came", u64::from(self.accepted_count)),
            counter_by(
                "turned_away",
                "Connections not let in",
                "reason",
                rejections.zip(metrics.rejected),
            ),
            counter("names", "Usernames taken", metrics.named),
            counter("asks", "Requests to chat", metrics.asked),
            counter("pairings", "Chats begun", metrics.paired),
            counter("joinings", "Times a user entered a room", metrics.joined),
            counter_by("departures", "Sessions over", "reason", departures.zip(metrics.departures)),
            counter_by("refusals", "Lines that told a user what was wrong", "kind", refusals),
        ]
    }

    /// Accounts, and what their helper process did.
    fn metrics_of_accounts(&self) -> Vec<MetricFamily> {
        let Some(accounts) = &self.accounts else { return Vec::new() };
        let (counts, known) = (&accounts.counts, self.exchange.accounts("").count());
        vec![
            gauge("accounts", "Accounts now", known as u64),
            gauge("account_queue", "Questions to the helper now", accounts.queue_len() as u64),
            counter("passwords_right", "Passwords that were right", counts.right),
            counter("passwords_wrong", "Passwords that were wrong", counts.wrong),
            counter("account_queue_full", "Questions that found a full queue", counts.full),
            counter("helper_deaths", "Helpers for accounts that died", counts.deaths),
        ]
    }

    /// Counters and histograms of lines, bytes and turns.
    fn metrics_of_traffic(&self) -> Vec<MetricFamily> {
        let (metrics, traffic) = (&self.metrics, self.exchange.traffic());
        let held = self.exchange.holds().iter().sum::<u64>();
        vec![
            counter("lines_in", "Lines that users sent", traffic.lines_in),
            counter("lines_out", "Lines for users", traffic.lines_out),
            counter(
                "lines_missed",
                "Lines of rooms that slow readers missed",
                traffic.lines_missed,
            ),
            counter("bytes_in", "Bytes read from users", metrics.bytes_in),
            counter("bytes_out", "Bytes written to users", metrics.bytes_out),
            counter("inputs_held", "Times input had to wait", held),
            counter("inputs_slowed", "Times input waited for an allowance", traffic.inputs_slowed),
            counter("log_lines_lost", "Lines that the log did not take", logging::lost_lines()),
            counter("turns", "Turns of the loop", metrics.turn_ns.count()),
            histogram("turn_events", "Events of a turn", &metrics.turn_events),
            histogram("turn_seconds", "Time awake in a turn", &metrics.turn_ns),
        ]
    }
}

/// The value of the label `reason` of a departure. Dashboards match it (8.3.1): do not change it.
fn departure_label(why: DisconnectReason) -> &'static str {
    match why {
        DisconnectReason::Exit => "exit",
        DisconnectReason::HungUp => "hung_up",
        DisconnectReason::Lost => "lost",
        DisconnectReason::Nameless => "nameless",
        DisconnectReason::SpokeTls => "spoke_tls",
        DisconnectReason::SpokeHttp => "spoke_http",
        DisconnectReason::Stalled => "stalled",
        DisconnectReason::Overrun => "overrun",
        DisconnectReason::Stopping => "stopping",
        DisconnectReason::Removed => "removed",
        DisconnectReason::WrongPassword => "wrong_password",
        DisconnectReason::TakenOver => "taken_over",
        DisconnectReason::AccountChanged => "account_changed",
        DisconnectReason::Banned => "banned",
    }
}

/// A family with a single gauge.
fn gauge(name: &'static str, help: &'static str, value: u64) -> MetricFamily {
    MetricFamily { name, help, value: MetricValue::Gauge(value) }
}

/// A family with a single counter.
fn counter(name: &'static str, help: &'static str, value: u64) -> MetricFamily {
    MetricFamily { name, help, value: MetricValue::Counter(value) }
}

/// A family with one counter per value of `label`. Every value appears, also at zero: an alert on a
/// counter that does not exist yet would miss its first increase.
fn counter_by(
    name: &'static str,
    help: &'static str,
    label: &'static str,
    counts: impl Iterator<Item = (&'static str, u64)>,
) -> MetricFamily {
    MetricFamily { name, help, value: MetricValue::CounterBy { label, counts: counts.collect() } }
}

/// A family with a single histogram.
fn histogram<const BUCKETS: usize>(
    name: &'static str,
    help: &'static str,
    histogram: &Histogram<BUCKETS>,
) -> MetricFamily {
    MetricFamily { name, help, value: MetricValue::Histogram(histogram.snapshot()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_every_reason_is_its_index() {
        for (place, why) in DisconnectReason::ALL.into_iter().enumerate() {
            assert_eq!(why as usize, place, "{why:?}");
        }
        for (place, rejection) in Rejection::ALL.into_iter().enumerate() {
            assert_eq!(rejection as usize, place, "{rejection:?}");
        }
    }
}
