//! What `protocol.md` says must happen, written from it and from nothing else.
//!
//! The model is told what happened to the connections and what the server was seen to say. It does
//! not foresee in which order the server gets round to people; it demands an order in which all
//! that was said follows from what was heard, and that nobody is left waiting without a reason.

mod manners;
pub(crate) mod names;
mod rules;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::spoken::{Expect, Heard, Observed, Who};
use names::Name;

/// Bytes of answers that a user may leave unread before their input waits (5.11).
const REPLIES_MAX: usize = 8 * 1024;

/// The bounds of the run; milliseconds and bytes.
#[derive(Debug, Clone)]
pub(crate) struct Bounds {
    pub(crate) naming_ms: u64,
    pub(crate) ask_ms: u64,
    pub(crate) ask_again_ms: u64,
    pub(crate) stall_ms: u64,
    pub(crate) high_water: usize,
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
    Over,
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
    asks: manners::Allowance,
    /// Since when nothing was taken, and whether the partner knows (5.14, 5.15).
    stall: Option<(u64, bool)>,
}

/// What happens without anybody saying something, and must have been acted on at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Happening {
    Arrived(Who),
    Failed(Who),
    DeadlinePassed(Who),
    Stalling(Who),
    Stopping,
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

#[derive(Debug)]
enum Stimulus {
    Happening(Happening),
    Heard(Who, Heard),
}

