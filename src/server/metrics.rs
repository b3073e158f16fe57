//! What the loop counts of itself, and all metrics of a server under their names (7.10, 7.11).
//!
//! To count is to add one to a number; nothing is looked up, allocated or asked of the system for
//! it but the time at the end of a turn, which costs no system call.

use super::Server;
use super::admission::Rejection;
use crate::core::chat::{DisconnectReason, Event};
use crate::core::operator::{Histogram, MetricFamily, Samples, Unit};

/// Nanoseconds that a turn takes, in steps from what is usual to what people notice.
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
const TURN_EVENTS: [u64; 7] = [1, 2, 4, 8, 16, 32, 64];

/// Counts since the start.
#[derive(Debug)]
pub(super) struct Metrics {
    pub(super) turn_ns: Histogram<{ TURN_NS.len() }>,
    pub(super) turn_events: Histogram<{ TURN_EVENTS.len() }>,
    pub(super) bytes_in: u64,
    pub(super) bytes_out: u64,
    /// How often a socket that had something was left unread, for backpressure.
    pub(super) inputs_held: u64,
    turned_away: [u64; Rejection::ALL.len()],
    named: u64,
    asked: u64,
    paired: u64,
    joined: u64,
    departures: [u64; DisconnectReason::ALL.len()],
}

impl Metrics {
    pub(super) fn new() -> Metrics {
        Metrics {
            turn_ns: Histogram::new(Unit::Nanoseconds, TURN_NS),
            turn_events: Histogram::new(Unit::Count, TURN_EVENTS),
            bytes_in: 0,
            bytes_out: 0,
            inputs_held: 0,
            turned_away: [0; Rejection::ALL.len()],
            named: 0,
            asked: 0,
            paired: 0,
            joined: 0,
            departures: [0; DisconnectReason::ALL.len()],
        }
    }

    /// Counts something that came about in the chat.
    pub(super) fn record(&mut self, event: Event) {
        match event {
            Event::Named(_) => self.named += 1,
            Event::Asked { .. } => self.asked += 1,
            Event::Paired { .. } => self.paired += 1,
            Event::Left { why, .. } => self.departures[why as usize] += 1,
            Event::Joined { .. } => self.joined += 1,
            Event::Unanswered { .. }
            | Event::Parted { .. }
            | Event::LeftRoom { .. }
            | Event::StopIsDue => {}
        }
    }

    /// Counts somebody who was not let in.
    pub(super) fn count_rejection(&mut self, rejection: Rejection) {
        self.turned_away[rejection as usize] += 1;
    }
}

impl Server {
    /// All metrics, as they are now.
    pub(super) fn metrics(&self) -> Vec<MetricFamily> {
        let mut families = self.figures_now();
        families.extend(self.figures_of_people());
        families.extend(self.figures_of_traffic());
        families
    }

    fn figures_now(&self) -> Vec<MetricFamily> {
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

    fn figures_of_people(&self) -> Vec<MetricFamily> {
        let metrics = &self.metrics;
        let turned_away = Rejection::ALL.map(|rejection| rejection.kind()).into_iter();
        let departures = DisconnectReason::ALL.map(departure_kind).into_iter();
        let refusals = self.exchange.chat().refusals().iter();
        vec![
            counter("arrivals", "Connections that came", u64::from(self.arrivals)),
            counter_by(
                "turned_away",
                "Connections not let in",
                "reason",
                turned_away.zip(metrics.turned_away),
            ),
            counter("names", "Usernames taken", metrics.named),
            counter("asks", "Requests to chat", metrics.asked),
            counter("pairings", "Chats begun", metrics.paired),
            counter("joinings", "Times a user entered a room", metrics.joined),
            counter_by("departures", "Sessions over", "reason", departures.zip(metrics.departures)),
            counter_by("refusals", "Lines that told a user what was wrong", "kind", refusals),
        ]
    }

    fn figures_of_traffic(&self) -> Vec<MetricFamily> {
        let (metrics, traffic) = (&self.metrics, self.exchange.traffic());
        let held = traffic.inputs_held + metrics.inputs_held;
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
            counter("inputs_held", "Times input waited for a slow reader", held),
            counter("inputs_slowed", "Times input waited for an allowance", traffic.inputs_slowed),
            counter("turns", "Turns of the loop", metrics.turn_ns.count()),
            histogram("turn_events", "Events of a turn", &metrics.turn_events),
            histogram("turn_seconds", "Time awake in a turn", &metrics.turn_ns),
        ]
    }
}

fn departure_kind(why: DisconnectReason) -> &'static str {
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
        DisconnectReason::Banned => "banned",
    }
}

fn gauge(name: &'static str, help: &'static str, value: u64) -> MetricFamily {
    MetricFamily { name, help, metrics: Samples::Gauge(value) }
}

fn counter(name: &'static str, help: &'static str, value: u64) -> MetricFamily {
    MetricFamily { name, help, metrics: Samples::Counter(value) }
}

fn counter_by(
    name: &'static str,
    help: &'static str,
    label: &'static str,
    counts: impl Iterator<Item = (&'static str, u64)>,
) -> MetricFamily {
    MetricFamily { name, help, metrics: Samples::CounterBy { label, counts: counts.collect() } }
}

fn histogram<const BUCKETS: usize>(
    name: &'static str,
    help: &'static str,
    histogram: &Histogram<BUCKETS>,
) -> MetricFamily {
    MetricFamily { name, help, metrics: Samples::Histogram(histogram.snapshot()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_is_counted_in_its_own_place() {
        for (place, why) in DisconnectReason::ALL.into_iter().enumerate() {
            assert_eq!(why as usize, place, "{why:?}");
        }
        for (place, rejection) in Rejection::ALL.into_iter().enumerate() {
            assert_eq!(rejection as usize, place, "{rejection:?}");
        }
    }
}
