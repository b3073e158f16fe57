//! The terminal client's decisions, as one pure state machine.
//!
//! In: keys, server lines, changes of the connection, the time. Out: [`Action`]s for the event loop
//! and text for the terminal. The event loop in `client::io` is the only caller. This module knows
//! no socket, no descriptor and no clock, so a test needs none of them either.

mod completing;
mod departure;
mod input_kind;
mod keeping_name;
mod key_handling;
mod link;
mod local_commands;
mod long_text;
mod output;
mod password;
mod paste;
mod proof;
mod room_return;
mod searching;
mod sending_prompt;
mod server_lines;
mod submit;
mod trusting;

use std::collections::VecDeque;

use jiff::Zoned;

use super::backoff::{Backoff, CountDown};
use super::chat_log::ChatLog;
use super::client_state::ClientState;
use super::color::{Paint, Palette};
use super::editor::Editor;
use super::history_search::HistorySearch;
use super::input_history::InputHistory;
use super::known_names::Known;
use super::missed::SeenLines;
use super::notifier::Notifier;
use super::privacy::Privacy;
use super::prompt::Prompt;
use super::screen::Screen;
use super::sending::Sending;
use super::server_line::ServerLine;
use super::transcript::Transcript;
use crate::client::options::{Bell, Notify, Server};
use crate::core::limits::{ECHO_SHOWN_MS, QUOTED_LINES_MAX};
use crate::core::time::Time;
use completing::Repeated;
use departure::Departure;
use link::{Link, Unsent};
use room_return::RoomReturn;

pub(in crate::client) use link::{cannot_connect, not_chinwag};

/// What the event loop must do for the state machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Send this line. The loop adds the line ending.
    Send(String),
    /// Ask whether the server is there (telnet AYT, 2.2.3), then end our half of the connection: the
    /// server answers everything that was sent before (2.1.6).
    Finish,
    /// Start to connect.
    Connect,
    /// Trust the certificate with this fingerprint from now on.
    Trust(String),
    /// Stop the process for Ctrl-Z, until the shell continues it.
    Suspend,
    /// End the client.
    Leave(Leaving),
}

/// Why the client ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Leaving {
    /// The user asked to leave, or the server said goodbye. The exit code is 0.
    Wished,
    /// Something failed. The text is ready to print, and the exit code is 1.
    Failed(String),
    /// A signal with this number ends the client. The exit code is 128 more.
    Signal(i32),
}

/// The options of a state machine. They never change after the start.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The server, for error messages.
    pub server: Server,
    /// Whether to use colours.
    pub palette: Palette,
    /// Show the time of day before messages and news.
    pub timestamps: bool,
    /// Wrap lines at words.
    pub wrap: bool,
    /// When to ring the bell.
    pub bell: Bell,
    /// How else to tell the user of a request or a message.
    pub notify: Vec<Notify>,
    /// Reconnect after the connection is lost.
    pub reconnects: bool,
    /// The username to send at the first prompt for a name.
    pub name: Option<String>,
    /// No other username may be sent, and the client must not be stopped: somebody else has started
    /// it, and vouches for the user's name.
    pub keeps_name: bool,
    /// Seed of the random waits between reconnects.
    pub seed: u64,
    /// The width of the terminal in columns; 0 if unknown.
    pub columns: u16,
}

/// Everything the client remembers between two events.
#[derive(Debug)]
pub struct StateMachine {
    setup: Setup,
    /// The state of the connection.
    link: Link,
    /// What the user was told about the connection last.
    privacy: Option<Privacy>,
    /// The state of the session on that connection.
    state: ClientState,
    screen: Screen,
    transcript: Transcript,
    log: ChatLog,
    /// Lines of the transcript that are not drawn yet. Many lines of one turn cost one drawing.
    pending_lines: Vec<String>,
    notifier: Notifier,
    actions: VecDeque<Action>,

