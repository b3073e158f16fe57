//! Where in the conversation the person is. It is always derived from what the server said last,
//! never from what was typed, so that it cannot drift from the truth.

use super::color::Paint;
use super::prompt::Prompt;
use super::server_line::{News, Question, ServerLine};

/// The person's state; the states of `protocol.md` 3, as seen from here.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ClientState {
    /// The server has not said yet.
    #[default]
    Nowhere,
    /// Asked for a username.
    Naming,
    /// At the menu.
    Menu,
    /// Asked whom to chat with.
    Choosing,
    /// Waiting for the answer of `whom`.
    Asking {
        /// Who was asked.
        whom: String,
    },
    /// Owing `by` an answer.
    Asked {
        /// Who asks.
        by: String,
    },
    /// In a chat.
    Chatting {
        /// The partner.
        with: String,
    },
    /// In a room, where whoever is asked to chat stays (4.8.6).
    Room {
        /// Which.
        room: String,
        /// Who asks, if anybody does.
        asked_by: Option<String>,
    },
}

/// What a room is called, so that it is never taken for a person of the same name: no name of
/// either begins so (3.2.1).
#[must_use]
pub fn room_label(room: &str) -> String {
    format!("#{room}")
}

impl ClientState {
    /// Where `said` leads from here, if it leads anywhere.
    #[must_use]
    pub fn after(&self, said: &ServerLine<'_>) -> Option<ClientState> {
        match said {
            ServerLine::Question(text) => match Question::read(text) {
                Question::Username => Some(ClientState::Naming),
                Question::Menu => Some(ClientState::Menu),
                Question::Whom => Some(ClientState::Choosing),
                Question::Request(by) => Some(self.with_request(by)),
                Question::Unknown => None,
            },
            ServerLine::Information(text) => self.after_news(News::read(text)),
            ServerLine::Error(_)
            | ServerLine::Row(_)
            | ServerLine::Message { .. }
            | ServerLine::Unknown(_) => None,
        }
    }

