//! Colour and emphasis: the one state that knows escape sequences for looks.
//!
//! With colour the server's tags are said in colour; without (`NO_COLOR`, `--color never`) they
//! stay as text, so that nothing is ever told by colour alone to those who do not see it.

use anstyle::{AnsiColor, Effects, Style};

/// What a piece of text is, as far as its looks are concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Paint {
    /// What people say.
    Plain,
    /// What is there to be found, not to be read each time: hints, timestamps, what was typed.
    Faint,
    /// Information from the server.
    Information,
    /// What was refused, and why.
    Error,
    /// A request to chat, which stands out.
    Request,
    /// Somebody who is free to chat.
    Free,
    /// What the client itself has to say: a lost connection, a question.
    StopNotice,
    /// A room: no colour of a person's.
    Room,
    /// The reader's own name in what somebody says.
    Mention,
    /// A person's name, in a colour of its own.
    Name(String),
}

/// The colours that tell names apart. Red says error, magenta request; black, white and the
/// blues vanish on somebody's background.
const NAME_COLOURS: [AnsiColor; 6] = [
    AnsiColor::Green,
    AnsiColor::Yellow,
    AnsiColor::Cyan,
    AnsiColor::BrightGreen,
    AnsiColor::BrightYellow,
    AnsiColor::BrightCyan,
];

/// Whether there are colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Palette {
    /// Escape sequences for looks may be written.
    pub colours: bool,
}

impl Palette {
    /// `text` as `paint` looks, at the end of `line`.
    pub fn put(self, line: &mut String, paint: &Paint, text: &str) {
        let style = paint.style();
        if !self.colours || text.is_empty() || style == Style::new() {
            line.push_str(text);
        } else {
            line.push_str(&format!("{style}{text}{style:#}"));
        }
    }

    /// `text` as `paint` looks.
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
            Paint::StopNotice => colour(AnsiColor::Yellow),
            Paint::Room => Style::new().effects(Effects::BOLD),
            Paint::Mention => Style::new().effects(Effects::BOLD.insert(Effects::UNDERLINE)),
            Paint::Name(name) => colour(colour_of(name)).effects(Effects::BOLD),
        }
    }
}

/// The colour of a name: the same in every run, and without regard to case, as names are.
fn colour_of(name: &str) -> AnsiColor {
    let sum = name
        .to_lowercase()
        .bytes()
        .fold(0_usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(usize::from(byte)));
    NAME_COLOURS[sum % NAME_COLOURS.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_colours_not_one_escape_sequence_is_written() {
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
