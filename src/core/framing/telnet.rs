//! Telnet's commands taken out of a stream of bytes, one byte at a time; RFC 854, refusals as in
//! RFC 1143. Only bytes that the fast path of [`super::LineReader`] would not take come here.

use crate::core::limits::SUBNEGOTIATION_BYTES_MAX;

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
const SE: u8 = 240;
const EOF: u8 = 236;

/// Where in a command the stream stands.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Telnet {
    /// In the text.
    #[default]
    Text,
    /// After IAC.
    Command,
    /// After IAC DO: the option to refuse comes next.
    Do,
    /// After IAC WILL: the option to refuse comes next.
    Will,
    /// After IAC DONT or IAC WONT: an option comes next, and there is nothing to say to it.
    Ignored,
    /// Within IAC SB, after so many bytes.
    Subnegotiation(u16),
    /// Within IAC SB, after so many bytes, the last an IAC.
    SubnegotiationCommand(u16),
}

/// What a byte means once telnet is taken out.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum InputKind {
    /// A byte of the text.
    Byte(u8),
    /// Part of a command; nothing to do.
    Nothing,
    /// An option to refuse with these bytes.
    Reply([u8; 3]),
    /// IAC EC: delete the last character.
    EraseCharacter,
    /// IAC EL, IP or BRK: clear the line.
    EraseLine,
    /// IAC AYT.
    AreYouThere,
    /// IAC EOF.
    End,
    /// A subnegotiation over the limit: what follows is text again.
    Endless,
}

impl Telnet {
    /// Takes in the next byte of the stream.
    pub(super) fn step(&mut self, byte: u8) -> InputKind {
        let (next, meaning) = match (*self, byte) {
            (Telnet::Text, IAC) => (Telnet::Command, InputKind::Nothing),
            (Telnet::Text, _) => (Telnet::Text, InputKind::Byte(byte)),
            (Telnet::Command, _) => command(byte),
            (Telnet::Do, _) => (Telnet::Text, InputKind::Reply([IAC, WONT, byte])),
            (Telnet::Will, _) => (Telnet::Text, InputKind::Reply([IAC, DONT, byte])),
            (Telnet::Ignored, _) => (Telnet::Text, InputKind::Nothing),
            (Telnet::Subnegotiation(n), IAC) => {
                (Telnet::SubnegotiationCommand(n), InputKind::Nothing)
            }
            (Telnet::SubnegotiationCommand(_), SE) => (Telnet::Text, InputKind::Nothing),
            (Telnet::Subnegotiation(SUBNEGOTIATION_BYTES_MAX), _)
            | (Telnet::SubnegotiationCommand(SUBNEGOTIATION_BYTES_MAX), _) => {
                (Telnet::Text, InputKind::Endless)
            }
            (Telnet::Subnegotiation(n) | Telnet::SubnegotiationCommand(n), _) => {
                (Telnet::Subnegotiation(n + 1), InputKind::Nothing)
            }
        };
        *self = next;
        meaning
    }
}

/// The byte after an IAC outside subnegotiation.
fn command(byte: u8) -> (Telnet, InputKind) {
    match byte {
        IAC => (Telnet::Text, InputKind::Byte(IAC)),
        DO => (Telnet::Do, InputKind::Nothing),
        WILL => (Telnet::Will, InputKind::Nothing),
        DONT | WONT => (Telnet::Ignored, InputKind::Nothing),
        SB => (Telnet::Subnegotiation(0), InputKind::Nothing),
        EC => (Telnet::Text, InputKind::EraseCharacter),
        EL | IP | BRK => (Telnet::Text, InputKind::EraseLine),
        AYT => (Telnet::Text, InputKind::AreYouThere),
        EOF => (Telnet::Text, InputKind::End),
        // No command is below EOF: the IAC alone is out of place, such as an ÿ of Latin-1.
        0..EOF => (Telnet::Text, InputKind::Byte(byte)),
        _ => (Telnet::Text, InputKind::Nothing),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meanings(bytes: &[u8]) -> Vec<InputKind> {
        let mut telnet = Telnet::default();
        bytes.iter().map(|&b| telnet.step(b)).filter(|m| *m != InputKind::Nothing).collect()
    }

    #[test]
    fn every_option_is_refused_each_time_and_refusals_get_no_answer() {
        let timing_mark = [IAC, IP, IAC, DO, 6, IAC, DO, 6];
        let refused = || InputKind::Reply([IAC, WONT, 6]);
        assert_eq!(meanings(&timing_mark), [InputKind::EraseLine, refused(), refused()]);
        assert_eq!(meanings(&[IAC, WILL, 31]), [InputKind::Reply([IAC, DONT, 31])]);
        assert_eq!(meanings(&[IAC, DONT, 1, IAC, WONT, 3]), []);
    }

    #[test]
    fn a_subnegotiation_is_thrown_away_with_the_doubled_iac_in_it() {
        let bytes = [IAC, SB, 24, 0, IAC, IAC, b'\n', IAC, SE, b'x'];
        assert_eq!(meanings(&bytes), [InputKind::Byte(b'x')]);
    }

    #[test]
    fn a_subnegotiation_that_never_ends_is_given_up() {
        let mut bytes = vec![IAC, SB];
        bytes.extend([b'z'; SUBNEGOTIATION_BYTES_MAX as usize + 1]);
        bytes.push(b'x');
        assert_eq!(meanings(&bytes), [InputKind::Endless, InputKind::Byte(b'x')]);
    }
}
