//! Part 3: what each state makes of a line, and what each end means for both.

use super::names::Name;
use super::{GivingUp, Model, Person, State};
use crate::spoken::{Expect, Heard, Who};

const MENU: &str = "1 list users, 2 request chat, 3 exit, 4 join a room, 5 list rooms";

/// After the other has ended a chat nobody enters a room (5.33).
const ROOM_AFTER_CHAT_MS: u64 = 2_000;

/// Rows of a list at most (5.4).
const ROWS_MAX: usize = 50;

impl Model {
    pub(super) fn act_on(&mut self, who: Who, heard: &Heard) {
        match heard {
            Heard::Line(line) => self.line(who, line),
            Heard::TooLong | Heard::NotUtf8 => {
                self.refuse(who);
                if let State::Naming | State::Menu | State::Choosing = self.state(who) {
                    self.prompt(who);
                }
            }
            // By these words, which are not promised, it is told from other news.
            Heard::AreYouThere => self.says(who, '*', "is here".into()),
            Heard::Option(refusal) => self.expected.push((who, Expect::Refusal(*refusal))),
            Heard::End => self.leave(who, None),
            Heard::LastLine(line) => {
                self.line(who, line);
                if self.is_open(who) {
                    self.leave(who, None);
                }
            }
            Heard::Foreign => self.leave(who, Some(Expect::Says('!', String::new()))),
        }
    }

    pub(super) fn welcome(&mut self, who: Who) {
        self.says(who, '*', "Welcome".into());
        self.prompt(who);
    }

    fn line(&mut self, who: Who, line: &str) {
        match self.state(who) {
            State::Naming => self.naming(who, line),
            State::Choosing => self.choosing(who, line),
            State::Chatting(with) => self.chatting(who, with, line),
            State::InRoom(room) | State::AskedInRoom(_, room) => self.in_room(who, room, line),
            State::Menu | State::Asking(_) | State::Asked(_) => self.choice(who, line),
            State::Over => {}
        }
    }

    fn naming(&mut self, who: Who, line: &str) {
        if ["exit", "quit"].contains(&line.trim().to_lowercase().as_str()) {
            return self.leave(who, Some(Expect::Says('*', "Goodbye".into())));
        }
        match Name::new(line).filter(|name| self.is_free(name)) {
            Some(name) => {
                self.says(who, '*', format!("Hello, {}", name.spelling));
                let person = self.person(who);
                (person.state, person.name, person.deadline) = (State::Menu, Some(name), None);
            }
            None => self.refuse(who),
        }
        self.prompt(who);
    }

    fn is_free(&self, name: &Name) -> bool {
        let mut in_use = self.people.values().filter(|person| person.state != State::Over);
        !["you", "asked", "hello", "welcome", "goodbye"].contains(&name.folded.as_str())
            && in_use.all(|person| {
                person
                    .name
                    .as_ref()
                    .is_none_or(|used| used.folded != name.folded && used.look != name.look)
            })
    }

    fn choosing(&mut self, who: Who, line: &str) {
        self.person(who).state = State::Menu;
        if ["", "cancel"].contains(&line.trim().to_lowercase().as_str()) {
            self.says(who, '*', "Nobody was asked".into());
            self.prompt(who);
        } else {
            self.ask_for(who, line);
        }
    }

