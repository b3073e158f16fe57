//! The server's side of the helper process for accounts: one more source in the poll.
//!
//! Questions of sessions and operators wait in a queue (`queue.rs`); the helper has one at a time.
//! When it dies, everybody who waits is told so, and another one starts (7.95). The loop calls
//! [`Server::serve_accounts`] once per turn, and never waits for the helper.

mod commands;
mod process;
mod queue;

use std::io;
use std::path::PathBuf;

use log::{info, warn};
use mio::{Registry, Token};

use super::console::FIRST_CONSOLE;
use super::{Server, StateFolder, operator_commands};
use crate::accounts::wire::Reply;
use crate::core::Origin;
use crate::core::accounts::{
    AccountAnswer, AccountChange, AccountFailure, AccountPolicy, AccountRequest, AccountTask,
    RequestNumber,
};
use crate::core::chat::Name;
use crate::core::limits::{HELPER_ANSWER_MS, HELPER_RESTART_MS, HELPER_RESTART_MS_MAX, Limits};
use crate::core::operator::AnswerFormat;
use crate::core::recording::Recorded;
use crate::core::time::Time;
use process::Process;
use queue::Queue;

/// The poll token of the helper: below those of the consoles, far above those of connections.
pub(super) const HELPER: Token = Token(FIRST_CONSOLE - 1);

/// The accounts, as far as the loop deals with them.
#[derive(Debug)]
pub(super) struct Accounts {
    folder: PathBuf,
    /// The helper; `None` until `restart_at`.
    process: Option<Process>,
    /// The names that a new helper has said so far; `None` when it takes questions.
    names: Option<Vec<Name>>,
    /// When to start a helper.
    restart_at: Option<Time>,
    /// When the helper must have answered, or be ready.
    answer_by: Option<Time>,
    /// Failures since the last answer.
    failures: u32,
    /// An event reported the socket.
    is_ready: bool,
    queue: Queue<Question>,
    /// Who asked the open question, and whether it is a sign-in.
    open: Option<(Asker, bool)>,
    pub(super) counts: Counts,
    /// Accounts at the start.
    count: usize,
}

/// For the metrics.
#[derive(Debug, Default)]
pub(super) struct Counts {
    /// Passwords that were right.
    pub(super) right: u64,
    /// Passwords that were wrong.
    pub(super) wrong: u64,
    /// Questions that the full queue did not take.
    pub(super) full: u64,
    /// Helpers that died.
    pub(super) deaths: u64,
}

#[derive(Debug)]
struct Question {
    asker: Asker,
    task: AccountTask,
}

/// Who gets an answer.
#[derive(Debug)]
enum Asker {
    Session(RequestNumber),
    Operator { console: operator_commands::Asker, format: AnswerFormat, change: AccountChange },
}

impl Accounts {
    /// Starts the helper, and tells the exchange which accounts there are. `None` if the server keeps
    /// no accounts.
    ///
    /// # Errors
    /// The store cannot be used.
    pub(super) fn open(
        state: Option<&StateFolder>,
        limits: &Limits,
        exchange: &mut Recorded,
        registry: &Registry,
    ) -> io::Result<Option<Accounts>> {
        let state = match (limits.accounts, state) {
            (AccountPolicy::Required, None) => {
                return Err(io::Error::other("--accounts required needs --state DIR"));
            }
            (AccountPolicy::Off, _) | (AccountPolicy::Optional, None) => return Ok(None),
            (AccountPolicy::Optional | AccountPolicy::Required, Some(state)) => state,
        };
        let folder = state.accounts()?;
        let mut process = Process::start(&folder)?;
        let texts = process.first_names()?;
        process.register(registry, HELPER)?;
        exchange.start_accounts();
        let names = texts.iter().filter_map(|text| parsed(text)).collect::<Vec<_>>();
        let path = folder.display();
        let count = names.len();
        for name in names {
            if !exchange.load_account(name.clone()) {
                warn!(target: "chinwag", "accounts in {path}: {name} looks like another and is ignored");
            }
        }
        Ok(Some(Accounts {
            folder,
            process: Some(process),
            names: None,
            restart_at: None,
            answer_by: None,
            failures: 0,
            is_ready: false,
            queue: Queue::default(),
            open: None,
            counts: Counts::default(),
            count,
        }))
    }

