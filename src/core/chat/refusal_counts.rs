//! Counts of refusals by kind, for the metrics.
//!
//! The counts show an operator a script that keeps failing, or a wording that users misunderstand.
//! `output` counts each refusal that it queues, and the server's metrics read the counts. The label
//! of a kind is stable, because dashboards depend on it; the wording of a refusal is not.

use super::wording::{AccountRefusal, Refusal, RoomRefusal};

/// A refusal without its details: no name and no number, because each combination would become a
/// time series of its own in the metrics.
///
/// The number of a variant indexes [`RefusalCounts`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalKind {
    /// The username is invalid (3.2.1).
    Name,
    /// A user has the username, or it is reserved (3.2.2, 3.2.3).
    NameTaken,
    /// The username looks like the name of a user (3.2.2).
    NameLooksTaken,
    /// No username came in time (7.13).
    NoNameInTime,
    /// The menu has no such choice.
    NotAChoice,
    /// An answer came after the request had ended (4.6.5).
    RequestIsOver,
    /// No user has the name that was asked for (4.3.3).
    NobodyCalledThat,
    /// A user asked for their own name.
    Yourself,
    /// The user asked for has a request or a chat already.
    Unavailable,
    /// The user asked for is busy, or ignores the asker (5.5.1, 5.6.1).
    TakesNoRequests,
    /// The cool-down is not over (5.7.1).
    AskedLately,
    /// A request waits for an answer, at a prompt or in a room.
    AnswerFirst,
    /// The user waits for an answer and cannot do this meanwhile.
    WaitingFor,
    /// The text to ignore or unignore is no valid name.
    NoSuchName,
    /// The ignore list is full (7.29).
    IgnoringTooMany,
    /// A `/` begins no command, except in a room (5.1.3).
    NotACommand,
    /// The line is too long (2.1.3).
    TooLong,
    /// The line is not UTF-8 (2.1.4).
    NotUtf8,
    /// Lines for a partner came too late for the chat (4.1.5).
    Undelivered,
    /// The client speaks TLS (2.4.1).
    Tls,
    /// The client speaks HTTP (2.4.1).
    Http,
    /// The client read nothing for too long (7.17).
    Stalled,
    /// The outbox exceeded its limit (7.11).
    Overrun,
    /// An operator removed the session (8.2.2).
    Removed,
    /// The name of the room is invalid (6.1.1).
    RoomName,
    /// The name of the room looks like the name of another room (6.1.1).
    RoomLooksTaken,
    /// The room has as many members as allowed (7.28).
    RoomFull,
    /// There are as many rooms as allowed (7.27).
    TooManyRooms,
    /// A `/` in a room begins no command (5.1.3).
    NotARoomCommand,
    /// The argument of `/history` is no number of lines (6.3.1).
    NotACount,
    /// `yes` or `no` without a request.
    NobodyAsks,
    /// The chat has just ended and rooms are blocked (7.20).
    ChatJustEnded,
    /// The asker's address has asked the user too much (5.7.3).
    AddressAskedLately,
    /// The user asked for has not read the last requests (5.7.4).
    NotReading,
    /// The user's address has as many rooms as allowed (7.56).
    TooManyRoomsFromAddress,
    /// A command came before the username (4.2.1).
    NameFirst,
    /// There is no chat, room or request to leave.
    NothingToLeave,
    /// There is no request to withdraw.
    NothingToCancel,
    /// A text outside chats and rooms.
    NobodyToRead,
    /// A command that needs a text or a name came without one.
    NoArgument,
    /// The history of a room, outside rooms.
    NotInRoom,
    /// A command that makes no sense in a chat.
    InChat,
    /// The user is in that room already (4.8.12).
    AlreadyHere,
    /// A bare word in a room was held back (4.8.11).
    HeldBack,
    /// A wrong password (4.11.3).
    WrongPassword,
    /// A password was not checked, because of wrong ones before (3.4.6).
    TooManyWrong,
    /// A text that cannot be a password, or two that differ (3.4.3).
    NewPassword,
    /// Others could read a password on the connection (3.4.5).
    NotPrivate,
    /// The username has no account, and must have one (3.4.1).
    AccountRequired,
    /// A command about accounts or passwords that makes no sense there.
    Account,
    /// The store did not do it (3.4.7).
    StoreFailed,
    /// The account was changed, or signed in on another connection.
    AccountElsewhere,
}

