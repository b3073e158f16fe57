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

/// Names in other scripts, or with marks. The second column is an ASCII name that looks the same; a
/// name without one looks like no other name in the simulation.
const LOOKS: [(&str, &str); 8] = [
    ("Юлия", ""),
    ("Özgür", "ozgur"),
    ("さくら", ""),
    ("日本語", ""),
    ("Ψυχή", ""),
    ("김철수", ""),
    ("Ánna", "anna"),
    ("ỵes", "yes"),
];

/// The same names.
pub(crate) const NON_ASCII: [&str; 8] = {
    let (mut names, mut n) = ([""; 8], 0);
    while n < names.len() {
        names[n] = LOOKS[n].0;
        n += 1;
    }
    names
};

/// The words that are no usernames (3.2.3).
const RESERVED: [&str; 36] = [
    "you",
    "asked",
    "hello",
    "welcome",
    "goodbye",
    "nobody",
    "everybody",
    "operator",
    "operators",
    "admin",
    "administrator",
    "moderator",
    "root",
    "server",
    "system",
    "chinwag",
    "list",
    "chat",
    "exit",
    "join",
    "rooms",
    "help",
    "busy",
    "free",
    "ignore",
    "unignore",
    "register",
    "password",
    "unregister",
    "cancel",
    "quit",
    "q",
    "yes",
    "y",
    "no",
    "n",
];

impl Name {
    /// The name that `line` contains, if it is valid.
    pub(crate) fn new(line: &str) -> Option<Name> {
        let spelling = line.trim();
        let folded = spelling.to_lowercase();
        if let Some((_, alike)) = LOOKS.iter().find(|(name, _)| name.to_lowercase() == folded) {
            let look = if alike.is_empty() { folded.clone() } else { look(alike) };
            return Some(Name { spelling: spelling.into(), look, folded });
        }
        let first = spelling.chars().next()?;
        let is_of_a_name = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
        let is_name = first.is_ascii_alphanumeric()
            && spelling.chars().all(is_of_a_name)
            && spelling.contains(|c: char| c.is_ascii_alphabetic())
            && spelling.len() <= 20;
        is_name.then(|| Name { spelling: spelling.into(), look: look(spelling), folded })
    }
}

impl Name {
    /// Whether a user may not have this name although no user has it (3.2.3).
    pub(crate) fn is_reserved(&self) -> bool {
        RESERVED.iter().any(|word| {
            let looks = [look(word), look(&word.to_uppercase())];
            self.folded == *word || looks.contains(&self.look)
        })
    }
}

/// Replaces ASCII letters and digits by those that they resemble (confusables.txt).
fn look(spelling: &str) -> String {
    spelling.replace('0', "O").replace(['1', 'I'], "l").replace('m', "rn").to_lowercase()
}
