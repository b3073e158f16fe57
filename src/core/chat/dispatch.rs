//! What each state makes of a line: the table of `protocol.md` 3.2, row by row.

use super::Chat;
use super::command::{ChatCommand, Command};
use super::event::{DisconnectReason, Event, RequestEnd};
use super::name::Name;
use super::output::ChatMessage;
use super::roster::NameInUse;
use super::session::{InterruptedPrompt, Session, UserState};
use super::wording::{CHAT_HELP, Line, News, Refusal};
use crate::core::SessionId;
use crate::core::framing::Input;
use crate::core::limits::LOBBY;
use crate::core::time::Time;

impl Chat {
    pub(super) fn take_input<'a>(
        &'a mut self,
        now: Time,
        id: SessionId,
        input: Input<'a>,
    ) -> Option<ChatMessage<'a>> {
        match input {
            Input::Line(line) => return self.take_line(now, id, line),
            Input::TooLong => self.refuse(id, Refusal::TooLong),
            Input::NotUtf8 => self.refuse(id, Refusal::NotUtf8),
            Input::AreYouThere => self.say_if_present(id, Line::News(News::AreYouThere)),
            Input::TlsHello => self.leave(now, id, DisconnectReason::SpokeTls),
            Input::HttpRequest => self.leave(now, id, DisconnectReason::SpokeHttp),
            Input::End => self.leave(now, id, DisconnectReason::HungUp),
        }
        None
    }

    fn take_line<'a>(
        &'a mut self,
        now: Time,
        id: SessionId,
        line: &'a str,
    ) -> Option<ChatMessage<'a>> {
        match self.roster.session(id) {
            Session::Naming { .. } => self.naming(now, id, line),
            Session::User(user) => match user.phase {
                UserState::Menu { missed_request } => self.at_menu(now, id, line, missed_request),
                UserState::Choosing => self.choosing(now, id, line),
                UserState::Asking { whom, .. } => self.asking(now, id, whom, line),
                UserState::InRoom { room } | UserState::AskedInRoom { room, .. } => {
                    self.in_room(now, id, room, line);
                }
                UserState::Asked { by, interrupted, .. } => {
                    self.asked(now, id, by, interrupted, line)
                }
                UserState::Chatting { with } => return self.chatting(now, id, with, line),
            },
            Session::Over { .. } => {}
        }
        None
    }

    fn naming(&mut self, now: Time, id: SessionId, line: &str) {
        let word = line.trim();
        if word.eq_ignore_ascii_case("exit") || word.eq_ignore_ascii_case("quit") {
            return self.leave(now, id, DisconnectReason::Exit);
        }
        let name = match Name::parse(word) {
            Ok(name) => name,
            Err(fault) => return self.refuse(id, Refusal::Name(fault)),
        };
        match self.roster.name(id, name.clone()) {
            Ok(()) => {
                self.say(id, Line::News(News::Hello(&name)));
                self.outputs.report(Event::Named(id));
                self.prompt(id);
            }
            Err(NameInUse::Taken) => self.refuse(id, Refusal::NameTaken(&name)),
            Err(NameInUse::LooksTaken) => self.refuse(id, Refusal::NameLooksTaken(&name)),
        }
    }

    fn at_menu(&mut self, now: Time, id: SessionId, line: &str, missed_request: bool) {
        self.roster.prompt(id, UserState::MENU);
        match Command::parse(line) {
            Command::Yes | Command::No if missed_request => {
                self.say(id, Line::Refusal(Refusal::RequestIsOver));
            }
            Command::Chat(None) => {
                self.roster.prompt(id, UserState::Choosing);
                self.prompt(id);
            }
            Command::Chat(Some(name)) => self.ask_for(now, id, name),
            Command::Exit => self.leave(now, id, DisconnectReason::Exit),
            Command::Join(name) => self.join(now, id, name.unwrap_or(LOBBY)),
            Command::Yes | Command::No | Command::Cancel | Command::Quit | Command::Unknown => {
                self.refuse(id, Refusal::NotAChoice);
            }
            Command::CommonCommand(common_command) => self.common_command(id, common_command),
        }
    }

    fn choosing(&mut self, now: Time, id: SessionId, line: &str) {
        self.roster.prompt(id, UserState::MENU);
        if line.trim().is_empty() || Command::parse(line) == Command::Cancel {
            self.say(id, Line::News(News::NobodyAsked));
            self.prompt(id);
        } else {
            self.ask_for(now, id, line);
        }
    }

    fn asking(&mut self, now: Time, id: SessionId, whom: SessionId, line: &str) {
        match Command::parse(line) {
            Command::Cancel | Command::Quit => self.end_ask(now, id, RequestEnd::Withdrawn),
            Command::Exit => self.leave(now, id, DisconnectReason::Exit),
            Command::Chat(_) | Command::Join(_) | Command::Yes | Command::No | Command::Unknown => {
                let whom = &self.roster.user(whom).name;
                self.outputs.say(id, &Line::Refusal(Refusal::WaitingFor(whom)));
            }
            Command::CommonCommand(common_command) => self.common_command(id, common_command),
        }
    }

    fn asked(
        &mut self,
        now: Time,
        id: SessionId,
        by: SessionId,
        interrupted: InterruptedPrompt,
        line: &str,
    ) {
        self.roster.catch_up(id);
        match Command::parse(line) {
            Command::Yes => self.accept(by),
            Command::No => self.end_ask(now, by, RequestEnd::Declined),
            Command::Chat(Some(name)) if self.is_called(by, name) => self.accept(by),
            _ if interrupted == InterruptedPrompt::Whom && self.is_called(by, line) => {
                self.accept(by)
            }
            Command::Exit => self.leave(now, id, DisconnectReason::Exit),
            Command::Chat(_)
            | Command::Join(_)
            | Command::Cancel
            | Command::Quit
            | Command::Unknown => self.demand_answer(id, by),
            Command::CommonCommand(common_command) => self.common_command(id, common_command),
        }
    }

    /// Whether `name` is that of `who`.
    pub(super) fn is_called(&self, who: SessionId, name: &str) -> bool {
        Name::parse(name.trim()).is_ok_and(|name| self.roster.find(&name) == Some(who))
    }

    pub(super) fn demand_answer(&mut self, id: SessionId, by: SessionId) {
        let by = &self.roster.user(by).name;
        self.outputs.say(id, &Line::Refusal(Refusal::AnswerFirst(by)));
    }

    fn chatting<'a>(
        &'a mut self,
        now: Time,
        id: SessionId,
        with: SessionId,
        line: &'a str,
    ) -> Option<ChatMessage<'a>> {
        match ChatCommand::parse(line.as_bytes()) {
            ChatCommand::Say(text) => {
                return Some(ChatMessage { to: with, from: &self.roster.user(id).name, text });
            }
            ChatCommand::Quit => self.quit(now, id),
            ChatCommand::Help => self.help(id, &CHAT_HELP),
            ChatCommand::Unknown => self.refuse(id, Refusal::NotACommand),
        }
        None
    }
}
