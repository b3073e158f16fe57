//! Names from earlier server lines, for Tab. `state_machine` teaches them, `completion` asks.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::core::limits::COMPLETED_NAMES_MAX;

/// All names that completion can offer.
#[derive(Debug, Default)]
pub struct Known {
    /// Usernames.
    pub people: Names,
    /// Names of rooms.
    pub rooms: Names,
}

/// Names of one kind, at most [`COMPLETED_NAMES_MAX`].
///
/// The key is the name in lower case. A sorted map finds all names with a prefix in one range.
#[derive(Debug, Default)]
pub struct Names {
    by_key: BTreeMap<String, Name>,
    /// How many messages were read.
    spoken: u64,
}

#[derive(Debug)]
struct Name {
    spelling: String,
    /// The number of the last message from this user; 0 if there was none.
    spoke: u64,
}

impl Names {
    /// Remembers a name with its latest spelling. Ignores new names once the limit is reached,
    /// because a server that sends names without end must not fill the client's memory.
    pub fn learn(&mut self, name: &str) {
        let key = name.to_lowercase();
        if let Some(known) = self.by_key.get_mut(&key) {
            name.clone_into(&mut known.spelling);
        } else if self.by_key.len() < COMPLETED_NAMES_MAX {
            self.by_key.insert(key, Name { spelling: name.to_owned(), spoke: 0 });
        }
    }

    /// Remembers that this user has just said something. A new speaker always finds a place: the
    /// user who was silent for longest gives it up.
    pub fn learn_speaker(&mut self, name: &str) {
        self.spoken += 1;
        let key = name.to_lowercase();
        if self.by_key.len() >= COMPLETED_NAMES_MAX && !self.by_key.contains_key(&key) {
            let silent = self.by_key.iter().min_by_key(|(_, name)| name.spoke);
            let silent = silent.map(|(key, _)| key.clone());
            silent.and_then(|key| self.by_key.remove(&key));
        }
        self.by_key.insert(key, Name { spelling: name.to_owned(), spoke: self.spoken });
    }

    /// Returns the names that begin with `prefix`, except the name `except`: the latest speaker
    /// first, then the others by their lower case. Ignores case.
    #[must_use]
    pub fn beginning_with(&self, prefix: &str, except: Option<&str>) -> Vec<String> {
        let prefix = prefix.to_lowercase();
        let except = except.map(str::to_lowercase);
        let mut found = self
            .by_key
            .range(prefix.clone()..)
            .take_while(|(key, _)| key.starts_with(&prefix))
            .filter(|(key, _)| Some(*key) != except.as_ref())
            .map(|(_, name)| name)
            .collect::<Vec<_>>();
        // The sort is stable, thus names that never spoke stay in alphabetical order.
        found.sort_by_key(|name| Reverse(name.spoke));
        found.into_iter().map(|name| name.spelling.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_speaker_comes_first() {
        let mut names = Names::default();
        for name in ["bea", "Ben", "bert", "carl"] {
            names.learn(name);
        }
        assert_eq!(names.beginning_with("B", None), ["bea", "Ben", "bert"]);
        names.learn_speaker("bert");
        names.learn_speaker("ben");
        names.learn("bert");
        assert_eq!(names.beginning_with("b", Some("BEA")), ["ben", "bert"]);
    }

    #[test]
    fn a_flood_of_names_stops_at_the_limit_and_a_speaker_still_finds_a_place() {
        let mut names = Names::default();
        names.learn_speaker("0");
        for number in 0..2 * COMPLETED_NAMES_MAX {
            names.learn(&number.to_string());
        }
        names.learn_speaker("anna");
        assert_eq!(names.by_key.len(), COMPLETED_NAMES_MAX);
        assert_eq!(names.beginning_with("", None)[..2], ["anna", "0"]);
    }
}
