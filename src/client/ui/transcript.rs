//! How a line looks in the transcript, the part of the screen that scrolls away.

use jiff::{Timestamp, Zoned};

use super::color::{Paint, Palette};
use super::list_row::Row;
use super::mention::mentions;
use super::server_line::{News, Question, ServerLine};

/// Stands before what the client itself says, where there is no colour to tell.
const OWN_TAG: &str = "-- ";

/// Keeps a name and a text of right-to-left letters from running into one, where a terminal
/// turns such text (3.2.3).
const LEFT_TO_RIGHT_MARK: char = '\u{200e}';

/// Makes lines of the transcript.
#[derive(Debug, Clone)]
pub struct Transcript {
    palette: Palette,
    /// The person wants the time of day before lines.
    timestamps: bool,
    /// What the reader's clock shows, once it is known, and in which part of the world.
    clock: Option<Zoned>,
}

impl Transcript {
    /// A transcript in these colours, with or without the time of day before lines.
    #[must_use]
    pub fn new(palette: Palette, timestamps: bool) -> Transcript {
        Transcript { palette, timestamps, clock: None }
    }

    /// What the reader's clock shows from now on.
    pub fn set_clock(&mut self, clock: Zoned) {
        self.clock = Some(clock);
    }

    /// What the server said. In colour the tag is the colour; without, it stays.
    #[must_use]
    pub fn said(&self, said: &ServerLine<'_>) -> String {
        match said {
            ServerLine::Information(text) => {
                let is_missed = News::read(text) == News::Missed;
                let paint = if is_missed { Paint::StopNotice } else { Paint::Information };
                self.tagged("* ", &paint, text)
            }
            ServerLine::Error(text) => self.tagged("! ", &Paint::Error, text),
            ServerLine::Question(text) => match Question::read(text) {
                Question::Request(_) => self.tagged("? ", &Paint::Request, text),
                Question::Menu => self.hint(text),
                Question::Username | Question::Whom | Question::Unknown => {
                    self.tagged("? ", &Paint::Plain, text)
                }
            },
            ServerLine::Row(text) => self.row(&Row::read(text)),
            ServerLine::Message { from, text } => self.message(from, text),
            ServerLine::Unknown(text) => self.tagged("", &Paint::Plain, text),
        }
    }

    /// What somebody else says in a room, where they may name `me`.
    #[must_use]
    pub fn message_naming(&self, me: &str, from: &str, text: &str) -> String {
        let mut line = self.stamp();
        self.put_speaker(&mut line, from, text);
        let mut shown = 0;
        for mention in mentions(text, me) {
            line.push_str(&text[shown..mention.start]);
            shown = mention.end;
            self.palette.put(&mut line, &Paint::Mention, &text[mention]);
        }
        line.push_str(&text[shown..]);
        line
    }

    /// Information that is there to be found: who comes into a room and leaves it.
    #[must_use]
    pub fn aside(&self, text: &str) -> String {
        self.tagged("* ", &Paint::Faint, text)
    }

    fn message(&self, from: &str, text: &str) -> String {
        let mut line = self.stamp();
        self.put_speaker(&mut line, from, text);
        line.push_str(text);
        line
    }

    fn put_speaker(&self, line: &mut String, from: &str, text: &str) {
        self.palette.put(line, &Paint::Name(from.to_owned()), from);
        line.push(':');
        if from.contains(is_right_to_left) || text.contains(is_right_to_left) {
            line.push(LEFT_TO_RIGHT_MARK);
        }
        line.push(' ');
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
        self.tagged(OWN_TAG, &Paint::StopNotice, text)
    }