    /// The rows of 3.2 for MENU, ASKING and ASKED.
    pub(super) fn choice(&mut self, who: Who, line: &str) {
        let state = self.state(who);
        let person = self.person(who);
        let missed_request = std::mem::take(&mut person.missed_request);
        let was_choosing = std::mem::take(&mut person.was_choosing);
        let (word, rest) = first_word(line);
        let is_asker = |name: &str| match state {
            State::Asked(by) => Name::new(name).is_some_and(|name| self.find(&name) == Some(by)),
            _ => false,
        };
        match (word.as_str(), rest.is_empty(), state) {
            ("yes" | "y", true, State::Asked(by)) => self.accept(by, who),
            ("no" | "n", true, State::Asked(by)) => self.decline(by, who),
            ("2" | "chat", false, State::Asked(by)) if is_asker(rest) => self.accept(by, who),
            (.., State::Asked(by)) if was_choosing && is_asker(line) => self.accept(by, who),
            ("yes" | "y" | "no" | "n", true, State::Menu) if missed_request => self.refuse(who),
            ("1" | "list", ..) => self.list(who, rest),
            ("5" | "rooms", ..) => self.list_rooms(who, rest),
            ("4" | "join", _, State::Menu) => self.join(who, rest),
            ("3" | "exit", true, _) => self.leave(who, Some(Expect::Says('*', "Goodbye".into()))),
            ("cancel" | "quit", true, State::Asking(whom)) => self.withdraw(who, whom),
            ("2" | "chat", false, State::Menu) => self.ask_for(who, rest),
            ("2" | "chat", true, State::Menu) => {
                self.person(who).state = State::Choosing;
                self.prompt(who);
            }
            ("help", true, _) => self.aside(who, |model| {
                model.expected.push((who, Expect::Rows));
            }),
            ("busy" | "free", true, _) => self.aside(who, |model| {
                model.person(who).busy = word == "busy";
                model.says(who, '*', format!("You are {word}"));
            }),
            ("ignore", ..) => self.aside(who, |model| model.ignore(who, rest)),
            ("unignore", ..) => self.aside(who, |model| model.unignore(who, rest)),
            (.., State::Menu) => self.aside(who, |model| model.refuse(who)),
            _ => self.refuse(who),
        }
    }

    /// Something that changes no state, and the prompt again.
    fn aside(&mut self, who: Who, does: impl FnOnce(&mut Model)) {
        does(self);
        self.prompt(who);
    }

    fn list(&mut self, reader: Who, prefix: &str) {
        let named = self.people().filter(|(_, person)| person.state != State::Over);
        let mut rows = named
            .filter_map(|(who, person)| Some((person.name.as_ref()?.folded.clone(), who)))
            .filter(|(folded, _)| folded.starts_with(&prefix.to_lowercase()))
            .collect::<Vec<_>>();
        rows.sort();
        let count = rows.len();
        let users = if count == 1 { "user" } else { "users" };
        match (count, prefix) {
            (_, "") => self.says(reader, '*', format!("{count} {users} online")),
            // Nobody can be said in other words.
            (0, _) => self.says(reader, '*', prefix.into()),
            _ => self.says(reader, '*', format!("{count} {users} whose")),
        }
        for (_, who) in rows.into_iter().take(ROWS_MAX) {
            let you = if who == reader { " (you)" } else { "" };
            let row = format!("- {} {}{you}", self.name(who).spelling, self.status(who));
            self.expected.push((reader, Expect::Exactly(row)));
        }
        if count > ROWS_MAX {
            self.says(reader, '-', format!("{} more", count - ROWS_MAX));
        }
        self.prompt(reader);
    }

    fn status(&self, who: Who) -> String {
        match self.state(who) {
            State::Asking(other) => format!("asking {}", self.name(other).spelling),
            State::Asked(other) => format!("asked by {}", self.name(other).spelling),
            State::Chatting(other) => format!("chatting with {}", self.name(other).spelling),
            State::AskedInRoom(other, _) => format!("asked by {}", self.name(other).spelling),
            State::InRoom(room) if self.people[&who].busy => {
                format!("in {}, busy", self.room_name(room))
            }
            State::InRoom(room) => format!("in {}", self.room_name(room)),
            _ if self.people[&who].busy => "busy".into(),
            _ => "available".into(),
        }
    }

    pub(super) fn ask_for(&mut self, by: Who, name: &str) {
        let Some(whom) = self.whom_to_ask(by, name) else {
            self.refuse(by);
            return self.prompt(by);
        };
        let was_choosing = self.state(whom) == State::Choosing;
        let (now, lapses_at) = (self.now, self.now + self.bounds.ask_ms);
        let asker = self.person(by);
        asker.state = State::Asking(whom);
        asker.deadline = Some(lapses_at);
        asker.asks.spend(now);
        let asked = self.person(whom);
        asked.was_choosing = was_choosing;
        asked.state = match asked.state {
            State::InRoom(room) => State::AskedInRoom(by, room),
            _ => State::Asked(by),
        };
        self.says(by, '*', format!("Asked {}", self.name(whom).spelling));
        self.prompt(whom);
    }

