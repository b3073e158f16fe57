//! The outputs of the chat: what the exchange must do, in order.
//!
//! Every module of the chat queues outputs in [`Outputs`]; the exchange takes them with
//! `Chat::poll_output`. One kind of line is never queued: a message in a chat is returned directly,
//! because it is by far the most frequent. This module does not know sockets or outboxes.

use std::num::NonZeroU16;

use crate::core::SessionId;
use crate::core::time::Time;

use super::command::{Command, is_text_in_chat};
use super::event::Event;
use super::history::Record;
use super::name::Name;
use super::refusal_counts::RefusalCounts;
use super::rooms::RoomId;
use super::wording::Line;

/// Where the messages of one user in a chat go (4.7.2).
///
/// The exchange fetches a route once and sends many lines along it. A route stays valid until the
/// next `handle_*` call on the chat, because a message changes no state; the borrow of `from` makes
/// the compiler enforce that.
#[derive(Debug, Clone, Copy)]
pub struct Route<'a> {
    /// The partner, who reads the messages.
    pub to: SessionId,
    /// The name of the sender.
    pub from: &'a Name,
}

impl<'a> Route<'a> {
    /// The message that `line` is. `None` if `line` is a command (4.7.3, 4.7.4), which belongs to
    /// [`super::Chat::handle_input`]. `line` must be UTF-8.
    #[must_use]
    #[inline]
    pub fn message(&self, line: &'a [u8]) -> Option<ChatMessage<'a>> {
        if is_text_in_chat(line) {
            let Route { to, from } = *self;
            return Some(ChatMessage { to, from, text: line, is_act: false });
        }
        let command = Command::in_chat(str::from_utf8(line).ok()?);
        ChatMessage::of(self.to, self.from, command)
    }
}

/// A message to a partner (4.7.2): `NAME: text`.
///
/// Name and text are borrowed. The caller writes the parts straight into the partner's outbox, and
/// a message costs no allocation and one copy.
#[derive(Debug, Clone, Copy)]
pub struct ChatMessage<'a> {
    /// The partner, who reads the message.
    pub to: SessionId,
    /// The name of the sender.
    pub from: &'a Name,
    /// The text, UTF-8 and safe for a terminal.
    pub text: &'a [u8],
    /// Whether the text is what the sender does (`/me`), shown between asterisks.
    pub is_act: bool,
}

impl<'a> ChatMessage<'a> {
    /// The message that a command in a chat is, if it is one.
    pub(super) fn of(to: SessionId, from: &'a Name, command: Command<'a>) -> Option<Self> {
        let (text, is_act) = match command {
            Command::Say(text) => (text, false),
            Command::Act(text) => (text, true),
            Command::NoText
            | Command::Chat(_)
            | Command::Join(_)
            | Command::Leave
            | Command::Exit
            | Command::Yes(_)
            | Command::No(_)
            | Command::Cancel
            | Command::Who(_)
            | Command::History(_)
            | Command::Account(_)
            | Command::Common(_)
            | Command::Unknown => return None,
        };
        Some(ChatMessage { to, from, text: text.as_bytes(), is_act })
    }

    /// The line in parts, line ending included (2.1.1).
    #[must_use]
    #[inline]
    pub fn parts(&self) -> [&[u8]; 4] {
        let (before, after): (&[u8], &[u8]) =
            if self.is_act { (b": *", b"*\r\n") } else { (b": ", b"\r\n") };
        [self.from.as_str().as_bytes(), before, self.text, after]
    }
}

