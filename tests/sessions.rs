//! Sessions over real sockets: the reference session, every state with every kind of line, and what crosses
//! on the wire. The clauses named are those of protocol.md.

mod common;

use common::{MENU, Person, Server, USERNAME, WHOM, reference};

#[test]
fn the_reference_session_runs_over_plain_sockets() {
    reference::plays(|server| Person::dials(server.address()), |mut person| person.hears_the_end());
}

// 3.2: what each state makes of a line.
//
// A cell says what the person of that state reads, after `//` what the other reads, and after `=>` where the
// person is then. {s} is the person's name, {o} the other's; MENU, WHOM, USERNAME and ASK stand for prompts,
// LIST for a list, HELP for the rows of help, END for the end of the connection.

const STATES: [&str; 6] = ["NAMING", "MENU", "CHOOSING", "ASKING", "ASKED", "CHATTING"];

const NOBODY: &str = "! |MENU => menu";
const UNKNOWN: &str = "! |MENU => menu";
const NO_EFFECT: [&str; 2] = ["!  => asking", "!  => asked"];
const WITHDRAWN: &str = "* You withdrew|MENU // * {s} withdrew|MENU => menu";
const ACCEPTED: &str =
    "* You are now chatting with {o} // * {s} accepted|* You are now chatting with {s} => chatting";
const DECLINED: &str = "* You declined {o}|MENU // * {s} declined|MENU => menu";
const LEFT: &str = "* You left|MENU // * {s} left|MENU => menu";
const GONE: &str = "* Goodbye|END // * {s} left|MENU => gone";
const NO_NAME: &str = "! |USERNAME => naming";
const HELLO: &str = "* Hello, {line}|MENU => menu {line}";
const TEXT: &str = " // {s}: {line} => chatting";
const ASKED: &str = "* Asked {o} // ? {s} wants to chat => asking";

