//! Executes the commands of operators (8.1.4 to 8.3.2).
//!
//! The loop calls [`Server::serve_consoles`] once per turn. `crate::core::operator` parses the
//! commands and words the answers; `console.rs` moves the bytes. The log records every command that
//! changes something (8.1.6), and the chat tells the users concerned.

use std::cmp::Reverse;

use ipnet::IpNet;
use log::info;

use super::Server;
use super::admission::subscriber_network;
use super::bans::{self, Ban};
use super::console::ConsoleInput;
use super::event_log::SessionLabel;
use super::logging::OPERATOR;
use crate::core::SessionId;
use crate::core::chat::{Name, Removal};
use crate::core::framing::text;
use crate::core::limits::ANSWER_ROWS_MAX;
use zeroize::Zeroizing;

use crate::core::operator::{
    Answer, AnswerFormat, BanTarget, CommandRefusal, HttpRequest, LineFault, OperatorCommand,
    Outcome, Row, StopCommand, exposition, rows,
};

/// The key and the number of a console: whom an answer is for.
pub(super) type Asker = (usize, u64);

impl Server {
    /// Executes one command of each console that has one. Only one, because a command may take long
    /// and the users wait (8.1.2).
    ///
    /// This step precedes [`Server::act`] in a turn, so that the effect of a command is written in
    /// the same turn.
    pub(super) fn serve_consoles(&mut self) {
        let Some(consoles) = &mut self.operators.consoles else { return };
        consoles.accept(self.poll.registry());
        for key in consoles.ready() {
            self.serve_console(key);
        }
    }

    /// Takes the next line of one console, and answers it.
    fn serve_console(&mut self, key: usize) {
        let Some(consoles) = &mut self.operators.consoles else { return };
        let connection = consoles.connection(key);
        let next = match connection.next_input(&mut self.read_buffer) {
            ConsoleInput::Line(line) => {
                let is_first = std::mem::replace(&mut connection.is_first_line, false);
                let request = line.as_deref().ok().filter(|_| is_first).and_then(HttpRequest::of);
                // HTTP/1.0: the end of the connection is the end of the response.
                if request.is_some() {
                    connection.close_after_answer();
                }
                let asker = (key, connection.number);
                let answer = match request {
                    Some(request) => Some(request.answer(|| exposition(&self.metrics()))),
                    None => self.answer(asker, line),
                };
                // Borrowed again: executing the command needed all of the server.
                let Some(consoles) = &mut self.operators.consoles else { return };
                let connection = consoles.connection(key);
                match answer {
                    Some(answer) => connection.answer(&answer),
                    // It waits already, or has its answer.
                    None => None,
                }
            }
            input => Some(input),
        };
        if let (Some(ConsoleInput::End), Some(consoles)) = (next, &mut self.operators.consoles) {
            consoles.close(key);
        }
    }

    /// Executes a line, and returns the text of its answer; `None` if the answer comes later. A line
    /// that is not valid gets its answer as text, because it cannot be known whether the operator
    /// wanted JSON.
    fn answer(&mut self, asker: Asker, line: Result<String, LineFault>) -> Option<String> {
        let mut out = String::new();
        // A line can hold a password.
        match line.map(Zeroizing::new) {
            Ok(line) => {
                let (format, command) = AnswerFormat::of(&line);
                let answer = match OperatorCommand::parse(command) {
                    Ok(OperatorCommand::Account(command)) => {
                        self.execute_account(asker, format, &command)?
                    }
                    Ok(OperatorCommand::Watch(command)) => self.watch(asker, command),
                    Ok(command) => self.execute(command),
                    Err(fault) => Answer::Refused(CommandRefusal::Command(fault)),
                };
                answer.encode(format, &mut out);
            }
            // The operator made a mistake, not the server: no log entry.
            Err(fault) => {
                Answer::Refused(CommandRefusal::Line(fault)).encode(AnswerFormat::Text, &mut out)
            }
        }
        Some(out)
    }

    /// Sends an answer that came later. A console that is gone needs none.
    pub(super) fn answer_later(
        &mut self,
        (key, number): Asker,
        format: AnswerFormat,
        answer: &Answer,
    ) {
        let Some(consoles) = &mut self.operators.consoles else { return };
        let Some(connection) = consoles.find(key, number) else { return };
        let mut out = String::new();
        answer.encode(format, &mut out);
        if let Some(ConsoleInput::End) = connection.answer(&out) {
            consoles.close(key);
        }
    }

