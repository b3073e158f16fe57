//! The habits of simulated people: what somebody sends next, given the state of their session.

use crate::model::names::NON_ASCII;
use crate::model::{Model, State, Step};
use crate::plan::Plan;
use crate::random::Random;
use crate::traffic::SessionKey;
use crate::typing::{Typed, TypingStyle};

/// Usernames that people try. Some differ only in case, some look alike, some are invalid.
const NAMES: [&str; 32] = [
    "anna",
    "Anna",
    "ANNA",
    "bert",
    "BOB",
    "B0B",
    "bob",
    "Cy",
    "dora",
    "D-o_r.a",
    "eve",
    "mary",
    "rnary",
    "Al",
    "AI",
    "1",
    "LIST",
    "list",
    "7of9",
    "you",
    "operat0r",
    "_anna",
    "an na",
    "anna:",
    "* x",
    "yes",
    "no",
    "xxxxxxxxxxxxxxxxxxxx",
    "xxxxxxxxxxxxxxxxxxxxx",
    "",
    "/quit",
    "a!b",
];

/// Messages. Many look like commands or like lines of the server.
const MESSAGES: [&str; 28] = [
    "hello",
    "yes",
    "no",
    "1",
    "2",
    "3",
    "cancel",
    "exit",
    "quit it",
    "busy",
    "",
    "  two  blanks  ",
    "* You left",
    "! no",
    "? who wants to chat",
    "- row",
    "anna: forged",
    "//",
    "//quit",
    "///",
    "naïve 日本 👩‍👩‍👧!",
    "שלום!",
    " /quit",
    "tail ",
    "help",
    "\u{301}!",
    "2 anna",
    "ignore anna",
];

/// Rooms that people enter. Some look like another room or like the lobby, some are invalid.
const ROOMS: [&str; 12] =
    ["", "", "", "lobby", "tea", "TEA", "roorn", "room", "l0bby", "日本語", "a b", "_x"];

/// Lines that no prompt offers as a choice.
const WRONG_ANSWERS: [&str; 25] = [
    "register",
    "/password",
    "6",
    "4 x y",
    "/who x",
    "/yes",
    "/exit now",
    "/history",
    "join *",
    "what",
    "",
    "   ",
    "/help",
    "/",
    "//x",
    "yes please",
    "3 now",
    "2B",
    "hello there",
    "quit",
    "cancel",
    "yes",
    "n",
    "Y",
    "NO",
];

/// How somebody behaves, in percent unless stated otherwise.
#[derive(Debug)]
pub(crate) struct Habits {
    pub(crate) style: TypingStyle,
    /// How often they send a line that does not fit their state.
    pub(crate) mistakes: usize,
    /// How often they answer yes to a request.
    pub(crate) accepts: usize,
    /// How often they leave a chat or room instead of saying something.
    pub(crate) quits: usize,
    /// How often they send bytes that are not a line.
    pub(crate) garbage: usize,
    /// The most lines that they send at once.
    pub(crate) paste: usize,
    /// How often a message has the full length.
    pub(crate) long_messages: usize,
    /// How often they end their input.
    pub(crate) leaves: usize,
    /// How often they enter a room instead of doing something else at the menu.
    pub(crate) enters_rooms: usize,
    /// How often they use a command about accounts at the menu.
    pub(crate) uses_accounts: usize,
}

impl Habits {
    pub(crate) fn new(random: &mut Random, plan: &Plan) -> Habits {
        Habits {
            style: TypingStyle::new(random),
            mistakes: random.pick(&[2, 10, 40]),
            accepts: random.pick(&[20, 60, 95]),
            quits: random.pick(&[2, 10, 30]),
            garbage: random.pick(&[0, 2, 20]),
            paste: random.pick(&[1, 1, 2, 30]),
            long_messages: random.pick(&[0, 1, 30]),
            leaves: random.pick(&[0, 0, 2]),
            enters_rooms: plan.enters_rooms,
            uses_accounts: plan.uses_accounts,
        }
    }

    /// The input that `who` sends next.
    pub(crate) fn next_input(&self, random: &mut Random, model: &Model, who: SessionKey) -> Typed {
        if random.chance(self.garbage) {
            return match random.below(3) {
                0 => self.style.too_long(random),
                1 => self.style.not_utf8(random),
                _ => self.style.command(random),
            };
        }
        if random.chance(self.leaves) && random.chance(50) {
            return self.style.end_of_input(random);
        }
        let line = self.next_line(random, model, who);
        self.style.line(random, &line)
    }

