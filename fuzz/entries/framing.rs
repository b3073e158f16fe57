//! Runs any bytes, cut in any way, through the framing. Every cut must give the same frames. Every
//! line must be within the limit and safe for a terminal, and every byte must be consumed
//! (`protocol.md` 2 and 3.1). The first byte of an input decides how the rest is cut. The fuzzer
//! and `tests/fuzz_corpus.rs` both call [`run`].

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
        assert_eq!(frames(line_bytes_max, stream.chunks(1)), whole, "cut into single bytes");
    }
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

/// The frames that a reader yields for the packets, as text.
fn frames<'a>(max: usize, packets: impl IntoIterator<Item = &'a [u8]>) -> Vec<String> {
    let line_bytes_max = u16::try_from(max).expect("the limit of a line fits 16 bits");
    let (mut pool, mut reader) = (Pool::default(), LineReader::new(line_bytes_max));
    let mut frames = Vec::new();
    for mut input in packets {
        while let Some(frame) = reader.next(&mut pool, &mut input) {
            let is_last =
                matches!(frame, Frame::Input(Input::TlsHello | Input::HttpRequest | Input::End));
            frames.push(check_frame(max, &mut pool, frame));
            if is_last {
                // The server reads no more: it discards what follows.
                return frames;
            }
        }
        assert!(input.is_empty(), "{} bytes are neither consumed nor held", input.len());
    }
    let last = reader.finish(&mut pool);
    frames.extend(last.map(|frame| check_frame(max, &mut pool, frame)));
    frames
}

/// Checks a frame and returns it as text. A frame that was assembled from parts gives the same
/// text.
fn check_frame(max: usize, pool: &mut Pool, frame: Frame<'_>) -> String {
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
        assert!(iac == 255 && [252, 254].contains(&refusal), "a reply that is not a refusal");
    }
    frame.recycle(pool);
    words
}

/// The unsafe characters of 3.1.1. The list follows the specification and shares no code with the
/// server.
fn is_unsafe(c: char) -> bool {
    matches!(c as u32,
        0..=0x1f | 0x7f..=0x9f | 0x2028 | 0x2029 | 0x202a..=0x202e | 0x2066..=0x2069
        | 0x206a..=0x206f | 0xfeff | 0xfff9..=0xfffb)
}
