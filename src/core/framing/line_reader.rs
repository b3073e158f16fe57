//! Framing: the bytes of a connection, however they were cut, become lines (1.2 to 1.10).

use std::borrow::Cow;
use std::mem;

use memchr::memchr;

use super::protocol_sniffer::ProtocolSniffer;
use super::telnet::{IAC, InputKind, Telnet};
use super::{Frame, Input, text};
use crate::core::buffers::{Buffer, Pool};

const END_OF_TRANSMISSION: u8 = 0x04;
const BACKSPACE: u8 = 0x08;
const NEGATIVE_ACKNOWLEDGE: u8 = 0x15;
const DELETE: u8 = 0x7f;

/// Reads lines out of one connection's bytes.
///
/// A line that lies whole and plain in what was read is given out where it lies. Everything else
/// (a line cut in two, telnet, editing, other scripts) goes byte by byte through a pooled buffer.
#[derive(Debug)]
pub struct LineReader {
    line_bytes_max: u16,
    opening: ProtocolSniffer,
    telnet: Telnet,
    /// A CR ended the last line: the LF or NUL that may follow belongs to it.
    after_cr: bool,
    begun: PartialLine,
}

/// The line whose end has not come.
#[derive(Debug, Default)]
enum PartialLine {
    /// Nothing of it has come either.
    #[default]
    Nothing,
    /// Its first bytes.
    Bytes(Box<Buffer>),
    /// It was too long, and is thrown away as it comes.
    TooLong,
    /// It is nobody's concern any more, and is thrown away as it comes.
    Dropped,
}

impl LineReader {
    /// A reader for a new connection, of lines of at most `line_bytes_max` bytes.
    #[must_use]
    pub fn new(line_bytes_max: u16) -> LineReader {
        LineReader {
            line_bytes_max,
            opening: ProtocolSniffer::default(),
            telnet: Telnet::default(),
            after_cr: false,
            begun: PartialLine::Nothing,
        }
    }

