//! One input of the core, as a recording keeps it: a call of the exchange that changes it.
//!
//! Each variant names the method of [`Exchange`] that is called. What a client sent is not here: it is
//! noted when the framing takes it ([`super::Entry::Took`]).
//!
//! [`Exchange`]: crate::core::exchange::Exchange

use crate::core::accounts::{AccountAnswer, AccountChange, AccountFailure};
use crate::core::chat::{Name, Removal, UnixSeconds};
use crate::core::{Origin, SessionId};
use serde_json::{Value, json};

/// A call that changes the exchange, without its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// `handle_start`: the time of day, and the stored lines of rooms.
    Start(UnixSeconds, Vec<StoredLine>),
    /// `start_recording`: lines in rooms are kept from now on.
    KeepHistory,
    /// `start_accounts`.
    StartAccounts,
    /// `load_account`.
    LoadAccount(Name),
    /// `set_page`.
    SetPage(String),
    /// `set_tls`.
    SetTls(String),
    /// `add_notice`.
    AddNotice(String),
    /// `handle_connect_from`.
    Connect(SessionId, Origin),
    /// `handle_connect_through_from`.
    ConnectThrough(SessionId, Origin),
    /// `begin_session`.
    BeginSession(SessionId, Origin),
    /// `reject`, with the line.
    Reject(SessionId, String),
    /// `handle_received`.
    Received(SessionId),
    /// `handle_stale_input`.
    StaleInput(SessionId),
    /// `handle_end_of_input`.
    EndOfInput(SessionId),
    /// `handle_failure`.
    Failure(SessionId),
    /// `handle_sent`: how many bytes, and their checksum if they are no cipher's.
    Sent(SessionId, usize, Option<u32>),
    /// `handle_writable`.
    Writable(SessionId),
    /// `handle_blocked`.
    Blocked(SessionId),
    /// `forget`.
    Forget(SessionId),
    /// `resume`.
    Resume(SessionId),
    /// `finish_drain`.
    FinishDrain(SessionId),
    /// `count_hold`.
    CountHold(SessionId),
    /// `poll_action`.
    PollAction,
    /// `poll_resume`.
    PollResume,
    /// `handle_timeout`, once in each turn of the loop.
    Timeout,
    /// `handle_stop`.
    Stop,
    /// `end_opening`.
    EndOpening,
    /// `postpone_fan_out`.
    PostponeFanOut,
    /// `release_memory`.
    ReleaseMemory,
    /// `clear_records`.
    ClearRecords,
    /// `handle_wall_clock`.
    WallClock(UnixSeconds),
    /// `handle_account_answer`: the number of the request, and the answer.
    AccountAnswer(u64, AccountAnswer),
    /// `handle_account_change`.
    AccountChange(AccountChange),
    /// `handle_accounts_reloaded`.
    AccountsReloaded(Vec<Name>),
    /// `handle_announcement`.
    Announcement(String),
    /// `handle_removal`, with the reason.
    Removal(SessionId, Removal, String),
    /// `handle_stop_in`: in so many milliseconds.
    StopIn(u64),
    /// `handle_stop_called_off`.
    StopCalledOff,
}

/// A stored line of a room: when it was said, the room, and `NAME: text`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredLine {
    /// When it was said.
    pub said_at: UnixSeconds,
    /// The name of the room.
    pub room: String,
    /// The line as members read it.
    pub line: String,
}

/// Makes a call that is about one connection.
type OfOne = fn(SessionId) -> Call;

/// The word of each call that is about one connection and nothing else.
const OF_ONE: [(&str, OfOne); 10] = [
    ("received", Call::Received),
    ("stale input", Call::StaleInput),
    ("end of input", Call::EndOfInput),
    ("failure", Call::Failure),
    ("writable", Call::Writable),
    ("blocked", Call::Blocked),
    ("forget", Call::Forget),
    ("resume", Call::Resume),
    ("finish drain", Call::FinishDrain),
    ("count hold", Call::CountHold),
];

/// The word of each call that says all.
const BARE: [(&str, Call); 11] = [
    ("keep history", Call::KeepHistory),
    ("start accounts", Call::StartAccounts),
    ("poll action", Call::PollAction),
    ("poll resume", Call::PollResume),
    ("timeout", Call::Timeout),
    ("stop", Call::Stop),
    ("end opening", Call::EndOpening),
    ("postpone fan-out", Call::PostponeFanOut),
    ("release memory", Call::ReleaseMemory),
    ("clear records", Call::ClearRecords),
    ("stop called off", Call::StopCalledOff),
];

/// The word of each answer of the store.
const ANSWERS: [(&str, AccountAnswer); 7] = [
    ("ok", AccountAnswer::Ok),
    ("wrong password", AccountAnswer::WrongPassword),
    ("full", AccountAnswer::Full),
    ("down", AccountAnswer::Down),
    ("exists", AccountAnswer::Failed(AccountFailure::Exists)),
    ("missing", AccountAnswer::Failed(AccountFailure::Missing)),
    ("not stored", AccountAnswer::Failed(AccountFailure::NotStored)),
];

