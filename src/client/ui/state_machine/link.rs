//! How the state machine handles changes of the connection: open, failed, lost, retried.
//!
//! The event loop reports each change here. Two rules hold: a line goes over no other connection
//! than the one it was typed for, and the user learns about every line that may be lost.

use crate::client::ui::client_state::ClientState;
use std::mem;

use super::{Action, Leaving, StateMachine, count};
use crate::client::options::Server;
use crate::client::ui::backoff::CountDown;
use crate::client::ui::sending::{Lost, Place, Proof, Unproven};
use crate::core::limits::{GREETING_MS, WAITING_BYTES_MAX};
use crate::core::time::Time;

/// The state of the connection, as the prompt shows it.
#[derive(Debug)]
pub(super) enum Link {
    /// An attempt to connect is under way.
    Connecting {
        /// False only for the very first attempt. A failure of that attempt ends the client: the
        /// address is most likely wrong, and a retry would hide that.
        is_retry: bool,
        /// The wait that a key has cut short. If the attempt fails, this wait goes on. Otherwise
        /// each impatient key would lengthen the waits.
        remaining_wait: Option<CountDown>,
    },
    /// The connection is open.
    Up {
        /// The client has already sent the username on its own. If the server asks once more, it
        /// has refused the name, and sending it again would loop.
        name_tried: bool,
        /// The server has said goodbye: the end of this connection is no loss.
        said_goodbye: bool,
        /// When a chinwag server would have asked for a username; `None` once it has.
        greeting_due: Option<Time>,
    },
    /// Nobody vouches for the server's certificate, and the user is asked about it.
    Untrusted { fingerprint: String },
    /// There is no connection. The next attempt starts after the wait, if there is a wait, or at a
    /// key.
    Lost(Option<CountDown>),
}

impl StateMachine {
    /// Does what is due at `now`. The loop calls this in every turn, so an early call must be
    /// harmless.
    pub fn handle_timeout(&mut self, now: Time) {
        self.now = now;
        self.check_departure(now);
        self.check_return(now);
        self.check_greeting(now);
        if let Link::Lost(Some(wait)) = self.link
            && wait.is_over(now)
        {
            self.connect();
        }
    }

    /// Handles an open connection. The session starts anew: the server asks for a username.
    pub fn handle_connected(&mut self) {
        if let Link::Connecting { is_retry: true, .. } = self.link {
            self.notice("Connected again");
        }
        self.last_failure.clear();
        self.is_password_sent = false;
        let greeting_due = Some(self.now.after_ms(GREETING_MS));
        self.link = Link::Up { name_tried: false, said_goodbye: false, greeting_due };
    }

    /// Handles a failed attempt to connect: ends the client at the first attempt, else waits.
    pub fn handle_failure(&mut self, reason: &str, now: Time) {
        if let Link::Connecting { is_retry: false, .. } = self.link {
            let failed = cannot_connect(&self.setup.server, reason);
            self.actions.push_back(Action::Leave(Leaving::Failed(failed)));
            return;
        }
        if self.last_failure != reason {
            self.notice(&format!("Still not connected: {reason}"));
            reason.clone_into(&mut self.last_failure);
        }
        let wait = match self.link {
            Link::Connecting { remaining_wait: Some(wait), .. } if !wait.is_over(now) => wait,
            _ => self.backoff.next(now),
        };
        self.link = Link::Lost(Some(wait));
    }

