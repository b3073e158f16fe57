//! `chinwag watch`: a full-screen view of a running server's loop.
//!
//! The folder `view` is pure: lines of the console and keys go in, a drawn buffer comes out. A program
//! that has a terminal of its own, such as a demonstration, draws a [`view::View`] into a part of it.
//! The folder `io` owns the terminal, the console and the poll, and the demonstration runs it with a
//! subject of its own. `main` calls [`run`] and [`replay`].

pub mod io;
pub mod view;

use std::env;
use std::io::{BufWriter, ErrorKind, IsTerminal, Write};
use std::panic;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use mio::{Poll, Registry};
use rustix::stdio::{stdin, stdout};

use crate::client::io::terminal::{Modes, Terminal};
use io::{EventLoop, Leaving, Live, Subject};
use view::{Look, Replay};

const NEEDS_TERMINAL: &str = "this needs a terminal; ctl watch prints lines of JSON";

/// Common shells add this to the number of the signal that ended a program.
const SIGNAL_EXIT_CODE: u8 = 128;

/// The examples in the help text and the manual page.
pub const EXAMPLES: &str = "\
Examples:
  chinwag serve --console /run/chinwag.sock &    a server with a console
  chinwag watch --console /run/chinwag.sock      watch its loop
  ssh host chinwag watch --console PATH          needs ssh -t, for a terminal
  chinwag ctl watch                              the same as lines of JSON
  chinwag ctl watch > FILE                       keeps it, until Ctrl-C
  chinwag serve --record FILE                    records the chat itself
  chinwag replay FILE                            walks either of them

Keys: up and down choose a connection, enter follows its input hop by hop.
With serve --teach, space holds the loop and lets it go, s runs one step,
- and + make it slower and faster. q ends the view.";

/// The flags of `watch`.
#[derive(Debug, Args)]
pub struct WatchArgs {
    /// Console of the server: the path that serve --console was given
    #[arg(long, value_name = "PATH", env = "CHINWAG_CONSOLE")]
    pub console: PathBuf,
}

/// The flags of `replay`.
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// A recording of serve --record, or what ctl watch printed
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}

/// Shows a running server until the user ends it. A failure is printed on standard error.
///
/// The exit code is 0 for an orderly end, 1 for a failure, and 128 plus the number of a signal.
#[must_use]
pub fn run(args: &WatchArgs) -> ExitCode {
    exit_code(show(NEEDS_TERMINAL, |registry| Live::connect(&args.console, registry, look())))
}

/// Shows a recording; see [`run`]. Without a terminal, a recording of `serve --record` is printed as text.
#[must_use]
pub fn replay(args: &ReplayArgs) -> ExitCode {
    let open = || {
        let bytes = io::read_recording(&args.file)?;
        quietly(|| Replay::new(bytes, look()))
            .map_err(|why| format!("cannot replay {}: {why}", args.file.display()))
    };
    if can_draw() {
        return exit_code(show(NEEDS_TERMINAL, |_| open()));
    }
    exit_code(open().and_then(|mut replay| print(&mut replay)))
}

/// Runs a replay whose recording may end in a panic of the core, which is told by other means.
fn quietly<T>(open: impl FnOnce() -> T) -> T {
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let result = open();
    panic::set_hook(hook);
    result
}

/// Prints a recording as text.
fn print(replay: &mut Replay) -> Result<Leaving, String> {
    let texts = replay.text().ok_or(NEEDS_TERMINAL)?;
    let mut out = BufWriter::new(std::io::stdout().lock());
    for text in texts {
        match out.write_all(text.as_bytes()) {
            // The reader has seen enough, as `head` has.
            Err(e) if e.kind() == ErrorKind::BrokenPipe => break,
            written => written.map_err(|e| format!("cannot print: {e}"))?,
        }
    }
    match out.flush() {
        Err(e) if e.kind() != ErrorKind::BrokenPipe => Err(format!("cannot print: {e}")),
        _ => Ok(Leaving::Wished),
    }
}

/// The exit code of a full-screen program. A failure is printed on standard error.
pub(crate) fn exit_code(end: Result<Leaving, String>) -> ExitCode {
    match end {
        Ok(Leaving::Wished) => ExitCode::SUCCESS,
        Ok(Leaving::Hangup) => ExitCode::FAILURE,
        Ok(Leaving::Signal(number)) => {
            ExitCode::from(SIGNAL_EXIT_CODE + u8::try_from(number).unwrap_or(0))
        }
        Err(reason) => {
            let reason = reason.replace(char::is_control, "?");
            drop(writeln!(std::io::stderr(), "chinwag: {reason}"));
            ExitCode::FAILURE
        }
    }
}

/// Shows a subject. It is opened before the terminal changes, so its failure is a plain line. Without a terminal, the failure is `needs_terminal`.
pub(crate) fn show<S: Subject>(
    needs_terminal: &str,
    open: impl FnOnce(&Registry) -> Result<S, String>,
) -> Result<Leaving, String> {
    if !can_draw() {
        return Err(needs_terminal.to_owned());
    }
    let poll = Poll::new().map_err(|e| format!("cannot wait for events: {e}"))?;
    let subject = open(poll.registry())?;
    let event_loop = EventLoop::new(poll, full_screen()?, subject).map_err(terminal_failed)?;
    event_loop.run().map_err(terminal_failed)
}

/// Whether there is a terminal to draw on. A dumb one shows escape sequences as text.
fn can_draw() -> bool {
    let is_dumb = env::var_os("TERM").is_some_and(|term| term == "dumb");
    !is_dumb && std::io::stdin().is_terminal() && std::io::stdout().is_terminal()
}

/// Takes the whole screen, until the value is dropped.
fn full_screen() -> Result<Terminal, String> {
    let mut terminal = Terminal::borrow(stdin(), stdout()).map_err(terminal_failed)?;
    let modes = Modes { is_full_screen: true, ..Modes::default() };
    terminal.turn_on(modes).map_err(terminal_failed)?;
    terminal.restore_on_panic().map_err(terminal_failed)?;
    Ok(terminal)
}

fn terminal_failed(error: std::io::Error) -> String {
    format!("cannot use the terminal: {error}")
}

/// What the terminal can show, by the environment.
#[must_use]
pub fn look() -> Look {
    // https://no-color.org: the variable counts only if it is not empty.
    let no_color = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    // The first of these that is set decides (locale(7)).
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"];
    let locale = locale.into_iter().filter_map(env::var_os).find(|value| !value.is_empty());
    let locale = locale.map(|value| value.to_string_lossy().to_lowercase());
    let unicode = locale.is_none_or(|name| name.contains("utf-8") || name.contains("utf8"));
    Look { color: !no_color, unicode }
}
