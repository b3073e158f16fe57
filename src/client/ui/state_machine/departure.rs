//! How the client leaves: at once, or when the server has processed every line.
//!
//! The client ends its half of the connection behind the last line. The server then answers
//! everything, and closes (2.1.6). Ctrl-C ends the wait. What did not arrive is shown at the end.

use super::{Action, Leaving, Link, StateMachine, count};
use crate::client::ui::client_state::ClientState;
use crate::client::ui::color::Paint;
use crate::client::ui::keys::Key;
use crate::client::ui::prompt::Prompt;
use crate::client::ui::sending::Lost;
use crate::core::limits::SIGNAL_LEAVE_MS;
use crate::core::time::Time;

/// The number of SIGHUP on every system (POSIX).
const SIGHUP: i32 = 1;

/// The wait for the last lines.
#[derive(Debug)]
pub(super) struct Departure {
    /// How the client leaves at the end of the wait.
    then: Leaving,
    /// When the wait ends regardless. A user can end it, and needs no deadline.
    pub(super) deadline: Option<Time>,
    /// All lines are sent, and our half of the connection ends behind them.
    is_finished: bool,
}

impl StateMachine {
    /// Leaves because of a signal. A second signal ends the wait for the last lines.
    pub fn handle_signal(&mut self, signal: i32) {
        self.leave_soon(Leaving::Signal(signal));
    }

    /// Leaves because the terminal is gone.
    pub fn handle_terminal_loss(&mut self, reason: &str) {
        // The kernel also sends SIGHUP for this. The signal tells more.
        let has_signal = |departure: &Departure| matches!(departure.then, Leaving::Signal(_));
        if !self.departure.as_ref().is_some_and(has_signal) {
            self.leave_soon(Leaving::Failed(format!("the terminal is gone: {reason}")));
        }
    }

    /// The server has closed the connection behind ours: it has processed everything.
    pub fn handle_end(&mut self) {
        self.sending.handle_end();
        let lost = self.sending.take_lost(0);
        let is_done = lost == Lost::default();
        self.show_lost(lost);
        self.end_departure("the server closed the connection", is_done);
    }

    /// Shows at the very end what the user typed and nobody may have read. `unsent` lines never left
    /// this machine.
    pub fn handle_leaving(&mut self, unsent: usize) {
        let lost = self.sending.take_lost(unsent);
        self.show_lost(lost);
        // These are on the screen already, and in the way of an error message.
        if !self.unsent.is_empty() {
            let lines = self.unsent.describe();
            self.notice(&format!("{lines}, and you are leaving"));
        }
        // The rest of a password is no line to show.
        self.guard_secret(&ClientState::Nowhere);
        let saved = self.saved_draft.take().map(|(draft, _)| draft);
        for draft in saved.into_iter().chain([self.editor.take()]).filter(|draft| !draft.is_empty())
        {
            self.notice("Not sent, your unfinished line:");
            self.quote(&[draft]);
        }
    }

    /// Leaves as soon as every line has arrived.
    pub(super) fn leave(&mut self, then: Leaving) {
        self.depart(then, None);
    }

    /// Handles a key during the wait.
    pub(super) fn handle_key_in_departure(&mut self, key: &Key) {
        match key {
            Key::Control('c') => self.give_up_departure(),
            Key::Control('l') => self.screen.clear(),
            Key::Control('z') => self.suspend(),
            _ => {}
        }
    }

    /// Ends the wait if its deadline has passed.
    pub(super) fn check_departure(&mut self, now: Time) {
        let deadline = self.departure.as_ref().and_then(|departure| departure.deadline);
        if deadline.is_some_and(|deadline| deadline <= now) {
            self.give_up_departure();
        }
    }

    /// Ends our half of the connection if no line waits any more.
    pub(super) fn finish_when_sent(&mut self) {
        if let Some(departure) = &mut self.departure
            && self.sending.waiting() == 0
            && !departure.is_finished
        {
            departure.is_finished = true;
            self.actions.push_back(Action::Finish);
        }
    }

    /// Whether the client has asked the server for a sign behind the last line.
    #[must_use]
    pub fn is_finishing(&self) -> bool {
        self.departure.as_ref().is_some_and(|departure| departure.is_finished)
    }

    /// Leaves after the connection has ended; `is_done` tells that no line may be lost. Returns
    /// `false` if the user did not want to leave.
    pub(super) fn end_departure(&mut self, reason: &str, is_done: bool) -> bool {
        let Some(departure) = self.departure.take() else { return false };
        let then = match departure.then == Leaving::Wished && !is_done {
            true => Leaving::Failed(format!("the connection was lost: {reason}")),
            false => departure.then,
        };
        self.actions.push_back(Action::Leave(then));
        true
    }

    /// The prompt during the wait.
    pub(super) fn departure_prompt(&self) -> Option<Prompt> {
        self.departure.as_ref()?;
        let number = self.sending.waiting() + self.sending.unproven().count();
        let lines = count(number, "line");
        let label = format!("Leaving after {lines}; Ctrl-C drops them");
        Some(Prompt::new(&label, Paint::Notice).or_short(&format!("{number} waiting")))
    }

    /// Leaves for a reason that leaves little time.
    fn leave_soon(&mut self, then: Leaving) {
        // A closed terminal may send several SIGHUPs: from the kernel, and from the shell.
        let is_second = |first: &Departure| matches!((&first.then, &then), (Leaving::Signal(_), Leaving::Signal(number)) if *number != SIGHUP);
        if self.departure.as_ref().is_some_and(is_second) {
            self.give_up_departure();
        } else {
            self.depart(then, Some(self.now.after_ms(SIGNAL_LEAVE_MS)));
        }
    }

    fn depart(&mut self, then: Leaving, deadline: Option<Time>) {
        let Link::Up { .. } = self.link else {
            return self.actions.push_back(Action::Leave(then));
        };
        if self.sending.is_done() {
            return self.actions.push_back(Action::Leave(then));
        }
        let is_finished = self.is_finishing();
        self.departure = Some(Departure { then, deadline, is_finished });
        self.finish_when_sent();
    }

    fn give_up_departure(&mut self) {
        if let Some(departure) = self.departure.take() {
            self.actions.push_back(Action::Leave(departure.then));
        }
    }
}
