//! Part 3: the effect of a line in each state, and the effect of an ended session on others.

use std::collections::BTreeSet;

use super::addresses::Kind;
use super::names::Name;
use super::{Discard, Model, Session, State, Step};
use crate::traffic::{Expected, Received, SessionKey};

const MENU: &str = "1 list users, 2 request chat, 3 exit, 4 join a room, 5 list rooms";

/// How long a user may not enter a room after the partner ended their chat (7.20).
const ROOM_AFTER_CHAT_MS: u64 = 2_000;

/// The most rows in a list (7.30).
const ROWS_MAX: usize = 50;

impl Model {
    pub(super) fn handle_input(&mut self, who: SessionKey, received: &Received) {
        match received {
            Received::Line(line) => self.handle_line(who, line),
            Received::TooLong | Received::NotUtf8 => {
                self.refuse(who);
                if let State::Naming
                | State::SigningIn
                | State::Menu
                | State::Choosing
                | State::Password(..) = self.state(who)
                {
                    self.prompt(who);
                }
            }
            // `protocol.md` does not fix these words. They distinguish the reply from other `*`
            // lines.
            Received::AreYouThere => self.expect_line(who, '*', "is here".into()),
            Received::TelnetOption(refusal) => {
                self.expected.push((who, Expected::TelnetRefusal(*refusal)))
            }
            Received::End => self.leave(who, None),
            Received::LastLine(line) => {
                self.handle_line(who, line);
                let has_all = !self.is_question_open(who) && !self.still_answered.contains(&who);
                if self.is_open(who) && has_all {
                    self.leave(who, None);
                }
            }
            Received::OtherProtocol => {
                self.leave(who, Some(Expected::Containing('!', String::new())))
            }
        }
    }

    pub(super) fn welcome(&mut self, who: SessionKey) {
        self.expect_line(who, '*', "Welcome".into());
        self.prompt(who);
    }

    fn handle_line(&mut self, who: SessionKey, line: &str) {
        match self.state(who) {
            State::Naming => self.handle_naming(who, line),
            State::SigningIn | State::Password(..) => self.handle_password_line(who, line),
            State::Choosing => self.handle_choosing(who, line),
            State::Chatting(with) => self.handle_chatting(who, with, line),
            State::InRoom(room) | State::AskedInRoom(_, room) => {
                self.handle_in_room(who, room, line)
            }
            State::Menu | State::Asking(_) | State::Asked(_) => self.handle_menu_command(who, line),
            State::Ended => {}
        }
    }

    fn handle_naming(&mut self, who: SessionKey, line: &str) {
        let (word, rest) = first_word(line);
        match (word.as_str(), rest.is_empty()) {
            ("exit" | "quit" | "/exit" | "/quit" | "/q" | "/leave" | "/part", true) => {
                return self.leave(who, Some(Expected::Containing('*', "Goodbye".into())));
            }
            ("/help", true) => self.expected.push((who, Expected::Rows)),
            _ if word.starts_with('/') => {
                self.expect_line(who, '!', "Choose a username first".into());
            }
            _ => self.take_username(who, line),
        }
        self.prompt(who);
    }

    fn take_username(&mut self, who: SessionKey, line: &str) {
        let name = Name::new(line);
        if name.as_ref().is_some_and(|name| self.begin_sign_in(who, name)) {
            return;
        }
        match name.filter(|name| self.is_free(name)) {
            Some(name) => {
                self.expect_line(who, '*', format!("Hello, {}", name.spelling));
                let session = self.session_mut(who);
                (session.state, session.name, session.deadline) = (State::Menu, Some(name), None);
                self.charge_address(who, Kind::Logins);
            }
            None => self.refuse(who),
        }
    }

    fn is_free(&self, name: &Name) -> bool {
        let mut in_use = self.sessions.values().filter(|session| session.state != State::Ended);
        !name.is_reserved()
            && in_use.all(|session| {
                session
                    .name
                    .as_ref()
                    .is_none_or(|used| used.folded != name.folded && used.look != name.look)
            })
    }

