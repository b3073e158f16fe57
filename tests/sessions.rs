//! Sessions over real sockets: the reference session, every kind of line in every state, and lines
//! that cross on the network.
//!
//! Numbers such as 3.2 are clauses of protocol.md.

mod common;

use common::{MENU, Person, Server, USERNAME, WHOM, reference};

#[test]
fn the_reference_session_runs_over_plain_sockets() {
    reference::runs(
        |server| Person::connects(server.address()),
        |mut person| person.reads_end_of_stream(),
    );
}

// 3.2: the effect of each line in each state.
//
// A cell holds the lines that the person reads, after `//` the lines that the other person reads,
// and after `=>` the person's next state. {s} is the person's username, {o} the other's. MENU,
// WHOM, USERNAME and ASK stand for prompts, LIST for a list, HELP for the rows of help, END for the
// end of the stream.

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
    ("newcomer", [HELLO, UNKNOWN, NOBODY, NO_EFFECT[0], NO_EFFECT[1], TEXT]),
    ("1", [NO_NAME, "LIST|MENU => menu", NOBODY, "LIST => asking", "LIST|ASK => asked", TEXT]),
    ("list", [NO_NAME, "LIST|MENU => menu", NOBODY, "LIST => asking", "LIST|ASK => asked", TEXT]),
    ("LiSt", ["! |USERNAME => naming", "LIST|MENU => menu", NOBODY, "LIST => asking", "LIST|ASK => asked", TEXT]),
    ("1 {s}", [NO_NAME, "LIST|MENU => menu", NOBODY, "LIST => asking", "LIST|ASK => asked", TEXT]),
    ("2", [NO_NAME, "WHOM => choosing", NOBODY, NO_EFFECT[0], NO_EFFECT[1], TEXT]),
    ("chat", [NO_NAME, "WHOM => choosing", NOBODY, NO_EFFECT[0], NO_EFFECT[1], TEXT]),
    ("2 {o}", [NO_NAME, ASKED, NOBODY, NO_EFFECT[0], ACCEPTED, TEXT]),
    ("chat {o}", [NO_NAME, ASKED, NOBODY, NO_EFFECT[0], ACCEPTED, TEXT]),
    ("  2   {o}  ", [NO_NAME, ASKED, NOBODY, NO_EFFECT[0], ACCEPTED, TEXT]),
    ("2 nobody", [NO_NAME, NOBODY, NOBODY, NO_EFFECT[0], NO_EFFECT[1], TEXT]),
    ("2 {s}", [NO_NAME, NOBODY, NOBODY, NO_EFFECT[0], NO_EFFECT[1], TEXT]),
    ("3", [NO_NAME, "* Goodbye|END => gone", NOBODY, GONE, GONE, TEXT]),
    ("exit", ["* Goodbye|END => gone", "* Goodbye|END => gone", NOBODY, GONE, GONE, TEXT]),
    ("yes", [NO_NAME, UNKNOWN, NOBODY, NO_EFFECT[0], ACCEPTED, TEXT]),
    ("y", [NO_NAME, UNKNOWN, NOBODY, NO_EFFECT[0], ACCEPTED, TEXT]),
    (" YES ", ["! |USERNAME => naming", UNKNOWN, NOBODY, NO_EFFECT[0], ACCEPTED, TEXT]),
    ("no", [NO_NAME, UNKNOWN, NOBODY, NO_EFFECT[0], DECLINED, TEXT]),
    ("n", [NO_NAME, UNKNOWN, NOBODY, NO_EFFECT[0], DECLINED, TEXT]),
    ("cancel", [NO_NAME, UNKNOWN, "* Nobody was asked|MENU => menu", WITHDRAWN, NO_EFFECT[1], TEXT]),
    ("quit", ["* Goodbye|END => gone", UNKNOWN, NOBODY, WITHDRAWN, NO_EFFECT[1], LEFT]),
    (" QuIt\t", ["* Goodbye|END => gone", UNKNOWN, NOBODY, WITHDRAWN, NO_EFFECT[1], LEFT]),
    ("quit now", [NO_NAME, UNKNOWN, NOBODY, NO_EFFECT[0], NO_EFFECT[1], TEXT]),
    ("help", [NO_NAME, "HELP|MENU => menu", NOBODY, "HELP => asking", "HELP|ASK => asked", TEXT]),
    ("busy", [NO_NAME, "* You are busy|MENU => busy", NOBODY, "* You are busy => asking", "* You are busy|ASK => asked", TEXT]),
    ("free", [NO_NAME, "* You are free|MENU => menu", NOBODY, "* You are free => asking", "* You are free|ASK => asked", TEXT]),
    ("ignore {o}", [NO_NAME, "* |MENU => menu", NOBODY, "*  => asking", "* |* You declined {o}|MENU // * {s} declined|MENU => menu", TEXT]),
    ("", [NO_NAME, UNKNOWN, "* Nobody was asked|MENU => menu", NO_EFFECT[0], NO_EFFECT[1], TEXT]),
    ("   ", [NO_NAME, UNKNOWN, "* Nobody was asked|MENU => menu", NO_EFFECT[0], NO_EFFECT[1], TEXT]),
    ("/", [NO_NAME, UNKNOWN, NOBODY, NO_EFFECT[0], NO_EFFECT[1], "!  => chatting"]),
    ("/away", [NO_NAME, UNKNOWN, NOBODY, NO_EFFECT[0], NO_EFFECT[1], "!  => chatting"]),
    ("/quit", ["* Goodbye|END => gone", UNKNOWN, "* Nobody was asked|MENU => menu", WITHDRAWN, NO_EFFECT[1], LEFT]),
    ("q", [NO_NAME, UNKNOWN, NOBODY, WITHDRAWN, NO_EFFECT[1], TEXT]),
    ("/exit", ["* Goodbye|END => gone", "* Goodbye|END => gone", "* Goodbye|END => gone", GONE, GONE, GONE]),
    ("/help", ["HELP|USERNAME => naming", "HELP|MENU => menu", "HELP|WHOM => choosing", "HELP => asking", "HELP|ASK => asked", "HELP => chatting"]),
    ("/me waves", [NO_NAME, UNKNOWN, NOBODY, NO_EFFECT[0], NO_EFFECT[1], " // {s}: *waves* => chatting"]),
    (" /away", [NO_NAME, UNKNOWN, NOBODY, NO_EFFECT[0], NO_EFFECT[1], TEXT]),
    ("//away", [NO_NAME, UNKNOWN, NOBODY, NO_EFFECT[0], NO_EFFECT[1], " // {s}: /away => chatting"]),
    ("6", [NO_NAME, UNKNOWN, NOBODY, NO_EFFECT[0], NO_EFFECT[1], TEXT]),
    ("4", [NO_NAME, "* You are now in lobby => lobby", NOBODY, NO_EFFECT[0], NO_EFFECT[1], TEXT]),
    ("join a b", [NO_NAME, UNKNOWN, NOBODY, NO_EFFECT[0], NO_EFFECT[1], TEXT]),
    ("5", [NO_NAME, "LIST|MENU => menu", NOBODY, "*  => asking", "* |ASK => asked", TEXT]),
    ("rooms x", [NO_NAME, "* |MENU => menu", NOBODY, "*  => asking", "* |ASK => asked", TEXT]),
    ("hello{s}", [HELLO, UNKNOWN, NOBODY, NO_EFFECT[0], NO_EFFECT[1], TEXT]),
    ("{o}", ["! |USERNAME => naming", UNKNOWN, ASKED, NO_EFFECT[0], NO_EFFECT[1], TEXT]),
    (" {o} ", ["! |USERNAME => naming", UNKNOWN, ASKED, NO_EFFECT[0], NO_EFFECT[1], TEXT]),
    ("  two  blanks  ", [NO_NAME, UNKNOWN, NOBODY, NO_EFFECT[0], NO_EFFECT[1], TEXT]),
];

