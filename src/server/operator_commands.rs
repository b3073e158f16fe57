//! What each order of an operator does (7.4 to 7.12); what it is called, and how it is answered, is
//! `crate::core::operator`'s.
//!
//! Whatever changes something is logged, and told to whom it hits.

use std::io;
use std::path::Path;

use ipnet::IpNet;
use log::info;
use mio::Registry;
use mio::event::Event;

use super::Server;
use super::admission::subscriber_network;
use super::bans::{self, Ban, Bans};
use super::console::{ConsoleInput, Consoles};
use super::event_log::Who;
use super::socket_file;
use crate::core::SessionId;
use crate::core::chat::{Name, Removal};
use crate::core::framing::text;
use crate::core::limits::ANSWER_ROWS_MAX;
use crate::core::operator::{
    Answer, BanTarget, CommandRefusal, Form, HttpRequest, OperatorCommand, Outcome, Row,
    StopCommand, exposition, rows,
};

/// What operators have: their door, if they were given one, and the bans.
#[derive(Debug, Default)]
pub struct Operators {
    consoles: Option<Consoles>,
    pub(super) bans: Bans,
}

impl Operators {
    /// Opens the console at this path, and reads the bans in that file.
    ///
    /// # Errors
    /// Which of them cannot be had, and why.
    pub fn open(console: Option<&Path>, bans: Option<&Path>) -> io::Result<Operators> {
        let bans = bans.map(Bans::open).transpose()?.unwrap_or_default();
        let consoles = console.map(socket_file::listen).transpose()?.map(Consoles::new);
        Ok(Operators { consoles, bans })
    }

    pub(super) fn register(&mut self, registry: &Registry) -> io::Result<()> {
        self.consoles.as_mut().map_or(Ok(()), |consoles| consoles.register(registry))
    }

    pub(super) fn record_event(&mut self, event: &Event) {
        if let Some(consoles) = &mut self.consoles {
            consoles.record_event(event);
        }
    }

    pub(super) fn has_work(&self) -> bool {
        self.consoles.as_ref().is_some_and(Consoles::has_work)
    }

    pub(super) fn console_count(&self) -> usize {
        self.consoles.as_ref().map_or(0, Consoles::count)
    }

    /// Closes the door, and removes its file: for an end without goodbye.
    pub(super) fn leave(&mut self) {
        self.consoles = None;
    }
}

impl Server {
    /// Hears one order of each console that has one: what it does may take a while, and others wait.
    pub(super) fn serve_consoles(&mut self) {
        let Some(consoles) = &mut self.operators.consoles else { return };
        consoles.accept(self.poll.registry());
        for key in consoles.ready() {
            self.serve_console(key);
        }
    }

    fn serve_console(&mut self, key: usize) {
        let Some(consoles) = &mut self.operators.consoles else { return };
        let connection = consoles.connection(key);
        let next = match connection.hear(&mut self.read_buffer) {
            ConsoleInput::Line(line) => {
                let is_new = std::mem::replace(&mut connection.is_new, false);
                let request = line.as_deref().ok().filter(|_| is_new).and_then(HttpRequest::of);
                if request.is_some() {
                    connection.end_after_this();
                }
                let answer = match request {
                    Some(request) => request.answer(|| exposition(&self.metrics())),
                    None => self.answer(line),
                };
                let Some(consoles) = &mut self.operators.consoles else { return };
                consoles.connection(key).answer(&answer)
            }
            heard => Some(heard),
        };
        if let (Some(ConsoleInput::End), Some(consoles)) = (next, &mut self.operators.consoles) {
            consoles.close(key);
        }
    }

    fn answer(&mut self, line: Result<String, crate::core::operator::Fault>) -> String {
        let mut out = String::new();
        match line {
            Ok(line) => {
                let (form, order) = Form::of(&line);
                let answer = match OperatorCommand::parse(order) {
                    Ok(order) => self.execute(order),
                    Err(fault) => Answer::CommandRefusal(CommandRefusal::OperatorCommand(fault)),
                };
                answer.encode(form, &mut out);
            }
            Err(fault) => {
                Answer::CommandRefusal(CommandRefusal::Line(fault)).encode(Form::Text, &mut out)
            }
        }
        out
    }

    fn execute(&mut self, order: OperatorCommand<'_>) -> Answer {
        let done = match order {
            OperatorCommand::Help => return Answer::help(),
            OperatorCommand::Metrics => return Answer::Metrics(exposition(&self.metrics())),
            OperatorCommand::Stats => {
                return Answer::Done { rows: rows(&self.metrics()), outcome: Outcome::Stats };
            }
            OperatorCommand::Users { prefix } => return self.list_users(prefix),
            OperatorCommand::Rooms { prefix } => return self.list_rooms(prefix),
            OperatorCommand::Bans => return self.list_bans(),
            OperatorCommand::Say { text } => Ok(self.say_to_all(text)),
            OperatorCommand::Kick { name, reason } => self.kick(name, reason),
            OperatorCommand::Ban { whom, seconds, reason } => self.ban(whom, seconds, reason),
            OperatorCommand::Unban { network } => self.unban(network),
            OperatorCommand::Stop(order) => self.execute_stop(order),
        };
        done.map_or_else(Answer::CommandRefusal, Answer::done)
    }