    /// Logs the start, once nothing else can fail.
    pub(super) fn log_start(&self) {
        let (folder, helper) =
            (self.folder.display(), self.process.as_ref().map_or(0, Process::id));
        info!(target: "chinwag", "accounts in {folder}: {}, helper {helper}", self.count);
    }

    pub(super) fn note_ready(&mut self) {
        self.is_ready = true;
    }

    /// When [`Server::serve_accounts`] has something to do without an event.
    pub(super) fn next_deadline(&self) -> Option<Time> {
        self.restart_at.into_iter().chain(self.answer_by).min()
    }

    /// Questions that wait or are open.
    pub(super) fn queue_len(&self) -> usize {
        self.queue.len()
    }

    /// Whether the helper takes questions.
    fn serves(&self) -> bool {
        self.process.is_some() && self.names.is_none()
    }

    /// Passes the next question on, if the helper is free.
    fn ask_next(&mut self, now: Time) -> io::Result<()> {
        let Some(process) = &mut self.process else { return Ok(()) };
        if let Some(Question { asker, task }) = self.queue.open_next() {
            self.open = Some((asker, matches!(task, AccountTask::Verify { .. })));
            self.answer_by = Some(now.after_ms(HELPER_ANSWER_MS));
            process.ask(&task)?;
        }
        Ok(())
    }

    /// Reads what the helper has said, and writes what it has not taken.
    fn read(&mut self, now: Time) -> io::Result<Vec<Reply>> {
        let is_late = self.answer_by.is_some_and(|by| by <= now);
        // An answer that has arrived wins against the deadline, also if this process was stopped.
        if !self.is_ready && !is_late {
            return Ok(Vec::new());
        }
        let Some(process) = &mut self.process else { return Ok(Vec::new()) };
        process.write()?;
        let replies = process.read()?;
        if replies.is_empty() && is_late {
            return Err(io::Error::other("it does not answer"));
        }
        // The socket was emptied, or its end comes with the next read.
        self.is_ready = !replies.is_empty();
        Ok(replies)
    }

    /// Ends the helper. Returns everybody who waited for it.
    fn end(&mut self, now: Time) -> Vec<Asker> {
        self.process = None;
        self.names = None;
        self.is_ready = false;
        self.answer_by = None;
        let wait_ms = HELPER_RESTART_MS.saturating_mul(1 << self.failures.min(16));
        self.restart_at = Some(now.after_ms(wait_ms.min(HELPER_RESTART_MS_MAX)));
        self.failures += 1;
        self.counts.deaths += 1;
        let open = self.open.take().map(|(asker, _)| asker);
        let waiting = self.queue.take_all().into_iter().map(|question| question.asker);
        open.into_iter().chain(waiting).collect()
    }

    fn start(&mut self, now: Time, registry: &Registry) -> io::Result<()> {
        let mut process = Process::start(&self.folder)?;
        process.register(registry, HELPER)?;
        self.process = Some(process);
        self.names = Some(Vec::new());
        self.answer_by = Some(now.after_ms(HELPER_ANSWER_MS));
        Ok(())
    }
}

impl Server {
    /// Passes a request of the exchange to the helper.
    pub(super) fn ask_accounts(&mut self, request: AccountRequest) {
        let AccountRequest { number, origin, is_known, task, session: _ } = request;
        self.ask(origin, is_known, Question { asker: Asker::Session(number), task });
    }

    fn ask(&mut self, origin: Origin, is_known: bool, question: Question) {
        let Some(accounts) = self.accounts.as_mut().filter(|accounts| accounts.serves()) else {
            return self.answer_asker(question.asker, AccountAnswer::Down);
        };
        if let Err(question) = accounts.queue.push(origin, is_known, question) {
            accounts.counts.full += 1;
            return self.answer_asker(question.asker, AccountAnswer::Full);
        }
        if let Err(e) = accounts.ask_next(self.now) {
            self.end_helper(&e);
        }
    }

