//! What the server's lines do.

use std::mem;

use super::{Action, Link, StateMachine, count};
use crate::client::options::Bell;
use crate::client::ui::client_state::{ClientState, room_label};
use crate::client::ui::list_row::Row;
use crate::client::ui::mention::mentions;
use crate::client::ui::server_line::{News, Question, ServerLine, is_removal};

impl StateMachine {
    /// A line that could not be read was thrown away.
    pub fn handle_unreadable(&mut self) {
        self.notice("A line of the server could not be read, and is not shown");
    }

    /// The server said `line`, which is safe to show.
    pub fn handle_line(&mut self, line: &str) {
        self.unanswered = false;
        let said = ServerLine::read(line);
        let state = self.state.after(&said);
        let is_new = state.as_ref().is_some_and(|state| *state != self.state);
        if let Some(state) = state {
            if !state.has_same_recipients(&self.state) {
                self.void_question();
            }
            self.state = state;
        }
        match said {
            ServerLine::Question(text) => self.handle_question(text, &said, is_new),
            ServerLine::Information(text) => self.handle_information(text, &said),
            ServerLine::Message { from, text } => self.handle_message(from, text, &said),
            ServerLine::Row(text) => {
                self.learn_from(&Row::read(text));
                self.show(&said);
            }
            ServerLine::Error(text) => {
                if is_removal(text) {
                    // Whoever is shown the door does not come back by themselves.
                    self.me = None;
                }
                self.show(&said);
            }
            ServerLine::Unknown(_) => self.show(&said),
        }
        self.refused = matches!(said, ServerLine::Error(_));
    }

    /// What one says in a room comes back as well (4.8.2), and is no news. Whoever names somebody
    /// there among many wants to be heard.
    fn handle_message(&mut self, from: &str, text: &str, said: &ServerLine<'_>) {
        self.known.people.learn(from);
        match (&self.state, &self.me) {
            (_, Some(me)) if me == from => {
                self.arrived.push(self.transcript.own_message(me, text));
            }
            (ClientState::Room { .. }, Some(me)) if !mentions(text, me).is_empty() => {
                self.rings |= self.setup.bell != Bell::Off;
                self.arrived.push(self.transcript.message_naming(me, from, text));
            }
            _ => {
                self.rings |= self.setup.bell == Bell::All;
                self.show(said);
            }
        }
    }

    fn learn_from(&mut self, row: &Row<'_>) {
        match row {
            Row::User { name, .. }
            | Row::Member { name, .. }
            | Row::InputHistory { from: name, .. } => {
                self.known.people.learn(name);
            }
            Row::Guest { name, room, .. } => {
                self.known.people.learn(name);
                self.known.rooms.learn(room);
            }
            Row::Room { room, .. } => self.known.rooms.learn(room),
            Row::Other(_) => {}
        }
    }

    fn handle_question(&mut self, text: &str, said: &ServerLine<'_>, is_new: bool) {
        match Question::read(text) {
            Question::Username => self.give_name(),
            // The prompt asks that, in the same words.
            Question::Whom => {}
            Question::Menu => {
                text.clone_into(&mut self.menu);
                if is_new || self.refused {
                    self.show(said);
                }
            }
            Question::Request(by) => {
                self.known.people.learn(by);
                if is_new {
                    self.rings |= self.setup.bell != Bell::Off;
                    self.show(said);
                }
            }
            Question::Unknown => self.show(said),
        }
    }

    fn handle_information(&mut self, text: &str, said: &ServerLine<'_>) {
        let news = News::read(text);
        match (news, &self.state) {
            (
                News::Joined { room: place, .. } | News::Left { place, .. },
                ClientState::Room { room, .. },
            ) if place == room => self.arrived.push(self.transcript.aside(text)),
            _ => self.show(said),
        }
        self.handle_news(news);
    }

    fn handle_news(&mut self, news: News<'_>) {
        match news {
            News::Hello(name) => self.handle_hello(name),
            News::Asked(name) | News::Chatting(name) | News::Joined { name, .. } => {
                self.known.people.learn(name);
            }
            News::Entered(room) => self.known.rooms.learn(room),
            News::Goodbye => {
                if let Link::Up { over, .. } = &mut self.link {
                    *over = true;
                }
            }
            News::YouLeft
            | News::RequestOver(_)
            | News::Left { .. }
            | News::Missed
            | News::Other => {}
        }
    }

    fn handle_hello(&mut self, name: &str) {
        self.known.people.learn(name);
        self.me = Some(name.to_owned());
        self.backoff.reset();
        self.take_up_again();
        if let Some(room) = self.lost_room.take() {
            let label = room_label(&room);
            self.notice(&format!("You were in {label}; 4 {room} goes back"));
        }
        if !self.unsent.is_empty() {
            let lines = count(self.unsent.len(), "line");
            self.notice(&format!("{lines} not sent: arrow-up on an empty line offers them"));
        }
    }

    /// Brings back the line that was set aside; above another that was begun since.
    fn take_up_again(&mut self) {
        match self.set_aside.take() {
            Some((line, begun_at)) if self.editor.is_empty() => {
                self.editor.set(&line);
                self.begun_at = begun_at;
            }
            Some((line, _)) => self.history.push(&line),
            None => {}
        }
    }

    /// Gives the wanted username once unasked; if it was refused, lets the person change it.
    fn give_name(&mut self) {
        let Some(name) = self.me.as_ref().or(self.setup.name.as_ref()) else { return };
        let Link::Up { name_tried, .. } = &mut self.link else { return };
        if !mem::replace(name_tried, true) {
            self.actions.push_back(Action::Send(name.clone()));
        } else if self.set_aside.is_none() {
            if !self.editor.is_empty() {
                self.set_aside = Some((self.editor.take(), self.begun_at.clone()));
            }
            self.editor.set(name);
            self.begun_at = ClientState::Naming;
        }
    }
}
