//! The chat: who is here, who talks with whom, and what everyone is told; `protocol.md` 3 and 4.
//!
//! A state machine and nothing else: no socket, clock, thread or I/O. Arrivals, input, departures
//! and time go in through the `handle_*` methods, each with the time it is; what is to be done
//! comes out of [`Chat::poll_output`], and is to be taken before the next `handle_*`. The same
//! calls give the same outputs, always.

mod command;
mod common_commands;
mod dispatch;
mod event;
mod history;
pub mod name;
mod operator_actions;
mod output;
mod pairing;
mod refusal_counts;
mod room_commands;
mod rooms;
mod roster;
mod session;
mod status;
mod user_options;
mod wording;

pub use event::{DisconnectReason, Event, Removal, RequestEnd};
pub use history::{Record, UnixSeconds};
pub use name::Name;
pub use output::{Audience, BroadcastId, ChatMessage, Output, Route};
pub use refusal_counts::{RefusalCounts, RefusalKind};
pub use rooms::RoomId;
pub use wording::missed_lines;

use crate::core::SessionId;
use crate::core::framing::Input;
use crate::core::limits::Limits;
use crate::core::time::Time;
use operator_actions::PlannedStop;
use output::Outputs;
use roster::Roster;
use session::{Session, UserState};
use wording::{Line, News, Prompt, Refusal};

/// Everybody here, and what they are doing.
#[derive(Debug)]
pub struct Chat {
    limits: Limits,
    roster: Roster,
    outputs: Outputs,
    /// When this was [`Time::START`].
    started_at: UnixSeconds,
    /// What is said in rooms is to be written down ([`Output::Record`]).
    records: bool,
    /// An operator stops the server, but not yet.
    planned_stop: Option<PlannedStop>,
}

impl Chat {
    /// An empty chat.
    #[must_use]
    pub fn new(limits: Limits) -> Chat {
        Chat {
            limits,
            roster: Roster::default(),
            outputs: Outputs::default(),
            started_at: 0,
            records: false,
            planned_stop: None,
        }
    }

    /// Says what the time of day is at [`Time::START`], for the past of rooms (6.8).
    pub fn set_start(&mut self, started_at: UnixSeconds) {
        self.started_at = started_at;
    }

    /// From now on what is said in rooms is to be written down (6.14).
    pub fn start_recording(&mut self) {
        self.records = true;
    }

    /// Somebody has connected (3.1.1). `id` must not be in use, until it is forgotten.
    pub fn handle_connect(&mut self, now: Time, id: SessionId) {
        self.assert_drained();
        self.roster.add(id, now.after_ms(self.limits.naming_ms));
        self.say(id, Line::News(News::Welcome));
        self.say_planned_stop(now, id);
        self.say(id, Line::Prompt(Prompt::Username));
    }