/// One thing for the exchange to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output<'a> {
    /// Write this line to one session.
    Say {
        /// The session.
        to: SessionId,
        /// UTF-8, safe for a terminal, ends in CR LF.
        line: &'a [u8],
    },
    /// Write this line to every subscriber of the room that belongs to the audience (4.8.2).
    Publish {
        /// The room.
        room: RoomId,
        /// Which members read the line.
        audience: Audience,
        /// UTF-8, safe for a terminal, ends in CR LF.
        line: &'a [u8],
    },
    /// The rows of a long answer belong behind the lines that this session has been told so far.
    /// [`super::Chat::continue_answer`] makes them; later lines come behind them.
    BeginAnswer {
        /// The session.
        to: SessionId,
    },
    /// Give a session the lines that are published in this broadcast log from now on, and no
    /// others.
    Subscribe {
        /// The session.
        who: SessionId,
        /// `None` ends the subscription. Lines published before still arrive.
        to: Option<BroadcastId>,
    },
    /// Store this record before any line of this turn reaches a socket (6.3.3). Otherwise a crash
    /// could lose a line that members have already read.
    Record {
        /// An encoded [`Record`], newline included.
        record: &'a [u8],
    },
    /// The session is over. Write what it has been told, then close the connection (4.10.3).
    HangUp {
        /// The session.
        whom: SessionId,
    },
    /// Hold the further input of a session until a time: its rate limit is exceeded (5.7.2).
    Pause {
        /// The session.
        whom: SessionId,
        /// When its input goes on.
        until: Time,
        /// Which limit it is.
        pace: Pace,
    },
    /// A password is awaited: what the user types should be hidden. `false` ends that (3.4.4).
    HideTyping {
        /// The session.
        whom: SessionId,
        /// Whether to hide it from now on.
        hide: bool,
    },
    /// Log and count this event.
    Report(Event),
}

/// Which rate limit holds the input of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// The user's requests to chat (5.7.2).
    Requests,
    /// Lines in a room: the user's own allowance, or that of the room (6.2.3, 6.2.4).
    Room,
    /// What all sessions of one address may do together (7.51).
    Address,
}

/// Identifies a broadcast log. Each room has two: one with joins and leavings, and one without, for
/// quiet members (4.8.9). A member subscribes to one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BroadcastId(NonZeroU16);

/// Which members of a room read a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// All members.
    Everybody,
    /// The members who are not quiet: joins and leavings.
    Loud,
}

impl BroadcastId {
    /// The broadcast log of `room` for quiet members, or for the others.
    ///
    /// # Panics
    /// If the room's key exceeds 32,766. Two logs per room must fit into 16 bits, which keeps a
    /// subscription at 2 bytes per session.
    #[must_use]
    pub fn of(room: RoomId, quiet: bool) -> BroadcastId {
        let key = 2 * room.key() + usize::from(quiet);
        // Numbers begin at 1: `Option<BroadcastId>` then needs no byte more.
        let number = u16::try_from(key + 1).ok().and_then(NonZeroU16::new);
        BroadcastId(number.expect("rooms are limited to 32,766"))
    }

    /// Small and dense: tables use the key as an index.
    #[must_use]
    pub fn key(self) -> usize {
        usize::from(self.0.get()) - 1
    }
}

/// The queue of outputs. Both buffers keep their memory when they are emptied, so that saying a
/// line allocates nothing in the long run.
#[derive(Debug, Default)]
pub(super) struct Outputs {
    /// The text of all queued lines and records, in order.
    text: String,
    queue: Vec<Queued>,
    /// How many entries of `queue` have been taken.
    taken: usize,
    /// How many bytes of `text` belong to them.
    text_taken: usize,
    refusals: RefusalCounts,
}

/// An output whose text, if it has one, lies in `Outputs::text` and ends at `text_end`. It begins
/// where the previous text ends.
#[derive(Debug, Clone, Copy)]
enum Queued {
    Say { to: SessionId, text_end: usize },
    Publish { room: RoomId, audience: Audience, text_end: usize },
    BeginAnswer(SessionId),
    Subscribe { who: SessionId, to: Option<BroadcastId> },
    Record { text_end: usize },
    HangUp(SessionId),
    Pause(SessionId, Time, Pace),
    HideTyping(SessionId, bool),
    Report(Event),
}

