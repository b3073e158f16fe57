//! Colour and emphasis. No other module knows the escape sequences for them.
//!
//! `transcript` and `screen` call this module. With colour, a colour replaces the tag of a server
//! line. Without colour (`NO_COLOR`, `--color never`) the tag stays, and no information is lost.

use anstyle::{Ansi256Color, AnsiColor, Effects, Style};

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

/// The colours of usernames, in xterm's palette of 256. Each has a contrast of at least 3.4 to black
/// and to white. None is one of the 16 colours of a terminal's theme: those mark states.
const NAME_COLOURS: [u8; 14] = [26, 29, 30, 31, 33, 63, 64, 98, 100, 130, 132, 134, 162, 166];

/// Ends a colour. It is the shortest form of SGR 0 (ECMA-48).
const RESET: &str = "\x1b[m";

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
            line.push_str(&format!("{style}{text}{RESET}"));
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
            Paint::Name(name) => Style::new().fg_color(Some(Ansi256Color(colour_of(name)).into())),
        }
    }
}

/// Chooses a colour from a hash of the name. The colour is the same in every run. Case makes no
/// difference, because two names that differ only in case are the same name.
fn colour_of(name: &str) -> u8 {
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
        assert_eq!(colours.painted(&Paint::Error, "no"), "\x1b[31mno\x1b[m");
        assert_eq!(colours.painted(&Paint::Plain, "so"), "so");
        assert_eq!(colours.painted(&Paint::Error, ""), "");
    }

    #[test]
    fn a_name_keeps_its_colour_whatever_its_case() {
        assert_eq!(colour_of("Anna"), colour_of("anna"));
    }

    /// The contrast of two luminances (WCAG 2.2, "contrast ratio").
    fn contrast(one: f64, other: f64) -> f64 {
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    /// The luminance of a colour in the cube of xterm's palette (WCAG 2.2, "relative luminance").
    fn luminance(colour: u8) -> f64 {
        let in_cube = colour - 16;
        let linear = |level: u8| match f64::from([0, 95, 135, 175, 215, 255][usize::from(level)]) {
            0.0 => 0.0,
            value => ((value / 255.0 + 0.055) / 1.055).powf(2.4),
        };
        let [red, green, blue] = [in_cube / 36, in_cube / 6 % 6, in_cube % 6].map(linear);
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    #[test]
    fn twelve_colours_of_names_are_readable_on_black_and_white_and_mark_no_state() {
        let mut colours = NAME_COLOURS.to_vec();
        colours.dedup();
        assert!(colours.len() >= 12);
        for colour in colours {
            assert!((16..232).contains(&colour), "{colour} is no colour of the theme and no grey");
            for background in [0.0, 1.0] {
                let contrast = contrast(luminance(colour), background);
                assert!(contrast >= 3.4, "{colour} on {background}: {contrast}");
            }
        }
        let names = (0..200).map(|number| colour_of(&format!("user{number}")));
        let used = names.collect::<std::collections::BTreeSet<_>>();
        assert_eq!(used.len(), NAME_COLOURS.len(), "names use all colours");
    }
}
