//! The terminal client: `chinwag connect`.
//!
//! The folder `ui` is pure: [`ui::keys`] turns bytes into keys, and [`ui::state_machine`] turns
//! keys and server lines into lines to send and text to draw. The folder `io` owns the terminal,
//! the socket and the loop. `main` calls [`run`]; nothing here may depend on the server's code.

use std::env;
use std::hash::{BuildHasher, RandomState};
use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use rustix::stdio::{stdin, stdout};

use io::connection::Connection;
use io::event_loop::EventLoop;
use io::log_file::LogFile;
use io::socket::describe;
use io::terminal::{Modes, Terminal};
use io::trust::{Confirming, Trust};
use options::{Bell, ConnectArgs, Notify, Server, Timestamps};
use ui::state_machine::{Leaving, Setup, StateMachine};

pub mod io;
pub mod known_hosts;
pub mod options;
pub mod ui;

#[cfg(test)]
#[path = "../tests/client/picture.rs"]
mod picture;

/// Common shells add this to the number of the signal that ended a program (POSIX only demands a
/// status above 128). The client exits with the same sum, as scripts expect.
const SIGNAL_EXIT_CODE: u8 = 128;

/// The exit code for wrong arguments, as clap has it.
const USAGE_EXIT_CODE: u8 = 2;

/// Runs the client until it ends. A failure is printed on standard error.
///
/// The exit code is 0 for an orderly end, 1 for a failure, and 128 plus the number of a signal.
#[must_use]
pub fn run(args: &ConnectArgs) -> ExitCode {
    // A dumb terminal shows escape sequences as text, therefore the client must not draw on it.
    let is_dumb = env::var_os("TERM").is_some_and(|term| term == "dumb");
    let has_terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    let server = match args.server() {
        Ok(server) => server,
        Err(reason) => {
            report(&reason);
            return ExitCode::from(USAGE_EXIT_CODE);
        }
    };
    let result = match has_terminal && !is_dumb {
        true => run_terminal(args, server),
        false => run_pipe(args, &server),
    };
    result.unwrap_or_else(|reason| {
        report(&reason);
        ExitCode::FAILURE
    })
}

/// Prints an error message. If standard error is closed, the exit code still tells the failure.
fn report(reason: &str) {
    // The reason may quote the command line or the server. A control character in there must not
    // reach the terminal.
    drop(writeln!(std::io::stderr(), "chinwag: {}", reason.replace(char::is_control, "?")));
}

/// Runs the client without a terminal for its output. A person at a terminal still needs the
/// server's prompts, while a script would have to filter them out.
fn run_pipe(args: &ConnectArgs, server: &Server) -> Result<ExitCode, String> {
    if args.log.is_some() {
        return Err("--log needs a terminal; in a pipe, redirect the output".to_owned());
    }
    let trust = trust(args, server, Confirming::InTerminal)?;
    let connection = Connection::new(server, trust, io::pipe::SOCKET)?;
    // A person who must keep the username must not be asked for another.
    let is_interactive = std::io::stdin().is_terminal() && !args.keeps_name();
    io::pipe::run(args, server, connection, is_interactive)?;
    Ok(ExitCode::SUCCESS)
}

fn run_terminal(args: &ConnectArgs, server: Server) -> Result<ExitCode, String> {
    let log = args.log.as_deref().map(LogFile::open).transpose()?;
    let trust = trust(args, &server, Confirming::Here)?;
    let connection = Connection::new(&server, trust, io::event_loop::SOCKET)?;
    let terminal_failed =
        |error: std::io::Error| format!("cannot use the terminal: {}", describe(&error));
    // The name is looked up before the terminal changes: Ctrl-C still ends a slow lookup.
    let mut terminal = Terminal::borrow(stdin(), stdout()).map_err(terminal_failed)?;
    terminal.turn_on(modes(args)).map_err(terminal_failed)?;
    terminal.restore_on_panic().map_err(terminal_failed)?;
    // https://no-color.org: the variable counts only if it is not empty.
    let no_color = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let state_machine = StateMachine::new(Setup {
        server,
        palette: args.color.palette(no_color),
        timestamps: args.timestamps == Timestamps::On,
        wrap: args.wrap,
        bell: args.bell,
        notify: args.notify.clone(),
        reconnects: !args.no_reconnect,
        name: args.name().map(str::to_owned),
        keeps_name: args.keeps_name(),
        // The standard library's only random source. It is good enough: the seed spreads the
        // reconnects of many clients over time, and no secret depends on it.
        seed: RandomState::new().hash_one(()),
        columns: terminal.columns(),
    });
    let mut event_loop =
        EventLoop::new(terminal, state_machine, connection).map_err(terminal_failed)?;
    if let Some(file) = log {
        event_loop.log_to(file);
    }
    match event_loop.run().map_err(terminal_failed)? {
        Leaving::Wished => Ok(ExitCode::SUCCESS),
        Leaving::Failed(reason) => Err(reason),
        Leaving::Signal(number) => {
            Ok(ExitCode::from(SIGNAL_EXIT_CODE + u8::try_from(number).unwrap_or(0)))
        }
    }
}

/// What a connection to `server` trusts, if it is one with TLS. A user who must keep the username can
/// confirm no certificate.
fn trust(
    args: &ConnectArgs,
    server: &Server,
    confirming: Confirming,
) -> Result<Option<Trust>, String> {
    let confirming = if args.keeps_name() { Confirming::Nowhere } else { confirming };
    let trust = || Trust::new(server, args.tls_ca.as_deref(), confirming);
    server.is_tls.then(trust).transpose()
}

/// What the options need of the terminal.
fn modes(args: &ConnectArgs) -> Modes {
    Modes {
        reports_focus: matches!(args.bell, Bell::Chat | Bell::All) || !args.notify.is_empty(),
        sets_title: args.notify.contains(&Notify::Title),
        is_full_screen: false,
    }
}