#[test]
fn in_naming_each_line_has_the_effect_in_the_table() {
    check_column(0);
}

#[test]
fn at_the_menu_each_line_has_the_effect_in_the_table() {
    check_column(1);
}

#[test]
fn in_choosing_each_line_has_the_effect_in_the_table() {
    check_column(2);
}

#[test]
fn in_asking_each_line_has_the_effect_in_the_table() {
    check_column(3);
}

#[test]
fn in_asked_each_line_has_the_effect_in_the_table() {
    check_column(4);
}

#[test]
fn in_chatting_each_line_has_the_effect_in_the_table() {
    check_column(5);
}

fn check_column(column: usize) {
    let server = Server::starts();
    let mut observer = Person::joins(&server, "observer");
    // The connections stay open until the end: the server would notice a close only some time
    // later, and free the username at an unknown time.
    let mut people = Vec::new();
    for (row, (line, cells)) in TABLE.iter().enumerate() {
        eprintln!("{} reads {line:?}: {}", STATES[column], cells[column]);
        people.push(check_cell(&server, &mut observer, column, row, line, cells[column]));
    }
}

fn check_cell(
    server: &Server,
    observer: &mut Person,
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
        "MENU" => person.takes_username(&s),
        "CHOOSING" => {
            person.takes_username(&s);
            person.says("2");
            person.reads_exactly(WHOM);
        }
        "ASKING" => {
            person.takes_username(&s);
            person.asks(&mut other);
        }
        "ASKED" => {
            person.takes_username(&s);
            other.asks(&mut person);
        }
        _ => {
            person.takes_username(&s);
            person.chats_with(&mut other);
        }
    }
    let line = line.replace("{s}", &s).replace("{o}", &o);
    let fill = |text: &str| text.replace("{s}", &s).replace("{o}", &o).replace("{line}", &line);
    let (lines, after) = cell.split_once("=>").expect("a state after");
    let (mine, others) = lines.split_once("//").unwrap_or((lines, ""));
    // The line and `IAC AYT` go in one packet. The reply to AYT follows the answer to the line, and
    // shows that the answer has no further line.
    let packet = [line.as_bytes(), b"\r\n\xff\xf6"].concat();
    person.sends(&packet);
    let ended = reads_tokens(&mut person, &fill(mine), &o);
    if !ended {
        person.reads("* ");
    }
    reads_tokens(&mut other, &fill(others), &s);
    other.has_read_everything();
    let after = fill(after.trim());
    if after == "choosing" || STATES[column] == "CHOOSING" && after == "menu" {
        // The list shows the same status for CHOOSING and MENU, so `cancel` tells them apart.
        person.says("cancel");
        person.reads(if after == "menu" { "! " } else { "* Nobody was asked" });
        person.reads_exactly(MENU);
    }
    observer_sees(observer, &s, &o, &after);
    (person, other)
}