    editor: Editor,
    history: InputHistory,
    known: Known,
    /// The search of Ctrl-R, while it is under way.
    search: Option<HistorySearch>,
    /// What the next Tab or Alt-. goes on with.
    repeated: Option<Repeated>,
    /// The state in which the user started the draft, which is the line in the editor. Enter in
    /// another state first warns: a private line must not go to the wrong recipients.
    draft_state: ClientState,
    /// A question from the client itself. A single key answers it, without Enter.
    confirmation: Option<Confirmation>,
    /// When a character was typed last, unless Enter followed it.
    typed_at: Option<Time>,
    /// The draft, with its `draft_state`, that had to make room for a refused username.
    saved_draft: Option<(String, ClientState)>,
    /// Lines that are on their way, and lines that wait.
    sending: Sending,
    /// Lines that may have reached nobody. They are offered again, never sent unasked.
    unsent: Unsent,
    /// The user wants to leave, and lines are still on their way.
    departure: Option<Departure>,
    /// The room to return to after a lost connection.
    room_return: Option<RoomReturn>,
    /// The lines of the room that the user has seen.
    seen: SeenLines,
    /// The user has just entered a room, and its history follows.
    has_just_entered: bool,

    /// The username that the server has accepted, if it has accepted one.
    username: Option<String>,
    /// The last server line was a refusal. The menu is shown again after a refusal, because the
    /// user needs to see the choices.
    last_was_error: bool,
    /// The text of the server's last menu.
    menu: String,
    /// The last server line was a row of a list.
    last_was_row: bool,
    /// The partner does not read, so the server holds the lines that it receives (7.37).
    is_partner_stalled: bool,
    /// The last text did not fit into the line.
    is_line_full: bool,
    /// A password is on its way, and the server has not replied.
    is_password_sent: bool,
    /// An operator has removed the user. Only Enter on an empty line connects again.
    was_removed: bool,
    /// The time of the loop's present turn.
    now: Time,
    backoff: Backoff,
    /// The wait that a key has already cut short. Only Enter cuts the same wait short again.
    shortened_wait: Option<CountDown>,
    /// The reason of the last failed attempt. The same reason is not shown twice in a row.
    last_failure: String,
}

/// A question from the client itself.
#[derive(Debug)]
enum Confirmation {
    /// Leave?
    Leave,
    /// Leave the chat or the room with this command, and drop the waiting lines?
    DropWaiting { command: String },
    /// Send these lines in the present state?
    Send { lines: Vec<String>, source: Source },
}

/// Where lines come from that need a confirmation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    /// A paste. The lines must not become commands.
    Paste,
    /// A draft that is too long for one line, with what was pasted into it. It stays in the editor
    /// until the parts are sent.
    Draft,
    /// Lines that were not sent before.
    Unsent,
}

impl StateMachine {
    /// Creates a state machine. Its first action is [`Action::Connect`].
    #[must_use]
    pub fn new(setup: Setup) -> StateMachine {
        StateMachine {
            link: Link::Connecting { is_retry: false, remaining_wait: None },
            privacy: None,
            state: ClientState::Nowhere,
            screen: Screen::new(setup.palette, setup.columns),
            transcript: Transcript::new(setup.palette, setup.timestamps),
            log: ChatLog::default(),
            pending_lines: Vec::new(),
            notifier: Notifier::new(setup.bell, setup.notify.clone()),
            actions: VecDeque::from([Action::Connect]),
            editor: Editor::default(),
            history: InputHistory::default(),
            known: Known::default(),
            search: None,
            repeated: None,
            draft_state: ClientState::Nowhere,
            confirmation: None,
            typed_at: None,
            saved_draft: None,
            sending: Sending::default(),
            unsent: Unsent::default(),
            departure: None,
            room_return: None,
            seen: SeenLines::default(),
            has_just_entered: false,
            username: None,
            last_was_error: false,
            menu: String::new(),
            last_was_row: false,
            is_partner_stalled: false,
            is_line_full: false,
            is_password_sent: false,
            was_removed: false,
            now: Time::START,
            backoff: Backoff::new(setup.seed),
            shortened_wait: None,
            last_failure: String::new(),
            setup,
        }
    }

    /// Takes the next action. The loop calls this until it returns `None`.
    pub fn poll_action(&mut self) -> Option<Action> {
        while let Some(action) = self.actions.pop_front() {
            match action {
                Action::Send(line) if self.would_rename(&line) => {
                    self.keep_unsent(vec![line], "nobody");
                }
                action => return Some(action),
            }
        }
        None
    }

    /// Milliseconds until [`StateMachine::handle_timeout`] is due or the prompt changes. `None`
    /// means that no timer runs: an open connection on which no line is on its way needs none,
    /// unless the size of the terminal is changing.
    #[must_use]
    pub fn poll_timeout(&self, now: Time) -> Option<u64> {
        [self.poll_link_timeout(now), self.screen.poll_timeout(now)].into_iter().flatten().min()
    }

