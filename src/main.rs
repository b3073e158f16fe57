//! The program: reads the arguments, runs a command, and returns the exit code.
//!
//! Exit code 0 is success, 1 a failure, 2 wrong arguments. Each error is one line on standard
//! error. The library does the work; this file only connects its parts.

use std::env;
use std::fs;
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use chinwag::accounts::helper;
use chinwag::attack;
use chinwag::check;
use chinwag::cli::args::{Cli, Command, OperatorArgs, ServeArgs};
use chinwag::cli::{cert, ctl};
use chinwag::client;
use chinwag::core::transport::Scheme;
use chinwag::crowd;
use chinwag::demo;
use chinwag::server::descriptors::{self, Descriptors};
use chinwag::server::{
    ListenAddress, Operators, RecordingFile, Server, ServerTls, StateFolder, logging,
};
use chinwag::watch;
use clap::error::ErrorKind;
use log::info;

fn main() -> ExitCode {
    if let Err(error) = demo::children::tie_to_parent() {
        print_error(&error.to_string());
        return ExitCode::FAILURE;
    }
    let cli = match Cli::parse_from_args(env::args_os()) {
        Ok(cli) => cli,
        Err(error) => return handle_clap_error(&error),
    };
    let result = match cli.command {
        Command::Serve(args) => serve(&args),
        Command::Connect(args) => return client::run(&args),
        Command::Ctl(args) => return ctl::run(&args),
        Command::Watch(args) => return watch::run(&args),
        Command::Replay(args) => return watch::replay(&args),
        Command::Cert(args) => cert::run(&args),
        Command::Check(args) => return check::run(&args),
        Command::Attack(args) => return attack::run(&args),
        Command::Demo(args) => return demo::run(&args),
        Command::Crowd(args) => return crowd::run(&args),
        Command::Completions { shell } => print(&Cli::completions(shell)),
        Command::AccountHelper { folder } => {
            descriptors::survive_file_size_limit().and_then(|()| helper::run(&folder))
        }
        Command::Man => Cli::manual().and_then(|page| print(&page)),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            print_error(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

/// Starts the server and runs it until the shutdown.
///
/// # Errors
/// The server cannot start, or the kernel refuses to wait for events.
fn serve(args: &ServeArgs) -> io::Result<()> {
    // Before the first write to the log, which may be a file.
    descriptors::survive_file_size_limit()?;
    logging::start(args.log_level(), args.limits.log_pace);
    let descriptors = Descriptors::raise();
    let OperatorArgs { console } = &args.operators;
    // Open the files first: a bad path must fail before the server opens a port.
    let tls = args.tls.files().map(ServerTls::load).transpose()?;
    let state = args.state.as_deref().map(StateFolder::open).transpose()?;
    let operators = Operators::open(console.as_deref(), state.as_ref())?;
    let recorded = args.teach.record.as_deref();
    let bytes_max = args.limits.max_record as u64;
    let recording = recorded.map(|path| RecordingFile::create(path, bytes_max)).transpose()?;
    let limits = args.limits(descriptors.connections());
    let mut server = Server::bind(&args.addresses(), tls, limits, state, recording)
        // The next start would find the file, which has nothing in it.
        .inspect_err(|_| drop(recorded.map(fs::remove_file)))?;
    server.add_operators(operators)?;
    // Log only now: a failed start must print one line, the error.
    server.trust_proxies(args.proxy_protocol.clone());
    server.set_web_options(args.web.options());
    if args.teach.teach {
        server.allow_teaching(Duration::from_millis(args.limits.max_pause.0));
    }
    if let Some(path) = recorded {
        info!(target: "chinwag", "recording what is typed to {}", path.display());
    }
    info!(target: "chinwag", "{descriptors}");
    // Ignore an error: the reader of standard output may have gone, and the server runs without it.
    drop(greet(&server, console.as_deref()));
    server.run()
}

/// Prints the addresses of the server and the commands that join it.
///
/// # Errors
/// Standard output is closed.
fn greet(server: &Server, console: Option<&Path>) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let (pages, lines) = server.addresses().partition::<Vec<_>, _>(|at| at.scheme.has_page());
    for page in &pages {
        let (scheme, address) = (page.scheme.name(), reachable(page.address));
        writeln!(out, "chinwag has its web page at {scheme}://{address}")?;
    }
    for address in &lines {
        writeln!(out, "chinwag listens on {address}")?;
    }
    // The name by which the user called the program, so that the printed commands can be copied.
    let program = env::args_os().next().unwrap_or_else(|| "chinwag".into());
    let program = program.to_string_lossy();
    if let Some(ListenAddress { address, .. }) = lines.iter().find(|at| at.scheme == Scheme::Tls) {
        let (server, address) = (reachable(*address), spaced(*address));
        write!(out, "  over TLS:         {program} connect tls://{server}   or   ")?;
        writeln!(out, "ncat --ssl {address}")?;
    }
    if let Some(ListenAddress { address, .. }) = lines.iter().find(|at| at.scheme == Scheme::Tcp) {
        let server = reachable(*address);
        writeln!(out, "  join it:          nc {0}   or   telnet {0}", spaced(*address))?;
        writeln!(out, "  in more comfort:  {program} connect {server}")?;
        writeln!(out, "  from a script:    printf 'anna\\n1\\n3\\n' | nc -N {}", spaced(*address))?;
    }
    // Loopback is the default, and a new operator may wonder why no other machine can connect.
    let is_open = |at: &ListenAddress| !at.address.ip().is_loopback();
    if !lines.iter().chain(&pages).any(is_open) {
        let all = |at: &ListenAddress| {
            let address = SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), at.address.port());
            format!(" --listen {}", ListenAddress { address, ..*at })
        };
        // With TLS, the files with the certificate would have to be named too.
        let shown = lines.first().into_iter().chain(pages.first());
        let listen = shown.filter(|at| !at.scheme.is_encrypted()).map(all).collect::<String>();
        if !listen.is_empty() {
            writeln!(out, "  let others join:  {program} serve{listen}")?;
        }
    }
    if let Some(console) = console {
        writeln!(out, "  operate it:       {program} ctl --console {} help", console.display())?;
    }
    writeln!(out, "  stop it:          Ctrl-C")?;
    out.flush()
}

