//! Accounts with the real program: the helper process, its store on the disk, and operators (8.4).
//!
//! `tests/accounts.rs` has the rules of the core, without a process.
#![cfg(target_os = "linux")]

mod common;

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use common::console::{Console, TempFolder};
use common::random::Random;
use common::server::{Run, program, run};
use common::{MENU, Person, Server, USERNAME, now, report, timeout};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};

const PASSWORD: &str = "correct horse";

fn starts(folder: &TempFolder) -> Server {
    folder.server(&["--state", &folder.argument("state")])
}

/// The latest helper of the server.
fn helper(server: &Server) -> u32 {
    // The log may be a moment behind the address on stdout.
    server.logs(&[", helper "]);
    let log = server.log();
    let numbers = log.split(", helper ").skip(1).filter_map(|rest| rest.split_once('\n'));
    let number = numbers.filter_map(|(number, _)| number.trim().parse().ok()).last();
    number.unwrap_or_else(|| panic!("no helper in\n{log}"))
}

/// Waits until another helper than `old` is ready.
#[track_caller]
fn next_helper(server: &Server, old: u32) -> u32 {
    let until = now() + timeout();
    while helper(server) == old {
        assert!(now() < until, "no new helper:\n{}", server.log());
        std::thread::yield_now();
    }
    helper(server)
}

fn pid(number: u32) -> Pid {
    i32::try_from(number).ok().and_then(Pid::from_raw).expect("a pid")
}

fn kill(number: u32) {
    kill_process(pid(number), Signal::KILL).expect("the process runs");
}

/// A user who has registered their name, at the menu.
#[track_caller]
fn registers(server: &Server, name: &str) -> Person {
    let mut person = Person::joins(server, name);
    person.sends(format!("register\n{PASSWORD}\n{PASSWORD}\n").as_bytes());
    person.reads_until(&format!("* {name} is registered"));
    person.reads_exactly(MENU);
    person
}

/// A user who signs in, up to the answer.
#[track_caller]
fn tries(server: &Server, name: &str, password: &str) -> (Person, String) {
    let mut person = Person::arrives(server);
    person.says(name);
    person.reads_until("? Password for ");
    person.sends(format!("{password}\n").as_bytes());
    let answer = person.reads_a_line();
    (person, answer)
}

#[track_caller]
fn signs_in(server: &Server, name: &str) -> Person {
    let (mut person, answer) = tries(server, name, PASSWORD);
    assert_eq!(answer, format!("* Hello, {name}"));
    person.reads_exactly(MENU);
    person
}

/// (3.4.1, 8.4.2)
#[test]
fn a_registered_name_needs_its_password_after_a_restart() {
    let folder = TempFolder::new();
    let mut server = starts(&folder);
    registers(&server, "Anna").exits();
    server.signal(Signal::TERM);
    assert_eq!(server.exits().code(), Some(0), "{}", server.log());
    let server = starts(&folder);
    let mut anna = signs_in(&server, "Anna");
    anna.sends(format!("unregister\n{PASSWORD}\n").as_bytes());
    anna.reads_until("* Anna is no longer registered");
    anna.reads_exactly(MENU);
    anna.exits();
    Person::joins(&server, "anna").exits();
    let file = fs::read_to_string(folder.path("state/accounts/accounts.log")).expect("a file");
    for text in [file, server.log()] {
        assert!(!text.contains(PASSWORD), "a password is stored or logged: {text}");
    }
}

/// (4.11.3, 4.11.4, 7.86)
#[test]
fn wrong_passwords_end_the_connection_and_the_right_one_ends_the_ghost() {
    let folder = TempFolder::new();
    let server = starts(&folder);
    let mut ghost = registers(&server, "anna");
    let _anna = signs_in(&server, "anna");
    ghost.reads("! anna has signed in on another connection");
    ghost.reads_end_of_stream();
    let (mut thief, answer) = tries(&server, "ANNA", "wrong horse");
    assert_eq!(answer, "! Wrong password; 2 tries left");
    thief.sends(b"wrong again\nwrong at last\n");
    thief.reads_until("! Wrong password, too often. Goodbye");
    thief.reads_end_of_stream();
    assert!(!server.log().contains("wrong horse"), "{}", server.log());
    let stats = Console::opens(&folder.path("console")).succeeds("stats", "* ");
    for metric in ["accounts 1", "passwords_right 1", "passwords_wrong 3", "account_queue 0"] {
        assert!(stats.contains(&format!("- {metric}")), "{metric} in {stats:?}");
    }
}

