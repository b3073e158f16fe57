//! The house rules that a machine can hold: the wall round the core, the size of rooms, and that the
//! protocol, the flags and the tests speak of the same things.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use chinwag::cli::args::Cli;
use clap::CommandFactory;

const FILE_LINES_MAX: usize = 400;
const FUNCTION_LINES_MAX: usize = 60;

/// What the core must not name: sockets, clocks, threads, I/O, the log, and the rooms of the shell.
const FOREIGN_TO_THE_CORE: [&str; 16] = [
    "mio::",
    "socket2",
    "rustix",
    "signal_hook",
    "std::net",
    "std::io",
    "std::fs",
    "std::env",
    "std::thread",
    "std::time",
    "Instant",
    "SystemTime",
    "println!",
    "log::",
    "crate::server",
    "crate::client",
];

#[test]
fn the_core_knows_no_socket_no_clock_no_thread_and_no_io() {
    let core = ["chat", "console", "wire", "exchange", "time", "limits", "session_id"];
    let is_core = |path: &Path| {
        let inner = path.strip_prefix(root().join("src")).unwrap();
        let room = inner.components().next().unwrap().as_os_str().to_str().unwrap();
        core.contains(&room.trim_end_matches(".rs"))
    };
    let files = sources("src").into_iter().filter(|path| is_core(path)).collect::<Vec<_>>();
    assert!(files.len() > 15, "the core was found");
    for path in files {
        for (n, line) in read(&path).lines().enumerate().filter(|(_, line)| !is_comment(line)) {
            for foreign in FOREIGN_TO_THE_CORE {
                assert!(
                    !line.contains(foreign),
                    "{}:{}: the core names {foreign}",
                    path.display(),
                    n + 1
                );
            }
        }
    }
}

#[test]
fn no_file_and_no_function_outgrows_its_room() {
    for path in sources("src") {
        let text = read(&path);
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
        let is_long = code.lines().count() > FILE_LINES_MAX;
        assert!(!is_long || path.ends_with("tests.rs"), "{} is too long", path.display());
        assert!(text.starts_with("//!"), "{} does not say what lives in it", path.display());
    }
    for path in sources("src").into_iter().chain(sources("tests")).chain(sources("benches")) {
        for (name, lines) in functions(&read(&path)) {
            assert!(lines <= FUNCTION_LINES_MAX, "{}: {name} has {lines} lines", path.display());
        }
    }
}

#[test]
fn every_clause_of_the_protocol_is_held_by_a_test() {
    let protocol = read(&root().join("protocol.md"));
    let clauses = protocol.lines().filter_map(clause_of).collect::<BTreeSet<_>>();
    assert!(clauses.len() > 60, "the clauses were found: {clauses:?}");
    let beside_the_code = sources("src").into_iter().filter_map(|path| {
        let text = read(&path);
        let is_test = path.file_name().is_some_and(|name| name == "tests.rs");
        text.split_once("#[cfg(test)]")
            .filter(|_| !is_test)
            .map_or(is_test.then(|| text.clone()), |(_, tests)| Some(tests.to_owned()))
    });
    let elsewhere = sources("tests").into_iter().chain(files_in("tests", "txt"));
    let tests = beside_the_code.chain(elsewhere.map(|path| read(&path)));
    let named = tests.flat_map(|test| clauses_named(&test)).collect::<BTreeSet<_>>();
    let unheld = clauses.difference(&named).collect::<Vec<_>>();
    assert!(unheld.is_empty(), "no test names these clauses: {unheld:?}");
}

#[test]
fn every_bound_with_a_flag_stands_in_the_protocol_with_its_default() {
    let protocol = read(&root().join("protocol.md"));
    let command = Cli::command();
    let serve = command.find_subcommand("serve").unwrap();
    let flags = serve.get_arguments().filter(|arg| arg.get_help_heading() == Some("Bounds"));
    let mut count = 0;
    for flag in flags {
        let name = format!("`--{}`", flag.get_long().unwrap());
        let row = protocol.lines().find(|line| line.contains(&name));
        let row = row.unwrap_or_else(|| panic!("protocol.md does not speak of {name}"));
        for default in flag.get_default_values() {
            let default = with_separators(default.to_str().unwrap()).replace('k', " KiB");
            assert!(row.contains(&default), "{name} has the default {default}: {row}");
        }
        count += 1;
    }
    let bounds = protocol.lines().filter(|line| line.starts_with("| 5."));
    let written = bounds.map(|row| row.matches("`--").count()).sum::<usize>();
    assert_eq!(written, count, "protocol.md speaks of flags that there are");
}

