//! Dispatch of input by session state: the tables of `protocol.md` 4, one function per state.
//!
//! `Chat::handle_input` calls this module with each unit of input. The functions here decide what a
//! line means in a state. The effects on two users are in `pairing`, rooms are in `room_commands`,
//! and commands that work in every state are in `common_commands`.

use super::Chat;
use super::command::{ChatCommand, Command, CommonCommand};
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
    /// Processes one unit of input. Everything except a line means the same in every state.
    ///
    /// Returns the message that a line is, if the user is in a chat (4.7.2). Every other effect
    /// goes into `outputs`.
    pub(super) fn dispatch_input<'a>(
        &'a mut self,
        now: Time,
        id: SessionId,
        input: Input<'a>,
    ) -> Option<ChatMessage<'a>> {
        match input {
            Input::Line(line) => return self.dispatch_line(now, id, line),
            // The framing has dropped the line. Saying nothing would let the user believe that the
            // partner or the room has read it.
            Input::TooLong => self.refuse(id, Refusal::TooLong),
            Input::NotUtf8 => self.refuse(id, Refusal::NotUtf8),
            // Answered in every state without a prompt: telnet AYT only asks for a sign of life.
            Input::AreYouThere => self.say_if_present(id, Line::News(News::AreYouThere)),
            // The rest of such a connection is binary data or headers, not lines (2.4.1).
            Input::TlsHello => self.end_session(now, id, DisconnectReason::SpokeTls),
            Input::HttpRequest => self.end_session(now, id, DisconnectReason::SpokeHttp),
            // A half-closed connection is a departure: scripts pipe their input and end it (2.1.6).
            Input::End => self.end_session(now, id, DisconnectReason::HungUp),
        }
        None
    }

    /// Processes one line. The match has no wildcard arm: a new state must decide what a line
    /// means.
    fn dispatch_line<'a>(
        &'a mut self,
        now: Time,
        id: SessionId,
        line: &'a str,
    ) -> Option<ChatMessage<'a>> {
        match self.roster.session(id) {
            Session::Naming { .. } => self.line_while_naming(now, id, line),
            Session::User(user) => match user.state {
                UserState::Menu { request_just_ended } => {
                    self.line_at_menu(now, id, line, request_just_ended);
                }
                UserState::Choosing => self.line_while_choosing(now, id, line),
                UserState::Asking { asked, .. } => self.line_while_asking(now, id, asked, line),
                UserState::InRoom { room } | UserState::AskedInRoom { room, .. } => {
                    self.line_in_room(now, id, room, line);
                }
                UserState::Asked { asker, interrupted, .. } => {
                    self.line_while_asked(now, id, asker, interrupted, line);
                }
                UserState::Chatting { partner } => {
                    return self.line_in_chat(now, id, partner, line);
                }
            },
            // Input behind the end of a session is dropped (4.9.1): nobody is there to answer.
            Session::Over { .. } => {}
        }
        None
    }

    /// NAMING: the line is a username (4.2). `exit` and `quit` leave, and are therefore no names.
    fn line_while_naming(&mut self, now: Time, id: SessionId, line: &str) {
        let word = line.trim();
        if word.eq_ignore_ascii_case("exit") || word.eq_ignore_ascii_case("quit") {
            return self.end_session(now, id, DisconnectReason::Exit);
        }
        let name = match Name::parse(word) {
            Ok(name) => name,
            Err(error) => return self.refuse(id, Refusal::Name(error)),
        };
        // The prompt follows every refusal, until the naming deadline ends the session (4.2.4).
        match self.roster.assign_name(id, name.clone()) {
            Ok(()) => {
                self.say(id, Line::News(News::Hello(&name)));
                self.outputs.report(Event::Named(id));
                self.prompt(id);
                self.charge_login(now, id);
            }
            Err(NameInUse::Taken) => self.refuse(id, Refusal::NameTaken(&name)),
            Err(NameInUse::LooksTaken) => self.refuse(id, Refusal::NameLooksTaken(&name)),
        }
    }

    /// MENU: the line is a choice.
    ///
    /// A `yes` or `no` directly after a request ended was meant for that request (4.6.5). The user
    /// reads that the request is over, rather than that `yes` is no choice, and needs no new menu.
    fn line_at_menu(&mut self, now: Time, id: SessionId, line: &str, request_just_ended: bool) {
        // Only the first line can be such an answer, whatever it says.
        self.roster.set_prompt(id, UserState::MENU);
        match Command::parse(line) {
            Command::Yes | Command::No if request_just_ended => {
                self.say(id, Line::Refusal(Refusal::RequestIsOver));
            }
            // A name in the same line saves the round trip, and tells a program whom it asks.
            Command::Chat(None) => {
                self.roster.set_prompt(id, UserState::Choosing);
                self.prompt(id);
            }
            Command::Chat(Some(name)) => self.request_chat(now, id, name),
            Command::Exit => self.end_session(now, id, DisconnectReason::Exit),
            Command::Join(name) => self.join_room(now, id, name.unwrap_or(LOBBY)),
            // `quit` does not leave the server: after a chat has ended, a second `quit` that was
            // meant for the chat must not end the session.
            Command::Yes | Command::No | Command::Cancel | Command::Quit | Command::Unknown => {
                self.refuse(id, Refusal::NotAChoice);
            }
            Command::CommonCommand(command) => self.common_command(id, command),
        }
    }

    /// CHOOSING: the line is the name of a user to ask (4.3). Every word except `cancel` is a name
    /// here, because `list` or `help` can be a username.
    fn line_while_choosing(&mut self, now: Time, id: SessionId, line: &str) {
        // The prompt is answered in any case. A refused request leads back to the menu (4.3.3).
        self.roster.set_prompt(id, UserState::MENU);
        if line.trim().is_empty() || Command::parse(line) == Command::Cancel {
            self.say(id, Line::News(News::NobodyAsked));
            self.prompt(id);
        } else {
            self.request_chat(now, id, line);
        }
    }

    /// ASKING: the user can withdraw, leave or look around, and nothing else. A second request at
    /// the same time would leave open which of two chats begins.
    fn line_while_asking(&mut self, now: Time, id: SessionId, asked: SessionId, line: &str) {
        match Command::parse(line) {
            Command::Cancel | Command::Quit => self.end_request(now, id, RequestEnd::Withdrawn),
            Command::Exit => self.end_session(now, id, DisconnectReason::Exit),
            // No prompt follows: none is shown in this state, and the refusal names `cancel`.
            Command::Chat(_) | Command::Join(_) | Command::Yes | Command::No | Command::Unknown => {
                let asked = &self.roster.user(asked).name;
                self.outputs.say(id, &Line::Refusal(Refusal::WaitingFor(asked)));
            }
            Command::CommonCommand(command) => self.common_command(id, command),
        }
    }

    /// ASKED: the line is an answer. Naming the asker is a yes, because both users then want the
    /// same chat (4.6.4). All else but leaving waits for the answer, since the asker waits too.
    fn line_while_asked(
        &mut self,
        now: Time,
        id: SessionId,
        asker: SessionId,
        interrupted: InterruptedPrompt,
        line: &str,
    ) {
        // This line is the first since the request; only the first can answer the earlier prompt.
        self.roster.forget_interrupted_prompt(id);
        match Command::parse(line) {
            Command::Yes => self.accept_request(asker),
            Command::No => self.end_request(now, asker, RequestEnd::Declined),
            Command::Chat(Some(name)) if self.has_name(asker, name) => self.accept_request(asker),
            // The line may be the answer to "Chat with whom?", typed before the request arrived.
            _ if interrupted == InterruptedPrompt::PartnerName && self.has_name(asker, line) => {
                self.accept_request(asker);
            }
            Command::CommonCommand(CommonCommand::Ignore(name))
                if self.is_asker_or_empty(id, name) =>
            {
                self.shut_out_asker(now, id);
            }
            Command::Exit => self.end_session(now, id, DisconnectReason::Exit),
            Command::Chat(_)
            | Command::Join(_)
            | Command::Cancel
            | Command::Quit
            | Command::Unknown => {
                let asker = &self.roster.user(asker).name;
                self.outputs.say(id, &Line::Refusal(Refusal::AnswerFirst(asker)));
            }
            Command::CommonCommand(command) => self.common_command(id, command),
        }
    }

    /// Whether `name` is the name of `id`, in any case. An invalid name matches nobody.
    pub(super) fn has_name(&self, id: SessionId, name: &str) -> bool {
        Name::parse(name.trim()).is_ok_and(|name| self.roster.find(&name) == Some(id))
    }

    /// CHATTING: the line is text for the partner, except a few commands (4.7).
    ///
    /// The text is returned rather than queued, and no copy is made. `Route::message` makes the
    /// same decision when the exchange has fetched the route in advance.
    fn line_in_chat<'a>(
        &'a mut self,
        now: Time,
        id: SessionId,
        partner: SessionId,
        line: &'a str,
    ) -> Option<ChatMessage<'a>> {
        match ChatCommand::parse(line.as_bytes()) {
            ChatCommand::Say(text) => {
                return Some(ChatMessage { to: partner, from: &self.roster.user(id).name, text });
            }
            ChatCommand::Quit => self.quit_chat(now, id),
            ChatCommand::Help => self.help(id, &CHAT_HELP),
            // A mistyped command is not delivered: the partner should not read `/qiut`.
            ChatCommand::Unknown => self.refuse(id, Refusal::NotACommand),
        }
        None
    }
}
