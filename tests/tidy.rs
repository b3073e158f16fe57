//! The house rules that a machine can check: the walls around pure code, import cycles, the size of
//! files and functions, module heads, the README's length, and that `protocol.md`, the flags and the
//! tests name the same things.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use chinwag::cli::args::Cli;
use clap::CommandFactory;

const FILE_LINES_MAX: usize = 400;
const FUNCTION_LINES_MAX: usize = 60;
const HEAD_LINES_MAX: usize = 8;
const README_LINES_MAX: usize = 150;
const CELL_CHARACTERS_MAX: usize = 120;

/// Two modules explain a design and may say more: the tour, and the contract of transports.
const LONG_HEADS: [&str; 2] = ["src/lib.rs", "src/core/transport.rs"];

/// Sockets, files, clocks, threads, the environment, the log.
const IMPURE: [&str; 14] = [
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
];

/// The pure folders, and the folders on the other side of the wall that they must not name.
const WALLS: [(&str, &[&str]); 5] = [
    ("src/core", &["crate::server", "crate::client::", "crate::cli::"]),
    ("src/client/ui", &["crate::server", "crate::cli::", "client::io", "super::io"]),
    ("src/attack/kinds", &["crate::server", "crate::cli::", "crate::client", "peers::pool"]),
    ("src/crowd/people", &["crate::server", "crate::cli::", "crate::client", "peers::pool"]),
    ("src/watch/view", &["crate::server", "crate::cli::", "client::io", "super::io", "watch::io"]),
];

#[test]
fn pure_folders_know_no_socket_no_clock_no_thread_and_no_io() {
    for (folder, other_side) in WALLS {
        let files = sources(folder);
        assert!(files.len() > 3, "the files of {folder} were found");
        for path in files {
            let foreign = foreign_names(&read(&path), other_side);
            assert!(foreign.is_empty(), "{}: a pure module names {foreign:?}", path.display());
        }
    }
}

/// The forbidden names in a source, comments aside.
fn foreign_names(source: &str, other_side: &[&'static str]) -> Vec<String> {
    let mut found = Vec::new();
    for line in source.lines().filter(|line| !is_comment(line)) {
        for name in IMPURE.iter().chain(other_side) {
            found.extend(names(line, name).then(|| format!("{name}: {line}")));
        }
    }
    found
}

/// Whether `line` holds `name` where a word begins: `broadcast_log::` does not name `log::`.
fn names(line: &str, name: &str) -> bool {
    line.match_indices(name).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        before.is_none_or(|c| !c.is_alphanumeric() && c != '_')
    })
}

#[test]
fn no_module_imports_itself_through_others() {
    for folder in ["src", "benches/loopback"] {
        let imports = imports_of(folder);
        assert!(imports.len() > 10, "the modules of {folder} were found");
        let cycle = cycle_in(&imports);
        assert!(cycle.is_none(), "these modules of {folder} import each other: {cycle:?}");
    }
}

/// Which sibling modules each module names in `use` declarations. A module and its parent count as
/// one idea in several files: a parent declares its children, and `impl` blocks live in both.
fn imports_of(folder: &str) -> BTreeMap<String, BTreeSet<String>> {
    let base = root().join(folder);
    let module = |path: &Path| {
        let inner = path.strip_prefix(&base).unwrap().with_extension("");
        inner.to_str().unwrap().replace('/', "::")
    };
    let files = sources(folder).into_iter().filter(|path| !is_test_file(path));
    let files = files.map(|path| (module(&path), read(&path))).collect::<BTreeMap<_, _>>();
    let mut imports = BTreeMap::new();
    for (name, text) in &files {
        let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
        let used = used_paths(code).into_iter().map(|path| resolve(name, &path, folder));
        let known = used.filter_map(|path| longest_module(&path, &files));
        let related = |other: &String| {
            other == name
                || name.starts_with(&format!("{other}::"))
                || other.starts_with(&format!("{name}::"))
        };
        imports.insert(name.clone(), known.filter(|other| !related(other)).collect());
    }
    imports
}

