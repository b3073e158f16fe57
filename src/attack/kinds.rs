//! The kinds of attack, one file for each. A kind says what it does, what to look for, and which clause
//! of `protocol.md` protects; its moves are pure.

mod byte_at_a_time;
mod flood;
mod half_close;
mod lazy_reader;
mod long_line;
mod out_of_descriptors;
mod paste;
mod request_squatting;
mod reset_storm;
mod slowloris;
mod telnet_flood;

use super::attacker::Moves;

/// One kind of attack.
pub struct Kind {
    /// What the command line calls it.
    pub name: &'static str,
    /// What it does, in one sentence.
    pub does: &'static str,
    /// What to look for in the view.
    pub look_for: &'static str,
    /// The clauses that protect, each with what it promises.
    pub protects: &'static [(&'static str, &'static str)],
    /// Connections at a time, unless a flag says otherwise.
    pub connections: u32,
    /// Seconds, unless a flag says otherwise.
    pub seconds: u64,
    /// The usernames of its attackers begin so.
    pub(super) prefix: &'static str,
    /// Whether its attackers take a username.
    pub(super) logs_in: bool,
    /// The moves of attacker `n`, from 0.
    pub(super) moves: fn(n: usize, cast: &Cast) -> Box<dyn Moves>,
}

/// The names of one run of an attack.
#[derive(Debug, Clone)]
pub(super) struct Cast {
    prefix: &'static str,
    /// Makes the names of this run differ from those of another that runs at the same time.
    tag: u32,
}

impl Cast {
    pub(super) fn new(prefix: &'static str, tag: u32) -> Cast {
        Cast { prefix, tag: tag % 10_000 }
    }

    /// The username of attacker `n`.
    pub(super) fn name(&self, n: usize) -> String {
        format!("{}-{n}", self.stem())
    }

    /// What all usernames of this run begin with.
    pub(super) fn stem(&self) -> String {
        format!("{}{}", self.prefix, self.tag)
    }
}

/// All kinds, in the order of the help text.
pub const KINDS: [&Kind; 11] = [
    &lazy_reader::KIND,
    &slowloris::KIND,
    &flood::KIND,
    &byte_at_a_time::KIND,
    &half_close::KIND,
    &reset_storm::KIND,
    &out_of_descriptors::KIND,
    &long_line::KIND,
    &telnet_flood::KIND,
    &request_squatting::KIND,
    &paste::KIND,
];

/// The kind of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Kind> {
    KINDS.into_iter().find(|kind| kind.name == name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::core::limits::{ATTACK_CONNECTIONS_MAX, ATTACK_SECONDS_MAX};

    const PROTOCOL: &str = include_str!("../../protocol.md");

    #[test]
    fn the_clauses_that_protect_stand_in_the_protocol() {
        for kind in KINDS {
            assert!(!kind.protects.is_empty(), "{}", kind.name);
            for (clause, promise) in kind.protects {
                let states = |line: &str| {
                    let rest = line.strip_prefix("- ").or(line.strip_prefix("| "));
                    rest.is_some_and(|rest| rest.starts_with(&format!("{clause} ")))
                };
                assert!(PROTOCOL.lines().any(states), "{}: {clause} is no clause", kind.name);
                assert!(!promise.is_empty() && !promise.ends_with('.'));
            }
        }
    }

    #[test]
    fn every_kind_is_bounded_and_explains_itself() {
        let names = KINDS.iter().map(|kind| kind.name).collect::<BTreeSet<_>>();
        assert_eq!(names.len(), KINDS.len());
        for kind in KINDS {
            assert!(kind.connections as usize <= ATTACK_CONNECTIONS_MAX);
            assert!(kind.seconds <= ATTACK_SECONDS_MAX);
            assert!(kind.does.ends_with('.') && kind.look_for.ends_with('.'), "{}", kind.name);
        }
    }

    /// (3.2.1)
    #[test]
    fn every_attacker_has_a_valid_name() {
        for kind in KINDS {
            let name = Cast::new(kind.prefix, u32::MAX).name(ATTACK_CONNECTIONS_MAX);
            assert!(name.len() <= 20, "{name}");
            assert!(kind.prefix.chars().all(|c| c.is_ascii_lowercase()), "{name}");
        }
    }
}
