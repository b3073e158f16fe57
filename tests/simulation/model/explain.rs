//! Explains the server's output. The search tries one cause at a time, compares the output that the
//! rules predict with the output observed, and rolls back causes that do not fit.

use std::cmp::Reverse;
use std::collections::VecDeque;

use super::{Discard, Event, Model, State};
use crate::traffic::{Expected, Observed, Received, SessionKey};

/// Unread bytes that a user may have in the outbox before the server holds their input (7.9, 7.36).
const REPLIES_MAX: usize = 8 * 1024;

/// How many orders to try in which the sessions are served.
const ORDERS_MAX: usize = 24;

#[derive(Debug)]
enum Cause {
    Event(Event),
    Received(SessionKey, Received),
}

impl Model {
    /// Explains everything observed, or panics. If several sessions have input, tries several
    /// orders in which the server may have served them.
    pub(crate) fn explain_all(&mut self, observed: Observed, is_settled: bool) {
        self.looks += 1;
        let mut with_input = self.with_input().collect::<Vec<_>>();
        // The server most likely serves the session first whose delay ended last. That order is
        // only a guess: any order that explains everything is accepted.
        with_input.sort_by_key(|&who| Reverse((self.sessions[&who].delayed_until(), who)));
        let orders = if with_input.len() < 2 || observed.is_empty() { 1 } else { ORDERS_MAX };
        let mut first_failure = None;
        for n in 0..orders {
            let mut attempt = if n + 1 < orders { Some(self.clone()) } else { None };
            let model = attempt.as_mut().unwrap_or(self);
            match model.explain(observed.clone(), &with_input, is_settled) {
                Ok(()) => {
                    attempt.into_iter().for_each(|attempt| *self = attempt);
                    return;
                }
                Err(failure) => drop(first_failure.get_or_insert(failure)),
            }
            // Next the reverse order, then its rotations.
            if n == 0 { with_input.reverse() } else { with_input.rotate_left(1) }
        }
        panic!("{}", first_failure.unwrap_or_default());
    }

    fn with_input(&self) -> impl Iterator<Item = SessionKey> {
        self.received.iter().filter(|(_, received)| !received.is_empty()).map(|(&who, _)| who)
    }

    /// Explains everything observed. Of several sessions with input, tries those first in `order`
    /// first.
    fn explain(
        &mut self,
        mut observed: Observed,
        order: &[SessionKey],
        is_settled: bool,
    ) -> Result<(), String> {
        self.explain_answers(&mut observed)?;
        while self.explain_by_event(&mut observed) || self.explain_by_input(&mut observed, order) {}
        if let Some((who, line)) = observed.first_unexplained() {
            let (session, received) = (self.sessions.get(&who), self.received.get(&who));
            let next = received.and_then(VecDeque::front);
            let backlog = observed.backlog(who);
            return Err(format!(
                "nothing explains what {who} reads: {line:?}; next input: {next:?}; {backlog} \
                 bytes wait; {session:?}"
            ));
        }
        self.check_answers(&observed)?;
        if let Some(event) = self.events.front() {
            return Err(format!("no output for {event:?}: expected {:?}", self.expected));
        }
        match self.with_input().find(|&who| is_settled && !self.may_wait(who, &observed)) {
            Some(who) => {
                let (session, received) = (&self.sessions[&who], &self.received[&who][0]);
                Err(format!("{who} is not served: {received:?} waits; {session:?}"))
            }
            None => Ok(()),
        }
    }

    /// Tries to explain the first lines with an event.
    fn explain_by_event(&mut self, observed: &mut Observed) -> bool {
        for n in 0..self.events.len() {
            let event = self.events[n];
            if !self.still_applies(event) {
                self.events.remove(n);
                return true;
            }
            if self.explains(&Cause::Event(event), observed).is_some() {
                self.events.remove(n);
                return true;
            }
        }
        false
    }

    /// Tries to explain the first lines with the next input of some session.
    fn explain_by_input(&mut self, observed: &mut Observed, order: &[SessionKey]) -> bool {
        for &who in order {
            // Messages that wait behind an answer to their reader cannot be seen. They were sent if
            // something shows that a later input was processed.
            let mut before = None;
            loop {
                let next = self.received.get(&who).and_then(VecDeque::front).cloned();
                let next = next.filter(|_| !self.must_wait(who, observed));
                let Some(received) = next else { break };
                let may_be_unseen = before.is_none() && !self.to_come.is_empty();
                let unchanged = may_be_unseen.then(|| self.clone());
                let state = self.state(who);
                let is_seen = self.explains(&Cause::Received(who, received), observed);
                let Some(is_seen) = is_seen else { break };
                let ends_later = self.is_question_open(who);
                if let Some(inputs) = self.received.get_mut(&who) {
                    let input = inputs.pop_front();
                    // The last line was a password: the end of input waits for the answer.
                    if let (true, Some(Received::LastLine(_))) = (ends_later, input) {
                        inputs.push_front(Received::End);
                    }
                }
                if is_seen || self.state(who) != state {
                    return true;
                }
                before = before.or(unchanged);
            }
            before.into_iter().for_each(|before| *self = before);
        }
        false
    }