/// The paths in the `use` declarations of a source, without what stands in braces.
fn used_paths(code: &str) -> Vec<String> {
    let uses = code.lines().filter_map(|line| {
        let line = line.trim_start();
        let line = line.strip_prefix("pub ").unwrap_or(line);
        line.strip_prefix("use ")
    });
    uses.map(|path| path.split(['{', ';']).next().unwrap().trim_end_matches("::").to_owned())
        .collect()
}

/// A path from `crate::`, `super::` or a child module, as a path from the folder's root.
fn resolve(module: &str, path: &str, folder: &str) -> String {
    if let Some(rest) = path.strip_prefix("crate::") {
        return rest.to_owned();
    }
    let mut parent = module.split("::").collect::<Vec<_>>();
    let mut rest = path;
    while let Some(after) = rest.strip_prefix("super::") {
        parent.pop();
        rest = after;
    }
    // The files beside `main.rs` of a benchmark name each other without a prefix only in `main.rs`.
    if rest == path && folder == "src" {
        return format!("{module}::{path}");
    }
    parent.push(rest);
    parent.join("::")
}

/// The module that a path lies in.
fn longest_module(path: &str, files: &BTreeMap<String, String>) -> Option<String> {
    let mut path = path.to_owned();
    while !files.contains_key(&path) {
        path.truncate(path.rfind("::")?);
    }
    Some(path)
}

/// A way from some module back to itself.
fn cycle_in(imports: &BTreeMap<String, BTreeSet<String>>) -> Option<Vec<String>> {
    imports.keys().find_map(|start| {
        let mut ways = vec![vec![start.clone()]];
        let mut seen = BTreeSet::new();
        while let Some(way) = ways.pop() {
            for next in imports.get(way.last()?).into_iter().flatten() {
                let way = way.iter().chain([next]).cloned().collect::<Vec<_>>();
                if next == start {
                    return Some(way);
                }
                if seen.insert(next.clone()) {
                    ways.push(way);
                }
            }
        }
        None
    })
}

#[test]
fn files_functions_and_module_heads_stay_small() {
    for path in sources("src") {
        let text = read(&path);
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
        let is_long = code.lines().count() > FILE_LINES_MAX;
        assert!(!is_long || is_test_file(&path), "{} is too long", path.display());
        let head = head_lines(&text);
        assert!(head > 0, "{} does not say what it does", path.display());
        let may_be_long = LONG_HEADS.iter().any(|long| path.ends_with(long));
        assert!(head <= HEAD_LINES_MAX || may_be_long, "{}: {head} lines", path.display());
    }
    for path in sources("src").into_iter().chain(sources("tests")).chain(sources("benches")) {
        for (name, lines) in functions(&read(&path)) {
            assert!(lines <= FUNCTION_LINES_MAX, "{}: {name} has {lines} lines", path.display());
        }
    }
}

/// How many lines of `//!` a source begins with, empty ones aside.
fn head_lines(text: &str) -> usize {
    text.lines().take_while(|line| line.starts_with("//!")).filter(|line| *line != "//!").count()
}

fn is_test_file(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == "tests.rs")
        || path.components().any(|part| part.as_os_str() == "tests")
}

/// A rung of the ladder is read in one sitting; the last one is a whole server.
#[test]
fn every_program_of_the_ladder_is_one_short_file() {
    let programs = sources("lessons");
    assert!(programs.len() >= 24, "the programs were found");
    for path in programs {
        let is_last = path.components().any(|part| part.as_os_str() == "12-a-small-chinwag");
        let most = if is_last { 500 } else { 150 };
        assert!(read(&path).lines().count() <= most, "{} is too long", path.display());
    }
}

#[test]
fn the_readme_is_short_and_no_cell_of_the_protocol_is_wide() {
    let readme = read(&root().join("README.md"));
    assert!(readme.lines().count() <= README_LINES_MAX, "README.md is too long");
    let protocol = read(&root().join("protocol.md"));
    assert_eq!(wide_cells(&protocol), [""; 0], "protocol.md has wide cells");
}

