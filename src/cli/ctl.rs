//! `chinwag ctl`: sends one operator command to a server and prints the answer.
//!
//! `main` calls [`run`]. The program sends the command, blocks until the answer ends, and exits, so
//! it needs no loop. It does not know what the command means; it only tells a refusal from other
//! answers, for the exit code.

mod account;

use std::io::{self, BufRead, BufReader, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use crate::core::limits::ANSWER_MS;

/// The examples in the help text and the manual page.
pub const EXAMPLES: &str = "\
Examples:
  chinwag serve --console /run/chinwag.sock &    a server with a console
  export CHINWAG_CONSOLE=/run/chinwag.sock
  chinwag ctl users                              the users and their addresses
  chinwag ctl kick anna too loud                 end a session
  chinwag ctl ban 192.0.2.0/24 12h spam          ban a network for half a day
  chinwag ctl --json stats                       the metrics, for a script
  chinwag ctl account add anna                   make an account; asks for its password
  chinwag ctl account import class.csv           make many, from lines NAME,PASSWORD
  chinwag ctl watch                              stream what the loop does, as JSON
  chinwag ctl stop 5                             announce a stop in five minutes
  nc -U /run/chinwag.sock                        an interactive console; help lists the commands";

/// The flags of `ctl`.
#[derive(Debug, Args)]
pub struct CtlArgs {
    /// Console of the server: the path that serve --console was given
    #[arg(long, value_name = "PATH", env = "CHINWAG_CONSOLE")]
    pub console: PathBuf,

    /// Answer with one line of JSON
    #[arg(long)]
    pub json: bool,

    /// The operator command; help lists all commands
    #[arg(
        value_name = "ORDER",
        required = true,
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    pub command: Vec<String>,
}

/// Sends the command and prints the answer. The exit code is 0 if the server executed the command,
/// 1 if it did not, and 2 if the command is not a single line.
#[must_use]
pub fn run(args: &CtlArgs) -> ExitCode {
    let command = args.command.join(" ");
    if command.contains(char::is_control) {
        print_error("a command is one line, without control characters");
        return ExitCode::from(2);
    }
    let done = match account::task(&args.command) {
        Ok(Some(task)) => account::run(args, &task),
        Ok(None) => {
            let line = format!("{}{command}\n", if args.json { "json " } else { "" });
            send_command(args, &line)
        }
        Err(fault) => {
            print_error(&fault);
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Refused) => ExitCode::FAILURE,
        Err(error) => {
            print_error(&error);
            ExitCode::FAILURE
        }
    }
}

/// How the server answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Done,
    Refused,
}

/// Connects to the console.
fn connect(args: &CtlArgs) -> Result<UnixStream, String> {
    let with_path = |e: io::Error| format!("no server at {}: {e}", args.console.display());
    let stream = UnixStream::connect(&args.console).map_err(with_path)?;
    stream.set_read_timeout(Some(Duration::from_millis(ANSWER_MS))).map_err(with_path)?;
    Ok(stream)
}

/// A console that gets several commands, each of which the server answers with one line.
struct Session(BufReader<UnixStream>);

impl Session {
    fn open(args: &CtlArgs) -> Result<Session, String> {
        connect(args).map(|stream| Session(BufReader::new(stream)))
    }

    /// Sends a command. The inner error is the server's refusal.
    ///
    /// # Errors
    /// The server does not answer.
    fn ask(&mut self, line: &str) -> Result<Result<(), String>, String> {
        let mut answer = String::new();
        let stream = self.0.get_mut();
        let sent = stream.write_all(line.as_bytes()).and_then(|()| stream.write_all(b"\n"));
        sent.and_then(|()| self.0.read_line(&mut answer)).map_err(|e| e.to_string())?;
        match answer.trim_end().split_once(' ') {
            Some(("*", _)) => Ok(Ok(())),
            Some(("!", refusal)) => Ok(Err(refusal.to_owned())),
            _ => Err("the server ended without an answer".to_owned()),
        }
    }
}