    /// A line with a `/` is a command (5.1), every other line is a name (4.4.1).
    fn handle_choosing(&mut self, who: SessionKey, line: &str) {
        let (word, rest) = first_word(line);
        let is_common = |word: &str| {
            ["/list", "/who", "/names", "/rooms", "/ignore", "/unignore"].contains(&word)
                || rest.is_empty()
                    && [
                        "/help",
                        "/busy",
                        "/free",
                        "/quiet",
                        "/loud",
                        "/chat",
                        "/follow",
                        "/unfollow",
                    ]
                    .contains(&word)
        };
        if is_common(&word) {
            return match word.as_str() {
                "/chat" => self.prompt(who),
                _ => self.handle_menu_command(who, line),
            };
        }
        self.session_mut(who).state = State::Menu;
        match (word.as_str(), rest.is_empty()) {
            ("" | "cancel" | "/cancel" | "/quit" | "/q" | "/leave" | "/part", true) => {
                self.expect_line(who, '*', "Nobody was asked".into());
                self.prompt(who);
            }
            _ if word.starts_with('/') => self.handle_menu_command(who, line),
            _ => self.ask_for(who, line),
        }
    }

    /// The commands of 4.3 to 4.6 at MENU, ASKING and ASKED, with or without a `/` (5.1).
    pub(super) fn handle_menu_command(&mut self, who: SessionKey, line: &str) {
        let state = self.state(who);
        let session = self.session_mut(who);
        let missed_request = std::mem::take(&mut session.missed_request);
        let was_choosing = std::mem::take(&mut session.was_choosing);
        let (typed, rest) = first_word(line);
        let is_asker = |name: &str| match state {
            State::Asked(by) => Name::new(name).is_some_and(|name| self.find(&name) == Some(by)),
            _ => false,
        };
        // The menu's numbers take no `/`.
        let is_number = |word: &str| word.starts_with(|c: char| c.is_ascii_digit());
        let word = typed.strip_prefix('/').filter(|word| !is_number(word)).unwrap_or(&typed);
        let shut_out = self.asker_named(who, rest).filter(|_| word == "ignore");
        match (word, rest.is_empty(), state) {
            _ if shut_out.is_some() => self.shut_out(who, shut_out.unwrap_or(who)),
            ("yes" | "y" | "no" | "n", _, State::Asked(by)) => {
                self.answer(by, who, word.starts_with('y'), rest);
            }
            ("2" | "chat", false, State::Asked(by)) if is_asker(rest) => self.accept(by, who),
            (.., State::Asked(by)) if was_choosing && is_asker(line) => self.accept(by, who),
            ("yes" | "y" | "no" | "n", _, State::Menu) if missed_request => self.refuse(who),
            ("1" | "list" | "who" | "names", ..) => self.list(who, rest),
            ("5" | "rooms", ..) => self.list_rooms(who, without_mark(rest)),
            ("4" | "join", _, State::Menu) => self.join(who, rest),
            ("3" | "exit", true, _) => {
                self.leave(who, Some(Expected::Containing('*', "Goodbye".into())))
            }
            ("cancel" | "quit" | "q" | "leave" | "part", true, State::Asking(whom)) => {
                self.withdraw(who, whom)
            }
            ("2" | "chat", false, State::Menu) => self.ask_for(who, rest),
            ("2" | "chat", true, State::Menu) => {
                self.session_mut(who).state = State::Choosing;
                self.prompt(who);
            }
            ("register" | "password" | "unregister", true, State::Menu) => {
                self.account_command(who, word);
            }
            ("help", true, _) => self.then_prompt(who, |model| {
                model.expected.push((who, Expected::Rows));
            }),
            ("busy" | "free", true, _) => self.then_prompt(who, |model| {
                model.session_mut(who).busy = word == "busy";
                model.expect_line(who, '*', format!("You are {word}"));
            }),
            ("quiet" | "loud", true, _) => self.then_prompt(who, |model| {
                model.session_mut(who).quiet = word == "quiet";
                model.expect_line(who, '*', "Joins and leaves are".into());
            }),
            ("follow" | "unfollow", true, _) => self.follow(who, word == "follow"),
            ("ignore", ..) => self.then_prompt(who, |model| model.ignore(who, rest)),
            ("unignore", ..) => self.then_prompt(who, |model| model.unignore(who, rest)),
            (.., State::Menu) => self.then_prompt(who, |model| model.refuse(who)),
            _ => self.refuse(who),
        }
    }