/// Reads the lines of a cell. Returns `true` if they end with the end of the stream.
#[track_caller]
fn reads_tokens(person: &mut Person, tokens: &str, other: &str) -> bool {
    // One blank beside `//` and `=>` belongs to the notation. Further blanks belong to the text.
    let tokens = tokens.strip_suffix(' ').unwrap_or(tokens);
    let tokens = tokens.strip_prefix(' ').unwrap_or(tokens);
    if tokens.is_empty() {
        return false;
    }
    for token in tokens.split('|') {
        match token {
            "MENU" => person.reads_exactly(MENU),
            "WHOM" => person.reads_exactly(WHOM),
            "USERNAME" => person.reads_exactly(USERNAME),
            "ASK" => _ = person.reads(&format!("? {other} wants to chat")),
            "LIST" => {
                person.reads("* ");
                person.reads_rows();
            }
            "HELP" => person.reads_help(),
            "END" => {
                person.reads_end_of_stream();
                return true;
            }
            text if text.contains(": ") => person.reads_exactly(text),
            start => _ = person.reads(start),
        }
    }
    false
}

#[track_caller]
fn observer_sees(observer: &mut Person, s: &str, o: &str, after: &str) {
    let (state, name) = after.split_once(' ').unwrap_or((after, s));
    observer.says(&format!("1 {name}"));
    observer.reads("* ");
    let row = match state {
        "naming" | "gone" => return observer.reads_exactly(MENU),
        "menu" | "choosing" => format!("- {name} available"),
        "busy" => format!("- {name} busy"),
        "asking" => format!("- {name} asking {o}"),
        "asked" => format!("- {name} asked by {o}"),
        "lobby" => format!("- {name} in lobby"),
        "chatting" => format!("- {name} chatting with {o}"),
        other => panic!("no such state: {other}"),
    };
    let rows = observer.reads_rows();
    assert!(rows.contains(&row), "{row:?} is not among {rows:?}");
    observer.reads_exactly(MENU);
}

