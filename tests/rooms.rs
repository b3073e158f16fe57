//! Rooms on the real program: four sessions with three people in a room, limits and the order of
//! lines with many members, and room history that survives a restart or a kill of the server.

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::random::Random;
use common::server::run;
use common::{MENU, Person, Server, report};
use rustix::process::Signal;

/// Enters the lobby, whose members are `others`, in order of name.
#[track_caller]
fn enters_the_lobby(person: &mut Person, others: &[&str]) {
    person.says("4");
    person.reads("* You are now in lobby");
    for other in others {
        person.reads_exactly(&format!("- {other}"));
    }
}

/// Three users at the menu.
fn three(server: &Server, names: [&str; 3]) -> [Person; 3] {
    names.map(|name| Person::joins(server, name))
}

/// Three users in the lobby, who have read that the others joined.
fn three_in_the_lobby(server: &Server, names: [&str; 3]) -> [Person; 3] {
    let [mut a, mut b, mut c] = three(server, names);
    enters_the_lobby(&mut a, &[]);
    enters_the_lobby(&mut b, &[names[0]]);
    a.reads_exactly(&format!("* {} joined lobby", names[1]));
    let mut members = [names[0], names[1]];
    members.sort_by_key(|name| name.to_lowercase());
    enters_the_lobby(&mut c, &members);
    for person in [&mut a, &mut b] {
        person.reads_exactly(&format!("* {} joined lobby", names[2]));
    }
    [a, b, c]
}

#[track_caller]
fn all_read(people: &mut [Person], line: &str) {
    people.iter_mut().for_each(|person| person.reads_exactly(line));
}

/// The place of a state folder. Dropping the value deletes the folder.
struct StatePlace(PathBuf);

impl StatePlace {
    fn new(name: &str) -> StatePlace {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        drop(fs::remove_dir_all(&folder));
        StatePlace(folder)
    }

    fn flags(&self) -> [&str; 2] {
        ["--state", self.0.to_str().expect("UTF-8")]
    }

    fn file(&self) -> PathBuf {
        self.0.join("history/rooms.log")
    }
}