    /// A session sent something; if it is over, that is thrown away (3.8.1). Returned is what is to
    /// be said to a partner.
    pub fn handle_input<'a>(
        &'a mut self,
        now: Time,
        id: SessionId,
        input: Input<'a>,
    ) -> Option<ChatMessage<'a>> {
        self.assert_drained();
        self.take_input(now, id, input)
    }

    /// The connection of a session has ended, or is to end. `why` is told to whom it concerns.
    pub fn handle_disconnect(&mut self, now: Time, id: SessionId, why: DisconnectReason) {
        self.assert_drained();
        self.leave(now, id, why);
    }

    /// A session takes nothing of what is said to it; its partner is told (5.14).
    pub fn handle_stall(&mut self, id: SessionId) {
        self.assert_drained();
        if let Some(partner) = self.partner(id) {
            let name = &self.roster.user(id).name;
            self.outputs.say(partner, &Line::News(News::NotReading(name)));
        }
    }

    /// Lines that a session sent to its partner could not be delivered before the chat ended
    /// (3.1.5).
    pub fn handle_undelivered(&mut self, id: SessionId, lines: usize) {
        self.assert_drained();
        if let Session::User(_) = self.roster.session(id) {
            self.say(id, Line::Refusal(Refusal::Undelivered { lines }));
        }
    }

    /// It is `now`: whatever was to happen by then happens (3.3.3, 3.6.4).
    pub fn handle_timeout(&mut self, now: Time) {
        self.assert_drained();
        while let Some(id) = self.roster.deadlines().due(now) {
            match self.roster.session(id) {
                Session::Naming { .. } => self.leave(now, id, DisconnectReason::Nameless),
                Session::User(_) => self.end_ask(now, id, RequestEnd::Lapsed),
                Session::Over { .. } => unreachable!("what is over has no deadline"),
            }
        }
        self.roster.expire_rooms(now);
        self.follow_planned_stop(now);
    }

    /// The server stops: everybody is told, and every session is over (3.9.3).
    pub fn handle_stop(&mut self, now: Time) {
        self.assert_drained();
        self.planned_stop = None;
        self.leave_all(now);
    }

    /// A session that is over will not be spoken of any more; its id is free.
    pub fn forget(&mut self, id: SessionId) {
        self.roster.forget(id);
    }

    /// The next thing to do; `None` when there is none.
    pub fn poll_output(&mut self) -> Option<Output<'_>> {
        self.outputs.poll()
    }

    /// When [`Chat::handle_timeout`] is to be called, unless something happens before.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Time> {
        let rooms = self.roster.rooms().next_deadline();
        let stop = self.planned_stop.as_ref().map(PlannedStop::next);
        self.roster.deadlines().next().into_iter().chain(rooms).chain(stop).min()
    }

    /// With whom a session is chatting.
    #[must_use]
    pub fn partner(&self, id: SessionId) -> Option<SessionId> {
        match self.roster.session(id) {
            Session::User(user) => match user.phase {
                UserState::Chatting { with } => Some(with),
                UserState::Menu { .. }
                | UserState::Choosing
                | UserState::Asking { .. }
                | UserState::Asked { .. }
                | UserState::AskedInRoom { .. }
                | UserState::InRoom { .. } => None,
            },
            Session::Naming { .. } | Session::Over { .. } => None,
        }
    }

    /// Where what a session says goes, while it is chatting. To ask once for many lines, and relay
    /// them by [`Route::relay`], is to call [`Chat::handle_input`] with each, but for the cost.
    #[must_use]
    pub fn route(&self, id: SessionId) -> Option<Route<'_>> {
        let to = self.partner(id)?;
        Some(Route { to, from: &self.roster.user(id).name })
    }

    /// The username of a session, also when it is over and not yet forgotten.
    #[must_use]
    pub fn name(&self, id: SessionId) -> Option<&Name> {
        self.roster.name_of(id)
    }

    /// The room that a user is in.
    #[must_use]
    pub fn room(&self, id: SessionId) -> Option<RoomId> {
        match self.roster.session(id) {
            Session::User(user) => user.phase.room(),
            Session::Naming { .. } | Session::Over { .. } => None,
        }
    }

    /// The name of a room, unless it has been forgotten.
    #[must_use]
    pub fn room_name(&self, id: RoomId) -> Option<&Name> {
        self.roster.rooms().name(id)
    }

    /// The rooms that have members and whose names begin so, in order of name, and how many each has.
    pub fn rooms(&self, prefix: &str) -> impl Iterator<Item = (&Name, usize)> {
        self.roster.rooms().open(prefix).map(|room| (&room.name, room.member_count()))
    }

    /// How many users are here.
    #[must_use]
    pub fn user_count(&self) -> usize {
        self.roster.user_count()
    }

    /// States what always holds between sessions: partners agree, every asker has an asked, names
    /// are unique, nobody waits without a deadline. Costs a walk over everybody.
    ///
    /// # Panics
    /// If it does not hold, which is a bug.
    pub fn check(&self) {
        self.roster.check();
    }

    fn say(&mut self, to: SessionId, line: Line<'_>) {
        self.outputs.say(to, &line);
    }

    fn say_if_present(&mut self, to: SessionId, line: Line<'_>) {
        if !matches!(self.roster.session(to), Session::Over { .. }) {
            self.say(to, line);
        }
    }

    fn assert_drained(&self) {
        debug_assert!(self.outputs.is_empty(), "take all outputs before the next call");
    }
}
