//! Rooms on the real program: the four group chats this one grew from, each told with three people in a
//! room, and a past that outlasts whatever ends the server.

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::dice::Dice;
use common::server::run;
use common::{MENU, Person, Server, report};
use rustix::process::Signal;

/// Enters the lobby, in which there are these.
#[track_caller]
fn enters_the_lobby(person: &mut Person, others: &[&str]) {
    person.says("4");
    person.hears("* You are now in lobby");
    for other in others {
        person.hears_exactly(&format!("- {other}"));
    }
}

/// Three who are at the menu.
fn three(server: &Server, names: [&str; 3]) -> [Person; 3] {
    names.map(|name| Person::joins(server, name))
}

/// Three who are in the lobby, and have seen each other come.
fn three_in_the_lobby(server: &Server, names: [&str; 3]) -> [Person; 3] {
    let [mut a, mut b, mut c] = three(server, names);
    enters_the_lobby(&mut a, &[]);
    enters_the_lobby(&mut b, &[names[0]]);
    a.hears_exactly(&format!("* {} joined lobby", names[1]));
    let mut there = [names[0], names[1]];
    there.sort_by_key(|name| name.to_lowercase());
    enters_the_lobby(&mut c, &there);
    for person in [&mut a, &mut b] {
        person.hears_exactly(&format!("* {} joined lobby", names[2]));
    }
    [a, b, c]
}

#[track_caller]
fn all_hear(people: &mut [Person], line: &str) {
    people.iter_mut().for_each(|person| person.hears_exactly(line));
}

