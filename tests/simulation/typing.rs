//! Turns an intended line into bytes, with the endings, typing errors, escape sequences and telnet
//! commands that real clients add. The intended input is known, so this module parses nothing.

use std::ops::Range;

use crate::random::Random;
use crate::traffic::Received;

const IAC: u8 = 255;
const DO: u8 = 253;
const DONT: u8 = 254;
const WILL: u8 = 251;
const WONT: u8 = 252;

/// Bytes, and the input that the server has received once it has read them.
#[derive(Debug, Default)]
pub(crate) struct Typed {
    pub(crate) parts: Vec<(Vec<u8>, Option<Received>)>,
    /// The input that the end of the connection completes: a line without an ending (2.1.6).
    pub(crate) received_at_end: Option<Received>,
    /// If the server discards its partial line after it has read this many bytes, the line still
    /// arrives whole, or is still reported. The bytes read until then were erased again, or are
    /// half of a telnet sequence.
    pub(crate) lossless_discard: Range<usize>,
}

impl Typed {
    fn push(&mut self, bytes: &[u8]) {
        match self.parts.last_mut() {
            Some((part, None)) => part.extend_from_slice(bytes),
            _ => self.parts.push((bytes.to_vec(), None)),
        }
    }

    fn set_received(&mut self, received: Received) {
        if let Some((_, none)) = self.parts.last_mut() {
            *none = Some(received);
        }
    }
}

/// How one client sends lines.
#[derive(Debug)]
pub(crate) struct TypingStyle {
    /// A client uses one line ending only: after a bare CR, the LF of another line would belong to
    /// the CR (2.1.2).
    pub(crate) ending: &'static [u8],
    /// How often the client inserts something that the server removes again, in percent of
    /// characters.
    pub(crate) noise: usize,
}

impl TypingStyle {
    pub(crate) fn new(random: &mut Random) -> TypingStyle {
        let endings: [&[u8]; 4] = [b"\n", b"\r\n", b"\r\0", b"\r"];
        TypingStyle { ending: random.pick(&endings), noise: random.pick(&[0, 0, 0, 2, 10]) }
    }

    /// The bytes for `line`, with an ending.
    pub(crate) fn line(&self, random: &mut Random, line: &str) -> Typed {
        let mut typed = self.begin(random, line);
        self.end(&mut typed, Received::Line(line.to_owned()));
        typed
    }

    /// The bytes for `line`, whose ending never comes.
    pub(crate) fn unterminated_line(&self, random: &mut Random, line: &str) -> Typed {
        let mut typed = self.begin(random, line);
        typed.received_at_end = Some(Received::LastLine(line.to_owned()));
        typed
    }

    /// A line that exceeds the limit, by one byte or by thousands.
    pub(crate) fn too_long(&self, random: &mut Random) -> Typed {
        let mut typed = Typed::default();
        let is_subnegotiation = random.chance(30);
        if is_subnegotiation {
            typed.push(b"begun\xff\xfa");
        }
        let excess = random.pick(&[1, 2, 500, 5_000]);
        typed.push(&vec![b'z'; 1024 + excess]);
        self.end(&mut typed, Received::TooLong);
        typed
    }

    /// A line that is not UTF-8. Its bytes are neither control characters nor telnet commands.
    pub(crate) fn not_utf8(&self, random: &mut Random) -> Typed {
        let mut typed = Typed::default();
        let first: &[u8] = random.pick(&[b"caf\xe9", b"\xff\xff", b"\xed\xa0\x80"]);
        typed.push(first);
        // Half of a doubled IAC adds no byte to the line yet.
        typed.lossless_discard = 1..if first[0] == IAC { 2 } else { 1 };
        for _ in 0..random.below(40) {
            typed.push(&[random.between(0x80, 0xeb) as u8]);
        }
        typed.push(b"\xc3(");
        self.end(&mut typed, Received::NotUtf8);
        typed
    }

    /// A telnet command between two lines.
    pub(crate) fn command(&self, random: &mut Random) -> Typed {
        let mut typed = Typed::default();
        add_command(random, &mut typed);
        typed
    }

    /// The end of input as bytes in the stream (2.2.3, 2.2.4, 2.3.1).
    pub(crate) fn end_of_input(&self, random: &mut Random) -> Typed {
        let mut typed = Typed::default();
        typed.push(random.pick::<&[u8]>(&[b"\xff\xec", b"\x04"]));
        typed.set_received(Received::End);
        typed
    }

    /// The first bytes of a browser or a TLS client (2.4.1). The server discards the rest.
    pub(crate) fn other_protocol(random: &mut Random) -> Typed {
        let openings: [(&[u8], &[u8]); 3] = [
            (b"GET ", b"/ HTTP/1.1\r\nHost: chat\r\n\r\n"),
            (b"POST ", b"/ HTTP/1.1\r\n\r\nanna\r\n1\r\n"),
            (b"\x16\x03", b"\x01\x02\x00\x01"),
        ];
        let (opening, rest) = random.pick(&openings);
        let parts = vec![(opening.to_vec(), Some(Received::OtherProtocol)), (rest.to_vec(), None)];
        Typed { parts, ..Typed::default() }
    }

    fn begin(&self, random: &mut Random, line: &str) -> Typed {
        let mut typed = Typed::default();
        // Erased bytes count towards the limit of a line until they are erased (2.1.3, 3.1.1). A long
        // line therefore gets no noise.
        let noise = if line.len() > 500 { 0 } else { self.noise };
        if random.chance(noise) {
            let erased: &[u8] = random.pick(&[b"no, wait\x15", b"typo\xff\xf4", b"oops\xff\xf8"]);
            typed.push(erased);
            typed.lossless_discard = erased.len()..erased.len() + 1;
        }
        if noise == 0 {
            typed.push(line.as_bytes());
            return typed;
        }
        for (n, c) in line.chars().enumerate() {
            // Noise never precedes the first character: the world must know when the server has
            // begun a line.
            if n > 0 && random.chance(noise) {
                add_noise(random, &mut typed);
            }
            typed.push(c.encode_utf8(&mut [0; 4]).as_bytes());
        }
        typed
    }

    fn end(&self, typed: &mut Typed, received: Received) {
        let (first, rest) = self.ending.split_at(1);
        typed.push(first);
        typed.set_received(received);
        if !rest.is_empty() {
            typed.push(rest);
        }
    }
}

/// Inserts something between two characters that leaves no trace in the line.
fn add_noise(random: &mut Random, typed: &mut Typed) {
    let traceless: [&[u8]; 14] = [
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
        "\u{e0041}\u{e007f}".as_bytes(),
    ];
    if random.chance(60) {
        typed.push(random.pick(&traceless));
    } else {
        add_command(random, typed);
    }
}

fn add_command(random: &mut Random, typed: &mut Typed) {
    // ECHO, number 1, has a meaning while a password is awaited; the transcripts show it.
    let option = random.between(2, 255) as u8;
    match random.below(6) {
        0 => typed.push(&[IAC, 241]),
        1 => typed.push(&[IAC, random.pick(&[DONT, WONT]), option]),
        2 => {
            typed.push(&[IAC, DO, option]);
            typed.set_received(Received::TelnetOption([IAC, WONT, option]));
        }
        3 => {
            typed.push(&[IAC, WILL, option]);
            typed.set_received(Received::TelnetOption([IAC, DONT, option]));
        }
        4 => {
            typed.push(&[IAC, 246]);
            typed.set_received(Received::AreYouThere);
        }
        _ => typed.push(b"\xff\xfa\x18\x00\xff\xff\r\n\xff\xf0"),
    }
}
