//! The questions that wait for the helper process: bounded, and fair by address (7.93, 7.94).
//!
//! Addresses take turns, so a flood of sign-ins from one address delays another by one question. Those
//! who signed in to the account from their address before take turns with all strangers together: a
//! thousand addresses that guess delay them no more than one does. A question counts until its answer,
//! even if its user has gone: otherwise a client could fill the helper's time by connecting again.

use std::collections::{HashMap, VecDeque};

use crate::core::Origin;
use crate::core::limits::{ACCOUNT_QUEUE_MAX, ACCOUNT_QUEUE_PER_ADDRESS_MAX};

/// The waiting questions and the open one.
#[derive(Debug)]
pub(super) struct Queue<T> {
    /// From addresses that are known to the account, and from operators.
    known: Line<T>,
    strangers: Line<T>,
    /// The last question was a stranger's, so a known one comes next.
    stranger_was_last: bool,
    /// Waiting and open questions of each address; never 0.
    counts: HashMap<Origin, usize>,
    /// The address of the open question.
    open: Option<Origin>,
}

/// Questions whose addresses take turns.
#[derive(Debug)]
struct Line<T> {
    /// The questions of each address, oldest first; never empty.
    waiting: HashMap<Origin, VecDeque<T>>,
    /// The addresses with waiting questions, the next one first.
    turns: VecDeque<Origin>,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Queue {
            known: Line::default(),
            strangers: Line::default(),
            stranger_was_last: false,
            counts: HashMap::new(),
            open: None,
        }
    }
}

impl<T> Default for Line<T> {
    fn default() -> Self {
        Line { waiting: HashMap::new(), turns: VecDeque::new() }
    }
}

impl<T> Queue<T> {
    /// Adds a question. `is_known` is whether somebody signed in to the account from there.
    ///
    /// # Errors
    /// The queue is full, for all or for this address. The question that has no place comes back: the
    /// latest of the stranger with the most, if this address is known, or the latest of the address
    /// with several, if nothing of this address waits.
    pub(super) fn push(&mut self, origin: Origin, is_known: bool, question: T) -> Result<(), T> {
        let count = self.counts.get(&origin).copied().unwrap_or(0);
        let is_limited = origin != Origin::NONE && !origin.is_loopback();
        if is_limited && count >= ACCOUNT_QUEUE_PER_ADDRESS_MAX {
            return Err(question);
        }
        let mut displaced = None;
        // An operator always has a place: one question of each console, and consoles are few.
        if self.len() >= ACCOUNT_QUEUE_MAX && origin != Origin::NONE {
            let latest = match (is_known, count) {
                (true, 0) => self
                    .strangers
                    .take_from_greediest(1)
                    .or_else(|| self.known.take_from_greediest(2)),
                (true, _) => self.strangers.take_from_greediest(1),
                // Strangers never take the half of the queue that is for known addresses.
                (false, 0) if self.known.len() > ACCOUNT_QUEUE_MAX / 2 => {
                    self.known.take_from_greediest(2)
                }
                (false, 0) => self.strangers.take_from_greediest(2),
                (false, _) => None,
            };
            let Some((greedy, latest)) = latest else { return Err(question) };
            self.uncount(greedy);
            displaced = Some(latest);
        }
        *self.counts.entry(origin).or_default() += 1;
        let line = if is_known { &mut self.known } else { &mut self.strangers };
        line.push(origin, question);
        displaced.map_or(Ok(()), Err)
    }

    /// Opens the next question, unless one is open.
    pub(super) fn open_next(&mut self) -> Option<T> {
        if self.open.is_some() {
            return None;
        }
        let lines = match self.stranger_was_last {
            true => [(&mut self.known, false), (&mut self.strangers, true)],
            false => [(&mut self.strangers, true), (&mut self.known, false)],
        };
        let next = lines.into_iter().find_map(|(line, is_strange)| Some((line.pop()?, is_strange)));
        let ((origin, question), is_strange) = next?;
        self.stranger_was_last = is_strange;
        self.open = Some(origin);
        Some(question)
    }

    /// The open question is answered.
    pub(super) fn close(&mut self) {
        if let Some(origin) = self.open.take() {
            self.uncount(origin);
        }
    }

    fn uncount(&mut self, origin: Origin) {
        if let Some(count) = self.counts.get_mut(&origin) {
            *count -= 1;
            if *count == 0 {
                self.counts.remove(&origin);
            }
        }
    }

