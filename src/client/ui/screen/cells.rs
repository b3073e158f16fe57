//! The line being typed in columns, and the part of it that is seen.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use super::Typed;

/// The line in columns.
pub(super) struct Cells<'a> {
    /// Each cluster, the column it starts at, and its width.
    clusters: Vec<(&'a str, usize, usize)>,
    /// How many of `clusters` stand before the cursor.
    before: usize,
    /// The column of the cursor.
    pub(super) cursor: usize,
    /// Columns of the whole line.
    total: usize,
    /// Columns there are for it on the screen.
    room: usize,
}

impl<'a> Cells<'a> {
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

    /// How far to scroll: as little changes as possible, and when it must, the cursor comes to
    /// the middle, so that the line does not jump at every key.
    pub(super) fn scroll(&self, scrolled: usize) -> usize {
        let farthest = self.total.saturating_sub(self.room);
        let scrolled = scrolled.min(farthest);
        let (left, right) = self.marks(scrolled);
        let seen = scrolled + left..=scrolled + self.room - 2 * right;
        if seen.contains(&self.cursor) {
            scrolled
        } else {
            self.cursor.saturating_sub(self.room / 2).min(farthest)
        }
    }

    /// Columns taken by the mark of what is hidden at the left, and at the right.
    fn marks(&self, scrolled: usize) -> (usize, usize) {
        (usize::from(scrolled > 0), usize::from(self.total > scrolled + self.room))
    }

    /// What is seen before and after the cursor.
    pub(super) fn seen(&self, scrolled: usize) -> (String, String) {
        let (left, right) = self.marks(scrolled);
        let (start, end) = (scrolled + left, scrolled + self.room - right);
        let (mut before, mut after) = ("<".repeat(left), String::new());
        let mut filled = start;
        for (number, &(cluster, column, width)) in self.clusters.iter().enumerate() {
            let seen = if number < self.before { &mut before } else { &mut after };
            if column >= start && column + width <= end {
                seen.push_str(cluster);
            } else if column < start && column + width > start {
                // A wide cluster is half hidden.
                seen.push_str(&" ".repeat(column + width - start));
            } else {
                continue;
            }
            filled = column + width;
        }
        if right > 0 {
            after.push_str(&" ".repeat(end - filled));
            after.push('>');
        }
        (before, after)
    }
}