    pub(super) fn accept(&mut self, by: Who, whom: Who) {
        self.ask_is_over(by, whom);
        let (asker, asked) = (self.name(by).spelling, self.name(whom).spelling);
        self.says(by, '*', format!("{asked} accepted"));
        self.says(by, '*', format!("You are now chatting with {asked}"));
        self.says(whom, '*', format!("You are now chatting with {asker}"));
        self.person(by).state = State::Chatting(whom);
        self.person(whom).state = State::Chatting(by);
        self.chats += 1;
    }

    pub(super) fn decline(&mut self, by: Who, whom: Who) {
        self.says(by, '*', format!("{} declined", self.name(whom).spelling));
        self.says(whom, '*', format!("You declined {}", self.name(by).spelling));
        self.cool(by, whom);
        self.ask_is_over(by, whom);
        self.prompt(by);
        self.prompt(whom);
    }

    fn withdraw(&mut self, by: Who, whom: Who) {
        self.says(by, '*', "You withdrew".into());
        self.says(whom, '*', format!("{} withdrew", self.name(by).spelling));
        self.cool(by, whom);
        self.ask_is_over(by, whom);
        self.missed_request(whom);
        self.prompt(by);
        self.prompt(whom);
    }

    pub(super) fn ask_is_over(&mut self, by: Who, whom: Who) {
        let asker = self.person(by);
        (asker.state, asker.deadline) = (State::Menu, None);
        let asked = self.person(whom);
        asked.was_choosing = false;
        asked.state = match asked.state {
            State::AskedInRoom(_, room) => State::InRoom(room),
            _ => State::Menu,
        };
    }

    /// `whom` may have answered at the menu before they could know that the request is over.
    pub(super) fn missed_request(&mut self, whom: Who) {
        let person = self.person(whom);
        person.missed_request = person.state == State::Menu;
    }

    fn chatting(&mut self, who: Who, with: Who, line: &str) {
        let command = line.strip_prefix('/').map(|word| word.trim_end().to_lowercase());
        let is_quit = line.trim().eq_ignore_ascii_case("quit");
        match command.as_deref() {
            Some("quit") => self.quit(who, with),
            None if is_quit => self.quit(who, with),
            Some("help") => self.expected.push((who, Expect::Rows)),
            Some(word) if !word.starts_with('/') => self.refuse(who),
            command => {
                let text = if command.is_some() { &line[1..] } else { line };
                let said = format!("{}: {text}", self.name(who).spelling);
                self.expected.push((with, Expect::Exactly(said)));
                self.texts += 1;
            }
        }
    }

    fn quit(&mut self, who: Who, with: Who) {
        self.says(who, '*', "You left".into());
        self.says(with, '*', format!("{} left", self.name(who).spelling));
        self.person(who).state = State::Menu;
        self.prompt(who);
        self.is_left(with);
    }

    /// The chat of `who` was ended by the other (3.1.5): what is held of theirs goes to nobody, and
    /// their stall, which the other may have caused, counts from now (5.15).
    fn is_left(&mut self, who: Who) {
        let now = self.now;
        let person = self.person(who);
        person.state = State::Menu;
        person.no_room_until = now + ROOM_AFTER_CHAT_MS;
        person.stall = person.stall.map(|_| (now, false));
        self.prompt(who);
        self.give_up_held(who);
    }

    fn give_up_held(&mut self, who: Who) {
        let held = self.heard.get(&who).into_iter().flatten();
        let held = held.take_while(|heard| **heard != Heard::End);
        let refusals = held.clone().filter_map(|heard| match heard {
            Heard::Option(refusal) => Some((who, Expect::Refusal(*refusal))),
            _ => None,
        });
        let is_line = |heard: &&Heard| !matches!(heard, Heard::Option(_) | Heard::AreYouThere);
        let whole_lines = held.clone().filter(is_line).count();
        let lines = match self.giving_up {
            GivingUp::LinesAndPart => whole_lines + 1,
            GivingUp::Lines if whole_lines > 0 => whole_lines,
            GivingUp::Telnet if self.held(who) == 0 => return,
            GivingUp::Telnet if whole_lines == 0 => 0,
            GivingUp::Lines | GivingUp::Telnet => {
                return self.expected.push((who, Expect::Never));
            }
        };
        self.expected.extend(refusals);
        self.given_up.push(who);
        if lines > 0 {
            let plural = if lines == 1 { "" } else { "s" };
            self.says(who, '!', format!("{lines} line{plural}"));
        }
    }

