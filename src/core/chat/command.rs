//! What a line typed at the menu, or while asking or being asked, is meant to do. No effects.

/// A choice, as the menu offers it (3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Command<'a> {
    /// `2`, `chat`: whom to ask, if that was said with it.
    Chat(Option<&'a str>),
    /// `3`, `exit`.
    Exit,
    /// `4`, `join`: which room, if that was said with it.
    Join(Option<&'a str>),
    /// `yes`, `y`.
    Yes,
    /// `no`, `n`.
    No,
    /// `cancel`.
    Cancel,
    /// `quit`.
    Quit,
    /// What changes no state.
    CommonCommand(CommonCommand<'a>),
    /// Nothing of the above.
    Unknown,
}

/// A choice that changes no state, and is open whatever one is waiting for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CommonCommand<'a> {
    /// `1`, `list`: the users whose names begin so; empty for all.
    List(&'a str),
    /// `5`, `rooms`: the rooms whose names begin so; empty for all.
    Rooms(&'a str),
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
            (b"1" | b"list", prefix) => Command::CommonCommand(CommonCommand::List(prefix)),
            (b"2" | b"chat", "") => Command::Chat(None),
            (b"2" | b"chat", name) => Command::Chat(Some(name)),
            (b"3" | b"exit", "") => Command::Exit,
            (b"4" | b"join", "") => Command::Join(None),
            (b"4" | b"join", room) => Command::Join(Some(room)),
            (b"5" | b"rooms", prefix) => Command::CommonCommand(CommonCommand::Rooms(prefix)),
            (b"yes" | b"y", "") => Command::Yes,
            (b"no" | b"n", "") => Command::No,
            (b"cancel", "") => Command::Cancel,
            (b"quit", "") => Command::Quit,
            (b"help", "") => Command::CommonCommand(CommonCommand::Help),
            (b"busy", "") => Command::CommonCommand(CommonCommand::Busy),
            (b"free", "") => Command::CommonCommand(CommonCommand::Free),
            (b"ignore", name) => Command::CommonCommand(CommonCommand::Ignore(name)),
            (b"unignore", name) => Command::CommonCommand(CommonCommand::Unignore(name)),
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

/// What a line typed in a room is meant to do (6.3 to 6.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RoomCommand<'a> {
    /// Say this text.
    Say(&'a str),
    /// `/me`: say what one does.
    Act(&'a str),
    /// `quit`, `q`, `.exit`, `/quit`.
    Quit,
    /// `/who`.
    Who,
    /// `/history`: how many lines, if that was said with it.
    History(&'a str),
    /// `/quiet`, and with `false` `/loud`.
    Quiet(bool),
    /// `/chat`: whom to ask.
    Chat(&'a str),
    /// `/yes`, `/y`.
    Yes,
    /// `/no`, `/n`.
    No,
    /// `/help`.
    Help,
    /// What changes no state, with a slash before it.
    CommonCommand(CommonCommand<'a>),
    /// `/`, or a word after it that is no command.
    Unknown,
}

impl<'a> RoomCommand<'a> {
    /// Reads `line`; its blanks belong to the text, if it is one.
    pub(super) fn parse(line: &'a str) -> RoomCommand<'a> {
        let is_parting = |word: &&str| line.trim().eq_ignore_ascii_case(word);
        match line.strip_prefix('/') {
            None if ["quit", "q", ".exit"].iter().any(is_parting) => RoomCommand::Quit,
            None => RoomCommand::Say(line),
            Some(text) if text.starts_with('/') => RoomCommand::Say(text),
            Some(command) => RoomCommand::after_slash(command),
        }
    }

    fn after_slash(command: &'a str) -> RoomCommand<'a> {
        let (word, text) = command.split_once(char::is_whitespace).unwrap_or((command, ""));
        let rest = text.trim();
        match (&*word.to_ascii_lowercase(), rest) {
            ("say", _) if !text.is_empty() => RoomCommand::Say(text),
            ("me", _) if !rest.is_empty() => RoomCommand::Act(rest),
            ("chat", _) if !rest.is_empty() => RoomCommand::Chat(rest),
            ("history", _) => RoomCommand::History(rest),
            ("quit", "") => RoomCommand::Quit,
            ("who", "") => RoomCommand::Who,
            ("quiet", "") => RoomCommand::Quiet(true),
            ("loud", "") => RoomCommand::Quiet(false),
            ("yes" | "y", "") => RoomCommand::Yes,
            ("no" | "n", "") => RoomCommand::No,
            ("help", "") => RoomCommand::Help,
            _ => RoomCommand::common_command(command),
        }
    }

    /// The words that change no state are those of the menu, but not its numbers.
    fn common_command(command: &'a str) -> RoomCommand<'a> {
        match Command::parse(command) {
            Command::CommonCommand(common_command)
                if command.starts_with(|c: char| c.is_ascii_alphabetic()) =>
            {
                RoomCommand::CommonCommand(common_command)
            }
            Command::CommonCommand(_)
            | Command::Chat(_)
            | Command::Exit
            | Command::Join(_)
            | Command::Yes
            | Command::No
            | Command::Cancel
            | Command::Quit
            | Command::Unknown => RoomCommand::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_words_in_any_case_with_blanks_around_are_choices() {
        for line in ["1", " 1 ", "LIST", "list\t"] {
            assert_eq!(
                Command::parse(line),
                Command::CommonCommand(CommonCommand::List("")),
                "{line:?}"
            );
        }
        assert_eq!(Command::parse("  Chat   B "), Command::Chat(Some("B")));
        assert_eq!(Command::parse("2"), Command::Chat(None));
        assert_eq!(Command::parse("1 an"), Command::CommonCommand(CommonCommand::List("an")));
        assert_eq!(Command::parse("YES"), Command::Yes);
    }

    #[test]
    fn what_is_not_a_choice_is_unknown() {
        for line in
            ["", "6", "12", "2B", "yes please", "3 now", "/quit", "listless", "ｌｉｓｔ", "é"]
        {
            assert_eq!(Command::parse(line), Command::Unknown, "{line:?}");
        }
    }

    /// (6.4, 6.5)
    #[test]
    fn in_a_room_what_systems_like_it_taught_leaves_and_slashes_command() {
        for (line, command) in [
            ("quit", RoomCommand::Quit),
            (" .EXIT ", RoomCommand::Quit),
            ("q", RoomCommand::Quit),
            ("/Quit ", RoomCommand::Quit),
            ("q?", RoomCommand::Say("q?")),
            ("/say quit", RoomCommand::Say("quit")),
            ("/say   indented ", RoomCommand::Say("  indented ")),
            ("/say", RoomCommand::Unknown),
            ("//quit", RoomCommand::Say("/quit")),
            (" /quit", RoomCommand::Say(" /quit")),
            ("", RoomCommand::Say("")),
            ("yes", RoomCommand::Say("yes")),
            ("/yes", RoomCommand::Yes),
            ("/N", RoomCommand::No),
            ("/yes please", RoomCommand::Unknown),
            ("/me  waves ", RoomCommand::Act("waves")),
            ("/me", RoomCommand::Unknown),
            ("/history 5", RoomCommand::History("5")),
            ("/chat Bert ", RoomCommand::Chat("Bert")),
            ("/list an", RoomCommand::CommonCommand(CommonCommand::List("an"))),
            ("/busy", RoomCommand::CommonCommand(CommonCommand::Busy)),
            ("/1", RoomCommand::Unknown),
            ("/", RoomCommand::Unknown),
            ("/ who", RoomCommand::Unknown),
            ("/exit", RoomCommand::Unknown),
        ] {
            assert_eq!(RoomCommand::parse(line), command, "{line:?}");
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
