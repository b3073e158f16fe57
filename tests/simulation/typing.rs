//! How a line gets onto the wire: with the endings, slips, escape sequences and telnet commands that
//! real clients put around and into it. Whoever types knows what was meant; nothing is parsed here.

use std::ops::Range;

use crate::random::Random;
use crate::spoken::Heard;

const IAC: u8 = 255;
const DO: u8 = 253;
const DONT: u8 = 254;
const WILL: u8 = 251;
const WONT: u8 = 252;

/// Bytes, and what the server has heard once the last of them has come.
#[derive(Debug, Default)]
pub(crate) struct Typed {
    pub(crate) parts: Vec<(Vec<u8>, Option<Heard>)>,
    /// Without its ending: heard when the connection's other half ends (1.6).
    pub(crate) heard_at_end: Option<Heard>,
    /// How many of its bytes a server may have read that, when it throws away a line begun, keeps
    /// what the rest makes: nothing of a line is begun then, or it is told of anyway.
    pub(crate) survives: Range<usize>,
}

impl Typed {
    fn push(&mut self, bytes: &[u8]) {
        match self.parts.last_mut() {
            Some((part, None)) => part.extend_from_slice(bytes),
            _ => self.parts.push((bytes.to_vec(), None)),
        }
    }

    fn is_heard(&mut self, heard: Heard) {
        if let Some((_, none)) = self.parts.last_mut() {
            *none = Some(heard);
        }
    }
}

/// How somebody's client types.
#[derive(Debug)]
pub(crate) struct Hand {
    /// A person keeps to one: after a bare CR, somebody else's LF would belong to it (1.2).
    pub(crate) ending: &'static [u8],
    /// How often something is put into a line that is taken out again, in percent of characters.
    pub(crate) noise: usize,
}

impl Hand {
    pub(crate) fn new(random: &mut Random) -> Hand {
        let endings: [&[u8]; 4] = [b"\n", b"\r\n", b"\r\0", b"\r"];
        Hand { ending: random.pick(&endings), noise: random.pick(&[0, 0, 0, 2, 10]) }
    }

    /// A line that means `line`.
    pub(crate) fn line(&self, random: &mut Random, line: &str) -> Typed {
        let mut typed = self.begin(random, line);
        self.end(&mut typed, Heard::Line(line.to_owned()));
        typed
    }

    /// A line whose ending never comes.
    pub(crate) fn half_line(&self, random: &mut Random, line: &str) -> Typed {
        let mut typed = self.begin(random, line);
        typed.heard_at_end = Some(Heard::LastLine(line.to_owned()));
        typed
    }

    /// A line of one byte too many, or of many.
    pub(crate) fn too_long(&self, random: &mut Random) -> Typed {
        let mut typed = Typed::default();
        let is_subnegotiation = random.chance(30);
        if is_subnegotiation {
            typed.push(b"begun\xff\xfa");
        }
        let excess = random.pick(&[1, 2, 500, 5_000]);
        typed.push(&vec![b'z'; 1024 + excess]);
        self.end(&mut typed, Heard::TooLong);
        typed
    }

    /// A line that is no UTF-8, of whatever bytes are neither control characters nor telnet's.
    pub(crate) fn not_utf8(&self, random: &mut Random) -> Typed {
        let mut typed = Typed::default();
        let first: &[u8] = random.pick(&[b"caf\xe9", b"\xff\xff", b"\xed\xa0\x80"]);
        typed.push(first);
        // Half of a doubled IAC is nothing yet.
        typed.survives = 1..if first[0] == IAC { 2 } else { 1 };
        for _ in 0..random.below(40) {
            typed.push(&[random.between(0x80, 0xeb) as u8]);
        }
        typed.push(b"\xc3(");
        self.end(&mut typed, Heard::NotUtf8);
        typed
    }