    fn follow(&mut self, who: SessionKey, follows: bool) {
        self.session_mut(who).follows = follows;
        let words = if follows { "You follow" } else { "You no longer follow" };
        self.expect_line(who, '*', format!("{words} the lists"));
        self.prompt(who);
    }

    /// Runs a command that changes no state, then repeats the prompt.
    fn then_prompt(&mut self, who: SessionKey, command: impl FnOnce(&mut Model)) {
        command(self);
        self.prompt(who);
    }

    fn list(&mut self, reader: SessionKey, prefix: &str) {
        let named = self.sessions().filter(|(_, session)| session.state != State::Ended);
        let mut rows = named
            .filter_map(|(who, session)| Some((session.name.as_ref()?.folded.clone(), who)))
            .filter(|(folded, _)| folded.starts_with(&prefix.to_lowercase()))
            .collect::<Vec<_>>();
        rows.sort();
        let count = rows.len();
        let users = if count == 1 { "user" } else { "users" };
        match (count, prefix) {
            (_, "") => self.expect_line(reader, '*', format!("{count} {users} online")),
            // The words are not fixed, but a line that says "no such user" must name the prefix.
            (0, _) => self.expect_line(reader, '*', prefix.into()),
            _ => self.expect_line(reader, '*', format!("{count} {users} whose")),
        }
        for (_, who) in rows.into_iter().take(ROWS_MAX) {
            let you = if who == reader { " (you)" } else { "" };
            let row = format!("- {} {}{you}", self.name(who).spelling, self.status(who));
            self.expected.push((reader, Expected::list_row(row)));
        }
        self.expect_more_rows(reader, count);
        self.prompt(reader);
    }

    /// What a follower must know in the end (5.8.3): the first rows, and the numbers of users and rooms.
    pub(crate) fn lists(&self) -> (BTreeSet<String>, (usize, usize)) {
        let users = self.sessions().filter(|(_, session)| session.state != State::Ended);
        let mut users = users
            .filter_map(|(who, session)| Some((session.name.as_ref()?, who)))
            .map(|(name, who)| (&name.folded, format!("{} {}", name.spelling, self.status(who))))
            .collect::<Vec<_>>();
        users.sort();
        let mut rooms = self.room_rows();
        rooms.sort();
        let counts = (users.len(), rooms.len());
        let users = users.into_iter().map(|(_, row)| row).take(ROWS_MAX);
        (users.chain(rooms.into_iter().map(|(_, row)| row).take(ROWS_MAX)).collect(), counts)
    }

    fn status(&self, who: SessionKey) -> String {
        match self.state(who) {
            State::Asking(other) => format!("asking {}", self.name(other).spelling),
            State::Asked(other) => format!("asked by {}", self.name(other).spelling),
            State::Chatting(other) => format!("chatting with {}", self.name(other).spelling),
            State::AskedInRoom(other, _) => format!("asked by {}", self.name(other).spelling),
            State::InRoom(room) if self.sessions[&who].busy => {
                format!("in {}, busy", self.room_name(room))
            }
            State::InRoom(room) => format!("in {}", self.room_name(room)),
            State::Password(..) => "busy".into(),
            _ if self.sessions[&who].busy => "busy".into(),
            _ => "available".into(),
        }
    }

