//! Who is here and what they are like: what somebody types next, given what they believe is going on.

use crate::model::names::FOREIGN;
use crate::model::{Model, State};
use crate::random::Random;
use crate::spoken::Who;
use crate::typing::{Hand, Typed};

/// Usernames people want, some of them more than one person, some in disguise, some never to be had.
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
    "2",
    "list",
    "7of9",
    "you",
    "YOU",
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

/// What people say to each other, or think they do.
const TEXTS: [&str; 28] = [
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

/// Rooms people go to; one looks like another, one like the lobby, some are none.
const ROOMS: [&str; 12] =
    ["", "", "", "lobby", "tea", "TEA", "roorn", "room", "l0bby", "日本語", "a b", "_x"];

/// What people type at a prompt that is none of its choices.
const WRONG: [&str; 21] = [
    "6",
    "4 x y",
    "/who",
    "/yes",
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

/// How somebody behaves; percentages where nothing else is said.
#[derive(Debug)]
pub(crate) struct Habits {
    pub(crate) hand: Hand,
    /// How often they type something that does not fit where they are.
    pub(crate) confusion: usize,
    /// How often they say yes when asked.
    pub(crate) yes: usize,
    /// How often they end a chat rather than say something.
    pub(crate) quits: usize,
    /// How often they send what is no line.
    pub(crate) garbage: usize,
    /// Lines they send at a time, at most.
    pub(crate) paste: usize,
    /// How often a text is of the full length.
    pub(crate) essays: usize,
    /// How often they leave of their own accord.
    pub(crate) leaves: usize,
    /// How often they enter a room rather than do something else at the menu.
    pub(crate) sociable: usize,
}

impl Habits {
    pub(crate) fn new(random: &mut Random, sociable: usize) -> Habits {
        Habits {
            hand: Hand::new(random),
            confusion: random.pick(&[2, 10, 40]),
            yes: random.pick(&[20, 60, 95]),
            quits: random.pick(&[2, 10, 30]),
            garbage: random.pick(&[0, 2, 20]),
            paste: random.pick(&[1, 1, 2, 30]),
            essays: random.pick(&[0, 1, 30]),
            leaves: random.pick(&[0, 0, 2]),
            sociable,
        }
    }

    /// What `who` sends next.
    pub(crate) fn types(&self, random: &mut Random, model: &Model, who: Who) -> Typed {
        if random.chance(self.garbage) {
            return match random.below(3) {
                0 => self.hand.too_long(random),
                1 => self.hand.not_utf8(random),
                _ => self.hand.command(random),
            };
        }
        if random.chance(self.leaves) && random.chance(50) {
            return self.hand.end_of_input(random);
        }
        let line = self.line(random, model, who);
        self.hand.line(random, &line)
    }

    /// The line that `who` sends next.
    pub(crate) fn line(&self, random: &mut Random, model: &Model, who: Who) -> String {
        if random.chance(self.confusion) {
            return match random.below(3) {
                0 => random.pick(&WRONG).into(),
                1 => random.pick(&TEXTS).into(),
                _ => aside(random, model),
            };
        }
        match model.state(who) {
            State::Naming => some_name(random),
            State::Menu if random.chance(self.sociable) => somewhere(random),
            State::Menu => self.menu(random, model),
            State::AskedInRoom(..) if random.chance(self.yes) => in_some_case(random, "/yes"),
            State::AskedInRoom(by, _) if random.chance(20) => {
                format!("/chat {}", name_of(model, by))
            }
            State::AskedInRoom(..) if random.chance(30) => random.pick(&["/no", "/N", "no"]).into(),
            State::InRoom(_) | State::AskedInRoom(..) => self.in_room(random, model),
            State::Choosing => somebody(random, model),
            State::Asking(_) if random.chance(20) => "cancel".into(),
            State::Asking(_) => aside(random, model),
            State::Asked(_) if random.chance(self.yes) => in_some_case(random, "yes"),
            State::Asked(_) if random.chance(50) => in_some_case(random, "n"),
            State::Asked(by) => format!("chat {}", name_of(model, by)),
            State::Chatting(_) if random.chance(self.quits) => {
                let quit = random.pick(&["quit", "/quit", " quit ", "/quit "]);
                in_some_case(random, quit)
            }
            State::Chatting(_) => self.text(random),
            State::Over => "3".into(),
        }
    }

    fn menu(&self, random: &mut Random, model: &Model) -> String {
        match random.below(20) {
            0 => "1".into(),
            1 => in_some_case(random, "list"),
            2 => aside(random, model),
            3 if random.chance(10 * self.leaves) => random.pick(&["3", "exit"]).to_string(),
            4 | 5 => random.pick(&["2", " chat "]).to_string(),
            _ => format!("{} {}", random.pick(&["2", "Chat"]), somebody(random, model)),
        }
    }

    /// What somebody in a room types.
    fn in_room(&self, random: &mut Random, model: &Model) -> String {
        if random.chance(self.quits) && random.chance(40) {
            let quit = random.pick(&["quit", "q", ".exit", "/quit", " Q "]);
            return in_some_case(random, quit);
        }
        match random.below(24) {
            0 => "/who".into(),
            1 => behind("/me ", self.text(random)),
            2 => behind("/say ", self.text(random)),
            3 => random.pick(&["/history", "/history 3", "/history 0", "/history 999"]).into(),
            4 => random.pick(&["/quiet", "/loud", "/QUIET"]).into(),
            5 => format!("/chat {}", somebody(random, model)),
            6 => format!("/{}", aside(random, model)),
            7 => random.pick(&["/", "/frob", "/me", "/say", "/yes", "/no", "/exit", "/1"]).into(),
            8 => random.pick(&TEXTS).into(),
            _ => self.text(random),
        }
    }

    fn text(&self, random: &mut Random) -> String {
        if random.chance(self.essays) {
            let bytes = random.pick(&[1024, 1023, 700]);
            return "long".repeat(256)[..bytes].into();
        }
        // A number makes a text unique, so that one lost, doubled or out of order is missed.
        match random.chance(70) {
            true => format!("{} {}", random.pick(&TEXTS), random.below(1_000_000)),
            false => random.pick(&TEXTS).to_string(),
        }
    }
}

/// A command with a text behind it, if that still is a line (1.3).
fn behind(command: &str, text: String) -> String {
    if command.len() + text.len() <= 1024 { command.to_owned() + &text } else { text }
}

/// A room to go to, or what is none.
fn somewhere(random: &mut Random) -> String {
    let room = random.pick(&ROOMS);
    match room {
        "" => random.pick(&["4", "join", " JOIN "]).into(),
        room => format!("{} {}", random.pick(&["4", "join"]), in_some_case(random, room)),
    }
}

/// A name for oneself: now and then one that nobody else can want.
pub(crate) fn some_name(random: &mut Random) -> String {
    match random.below(10) {
        0..=4 => format!("user{}", random.below(200)),
        5 => random.pick(&FOREIGN).to_string(),
        _ => random.pick(&NAMES).to_string(),
    }
}

/// Somebody to talk to, who may be anybody or nobody.
fn somebody(random: &mut Random, model: &Model) -> String {
    let names = model.people().filter(|(_, person)| person.state != State::Over);
    let names = names.filter_map(|(who, person)| {
        let is_there = matches!(person.state, State::Menu | State::Choosing | State::InRoom(_));
        let is_free = is_there && !person.busy;
        person.name.as_ref().map(|_| (is_free, who))
    });
    let (free, taken): (Vec<_>, Vec<_>) = names.partition(|(is_free, _)| *is_free);
    let choices = if free.is_empty() || random.chance(10) { taken } else { free };
    match choices.is_empty() || random.chance(5) {
        true => some_name(random),
        false => {
            let name = name_of(model, random.pick(&choices).1);
            in_some_case(random, &name)
        }
    }
}

/// A word that changes no state (3.4, 4).
fn aside(random: &mut Random, model: &Model) -> String {
    match random.below(10) {
        0 | 1 => "1".into(),
        2 => format!("list {}", random.pick(&["u", "AN", "user1", "", "é"])),
        3 => "help".into(),
        4 => "busy".into(),
        5 => "free".into(),
        6 => random.pick(&["rooms", "rooms t", "rooms zz", "free"]).into(),
        7 => "ignore".into(),
        8 if random.chance(50) => format!("ignore stranger{}", random.below(100)),
        8 => format!("ignore {}", somebody(random, model)),
        _ => format!("unignore {}", somebody(random, model)),
    }
}

fn name_of(model: &Model, who: Who) -> String {
    let mut people = model.people();
    let name = people.find(|(other, _)| *other == who).and_then(|(_, person)| person.name.as_ref());
    name.map(|name| name.spelling.clone()).unwrap_or_default()
}

/// Case makes no difference, as far as ASCII goes.
fn in_some_case(random: &mut Random, word: &str) -> String {
    match random.below(6) {
        0 => word.to_ascii_uppercase(),
        1 => word.to_ascii_lowercase(),
        2 => format!(" {word} "),
        _ => word.into(),
    }
}
