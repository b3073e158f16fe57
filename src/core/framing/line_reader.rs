//! Splits the bytes of a connection into lines (2.1.2 to 2.4.1).
//!
//! TCP may cut the bytes anywhere; the lines come out the same. The exchange calls
//! [`LineReader::next`] after every read until it returns `None`. The reader removes telnet
//! commands, applies a line's editing keys, and drops lines that are too long or not UTF-8. It does
//! not know what a line means.

use std::borrow::Cow;
use std::mem;

use memchr::memchr;

use super::protocol_sniffer::ProtocolSniffer;
use super::telnet::{IAC, Telnet, TelnetEvent};
use super::{Frame, Input, text};
use crate::core::buffers::{Buffer, Pool};

// The keys that a terminal without its own line editing sends as bytes, as `telnet` does in
// character mode: control-D, backspace (two variants), and control-U for the whole line.
const END_OF_TRANSMISSION: u8 = 0x04;
const BACKSPACE: u8 = 0x08;
const NEGATIVE_ACKNOWLEDGE: u8 = 0x15;
const DELETE: u8 = 0x7f;

/// Reads lines out of one connection's bytes.
///
/// A line that arrives complete and plain is borrowed from the read buffer. Everything else (a line
/// cut in two, telnet, editing, text beyond ASCII) goes byte by byte through a pooled buffer.
#[derive(Debug)]
pub struct LineReader {
    /// Longest line in bytes, without its ending (2.1.3).
    line_bytes_max: u16,
    /// Watches the first bytes of the connection for another protocol.
    sniffer: ProtocolSniffer,
    /// The position inside a telnet command.
    telnet: Telnet,
    /// The client has sent a telnet command.
    has_spoken_telnet: bool,
    /// A CR ended the last line. If an LF or NUL comes next, it belongs to the same line ending.
    after_cr: bool,
    /// The line whose ending has not arrived yet.
    partial: PartialLine,
}

/// A line whose ending has not arrived yet.
#[derive(Debug, Default)]
enum PartialLine {
    /// No byte of the line has arrived either.
    #[default]
    Nothing,
    /// The first bytes of the line.
    Bytes(Box<Buffer>),
    /// The line is too long. The reader drops its bytes and reports the line at its end.
    TooLong,
    /// The caller does not want the line. The reader drops its bytes and reports nothing.
    Discarded,
}

impl LineReader {
    /// Creates a reader for a new connection. A line may have `line_bytes_max` bytes.
    #[must_use]
    pub fn new(line_bytes_max: u16) -> LineReader {
        LineReader {
            line_bytes_max,
            sniffer: ProtocolSniffer::default(),
            telnet: Telnet::default(),
            has_spoken_telnet: false,
            after_cr: false,
            partial: PartialLine::Nothing,
        }
    }

