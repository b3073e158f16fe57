//! How the state machine handles server lines: the new state, the transcript, the bell.
//!
//! The event loop calls [`StateMachine::handle_line`] for each line. `server_line` parses the line;
//! this module decides what the line changes. No line may make the client send anything, except the
//! username.

use std::mem;

use super::{Action, Leaving, Link, StateMachine};
use crate::client::ui::client_state::ClientState;
use crate::client::ui::list_row::Row;
use crate::client::ui::mention::mentions;
use crate::client::ui::notifier::Occasion;
use crate::client::ui::server_line::{
    News, Question, ServerLine, is_removal, is_visibility_warning,
};

impl StateMachine {
    /// Tells the user that a line was dropped. A silent gap would look like a quiet partner.
    pub fn handle_unreadable(&mut self) {
        self.notice("A line of the server could not be read, and is not shown");
    }

    /// Handles one line from the server. `text` holds no control characters: the framing has
    /// removed them.
    pub fn handle_line(&mut self, text: &str) {
        let line = ServerLine::read(text);
        self.note_proof(&line);
        if self.read_history(&line) {
            return;
        }
        self.log.add_received(&line, text);
        let state = self.state.after(&line);
        // The state comes first: whether a line is shown depends on the state that it leads to.
        let is_new = state.as_ref().is_some_and(|state| *state != self.state);
        if let Some(state) = state {
            if !state.has_same_recipients(&self.state) {
                self.cancel_confirmation();
                self.drop_waiting();
                self.is_partner_stalled = false;
            }
            self.guard_secret(&state);
            self.state = state;
        }
        match line {
            ServerLine::Question(text) => self.handle_question(text, &line, is_new),
            ServerLine::Information(text) => self.handle_information(text, &line),
            ServerLine::Message { from, text } => self.handle_message(from, text, &line),
            ServerLine::Row(text) => {
                self.learn_from(&Row::read(text));
                self.show(&line);
            }
            ServerLine::Error(text) => {
                // The client then does not reconnect on its own. An operator would otherwise have
                // to remove the same user again and again.
                self.was_removed |= is_removal(text);
                self.show(&line);
                self.handle_refused_return();
            }
            ServerLine::Unknown(_) => self.show(&line),
        }
        self.last_was_error = matches!(line, ServerLine::Error(_));
        self.remember(&line);
        self.send_waiting();
    }

    /// Handles a message. The bell stays silent for the echo of our own message (4.8.2). In a room
    /// of many users a message is urgent only if it names this user.
    fn handle_message(&mut self, from: &str, text: &str, line: &ServerLine<'_>) {
        self.known.people.learn_speaker(from);
        match (&self.state, &self.username) {
            // Names are unique on the server (3.2.2), so this is our own message.
            (_, Some(me)) if me == from => {
                self.pending_lines.push(self.transcript.own_message(me, text));
            }
            (ClientState::Room { .. }, Some(me)) if !mentions(text, me).is_empty() => {
                self.notifier.handle(Occasion::Mention(from));
                self.pending_lines.push(self.transcript.message_naming(me, from, text));
            }
            (ClientState::Room { .. }, _) => {
                self.notifier.handle(Occasion::RoomLine(from));
                self.show(line);
            }
            // In a chat every message is for this user, so a name in the message adds nothing.
            _ => {
                self.notifier.handle(Occasion::ChatLine(from));
                self.show(line);
            }
        }
    }

    /// Remembers the names in a row of a list, for Tab.
    pub(super) fn learn_from(&mut self, row: &Row<'_>) {
        match row {
            Row::User { name, .. } | Row::Member { name, .. } => {
                self.known.people.learn(name);
            }
            Row::InputHistory { from, .. } => self.known.people.learn_speaker(from),
            Row::Guest { name, room, .. } => {
                self.known.people.learn(name);
                self.known.rooms.learn(room);
            }
            Row::Room { room, .. } => self.known.rooms.learn(room),
            // A row of unknown form may hold any words. They would spoil the list for Tab.
            Row::Other(_) => {}
        }
    }

