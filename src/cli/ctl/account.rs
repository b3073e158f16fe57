//! `chinwag ctl account`: the commands that carry a password.
//!
//! A password never stands on the command line, which other users of the machine can read (ps(1)). It
//! comes from the terminal, without echo, or from standard input; those of a class list come from a
//! file. The server gets it on the console's socket.

use std::fs::File;
use std::io::{self, BufRead, IsTerminal, Read, Write};

use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use super::{CtlArgs, Outcome, Session};

/// Bytes of a class list at most: far more than any school has.
const LIST_BYTES_MAX: u64 = 16 << 20;

/// What `ctl` must do itself for an account.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Task<'a> {
    /// `add NAME` or `reset NAME`: ask for the password.
    Ask { verb: &'a str, name: &'a str },
    /// `import FILE`.
    Import { path: &'a str },
}

/// What `command` needs `ctl` for; `None` if the server can have the line as it is.
///
/// # Errors
/// The usage, or that a password was on the command line.
pub(super) fn task(command: &[String]) -> Result<Option<Task<'_>>, String> {
    let words = command.iter().map(String::as_str).collect::<Vec<_>>();
    match words[..] {
        ["account", verb @ ("add" | "reset"), name] => Ok(Some(Task::Ask { verb, name })),
        ["account", "add" | "reset", _, ..] => {
            Err("a password is not an argument: leave it away, and ctl asks for it".to_owned())
        }
        ["account", "import", path] => Ok(Some(Task::Import { path })),
        ["account", "import", ..] => Err("the order is account import FILE".to_owned()),
        _ => Ok(None),
    }
}

/// Performs the task.
///
/// # Errors
/// Why it could not be performed, for the user.
pub(super) fn run(args: &CtlArgs, task: &Task<'_>) -> Result<Outcome, String> {
    match task {
        Task::Ask { verb, name } => {
            let password = ask_password(name)?;
            let line = line(verb, name, &password)?;
            let json = if args.json { "json " } else { "" };
            super::send_command(args, &Zeroizing::new(format!("{json}{}\n", *line)))
        }
        Task::Import { path } => import(args, path),
    }
}

/// The command for the server.
///
/// # Errors
/// A name that would change the meaning of the line, or no password.
fn line(verb: &str, name: &str, password: &str) -> Result<Zeroizing<String>, String> {
    let is_bad = |c: char| c.is_whitespace() || c.is_control();
    if name.is_empty() || name.contains(is_bad) {
        return Err("That cannot be a username; nothing was done".to_owned());
    }
    if password.is_empty() {
        return Err("There is no password; nothing was done".to_owned());
    }
    if password.contains(char::is_control) {
        return Err("A password has no control characters; nothing was done".to_owned());
    }
    Ok(Zeroizing::new(format!("account {verb} {name} {password}")))
}

/// Asks for a new password: twice at a terminal, otherwise the first line of standard input.
fn ask_password(name: &str) -> Result<Zeroizing<String>, String> {
    let fault = |e: io::Error| format!("cannot read the password: {e}");
    if !io::stdin().is_terminal() {
        return read_line().map_err(fault);
    }
    let first = prompt(&format!("New password for {name}: ")).map_err(fault)?;
    let second = prompt("Again: ").map_err(fault)?;
    if *first != *second {
        return Err("The two passwords differ; nothing was done".to_owned());
    }
    Ok(first)
}

/// Asks at the terminal, with echo off while the user types.
fn prompt(text: &str) -> io::Result<Zeroizing<String>> {
    write!(io::stderr(), "{text}")?;
    let before = tcgetattr(io::stdin())?;
    let mut silent = before.clone();
    silent.local_modes.remove(LocalModes::ECHO);
    silent.local_modes.insert(LocalModes::ECHONL);
    tcsetattr(io::stdin(), OptionalActions::Flush, &silent)?;
    let line = read_line();
    tcsetattr(io::stdin(), OptionalActions::Now, &before)?;
    line
}

