//! Dispatch of input by session state: the tables of `protocol.md` 4 and 5.1, one function per state.
//!
//! `Chat::handle_input` calls this module with each unit of input. The functions here decide what a
//! line means in a state, and each matches every command: a new command must say what it does
//! everywhere. The effects on two users are in `pairing`, rooms are in `room_commands`, and commands
//! that change no state are in `common_commands`.

use super::Chat;
use super::command::{Command, CommonCommand, is_bare_answer, is_bare_exit};
use super::event::{DisconnectReason, Event, RequestEnd};
use super::name::Name;
use super::output::ChatMessage;
use super::rooms::RoomId;
use super::roster::NameInUse;
use super::session::{InterruptedPrompt, Session, UserState};
use super::wording::{AccountRefusal, Line, News, Refusal, RoomRefusal, RoomText};
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
            Session::SigningIn(_) => self.line_while_signing_in(now, id, line),
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
                UserState::GivingPassword { purpose, step } => {
                    self.line_while_giving_password(now, id, purpose, step, line);
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

    /// NAMING: the line is a username (4.2), except the words that leave and lines that begin with
    /// `/`: no name begins so.
    fn line_while_naming(&mut self, now: Time, id: SessionId, line: &str) {
        let Some(command) = Command::while_naming(line) else {
            return self.take_username(now, id, line);
        };
        match command {
            Command::Exit | Command::Leave => self.end_session(now, id, DisconnectReason::Exit),
            Command::Common(CommonCommand::Help) => self.common_command(id, CommonCommand::Help),
            Command::Say(_)
            | Command::Act(_)
            | Command::NoText
            | Command::Chat(_)
            | Command::Join(_)
            | Command::Yes(_)
            | Command::No(_)
            | Command::Cancel
            | Command::Who(_)
            | Command::History(_)
            | Command::Account(_)
            | Command::Common(_)
            | Command::Unknown => self.refuse(id, Refusal::NameFirst),
        }
    }

    /// Gives the session its username, or says why not. The prompt follows every refusal, until the
    /// naming deadline ends the session (4.2.4).
    fn take_username(&mut self, now: Time, id: SessionId, line: &str) {
        let name = match Name::parse(line.trim()) {
            Ok(name) => name,
            Err(error) => return self.refuse(id, Refusal::Name(error)),
        };
        if self.begin_sign_in(id, &name) {
            return;
        }
        match self.roster.assign_name(id, name.clone()) {
            Ok(()) => {
                self.say(id, Line::News(News::Hello(&name)));
                self.outputs.report(Event::Named(id));
                self.prompt(id);
                self.charge_login(now, id);
            }
            Err(NameInUse::Reserved) => self.refuse(id, Refusal::NameReserved(&name)),
            Err(NameInUse::Taken) => self.refuse(id, Refusal::NameTaken(&name)),
            Err(NameInUse::LooksTaken) => self.refuse(id, Refusal::NameLooksTaken(&name)),
        }
    }

    /// MENU: the line is a choice.
    ///
    /// A `yes` or `no` directly after a request ended was meant for that request (4.6.5). The user
    /// reads that the request is over, rather than that nobody asks, and needs no new menu.
    fn line_at_menu(&mut self, now: Time, id: SessionId, line: &str, request_just_ended: bool) {
        // Only the first line can be such an answer, whatever it says.
        self.roster.set_prompt(id, UserState::MENU);
        let Some(command) = Command::at_prompt(line) else {
            return self.refuse(id, Refusal::NotAChoice);
        };
        match command {
            Command::Yes(_) | Command::No(_) if request_just_ended => {
                self.say(id, Line::Refusal(Refusal::RequestIsOver));
            }
            Command::Yes(_) | Command::No(_) => self.refuse(id, Refusal::NobodyAsks),
            // A name in the same line saves the round trip, and tells a program whom it asks.
            Command::Chat(None) => {
                self.roster.set_prompt(id, UserState::Choosing);
                self.prompt(id);
            }
            Command::Chat(Some(name)) => self.request_chat(now, id, name),
            Command::Join(name) => self.join_room(now, id, name.unwrap_or(LOBBY)),
            // `quit` does not leave the server: after a chat has ended, a second `quit` that was
            // meant for the chat must not end the session.
            Command::Leave => self.refuse(id, Refusal::NothingToLeave),
            Command::Exit => self.end_session(now, id, DisconnectReason::Exit),
            Command::Cancel => self.refuse(id, Refusal::NothingToCancel),
            Command::Say(_) | Command::Act(_) | Command::NoText => {
                self.refuse(id, Refusal::NobodyToRead);
            }
            Command::Who(prefix) => self.common_command(id, CommonCommand::List(prefix)),
            Command::History(_) => self.refuse(id, Refusal::NotInRoom),
            Command::Account(command) => self.account_command(id, command),
            Command::Common(command) => self.common_command(id, command),
            Command::Unknown => self.refuse(id, Refusal::NotACommand),
        }
    }

    /// CHOOSING: the line is the name of a user to ask (4.3), except `cancel` and lines that begin
    /// with `/`. A refusal leads back to the menu, as a name that cannot be asked does (4.3.3).
    fn line_while_choosing(&mut self, now: Time, id: SessionId, line: &str) {
        let command = Command::while_choosing(line);
        // Only a command that changes no state leaves the prompt as it is.
        let stays =
            matches!(command, Some(Command::Common(_) | Command::Who(_) | Command::Chat(None)));
        if !stays {
            self.roster.set_prompt(id, UserState::MENU);
        }
        match command {
            None => self.request_chat(now, id, line),
            Some(Command::Chat(Some(name))) => self.request_chat(now, id, name),
            Some(Command::Chat(None)) => self.prompt(id),
            Some(Command::Cancel | Command::Leave) => {
                self.say(id, Line::News(News::NobodyAsked));
                self.prompt(id);
            }
            Some(Command::Join(name)) => self.join_room(now, id, name.unwrap_or(LOBBY)),
            Some(Command::Exit) => self.end_session(now, id, DisconnectReason::Exit),
            Some(Command::Yes(_) | Command::No(_)) => self.refuse(id, Refusal::NobodyAsks),
            Some(Command::Say(_) | Command::Act(_) | Command::NoText) => {
                self.refuse(id, Refusal::NobodyToRead);
            }
            Some(Command::Who(prefix)) => self.common_command(id, CommonCommand::List(prefix)),
            Some(Command::History(_)) => self.refuse(id, Refusal::NotInRoom),
            Some(Command::Account(command)) => self.account_command(id, command),
            Some(Command::Common(command)) => self.common_command(id, command),
            Some(Command::Unknown) => self.refuse(id, Refusal::NotACommand),
        }
    }

    /// ASKING: the user can withdraw, leave or look around, and nothing else. A second request at
    /// the same time would leave open which of two chats begins.
    fn line_while_asking(&mut self, now: Time, id: SessionId, asked: SessionId, line: &str) {
        match Command::at_prompt(line) {
            Some(Command::Cancel | Command::Leave) => {
                self.end_request(now, id, RequestEnd::Withdrawn);
            }
            Some(Command::Exit) => self.end_session(now, id, DisconnectReason::Exit),
            Some(Command::Who(prefix)) => self.common_command(id, CommonCommand::List(prefix)),
            Some(Command::Common(command)) => self.common_command(id, command),
            Some(Command::Unknown) => self.refuse(id, Refusal::NotACommand),
            // No prompt follows: none is shown in this state, and the refusal names `cancel`.
            None
            | Some(
                Command::Chat(_)
                | Command::Join(_)
                | Command::Yes(_)
                | Command::No(_)
                | Command::Say(_)
                | Command::Act(_)
                | Command::NoText
                | Command::History(_)
                | Command::Account(_),
            ) => {
                let asked = &self.roster.user(asked).name;
                self.outputs.say(id, &Line::Refusal(Refusal::WaitingFor(asked)));
            }
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
        match Command::at_prompt(line) {
            Some(Command::Yes(name) | Command::No(name)) if self.names_other(asker, name) => {
                let asker = &self.roster.user(asker).name;
                self.outputs.say(id, &Line::Refusal(Refusal::OtherAsks(asker)));
            }
            Some(Command::Yes(_)) => self.accept_request(asker),
            Some(Command::No(_)) => self.end_request(now, asker, RequestEnd::Declined),
            Some(Command::Chat(Some(name))) if self.has_name(asker, name) => {
                self.accept_request(asker);
            }
            // The line may be the answer to "Chat with whom?", typed before the request arrived.
            _ if interrupted == InterruptedPrompt::PartnerName && self.has_name(asker, line) => {
                self.accept_request(asker);
            }
            Some(Command::Common(CommonCommand::Ignore(name)))
                if self.is_asker_or_empty(id, name) =>
            {
                self.shut_out_asker(now, id);
            }
            Some(Command::Exit) => self.end_session(now, id, DisconnectReason::Exit),
            Some(Command::Who(prefix)) => self.common_command(id, CommonCommand::List(prefix)),
            Some(Command::Common(command)) => self.common_command(id, command),
            Some(Command::Unknown) => self.refuse(id, Refusal::NotACommand),
            None
            | Some(
                Command::Chat(_)
                | Command::Join(_)
                | Command::Leave
                | Command::Cancel
                | Command::Say(_)
                | Command::Act(_)
                | Command::NoText
                | Command::History(_)
                | Command::Account(_),
            ) => {
                let asker = &self.roster.user(asker).name;
                self.outputs.say(id, &Line::Refusal(Refusal::AnswerFirst(asker)));
            }
        }
    }

    /// Whether `name` is the name of `id`, in any case. An invalid name matches nobody.
    pub(super) fn has_name(&self, id: SessionId, name: &str) -> bool {
        Name::parse(name.trim()).is_ok_and(|name| self.roster.find(&name) == Some(id))
    }

    /// Whether an answer is for somebody else than `asker`: the request of NAME may have ended, and that
    /// of `asker` come, while the answer was on its way (4.6.6).
    pub(super) fn names_other(&self, asker: SessionId, name: &str) -> bool {
        !name.is_empty() && !self.has_name(asker, name)
    }

    /// CHATTING: the line is text for the partner, except a few commands (4.7). Nothing of a command
    /// reaches the partner, known or not.
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
        let command = Command::in_chat(line);
        match command {
            Command::Say(_) | Command::Act(_) => {
                return ChatMessage::of(partner, &self.roster.user(id).name, command);
            }
            Command::NoText => self.refuse(id, Refusal::NoText),
            Command::Leave => self.quit_chat(now, id),
            Command::Exit => self.end_session(now, id, DisconnectReason::Exit),
            Command::Yes(_) | Command::No(_) => self.refuse(id, Refusal::NobodyAsks),
            Command::Chat(_) | Command::Join(_) | Command::Cancel | Command::Account(_) => {
                let partner = &self.roster.user(partner).name;
                self.outputs.say(id, &Line::Refusal(Refusal::InChat(partner)));
            }
            Command::Who(prefix) => self.common_command(id, CommonCommand::List(prefix)),
            Command::History(_) => self.refuse(id, Refusal::NotInRoom),
            Command::Common(command) => self.common_command(id, command),
            Command::Unknown => self.refuse(id, Refusal::NotACommand),
        }
        None
    }

    /// IN ROOM: the line is text for the members or a command (4.8). A request that waits for an
    /// answer changes little: the conversation goes on.
    fn line_in_room(&mut self, now: Time, id: SessionId, room: RoomId, line: &str) {
        if self.holds_back(id, room, line) {
            return;
        }
        match Command::in_room(line) {
            Command::Say(text) => self.say_in_room(now, id, room, RoomText::Said(text)),
            Command::Act(text) => self.say_in_room(now, id, room, RoomText::Done(text)),
            Command::NoText => self.refuse(id, Refusal::NoText),
            Command::Chat(name) => self.request_chat_from_room(now, id, name),
            Command::Join(name) => self.move_to_room(now, id, room, name.unwrap_or(LOBBY)),
            Command::Leave => {
                self.quit_room(now, id);
                self.prompt(id);
            }
            Command::Exit => self.end_session(now, id, DisconnectReason::Exit),
            Command::Yes(name) => self.answer_request_in_room(now, id, name, true),
            Command::No(name) => self.answer_request_in_room(now, id, name, false),
            Command::Cancel => self.refuse(id, Refusal::NothingToCancel),
            Command::Who(prefix) => self.list_members(id, room, prefix),
            Command::History(count) => self.history_command(id, room, count),
            Command::Account(_) => {
                let room = &self.roster.rooms().room(room).name;
                let refusal = Refusal::Account(AccountRefusal::OnlyAtMenu(room));
                self.outputs.say(id, &Line::Refusal(refusal));
            }
            Command::Common(CommonCommand::Ignore(name)) if self.is_asker_or_empty(id, name) => {
                self.shut_out_asker(now, id);
            }
            Command::Common(command) => self.common_command(id, command),
            // Not said to the room: `/quti` would be noise, and `/msg anna secret` would be worse.
            Command::Unknown => self.say(id, Line::from(RoomRefusal::NotACommand)),
        }
    }

    /// Whether a bare word in a room is held back with a question instead of being said (4.8.11). The
    /// whole room would read an `exit` that was meant for the server, or a `yes` meant for an asker.
    fn holds_back(&mut self, id: SessionId, room: RoomId, line: &str) -> bool {
        let room = &self.roster.rooms().room(room).name;
        let asker = self.roster.user(id).state.asker();
        let refusal = match asker.map(|asker| &self.roster.user(asker).name) {
            Some(by) if is_bare_answer(line) => {
                RoomRefusal::AnswerHeldBack { by, word: line.trim() }
            }
            _ if is_bare_exit(line) => RoomRefusal::ExitHeldBack { room },
            _ => return false,
        };
        self.outputs.say(id, &Line::from(refusal));
        true
    }
}
