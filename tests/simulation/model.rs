//! The rules of `protocol.md` as a second implementation, written from the document alone.
//!
//! The model learns what happened to the connections and what the server sent. It cannot predict
//! the order in which the server serves its sessions. Instead it requires that some order explains
//! all output, and that no session waits without a reason.

mod accounts;
mod addresses;
mod answers;
mod explain;
pub(crate) mod names;
mod rooms;
mod rules;
mod user_limits;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::traffic::{Expected, Received, SessionKey};
use accounts::{Accounts, Question};
pub(crate) use accounts::{Answer, Task};
pub(crate) use addresses::Address;
use addresses::Addresses;
use names::Name;
pub(crate) use rooms::RoomId;
use rooms::Rooms;

/// The limits of the run, in milliseconds and bytes.
#[derive(Debug, Clone)]
pub(crate) struct ModelLimits {
    pub(crate) naming_ms: u64,
    pub(crate) ask_ms: u64,
    pub(crate) ask_again_ms: u64,
    pub(crate) stall_ms: u64,
    pub(crate) high_water: usize,
    /// Memory can be scarce in this run (7.58).
    pub(crate) is_scarce: bool,
    pub(crate) rooms_max: usize,
    pub(crate) members_max: usize,
    pub(crate) room_line_ms: u64,
    pub(crate) room_history_ms: u64,
    pub(crate) address_share: u32,
    pub(crate) rooms_per_address_max: usize,
    /// The server keeps accounts; every username must have one; passwords pass on every connection.
    pub(crate) keeps_accounts: bool,
    pub(crate) requires_accounts: bool,
    pub(crate) takes_passwords: bool,
}

/// The states of part 4, and the end of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Naming,
    SigningIn,
    Menu,
    Choosing,
    Asking(SessionKey),
    Asked(SessionKey),
    Chatting(SessionKey),
    InRoom(RoomId),
    AskedInRoom(SessionKey, RoomId),
    Password(Purpose, Step),
    Ended,
}

/// What a user gives a password for (4.12).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Register,
    Change,
    Unregister,
}

/// The password that the prompt asks for (4.12).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Current,
    New,
    Repeat,
}