    /// Handles a question. `is_new` is false if the server repeats the question in the same state,
    /// as it does after each list. A repeated menu or request must not ring or fill the screen.
    fn handle_question(&mut self, text: &str, line: &ServerLine<'_>, is_new: bool) {
        self.is_password_sent = false;
        match Question::read(text) {
            Question::Username => {
                self.handle_greeting();
                self.send_username();
            }
            // The client's own prompt shows the same words.
            Question::Whom | Question::Password(_) => {}
            Question::Menu => {
                // The menu's wording belongs to the server. Enter on an empty line shows this copy.
                text.clone_into(&mut self.menu);
                if self.return_to_room() {
                    return;
                }
                if is_new || self.last_was_error {
                    self.show(line);
                }
            }
            Question::Request(by) => {
                self.known.people.learn(by);
                if is_new {
                    self.notifier.handle(Occasion::Request(by));
                    self.show(line);
                }
            }
            Question::Unknown => self.show(line),
        }
    }

    /// Handles a `*` line. News of members who come and go is drawn faint in a room, because in a
    /// busy room such lines are frequent and rarely matter.
    fn handle_information(&mut self, text: &str, line: &ServerLine<'_>) {
        let news = News::read(text);
        match (news, &self.state) {
            (
                News::Joined { room: place, .. } | News::Left { place, .. },
                ClientState::Room { room, .. },
            ) if place == room => self.pending_lines.push(self.transcript.faint_information(text)),
            // The sign behind the last line, which the client has asked for.
            (News::Other, _) if self.is_finishing() && text.starts_with("chinwag is here") => {}
            (News::Other, _) if is_visibility_warning(text) => {}
            // Other news is shown in full colour, even a departure from the server.
            _ => self.show(line),
        }
        self.handle_news(news);
    }

    /// Applies the effects of news beyond the change of state: names for Tab, our own username.
    fn handle_news(&mut self, news: News<'_>) {
        match news {
            News::Hello(name) => self.handle_hello(name),
            News::Asked(name) | News::Chatting(name) | News::Joined { name, .. } => {
                self.known.people.learn(name);
            }
            News::Entered(room) => {
                self.known.rooms.learn(room);
                self.handle_entered(room);
            }
            News::Goodbye => {
                // The server closes after goodbye. That end must not start a reconnect.
                if let Link::Up { said_goodbye, .. } = &mut self.link {
                    *said_goodbye = true;
                }
            }
            // These change the state at most, and `ClientState::after` has seen to that.
            News::YouLeft
            | News::RequestOver(_)
            | News::Left { .. }
            | News::Missed
            | News::Other => {}
        }
    }

    /// Handles the accepted username: the session is restored as far as possible. The menu that
    /// follows starts the return to the room.
    fn handle_hello(&mut self, name: &str) {
        self.known.people.learn(name);
        self.username = Some(name.to_owned());
        // Only now does the connection count as good. A server that accepts connections and drops
        // them at once must not reset the backoff.
        self.backoff.reset();
        self.restore_draft();
        self.was_removed = false;
        if self.room_return.is_none() {
            self.offer_unsent();
        }
    }

    /// Restores the saved draft. If the user has started another line meanwhile, the saved draft
    /// goes to the history, one arrow-up away: neither line is lost.
    pub(super) fn restore_draft(&mut self) {
        match self.saved_draft.take() {
            Some((line, draft_state)) if self.editor.is_empty() => {
                self.editor.set(&line);
                self.draft_state = draft_state;
            }
            Some((line, _)) => self.history.push(&line),
            None => {}
        }
    }

    /// Sends the username without asking, but only once per connection. After a refusal the name is
    /// put into the editor, and the user can change it.
    fn send_username(&mut self) {
        // The accepted name comes before the option: the user may have changed it at the prompt.
        let accepted = self.username.as_ref().filter(|_| !self.setup.keeps_name);
        let Some(name) = accepted.or(self.setup.name.as_ref()) else { return };
        let Link::Up { name_tried, .. } = &mut self.link else { return };
        if !mem::replace(name_tried, true) {
            self.actions.push_back(Action::Send(name.clone()));
        } else if self.setup.keeps_name {
            let reason =
                format!("the server does not admit you as {name}, and you have no other name");
            self.actions.push_back(Action::Leave(Leaving::Failed(reason)));
        } else if self.saved_draft.is_none() {
            // This branch runs only without a saved draft: a second refusal must not overwrite it.
            if !self.editor.is_empty() {
                self.saved_draft = Some((self.editor.take(), self.draft_state.clone()));
            }
            self.editor.set(name);
            self.draft_state = ClientState::Naming;
        }
    }
}
