//! What the state machine draws: the new lines of the transcript, the prompt, the input line.
//!
//! The event loop calls [`StateMachine::draw`] once per turn. Nothing here decides what a line says;
//! `transcript` has formatted it, and `screen` makes the bytes.

use std::mem;

use super::StateMachine;
use crate::client::ui::screen::Typed;
use crate::client::ui::wrap::wrap;
use crate::core::time::Time;

impl StateMachine {
    /// Appends to `out` the text that brings the terminal up to date; nothing if nothing changed.
    pub fn draw(&mut self, now: Time, out: &mut String) {
        self.now = now;
        // Lines wait while the terminal's width changes: nobody knows where they would go.
        if self.screen.settle(now, out) {
            return self.notifier.draw(now, out);
        }
        let prompt = self.prompt(now);
        let arrived = self.take_arrived();
        // During a confirmation the draft is hidden: Enter and letters do not belong to it.
        let found;
        let (before, after) = match (&self.confirmation, &self.search) {
            (Some(_), _) => ("", ""),
            (None, _) if self.departure.is_some() => ("", ""),
            (None, Some(search)) => {
                found = format!(": {}", search.found(&self.history).unwrap_or("nothing found"));
                (search.query(), &*found)
            }
            (None, None) if self.is_secret() => ("", ""),
            (None, None) => (self.editor.before(), self.editor.after()),
        };
        let typed = Typed { prompt: &prompt, before, after };
        self.screen.draw(&arrived, typed, out);
        self.notifier.draw(now, out);
    }

    /// Appends to `out` the text that erases the prompt and prints the lines still pending. The
    /// loop calls this before the client stops or ends.
    pub fn draw_last(&mut self, out: &mut String) {
        self.screen.rub_out(out);
        for line in self.take_arrived() {
            out.push_str(&line);
            out.push_str("\r\n");
        }
    }

    /// Starts to collect the conversation for a file. See [`StateMachine::take_log`].
    pub fn start_log(&mut self) {
        self.log.start();
    }

    /// Returns what the file of the log does not hold yet.
    pub fn take_log(&mut self) -> String {
        self.log.take()
    }

    /// Tells the user that the file took no more. What was said since then is on the screen only.
    pub fn handle_log_failure(&mut self, reason: &str) {
        self.log.stop();
        self.notice(&format!("The log ends here: {reason}"));
    }

    /// Takes the lines that are not drawn yet, with a line for a new day before them. The client
    /// needs no timer for midnight: the date is of use only once there is a line after it.
    fn take_arrived(&mut self) -> Vec<String> {
        let mut arrived = mem::take(&mut self.pending_lines);
        if !arrived.is_empty()
            && let Some(date) = self.transcript.new_day()
        {
            arrived.insert(0, date);
        }
        if self.setup.wrap {
            let columns = self.screen.columns();
            arrived.iter_mut().for_each(|line| *line = wrap(line, columns));
        }
        arrived
    }
}
