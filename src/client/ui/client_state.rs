//! The state of the session, as the client knows it: NAMING, MENU, in a chat, in a room and others.
//!
//! The state machine feeds every server line to [`ClientState::after`]. The state follows from
//! server lines alone and never from typed lines. It therefore cannot differ from the server's
//! state for longer than the network's delay.

use super::color::Paint;
use super::prompt::Prompt;
use super::server_line::{News, Question, ServerLine};

/// The user's state: one of the states of `protocol.md`, part 4.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ClientState {
    /// There is no connection, or the server has not prompted yet.
    #[default]
    Nowhere,
    /// At the prompt for a username.
    Naming,
    /// At the menu.
    Menu,
    /// At the prompt for the name of a chat partner.
    Choosing,
    /// At a prompt for a password, or while the server checks it. Typing is hidden.
    Password {
        /// The prompt of the server, without its colon.
        prompt: String,
    },
    /// Waiting for another user's answer to our request.
    Asking {
        /// The user who was asked.
        name: String,
    },
    /// Another user waits for our answer.
    Asked {
        /// The user who asks.
        by: String,
    },
    /// In a chat.
    Chatting {
        /// The partner.
        with: String,
    },
    /// In a room. A user who is asked to chat stays in the room (4.8.6), so a request is part of
    /// this state and not a state of its own.
    Room {
        /// The room's name.
        room: String,
        /// The user who waits for our answer, if there is such a user.
        asked_by: Option<String>,
    },
}

/// The room's name with a `#` before it. A user may have the name of a room; no name begins with
/// `#` (3.2.1), so the label tells the two apart.
#[must_use]
pub fn room_label(room: &str) -> String {
    format!("#{room}")
}

impl ClientState {
    /// The state after `line`, or `None` if the line changes no state.
    #[must_use]
    pub fn after(&self, line: &ServerLine<'_>) -> Option<ClientState> {
        match line {
            ServerLine::Question(text) => match Question::read(text) {
                Question::Username => Some(ClientState::Naming),
                Question::Menu => Some(ClientState::Menu),
                Question::Whom => Some(ClientState::Choosing),
                Question::Request(by) => Some(self.with_request(by)),
                Question::Password(prompt) => {
                    Some(ClientState::Password { prompt: prompt.to_owned() })
                }
                Question::Unknown => None,
            },
            ServerLine::Information(text) => self.after_news(News::read(text)),
            ServerLine::Error(_)
            | ServerLine::Row(_)
            | ServerLine::Message { .. }
            | ServerLine::Unknown(_) => None,
        }
    }

    /// The state after the news of a `*` line. Outside a room most ends of a state need no case
    /// here: the prompt that follows tells the new state.
    fn after_news(&self, news: News<'_>) -> Option<ClientState> {
        match news {
            News::Asked(name) => Some(ClientState::Asking { name: name.to_owned() }),
            News::Chatting(with) => Some(ClientState::Chatting { with: with.to_owned() }),
            News::Entered(room) => {
                Some(ClientState::Room { room: room.to_owned(), asked_by: None })
            }
            News::YouLeft => self.without_request(|_, _| true),
            News::RequestOver(name) => self.without_request(|_, by| by == name),
            // An asker who leaves only this room still waits for an answer.
            News::Left { name, place } => {
                self.without_request(|room, by| by == name && place != room)
            }
            // The password is over before the menu comes.
            News::Hello(_) if matches!(self, ClientState::Password { .. }) => {
                Some(ClientState::Naming)
            }
            News::Hello(_) | News::Joined { .. } | News::Missed | News::Goodbye | News::Other => {
                None
            }
        }
    }

