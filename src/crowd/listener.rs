//! Joins what the people of a crowd tell: names with keys, lines said with lines heard.

use std::collections::HashMap;

use super::ledger::Ledger;
use super::people::{Note, What};
use super::report::Report;
use crate::peers::peer::Micros;

/// What hears the notes of the people.
#[derive(Debug, Default)]
pub(super) struct Listener {
    names: HashMap<usize, String>,
    pub(super) ledger: Ledger,
    pub(super) report: Report,
}

impl Listener {
    /// Takes the note of person `key`.
    pub(super) fn hear(&mut self, key: usize, now: Micros, note: Note) {
        let name = self.names.get(&key).map_or("", String::as_str);
        match note {
            Note::Took(what, took) => self.report.took(what, took),
            Note::Entered(name) => {
                self.ledger.forget(&name);
                if let Some(old) = self.names.insert(key, name.clone())
                    && old != name
                {
                    self.ledger.remove(&old);
                }
            }
            Note::Left => {
                self.ledger.remove(name);
                self.names.remove(&key);
            }
            Note::ChatBegan | Note::ChatEnded => self.ledger.forget(name),
            Note::Said(text) => self.ledger.said(name, text, now),
            Note::Heard(from, text) => match self.ledger.heard(&from, &text, now) {
                Ok(took) => took.into_iter().for_each(|took| self.report.took(What::Chat, took)),
                Err(problem) => self.report.problem(problem),
            },
            Note::Refused => self.report.refused += 1,
            Note::Problem(what) => self.report.problem(what),
        }
        self.report.online = self.names.len();
    }
}