    /// Takes all questions that wait.
    pub(super) fn take_all(&mut self) -> Vec<T> {
        let Queue { mut known, mut strangers, .. } = std::mem::take(self);
        let known = std::iter::from_fn(|| known.pop());
        let strangers = std::iter::from_fn(|| strangers.pop());
        known.chain(strangers).map(|(_, question)| question).collect()
    }

    /// Takes all waiting questions of which this is true.
    pub(super) fn take_matching(&mut self, matches: impl Fn(&T) -> bool) -> Vec<T> {
        let mut taken = Vec::new();
        for line in [&mut self.known, &mut self.strangers] {
            for (&origin, questions) in &mut line.waiting {
                let all = std::mem::take(questions).into_iter();
                let (about, rest): (VecDeque<T>, VecDeque<T>) = all.partition(&matches);
                *questions = rest;
                taken.extend(about.into_iter().map(|question| (origin, question)));
            }
            line.waiting.retain(|_, questions| !questions.is_empty());
            line.turns.retain(|origin| line.waiting.contains_key(origin));
        }
        taken.iter().for_each(|&(origin, _)| self.uncount(origin));
        taken.into_iter().map(|(_, question)| question).collect()
    }

    /// How many questions wait or are open.
    pub(super) fn len(&self) -> usize {
        self.counts.values().sum()
    }
}

impl<T> Line<T> {
    fn len(&self) -> usize {
        self.waiting.values().map(VecDeque::len).sum()
    }

    fn push(&mut self, origin: Origin, question: T) {
        let questions = self.waiting.entry(origin).or_default();
        if questions.is_empty() {
            self.turns.push_back(origin);
        }
        questions.push_back(question);
    }

    fn pop(&mut self) -> Option<(Origin, T)> {
        let origin = self.turns.pop_front()?;
        let questions = self.waiting.get_mut(&origin)?;
        let question = questions.pop_front()?;
        if questions.is_empty() {
            self.waiting.remove(&origin);
        } else {
            self.turns.push_back(origin);
        }
        Some((origin, question))
    }

