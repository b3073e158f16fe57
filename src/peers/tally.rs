//! Counts how often each text came, in fixed memory: a server can say ever new things.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::core::limits::REPORTED_TEXTS_MAX;

/// Stands for all texts beyond [`REPORTED_TEXTS_MAX`].
const OTHERS: &str = "and others";

/// Texts, and how often each came.
#[derive(Debug, Clone, Default)]
pub struct Tally(BTreeMap<String, u64>);

impl Tally {
    /// Counts a text that came `count` times.
    pub fn add(&mut self, text: String, count: u64) {
        let has_space = self.0.len() < REPORTED_TEXTS_MAX || self.0.contains_key(&text);
        let text = if has_space { text } else { OTHERS.to_owned() };
        *self.0.entry(text).or_default() += count;
    }

    /// How many texts came, the same ones included.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.values().sum()
    }

    /// Whether none came.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// One line for each text: its count, and the text.
    #[must_use]
    pub fn lines(&self) -> String {
        self.0.iter().map(|(text, count)| format!("{count:>9}  {text}\n")).collect()
    }

    /// The texts as the keys of an object, with their counts.
    #[must_use]
    pub fn json(&self) -> Value {
        self.0.iter().map(|(text, count)| (text.clone(), Value::from(*count))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ever_new_texts_fill_no_memory_and_none_is_lost() {
        let mut tally = Tally::default();
        assert!(tally.is_empty());
        (0..1_000).for_each(|n| tally.add(format!("text {n}"), 2));
        tally.add("text 0".to_owned(), 5);
        assert_eq!((tally.0.len(), tally.total()), (REPORTED_TEXTS_MAX + 1, 2_005));
        assert_eq!((&tally.json()["text 0"], &tally.json()[OTHERS]), (&7.into(), &1_976.into()));
        assert!(tally.lines().starts_with("     1976  and others\n        7  text 0\n"));
    }
}