impl Call {
    /// The word, and what belongs to it: the array of a line without its time.
    pub(super) fn to_json(&self) -> Vec<Value> {
        match self {
            Call::Start(at, lines) => {
                let line = |stored: &StoredLine| json!([stored.said_at, stored.room, stored.line]);
                vec!["start".into(), (*at).into(), lines.iter().map(line).collect()]
            }
            Call::LoadAccount(name) => vec!["load account".into(), name.as_str().into()],
            Call::SetPage(place) => vec!["set page".into(), place.as_str().into()],
            Call::SetTls(place) => vec!["set tls".into(), place.as_str().into()],
            Call::AddNotice(text) => vec!["add notice".into(), text.as_str().into()],
            Call::Connect(id, origin) => vec!["connect".into(), key(*id), number(*origin)],
            Call::ConnectThrough(id, origin) => {
                vec!["connect through".into(), key(*id), number(*origin)]
            }
            Call::BeginSession(id, origin) => {
                vec!["begin session".into(), key(*id), number(*origin)]
            }
            Call::Reject(id, line) => vec!["reject".into(), key(*id), line.as_str().into()],
            Call::Sent(id, count, sum) => {
                let sum = sum.map(Value::from);
                [Some("sent".into()), Some(key(*id)), Some((*count).into()), sum]
                    .into_iter()
                    .flatten()
                    .collect()
            }
            Call::WallClock(shown) => vec!["wall clock".into(), (*shown).into()],
            Call::AccountAnswer(of, answer) => {
                vec!["account answer".into(), (*of).into(), word_of(&ANSWERS, answer)]
            }
            Call::AccountChange(change) => {
                let what = match change {
                    AccountChange::Added(_) => "added",
                    AccountChange::Reset(_) => "reset",
                    AccountChange::Removed(_) => "removed",
                };
                vec!["account change".into(), what.into(), change.name().as_str().into()]
            }
            Call::AccountsReloaded(names) => {
                vec!["accounts reloaded".into(), names.iter().map(|name| name.as_str()).collect()]
            }
            Call::Announcement(text) => vec!["announcement".into(), text.as_str().into()],
            Call::Removal(id, how, reason) => {
                let how = match how {
                    Removal::Kicked => "kicked",
                    Removal::Banned => "banned",
                };
                vec!["removal".into(), key(*id), how.into(), reason.as_str().into()]
            }
            Call::StopIn(ms) => vec!["stop in".into(), (*ms).into()],
            bare => match bare.id() {
                Some(id) => {
                    let is_this = |(_, make): &&(&str, OfOne)| make(id) == *bare;
                    let word = OF_ONE.iter().find(is_this).map_or("", |(word, _)| word);
                    vec![word.into(), key(id)]
                }
                None => vec![word_of(&BARE, bare)],
            },
        }
    }

    /// The call that [`Self::to_json`] has written.
    pub(super) fn from_json(word: &str, rest: &[Value]) -> Option<Call> {
        Some(match (word, rest) {
            ("start", [at, lines]) => {
                let lines = lines.as_array()?.iter().map(stored_line);
                Call::Start(at.as_u64()?, lines.collect::<Option<_>>()?)
            }
            ("load account", [name]) => Call::LoadAccount(parse_name(name)?),
            ("set page", [place]) => Call::SetPage(text(place)?),
            ("set tls", [place]) => Call::SetTls(text(place)?),
            ("add notice", [line]) => Call::AddNotice(text(line)?),
            ("connect", [id, from]) => Call::Connect(parse_key(id)?, parse_origin(from)?),
            ("connect through", [id, from]) => {
                Call::ConnectThrough(parse_key(id)?, parse_origin(from)?)
            }
            ("begin session", [id, from]) => {
                Call::BeginSession(parse_key(id)?, parse_origin(from)?)
            }
            ("reject", [id, line]) => Call::Reject(parse_key(id)?, text(line)?),
            ("sent", [id, count]) => Call::Sent(parse_key(id)?, size(count)?, None),
            ("sent", [id, count, sum]) => {
                let sum = u32::try_from(sum.as_u64()?).ok()?;
                Call::Sent(parse_key(id)?, size(count)?, Some(sum))
            }
            ("wall clock", [shown]) => Call::WallClock(shown.as_u64()?),
            ("account answer", [of, answer]) => {
                Call::AccountAnswer(of.as_u64()?, find(&ANSWERS, answer.as_str()?)?)
            }
            ("account change", [what, name]) => {
                let name = parse_name(name)?;
                Call::AccountChange(match what.as_str()? {
                    "added" => AccountChange::Added(name),
                    "reset" => AccountChange::Reset(name),
                    "removed" => AccountChange::Removed(name),
                    _ => return None,
                })
            }
            ("accounts reloaded", [names]) => {
                let names = names.as_array()?.iter().map(parse_name);
                Call::AccountsReloaded(names.collect::<Option<_>>()?)
            }
            ("announcement", [line]) => Call::Announcement(text(line)?),
            ("removal", [id, how, reason]) => {
                let how = match how.as_str()? {
                    "kicked" => Removal::Kicked,
                    "banned" => Removal::Banned,
                    _ => return None,
                };
                Call::Removal(parse_key(id)?, how, text(reason)?)
            }
            ("stop in", [ms]) => Call::StopIn(ms.as_u64()?),
            (word, [id]) => find(&OF_ONE, word)?(parse_key(id)?),
            (word, []) => find(&BARE, word)?,
            _ => return None,
        })
    }

