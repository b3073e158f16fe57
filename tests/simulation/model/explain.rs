//! How the model explains what the server said: it looks for an order in which all of it follows from
//! what happened and what was heard, one stimulus at a time, and takes back what does not fit.

use std::cmp::Reverse;
use std::collections::VecDeque;

use super::{GivingUp, Happening, Model, State};
use crate::spoken::{Expect, Heard, Observed, Who};

/// Bytes of answers that a user may leave unread before their input waits (5.11).
const REPLIES_MAX: usize = 8 * 1024;

/// Orders in which those who are served at once are tried.
const ORDERS_TRIED: usize = 24;

#[derive(Debug)]
enum Stimulus {
    Happening(Happening),
    Heard(Who, Heard),
}

impl Model {
    /// Explains all that was observed, or panics. Where several people are served at once, in any
    /// order that does.
    pub(crate) fn settle(&mut self, observed: Observed) {
        let mut speakers = self.speakers().collect::<Vec<_>>();
        // Whose waiting is over last is likely to be served first; any order will do that explains all.
        speakers.sort_by_key(|&who| Reverse((self.people[&who].slowed_until(), who)));
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
            self.undo_rooms = None;
            let given_up = self.given_up.len();
            let counted = (self.texts, self.chats, self.room_lines);
            self.giving_up = giving_up;
            self.happen(stimulus);
            if observed.take(&self.expected) {
                if self.is_traced {
                    eprintln!("{:>8} {stimulus:?} explains {:?}", self.now, self.expected);
                }
                let given_up = self.given_up[given_up..].iter().copied();
                let over = self.undo.iter().map(|&(who, _)| who).filter(|&who| !self.is_open(who));
                for who in given_up.chain(over).collect::<Vec<_>>() {
                    // An end among what is thrown away is still one, and comes at once.
                    let heard = self.heard.remove(&who).unwrap_or_default();
                    if heard.contains(&Heard::End) {
                        self.happenings.push_back(Happening::Gone(who));
                    }
                }
                return true;
            }
            let given_up_here = self.given_up.drain(given_up..).count();
            (self.texts, self.chats, self.room_lines) = counted;
            self.take_back_rooms();
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
            Stimulus::Happening(Happening::Gone(who)) => self.leave(*who, None),
            Stimulus::Happening(Happening::DeadlinePassed(who)) => self.deadline_passed(*who),
            Stimulus::Happening(Happening::Stalling(who)) => self.stalling(*who),
            Stimulus::Happening(Happening::Stopping) => self.stop_all(),
            Stimulus::Happening(Happening::Removed(who)) => {
                self.leave(*who, Some(Expect::Says('!', "An operator removed you".into())));
            }
            Stimulus::Happening(Happening::Announced) => self.tell_all("The operator says"),
        }
    }

    fn still_happens(&self, happening: Happening) -> bool {
        match happening {
            Happening::Arrived(_) | Happening::Stopping | Happening::Announced => true,
            Happening::Gone(who) | Happening::Removed(who) => self.is_open(who),
            Happening::DeadlinePassed(who) => {
                let deadline = self.people.get(&who).and_then(|person| person.deadline);
                deadline.is_some_and(|deadline| deadline <= self.now)
            }
            Happening::Stalling(who) => self.is_open(who) && self.stall_is_due(&self.people[&who]),
        }
    }

    /// Whether the input of `who` must be held now (5.10, 5.11, 4.4).
    fn must_wait(&self, who: Who, observed: &Observed) -> bool {
        let slowed = self.people[&who].slowed_until() > self.told;
        let partner_is_full = match self.state(who) {
            State::Chatting(with) => observed.backlog(with) > self.bounds.high_water,
            _ => false,
        };
        let ends = |heard: &Heard| matches!(heard, Heard::End | Heard::LastLine(_));
        let next = self.heard.get(&who).and_then(VecDeque::front);
        let stays = observed.is_present(who) && next.is_some_and(ends);
        slowed || partner_is_full || stays || observed.backlog(who) > REPLIES_MAX
    }

    /// Whether the input of `who` may be held now: between the marks, either is right.
    fn may_wait(&self, who: Who, observed: &Observed) -> bool {
        let slowed = self.people[&who].slowed_until() > self.told;
        let partner_is_behind = match self.state(who) {
            State::Chatting(with) => observed.waiting(with) > self.bounds.high_water / 4,
            _ => false,
        };
        slowed || partner_is_behind || observed.waiting(who) > REPLIES_MAX
    }
}
