//! Everything a person at the client sits in front of, as one pure state machine.
//!
//! In: keys, lines of the server, the fate of the connection, the time. Out: [`Action`]s for the
//! loop, and what to write to the terminal. It knows of no socket, no descriptor and no clock.

mod input_kind;
mod key_handling;
mod link;
mod paste;
mod server_lines;
mod submit;

use std::collections::VecDeque;
use std::mem;

use jiff::Zoned;

use super::backoff::{Backoff, CountDown};
use super::client_state::ClientState;
use super::color::{Paint, Palette};
use super::completion::Known;
use super::editor::Editor;
use super::input_history::InputHistory;
use super::prompt::Prompt;
use super::screen::{Screen, Typed};
use super::server_line::ServerLine;
use super::transcript::Transcript;
use crate::client::options::{Bell, Server};
use crate::core::limits::QUOTED_LINES_MAX;
use crate::core::time::Time;
use link::Link;

pub(in crate::client) use link::cannot_connect;

const RING: char = '\x07';

/// What the state_machine wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Send this line, without its ending.
    Send(String),
    /// Try to connect.
    Connect,
    /// Stop, as Ctrl-Z asks, until a shell continues the client.
    Suspend,
    /// End the client.
    Leave(Leaving),
}

/// How the client ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Leaving {
    /// As the person wished.
    Wished,
    /// For this reason.
    Failed(String),
}

/// What a state_machine is set up with.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The server that is connected to.
    pub server: Server,
    /// Colours, or none.
    pub palette: Palette,
    /// The time of day stands before what is said.
    pub timestamps: bool,
    /// What rings the bell.
    pub bell: Bell,
    /// Connect again after a loss.
    pub reconnects: bool,
    /// The username to take.
    pub name: Option<String>,
    /// Where the chance in waiting times comes from.
    pub seed: u64,
    /// Columns of the terminal.
    pub columns: u16,
}

/// The person's side of the conversation.
#[derive(Debug)]
pub struct StateMachine {
    setup: Setup,
    link: Link,
    state: ClientState,
    screen: Screen,
    transcript: Transcript,
    /// Lines for the transcript that are not on the terminal yet.
    arrived: Vec<String>,
    /// The bell is to be rung.
    rings: bool,
    actions: VecDeque<Action>,

    editor: Editor,
    history: InputHistory,
    known: Known,
    /// Where the line being typed was begun.
    begun_at: ClientState,
    /// Asked by the client itself, and answered with a key.
    asking: Option<Asking>,
    /// The line that was being typed when the username had to be given again, and where it was
    /// begun.
    set_aside: Option<(String, ClientState)>,
    /// Lines that a lost connection took before they were sent.
    unsent: Vec<String>,
    /// The room that a lost connection took the person out of.
    lost_room: Option<String>,

    /// The person's username.
    me: Option<String>,
    /// The last line refused something, so the choices are worth seeing again.
    refused: bool,
    /// The menu, as the server put it last.
    menu: String,
    /// Something was sent after the server's last line, and may never have arrived.
    unanswered: bool,
    backoff: Backoff,
    /// The wait that a key has cut short already.
    hurried: Option<CountDown>,
    /// Why connecting failed last, to be said once.
    failure: String,
}

/// What the client itself asks.
#[derive(Debug)]
enum Asking {
    /// Whether to leave.
    Leave,
    /// Whether to send these lines here.
    Send { lines: Vec<String>, pasted: bool },
}

impl StateMachine {
    /// A state_machine at which the first connection is being made.
    #[must_use]
    pub fn new(setup: Setup) -> StateMachine {
        StateMachine {
            link: Link::Connecting { again: false, waiting: None },
            hurried: None,
            state: ClientState::Nowhere,
            screen: Screen::new(setup.palette, setup.columns),
            transcript: Transcript::new(setup.palette, setup.timestamps),
            arrived: Vec::new(),
            rings: false,
            actions: VecDeque::from([Action::Connect]),
            editor: Editor::default(),
            history: InputHistory::default(),
            known: Known::default(),
            begun_at: ClientState::Nowhere,
            asking: None,
            set_aside: None,
            unsent: Vec::new(),
            lost_room: None,
            me: None,
            refused: false,
            menu: String::new(),
            unanswered: false,
            backoff: Backoff::new(setup.seed),
            failure: String::new(),
            setup,
        }
    }

