//! The terminal client: `chinwag connect`.
//!
//! Two halves, as in the server. The pure one decides: [`keys`] come out of bytes, the [`state_machine`]
//! makes of keys and of the server's lines ([`said`]) what is sent and what the [`screen`] shows.
//! The other half touches the world: the [`terminal`], the connection, and one loop over both.
//! Without a terminal on both ends the client is a pipe, and only carries lines.

use std::env;
use std::hash::{BuildHasher, RandomState};
use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use rustix::stdio::{stdin, stdout};

use io::connection::{Connection, words};
use io::event_loop::{End, EventLoop};
use io::terminal::Terminal;
use options::ConnectArgs;
use ui::state_machine::{Leaving, Setup, StateMachine};

pub mod io;
pub mod options;
pub mod ui;

#[cfg(test)]
#[path = "../tests/client/picture.rs"]
mod picture;

/// What a shell adds to the number of the signal that ended a program.
const SIGNAL_EXIT_CODE: u8 = 128;

/// Runs the client until it ends, and says on standard error why, if it failed.
#[must_use]
pub fn run(args: &ConnectArgs) -> ExitCode {
    let is_dumb = env::var_os("TERM").is_some_and(|term| term == "dumb");
    let is_person = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    let result = match is_person && !is_dumb {
        true => run_terminal(args),
        false => run_pipe(args, is_person),
    };
    match result {
        Ok(code) => code,
        Err(reason) => {
            drop(writeln!(std::io::stderr(), "chinwag: {}", reason.replace(char::is_control, "?")));
            ExitCode::FAILURE
        }
    }
}

/// Carries lines. Only a person at a terminal that draws nothing needs the server's prompts.
fn run_pipe(args: &ConnectArgs, shows_prompts: bool) -> Result<ExitCode, String> {
    let connection = Connection::new(&args.server, io::pipe::SOCKET)?;
    io::pipe::run(args, connection, shows_prompts)?;
    Ok(ExitCode::SUCCESS)
}

fn run_terminal(args: &ConnectArgs) -> Result<ExitCode, String> {
    let connection = Connection::new(&args.server, io::event_loop::SOCKET)?;
    let failed = |error: std::io::Error| format!("cannot use the terminal: {}", words(&error));
    let terminal = Terminal::borrow(stdin(), stdout()).map_err(failed)?;
    terminal.restore_on_panic().map_err(failed)?;
    let no_color = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let state_machine = StateMachine::new(Setup {
        server: args.server.clone(),
        palette: args.color.palette(no_color),
        timestamps: args.timestamps,
        bell: args.bell,
        reconnects: !args.no_reconnect,
        name: args.name.clone(),
        // The standard library's only source of chance; nothing secret depends on it.
        seed: RandomState::new().hash_one(()),
        columns: terminal.columns(),
    });
    let event_loop = EventLoop::new(terminal, state_machine, connection).map_err(failed)?;
    match event_loop.run().map_err(failed)? {
        End::Left(Leaving::Wished) => Ok(ExitCode::SUCCESS),
        End::Left(Leaving::Failed(reason)) => Err(reason),
        End::Signal(number) => {
            Ok(ExitCode::from(SIGNAL_EXIT_CODE + u8::try_from(number).unwrap_or(0)))
        }
    }
}