    /// Executes a command. A command that only lists something is not logged; each of the others
    /// logs in its own function (8.1.6).
    fn execute(&mut self, command: OperatorCommand<'_>) -> Answer {
        let done = match command {
            OperatorCommand::Help => return Answer::help(),
            OperatorCommand::Metrics => return Answer::Metrics(exposition(&self.metrics())),
            OperatorCommand::Stats => {
                return Answer::Done { rows: rows(&self.metrics()), outcome: Outcome::Stats };
            }
            OperatorCommand::Users { prefix } => return self.list_users(prefix),
            OperatorCommand::Rooms { prefix } => return self.list_rooms(prefix),
            OperatorCommand::Bans => return self.list_bans(),
            OperatorCommand::Account(_) | OperatorCommand::Watch(_) => {
                unreachable!("answer passes it on")
            }
            OperatorCommand::Teach(command) => self.teach(command),
            OperatorCommand::Say { text } => Ok(self.say_to_all(text)),
            OperatorCommand::Kick { name, reason } => self.kick(name, reason),
            OperatorCommand::Ban { target, seconds, reason } => self.ban(target, seconds, reason),
            OperatorCommand::Unban { network } => self.unban(network),
            OperatorCommand::Reload => self.reload("operator"),
            OperatorCommand::Stop(command) => self.stop(command),
        };
        done.map_or_else(Answer::Refused, Answer::done)
    }

    /// Lists users, those first who cost most. Without a prefix the roster knows their number; otherwise the users are
    /// counted, also those beyond the limit on rows (7.32).
    fn list_users(&self, prefix: &str) -> Answer {
        let chat = self.exchange.chat();
        let count = match prefix {
            "" => chat.user_count(),
            prefix => chat.users(prefix).count(),
        };
        let now_s = self.now_s();
        // Every user has a connection and a name. Should one be missing, an operator's list must
        // not stop the server.
        let row = |id: SessionId| {
            let connection = self.connections.get(id.key())?;
            let cost = self.costs.of(now_s, id.key(), connection.number).unwrap_or_default();
            Some(Row::User {
                name: chat.name(id)?.to_string(),
                status: chat.status(id).to_string(),
                address: connection.peer.to_string(),
                seconds: self.now.ms_since(connection.accepted_at()) / 1000,
                lines: cost.lines.into(),
                bytes: cost.bytes.into(),
                cpu_percent: self.costs.cpu_percent(now_s, cost),
            })
        };
        // The sort is stable: users without cost stay in order of name.
        let mut ids = chat.users(prefix).collect::<Vec<_>>();
        ids.sort_by_cached_key(|&id| Reverse(self.cost_rank(id)));
        let rows = ids.into_iter().take(ANSWER_ROWS_MAX).filter_map(row).collect();
        Answer::Done {
            rows,
            outcome: Outcome::Users { count, connections: self.connections.len() },
        }
    }

    /// The order of users by cost: the share of CPU in millionths, then the bytes.
    pub(super) fn cost_rank(&self, id: SessionId) -> (u64, u32) {
        let now_s = self.now_s();
        let connection = self.connections.get(id.key());
        let cost = connection.and_then(|open| self.costs.of(now_s, id.key(), open.number));
        cost.map_or((0, 0), |cost| ((self.costs.cpu_percent(now_s, cost) * 1e4) as u64, cost.bytes))
    }

    /// Lists the rooms that have members, in order of name. Rooms that only have history are
    /// hidden.
    fn list_rooms(&self, prefix: &str) -> Answer {
        let chat = self.exchange.chat();
        let row = |(name, users): (&Name, usize)| Row::Room { name: name.to_string(), users };
        let rows = chat.rooms(prefix).take(ANSWER_ROWS_MAX).map(row).collect();
        Answer::Done { rows, outcome: Outcome::Rooms { count: chat.rooms(prefix).count() } }
    }

    /// Lists the bans, oldest first. Their limit (7.33) is at most the limit on rows, so all fit.
    fn list_bans(&self) -> Answer {
        let row = |ban: &Ban| Row::Ban {
            network: ban.network,
            expiry: ban.expiry,
            reason: ban.reason.clone(),
        };
        let rows = self.operators.bans.iter().map(row).collect::<Vec<_>>();
        let count = rows.len();
        Answer::Done { rows, outcome: Outcome::Bans { count } }
    }

    /// Sends an announcement to every session, with a username or not (8.2.1). The chat cleans the
    /// text for the users; the log needs its own clean copy.
    fn say_to_all(&mut self, text: &str) -> Outcome {
        let count = self.exchange.handle_announcement(self.now, text);
        info!(target: OPERATOR, "operator: said to {count}: {}", text::clean(text));
        Outcome::SaidTo { count }
    }

    /// Ends the session of one user (8.2.2).
    ///
    /// The answer has the name as the user wrote it, which may differ in case from the command.
    fn kick(&mut self, name: &str, reason: &str) -> Result<Outcome, CommandRefusal> {
        let id = self.exchange.chat().find(name).ok_or(CommandRefusal::NoSuchUser)?;
        let name = self.exchange.chat().name(id).map(ToString::to_string).unwrap_or_default();
        // Before the removal: afterwards the session has no name for the log.
        self.log_removal(id, reason);
        self.exchange.handle_removal(self.now, id, Removal::Kicked, reason);
        Ok(Outcome::Kicked { name })
    }

