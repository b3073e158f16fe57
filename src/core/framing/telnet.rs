//! Removes telnet commands from a stream of bytes, one byte at a time (RFC 854).
//!
//! The server supports no telnet option and refuses each of them, as RFC 1143 describes.
//! [`super::LineReader`] calls this only for bytes that its fast path cannot take.

use crate::core::limits::SUBNEGOTIATION_BYTES_MAX;

/// "Interpret as command": the byte that starts every telnet command (RFC 854).
pub(super) const IAC: u8 = 255;
const DONT: u8 = 254;
const DO: u8 = 253;
const WONT: u8 = 252;
const WILL: u8 = 251;
const SB: u8 = 250;
const EL: u8 = 248;
const EC: u8 = 247;
const AYT: u8 = 246;
const IP: u8 = 244;
const BRK: u8 = 243;
const NOP: u8 = 241;
const SE: u8 = 240;
/// End of file (RFC 1184); the lowest number of a telnet command.
const EOF: u8 = 236;
/// The option ECHO (RFC 857).
const ECHO: u8 = 1;

/// The server says that it will show what the client sends. The client then shows nothing itself.
pub const ECHO_OFF: [u8; 3] = [IAC, WILL, ECHO];

/// The server says that it shows nothing, so the client does.
pub const ECHO_ON: [u8; 3] = [IAC, WONT, ECHO];

/// What [`super::LineReader`] yields for `IAC DO ECHO`. No refusal is due if it answers [`ECHO_OFF`].
pub const DO_NOT_ECHO_REFUSAL: [u8; 3] = [IAC, WONT, ECHO];

/// The parser's position inside a telnet command. It must survive the end of a read, because a
/// command can be cut anywhere.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Telnet {
    /// Outside every command.
    #[default]
    Text,
    /// After IAC.
    Command,
    /// After IAC DO: the next byte is the option that the client wants us to use.
    Do,
    /// After IAC WILL: the next byte is the option that the client wants to use.
    Will,
    /// After IAC DONT or IAC WONT: the next byte is an option that is off already. An answer could
    /// start an endless exchange of refusals (RFC 1143).
    Ignored,
    /// Inside IAC SB, after this many bytes.
    Subnegotiation(u16),
    /// Inside IAC SB, after this many bytes and an IAC: SE ends the subnegotiation.
    SubnegotiationCommand(u16),
}

/// What one byte of the stream means to the line reader.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum TelnetEvent {
    /// A byte of text.
    Byte(u8),
    /// Part of a command; the line reader does nothing.
    Nothing,
    /// The bytes that refuse an option.
    Reply([u8; 3]),
    /// IAC EC: delete the last character of the line.
    EraseCharacter,
    /// IAC EL, IP or BRK: delete the whole line.
    EraseLine,
    /// IAC AYT: "are you there?".
    AreYouThere,
    /// IAC EOF: the client sends no more.
    End,
    /// The subnegotiation passed its limit. The parser treats the bytes that follow as text; the
    /// line reader drops them up to the end of the line.
    SubnegotiationTooLong,
}

impl Telnet {
    /// Whether `byte` completes the first two bytes of a telnet command. Text has no such pair: no UTF-8
    /// has the byte of IAC.
    pub(super) fn is_command(self, byte: u8) -> bool {
        self == Telnet::Command && (EOF..IAC).contains(&byte)
    }

    /// Processes the next byte of the stream.
    pub(super) fn step(&mut self, byte: u8) -> TelnetEvent {
        let (next, event) = match (*self, byte) {
            (Telnet::Text, IAC) => (Telnet::Command, TelnetEvent::Nothing),
            (Telnet::Text, _) => (Telnet::Text, TelnetEvent::Byte(byte)),
            (Telnet::Command, _) => command(byte),
            (Telnet::Do, _) => (Telnet::Text, TelnetEvent::Reply([IAC, WONT, byte])),
            (Telnet::Will, _) => (Telnet::Text, TelnetEvent::Reply([IAC, DONT, byte])),
            (Telnet::Ignored, _) => (Telnet::Text, TelnetEvent::Nothing),
            (Telnet::Subnegotiation(n), IAC) => {
                (Telnet::SubnegotiationCommand(n), TelnetEvent::Nothing)
            }
            (Telnet::SubnegotiationCommand(_), SE) => (Telnet::Text, TelnetEvent::Nothing),
            (Telnet::Subnegotiation(SUBNEGOTIATION_BYTES_MAX), _)
            | (Telnet::SubnegotiationCommand(SUBNEGOTIATION_BYTES_MAX), _) => {
                (Telnet::Text, TelnetEvent::SubnegotiationTooLong)
            }
            (Telnet::Subnegotiation(n) | Telnet::SubnegotiationCommand(n), _) => {
                (Telnet::Subnegotiation(n + 1), TelnetEvent::Nothing)
            }
        };
        *self = next;
        event
    }
}

/// Finds the telnet commands in a stream and leaves out all text, for whoever must know what a client
/// negotiates while it sends a password.
#[derive(Debug, Default)]
pub(crate) struct CommandFilter {
    telnet: Telnet,
    /// The first bytes of a command; no longer than a subnegotiation may be.
    begun: Vec<u8>,
    /// The last byte of text was a CR.
    after_cr: bool,
}