impl State {
    pub(crate) fn room(self) -> Option<RoomId> {
        match self {
            State::InRoom(room) | State::AskedInRoom(_, room) => Some(room),
            _ => None,
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Session {
    pub(crate) state: State,
    pub(crate) name: Option<Name>,
    /// The account that a session signs in to (4.11).
    pub(crate) account: Option<Name>,
    /// Wrong passwords so far.
    wrong: u32,
    /// A new password, typed once.
    pub(crate) typed: Option<String>,
    /// What the store was asked. The session's further input waits.
    question: Option<Question>,
    /// The naming deadline, or the time when the request of this asker lapses.
    deadline: Option<u64>,
    /// A request to this user ended without an answer, and no line has come since (4.6.5).
    missed_request: bool,
    /// The request arrived at CHOOSING, and no line has come since (4.6.4).
    was_choosing: bool,
    pub(crate) busy: bool,
    /// This user follows the lists (5.8.1).
    pub(crate) follows: bool,
    ignored: BTreeSet<String>,
    /// Addresses whose requests this user does not take, each with the name that was ignored (5.6.2).
    shut_out: BTreeSet<(Address, String)>,
    address: Option<Address>,
    /// Until when the server must hold this user's input because of the address (7.52).
    address_until: u64,
    /// Usernames (case-folded) that this user may not ask until the given time (5.7.1).
    cooldowns: BTreeMap<String, u64>,
    request_limit: user_limits::RateLimit,
    /// Counts lines in rooms, and entering and leaving a room (6.2.3).
    room_line_limit: user_limits::RateLimit,
    /// This user does not read who joins and leaves (4.8.9).
    quiet: bool,
    /// This user may not enter a room before this time, because the partner has just ended a chat
    /// (6.1.1, 6.1.2, 6.1.3).
    no_room_until: u64,
    /// Since when the socket has taken no byte, and whether the partner has been told (7.16, 7.37, 7.17, 7.38).
    stall: Option<(u64, bool)>,
}

/// A cause other than input. The server must act on it in the same turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Event {
    Connected(SessionKey),
    /// The connection failed, or the server read its end of input.
    Disconnected(SessionKey),
    DeadlinePassed(SessionKey),
    StallDue(SessionKey),
    ServerStopped,
    /// An operator removed a user (8.2.2).
    Removed(SessionKey),
    /// An operator announced something to everybody (8.2.1).
    Announced,
    /// The store answered a question.
    Answered(u64, Answer),
    /// An operator changed or removed the account of a user (3.4.8).
    AccountChanged(SessionKey),
    AccountRemoved(SessionKey),
}

/// What was in the held input that the server discarded at the end of a chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Discard {
    /// Whole lines. The server tells the user how many.
    Lines,
    /// Whole lines and a part of one more, which counts too.
    LinesAndPartial,
    /// Nothing, or only telnet commands.
    TelnetOnly,
}

impl Discard {
    const ALL: [Discard; 3] = [Discard::LinesAndPartial, Discard::Lines, Discard::TelnetOnly];
}

#[derive(Debug, Clone)]
pub(crate) struct Model {
    is_traced: bool,
    limits: ModelLimits,
    now: u64,
    /// When the server last fired its timers.
    timers_run_at: u64,
    sessions: BTreeMap<SessionKey, Session>,
    received: BTreeMap<SessionKey, VecDeque<Received>>,
    events: VecDeque<Event>,
    /// The content of the held input, if the attempt ends a chat (4.1.5). An AYT in discarded input
    /// may stay unanswered.
    discard: Discard,
    discarded: Vec<SessionKey>,
    /// The output that the attempted cause must produce, and what restores the state if it does not
    /// fit.
    expected: Vec<(SessionKey, Expected)>,
    /// Lines in and behind answers that are in progress (7.36).
    to_come: BTreeMap<SessionKey, answers::ToCome>,
    /// How often the model has looked at the output.
    looks: u64,
    /// Sessions with an answer in progress now.
    still_answered: BTreeSet<SessionKey>,
    /// Sessions that did not get all rows of an answer.
    cut: Vec<SessionKey>,
    undo: Vec<(SessionKey, Session)>,
    undo_rooms: Option<(Rooms, usize)>,
    undo_addresses: Option<Addresses>,
    undo_accounts: Option<Accounts>,
    rooms: Rooms,
    addresses: Addresses,
    accounts: Accounts,
    /// Messages that passed between partners.
    pub(crate) messages: u64,
    pub(crate) chats: u64,
    /// Lines said in rooms.
    pub(crate) room_lines: u64,
    pub(crate) sign_ins: u64,
    pub(crate) take_overs: u64,
    pub(crate) registrations: u64,
}

impl Model {
    pub(crate) fn new(limits: ModelLimits, is_traced: bool) -> Model {
        Model {
            is_traced,
            limits,
            now: 0,
            timers_run_at: 0,
            sessions: BTreeMap::new(),
            received: BTreeMap::new(),
            events: VecDeque::new(),
            discard: Discard::TelnetOnly,
            discarded: Vec::new(),
            expected: Vec::new(),
            to_come: BTreeMap::new(),
            looks: 0,
            still_answered: BTreeSet::new(),
            cut: Vec::new(),
            undo: Vec::new(),
            undo_rooms: None,
            undo_addresses: None,
            undo_accounts: None,
            rooms: Rooms::default(),
            addresses: Addresses::default(),
            accounts: Accounts::default(),
            messages: 0,
            chats: 0,
            room_lines: 0,
            sign_ins: 0,
            take_overs: 0,
            registrations: 0,
        }
    }

    pub(crate) fn connect(&mut self, who: SessionKey, address: Option<Address>) {
        let session = Session {
            state: State::Naming,
            name: None,
            account: None,
            wrong: 0,
            typed: None,
            question: None,
            deadline: Some(self.now + self.limits.naming_ms),
            missed_request: false,
            was_choosing: false,
            busy: false,
            follows: false,
            ignored: BTreeSet::new(),
            shut_out: BTreeSet::new(),
            address,
            address_until: 0,
            cooldowns: BTreeMap::new(),
            request_limit: user_limits::RateLimit::for_requests(),
            room_line_limit: user_limits::RateLimit::for_room_lines(self.limits.room_line_ms),
            quiet: false,
            no_room_until: 0,
            stall: None,
        };
        assert!(
            self.sessions.insert(who, session).is_none(),
            "the simulation reused the key {who} too early"
        );
        self.events.push_back(Event::Connected(who));
    }

