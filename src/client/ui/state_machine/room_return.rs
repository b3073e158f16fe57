//! How the state machine returns to a room after a lost connection, and shows what was missed there.
//!
//! At the first menu the client enters the room again. The history that the room sends (6.1.4)
//! repeats lines that the user has seen; only the other lines are shown. A message of the user in
//! it has been said, so the client does not offer it again.

use super::{Action, StateMachine, count};
use crate::client::ui::client_state::{ClientState, room_label};
use crate::client::ui::list_row::Row;
use crate::client::ui::server_line::{News, ServerLine, history_lines};
use crate::core::limits::HISTORY_WAIT_MS;
use crate::core::time::Time;

/// A return to a room.
#[derive(Debug)]
pub(super) struct RoomReturn {
    room: String,
    /// When the connection was lost.
    lost_at: Time,
    step: Step,
}

#[derive(Debug)]
enum Step {
    /// There is no menu yet.
    Planned,
    /// The client has sent the command that enters the room.
    Asked,
    /// The user is in the room. Its history follows, if there is any, before this time.
    Entered { due: Time },
    /// The history arrives: how many rows are to come, and the rows as the server sent them.
    Reading { missing: usize, rows: Vec<String> },
}

impl RoomReturn {
    /// When the wait for the history ends.
    pub(super) fn deadline(&self) -> Option<Time> {
        match self.step {
            Step::Entered { due } => Some(due),
            Step::Planned | Step::Asked | Step::Reading { .. } => None,
        }
    }
}

impl StateMachine {
    /// Plans the return to the room that the user was in when the connection was lost.
    pub(super) fn plan_return(&mut self, state: ClientState, wished_to_leave: bool) {
        let earlier = self.room_return.take();
        if self.was_removed || wished_to_leave {
            return;
        }
        self.room_return = match (state, earlier) {
            (ClientState::Room { room, .. }, Some(earlier)) if earlier.room == room => {
                Some(RoomReturn { step: Step::Planned, ..earlier })
            }
            (ClientState::Room { room, .. }, _) => {
                Some(RoomReturn { room, lost_at: self.now, step: Step::Planned })
            }
            // The connection was lost again before the client was back.
            (ClientState::Nowhere | ClientState::Naming | ClientState::Menu, Some(earlier)) => {
                Some(RoomReturn { step: Step::Planned, ..earlier })
            }
            _ => None,
        };
    }

    /// Enters the room again, if the menu has come for the first time. Returns `true` if so.
    pub(super) fn return_to_room(&mut self) -> bool {
        let Some(RoomReturn { room, step: step @ Step::Planned, .. }) = &mut self.room_return
        else {
            return false;
        };
        *step = Step::Asked;
        let (command, label) = (format!("4 {room}"), room_label(room));
        self.notice(&format!("Going back to {label}"));
        self.actions.push_back(Action::Send(command));
        true
    }

    /// The server refused something. If that was the return, the user decides what to do.
    pub(super) fn handle_refused_return(&mut self) {
        if let Some(RoomReturn { step: Step::Asked, .. }) = self.room_return {
            self.room_return = None;
            self.offer_unsent();
        }
    }

    /// The user has entered a room.
    pub(super) fn handle_entered(&mut self, entered: &str) {
        self.has_just_entered = true;
        match &mut self.room_return {
            Some(RoomReturn { room, step, .. }) if room == entered => {
                *step = Step::Entered { due: self.now.after_ms(HISTORY_WAIT_MS) };
            }
            Some(_) | None => {
                self.seen.clear();
                if self.room_return.take().is_some() {
                    self.offer_unsent();
                }
            }
        }
    }