// Sessions that cross on the wire.

#[test]
fn two_requests_that_cross_start_a_chat() {
    let server = Server::starts();
    let (mut anna, mut bert) = (Person::joins(&server, "anna"), Person::joins(&server, "bert"));
    anna.says("2 bert");
    bert.says("2 anna");
    // The request that arrives second counts as a yes (4.6.4). The network decides the order.
    let chatting = |person: &mut Person, other: &str| {
        let lines = person.reads_until("* You are now chatting with");
        assert!(lines[lines.len() - 1].contains(other), "{lines:?}");
        lines
    };
    let first = chatting(&mut anna, "bert");
    let second = chatting(&mut bert, "anna");
    let accepted = |lines: &[String]| lines.iter().any(|line| line.contains("accepted"));
    assert!(accepted(&first) != accepted(&second), "{first:?} {second:?}");
    anna.says("one");
    bert.reads_exactly("anna: one");
}

#[test]
fn answering_the_prompt_of_choosing_with_the_name_of_a_user_who_asked_meanwhile_is_a_yes() {
    let server = Server::starts();
    let (mut anna, mut bert) = (Person::joins(&server, "anna"), Person::joins(&server, "bert"));
    bert.says("2");
    bert.reads_exactly(WHOM);
    anna.asks(&mut bert);
    bert.says("anna");
    bert.reads("* You are now chatting with anna");
    anna.reads_all(&["* bert accepted", "* You are now chatting with bert"]);
}

#[test]
fn two_quits_that_cross_end_the_chat_and_no_session() {
    let server = Server::starts();
    for round in 0..20 {
        let mut anna = Person::joins(&server, &format!("anna{round}"));
        let mut bert = Person::joins(&server, &format!("bert{round}"));
        anna.chats_with(&mut bert);
        anna.says("quit");
        bert.says("quit");
        let mut late = 0;
        for person in [&mut anna, &mut bert] {
            let first = person.reads("* ");
            person.reads_exactly(MENU);
            if !first.starts_with("* You left") {
                // The other quit was drained (4.1.5), or it came too late even for that.
                if person.reads("! ").contains("not a choice") {
                    person.reads_exactly(MENU);
                }
                late += 1;
            }
            person.has_read_everything();
        }
        assert_eq!(late, 1, "exactly one quit was too late");
    }
}

#[test]
fn lines_typed_for_a_partner_who_has_left_are_delivered_to_nobody() {
    let server = Server::starts();
    let (mut anna, mut bert) = (Person::joins(&server, "anna"), Person::joins(&server, "bert"));
    let mut carl = Person::joins(&server, "carl");
    anna.chats_with(&mut bert);
    bert.says("quit");
    bert.reads_all(&["* You left", MENU]);
    carl.asks(&mut bert);
    anna.reads_all(&["* bert left", MENU]);
    // 3.1.5: at the menu the text is no choice, and nobody reads it.
    anna.says("my dear bert");
    anna.reads_all(&["! ", MENU]);
    bert.says("my dear anna");
    bert.reads("! ");
    carl.has_read_everything();
    bert.says("y");
    bert.reads("* You are now chatting with carl");
    carl.reads_all(&["* bert accepted", "* You are now chatting with bert"]);
}