    fn poll_link_timeout(&self, now: Time) -> Option<u64> {
        let deadlines = match self.link {
            Link::Lost(Some(wait)) => return Some(wait.ms_to_next_second(now)),
            Link::Lost(None) | Link::Connecting { .. } | Link::Untrusted { .. } => return None,
            Link::Up { greeting_due, .. } => [
                greeting_due,
                self.pending_due(now),
                self.sending.is_stuck().then(|| now.after_ms(ECHO_SHOWN_MS)),
                self.departure.as_ref().and_then(|departure| departure.deadline),
                self.room_return.as_ref().and_then(RoomReturn::deadline),
            ],
        };
        deadlines.into_iter().flatten().map(|due| due.ms_since(now)).min()
    }

    /// Sets the monotonic time of the keys and lines of a turn.
    pub fn set_now(&mut self, now: Time) {
        self.now = now;
        self.notifier.set_now(now);
    }

    /// Sets the local time, for timestamps and for the history of rooms.
    pub fn set_clock(&mut self, clock: Zoned) {
        self.log.set_clock(&clock);
        self.transcript.set_clock(clock);
    }

    /// Handles a change of the terminal's width.
    pub fn handle_resize(&mut self, columns: u16) {
        self.screen.resize(columns, self.now);
    }

    /// Handles the return from a stop. The shell has written to the terminal, so the screen must
    /// be drawn afresh.
    pub fn handle_return(&mut self, columns: u16) {
        self.screen.disturb(columns);
    }

    /// Drops a confirmation to send lines, because its state is gone. "y" would now send the lines
    /// to other recipients.
    fn cancel_confirmation(&mut self) {
        if let Some(Confirmation::Send { lines, source }) = self.confirmation.take() {
            self.notice("Nothing was sent: you are elsewhere now");
            if source == Source::Unsent {
                self.unsent.put_back(lines);
            }
        }
    }

    /// The prompt of the most urgent matter: a confirmation, the connection, then the session.
    fn prompt(&self, now: Time) -> Prompt {
        if let Some(prompt) = self.departure_prompt() {
            return prompt;
        }
        if self.search.is_some() {
            return Prompt::new("search", Paint::Notice);
        }
        match (&self.confirmation, &self.link) {
            (Some(confirmation), _) => self.question(confirmation),
            (None, Link::Lost(Some(wait))) => {
                let seconds = wait.seconds(now);
                let label = format!("{seconds} s to reconnect");
                Prompt::new(&label, Paint::Notice).or_short(&format!("{seconds} s"))
            }
            (None, Link::Lost(None)) => {
                Prompt::new("not connected", Paint::Notice).or_short("lost")
            }
            (None, Link::Connecting { .. }) => {
                Prompt::new("connecting", Paint::Notice).or_short("wait")
            }
            (None, Link::Untrusted { .. }) => {
                Prompt::new("Trust it? yes or no", Paint::Notice).or_short("yes or no")
            }
            (None, Link::Up { .. }) => self.sending_prompt(now),
        }
    }

    /// Adds a server line to the transcript.
    fn show(&mut self, line: &ServerLine<'_>) {
        self.pending_lines.push(self.transcript.said(line));
    }

    /// Shows lines that were not sent. Only the last `QUOTED_LINES_MAX` are shown, so that a huge
    /// paste does not push the conversation off the screen.
    fn quote(&mut self, lines: &[String]) {
        let hidden = lines.len().saturating_sub(QUOTED_LINES_MAX);
        if hidden > 0 {
            self.notice(&format!("… {} not shown", count(hidden, "earlier line")));
        }
        for line in &lines[hidden..] {
            self.log.add_notice(&format!("  | {line}"));
            self.pending_lines.push(self.transcript.quote(line));
        }
    }

    /// Adds a line from the client itself to the transcript.
    fn notice(&mut self, text: &str) {
        self.log.add_notice(text);
        self.pending_lines.push(self.transcript.notice(text));
    }
}

/// A number with its noun, in the plural unless the number is 1.
fn count(number: usize, noun: &str) -> String {
    match number {
        1 => format!("1 {noun}"),
        _ => format!("{number} {noun}s"),
    }
}

#[cfg(test)]
mod tests;