/// Orders in which those who are served at once are tried.
const ORDERS_TRIED: usize = 8;

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
    /// Held lines are given up so at the end of a chat in the attempt under way (3.1.5).
    giving_up: GivingUp,
    given_up: Vec<Who>,
    /// What follows from the stimulus that is being tried, and how to go back.
    expected: Vec<(Who, Expect)>,
    undo: Vec<(Who, Person)>,
    /// Texts that passed from one person to another.
    pub(crate) texts: u64,
    pub(crate) chats: u64,
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
            texts: 0,
            chats: 0,
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
            asks: manners::Allowance::default(),
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
        self.happenings.push_back(Happening::Failed(who));
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
    pub(crate) fn note_taken(&mut self, who: Who, left: usize) {
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

    /// Explains all that was observed, or panics. Where several people are served at once, in any
    /// order that does.
    pub(crate) fn settle(&mut self, observed: Observed) {
        let mut speakers = self.speakers().collect::<Vec<_>>();
        let orders = if speakers.len() < 2 || observed.is_empty() { 1 } else { ORDERS_TRIED };
        let mut first_failure = None;
        for n in 0..orders {
            let mut attempt = if n + 1 < orders { Some(self.clone()) } else { None };
            let model = attempt.as_mut().unwrap_or(self);
            match model.explain(observed.clone(), &speakers) {
                Ok(()) => {
                    attempt.into_iter().for_each(|attempt| *self = attempt);
                    return;
                }
                Err(failure) => drop(first_failure.get_or_insert(failure)),
            }
            // Backwards, then from each in turn.
            if n == 0 { speakers.reverse() } else { speakers.rotate_left(1) }
        }
        panic!("{}", first_failure.unwrap_or_default());
    }

    fn speakers(&self) -> impl Iterator<Item = Who> {
        self.heard.iter().filter(|(_, heard)| !heard.is_empty()).map(|(&who, _)| who)
    }

    /// Explains all that was observed, serving first who stands first in `order`.
    fn explain(&mut self, mut observed: Observed, order: &[Who]) -> Result<(), String> {
        while self.explain_happening(&mut observed) || self.explain_heard(&mut observed, order) {}
        if let Some((who, line)) = observed.rest() {
            let (person, heard) = (self.people.get(&who), self.heard.get(&who));
            let next = heard.and_then(VecDeque::front);
            let backlog = observed.backlog(who);
            return Err(format!(
                "nothing explains what {who} reads: {line:?}; {next:?} is next, {backlog} bytes \
                 wait; {person:?}"
            ));
        }
        if let Some(happening) = self.happenings.front() {
            return Err(format!("nothing came of {happening:?}: {:?} was expected", self.expected));
        }
        match self.speakers().find(|&who| !self.may_wait(who, &observed)) {
            Some(who) => {
                let (person, heard) = (&self.people[&who], &self.heard[&who][0]);
                Err(format!("{who} is not served: {heard:?} waits; {person:?}"))
            }
            None => Ok(()),
        }
    }

    /// Tries to explain the first lines by something that happened by itself.
    fn explain_happening(&mut self, observed: &mut Observed) -> bool {
        for n in 0..self.happenings.len() {
            let happening = self.happenings[n];
            if !self.still_happens(happening) {
                self.happenings.remove(n);
                return true;
            }
            if self.explains(&Stimulus::Happening(happening), observed) {
                self.happenings.remove(n);
                return true;
            }
        }
        false
    }

    /// Tries to explain the first lines by what somebody sent.
    fn explain_heard(&mut self, observed: &mut Observed, order: &[Who]) -> bool {
        for &who in order {
            let Some(heard) = self.heard.get(&who).and_then(VecDeque::front).cloned() else {
                continue;
            };
            if self.must_wait(who, observed) {
                continue;
            }
            if self.explains(&Stimulus::Heard(who, heard), observed) {
                if let Some(heard) = self.heard.get_mut(&who) {
                    heard.pop_front();
                }
                return true;
            }
        }
        false
    }

    /// Whether the first lines observed follow from `stimulus`; if so, it has happened.
    fn explains(&mut self, stimulus: &Stimulus, observed: &mut Observed) -> bool {
        // The end of a chat gives up what is held of the one left, if anything is.
        for giving_up in GivingUp::ALL {
            self.expected.clear();
            self.undo.clear();
            let given_up = self.given_up.len();
            let counted = (self.texts, self.chats);
            self.giving_up = giving_up;
            self.happen(stimulus);
            if observed.take(&self.expected) {
                if self.is_traced {
                    eprintln!("{:>8} {stimulus:?} explains {:?}", self.now, self.expected);
                }
                let given_up = self.given_up[given_up..].iter().copied();
                let over = self.undo.iter().map(|&(who, _)| who).filter(|&who| !self.is_open(who));
                for who in given_up.chain(over).collect::<Vec<_>>() {
                    let is_open = self.is_open(who);
                    if let Some(heard) = self.heard.get_mut(&who) {
                        // An end among what is thrown away is still one.
                        heard.retain(|heard| is_open && *heard == Heard::End);
                    }
                }
                return true;
            }
            let given_up_here = self.given_up.drain(given_up..).count();
            (self.texts, self.chats) = counted;
            for (who, person) in self.undo.drain(..).rev() {
                self.people.insert(who, person);
            }
            if given_up_here == 0 && giving_up == GivingUp::LinesAndPart {
                break;
            }
        }
        false
    }

    fn happen(&mut self, stimulus: &Stimulus) {
        match stimulus {
            Stimulus::Heard(who, heard) => self.act_on(*who, heard),
            Stimulus::Happening(Happening::Arrived(who)) => self.welcome(*who),
            Stimulus::Happening(Happening::Failed(who)) => self.leave(*who, None),
            Stimulus::Happening(Happening::DeadlinePassed(who)) => self.deadline_passed(*who),
            Stimulus::Happening(Happening::Stalling(who)) => self.stalling(*who),
            Stimulus::Happening(Happening::Stopping) => self.stop_all(),
        }
    }

    fn still_happens(&self, happening: Happening) -> bool {
        match happening {
            Happening::Arrived(_) | Happening::Stopping => true,
            Happening::Failed(who) => self.is_open(who),
            Happening::DeadlinePassed(who) => {
                let deadline = self.people.get(&who).and_then(|person| person.deadline);
                deadline.is_some_and(|deadline| deadline <= self.now)
            }
            Happening::Stalling(who) => self.is_open(who) && self.stall_is_due(&self.people[&who]),
        }
    }

    /// Whether the input of `who` must be held now (5.10, 5.11, 4.4).
    fn must_wait(&self, who: Who, observed: &Observed) -> bool {
        let slowed = self.people[&who].asks.slowed_until() > self.told;
        let partner_is_full = match self.state(who) {
            State::Chatting(with) => observed.backlog(with) > self.bounds.high_water,
            _ => false,
        };
        slowed || partner_is_full || observed.backlog(who) > REPLIES_MAX
    }

    /// Whether the input of `who` may be held now: between the marks, either is right.
    fn may_wait(&self, who: Who, observed: &Observed) -> bool {
        let slowed = self.people[&who].asks.slowed_until() > self.told;
        let partner_is_behind = match self.state(who) {
            State::Chatting(with) => observed.waiting(with) > self.bounds.high_water / 4,
            _ => false,
        };
        slowed || partner_is_behind || observed.waiting(who) > REPLIES_MAX
    }
}