#[test]
fn an_answer_to_a_request_that_has_ended_is_one_error_line_without_a_menu() {
    let server = Server::starts_with(&["--ask-again", "0.1"]);
    let mut bert = Person::joins(&server, "bert");
    for (round, answer) in ["yes", "y", "NO", " n "].into_iter().enumerate() {
        let mut anna = Person::joins(&server, &format!("anna{round}"));
        anna.asks(&mut bert);
        if round % 2 == 0 {
            anna.says("cancel");
            anna.reads_all(&["* You withdrew", MENU]);
            bert.reads_all(&["* anna", MENU]);
        } else {
            anna.hang_up();
            bert.reads_all(&["* anna", MENU]);
        }
        bert.says(answer);
        bert.reads("! ");
        bert.has_read_everything();
        // This holds for the next line only. After that line, `yes` is no choice of the menu.
        bert.says(answer);
        bert.reads_all(&["! ", MENU]);
    }
}

#[test]
fn when_a_cancel_and_a_yes_cross_both_users_read_the_same_result() {
    let server = Server::starts();
    for round in 0..20 {
        let mut anna = Person::joins(&server, &format!("anna{round}"));
        let mut bert = Person::joins(&server, &format!("bert{round}"));
        anna.asks(&mut bert);
        anna.says("cancel");
        bert.says("yes");
        let result = anna.reads("* ");
        if result.starts_with("* You withdrew") {
            anna.reads_exactly(MENU);
            bert.reads_all(&["* anna", MENU, "! "]);
        } else {
            // The yes came first, so `cancel` is a message.
            anna.reads("* You are now chatting with");
            bert.reads("* You are now chatting with");
            bert.reads_exactly(&format!("anna{round}: cancel"));
        }
        anna.has_read_everything();
        bert.has_read_everything();
    }
}

#[test]
fn of_two_users_who_want_the_same_username_at_once_one_gets_it() {
    let server = Server::starts();
    for round in 0..20 {
        let mut people = [Person::arrives(&server), Person::arrives(&server)];
        let name = format!("anna{round}");
        for person in &mut people {
            person.says(&name);
        }
        let answers = people.each_mut().map(Person::reads_a_line);
        let hellos = answers.iter().filter(|line| line.starts_with("* Hello, ")).count();
        assert_eq!(hellos, 1, "{answers:?}");
    }
}

#[test]
fn a_request_that_is_not_answered_lapses() {
    let server = Server::starts_with(&["--ask-timeout", "0.3"]);
    let (mut anna, mut bert) = (Person::joins(&server, "anna"), Person::joins(&server, "bert"));
    anna.asks(&mut bert);
    anna.reads_all(&["* ", MENU]);
    bert.reads_all(&["* ", MENU]);
    bert.says("yes");
    bert.reads("! ");
    bert.has_read_everything();
}

#[test]
fn an_answer_in_time_stops_the_asking_deadline() {
    let server = Server::starts_with(&["--ask-timeout", "0.3"]);
    let (mut anna, mut bert) = (Person::joins(&server, "anna"), Person::joins(&server, "bert"));
    anna.chats_with(&mut bert);
    let (mut carl, mut dora) = (Person::joins(&server, "carl"), Person::joins(&server, "dora"));
    carl.asks(&mut dora);
    carl.reads_all(&["* ", MENU]);
    // A later request has lapsed by now, and the chat goes on.
    anna.says("still here");
    bert.reads_exactly("anna: still here");
}

#[test]
fn a_declined_user_cannot_ask_the_same_user_again_during_the_cool_down() {
    let server = Server::starts_with(&["--ask-again", "0.5"]);
    let (mut anna, mut bert) = (Person::joins(&server, "anna"), Person::joins(&server, "bert"));
    anna.asks(&mut bert);
    bert.says("no");
    bert.reads_all(&["* You declined anna", MENU]);
    anna.reads_all(&["* bert declined", MENU]);
    anna.says("2 bert");
    anna.reads_all(&["! ", MENU]);
    // 4.3 applies to the asker, not to the user who declined.
    bert.asks(&mut anna);
    anna.says("no");
    anna.reads_all(&["* You declined bert", MENU]);
    bert.reads_all(&["* anna declined", MENU]);
    anna.reads_nothing_for(std::time::Duration::from_millis(600));
    anna.asks(&mut bert);
}