/// People who register a name each, all in one write. Returns those whose account was confirmed
/// before `end` ended something at a random moment.
fn registered_until(
    server: &Server,
    names: &[String],
    random: &mut Random,
    end: impl Fn(),
) -> Vec<String> {
    let mut people = names.iter().map(|name| {
        let mut person = Person::arrives(server);
        person.sends(format!("{name}\nregister\n{PASSWORD}\n{PASSWORD}\n").as_bytes());
        person
    });
    let mut people = people.by_ref().collect::<Vec<_>>();
    // Some of them surely get their account; the moment is somewhere in the work for the next.
    let sure = random.below(people.len());
    for (person, name) in people.iter_mut().zip(names).take(sure) {
        person.reads_until(&format!("* {name} is registered"));
    }
    let moment = now() + Duration::from_micros(random.below(120_000) as u64);
    while now() < moment {
        std::hint::spin_loop();
    }
    end();
    let confirmed =
        people.into_iter().zip(names).enumerate().filter_map(|(n, (mut person, name))| {
            person.tries_to_send(b"exit\n");
            let lines = person.reads_until_closed();
            let is = lines.iter().any(|line| line.starts_with(&format!("* {name} is registered")));
            (is || n < sure).then(|| name.clone())
        });
    confirmed.collect()
}

fn names(round: usize) -> Vec<String> {
    (0..4).map(|n| format!("user{}x{}", (b'a' + round as u8) as char, (b'a' + n) as char)).collect()
}

/// Asserts that the store has all of these accounts, and that the last one opens with its password.
#[track_caller]
fn all_there(folder: &TempFolder, server: &Server, confirmed: &[String]) {
    let rows = Console::opens(&folder.path("console")).succeeds("account list", "* ");
    let there = rows.iter().map(|row| row.trim_start_matches("- ")).collect::<BTreeSet<_>>();
    for name in confirmed {
        assert!(there.contains(name.as_str()), "{name} was confirmed, and is not in {there:?}");
    }
    if let Some(name) = confirmed.last() {
        signs_in(server, name).exits();
    }
}

/// (8.4.2, 8.4.4)
#[test]
fn no_account_that_was_confirmed_is_lost_when_the_server_is_killed() {
    const ROUNDS: usize = 10;
    let (folder, mut random) = (TempFolder::new(), Random::with_printed_seed());
    let mut confirmed = Vec::new();
    for round in 0..ROUNDS {
        let mut server = starts(&folder);
        all_there(&folder, &server, &confirmed);
        let end = || server.signal(Signal::KILL);
        confirmed.extend(registered_until(&server, &names(round), &mut random, end));
        server.exits();
    }
    all_there(&folder, &starts(&folder), &confirmed);
    report(&format!(
        "{ROUNDS} kills of the server: {} accounts confirmed, none lost",
        confirmed.len()
    ));
}

/// (3.4.7, 7.95, 8.4.2, 8.4.4)
#[test]
fn no_account_that_was_confirmed_is_lost_when_the_helper_is_killed() {
    const ROUNDS: usize = 10;
    let (folder, mut random) = (TempFolder::new(), Random::with_printed_seed());
    let mut server = starts(&folder);
    let mut confirmed = Vec::new();
    for round in 0..ROUNDS {
        let old = helper(&server);
        confirmed.extend(registered_until(&server, &names(round), &mut random, || kill(old)));
        next_helper(&server, old);
        all_there(&folder, &server, &confirmed);
    }
    server.is_healthy();
    server.signal(Signal::KILL);
    server.exits();
    all_there(&folder, &starts(&folder), &confirmed);
    report(&format!(
        "{ROUNDS} kills of the helper: {} accounts confirmed, none lost",
        confirmed.len()
    ));
}