    /// Takes the latest question of the address with the most, if it has at least so many.
    fn take_from_greediest(&mut self, must_have: usize) -> Option<(Origin, T)> {
        let (&origin, questions) =
            self.waiting.iter_mut().max_by_key(|(_, questions)| questions.len())?;
        if questions.len() < must_have {
            return None;
        }
        let latest = questions.pop_back()?;
        if questions.is_empty() {
            self.waiting.remove(&origin);
            self.turns.retain(|&turn| turn != origin);
        }
        Some((origin, latest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(n: u8) -> Origin {
        Origin::v4([192, 0, 2, n])
    }

    /// (7.93, 7.94)
    #[test]
    fn an_address_that_floods_the_queue_delays_another_by_one_question() {
        let mut queue = Queue::default();
        let flood = (0..100).filter(|&n| queue.push(address(1), false, n).is_ok()).count();
        assert_eq!(flood, ACCOUNT_QUEUE_PER_ADDRESS_MAX);
        assert_eq!(queue.open_next(), Some(0));
        queue.push(address(2), false, 1_000).unwrap();
        assert_eq!(queue.open_next(), None, "one at a time");
        queue.close();
        let next = [queue.open_next(), {
            queue.close();
            queue.open_next()
        }];
        assert!(next.contains(&Some(1_000)), "{next:?}");
    }

    /// (7.94)
    #[test]
    fn a_question_counts_until_it_is_answered() {
        let mut queue = Queue::default();
        let push = |queue: &mut Queue<usize>| queue.push(address(1), false, 0).is_ok();
        while push(&mut queue) {}
        assert!(queue.open_next().is_some() && !push(&mut queue));
        queue.close();
        assert!(push(&mut queue) && !push(&mut queue));
        while queue.open_next().is_some() {
            queue.close();
        }
        assert!(queue.strangers.waiting.is_empty() && queue.len() == 0);
    }

    /// (7.93)
    #[test]
    fn the_queue_is_bounded_for_all_addresses_together() {
        let mut queue = Queue::default();
        let count = (0..=255).filter(|&n| queue.push(address(n), false, n).is_ok()).count();
        assert_eq!((count, queue.len()), (ACCOUNT_QUEUE_MAX, ACCOUNT_QUEUE_MAX));
        assert_eq!(queue.take_all().len(), ACCOUNT_QUEUE_MAX);
        assert!(queue.push(address(1), false, 1).is_ok());
    }

    /// (7.93)
    #[test]
    fn a_full_queue_makes_room_for_an_address_that_has_no_question() {
        let mut queue = Queue::default();
        let greedy = ACCOUNT_QUEUE_MAX / ACCOUNT_QUEUE_PER_ADDRESS_MAX;
        for n in 0..u8::try_from(greedy).unwrap() {
            while queue.push(address(n), false, n).is_ok() {}
        }
        assert_eq!(queue.len(), ACCOUNT_QUEUE_MAX);
        let honest = Origin::v4([198, 51, 100, 1]);
        assert_eq!(queue.push(honest, false, 42).map_err(|n| n == 42), Err(false));
        assert_eq!(queue.push(honest, false, 42), Err(42), "it has one now");
        assert_eq!(queue.len(), ACCOUNT_QUEUE_MAX);
        assert!(queue.take_all().contains(&42));
    }

    /// (7.93)
    #[test]
    fn strangers_that_fill_the_queue_with_one_question_each_do_not_shut_out_a_known_address() {
        let mut queue = Queue::default();
        for n in 0..u8::try_from(ACCOUNT_QUEUE_MAX).unwrap() {
            assert!(queue.push(address(n), false, n).is_ok());
        }
        let honest = Origin::v4([198, 51, 100, 1]);
        assert!(queue.push(honest, false, 200).is_err_and(|n| n == 200), "a stranger waits");
        assert!(queue.push(honest, true, 201).is_err_and(|n| n < 200), "a stranger makes room");
        assert_eq!((queue.len(), queue.strangers.turns.len()), (ACCOUNT_QUEUE_MAX, 63));
        assert!(queue.take_all().contains(&201));
    }

    /// (7.93)
    #[test]
    fn strangers_from_many_addresses_delay_a_known_address_by_the_open_question_only() {
        let mut queue = Queue::default();
        (0..50).for_each(|n| assert!(queue.push(address(n), false, n).is_ok()));
        assert!(queue.open_next().is_some());
        let honest = Origin::v4([198, 51, 100, 1]);
        for n in 100..104 {
            assert!(queue.push(honest, true, n).is_ok());
        }
        let mut order = Vec::new();
        for _ in 0..6 {
            queue.close();
            order.extend(queue.open_next().map(|n| n >= 100));
        }
        assert_eq!(order, [true, false, true, false, true, false], "nobody starves");
    }

    /// (7.93)
    #[test]
    fn known_addresses_that_fill_the_queue_make_room_for_others_and_for_operators() {
        let mut queue = Queue::default();
        let greedy = ACCOUNT_QUEUE_MAX / ACCOUNT_QUEUE_PER_ADDRESS_MAX;
        for n in 0..u8::try_from(greedy).unwrap() {
            while queue.push(address(n), true, n).is_ok() {}
        }
        assert_eq!(queue.len(), ACCOUNT_QUEUE_MAX);
        assert!(queue.push(Origin::v4([198, 51, 100, 1]), true, 100).is_err_and(|n| n < 100));
        assert!(queue.push(Origin::v4([198, 51, 100, 2]), false, 101).is_err_and(|n| n < 100));
        assert!(queue.push(Origin::NONE, true, 102).is_ok());
        let all = queue.take_all();
        assert!([100, 101, 102].iter().all(|n| all.contains(n)), "{all:?}");
    }

    /// (3.4.8)
    #[test]
    fn questions_about_an_account_are_taken_back() {
        let mut queue = Queue::default();
        for n in 0..6 {
            assert!(queue.push(address(n % 2), n < 3, n).is_ok());
        }
        let mut taken = queue.take_matching(|n| n % 2 == 0);
        taken.sort_unstable();
        assert_eq!((taken, queue.len()), (vec![0, 2, 4], 3));
        let mut left = std::iter::from_fn(|| {
            let next = queue.open_next();
            queue.close();
            next
        })
        .collect::<Vec<_>>();
        left.sort_unstable();
        assert_eq!((left, queue.len()), (vec![1, 3, 5], 0));
    }

    /// (3.4.7)
    #[test]
    fn strangers_never_displace_the_second_question_of_a_known_address() {
        let mut queue = Queue::default();
        let known = Origin::v4([198, 51, 100, 1]);
        assert!((200..202).all(|n| queue.push(known, true, n).is_ok()));
        let pushed = (0..100).map(|n| queue.push(address(n), false, n));
        assert!(pushed.filter_map(Result::err).all(|n| n < 100));
        let all = queue.take_all();
        assert!(all.contains(&200) && all.contains(&201));
    }
}
