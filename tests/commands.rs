//! Every command in every state: the table of `protocol.md` 5.1 is the test. Each cell is tried in a
//! scene of its own, with each spelling of its row.

#[path = "common/scene.rs"]
mod scene;

use std::collections::BTreeMap;

use scene::Scene;

const MENU: &str = "? 1 list users, 2 request chat, 3 exit, 4 join a room, 5 list rooms";
const WHOM: &str = "? Chat with whom?";
const NEW_PASSWORD: &str = "? New password for U:";

/// A row of the first table: the spellings of a command, and a cell for each state.
struct Row {
    commands: Vec<String>,
    cells: Vec<String>,
}

/// A row of the second table: what a cell means.
struct Meaning {
    /// How the line begins that the user reads.
    line: String,
    after: String,
}

struct Table {
    states: Vec<String>,
    rows: Vec<Row>,
    meanings: BTreeMap<String, Meaning>,
}

/// (5.1.1, 5.1.2, 5.1.3, 4.8.8, 4.8.12)
#[test]
fn every_command_in_every_state_does_what_its_cell_says() {
    let table = table_of(include_str!("../protocol.md"));
    assert!(table.states.len() == 9 && table.rows.len() >= 19, "the table was found");
    let mut checked = 0;
    for Row { commands, cells } in &table.rows {
        assert_eq!(cells.len(), table.states.len(), "{commands:?} has a cell for each state");
        for (state, cell) in table.states.iter().zip(cells) {
            let meaning = table.meanings.get(cell);
            let meaning = meaning.unwrap_or_else(|| panic!("{cell:?} has no meaning"));
            for command in commands {
                check_cell(state, command, cell, meaning);
                checked += 1;
            }
        }
    }
    assert!(checked > 250, "{checked} lines were tried");
    let used = table.rows.iter().flat_map(|row| &row.cells).collect::<Vec<_>>();
    let unused = table.meanings.keys().filter(|cell| !used.contains(cell)).collect::<Vec<_>>();
    assert!(unused.is_empty(), "no cell says {unused:?}");
}

/// The words of the menu do the same without a `/` (4.3.1, 5.1.1).
#[test]
fn at_the_prompts_each_word_works_without_a_slash_too() {
    let table = table_of(include_str!("../protocol.md"));
    let prompts = ["MENU", "ASKING B", "ASKED by A"];
    for Row { commands, cells } in
        table.rows.iter().filter(|row| !row.cells[1].ends_with("unknown"))
    {
        for (state, cell) in table.states.iter().zip(cells) {
            let words = commands.iter().filter_map(|command| command.strip_prefix('/'));
            let words = words.filter(|word| !word.starts_with('/'));
            for word in words.filter(|_| prompts.contains(&state.as_str())) {
                check_cell(state, word, cell, &table.meanings[cell]);
            }
        }
    }
}

fn check_cell(state: &str, command: &str, cell: &str, meaning: &Meaning) {
    let what = format!("{command:?} in {state}, {cell:?}");
    let mut scene = Scene::with_accounts(["A", "B", "C", "D", "E"]);
    bring_to(&mut scene, state);
    scene.says("U", command);
    let read = scene.reads("U");
    let others = ["A", "B", "C", "D"].map(|name| scene.reads(name));
    if cell == "said" {
        let reader = if state.starts_with("CHATTING") { &others[1] } else { &others[3] };
        let text = command.rsplit_once(' ').map_or(&command[1..], |(_, text)| text);
        let said = format!("U: {}\n", if command.contains("me ") { "*hi*" } else { text });
        assert_eq!(*reader, said, "{what}");
    } else {
        let is_refused = read.starts_with("! ");
        assert_eq!(is_refused, cell.starts_with("! "), "{what}: {read}");
        assert!(read.lines().any(|line| begins_as(line, &meaning.line)), "{what}: {read}");
    }
    let reaches_others = ["said", "asks", "enters", "moves", "leaves", "asked"].contains(&cell)
        || ["withdraws", "accepts", "declines", "ends"].contains(&cell);
    assert!(reaches_others || others.iter().all(String::is_empty), "{what}: {others:?}");
    check_state(&mut scene, state, cell, &meaning.after, &read, &what);
}

