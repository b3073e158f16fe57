//! Usernames as the model knows them (2.3, 2.4): ASCII by rule, other scripts from a list whose
//! properties a person has looked up. No table of Unicode is consulted, so none can be wrong twice.

/// A username in use, in the spelling of its user and as it is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Name {
    pub(crate) spelling: String,
    /// The same for names that differ in case alone.
    pub(crate) folded: String,
    /// The same for names that look alike (UTS #39, 4).
    pub(crate) look: String,
}

/// Names of other scripts. None looks like another name that anybody here tries.
pub(crate) const FOREIGN: [&str; 6] = ["Юлия", "Özgür", "さくら", "日本語", "Ψυχή", "김철수"];

impl Name {
    /// The name that `line` gives, if it is one.
    pub(crate) fn new(line: &str) -> Option<Name> {
        let spelling = line.trim();
        let folded = spelling.to_lowercase();
        if FOREIGN.iter().any(|name| name.to_lowercase() == folded) {
            return Some(Name { spelling: spelling.into(), look: folded.clone(), folded });
        }
        let first = spelling.chars().next()?;
        let is_of_a_name = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
        let is_name = first.is_ascii_alphanumeric()
            && spelling.chars().all(is_of_a_name)
            && spelling.len() <= 20;
        is_name.then(|| Name { spelling: spelling.into(), look: look(spelling), folded })
    }
}

/// What the ASCII letters and digits that resemble others are taken for (confusables.txt).
fn look(spelling: &str) -> String {
    spelling.replace('0', "O").replace(['1', 'I'], "l").replace('m', "rn").to_lowercase()
}