    /// Returns the next frame of `input`, and shortens `input` by the bytes used. Returns `None`
    /// when `input` is used up and the next frame needs more bytes.
    #[inline]
    pub fn next<'i>(&mut self, pool: &mut Pool, input: &mut &'i [u8]) -> Option<Frame<'i>> {
        // A telnet command may stand between CR and LF: leave the flag set until a byte of text.
        if let (true, Telnet::Text, &[first, ..]) = (self.after_cr, self.telnet, *input)
            && first != IAC
        {
            self.after_cr = false;
            *input = input.strip_prefix(b"\n").or(input.strip_prefix(b"\0")).unwrap_or(input);
        }
        if self.sniffer.is_watching()
            && let Some(foreign) = self.sniffer.recognize(input)
        {
            *input = &[];
            return Some(Frame::Input(foreign));
        }
        match self.next_whole_line(input) {
            Some(line) => Some(Frame::Line(line)),
            None => self.next_byte_by_byte(pool, input),
        }
    }

    /// Whether the client has sent a telnet command: it understands telnet, and a plain `nc` does not.
    #[must_use]
    pub fn has_spoken_telnet(&self) -> bool {
        self.has_spoken_telnet
    }

    /// Ends the input. A last line without an ending counts as a line (2.1.6).
    pub fn finish(&mut self, pool: &mut Pool) -> Option<Frame<'static>> {
        match self.partial {
            PartialLine::Nothing | PartialLine::Discarded => None,
            PartialLine::Bytes(_) | PartialLine::TooLong => Some(self.end_line(pool)),
        }
    }

    /// Drops the partial line and the rest of it that has not arrived. Returns `false` if there is
    /// no partial line.
    pub fn drop_begun(&mut self, pool: &mut Pool) -> bool {
        let has_partial = matches!(self.partial, PartialLine::Bytes(_) | PartialLine::TooLong);
        if has_partial {
            self.discard_as(pool, PartialLine::Discarded);
        }
        has_partial
    }

    /// Drops the partial line, and returns its buffer to `pool`.
    pub fn release(&mut self, pool: &mut Pool) {
        match mem::take(&mut self.partial) {
            PartialLine::Bytes(buffer) => pool.take_back(buffer),
            PartialLine::Nothing | PartialLine::TooLong | PartialLine::Discarded => {}
        }
    }

    /// The fast path: returns the next line if `input` holds all of it and the line is plain,
    /// within the limit, and ends in LF or CR LF. A CR at any other place is not plain.
    ///
    /// The search stops at the limit. Otherwise each of many small frames (control-D, telnet) would
    /// search the rest of the input again, and the time would grow with the square of the input.
    #[inline]
    fn next_whole_line<'i>(&mut self, input: &mut &'i [u8]) -> Option<&'i [u8]> {
        let (PartialLine::Nothing, Telnet::Text, false) =
            (&self.partial, self.telnet, self.after_cr)
        else {
            return None;
        };
        // A telnet command starts here. Do not search for a line ending: repeated for every
        // command, the search would take time that grows with the square of a flood of commands.
        if input.first() == Some(&IAC) {
            return None;
        }
        let line_bytes_max = usize::from(self.line_bytes_max);
        let searched = &input[..input.len().min(line_bytes_max + b"\r\n".len())];
        let end = memchr(b'\n', searched)?;
        let line = searched[..end].strip_suffix(b"\r").unwrap_or(&searched[..end]);
        if line.len() > line_bytes_max || !text::is_plain(line) {
            return None;
        }
        *input = &input[end + 1..];
        Some(line)
    }

    /// The slow path: handles telnet, editing, partial lines and text beyond ASCII.
    fn next_byte_by_byte(&mut self, pool: &mut Pool, input: &mut &[u8]) -> Option<Frame<'static>> {
        while let [byte, rest @ ..] = *input {
            self.has_spoken_telnet |= self.telnet.is_command(*byte);
            let event = self.telnet.step(*byte);
            if let (TelnetEvent::End, PartialLine::Bytes(_) | PartialLine::TooLong) =
                (&event, &self.partial)
            {
                // Report the partial line first. IAC EOF stays in `input`, so the next call finds
                // it again; `Telnet::Command` restores the state after its IAC.
                self.telnet = Telnet::Command;
                return Some(self.end_line(pool));
            }
            *input = rest;
            let is_after_cr = match event {
                TelnetEvent::Byte(_) => mem::take(&mut self.after_cr),
                _ => false,
            };
            match event {
                TelnetEvent::Nothing => {}
                TelnetEvent::Reply(refusal) => return Some(Frame::Reply(refusal)),
                TelnetEvent::AreYouThere => return Some(Frame::Input(Input::AreYouThere)),
                TelnetEvent::SubnegotiationTooLong
                    if matches!(self.partial, PartialLine::Discarded) => {}
                TelnetEvent::SubnegotiationTooLong => self.discard_as(pool, PartialLine::TooLong),
                TelnetEvent::End => return Some(Frame::Input(Input::End)),
                // The second half of CR LF or CR NUL, both of which telnet uses (RFC 854).
                TelnetEvent::Byte(b'\n' | b'\0') if is_after_cr => {}
                // Control-D ends the input only at the start of a line, as in a Unix terminal.
                TelnetEvent::Byte(END_OF_TRANSMISSION)
                    if matches!(self.partial, PartialLine::Nothing) =>
                {
                    return Some(Frame::Input(Input::End));
                }
                TelnetEvent::Byte(end @ (b'\n' | b'\r')) => {
                    self.after_cr = end == b'\r';
                    match self.partial {
                        PartialLine::Discarded => self.partial = PartialLine::Nothing,
                        _ => return Some(self.end_line(pool)),
                    }
                }
                TelnetEvent::EraseCharacter | TelnetEvent::Byte(BACKSPACE | DELETE) => {
                    self.erase_character(pool);
                }
                TelnetEvent::EraseLine | TelnetEvent::Byte(NEGATIVE_ACKNOWLEDGE) => {
                    self.erase_line(pool)
                }
                TelnetEvent::Byte(byte) => self.push_byte(pool, byte),
            }
        }
        None
    }

    fn push_byte(&mut self, pool: &mut Pool, byte: u8) {
        match &mut self.partial {
            PartialLine::Bytes(buffer) if buffer.len() < usize::from(self.line_bytes_max) => {
                buffer.push([&[byte]]);
            }
            PartialLine::Bytes(_) => self.discard_as(pool, PartialLine::TooLong),
            PartialLine::Nothing => {
                let mut buffer = pool.lend();
                buffer.push([&[byte]]);
                self.partial = PartialLine::Bytes(buffer);
            }
            PartialLine::TooLong | PartialLine::Discarded => {}
        }
    }

    /// Drops the line up to its ending; `state` says whether the reader reports the line then. No
    /// editing key can undo this: the bytes are gone.
    fn discard_as(&mut self, pool: &mut Pool, state: PartialLine) {
        self.release(pool);
        self.partial = state;
    }

    fn erase_line(&mut self, pool: &mut Pool) {
        if let PartialLine::Bytes(_) = self.partial {
            self.release(pool);
        }
    }

    /// Removes the last character, with all its bytes: half a character is not valid UTF-8.
    fn erase_character(&mut self, pool: &mut Pool) {
        let PartialLine::Bytes(buffer) = &mut self.partial else { return };
        // Every byte of a UTF-8 character after the first is 0x80 to 0xbf (RFC 3629, 3).
        let is_first_of_character = |byte: &u8| !(0x80..0xc0).contains(byte);
        let rest = buffer.as_slice().iter().rposition(is_first_of_character).unwrap_or(0);
        buffer.truncate(rest);
        if rest == 0 {
            self.release(pool);
        }
    }

    /// Checks and cleans the partial line once, when the line is complete. A character may be cut
    /// in two before that.
    fn end_line(&mut self, pool: &mut Pool) -> Frame<'static> {
        let mut buffer = match mem::take(&mut self.partial) {
            PartialLine::Nothing | PartialLine::Discarded => return Frame::Line(b""),
            PartialLine::TooLong => return Frame::Input(Input::TooLong),
            PartialLine::Bytes(buffer) => buffer,
        };
        match str::from_utf8(buffer.as_slice()).map(text::clean) {
            // Nothing had to be removed: the buffer is the line.
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

    /// The frames that a reader yields for `packets`, as text.
    fn read(packets: &[&[u8]]) -> Vec<String> {
        let (mut pool, mut reader) = (Pool::default(), LineReader::new(LINE_BYTES_MAX as u16));
        let mut frames = Vec::new();
        for mut input in packets.iter().copied() {
            while let Some(frame) = reader.next(&mut pool, &mut input) {
                frames.push(shown(&frame));
            }
            assert!(input.is_empty(), "the reader takes all bytes, also those of a partial line");
        }
        frames.extend(reader.finish(&mut pool).map(|frame| shown(&frame)));
        frames
    }

    fn shown(frame: &Frame<'_>) -> String {
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
    fn a_line_at_the_limit_passes_and_a_longer_line_is_dropped_whole() {
        for glyph in ["x", "é"] {
            let full = glyph.repeat(LINE_BYTES_MAX / glyph.len());
            let sent = format!("{full}\n{full}y\n{full}");
            assert_eq!(read(&[sent.as_bytes()]), [&full, "Input(TooLong)", &full], "{glyph}");
        }
    }

    #[test]
    fn broken_utf8_drops_one_line_only() {
        assert_eq!(read(&[b"a\n\xc3\x28\nna\xc3\xafve\n"]), ["a", "Input(NotUtf8)", "naïve"]);
        assert_eq!(read(&[b"caf\xe9\n\xff\xff\n"]), ["Input(NotUtf8)", "Input(NotUtf8)"]);
    }

    #[test]
    fn editing_keys_erase_characters_and_lines() {
        assert_eq!(read(&["hellö\x7fo\x08\x08lp\n".as_bytes()]), ["hellp"]);
        assert_eq!(read(&[b"\x7f\x7fab\x15cd\n"]), ["cd"]);
        assert_eq!(
            read(&[b"ab\x7f\x7f\x04"]),
            ["Input(End)"],
            "control-D counts at the start of an erased line"
        );
        assert_eq!(read(&[b"no\x04t here\n"]), ["not here"]);
    }

    #[test]
    fn telnet_commands_are_removed_at_every_position() {
        assert_eq!(read(&[b"he\xff\xfd\x06llo\n"]), ["Reply([255, 252, 6])", "hello"]);
        assert_eq!(read(&[b"gone\xff\xf4\xff\xfd\x06here\n"]), ["Reply([255, 252, 6])", "here"]);
        assert_eq!(read(&[b"ab\xff\xf7c\xff\xf6\r\n"]), ["Input(AreYouThere)", "ac"]);
        assert_eq!(read(&[b"\xff\xfa\x18\n\r\xff\xf0x\n\xff\xec"]), ["x", "Input(End)"]);
        assert_eq!(read(&[b"last\xff\xec"]), ["last", "Input(End)"]);
        assert_eq!(read(&[b"a\r\xff\xfc\x01\nb\n"]), ["a", "b"], "the LF belongs to the CR");
    }

    #[test]
    fn tls_and_http_are_recognised_only_at_the_start() {
        assert_eq!(read(&[b"\x16", b"\x03\x01"])[0], "Input(TlsHello)");
        assert_eq!(read(&[b"PO", b"ST ", b"/"])[0], "Input(HttpRequest)");
        assert_eq!(read(&[b"\x16x\nGET /\n"]), ["x", "GET /"]);
    }

    #[test]
    fn a_subnegotiation_over_the_limit_drops_its_line() {
        let endless = [&b"ab\xff\xfa"[..], &[b'z'; 2000], b"\x15\x7f\nnext\n"].concat();
        assert_eq!(read(&[&endless]), ["Input(TooLong)", "next"]);
    }

    #[test]
    fn a_subnegotiation_at_the_limit_passes() {
        let longest = [&b"a\xff\xfa"[..], &[b'z'; 1024], b"\xff\xf0b\n"].concat();
        assert_eq!(read(&[&longest]), ["ab"]);
    }

    #[test]
    fn dropping_a_partial_line_drops_the_rest_of_it() {
        let (mut pool, mut reader) = (Pool::default(), LineReader::new(100));
        assert!(!reader.drop_begun(&mut pool));
        assert!(reader.next(&mut pool, &mut &b"I take the "[..]).is_none());
        assert!(reader.drop_begun(&mut pool));
        let mut rest = &b"3\x15 o'clock\r\nnext\n"[..];
        assert_eq!(shown(&reader.next(&mut pool, &mut rest).unwrap()), "next");
    }

    #[test]
    fn a_lone_iac_does_not_remove_the_line_ending() {
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
