//! What the chat wants done: lines said, sessions over, and what the log should know.

use std::num::NonZeroU16;

use crate::core::SessionId;
use crate::core::time::Time;

use super::command::ChatCommand;
use super::event::Event;
use super::history::Record;
use super::name::Name;
use super::refusal_counts::RefusalCounts;
use super::rooms::RoomId;
use super::wording::Line;

/// Where what a session says in its chat goes: to one other, under its name (3.7.1).
///
/// It holds until the chat is told of anything else: nothing that is said through it changes it.
#[derive(Debug, Clone, Copy)]
pub struct Route<'a> {
    /// Who hears it.
    pub to: SessionId,
    /// Who says it.
    pub from: &'a Name,
}

impl<'a> Route<'a> {
    /// What `line`, which is UTF-8, is to the partner; `None` if it is a command (3.7.2, 3.7.3) and
    /// for [`super::Chat::handle_input`].
    #[must_use]
    #[inline]
    pub fn message(&self, line: &'a [u8]) -> Option<ChatMessage<'a>> {
        match ChatCommand::parse(line) {
            ChatCommand::Say(text) => Some(ChatMessage { to: self.to, from: self.from, text }),
            ChatCommand::Quit | ChatCommand::Help | ChatCommand::Unknown => None,
        }
    }
}

/// What somebody says in a chat, for their partner (3.7.1): `NAME: text`.
///
/// This is what a server does all day, so it is not queued like all else:
/// [`super::Chat::handle_input`] returns it, name and text borrowed from where they are, to be
/// written where they go.
#[derive(Debug, Clone, Copy)]
pub struct ChatMessage<'a> {
    /// Whose line it is.
    pub to: SessionId,
    /// Who says it.
    pub from: &'a Name,
    /// What they say, UTF-8.
    pub text: &'a [u8],
}

impl ChatMessage<'_> {
    /// The line in its parts, with its ending (1.1).
    #[must_use]
    #[inline]
    pub fn parts(&self) -> [&[u8]; 4] {
        [self.from.as_str().as_bytes(), b": ", self.text, b"\r\n"]
    }
}

/// One thing the chat wants done, in the order it came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output<'a> {
    /// Give this line, its ending included, to that session.
    Say {
        /// Whose line it is.
        to: SessionId,
        /// UTF-8, safe for a terminal, ends in CR LF.
        line: &'a [u8],
    },
    /// Give this line to everybody who is tuned in to these feeds (6.3).
    Publish {
        /// The room it was said in.
        room: RoomId,
        /// For whom of its members it is.
        audience: Audience,
        /// As above.
        line: &'a [u8],
    },
    /// From now on, that session is given what is published on this feed, and on no other.
    Subscribe {
        /// Whose session it is.
        who: SessionId,
        /// None ends it.
        to: Option<BroadcastId>,
    },
    /// Write this down, to outlast the server, before anything said since is heard (6.14).
    Record {
        /// A [`Record`], with the line ending.
        record: &'a [u8],
    },
    /// That session is over: write what was said to it, then close (3.9.2).
    HangUp {
        /// Whose session it is.
        whom: SessionId,
    },
    /// Hand on no input of that session before then (4.4).
    Pause {
        /// Whose input waits.
        whom: SessionId,
        /// Until when.
        until: Time,
    },
    /// Something for the log and the counts.
    Report(Event),
}

/// The lines that some members of a room read: those who read joins and leavings, or those who do
/// not (6.11).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BroadcastId(NonZeroU16);

/// For whom of the members of a room a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// All of them.
    Everybody,
    /// Those who read joins and leavings.
    Loud,
}

impl BroadcastId {
    /// The feed of `room` for those who are `quiet`, or not.
    #[must_use]
    pub fn of(room: RoomId, quiet: bool) -> BroadcastId {
        let key = 2 * room.key() + usize::from(quiet);
        let number = u16::try_from(key + 1).ok().and_then(NonZeroU16::new);
        BroadcastId(number.expect("rooms are bounded by 32,766"))
    }

    /// Small and dense, because tables are indexed by it.
    #[must_use]
    pub fn key(self) -> usize {
        usize::from(self.0.get()) - 1
    }
}

/// The outputs not yet taken, and the text of the lines among them. Both keep their memory, so
/// saying something allocates nothing once the chat is in its stride.
#[derive(Debug, Default)]
pub(super) struct Outputs {
    text: String,
    queue: Vec<Queued>,
    /// How many of `queue` have been taken, and how much of `text` with them.
    taken: usize,
    text_taken: usize,
    refusals: RefusalCounts,
}

#[derive(Debug, Clone, Copy)]
enum Queued {
    Say { to: SessionId, text_end: usize },
    Publish { room: RoomId, audience: Audience, text_end: usize },
    Subscribe { who: SessionId, to: Option<BroadcastId> },
    Record { text_end: usize },
    HangUp(SessionId),
    Pause(SessionId, Time),
    Report(Event),
}

impl Outputs {
    pub(super) fn say(&mut self, to: SessionId, line: &Line<'_>) {
        line.encode(&mut self.text);
        if let Line::Refusal(refusal) = line {
            self.refusals.count(refusal.kind());
        }
        self.queue.push(Queued::Say { to, text_end: self.text.len() });
    }

    /// Publishes `line`; returns it without its ending.
    pub(super) fn publish(&mut self, room: RoomId, audience: Audience, line: &Line<'_>) -> &str {
        let start = self.text.len();
        line.encode(&mut self.text);
        self.queue.push(Queued::Publish { room, audience, text_end: self.text.len() });
        self.text[start..].trim_end_matches("\r\n")
    }

    pub(super) fn subscribe(&mut self, who: SessionId, to: Option<BroadcastId>) {
        self.queue.push(Queued::Subscribe { who, to });
    }

    pub(super) fn record(&mut self, record: Record<'_>) {
        record.encode(&mut self.text);
        self.queue.push(Queued::Record { text_end: self.text.len() });
    }

    pub(super) fn hang_up(&mut self, whom: SessionId) {
        self.queue.push(Queued::HangUp(whom));
    }

    pub(super) fn pause(&mut self, whom: SessionId, until: Time) {
        self.queue.push(Queued::Pause(whom, until));
    }

    pub(super) fn report(&mut self, event: Event) {
        self.queue.push(Queued::Report(event));
    }

    pub(super) fn refusals(&self) -> &RefusalCounts {
        &self.refusals
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// The next output; `None` when all have been taken.
    pub(super) fn poll(&mut self) -> Option<Output<'_>> {
        let Some(&queued) = self.queue.get(self.taken) else {
            self.clear();
            return None;
        };
        self.taken += 1;
        let text = self.text.as_bytes();
        let from = self.text_taken;
        let mut up_to = |end| {
            self.text_taken = end;
            &text[from..end]
        };
        Some(match queued {
            Queued::Say { to, text_end } => Output::Say { to, line: up_to(text_end) },
            Queued::Publish { room, audience, text_end } => {
                Output::Publish { room, audience, line: up_to(text_end) }
            }
            Queued::Record { text_end } => Output::Record { record: up_to(text_end) },
            Queued::Subscribe { who, to } => Output::Subscribe { who, to },
            Queued::HangUp(whom) => Output::HangUp { whom },
            Queued::Pause(whom, until) => Output::Pause { whom, until },
            Queued::Report(event) => Output::Report(event),
        })
    }

    fn clear(&mut self) {
        self.text.clear();
        self.queue.clear();
        (self.taken, self.text_taken) = (0, 0);
    }
}