impl Drop for StatePlace {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

// The first session: the log names each step, every member reads every line, and a member whose
// connection ends leaves the room.

#[test]
fn three_users_enter_the_lobby_and_each_reads_every_line() {
    let server = Server::starts();
    server.logs(&["listening on", &server.address().to_string()]);
    let mut people = three_in_the_lobby(&server, ["Kholaif", "Chris", "Omar"]);
    for name in ["Kholaif", "Chris", "Omar"] {
        server.logs(&["127.0.0.1:", name, "took the name"]);
        server.logs(&[name, "joined lobby"]);
    }
    people[0].says("sup nerds");
    all_read(&mut people, "Kholaif: sup nerds");
    people[2].says("not much");
    all_read(&mut people, "Omar: not much");
    let [kholaif, mut chris, omar] = people;
    omar.reset();
    chris.reads("* Omar left lobby");
    server.logs(&["Omar", "left lobby"]);
    chris.says("/who");
    chris.reads("* You are here with 1 other");
    chris.reads_exactly("- Kholaif");
    kholaif.hang_up();
    chris.reads("* Kholaif left lobby");
    chris.says("1");
    chris.reads_exactly("Chris: 1");
}

// The second session: the address comes from the command line, lists show users and rooms, and the
// log shows who joins and leaves.

#[test]
fn the_address_is_an_argument_lists_show_users_and_rooms_and_the_log_shows_joins_and_departures() {
    for wrong in [&["serve", "--listen"][..], &["serve", "--listen", "nonsense"], &["serve", "x"]] {
        let run = run(wrong, &[]);
        assert_eq!(run.status.code(), Some(2), "{wrong:?}: {}", run.stderr);
        assert_eq!(run.stderr.lines().count(), 1, "{wrong:?}: {}", run.stderr);
    }
    let server = Server::starts();
    let [mut a, mut b, mut c] = three(&server, ["ann", "ben", "cem"]);
    enters_the_lobby(&mut a, &[]);
    b.says("join lobby");
    b.reads("* You are now in lobby");
    b.reads_exactly("- ann");
    c.says("1");
    c.reads_exactly("* 3 users online");
    for row in ["- ann in lobby", "- ben in lobby", "- cem available (you)"] {
        c.reads_exactly(row);
    }
    c.reads_exactly(MENU);
    c.says("5");
    c.reads_exactly("* 1 room");
    c.reads_exactly("- lobby 2 users");
    c.reads_exactly(MENU);
    b.half_close();
    b.reads_end_of_stream();
    a.reads_exactly("* ben joined lobby");
    a.reads("* ben left lobby");
    for parts in [["ben", "joined lobby"], ["ben", "left lobby"], ["ben", "left: the connection"]] {
        server.logs(&parts);
    }
}

// The third session: every member reads who joins and leaves, by `quit`, `q` or a closed
// connection; a newcomer reads the history.

#[test]
fn joins_and_departures_are_announced_and_quit_q_and_a_closed_connection_leave_a_room() {
    let server = Server::starts();
    let [mut a, mut b, mut c] = three_in_the_lobby(&server, ["Akshay", "Akshay2", "Akshay3"]);
    b.says("quit");
    b.reads_exactly("* You left lobby");
    b.reads_exactly(MENU);
    for person in [&mut a, &mut c] {
        person.reads_exactly("* Akshay2 left lobby");
    }
    c.says("q");
    c.reads_exactly("* You left lobby");
    c.reads_exactly(MENU);
    a.reads_exactly("* Akshay3 left lobby");
    a.says("does anybody read this?");
    a.reads_exactly("Akshay: does anybody read this?");
    enters_the_lobby(&mut b, &["Akshay"]);
    b.reads("* The last line said here");
    b.reads_containing("Akshay: does anybody read this?");
    a.reads_exactly("* Akshay2 joined lobby");
    a.hang_up();
    b.reads("* Akshay left lobby");
    b.exits_from_room();
}

// The fourth session: `.exit` leaves the room, all members read that, and a sender reads its own
// line.

#[test]
fn dot_exit_leaves_a_room_and_a_sender_reads_its_own_line() {
    let server = Server::starts();
    let mut people = three_in_the_lobby(&server, ["John", "Mary", "Sue"]);
    people[1].says("is this on?");
    people[1].reads_exactly("Mary: is this on?");
    let [mut john, mut mary, mut sue] = people;
    john.reads_exactly("Mary: is this on?");
    sue.reads_exactly("Mary: is this on?");
    john.says(".exit");
    john.reads_exactly("* You left lobby");
    john.reads_exactly(MENU);
    for person in [&mut mary, &mut sue] {
        person.reads_exactly("* John left lobby");
    }
    john.exits();
    mary.says("/say .exit");
    for person in [&mut mary, &mut sue] {
        person.reads_exactly("Mary: .exit");
    }
}

// Many members.

/// (7.28)
#[test]
fn a_full_room_and_a_room_beyond_the_limit_are_refused() {
    let server = Server::starts_with(&["--max-members", "2", "--max-rooms", "1"]);
    let [mut a, mut b, mut c] = three(&server, ["a", "b", "c"]);
    enters_the_lobby(&mut a, &[]);
    enters_the_lobby(&mut b, &["a"]);
    c.says("4");
    c.reads("! That room is full");
    c.reads_exactly(MENU);
    c.says("4 other");
    c.reads("! There are too many rooms");
    c.reads_exactly(MENU);
    b.says("quit");
    b.reads_all(&["* You left lobby", MENU]);
    enters_the_lobby(&mut c, &["a"]);
}

/// (4.8.2, 6.2.1)
#[test]
fn a_hundred_members_read_the_same_lines_in_the_same_order() {
    const MEMBERS: usize = 100;
    let server = Server::starts_with(&["--room-pace", "1000000"]);
    let mut people = Vec::new();
    for n in 0..MEMBERS {
        let mut person = Person::joins(&server, &format!("user{n:02}"));
        person.says("4");
        person.reads("* You are now in lobby");
        people.push(person);
    }
    for (n, person) in people.iter_mut().enumerate() {
        person.sends(format!("one from {n}\ntwo from {n}\n").as_bytes());
    }
    let read = people.iter_mut().map(|person| {
        let mut lines = Vec::new();
        while lines.len() < 2 * MEMBERS {
            let line = person.reads_a_line();
            lines.extend(line.contains(" from ").then_some(line));
        }
        lines
    });
    let read = read.collect::<Vec<_>>();
    assert!(read.iter().all(|lines| *lines == read[0]), "every member reads the same order");
    for n in 0..MEMBERS {
        let own = read[0].iter().filter(|line| line.ends_with(&format!(" from {n}")));
        let own = own.map(|line| line.split(' ').nth(1).unwrap_or_default());
        assert_eq!(own.collect::<Vec<_>>(), ["one", "two"], "from {n}");
    }
}

// The history store.

/// (6.3.3)
#[test]
fn a_line_that_was_held_by_backpressure_is_stored_before_it_is_sent() {
    let folder = StatePlace::new("held");
    let mut server = Server::starts_with(&folder.flags());
    let mut a = Person::connects(server.address());
    // The answers exceed the limit on unread output, so the server holds the text behind them. It
    // processes the text between two writes of one turn.
    a.sends(format!("A\n4\n{}the text\n", "/help\n".repeat(40)).as_bytes());
    a.reads_until("A: the text");
    let kept = fs::read_to_string(folder.file()).expect("a file");
    assert!(kept.ends_with(" lobby A: the text\n"), "{kept}");
    server.is_healthy();
}

/// (6.3.3)
#[test]
fn history_is_restored_after_a_restart() {
    let folder = StatePlace::new("restart");
    let mut server = Server::starts_with(&folder.flags());
    let mut people = three_in_the_lobby(&server, ["Ann", "Ben", "日本"]);
    people[0].says("the pub at eight");
    all_read(&mut people, "Ann: the pub at eight");
    people[2].says("/me はい");
    all_read(&mut people, "日本: *はい*");
    server.signal(Signal::TERM);
    assert_eq!(server.exits().code(), Some(0), "{}", server.log());
    let server = Server::starts_with(&folder.flags());
    server.logs(&["history in", "2 lines"]);
    let mut ann = Person::joins(&server, "Ann");
    enters_the_lobby(&mut ann, &[]);
    ann.reads_exactly("* The last 2 lines said here");
    ann.reads_containing("Ann: the pub at eight");
    ann.reads_containing("日本: *はい*");
    ann.says("quit");
    ann.reads_all(&["* You left", MENU]);
    ann.says("5");
    ann.reads("* No rooms yet");
}

/// Lines of a burst: few enough that the history keeps all of them (7.5), and too many for one
/// turn of the loop.
const BURST: usize = 150;

/// (6.3.3)
#[test]
fn every_line_that_a_member_has_read_survives_a_kill_during_a_burst() {
    const ROUNDS: usize = 20;
    let mut random = Random::with_printed_seed();
    let folder = StatePlace::new("kill");
    let mut flags = folder.flags().to_vec();
    flags.extend(["--room-pace", "1000000"]);
    let (mut total_read, mut total_kept) = (0, 0);
    for round in 0..ROUNDS {
        let room = format!("room{round}");
        let read = lines_read_before_the_kill(&flags, &room, random.below(BURST));
        let kept = lines_in_the_history(&flags, &room);
        assert!(kept >= read, "{read} lines had been read, and {kept} are kept");
        total_read += read;
        total_kept += kept;
    }
    report(&format!(
        "{ROUNDS} kills: of {total_read} lines read none was lost, {total_kept} were kept"
    ));
}

/// Ann and Ben are in a room, and Ben sends a burst. The server is killed when Ann has read line
/// `enough`. Returns how many lines Ann has read in all.
fn lines_read_before_the_kill(flags: &[&str], room: &str, enough: usize) -> usize {
    let mut server = Server::starts_with(flags);
    let [mut ann, mut ben] = ["Ann", "Ben"].map(|name| {
        let mut person = Person::joins(&server, name);
        person.says(&format!("4 {room}"));
        person.reads("* You are now in");
        person
    });
    let padding = "-".repeat(180);
    let burst = (0..BURST).map(|n| format!("{n} {padding}\n")).collect::<String>();
    ben.sends(burst.as_bytes());
    while !ann.reads_a_line().starts_with(&format!("Ben: {enough} ")) {}
    server.signal(Signal::KILL);
    // Lines that the kernel had already taken still arrive.
    let rest = ann.reads_until_closed();
    server.exits();
    enough + 1 + rest.len()
}

/// How many lines of a burst are in the history of a room. Asserts that no line is missing between
/// them.
fn lines_in_the_history(flags: &[&str], room: &str) -> usize {
    let server = Server::starts_with(flags);
    let mut ann = Person::joins(&server, "Ann");
    ann.says(&format!("4 {room}"));
    ann.says("/history 200");
    ann.says("end of the history");
    let lines = ann.reads_until("Ann: end of the history");
    let from = lines.iter().rposition(|line| line.starts_with("* ")).expect("a heading");
    let rows = lines[from + 1..lines.len() - 1].iter();
    let numbers =
        rows.map(|row| row.split_once("Ben: ").and_then(|(_, said)| said.split_once(' ')));
    let numbers = numbers.map(|said| said.and_then(|(number, _)| number.parse().ok()));
    let numbers = numbers.collect::<Option<Vec<usize>>>().expect("rows of the burst");
    assert_eq!(
        numbers,
        (0..numbers.len()).collect::<Vec<_>>(),
        "no line is missing between the others"
    );
    numbers.len()
}

/// (6.3.3)
#[test]
fn an_unusable_history_folder_is_one_error_line_and_its_files_are_not_changed() {
    let folder = StatePlace::new("refused");
    let [flag, path] = folder.flags();
    let serve = |path: &str| run(&["serve", "--listen", "127.0.0.1:0", flag, path], &[]);
    drop(Server::starts_with(&folder.flags()));
    fs::write(folder.file(), "precious, and not ours").expect("a file");
    for (path, words) in [
        (path.to_owned(), "not a history of chinwag"),
        (format!("{path}/none/none"), "No such file"),
        (folder.file().to_str().expect("UTF-8").to_owned(), "File exists"),
    ] {
        let run = serve(&path);
        assert_eq!(run.status.code(), Some(1), "{path}: {}", run.stderr);
        assert_eq!(run.stderr.lines().count(), 1, "{path}: {}", run.stderr);
        assert!(run.stderr.contains(words) && run.stderr.contains(&path), "{}", run.stderr);
    }
    assert_eq!(fs::read_to_string(folder.file()).expect("a file"), "precious, and not ours");
}

/// (6.3.3)
#[test]
fn a_full_disk_is_logged_once_and_the_rooms_go_on() {
    let folder = StatePlace::new("full");
    // A write beyond the limit of `ulimit -f` (in blocks of 512 or 1,024 bytes) fails, as on a full
    // disk.
    let server = Server::starts_from_shell("ulimit -f 8", &folder.flags());
    let mut people = three_in_the_lobby(&server, ["a", "b", "c"]);
    let long = "x".repeat(1000);
    for n in 0..9 {
        people[n % 3].says(&long);
        all_read(&mut people, &format!("{}: {long}", ["a", "b", "c"][n % 3]));
    }
    let log = server.logs(&["history in", "not kept from now on"]);
    assert!(log.contains("WARN"), "{log}");
    assert_eq!(server.log().matches("not kept").count(), 1, "{}", server.log());
    drop(server);
    let server = Server::starts_with(&folder.flags());
    let mut a = Person::joins(&server, "a");
    enters_the_lobby(&mut a, &[]);
    a.reads("* The last 3 lines said here");
}
