//! A person in a scene: sends bytes, expects lines, and remembers both for the report.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use socket2::SockRef;

use super::server::Server;

/// How long a line may take.
const PATIENCE: Duration = Duration::from_secs(4);
/// How long nothing may come when the server must wait.
const A_MOMENT: Duration = Duration::from_millis(150);
/// The longest line that is read from the server.
const LINE_BYTES_MAX: u64 = 64 * 1024;
/// How many lines of a scene the report shows.
const SHOWN_LINES: usize = 14;
const SHOWN_CHARACTERS: usize = 120;

/// Why a scene failed.
#[derive(Debug)]
pub(super) struct Failure {
    /// The clause of `protocol.md`.
    pub(super) clause: &'static str,
    pub(super) expected: String,
    pub(super) came: String,
    /// What this person sent and read before, `A> ` and `A< `.
    pub(super) scene: Vec<String>,
}

pub(super) type Outcome = Result<(), Failure>;

/// A connection to the server.
pub(super) struct Person {
    name: &'static str,
    stream: BufReader<TcpStream>,
    scene: Vec<String>,
    /// The ending of the last line, as it came.
    pub(super) ending: String,
}

impl Person {
    /// Connects, and waits for nothing.
    pub(super) fn connects(server: &Server, name: &'static str) -> Result<Person, Failure> {
        let connect = || {
            let stream = TcpStream::connect_timeout(&server.address, PATIENCE)?;
            stream.set_read_timeout(Some(PATIENCE))?;
            stream.set_write_timeout(Some(PATIENCE))?;
            stream.set_nodelay(true)?;
            Ok::<_, std::io::Error>(stream)
        };
        let stream = connect().map_err(|error| Failure {
            clause: "2.1.1",
            expected: format!("a connection for {name}"),
            came: error.to_string(),
            scene: Vec::new(),
        })?;
        Ok(Person::over(stream, name))
    }

    /// A person with a connection.
    pub(super) fn over(stream: TcpStream, name: &'static str) -> Person {
        let stream = BufReader::new(stream);
        Person { name, stream, scene: Vec::new(), ending: String::new() }
    }

    /// Connects and reads the welcome.
    pub(super) fn arrives(server: &Server, name: &'static str) -> Result<Person, Failure> {
        let mut person = Person::connects(server, name)?;
        person.reads("4.1.1", "* …")?;
        person.reads("4.1.1", "? …")?;
        Ok(person)
    }

    /// Connects and takes a username.
    pub(super) fn enters(server: &Server, name: &'static str) -> Result<Person, Failure> {
        let mut person = Person::arrives(server, name)?;
        person.says(name);
        person.reads("4.2.2", "* …")?;
        person.reads("4.2.2", "? …")?;
        Ok(person)
    }

    pub(super) fn says(&mut self, line: &str) {
        self.sends(format!("{line}\n").as_bytes());
    }

    /// Sends bytes. An error is not reported here: what does not come back tells more.
    pub(super) fn sends(&mut self, bytes: &[u8]) {
        let shown = bytes[..bytes.len().min(60)].escape_ascii();
        let rest = bytes.len().saturating_sub(60);
        let rest = if rest > 0 { format!(" and {rest} bytes more") } else { String::new() };
        self.scene.push(format!("{}> {shown}{rest}", self.name));
        let _ = self.stream().write_all(bytes);
    }

    pub(super) fn stream(&self) -> &TcpStream {
        self.stream.get_ref()
    }

    /// Expects the next line. A pattern that ends in `…` is the beginning of the line.
    pub(super) fn reads(&mut self, clause: &'static str, pattern: &str) -> Outcome {
        let line = self.line();
        let fits = line.as_ref().is_ok_and(|line| match pattern.strip_suffix('…') {
            Some(beginning) => line.starts_with(beginning),
            None => line == pattern,
        });
        match fits {
            true => Ok(()),
            false => self.fails(clause, pattern, line.unwrap_or_else(|what| what)),
        }
    }

    /// Expects the lines of a list, in this order: rows that begin like these.
    pub(super) fn reads_all(&mut self, clause: &'static str, patterns: &[&str]) -> Outcome {
        patterns.iter().try_for_each(|pattern| self.reads(clause, pattern))
    }

    /// The next line without its ending, or what came instead.
    pub(super) fn line(&mut self) -> Result<String, String> {
        let mut bytes = Vec::new();
        let result = (&mut self.stream).take(LINE_BYTES_MAX).read_until(b'\n', &mut bytes);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let line = text.trim_end_matches(['\r', '\n']).to_owned();
        self.ending = text[line.len()..].to_owned();
        let what = match result {
            Ok(_) if text.ends_with('\n') => {
                self.scene.push(format!("{}< {line}", self.name));
                return Ok(line);
            }
            Ok(_) => "the end of the connection".to_owned(),
            Err(error) if is_timeout(error.kind()) => "nothing, for 4 s".to_owned(),
            Err(error) => error.to_string(),
        };
        Err(if line.is_empty() { what } else { format!("{:?}, then {what}", line) })
    }

