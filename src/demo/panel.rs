//! Draws the panel below the view: the crowd, the attack, what to look for, and the keys. Pure.

use ratatui_core::buffer::Buffer;
use ratatui_core::layout::Rect;
use ratatui_core::style::{Color, Modifier, Style};
use serde_json::Value;

use super::stage::{Stage, keys};
use crate::attack::kinds::Kind;
use crate::watch::view::Look;

/// Rows of the panel on a small screen, and on one that has room for what to look for.
const ROWS: u16 = 5;
const ROWS_TALL: u16 = 8;
/// A screen of so many rows has room.
const TALL: u16 = 30;

/// Columns of the titles on the left.
const TITLE: u16 = 10;

/// How many rows the panel takes of a screen of this height.
pub(super) fn rows(screen: u16) -> u16 {
    match screen {
        TALL.. => ROWS_TALL,
        12.. => ROWS,
        _ => 0,
    }
}

/// Draws the panel.
pub(super) fn draw(stage: &Stage, look: Look, area: Rect, buffer: &mut Buffer) {
    let mut panel = Panel { look, area: area.intersection(buffer.area), buffer };
    if area.height == 0 {
        return;
    }
    panel.rule(&format!("nc {}", stage.address.replace(':', " ")));
    panel.put(1, 1, "crowd", Ink::Quiet);
    panel.put(TITLE, 1, &crowd_line(stage.crowd.as_ref()), Ink::Plain);
    panel.put(1, 2, "attack", Ink::Quiet);
    match stage.kind() {
        None => panel.put(TITLE, 2, "none yet: press a key, and see what holds", Ink::Quiet),
        Some(kind) => panel.draw_attack(kind, stage),
    }
    panel.draw_keys(stage);
}

/// What a text means.
#[derive(Clone, Copy)]
enum Ink {
    Plain,
    Quiet,
    Strong,
    /// An attack runs.
    Hot,
    /// It is over, and the honest were served.
    Good,
}

struct Panel<'a> {
    look: Look,
    area: Rect,
    buffer: &'a mut Buffer,
}

impl Panel<'_> {
    fn put(&mut self, column: u16, row: u16, text: &str, ink: Ink) {
        if column >= self.area.width || row >= self.area.height {
            return;
        }
        let most = usize::from(self.area.width - column);
        let (x, y) = (self.area.x + column, self.area.y + row);
        // The separator is the one character beyond ASCII.
        let text = if self.look.unicode { text.to_owned() } else { text.replace('·', "-") };
        self.buffer.set_stringn(x, y, text, most, style(ink, self.look));
    }

    /// The line between the view and the panel, with a text at its end.
    fn rule(&mut self, text: &str) {
        let dash = if self.look.unicode { "─" } else { "-" };
        self.put(0, 0, &dash.repeat(usize::from(self.area.width)), Ink::Quiet);
        let width = u16::try_from(text.chars().count()).unwrap_or(u16::MAX);
        let at = self.area.width.saturating_sub(width + 3);
        self.put(at, 0, &format!(" {text} "), Ink::Plain);
    }

    fn draw_attack(&mut self, kind: &Kind, stage: &Stage) {
        let is_running = stage.attack.is_some();
        self.put(TITLE, 2, kind.name, if is_running { Ink::Hot } else { Ink::Strong });
        let after = TITLE + kind.name.len() as u16 + 2;
        let (text, ink) = match (&stage.report, is_running) {
            (None, true) => ("begins: an honest pair chats alone first".to_owned(), Ink::Quiet),
            (None, false) => ("was ended".to_owned(), Ink::Quiet),
            (Some(report), true) => (running_line(report), Ink::Plain),
            (Some(report), false) => ended_line(report),
        };
        self.put(after, 2, &text, ink);
        // The keys have the last row but one, too.
        let free = self.area.height.saturating_sub(3 + 2);
        if free == 0 {
            return;
        }
        self.put(1, 3, "look for", Ink::Quiet);
        let width = usize::from(self.area.width.saturating_sub(TITLE + 1));
        let looks = wrap(kind.look_for, width);
        let rows = looks.len().min(usize::from(free - 1).max(1));
        for (row, line) in (3..).zip(&looks[..rows]) {
            self.put(TITLE, row, line, Ink::Plain);
        }
        if let Some((clause, promise)) = kind.protects.first()
            && free > 1
        {
            let row = 2 + free;
            self.put(1, row, &format!("{clause:<7}"), Ink::Quiet);
            self.put(TITLE, row, promise, Ink::Quiet);
        }
    }

    /// The keys, in two rows; the attack that runs stands out.
    fn draw_keys(&mut self, stage: &Stage) {
        let first = self.area.height.saturating_sub(2);
        let (mut column, mut row) = (1, first);
        for (n, (key, name)) in keys().enumerate() {
            // As long as the space allows: two rows of 80 columns hold all of them.
            let name = name.replace("out-of-descriptors", "descriptors");
            let name = name.replace("request-squatting", "squatting");
            let name = name.replace("byte-at-a-time", "bytes");
            let width = 2 + name.len() as u16 + 2;
            if n == 6 {
                (column, row) = (1, first + 1);
            }
            let ink = if stage.attack == Some(n) { Ink::Hot } else { Ink::Quiet };
            self.put(
                column,
                row,
                &key.to_string(),
                if stage.attack == Some(n) { ink } else { Ink::Strong },
            );
            self.put(column + 2, row, &name, ink);
            column += width;
        }
    }
}