/// A folder that is gone with this value.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        drop(fs::remove_dir_all(&folder));
        fs::create_dir_all(&folder).expect("a folder");
        Folder(folder)
    }

    fn flags(&self) -> [&str; 2] {
        ["--history", self.0.to_str().expect("UTF-8")]
    }

    fn file(&self) -> PathBuf {
        self.0.join("rooms.log")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

// The first: a server that says what it does; everyone hears everyone; whoever disconnects is removed.

#[test]
fn three_take_nicknames_and_everyone_hears_everyone() {
    let server = Server::starts();
    server.logs(&["listening on", &server.address().to_string()]);
    let mut people = three_in_the_lobby(&server, ["Kholaif", "Chris", "Omar"]);
    for name in ["Kholaif", "Chris", "Omar"] {
        server.logs(&["127.0.0.1:", name, "took the name"]);
        server.logs(&[name, "joined lobby"]);
    }
    people[0].says("sup nerds");
    all_hear(&mut people, "Kholaif: sup nerds");
    people[2].says("not much");
    all_hear(&mut people, "Omar: not much");
    let [kholaif, mut chris, omar] = people;
    omar.reset();
    chris.hears("* Omar left lobby");
    server.logs(&["Omar", "left lobby"]);
    chris.says("/who");
    chris.hears("* You are here with 1 other");
    chris.hears_exactly("- Kholaif");
    kholaif.hang_up();
    chris.hears("* Kholaif left lobby");
    chris.says("1");
    chris.hears_exactly("Chris: 1");
}

// The second: host and port from the command line, or a usage error; who is active; a console of comings
// and goings.

#[test]
fn host_and_port_are_given_active_users_shown_and_comings_and_goings_logged() {
    for wrong in [&["serve", "--listen"][..], &["serve", "--listen", "nonsense"], &["serve", "x"]] {
        let run = run(wrong, &[]);
        assert_eq!(run.status.code(), Some(2), "{wrong:?}: {}", run.stderr);
        assert_eq!(run.stderr.lines().count(), 1, "{wrong:?}: {}", run.stderr);
    }
    let server = Server::starts();
    let [mut a, mut b, mut c] = three(&server, ["ann", "ben", "cem"]);
    enters_the_lobby(&mut a, &[]);
    b.says("join lobby");
    b.hears("* You are now in lobby");
    b.hears_exactly("- ann");
    c.says("1");
    c.hears_exactly("* 3 users online");
    for row in ["- ann in lobby", "- ben in lobby", "- cem available (you)"] {
        c.hears_exactly(row);
    }
    c.hears_exactly(MENU);
    c.says("5");
    c.hears_exactly("* 1 room");
    c.hears_exactly("- lobby 2 users");
    c.hears_exactly(MENU);
    b.half_close();
    b.hears_the_end();
    a.hears_exactly("* ben joined lobby");
    a.hears("* ben left lobby");
    for parts in [["ben", "joined lobby"], ["ben", "left lobby"], ["ben", "left: the connection"]] {
        server.logs(&parts);
    }
}

// The third: a greeting, joins and leavings that everybody reads, three ways to go; and a past.

#[test]
fn who_comes_and_goes_is_announced_and_quit_q_and_a_closed_window_leave() {
    let server = Server::starts();
    let [mut a, mut b, mut c] = three_in_the_lobby(&server, ["Akshay", "Akshay2", "Akshay3"]);
    b.says("quit");
    b.hears_exactly("* You left lobby");
    b.hears_exactly(MENU);
    for person in [&mut a, &mut c] {
        person.hears_exactly("* Akshay2 left lobby");
    }
    c.says("q");
    c.hears_exactly("* You left lobby");
    c.hears_exactly(MENU);
    a.hears_exactly("* Akshay3 left lobby");
    a.says("does anybody read this?");
    a.hears_exactly("Akshay: does anybody read this?");
    enters_the_lobby(&mut b, &["Akshay"]);
    b.hears("* The last line said here");
    b.hears_containing("Akshay: does anybody read this?");
    a.hears_exactly("* Akshay2 joined lobby");
    a.hang_up();
    b.hears("* Akshay left lobby");
    b.exits_from_room();
}

// The fourth: `.exit`; both sides read that somebody has left; a sender sees that it was sent.

#[test]
fn dot_exit_leaves_and_both_sides_read_so_and_a_sender_sees_what_was_sent() {
    let server = Server::starts();
    let mut people = three_in_the_lobby(&server, ["John", "Mary", "Sue"]);
    people[1].says("is this on?");
    people[1].hears_exactly("Mary: is this on?");
    let [mut john, mut mary, mut sue] = people;
    john.hears_exactly("Mary: is this on?");
    sue.hears_exactly("Mary: is this on?");
    john.says(".exit");
    john.hears_exactly("* You left lobby");
    john.hears_exactly(MENU);
    for person in [&mut mary, &mut sue] {
        person.hears_exactly("* John left lobby");
    }
    john.exits();
    mary.says("/say .exit");
    for person in [&mut mary, &mut sue] {
        person.hears_exactly("Mary: .exit");
    }
}

// Many.

/// (5.23)
#[test]
fn a_room_that_is_full_takes_nobody_and_says_so() {
    let server = Server::starts_with(&["--max-members", "2", "--max-rooms", "1"]);
    let [mut a, mut b, mut c] = three(&server, ["a", "b", "c"]);
    enters_the_lobby(&mut a, &[]);
    enters_the_lobby(&mut b, &["a"]);
    c.says("4");
    c.hears("! That room is full");
    c.hears_exactly(MENU);
    c.says("4 other");
    c.hears("! There are too many rooms");
    c.hears_exactly(MENU);
    b.says("quit");
    b.hears_all(&["* You left lobby", MENU]);
    enters_the_lobby(&mut c, &["a"]);
}

/// (6.3)
#[test]
fn a_hundred_who_all_speak_all_read_the_same_in_the_same_order() {
    const MEMBERS: usize = 100;
    let server = Server::starts_with(&["--room-pace", "1000000"]);
    let mut people = Vec::new();
    for n in 0..MEMBERS {
        let mut person = Person::joins(&server, &format!("user{n:02}"));
        person.says("4");
        person.hears("* You are now in lobby");
        people.push(person);
    }
    for (n, person) in people.iter_mut().enumerate() {
        person.sends(format!("one from {n}\ntwo from {n}\n").as_bytes());
    }
    let heard = people.iter_mut().map(|person| {
        let mut lines = Vec::new();
        while lines.len() < 2 * MEMBERS {
            let line = person.hears_a_line();
            lines.extend(line.contains(" from ").then_some(line));
        }
        lines
    });
    let heard = heard.collect::<Vec<_>>();
    assert!(heard.iter().all(|lines| *lines == heard[0]), "one order for everybody");
    for n in 0..MEMBERS {
        let own = heard[0].iter().filter(|line| line.ends_with(&format!(" from {n}")));
        let own = own.map(|line| line.split(' ').nth(1).unwrap_or_default());
        assert_eq!(own.collect::<Vec<_>>(), ["one", "two"], "from {n}");
    }
}

// The past.

/// (6.14)
#[test]
fn a_line_that_was_held_until_answers_were_taken_is_written_down_before_it_is_read() {
    let folder = Folder::new("held");
    let mut server = Server::starts_with(&folder.flags());
    let mut a = Person::dials(server.address());
    // The answers hold what follows them; it is heard between two writes of one turn.
    a.sends(format!("A\n4\n{}the text\n", "/help\n".repeat(40)).as_bytes());
    a.hears_at_last("A: the text");
    let kept = fs::read_to_string(folder.file()).expect("a file");
    assert!(kept.ends_with(" lobby A: the text\n"), "{kept}");
    server.is_well();
}

/// (6.14)
#[test]
fn what_was_said_is_there_again_after_a_restart() {
    let folder = Folder::new("restart");
    let mut server = Server::starts_with(&folder.flags());
    let mut people = three_in_the_lobby(&server, ["Ann", "Ben", "日本"]);
    people[0].says("the pub at eight");
    all_hear(&mut people, "Ann: the pub at eight");
    people[2].says("/me はい");
    all_hear(&mut people, "日本: *はい*");
    server.signal(Signal::TERM);
    assert_eq!(server.ends().code(), Some(0), "{}", server.log());
    let server = Server::starts_with(&folder.flags());
    server.logs(&["history in", "2 lines"]);
    let mut ann = Person::joins(&server, "Ann");
    enters_the_lobby(&mut ann, &[]);
    ann.hears_exactly("* The last 2 lines said here");
    ann.hears_containing("Ann: the pub at eight");
    ann.hears_containing("日本: *はい*");
    ann.says("quit");
    ann.hears_all(&["* You left", MENU]);
    ann.says("5");
    ann.hears("* 0 rooms");
}

/// Lines of a burst: all of them are kept (5.26), and more than one turn of the loop reads.
const BURST: usize = 150;

/// (6.14)
#[test]
fn what_a_member_had_read_survives_a_kill_in_the_middle_of_a_burst() {
    const ROUNDS: usize = 20;
    let mut dice = Dice::shaken();
    let folder = Folder::new("kill");
    let mut flags = folder.flags().to_vec();
    flags.extend(["--room-pace", "1000000"]);
    let (mut read, mut kept) = (0, 0);
    for round in 0..ROUNDS {
        let room = format!("room{round}");
        let seen = lines_read_before_the_kill(&flags, &room, dice.below(BURST));
        let found = lines_of_the_past(&flags, &room);
        assert!(found >= seen, "{seen} lines had been read, and {found} are kept");
        read += seen;
        kept += found;
    }
    report(&format!("{ROUNDS} kills: of {read} lines read none was lost, {kept} were kept"));
}

/// Two in a room, one of whom says a burst; the server is killed when the other has read `enough` lines.
/// Returns how many the other read in all.
fn lines_read_before_the_kill(flags: &[&str], room: &str, enough: usize) -> usize {
    let mut server = Server::starts_with(flags);
    let [mut ann, mut ben] = ["Ann", "Ben"].map(|name| {
        let mut person = Person::joins(&server, name);
        person.says(&format!("4 {room}"));
        person.hears("* You are now in");
        person
    });
    let padding = "-".repeat(180);
    let burst = (0..BURST).map(|n| format!("{n} {padding}\n")).collect::<String>();
    ben.sends(burst.as_bytes());
    while !ann.hears_a_line().starts_with(&format!("Ben: {enough} ")) {}
    server.signal(Signal::KILL);
    // What the kernel still has for her she reads as well.
    let rest = ann.hears_it_is_over();
    server.ends();
    enough + 1 + rest.len()
}

/// How many lines of a burst are in the past of a room, without a gap.
fn lines_of_the_past(flags: &[&str], room: &str) -> usize {
    let server = Server::starts_with(flags);
    let mut ann = Person::joins(&server, "Ann");
    ann.says(&format!("4 {room}"));
    ann.says("/history 200");
    ann.says("end of the past");
    let lines = ann.hears_at_last("Ann: end of the past");
    let from = lines.iter().rposition(|line| line.starts_with("* ")).expect("a heading");
    let rows = lines[from + 1..lines.len() - 1].iter();
    let numbers =
        rows.map(|row| row.split_once("Ben: ").and_then(|(_, said)| said.split_once(' ')));
    let numbers = numbers.map(|said| said.and_then(|(number, _)| number.parse().ok()));
    let numbers = numbers.collect::<Option<Vec<usize>>>().expect("rows of the burst");
    assert_eq!(numbers, (0..numbers.len()).collect::<Vec<_>>(), "without a gap");
    numbers.len()
}

/// (6.14)
#[test]
fn a_folder_that_cannot_be_used_is_one_line_and_nothing_in_it_is_touched() {
    let folder = Folder::new("refused");
    let [flag, path] = folder.flags();
    let serve = |path: &str| run(&["serve", "--listen", "127.0.0.1:0", flag, path], &[]);
    fs::write(folder.file(), "precious, and not ours").expect("a file");
    for (path, words) in [
        (path.to_owned(), "not a history of chinwag"),
        (format!("{path}/none"), "No such file"),
        (folder.file().to_str().expect("UTF-8").to_owned(), "Not a directory"),
    ] {
        let run = serve(&path);
        assert_eq!(run.status.code(), Some(1), "{path}: {}", run.stderr);
        assert_eq!(run.stderr.lines().count(), 1, "{path}: {}", run.stderr);
        assert!(run.stderr.contains(words) && run.stderr.contains(&path), "{}", run.stderr);
    }
    assert_eq!(fs::read_to_string(folder.file()).expect("a file"), "precious, and not ours");
}

/// (6.14)
#[test]
fn a_disk_that_is_full_is_said_once_and_the_room_goes_on() {
    let folder = Folder::new("full");
    // History the limit a write fails, as on a full disk.
    let server = Server::starts_after("ulimit -f 8", &folder.flags());
    let mut people = three_in_the_lobby(&server, ["a", "b", "c"]);
    let long = "x".repeat(1000);
    for n in 0..9 {
        people[n % 3].says(&long);
        all_hear(&mut people, &format!("{}: {long}", ["a", "b", "c"][n % 3]));
    }
    let log = server.logs(&["history in", "not kept from now on"]);
    assert!(log.contains("WARN"), "{log}");
    assert_eq!(server.log().matches("not kept").count(), 1, "{}", server.log());
    drop(server);
    let server = Server::starts_with(&folder.flags());
    let mut a = Person::joins(&server, "a");
    enters_the_lobby(&mut a, &[]);
    a.hears("* The last 3 lines said here");
}