    /// The state with a request from `by`. In a room the user stays (4.8.6); elsewhere a request
    /// replaces the state.
    fn with_request(&self, by: &str) -> ClientState {
        let by = by.to_owned();
        match self {
            ClientState::Room { room, .. } => {
                ClientState::Room { room: room.clone(), asked_by: Some(by) }
            }
            ClientState::Nowhere
            | ClientState::Naming
            | ClientState::Menu
            | ClientState::Choosing
            | ClientState::Password { .. }
            | ClientState::Asking { .. }
            | ClientState::Asked { .. }
            | ClientState::Chatting { .. } => ClientState::Asked { by },
        }
    }

    /// The room without its request, if `is_over` holds for the room and the asker. In other states
    /// this returns `None`: the server sends a prompt there, and the prompt tells the new state.
    fn without_request(&self, is_over: impl Fn(&str, &str) -> bool) -> Option<ClientState> {
        if let ClientState::Room { room, asked_by: Some(by) } = self
            && is_over(room, by)
        {
            return Some(ClientState::Room { room: room.clone(), asked_by: None });
        }
        None
    }

    /// Whether a typed line has the same recipients in both states. A request that arrives or ends
    /// in a room does not change the recipients, so the user may go on typing.
    #[must_use]
    pub fn has_same_recipients(&self, other: &ClientState) -> bool {
        match (self, other) {
            (ClientState::Room { room, .. }, ClientState::Room { room: other_room, .. }) => {
                room == other_room
            }
            (state, other) => state == other,
        }
    }

    /// Whether other users read a line that is typed in this state. Such a line may be private, so
    /// the client is careful about sending it in another state.
    #[must_use]
    pub fn reaches_others(&self) -> bool {
        match self {
            ClientState::Chatting { .. } | ClientState::Room { .. } => true,
            ClientState::Nowhere
            | ClientState::Naming
            | ClientState::Menu
            | ClientState::Choosing
            | ClientState::Password { .. }
            | ClientState::Asking { .. }
            | ClientState::Asked { .. } => false,
        }
    }

    /// Whether the server ends every reply in this state with a prompt.
    #[must_use]
    pub fn has_prompt(&self) -> bool {
        match self {
            ClientState::Nowhere
            | ClientState::Naming
            | ClientState::Menu
            | ClientState::Choosing
            | ClientState::Password { .. }
            | ClientState::Asked { .. } => true,
            ClientState::Asking { .. }
            | ClientState::Chatting { .. }
            | ClientState::Room { .. } => false,
        }
    }

    /// The recipient of a typed line, in words that complete "this line was for …".
    #[must_use]
    pub fn recipient(&self) -> String {
        match self {
            ClientState::Chatting { with } => with.clone(),
            ClientState::Room { room, .. } => room_label(room),
            ClientState::Asked { by } => by.clone(),
            ClientState::Menu => "the menu".to_owned(),
            ClientState::Nowhere
            | ClientState::Naming
            | ClientState::Choosing
            | ClientState::Password { .. }
            | ClientState::Asking { .. } => "the server".to_owned(),
        }
    }

