//! Formats the lines of the transcript, the part of the screen that scrolls.
//!
//! `state_machine` chooses the method for each line; `screen` writes the result. Each method
//! returns one line without its ending. This module must not know the state of the conversation. It
//! expects text that is safe to show: control characters were removed before.

use jiff::civil::Date;
use jiff::{Timestamp, Zoned};

use super::color::{Paint, Palette};
use super::list_row::Row;
use super::mention::mentions;
use super::server_line::{News, Question, ServerLine};

/// Marks a line of the client itself if there is no colour to mark it.
const OWN_TAG: &str = "-- ";

/// Separates the name from the message in right-to-left scripts (3.2.3). Without the mark, a
/// terminal that reorders such text (UAX #9) shows name and message as one run of text.
const LEFT_TO_RIGHT_MARK: char = '\u{200e}';

/// The settings and the clock that decide how lines look.
#[derive(Debug, Clone)]
pub struct Transcript {
    palette: Palette,
    /// Events and messages start with the time of day.
    timestamps: bool,
    /// The user's local time and time zone; `None` until the loop has passed them in.
    clock: Option<Zoned>,
    /// The day of the last line; `None` until the first line.
    day: Option<Date>,
}

impl Transcript {
    /// Makes a transcript without a clock. See [`Transcript::set_clock`].
    #[must_use]
    pub fn new(palette: Palette, timestamps: bool) -> Transcript {
        Transcript { palette, timestamps, clock: None, day: None }
    }

    /// Sets the user's local time. Timestamps show this time until the next call.
    pub fn set_clock(&mut self, clock: Zoned) {
        self.clock = Some(clock);
    }

    /// Returns a line with the date if a day has begun since the last call. The caller shows it
    /// before the lines of the new day. Without such a line, times of two days would look alike.
    pub fn new_day(&mut self) -> Option<String> {
        let today = self.clock.as_ref()?.date();
        let is_new = self.day.replace(today).is_some_and(|day| day != today);
        let tag = if self.palette.colours { "" } else { OWN_TAG };
        let date = today.strftime("%A, %-d %B %Y");
        (is_new && self.timestamps)
            .then(|| self.palette.painted(&Paint::Faint, &format!("{tag}{date}")))
    }

    /// Formats a server line. With colours, a colour replaces the tag; without colours the tag
    /// stays.
    #[must_use]
    pub fn said(&self, line: &ServerLine<'_>) -> String {
        match line {
            ServerLine::Information(text) => {
                // Lost lines need more attention than other information.
                let is_missed = News::read(text) == News::Missed;
                let paint = if is_missed { Paint::Notice } else { Paint::Information };
                self.tagged("* ", &paint, text)
            }
            ServerLine::Error(text) => self.tagged("! ", &Paint::Error, text),
            ServerLine::Question(text) => match Question::read(text) {
                Question::Request(_) => self.tagged("? ", &Paint::Request, text),
                // The server repeats the menu often, and the user soon knows it by heart.
                Question::Menu => self.hint(text),
                Question::Username | Question::Whom | Question::Password(_) | Question::Unknown => {
                    self.tagged("? ", &Paint::Plain, text)
                }
            },
            ServerLine::Row(text) => self.row(&Row::read(text)),
            ServerLine::Message { from, text } => self.message(from, text),
            // A line without a known tag looks as the server sent it. Any colour would be a guess.
            ServerLine::Unknown(text) => self.tagged("", &Paint::Plain, text),
        }
    }

    /// Formats a message in a room, with each mention of the user `me` in bold.
    ///
    /// A room may have many members, and a user who looks up must find such a message at a glance.
    #[must_use]
    pub fn message_naming(&self, me: &str, from: &str, text: &str) -> String {
        let mut line = self.stamp();
        self.put_sender(&mut line, from, text);
        let mut shown = 0;
        // Without colours the palette adds nothing, and the message stays as the user sent it.
        for mention in mentions(text, me) {
            line.push_str(&text[shown..mention.start]);
            shown = mention.end;
            self.palette.put(&mut line, &Paint::Mention, &text[mention]);
        }
        line.push_str(&text[shown..]);
        line
    }

