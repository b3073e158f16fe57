//! The way of one input through the server, hop by hop, for somebody who watches (8.2.13).
//!
//! One session can be followed at a time. Each place on the way notes that it was passed, and how much
//! passed it: bytes and lines, never what they say. Without a followed session a place costs one branch.

use crate::core::SessionId;

/// A place on the way of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hop {
    /// The loop wakes up.
    Wake,
    /// The socket is read.
    Read,
    /// The exchange takes the bytes.
    Receive,
    /// The bytes must wait.
    Hold,
    /// The chat finds the receiver.
    Route,
    /// The framing finds lines.
    Line,
    /// A line is a message to the partner.
    Message,
    /// The message joins the bytes that wait for the partner.
    Push,
    /// The line is a command, an answer, or a line for a room.
    Input,
    /// A line joins the log of a room.
    Publish,
    /// The disk gets the line, before any member can read it.
    Store,
    /// The socket of a reader is written to.
    Write,
}

/// Where a hop is in the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The number in the tour (`src/lib.rs`).
    pub number: u8,
    /// The file.
    pub file: &'static str,
    /// The function with its type.
    pub function: &'static str,
}

/// One hop of the last input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HopTaken {
    /// Which hop.
    pub hop: Hop,
    /// Bytes or lines, as [`Hop::unit`] tells.
    pub count: usize,
    /// The session concerned, if it is not the followed one.
    pub other: Option<SessionId>,
}

/// The way of the followed session's last input.
#[derive(Debug)]
pub struct Trace {
    who: SessionId,
    hops: Vec<HopTaken>,
    /// The followed input is being processed: what is published now follows from it.
    pub(super) is_live: bool,
    /// The input is a password: nothing is noted, because its length is a secret too.
    is_secret: bool,
}

impl Hop {
    /// All hops, in order.
    pub const ALL: [Hop; 12] = [
        Hop::Wake,
        Hop::Read,
        Hop::Receive,
        Hop::Hold,
        Hop::Route,
        Hop::Line,
        Hop::Message,
        Hop::Push,
        Hop::Input,
        Hop::Publish,
        Hop::Store,
        Hop::Write,
    ];

    /// Where the hop is in the source. A test looks each of them up.
    #[must_use]
    pub fn place(self) -> Place {
        let (number, file, function) = match self {
            Hop::Wake => (1, "src/server.rs", "Server::turn"),
            Hop::Read => (2, "src/server/connection.rs", "Connection::read"),
            Hop::Receive => (3, "src/core/exchange.rs", "Exchange::handle_received"),
            Hop::Hold => (3, "src/core/exchange/held_input.rs", "Endpoints::hold_input"),
            Hop::Route => (4, "src/core/chat.rs", "Chat::route"),
            Hop::Line => (5, "src/core/framing/line_reader.rs", "LineReader::next"),
            Hop::Message => (6, "src/core/chat/output.rs", "Route::message"),
            Hop::Push => (7, "src/core/buffers/outbox.rs", "Outbox::push"),
            Hop::Input => (6, "src/core/chat.rs", "Chat::handle_input"),
            Hop::Publish => (7, "src/core/exchange/broadcast.rs", "Endpoints::publish"),
            Hop::Store => (7, "src/server/history_store.rs", "HistoryStore::append"),
            Hop::Write => (8, "src/server/connection.rs", "Connection::write"),
        };
        Place { number, file, function }
    }

    /// What the count of this hop counts.
    #[must_use]
    pub fn unit(self) -> &'static str {
        match self {
            Hop::Wake => "events",
            Hop::Line | Hop::Message | Hop::Input => "lines",
            Hop::Route => "users",
            Hop::Read
            | Hop::Receive
            | Hop::Hold
            | Hop::Push
            | Hop::Publish
            | Hop::Store
            | Hop::Write => "bytes",
        }
    }
}

impl Trace {
    /// Nothing has come from `who` yet.
    pub(super) fn of(who: SessionId) -> Trace {
        Trace { who, hops: Vec::with_capacity(Hop::ALL.len()), is_live: false, is_secret: false }
    }

    /// Forgets the last input.
    pub(super) fn clear(&mut self, is_secret: bool) {
        self.hops.clear();
        self.is_secret = is_secret;
    }

    /// The hops so far, in order.
    #[must_use]
    pub fn hops(&self) -> &[HopTaken] {
        &self.hops
    }

    /// The followed session.
    #[must_use]
    pub fn who(&self) -> SessionId {
        self.who
    }

    /// Adds a hop. The lines of one read pass the same hops again and again: they are counted together.
    pub(super) fn add(&mut self, hop: Hop, count: usize, other: Option<SessionId>) {
        if self.is_secret {
            return;
        }
        if let Some(taken) = self.hops.iter_mut().find(|taken| taken.hop == hop) {
            taken.count += count;
            // The bytes of several readers belong to none of them.
            taken.other = taken.other.filter(|_| taken.other == other);
        } else {
            self.hops.push(HopTaken { hop, count, other });
        }
    }

    /// An output was stored, or written to `to`; noted if the followed input has caused it.
    pub(super) fn note_output(&mut self, hop: Hop, to: Option<SessionId>, bytes: usize) {
        let (hops, who) = (&self.hops, self.who);
        let is_caused = match to {
            None => hops.iter().any(|taken| taken.hop == Hop::Publish),
            // A message goes to one user, a line in a room to many, and a reply to its sender.
            Some(to) => hops.iter().any(|taken| match taken.hop {
                Hop::Push => taken.other == Some(to),
                Hop::Publish => true,
                Hop::Input => to == who,
                _ => false,
            }),
        };
        if is_caused && !hops.iter().any(|taken| taken.hop == hop && taken.hop != Hop::Write) {
            let other = to.filter(|&to| to != who);
            self.add(hop, bytes, other);
        }
    }
}
