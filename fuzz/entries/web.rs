//! Runs any bytes, cut in any way, through an HTTP connection (`protocol.md` 2.6). Every cut must give
//! the same responses, frames and lines; what reaches the chat must be UTF-8 without telnet commands,
//! and memory stays bounded. The first byte of an input decides how the rest is cut; if it is odd, a
//! handshake comes first. The fuzzer and `tests/fuzz_corpus.rs` both call [`run`].

use std::rc::Rc;

use chinwag::core::time::Time;
use chinwag::core::transport::http::{Http, Site};
use chinwag::core::transport::{Opening, Received, Transport};

const HANDSHAKE: &[u8] = b"GET /chat HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// Bytes of all responses and frames that one connection without a reader may cause: the largest
/// document, as often as responses may wait, and some frames.
const OUTPUT_BYTES_MAX: usize = 8 * 64 * 1024;

/// What became of a connection.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    /// The application bytes, up to the first that is not UTF-8.
    input: String,
    output: Vec<u8>,
    opening: Opening,
    /// No more bytes count: the end of input, or an error.
    is_over: bool,
}

/// Checks one input.
///
/// # Panics
/// If the transport breaks a promise.
pub(crate) fn run(data: &[u8]) {
    let Some((&cut, stream)) = data.split_first() else { return };
    let stream = match cut % 2 {
        0 => stream.to_vec(),
        _ => [HANDSHAKE, stream].concat(),
    };
    let whole = outcome([&*stream]);
    assert!(whole.output.len() < OUTPUT_BYTES_MAX, "{} bytes of output", whole.output.len());
    assert_eq!(outcome(packets(&stream, cut)), whole, "cut by {cut}");
    assert_eq!(outcome(stream.chunks(1)), whole, "cut into single bytes");
}

/// Cuts the stream into packets. `cut` decides their sizes.
fn packets(mut stream: &[u8], cut: u8) -> impl Iterator<Item = &[u8]> {
    let mut size = usize::from(cut);
    std::iter::from_fn(move || {
        size = (size * 5 + 3) % 61;
        let (packet, rest) = stream.split_at((1 + size).min(stream.len()));
        stream = rest;
        (!packet.is_empty()).then_some(packet)
    })
}

/// Feeds the packets to a connection whose socket takes nothing until the end.
fn outcome<'a>(packets: impl IntoIterator<Item = &'a [u8]>) -> Outcome {
    let mut http = Http::new(Time::START, Rc::new(Site::default()), [127, 0, 0, 1].into());
    let (mut input, mut is_over) = (Vec::new(), false);
    for packet in packets {
        let received = http.receive(Time::START, packet, &mut input);
        assert!(!input.contains(&0xff), "a telnet command reaches the chat");
        if received != Ok(Received::Data) {
            is_over = true;
            break;
        }
    }
    let opening = http.opening();
    let taken = http.send(b"* line\r\n");
    assert!(taken == 0 || opening != Opening::Pending, "a line before the session");
    let output = drain(&mut http);
    http.close();
    drain(&mut http);
    assert_eq!(http.send(b"* line\r\n"), 0, "a line behind the close");
    let valid = match str::from_utf8(&input) {
        Ok(text) => text,
        Err(error) => {
            assert!(error.error_len().is_none(), "more than a character that is cut at the end");
            str::from_utf8(&input[..error.valid_up_to()]).expect("checked just now")
        }
    };
    Outcome { input: valid.to_owned(), output, opening, is_over }
}

/// Everything that the socket would take.
fn drain(http: &mut Http) -> Vec<u8> {
    let mut output = Vec::new();
    while !http.output().is_empty() {
        let count = http.output().len().min(1_000);
        output.extend_from_slice(&http.output()[..count]);
        http.handle_sent(count);
    }
    output
}