#[rustfmt::skip]
const TABLE: &[(&str, [&str; 6])] = &[
    ("1", [HELLO, "LIST|MENU => menu", NOBODY, "LIST => asking", "LIST|ASK => asked", TEXT]),
    ("list", [HELLO, "LIST|MENU => menu", NOBODY, "LIST => asking", "LIST|ASK => asked", TEXT]),
    ("LiSt", ["! |USERNAME => naming", "LIST|MENU => menu", NOBODY, "LIST => asking", "LIST|ASK => asked", TEXT]),
    ("1 {s}", [NO_NAME, "LIST|MENU => menu", NOBODY, "LIST => asking", "LIST|ASK => asked", TEXT]),
    ("2", [HELLO, "WHOM => choosing", NOBODY, NO_EFFECT[0], NO_EFFECT[1], TEXT]),
    ("chat", [HELLO, "WHOM => choosing", NOBODY, NO_EFFECT[0], NO_EFFECT[1], TEXT]),
    ("2 {o}", [NO_NAME, ASKED, NOBODY, NO_EFFECT[0], ACCEPTED, TEXT]),
    ("chat {o}", [NO_NAME, ASKED, NOBODY, NO_EFFECT[0], ACCEPTED, TEXT]),
    ("  2   {o}  ", [NO_NAME, ASKED, NOBODY, NO_EFFECT[0], ACCEPTED, TEXT]),
    ("2 nobody", [NO_NAME, NOBODY, NOBODY, NO_EFFECT[0], NO_EFFECT[1], TEXT]),
    ("2 {s}", [NO_NAME, NOBODY, NOBODY, NO_EFFECT[0], NO_EFFECT[1], TEXT]),
    ("3", [HELLO, "* Goodbye|END => gone", NOBODY, GONE, GONE, TEXT]),
    ("exit", ["* Goodbye|END => gone", "* Goodbye|END => gone", NOBODY, GONE, GONE, TEXT]),
    ("yes", [HELLO, UNKNOWN, NOBODY, NO_EFFECT[0], ACCEPTED, TEXT]),
    ("y", [HELLO, UNKNOWN, NOBODY, NO_EFFECT[0], ACCEPTED, TEXT]),
    (" YES ", ["! |USERNAME => naming", UNKNOWN, NOBODY, NO_EFFECT[0], ACCEPTED, TEXT]),
    ("no", [HELLO, UNKNOWN, NOBODY, NO_EFFECT[0], DECLINED, TEXT]),
    ("n", [HELLO, UNKNOWN, NOBODY, NO_EFFECT[0], DECLINED, TEXT]),
    ("cancel", [HELLO, UNKNOWN, "* Nobody was asked|MENU => menu", WITHDRAWN, NO_EFFECT[1], TEXT]),
    ("quit", ["* Goodbye|END => gone", UNKNOWN, NOBODY, WITHDRAWN, NO_EFFECT[1], LEFT]),
    (" QuIt\t", ["* Goodbye|END => gone", UNKNOWN, NOBODY, WITHDRAWN, NO_EFFECT[1], LEFT]),
    ("quit now", [NO_NAME, UNKNOWN, NOBODY, NO_EFFECT[0], NO_EFFECT[1], TEXT]),
    ("help", [HELLO, "HELP|MENU => menu", NOBODY, "HELP => asking", "HELP|ASK => asked", TEXT]),
    ("busy", [HELLO, "* You are busy|MENU => busy", NOBODY, "* You are busy => asking", "* You are busy|ASK => asked", TEXT]),
    ("free", [HELLO, "* You are free|MENU => menu", NOBODY, "* You are free => asking", "* You are free|ASK => asked", TEXT]),
    ("ignore {o}", [NO_NAME, "* |MENU => menu", NOBODY, "*  => asking", "* |ASK => asked", TEXT]),
    ("", [NO_NAME, UNKNOWN, "* Nobody was asked|MENU => menu", NO_EFFECT[0], NO_EFFECT[1], TEXT]),
    ("   ", [NO_NAME, UNKNOWN, "* Nobody was asked|MENU => menu", NO_EFFECT[0], NO_EFFECT[1], TEXT]),
    ("/", [NO_NAME, UNKNOWN, NOBODY, NO_EFFECT[0], NO_EFFECT[1], "!  => chatting"]),
    ("/away", [NO_NAME, UNKNOWN, NOBODY, NO_EFFECT[0], NO_EFFECT[1], "!  => chatting"]),
    ("/quit", [NO_NAME, UNKNOWN, NOBODY, NO_EFFECT[0], NO_EFFECT[1], LEFT]),
    ("/help", [NO_NAME, UNKNOWN, NOBODY, NO_EFFECT[0], NO_EFFECT[1], "HELP => chatting"]),
    (" /away", [NO_NAME, UNKNOWN, NOBODY, NO_EFFECT[0], NO_EFFECT[1], TEXT]),
    ("//away", [NO_NAME, UNKNOWN, NOBODY, NO_EFFECT[0], NO_EFFECT[1], " // {s}: /away => chatting"]),
    ("6", [HELLO, UNKNOWN, NOBODY, NO_EFFECT[0], NO_EFFECT[1], TEXT]),
    ("4", [HELLO, "* You are now in lobby => lobby", NOBODY, NO_EFFECT[0], NO_EFFECT[1], TEXT]),
    ("join a b", [NO_NAME, UNKNOWN, NOBODY, NO_EFFECT[0], NO_EFFECT[1], TEXT]),
    ("5", [HELLO, "LIST|MENU => menu", NOBODY, "*  => asking", "* |ASK => asked", TEXT]),
    ("rooms x", [NO_NAME, "* |MENU => menu", NOBODY, "*  => asking", "* |ASK => asked", TEXT]),
    ("{o}", ["! |USERNAME => naming", UNKNOWN, ASKED, NO_EFFECT[0], NO_EFFECT[1], TEXT]),
    (" {o} ", ["! |USERNAME => naming", UNKNOWN, ASKED, NO_EFFECT[0], NO_EFFECT[1], TEXT]),
    ("  two  blanks  ", [NO_NAME, UNKNOWN, NOBODY, NO_EFFECT[0], NO_EFFECT[1], TEXT]),
];

#[test]
fn naming_makes_of_each_line_what_the_table_says() {
    plays_column(0);
}

#[test]
fn the_menu_makes_of_each_line_what_the_table_says() {
    plays_column(1);
}

#[test]
fn choosing_makes_of_each_line_what_the_table_says() {
    plays_column(2);
}