fn read_line() -> io::Result<Zeroizing<String>> {
    let mut line = Zeroizing::new(String::with_capacity(1024));
    io::stdin().lock().take(4096).read_line(&mut line)?;
    let len = line.trim_end_matches(['\r', '\n']).len();
    line.truncate(len);
    Ok(line)
}

/// Adds the accounts of a class list, and says which lines could not be added.
fn import(args: &CtlArgs, path: &str) -> Result<Outcome, String> {
    let list = Zeroizing::new(read_list(path).map_err(|e| format!("cannot read {path}: {e}"))?);
    let mut session = Session::open(args)?;
    let (mut added, mut failed) = (0, 0);
    for (n, row) in list.trim_start_matches('\u{feff}').lines().enumerate() {
        let is_heading = n == 0 && row.trim().eq_ignore_ascii_case("name,password");
        if row.trim().is_empty() || is_heading {
            continue;
        }
        let asked = match fields(row) {
            Some((name, password)) => {
                let name = name.trim();
                line("add", name, &password).map_err(|fault| format!("{name}: {fault}"))
            }
            None => Err("a line is name,password; nothing was done".to_owned()),
        };
        let said = match asked {
            Ok(line) => session.ask(&line)?,
            Err(fault) => Err(fault),
        };
        match said {
            Ok(()) => added += 1,
            Err(fault) => {
                failed += 1;
                super::print_error(&format!("{path}, line {}: {fault}", n + 1));
            }
        }
    }
    drop(writeln!(io::stdout(), "* {added} added, {failed} not"));
    Ok(if failed == 0 { Outcome::Done } else { Outcome::Refused })
}

fn read_list(path: &str) -> io::Result<String> {
    let mut text = String::new();
    if File::open(path)?.take(LIST_BYTES_MAX).read_to_string(&mut text)? as u64 == LIST_BYTES_MAX {
        return Err(io::Error::other("it is too large"));
    }
    Ok(text)
}

/// The name and the password of a line (RFC 4180). A field may stand in quotes, with `""` for one.
fn fields(row: &str) -> Option<(String, Zeroizing<String>)> {
    let (name, rest) = field(row)?;
    let (password, rest) = field(rest.strip_prefix(',')?)?;
    // Further columns would be a mistake: an unquoted comma in a password.
    rest.is_empty().then(|| (name, Zeroizing::new(password)))
}

/// The next field, and what follows it.
fn field(text: &str) -> Option<(String, &str)> {
    let Some(mut rest) = text.strip_prefix('"') else {
        let end = text.find(',').unwrap_or(text.len());
        return Some((text[..end].to_owned(), &text[end..]));
    };
    let mut value = String::with_capacity(rest.len());
    loop {
        let (part, after) = rest.split_once('"')?;
        value.push_str(part);
        match after.strip_prefix('"') {
            Some(after) => {
                value.push('"');
                rest = after;
            }
            None => return Some((value, after)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// (8.2.9)
    #[test]
    fn a_password_on_the_command_line_is_refused() {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let ask = Task::Ask { verb: "add", name: "anna" };
        assert_eq!(task(&words("account add anna")), Ok(Some(ask)));
        assert!(task(&words("account add anna secret99")).is_err());
        assert!(task(&words("account reset anna secret 99")).is_err());
        assert_eq!(task(&words("account list")), Ok(None));
        assert_eq!(task(&words("account import x")), Ok(Some(Task::Import { path: "x" })));
        assert!(line("add", "Anna Berg", "secret99").is_err(), "it would be another account");
    }

    /// (8.2.9)
    #[test]
    fn a_class_list_is_read_as_spreadsheets_write_it() {
        let read = |row| fields(row).map(|(name, password)| (name, password.to_string()));
        let pair = |name: &str, password: &str| Some((name.to_owned(), password.to_owned()));
        assert_eq!(read("anna,secret 99"), pair("anna", "secret 99"));
        assert_eq!(read("\"anna\",\"a,b\"\"c\""), pair("anna", "a,b\"c"));
        for wrong in ["anna", "anna,a,b", "\"anna", "\"anna\"x,b"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