    /// A row of something the client shows: a pasted line, a candidate.
    #[must_use]
    pub fn quote(&self, text: &str) -> String {
        let mut line = self.palette.painted(&Paint::StopNotice, "   | ");
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

    fn row(&self, row: &Row<'_>) -> String {
        let mut line = if self.palette.colours { "  " } else { "- " }.to_owned();
        let put = |line: &mut String, paint: Paint, text| self.palette.put(line, &paint, text);
        match *row {
            Row::User { name, status } | Row::Guest { name, status, .. } => {
                put(&mut line, Paint::Name(name.to_owned()), name);
                line.push(' ');
                let paint = if row.is_free() { Paint::Free } else { Paint::Faint };
                put(&mut line, paint, status);
            }
            Row::Member { name, reader_mark } => {
                put(&mut line, Paint::Name(name.to_owned()), name);
                put(&mut line, Paint::Faint, reader_mark);
            }
            Row::Room { room, users } => {
                put(&mut line, Paint::Room, room);
                line.push(' ');
                put(&mut line, Paint::Faint, users);
            }
            Row::InputHistory { when, from, text } => {
                put(&mut line, Paint::Faint, &self.time_of(when));
                line.push(' ');
                self.put_speaker(&mut line, from, text);
                line.push_str(text);
            }
            Row::Other(text) => line.push_str(text),
        }
        line
    }

    /// A time of the past, by the reader's clock; with the day, if that is another than today.
    /// Without a clock it stays as the server said it.
    fn time_of(&self, when: Timestamp) -> String {
        let Some(clock) = &self.clock else {
            return when.strftime("%Y-%m-%d %H:%MZ").to_string();
        };
        let local = when.to_zoned(clock.time_zone().clone());
        let is_today = local.date() == clock.date();
        local.strftime(if is_today { "%H:%M" } else { "%Y-%m-%d %H:%M" }).to_string()
    }

    fn stamp(&self) -> String {
        let mut line = String::new();
        if let Some(clock) = self.clock.as_ref().filter(|_| self.timestamps) {
            self.palette.put(&mut line, &Paint::Faint, &clock.strftime("%H:%M").to_string());
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

#[cfg(test)]
mod tests {
    use super::*;

    fn said(colours: bool, line: &str) -> String {
        Transcript::new(Palette { colours }, false).said(&ServerLine::read(line))
    }

    /// Noon of that day in Berlin's summer.
    fn noon() -> Zoned {
        "2026-07-24T12:00:00+02:00[+02:00]".parse().expect("a time")
    }

    #[test]
    fn without_colours_a_line_is_shown_as_the_server_said_it() {
        for line in [
            "* Hello, A",
            "! no",
            "? B wants to chat, yes or no",
            "- A busy",
            "- A in lobby, busy",
            "- A",
            "- lobby 2 users",
            "- 2026-07-24 10:00Z A: hi",
            "* You missed 2 lines",
            "B: hi",
            "x",
        ] {
            assert_eq!(said(false, line), line);
        }
    }

    #[test]
    fn in_colour_the_tag_is_the_colour() {
        assert_eq!(said(true, "* Hello, A"), "\x1b[36mHello, A\x1b[0m");
        assert_eq!(said(true, "! no"), "\x1b[31mno\x1b[0m");
        assert_eq!(said(true, "? B wants to chat"), "\x1b[1m\x1b[35mB wants to chat\x1b[0m");
        assert!(said(true, "- A available (you)").ends_with("\x1b[32mavailable (you)\x1b[0m"));
        assert!(said(true, "- A in lobby").ends_with("\x1b[32min lobby\x1b[0m"));
        assert!(said(true, "- A in lobby, busy").ends_with("\x1b[2min lobby, busy\x1b[0m"));
        assert_eq!(said(true, "* You missed 3 lines"), "\x1b[33mYou missed 3 lines\x1b[0m");
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
        let mut transcript = Transcript::new(Palette { colours: false }, true);
        transcript.set_clock(noon());
        assert_eq!(transcript.said(&ServerLine::read("B: hi")), "12:00 B: hi");
        assert_eq!(transcript.said(&ServerLine::read("* B left")), "12:00 * B left");
        assert_eq!(transcript.said(&ServerLine::read("- B busy")), "- B busy");
    }

    /// (6.3.1)
    #[test]
    fn the_past_is_told_by_the_clock_of_the_reader() {
        for timestamps in [false, true] {
            let mut transcript = Transcript::new(Palette { colours: false }, timestamps);
            transcript.set_clock(noon());
            for (row, shown) in [
                ("- 2026-07-24 08:05Z ben: hi", "- 10:05 ben: hi"),
                ("- 2026-07-23 21:59Z ben: hi", "- 2026-07-23 23:59 ben: hi"),
                ("- 2026-07-23 22:00Z ben:  - ", "- 00:00 ben:  - "),
                ("- 2026-07-24 24:00Z ben: hi", "- 2026-07-24 24:00Z ben: hi"),
                ("- 9999-12-31 23:59Z ben: hi", "- 9999-12-31 23:59Z ben: hi"),
            ] {
                assert_eq!(transcript.said(&ServerLine::read(row)), shown);
            }
        }
    }

    #[test]
    fn who_names_the_reader_does_so_in_bold() {
        let transcript = Transcript::new(Palette { colours: true }, false);
        let line = transcript.message_naming("anna", "ben", "so, Anna!");
        assert!(line.ends_with(": so, \x1b[1m\x1b[4mAnna\x1b[0m!"), "{line:?}");
        let plain = Transcript::new(Palette { colours: false }, false);
        assert_eq!(plain.message_naming("anna", "ben", "so, Anna!"), "ben: so, Anna!");
    }
}
