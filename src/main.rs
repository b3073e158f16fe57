//! The program: arguments in, exit code out. 0 is success, 1 a failure, 2 a misuse.

use std::env;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use chinwag::cli::args::{Cli, Command, OperatorArgs, ServeArgs};
use chinwag::cli::ctl;
use chinwag::client;
use chinwag::server::descriptors::Descriptors;
use chinwag::server::{Operators, Server, logging};
use clap::error::ErrorKind;
use log::info;

fn main() -> ExitCode {
    let cli = match Cli::parse_from_args(env::args_os()) {
        Ok(cli) => cli,
        Err(error) => return explain(&error),
    };
    let result = match cli.command {
        Command::Serve(args) => serve(&args),
        Command::Connect(args) => return client::run(&args),
        Command::Ctl(args) => return ctl::run(&args),
        Command::Completions { shell } => print(&Cli::completions(shell)),
        Command::Man => Cli::manual().and_then(|page| print(&page)),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say_error(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

fn serve(args: &ServeArgs) -> io::Result<()> {
    logging::start(args.log_level());
    let descriptors = Descriptors::raise();
    let OperatorArgs { console, bans } = &args.operators;
    // First, since of a start that fails nothing else is to be seen, and no file to remain.
    let operators = Operators::open(console.as_deref(), bans.as_deref())?;
    let limits = args.limits(descriptors.connections());
    let mut server = Server::bind(&args.addresses(), limits, args.history.as_deref())?;
    server.add_operators(operators)?;
    // Not before: of a start that fails, one line is to be seen.
    info!(target: "chinwag", "{descriptors}");
    // Whoever started the server may have gone by now, and it serves all the same.
    drop(greet(&server, console.as_deref()));
    server.run()
}

/// Says where the server is and how to get in.
fn greet(server: &Server, console: Option<&Path>) -> io::Result<()> {
    let mut out = io::stdout().lock();
    for address in server.addresses() {
        writeln!(out, "chinwag listens on {address}")?;
    }
    // As it was called, so that what is shown can be copied.
    let program = env::args_os().next().unwrap_or_else(|| "chinwag".into());
    let program = program.to_string_lossy();
    if let Some(address) = server.addresses().next() {
        let port = address.port();
        let host = match address.ip() {
            ip if ip.is_unspecified() => "localhost".to_owned(),
            ip => ip.to_string(),
        };
        let server =
            if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
        writeln!(out, "  join it:          nc {host} {port}   or   telnet {host} {port}")?;
        writeln!(out, "  in more comfort:  {program} connect {server}")?;
        writeln!(out, "  from a script:    printf 'anna\\n1\\n3\\n' | nc -N {host} {port}")?;
        if address.ip().is_loopback() {
            writeln!(out, "  let others join:  {program} serve --listen 0.0.0.0:{port}")?;
        }
    }
    if let Some(console) = console {
        writeln!(out, "  give it orders:   {program} ctl --console {} help", console.display())?;
    }
    writeln!(out, "  stop it:          Ctrl-C")?;
    out.flush()
}

fn print(bytes: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(bytes)?;
    out.flush()
}

/// Help and version go to standard output; of an error, one line goes to standard error.
fn explain(error: &clap::Error) -> ExitCode {
    if let ErrorKind::DisplayHelp | ErrorKind::DisplayVersion = error.kind() {
        return match error.print() {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        };
    }
    let text = error.to_string();
    // The first paragraph says it; those behind it are usage and advice.
    let lines = text.lines().take_while(|line| !line.is_empty()).map(str::trim);
    let what = lines.collect::<Vec<_>>().join(" ");
    say_error(&format!("{}; see --help", what.strip_prefix("error: ").unwrap_or(&what)));
    ExitCode::from(2)
}

/// Says one line. What it quotes came from outside, and must not move the terminal's cursor.
fn say_error(text: &str) {
    let is_odd = |c: char| c.is_control();
    let text = text.replace(is_odd, "?");
    drop(writeln!(io::stderr(), "chinwag: {text}"));
}