    /// The next frame of `input`, which is shortened by what was used up; `None` when all of it
    /// has been, and more is needed.
    #[inline]
    pub fn next<'i>(&mut self, pool: &mut Pool, input: &mut &'i [u8]) -> Option<Frame<'i>> {
        if let (true, Telnet::Text, &[first, ..]) = (self.after_cr, self.telnet, *input)
            && first != IAC
        {
            self.after_cr = false;
            *input = input.strip_prefix(b"\n").or(input.strip_prefix(b"\0")).unwrap_or(input);
        }
        if self.opening.is_watching()
            && let Some(foreign) = self.opening.recognize(input)
        {
            *input = &[];
            return Some(Frame::Input(foreign));
        }
        match self.whole_line(input) {
            Some(line) => Some(Frame::Line(line)),
            None => self.byte_by_byte(pool, input),
        }
    }

    /// The end of the connection's bytes: a last line without an ending counts as a line (1.6).
    pub fn finish(&mut self, pool: &mut Pool) -> Option<Frame<'static>> {
        match self.begun {
            PartialLine::Nothing | PartialLine::Dropped => None,
            PartialLine::Bytes(_) | PartialLine::TooLong => Some(self.end_line(pool)),
        }
    }

    /// Drops the line begun, with what is still to come of it; `false` if there is none.
    pub fn drop_begun(&mut self, pool: &mut Pool) -> bool {
        let is_begun = matches!(self.begun, PartialLine::Bytes(_) | PartialLine::TooLong);
        if is_begun {
            self.throw_away(pool, PartialLine::Dropped);
        }
        is_begun
    }

    /// Gives back to `pool` what the reader holds, and with it the line begun.
    pub fn release(&mut self, pool: &mut Pool) {
        match mem::take(&mut self.begun) {
            PartialLine::Bytes(buffer) => pool.take_back(buffer),
            PartialLine::Nothing | PartialLine::TooLong | PartialLine::Dropped => {}
        }
    }

    /// The fast path: the next line, if it lies whole, plain and within the limit in `input`, and
    /// ends in LF or CR LF; a CR anywhere else is not plain. No further than the limit is
    /// looked at, or a flood of small frames would cost its square.
    #[inline]
    fn whole_line<'i>(&mut self, input: &mut &'i [u8]) -> Option<&'i [u8]> {
        let (PartialLine::Nothing, Telnet::Text, false) = (&self.begun, self.telnet, self.after_cr)
        else {
            return None;
        };
        // Telnet begins here, not a line: looking for its end would make a flood of commands
        // quadratic.
        if input.first() == Some(&IAC) {
            return None;
        }
        let line_bytes_max = usize::from(self.line_bytes_max);
        let within = &input[..input.len().min(line_bytes_max + b"\r\n".len())];
        let end = memchr(b'\n', within)?;
        let line = within[..end].strip_suffix(b"\r").unwrap_or(&within[..end]);
        if line.len() > line_bytes_max || !text::is_plain(line) {
            return None;
        }
        *input = &input[end + 1..];
        Some(line)
    }

    fn byte_by_byte(&mut self, pool: &mut Pool, input: &mut &[u8]) -> Option<Frame<'static>> {
        while let [byte, rest @ ..] = *input {
            let meaning = self.telnet.step(*byte);
            if let (InputKind::End, PartialLine::Bytes(_) | PartialLine::TooLong) =
                (&meaning, &self.begun)
            {
                // The line begun is the last: it comes first, and the command is met again.
                self.telnet = Telnet::Command;
                return Some(self.end_line(pool));
            }
            *input = rest;
            let follows_cr = match meaning {
                InputKind::Byte(_) => mem::take(&mut self.after_cr),
                _ => false,
            };
            match meaning {
                InputKind::Nothing => {}
                InputKind::Reply(refusal) => return Some(Frame::Reply(refusal)),
                InputKind::AreYouThere => return Some(Frame::Input(Input::AreYouThere)),
                InputKind::Endless if matches!(self.begun, PartialLine::Dropped) => {}
                InputKind::Endless => self.throw_away(pool, PartialLine::TooLong),
                InputKind::End => return Some(Frame::Input(Input::End)),
                InputKind::Byte(b'\n' | b'\0') if follows_cr => {}
                InputKind::Byte(END_OF_TRANSMISSION)
                    if matches!(self.begun, PartialLine::Nothing) =>
                {
                    return Some(Frame::Input(Input::End));
                }
                InputKind::Byte(end @ (b'\n' | b'\r')) => {
                    self.after_cr = end == b'\r';
                    match self.begun {
                        PartialLine::Dropped => self.begun = PartialLine::Nothing,
                        _ => return Some(self.end_line(pool)),
                    }
                }
                InputKind::EraseCharacter | InputKind::Byte(BACKSPACE | DELETE) => {
                    self.erase_character(pool);
                }
                InputKind::EraseLine | InputKind::Byte(NEGATIVE_ACKNOWLEDGE) => {
                    self.erase_line(pool)
                }
                InputKind::Byte(byte) => self.add(pool, byte),
            }
        }
        None
    }

    fn add(&mut self, pool: &mut Pool, byte: u8) {
        match &mut self.begun {
            PartialLine::Bytes(buffer) if buffer.len() < usize::from(self.line_bytes_max) => {
                buffer.push([&[byte]]);
            }
            PartialLine::Bytes(_) => self.throw_away(pool, PartialLine::TooLong),
            PartialLine::Nothing => {
                let mut buffer = pool.lend();
                buffer.push([&[byte]]);
                self.begun = PartialLine::Bytes(buffer);
            }
            PartialLine::TooLong | PartialLine::Dropped => {}
        }
    }

    /// What comes is thrown away up to the end of the line, which nothing else can bring back.
    fn throw_away(&mut self, pool: &mut Pool, begun: PartialLine) {
        self.release(pool);
        self.begun = begun;
    }

    fn erase_line(&mut self, pool: &mut Pool) {
        if let PartialLine::Bytes(_) = self.begun {
            self.release(pool);
        }
    }

    fn erase_character(&mut self, pool: &mut Pool) {
        let PartialLine::Bytes(buffer) = &mut self.begun else { return };
        let is_first_of_character = |byte: &u8| !(0x80..0xc0).contains(byte);
        let rest = buffer.as_slice().iter().rposition(is_first_of_character).unwrap_or(0);
        buffer.truncate(rest);
        if rest == 0 {
            self.release(pool);
        }
    }

    fn end_line(&mut self, pool: &mut Pool) -> Frame<'static> {
        let mut buffer = match mem::take(&mut self.begun) {
            PartialLine::Nothing | PartialLine::Dropped => return Frame::Line(b""),
            PartialLine::TooLong => return Frame::Input(Input::TooLong),
            PartialLine::Bytes(buffer) => buffer,
        };
        match str::from_utf8(buffer.as_slice()).map(text::clean) {
            Ok(Cow::Borrowed(_)) => Frame::Assembled(buffer),
            Ok(Cow::Owned(cleaned)) => {
                buffer.clear();
                buffer.push([cleaned.as_bytes()]);
                Frame::Assembled(buffer)
            }
            Err(_) => {
                pool.take_back(buffer);
                Frame::Input(Input::NotUtf8)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::limits::LINE_BYTES_MAX;

    /// What a reader made of `packets`, written down.
    fn read(packets: &[&[u8]]) -> Vec<String> {
        let (mut pool, mut reader) = (Pool::default(), LineReader::new(LINE_BYTES_MAX as u16));
        let mut read = Vec::new();
        for mut input in packets.iter().copied() {
            while let Some(frame) = reader.next(&mut pool, &mut input) {
                read.push(written(&frame));
            }
            assert!(input.is_empty(), "whatever is not a line yet is held by the reader");
        }
        read.extend(reader.finish(&mut pool).map(|frame| written(&frame)));
        read
    }

    fn written(frame: &Frame<'_>) -> String {
        match frame {
            Frame::Line(_) | Frame::Assembled(_) => {
                String::from_utf8(frame.line().unwrap().to_vec()).unwrap()
            }
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn lf_crlf_crnul_and_bare_cr_end_a_line() {
        assert_eq!(
            read(&[b"a\nb\r\nc\r\0d\re\n\n\r\r\nf"]),
            ["a", "b", "c", "d", "e", "", "", "", "f"]
        );
    }

    #[test]
    fn a_line_of_the_limit_passes_and_one_byte_more_is_thrown_away_whole() {
        for glyph in ["x", "é"] {
            let full = glyph.repeat(LINE_BYTES_MAX / glyph.len());
            let sent = format!("{full}\n{full}y\n{full}");
            assert_eq!(read(&[sent.as_bytes()]), [&full, "Input(TooLong)", &full], "{glyph}");
        }
    }

    #[test]
    fn broken_utf8_costs_one_line() {
        assert_eq!(read(&[b"a\n\xc3\x28\nna\xc3\xafve\n"]), ["a", "Input(NotUtf8)", "naïve"]);
        assert_eq!(read(&[b"caf\xe9\n\xff\xff\n"]), ["Input(NotUtf8)", "Input(NotUtf8)"]);
    }

    #[test]
    fn characters_typed_one_by_one_can_be_taken_back() {
        assert_eq!(read(&["hellö\x7fo\x08\x08lp\n".as_bytes()]), ["hellp"]);
        assert_eq!(read(&[b"\x7f\x7fab\x15cd\n"]), ["cd"]);
        assert_eq!(read(&[b"ab\x7f\x7f\x04"]), ["Input(End)"], "an erased line is at its start");
        assert_eq!(read(&[b"no\x04t here\n"]), ["not here"]);
    }

    #[test]
    fn telnet_is_taken_out_wherever_it_stands() {
        assert_eq!(read(&[b"he\xff\xfd\x06llo\n"]), ["Reply([255, 252, 6])", "hello"]);
        assert_eq!(read(&[b"gone\xff\xf4\xff\xfd\x06here\n"]), ["Reply([255, 252, 6])", "here"]);
        assert_eq!(read(&[b"ab\xff\xf7c\xff\xf6\r\n"]), ["Input(AreYouThere)", "ac"]);
        assert_eq!(read(&[b"\xff\xfa\x18\n\r\xff\xf0x\n\xff\xec"]), ["x", "Input(End)"]);
        assert_eq!(read(&[b"last\xff\xec"]), ["last", "Input(End)"]);
        assert_eq!(read(&[b"a\r\xff\xfc\x01\nb\n"]), ["a", "b"], "the LF follows the CR");
    }

    #[test]
    fn tls_and_http_are_told_from_lines_that_begin_oddly() {
        assert_eq!(read(&[b"\x16", b"\x03\x01"])[0], "Input(TlsHello)");
        assert_eq!(read(&[b"PO", b"ST ", b"/"])[0], "Input(HttpRequest)");
        assert_eq!(read(&[b"\x16x\nGET /\n"]), ["x", "GET /"]);
    }

    #[test]
    fn a_subnegotiation_that_is_given_up_costs_the_line_it_stands_in() {
        let endless = [&b"ab\xff\xfa"[..], &[b'z'; 2000], b"\x15\x7f\nnext\n"].concat();
        assert_eq!(read(&[&endless]), ["Input(TooLong)", "next"]);
    }

    #[test]
    fn a_subnegotiation_of_the_limit_passes() {
        let longest = [&b"a\xff\xfa"[..], &[b'z'; 1024], b"\xff\xf0b\n"].concat();
        assert_eq!(read(&[&longest]), ["ab"]);
    }

    #[test]
    fn a_line_that_is_dropped_takes_its_rest_with_it() {
        let (mut pool, mut reader) = (Pool::default(), LineReader::new(100));
        assert!(!reader.drop_begun(&mut pool));
        assert!(reader.next(&mut pool, &mut &b"I take the "[..]).is_none());
        assert!(reader.drop_begun(&mut pool));
        let mut rest = &b"3\x15 o'clock\r\nnext\n"[..];
        assert_eq!(written(&reader.next(&mut pool, &mut rest).unwrap()), "next");
    }

    #[test]
    fn a_lone_iac_does_not_swallow_the_line_ending() {
        assert_eq!(read(&[b"\xff\nnext\n"]), ["", "next"]);
    }

    #[test]
    fn every_way_to_cut_a_stream_in_three_gives_the_same_lines() {
        let stream = "a\r\nbé\u{1b}[A\x7f\r\0\u{feff}日本\t|\r\r\n"
            .bytes()
            .chain(
                *b"\xff\xfd\x06\xff\xfa\x01\xff\xff\xff\xf0\xff\xf6c\xff\xf7\xff\xffd\ne\x15\x04",
            )
            .collect::<Vec<_>>();
        let whole = read(&[&stream]);
        for first in 0..=stream.len() {
            for second in first..=stream.len() {
                let cut = [&stream[..first], &stream[first..second], &stream[second..]];
                assert_eq!(read(&cut), whole, "cut at {first} and {second}");
            }
        }
        let single_bytes = stream.chunks(1).collect::<Vec<_>>();
        assert_eq!(read(&single_bytes), whole);
    }
}
