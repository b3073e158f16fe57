//! Levels 4, 6 and 8: bytes in odd pieces, odd endings, and hostile bytes.

use super::Case;
use super::person::{Outcome, Person, pair};
use super::server::Server;

pub(super) const CASES: &[Case] = &[
    Case { level: 4, name: "half a line is no line", play: half_a_line },
    Case { level: 4, name: "one byte at a time", play: byte_at_a_time },
    Case { level: 4, name: "a whole session in one packet", play: one_packet },
    Case { level: 4, name: "LF, CR LF, CR NUL and CR end a line", play: all_endings },
    Case { level: 6, name: "a half-close loses nothing", play: half_close },
    Case { level: 6, name: "a last text reaches the partner", play: last_text },
    Case { level: 6, name: "a reset ends one session only", play: reset },
    Case { level: 8, name: "a line that is too long", play: long_line },
    Case { level: 8, name: "bytes that are not UTF-8", play: not_utf8 },
    Case { level: 8, name: "no control character reaches a partner", play: controls },
    Case { level: 8, name: "telnet negotiation", play: telnet },
    Case { level: 8, name: "200 connections that reset at once", play: reset_storm },
];

fn half_a_line(server: &Server) -> Outcome {
    let mut anna = Person::arrives(server, "anna")?;
    anna.sends(b"an");
    anna.is_silent("2.1.2")?;
    anna.sends(b"na\n");
    anna.reads_all("2.1.5", &["* …", "? …"])?;
    anna.says("1");
    anna.reads_all("2.1.5", &["* …", "- anna…", "? …"])
}

fn byte_at_a_time(server: &Server) -> Outcome {
    let mut anna = Person::arrives(server, "anna")?;
    "anna\n1\nz\u{fc}g\n".bytes().for_each(|byte| anna.sends(&[byte]));
    anna.reads_all("2.1.5", &["* …", "? …", "* …", "- anna…", "? …", "! …", "? …"])
}

fn one_packet(server: &Server) -> Outcome {
    let mut anna = Person::arrives(server, "anna")?;
    anna.sends(b"anna\n1\nwhat\n3\n");
    anna.reads_all("2.1.5", &["* …", "? …", "* …", "- anna…", "? …", "! …", "? …", "* Goodbye…"])?;
    anna.ends("4.9.1")
}

fn all_endings(server: &Server) -> Outcome {
    let mut anna = Person::arrives(server, "anna")?;
    anna.sends(b"anna\r\n1\r\x001\r1\n");
    anna.reads_all("2.1.2", &["* …", "? …"])?;
    (0..3).try_for_each(|_| anna.reads_all("2.1.2", &["* …", "- anna…", "? …"]))?;
    anna.is_silent("2.1.2")
}

fn half_close(server: &Server) -> Outcome {
    let mut anna = Person::arrives(server, "anna")?;
    anna.sends(b"anna\n1\n1");
    anna.ends_its_half();
    anna.reads_all("2.1.6", &["* …", "? …"])?;
    (0..2).try_for_each(|_| anna.reads_all("2.1.6", &["* …", "- anna…", "? …"]))?;
    // A goodbye may come or not: only the end is promised. A server that prompts for ever fails there.
    (0..8).take_while(|_| anna.line().is_ok()).count();
    anna.ends("2.1.6")
}

fn last_text(server: &Server) -> Outcome {
    let mut anna = Person::enters(server, "anna")?;
    let mut ben = Person::enters(server, "ben")?;
    pair(&mut anna, &mut ben)?;
    anna.sends(b"first\nlast");
    anna.ends_its_half();
    ben.reads_all("2.1.6", &["anna: first", "anna: last"])?;
    ben.reads_all("4.10.1", &["* anna left…", "? …"])
}

fn reset(server: &Server) -> Outcome {
    let mut anna = Person::enters(server, "anna")?;
    let mut ben = Person::enters(server, "ben")?;
    pair(&mut anna, &mut ben)?;
    anna.resets();
    ben.reads_all("4.10.1", &["* anna left…", "? …"])?;
    Person::enters(server, "anna").map(drop)
}

