//! The web page: its pure part with `node --test`, and the whole of it in a headless Chromium that
//! talks to the real server. The tests themselves are in `tests/web/`.
//!
//! Where node or Chromium is not installed, the tests are skipped. `CHINWAG_TESTS_AXE` names the
//! `axe.min.js` of the npm package axe-core.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use common::server::program;
use common::{skip, skip_everywhere};

/// The page's files together are smaller than this.
const PAGE_BYTES_MAX: u64 = 60 * 1024;

const CHROMIUM: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The page's files, with their names and texts.
fn files() -> Vec<(String, String)> {
    let entries = fs::read_dir(root().join("src/web")).unwrap().map(|entry| entry.unwrap().path());
    let named = |path: PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        (name, fs::read_to_string(path).unwrap())
    };
    let files = entries.map(named).collect::<Vec<_>>();
    assert!(files.len() > 5, "the files were found");
    files
}

fn runs(program: &str, argument: &str) -> bool {
    let mut command = Command::new(program);
    command.arg(argument).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

fn node() -> Option<&'static str> {
    ["node", "nodejs"].into_iter().find(|program| runs(program, "--version"))
}

/// Runs these files of `tests/web` with `node --test`.
fn passes(node: &str, files: &[PathBuf], settings: &[(&str, &Path)]) {
    let mut command = Command::new(node);
    command.arg("--test").args(files).envs(settings.iter().copied());
    command.env("CHINWAG_TESTS_PROGRAM", program());
    let output = command.output().unwrap();
    let report = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{report}{}", String::from_utf8_lossy(&output.stderr));
}

fn tests_in(folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().path());
    let tests = entries.filter(|path| path.to_string_lossy().ends_with(".test.mjs"));
    let tests = tests.collect::<Vec<_>>();
    assert!(!tests.is_empty(), "the tests in {folder} were found");
    tests
}

#[test]
fn the_pure_part_of_the_page_keeps_its_promises() {
    match node() {
        Some(node) => passes(node, &tests_in("tests/web"), &[]),
        None => skip("node is not installed"),
    }
}

/// Runs a file of browser tests, or reports that it is skipped.
fn passes_in_chromium(file: &str, settings: &[(&str, &Path)]) {
    let chromium = CHROMIUM.into_iter().any(|program| runs(program, "--version"));
    match node() {
        Some(node) if chromium => {
            passes(node, &[root().join("tests/web/browser").join(file)], settings);
        }
        Some(_) => skip("chromium is not installed"),
        None => skip("node is not installed"),
    }
}

#[test]
fn the_page_keeps_its_promises_in_a_browser() {
    passes_in_chromium("page.test.mjs", &[]);
}

#[test]
fn axe_core_has_nothing_to_complain_about() {
    match std::env::var_os("CHINWAG_TESTS_AXE") {
        Some(_) => passes_in_chromium("axe.test.mjs", &[]),
        // No package of Debian has it, and the registry of npm may be down.
        None => skip_everywhere("CHINWAG_TESTS_AXE names no axe.min.js"),
    }
}

#[test]
fn the_pictures_of_the_page_can_be_taken() {
    let folder = match std::env::var_os("CHINWAG_TESTS_SCREENSHOTS") {
        Some(folder) => root().join(folder),
        None => PathBuf::from(env!("CARGO_TARGET_TMPDIR")),
    };
    passes_in_chromium("screenshots.test.mjs", &[("CHINWAG_TESTS_SCREENSHOTS", &folder)]);
}

#[test]
fn the_page_is_light() {
    let bytes = files().iter().map(|(_, text)| text.len() as u64).sum::<u64>();
    assert!(bytes < PAGE_BYTES_MAX, "the page has {bytes} bytes");
}

/// The policy of 2.6.1 would refuse inline code and inline style, and no text may become markup.
#[test]
fn the_page_holds_no_inline_code_and_makes_no_markup_of_texts() {
    for (name, text) in files() {
        for word in [
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            "new Function",
            "DOMParser",
        ] {
            assert!(!text.contains(word), "{name} uses {word}");
        }
        for part in text.split('<').skip(1).filter(|_| name.ends_with(".html")) {
            let tag = part.split('>').next().unwrap();
            let attributes = tag.split_whitespace().skip(1);
            let inline = |word: &str| word.starts_with("on") || word.starts_with("style=");
            assert!(!attributes.clone().any(inline), "inline code or style: <{tag}>");
            let foreign = |word: &str| word.contains("=\"http") || word.contains("=\"//");
            assert!(!attributes.clone().any(foreign), "a file of another server: <{tag}>");
            let is_script = tag.starts_with("script");
            assert!(!is_script || tag.contains("src="), "an inline script: <{tag}>");
            assert!(!tag.starts_with("style"), "an inline style");
        }
    }
}