/// The address as a client on this machine uses it. An address such as 0.0.0.0 stands for all
/// addresses; a client cannot connect to it portably.
fn reachable(address: SocketAddr) -> String {
    match address.ip().is_unspecified() {
        true => format!("localhost:{}", address.port()),
        false => address.to_string(),
    }
}

/// The same, as programs take it that want a host and a port.
fn spaced(address: SocketAddr) -> String {
    let server = reachable(address);
    let (host, port) = server.rsplit_once(':').unwrap_or_default();
    format!("{} {port}", host.trim_matches(['[', ']']))
}

/// Writes the output of a command, which may be larger than a pipe, to standard output.
fn print(bytes: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(bytes)?;
    out.flush()
}

/// Handles what clap returns instead of arguments. Help and version go to standard output with exit
/// code 0; an error goes to standard error, on one line, with exit code 2.
fn handle_clap_error(error: &clap::Error) -> ExitCode {
    if let ErrorKind::DisplayHelp | ErrorKind::DisplayVersion = error.kind() {
        return match error.print() {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        };
    }
    let text = error.to_string();
    // The first paragraph is the error; the others are advice and usage.
    let lines = text.lines().take_while(|line| !line.is_empty()).map(str::trim);
    let mut message = lines.collect::<Vec<_>>().join(" ");
    if let Some(tip) = text.lines().find_map(|line| line.trim().strip_prefix("tip: ")) {
        message.push_str("; ");
        message.push_str(tip);
    }
    print_error(&format!("{}; see --help", message.strip_prefix("error: ").unwrap_or(&message)));
    ExitCode::from(2)
}

/// Prints one line to standard error. The text may quote input from outside, so control characters
/// are replaced: they could move the terminal's cursor.
fn print_error(text: &str) {
    let text = text.replace(|c: char| c.is_control(), "?");
    drop(writeln!(io::stderr(), "chinwag: {text}"));
}