    /// Handles the end of an open connection. `unsent` holds the lines that the kernel has not
    /// taken.
    pub fn handle_loss(&mut self, reason: &str, unsent: Vec<String>, now: Time) {
        self.now = now;
        self.guard_secret(&ClientState::Nowhere);
        let state = mem::take(&mut self.state);
        self.cancel_confirmation();
        let unsent = unsent.len() + self.take_back_unsent();
        let lost = self.sending.take_lost(unsent);
        let wished_to_leave = |place| {
            lost.uncertain.iter().any(|line| line.proof == Proof::Reply { leaves: Some(place) })
        };
        let has_gone = wished_to_leave(Place::Server) || self.said_goodbye();
        let has_left = wished_to_leave(Place::Conversation);
        if self.departure.is_some() || has_gone {
            let is_done = lost == Lost::default() || has_gone;
            self.show_lost(lost);
            if !self.end_departure(reason, is_done) {
                self.actions.push_back(Action::Leave(Leaving::Wished));
            }
            return;
        }
        self.notice(&format!("Connection lost: {reason}"));
        self.keep_lost(lost, &state.recipient());
        self.plan_return(state, has_left);
        if !self.setup.reconnects {
            let lost = format!("the connection was lost: {reason}");
            self.actions.push_back(Action::Leave(Leaving::Failed(lost)));
        } else if self.was_removed {
            self.notice("Enter on an empty line connects again");
            self.link = Link::Lost(None);
        } else if self.username.is_some() {
            self.notice("Reconnecting; press any key to try now");
            self.link = Link::Lost(Some(self.backoff.next(now)));
        } else {
            // Without a username there is no session to restore. A server that closes because no
            // username came in time would make the client reconnect for ever.
            self.notice("A key connects again");
            self.link = Link::Lost(None);
        }
    }

    /// The server has asked for a username.
    pub(super) fn handle_greeting(&mut self) {
        if let Link::Up { greeting_due, .. } = &mut self.link {
            *greeting_due = None;
        }
    }

    /// Tells the user once if the server is most likely no chinwag server.
    fn check_greeting(&mut self, now: Time) {
        if let Link::Up { greeting_due: due @ Some(_), .. } = &mut self.link
            && due.is_some_and(|due| due <= now)
        {
            *due = None;
            self.notice(&not_chinwag(&self.setup.server));
        }
    }

    fn said_goodbye(&self) -> bool {
        matches!(self.link, Link::Up { said_goodbye: true, .. })
    }

    /// Drops lines that the loop has not fetched yet, and returns their number. The next connection
    /// must not carry them: its first prompt would take a line for a username.
    fn take_back_unsent(&mut self) -> usize {
        let actions = self.actions.len();
        self.actions.retain(|action| !matches!(action, Action::Send(_) | Action::Finish));
        actions - self.actions.len()
    }

    /// Shows the lines that nobody may have read.
    pub(super) fn show_lost(&mut self, lost: Lost) {
        let lines = |lines: Vec<Unproven>| lines.into_iter().map(|line| line.line).collect();
        let uncertain: Vec<String> = lines(lost.uncertain);
        for (title, lines) in [("May not have arrived", uncertain), ("Not sent", lost.unsent)] {
            if !lines.is_empty() {
                self.notice(&format!("{title}: {}", count(lines.len(), "line")));
                self.quote(&lines);
            }
        }
    }

    /// Shows the lines of a lost connection and keeps them, to offer them after the next login.
    fn keep_lost(&mut self, mut lost: Lost, recipient: &str) {
        // The end of the connection has left the chat or the room, as the user wished.
        lost.uncertain.retain(|line| !is_leaving(line));
        for line in &lost.uncertain {
            let echo = match &line.proof {
                Proof::Echo(echo) => Some(echo.clone()),
                Proof::Delivery | Proof::Reply { .. } => None,
            };
            self.history.push(&line.line);
            let unsent = UnsentLine { line: line.line.clone(), echo, is_uncertain: true };
            self.unsent.insert(unsent, recipient);
        }
        for line in &lost.unsent {
            self.history.push(line);
            self.unsent.add(line.clone(), recipient);
        }
        self.limit_unsent();
        self.show_lost(lost);
    }

    /// Shows unsent lines and keeps them, in the input history as well: the user decides about them.
    pub(super) fn keep_unsent(&mut self, lines: Vec<String>, recipient: &str) {
        self.keep_as("Not sent", lines, recipient);
    }

    /// The same, with another word for what happened to the lines.
    pub(super) fn keep_as(&mut self, title: &str, lines: Vec<String>, recipient: &str) {
        if lines.is_empty() {
            return;
        }
        let number = count(lines.len(), "line");
        self.notice(&format!("{title}: {number}; arrow-up on an empty line offers them"));
        self.quote(&lines);
        for line in lines {
            self.history.push(&line);
            self.unsent.add(line, recipient);
        }
        self.limit_unsent();
    }