#[test]
fn requests_to_a_busy_user_and_from_an_ignored_user_are_refused() {
    let server = Server::starts();
    let (mut anna, mut bert) = (Person::joins(&server, "anna"), Person::joins(&server, "bert"));
    bert.says("busy");
    bert.reads_all(&["* You are busy", MENU]);
    anna.says("2 bert");
    anna.reads_all(&["! ", MENU]);
    bert.says("free");
    bert.reads_all(&["* You are free", MENU]);
    bert.says("ignore Anna");
    bert.reads_all(&["* ", MENU]);
    anna.says("2 bert");
    anna.reads_all(&["! ", MENU]);
    bert.has_read_everything();
    bert.says("unignore anna");
    bert.reads_all(&["* ", MENU]);
    anna.asks(&mut bert);
}

#[test]
fn requests_beyond_the_allowance_are_delayed_and_not_refused() {
    let server = Server::starts();
    let mut anna = Person::joins(&server, "anna");
    let mut others: Vec<Person> =
        (0..7).map(|number| Person::joins(&server, &format!("bert{number}"))).collect();
    let mut ask_and_cancel = |others: &mut [Person]| {
        for other in others {
            anna.asks(other);
            anna.says("cancel");
            anna.reads_all(&["* You withdrew", MENU]);
            other.reads_all(&["* anna withdrew", MENU]);
        }
    };
    let began = common::now();
    ask_and_cancel(&mut others[..5]);
    let five = began.elapsed();
    ask_and_cancel(&mut others[5..]);
    let seven = began.elapsed();
    assert!(five.as_secs_f64() < 1.5, "5.7.2: five asks are free, they took {five:?}");
    assert!(seven.as_secs_f64() >= 1.9, "5.7.2: seven asks took only {seven:?}");
}

// Names (3.2.1 to 3.2.3, 3.3.1, 4.2).

#[test]
fn valid_usernames_are_taken_unchanged() {
    let server = Server::starts();
    let names = [
        "a",
        "7of9",
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
        "yesterday",
        "0123456789012345678x",
        "GÖTEBORG",
    ];
    let _people: Vec<Person> = names.map(|name| Person::joins(&server, name)).into();
}

#[test]
fn invalid_usernames_are_refused_and_the_prompt_is_repeated() {
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
        "7",
        "01234567890123456789",
        "yes",
        "Operator",
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
        person.reads_all(&["! ", USERNAME]);
    }
    person.takes_username("anna");
}

#[test]
fn usernames_in_use_and_their_look_alikes_are_refused() {
    let server = Server::starts();
    let _people: Vec<Person> = ["Anna", "coco", "Zoé", "BOB", "lily", "born"]
        .map(|name| Person::joins(&server, name))
        .into();
    let mut person = Person::arrives(&server);
    for name in
        ["Anna", "ANNA", "сосо", "СОСО", "zoe\u{301}", "ZOÉ", "Zoe", "ạnna", "B0B", "1ily", "bom"]
    {
        person.says(name);
        person.reads_all(&["! ", USERNAME]);
    }
    person.says(" hanna\t");
    person.reads_all(&["* Hello, hanna", MENU]);
}

#[test]
fn a_username_is_free_at_once_when_its_user_has_left() {
    let server = Server::starts();
    let (mut anna, mut bert) = (Person::joins(&server, "anna"), Person::joins(&server, "bert"));
    anna.chats_with(&mut bert);
    anna.exits_from_chat();
    anna.reads_end_of_stream();
    bert.reads_all(&["* anna left", MENU]);
    let mut again = Person::joins(&server, "ANNA");
    again.chats_with(&mut bert);
    again.reset();
    bert.reads_all(&["* ANNA left", MENU]);
    let _third = Person::joins(&server, "anna");
}

// Lists (5.2).

