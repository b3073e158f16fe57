//! Answers that are read piece by piece (7.36). The rows come when their reader has room for them, and
//! every later line for the reader comes behind them, in its order.

use std::collections::VecDeque;

use super::{Model, State};
use crate::traffic::{Expected, Observed, SessionKey};

impl Model {
    /// Whether lines for `who` are still to come behind an answer, or in it.
    pub(super) fn waits_for_answer(&self, who: SessionKey) -> bool {
        self.to_come.contains_key(&who)
    }

    /// Whether any answer is in progress.
    pub(crate) fn has_answers(&self) -> bool {
        !self.to_come.is_empty()
    }

    pub(super) fn will_come(&mut self, lines: Vec<(SessionKey, Expected)>) {
        for (who, expect) in lines {
            self.to_come.entry(who).or_default().push_back((self.looks, expect));
        }
    }

    /// Explains lines that were to come.
    pub(super) fn explain_answers(&mut self, observed: &mut Observed) -> Result<(), String> {
        for (who, mut to_come) in std::mem::take(&mut self.to_come) {
            while let Some((look, expect)) = to_come.front() {
                let line = observed.first_like(who, expect);
                // Rows end early if the list has become shorter, or if the session is over.
                let is_over = match line {
                    None => !observed.is_answering(who),
                    Some(line) if expect.is_of_answer() => {
                        let may_be_cut = !observed.is_answering(who) && !observed.is_open(who);
                        !is_row_now(expect, line)
                            && (!expect.matches(line) || (may_be_cut && line == b"\x00"))
                    }
                    Some(_) => false,
                };
                if expect.is_of_answer() && is_over {
                    self.cut.extend(matches!(expect, Expected::HistoryLine(_)).then_some(who));
                    to_come.pop_front();
                    continue;
                }
                let Some(line) = line else { break };
                // Of what was hidden at one look the model knows the causes, not their order.
                let alike = find_alike(&to_come, *look, line);
                let (is_row, is_less) = (is_row_now(expect, line), is_one_less(expect, line));
                if is_row || alike.is_some() {
                    observed.take_first_like(who, expect);
                    alike.filter(|_| !is_row).map(|n| to_come.remove(n));
                } else if is_less {
                    // The model cannot see either whether a line was cut, and guesses so.
                    let less = discarded(expect) - 1;
                    match less {
                        0 => drop(to_come.pop_front()),
                        less => to_come[0].1 = Expected::Discarded(less),
                    }
                } else {
                    let line = String::from_utf8_lossy(line);
                    return Err(format!("{who} reads {line:?} after an answer, not {expect:?}"));
                }
            }
            if !to_come.is_empty() {
                self.to_come.insert(who, to_come);
            }
        }
        Ok(())
    }

    /// Checks that an answer is complete when it is over, unless its reader has left.
    pub(super) fn check_answers(&mut self, observed: &Observed) -> Result<(), String> {
        let sessions = &self.sessions;
        let has_ended =
            |who: &SessionKey| sessions.get(who).is_none_or(|s| s.state == State::Ended);
        if let Some(who) = self.cut.iter().find(|who| !has_ended(who)) {
            return Err(format!("rows of an answer to {who} are missing"));
        }
        self.cut.clear();
        // The last lines to a connection that failed are lost.
        self.to_come.retain(|who, _| observed.is_answering(*who) || !has_ended(who));
        match self.to_come.iter().find(|(who, _)| !observed.is_answering(**who)) {
            Some((who, lines)) => Err(format!("no output for {who}: {:?} is missing", lines[0].1)),
            None => Ok(()),
        }
    }
}

/// Whether `line` is a row of a list, of which `expect` was a row when the list was asked for. A list
/// may have more rows by now.
fn is_row_now(expect: &Expected, line: &[u8]) -> bool {
    matches!(expect, Expected::ListRow(_)) && line.starts_with(b"- ")
}

/// Whether one line less was discarded than the model expects; no line says that there was none.
fn is_one_less(expect: &Expected, line: &[u8]) -> bool {
    match discarded(expect) {
        0 => false,
        1 => true,
        lines => Expected::Discarded(lines - 1).matches(line),
    }
}

fn discarded(expect: &Expected) -> usize {
    if let Expected::Discarded(lines) = expect { *lines } else { 0 }
}

/// The place of `line` among the lines to come: the first place, or one of those that were hidden at
/// the same look.
fn find_alike(to_come: &ToCome, look: u64, line: &[u8]) -> Option<usize> {
    if to_come.front().is_some_and(|(_, expect)| expect.matches(line)) {
        return Some(0);
    }
    let mut alike = to_come.iter().take_while(|(at, expect)| *at == look && !expect.is_of_answer());
    alike.position(|(_, expect)| expect.matches(line))
}

/// Lines for one session, in order, each with the look at which it was hidden first.
pub(super) type ToCome = VecDeque<(u64, Expected)>;
