//! The questions that wait for the helper process: bounded, and fair by address (7.93, 7.94).
//!
//! Addresses take turns, so a flood of sign-ins from one address delays another address by one
//! question. A question counts until its answer, even if its user has gone: otherwise a client could
//! fill the helper's time by connecting again and again.

use std::collections::{HashMap, VecDeque};

use crate::core::Origin;
use crate::core::limits::{ACCOUNT_QUEUE_MAX, ACCOUNT_QUEUE_PER_ADDRESS_MAX};

/// The waiting questions and the open one.
#[derive(Debug)]
pub(super) struct Queue<T> {
    /// The questions of each address, oldest first; never empty.
    waiting: HashMap<Origin, VecDeque<T>>,
    /// The addresses with waiting questions, the next one first.
    turns: VecDeque<Origin>,
    /// Waiting and open questions of each address; never 0.
    counts: HashMap<Origin, usize>,
    /// The address of the open question.
    open: Option<Origin>,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Queue {
            waiting: HashMap::new(),
            turns: VecDeque::new(),
            counts: HashMap::new(),
            open: None,
        }
    }
}

impl<T> Queue<T> {
    /// Adds a question.
    ///
    /// # Errors
    /// The queue is full, for all or for this address. The question comes back.
    pub(super) fn push(&mut self, origin: Origin, question: T) -> Result<(), T> {
        let count = self.counts.get(&origin).copied().unwrap_or(0);
        let is_limited = origin != Origin::NONE && !origin.is_loopback();
        if self.len() >= ACCOUNT_QUEUE_MAX || is_limited && count >= ACCOUNT_QUEUE_PER_ADDRESS_MAX {
            return Err(question);
        }
        self.counts.insert(origin, count + 1);
        let questions = self.waiting.entry(origin).or_default();
        if questions.is_empty() {
            self.turns.push_back(origin);
        }
        questions.push_back(question);
        Ok(())
    }

    /// Opens the next question, unless one is open.
    pub(super) fn open_next(&mut self) -> Option<T> {
        if self.open.is_some() {
            return None;
        }
        let origin = self.turns.pop_front()?;
        let questions = self.waiting.get_mut(&origin)?;
        let question = questions.pop_front();
        if questions.is_empty() {
            self.waiting.remove(&origin);
        } else {
            self.turns.push_back(origin);
        }
        self.open = Some(origin);
        question
    }

    /// The open question is answered.
    pub(super) fn close(&mut self) {
        let Some(origin) = self.open.take() else { return };
        if let Some(count) = self.counts.get_mut(&origin) {
            *count -= 1;
            if *count == 0 {
                self.counts.remove(&origin);
            }
        }
    }

    /// Takes all questions that wait.
    pub(super) fn take_all(&mut self) -> Vec<T> {
        let mut all = Vec::new();
        while let Some(origin) = self.turns.pop_front() {
            all.extend(self.waiting.remove(&origin).unwrap_or_default());
        }
        *self = Queue::default();
        all
    }

    /// How many questions wait or are open.
    pub(super) fn len(&self) -> usize {
        self.waiting.values().map(VecDeque::len).sum::<usize>() + usize::from(self.open.is_some())
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
        let flood = (0..100).filter(|&n| queue.push(address(1), n).is_ok()).count();
        assert_eq!(flood, ACCOUNT_QUEUE_PER_ADDRESS_MAX);
        assert_eq!(queue.open_next(), Some(0));
        queue.push(address(2), 1_000).unwrap();
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
        let push = |queue: &mut Queue<usize>| queue.push(address(1), 0).is_ok();
        while push(&mut queue) {}
        assert!(queue.open_next().is_some() && !push(&mut queue));
        queue.close();
        assert!(push(&mut queue) && !push(&mut queue));
        while queue.open_next().is_some() {
            queue.close();
        }
        assert!(queue.counts.is_empty() && queue.waiting.is_empty() && queue.len() == 0);
    }

    /// (7.93)
    #[test]
    fn the_queue_is_bounded_for_all_addresses_together() {
        let mut queue = Queue::default();
        let count = (0..=255).filter(|&n| queue.push(address(n), n).is_ok()).count();
        assert_eq!((count, queue.len()), (ACCOUNT_QUEUE_MAX, ACCOUNT_QUEUE_MAX));
        assert_eq!(queue.take_all().len(), ACCOUNT_QUEUE_MAX);
        assert!(queue.push(address(1), 1).is_ok());
    }
}