    /// Formats information of little interest: a user joins or leaves the room. It is faint,
    /// because a large room sends many such lines between its messages.
    #[must_use]
    pub fn faint_information(&self, text: &str) -> String {
        self.tagged("* ", &Paint::Faint, text)
    }

    /// Formats a message without a search for mentions. A chat has one reader, and needs no search.
    fn message(&self, from: &str, text: &str) -> String {
        let mut line = self.stamp();
        self.put_sender(&mut line, from, text);
        line.push_str(text);
        line
    }

    /// Appends the sender, the colon and the blank before `text`, but not `text`.
    fn put_sender(&self, line: &mut String, from: &str, text: &str) {
        self.palette.put(line, &Paint::Name(from.to_owned()), from);
        line.push(':');
        put_blank_after_name(line, from, text);
    }

    /// Formats a message of the user `me`. The name is faint: the user knows it.
    #[must_use]
    pub fn own_message(&self, me: &str, text: &str) -> String {
        let mut line = self.stamp();
        self.palette.put(&mut line, &Paint::Faint, &format!("{me}:"));
        put_blank_after_name(&mut line, me, text);
        line.push_str(text);
        line
    }

    /// Formats a command of the user. The prompt stays before the command, because the same word
    /// means something else in another state.
    #[must_use]
    pub fn command(&self, prompt: &str, text: &str) -> String {
        let mut line = self.stamp();
        self.palette.put(&mut line, &Paint::Faint, &format!("{prompt}{text}"));
        line
    }

    /// Formats a line of the client itself.
    #[must_use]
    pub fn notice(&self, text: &str) -> String {
        self.tagged(OWN_TAG, &Paint::Notice, text)
    }

    /// Formats one row of a quotation, such as a pasted line. It has no timestamp, because it is
    /// not an event.
    #[must_use]
    pub fn quote(&self, text: &str) -> String {
        let mut line = self.palette.painted(&Paint::Notice, "   | ");
        line.push_str(text);
        line
    }

    /// Formats text that the user rarely needs to read, such as the menu.
    #[must_use]
    pub fn hint(&self, text: &str) -> String {
        let tag = if self.palette.colours { "" } else { "? " };
        self.palette.painted(&Paint::Faint, &format!("{tag}{text}"))
    }

    /// Formats a line of the server or the client. The tag stays only if there are no colours.
    fn tagged(&self, tag: &str, paint: &Paint, text: &str) -> String {
        let mut line = self.stamp();
        if !self.palette.colours {
            line.push_str(tag);
        }
        self.palette.put(&mut line, paint, text);
        line
    }

    /// Formats a row of a list. Only rows of the history have a time: the time of the message.
    fn row(&self, row: &Row<'_>) -> String {
        // With colours two blanks replace the tag, so that a list stands apart from messages.
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
                put(&mut line, Paint::Strong, room);
                line.push(' ');
                put(&mut line, Paint::Faint, users);
            }
            Row::InputHistory { when, from, text } => {
                put(&mut line, Paint::Faint, &self.time_of(when));
                line.push(' ');
                self.put_sender(&mut line, from, text);
                line.push_str(text);
            }
            Row::Other(text) => line.push_str(text),
        }
        line
    }

    /// Formats a time in the user's time zone, with the date unless it is today. Without a clock
    /// the time stays in UTC, as the server sent it.
    fn time_of(&self, when: Timestamp) -> String {
        let Some(clock) = &self.clock else {
            return when.strftime("%Y-%m-%d %H:%MZ").to_string();
        };
        let local = when.to_zoned(clock.time_zone().clone());
        // Most messages in the history are from today, and a date would make each row longer.
        let is_today = local.date() == clock.date();
        local.strftime(if is_today { "%H:%M" } else { "%Y-%m-%d %H:%M" }).to_string()
    }

    /// The start of a line: the time of day if the user wants timestamps, otherwise empty.
    fn stamp(&self) -> String {
        let mut line = String::new();
        if let Some(clock) = self.clock.as_ref().filter(|_| self.timestamps) {
            self.palette.put(&mut line, &Paint::Faint, &clock.strftime("%H:%M").to_string());
            line.push(' ');
        }
        line
    }
}