fn style(ink: Ink, look: Look) -> Style {
    let style = Style::new();
    let colored = |color| if look.color { style.fg(color) } else { style };
    match ink {
        Ink::Plain => style,
        Ink::Quiet => style.add_modifier(Modifier::DIM),
        Ink::Strong => style.add_modifier(Modifier::BOLD),
        Ink::Hot => colored(Color::Red).add_modifier(Modifier::BOLD),
        Ink::Good => colored(Color::Green),
    }
}

fn crowd_line(report: Option<&Value>) -> String {
    let Some(report) = report else { return "people arrive".to_owned() };
    let time = |what: &str| {
        let row = &report["latencies"][what];
        match row["count"].as_u64() {
            None | Some(0) => "-".to_owned(),
            Some(_) => format!("{} ({})", ms(&row["p50_ms"]), ms(&row["p99_ms"])),
        }
    };
    format!(
        "{} people · chat {} · room {} · list {}",
        report["online"].as_u64().unwrap_or(0),
        time("chat_line"),
        time("room_line"),
        time("list")
    )
}

fn running_line(report: &Value) -> String {
    let pair = &report["pair"]["during"];
    format!(
        "{} connections · {} MB sent · a fair pair: {} ({})",
        report["standing"].as_u64().unwrap_or(0),
        report["sent_bytes"].as_u64().unwrap_or(0) / 1_000_000,
        ms(&pair["p50_ms"]),
        ms(&pair["p99_ms"])
    )
}

fn ended_line(report: &Value) -> (String, Ink) {
    if report["final"] != true {
        return ("was ended".to_owned(), Ink::Quiet);
    }
    if let Some(why) = report["lost"].get(0).and_then(Value::as_str) {
        return (format!("broke something: {why}"), Ink::Hot);
    }
    let longest = ms(&report["pair"]["during"]["longest_ms"]);
    let newcomer = ms(&report["newcomer_ms"]);
    (format!("is over: a fair pair waited {longest} at most, a newcomer {newcomer}"), Ink::Good)
}

/// A number of milliseconds.
fn ms(value: &Value) -> String {
    match value.as_f64().unwrap_or(0.0) {
        ms if ms < 9.95 => format!("{ms:.1} ms"),
        ms if ms < 1_000.0 => format!("{ms:.0} ms"),
        ms => format!("{:.1} s", ms / 1e3),
    }
}

/// The words of a text in lines of this width.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let last = lines.last().map_or(0, |line| line.chars().count());
        if last > 0 && last + 1 + word.chars().count() > width {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}
