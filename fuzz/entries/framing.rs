//! Any bytes, cut in any way, through the framing: the same frames come out, every line is within
//! the limit and safe for a terminal, and every byte is used up (`protocol.md` 1 and 2.1).
//!
//! The first byte says how the rest is cut. Both the fuzzer and `tests/fuzz_corpus.rs` come in here.

use chinwag::core::buffers::Pool;
use chinwag::core::framing::{Frame, Input, LineReader};
use chinwag::core::limits::LINE_BYTES_MAX;

/// Checks one input.
///
/// # Panics
/// If the framing breaks a promise.
pub(crate) fn run(data: &[u8]) {
    let Some((&cut, stream)) = data.split_first() else { return };
    for line_bytes_max in [LINE_BYTES_MAX, 16] {
        let whole = frames(line_bytes_max, [stream]);
        assert!(whole.len() <= stream.len() + 1, "more frames than bytes");
        assert_eq!(frames(line_bytes_max, packets(stream, cut)), whole, "cut by {cut}");
        assert_eq!(frames(line_bytes_max, stream.chunks(1)), whole, "byte by byte");
    }
}

/// The stream in packets of sizes that go up and down with `cut`.
fn packets(mut stream: &[u8], cut: u8) -> impl Iterator<Item = &[u8]> {
    let mut size = usize::from(cut);
    std::iter::from_fn(move || {
        size = (size * 5 + 3) % 61;
        let (packet, rest) = stream.split_at((1 + size).min(stream.len()));
        stream = rest;
        (!packet.is_empty()).then_some(packet)
    })
}

/// What a reader makes of the packets, written down.
fn frames<'a>(max: usize, packets: impl IntoIterator<Item = &'a [u8]>) -> Vec<String> {
    let line_bytes_max = u16::try_from(max).expect("the limit of a line is small");
    let (mut pool, mut reader) = (Pool::default(), LineReader::new(line_bytes_max));
    let mut frames = Vec::new();
    for mut input in packets {
        while let Some(frame) = reader.next(&mut pool, &mut input) {
            let is_last =
                matches!(frame, Frame::Input(Input::TlsHello | Input::HttpRequest | Input::End));
            frames.push(checked(max, &mut pool, frame));
            if is_last {
                // Nobody reads on: what follows is thrown away.
                return frames;
            }
        }
        assert!(input.is_empty(), "{} bytes are neither used nor held", input.len());
    }
    let last = reader.finish(&mut pool);
    frames.extend(last.map(|frame| checked(max, &mut pool, frame)));
    frames
}

/// The frame in words, whichever way it was put together.
fn checked(max: usize, pool: &mut Pool, frame: Frame<'_>) -> String {
    let words = match frame.line() {
        Some(line) => {
            assert!(line.len() <= max, "a line of {} bytes", line.len());
            let text = str::from_utf8(line).expect("a line is UTF-8");
            assert!(!text.contains(is_unsafe), "an unsafe character in {text:?}");
            format!("{text:?}")
        }
        None => format!("{frame:?}"),
    };
    if let Frame::Reply([iac, refusal, _]) = frame {
        assert!(iac == 255 && [252, 254].contains(&refusal), "a reply that is no refusal");
    }
    frame.recycle(pool);
    words
}

/// The list of 2.1, in the words of the specification rather than the program's.
fn is_unsafe(c: char) -> bool {
    matches!(c as u32,
        0..=0x1f | 0x7f..=0x9f | 0x2028 | 0x2029 | 0x202a..=0x202e | 0x2066..=0x2069
        | 0x206a..=0x206f | 0xfeff | 0xfff9..=0xfffb)
}