    pub(super) fn ask_for(&mut self, by: SessionKey, name: &str) {
        let Some(whom) = self.user_to_ask(by, name) else {
            self.refuse(by);
            return self.prompt(by);
        };
        let was_choosing = self.state(whom) == State::Choosing;
        let (now, lapses_at) = (self.now, self.now + self.limits.ask_ms);
        let asker = self.session_mut(by);
        asker.state = State::Asking(whom);
        asker.deadline = Some(lapses_at);
        asker.request_limit.spend(now);
        self.charge_address(by, Kind::Requests);
        self.count_unread(whom);
        let asked = self.session_mut(whom);
        asked.was_choosing = was_choosing;
        asked.state = match asked.state {
            State::InRoom(room) => State::AskedInRoom(by, room),
            _ => State::Asked(by),
        };
        self.expect_line(by, '*', format!("Asked {}", self.name(whom).spelling));
        self.prompt(whom);
    }

    pub(super) fn accept(&mut self, by: SessionKey, whom: SessionKey) {
        self.end_request(by, whom);
        let (asker, asked) = (self.name(by).spelling, self.name(whom).spelling);
        self.expect_line(by, '*', format!("{asked} accepted"));
        self.expect_line(by, '*', format!("You are now chatting with {asked}"));
        self.expect_line(whom, '*', format!("You are now chatting with {asker}"));
        self.session_mut(by).state = State::Chatting(whom);
        self.session_mut(whom).state = State::Chatting(by);
        self.chats += 1;
    }

    /// An answer at ASKED. With a name it is for the asker of that name alone (4.6.6).
    pub(super) fn answer(&mut self, by: SessionKey, whom: SessionKey, accepts: bool, name: &str) {
        match (self.is_for(by, name), accepts) {
            (false, _) => self.expect_line(whom, '!', "Nobody was answered".into()),
            (true, true) => self.accept(by, whom),
            (true, false) => self.decline(by, whom),
        }
    }

    /// Whether an answer with this name, or without one, is for `by`.
    pub(super) fn is_for(&self, by: SessionKey, name: &str) -> bool {
        name.is_empty() || Name::new(name).is_some_and(|name| self.find(&name) == Some(by))
    }

    pub(super) fn decline(&mut self, by: SessionKey, whom: SessionKey) {
        self.expect_line(by, '*', format!("{} declined", self.name(whom).spelling));
        self.expect_line(whom, '*', format!("You declined {}", self.name(by).spelling));
        self.start_cooldown(by, whom);
        self.end_request(by, whom);
        self.prompt(by);
        self.prompt(whom);
    }

    fn withdraw(&mut self, by: SessionKey, whom: SessionKey) {
        self.expect_line(by, '*', "You withdrew".into());
        self.expect_line(whom, '*', format!("{} withdrew", self.name(by).spelling));
        self.start_cooldown(by, whom);
        self.end_request(by, whom);
        self.mark_missed_request(whom);
        self.prompt(by);
        self.prompt(whom);
    }

    pub(super) fn end_request(&mut self, by: SessionKey, whom: SessionKey) {
        let asker = self.session_mut(by);
        (asker.state, asker.deadline) = (State::Menu, None);
        let asked = self.session_mut(whom);
        asked.was_choosing = false;
        asked.state = match asked.state {
            State::AskedInRoom(_, room) => State::InRoom(room),
            _ => State::Menu,
        };
    }

    /// `whom` may have sent an answer before learning that the request is over. That answer must
    /// not count as a command at the menu.
    pub(super) fn mark_missed_request(&mut self, whom: SessionKey) {
        let session = self.session_mut(whom);
        session.missed_request = session.state == State::Menu;
    }

    fn handle_chatting(&mut self, who: SessionKey, with: SessionKey, line: &str) {
        let Some(command) = line.strip_prefix('/') else {
            return match line.trim().eq_ignore_ascii_case("quit") {
                true => self.quit(who, with),
                false => self.say_to(who, with, line),
            };
        };
        let (word, text) = command.split_once(' ').unwrap_or((command, ""));
        let (word, rest) = (word.to_lowercase(), text.trim());
        match (word.as_str(), rest.is_empty()) {
            _ if command.starts_with('/') => self.say_to(who, with, command),
            ("say", false) => self.say_to(who, with, text),
            ("me", false) => self.say_to(who, with, &format!("*{rest}*")),
            ("quit" | "q" | "leave" | "part", true) => self.quit(who, with),
            ("exit", true) => self.leave(who, Some(Expected::Containing('*', "Goodbye".into()))),
            ("list" | "who" | "names" | "rooms" | "ignore" | "unignore", _)
            | ("help" | "busy" | "free" | "quiet" | "loud" | "follow" | "unfollow", true) => {
                self.handle_menu_command(who, command);
            }
            _ => self.refuse(who),
        }
    }