#[test]
fn asking_makes_of_each_line_what_the_table_says() {
    plays_column(3);
}

#[test]
fn being_asked_makes_of_each_line_what_the_table_says() {
    plays_column(4);
}

#[test]
fn chatting_makes_of_each_line_what_the_table_says() {
    plays_column(5);
}

fn plays_column(column: usize) {
    let server = Server::starts();
    let mut watcher = Person::joins(&server, "watcher");
    // Nobody hangs up until the end, so that no name is free again at a time nobody can tell.
    let mut people = Vec::new();
    for (row, (line, cells)) in TABLE.iter().enumerate() {
        eprintln!("{} reads {line:?}: {}", STATES[column], cells[column]);
        people.push(plays_cell(&server, &mut watcher, column, row, line, cells[column]));
    }
}

fn plays_cell(
    server: &Server,
    watcher: &mut Person,
    column: usize,
    row: usize,
    line: &str,
    cell: &str,
) -> (Person, Person) {
    let (s, o) = (format!("s{row:02}"), format!("o{row:02}"));
    let mut other = Person::joins(server, &o);
    let mut person = Person::arrives(server);
    match STATES[column] {
        "NAMING" => {}
        "MENU" => person.enters(&s),
        "CHOOSING" => {
            person.enters(&s);
            person.says("2");
            person.hears_exactly(WHOM);
        }
        "ASKING" => {
            person.enters(&s);
            person.asks(&mut other);
        }
        "ASKED" => {
            person.enters(&s);
            other.asks(&mut person);
        }
        _ => {
            person.enters(&s);
            person.chats_with(&mut other);
        }
    }
    let line = line.replace("{s}", &s).replace("{o}", &o);
    let fill = |text: &str| text.replace("{s}", &s).replace("{o}", &o).replace("{line}", &line);
    let (heard, after) = cell.split_once("=>").expect("a state after");
    let (mine, others) = heard.split_once("//").unwrap_or((heard, ""));
    // The line and the question whether the server is there go in one packet, so nothing comes between.
    let packet = [line.as_bytes(), b"\r\n\xff\xf6"].concat();
    person.sends(&packet);
    let ended = hears_tokens(&mut person, &fill(mine), &o);
    if !ended {
        person.hears("* ");
    }
    hears_tokens(&mut other, &fill(others), &s);
    other.has_heard_it_all();
    let after = fill(after.trim());
    if after == "choosing" || STATES[column] == "CHOOSING" && after == "menu" {
        // A choosing and a waiting person look alike to others.
        person.says("cancel");
        person.hears(if after == "menu" { "! " } else { "* Nobody was asked" });
        person.hears_exactly(MENU);
    }
    watcher_sees(watcher, &s, &o, &after);
    (person, other)
}

/// Hears what a cell says; true when that is the end of the connection.
#[track_caller]
fn hears_tokens(person: &mut Person, tokens: &str, other: &str) -> bool {
    // The blank before `//` and `=>` belongs to the notation, one at the start of a text does not.
    let tokens = tokens.strip_suffix(' ').unwrap_or(tokens);
    let tokens = tokens.strip_prefix(' ').unwrap_or(tokens);
    if tokens.is_empty() {
        return false;
    }
    for token in tokens.split('|') {
        match token {
            "MENU" => person.hears_exactly(MENU),
            "WHOM" => person.hears_exactly(WHOM),
            "USERNAME" => person.hears_exactly(USERNAME),
            "ASK" => _ = person.hears(&format!("? {other} wants to chat")),
            "LIST" => {
                person.hears("* ");
                person.hears_rows();
            }
            "HELP" => person.hears_help(),
            "END" => {
                person.hears_the_end();
                return true;
            }
            text if text.contains(": ") => person.hears_exactly(text),
            start => _ = person.hears(start),
        }
    }
    false
}

