//! Faults inserted between the exchange and the model, so that the server looks broken to the
//! model. Each fault is a canary: if the simulation does not fail, it would miss a real bug of that
//! kind.

use crate::traffic::{Observed, SessionKey};

/// What is wrong with the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    Nothing,
    /// A message is lost, is delivered twice, or also reaches a third user.
    MessageLost,
    MessageDoubled,
    MessageToThirdUser,
    /// A message has one character too many.
    MessageAltered,
    /// Two lines for one reader change places.
    LinesSwapped,
    /// A control character reaches a terminal.
    ControlCharacter,
    /// A prompt is missing.
    PromptLost,
    /// A row of the user list says that a chatting user is available.
    ListRowWrong,
    /// A user leaves a chat without having sent `quit`.
    StateAltered,
    /// Held input is never read again.
    NeverResumed,
    /// Output is never written.
    NeverWritten,
    /// Timers no longer fire.
    TimersStopped,
    /// A buffer is not returned.
    BufferLeaked,
    /// A connection is never closed.
    NeverClosed,
    /// A line contains a line ending.
    LineEndingInside,
    /// One room line is lost or doubled for one member, reaches a user outside the room, or comes
    /// to one member in a different order.
    RoomLineLost,
    RoomLineDoubled,
    RoomLineToOutsider,
    RoomLinesSwapped,
    /// A notice of missed lines counts too many.
    MissedCountWrong,
    /// One room line is not saved.
    RoomLineNotSaved,
    /// The history file loses its last line when it is written anew.
    RewriteForgetsLine,
    /// Backpressure is ignored: the loop reads every connection.
    BackpressureIgnored,
    /// New sessions have no address: each has all allowances for itself.
    AddressForgotten,
    /// A line of history is missing in an answer, or an answer stops although its reader goes on.
    HistoryLineLost,
    AnswerStopped,
    /// At the end of a chat the kernel's buffer is not read.
    KernelNotDrained,
    /// A wrong password counts as right.
    ProofIgnored,
    /// The answer to one user's question is given to another user.
    AnswerToAnother,
    /// The answer for a session that is gone is given to the next one with its key.
    AnswerByKey,
    /// An account signs in, and its older session goes on.
    OlderSessionStays,
    /// A row of a message to a follower is lost.
    ListChangeLost,
    /// The server forgets that a name is registered.
    NameReleased,
}

#[derive(Debug)]
pub(crate) struct Sabotage {
    fault: Fault,
    /// How many more opportunities pass before the fault strikes.
    skips_left: usize,
    has_struck: bool,
}

impl Sabotage {
    pub(crate) fn new(fault: Fault, skips_left: usize) -> Sabotage {
        Sabotage { fault, skips_left, has_struck: false }
    }

    /// Whether nothing goes wrong on purpose.
    pub(crate) fn is_nothing(&self) -> bool {
        self.fault == Fault::Nothing
    }

    /// Whether `fault` strikes now. It strikes once, after the skipped opportunities.
    pub(crate) fn strikes(&mut self, fault: Fault) -> bool {
        if self.fault != fault || self.has_struck {
            return false;
        }
        self.has_struck = self.skips_left == 0;
        self.skips_left = self.skips_left.saturating_sub(1);
        self.has_struck
    }

    /// Whether `fault` is in effect: from the moment it strikes to the end of the run.
    pub(crate) fn is_in_effect(&mut self, fault: Fault) -> bool {
        self.strikes(fault) || (self.has_struck && self.fault == fault)
    }

    /// Changes the lines that the world observed.
    pub(crate) fn tamper<'a>(
        &mut self,
        observed: &mut Observed,
        mut everybody: impl Iterator<Item = &'a SessionKey>,
        is_in_room: impl Fn(SessionKey) -> bool,
    ) {
        if self.fault == Fault::Nothing || self.has_struck {
            return;
        }
        let is_room_fault = matches!(
            self.fault,
            Fault::RoomLineLost
                | Fault::RoomLineDoubled
                | Fault::RoomLineToOutsider
                | Fault::RoomLinesSwapped
        );
        let may_be_target = |who: SessionKey| !is_room_fault || is_in_room(who);
        let Some((who, n)) = self.find(observed, may_be_target) else { return };
        if !self.strikes(self.fault) {
            return;
        }
        let is_third_user = |third_user: SessionKey| {
            third_user != who && !(is_room_fault && is_in_room(third_user))
        };
        let third_user =
            everybody.find(|&&third_user| is_third_user(third_user)).copied().unwrap_or(who);
        let all = observed.lines_mut();
        let lines = all.entry(who).or_default();
        let line = lines[n].clone();
        match self.fault {
            Fault::MessageLost
            | Fault::PromptLost
            | Fault::RoomLineLost
            | Fault::HistoryLineLost
            | Fault::OlderSessionStays => drop(lines.remove(n)),
            Fault::MessageDoubled | Fault::RoomLineDoubled => lines.insert(n, line),
            Fault::MessageToThirdUser | Fault::RoomLineToOutsider => {
                all.entry(third_user).or_default().push_back(line)
            }
            Fault::MessageAltered => lines[n].push(b'x'),
            Fault::ControlCharacter => lines[n].push(0x1b),
            Fault::LineEndingInside => lines[n].push(b'\n'),
            Fault::LinesSwapped | Fault::RoomLinesSwapped => lines.swap(n, n + 1),
            Fault::ListRowWrong => {
                let row = String::from_utf8_lossy(&line).into_owned();
                lines[n] = row.replace("chatting with", "available").into_bytes();
            }
            fault => unreachable!("{fault:?} does not apply to a line"),
        }
    }

    /// A line to which the fault can be applied.
    fn find(
        &self,
        observed: &mut Observed,
        may_be_target: impl Fn(SessionKey) -> bool,
    ) -> Option<(SessionKey, usize)> {
        let all = observed.lines_mut();
        let is_message = |line: &[u8]| line.get(1).is_none_or(|&b| b != b' ');
        let mut places =
            all.iter().filter(|(who, _)| may_be_target(**who)).flat_map(|(&who, lines)| {
                (0..lines.len()).map(move |n| (who, n, &lines[n], lines.get(n + 1)))
            });
        let found = places.find(|(_, _, line, next)| match self.fault {
            Fault::MessageLost
            | Fault::MessageDoubled
            | Fault::MessageToThirdUser
            | Fault::MessageAltered
            | Fault::RoomLineLost
            | Fault::RoomLineDoubled
            | Fault::RoomLineToOutsider => is_message(line),
            Fault::RoomLinesSwapped => {
                is_message(line) && next.is_some_and(|next| is_message(next) && next != *line)
            }
            Fault::PromptLost => line.starts_with(b"? "),
            Fault::HistoryLineLost => line.starts_with(b"- 19") || line.starts_with(b"- 20"),
            Fault::OlderSessionStays => line.ends_with(b"so this one ends. Goodbye"),
            Fault::LinesSwapped => next.is_some_and(|next| next != *line),
            Fault::ListRowWrong => {
                line.starts_with(b"- ") && line.windows(13).any(|part| part == b"chatting with")
            }
            Fault::ControlCharacter | Fault::LineEndingInside => true,
            _ => false,
        });
        found.map(|(who, n, ..)| (who, n))
    }
}