impl CommandFilter {
    /// Appends the commands that end in `bytes` to `commands`. IAC EOF, the commands that edit a line and
    /// a subnegotiation without an end become IAC NOP: what they do shows in the line itself, and that the
    /// client speaks telnet counts too. An LF or NUL is found too if it belongs to a line ending that began
    /// before.
    pub(crate) fn push(&mut self, bytes: &[u8], commands: &mut Vec<u8>) {
        let mut ends_line = self.after_cr;
        for &byte in bytes {
            let was_text = self.telnet == Telnet::Text;
            let event = self.telnet.step(byte);
            if let TelnetEvent::Byte(text) = event {
                if std::mem::take(&mut ends_line) && matches!(text, b'\n' | 0) {
                    commands.push(text);
                }
                self.after_cr = text == b'\r';
            }
            if was_text && self.telnet == Telnet::Text {
                continue;
            }
            self.begun.push(byte);
            if self.telnet == Telnet::Text {
                match event {
                    TelnetEvent::Nothing | TelnetEvent::Reply(_) | TelnetEvent::AreYouThere => {
                        commands.extend_from_slice(&self.begun);
                    }
                    // An IAC that began no command.
                    TelnetEvent::Byte(_) => {}
                    TelnetEvent::EraseCharacter
                    | TelnetEvent::EraseLine
                    | TelnetEvent::End
                    | TelnetEvent::SubnegotiationTooLong => commands.extend([IAC, NOP]),
                }
                self.begun.clear();
            }
        }
    }
}

/// Interprets the byte after an IAC outside a subnegotiation.
fn command(byte: u8) -> (Telnet, TelnetEvent) {
    match byte {
        IAC => (Telnet::Text, TelnetEvent::Byte(IAC)),
        DO => (Telnet::Do, TelnetEvent::Nothing),
        WILL => (Telnet::Will, TelnetEvent::Nothing),
        DONT | WONT => (Telnet::Ignored, TelnetEvent::Nothing),
        SB => (Telnet::Subnegotiation(0), TelnetEvent::Nothing),
        EC => (Telnet::Text, TelnetEvent::EraseCharacter),
        EL | IP | BRK => (Telnet::Text, TelnetEvent::EraseLine),
        AYT => (Telnet::Text, TelnetEvent::AreYouThere),
        EOF => (Telnet::Text, TelnetEvent::End),
        // No command number is below EOF, so the IAC was not telnet: the letter ÿ of Latin-1 is the
        // same byte. The byte after it must count, above all a line ending.
        0..EOF => (Telnet::Text, TelnetEvent::Byte(byte)),
        _ => (Telnet::Text, TelnetEvent::Nothing),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(bytes: &[u8]) -> Vec<TelnetEvent> {
        let mut telnet = Telnet::default();
        bytes
            .iter()
            .map(|&b| telnet.step(b))
            .filter(|event| *event != TelnetEvent::Nothing)
            .collect()
    }

    #[test]
    fn every_option_is_refused_each_time_and_refusals_get_no_answer() {
        let timing_mark = [IAC, IP, IAC, DO, 6, IAC, DO, 6];
        let refused = || TelnetEvent::Reply([IAC, WONT, 6]);
        assert_eq!(events(&timing_mark), [TelnetEvent::EraseLine, refused(), refused()]);
        assert_eq!(events(&[IAC, WILL, 31]), [TelnetEvent::Reply([IAC, DONT, 31])]);
        assert_eq!(events(&[IAC, DONT, 1, IAC, WONT, 3]), []);
    }

    #[test]
    fn a_subnegotiation_is_dropped_with_the_doubled_iac_inside_it() {
        let bytes = [IAC, SB, 24, 0, IAC, IAC, b'\n', IAC, SE, b'x'];
        assert_eq!(events(&bytes), [TelnetEvent::Byte(b'x')]);
    }

    #[test]
    fn the_parser_gives_up_a_subnegotiation_that_never_ends() {
        let mut bytes = vec![IAC, SB];
        bytes.extend([b'z'; SUBNEGOTIATION_BYTES_MAX as usize + 1]);
        bytes.push(b'x');
        assert_eq!(events(&bytes), [TelnetEvent::SubnegotiationTooLong, TelnetEvent::Byte(b'x')]);
    }

    #[test]
    fn the_commands_between_the_letters_of_a_password_are_found() {
        let sent =
            [b'p', IAC, DO, ECHO, b'a', IAC, IAC, IAC, EC, IAC, SB, 24, 0, IAC, SE, IAC, AYT];
        for cut in 1..sent.len() {
            let (mut filter, mut found) = (CommandFilter::default(), Vec::new());
            sent.chunks(cut).for_each(|part| filter.push(part, &mut found));
            assert_eq!(
                found,
                [IAC, DO, ECHO, IAC, NOP, IAC, SB, 24, 0, IAC, SE, IAC, AYT],
                "{cut}"
            );
        }
    }

    #[test]
    fn the_rest_of_a_line_ending_is_found_and_a_whole_one_is_not() {
        let found = |parts: &[&[u8]]| {
            let (mut filter, mut found) = (CommandFilter::default(), Vec::new());
            parts.iter().for_each(|part| filter.push(part, &mut found));
            found
        };
        assert_eq!(found(&[b"secret\r", b"\n", b"\n"]), b"\n");
        assert_eq!(found(&[b"secret\r", &[IAC, NOP], b"\0more\r\n"]), [IAC, NOP, 0]);
        assert_eq!(found(&[b"secret\r\n", b"\n", b"more\r", b"x\n"]), b"");
    }
}