    /// Expects these bytes of telnet.
    pub(super) fn reads_telnet(&mut self, clause: &'static str, expected: &[u8]) -> Outcome {
        let mut came = Vec::new();
        let result = (&mut self.stream).take(expected.len() as u64).read_to_end(&mut came);
        let words = in_words(&came);
        if came == expected {
            self.scene.push(format!("{}< {words}", self.name));
            return Ok(());
        }
        let came = match result {
            Ok(_) if came.len() == expected.len() => words,
            Ok(_) => format!("{words} the end of the connection"),
            Err(error) if is_timeout(error.kind()) => format!("{words} nothing, for 4 s"),
            Err(error) => format!("{words} {error}"),
        };
        self.fails(clause, in_words(expected), came.trim_start())
    }

    /// Expects the end of the connection, orderly or not.
    pub(super) fn ends(&mut self, clause: &'static str) -> Outcome {
        match self.line() {
            Err(what) if !what.starts_with("nothing") && !what.starts_with('"') => Ok(()),
            came => {
                self.fails(clause, "the end of the connection", came.unwrap_or_else(|what| what))
            }
        }
    }

    /// Expects that nothing comes for a moment.
    pub(super) fn is_silent(&mut self, clause: &'static str) -> Outcome {
        let _ = self.stream().set_read_timeout(Some(A_MOMENT));
        let came = match self.stream.fill_buf() {
            Err(error) if is_timeout(error.kind()) => None,
            Err(error) => Some(error.to_string()),
            Ok([]) => Some("the end of the connection".to_owned()),
            Ok(bytes) => Some(bytes.escape_ascii().to_string()),
        };
        let _ = self.stream().set_read_timeout(Some(PATIENCE));
        came.map_or(Ok(()), |came| self.fails(clause, "nothing yet", came))
    }

    pub(super) fn ends_its_half(&mut self) {
        self.scene.push(format!("{}> (end of input)", self.name));
        let _ = self.stream().shutdown(Shutdown::Write);
    }

    /// Ends the connection with a reset.
    pub(super) fn resets(self) {
        let _ = SockRef::from(self.stream()).set_linger(Some(Duration::ZERO));
    }

    /// The failure of this person's scene.
    pub(super) fn fails(
        &self,
        clause: &'static str,
        expected: impl Into<String>,
        came: impl Into<String>,
    ) -> Outcome {
        let scene = &self.scene[self.scene.len().saturating_sub(SHOWN_LINES)..];
        let scene = scene.iter().map(|line| printable(line)).collect();
        let (expected, came) = (printable(&expected.into()), printable(&came.into()));
        Err(Failure { clause, expected, came, scene })
    }
}

/// Bytes of telnet in the words of RFC 854, other bytes as they are or in hexadecimal.
fn in_words(bytes: &[u8]) -> String {
    let mut words = Vec::new();
    let mut before = [0; 2];
    for &byte in bytes {
        words.push(match (before, byte) {
            ([_, 255], 251) => "WILL".to_owned(),
            ([_, 255], 252) => "WONT".to_owned(),
            ([_, 255], 253) => "DO".to_owned(),
            ([_, 255], 254) => "DONT".to_owned(),
            ([255, 251..=254], option) => option.to_string(),
            (_, 255) => "IAC".to_owned(),
            (_, byte) => byte.escape_ascii().to_string(),
        });
        before = [before[1], byte];
    }
    words.join(" ")
}

/// Text from a server, short and without what would move the cursor of a terminal.
fn printable(text: &str) -> String {
    let mut shown = String::new();
    for c in text.chars().take(SHOWN_CHARACTERS) {
        match c.is_control() {
            true => shown.extend(c.escape_default()),
            false => shown.push(c),
        }
    }
    if text.chars().nth(SHOWN_CHARACTERS).is_some() {
        shown.push('…');
    }
    shown
}

/// Pairs two people who are at the menu: the first asks, the second says yes.
pub(super) fn pair(asker: &mut Person, asked: &mut Person) -> Outcome {
    asker.says(&format!("2 {}", asked.name));
    asker.reads("4.3.2", &format!("* Asked {}…", asked.name))?;
    asked.reads("4.3.2", &format!("? {} wants to chat…", asker.name))?;
    asked.says("yes");
    asker.reads("4.6.2", &format!("* {} accepted…", asked.name))?;
    asker.reads("4.6.2", &format!("* You are now chatting with {}…", asked.name))?;
    asked.reads("4.6.2", &format!("* You are now chatting with {}…", asker.name))
}

fn is_timeout(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::WouldBlock | ErrorKind::TimedOut)
}