/// How often each kind of refusal has been said since the server started.
///
/// An array rather than a map: counting is one addition, and every kind appears in the metrics even
/// at zero. A dashboard then shows 0 instead of "no data".
#[derive(Debug, Clone)]
pub struct RefusalCounts([u64; RefusalKind::ALL.len()]);

impl RefusalKind {
    /// Every kind and its label in the metrics, in declaration order:
    /// `ALL[kind as usize].0 == kind`.
    pub const ALL: [(RefusalKind, &'static str); 52] = [
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
        (RefusalKind::AddressAskedLately, "address_asked_lately"),
        (RefusalKind::NotReading, "not_reading"),
        (RefusalKind::TooManyRoomsFromAddress, "too_many_rooms_from_address"),
        (RefusalKind::NameFirst, "name_first"),
        (RefusalKind::NothingToLeave, "nothing_to_leave"),
        (RefusalKind::NothingToCancel, "nothing_to_cancel"),
        (RefusalKind::NobodyToRead, "nobody_to_read"),
        (RefusalKind::NoArgument, "no_argument"),
        (RefusalKind::NotInRoom, "not_in_room"),
        (RefusalKind::InChat, "in_chat"),
        (RefusalKind::AlreadyHere, "already_here"),
        (RefusalKind::HeldBack, "held_back"),
        (RefusalKind::WrongPassword, "wrong_password"),
        (RefusalKind::TooManyWrong, "too_many_wrong_passwords"),
        (RefusalKind::NewPassword, "new_password"),
        (RefusalKind::NotPrivate, "not_private"),
        (RefusalKind::AccountRequired, "account_required"),
        (RefusalKind::Account, "account"),
        (RefusalKind::StoreFailed, "account_store"),
        (RefusalKind::AccountElsewhere, "account_elsewhere"),
    ];
}

impl Default for RefusalCounts {
    fn default() -> Self {
        RefusalCounts([0; RefusalKind::ALL.len()])
    }
}

impl RefusalCounts {
    /// Counts one refusal. A `u64` does not overflow within the lifetime of a server.
    pub(super) fn count(&mut self, kind: RefusalKind) {
        self.0[kind as usize] += 1;
    }

    /// The label of each kind, and how often the kind has been said, in declaration order.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> {
        RefusalKind::ALL.into_iter().map(|(_, label)| label).zip(self.0)
    }
}

impl Refusal<'_> {
    /// The kind of this refusal. The match has no wildcard arm: a new refusal must choose its kind.
    pub(super) fn kind(&self) -> RefusalKind {
        match self {
            Refusal::Name(_) => RefusalKind::Name,
            Refusal::NameFirst => RefusalKind::NameFirst,
            Refusal::NameReserved(_) | Refusal::NameTaken(_) => RefusalKind::NameTaken,
            Refusal::NameLooksTaken(_) => RefusalKind::NameLooksTaken,
            Refusal::NoNameInTime { .. } => RefusalKind::NoNameInTime,
            Refusal::NotAChoice => RefusalKind::NotAChoice,
            Refusal::RequestIsOver => RefusalKind::RequestIsOver,
            Refusal::NobodyAsks => RefusalKind::NobodyAsks,
            Refusal::NothingToLeave => RefusalKind::NothingToLeave,
            Refusal::NothingToCancel => RefusalKind::NothingToCancel,
            Refusal::NobodyToRead => RefusalKind::NobodyToRead,
            Refusal::NoText => RefusalKind::NoArgument,
            Refusal::NotInRoom => RefusalKind::NotInRoom,
            Refusal::InChat(_) => RefusalKind::InChat,
            Refusal::NobodyCalled(_) => RefusalKind::NobodyCalledThat,
            Refusal::Yourself => RefusalKind::Yourself,
            Refusal::Unavailable { .. } => RefusalKind::Unavailable,
            Refusal::TakesNoRequests(_) => RefusalKind::TakesNoRequests,
            Refusal::AskedLately { .. } => RefusalKind::AskedLately,
            Refusal::AddressAskedLately { .. } => RefusalKind::AddressAskedLately,
            Refusal::NotReading(_) => RefusalKind::NotReading,
            Refusal::AnswerFirst(_) | Refusal::OtherAsks(_) => RefusalKind::AnswerFirst,
            Refusal::WaitingFor(_) => RefusalKind::WaitingFor,
            Refusal::NoSuchName => RefusalKind::NoSuchName,
            Refusal::IgnoringTooMany => RefusalKind::IgnoringTooMany,
            Refusal::NotACommand => RefusalKind::NotACommand,
            Refusal::TooLong => RefusalKind::TooLong,
            Refusal::NotUtf8 => RefusalKind::NotUtf8,
            Refusal::Undelivered { .. } => RefusalKind::Undelivered,
            Refusal::Tls { .. } => RefusalKind::Tls,
            Refusal::Http { .. } => RefusalKind::Http,
            Refusal::Stalled { .. } => RefusalKind::Stalled,
            Refusal::Overrun => RefusalKind::Overrun,
            Refusal::Removed { .. } => RefusalKind::Removed,
            Refusal::Account(refusal) => refusal.kind(),
            Refusal::Room(refusal) => refusal.kind(),
        }
    }
}