    /// The prompt that shows this state. A request has a short form, because on a narrow terminal
    /// the line being typed needs the space.
    #[must_use]
    pub fn prompt(&self) -> Prompt {
        match self {
            ClientState::Nowhere => Prompt::new("connecting", Paint::Faint).or_short("wait"),
            ClientState::Naming => Prompt::new("name", Paint::Plain),
            ClientState::Menu => Prompt::new("menu", Paint::Plain),
            ClientState::Password { prompt } => {
                Prompt::new(prompt, Paint::Plain).or_short("password").or_bare("pw")
            }
            ClientState::Choosing => Prompt::new("chat with whom", Paint::Plain).or_short("whom"),
            ClientState::Asking { name } => {
                Prompt::new(&format!("asking {name}"), Paint::Faint).or_bare("asking")
            }
            ClientState::Asked { by } => {
                let label = format!("{by} asks, yes or no");
                Prompt::new(&label, Paint::Request).or_short(&format!("{by}?")).or_bare("yes?")
            }
            // A bare name would read as if the partner were speaking.
            ClientState::Chatting { with } => {
                Prompt::new(&format!("to {with}"), Paint::Strong).or_bare("chat")
            }
            ClientState::Room { room, asked_by: None } => {
                Prompt::new(&room_label(room), Paint::Strong).or_bare("room")
            }
            ClientState::Room { room, asked_by: Some(by) } => {
                let room = room_label(room);
                let label = format!("{room} ({by} asks: /yes /no)");
                Prompt::new(&label, Paint::Request).or_short(&format!("?{room}")).or_bare("?room")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MENU: &str = "? 1 list users, 2 request chat, 3 exit, 4 join a room, 5 list rooms";

    /// Feeds each line to the state and checks the label of the prompt after it.
    fn check_prompts(steps: &[(&str, &str)]) {
        let mut state = ClientState::Nowhere;
        for (line, label) in steps {
            state = state.after(&ServerLine::read(line)).unwrap_or(state);
            assert_eq!(state.prompt().label(), *label, "{line}");
        }
    }

    #[test]
    fn the_state_follows_the_server_through_a_whole_session() {
        check_prompts(&[
            ("* Welcome to chinwag", "connecting"),
            ("? Username:", "name"),
            ("* Hello, A", "name"),
            (MENU, "menu"),
            ("* 1 user online", "menu"),
            ("- A available (you)", "menu"),
            ("? Chat with whom?", "chat with whom"),
            ("* Asked B; cancel withdraws the request", "asking B"),
            ("* B accepted", "asking B"),
            ("* You are now chatting with B; quit leaves", "to B"),
            ("B: ? 1 list users, 2 request chat, 3 exit", "to B"),
            ("B: * You are now chatting with C", "to B"),
            ("* B left", "to B"),
            (MENU, "menu"),
            ("? C wants to chat; yes or no", "C asks, yes or no"),
            ("! no, yes or no", "C asks, yes or no"),
        ]);
    }

    /// (6.1.4, 4.8.3, 4.8.4, 4.8.6, 4.8.7, 4.8.8)
    #[test]
    fn the_state_stays_in_a_room_until_the_server_names_the_next_state() {
        let asked = "#lobby (B asks: /yes /no)";
        check_prompts(&[
            (MENU, "menu"),
            ("* You are now in lobby; quit leaves", "#lobby"),
            ("- B", "#lobby"),
            ("* C joined lobby", "#lobby"),
            ("C: * You are now in den", "#lobby"),
            ("* You left lobby", "#lobby"),
            (MENU, "menu"),
            ("* You are now in lobby; quit leaves", "#lobby"),
            ("? B wants to chat, /yes or /no", asked),
            ("* You left lobby", "#lobby"),
            ("* You are now chatting with B; quit ends it", "to B"),
        ]);
    }

    /// (4.8.6, 4.8.7, 4.8.8)
    #[test]
    fn the_end_of_a_request_leaves_the_user_in_the_room() {
        let asked = "#lobby (B asks: /yes /no)";
        for end in [
            "* You declined B",
            "* B withdrew the request",
            "* The request of B has lapsed",
            "* B left",
            "* B left: the connection ended",
        ] {
            check_prompts(&[
                ("* You are now in lobby; quit leaves", "#lobby"),
                ("? B wants to chat, /yes or /no", asked),
                ("* C left", asked),
                ("* B left lobby", asked),
                ("* C joined lobby", asked),
                (end, "#lobby"),
            ]);
        }
    }

    /// (3.2.3, 3.3.1)
    #[test]
    fn a_username_that_is_a_word_of_the_server_changes_no_state() {
        let room = ("* You are now in lobby; quit leaves", "#lobby");
        for line in ["* Asked joined lobby", "* Asked left lobby", "* Goodbye joined lobby"] {
            check_prompts(&[room, (line, "#lobby")]);
        }
        let chat = ("* You are now chatting with Asked; quit ends it", "to Asked");
        check_prompts(&[chat, ("* Asked is not reading; what you send waits", "to Asked")]);
    }
}
