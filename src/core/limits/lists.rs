//! The limits on what followers of the lists are told (7.130, 7.131).

/// Milliseconds from a change of the lists until it is told at the earliest (7.130): a login and the
/// entering of a room that follows it are one message.
pub const LIST_CHANGES_DELAY_MS: u64 = 100;

/// Milliseconds between the starts of two messages about changes (7.130). However many users come and
/// go, a follower gets no more than one message with the rows of two lists in this time.
pub const LIST_CHANGES_INTERVAL_MS: u64 = 1_000;

/// Followers that are told at a time (7.131). Their writes take about a third of a millisecond.
pub const FOLLOWERS_AT_A_TIME: usize = 64;

/// Milliseconds until the next of them are told (7.131). With [`FOLLOWERS_AT_A_TIME`] this is 2,000
/// messages per second at most: ten thousand followers are told every five seconds.
pub const FOLLOWERS_PACE_MS: u64 = 32;
