//! The history store with a real folder and a real exchange, in whose rooms users talk.

use super::*;
use crate::core::SessionId;
use crate::core::chat::Record;
use crate::core::exchange::{Action, Exchange};
use crate::core::limits::{HISTORY_LINES_MAX, HISTORY_STEP_BYTES, Limits};
use memchr::memchr_iter;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A temporary folder. Dropping this value removes the folder.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("chinwag-{name}-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).unwrap();
        Folder(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn current(&self) -> PathBuf {
        self.path(CURRENT)
    }

    /// The records on the disk, as the next server would read them.
    fn lines(&self) -> Vec<String> {
        let copy = Folder::new("copy");
        for name in [CURRENT, OLD] {
            drop(fs::copy(self.path(name), copy.path(name)));
        }
        let stored = StoredHistory::open(&copy.0).unwrap();
        stored.records().map(|record| format!("{} {}", record.room, record.line)).collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

/// A server without sockets: an exchange and its store.
struct Rig {
    exchange: Exchange,
    store: HistoryStore,
    now: Time,
}

impl Rig {
    fn start(folder: &Folder) -> Rig {
        Rig::start_with(folder, Limits { room_line_ms: 0, ..Limits::default() })
    }

    fn start_with(folder: &Folder, limits: Limits) -> Rig {
        let stored = StoredHistory::open(&folder.0).unwrap();
        let mut exchange = Exchange::new(limits);
        exchange.handle_start(1_000_000, stored.records());
        let store = stored.into_store(&exchange).unwrap();
        exchange.start_recording();
        Rig { exchange, store, now: Time::START }
    }

    /// The user with this number enters a room.
    fn enters(&mut self, user: usize, room: &str) {
        let id = SessionId::from_key(user);
        self.exchange.handle_connect(self.now, id);
        self.types(user, &format!("user{user}\n4 {room}\n"));
    }

    fn types(&mut self, user: usize, text: &str) {
        let id = SessionId::from_key(user);
        for line in text.split_inclusive('\n') {
            self.exchange.handle_received(self.now, id, line.as_bytes());
            self.store_records();
            self.write_all();
        }
    }

    fn says(&mut self, user: usize, text: &str) {
        self.types(user, &format!("{text}\n"));
    }

    fn store_records(&mut self) {
        if !self.exchange.records().is_empty() {
            self.store.append(self.now, self.exchange.records());
            self.exchange.clear_records();
        }
    }

    fn write_all(&mut self) {
        while let Some(action) = self.exchange.poll_action() {
            let Action::Write(id) = action else { continue };
            while !self.exchange.output(id).is_empty() {
                let count = self.exchange.output(id).len();
                self.exchange.handle_sent(self.now, id, count);
            }
        }
    }

    fn waits(&mut self, ms: u64) {
        self.now = self.now.after_ms(ms);
    }

    /// Turns until the store has nothing more to do now. Returns how many.
    fn tends(&mut self) -> usize {
        for turn in 1..10_000 {
            self.store.tend(self.now, &self.exchange);
            if !self.store.has_work() {
                return turn;
            }
        }
        panic!("the rewrite does not end");
    }
}

fn record(n: usize) -> String {
    let mut record = String::new();
    let line = format!("anna: {n}");
    Record { said_at: 999_000, room: "lobby", line: &line }.encode(&mut record);
    record
}

/// (6.3.3)
#[test]
fn complete_records_survive_a_cut_at_every_byte_of_the_file() {
    let folder = Folder::new("cut");
    let mut rig = Rig::start(&folder);
    rig.store.append(rig.now, record(1).as_bytes());
    rig.store.append(rig.now, record(2).as_bytes());
    drop(rig);
    let whole = fs::read(folder.current()).unwrap();
    for cut in 0..=whole.len() {
        fs::write(folder.current(), &whole[..cut]).unwrap();
        let expected = memchr_iter(b'\n', &whole[..cut]).count().saturating_sub(1);
        assert_eq!(folder.lines().len(), expected, "cut at {cut}");
        let mut rig = Rig::start(&folder);
        rig.store.append(rig.now, record(3).as_bytes());
        drop(rig);
        assert_eq!(folder.lines().last().unwrap(), "lobby anna: 3", "cut at {cut}");
    }
}

/// (6.3.3)
#[test]
fn a_file_that_is_not_ours_is_refused_and_not_changed() {
    let folder = Folder::new("garbage");
    let error = || StoredHistory::open(&folder.0).unwrap_err().to_string();
    for garbage in [&b"\x00\xffgarbage"[..], b"chinwag rooms 2\n", b"5 words\n"] {
        fs::write(folder.current(), garbage).unwrap();
        assert!(error().contains("rooms.log is not a history of chinwag"), "{}", error());
        assert_eq!(fs::read(folder.current()).unwrap(), garbage);
    }
    fs::remove_file(folder.current()).unwrap();
    fs::create_dir(folder.current()).unwrap();
    assert!(error().contains("rooms.log is not a regular file"), "{}", error());
    fs::remove_dir(folder.current()).unwrap();
    symlink("precious", folder.current()).unwrap();
    assert!(error().contains("rooms.log is not a regular file"), "{}", error());
    assert!(StoredHistory::open(&folder.path("none")).is_err());
    assert!(StoredHistory::open(Path::new("/dev/null")).is_err());
}

/// (6.3.3)
#[test]
fn an_invalid_record_does_not_affect_other_records() {
    let folder = Folder::new("broken");
    let broken = "12 1000 lobby x\n\n\u{7}\n99 1000 lobby anna: y\n";
    let header = str::from_utf8(HEADER).unwrap();
    let content = [header, &record(1), broken, &record(2)].concat();
    fs::write(folder.current(), content).unwrap();
    assert_eq!(folder.lines(), ["lobby anna: 1", "lobby anna: 2"]);
}

#[test]
fn a_second_server_cannot_use_the_same_folder() {
    let folder = Folder::new("two");
    let first = Rig::start(&folder);
    let error = StoredHistory::open(&folder.0).unwrap_err().to_string();
    assert!(error.ends_with("another server uses it"), "{error}");
    drop(first);
    Rig::start(&folder);
}

/// (6.3.3, 7.6)
#[test]
fn a_full_file_is_written_anew_and_keeps_the_lines_of_every_room() {
    let folder = Folder::new("full-file");
    let mut rig = Rig::start(&folder);
    rig.enters(0, "quiet");
    rig.says(0, "still here");
    rig.enters(1, "loud");
    let long = "x".repeat(1_000);
    let enough = HISTORY_APPENDED_BYTES_MAX / long.len();
    for n in 0..2 * enough {
        rig.says(1, &long);
        if n % 64 == 0 {
            rig.tends();
        }
    }
    rig.says(1, "the last");
    let size = fs::metadata(folder.current()).unwrap().len() as usize;
    assert!(size < HISTORY_APPENDED_BYTES_MAX + 100 * 1_024, "{size}");
    let kept = folder.lines();
    for line in ["quiet user0: still here", "loud user1: the last"] {
        assert!(kept.iter().any(|kept| kept == line), "{line}");
    }
}

/// (6.3.3, 7.62)
#[test]
fn forgotten_history_leaves_the_disk_at_the_start_and_within_an_hour() {
    let folder = Folder::new("forgotten");
    let limits = Limits { room_history_ms: 60_000, room_line_ms: 0, ..Limits::default() };
    let mut rig = Rig::start_with(&folder, limits.clone());
    rig.enters(0, "tea");
    for n in 0..=HISTORY_LINES_MAX {
        rig.says(0, &format!("line {n}"));
    }
    assert_eq!(folder.lines().len(), HISTORY_LINES_MAX + 1);
    rig.waits(HISTORY_REWRITE_MS);
    assert_eq!(rig.store.next_deadline(), rig.store.check_at, "an earlier deadline");
    rig.tends();
    rig.tends();
    let kept = folder.lines();
    assert_eq!((kept.len(), kept[0].as_str()), (HISTORY_LINES_MAX, "tea user0: line 1"));
    rig.types(0, "quit\n3\n");
    rig.waits(60_000);
    rig.exchange.handle_timeout(rig.now);
    rig.tends();
    assert!(!folder.path(OLD).exists(), "the file of before is gone after a minute");
    rig.waits(HISTORY_REWRITE_MS);
    rig.tends();
    rig.tends();
    assert_eq!(fs::read(folder.current()).unwrap(), HEADER);
    rig.waits(HISTORY_OLD_FILE_MS);
    rig.tends();
    assert_eq!(rig.store.next_deadline(), None, "an empty store lets the server sleep");
    drop(rig);
    fs::write(folder.current(), [HEADER, record(1).as_bytes()].concat()).unwrap();
    Rig::start_with(&folder, limits);
    assert_eq!(fs::read(folder.current()).unwrap(), HEADER, "the line is 1,000 s old");
}

/// (6.3.3)
#[test]
fn lines_that_are_said_during_a_rewrite_are_kept_once_and_in_order() {
    let folder = Folder::new("meanwhile");
    let mut rig = Rig::start(&folder);
    let rooms = ["a", "M", "m2", "z"];
    for (user, room) in rooms.into_iter().enumerate() {
        rig.enters(user, room);
    }
    // Enough rooms that the rewrite takes many steps.
    for n in 0..30 {
        rig.enters(10 + n, &format!("n{n}"));
        (0..32).for_each(|_| rig.says(10 + n, &"x".repeat(1_000)));
    }
    rig.store.rewrite_at = Some(rig.now);
    let mut expected = [0; 4];
    for turn in 0.. {
        for (user, count) in expected.iter_mut().enumerate() {
            rig.says(user, &count.to_string());
            *count += 1;
        }
        rig.store.tend(rig.now, &rig.exchange);
        if turn > 0 && !rig.store.has_work() {
            break;
        }
    }
    assert!(expected[0] > 30 * 32_000 / (HISTORY_STEP_BYTES + 40_000), "in steps: {expected:?}");
    let kept = folder.lines();
    for (user, room) in rooms.into_iter().enumerate() {
        let start = format!("{room} user{user}: ");
        let said = kept.iter().filter_map(|line| line.strip_prefix(&start)).collect::<Vec<_>>();
        let all = (0..expected[user]).map(|n| n.to_string()).collect::<Vec<_>>();
        assert_eq!(said, all, "{room}");
    }
}

/// (6.3.3)
#[test]
fn a_crash_during_a_rewrite_leaves_one_complete_file() {
    let folder = Folder::new("crash");
    let mut rig = Rig::start(&folder);
    rig.enters(0, "tea");
    rig.says(0, "hello");
    let current = fs::read(folder.current()).unwrap();
    fs::write(folder.path(TEMPORARY), &current[..20]).unwrap();
    assert_eq!(folder.lines(), ["tea user0: hello"]);
    // Between the two renames, and after a power failure.
    fs::rename(folder.current(), folder.path(OLD)).unwrap();
    assert_eq!(folder.lines(), ["tea user0: hello"]);
    fs::write(folder.current(), "").unwrap();
    assert_eq!(folder.lines(), ["tea user0: hello"]);
    drop(rig);
    Rig::start(&folder);
    assert!(!folder.path(TEMPORARY).exists() && !folder.path(OLD).exists());
    assert_eq!(folder.lines(), ["tea user0: hello"]);
}

/// (6.3.3, 7.63)
#[test]
fn after_a_full_disk_the_missing_lines_are_written_from_memory() {
    let folder = Folder::new("full");
    let mut rig = Rig::start(&folder);
    rig.enters(0, "tea");
    rig.says(0, "1");
    let working = std::mem::replace(&mut rig.store.file, File::open(folder.current()).unwrap());
    fs::create_dir(folder.path(TEMPORARY)).unwrap();
    rig.says(0, "2");
    assert_eq!(rig.store.state, StoreState::Failing);
    rig.waits(HISTORY_RETRY_MS);
    rig.tends();
    assert!(rig.store.rewrite_fails);
    fs::remove_dir(folder.path(TEMPORARY)).unwrap();
    rig.store.file = working;
    rig.store.file.write_all(b"part of a rec").unwrap();
    rig.says(0, "3");
    assert_eq!(rig.store.state, StoreState::Working);
    assert_eq!(folder.lines(), ["tea user0: 1", "tea user0: 3"]);
    rig.waits(HISTORY_RETRY_MS);
    rig.tends();
    rig.tends();
    assert_eq!(folder.lines(), ["tea user0: 1", "tea user0: 2", "tea user0: 3"]);
}

/// (6.3.3)
#[test]
fn a_file_that_cannot_be_written_anew_does_not_grow_for_ever() {
    let folder = Folder::new("endless");
    let mut rig = Rig::start(&folder);
    fs::create_dir(folder.path(TEMPORARY)).unwrap();
    let many = record(7).repeat(HISTORY_APPENDED_BYTES_MAX / 4 / record(7).len());
    for _ in 0..20 {
        rig.store.append(rig.now, many.as_bytes());
        rig.tends();
    }
    let size = fs::metadata(folder.current()).unwrap().len() as usize;
    assert!(size <= 2 * HISTORY_APPENDED_BYTES_MAX + HEADER.len(), "{size}");
    assert_eq!(rig.store.state, StoreState::Failing);
}

/// (6.3.3, 7.63)
#[test]
fn a_removed_folder_is_noticed_and_written_again_from_memory() {
    let folder = Folder::new("removed");
    let mut rig = Rig::start(&folder);
    rig.enters(0, "tea");
    rig.says(0, "1");
    fs::remove_dir_all(&folder.0).unwrap();
    rig.says(0, "2");
    rig.waits(HISTORY_CHECK_MS);
    assert_eq!(rig.store.next_deadline(), Some(rig.now));
    rig.store.tend(rig.now, &rig.exchange);
    assert_eq!(rig.store.state, StoreState::Removed);
    rig.says(0, "3");
    rig.tends();
    assert_eq!(rig.store.state, StoreState::Working);
    rig.says(0, "4");
    let all = [1, 2, 3, 4].map(|n| format!("tea user0: {n}"));
    assert_eq!(folder.lines(), all);
    let error = StoredHistory::open(&folder.0).unwrap_err().to_string();
    assert!(error.ends_with("another server uses it"), "the new folder is locked: {error}");
}

/// (8.2.5, 6.3.3)
#[test]
fn a_planted_link_at_the_temporary_file_is_not_followed() {
    let folder = Folder::new("planted");
    fs::write(folder.path("precious"), "precious").unwrap();
    symlink(folder.path("precious"), folder.path(TEMPORARY)).unwrap();
    let mut rig = Rig::start(&folder);
    rig.enters(0, "tea");
    rig.says(0, "1");
    symlink(folder.path("precious"), folder.path(TEMPORARY)).unwrap();
    rig.store.rewrite_at = Some(rig.now);
    rig.tends();
    assert_eq!(fs::read(folder.path("precious")).unwrap(), b"precious");
    assert_eq!(folder.lines(), ["tea user0: 1"]);
}
