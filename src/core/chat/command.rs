//! Parses a line that a user typed into a [`Command`]. One table of words serves every state; the
//! states differ only in the words that count without a `/` (5.1).
//!
//! Parsing has no effects: `dispatch` decides what a command does in a state. Nothing here
//! allocates for a line of text, because nearly every line is one.

/// What a line says. Each state in `dispatch` matches every variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Command<'a> {
    /// Text for a partner or a room: `say TEXT`, `//`, and in a chat or a room every line that is
    /// no command.
    Say(&'a str),
    /// `me`: an action of the speaker, shown as `NAME: *text*`.
    Act(&'a str),
    /// `say` or `me` without a text.
    NoText,
    /// `chat`, with the name of the user to ask, if the line contains one.
    Chat(Option<&'a str>),
    /// `join`, with the name of the room, if the line contains one.
    Join(Option<&'a str>),
    /// `leave`, `part`, `quit`, `q`: leaves a chat or a room, and takes a request back. Never ends
    /// the session: two quits may cross on the network.
    Leave,
    /// `exit`: ends the session.
    Exit,
    /// `yes`, `y`, with the name of the asker whom it answers. Empty: whoever asks.
    Yes(&'a str),
    /// `no`, `n`, in the same way.
    No(&'a str),
    /// `cancel`: withdraws a request, or leaves "Chat with whom?".
    Cancel,
    /// `who`, `names`: the members of the room whose names begin with this prefix; outside a room
    /// the users.
    Who(&'a str),
    /// `history`, with the text of its count of lines. Empty: the default count.
    History(&'a str),
    /// `register`, `password` or `unregister`.
    Account(AccountCommand),
    /// A command that changes no state.
    Common(CommonCommand<'a>),
    /// A `/` that begins no command. Not delivered: a mistyped command could reveal something.
    Unknown,
}

/// A command about the user's account (4.12). It takes nothing after it: a password in the same line
/// would be on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AccountCommand {
    /// `register`: the username needs a password from now on.
    Register,
    /// `password`: another password.
    Password,
    /// `unregister`: the username needs no password any more.
    Unregister,
}

/// A command that changes no state and works in every state of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CommonCommand<'a> {
    /// `list`: the users whose names begin with this prefix. Empty: all users.
    List(&'a str),
    /// `rooms`: the rooms whose names begin with this prefix. Empty: all rooms.
    Rooms(&'a str),
    /// `help`.
    Help,
    /// `quiet` (`true`) hides joins and leavings; `loud` (`false`) shows them again (4.8.9).
    Quiet(bool),
    /// `busy` (`true`) turns do-not-disturb on (5.5.1); `free` (`false`) turns it off.
    Busy(bool),
    /// `follow` (`true`) begins to tell the changes of the lists (5.8.1); `unfollow` ends it.
    Follow(bool),
    /// `ignore` with the name to ignore (5.6.1). Empty: shows the ignore list.
    Ignore(&'a str),
    /// `unignore` with the name to remove from the ignore list.
    Unignore(&'a str),
}

/// The bytes of the longest command word, `unregister`.
const WORD_BYTES_MAX: usize = 10;

impl<'a> Command<'a> {
    /// Parses a line at MENU, ASKING or ASKED, where every word counts without a `/` too, and so
    /// do the menu's numbers: `2 ANNA` is `chat anna`. `None` if the line is no choice.
    pub(super) fn at_prompt(line: &'a str) -> Option<Command<'a>> {
        let line = line.trim();
        if let Some(after_slash) = line.strip_prefix('/') {
            return Some(Command::after_slash(after_slash));
        }
        let (word, text) = split_word(line);
        let word = match word {
            "1" => "list",
            "2" => "chat",
            "3" => "exit",
            "4" => "join",
            "5" => "rooms",
            word => word,
        };
        Some(Command::of_word(word, text)).filter(|command| *command != Command::Unknown)
    }

    /// Parses a line at NAMING. `None` if the line is the username that the client wants.
    pub(super) fn while_naming(line: &'a str) -> Option<Command<'a>> {
        let line = line.trim();
        let is_leaving_word =
            line.eq_ignore_ascii_case("exit") || line.eq_ignore_ascii_case("quit");
        match line.strip_prefix('/') {
            Some(after_slash) => Some(Command::after_slash(after_slash)),
            None => is_leaving_word.then_some(Command::Exit),
        }
    }

    /// Parses a line at CHOOSING. `None` if the line is the name of the user to ask. A bare word is
    /// such a name, except `cancel`, which no user can be called (3.2.3).
    pub(super) fn while_choosing(line: &'a str) -> Option<Command<'a>> {
        let line = line.trim();
        match line.strip_prefix('/') {
            Some(after_slash) => Some(Command::after_slash(after_slash)),
            None => {
                let cancels = line.is_empty() || line.eq_ignore_ascii_case("cancel");
                cancels.then_some(Command::Cancel)
            }
        }
    }

    /// Parses a line where a password is awaited. `None` if the line is one: every line that no rule of
    /// 3.4.3 keeps from being a password.
    pub(super) fn instead_of_password(line: &'a str) -> Option<Command<'a>> {
        let line = line.trim();
        let is_word = |word: &&str| line.eq_ignore_ascii_case(word);
        match line.strip_prefix('/') {
            Some(after_slash) => Some(Command::after_slash(after_slash)),
            None if ["", "cancel"].iter().any(is_word) => Some(Command::Cancel),
            None if ["exit", "quit"].iter().any(is_word) => Some(Command::Exit),
            None => None,
        }
    }

    /// Parses a line in a chat. Blanks around a text belong to the text (3.1.2).
    pub(super) fn in_chat(line: &'a str) -> Command<'a> {
        match line.strip_prefix('/') {
            Some(after_slash) => Command::after_slash(after_slash),
            None if is_text_in_chat(line.as_bytes()) => Command::Say(line),
            None => Command::Leave,
        }
    }

    /// Parses a line in a room. Other chat systems taught several words for leaving, and a user who
    /// wants to leave should not say `q` to the whole room (4.8.3).
    pub(super) fn in_room(line: &'a str) -> Command<'a> {
        let is_leaving_word = |word: &&str| line.trim().eq_ignore_ascii_case(word);
        match line.strip_prefix('/') {
            Some(after_slash) => Command::after_slash(after_slash),
            None if ["quit", "q", ".exit"].iter().any(is_leaving_word) => Command::Leave,
            None => Command::Say(line),
        }
    }

    /// Parses what follows a `/`. A second `/` begins a text that begins with `/`.
    fn after_slash(after_slash: &'a str) -> Command<'a> {
        match after_slash.bytes().next() {
            Some(b'/') => Command::Say(after_slash),
            // The menu's numbers take no `/`: no menu is on the screen in a room.
            Some(first) if first.is_ascii_alphabetic() => {
                let (word, text) = split_word(after_slash);
                Command::of_word(word, text)
            }
            _ => Command::Unknown,
        }
    }

    /// The table of all words, in any case. `text` is what follows the word and one blank. A word
    /// that takes nothing, with something after it, is unknown (4.1.2).
    fn of_word(word: &str, text: &'a str) -> Command<'a> {
        use CommonCommand::{Busy, Follow, Help, Ignore, List, Quiet, Rooms, Unignore};
        // A fixed array folds the case without an allocation, and a longer word is no command.
        let mut folded = [0; WORD_BYTES_MAX];
        let Some(folded) = folded.get_mut(..word.len()) else { return Command::Unknown };
        folded.copy_from_slice(word.as_bytes());
        folded.make_ascii_lowercase();
        match (&*folded, text.trim()) {
            (b"list", prefix) => Command::Common(List(prefix)),
            (b"who" | b"names", prefix) => Command::Who(prefix),
            (b"rooms", prefix) => Command::Common(Rooms(without_mark(prefix))),
            (b"chat", "") => Command::Chat(None),
            (b"chat", name) => Command::Chat(Some(name)),
            (b"join", "") => Command::Join(None),
            (b"join", room) => Command::Join(Some(without_mark(room))),
            (b"say" | b"me", "") => Command::NoText,
            (b"say", _) => Command::Say(text),
            (b"me", text) => Command::Act(text),
            (b"leave" | b"part" | b"quit" | b"q", "") => Command::Leave,
            (b"exit", "") => Command::Exit,
            (b"yes" | b"y", name) => Command::Yes(name),
            (b"no" | b"n", name) => Command::No(name),
            (b"cancel", "") => Command::Cancel,
            (b"history", count) => Command::History(count),
            (b"register", "") => Command::Account(AccountCommand::Register),
            (b"password", "") => Command::Account(AccountCommand::Password),
            (b"unregister", "") => Command::Account(AccountCommand::Unregister),
            (b"help", "") => Command::Common(Help),
            (b"quiet", "") => Command::Common(Quiet(true)),
            (b"loud", "") => Command::Common(Quiet(false)),
            (b"busy", "") => Command::Common(Busy(true)),
            (b"free", "") => Command::Common(Busy(false)),
            (b"follow", "") => Command::Common(Follow(true)),
            (b"unfollow", "") => Command::Common(Follow(false)),
            (b"ignore", name) => Command::Common(Ignore(name)),
            (b"unignore", name) => Command::Common(Unignore(name)),
            _ => Command::Unknown,
        }
    }
}

/// Whether a line in a chat is text, and neither `quit` nor begun with a `/`. Works on bytes, because
/// [`super::Route::message`] asks for every line of every chat: no UTF-8 decoding.
#[inline]
pub(super) fn is_text_in_chat(line: &[u8]) -> bool {
    line.first() != Some(&b'/') && !line.trim_ascii().eq_ignore_ascii_case(b"quit")
}

/// Whether a line in a room is `exit`, which was hardly meant for the members (4.8.11).
pub(super) fn is_bare_exit(line: &str) -> bool {
    line.trim().eq_ignore_ascii_case("exit")
}

/// Whether a line is an answer without a `/`: hardly meant for the members of a room while a request
/// waits (4.8.11).
pub(super) fn is_bare_answer(line: &str) -> bool {
    ["yes", "y", "no", "n"].iter().any(|word| line.trim().eq_ignore_ascii_case(word))
}

/// The first word, and the text after the blank that ends it.
fn split_word(line: &str) -> (&str, &str) {
    line.split_once(char::is_whitespace).unwrap_or((line, ""))
}

/// The name of a room without the `#` that may mark it (5.1.4).
fn without_mark(room: &str) -> &str {
    room.strip_prefix('#').unwrap_or(room)
}

#[cfg(test)]
mod tests {
    use super::*;
    use CommonCommand::{Busy, Help, List, Quiet, Rooms};

    const LIST: Command<'_> = Command::Common(List(""));

    /// (4.1.2, 5.1.2)
    #[test]
    fn a_command_is_a_number_or_a_word_in_any_case_with_blanks_around_it() {
        for line in ["1", " 1 ", "LIST", "list\t", "/list", " /LIST "] {
            assert_eq!(Command::at_prompt(line), Some(LIST), "{line:?}");
        }
        for (line, command) in [
            ("  Chat   B ", Command::Chat(Some("B"))),
            ("2", Command::Chat(None)),
            ("1 an", Command::Common(List("an"))),
            ("YES", Command::Yes("")),
            ("no  Anna ", Command::No("Anna")),
            ("Q", Command::Leave),
            ("/part", Command::Leave),
            ("names an", Command::Who("an")),
            ("//x", Command::Say("/x")),
        ] {
            assert_eq!(Command::at_prompt(line), Some(command), "{line:?}");
        }
    }

    #[test]
    fn a_line_that_matches_no_command_is_no_choice() {
        for line in ["", "6", "12", "2B", "yes,please", "3 now", "listless", "ｌｉｓｔ", "é"] {
            assert_eq!(Command::at_prompt(line), None, "{line:?}");
        }
        for line in ["/", "/1", "/ who", "/frob", "/free now", "/é", "/unignored", "/register now"]
        {
            assert_eq!(Command::at_prompt(line), Some(Command::Unknown), "{line:?}");
        }
    }

    /// (4.2.1, 4.4.1)
    #[test]
    fn at_the_prompts_for_a_name_a_bare_word_is_a_name() {
        assert_eq!(Command::while_naming(" QUIT "), Some(Command::Exit));
        assert_eq!(Command::while_naming("/help"), Some(Command::Common(Help)));
        assert_eq!(Command::while_choosing(" Cancel"), Some(Command::Cancel));
        assert_eq!(Command::while_choosing("  "), Some(Command::Cancel));
        assert_eq!(Command::while_choosing("/list"), Some(LIST));
        for line in ["anna", "help", "list", "1"] {
            assert_eq!(Command::while_naming(line), None, "{line:?}");
            assert_eq!(Command::while_choosing(line), None, "{line:?}");
        }
    }

    /// (5.1.4)
    #[test]
    fn a_room_may_be_marked_as_one() {
        for line in ["4 #tea", "join #tea", "/join  #tea ", "/JOIN tea"] {
            assert_eq!(Command::at_prompt(line), Some(Command::Join(Some("tea"))), "{line:?}");
        }
        assert_eq!(Command::in_room("/rooms #t"), Command::Common(Rooms("t")));
        assert_eq!(Command::at_prompt("4 #"), Some(Command::Join(Some(""))));
    }

    /// (4.8.3, 4.8.4, 4.8.5, 4.8.1)
    #[test]
    fn in_a_room_a_few_words_leave_and_a_slash_begins_a_command() {
        for (line, command) in [
            ("quit", Command::Leave),
            (" .EXIT ", Command::Leave),
            ("q", Command::Leave),
            ("/Quit ", Command::Leave),
            ("q?", Command::Say("q?")),
            ("/say quit", Command::Say("quit")),
            ("/say   indented ", Command::Say("  indented ")),
            ("/say", Command::NoText),
            ("/me  ", Command::NoText),
            ("//quit", Command::Say("/quit")),
            (" /quit", Command::Say(" /quit")),
            ("", Command::Say("")),
            ("/yes", Command::Yes("")),
            ("/N Bert", Command::No("Bert")),
            ("/me  waves ", Command::Act("waves")),
            ("/history 5", Command::History("5")),
            ("/who", Command::Who("")),
            ("/NAMES  an ", Command::Who("an")),
            ("/chat Bert ", Command::Chat(Some("Bert"))),
            ("/list an", Command::Common(List("an"))),
            ("/busy", Command::Common(Busy(true))),
            ("/loud", Command::Common(Quiet(false))),
            ("/exit", Command::Exit),
            ("/busy now", Command::Unknown),
            ("/1", Command::Unknown),
            ("/", Command::Unknown),
            ("/ who", Command::Unknown),
        ] {
            assert_eq!(Command::in_room(line), command, "{line:?}");
        }
    }

    /// (4.8.11)
    #[test]
    fn a_word_alone_is_held_back_and_a_sentence_is_not() {
        assert!(["exit", " EXIT "].into_iter().all(is_bare_exit));
        assert!(["yes", "Y", " no", "n "].into_iter().all(is_bare_answer));
        for line in ["exit!", "no way", "yes, but", "exit the room", ""] {
            assert!(!is_bare_exit(line) && !is_bare_answer(line), "{line:?}");
        }
    }

    #[test]
    fn in_a_chat_every_line_is_text_except_quit_and_lines_that_begin_with_a_slash() {
        for (line, command) in [
            ("quit", Command::Leave),
            (" Quit ", Command::Leave),
            ("/QUIT ", Command::Leave),
            ("//quit", Command::Say("/quit")),
            ("//", Command::Say("/")),
            ("/", Command::Unknown),
            ("/me waves", Command::Act("waves")),
            ("/help", Command::Common(Help)),
            ("  yes ", Command::Say("  yes ")),
            (" /quit", Command::Say(" /quit")),
            ("", Command::Say("")),
            ("quit it", Command::Say("quit it")),
            ("exit", Command::Say("exit")),
        ] {
            assert_eq!(Command::in_chat(line), command, "{line:?}");
        }
    }
}