    fn after_news(&self, news: News<'_>) -> Option<ClientState> {
        match news {
            News::Asked(whom) => Some(ClientState::Asking { whom: whom.to_owned() }),
            News::Chatting(with) => Some(ClientState::Chatting { with: with.to_owned() }),
            News::Entered(room) => {
                Some(ClientState::Room { room: room.to_owned(), asked_by: None })
            }
            News::YouLeft => self.without_request(|_, _| true),
            News::RequestOver(of) => self.without_request(|_, by| by == of),
            // Who leaves a room to ask somebody in it is not gone.
            News::Left { who, what } => self.without_request(|room, by| by == who && what != room),
            News::Hello(_) | News::Joined { .. } | News::Missed | News::Goodbye | News::Other => {
                None
            }
        }
    }

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
            | ClientState::Asking { .. }
            | ClientState::Asked { .. }
            | ClientState::Chatting { .. } => ClientState::Asked { by },
        }
    }

    /// The room without the request, if there is one that `is_over`. Elsewhere the next prompt
    /// tells that.
    fn without_request(&self, is_over: impl Fn(&str, &str) -> bool) -> Option<ClientState> {
        if let ClientState::Room { room, asked_by: Some(by) } = self
            && is_over(room, by)
        {
            return Some(ClientState::Room { room: room.clone(), asked_by: None });
        }
        None
    }

    /// Whether what is typed goes to the same ears here and there. A request that comes to a room
    /// or ends there changes nothing of that.
    #[must_use]
    pub fn is_same(&self, there: &ClientState) -> bool {
        match (self, there) {
            (ClientState::Room { room, .. }, ClientState::Room { room: other, .. }) => {
                room == other
            }
            (here, there) => here == there,
        }
    }

    /// Whether what is typed here reaches other people.
    #[must_use]
    pub fn is_heard(&self) -> bool {
        match self {
            ClientState::Chatting { .. } | ClientState::Room { .. } => true,
            ClientState::Nowhere
            | ClientState::Naming
            | ClientState::Menu
            | ClientState::Choosing
            | ClientState::Asking { .. }
            | ClientState::Asked { .. } => false,
        }
    }

    /// The state in words, to complete "a line for …".
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            ClientState::Chatting { with } => with.clone(),
            ClientState::Room { room, .. } => room_label(room),
            ClientState::Asked { by } => by.clone(),
            ClientState::Menu => "the menu".to_owned(),
            ClientState::Nowhere
            | ClientState::Naming
            | ClientState::Choosing
            | ClientState::Asking { .. } => "the server".to_owned(),
        }
    }

    /// The prompt that shows this state.
    #[must_use]
    pub fn prompt(&self) -> Prompt {
        match self {
            ClientState::Nowhere => Prompt::new("connecting", Paint::Faint),
            ClientState::Naming => Prompt::new("name", Paint::Plain),
            ClientState::Menu => Prompt::new("menu", Paint::Plain),
            ClientState::Choosing => Prompt::new("chat with whom", Paint::Plain),
            ClientState::Asking { whom } => Prompt::new(&format!("asking {whom}"), Paint::Faint),
            ClientState::Asked { by } => {
                let label = format!("{by} asks, yes or no");
                Prompt::new(&label, Paint::Request).or_short(&format!("{by}?"))
            }
            ClientState::Chatting { with } => Prompt::new(with, Paint::Name(with.clone())),
            ClientState::Room { room, asked_by: None } => {
                Prompt::new(&room_label(room), Paint::Room)
            }
            ClientState::Room { room, asked_by: Some(by) } => {
                let room = room_label(room);
                let label = format!("{room} ({by} asks: /yes /no)");
                Prompt::new(&label, Paint::Request).or_short(&format!("?{room}"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MENU: &str = "? 1 list users, 2 request chat, 3 exit, 4 join a room, 5 list rooms";

    /// Goes from state to state, and checks what the prompts say.
    fn go(steps: &[(&str, &str)]) {
        let mut state = ClientState::Nowhere;
        for (line, label) in steps {
            state = state.after(&ServerLine::read(line)).unwrap_or(state);
            assert_eq!(state.prompt().label(), *label, "{line}");
        }
    }

    #[test]
    fn a_session_as_protocol_md_tells_it() {
        go(&[
            ("* Welcome to chinwag", "connecting"),
            ("? Username:", "name"),
            ("* Hello, A", "name"),
            (MENU, "menu"),
            ("* 1 user online", "menu"),
            ("- A available (you)", "menu"),
            ("? Chat with whom?", "chat with whom"),
            ("* Asked B; cancel withdraws the request", "asking B"),
            ("* B accepted", "asking B"),
            ("* You are now chatting with B; quit leaves", "B"),
            ("B: ? 1 list users, 2 request chat, 3 exit", "B"),
            ("B: * You are now chatting with C", "B"),
            ("* B left", "B"),
            (MENU, "menu"),
            ("? C wants to chat; yes or no", "C asks, yes or no"),
            ("! no, yes or no", "C asks, yes or no"),
        ]);
    }

    /// (6.1.4, 4.8.3, 4.8.4, 4.8.6, 4.8.7, 4.8.8)
    #[test]
    fn a_room_is_left_when_the_server_says_where_one_is_then() {
        let asked = "#lobby (B asks: /yes /no)";
        go(&[
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
            ("* You are now chatting with B; quit ends it", "B"),
        ]);
    }

    /// (4.8.6, 4.8.7, 4.8.8)
    #[test]
    fn whoever_is_asked_in_a_room_stays_there_when_the_request_is_over() {
        let asked = "#lobby (B asks: /yes /no)";
        for end in [
            "* You declined B",
            "* B withdrew the request",
            "* The request of B has lapsed",
            "* B left",
            "* B left: the connection ended",
        ] {
            go(&[
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
    fn somebody_whose_name_is_a_word_of_the_server_leads_nowhere() {
        let room = ("* You are now in lobby; quit leaves", "#lobby");
        for line in ["* Asked joined lobby", "* Asked left lobby", "* Goodbye joined lobby"] {
            go(&[room, (line, "#lobby")]);
        }
        let chat = ("* You are now chatting with Asked; quit ends it", "Asked");
        go(&[chat, ("* Asked is not reading; what you send waits", "Asked")]);
    }
}
