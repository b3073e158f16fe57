//! What a line typed at the menu, or while asking or being asked, is meant to do. No effects.

/// A choice, as the menu offers it (3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Command<'a> {
    /// `2`, `chat`: whom to ask, if that was said with it.
    Chat(Option<&'a str>),
    /// `3`, `exit`.
    Exit,
    /// `yes`, `y`.
    Yes,
    /// `no`, `n`.
    No,
    /// `cancel`.
    Cancel,
    /// `quit`.
    Quit,
    /// What changes no state.
    Aside(Aside<'a>),
    /// Nothing of the above.
    Unknown,
}

/// A choice that changes no state, and is open whatever one is waiting for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Aside<'a> {
    /// `1`, `list`: the users whose names begin so; empty for all.
    List(&'a str),
    /// `help`.
    Help,
    /// `busy`.
    Busy,
    /// `free`.
    Free,
    /// `ignore`: whom; empty to ask who is ignored.
    Ignore(&'a str),
    /// `unignore`: whom.
    Unignore(&'a str),
}

impl<'a> Command<'a> {
    /// Reads `line`: a word in any case, and for some words what follows it.
    pub(super) fn parse(line: &'a str) -> Command<'a> {
        let line = line.trim();
        let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let rest = rest.trim_start();
        // No choice is longer than this; a fixed array keeps the folding free of allocation.
        let mut folded = [0; 8];
        let Some(folded) = folded.get_mut(..word.len()) else { return Command::Unknown };
        folded.copy_from_slice(word.as_bytes());
        folded.make_ascii_lowercase();
        match (&*folded, rest) {
            (b"1" | b"list", prefix) => Command::Aside(Aside::List(prefix)),
            (b"2" | b"chat", "") => Command::Chat(None),
            (b"2" | b"chat", name) => Command::Chat(Some(name)),
            (b"3" | b"exit", "") => Command::Exit,
            (b"yes" | b"y", "") => Command::Yes,
            (b"no" | b"n", "") => Command::No,
            (b"cancel", "") => Command::Cancel,
            (b"quit", "") => Command::Quit,
            (b"help", "") => Command::Aside(Aside::Help),
            (b"busy", "") => Command::Aside(Aside::Busy),
            (b"free", "") => Command::Aside(Aside::Free),
            (b"ignore", name) => Command::Aside(Aside::Ignore(name)),
            (b"unignore", name) => Command::Aside(Aside::Unignore(name)),
            _ => Command::Unknown,
        }
    }
}

/// What a line typed in a chat is meant to do (3.7). Of bytes, since for nearly every line nobody
/// needs to know more than that it is none of the few words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ChatCommand<'a> {
    /// Deliver this text.
    Say(&'a [u8]),
    /// `quit`, `/quit`.
    Quit,
    /// `/help`.
    Help,
    /// `/`, or a word after it that is no command.
    Unknown,
}

impl<'a> ChatCommand<'a> {
    /// Reads `line`; its blanks belong to the text, if it is one.
    #[inline]
    pub(super) fn parse(line: &'a [u8]) -> ChatCommand<'a> {
        match line.strip_prefix(b"/") {
            Some(rest) => ChatCommand::after_slash(rest),
            None if line.trim_ascii().eq_ignore_ascii_case(b"quit") => ChatCommand::Quit,
            None => ChatCommand::Say(line),
        }
    }

    fn after_slash(rest: &'a [u8]) -> ChatCommand<'a> {
        let is = |word: &[u8]| rest.trim_ascii_end().eq_ignore_ascii_case(word);
        match rest.first() {
            Some(b'/') => ChatCommand::Say(rest),
            _ if is(b"quit") => ChatCommand::Quit,
            _ if is(b"help") => ChatCommand::Help,
            _ => ChatCommand::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_words_in_any_case_with_blanks_around_are_choices() {
        for line in ["1", " 1 ", "LIST", "list\t"] {
            assert_eq!(Command::parse(line), Command::Aside(Aside::List("")), "{line:?}");
        }
        assert_eq!(Command::parse("  Chat   B "), Command::Chat(Some("B")));
        assert_eq!(Command::parse("2"), Command::Chat(None));
        assert_eq!(Command::parse("1 an"), Command::Aside(Aside::List("an")));
        assert_eq!(Command::parse("YES"), Command::Yes);
    }

    #[test]
    fn what_is_not_a_choice_is_unknown() {
        for line in
            ["", "4", "12", "2B", "yes please", "3 now", "/quit", "listless", "ｌｉｓｔ", "é"]
        {
            assert_eq!(Command::parse(line), Command::Unknown, "{line:?}");
        }
    }

    #[test]
    fn in_a_chat_only_quit_and_slashes_are_not_text() {
        for (line, command) in [
            ("quit", ChatCommand::Quit),
            (" Quit ", ChatCommand::Quit),
            ("/QUIT ", ChatCommand::Quit),
            ("//quit", ChatCommand::Say(b"/quit")),
            ("//", ChatCommand::Say(b"/")),
            ("/", ChatCommand::Unknown),
            ("/me waves", ChatCommand::Unknown),
            ("/help", ChatCommand::Help),
            ("  yes ", ChatCommand::Say(b"  yes ")),
            (" /quit", ChatCommand::Say(b" /quit")),
            ("", ChatCommand::Say(b"")),
            ("quit it", ChatCommand::Say(b"quit it")),
        ] {
            assert_eq!(ChatCommand::parse(line.as_bytes()), command, "{line:?}");
        }
    }
}