    /// The line that `who` sends next.
    pub(crate) fn next_line(&self, random: &mut Random, model: &Model, who: SessionKey) -> String {
        if random.chance(self.mistakes) {
            return match random.below(3) {
                0 => random.pick(&WRONG_ANSWERS).into(),
                1 => random.pick(&MESSAGES).into(),
                _ => harmless_command(random, model),
            };
        }
        match model.state(who) {
            State::Naming if random.chance(self.uses_accounts) => some_account(random, model),
            State::Naming => some_username(random),
            State::SigningIn | State::Password(..) => password_line(random, model, who),
            State::Menu if random.chance(self.uses_accounts) => {
                let command = random.pick(&["register", "/register", "password", "unregister"]);
                in_random_case(random, command)
            }
            State::Menu if random.chance(self.enters_rooms) => join_command(random),
            State::Menu => self.menu_line(random, model),
            State::AskedInRoom(..) if random.chance(self.accepts) => {
                named_answer(random, model, "/yes")
            }
            State::AskedInRoom(by, _) if random.chance(20) => {
                format!("/chat {}", name_of(model, by))
            }
            State::AskedInRoom(..) if random.chance(30) => {
                random.pick(&["/no", "/N", "no", " Yes"]).into()
            }
            State::InRoom(_) | State::AskedInRoom(..) => self.room_line(random, model),
            State::Choosing if random.chance(10) => {
                let command = random.pick(&["/quit", "/chat", "/join #tea", "/cancel", "/no"]);
                in_random_case(random, command)
            }
            State::Choosing if random.chance(10) => format!("/{}", harmless_command(random, model)),
            State::Choosing => some_user(random, model),
            State::Asking(_) if random.chance(20) => {
                random.pick(&["cancel", "/cancel", "/leave", "q"]).into()
            }
            State::Asking(_) => harmless_command(random, model),
            State::Asked(_) if random.chance(self.accepts) => {
                let yes = random.pick(&["yes", "/yes"]);
                named_answer(random, model, yes)
            }
            State::Asked(_) if random.chance(50) => {
                let no = random.pick(&["n", "/no"]);
                named_answer(random, model, no)
            }
            State::Asked(by) => format!("chat {}", name_of(model, by)),
            State::Chatting(_) if random.chance(self.quits) => {
                let quit = random.pick(&["quit", "/quit", " quit ", "/quit ", "/part"]);
                in_random_case(random, quit)
            }
            State::Chatting(_) if random.chance(10) => self.chat_command(random, model),
            State::Chatting(_) => self.message(random),
            State::Ended => "3".into(),
        }
    }

    fn menu_line(&self, random: &mut Random, model: &Model) -> String {
        match random.below(20) {
            0 => "1".into(),
            1 => in_random_case(random, "list"),
            2 => harmless_command(random, model),
            3 if random.chance(10 * self.leaves) => random.pick(&["3", "/exit"]).to_string(),
            3 => format!("/{}", harmless_command(random, model)),
            4 | 5 => random.pick(&["2", " chat "]).to_string(),
            _ => format!("{} {}", random.pick(&["2", "Chat", "/chat"]), some_user(random, model)),
        }
    }

    /// A command for somebody in a chat. Only the first two reach the partner.
    fn chat_command(&self, random: &mut Random, model: &Model) -> String {
        match random.below(8) {
            0 => with_argument("/me ", self.message(random)),
            1 => with_argument("/say ", self.message(random)),
            2..5 => format!("/{}", harmless_command(random, model)),
            5 if random.chance(self.leaves) => "/exit".into(),
            5 => random.pick(&["/me", "/yes", "/No", "/history", "/names"]).into(),
            _ => random.pick(&["/cancel", "/join", "/join #tea", "/chat anna", "/frob"]).into(),
        }
    }

    /// A line for somebody in a room.
    fn room_line(&self, random: &mut Random, model: &Model) -> String {
        if random.chance(self.quits) && random.chance(40) {
            let quit = random.pick(&["quit", "q", ".exit", "/quit", " Q ", "/leave"]);
            return in_random_case(random, quit);
        }
        match random.below(26) {
            9 => format!("/{}", join_command(random).trim().replace('4', "join")),
            10 => random.pick(&["exit", " EXIT ", "yes", "/names an", "/cancel"]).into(),
            11 if random.chance(self.leaves) => "/exit".into(),
            0 => random.pick(&["/who", "/who", "/who U", "/who zz"]).into(),
            1 => with_argument("/me ", self.message(random)),
            2 => with_argument("/say ", self.message(random)),
            3 => random.pick(&["/history", "/history 3", "/history 0", "/history 999"]).into(),
            4 => random.pick(&["/quiet", "/loud", "/QUIET"]).into(),
            5 => format!("/chat {}", some_user(random, model)),
            6 => format!("/{}", harmless_command(random, model)),
            7 => random.pick(&["/", "/frob", "/me", "/say", "/yes", "/no", "/chat", "/1"]).into(),
            8 => random.pick(&MESSAGES).into(),
            _ => self.message(random),
        }
    }

    fn message(&self, random: &mut Random) -> String {
        if random.chance(self.long_messages) {
            let bytes = random.pick(&[1024, 1023, 700]);
            return "long".repeat(256)[..bytes].into();
        }
        // A number makes most messages unique. The model then notices a message that is lost,
        // doubled or out of order.
        match random.chance(70) {
            true => format!("{} {}", random.pick(&MESSAGES), random.below(1_000_000)),
            false => random.pick(&MESSAGES).to_string(),
        }
    }
}