impl AccountRefusal<'_> {
    fn kind(&self) -> RefusalKind {
        match self {
            AccountRefusal::WrongPassword { .. }
            | AccountRefusal::WrongPasswordAtMenu
            | AccountRefusal::WrongPasswords => RefusalKind::WrongPassword,
            AccountRefusal::TooManyWrong { .. } => RefusalKind::TooManyWrong,
            AccountRefusal::Password(_)
            | AccountRefusal::NoSuchPassword
            | AccountRefusal::NotTheSame => RefusalKind::NewPassword,
            AccountRefusal::NameNotPrivate(_) | AccountRefusal::NotPrivate => {
                RefusalKind::NotPrivate
            }
            AccountRefusal::Required(_) => RefusalKind::AccountRequired,
            AccountRefusal::PasswordFirst
            | AccountRefusal::NoAccounts
            | AccountRefusal::RegisteredAlready(_)
            | AccountRefusal::NotRegistered(_)
            | AccountRefusal::NoLongerRegistered(_)
            | AccountRefusal::OnlyAtMenu(_) => RefusalKind::Account,
            AccountRefusal::ChangedMeanwhile(_)
            | AccountRefusal::Crowded
            | AccountRefusal::Interrupted
            | AccountRefusal::NotStored
            | AccountRefusal::TooMany
            | AccountRefusal::TooManyFromAddress { .. } => RefusalKind::StoreFailed,
            AccountRefusal::TakenOver(_) | AccountRefusal::Changed(_) => {
                RefusalKind::AccountElsewhere
            }
        }
    }
}

impl RoomRefusal<'_> {
    /// The kind of a refusal about rooms. A request that waits for an answer is the same mistake in
    /// a room as at a prompt, and is counted with it.
    fn kind(&self) -> RefusalKind {
        match self {
            RoomRefusal::Name(_) => RefusalKind::RoomName,
            RoomRefusal::LooksTaken => RefusalKind::RoomLooksTaken,
            RoomRefusal::Full => RefusalKind::RoomFull,
            RoomRefusal::TooMany => RefusalKind::TooManyRooms,
            RoomRefusal::TooManyFromAddress => RefusalKind::TooManyRoomsFromAddress,
            RoomRefusal::NotACommand => RefusalKind::NotARoomCommand,
            RoomRefusal::NotACount => RefusalKind::NotACount,
            RoomRefusal::ChatJustEnded => RefusalKind::ChatJustEnded,
            RoomRefusal::AnswerFirst(_) => RefusalKind::AnswerFirst,
            RoomRefusal::AlreadyHere(_) => RefusalKind::AlreadyHere,
            RoomRefusal::ChatWithWhom => RefusalKind::NoArgument,
            RoomRefusal::ExitHeldBack { .. } | RoomRefusal::AnswerHeldBack { .. } => {
                RefusalKind::HeldBack
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_counted_under_its_own_label() {
        let mut counts = RefusalCounts::default();
        for (place, (kind, label)) in RefusalKind::ALL.into_iter().enumerate() {
            assert_eq!(kind as usize, place, "{label}");
            (0..=place).for_each(|_| counts.count(kind));
        }
        let expected = RefusalKind::ALL.into_iter().map(|(_, label)| label).zip(1..);
        assert!(counts.iter().eq(expected));
    }
}
