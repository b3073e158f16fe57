//! The kinds of refusal there are, and how often each has been said: for whoever looks after the
//! server, who wants to see a misled script, or a change of wording that nobody understands.
//!
//! A kind's name is a promise to whoever draws charts of it, unlike the wording.

use super::wording::{Refusal, RoomRefusal};

/// A kind of refusal, whoever and whatever it was about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the refusal of the same name")]
pub enum RefusalKind {
    Name,
    NameTaken,
    NameLooksTaken,
    NoNameInTime,
    NotAChoice,
    RequestIsOver,
    NobodyCalledThat,
    Yourself,
    Unavailable,
    TakesNoRequests,
    AskedLately,
    AnswerFirst,
    WaitingFor,
    NoSuchName,
    IgnoringTooMany,
    NotACommand,
    TooLong,
    NotUtf8,
    Undelivered,
    Tls,
    Http,
    Stalled,
    Overrun,
    Removed,
    RoomName,
    RoomLooksTaken,
    RoomFull,
    TooManyRooms,
    NotARoomCommand,
    NotACount,
    NobodyAsks,
    ChatJustEnded,
}

/// How often each kind has been said.
#[derive(Debug, Default, Clone)]
pub struct RefusalCounts([u64; RefusalKind::ALL.len()]);

impl RefusalKind {
    /// Every kind, at the place that it has as a number, and its name in a chart.
    pub const ALL: [(RefusalKind, &'static str); 32] = [
        (RefusalKind::Name, "name"),
        (RefusalKind::NameTaken, "name_taken"),
        (RefusalKind::NameLooksTaken, "name_looks_taken"),
        (RefusalKind::NoNameInTime, "no_name_in_time"),
        (RefusalKind::NotAChoice, "not_a_choice"),
        (RefusalKind::RequestIsOver, "request_is_over"),
        (RefusalKind::NobodyCalledThat, "nobody_called_that"),
        (RefusalKind::Yourself, "yourself"),
        (RefusalKind::Unavailable, "unavailable"),
        (RefusalKind::TakesNoRequests, "takes_no_requests"),
        (RefusalKind::AskedLately, "asked_lately"),
        (RefusalKind::AnswerFirst, "answer_first"),
        (RefusalKind::WaitingFor, "waiting_for"),
        (RefusalKind::NoSuchName, "no_such_name"),
        (RefusalKind::IgnoringTooMany, "ignoring_too_many"),
        (RefusalKind::NotACommand, "not_a_command"),
        (RefusalKind::TooLong, "too_long"),
        (RefusalKind::NotUtf8, "not_utf8"),
        (RefusalKind::Undelivered, "undelivered"),
        (RefusalKind::Tls, "tls"),
        (RefusalKind::Http, "http"),
        (RefusalKind::Stalled, "stalled"),
        (RefusalKind::Overrun, "overrun"),
        (RefusalKind::Removed, "removed"),
        (RefusalKind::RoomName, "room_name"),
        (RefusalKind::RoomLooksTaken, "room_looks_taken"),
        (RefusalKind::RoomFull, "room_full"),
        (RefusalKind::TooManyRooms, "too_many_rooms"),
        (RefusalKind::NotARoomCommand, "not_a_room_command"),
        (RefusalKind::NotACount, "not_a_count"),
        (RefusalKind::NobodyAsks, "nobody_asks"),
        (RefusalKind::ChatJustEnded, "just_parted"),
    ];
}

impl RefusalCounts {
    pub(super) fn count(&mut self, kind: RefusalKind) {
        self.0[kind as usize] += 1;
    }

    /// The name of each kind, and how often it has been said.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> {
        RefusalKind::ALL.into_iter().map(|(_, name)| name).zip(self.0)
    }
}

impl Refusal<'_> {
    /// Of which kind it is.
    pub(super) fn kind(&self) -> RefusalKind {
        match self {
            Refusal::Name(_) => RefusalKind::Name,
            Refusal::NameTaken(_) => RefusalKind::NameTaken,
            Refusal::NameLooksTaken(_) => RefusalKind::NameLooksTaken,
            Refusal::NoNameInTime { .. } => RefusalKind::NoNameInTime,
            Refusal::NotAChoice => RefusalKind::NotAChoice,
            Refusal::RequestIsOver => RefusalKind::RequestIsOver,
            Refusal::NobodyCalledThat => RefusalKind::NobodyCalledThat,
            Refusal::Yourself => RefusalKind::Yourself,
            Refusal::Unavailable { .. } => RefusalKind::Unavailable,
            Refusal::TakesNoRequests(_) => RefusalKind::TakesNoRequests,
            Refusal::AskedLately { .. } => RefusalKind::AskedLately,
            Refusal::AnswerFirst(_) => RefusalKind::AnswerFirst,
            Refusal::WaitingFor(_) => RefusalKind::WaitingFor,
            Refusal::NoSuchName => RefusalKind::NoSuchName,
            Refusal::IgnoringTooMany => RefusalKind::IgnoringTooMany,
            Refusal::NotACommand => RefusalKind::NotACommand,
            Refusal::TooLong => RefusalKind::TooLong,
            Refusal::NotUtf8 => RefusalKind::NotUtf8,
            Refusal::Undelivered { .. } => RefusalKind::Undelivered,
            Refusal::Tls => RefusalKind::Tls,
            Refusal::Http => RefusalKind::Http,
            Refusal::Stalled { .. } => RefusalKind::Stalled,
            Refusal::Overrun => RefusalKind::Overrun,
            Refusal::Removed { .. } => RefusalKind::Removed,
            Refusal::Room(refusal) => refusal.kind(),
        }
    }
}

impl RoomRefusal<'_> {
    fn kind(&self) -> RefusalKind {
        match self {
            RoomRefusal::Name(_) => RefusalKind::RoomName,
            RoomRefusal::LooksTaken => RefusalKind::RoomLooksTaken,
            RoomRefusal::Full => RefusalKind::RoomFull,
            RoomRefusal::TooMany => RefusalKind::TooManyRooms,
            RoomRefusal::NotACommand => RefusalKind::NotARoomCommand,
            RoomRefusal::NotACount => RefusalKind::NotACount,
            RoomRefusal::NobodyAsks => RefusalKind::NobodyAsks,
            RoomRefusal::ChatJustEnded => RefusalKind::ChatJustEnded,
            RoomRefusal::AnswerFirst(_) => RefusalKind::AnswerFirst,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_counted_under_its_own_name() {
        let mut counts = RefusalCounts::default();
        for (place, (kind, name)) in RefusalKind::ALL.into_iter().enumerate() {
            assert_eq!(kind as usize, place, "{name}");
            (0..=place).for_each(|_| counts.count(kind));
        }
        let expected = RefusalKind::ALL.into_iter().map(|(_, name)| name).zip(1..);
        assert!(counts.iter().eq(expected));
    }
}