fn long_line(server: &Server) -> Outcome {
    let mut anna = Person::enters(server, "anna")?;
    anna.sends(&[b'x'; 100_000]);
    anna.sends(b"\n1\n");
    anna.reads_all("2.1.3", &["! …", "? …"])?;
    anna.reads_all("2.1.3", &["* …", "- anna…", "? …"])
}

fn not_utf8(server: &Server) -> Outcome {
    let mut anna = Person::enters(server, "anna")?;
    anna.sends(b"\xc3\x28\xfe\n1\n");
    anna.reads_all("2.1.4", &["! …", "? …"])?;
    anna.reads_all("2.1.4", &["* …", "- anna…", "? …"])
}

fn controls(server: &Server) -> Outcome {
    let mut anna = Person::enters(server, "anna")?;
    let mut ben = Person::enters(server, "ben")?;
    pair(&mut anna, &mut ben)?;
    anna.sends(b"a\x1b[2J\x07b\n");
    ben.reads("3.1.1", "anna: ab")
}

fn telnet(server: &Server) -> Outcome {
    let mut anna = Person::arrives(server, "anna")?;
    negotiates(&mut anna)?;
    anna.sends(b"an\xff\xf1na\n");
    anna.reads_all("2.2.1", &["* …", "? …"])?;
    anna.says("1");
    anna.reads_all("2.2.1", &["* …", "- anna…", "? …"])
}

/// A request and an offer are refused, twice alike, and a refusal is not answered.
fn negotiates(anna: &mut Person) -> Outcome {
    for _ in 0..2 {
        anna.sends(b"\xff\xfd\x01\xff\xfb\x18");
        anna.reads_telnet("2.2.2", b"\xff\xfc\x01\xff\xfe\x18")?;
    }
    anna.sends(b"\xff\xfe\x01\xff\xfc\x18");
    anna.is_silent("2.2.2")
}

fn reset_storm(server: &Server) -> Outcome {
    let mut anna = Person::enters(server, "anna")?;
    for _ in 0..200 {
        Person::connects(server, "guest")?.resets();
    }
    anna.says("1");
    anna.reads_all("4.10.1", &["* …", "- anna…", "? …"])
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::net::{Shutdown, TcpListener, TcpStream};

    use super::*;

    /// The grade of a server that sends these bytes, and ends or waits.
    fn grade(replies: &[u8], ends: bool) -> Outcome {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut server, _) = listener.accept().unwrap();
        server.write_all(replies).unwrap();
        if ends {
            server.shutdown(Shutdown::Write).unwrap();
        }
        negotiates(&mut Person::over(stream, "anna"))
    }

    /// (2.2.2)
    #[test]
    fn a_server_must_refuse_each_telnet_option_and_answer_no_refusal() {
        let right = b"\xff\xfc\x01\xff\xfe\x18".as_slice();
        let twice = [right, right].concat();
        assert!(grade(&twice, false).is_ok());
        for (replies, came) in [
            // It takes the commands out, and answers nothing.
            (b"".as_slice(), "the end of the connection"),
            // It refuses one of them, or the first time only.
            (&right[..3], "IAC WONT 1 the end of the connection"),
            (right, "the end of the connection"),
            // It mixes the two answers up, or agrees.
            (b"\xff\xfe\x01\xff\xfc\x18", "IAC DONT 1 IAC WONT 24"),
            (b"\xff\xfb\x01\xff\xfd\x18", "IAC WILL 1 IAC DO 24"),
            // It takes the bytes for text.
            (b"! That is not UTF-8", "!   T h a t"),
            // It answers a refusal.
            (&[&twice, &right[..3]].concat(), r"\xff\xfc\x01"),
        ] {
            let failure = grade(replies, true).unwrap_err();
            assert_eq!((failure.clause, &*failure.came), ("2.2.2", came));
        }
    }
}