    /// The connection that the call is about.
    #[must_use]
    pub fn id(&self) -> Option<SessionId> {
        match self {
            Call::Connect(id, _)
            | Call::ConnectThrough(id, _)
            | Call::BeginSession(id, _)
            | Call::Reject(id, _)
            | Call::Received(id)
            | Call::StaleInput(id)
            | Call::EndOfInput(id)
            | Call::Failure(id)
            | Call::Sent(id, ..)
            | Call::Writable(id)
            | Call::Blocked(id)
            | Call::Forget(id)
            | Call::Resume(id)
            | Call::FinishDrain(id)
            | Call::CountHold(id)
            | Call::Removal(id, ..) => Some(*id),
            _ => None,
        }
    }
}

fn word_of<T: PartialEq>(words: &[(&'static str, T)], what: &T) -> Value {
    words.iter().find(|(_, it)| it == what).map_or("", |(word, _)| word).into()
}

fn find<T: Clone>(words: &[(&str, T)], word: &str) -> Option<T> {
    words.iter().find(|(it, _)| *it == word).map(|(_, what)| what.clone())
}

fn key(id: SessionId) -> Value {
    id.key().into()
}

fn number(origin: Origin) -> Value {
    origin.number().into()
}

pub(super) fn parse_key(value: &Value) -> Option<SessionId> {
    let key = u32::try_from(value.as_u64()?).ok()?;
    Some(SessionId::from_key(key as usize))
}

fn parse_origin(value: &Value) -> Option<Origin> {
    value.as_u64().map(Origin::from_number)
}

fn parse_name(value: &Value) -> Option<Name> {
    Name::parse(value.as_str()?).ok()
}

pub(super) fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

pub(super) fn size(value: &Value) -> Option<usize> {
    usize::try_from(value.as_u64()?).ok()
}

fn stored_line(value: &Value) -> Option<StoredLine> {
    match value.as_array()?.as_slice() {
        [at, room, line] => {
            Some(StoredLine { said_at: at.as_u64()?, room: text(room)?, line: text(line)? })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_call_is_read_as_it_was_written() {
        let id = SessionId::from_key(7);
        let (origin, name) = (Origin::v4([192, 0, 2, 1]), || Name::parse("anna").unwrap());
        let line = StoredLine { said_at: 9, room: "lobby".into(), line: "anna: \"hi\"".into() };
        let mut calls = vec![
            Call::Start(5, vec![line]),
            Call::LoadAccount(name()),
            Call::SetPage("p".into()),
            Call::SetTls("t".into()),
            Call::AddNotice("n".into()),
            Call::Connect(id, origin),
            Call::ConnectThrough(id, Origin::NONE),
            Call::BeginSession(id, origin),
            Call::Reject(id, "! no".into()),
            Call::Sent(id, 3, None),
            Call::Sent(id, 3, Some(u32::MAX)),
            Call::WallClock(u64::MAX),
            Call::AccountChange(AccountChange::Added(name())),
            Call::AccountChange(AccountChange::Reset(name())),
            Call::AccountChange(AccountChange::Removed(name())),
            Call::AccountsReloaded(vec![name()]),
            Call::Announcement("a".into()),
            Call::Removal(id, Removal::Kicked, String::new()),
            Call::Removal(id, Removal::Banned, "r".into()),
            Call::StopIn(1),
        ];
        calls.extend(OF_ONE.iter().map(|(_, make)| make(id)));
        calls.extend(BARE.iter().map(|(_, call)| call.clone()));
        calls.extend(ANSWERS.iter().map(|(_, answer)| Call::AccountAnswer(1, *answer)));
        for call in calls {
            let written = call.to_json();
            let word = written[0].as_str().unwrap();
            assert_ne!(word, "", "{call:?}");
            assert_eq!(Call::from_json(word, &written[1..]), Some(call));
        }
    }

    #[test]
    fn what_nobody_has_written_is_no_call() {
        for line in [
            "[\"\"]",
            "[\"sent\",1]",
            "[\"received\",-1]",
            "[\"stop\",1]",
            "[\"received\",4294967296]",
        ] {
            let values: Vec<Value> = serde_json::from_str(line).unwrap();
            assert_eq!(Call::from_json(values[0].as_str().unwrap(), &values[1..]), None, "{line}");
        }
    }
}
