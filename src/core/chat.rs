//! The chat: sessions, requests, chats of two, and rooms (`protocol.md`, parts 4 to 6 and 8).
//!
//! The chat is a state machine. `handle_*` methods take input and the current time;
//! [`Chat::poll_output`] returns what to do. `crate::core::exchange` calls both, and takes all
//! outputs before the next `handle_*` call. The chat knows no socket, clock, thread or I/O: the
//! same calls always give the same outputs, and a simulation can replay any run.

mod account_commands;
mod accounts;
mod address_limits;
mod answers;
mod command;
mod common_commands;
mod dispatch;
mod event;
mod follow;
mod glimpse;
mod history;
mod kept_history;
pub mod name;
mod name_index;
mod operator_actions;
mod output;
mod pairing;
mod rate_limit;
mod refusal_counts;
mod request_limits;
mod reserved_names;
mod room_commands;
mod rooms;
mod roster;
mod session;
mod sign_in;
mod status;
mod user_options;
mod wording;

pub use answers::AnswerPart;
pub use event::{DisconnectReason, Event, Removal, RequestEnd};
pub use follow::ListMessage;
pub use glimpse::SessionDeadline;
pub use history::{Record, UnixSeconds};
pub use kept_history::HistoryCursor;
pub use name::Name;
pub use output::{Audience, BroadcastId, ChatMessage, Output, Pace, Route};
pub use refusal_counts::{RefusalCounts, RefusalKind};
pub use rooms::RoomId;
pub use wording::{missed_lines, typing_is_visible};

use crate::core::framing::Input;
use crate::core::limits::Limits;
use crate::core::time::Time;
use crate::core::{Origin, SessionId};
use accounts::Accounts;
use address_limits::AddressLimits;
use answers::Answers;
use follow::Follows;
use operator_actions::PlannedStop;
use output::Outputs;
use request_limits::RequestLimits;
use roster::Roster;
use session::{Session, UserState};
use wording::{Line, News, Prompt, Refusal};

/// All sessions and rooms, and the outputs that wait to be taken.
#[derive(Debug)]
pub struct Chat {
    limits: Limits,
    roster: Roster,
    outputs: Outputs,
    /// What the wall clock showed, and when. Only room history shows dates (6.3.1).
    wall_clock: (Time, UnixSeconds),
    /// Where the web page is, or empty: a browser at the wrong port reads it (2.4.1).
    page: String,
    /// Where TLS is spoken, or empty: a TLS client at the wrong port could read it (2.4.1).
    tls: String,
    /// What everybody who connects reads below the welcome.
    notices: Vec<String>,
    /// Whether lines said in rooms are recorded for the history store ([`Output::Record`]).
    records_history: bool,
    /// A stop that an operator has announced, until it happens or is called off (8.2.6).
    planned_stop: Option<PlannedStop>,
    /// What each address has used of its allowances (7.51).
    address_limits: AddressLimits,
    /// What keeps requests from taking all of a user's time or memory (5.7).
    request_limits: RequestLimits,
    /// Which names are registered (3.4).
    accounts: Accounts,
    /// Answers whose readers have not read all rows (7.36).
    answers: Answers,
    /// Who is told of changes in the lists (5.8).
    follows: Follows,
}

impl Chat {
    /// Creates a chat without sessions.
    #[must_use]
    pub fn new(limits: Limits) -> Chat {
        Chat {
            address_limits: AddressLimits::new(&limits),
            request_limits: RequestLimits::new(&limits),
            accounts: Accounts::new(&limits),
            limits,
            roster: Roster::default(),
            outputs: Outputs::default(),
            wall_clock: (Time::START, 0),
            page: String::new(),
            tls: String::new(),
            notices: Vec::new(),
            records_history: false,
            planned_stop: None,
            answers: Answers::default(),
            follows: Follows::new(),
        }
    }

    /// Tells what the wall clock shows at `now`. Call it before the first input, and again from time
    /// to time: the clock can step. The history of rooms takes its dates from it (6.3.1).
    pub fn set_wall_clock(&mut self, now: Time, shown: UnixSeconds) {
        self.wall_clock = (now, shown);
    }

    /// From now on, each line said in a room also gives an [`Output::Record`] (6.3.3).
    pub fn start_recording(&mut self) {
        self.records_history = true;
    }

    /// Where the web page is, for browsers at the wrong port.
    pub fn set_page(&mut self, place: &str) {
        place.clone_into(&mut self.page);
    }

    /// What everybody who connects reads below the welcome; a line of the operator's program.
    pub fn add_notice(&mut self, text: &str) {
        self.notices.push(text.to_owned());
    }

