//! Who said what to a partner, and when: the ledger finds how long each line took, and that it came
//! once, whole and in order. Pure, as the people are.

use std::collections::{HashMap, VecDeque};

use crate::core::limits::PEER_PATIENCE_S;
use crate::peers::peer::{Micros, SECOND};

/// Words that were meant for the server. If one crosses with the beginning of a chat, the partner reads
/// it. People of a crowd say nothing else that is one of these words.
const WORDS: [&str; 3] = ["cancel", "yes", "no"];

/// The lines that are on their way.
#[derive(Debug, Default)]
pub struct Ledger {
    /// By the name of the sender: a user is in one chat at a time.
    on_the_way: HashMap<String, VecDeque<(Micros, String)>>,
}

impl Ledger {
    /// `from` has said a line to its partner.
    pub fn said(&mut self, from: &str, text: String, now: Micros) {
        if let Some(lines) = self.on_the_way.get_mut(from) {
            lines.push_back((now, text));
        }
    }

    /// `from` has begun or ended a chat. The server has thrown away what was on its way (4.1.5).
    pub fn forget(&mut self, from: &str) {
        self.on_the_way.entry(from.to_owned()).or_default().clear();
    }

    /// The session of `from` is over.
    pub fn remove(&mut self, from: &str) {
        self.on_the_way.remove(from);
    }

    /// The partner of `from` has read a line. Returns how long it took, or `None` if `from` is not of
    /// this crowd.
    ///
    /// # Errors
    /// The line is not the one that had to come next.
    pub fn heard(&mut self, from: &str, text: &str, now: Micros) -> Result<Option<Micros>, String> {
        let Some(lines) = self.on_the_way.get_mut(from) else { return Ok(None) };
        if WORDS.contains(&text) {
            return Ok(None);
        }
        match lines.pop_front() {
            Some((at, said)) if said == text => Ok(Some(now.saturating_sub(at))),
            Some((_, said)) => Err(format!("{from} said {said:?}, and {text:?} came")),
            // It crossed with the end of the chat, which the sender has read already.
            None => Ok(None),
        }
    }

    /// Forgets lines that nobody has read for too long, and returns how many.
    pub fn overdue(&mut self, now: Micros) -> usize {
        let is_overdue = |at: Micros| at + PEER_PATIENCE_S * SECOND < now;
        let lost = |lines: &mut VecDeque<(Micros, String)>| {
            let count = lines.iter().take_while(|(at, _)| is_overdue(*at)).count();
            lines.drain(..count).count()
        };
        self.on_the_way.values_mut().map(lost).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_is_timed_once_and_a_wrong_one_is_noticed() {
        let mut ledger = Ledger::default();
        ledger.forget("anna");
        ledger.said("anna", "one".into(), 10);
        ledger.said("anna", "two".into(), 20);
        ledger.said("anna", "three".into(), 30);
        assert_eq!(ledger.heard("anna", "one", 15), Ok(Some(5)));
        assert!(ledger.heard("anna", "three", 40).unwrap_err().contains("\"two\""));
        assert_eq!(ledger.heard("stranger", "hi", 40), Ok(None));
        assert_eq!(ledger.overdue(30 + PEER_PATIENCE_S * SECOND), 0);
        assert_eq!(ledger.overdue(31 + PEER_PATIENCE_S * SECOND), 1);
    }

    #[test]
    fn a_cancel_that_crosses_with_a_yes_is_no_line_of_the_chat() {
        let mut ledger = Ledger::default();
        ledger.forget("anna");
        ledger.said("anna", "hello".into(), 10);
        assert_eq!(ledger.heard("anna", "cancel", 11), Ok(None));
        assert_eq!(ledger.heard("anna", "hello", 12), Ok(Some(2)));
    }

    /// (4.1.5)
    #[test]
    fn what_crosses_with_the_end_of_a_chat_is_not_missed() {
        let mut ledger = Ledger::default();
        ledger.forget("anna");
        ledger.said("anna", "into the void".into(), 10);
        ledger.forget("anna");
        ledger.said("anna", "in the next chat".into(), 20);
        assert_eq!(ledger.heard("anna", "in the next chat", 21), Ok(Some(1)));
    }
}