    /// Takes back what users have asked about an account that an operator changes: an older change
    /// must not follow the operator's. They are told that nothing was stored.
    fn drop_questions_about(&mut self, name: &Name) {
        let Some(accounts) = &mut self.accounts else { return };
        let folded = name.folded();
        let is_about = |question: &Question| {
            matches!(question.asker, Asker::Session(_)) && question.task.name().folded() == folded
        };
        for question in accounts.queue.take_matching(is_about) {
            let answer = AccountAnswer::Failed(AccountFailure::NotStored);
            self.answer_asker(question.asker, answer);
        }
    }

    /// Passes the helper's answers on, and starts a new helper when it is time.
    pub(super) fn serve_accounts(&mut self) {
        let now = self.now;
        let Some(accounts) = &mut self.accounts else { return };
        if accounts.restart_at.take_if(|at| *at <= now).is_some()
            && let Err(e) = accounts.start(now, self.poll.registry())
        {
            return self.end_helper(&e);
        }
        loop {
            let Some(accounts) = &mut self.accounts else { return };
            let replies = match accounts.read(now) {
                Ok(replies) if replies.is_empty() => return,
                Ok(replies) => replies,
                Err(e) => return self.end_helper(&e),
            };
            replies.into_iter().for_each(|reply| self.handle_reply(reply));
        }
    }

    fn handle_reply(&mut self, reply: Reply) {
        let Some(accounts) = &mut self.accounts else { return };
        match reply {
            Reply::Account(text) => {
                if let (Some(names), Some(name)) = (&mut accounts.names, parsed(&text)) {
                    names.push(name);
                }
            }
            Reply::Ready => {
                accounts.answer_by = None;
                let names = accounts.names.take().unwrap_or_default();
                let helper = accounts.process.as_ref().map_or(0, Process::id);
                info!(target: "chinwag", "accounts: {}, helper {helper}", names.len());
                self.exchange.handle_accounts_reloaded(self.now, names);
            }
            Reply::Fault(fault) => warn!(target: "chinwag", "accounts: {fault}"),
            Reply::Answer(answer) => self.handle_helper_answer(answer),
        }
    }

    fn handle_helper_answer(&mut self, answer: AccountAnswer) {
        let Some(accounts) = &mut self.accounts else { return };
        let Some((asker, is_verify)) = accounts.open.take() else { return };
        accounts.queue.close();
        accounts.answer_by = None;
        accounts.failures = 0;
        match answer {
            AccountAnswer::Ok if is_verify => accounts.counts.right += 1,
            AccountAnswer::WrongPassword => accounts.counts.wrong += 1,
            _ => {}
        }
        if let Asker::Operator { change, .. } = &asker {
            let name = change.name().clone();
            self.drop_questions_about(&name);
        }
        let Some(accounts) = &mut self.accounts else { return };
        // Before the answer, which may bring a new question of the same session: it takes its turn.
        let asked = accounts.ask_next(self.now);
        self.answer_asker(asker, answer);
        if let Err(e) = asked {
            self.end_helper(&e);
        }
    }

    /// The helper is gone. Everybody who waits is told so.
    fn end_helper(&mut self, error: &io::Error) {
        let Some(accounts) = &mut self.accounts else { return };
        warn!(target: "chinwag", "the helper for accounts is gone: {error}; another one starts");
        let waiting = accounts.end(self.now);
        waiting.into_iter().for_each(|asker| self.answer_asker(asker, AccountAnswer::Down));
    }

    fn answer_asker(&mut self, asker: Asker, answer: AccountAnswer) {
        match asker {
            Asker::Session(number) => {
                self.exchange.handle_account_answer(self.now, number, answer);
            }
            Asker::Operator { console, format, change } => {
                self.answer_operator(console, format, change, answer);
            }
        }
    }
}

/// The name of a stored account. Another version of the program may have allowed other names.
fn parsed(text: &str) -> Option<Name> {
    let name = Name::parse(text).ok();
    if name.is_none() {
        warn!(target: "chinwag", "accounts: {text:?} is no username any more and is ignored");
    }
    name
}