    /// Takes `line` if it belongs to the history of the room to which the user returns. Returns
    /// `true` if so: the line is then shown later, or not at all.
    pub(super) fn read_history(&mut self, line: &ServerLine<'_>) -> bool {
        let Some(RoomReturn { step, .. }) = &mut self.room_return else { return false };
        match (step, line) {
            (step @ Step::Entered { .. }, ServerLine::Information(text)) => {
                if let Some(missing @ 1..) = history_lines(text) {
                    *step = Step::Reading { missing, rows: Vec::new() };
                    return true;
                }
                self.finish_return();
            }
            (Step::Reading { missing, rows }, ServerLine::Row(text)) => {
                rows.push((*text).to_owned());
                *missing -= 1;
                if *missing == 0 {
                    self.finish_return();
                }
                return true;
            }
            (Step::Entered { .. }, ServerLine::Row(_)) => {}
            (Step::Entered { .. } | Step::Reading { .. }, _) => self.finish_return(),
            (Step::Planned | Step::Asked, _) => {}
        }
        false
    }

    /// Ends the wait for a history that does not come.
    pub(super) fn check_return(&mut self, now: Time) {
        let due = self.room_return.as_ref().and_then(RoomReturn::deadline);
        if due.is_some_and(|due| due <= now) {
            self.finish_return();
        }
    }

    /// Remembers a line of the room that the user has seen.
    pub(super) fn remember(&mut self, line: &ServerLine<'_>) {
        let ClientState::Room { .. } = self.state else { return };
        match line {
            ServerLine::Message { from, text } => {
                self.has_just_entered = false;
                self.seen.push(&format!("{from}: {text}"));
            }
            ServerLine::Row(text) if self.has_just_entered => {
                if let Row::InputHistory { from, text, .. } = Row::read(text) {
                    self.seen.push(&format!("{from}: {text}"));
                }
            }
            ServerLine::Information(text) if News::read(text) == News::Missed => {
                self.seen.push_gap();
            }
            _ => {}
        }
    }

    /// Shows the part of the history that the user has not seen, and ends the return.
    fn finish_return(&mut self) {
        let Some(RoomReturn { room, lost_at, step }) = self.room_return.take() else { return };
        let rows = match step {
            Step::Reading { rows, .. } => rows,
            Step::Planned | Step::Asked | Step::Entered { .. } => Vec::new(),
        };
        let said: Vec<_> = rows.iter().map(|row| said_in(row)).collect();
        let seen = self.seen.count_in(&said);
        let (missed, label) = (duration(self.now.ms_since(lost_at)), room_label(&room));
        let is_whole = seen > 0 || rows.len() < self.lines_of_a_long_history();
        self.notice(&match (rows.len() - seen, is_whole) {
            (0, _) => format!("You missed {missed} of {label}; the room's history has nothing new"),
            (_, true) => format!("You missed {missed} of {label}:"),
            (shown, false) => {
                format!("You missed {missed} of {label}; these are the last {shown} lines:")
            }
        });
        for (row, said) in rows.iter().zip(&said).skip(seen) {
            self.learn_from(&Row::read(row));
            self.log.add_received(&ServerLine::Row(row), &format!("- {row}"));
            self.show(&ServerLine::Row(row));
            self.seen.push(said);
            let (from, text) = said.split_once(": ").unwrap_or_default();
            if self.username.as_deref() == Some(from) {
                self.unsent.handle_said(text);
            }
        }
        self.offer_unsent();
    }

    /// A history of this many lines may lack earlier lines. A room in which nothing was seen before
    /// has no earlier lines to miss.
    fn lines_of_a_long_history(&self) -> usize {
        if self.seen.is_empty() { usize::MAX } else { crate::core::limits::HISTORY_LINES_SHOWN }
    }
}

/// The sender and the text of a row of the history, without its time.
fn said_in(row: &str) -> String {
    match Row::read(row) {
        Row::InputHistory { from, text, .. } => format!("{from}: {text}"),
        _ => row.to_owned(),
    }
}

/// A time in the largest unit of which it has one.
fn duration(ms: u64) -> String {
    let (minute, hour) = (60_000, 3_600_000);
    let (unit_ms, unit) = match ms {
        _ if ms >= hour => (hour, "hour"),
        _ if ms >= minute => (minute, "minute"),
        _ => (1_000, "second"),
    };
    count(usize::try_from(ms / unit_ms).unwrap_or(usize::MAX).max(1), unit)
}