    /// The session of `who` is over (3.8, 3.9).
    pub(super) fn leave(&mut self, who: Who, say_last_line: Option<Expect>) {
        let left = self.people[&who].name.as_ref().map(|name| format!("{} left", name.spelling));
        let left = left.unwrap_or_default();
        match self.state(who) {
            State::Chatting(with) => {
                self.says(with, '*', left);
                self.is_left(with);
            }
            State::Asking(whom) => {
                self.says(whom, '*', left);
                self.ask_is_over(who, whom);
                self.missed_request(whom);
                self.prompt(whom);
            }
            State::Asked(by) | State::AskedInRoom(by, _) => {
                self.says(by, '*', left);
                self.ask_is_over(by, who);
                self.prompt(by);
            }
            State::Naming | State::Menu | State::Choosing | State::InRoom(_) | State::Over => {}
        }
        if let Some(room) = self.state(who).room() {
            self.leave_room(who, room);
        }
        self.expected.extend(say_last_line.map(|words| (who, words)));
        self.end(who);
    }

    /// Everybody reads what an operator has to say.
    pub(super) fn tell_all(&mut self, words: &str) {
        for who in self.people.keys().copied().collect::<Vec<_>>() {
            if self.is_open(who) {
                self.says(who, '*', words.into());
            }
        }
    }

    pub(super) fn stop_all(&mut self) {
        for who in self.people.keys().copied().collect::<Vec<_>>() {
            if self.is_open(who) {
                let room = self.state(who).room();
                self.says(who, '*', "The server is stopping".into());
                self.end(who);
                room.into_iter().for_each(|room| self.keep_if_empty(room));
            }
        }
    }

    fn end(&mut self, who: Who) {
        let person = self.person(who);
        (person.state, person.deadline, person.stall) = (State::Over, None, None);
    }

    pub(super) fn prompt(&mut self, who: Who) {
        let prompt = match self.state(who) {
            State::Naming => "Username:",
            State::Menu => MENU,
            State::Choosing => "Chat with whom?",
            State::Asked(by) => {
                let asker = self.name(by).spelling;
                let prompt = format!("? {asker} wants to chat, yes or no");
                return self.expected.push((who, Expect::Exactly(prompt)));
            }
            State::AskedInRoom(by, _) => {
                let asker = self.name(by).spelling;
                let prompt = format!("? {asker} wants to chat, /yes or /no");
                return self.expected.push((who, Expect::Exactly(prompt)));
            }
            State::Asking(_) | State::Chatting(_) | State::InRoom(_) | State::Over => return,
        };
        self.expected.push((who, Expect::Exactly(format!("? {prompt}"))));
    }

    pub(super) fn says(&mut self, who: Who, tag: char, words: String) {
        self.expected.push((who, Expect::Says(tag, words)));
    }

    pub(super) fn refuse(&mut self, who: Who) {
        self.says(who, '!', String::new());
    }

    /// The person, to be changed: the attempt under way can be taken back.
    pub(super) fn person(&mut self, who: Who) -> &mut Person {
        let person = self.people.get_mut(&who).expect("somebody here");
        if self.undo.iter().all(|(changed, _)| *changed != who) {
            self.undo.push((who, person.clone()));
        }
        person
    }

    pub(super) fn name(&self, who: Who) -> Name {
        self.people[&who].name.clone().expect("a user")
    }

    pub(super) fn find(&self, name: &Name) -> Option<Who> {
        let is_called = |person: &Person| {
            let used = person.name.as_ref();
            person.state != State::Over && used.is_some_and(|used| used.folded == name.folded)
        };
        self.people().find(|(_, person)| is_called(person)).map(|(who, _)| who)
    }
}

/// The first word of a line in lower case, and the rest without the blanks around it.
fn first_word(line: &str) -> (String, &str) {
    let line = line.trim();
    let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
    (word.to_lowercase(), rest.trim())
}
