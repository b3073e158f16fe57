//! Decides when to ring the bell, to send a desktop notification and to change the window's title.
//!
//! `state_machine` reports what happened, and [`Notifier::draw`] appends the bytes. A terminal with
//! focus reports (xterm's mode 1004) tells whether the user looks at it. For other terminals a recent
//! key counts as a look. No timer runs: an alert that comes too soon after another is dropped.

use crate::client::options::{Bell, Notify};
use crate::core::limits::{ALERT_MS, ATTENTION_MS};
use crate::core::time::Time;

/// BEL: rings the terminal's bell.
pub const RING: char = '\x07';

/// Ends an operating system command, such as a notification (ECMA-48, ST).
const STRING_END: &str = "\x1b\\";

/// The window's title while nothing is new.
pub const TITLE: &str = "chinwag";

/// Something that the user may want to know at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occasion<'a> {
    /// This user wants to chat.
    Request(&'a str),
    /// This user has named the user in a room.
    Mention(&'a str),
    /// This partner of the chat has said something.
    ChatLine(&'a str),
    /// This member of the room has said something.
    RoomLine(&'a str),
    /// What the user typed had no effect. The user is looking, so only the bell rings.
    Refused,
}

/// Whether the user looks at the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Focus {
    /// The terminal has not said so far, and may never say.
    Unknown,
    Here,
    Elsewhere,
}

/// The options, and what has happened since the last drawing.
#[derive(Debug)]
pub struct Notifier {
    bell: Bell,
    ways: Vec<Notify>,
    focus: Focus,
    now: Time,
    last_key: Option<Time>,
    last_ring: Option<Time>,
    last_notification: Option<Time>,
    /// Ring at the next drawing. Several reasons in one turn ring once.
    rings: bool,
    /// The text of a notification for the next drawing.
    notification: Option<String>,
    /// Occasions that the user has not looked at, for the title.
    unseen: u32,
    /// The number that the title shows.
    shown: u32,
}

impl Notifier {
    /// Makes a notifier that has nothing to say yet.
    #[must_use]
    pub fn new(bell: Bell, ways: Vec<Notify>) -> Notifier {
        Notifier {
            bell,
            ways,
            focus: Focus::Unknown,
            now: Time::START,
            last_key: None,
            last_ring: None,
            last_notification: None,
            rings: false,
            notification: None,
            unseen: 0,
            shown: 0,
        }
    }

    /// Sets the time of what happens from now on.
    pub fn set_now(&mut self, now: Time) {
        self.now = now;
    }

    /// The user has pressed a key, and has therefore seen the screen.
    pub fn handle_key(&mut self) {
        self.last_key = Some(self.now);
        self.unseen = 0;
    }

    /// The terminal reports that it has gained or lost the focus.
    pub fn handle_focus(&mut self, is_here: bool) {
        self.focus = if is_here { Focus::Here } else { Focus::Elsewhere };
        self.unseen = if is_here { 0 } else { self.unseen };
    }

    /// Something has happened.
    pub fn handle(&mut self, occasion: Occasion<'_>) {
        let is_away = match self.focus {
            Focus::Here => false,
            Focus::Elsewhere => true,
            Focus::Unknown => self.last_key.is_none_or(|key| self.now.ms_since(key) > ATTENTION_MS),
        };
        self.rings |= match occasion {
            Occasion::Request(_) | Occasion::Mention(_) => self.bell != Bell::Off,
            Occasion::ChatLine(_) if self.bell == Bell::Chat => is_away,
            Occasion::ChatLine(_) | Occasion::RoomLine(_) => {
                self.bell == Bell::All && self.focus != Focus::Here
            }
            Occasion::Refused => self.bell != Bell::Off,
        };
        let text = match occasion {
            Occasion::Request(by) => format!("{by} wants to chat"),
            Occasion::Mention(by) => format!("{by} named you"),
            Occasion::ChatLine(by) => format!("{by} wrote to you"),
            Occasion::RoomLine(by) if self.bell == Bell::All => format!("{by} wrote"),
            Occasion::RoomLine(_) | Occasion::Refused => return,
        };
        if is_away {
            self.unseen = self.unseen.saturating_add(1);
            self.notification = Some(text);
        }
    }

    /// Appends the bytes for what has happened since the last drawing.
    pub fn draw(&mut self, now: Time, out: &mut String) {
        self.now = now;
        let is_due = |last: Option<Time>| last.is_none_or(|last| now.ms_since(last) >= ALERT_MS);
        if std::mem::take(&mut self.rings) && is_due(self.last_ring) {
            self.last_ring = Some(now);
            out.push(RING);
        }
        if let Some(text) = self.notification.take()
            && self.notifies()
            && is_due(self.last_notification)
        {
            self.last_notification = Some(now);
            self.put_notification(&text, out);
        }
        if self.unseen != self.shown && self.ways.contains(&Notify::Title) {
            self.shown = self.unseen;
            out.push_str(&match self.shown {
                0 => title(TITLE),
                count => title(&format!("({count}) {TITLE}")),
            });
        }
    }

    fn notifies(&self) -> bool {
        self.ways.iter().any(|way| matches!(way, Notify::Osc9 | Notify::Osc777))
    }

    /// The text names a user and quotes nothing: a notification may be seen on a locked screen. It
    /// holds no control character and no semicolon, because a name has none (3.2.1).
    fn put_notification(&self, text: &str, out: &mut String) {
        let text = text.replace(|c: char| c.is_control() || c == ';', "?");
        for way in &self.ways {
            match way {
                Notify::Osc9 => out.push_str(&format!("\x1b]9;{text}{STRING_END}")),
                Notify::Osc777 => {
                    out.push_str(&format!("\x1b]777;notify;{TITLE};{text}{STRING_END}"));
                }
                Notify::Title => {}
            }
        }
    }
}

/// The bytes that set the window's title (xterm's OSC 2).
#[must_use]
pub fn title(text: &str) -> String {
    format!("\x1b]2;{text}{STRING_END}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(notifier: &mut Notifier, ms: u64) -> String {
        let mut out = String::new();
        notifier.draw(Time::START.after_ms(ms), &mut out);
        out
    }

    /// What a notifier with this bell writes for an occasion, with the focus here, unknown, and
    /// elsewhere.
    fn rings(bell: Bell, occasion: Occasion<'_>) -> [bool; 3] {
        [Some(true), None, Some(false)].map(|focus| {
            let mut notifier = Notifier::new(bell, Vec::new());
            focus.iter().for_each(|&is_here| notifier.handle_focus(is_here));
            notifier.handle(occasion);
            !drawn(&mut notifier, 0).is_empty()
        })
    }

    #[test]
    fn the_bell_rings_for_what_the_option_says_and_for_lines_only_without_focus() {
        let (all, none, unless_here) = ([true; 3], [false; 3], [false, true, true]);
        for (bell, expected) in [
            (Bell::Off, [none, none, none, none, none]),
            (Bell::Request, [all, all, none, none, all]),
            (Bell::Chat, [all, all, unless_here, none, all]),
            (Bell::All, [all, all, unless_here, unless_here, all]),
        ] {
            let occasions = [
                Occasion::Request("ben"),
                Occasion::Mention("ben"),
                Occasion::ChatLine("ben"),
                Occasion::RoomLine("ben"),
                Occasion::Refused,
            ];
            assert_eq!(occasions.map(|occasion| rings(bell, occasion)), expected, "{bell:?}");
        }
    }

    #[test]
    fn without_focus_reports_a_user_who_types_is_not_disturbed() {
        let mut notifier = Notifier::new(Bell::Chat, Vec::new());
        notifier.handle_key();
        notifier.set_now(Time::START.after_ms(ATTENTION_MS));
        notifier.handle(Occasion::ChatLine("ben"));
        assert_eq!(drawn(&mut notifier, ATTENTION_MS + 1), "");
        notifier.handle(Occasion::ChatLine("ben"));
        assert_eq!(drawn(&mut notifier, ATTENTION_MS + 1), "\x07");
    }

    #[test]
    fn the_bell_rings_at_most_once_per_second() {
        let mut notifier = Notifier::new(Bell::Request, vec![Notify::Osc9]);
        notifier.handle_focus(false);
        let alert = "\x07\x1b]9;ben wants to chat\x1b\\";
        for (ms, expected) in [(0, alert), (1, ""), (ALERT_MS - 1, ""), (ALERT_MS, alert)] {
            notifier.handle(Occasion::Request("ben"));
            notifier.handle(Occasion::Request("ben"));
            assert_eq!(drawn(&mut notifier, ms), expected, "{ms}");
        }
        assert_eq!(drawn(&mut notifier, 10 * ALERT_MS), "", "a dropped alert does not come later");
    }

    #[test]
    fn notifications_and_the_title_appear_only_while_the_user_is_elsewhere() {
        let mut notifier = Notifier::new(Bell::Off, vec![Notify::Osc777, Notify::Title]);
        notifier.handle_focus(true);
        notifier.handle(Occasion::ChatLine("ben"));
        assert_eq!(drawn(&mut notifier, 0), "");
        notifier.handle_focus(false);
        notifier.handle(Occasion::ChatLine("ben"));
        let notification = "\x1b]777;notify;chinwag;ben wrote to you\x1b\\";
        assert_eq!(drawn(&mut notifier, 0), format!("{notification}\x1b]2;(1) chinwag\x1b\\"));
        notifier.handle(Occasion::Mention("eve"));
        notifier.handle(Occasion::RoomLine("eve"));
        assert_eq!(drawn(&mut notifier, 1), "\x1b]2;(2) chinwag\x1b\\");
        notifier.handle_focus(true);
        assert_eq!(drawn(&mut notifier, 2), "\x1b]2;chinwag\x1b\\");
        notifier.handle_focus(false);
        notifier.handle(Occasion::Request("a;\x1bb"));
        assert!(drawn(&mut notifier, 5_000).starts_with("\x1b]777;notify;chinwag;a??b wants"));
    }
}
