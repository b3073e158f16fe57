//! The prompt before the input line, in the longest of its forms that fits.
//!
//! `state_machine` makes the prompt, and `screen` decides how many columns it gets. A prompt is never
//! cut: half a name could be another name. The width of a text comes from `unicode-width` (UAX #11);
//! a terminal may disagree about rare characters.

use unicode_width::UnicodeWidthStr;

use super::color::Paint;

/// Ends every prompt.
const END: &str = "> ";

/// A label, such as a state or a count-down, and its colour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    /// The text before `> `.
    label: String,
    /// The text for fewer columns. It still names whoever a typed line concerns.
    short: String,
    /// The text for a terminal on which no name fits.
    bare: &'static str,
    paint: Paint,
}

impl Prompt {
    /// Makes a prompt that shows `label`.
    #[must_use]
    pub fn new(label: &str, paint: Paint) -> Prompt {
        Prompt { label: label.to_owned(), short: label.to_owned(), bare: "", paint }
    }

    /// Adds a short label for the case that the long label does not fit.
    #[must_use]
    pub fn or_short(self, short: &str) -> Prompt {
        Prompt { short: short.to_owned(), ..self }
    }

    /// Adds a word for the case that no other label fits. Without it such a prompt is `> `.
    #[must_use]
    pub fn or_bare(self, bare: &'static str) -> Prompt {
        Prompt { bare, ..self }
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

    /// Returns the longest form that needs at most `columns`.
    #[must_use]
    pub fn fitted(&self, columns: usize) -> String {
        let forms = [&*self.label, &self.short, self.bare];
        let fits = |label: &&str| label.width() + END.width() <= columns;
        format!("{}{END}", forms.into_iter().find(fits).unwrap_or_default())
    }

    /// Returns the prompt for an input line that starts after `kept` columns. A shorter prompt gets
    /// blanks at its start, so that the line stays in place when the prompt changes while the user
    /// types. Only a prompt whose names need more columns moves the line, up to `columns_max`.
    #[must_use]
    pub fn in_place(&self, kept: usize, columns_max: usize) -> String {
        let is_named = |columns: usize| self.short.width() + END.width() <= columns;
        let fitted = match is_named(kept) || !is_named(columns_max) {
            true => self.fitted(kept),
            false => format!("{}{END}", self.short),
        };
        let blanks = kept.saturating_sub(fitted.width());
        format!("{}{fitted}", " ".repeat(blanks))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prompt_that_fits_keeps_the_line_in_place() {
        let prompt = |label| Prompt::new(label, Paint::Plain);
        assert_eq!(prompt("menu").in_place(6, 20), "menu> ");
        assert_eq!(prompt("ben").in_place(6, 20), " ben> ");
        let asked = prompt("eve asks, yes or no").or_short("eve?");
        assert_eq!(asked.in_place(6, 60), "eve?> ");
        assert_eq!(asked.in_place(25, 60), "    eve asks, yes or no> ");
        assert_eq!(asked.fitted(60), "eve asks, yes or no> ");
        assert_eq!(asked.fitted(20), "eve?> ");
    }

    #[test]
    fn a_prompt_is_never_cut() {
        let prompt = Prompt::new("to 日本語", Paint::Plain).or_bare("chat");
        assert_eq!(prompt.in_place(6, 20), "to 日本語> ", "a name moves the line");
        assert_eq!(prompt.in_place(6, 10), "chat> ");
        assert_eq!(prompt.in_place(4, 5), "  > ");
        for columns in 2..20 {
            for label in ["", "a", "日本語日本語", "e\u{301}tude"] {
                let prompt = Prompt::new(label, Paint::Plain);
                for fitted in [prompt.fitted(columns), prompt.in_place(columns / 2, columns)] {
                    assert!(fitted.width() <= columns, "{label} {columns}");
                    let shown = fitted.trim_start_matches(' ').trim_end_matches(END);
                    assert!(shown == label || shown.is_empty(), "{shown} is a part of {label}");
                }
            }
        }
    }
}