/// Checks the state of U: what others see in the list, and which prompt U reads last.
fn check_state(scene: &mut Scene, before: &str, cell: &str, after: &str, read: &str, what: &str) {
    let stays_in_room = before.starts_with("IN ROOM") && cell == "declines";
    let after = match after {
        "as before" if before == "CHOOSING" && cell.starts_with("! ") => "MENU",
        "as before" => before,
        _ if stays_in_room => "IN ROOM",
        after => after.split(';').next().unwrap_or_default(),
    };
    let row = match after {
        "NAMING" | "" => "",
        "MENU" | "CHOOSING" => "- U available",
        "ASKING B" => "- U asking B",
        "ASKING C" => "- U asking C",
        "ASKED by A" | "IN ROOM, asked" => "- U asked by A",
        "CHATTING with A" => "- U chatting with A",
        "CHATTING with B" => "- U chatting with B",
        // Others see that nobody can ask.
        "PASSWORD" => "- U available",
        "IN ROOM" if cell == "moves" || what.contains("tea") && cell == "enters" => "- U in tea",
        "IN ROOM" => "- U in lobby",
        after => panic!("no such state: {after}"),
    };
    scene.says("E", "/list u");
    let seen = scene.reads("E");
    // Whoever has set `busy` shows it.
    let is_seen = |line: &str| {
        let line = line.replace(" busy", " available").replace(", available", "");
        line == row
    };
    let rows = seen.lines().filter(|line| line.starts_with("- ")).collect::<Vec<_>>();
    match row {
        "" => assert!(rows.is_empty(), "{what}: {seen}"),
        _ => assert!(rows.len() == 1 && is_seen(rows[0]), "{what}: {row} is not {rows:?}"),
    }
    let last = read.lines().last().unwrap_or_default();
    match after {
        "NAMING" => assert_eq!(last, "? Username:", "{what}"),
        "MENU" => assert_eq!(last, MENU, "{what}"),
        "CHOOSING" => assert_eq!(last, WHOM, "{what}"),
        "PASSWORD" => assert_eq!(last, NEW_PASSWORD, "{what}"),
        _ => {}
    }
}

/// U enters a state; nobody has anything left to read.
fn bring_to(scene: &mut Scene, state: &str) {
    scene.says("D", "4");
    scene.connects("U");
    if state != "NAMING" {
        scene.says("U", "U");
    }
    let says = |scene: &mut Scene, script: &[(&str, &str)]| {
        script.iter().for_each(|(who, line)| scene.says(who, line));
    };
    match state {
        "NAMING" | "MENU" => {}
        "CHOOSING" => scene.says("U", "2"),
        "ASKING B" => scene.says("U", "2 B"),
        "ASKED by A" => scene.says("A", "2 U"),
        "CHATTING with B" => says(scene, &[("U", "2 B"), ("B", "yes")]),
        "PASSWORD" => scene.says("U", "register"),
        "IN ROOM" => scene.says("U", "4"),
        "IN ROOM, asked" => says(scene, &[("U", "4"), ("A", "2 U")]),
        state => panic!("no such state: {state}"),
    }
    for name in ["A", "B", "C", "D", "E", "U"] {
        scene.reads(name);
    }
}

/// Whether a line begins as a pattern says. `N` stands for a number.
fn begins_as(line: &str, pattern: &str) -> bool {
    match pattern.split_once(" N ") {
        None => line.starts_with(pattern),
        Some((before, after)) => {
            let rest = line.strip_prefix(before).and_then(|rest| rest.strip_prefix(' '));
            let number = rest.and_then(|rest| rest.split_once(' '));
            number.is_some_and(|(number, rest)| {
                number.parse::<u32>().is_ok() && rest.starts_with(after)
            })
        }
    }
}

/// Reads the two tables of 5.1.
fn table_of(protocol: &str) -> Table {
    let section = protocol.split("### 5.1 ").nth(1).unwrap_or_default();
    let section = section.split("### 5.2 ").next().unwrap_or_default();
    let lines = section.lines().filter(|line| line.starts_with('|') && !line.contains("---"));
    let mut lines = lines.map(cells_of);
    let states = lines.next().unwrap_or_default().split_off(1);
    let (mut rows, mut meanings) = (Vec::new(), BTreeMap::new());
    for cells in lines {
        match &cells[..] {
            [cell, ..] if cell == "cell" => {}
            [cell, line, after] => {
                let line = quoted(line).into_iter().next().unwrap_or_default();
                meanings.insert(cell.clone(), Meaning { line, after: after.clone() });
            }
            [commands, cells @ ..] => {
                rows.push(Row { commands: quoted(commands), cells: cells.to_vec() });
            }
            [] => {}
        }
    }
    Table { states, rows, meanings }
}

fn cells_of(line: &str) -> Vec<String> {
    let inner = line.trim().trim_start_matches('|').trim_end_matches('|');
    inner.split('|').map(|cell| cell.trim().to_owned()).collect()
}

/// What stands between backquotes.
fn quoted(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}