impl Outputs {
    /// Queues a line for one session, and counts it if it is a refusal.
    pub(super) fn say(&mut self, to: SessionId, line: &Line<'_>) {
        line.encode(&mut self.text);
        if let Line::Refusal(refusal) = line {
            self.refusals.count(refusal.kind());
        }
        self.queue.push(Queued::Say { to, text_end: self.text.len() });
    }

    /// Queues a line that is encoded already.
    pub(super) fn say_encoded(&mut self, to: SessionId, line: &str) {
        self.text.push_str(line);
        self.queue.push(Queued::Say { to, text_end: self.text.len() });
    }

    /// Queues a line for a room. Returns the line without its ending, for the history.
    pub(super) fn publish(&mut self, room: RoomId, audience: Audience, line: &Line<'_>) -> &str {
        let start = self.text.len();
        line.encode(&mut self.text);
        self.queue.push(Queued::Publish { room, audience, text_end: self.text.len() });
        self.text[start..].trim_end_matches("\r\n")
    }

    pub(super) fn begin_answer(&mut self, to: SessionId) {
        self.queue.push(Queued::BeginAnswer(to));
    }

    pub(super) fn subscribe(&mut self, who: SessionId, to: Option<BroadcastId>) {
        self.queue.push(Queued::Subscribe { who, to });
    }

    pub(super) fn record(&mut self, record: Record<'_>) {
        record.encode(&mut self.text);
        self.queue.push(Queued::Record { text_end: self.text.len() });
    }

    pub(super) fn hang_up(&mut self, id: SessionId) {
        self.queue.push(Queued::HangUp(id));
    }

    pub(super) fn pause(&mut self, id: SessionId, until: Time, pace: Pace) {
        self.queue.push(Queued::Pause(id, until, pace));
    }

    /// What the user types is shown again, if it was hidden.
    pub(super) fn show_typing(&mut self, id: SessionId) {
        self.queue.push(Queued::HideTyping(id, false));
    }

    /// What the user types is a password.
    pub(super) fn hide_typing(&mut self, id: SessionId) {
        self.queue.push(Queued::HideTyping(id, true));
    }

    pub(super) fn report(&mut self, event: Event) {
        self.queue.push(Queued::Report(event));
    }

    pub(super) fn refusals(&self) -> &RefusalCounts {
        &self.refusals
    }

    /// Frees what the queue keeps of its largest size. Only an empty queue can be large.
    pub(super) fn release_memory(&mut self) {
        self.text.shrink_to_fit();
        self.queue.shrink_to_fit();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Takes the next output. When none is left, frees the queue for the next `handle_*` call.
    pub(super) fn poll(&mut self) -> Option<Output<'_>> {
        let Some(&queued) = self.queue.get(self.taken) else {
            self.clear();
            return None;
        };
        self.taken += 1;
        let text = self.text.as_bytes();
        let start = self.text_taken;
        let mut up_to = |end| {
            self.text_taken = end;
            &text[start..end]
        };
        Some(match queued {
            Queued::Say { to, text_end } => Output::Say { to, line: up_to(text_end) },
            Queued::Publish { room, audience, text_end } => {
                Output::Publish { room, audience, line: up_to(text_end) }
            }
            Queued::Record { text_end } => Output::Record { record: up_to(text_end) },
            Queued::BeginAnswer(to) => Output::BeginAnswer { to },
            Queued::Subscribe { who, to } => Output::Subscribe { who, to },
            Queued::HangUp(id) => Output::HangUp { whom: id },
            Queued::Pause(id, until, pace) => Output::Pause { whom: id, until, pace },
            Queued::HideTyping(id, hide) => Output::HideTyping { whom: id, hide },
            Queued::Report(event) => Output::Report(event),
        })
    }

    fn clear(&mut self) {
        self.text.clear();
        self.queue.clear();
        (self.taken, self.text_taken) = (0, 0);
    }
}