/// `1024` as the protocol writes it: `1,024`.
fn with_separators(number: &str) -> String {
    match number.len() {
        4.. if number.parse::<u64>().is_ok() => {
            let (thousands, rest) = number.split_at(number.len() - 3);
            format!("{},{rest}", with_separators(thousands))
        }
        _ => number.to_owned(),
    }
}

#[test]
fn nothing_is_left_to_be_done_in_passing() {
    for path in sources("src").into_iter().filter(|path| !path.ends_with("tests.rs")) {
        for line in read(&path).split("#[cfg(test)]").next().unwrap().lines() {
            for word in ["TODO", "FIXME", "XXX", "todo!", "unimplemented!", ".unwrap()"] {
                assert!(!line.contains(word), "{}: {line}", path.display());
            }
        }
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn sources(folder: &str) -> Vec<PathBuf> {
    files_in(folder, "rs")
}

fn files_in(folder: &str, extension: &str) -> Vec<PathBuf> {
    let mut folders = vec![root().join(folder)];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(folder) else { continue };
        for path in entries.map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                files.push(path);
            }
        }
    }
    files
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

fn is_comment(line: &str) -> bool {
    line.trim_start().starts_with("//")
}

/// The functions of a source, with how many lines each has: from its signature to the brace that
/// stands as far in as it does.
fn functions(source: &str) -> Vec<(String, usize)> {
    let lines = source.lines().collect::<Vec<_>>();
    let mut found = Vec::new();
    for (n, line) in lines.iter().enumerate() {
        let code = line.trim_start();
        let Some(at) = code.find("fn ").filter(|_| !is_comment(line) && line.ends_with(['{', '(']))
        else {
            continue;
        };
        let close = format!("{}}}", &line[..line.len() - code.len()]);
        let length = lines[n..].iter().position(|line| *line == close).map_or(0, |end| end + 1);
        found.push((code[at..].chars().take_while(|c| *c != '(').collect(), length));
    }
    found
}

/// The clause that a line of the protocol states: `| 1.2 | …` or `- 3.1.2 …`.
fn clause_of(line: &str) -> Option<String> {
    let rest = line.strip_prefix("| ").or(line.strip_prefix("- "))?;
    let number = rest.split(' ').next()?;
    let is_number =
        number.contains('.') && number.split('.').all(|part| part.parse::<u8>().is_ok());
    is_number.then(|| number.to_owned())
}

/// The clauses that a text names: numbers with points in brackets, such as `(3.1.2, 5.1)`.
fn clauses_named(text: &str) -> Vec<String> {
    let inside = |part: &str| part.split(')').next().unwrap_or_default().to_owned();
    let brackets = text.split('(').skip(1).map(inside);
    let words =
        brackets.flat_map(|inside| inside.split([',', ' ']).map(str::to_owned).collect::<Vec<_>>());
    words.filter(|word| clause_of(&format!("- {word} ")).is_some()).collect()
}

#[test]
fn these_rules_can_fail() {
    let long = format!("fn long() {{\n{}}}\n", "    step();\n".repeat(FUNCTION_LINES_MAX));
    assert_eq!(functions(&long), [("fn long".to_owned(), FUNCTION_LINES_MAX + 2)]);
    assert_eq!(["86400", "64k", "60"].map(with_separators), ["86,400", "64k", "60"]);
    assert_eq!(clause_of("| 5.10 | high-water mark |").unwrap(), "5.10");
    assert_eq!(clause_of("- 3.6.5 A request"), Some("3.6.5".to_owned()));
    assert_eq!(clause_of("| --- | --- |"), None);
    assert_eq!(clauses_named("== no (3.6.2, 5.6)\n// see (RFC 854, 3)"), ["3.6.2", "5.6"]);
}
