//! What `protocol.md` says must happen, written from it and from nothing else.
//!
//! The model is told what happened to the connections and what the server was seen to say. It does
//! not foresee in which order the server gets round to people; it demands an order in which all
//! that was said follows from what was heard, and that nobody is left waiting without a reason.

mod explain;
mod manners;
pub(crate) mod names;
mod rooms;
mod rules;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::spoken::{Expect, Heard, Who};
use names::Name;
pub(crate) use rooms::RoomNo;
use rooms::Rooms;

/// The bounds of the run; milliseconds and bytes.
#[derive(Debug, Clone)]
pub(crate) struct Bounds {
    pub(crate) naming_ms: u64,
    pub(crate) ask_ms: u64,
    pub(crate) ask_again_ms: u64,
    pub(crate) stall_ms: u64,
    pub(crate) high_water: usize,
    pub(crate) rooms_max: usize,
    pub(crate) members_max: usize,
    pub(crate) room_line_ms: u64,
    pub(crate) room_history_ms: u64,
}

/// The states of part 3, and the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Naming,
    Menu,
    Choosing,
    Asking(Who),
    Asked(Who),
    Chatting(Who),
    InRoom(RoomNo),
    AskedInRoom(Who, RoomNo),
    Over,
}

impl State {
    pub(crate) fn room(self) -> Option<RoomNo> {
        match self {
            State::InRoom(room) | State::AskedInRoom(_, room) => Some(room),
            _ => None,
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) state: State,
    pub(crate) name: Option<Name>,
    /// When the name must have been given, or the request of this asker lapses.
    deadline: Option<u64>,
    /// A request ended unanswered, and no line has come since (3.6.5).
    missed_request: bool,
    /// The request came at CHOOSING, and no line has come since (3.5.3).
    was_choosing: bool,
    pub(crate) busy: bool,
    ignored: BTreeSet<String>,
    /// Whom this user may not ask before when (4.3).
    cooling: BTreeMap<String, u64>,
    asks: manners::RateLimit,
    /// Of lines in rooms, comings and goings included (6.10).
    lines: manners::RateLimit,
    /// Does not read who joins and leaves (6.11).
    quiet: bool,
    /// Enters no room before then, since the other has ended a chat (6.1).
    no_room_until: u64,
    /// Since when nothing was taken, and whether the partner knows (5.14, 5.15).
    stall: Option<(u64, bool)>,
}

/// What happens without anybody saying something, and must have been acted on at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Happening {
    Arrived(Who),
    /// The connection has failed, or its end was met.
    Gone(Who),
    DeadlinePassed(Who),
    Stalling(Who),
    Stopping,
    /// An operator put somebody out (7.7).
    Removed(Who),
    /// An operator said something to everybody (7.6).
    Announced,
}

/// What becomes of the held input of somebody whose chat has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum GivingUp {
    /// There were lines, and their writer is told how many.
    Lines,
    /// There was part of one more, which counts too.
    LinesAndPart,
    /// There was nothing, or nothing but telnet.
    Telnet,
}

impl GivingUp {
    const ALL: [GivingUp; 3] = [GivingUp::LinesAndPart, GivingUp::Lines, GivingUp::Telnet];
}

#[derive(Debug, Clone)]
pub(crate) struct Model {
    is_traced: bool,
    bounds: Bounds,
    now: u64,
    /// When the server was last told the time.
    told: u64,
    people: BTreeMap<Who, Person>,
    heard: BTreeMap<Who, VecDeque<Heard>>,
    happenings: VecDeque<Happening>,
    /// How held input is given up, if the attempt under way ends a chat (3.1.5). That an AYT in it is
    /// not answered is let pass.
    giving_up: GivingUp,
    given_up: Vec<Who>,
    /// What follows from the stimulus that is being tried, and how to go back.
    expected: Vec<(Who, Expect)>,
    undo: Vec<(Who, Person)>,
    undo_rooms: Option<(Rooms, usize)>,
    rooms: Rooms,
    /// Texts that passed from one person to another.
    pub(crate) texts: u64,
    pub(crate) chats: u64,
    /// Lines said in rooms.
    pub(crate) room_lines: u64,
}

impl Model {
    pub(crate) fn new(bounds: Bounds, is_traced: bool) -> Model {
        Model {
            is_traced,
            bounds,
            now: 0,
            told: 0,
            people: BTreeMap::new(),
            heard: BTreeMap::new(),
            happenings: VecDeque::new(),
            giving_up: GivingUp::Telnet,
            given_up: Vec::new(),
            expected: Vec::new(),
            undo: Vec::new(),
            undo_rooms: None,
            rooms: Rooms::default(),
            texts: 0,
            chats: 0,
            room_lines: 0,
        }
    }

