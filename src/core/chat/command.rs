//! Parses a line that a user typed into a command. Each state that takes commands has one parser:
//! [`Command`] at prompts, [`ChatCommand`] in a chat, [`RoomCommand`] in a room.
//!
//! Parsing has no effects and knows no state: `dispatch` and `room_commands` decide what a command
//! does. Nothing here allocates for a line of text, because nearly every line is one.

/// A command at a prompt: at the menu, while asking, or while asked (4.1.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Command<'a> {
    /// `2`, `chat`, with the name of the user to ask, if the line contains one.
    Chat(Option<&'a str>),
    /// `3`, `exit`.
    Exit,
    /// `4`, `join`, with the name of the room, if the line contains one.
    Join(Option<&'a str>),
    /// `yes`, `y`.
    Yes,
    /// `no`, `n`.
    No,
    /// `cancel`: withdraws a request, or leaves "Chat with whom?".
    Cancel,
    /// `quit`: withdraws a request, as `cancel` does.
    Quit,
    /// A command that changes no state.
    CommonCommand(CommonCommand<'a>),
    /// Anything else, including a command word followed by text that the word does not take.
    Unknown,
}

/// A command that changes no state. It works at every prompt and, after a `/`, in a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CommonCommand<'a> {
    /// `1`, `list`: the users whose names begin with this prefix. Empty: all users.
    List(&'a str),
    /// `5`, `rooms`: the rooms whose names begin with this prefix. Empty: all rooms.
    Rooms(&'a str),
    /// `help`.
    Help,
    /// `busy`: turns do-not-disturb on (5.5.1).
    Busy,
    /// `free`: turns do-not-disturb off.
    Free,
    /// `ignore` with the name to ignore (5.6.1). Empty: shows the ignore list.
    Ignore(&'a str),
    /// `unignore` with the name to remove from the ignore list.
    Unignore(&'a str),
}

impl<'a> Command<'a> {
    /// Parses a line: a word in any case, and for some words an argument.
    /// Numbers and words mean the same: `2 ANNA` is `chat anna`.
    pub(super) fn parse(line: &'a str) -> Command<'a> {
        let line = line.trim();
        let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let rest = rest.trim_start();
        // The longest command word is `unignore` with 8 bytes. A fixed array folds the case without
        // an allocation, and a longer word is no command.
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

/// A command in a chat (4.7). Only few words are commands, because everything else is said to the
/// partner.
///
/// Parsed from bytes, because [`super::Route::message`] runs for every line of every chat, and
/// comparing bytes needs no UTF-8 decoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ChatCommand<'a> {
    /// Text for the partner.
    Say(&'a [u8]),
    /// `quit`, `/quit`.
    Quit,
    /// `/help`.
    Help,
    /// A `/` that begins no command. Not delivered: a mistyped command could reveal something.
    Unknown,
}

impl<'a> ChatCommand<'a> {
    /// Parses a line. Blanks around a text belong to the text (3.1.2).
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

/// A command in a room (4.8.2 to 4.8.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RoomCommand<'a> {
    /// Text for all members.
    Say(&'a str),
    /// `/me`: an action of the speaker, shown as `NAME: *text*`.
    Act(&'a str),
    /// `quit`, `q`, `.exit`, `/quit`. Several spellings, because other chat systems taught them and
    /// a user who wants to leave should not say `q` to the whole room (4.8.3).
    Quit,
    /// `/who`: lists the members whose names begin with this prefix. Empty: all members.
    Who(&'a str),
    /// `/history`, with the text of its count of lines. Empty: the default count.
    History(&'a str),
    /// `/quiet` (`true`) hides joins and leavings; `/loud` (`false`) shows them again (4.8.9).
    Quiet(bool),
    /// `/chat`, with the name of the user to ask.
    Chat(&'a str),
    /// `/yes`, `/y`.
    Yes,
    /// `/no`, `/n`.
    No,
    /// `/help`.
    Help,
    /// A command that changes no state, after a `/`.
    CommonCommand(CommonCommand<'a>),
    /// A `/` that begins no command. Not said, for the same reason as in a chat.
    Unknown,
}

impl<'a> RoomCommand<'a> {
    /// Parses a line. Blanks around a text belong to the text (3.1.2). `//` escapes a text that
    /// begins with `/`.
    pub(super) fn parse(line: &'a str) -> RoomCommand<'a> {
        let is_leaving_word = |word: &&str| line.trim().eq_ignore_ascii_case(word);
        match line.strip_prefix('/') {
            None if ["quit", "q", ".exit"].iter().any(is_leaving_word) => RoomCommand::Quit,
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
            ("who", _) => RoomCommand::Who(rest),
            ("quiet", "") => RoomCommand::Quiet(true),
            ("loud", "") => RoomCommand::Quiet(false),
            ("yes" | "y", "") => RoomCommand::Yes,
            ("no" | "n", "") => RoomCommand::No,
            ("help", "") => RoomCommand::Help,
            _ => RoomCommand::common_command(command),
        }
    }

    /// The words of the menu that change no state work in a room, but the menu's numbers do not: no
    /// menu is on the screen there.
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
    fn a_command_is_a_number_or_a_word_in_any_case_with_blanks_around_it() {
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
    fn a_line_that_matches_no_command_is_unknown() {
        for line in
            ["", "6", "12", "2B", "yes please", "3 now", "/quit", "listless", "ｌｉｓｔ", "é"]
        {
            assert_eq!(Command::parse(line), Command::Unknown, "{line:?}");
        }
    }

    /// (4.8.3, 4.8.4, 4.8.5, 4.8.1)
    #[test]
    fn in_a_room_a_few_words_leave_and_a_slash_begins_a_command() {
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
            ("/who", RoomCommand::Who("")),
            ("/WHO  an ", RoomCommand::Who("an")),
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
    fn in_a_chat_every_line_is_text_except_quit_and_lines_that_begin_with_a_slash() {
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
