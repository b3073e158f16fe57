//! The limits that an operator can set, with their defaults.
//!
//! `cli/args.rs` fills them from the command line; the core reads them. A limit that nobody needs to
//! change is a constant in the parent module.

use super::OUTBOX_BYTES_OVER_HIGH_WATER;
use crate::core::accounts::AccountPolicy;

/// The limits that a flag of `chinwag serve` changes. [`Limits::default`] has the values of
/// `protocol.md`, part 7.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Milliseconds that a new connection has to give a username (7.13).
    pub naming_ms: u64,
    /// Milliseconds after which an unanswered request lapses (7.14).
    pub ask_ms: u64,
    /// Milliseconds of the cool-down before a user may ask the same user again (7.15); 0 means none.
    pub ask_again_ms: u64,
    /// High-water mark in bytes (7.7). With more unsent output, the server reads neither the
    /// connection nor its chat partner.
    pub high_water_bytes: usize,
    /// Bytes in all outboxes and of all held input together from which memory is scarce, until half of them are gone
    /// (7.58). No flag: tests lower it.
    pub scarce_bytes: usize,
    /// Milliseconds without progress after which the server disconnects a stalled reader (7.17).
    pub stall_ms: u64,
    /// Milliseconds that a closing connection has to take its last output (7.18).
    pub closing_ms: u64,
    /// Connections at a time (7.25).
    pub connections_max: usize,
    /// Connections at a time from one address other than loopback (7.26).
    pub per_address_max: usize,
    /// Connections at a time that have no session yet, because their transport is opening (7.64).
    pub opening_max: usize,
    /// TLS handshakes at a time from one address other than loopback (7.81).
    pub handshakes_per_address_max: usize,
    /// Rooms at a time except the lobby, with rooms that have only history (7.27). At most 32,766.
    pub rooms_max: usize,
    /// Rooms that one address has created and that exist (7.56).
    pub rooms_per_address_max: usize,
    /// Members of one room at a time (7.28).
    pub members_max: usize,
    /// Milliseconds until the rate limit allows one more line in a room (7.24); 0 means no limit.
    pub room_line_ms: u64,
    /// Milliseconds that the server keeps the history of an empty room (7.21); 0 keeps none.
    pub room_history_ms: u64,
    /// How many sessions' allowances one address has (7.51); 0 means no limit.
    pub address_share: u32,
    /// Who may have an account, and who must (3.4.1).
    pub accounts: AccountPolicy,
    /// Passwords may cross connections that anybody on the way can read (3.4.5).
    pub allow_plain_passwords: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            naming_ms: 60_000,
            ask_ms: 60_000,
            ask_again_ms: 10_000,
            high_water_bytes: 64 * 1024,
            scarce_bytes: 4 * 1024 * 1024,
            stall_ms: 30_000,
            closing_ms: 5_000,
            connections_max: usize::MAX,
            per_address_max: 1024,
            opening_max: 1_000,
            handshakes_per_address_max: 100,
            rooms_max: 1_000,
            rooms_per_address_max: 64,
            members_max: 1_000,
            room_line_ms: 200,
            room_history_ms: 86_400_000,
            address_share: 64,
            accounts: AccountPolicy::Optional,
            allow_plain_passwords: false,
        }
    }
}

impl Limits {
    /// Low-water mark in bytes (7.7): the server reads a congested connection again at or below
    /// it.
    #[must_use]
    pub fn low_water_bytes(&self) -> usize {
        self.high_water_bytes / 4
    }

    /// Bytes of unsent output at which the server disconnects a session (7.11).
    #[must_use]
    pub fn outbox_bytes_max(&self) -> usize {
        self.high_water_bytes + OUTBOX_BYTES_OVER_HIGH_WATER
    }
}