#[track_caller]
fn watcher_sees(watcher: &mut Person, s: &str, o: &str, after: &str) {
    let (state, name) = after.split_once(' ').unwrap_or((after, s));
    watcher.says(&format!("1 {name}"));
    watcher.hears("* ");
    let row = match state {
        "naming" | "gone" => return watcher.hears_exactly(MENU),
        "menu" | "choosing" => format!("- {name} available"),
        "busy" => format!("- {name} busy"),
        "asking" => format!("- {name} asking {o}"),
        "asked" => format!("- {name} asked by {o}"),
        "lobby" => format!("- {name} in lobby"),
        "chatting" => format!("- {name} chatting with {o}"),
        other => panic!("no such state: {other}"),
    };
    let rows = watcher.hears_rows();
    assert!(rows.contains(&row), "{row:?} is not among {rows:?}");
    watcher.hears_exactly(MENU);
}

// Sessions that cross on the wire.

#[test]
fn two_requests_that_cross_are_a_chat() {
    let server = Server::starts();
    let (mut anna, mut bert) = (Person::joins(&server, "anna"), Person::joins(&server, "bert"));
    anna.says("2 bert");
    bert.says("2 anna");
    // Whoever was second has accepted (3.5.3); the network decides who that is.
    let chatting = |person: &mut Person, other: &str| {
        let lines = person.hears_at_last("* You are now chatting with");
        assert!(lines[lines.len() - 1].contains(other), "{lines:?}");
        lines
    };
    let first = chatting(&mut anna, "bert");
    let second = chatting(&mut bert, "anna");
    let accepted = |lines: &[String]| lines.iter().any(|line| line.contains("accepted"));
    assert!(accepted(&first) != accepted(&second), "{first:?} {second:?}");
    anna.says("one");
    bert.hears_exactly("anna: one");
}

#[test]
fn a_name_given_to_the_question_that_a_request_overtook_is_a_yes() {
    let server = Server::starts();
    let (mut anna, mut bert) = (Person::joins(&server, "anna"), Person::joins(&server, "bert"));
    bert.says("2");
    bert.hears_exactly(WHOM);
    anna.asks(&mut bert);
    bert.says("anna");
    bert.hears("* You are now chatting with anna");
    anna.hears_all(&["* bert accepted", "* You are now chatting with bert"]);
}

#[test]
fn two_quits_that_cross_end_one_chat_and_no_session() {
    let server = Server::starts();
    for round in 0..20 {
        let mut anna = Person::joins(&server, &format!("anna{round}"));
        let mut bert = Person::joins(&server, &format!("bert{round}"));
        anna.chats_with(&mut bert);
        anna.says("quit");
        bert.says("quit");
        let mut late = 0;
        for person in [&mut anna, &mut bert] {
            let first = person.hears("* ");
            person.hears_exactly(MENU);
            if !first.starts_with("* You left") {
                person.hears_all(&["! ", MENU]);
                late += 1;
            }
            person.has_heard_it_all();
        }
        assert_eq!(late, 1, "exactly one quit was too late");
    }
}

#[test]
fn what_was_typed_for_a_partner_who_has_left_is_delivered_to_nobody() {
    let server = Server::starts();
    let (mut anna, mut bert) = (Person::joins(&server, "anna"), Person::joins(&server, "bert"));
    let mut carl = Person::joins(&server, "carl");
    anna.chats_with(&mut bert);
    bert.says("quit");
    bert.hears_all(&["* You left", MENU]);
    carl.asks(&mut bert);
    anna.hears_all(&["* bert left", MENU]);
    // 3.1.5: at the menu a text is no choice, and nobody hears it.
    anna.says("my dear bert");
    anna.hears_all(&["! ", MENU]);
    bert.says("my dear anna");
    bert.hears("! ");
    carl.has_heard_it_all();
    bert.says("y");
    bert.hears("* You are now chatting with carl");
    carl.hears_all(&["* bert accepted", "* You are now chatting with bert"]);
}

#[test]
fn a_yes_to_a_request_that_has_ended_is_one_line_and_nothing_else() {
    let server = Server::starts_with(&["--ask-again", "0.1"]);
    let mut bert = Person::joins(&server, "bert");
    for (round, answer) in ["yes", "y", "NO", " n "].into_iter().enumerate() {
        let mut anna = Person::joins(&server, &format!("anna{round}"));
        anna.asks(&mut bert);
        if round % 2 == 0 {
            anna.says("cancel");
            anna.hears_all(&["* You withdrew", MENU]);
            bert.hears_all(&["* anna", MENU]);
        } else {
            anna.hang_up();
            bert.hears_all(&["* anna", MENU]);
        }
        bert.says(answer);
        bert.hears("! ");
        bert.has_heard_it_all();
        // Only the very next line is read so; then a yes is no choice at the menu.
        bert.says(answer);
        bert.hears_all(&["! ", MENU]);
    }
}