/// A password, mostly the right one, or a word that works instead.
fn password_line(random: &mut Random, model: &Model, who: SessionKey) -> String {
    let session = model.sessions().find(|(other, _)| *other == who).map(|(_, session)| session);
    let Some(session) = session else { return String::new() };
    let name = session.account.as_ref().filter(|_| session.name.is_none());
    let name = name.or(session.name.as_ref()).map_or("", |name| &name.folded);
    match (session.state, &session.typed, random.below(20)) {
        (.., 0) => random.pick(&["cancel", "", "/help", "/list", "/quit", "  ", "short"]).into(),
        (State::Password(_, Step::Repeat), Some(typed), 1..18) => typed.clone(),
        (State::Password(_, Step::New), _, 1..4) => format!("another one {}", random.below(9)),
        (.., 1..5) => format!("a wrong one {}", random.below(1_000)),
        (.., 5) => "p".repeat(random.pick(&[255, 256, 257])),
        _ => usual_password(name),
    }
}

/// A registered name, if there is one.
fn some_account(random: &mut Random, model: &Model) -> String {
    let names = model.account_names();
    match names.is_empty() {
        true => some_username(random),
        false => {
            let name = &names[random.below(names.len())];
            in_random_case(random, name)
        }
    }
}

/// The password that the owner of a name mostly has.
pub(crate) fn usual_password(folded: &str) -> String {
    format!("  the one of {folded}")
}

/// A command with an argument, or the argument alone if both together exceed a line (2.1.3).
fn with_argument(command: &str, argument: String) -> String {
    if command.len() + argument.len() <= 1024 { command.to_owned() + &argument } else { argument }
}

/// A command that enters a room.
fn join_command(random: &mut Random) -> String {
    let room = random.pick(&ROOMS);
    match room {
        "" => random.pick(&["4", "join", " JOIN "]).into(),
        room => {
            let mark = random.pick(&["", "", "#"]);
            format!("{} {mark}{}", random.pick(&["4", "join"]), in_random_case(random, room).trim())
        }
    }
}

/// A username to try. Half of the time few others want the same.
pub(crate) fn some_username(random: &mut Random) -> String {
    match random.below(10) {
        0..=4 => format!("user{}", random.below(200)),
        5 => random.pick(&NON_ASCII).to_string(),
        _ => random.pick(&NAMES).to_string(),
    }
}

/// A username to ask. It mostly belongs to an available user, and sometimes to nobody.
fn some_user(random: &mut Random, model: &Model) -> String {
    let names = model.sessions().filter(|(_, session)| session.state != State::Ended);
    let names = names.filter_map(|(who, session)| {
        let can_be_asked =
            matches!(session.state, State::Menu | State::Choosing | State::InRoom(_));
        let is_free = can_be_asked && !session.busy;
        session.name.as_ref().map(|_| (is_free, who))
    });
    let (free, taken): (Vec<_>, Vec<_>) = names.partition(|(is_free, _)| *is_free);
    let choices = if free.is_empty() || random.chance(10) { taken } else { free };
    match choices.is_empty() || random.chance(5) {
        true => some_username(random),
        false => {
            let name = name_of(model, random.pick(&choices).1);
            in_random_case(random, &name)
        }
    }
}

/// A command that changes no state (5.2, 4). Its words take a `/` before them, its number does not.
fn harmless_command(random: &mut Random, model: &Model) -> String {
    match random.below(12) {
        10 => "follow".into(),
        11 => random.pick(&["follow", "unfollow"]).into(),
        0 | 1 => "1".into(),
        2 => format!("list {}", random.pick(&["u", "AN", "user1", "", "é"])),
        3 => "help".into(),
        4 => "busy".into(),
        5 => "free".into(),
        6 => random.pick(&["rooms", "rooms #t", "rooms zz", "who an", "quiet", "loud"]).into(),
        7 => "ignore".into(),
        8 if random.chance(50) => format!("ignore stranger{}", random.below(100)),
        8 => format!("ignore {}", some_user(random, model)),
        _ => format!("unignore {}", some_user(random, model)),
    }
}

/// An answer, sometimes with the name of a user.
fn named_answer(random: &mut Random, model: &Model, word: &str) -> String {
    match random.below(3) {
        0 => format!("{word} {}", some_user(random, model)),
        _ => in_random_case(random, word),
    }
}

fn name_of(model: &Model, who: SessionKey) -> String {
    let mut sessions = model.sessions();
    let name =
        sessions.find(|(other, _)| *other == who).and_then(|(_, session)| session.name.as_ref());
    name.map(|name| name.spelling.clone()).unwrap_or_default()
}

/// The word in another case or between blanks: commands ignore both.
fn in_random_case(random: &mut Random, word: &str) -> String {
    match random.below(6) {
        0 => word.to_ascii_uppercase(),
        1 => word.to_ascii_lowercase(),
        2 => format!(" {word} "),
        _ => word.into(),
    }
}
