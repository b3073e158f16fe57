//! Usernames (3.2.1, 3.2.2). ASCII names follow a rule. Names in other scripts come from a short list
//! whose properties were looked up by hand. The model reads no Unicode table: an error in the
//! server's table cannot repeat here.

/// A username in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Name {
    pub(crate) spelling: String,
    /// The key for comparison without case.
    pub(crate) folded: String,
    /// The key for comparison of look-alikes (UTS #39, 4).
    pub(crate) look: String,
}

/// Names in other scripts. None looks like another name in the simulation.
pub(crate) const NON_ASCII: [&str; 6] = ["Юлия", "Özgür", "さくら", "日本語", "Ψυχή", "김철수"];

impl Name {
    /// The name that `line` contains, if it is valid.
    pub(crate) fn new(line: &str) -> Option<Name> {
        let spelling = line.trim();
        let folded = spelling.to_lowercase();
        if NON_ASCII.iter().any(|name| name.to_lowercase() == folded) {
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

/// Replaces ASCII letters and digits by those that they resemble (confusables.txt).
fn look(spelling: &str) -> String {
    spelling.replace('0', "O").replace(['1', 'I'], "l").replace('m', "rn").to_lowercase()
}