#[test]
fn a_cancel_and_a_yes_that_cross_agree_on_what_happened() {
    let server = Server::starts();
    for round in 0..20 {
        let mut anna = Person::joins(&server, &format!("anna{round}"));
        let mut bert = Person::joins(&server, &format!("bert{round}"));
        anna.asks(&mut bert);
        anna.says("cancel");
        bert.says("yes");
        let heard = anna.hears("* ");
        if heard.starts_with("* You withdrew") {
            anna.hears_exactly(MENU);
            bert.hears_all(&["* anna", MENU, "! "]);
        } else {
            // Accepted first: the word cancel is then a text.
            anna.hears("* You are now chatting with");
            bert.hears("* You are now chatting with");
            bert.hears_exactly(&format!("anna{round}: cancel"));
        }
        anna.has_heard_it_all();
        bert.has_heard_it_all();
    }
}

#[test]
fn of_two_who_want_one_name_at_once_one_gets_it() {
    let server = Server::starts();
    for round in 0..20 {
        let mut people = [Person::arrives(&server), Person::arrives(&server)];
        let name = format!("anna{round}");
        for person in &mut people {
            person.says(&name);
        }
        let answers = people.each_mut().map(Person::hears_a_line);
        let hellos = answers.iter().filter(|line| line.starts_with("* Hello, ")).count();
        assert_eq!(hellos, 1, "{answers:?}");
    }
}

#[test]
fn a_request_that_is_not_answered_lapses() {
    let server = Server::starts_with(&["--ask-timeout", "0.3"]);
    let (mut anna, mut bert) = (Person::joins(&server, "anna"), Person::joins(&server, "bert"));
    anna.asks(&mut bert);
    anna.hears_all(&["* ", MENU]);
    bert.hears_all(&["* ", MENU]);
    bert.says("yes");
    bert.hears("! ");
    bert.has_heard_it_all();
}

#[test]
fn an_answer_in_time_stops_the_asking_deadline() {
    let server = Server::starts_with(&["--ask-timeout", "0.3"]);
    let (mut anna, mut bert) = (Person::joins(&server, "anna"), Person::joins(&server, "bert"));
    anna.chats_with(&mut bert);
    let (mut carl, mut dora) = (Person::joins(&server, "carl"), Person::joins(&server, "dora"));
    carl.asks(&mut dora);
    carl.hears_all(&["* ", MENU]);
    // A later request has lapsed by now, and the chat has heard nothing of it.
    anna.says("still here");
    bert.hears_exactly("anna: still here");
}

#[test]
fn who_was_declined_cannot_ask_the_same_user_again_at_once() {
    let server = Server::starts_with(&["--ask-again", "0.5"]);
    let (mut anna, mut bert) = (Person::joins(&server, "anna"), Person::joins(&server, "bert"));
    anna.asks(&mut bert);
    bert.says("no");
    bert.hears_all(&["* You declined anna", MENU]);
    anna.hears_all(&["* bert declined", MENU]);
    anna.says("2 bert");
    anna.hears_all(&["! ", MENU]);
    // 4.3 binds the asker, not the one who declined.
    bert.asks(&mut anna);
    anna.says("no");
    anna.hears_all(&["* You declined bert", MENU]);
    bert.hears_all(&["* anna declined", MENU]);
    anna.hears_nothing_for(std::time::Duration::from_millis(600));
    anna.asks(&mut bert);
}

#[test]
fn busy_and_ignore_keep_requests_away() {
    let server = Server::starts();
    let (mut anna, mut bert) = (Person::joins(&server, "anna"), Person::joins(&server, "bert"));
    bert.says("busy");
    bert.hears_all(&["* You are busy", MENU]);
    anna.says("2 bert");
    anna.hears_all(&["! ", MENU]);
    bert.says("free");
    bert.hears_all(&["* You are free", MENU]);
    bert.says("ignore Anna");
    bert.hears_all(&["* ", MENU]);
    anna.says("2 bert");
    anna.hears_all(&["! ", MENU]);
    bert.has_heard_it_all();
    bert.says("unignore anna");
    bert.hears_all(&["* ", MENU]);
    anna.asks(&mut bert);
}

