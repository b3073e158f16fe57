//! The store as the disk sees it: what survives, what is removed, what stops the start.

use super::*;

/// A folder of its own for each test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path =
            std::env::temp_dir().join(format!("chinwag-store-{}-{name}", std::process::id()));
        drop(fs::remove_dir_all(&path));
        fs::create_dir(&path).unwrap();
        Folder(path)
    }

    fn file(&self) -> PathBuf {
        self.0.join(FILE)
    }

    fn names(&self) -> Vec<String> {
        Store::open(&self.0).unwrap().names().map(str::to_owned).collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

const HASH: &str = "$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$c2FsdHNhbHRzYWx0c2FsdHNhbHQ";

/// (8.4.2)
#[test]
fn what_was_confirmed_is_there_when_the_store_is_opened_again() {
    let folder = Folder::new("confirmed");
    let mut store = Store::open(&folder.0).unwrap();
    for name in ["anna", "bert", "Zoë"] {
        store.set(name, HASH).unwrap();
    }
    store.remove("bert").unwrap();
    let other = HASH.replace("t=1", "t=2");
    store.set("anna", &other).unwrap();
    drop(store);
    let store = Store::open(&folder.0).unwrap();
    assert_eq!(store.names().collect::<Vec<_>>(), ["Zoë", "anna"]);
    assert_eq!(store.hash("anna"), Some(other.as_str()));
}

/// (8.4.3)
#[test]
fn a_record_that_a_crash_cut_at_any_byte_is_removed_and_no_other() {
    let folder = Folder::new("cut");
    let mut store = Store::open(&folder.0).unwrap();
    store.set("anna", HASH).unwrap();
    let kept = fs::read(folder.file()).unwrap();
    store.set("bert", HASH).unwrap();
    let whole = fs::read(folder.file()).unwrap();
    for cut in kept.len()..whole.len() {
        fs::write(folder.file(), &whole[..cut]).unwrap();
        assert_eq!(folder.names(), ["anna"], "{cut}");
        assert_eq!(fs::read(folder.file()).unwrap(), kept, "{cut}");
    }
    let zeros = [&kept[..], &[0; 300][..]].concat();
    fs::write(folder.file(), zeros).unwrap();
    assert_eq!(folder.names(), ["anna"]);
}

/// (8.4.3)
#[test]
fn a_damaged_file_opens_nothing_and_is_left_untouched() {
    let folder = Folder::new("damaged");
    let mut store = Store::open(&folder.0).unwrap();
    ["anna", "bert"].into_iter().for_each(|name| store.set(name, HASH).unwrap());
    let whole = fs::read(folder.file()).unwrap();
    for at in 0..whole.len() - 1 {
        let mut damaged = whole.clone();
        damaged[at] ^= 1;
        fs::write(folder.file(), &damaged).unwrap();
        let fault = Store::open(&folder.0).unwrap_err();
        assert!(fault.contains("accounts.log") && !fault.contains('\n'), "{fault}");
        assert_eq!(fs::read(folder.file()).unwrap(), damaged, "{at}");
    }
    fs::write(folder.file(), "").unwrap();
    assert!(Store::open(&folder.0).unwrap_err().contains("not a file of accounts"));
}

/// (8.4.2)
#[test]
fn the_file_is_written_anew_before_outdated_lines_fill_it() {
    let folder = Folder::new("compact");
    let mut store = Store::open(&folder.0).unwrap();
    (0..20).for_each(|n| store.set(&format!("user{n}"), HASH).unwrap());
    for _ in 0..2 * ACCOUNTS_OUTDATED_MAX {
        store.set("user7", HASH).unwrap();
    }
    let lines = fs::read_to_string(folder.file()).unwrap().lines().count();
    assert!(lines <= 21 + ACCOUNTS_OUTDATED_MAX, "{lines}");
    assert_eq!(folder.names().len(), 20);
}