    /// Gives up the oldest unsent lines if there are too many, and says so.
    fn limit_unsent(&mut self) {
        let given_up = self.unsent.limit();
        if given_up > 0 {
            let lines = count(given_up, "line");
            self.notice(&format!("No longer offered, the oldest unsent: {lines}"));
        }
    }

    /// Reminds the user of the lines that were not sent.
    pub(super) fn offer_unsent(&mut self) {
        if !self.unsent.is_empty() {
            let lines = self.unsent.describe();
            self.notice(&format!("{lines}: arrow-up on an empty line offers them"));
        }
    }

    /// Starts an attempt to reconnect.
    pub(super) fn connect(&mut self) {
        let remaining_wait = match self.link {
            Link::Lost(wait) => wait,
            Link::Connecting { .. } | Link::Untrusted { .. } | Link::Up { .. } => None,
        };
        self.link = Link::Connecting { is_retry: true, remaining_wait };
        self.actions.push_back(Action::Connect);
    }
}

fn is_leaving(line: &Unproven) -> bool {
    matches!(line.proof, Proof::Reply { leaves: Some(_) })
}

/// A line that may have reached nobody.
#[derive(Debug)]
struct UnsentLine {
    line: String,
    /// The text of its echo, if it may have been said in a room.
    echo: Option<String>,
    /// It may have arrived.
    is_uncertain: bool,
}

/// Lines that may have reached nobody.
#[derive(Debug, Default)]
pub(super) struct Unsent {
    lines: Vec<UnsentLine>,
    /// For whom the lines were typed, in words.
    recipient: String,
}

impl Unsent {
    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.lines.len()
    }

    /// For whom the lines were typed, in words.
    pub(super) fn recipient(&self) -> &str {
        &self.recipient
    }

    /// Takes all lines.
    pub(super) fn take(&mut self) -> Vec<String> {
        self.lines.drain(..).map(|unsent| unsent.line).collect()
    }

    /// Puts lines back before the others.
    pub(super) fn put_back(&mut self, lines: Vec<String>) {
        let unsent = |line| UnsentLine { line, echo: None, is_uncertain: true };
        self.lines.splice(..0, lines.into_iter().map(unsent));
    }

    /// The room has said a message with this text: its line is not offered again.
    pub(super) fn handle_said(&mut self, text: &str) {
        let is_said = |unsent: &UnsentLine| unsent.echo.as_deref() == Some(text);
        if let Some(at) = self.lines.iter().position(is_said) {
            self.lines.remove(at);
        }
    }

    /// Removes the oldest lines beyond the limit, and returns their number.
    fn limit(&mut self) -> usize {
        let (mut bytes, mut kept) = (0, 0);
        for unsent in self.lines.iter().rev() {
            bytes += unsent.line.len();
            if bytes > WAITING_BYTES_MAX {
                break;
            }
            kept += 1;
        }
        self.lines.drain(..self.lines.len() - kept).count()
    }

    /// The lines in words, with a verb.
    pub(super) fn describe(&self) -> String {
        let lines = count(self.lines.len(), "line");
        match self.lines.iter().any(|unsent| unsent.is_uncertain) {
            true => format!("{lines} may not have arrived"),
            false => format!("{lines} not sent"),
        }
    }

    /// Adds a line that was never sent.
    fn add(&mut self, line: String, recipient: &str) {
        self.insert(UnsentLine { line, echo: None, is_uncertain: false }, recipient);
    }

    fn insert(&mut self, unsent: UnsentLine, recipient: &str) {
        match self.lines.is_empty() || self.recipient == recipient {
            true => recipient.clone_into(&mut self.recipient),
            false => "different people".clone_into(&mut self.recipient),
        }
        self.lines.push(unsent);
    }
}

/// The notice about a peer that does not behave like a chinwag server. The pipe prints it, too.
pub(in crate::client) fn not_chinwag(server: &Server) -> String {
    format!("{server} does not look like chinwag: it asks for no name")
}

/// The error message of a failed attempt. The pipe prints the same message.
pub(in crate::client) fn cannot_connect(server: &Server, reason: &str) -> String {
    format!("cannot connect to {server}: {reason}")
}