    fn say_to(&mut self, who: SessionKey, with: SessionKey, text: &str) {
        let said = format!("{}: {text}", self.name(who).spelling);
        self.expected.push((with, Expected::Exactly(said)));
        self.messages += 1;
    }

    fn quit(&mut self, who: SessionKey, with: SessionKey) {
        self.expect_line(who, '*', "You left".into());
        self.expect_line(with, '*', format!("{} left", self.name(who).spelling));
        self.session_mut(who).state = State::Menu;
        self.prompt(who);
        self.chat_was_ended(with);
    }

    /// The partner has ended the chat of `who` (4.1.5). The server discards held input of `who`: it
    /// was meant for the partner. A stall counts from now, because the partner may have caused it
    /// (7.17, 7.38).
    fn chat_was_ended(&mut self, who: SessionKey) {
        let now = self.now;
        let session = self.session_mut(who);
        session.state = State::Menu;
        session.no_room_until = now + ROOM_AFTER_CHAT_MS;
        session.stall = session.stall.map(|_| (now, false));
        self.prompt(who);
        self.discard_held_input(who);
    }

    fn discard_held_input(&mut self, who: SessionKey) {
        let held = self.received.get(&who).into_iter().flatten();
        let held = held.take_while(|received| **received != Received::End);
        let refusals = held.clone().filter_map(|received| match received {
            Received::TelnetOption(refusal) => Some((who, Expected::TelnetRefusal(*refusal))),
            _ => None,
        });
        let is_line = |received: &&Received| {
            !matches!(received, Received::TelnetOption(_) | Received::AreYouThere)
        };
        let whole_lines = held.clone().filter(is_line).count();
        let lines = match self.discard {
            Discard::LinesAndPartial => whole_lines + 1,
            Discard::Lines if whole_lines > 0 => whole_lines,
            Discard::TelnetOnly if self.held_count(who) == 0 => return,
            Discard::TelnetOnly if whole_lines == 0 => 0,
            Discard::Lines | Discard::TelnetOnly => {
                return self.expected.push((who, Expected::Impossible));
            }
        };
        self.expected.extend(refusals);
        self.discarded.push(who);
        if lines > 0 {
            self.expected.push((who, Expected::Discarded(lines)));
        }
    }

    /// Ends the session of `who` (4.9, 4.10).
    pub(super) fn leave(&mut self, who: SessionKey, last_line: Option<Expected>) {
        let left = self.sessions[&who].name.as_ref().map(|name| format!("{} left", name.spelling));
        let left = left.unwrap_or_default();
        match self.state(who) {
            State::Chatting(with) => {
                self.expect_line(with, '*', left);
                self.chat_was_ended(with);
            }
            State::Asking(whom) => {
                self.expect_line(whom, '*', left);
                self.charge_time(who, whom);
                self.end_request(who, whom);
                self.mark_missed_request(whom);
                self.prompt(whom);
            }
            State::Asked(by) | State::AskedInRoom(by, _) => {
                self.expect_line(by, '*', left);
                self.end_request(by, who);
                self.prompt(by);
            }
            State::Naming
            | State::SigningIn
            | State::Menu
            | State::Choosing
            | State::InRoom(_)
            | State::Password(..)
            | State::Ended => {}
        }
        if let Some(room) = self.state(who).room() {
            self.leave_room(who, room);
            self.charge_address(who, Kind::RoomLines);
        }
        self.expected.extend(last_line.map(|words| (who, words)));
        self.end(who);
    }

    /// Everybody reads the operator's announcement.
    pub(super) fn announce_to_all(&mut self, words: &str) {
        for who in self.sessions.keys().copied().collect::<Vec<_>>() {
            if self.is_open(who) {
                self.expect_line(who, '*', words.into());
            }
        }
    }

