//! Colour and emphasis. No other module knows the escape sequences for them.
//!
//! `transcript` and `screen` call this module. With colour, a colour replaces the tag of a server
//! line. Without colour (`NO_COLOR`, `--color never`) the tag stays, and no information is lost.

use anstyle::{AnsiColor, Effects, Style};

/// What a piece of text means. The meaning decides the colour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Paint {
    /// Messages.
    Plain,
    /// Text that the user rarely needs to read: hints, timestamps, the user's own input.
    Faint,
    /// Information from the server.
    Information,
    /// A refusal and its reason.
    Error,
    /// A request to chat. It is the most visible colour, because a request waits for an answer.
    Request,
    /// The status of a user that can be asked to chat.
    Free,
    /// Text of the client itself: a lost connection, a question.
    Notice,
    /// The name of a room, and the prompt of a conversation. It has no colour, because colours tell
    /// users apart.
    Strong,
    /// The user's own name in the message of another user.
    Mention,
    /// A username. The name decides the colour.
    Name(String),
}

/// The colours of usernames. Red and magenta are missing, because they mark errors and requests.
/// Black, white and blue are missing, because they are unreadable on some backgrounds.
const NAME_COLOURS: [AnsiColor; 6] = [
    AnsiColor::Green,
    AnsiColor::Yellow,
    AnsiColor::Cyan,
    AnsiColor::BrightGreen,
    AnsiColor::BrightYellow,
    AnsiColor::BrightCyan,
];

/// Whether the client writes colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Palette {
    /// The terminal may receive escape sequences for colour and emphasis.
    pub colours: bool,
}

impl Palette {
    /// Appends `text` to `line` in the colour of `paint`.
    pub fn put(self, line: &mut String, paint: &Paint, text: &str) {
        let style = paint.style();
        if !self.colours || text.is_empty() || style == Style::new() {
            line.push_str(text);
        } else {
            line.push_str(&format!("{style}{text}{style:#}"));
        }
    }

    /// Returns `text` in the colour of `paint`.
    #[must_use]
    pub fn painted(self, paint: &Paint, text: &str) -> String {
        let mut line = String::new();
        self.put(&mut line, paint, text);
        line
    }
}

impl Paint {
    fn style(&self) -> Style {
        let colour = |colour: AnsiColor| Style::new().fg_color(Some(colour.into()));
        match self {
            Paint::Plain => Style::new(),
            Paint::Faint => Style::new().effects(Effects::DIMMED),
            Paint::Information => colour(AnsiColor::Cyan),
            Paint::Error => colour(AnsiColor::Red),
            Paint::Request => colour(AnsiColor::Magenta).effects(Effects::BOLD),
            Paint::Free => colour(AnsiColor::Green),
            Paint::Notice => colour(AnsiColor::Yellow),
            Paint::Strong => Style::new().effects(Effects::BOLD),
            Paint::Mention => Style::new().effects(Effects::BOLD.insert(Effects::UNDERLINE)),
            Paint::Name(name) => colour(colour_of(name)).effects(Effects::BOLD),
        }
    }
}

/// Chooses a colour from a hash of the name. The colour is the same in every run. Case makes no
/// difference, because two names that differ only in case are the same name.
fn colour_of(name: &str) -> AnsiColor {
    let hash = name
        .to_lowercase()
        .bytes()
        .fold(0_usize, |hash, byte| hash.wrapping_mul(31).wrapping_add(usize::from(byte)));
    NAME_COLOURS[hash % NAME_COLOURS.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_colours_the_text_contains_no_escape_sequence() {
        let plain = Palette { colours: false };
        for paint in [Paint::Error, Paint::Request, Paint::Name("anna".into())] {
            assert_eq!(plain.painted(&paint, "text"), "text");
        }
    }

    #[test]
    fn a_colour_ends_where_its_text_ends() {
        let colours = Palette { colours: true };
        assert_eq!(colours.painted(&Paint::Error, "no"), "\x1b[31mno\x1b[0m");
        assert_eq!(colours.painted(&Paint::Plain, "so"), "so");
        assert_eq!(colours.painted(&Paint::Error, ""), "");
    }

    #[test]
    fn a_name_keeps_its_colour_whatever_its_case() {
        assert_eq!(colour_of("Anna"), colour_of("anna"));
    }
}