fn wide_cells(text: &str) -> Vec<&str> {
    let rows = text.lines().filter(|line| line.starts_with('|'));
    let cells = rows.flat_map(|row| row.split('|')).map(str::trim);
    cells.filter(|cell| cell.chars().count() > CELL_CHARACTERS_MAX).collect()
}

#[test]
fn every_clause_of_the_protocol_is_checked_by_a_test() {
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
    let unchecked = clauses.difference(&named).collect::<Vec<_>>();
    assert!(unchecked.is_empty(), "no test names these clauses: {unchecked:?}");
    let is_rule = |number: &&String| number.split('.').count() == 3 && number.len() < 8;
    let unknown = named.difference(&clauses).filter(is_rule).collect::<Vec<_>>();
    assert!(unknown.is_empty(), "tests name clauses that do not exist: {unknown:?}");
}

#[test]
fn every_limit_with_a_flag_stands_in_the_protocol_with_its_default() {
    let protocol = read(&root().join("protocol.md"));
    let command = Cli::command();
    let serve = command.find_subcommand("serve").unwrap();
    let flags = serve.get_arguments().filter(|arg| arg.get_help_heading() == Some("Limits"));
    let mut count = 0;
    for flag in flags {
        let name = format!("`--{}`", flag.get_long().unwrap());
        let row = protocol.lines().find(|line| line.contains(&name));
        let row = row.unwrap_or_else(|| panic!("protocol.md does not name {name}"));
        for default in flag.get_default_values() {
            let default = with_separators(default.to_str().unwrap())
                .replace('k', " KiB")
                .replace('m', " MiB");
            assert!(row.contains(&default), "{name} has the default {default}: {row}");
        }
        count += 1;
    }
    let limits = protocol.lines().filter(|line| line.starts_with("| 7."));
    let written = limits.map(|row| row.matches("`--").count()).sum::<usize>();
    assert_eq!(written, count, "protocol.md names only flags that exist");
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
fn the_main_branch_has_no_unfinished_work() {
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

/// The clauses that a text names: numbers with points in brackets, such as `(4.1.2, 7.1)`.
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
    assert_eq!(clause_of("| 7.7 | high-water mark |").unwrap(), "7.7");
    assert_eq!(clause_of("- 4.6.5 A request"), Some("4.6.5".to_owned()));
    assert_eq!(clause_of("| --- | --- |"), None);
    assert_eq!(foreign_names("// std::io\nuse std::io;", &[]).len(), 1);
    assert_eq!(foreign_names("use crate::server::Server;", &["crate::server"]).len(), 1);
    assert!(foreign_names("use super::broadcast_log::Cursor;", &[]).is_empty());
    assert_eq!(wide_cells(&format!("| a | {} |", "x".repeat(CELL_CHARACTERS_MAX + 1))).len(), 1);
    assert_eq!(head_lines("//! One.\n//!\n//! Two.\n\n//! No."), 2);
    let imports = |pairs: &[(&str, &str)]| {
        let mut imports = BTreeMap::<String, BTreeSet<String>>::new();
        for (from, to) in pairs {
            imports.entry((*from).to_owned()).or_default().insert((*to).to_owned());
        }
        imports
    };
    assert!(cycle_in(&imports(&[("a", "b"), ("b", "c"), ("a", "c")])).is_none());
    assert!(cycle_in(&imports(&[("a", "b"), ("b", "c"), ("c", "b")])).is_some());
    assert_eq!(used_paths("pub use a::{B, C};\nuse super::d::E;"), ["a", "super::d::E"]);
    assert_eq!(resolve("core::chat::output", "super::name::Name", "src"), "core::chat::name::Name");
    assert_eq!(clauses_named("== no (4.6.3, 7.14)\n// see (RFC 854, 3)"), ["4.6.3", "7.14"]);
}