    /// The next thing to do.
    pub fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// Milliseconds until [`StateMachine::handle_timeout`] has something to do; `None` while there is
    /// nothing to wait for, which is always while connected.
    #[must_use]
    pub fn poll_timeout(&self, now: Time) -> Option<u64> {
        match self.link {
            Link::Lost(Some(wait)) => Some(wait.ms_to_next_second(now)),
            Link::Lost(None) | Link::Connecting { .. } | Link::Up { .. } => None,
        }
    }

    /// What to write to the terminal, so that it shows everything that has happened.
    pub fn draw(&mut self, now: Time, out: &mut String) {
        let prompt = self.prompt(now);
        let (before, after) = match self.asking {
            Some(_) => ("", ""),
            None => (self.editor.before(), self.editor.after()),
        };
        let typed = Typed { prompt: &prompt, before, after };
        self.screen.draw(&mem::take(&mut self.arrived), typed, out);
        if mem::take(&mut self.rings) {
            out.push(RING);
        }
    }

    /// What to write to the terminal when it is left, for a while or for good.
    pub fn draw_last(&mut self, out: &mut String) {
        self.screen.rub_out(out);
        for line in self.arrived.drain(..) {
            out.push_str(&line);
            out.push_str("\r\n");
        }
    }

    /// What the person's clock shows, for timestamps and for the past of rooms.
    pub fn set_clock(&mut self, clock: Zoned) {
        self.transcript.set_clock(clock);
    }

    /// The terminal has changed its size.
    pub fn handle_resize(&mut self, columns: u16) {
        self.screen.resize(columns);
    }

    /// The terminal is ours again, after others wrote to it and perhaps changed its size.
    pub fn handle_return(&mut self, columns: u16) {
        self.screen.disturb(columns);
    }

    /// A question of ours was about a state that is no more.
    fn void_question(&mut self) {
        if let Some(Asking::Send { .. }) = self.asking.take() {
            self.notice("Nothing was sent: you are elsewhere now");
        }
    }

    fn prompt(&self, now: Time) -> Prompt {
        match (&self.asking, &self.link) {
            (Some(Asking::Leave), _) => Prompt::new("Leave? y/n", Paint::StopNotice),
            (Some(Asking::Send { lines, .. }), _) => {
                let lines = count(lines.len(), "line");
                let question = format!("Send {lines} to {}? y/n", self.state.recipient());
                Prompt::new(&question, Paint::StopNotice)
            }
            (None, Link::Lost(Some(wait))) => {
                let seconds = wait.seconds(now);
                let label = format!("{seconds} s to reconnect");
                Prompt::new(&label, Paint::StopNotice).or_short(&format!("{seconds} s"))
            }
            (None, Link::Lost(None)) => Prompt::new("not connected", Paint::StopNotice),
            (None, Link::Connecting { .. }) => Prompt::new("connecting", Paint::StopNotice),
            (None, Link::Up { .. }) => self.state.prompt(),
        }
    }

    fn show(&mut self, said: &ServerLine<'_>) {
        self.arrived.push(self.transcript.said(said));
    }

    /// Shows lines that are not part of the conversation: the last ones, if they are many.
    fn quote(&mut self, lines: &[String]) {
        let hidden = lines.len().saturating_sub(QUOTED_LINES_MAX);
        if hidden > 0 {
            self.notice(&format!("{} before these:", count(hidden, "line")));
        }
        for line in &lines[hidden..] {
            self.arrived.push(self.transcript.quote(line));
        }
    }

    fn notice(&mut self, text: &str) {
        self.arrived.push(self.transcript.notice(text));
    }
}

/// So many of something, in words.
fn count(number: usize, what: &str) -> String {
    match number {
        1 => format!("1 {what}"),
        _ => format!("{number} {what}s"),
    }
}

#[cfg(test)]
mod tests;