    /// Whether the first lines observed follow from `cause`. If they do, the model keeps the effect.
    /// Returns `None` if they do not, or else whether anything shows that the cause has taken place.
    fn explains(&mut self, cause: &Cause, observed: &mut Observed) -> Option<bool> {
        // The end of a chat discards the partner's held input. What it contained is not known, so
        // try each.
        for discard in Discard::ALL {
            self.expected.clear();
            self.undo.clear();
            self.undo_rooms = None;
            self.undo_addresses = None;
            self.undo_accounts = None;
            let discarded = self.discarded.len();
            let counters = (self.messages, self.chats, self.room_lines);
            let signed_in = (self.sign_ins, self.take_overs, self.registrations);
            self.discard = discard;
            self.apply_cause(cause);
            let taken = observed.take(&self.expected, |who| self.waits_for_answer(who));
            if let Some(taken) = taken {
                self.will_come(taken.to_come);
                if self.is_traced {
                    eprintln!("{:>8} {cause:?} explains {:?}", self.now, self.expected);
                }
                let discarded = self.discarded[discarded..].iter().copied();
                let ended = self.undo.iter().map(|&(who, _)| who).filter(|&who| !self.is_open(who));
                for who in discarded.chain(ended).collect::<Vec<_>>() {
                    // An end of input in the discarded bytes still counts, and takes effect at
                    // once.
                    let received = self.received.remove(&who).unwrap_or_default();
                    if received.contains(&Received::End) {
                        self.events.push_back(Event::Disconnected(who));
                    }
                }
                return Some(taken.is_seen);
            }
            let discarded_here = self.discarded.drain(discarded..).count();
            (self.messages, self.chats, self.room_lines) = counters;
            (self.sign_ins, self.take_overs, self.registrations) = signed_in;
            self.roll_back_rooms();
            self.roll_back_addresses();
            self.roll_back_accounts();
            for (who, session) in self.undo.drain(..).rev() {
                self.sessions.insert(who, session);
            }
            if discarded_here == 0 && discard == Discard::LinesAndPartial {
                break;
            }
        }
        None
    }

    fn apply_cause(&mut self, cause: &Cause) {
        match cause {
            Cause::Received(who, received) => self.handle_input(*who, received),
            Cause::Event(Event::Connected(who)) => self.welcome(*who),
            Cause::Event(Event::Disconnected(who)) => self.leave(*who, None),
            Cause::Event(Event::DeadlinePassed(who)) => self.handle_deadline(*who),
            Cause::Event(Event::StallDue(who)) => self.handle_stall(*who),
            Cause::Event(Event::ServerStopped) => self.stop_all(),
            Cause::Event(Event::Removed(who)) => {
                self.leave(*who, Some(Expected::Containing('!', "An operator removed you".into())));
            }
            Cause::Event(Event::Announced) => self.announce_to_all("The operator says"),
            Cause::Event(Event::Answered(number, answer)) => self.handle_answer(*number, *answer),
            Cause::Event(Event::AccountChanged(who)) => {
                self.leave(*who, Some(Expected::Containing('!', "sign in again".into())));
            }
            Cause::Event(Event::AccountRemoved(who)) => self.handle_account_removed(*who),
        }
    }

    fn still_applies(&self, event: Event) -> bool {
        match event {
            Event::Connected(_) | Event::ServerStopped | Event::Announced | Event::Answered(..) => {
                true
            }
            Event::Disconnected(who)
            | Event::Removed(who)
            | Event::AccountChanged(who)
            | Event::AccountRemoved(who) => self.is_open(who),
            Event::DeadlinePassed(who) => {
                let deadline = self.sessions.get(&who).and_then(|session| session.deadline);
                deadline.is_some_and(|deadline| deadline <= self.now)
            }
            Event::StallDue(who) => self.is_open(who) && self.stall_is_due(&self.sessions[&who]),
        }
    }

    /// Whether the server must hold the input of `who` now (7.7, 7.8, 7.35, 7.9, 7.36, 5.7.2).
    fn must_wait(&self, who: SessionKey, observed: &Observed) -> bool {
        let delayed = self.sessions[&who].delayed_until() > self.timers_run_at;
        let partner_is_full = match self.state(who) {
            State::Chatting(with) => observed.backlog(with) > self.limits.high_water,
            _ => false,
        };
        let ends = |received: &Received| matches!(received, Received::End | Received::LastLine(_));
        let next = self.received.get(&who).and_then(VecDeque::front);
        // A session that the chat still has cannot have processed its end of input.
        let must_stay = observed.is_open(who) && next.is_some_and(ends);
        let waits = delayed || partner_is_full || must_stay || self.is_question_open(who);
        waits || self.waits_for_answer(who) || observed.backlog(who) > REPLIES_MAX
    }

    /// Whether the server may hold the input of `who` now. Between the low-water and the high-water
    /// mark, holding and reading are both correct.
    fn may_wait(&self, who: SessionKey, observed: &Observed) -> bool {
        let until = self.sessions[&who].delayed_until().max(self.address_waits_until(who));
        let delayed = until > self.timers_run_at;
        let partner_is_behind = match self.state(who) {
            State::Chatting(with) => {
                observed.waiting(with) > self.limits.high_water / 4 || self.waits_for_answer(with)
            }
            _ => false,
        };
        // While memory is scarce, a full socket is enough (7.58).
        let is_held_by_scarcity = self.limits.is_scarce && self.sessions[&who].stall.is_some();
        let unread = self.waits_for_answer(who) || observed.waiting(who) > REPLIES_MAX;
        let waits = delayed || partner_is_behind || self.is_question_open(who);
        waits || unread || is_held_by_scarcity
    }
}