    /// A telnet command between two lines, and what is heard of it.
    pub(crate) fn command(&self, random: &mut Random) -> Typed {
        let mut typed = Typed::default();
        add_command(random, &mut typed);
        typed
    }

    /// The end of input, said in the stream (1.8, 1.9).
    pub(crate) fn end_of_input(&self, random: &mut Random) -> Typed {
        let mut typed = Typed::default();
        typed.push(random.pick::<&[u8]>(&[b"\xff\xec", b"\x04"]));
        typed.is_heard(Heard::End);
        typed
    }

    /// What a browser or a TLS client begins with (1.10); the rest is thrown away.
    pub(crate) fn foreign(random: &mut Random) -> Typed {
        let openings: [(&[u8], &[u8]); 3] = [
            (b"GET ", b"/ HTTP/1.1\r\nHost: chat\r\n\r\n"),
            (b"POST ", b"/ HTTP/1.1\r\n\r\nanna\r\n1\r\n"),
            (b"\x16\x03", b"\x01\x02\x00\x01"),
        ];
        let (opening, rest) = random.pick(&openings);
        let parts = vec![(opening.to_vec(), Some(Heard::Foreign)), (rest.to_vec(), None)];
        Typed { parts, ..Typed::default() }
    }

    fn begin(&self, random: &mut Random, line: &str) -> Typed {
        let mut typed = Typed::default();
        // What is taken out of a text later counts against the limit of a line (1.3, 2.1).
        let noise = if line.len() > 500 { 0 } else { self.noise };
        if random.chance(noise) {
            let erased: &[u8] = random.pick(&[b"no, wait\x15", b"typo\xff\xf4", b"oops\xff\xf8"]);
            typed.push(erased);
            typed.survives = erased.len()..erased.len() + 1;
        }
        if noise == 0 {
            typed.push(line.as_bytes());
            return typed;
        }
        for (n, c) in line.chars().enumerate() {
            // Nothing before the first, so that it is known when a line has begun.
            if n > 0 && random.chance(noise) {
                add_noise(random, &mut typed);
            }
            typed.push(c.encode_utf8(&mut [0; 4]).as_bytes());
        }
        typed
    }

    fn end(&self, typed: &mut Typed, heard: Heard) {
        let (first, rest) = self.ending.split_at(1);
        typed.push(first);
        typed.is_heard(heard);
        if !rest.is_empty() {
            typed.push(rest);
        }
    }
}

/// Something that leaves nothing behind, at a place between two characters.
fn add_noise(random: &mut Random, typed: &mut Typed) {
    let traceless: [&[u8]; 13] = [
        b"x\x08",
        "é\x7f".as_bytes(),
        "日本\x08\x7f".as_bytes(),
        b"x\xff\xf7",
        b"\x1b[A",
        b"\x1b[1;31m",
        b"\x1bOP",
        b"\x07",
        "\u{202e}".as_bytes(),
        "\u{2028}".as_bytes(),
        "\u{feff}".as_bytes(),
        "\u{9b}31m".as_bytes(),
        "\u{85}".as_bytes(),
    ];
    if random.chance(60) {
        typed.push(random.pick(&traceless));
    } else {
        add_command(random, typed);
    }
}

fn add_command(random: &mut Random, typed: &mut Typed) {
    let option = random.below(256) as u8;
    match random.below(6) {
        0 => typed.push(&[IAC, 241]),
        1 => typed.push(&[IAC, random.pick(&[DONT, WONT]), option]),
        2 => {
            typed.push(&[IAC, DO, option]);
            typed.is_heard(Heard::Option([IAC, WONT, option]));
        }
        3 => {
            typed.push(&[IAC, WILL, option]);
            typed.is_heard(Heard::Option([IAC, DONT, option]));
        }
        4 => {
            typed.push(&[IAC, 246]);
            typed.is_heard(Heard::AreYouThere);
        }
        _ => typed.push(b"\xff\xfa\x18\x00\xff\xff\r\n\xff\xf0"),
    }
}
