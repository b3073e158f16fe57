//! WebSocket clients that are not ours talk to the server: the Python package `websockets` and the npm
//! package `ws` (Debian: `python3-websockets`, `node-ws`). Where they are not installed, the tests are
//! skipped.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod common;

use std::path::Path;
use std::process::{Command, Stdio};

use common::{Server, skip};

/// Where Debian installs packages of Node.
const NODE_PATH: &str = "/usr/share/nodejs:/usr/lib/nodejs";

/// The first of `programs` that runs `arguments`.
fn found<'p>(programs: &[&'p str], arguments: &[&str]) -> Option<&'p str> {
    programs.iter().copied().find(|program| {
        let mut command = Command::new(program);
        command.args(arguments).env("NODE_PATH", node_path());
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    })
}

fn node_path() -> String {
    let own = std::env::var("NODE_PATH").unwrap_or_default();
    format!("{own}:{NODE_PATH}")
}

/// Runs a script of `tests/conformance/` against a server.
fn passes(program: &str, script: &str) {
    let mut server = Server::starts_with(&["--listen", "http://127.0.0.1:0"]);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance").join(script);
    let mut command = Command::new(program);
    command.arg(script).arg(server.page().to_string()).env("NODE_PATH", node_path());
    let output = command.output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    server.is_healthy();
}

/// (2.6.5, 2.6.7, 2.6.8, 2.6.9)
#[test]
fn the_python_package_websockets_finds_no_fault() {
    match found(&["python3", "/usr/bin/python3"], &["-c", "import websockets"]) {
        Some(program) => passes(program, "websockets_client.py"),
        None => skip("the Python package websockets is not installed"),
    }
}

/// (2.6.5, 2.6.7, 2.6.8, 2.6.9)
#[test]
fn the_npm_package_ws_finds_no_fault() {
    match found(&["node", "nodejs"], &["-e", "require('ws')"]) {
        Some(program) => passes(program, "ws_client.cjs"),
        None => skip("the npm package ws is not installed"),
    }
}