    pub(crate) fn receive(&mut self, who: SessionKey, received: Received) {
        if self.is_open(who) {
            self.received.entry(who).or_default().push_back(received);
        }
    }

    pub(crate) fn disconnect(&mut self, who: SessionKey) {
        self.events.push_back(Event::Disconnected(who));
    }

    pub(crate) fn operator_removes(&mut self, who: SessionKey) {
        self.events.push_back(Event::Removed(who));
    }

    pub(crate) fn operator_announces(&mut self) {
        self.events.push_back(Event::Announced);
    }

    pub(crate) fn stop(&mut self) {
        self.events.push_back(Event::ServerStopped);
    }

    pub(crate) fn forget(&mut self, who: SessionKey) {
        let session = self.sessions.remove(&who);
        self.all_taken(who);
        self.to_come.remove(&who);
        assert!(
            session.is_some_and(|session| session.state == State::Ended),
            "the session of {who} has not ended"
        );
    }

    /// Sets the clock. No timer fires yet.
    pub(crate) fn set_time(&mut self, now: u64) {
        self.now = now;
    }

    /// Fires every timer that is due.
    pub(crate) fn fire_timers(&mut self) {
        self.timers_run_at = self.now;
        self.expire_rooms();
        let (now, open) = (self.now, |session: &Session| session.state != State::Ended);
        let due = self.sessions.iter().filter(|(_, session)| open(session));
        for (&who, session) in due.clone() {
            if session.deadline.is_some_and(|deadline| deadline <= now) {
                self.events.push_back(Event::DeadlinePassed(who));
            }
        }
        for (&who, session) in due {
            if self.stall_is_due(session) {
                self.events.push_back(Event::StallDue(who));
            }
        }
    }

    /// The socket of `who` took bytes; `left` bytes still wait.
    pub(crate) fn record_sent(&mut self, who: SessionKey, left: usize) {
        let now = self.now;
        let stall = &mut self.sessions.get_mut(&who).expect("the session exists").stall;
        *stall = stall.filter(|_| left > 0).map(|(_, told)| (now, told));
    }

    /// The socket of `who` is full.
    pub(crate) fn note_blocked(&mut self, who: SessionKey) {
        let now = self.now;
        self.sessions.get_mut(&who).expect("the session exists").stall.get_or_insert((now, false));
    }

    /// The latest time at which the server must fire its timers next.
    pub(crate) fn next_deadline(&self) -> Option<u64> {
        let open = self.sessions.values().filter(|session| session.state != State::Ended);
        open.filter_map(|session| {
            let stall = session.stall.map(|(since, told)| {
                since + if told { self.limits.stall_ms } else { self.first_stall_ms() }
            });
            session.deadline.into_iter().chain(stall).min()
        })
        .chain(self.next_expiry())
        .min()
    }

    pub(crate) fn state(&self, who: SessionKey) -> State {
        self.sessions.get(&who).map_or(State::Ended, |session| session.state)
    }

    pub(crate) fn is_open(&self, who: SessionKey) -> bool {
        self.state(who) != State::Ended
    }

    pub(crate) fn sessions(&self) -> impl Iterator<Item = (SessionKey, &Session)> {
        self.sessions.iter().map(|(&who, session)| (who, session))
    }

    /// Whether the next line of `who` is a password, or the store works on the last one.
    pub(crate) fn is_giving_password(&self, who: SessionKey) -> bool {
        matches!(self.state(who), State::SigningIn | State::Password(..))
    }

    /// Sessions whose held input was discarded since the last call.
    pub(crate) fn take_discarded(&mut self) -> Vec<SessionKey> {
        std::mem::take(&mut self.discarded)
    }

    /// How many inputs of `who` are not yet explained.
    pub(crate) fn held_count(&self, who: SessionKey) -> usize {
        self.received.get(&who).map_or(0, VecDeque::len)
    }

    /// Whether no event and no input is left to explain.
    pub(crate) fn is_idle(&self) -> bool {
        self.events.is_empty() && self.received.values().all(VecDeque::is_empty)
    }
}