    /// Where TLS is spoken, for TLS clients at the wrong port.
    pub fn set_tls(&mut self, place: &str) {
        place.clone_into(&mut self.tls);
    }

    /// A client has connected (4.1.1). `id` must not be in use. It stays in use until
    /// [`Chat::forget`]. `is_private` is whether nobody else can read the connection (3.4.5).
    pub fn handle_connect(&mut self, now: Time, id: SessionId, origin: Origin, is_private: bool) {
        self.assert_drained();
        self.roster.add(id, now.after_ms(self.limits.naming_ms), origin, is_private);
        self.say(id, Line::News(News::Welcome));
        for notice in &self.notices {
            self.outputs.say(id, &Line::News(News::Notice(notice)));
        }
        self.say_planned_stop(now, id);
        self.say(id, Line::Prompt(Prompt::Username));
    }

    /// A session has sent one unit of input. Input of a session that is over is dropped (4.9.1).
    ///
    /// Returns a message for the partner, if the input is one. The message is not in
    /// [`Chat::poll_output`], and no outputs come with it: there is nothing else to do.
    pub fn handle_input<'a>(
        &'a mut self,
        now: Time,
        id: SessionId,
        input: Input<'a>,
    ) -> Option<ChatMessage<'a>> {
        self.assert_drained();
        self.dispatch_input(now, id, input)
    }

    /// The connection of a session has ended, or the server is about to close it. The partner,
    /// asker or asked user and the members of the room read `why`.
    pub fn handle_disconnect(&mut self, now: Time, id: SessionId, why: DisconnectReason) {
        self.assert_drained();
        self.end_session(now, id, why);
    }

    /// The client of a session takes no data. Its partner is told, because lines to it wait (7.16).
    pub fn handle_stall(&mut self, id: SessionId) {
        self.assert_drained();
        if let Some(partner) = self.partner(id) {
            let name = &self.roster.user(id).name;
            self.outputs.say(partner, &Line::News(News::NotReading(name)));
        }
    }

    /// Whether any client has requests that it may not have read. A cheap question before
    /// [`Chat::handle_output_taken`].
    #[must_use]
    pub fn has_unread_requests(&self) -> bool {
        self.request_limits.has_unread()
    }

    /// The client of a session has taken all of its own output (5.7.4).
    pub fn handle_output_taken(&mut self, id: SessionId) {
        self.request_limits.forget_unread(id);
    }

    /// `lines` lines of a session were dropped, because the partner ended the chat before the
    /// server had processed them (4.1.5). Does nothing if the session is over.
    pub fn handle_undelivered(&mut self, id: SessionId, lines: usize) {
        self.assert_drained();
        if let Session::User(_) = self.roster.session(id) {
            self.say(id, Line::Refusal(Refusal::Undelivered { lines }));
        }
    }

    /// Fires every timer that is due at `now` (4.2.4, 4.5.3), and returns how many sessions it hit.
    /// Calling it early does nothing.
    pub fn handle_timeout(&mut self, now: Time) -> u64 {
        self.assert_drained();
        let mut fired = 0;
        // Each step removes the deadline it handles, and the loop therefore ends.
        while let Some(id) = self.roster.deadlines().due(now) {
            fired += 1;
            match self.roster.session(id) {
                Session::Naming { .. } | Session::SigningIn(_) => {
                    self.end_session(now, id, DisconnectReason::Nameless);
                }
                Session::User(_) => self.end_request(now, id, RequestEnd::Lapsed),
                Session::Over { .. } => unreachable!("ending a session removes its deadline"),
            }
        }
        self.roster.expire_rooms(now);
        self.follow_planned_stop(now);
        fired
    }

    /// The server stops now: every user is told, and every session ends (4.10.4).
    pub fn handle_stop(&mut self, now: Time) {
        self.assert_drained();
        self.planned_stop = None;
        self.end_all_sessions(now);
    }

    /// Removes a session that is over. Its id may be used again. The name stays available until
    /// then, for the log.
    pub fn forget(&mut self, id: SessionId) {
        self.request_limits.forget_unread(id);
        self.roster.remove(id);
    }

    /// Frees what tables keep of a larger crowd.
    pub fn release_memory(&mut self) {
        self.roster.release_memory();
        self.outputs.release_memory();
        self.answers.release_memory();
        self.follows.release_memory();
    }

    /// Takes the next output. Returns `None` when all have been taken.
    pub fn poll_output(&mut self) -> Option<Output<'_>> {
        self.outputs.poll()
    }

    /// When to call [`Chat::handle_timeout`] at the latest. `None` if nothing waits for time to
    /// pass: an idle server then sleeps without a timer.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Time> {
        let rooms = self.roster.rooms().next_deadline();
        let stop = self.planned_stop.as_ref().map(PlannedStop::next_due);
        let lists = self.follows.next_due();
        self.roster.deadlines().next().into_iter().chain(rooms).chain(stop).chain(lists).min()
    }

    /// The partner of a session that is in a chat. A connection without a session has none.
    #[must_use]
    pub fn partner(&self, id: SessionId) -> Option<SessionId> {
        match self.roster.find_session(id)? {
            Session::User(user) => match user.state {
                UserState::Chatting { partner } => Some(partner),
                UserState::Menu { .. }
                | UserState::Choosing
                | UserState::Asking { .. }
                | UserState::Asked { .. }
                | UserState::AskedInRoom { .. }
                | UserState::GivingPassword { .. }
                | UserState::InRoom { .. } => None,
            },
            Session::Naming { .. } | Session::SigningIn(_) | Session::Over { .. } => None,
        }
    }

    /// Whether no rate limit holds the input of a session in its state (5.7.2). ASKING and CHATTING
    /// have no line that a limit counts, and a held line would reach another state than its writer
    /// saw: a `cancel` would be said to a user who has accepted meanwhile.
    ///
    /// Only a line of the session itself leads to these states, or a `yes` to its request. No input is
    /// held then, and nobody needs to resume it.
    #[must_use]
    pub fn is_free_of_rate_limits(&self, id: SessionId) -> bool {
        match self.roster.session(id) {
            Session::User(user) => {
                matches!(user.state, UserState::Asking { .. } | UserState::Chatting { .. })
            }
            Session::Naming { .. } | Session::SigningIn(_) | Session::Over { .. } => false,
        }
    }

    /// Where the messages of a session go, if it is in a chat.
    ///
    /// A route is a shortcut for many lines at once. [`Route::message`] gives the same result as
    /// [`Chat::handle_input`] for each line, without finding the partner each time.
    #[must_use]
    pub fn route(&self, id: SessionId) -> Option<Route<'_>> {
        let to = self.partner(id)?;
        Some(Route { to, from: &self.roster.user(id).name })
    }

    /// Whether `id` is in use: by a session, or by one that is over and not forgotten.
    #[must_use]
    pub fn has_session(&self, id: SessionId) -> bool {
        self.roster.contains(id)
    }

    /// The username of a session. A session that is over keeps its name until [`Chat::forget`].
    #[must_use]
    pub fn name(&self, id: SessionId) -> Option<&Name> {
        self.roster.name_of(id)
    }

    /// The room that a session is in.
    #[must_use]
    pub fn room(&self, id: SessionId) -> Option<RoomId> {
        self.roster.room_of(id)
    }

    /// The name of a room; `None` if the room has been removed.
    #[must_use]
    pub fn room_name(&self, id: RoomId) -> Option<&Name> {
        self.roster.rooms().name(id)
    }

    /// The rooms with members whose names begin with `prefix`, in order of name, each with its
    /// number of members.
    pub fn rooms(&self, prefix: &str) -> impl Iterator<Item = (&Name, usize)> {
        self.roster.rooms().open(prefix).map(|room| (&room.name, room.member_count()))
    }

    /// The number of users: sessions with a username.
    #[must_use]
    pub fn user_count(&self) -> usize {
        self.roster.user_count()
    }

    /// Checks the invariants that span sessions, indexes and rooms. Takes O(sessions): for tests
    /// and the simulation.
    ///
    /// # Panics
    /// If an invariant does not hold, which is a bug.
    pub fn check(&self) {
        self.roster.check();
        self.check_accounts();
        self.check_followers();
    }

    /// Says a line. A line that borrows from `self.roster` goes to `self.outputs.say` directly,
    /// because this method would borrow all of `self` a second time.
    fn say(&mut self, to: SessionId, line: Line<'_>) {
        self.outputs.say(to, &line);
    }

    fn say_if_present(&mut self, to: SessionId, line: Line<'_>) {
        if !matches!(self.roster.session(to), Session::Over { .. }) {
            self.say(to, line);
        }
    }

    /// An output that is still queued would reach the exchange after later input. Checked in debug
    /// builds, and therefore in all tests and the simulation.
    fn assert_drained(&self) {
        debug_assert!(self.outputs.is_empty(), "take all outputs before the next `handle_*` call");
    }
}
