//! The prompt before the input line, fitted into a given number of columns.
//!
//! `state_machine` makes the prompt, and `screen` decides how many columns it gets. The width of a
//! text comes from `unicode-width` (UAX #11); a terminal may disagree about rare characters.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use super::color::Paint;

/// Ends every prompt.
const END: &str = "> ";

/// Marks a label that was cut. An ellipsis would be risky: terminals disagree about its width.
const CUT: &str = "~";

/// A label, such as a state or a count-down, and its colour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    /// The text before `> `.
    label: String,
    /// The text for too few columns. Unlike a cut label, it cannot be mistaken for another prompt.
    short: String,
    paint: Paint,
}

impl Prompt {
    /// Makes a prompt that shows `label`.
    #[must_use]
    pub fn new(label: &str, paint: Paint) -> Prompt {
        Prompt { label: label.to_owned(), short: label.to_owned(), paint }
    }

    /// Adds a short label for the case that the long label does not fit.
    #[must_use]
    pub fn or_short(self, short: &str) -> Prompt {
        Prompt { short: short.to_owned(), ..self }
    }

    /// The long label.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.label
    }

    /// The colour.
    #[must_use]
    pub fn paint(&self) -> &Paint {
        &self.paint
    }

    /// The whole prompt, as the screen shows it if there are enough columns.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{}{END}", self.label)
    }

    /// Returns the prompt in exactly `columns`, if `columns` is at least 3. A shorter prompt gets
    /// blanks at its start. A longer prompt shows its short label, cut if necessary.
    ///
    /// The exact width keeps the input line in place when the prompt changes while the user types.
    #[must_use]
    pub fn fitted(&self, columns: usize) -> String {
        for label in [&self.label, &self.short] {
            let whole = format!("{label}{END}");
            if whole.width() <= columns {
                return format!("{}{whole}", " ".repeat(columns - whole.width()));
            }
        }
        // A wide cluster may leave one column free, so the width is measured again below.
        let room = columns.saturating_sub(END.width() + CUT.width());
        let (mut label, mut used) = (String::new(), 0);
        for cluster in self.short.graphemes(true) {
            if used + cluster.width() > room {
                break;
            }
            used += cluster.width();
            label.push_str(cluster);
        }
        let fitted = format!("{label}{CUT}{END}");
        let missing = columns.saturating_sub(fitted.width());
        format!("{}{fitted}", " ".repeat(missing))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fitted_prompt_has_the_exact_width_for_every_label() {
        let prompt = |label| Prompt::new(label, Paint::Plain);
        assert_eq!(prompt("menu").fitted(6), "menu> ");
        assert_eq!(prompt("ben").fitted(6), " ben> ");
        assert_eq!(prompt("ben asks, yes or no").fitted(6), "ben~> ");
        assert_eq!(prompt("日本語").fitted(6), " 日~> ");
        assert_eq!(prompt("eve asks, yes or no").or_short("eve?").fitted(6), "eve?> ");
        for columns in 3..20 {
            for label in ["", "a", "日本語日本語", "e\u{301}tude"] {
                assert_eq!(prompt(label).fitted(columns).width(), columns, "{label} {columns}");
            }
        }
    }
}