    pub(super) fn stop_all(&mut self) {
        for who in self.sessions.keys().copied().collect::<Vec<_>>() {
            if self.is_open(who) {
                let room = self.state(who).room();
                self.expect_line(who, '*', "The server is stopping".into());
                self.end(who);
                room.into_iter().for_each(|room| self.start_expiry_if_empty(room));
            }
        }
    }

    fn end(&mut self, who: SessionKey) {
        self.forget_question(who);
        let session = self.session_mut(who);
        (session.state, session.deadline, session.stall) = (State::Ended, None, None);
    }

    pub(super) fn prompt(&mut self, who: SessionKey) {
        let prompt = match self.state(who) {
            State::Naming => "Username:",
            _ if self.is_question_open(who) => return,
            State::SigningIn => {
                let account = self.sessions[&who].account.as_ref();
                let name = account.expect("SIGNING IN has an account").spelling.clone();
                let prompt = format!("? Password for {name}:");
                return self.expected.push((who, Expected::Exactly(prompt)));
            }
            State::Password(_, step) => {
                let name = self.name(who).spelling;
                let prompt = match step {
                    Step::Current => format!("? Password for {name}:"),
                    Step::New => format!("? New password for {name}:"),
                    Step::Repeat => "? The same password again:".to_owned(),
                };
                return self.expected.push((who, Expected::Exactly(prompt)));
            }
            State::Menu => MENU,
            State::Choosing => "Chat with whom?",
            State::Asked(by) => {
                let asker = self.name(by).spelling;
                let prompt = format!("? {asker} wants to chat. Accept? yes or no");
                return self.expected.push((who, Expected::Exactly(prompt)));
            }
            State::AskedInRoom(by, _) => {
                let asker = self.name(by).spelling;
                let prompt = format!("? {asker} wants to chat. Accept? /yes or /no");
                return self.expected.push((who, Expected::Exactly(prompt)));
            }
            State::Asking(_) | State::Chatting(_) | State::InRoom(_) | State::Ended => return,
        };
        self.expected.push((who, Expected::Exactly(format!("? {prompt}"))));
    }

    /// Expects the row that says how many of `count` rows a list does not show (5.2.2).
    pub(super) fn expect_more_rows(&mut self, who: SessionKey, count: usize) {
        if count > ROWS_MAX {
            let more = Expected::Containing('-', format!("{} more", count - ROWS_MAX));
            self.expected.push((who, Expected::ListRow(Box::new(more))));
        }
    }

    pub(super) fn expect_line(&mut self, who: SessionKey, tag: char, words: String) {
        self.expected.push((who, Expected::Containing(tag, words)));
    }

    pub(super) fn refuse(&mut self, who: SessionKey) {
        self.expect_line(who, '!', String::new());
    }

    /// The session, for a change that a roll-back can undo.
    pub(super) fn session_mut(&mut self, who: SessionKey) -> &mut Session {
        let session = self.sessions.get_mut(&who).expect("the session exists");
        if self.undo.iter().all(|(changed, _)| *changed != who) {
            self.undo.push((who, session.clone()));
        }
        session
    }

    pub(super) fn name(&self, who: SessionKey) -> Name {
        self.sessions[&who].name.clone().expect("the session has a username")
    }

    pub(super) fn find(&self, name: &Name) -> Option<SessionKey> {
        let is_called = |session: &Session| {
            let used = session.name.as_ref();
            session.state != State::Ended && used.is_some_and(|used| used.folded == name.folded)
        };
        self.sessions().find(|(_, session)| is_called(session)).map(|(who, _)| who)
    }
}

/// The first word of a line in lower case, and the rest without surrounding blanks.
fn first_word(line: &str) -> (String, &str) {
    let line = line.trim();
    let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
    (word.to_lowercase(), rest.trim())
}

/// The name of a room, without the `#` that may mark it (5.1.4).
pub(super) fn without_mark(room: &str) -> &str {
    room.strip_prefix('#').unwrap_or(room)
}
