//! Drawing on a part of a screen: texts, bars, and the few styles of the view.
//!
//! Nothing is drawn outside of the area. Every meaning has a word or a shape, so the view says the same
//! without colours.

use ratatui_core::buffer::Buffer;
use ratatui_core::layout::Rect;
use ratatui_core::style::{Color, Modifier, Style};

use super::Look;

/// A part of a screen.
pub(super) struct Paper<'a> {
    pub(super) area: Rect,
    pub(super) look: Look,
    buffer: &'a mut Buffer,
}

/// What a text means; the look decides how that is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ink {
    /// Ordinary.
    Plain,
    /// Labels, and what is less important.
    Quiet,
    /// What the eye should find first.
    Strong,
    /// A bar.
    Bar,
    /// Something waits.
    Warm,
    /// Something is at a limit.
    Hot,
}

impl<'a> Paper<'a> {
    pub(super) fn new(area: Rect, look: Look, buffer: &'a mut Buffer) -> Paper<'a> {
        Paper { area: area.intersection(buffer.area), look, buffer }
    }

    pub(super) fn columns(&self) -> u16 {
        self.area.width
    }

    pub(super) fn rows(&self) -> u16 {
        self.area.height
    }

    /// Empties the whole part.
    pub(super) fn clear(&mut self) {
        for y in self.area.top()..self.area.bottom() {
            for x in self.area.left()..self.area.right() {
                self.buffer[(x, y)].reset();
            }
        }
    }

    /// Writes `text` at a column and row of this part, at most `most` columns of it.
    pub(super) fn put(&mut self, column: u16, row: u16, most: u16, text: &str, ink: Ink) {
        if row >= self.area.height || column >= self.area.width {
            return;
        }
        let most = most.min(self.area.width - column);
        let (x, y) = (self.area.x + column, self.area.y + row);
        self.buffer.set_stringn(x, y, text, usize::from(most), self.style(ink));
    }

    /// Writes `text` so that it ends before `column`.
    pub(super) fn put_right(&mut self, column: u16, row: u16, text: &str, ink: Ink) {
        let width = u16::try_from(unicode_width::UnicodeWidthStr::width(text)).unwrap_or(u16::MAX);
        self.put(column.saturating_sub(width), row, width, text, ink);
    }

    /// A bar of `width` columns that is filled to `part` of `whole`. Something is always shown of what is
    /// not zero.
    pub(super) fn bar(&mut self, at: (u16, u16), width: u16, (part, whole): (u64, u64), ink: Ink) {
        let (column, row) = at;
        let fine = u64::from(width) * 8;
        let filled =
            (u128::from(part.min(whole)) * u128::from(fine)).div_ceil(u128::from(whole.max(1)));
        let filled = u16::try_from(filled).unwrap_or(0);
        let (full, rest) = (filled / 8, filled % 8);
        let glyphs = self.glyphs();
        for n in 0..width {
            let glyph = match n {
                n if n < full => glyphs.bar[8],
                n if n == full && rest > 0 => glyphs.bar[usize::from(rest)],
                _ => glyphs.empty,
            };
            let ink = if n < full || (n == full && rest > 0) { ink } else { Ink::Quiet };
            self.put(column + n, row, 1, glyph, ink);
        }
    }

    /// A column of `height` rows that stands on `row` and is filled to `level` of eight times `height`.
    pub(super) fn column(&mut self, at: (u16, u16), height: u16, level: u16, ink: Ink) {
        let (column, row) = at;
        for n in 0..height {
            let level = level.saturating_sub(8 * n).min(8);
            let glyph = self.glyphs().column[usize::from(level)];
            self.put(column, row.saturating_sub(n), 1, glyph, ink);
        }
    }

    pub(super) fn glyphs(&self) -> &'static Glyphs {
        if self.look.unicode { &UNICODE } else { &ASCII }
    }

    fn style(&self, ink: Ink) -> Style {
        let style = Style::new();
        let colored = |color| if self.look.color { style.fg(color) } else { style };
        match ink {
            Ink::Plain => style,
            Ink::Quiet => style.add_modifier(Modifier::DIM),
            Ink::Strong => style.add_modifier(Modifier::BOLD),
            Ink::Bar => colored(Color::Cyan),
            Ink::Warm => colored(Color::Yellow),
            Ink::Hot => colored(Color::Red).add_modifier(Modifier::BOLD),
        }
    }
}

/// The characters that pictures are made of.
pub(super) struct Glyphs {
    bar: [&'static str; 9],
    empty: &'static str,
    column: [&'static str; 9],
    pub(super) dot: &'static str,
    pub(super) arrow: &'static str,
}

const UNICODE: Glyphs = Glyphs {
    bar: [" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"],
    empty: "·",
    column: [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"],
    dot: "·",
    arrow: "▶",
};

const ASCII: Glyphs = Glyphs {
    bar: [" ", "-", "-", "-", "=", "=", "=", "#", "#"],
    empty: ".",
    column: [" ", ".", ".", ":", ":", "|", "|", "#", "#"],
    dot: "-",
    arrow: ">",
};

/// A number of bytes in at most five columns, in KiB and MiB as the flags have it.
pub(super) fn bytes(count: u64) -> String {
    let kib = count as f64 / 1024.0;
    match count {
        0..1_000 => format!("{count} B"),
        1_000..10_240 => format!("{kib:.1}k"),
        10_240..1_024_000 => format!("{}k", count / 1024),
        1_024_000..10_485_760 => format!("{:.1}M", kib / 1024.0),
        _ => format!("{}M", count / (1024 * 1024)),
    }
}

/// A length of time in at most six columns.
pub(super) fn milliseconds(ms: u64) -> String {
    match ms {
        0..1_000 => format!("{ms} ms"),
        1_000..10_000 => format!("{:.1} s", ms as f64 / 1_000.0),
        10_000..600_000 => format!("{} s", ms / 1_000),
        _ => format!("{} min", ms / 60_000),
    }
}