/// Appends the blank between the colon and `text`, with a mark before it in right-to-left scripts.
fn put_blank_after_name(line: &mut String, from: &str, text: &str) {
    if from.contains(is_right_to_left) || text.contains(is_right_to_left) {
        line.push(LEFT_TO_RIGHT_MARK);
    }
    line.push(' ');
}

/// Whether `c` lies in a Unicode block of right-to-left scripts. The blocks include reserved
/// characters, and need no table that a new Unicode version would change.
fn is_right_to_left(c: char) -> bool {
    matches!(c, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefe}'
        | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn formatted(colours: bool, line: &str) -> String {
        Transcript::new(Palette { colours }, false).said(&ServerLine::read(line))
    }

    /// Noon at two hours ahead of UTC.
    fn noon() -> Zoned {
        "2026-07-24T12:00:00+02:00[+02:00]".parse().expect("a time")
    }

    #[test]
    fn without_colours_a_line_looks_as_the_server_sent_it() {
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
            assert_eq!(formatted(false, line), line);
        }
    }

    #[test]
    fn with_colours_a_colour_replaces_the_tag() {
        assert_eq!(formatted(true, "* Hello, A"), "\x1b[36mHello, A\x1b[m");
        assert_eq!(formatted(true, "! no"), "\x1b[31mno\x1b[m");
        assert_eq!(formatted(true, "? B wants to chat"), "\x1b[1m\x1b[35mB wants to chat\x1b[m");
        assert!(formatted(true, "- A available (you)").ends_with("\x1b[32mavailable (you)\x1b[m"));
        assert!(formatted(true, "- A in lobby").ends_with("\x1b[32min lobby\x1b[m"));
        assert!(formatted(true, "- A in lobby, busy").ends_with("\x1b[2min lobby, busy\x1b[m"));
        assert_eq!(formatted(true, "* You missed 3 lines"), "\x1b[33mYou missed 3 lines\x1b[m");
        assert_eq!(formatted(true, "- and 3 more; 1 PREFIX"), "  and 3 more; 1 PREFIX");
    }

    #[test]
    fn a_mark_separates_a_name_from_a_right_to_left_message() {
        assert_eq!(formatted(false, "דן: שלום"), "דן:\u{200e} שלום");
        assert_eq!(formatted(false, "dan: שלום"), "dan:\u{200e} שלום");
        assert_eq!(formatted(false, "dan: hello"), "dan: hello");
        let transcript = Transcript::new(Palette { colours: false }, false);
        assert_eq!(transcript.own_message("dan", "שלום"), "dan:\u{200e} שלום");
        assert_eq!(transcript.own_message("dan", "hello"), "dan: hello");
    }

    #[test]
    fn events_and_messages_have_a_timestamp_and_lists_have_none() {
        let mut transcript = Transcript::new(Palette { colours: false }, true);
        transcript.set_clock(noon());
        assert_eq!(transcript.said(&ServerLine::read("B: hi")), "12:00 B: hi");
        assert_eq!(transcript.said(&ServerLine::read("* B left")), "12:00 * B left");
        assert_eq!(transcript.said(&ServerLine::read("- B busy")), "- B busy");
    }

    /// (6.3.1)
    #[test]
    fn the_history_shows_times_in_the_time_zone_of_the_user() {
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
    fn a_mention_of_the_user_is_bold() {
        let transcript = Transcript::new(Palette { colours: true }, false);
        let line = transcript.message_naming("anna", "ben", "so, Anna!");
        assert!(line.ends_with(": so, \x1b[1m\x1b[4mAnna\x1b[m!"), "{line:?}");
        let plain = Transcript::new(Palette { colours: false }, false);
        assert_eq!(plain.message_naming("anna", "ben", "so, Anna!"), "ben: so, Anna!");
    }
}
