//! Where in the conversation the person is. It is always derived from what the server said last,
//! never from what was typed, so that it cannot drift from the truth.

use super::paint::Paint;
use super::prompt::Prompt;
use super::said::{News, Question, Said};

/// The person's place; the states of `protocol.md` 3, as seen from here.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Place {
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
}

impl Place {
    /// Where `said` leads from here, if it leads anywhere.
    #[must_use]
    pub fn after(said: &Said<'_>) -> Option<Place> {
        match said {
            Said::Question(text) => match Question::read(text) {
                Question::Username => Some(Place::Naming),
                Question::Menu => Some(Place::Menu),
                Question::Whom => Some(Place::Choosing),
                Question::Request(by) => Some(Place::Asked { by: by.to_owned() }),
                Question::Unknown => None,
            },
            Said::Information(text) => match News::read(text) {
                News::Asked(whom) => Some(Place::Asking { whom: whom.to_owned() }),
                News::Chatting(with) => Some(Place::Chatting { with: with.to_owned() }),
                News::Hello(_) | News::Goodbye | News::Other => None,
            },
            Said::Error(_) | Said::Row(_) | Said::Message { .. } | Said::Unknown(_) => None,
        }
    }

    /// Whether what is typed here reaches another person.
    #[must_use]
    pub fn is_chat(&self) -> bool {
        matches!(self, Place::Chatting { .. })
    }

    /// The place in words, to complete "a line for …".
    #[must_use]
    pub fn words(&self) -> &str {
        match self {
            Place::Chatting { with } => with,
            Place::Asked { by } => by,
            Place::Menu => "the menu",
            _ => "the server",
        }
    }

    /// The prompt that shows this place.
    #[must_use]
    pub fn prompt(&self) -> Prompt {
        match self {
            Place::Nowhere => Prompt::new("connecting", Paint::Faint),
            Place::Naming => Prompt::new("name", Paint::Plain),
            Place::Menu => Prompt::new("menu", Paint::Plain),
            Place::Choosing => Prompt::new("chat with whom", Paint::Plain),
            Place::Asking { whom } => Prompt::new(&format!("asking {whom}"), Paint::Faint),
            Place::Asked { by } => {
                let label = format!("{by} asks, yes or no");
                Prompt::new(&label, Paint::Request).or_short(&format!("{by}?"))
            }
            Place::Chatting { with } => Prompt::new(with, Paint::Name(with.clone())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_as_protocol_md_tells_it() {
        let mut place = Place::Nowhere;
        for (line, label) in [
            ("* Welcome to chinwag", "connecting"),
            ("? Username:", "name"),
            ("* Hello, A", "name"),
            ("? 1 list users, 2 request chat, 3 exit", "menu"),
            ("* 1 user online", "menu"),
            ("- A available (you)", "menu"),
            ("? Chat with whom?", "chat with whom"),
            ("* Asked B; cancel withdraws the request", "asking B"),
            ("* B accepted", "asking B"),
            ("* You are now chatting with B; quit leaves", "B"),
            ("B: ? 1 list users, 2 request chat, 3 exit", "B"),
            ("B: * You are now chatting with C", "B"),
            ("* B left", "B"),
            ("? 1 list users, 2 request chat, 3 exit", "menu"),
            ("? C wants to chat; yes or no", "C asks, yes or no"),
            ("! no, yes or no", "C asks, yes or no"),
        ] {
            place = Place::after(&Said::read(line)).unwrap_or(place);
            assert_eq!(place.prompt().label(), label, "{line}");
        }
    }
}
