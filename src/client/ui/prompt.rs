//! What stands before the line being typed, made to fit.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use super::color::Paint;

/// Ends every prompt.
const END: &str = "> ";

/// Stands where a label was cut. Not an ellipsis, whose width terminals disagree about.
const CUT: &str = "~";

/// A label, such as a state or a count-down, and how it looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    label: String,
    /// What it says where the label has no room, and that cannot be taken for another prompt's.
    short: String,
    paint: Paint,
}

impl Prompt {
    /// A prompt that says `label`.
    #[must_use]
    pub fn new(label: &str, paint: Paint) -> Prompt {
        Prompt { label: label.to_owned(), short: label.to_owned(), paint }
    }

    /// The same, with a label for where there is no room.
    #[must_use]
    pub fn or_short(self, short: &str) -> Prompt {
        Prompt { short: short.to_owned(), ..self }
    }

    /// What it says.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.label
    }

    /// How it looks.
    #[must_use]
    pub fn paint(&self) -> &Paint {
        &self.paint
    }

    /// The prompt as it stands on the screen, when nothing says otherwise.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{}{END}", self.label)
    }

    /// The prompt in exactly `columns`: filled up with blanks at its start, or shortened, or cut.
    /// So a line half typed stays where it is on the screen when the prompt before it changes.
    #[must_use]
    pub fn fitted(&self, columns: usize) -> String {
        for label in [&self.label, &self.short] {
            let whole = format!("{label}{END}");
            if whole.width() <= columns {
                return format!("{}{whole}", " ".repeat(columns - whole.width()));
            }
        }
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
    fn a_prompt_fits_exactly_whatever_is_in_it() {
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