/// Sends `line` and prints the answer.
///
/// # Errors
/// The reason why there is no complete answer, for the user.
fn send_command(args: &CtlArgs, line: &str) -> Result<Outcome, String> {
    let mut stream = connect(args)?;
    // The half-close tells the server that no further command comes, so that it closes after the
    // answer. Ignore errors here: a server with too many consoles sends a refusal and closes before
    // it reads. Its answer is still readable.
    drop(stream.write_all(line.as_bytes()));
    // A stream goes on until the reader ends it, or the server refuses it.
    let is_stream = args.command.first().is_some_and(|word| word == "watch");
    if !is_stream {
        drop(stream.shutdown(Shutdown::Write));
    }
    let (answer, mut out) = (BufReader::new(stream), io::stdout().lock());
    match print_answer(answer, is_stream, &mut out, &mut io::stderr()) {
        Ok(Some(outcome)) => Ok(outcome),
        Ok(None) => Err(format!("{} ended without an answer", args.console.display())),
        Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
            Err(format!("{} did not answer in time", args.console.display()))
        }
        Err(e) => Err(e.to_string()),
    }
}

/// Prints an answer to `out`, and a refusal to `errors`. Returns `None` if the answer is
/// incomplete.
fn print_answer(
    mut answer: impl BufRead,
    is_stream: bool,
    out: &mut impl Write,
    errors: &mut impl Write,
) -> io::Result<Option<Outcome>> {
    let mut outcome = None;
    let mut line = Vec::new();
    loop {
        match answer.read_until(b'\n', &mut line) {
            Ok(0) => break,
            Ok(_) => {}
            // The server closed without reading our command, so the kernel sends a reset (RFC 9293,
            // 3.10.4). The answer is complete.
            Err(e) if e.kind() == io::ErrorKind::ConnectionReset && outcome.is_some() => break,
            Err(e) => return Err(e),
        }
        if let Some(refusal) = line.strip_prefix(b"! ") {
            errors.write_all(b"chinwag: ")?;
            errors.write_all(refusal)?;
            outcome = Some(Outcome::Refused);
            if is_stream {
                break;
            }
        } else {
            out.write_all(&line)?;
            outcome = outcome_of(&line).or(outcome);
        }
        line.clear();
    }
    out.flush()?;
    Ok(outcome)
}

/// The outcome that the last line of an answer states. Returns `None` for any other line.
fn outcome_of(line: &[u8]) -> Option<Outcome> {
    match line {
        [b'*', b' ', ..] | b"# EOF\n" => Some(Outcome::Done),
        // A JSON answer is one line. A row of a text answer starts with `- `, so it never starts
        // with `{`.
        [b'{', ..] => {
            let answer = serde_json::from_slice::<serde_json::Value>(line).ok()?;
            let ok = answer.get("ok").and_then(serde_json::Value::as_bool)?;
            Some(if ok { Outcome::Done } else { Outcome::Refused })
        }
        _ => None,
    }
}

/// Prints one line to standard error. The text may quote the server, so control characters are
/// replaced.
fn print_error(text: &str) {
    let text = text.replace(|c: char| c.is_control(), "?");
    drop(writeln!(io::stderr(), "chinwag: {text}"));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(answer: &str) -> (Option<Outcome>, String, String) {
        let (mut out, mut errors) = (Vec::new(), Vec::new());
        let outcome = print_answer(answer.as_bytes(), false, &mut out, &mut errors).unwrap();
        (outcome, String::from_utf8(out).unwrap(), String::from_utf8(errors).unwrap())
    }

    #[test]
    fn the_last_line_of_an_answer_states_the_outcome() {
        let done = "- anna available\n* 1 user\n";
        assert_eq!(printed(done), (Some(Outcome::Done), done.to_owned(), String::new()));
        let refused = (Some(Outcome::Refused), String::new(), "chinwag: no\n".to_owned());
        assert_eq!(printed("! no\n"), refused);
        assert_eq!(printed("- cut\n").0, None);
        assert_eq!(printed("").0, None);
        assert_eq!(printed("# HELP x y\nx 1\n# EOF\n").0, Some(Outcome::Done));
        assert_eq!(printed("{\"ok\":true}\n").0, Some(Outcome::Done));
        assert_eq!(printed("{\"error\":\"no\",\"ok\":false}\n").0, Some(Outcome::Refused));
    }
}