#[test]
fn a_list_has_fifty_rows_in_order_of_name_and_then_says_how_many_more_there_are() {
    let server = Server::starts();
    let mut users = Vec::new();
    for number in (0..55).rev() {
        let name = if number % 2 == 0 { format!("u{number:02}") } else { format!("U{number:02}") };
        users.push(Person::joins(&server, &name));
    }
    let mut anna = Person::joins(&server, "anna");
    anna.says("1");
    anna.reads_exactly("* 56 users online");
    let rows = anna.reads_rows();
    anna.reads_exactly(MENU);
    assert_eq!(rows.len(), 51, "{rows:#?}");
    assert_eq!(rows[0], "- anna available (you)");
    for (number, row) in rows[1..50].iter().enumerate() {
        assert_eq!(row.to_lowercase(), format!("- u{number:02} available"));
    }
    assert!(rows[50].contains('6') && rows[50].contains("1 PREFIX"), "{}", rows[50]);

    anna.says("1 u5");
    anna.reads_exactly("* 5 users whose names begin with u5");
    assert_eq!(
        anna.reads_rows(),
        [
            "- u50 available",
            "- U51 available",
            "- u52 available",
            "- U53 available",
            "- u54 available"
        ]
    );
    anna.reads_exactly(MENU);
    anna.says("1 U50");
    anna.reads("* 1 user");
    assert_eq!(anna.reads_rows(), ["- u50 available"]);
    anna.reads_exactly(MENU);
    anna.says("1 nobody");
    anna.reads_all(&["* ", MENU]);
}

// The end of a connection (4.10): partner, asker or asked user is told at once and returns to the
// menu.

/// A way in which a client ends its connection: its name, and the function that ends the
/// connection.
type Ending = (&'static str, fn(Person));

const ENDINGS: [Ending; 3] = [
    ("hangs up", Person::hang_up),
    ("is reset", Person::reset),
    ("half-closes", |mut person| {
        person.half_close();
        person.reads_until_closed();
    }),
];

#[test]
fn when_a_connection_ends_the_partner_asker_or_asked_user_is_told_and_is_at_the_menu() {
    let server = Server::starts();
    let mut bert = Person::joins(&server, "bert");
    for (how, end) in ENDINGS {
        eprintln!("while chatting, anna {how}");
        let mut anna = Person::joins(&server, "anna");
        anna.chats_with(&mut bert);
        end(anna);
        bert.reads_all(&["* anna left", MENU]);

        eprintln!("while asking, anna {how}");
        let mut anna = Person::joins(&server, "anna");
        anna.asks(&mut bert);
        end(anna);
        bert.reads_all(&["* anna left", MENU]);
        bert.says("");
        bert.reads_all(&["! ", MENU]);

        eprintln!("while asked, anna {how}");
        let mut anna = Person::joins(&server, "anna");
        let mut carl = Person::joins(&server, &format!("carl-{}", how.replace(' ', "-")));
        carl.asks(&mut anna);
        end(anna);
        carl.reads_all(&["* anna left", MENU]);

        eprintln!("at the menu, in CHOOSING, and without a username, a client {how}");
        end(Person::joins(&server, "dora"));
        let mut emil = Person::joins(&server, "emil");
        emil.says("2");
        emil.reads_exactly(WHOM);
        end(emil);
        end(Person::arrives(&server));
        bert.has_read_everything();
    }
}

#[test]
fn a_reset_in_the_middle_of_a_line_loses_that_line_only() {
    let server = Server::starts();
    let (mut anna, mut bert) = (Person::joins(&server, "anna"), Person::joins(&server, "bert"));
    anna.chats_with(&mut bert);
    anna.sends(b"a whole line\nhalf a li");
    bert.reads_exactly("anna: a whole line");
    anna.reset();
    bert.reads_all(&["* anna left", MENU]);
}

#[test]
fn a_session_without_a_username_ends_at_the_naming_deadline() {
    let server = Server::starts_with(&["--naming-timeout", "0.3"]);
    let mut named = Person::joins(&server, "anna");
    let mut silent = Person::arrives(&server);
    silent.reads("! ");
    silent.reads_end_of_stream();
    named.has_read_everything();
}
