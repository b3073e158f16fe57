//! Faults put between the exchange and the model, so that to the model the server is broken. Each is
//! a canary: a simulation that does not die of it would not notice such a bug.

use crate::spoken::{Observed, Who};

/// What is wrong with the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wrong {
    Nothing,
    /// A text is lost, said twice, or said to somebody else as well.
    TextLost,
    TextTwice,
    TextToThird,
    /// One character of a text is another.
    TextAltered,
    /// Two lines of one person change places.
    LinesSwapped,
    /// A control character reaches a terminal.
    ControlCharacter,
    /// A prompt is forgotten.
    PromptLost,
    /// The list says that somebody who is not available is.
    ListLies,
    /// A user quits without having said so.
    StateAltered,
    /// Input that was held is never read again.
    NeverResumed,
    /// Output is never written.
    NeverWritten,
    /// Nobody is woken for what is due.
    DeadlineForgotten,
    /// A buffer is not given back.
    BufferLeaked,
    /// A connection is never closed.
    NeverClosed,
    /// There is a line ending within a line.
    EndingWithin,
    /// A line of a room is lost or said twice for one member, is said to somebody who is in no room, or
    /// comes to one member in another order than to the others.
    RoomLineLost,
    RoomLineTwice,
    RoomLineToOutsider,
    RoomLinesSwapped,
    /// A member of a room is told of more missed lines than were.
    MissedMiscounted,
    /// What was said in a room is not written down, once.
    RecordLost,
    /// Backpressure is not heeded: everybody is always read.
    AlwaysRead,
}

#[derive(Debug)]
pub(crate) struct Sabotage {
    wrong: Wrong,
    /// How many more times all goes well.
    spared: usize,
    done: bool,
}

impl Sabotage {
    pub(crate) fn new(wrong: Wrong, spared: usize) -> Sabotage {
        Sabotage { wrong, spared, done: false }
    }

    /// Whether `wrong` goes wrong this time: once, after it was spared.
    pub(crate) fn strikes(&mut self, wrong: Wrong) -> bool {
        if self.wrong != wrong || self.done {
            return false;
        }
        self.done = self.spared == 0;
        self.spared = self.spared.saturating_sub(1);
        self.done
    }

    /// Whether `wrong` goes wrong from now on, as it does after it was spared.
    pub(crate) fn lasts(&mut self, wrong: Wrong) -> bool {
        self.strikes(wrong) || (self.done && self.wrong == wrong)
    }

    /// Tampers with what the server was seen to say.
    pub(crate) fn tamper<'a>(
        &mut self,
        observed: &mut Observed,
        mut everybody: impl Iterator<Item = &'a Who>,
        is_in_room: impl Fn(Who) -> bool,
    ) {
        if self.wrong == Wrong::Nothing || self.done {
            return;
        }
        let is_of_room = matches!(
            self.wrong,
            Wrong::RoomLineLost
                | Wrong::RoomLineTwice
                | Wrong::RoomLineToOutsider
                | Wrong::RoomLinesSwapped
        );
        let may_be_hit = |who: Who| !is_of_room || is_in_room(who);
        let Some((who, n)) = self.find(observed, may_be_hit) else { return };
        if !self.strikes(self.wrong) {
            return;
        }
        let is_third = |third: Who| third != who && !(is_of_room && is_in_room(third));
        let third = everybody.find(|&&third| is_third(third)).copied().unwrap_or(who);
        let all = observed.lines_mut();
        let lines = all.entry(who).or_default();
        let line = lines[n].clone();
        match self.wrong {
            Wrong::TextLost | Wrong::PromptLost | Wrong::RoomLineLost => drop(lines.remove(n)),
            Wrong::TextTwice | Wrong::RoomLineTwice => lines.insert(n, line),
            Wrong::TextToThird | Wrong::RoomLineToOutsider => {
                all.entry(third).or_default().push_back(line)
            }
            Wrong::TextAltered => lines[n].push(b'x'),
            Wrong::ControlCharacter => lines[n].push(0x1b),
            Wrong::EndingWithin => lines[n].push(b'\n'),
            Wrong::LinesSwapped | Wrong::RoomLinesSwapped => lines.swap(n, n + 1),
            Wrong::ListLies => {
                let row = String::from_utf8_lossy(&line).into_owned();
                lines[n] = row.replace("chatting with", "available").into_bytes();
            }
            wrong => unreachable!("{wrong:?} is not done to a line"),
        }
    }

    /// A line that can be tampered with in the way wanted.
    fn find(
        &self,
        observed: &mut Observed,
        may_be_hit: impl Fn(Who) -> bool,
    ) -> Option<(Who, usize)> {
        let all = observed.lines_mut();
        let is_text = |line: &[u8]| line.get(1).is_none_or(|&b| b != b' ');
        let mut places =
            all.iter().filter(|(who, _)| may_be_hit(**who)).flat_map(|(&who, lines)| {
                (0..lines.len()).map(move |n| (who, n, &lines[n], lines.get(n + 1)))
            });
        let found = places.find(|(_, _, line, next)| match self.wrong {
            Wrong::TextLost
            | Wrong::TextTwice
            | Wrong::TextToThird
            | Wrong::TextAltered
            | Wrong::RoomLineLost
            | Wrong::RoomLineTwice
            | Wrong::RoomLineToOutsider => is_text(line),
            Wrong::RoomLinesSwapped => {
                is_text(line) && next.is_some_and(|next| is_text(next) && next != *line)
            }
            Wrong::PromptLost => line.starts_with(b"? "),
            Wrong::LinesSwapped => next.is_some_and(|next| next != *line),
            Wrong::ListLies => {
                line.starts_with(b"- ") && line.windows(13).any(|part| part == b"chatting with")
            }
            Wrong::ControlCharacter | Wrong::EndingWithin => true,
            _ => false,
        });
        found.map(|(who, n, ..)| (who, n))
    }
}