#[test]
fn asks_in_a_row_are_slowed_and_not_refused() {
    let server = Server::starts();
    let mut anna = Person::joins(&server, "anna");
    let mut others: Vec<Person> =
        (0..7).map(|number| Person::joins(&server, &format!("bert{number}"))).collect();
    let mut asks_and_cancels = |others: &mut [Person]| {
        for other in others {
            anna.asks(other);
            anna.says("cancel");
            anna.hears_all(&["* You withdrew", MENU]);
            other.hears_all(&["* anna withdrew", MENU]);
        }
    };
    let began = common::now();
    asks_and_cancels(&mut others[..5]);
    let quick = began.elapsed();
    asks_and_cancels(&mut others[5..]);
    let slowed = began.elapsed();
    assert!(quick.as_secs_f64() < 1.5, "4.4: five asks are free, they took {quick:?}");
    assert!(slowed.as_secs_f64() >= 1.9, "4.4: seven asks took only {slowed:?}");
}

// Names (2.3 to 2.5, 3.3).

#[test]
fn good_usernames_are_taken_as_they_are() {
    let server = Server::starts();
    let names = [
        "a",
        "7",
        "Anna",
        "anna_b",
        "anna-b2",
        "anna.c",
        "Ünal",
        "Łukasz",
        "Дмитрий",
        "Ελένη",
        "さくら",
        "王小明",
        "אבי",
        "محمد",
        "GET",
        "yes",
        "01234567890123456789",
        "GÖTEBORG",
    ];
    let _people: Vec<Person> = names.map(|name| Person::joins(&server, name)).into();
}

#[test]
fn bad_usernames_are_refused_and_asked_for_again() {
    let server = Server::starts();
    let mut person = Person::arrives(&server);
    let long = "a".repeat(21);
    let wide = "王".repeat(11);
    let names = [
        "",
        " ",
        "two words",
        "you",
        "Asked",
        "goodbye",
        "YOU",
        "-anna",
        "_anna",
        ".anna",
        "*anna",
        "!anna",
        "?anna",
        "an:na",
        "anna:",
        "an*na",
        "an/na",
        "an@na",
        "☺",
        "a😀",
        &long,
        &wide,
        "аnna",
        "pаypal",
        "a\u{301}\u{302}\u{301}\u{302}\u{301}\u{302}",
        "an\u{200b}na",
        "an\u{200d}na",
        "\u{301}a",
        "an\u{a0}na",
        "ﬁona",
        "ａｎｎａ",
        "①",
    ];
    for name in names {
        person.says(name);
        person.hears_all(&["! ", USERNAME]);
    }
    person.enters("anna");
}

#[test]
fn a_username_in_use_and_its_look_alikes_are_refused() {
    let server = Server::starts();
    let _people: Vec<Person> = ["Anna", "coco", "Zoé", "BOB", "lily", "born"]
        .map(|name| Person::joins(&server, name))
        .into();
    let mut person = Person::arrives(&server);
    for name in
        ["Anna", "anna", "ANNA", "сосо", "СОСО", "zoe\u{301}", "ZOÉ", "B0B", "b0b", "1ily", "bom"]
    {
        person.says(name);
        person.hears_all(&["! ", USERNAME]);
    }
    person.says(" hanna\t");
    person.hears_all(&["* Hello, hanna", MENU]);
}

#[test]
fn a_username_is_free_again_at_once_when_its_user_has_gone() {
    let server = Server::starts();
    let (mut anna, mut bert) = (Person::joins(&server, "anna"), Person::joins(&server, "bert"));
    anna.chats_with(&mut bert);
    anna.exits_from_chat();
    anna.hears_the_end();
    bert.hears_all(&["* anna left", MENU]);
    let mut again = Person::joins(&server, "ANNA");
    again.chats_with(&mut bert);
    again.reset();
    bert.hears_all(&["* ANNA left", MENU]);
    let _third = Person::joins(&server, "anna");
}

