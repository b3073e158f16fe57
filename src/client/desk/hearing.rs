//! What the server's lines do.

use std::mem;

use super::super::options::Bell;
use super::super::place::Place;
use super::super::said::{News, Question, Said, is_removal};
use super::super::transcript::listed;
use super::{Action, Desk, Link, count};

impl Desk {
    /// A line that could not be read was thrown away.
    pub fn handle_unreadable(&mut self) {
        self.notice("A line of the server could not be read, and is not shown");
    }

    /// The server said `line`, which is safe to show.
    pub fn handle_line(&mut self, line: &str) {
        self.unanswered = false;
        let said = Said::read(line);
        let place = Place::after(&said);
        let is_new = place.as_ref().is_some_and(|place| *place != self.place);
        if is_new {
            self.void_question();
        }
        if let Some(place) = place {
            self.place = place;
        }
        match said {
            Said::Question(text) => self.handle_question(text, &said, is_new),
            Said::Information(text) => {
                self.show(&said);
                self.handle_news(News::read(text));
            }
            Said::Message { from, .. } => {
                self.names.learn(from);
                self.rings |= self.setup.bell == Bell::All;
                self.show(&said);
            }
            Said::Row(text) => {
                if let Some((name, _)) = listed(text) {
                    self.names.learn(name);
                }
                self.show(&said);
            }
            Said::Error(text) => {
                if is_removal(text) {
                    // Whoever is shown the door does not come back by themselves.
                    self.me = None;
                }
                self.show(&said);
            }
            Said::Unknown(_) => self.show(&said),
        }
        self.refused = matches!(said, Said::Error(_));
    }

    fn handle_question(&mut self, text: &str, said: &Said<'_>, is_new: bool) {
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
                self.names.learn(by);
                if is_new {
                    self.rings |= self.setup.bell != Bell::Off;
                    self.show(said);
                }
            }
            Question::Unknown => self.show(said),
        }
    }

    fn handle_news(&mut self, news: News<'_>) {
        match news {
            News::Hello(name) => {
                self.names.learn(name);
                self.me = Some(name.to_owned());
                self.backoff.reset();
                self.take_up_again();
                if !self.unsent.is_empty() {
                    let lines = count(self.unsent.len(), "line");
                    self.notice(&format!(
                        "{lines} not sent: arrow-up on an empty line offers them"
                    ));
                }
            }
            News::Asked(name) | News::Chatting(name) => self.names.learn(name),
            News::Goodbye => {
                if let Link::Up { over, .. } = &mut self.link {
                    *over = true;
                }
            }
            News::Other => {}
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
            self.begun_at = Place::Naming;
        }
    }
}