/// (8.4.4)
#[test]
fn the_helper_holds_no_socket_of_the_server_and_ends_with_it() {
    let folder = TempFolder::new();
    let mut server = starts(&folder);
    let (_anna, old) = (Person::joins(&server, "anna"), helper(&server));
    // This one starts while the server has users.
    kill(old);
    let helper = next_helper(&server, old);
    let sockets = |pid: u32| {
        let links = fs::read_dir(format!("/proc/{pid}/fd")).expect("a process").flatten();
        let links = links.filter_map(|entry| fs::read_link(entry.path()).ok());
        let links = links.map(|link| link.to_string_lossy().into_owned());
        links.filter(|link| link.starts_with("socket:")).collect::<BTreeSet<_>>()
    };
    let (theirs, ours) = (sockets(helper), sockets(server.pid()));
    assert_eq!(theirs.len(), 1, "{theirs:?}");
    assert!(theirs.is_disjoint(&ours), "{theirs:?} {ours:?}");
    let helper = pidfd_open(pid(helper), PidfdFlags::empty()).expect("the helper runs");
    server.signal(Signal::KILL);
    server.exits();
    assert!(common::receiver::readable(&helper, now() + timeout()), "the helper still runs");
}

/// (8.4.3)
#[test]
fn a_damaged_store_is_one_error_line_and_is_left_untouched() {
    let folder = TempFolder::new();
    let server = starts(&folder);
    registers(&server, "anna").exits();
    registers(&server, "bert").exits();
    drop(server);
    let file = folder.path("state/accounts/accounts.log");
    let whole = fs::read(&file).expect("a file");
    let mut damaged = whole.clone();
    damaged[60] ^= 1;
    for content in [&damaged[..], b"", b"something else\n"] {
        fs::write(&file, content).expect("a file");
        let state = folder.argument("state");
        let ran = run(&["serve", "--listen", "127.0.0.1:0", "--state", &state], &[]);
        assert_eq!((ran.status.code(), ran.stdout.as_str()), (Some(1), ""), "{}", ran.stderr);
        assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
        assert!(ran.stderr.contains("accounts.log"), "{}", ran.stderr);
        assert_eq!(fs::read(&file).expect("a file"), content);
    }
    // A crash cut the last line: nobody was told that it is stored.
    fs::write(&file, [&whole[..], b"0badc0de + chri"].concat()).expect("a file");
    let server = starts(&folder);
    signs_in(&server, "bert").exits();
    assert_eq!(fs::read(&file).expect("a file"), whole);
}