// Lists (3.4).

#[test]
fn a_list_has_fifty_rows_in_the_order_of_names_and_then_says_how_many_more() {
    let server = Server::starts();
    let mut crowd = Vec::new();
    for number in (0..55).rev() {
        let name = if number % 2 == 0 { format!("u{number:02}") } else { format!("U{number:02}") };
        crowd.push(Person::joins(&server, &name));
    }
    let mut anna = Person::joins(&server, "anna");
    anna.says("1");
    anna.hears_exactly("* 56 users online");
    let rows = anna.hears_rows();
    anna.hears_exactly(MENU);
    assert_eq!(rows.len(), 51, "{rows:#?}");
    assert_eq!(rows[0], "- anna available (you)");
    for (number, row) in rows[1..50].iter().enumerate() {
        assert_eq!(row.to_lowercase(), format!("- u{number:02} available"));
    }
    assert!(rows[50].contains('6') && rows[50].contains("1 PREFIX"), "{}", rows[50]);

    anna.says("1 u5");
    anna.hears_exactly("* 5 users whose names begin with u5");
    assert_eq!(
        anna.hears_rows(),
        [
            "- u50 available",
            "- U51 available",
            "- u52 available",
            "- U53 available",
            "- u54 available"
        ]
    );
    anna.hears_exactly(MENU);
    anna.says("1 U50");
    anna.hears("* 1 user");
    assert_eq!(anna.hears_rows(), ["- u50 available"]);
    anna.hears_exactly(MENU);
    anna.says("1 nobody");
    anna.hears_all(&["* ", MENU]);
}

// Deaths (3.9): whoever shared something with the dead is told at once, and is back at the menu.

/// A way a connection can end without the server's doing, and what it is called.
type Death = (&'static str, fn(Person));

const DEATHS: [Death; 3] = [
    ("hangs up", Person::hang_up),
    ("is reset", Person::reset),
    ("half-closes", |mut person| {
        person.half_close();
        person.hears_it_is_over();
    }),
];

#[test]
fn who_shared_something_with_the_dead_is_told_and_is_back_at_the_menu() {
    let server = Server::starts();
    let mut bert = Person::joins(&server, "bert");
    for (how, dies) in DEATHS {
        eprintln!("while chatting, anna {how}");
        let mut anna = Person::joins(&server, "anna");
        anna.chats_with(&mut bert);
        dies(anna);
        bert.hears_all(&["* anna left", MENU]);

        eprintln!("while asking, anna {how}");
        let mut anna = Person::joins(&server, "anna");
        anna.asks(&mut bert);
        dies(anna);
        bert.hears_all(&["* anna left", MENU]);
        bert.says("");
        bert.hears_all(&["! ", MENU]);

        eprintln!("while asked, anna {how}");
        let mut anna = Person::joins(&server, "anna");
        let mut carl = Person::joins(&server, &format!("carl-{}", how.replace(' ', "-")));
        carl.asks(&mut anna);
        dies(anna);
        carl.hears_all(&["* anna left", MENU]);

        eprintln!("at the menu, choosing, and without a name, somebody {how}");
        dies(Person::joins(&server, "dora"));
        let mut emil = Person::joins(&server, "emil");
        emil.says("2");
        emil.hears_exactly(WHOM);
        dies(emil);
        dies(Person::arrives(&server));
        bert.has_heard_it_all();
    }
}

#[test]
fn a_death_in_the_middle_of_a_line_loses_that_line_only() {
    let server = Server::starts();
    let (mut anna, mut bert) = (Person::joins(&server, "anna"), Person::joins(&server, "bert"));
    anna.chats_with(&mut bert);
    anna.sends(b"a whole line\nhalf a li");
    bert.hears_exactly("anna: a whole line");
    anna.reset();
    bert.hears_all(&["* anna left", MENU]);
}

#[test]
fn nobody_is_given_a_username_later_than_the_naming_deadline() {
    let server = Server::starts_with(&["--naming-timeout", "0.3"]);
    let mut named = Person::joins(&server, "anna");
    let mut silent = Person::arrives(&server);
    silent.hears("! ");
    silent.hears_the_end();
    named.has_heard_it_all();
}