    pub(crate) fn arrive(&mut self, who: Who) {
        let person = Person {
            state: State::Naming,
            name: None,
            deadline: Some(self.now + self.bounds.naming_ms),
            missed_request: false,
            was_choosing: false,
            busy: false,
            ignored: BTreeSet::new(),
            cooling: BTreeMap::new(),
            asks: manners::RateLimit::of_asks(),
            lines: manners::RateLimit::of_lines(self.bounds.room_line_ms),
            quiet: false,
            no_room_until: 0,
            stall: None,
        };
        assert!(self.people.insert(who, person).is_none(), "the simulation reused {who} too early");
        self.happenings.push_back(Happening::Arrived(who));
    }

    pub(crate) fn hear(&mut self, who: Who, heard: Heard) {
        if self.is_open(who) {
            self.heard.entry(who).or_default().push_back(heard);
        }
    }

    pub(crate) fn fail(&mut self, who: Who) {
        self.happenings.push_back(Happening::Gone(who));
    }

    pub(crate) fn order_removal(&mut self, who: Who) {
        self.happenings.push_back(Happening::Removed(who));
    }

    pub(crate) fn order_announcement(&mut self) {
        self.happenings.push_back(Happening::Announced);
    }

    pub(crate) fn stop(&mut self) {
        self.happenings.push_back(Happening::Stopping);
    }

    pub(crate) fn forget(&mut self, who: Who) {
        let person = self.people.remove(&who);
        assert!(person.is_some_and(|person| person.state == State::Over), "{who} is not over");
    }

    /// The clock moved; nothing has come of it yet.
    pub(crate) fn set_time(&mut self, now: u64) {
        self.now = now;
    }

    /// Whatever was to happen by now happens.
    pub(crate) fn pass_time(&mut self) {
        self.told = self.now;
        self.expire_rooms();
        let (now, open) = (self.now, |person: &Person| person.state != State::Over);
        let due = self.people.iter().filter(|(_, person)| open(person));
        for (&who, person) in due.clone() {
            if person.deadline.is_some_and(|deadline| deadline <= now) {
                self.happenings.push_back(Happening::DeadlinePassed(who));
            }
        }
        for (&who, person) in due {
            if self.stall_is_due(person) {
                self.happenings.push_back(Happening::Stalling(who));
            }
        }
    }

    /// The socket of `who` took bytes, and `left` wait.
    pub(crate) fn record_sent(&mut self, who: Who, left: usize) {
        let now = self.now;
        let stall = &mut self.people.get_mut(&who).expect("somebody here").stall;
        *stall = stall.filter(|_| left > 0).map(|(_, told)| (now, told));
    }

    /// The socket of `who` takes nothing.
    pub(crate) fn note_full(&mut self, who: Who) {
        let now = self.now;
        self.people.get_mut(&who).expect("somebody here").stall.get_or_insert((now, false));
    }

    /// By when, at the latest, the server must have been told the time.
    pub(crate) fn next_deadline(&self) -> Option<u64> {
        let open = self.people.values().filter(|person| person.state != State::Over);
        open.filter_map(|person| {
            let stall = person.stall.map(|(since, told)| {
                since + if told { self.bounds.stall_ms } else { self.first_stall_ms() }
            });
            person.deadline.into_iter().chain(stall).min()
        })
        .chain(self.next_expiry())
        .min()
    }

    pub(crate) fn state(&self, who: Who) -> State {
        self.people.get(&who).map_or(State::Over, |person| person.state)
    }

    pub(crate) fn is_open(&self, who: Who) -> bool {
        self.state(who) != State::Over
    }

    pub(crate) fn people(&self) -> impl Iterator<Item = (Who, &Person)> {
        self.people.iter().map(|(&who, person)| (who, person))
    }

    /// Those whose held lines were thrown away since this was last asked.
    pub(crate) fn take_given_up(&mut self) -> Vec<Who> {
        std::mem::take(&mut self.given_up)
    }

    /// How many things `who` sent that have not been acted on.
    pub(crate) fn held(&self, who: Who) -> usize {
        self.heard.get(&who).map_or(0, VecDeque::len)
    }

    /// Whether nothing happened, and nothing is held, that must still be acted on.
    pub(crate) fn is_idle(&self) -> bool {
        self.happenings.is_empty() && self.heard.values().all(VecDeque::is_empty)
    }
}
