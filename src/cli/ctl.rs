//! `chinwag ctl`: one order to the console of a server, its answer on standard output.
//!
//! A command and no loop: it sends, reads to the end, and waits by blocking. What the order means is
//! the server's business; this tells a refusal from an answer, for the exit code.

use std::io::{self, BufRead, BufReader, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use crate::core::limits::ANSWER_MS;

/// Examples of orders, as help shows them.
pub const EXAMPLES: &str = "\
Examples:
  chinwag serve --console /run/chinwag.sock &    a server that takes orders
  export CHINWAG_CONSOLE=/run/chinwag.sock
  chinwag ctl users                              who is here, and from where
  chinwag ctl kick anna too loud                 end a session
  chinwag ctl ban 192.0.2.0/24 12h spam          nobody from there for half a day
  chinwag ctl --json stats                       the figures, for a script
  chinwag ctl stop 5                             say so, and stop in five minutes
  nc -U /run/chinwag.sock                        a console to type into; help lists the orders";

/// The flags of `ctl`.
#[derive(Debug, Args)]
pub struct CtlArgs {
    /// The console of the server, as it was given to serve
    #[arg(long, value_name = "PATH", env = "CHINWAG_CONSOLE")]
    pub console: PathBuf,

    /// Answer with one line of JSON
    #[arg(long)]
    pub json: bool,

    /// What is to be done; help lists the orders
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    pub order: Vec<String>,
}

/// Sends the order, prints the answer. 0 if it was obeyed, 1 if not, 2 if it is no line.
#[must_use]
pub fn run(args: &CtlArgs) -> ExitCode {
    let order = args.order.join(" ");
    if order.contains(char::is_control) {
        say_error("an order is one line, without control characters");
        return ExitCode::from(2);
    }
    let line = format!("{}{order}\n", if args.json { "json " } else { "" });
    match order_server(args, &line) {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::CommandRefusal) => ExitCode::FAILURE,
        Err(error) => {
            say_error(&error);
            ExitCode::FAILURE
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Done,
    CommandRefusal,
}

fn order_server(args: &CtlArgs, line: &str) -> Result<Outcome, String> {
    let name = |e: io::Error| format!("no server at {}: {e}", args.console.display());
    let mut stream = UnixStream::connect(&args.console).map_err(name)?;
    stream.set_read_timeout(Some(Duration::from_millis(ANSWER_MS))).map_err(name)?;
    // A server that has consoles enough says so and hangs up before it has read anything.
    drop(stream.write_all(line.as_bytes()));
    drop(stream.shutdown(Shutdown::Write));
    match print_answer(BufReader::new(stream), &mut io::stdout().lock(), &mut io::stderr()) {
        Ok(Some(outcome)) => Ok(outcome),
        Ok(None) => Err(format!("{} ended without an answer", args.console.display())),
        Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
            Err(format!("{} did not answer in time", args.console.display()))
        }
        Err(e) => Err(e.to_string()),
    }
}

/// Prints what was answered, what was refused to `errors`; `None` if it has no end.
fn print_answer(
    mut answer: impl BufRead,
    out: &mut impl Write,
    errors: &mut impl Write,
) -> io::Result<Option<Outcome>> {
    let mut outcome = None;
    let mut line = Vec::new();
    loop {
        match answer.read_until(b'\n', &mut line) {
            Ok(0) => break,
            Ok(_) => {}
            // It hung up on our order once it had said all it had to say.
            Err(e) if e.kind() == io::ErrorKind::ConnectionReset && outcome.is_some() => break,
            Err(e) => return Err(e),
        }
        if let Some(refusal) = line.strip_prefix(b"! ") {
            errors.write_all(b"chinwag: ")?;
            errors.write_all(refusal)?;
            outcome = Some(Outcome::CommandRefusal);
        } else {
            out.write_all(&line)?;
            outcome = outcome_of(&line).or(outcome);
        }
        line.clear();
    }
    out.flush()?;
    Ok(outcome)
}

/// What the last line of an answer says of it; `None` for a line before.
fn outcome_of(line: &[u8]) -> Option<Outcome> {
    match line {
        [b'*', b' ', ..] | b"# EOF\n" => Some(Outcome::Done),
        [b'{', ..] => {
            let answer = serde_json::from_slice::<serde_json::Value>(line).ok()?;
            let ok = answer.get("ok").and_then(serde_json::Value::as_bool)?;
            Some(if ok { Outcome::Done } else { Outcome::CommandRefusal })
        }
        _ => None,
    }
}

fn say_error(text: &str) {
    let text = text.replace(|c: char| c.is_control(), "?");
    drop(writeln!(io::stderr(), "chinwag: {text}"));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(answer: &str) -> (Option<Outcome>, String, String) {
        let (mut out, mut errors) = (Vec::new(), Vec::new());
        let outcome = print_answer(answer.as_bytes(), &mut out, &mut errors).unwrap();
        (outcome, String::from_utf8(out).unwrap(), String::from_utf8(errors).unwrap())
    }

    #[test]
    fn the_end_of_an_answer_says_what_came_of_it() {
        let done = "- anna available\n* 1 user\n";
        assert_eq!(printed(done), (Some(Outcome::Done), done.to_owned(), String::new()));
        let refused = (Some(Outcome::CommandRefusal), String::new(), "chinwag: no\n".to_owned());
        assert_eq!(printed("! no\n"), refused);
        assert_eq!(printed("- cut\n").0, None);
        assert_eq!(printed("").0, None);
        assert_eq!(printed("# HELP x y\nx 1\n# EOF\n").0, Some(Outcome::Done));
        assert_eq!(printed("{\"ok\":true}\n").0, Some(Outcome::Done));
        assert_eq!(printed("{\"error\":\"no\",\"ok\":false}\n").0, Some(Outcome::CommandRefusal));
    }
}
