//! Divides the input line into columns and chooses the visible part.
//!
//! [`Screen`](super::Screen) calls this module each time it lays out the row. A line that is longer
//! than its room scrolls sideways; `<` and `>` in the row mark hidden text.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use super::Typed;

/// The input line as a row of clusters. Columns count from 0 at the start of the whole line.
pub(super) struct Cells<'a> {
    /// Each cluster with its first column and its width: 2 for a wide character, 0 for a mark.
    clusters: Vec<(&'a str, usize, usize)>,
    /// The number of clusters before the cursor.
    before: usize,
    /// The column of the cursor.
    pub(super) cursor: usize,
    /// Columns of the whole line.
    total: usize,
    /// Columns that the screen has for the line.
    room: usize,
}

impl<'a> Cells<'a> {
    /// Measures the line for a screen with `room` columns after the prompt.
    pub(super) fn new(typed: Typed<'a>, room: usize) -> Cells<'a> {
        let mut cells = Cells { clusters: Vec::new(), before: 0, cursor: 0, total: 0, room };
        cells.add(typed.before);
        cells.before = cells.clusters.len();
        cells.cursor = cells.total;
        cells.add(typed.after);
        cells
    }

    fn add(&mut self, text: &'a str) {
        for cluster in text.graphemes(true) {
            let width = cluster.width();
            self.clusters.push((cluster, self.total, width));
            self.total += width;
        }
    }

    /// Returns how many columns to hide at the left. `scrolled` is the number from the last layout.
    ///
    /// The number stays the same while the cursor is visible. Otherwise the cursor moves to the
    /// middle of the room: if it stayed at the edge, the line would scroll at every key.
    pub(super) fn scroll(&self, scrolled: usize) -> usize {
        let farthest = self.total.saturating_sub(self.room);
        let scrolled = scrolled.min(farthest);
        let (left, right) = self.marks(scrolled);
        // The cursor may stand one column after the end of the line, but not on the mark `>`.
        let visible = scrolled + left..=scrolled + self.room - 2 * right;
        if visible.contains(&self.cursor) {
            scrolled
        } else {
            self.cursor.saturating_sub(self.room / 2).min(farthest)
        }
    }

    /// Columns of the marks `<` and `>`: 1 if text is hidden on that side, otherwise 0.
    fn marks(&self, scrolled: usize) -> (usize, usize) {
        (usize::from(scrolled > 0), usize::from(self.total > scrolled + self.room))
    }

    /// Returns the visible text before and after the cursor, with the marks.
    pub(super) fn visible(&self, scrolled: usize) -> (String, String) {
        let (left, right) = self.marks(scrolled);
        let (start, end) = (scrolled + left, scrolled + self.room - right);
        let (mut before, mut after) = ("<".repeat(left), String::new());
        let mut filled = start;
        for (number, &(cluster, column, width)) in self.clusters.iter().enumerate() {
            let part = if number < self.before { &mut before } else { &mut after };
            if column >= start && column + width <= end {
                part.push_str(cluster);
            } else if column < start && column + width > start {
                // A terminal cannot show half of a wide cluster. A blank keeps the columns right.
                part.push_str(&" ".repeat(column + width - start));
            } else {
                continue;
            }
            filled = column + width;
        }
        if right > 0 {
            // A wide cluster that does not fit at the right leaves a column to fill.
            after.push_str(&" ".repeat(end - filled));
            after.push('>');
        }
        (before, after)
    }
}