/// Runs `ctl` with this text on standard input.
fn ctl(folder: &TempFolder, words: &[&str], input: &str) -> Run {
    let mut command = Command::new(program());
    command.args(["ctl", "--console", &folder.argument("console")]).args(words);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program starts");
    // A program that refuses its arguments does not read.
    drop(child.stdin.take().expect("piped").write_all(input.as_bytes()));
    let output = child.wait_with_output().expect("a child");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    Run { status: output.status, stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// (8.2.9, 3.4.1, 3.4.8)
#[test]
fn an_operator_serves_a_class_list_and_no_password_is_logged() {
    let folder = TempFolder::new();
    let flags = ["--accounts", "required", "--state", &folder.argument("state")];
    let server = folder.server(&flags);
    Person::arrives(&server).says("zoe");
    let added = ctl(&folder, &["account", "add", "anna"], "correct horse\n");
    assert_eq!(added.stdout, "* Added the account anna\n", "{}", added.stderr);
    let list = "name,password\nbert,\"hard, to guess\"\nanna,correct horse\nchris,short\n\nonly\n";
    fs::write(folder.path("class.csv"), list).expect("a file");
    let imported = ctl(&folder, &["account", "import", &folder.argument("class.csv")], "");
    assert_eq!((imported.status.code(), imported.stdout.as_str()), (Some(1), "* 1 added, 3 not\n"));
    let lines = imported.stderr.lines().collect::<Vec<_>>();
    let starts = ["line 3: There is an account", "line 4: A password has", "line 6: a line is"];
    assert_eq!(lines.len(), 3, "{lines:?}");
    for (line, start) in lines.iter().zip(starts) {
        assert!(line.contains(start), "{line} {start}");
    }
    let listed = ctl(&folder, &["account", "list"], "");
    assert_eq!(listed.stdout, "- anna\n- bert\n* 2 accounts\n");
    let mut anna = signs_in(&server, "anna");
    let reset = ctl(&folder, &["--json", "account", "reset", "ANNA"], " new pass word \n");
    assert!(reset.stdout.contains("anna has a new password"), "{}{}", reset.stdout, reset.stderr);
    anna.reads("! ");
    anna.reads_end_of_stream();
    let (_anna, answer) = tries(&server, "anna", " new pass word ");
    assert_eq!(answer, "* Hello, anna");
    let removed = ctl(&folder, &["account", "remove", "bert"], "");
    assert_eq!(removed.stdout, "* Removed the account bert\n");
    let argument = ctl(&folder, &["account", "add", "chris", "on the line"], "");
    assert_eq!(argument.status.code(), Some(2));
    for secret in [PASSWORD, "hard, to guess", "pass word"] {
        assert!(!server.log().contains(secret), "{}", server.log());
    }
    server.logs(&["operator: added the account bert"]);
}

/// (3.4.1, 8.2.9)
#[test]
fn without_a_state_folder_there_are_no_accounts() {
    let folder = TempFolder::new();
    let server = folder.server(&[]);
    let mut anna = Person::joins(&server, "anna");
    anna.says("register");
    anna.reads("! This server keeps no accounts");
    let answer = Console::opens(&folder.path("console")).runs("account add bert correct horse");
    assert!(answer[0].contains("start it with --state DIR"), "{answer:?}");
    let ran = run(&["serve", "--listen", "127.0.0.1:0", "--accounts", "required"], &[]);
    assert_eq!(ran.status.code(), Some(1));
    assert!(ran.stderr.contains("--accounts required needs --state DIR"), "{}", ran.stderr);
}

/// (7.95, 8.4.4)
#[test]
fn a_helper_that_hangs_delays_nobody_who_chats() {
    let folder = TempFolder::new();
    let mut server = starts(&folder);
    registers(&server, "chris").exits();
    let (mut anna, mut bert) = (Person::joins(&server, "anna"), Person::joins(&server, "bert"));
    anna.chats_with(&mut bert);
    let old = helper(&server);
    kill_process(pid(old), Signal::STOP).expect("the helper runs");
    let mut chris = Person::arrives(&server);
    chris.sends(format!("chris\n{PASSWORD}\n").as_bytes());
    chris.reads_until("? Password for chris:");
    for n in 0..100 {
        anna.says(&format!("line {n}"));
        bert.reads_exactly(&format!("anna: line {n}"));
    }
    // The server replaces it, and chris is asked again.
    chris.reads_until("! The server could not finish that");
    next_helper(&server, old);
    chris.sends(format!("{PASSWORD}\n").as_bytes());
    chris.reads_until("* Hello, chris");
    server.is_healthy();
}

/// (7.95)
#[test]
fn an_answer_that_arrived_while_the_server_was_stopped_is_in_time() {
    let folder = TempFolder::new();
    let server = starts(&folder);
    registers(&server, "chris").exits();
    let helper = pid(helper(&server));
    kill_process(helper, Signal::STOP).expect("the helper runs");
    let mut chris = Person::arrives(&server);
    chris.sends(format!("chris\n{PASSWORD}\n").as_bytes());
    chris.reads_until("? Password for chris:");
    let mut operator = Console::opens(&folder.path("console"));
    let until = now() + timeout();
    while !operator.runs("metrics").iter().any(|line| line.ends_with("account_queue 1")) {
        assert!(now() < until, "the server does not ask the helper");
    }
    server.signal(Signal::STOP);
    kill_process(helper, Signal::CONT).expect("the helper runs");
    // The deadline passes while the server is stopped.
    chris.reads_nothing_for(Duration::from_millis(10_500));
    server.signal(Signal::CONT);
    chris.reads_until("* Hello, chris");
}

/// (8.2.9, 8.4.4)
#[test]
fn a_console_whose_account_command_fails_at_once_goes_on() {
    let folder = TempFolder::new();
    let server = starts(&folder);
    registers(&server, "chris").exits();
    let mut operator = Console::opens(&folder.path("console"));
    let mut last = helper(&server);
    // Each death makes the wait for the next helper longer (7.95).
    for _ in 0..5 {
        kill(last);
        last = next_helper(&server, last);
    }
    kill(last);
    // The first command may still go to the dead one; the second finds none.
    for _ in 0..2 {
        operator.sends(b"account reset chris another horse\nbans\n");
        let answer = operator.reads_answer();
        assert!(answer.last().is_some_and(|line| line.starts_with("! ")), "{answer:?}");
        let answer = operator.reads_answer();
        assert!(answer.last().is_some_and(|line| line.contains("ban")), "{answer:?}");
    }
}

/// (3.4.4)
#[test]
fn a_script_signs_in_with_a_password_file() {
    let folder = TempFolder::new();
    let server = starts(&folder);
    registers(&server, "anna").exits();
    let address = server.address().to_string();
    let connect = |flags: &[&str]| {
        let connect = ["connect", &address, "--name", "anna"];
        run(&[&connect[..], flags].concat(), &[])
    };
    fs::write(folder.path("password"), format!("{PASSWORD}\n")).expect("a file");
    let joined = connect(&["--password-file", &folder.argument("password")]);
    assert!(
        joined.status.success() && joined.stdout.contains("* Hello, anna"),
        "{}",
        joined.stderr
    );
    assert!(!joined.stdout.contains("assword") && !joined.stdout.contains(PASSWORD));
    let without = connect(&[]);
    assert!(!without.status.success() && without.stderr.contains("--password-file"));
    // With `--only-name` no file is read, so the error must not propose one.
    let kept = run(&["connect", &address, "--only-name", "anna"], &[]);
    assert!(!kept.status.success() && kept.stderr.contains("in a terminal"), "{}", kept.stderr);
    assert!(!kept.stderr.contains("--password-file"), "{}", kept.stderr);
    fs::write(folder.path("password"), "wrong horse\n").expect("a file");
    let wrong = connect(&["--password-file", &folder.argument("password")]);
    assert!(!wrong.status.success() && wrong.stderr.contains("Wrong password"), "{}", wrong.stderr);
    let missing = connect(&["--password-file", &folder.argument("none")]);
    assert!(missing.stderr.contains("cannot read"), "{}", missing.stderr);
}

/// (3.4.4)
#[test]
fn telnet_does_not_show_a_password_that_is_typed() {
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    use std::os::unix::ffi::OsStrExt;
    if [("telnet", "--version"), ("setsid", "--version")]
        .iter()
        .any(|(name, flag)| Command::new(name).arg(flag).output().is_err())
    {
        return common::skip("telnet or setsid is not installed");
    }
    let folder = TempFolder::new();
    let server = starts(&folder);
    registers(&server, "anna").exits();
    let pty = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
    grantpt(&pty).and_then(|()| unlockpt(&pty)).expect("a new pty");
    let path = ptsname(&pty, Vec::new()).expect("a name");
    let path = std::path::Path::new(std::ffi::OsStr::from_bytes(path.as_bytes())).to_owned();
    let terminal = File::options().read(true).write(true).open(path).expect("the other side");
    let side = || Stdio::from(terminal.try_clone().expect("a handle"));
    let mut command = Command::new("setsid");
    // With a `-` telnet speaks telnet from the start, as on port 23.
    let port = format!("-{}", server.address().port());
    command.args(["-c", "-w", "telnet", "--", "127.0.0.1", &port]).env("TERM", "dumb");
    let child = command.stdin(side()).stdout(side()).stderr(side()).spawn().expect("installed");
    let pty = File::from(pty);
    let output = Box::new(pty.try_clone().expect("a handle"));
    let receiver =
        common::receiver::Receiver::new("telnet", output, common::receiver::Framing::Terminal);
    let mut anna = Person::uses_program(child, receiver, Box::new(pty));
    anna.reads_until(USERNAME);
    anna.says("anna");
    anna.reads_until("? Password for anna:");
    anna.sends(format!("{PASSWORD}\n").as_bytes());
    let lines = anna.reads_until(MENU);
    assert!(lines.iter().any(|line| line.contains("* Hello, anna")), "{lines:?}");
    assert!(!lines.iter().any(|line| line.contains("horse")), "it was shown: {lines:?}");
    anna.sends(b"1\n");
    let lines = anna.reads_until("- anna");
    assert!(lines.iter().any(|line| line.trim() == "1"), "typing shows again: {lines:?}");
}

/// (8.4.4)
#[test]
fn the_helper_does_not_grow_with_the_passwords_that_it_checks() {
    let folder = TempFolder::new();
    let server = starts(&folder);
    registers(&server, "anna").exits();
    let helper = helper(&server);
    let first = common::process::peak_kib(helper);
    for _ in 0..5 {
        signs_in(&server, "anna").exits();
    }
    let last = common::process::peak_kib(helper);
    report(&format!("memory of the helper: {first} KiB after one password, {last} after six"));
    assert!(last < first + 4 * 1024, "{first} {last}");
}