    /// Bans addresses, and ends the sessions from there (8.2.3). The ban comes first: a ban that
    /// cannot be saved ends no session.
    fn ban(
        &mut self,
        target: BanTarget<'_>,
        seconds: Option<u64>,
        reason: &str,
    ) -> Result<Outcome, CommandRefusal> {
        let network = match target {
            BanTarget::Network(network) => network,
            BanTarget::User(name) => self.network_of(name)?,
        };
        // The reason goes to the file, the log and the terminals of the removed users.
        let reason = text::clean(reason).trim().to_owned();
        let ban = Ban { network, expiry: bans::expiry(seconds), reason };
        self.operators.bans.add(ban.clone()).map_err(|fault| match fault {
            bans::Fault::TooMany => CommandRefusal::TooManyBans,
            bans::Fault::NotSaved(e) => CommandRefusal::BansNotSaved { why: e.to_string() },
        })?;
        let (expiry, reason) = (ban.expiry, with_colon(&ban.reason));
        info!(target: OPERATOR, "operator: banned {network} {expiry}{reason}");
        let removed = self.remove_banned(&ban);
        Ok(Outcome::Banned { network, expiry, removed })
    }

    /// The network that a ban of the user `name` covers: an IPv4 address, or an IPv6 /64, because
    /// an IPv6 subscriber can change the address within it at will.
    fn network_of(&self, name: &str) -> Result<IpNet, CommandRefusal> {
        let id = self.exchange.chat().find(name).ok_or(CommandRefusal::NoSuchUser)?;
        let connection = self.connections.get(id.key()).ok_or(CommandRefusal::NoSuchUser)?;
        let address = connection.peer.ip();
        // Loopback is banned only by its own address: one user on this machine must not take all
        // its programs with it.
        if address.is_loopback() {
            return Err(CommandRefusal::Loopback { name: name.to_owned() });
        }
        Ok(subscriber_network(address))
    }

    /// Ends the sessions that `ban` covers. Returns their number.
    fn remove_banned(&mut self, ban: &Ban) -> usize {
        // Collect the ids first: a removal changes the exchange, which must not happen during the
        // iteration. A session that is over already does not count as removed.
        let banned =
            self.connections.iter().filter(|(_, connection)| ban.covers(connection.peer.ip()));
        let banned = banned.map(|(key, _)| SessionId::from_key(key)).collect::<Vec<_>>();
        let mut removed = 0;
        for id in banned {
            if self.exchange.handle_removal(self.now, id, Removal::Banned, &ban.reason) {
                removed += 1;
            }
        }
        removed
    }

    /// Ends the ban of exactly `network` (8.2.3). A ban of a larger network that covers `network`
    /// stays, because the operator may not know of it.
    fn unban(&mut self, network: IpNet) -> Result<Outcome, CommandRefusal> {
        match self.operators.bans.remove(network) {
            Ok(true) => {
                info!(target: OPERATOR, "operator: {network} is not banned any more");
                Ok(Outcome::Unbanned { network })
            }
            Ok(false) => Err(CommandRefusal::NotBanned),
            Err(e) => Err(CommandRefusal::BansNotSaved { why: e.to_string() }),
        }
    }

    /// Starts, announces or cancels a stop (8.2.6). Once the shutdown has started, nothing can cancel
    /// it: the sessions are over.
    fn stop(&mut self, command: StopCommand) -> Result<Outcome, CommandRefusal> {
        if self.stop_by.is_some() {
            return Err(CommandRefusal::Stopping);
        }
        // In all cases the sessions learn of it from the chat, which words the announcement (8.2.6).
        match command {
            StopCommand::Now => {
                info!(target: OPERATOR, "operator: stopping");
                self.begin_shutdown();
                Ok(Outcome::Stopping)
            }
            StopCommand::In { ms } => {
                info!(target: OPERATOR, "operator: stopping in {} s", ms.div_ceil(1000));
                self.exchange.handle_stop_in(self.now, ms);
                Ok(Outcome::StopsIn { ms })
            }
            StopCommand::Cancel if self.exchange.handle_stop_called_off(self.now) => {
                info!(target: OPERATOR, "operator: not stopping after all");
                Ok(Outcome::StopCancelled)
            }
            StopCommand::Cancel => Err(CommandRefusal::NoStopAnnounced),
        }
    }

    /// Logs the removal of one session, with its address (8.1.6).
    fn log_removal(&self, id: SessionId, reason: &str) {
        let session =
            SessionLabel { id, connections: &self.connections, chat: self.exchange.chat() };
        info!(target: OPERATOR, "operator: removed {session}{}", with_colon(reason));
    }
}

/// A reason as it follows a log message: empty, or after a colon. The reason is operator input, so
/// it is cleaned: the log may be read in a terminal.
fn with_colon(reason: &str) -> String {
    match text::clean(reason).trim() {
        "" => String::new(),
        reason => format!(": {reason}"),
    }
}