    fn list_users(&self, prefix: &str) -> Answer {
        let chat = self.exchange.chat();
        let count = match prefix {
            "" => chat.user_count(),
            prefix => chat.users(prefix).count(),
        };
        let row = |id: SessionId| {
            let connection = self.connections.get(id.key())?;
            Some(Row::User {
                name: chat.name(id)?.to_string(),
                status: chat.status(id).to_string(),
                address: connection.peer.to_string(),
                seconds: self.now.ms_since(connection.came_at()) / 1000,
            })
        };
        let rows = chat.users(prefix).take(ANSWER_ROWS_MAX).filter_map(row).collect();
        Answer::Done {
            rows,
            outcome: Outcome::Users { count, connections: self.connections.len() },
        }
    }

    fn list_rooms(&self, prefix: &str) -> Answer {
        let chat = self.exchange.chat();
        let row = |(name, users): (&Name, usize)| Row::Room { name: name.to_string(), users };
        let rows = chat.rooms(prefix).take(ANSWER_ROWS_MAX).map(row).collect();
        Answer::Done { rows, outcome: Outcome::Rooms { count: chat.rooms(prefix).count() } }
    }

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

    fn say_to_all(&mut self, text: &str) -> Outcome {
        let count = self.exchange.handle_announcement(self.now, text);
        info!(target: "chinwag", "operator: said to {count}: {}", text::clean(text));
        Outcome::SaidTo { count }
    }

    fn kick(&mut self, name: &str, reason: &str) -> Result<Outcome, CommandRefusal> {
        let id = self.exchange.chat().find(name).ok_or(CommandRefusal::NobodyCalledThat)?;
        let name = self.exchange.chat().name(id).map(ToString::to_string).unwrap_or_default();
        self.log_hit(id, "removed", reason);
        self.exchange.handle_removal(self.now, id, Removal::Kicked, reason);
        Ok(Outcome::Kicked { name })
    }

    fn ban(
        &mut self,
        whom: BanTarget<'_>,
        seconds: Option<u64>,
        reason: &str,
    ) -> Result<Outcome, CommandRefusal> {
        let network = match whom {
            BanTarget::Network(network) => network,
            BanTarget::User(name) => self.network_of(name)?,
        };
        let reason = text::clean(reason).trim().to_owned();
        let ban = Ban { network, expiry: bans::expiry(seconds), reason };
        self.operators.bans.add(ban.clone()).map_err(|fault| match fault {
            bans::Fault::TooMany => CommandRefusal::TooManyBans,
            bans::Fault::NotKept(e) => CommandRefusal::NotKept { why: e.to_string() },
        })?;
        let (expiry, because) = (ban.expiry, because(&ban.reason));
        info!(target: "chinwag", "operator: banned {network} {expiry}{because}");
        let removed = self.remove_banned(&ban);
        Ok(Outcome::Banned { network, expiry, removed })
    }

    /// Where the user of that name comes from: of IPv6 the network that one subscriber has.
    fn network_of(&self, name: &str) -> Result<IpNet, CommandRefusal> {
        let id = self.exchange.chat().find(name).ok_or(CommandRefusal::NobodyCalledThat)?;
        let connection = self.connections.get(id.key()).ok_or(CommandRefusal::NobodyCalledThat)?;
        let address = connection.peer.ip();
        if address.is_loopback() {
            return Err(CommandRefusal::Loopback { name: name.to_owned() });
        }
        Ok(subscriber_network(address))
    }

    fn remove_banned(&mut self, ban: &Ban) -> usize {
        let is_hit = |peer: &super::connection::Peer| ban.hits(peer.ip());
        let hit = self.connections.iter().filter(|(_, connection)| is_hit(&connection.peer));
        let hit = hit.map(|(key, _)| SessionId::from_key(key)).collect::<Vec<_>>();
        let mut removed = 0;
        for id in hit {
            let how = Removal::Banned;
            if self.exchange.handle_removal(self.now, id, how, &ban.reason) {
                removed += 1;
            }
        }
        removed
    }

    fn unban(&mut self, network: IpNet) -> Result<Outcome, CommandRefusal> {
        match self.operators.bans.remove(network) {
            Ok(true) => {
                info!(target: "chinwag", "operator: {network} is not banned any more");
                Ok(Outcome::Unbanned { network })
            }
            Ok(false) => Err(CommandRefusal::NotBanned),
            Err(e) => Err(CommandRefusal::NotKept { why: e.to_string() }),
        }
    }

    fn execute_stop(&mut self, order: StopCommand) -> Result<Outcome, CommandRefusal> {
        if self.stop_by.is_some() {
            return Err(CommandRefusal::Stopping);
        }
        match order {
            StopCommand::AtOnce => {
                info!(target: "chinwag", "operator: stopping");
                self.begin_shutdown();
                Ok(Outcome::Stopping)
            }
            StopCommand::In { ms } => {
                info!(target: "chinwag", "operator: stopping in {} s", ms.div_ceil(1000));
                self.exchange.handle_stop_in(self.now, ms);
                Ok(Outcome::StopsIn { ms })
            }
            StopCommand::Off if self.exchange.handle_stop_called_off(self.now) => {
                info!(target: "chinwag", "operator: not stopping after all");
                Ok(Outcome::StopCalledOff)
            }
            StopCommand::Off => Err(CommandRefusal::NoStopPlanned),
        }
    }

    fn log_hit(&self, id: SessionId, what: &str, reason: &str) {
        let who = Who { id, connections: &self.connections, chat: self.exchange.chat() };
        info!(target: "chinwag", "operator: {what} {who}{}", because(reason));
    }
}

/// A reason as it stands behind what was done, if one was given.
fn because(reason: &str) -> String {
    match text::clean(reason).trim() {
        "" => String::new(),
        reason => format!(": {reason}"),
    }
}
