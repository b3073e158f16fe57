//! Runs any bytes, cut in any way, through a connection that begins with a PROXY header (`protocol.md`
//! 2.5). Every cut must name the same client and leave the same bytes behind the header. A header
//! that is refused stays refused. The first byte of an input decides how the rest is cut. The
//! fuzzer and `tests/fuzz_corpus.rs` both call [`run`].

use chinwag::core::limits::PROXY_HEADER_BYTES_MAX;
use chinwag::core::time::Time;
use chinwag::core::transport::{Opening, ProxyProtocol, Transport, TransportError};

/// Checks one input.
///
/// # Panics
/// If the transport breaks a promise.
pub(crate) fn run(data: &[u8]) {
    let Some((&cut, stream)) = data.split_first() else { return };
    let whole = read(stream, stream.len().max(1));
    for size in [1, 1 + usize::from(cut)] {
        assert_eq!(read(stream, size), whole, "cut by {size}");
    }
    match whole {
        Ok((Opening::Pending, input)) => {
            assert!(input.is_empty(), "input before the end of the header");
            assert!(stream.len() < PROXY_HEADER_BYTES_MAX, "a header without an end");
        }
        Ok((Opening::Ready(client), input)) => {
            assert!(stream.ends_with(&input) && input.len() + 15 <= stream.len());
            assert!(client.is_none_or(|client| !client.ip().is_unspecified()));
        }
        Err(_) => {}
    }
}

/// What the connection has opened as, and its input.
fn read(stream: &[u8], size: usize) -> Result<(Opening, Vec<u8>), TransportError> {
    let mut connection = ProxyProtocol::new(Time::START, None);
    let mut input = Vec::new();
    for packet in stream.chunks(size) {
        connection.receive(Time::START, packet, &mut input)?;
        let is_open = connection.opening() != Opening::Pending;
        assert_eq!(is_open, connection.is_transparent());
        assert_eq!(is_open, connection.deadline().is_none());
    }
    Ok((connection.opening(), input))
}
