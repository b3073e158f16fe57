//! How a line looks in the transcript, the part of the screen that scrolls away.

use super::paint::{Paint, Palette};
use super::said::{Question, Said};

/// What a row of `1 list users` can say of somebody (`protocol.md` 3.4.1).
const PURSUITS: [&str; 5] = ["available", "busy", "asking ", "asked by ", "chatting with "];

/// Stands before what the client itself says, where there is no colour to tell.
const OWN_TAG: &str = "-- ";

/// Keeps a name and a text of right-to-left letters from running into one, where a terminal
/// turns such text (2.5).
const LEFT_TO_RIGHT_MARK: char = '\u{200e}';

/// Makes lines of the transcript.
#[derive(Debug, Clone)]
pub struct Transcript {
    palette: Palette,
    /// The time of day to put before lines, if the person wants it.
    clock: Option<String>,
}

impl Transcript {
    /// A transcript in these colours.
    #[must_use]
    pub fn new(palette: Palette) -> Transcript {
        Transcript { palette, clock: None }
    }

    /// The time of day, from now on; `None` for no timestamps.
    pub fn set_clock(&mut self, clock: Option<String>) {
        self.clock = clock;
    }

    /// What the server said. In colour the tag is the colour; without, it stays.
    #[must_use]
    pub fn said(&self, said: &Said<'_>) -> String {
        match said {
            Said::Information(text) => self.tagged("* ", &Paint::Information, text),
            Said::Error(text) => self.tagged("! ", &Paint::Error, text),
            Said::Question(text) => match Question::read(text) {
                Question::Request(_) => self.tagged("? ", &Paint::Request, text),
                Question::Menu => self.hint(text),
                Question::Username | Question::Whom | Question::Unknown => {
                    self.tagged("? ", &Paint::Plain, text)
                }
            },
            Said::Row(text) => self.row(text),
            Said::Message { from, text } => self.message(from, text),
            Said::Unknown(text) => self.tagged("", &Paint::Plain, text),
        }
    }

    /// What `from` says.
    #[must_use]
    pub fn message(&self, from: &str, text: &str) -> String {
        let mut line = self.stamp();
        self.palette.put(&mut line, &Paint::Name(from.to_owned()), from);
        line.push(':');
        if from.contains(is_right_to_left) || text.contains(is_right_to_left) {
            line.push(LEFT_TO_RIGHT_MARK);
        }
        line.push(' ');
        line.push_str(text);
        line
    }

    /// The person's own words to the partner.
    #[must_use]
    pub fn own_message(&self, me: &str, text: &str) -> String {
        let mut line = self.stamp();
        self.palette.put(&mut line, &Paint::Faint, &format!("{me}:"));
        line.push(' ');
        line.push_str(text);
        line
    }

    /// A command of the person's, behind the prompt it was typed at.
    #[must_use]
    pub fn command(&self, prompt: &str, text: &str) -> String {
        let mut line = self.stamp();
        self.palette.put(&mut line, &Paint::Faint, &format!("{prompt}{text}"));
        line
    }

    /// What the client itself has to say.
    #[must_use]
    pub fn notice(&self, text: &str) -> String {
        self.tagged(OWN_TAG, &Paint::Notice, text)
    }

    /// A row of something the client shows: a pasted line, a candidate.
    #[must_use]
    pub fn quote(&self, text: &str) -> String {
        let mut line = self.palette.painted(&Paint::Notice, "   | ");
        line.push_str(text);
        line
    }

    /// Something that is there to be found: the menu.
    #[must_use]
    pub fn hint(&self, text: &str) -> String {
        let tag = if self.palette.colours { "" } else { "? " };
        self.palette.painted(&Paint::Faint, &format!("{tag}{text}"))
    }

    fn tagged(&self, tag: &str, paint: &Paint, text: &str) -> String {
        let mut line = self.stamp();
        if !self.palette.colours {
            line.push_str(tag);
        }
        self.palette.put(&mut line, paint, text);
        line
    }

    fn row(&self, text: &str) -> String {
        let mut line = if self.palette.colours { "  " } else { "- " }.to_owned();
        match listed(text) {
            Some((name, pursuit)) => {
                let is_free = pursuit.starts_with("available");
                let paint = if is_free { Paint::Free } else { Paint::Faint };
                self.palette.put(&mut line, &Paint::Name(name.to_owned()), name);
                line.push(' ');
                self.palette.put(&mut line, &paint, pursuit);
            }
            None => line.push_str(text),
        }
        line
    }

    fn stamp(&self) -> String {
        let mut line = String::new();
        if let Some(clock) = &self.clock {
            self.palette.put(&mut line, &Paint::Faint, clock);
            line.push(' ');
        }
        line
    }
}

/// Whether `c` is of a script that is written from the right, by the blocks set aside for those.
fn is_right_to_left(c: char) -> bool {
    matches!(c, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefe}'
        | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}')
}

/// The user whom a row of the list is about, and what it says of them.
#[must_use]
pub fn listed(row: &str) -> Option<(&str, &str)> {
    let is_pursuit = |text: &&str| PURSUITS.iter().any(|&pursuit| text.starts_with(pursuit));
    row.split_once(' ').filter(|(_, pursuit)| is_pursuit(pursuit))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(colours: bool, line: &str) -> String {
        Transcript::new(Palette { colours }).said(&Said::read(line))
    }

    #[test]
    fn without_colours_a_line_is_shown_as_the_server_said_it() {
        for line in ["* Hello, A", "! no", "? B wants to chat, yes or no", "- A busy", "B: hi", "x"]
        {
            assert_eq!(said(false, line), line);
        }
    }

    #[test]
    fn in_colour_the_tag_is_the_colour() {
        assert_eq!(said(true, "* Hello, A"), "\x1b[36mHello, A\x1b[0m");
        assert_eq!(said(true, "! no"), "\x1b[31mno\x1b[0m");
        assert_eq!(said(true, "? B wants to chat"), "\x1b[1m\x1b[35mB wants to chat\x1b[0m");
        assert!(said(true, "- A available (you)").ends_with("\x1b[32mavailable (you)\x1b[0m"));
        assert_eq!(said(true, "- and 3 more; 1 PREFIX"), "  and 3 more; 1 PREFIX");
    }

    #[test]
    fn a_name_stands_apart_from_a_text_that_runs_the_other_way() {
        assert_eq!(said(false, "דן: שלום"), "דן:\u{200e} שלום");
        assert_eq!(said(false, "dan: שלום"), "dan:\u{200e} שלום");
        assert_eq!(said(false, "dan: hello"), "dan: hello");
    }

    #[test]
    fn the_time_of_day_stands_before_what_happened_and_not_before_lists() {
        let mut transcript = Transcript::new(Palette { colours: false });
        transcript.set_clock(Some("12:34".into()));
        assert_eq!(transcript.said(&Said::read("B: hi")), "12:34 B: hi");
        assert_eq!(transcript.said(&Said::read("* B left")), "12:34 * B left");
        assert_eq!(transcript.said(&Said::read("- B busy")), "- B busy");
    }
}
