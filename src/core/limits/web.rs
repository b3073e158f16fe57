//! The limits of HTTP and WebSocket connections (7.66 to 7.72).

use super::{BUFFER_BYTES_KEPT_MAX, LINE_BYTES_MAX, NAME_BYTES_MAX, PASTE_BYTES_MAX};

/// Default port of the web page.
pub const WEB_PORT: u16 = 7880;

/// Bytes of the head of an HTTP request (7.66). A browser sends half a kilobyte; cookies of other
/// programs on the same host can add a few.
pub const HTTP_HEAD_BYTES_MAX: usize = 8 * 1024;

/// Header fields of an HTTP request (7.66): a browser behind two proxies sends about thirty.
pub const HTTP_HEADERS_MAX: usize = 64;

/// Milliseconds for the head of the first HTTP request, and of each later one (7.67). A client that
/// sends a byte now and then must not hold a connection.
pub const HTTP_HEAD_MS: u64 = 10_000;

/// Requests on one HTTP connection (7.68). The page has some twenty files.
pub const HTTP_REQUESTS_MAX: u32 = 100;

/// Responses that wait for the client at a time (7.69), because it sends requests without reading.
/// Browsers wait for each response.
pub const HTTP_RESPONSES_WAITING_MAX: usize = 8;

/// Bytes of one WebSocket message from a client (7.70): as many as one paste of the terminal client
/// has. The server keeps no part of a message, only its unfinished line.
pub const WEBSOCKET_MESSAGE_BYTES_MAX: usize = PASTE_BYTES_MAX;

/// Bytes of frames that are ready for one client (7.71). The lines behind them wait in the outbox or
/// in the log of a room, where backpressure counts them.
pub const WEBSOCKET_OUTPUT_BYTES_MAX: usize = 8 * 1024;

/// Milliseconds of silence after which the server sends a ping (7.72). Proxies close connections
/// that are silent for 60 s.
pub const WEBSOCKET_PING_MS: u64 = 30_000;

/// Pings in a row without a sign of life after which the peer counts as dead (7.72).
pub const WEBSOCKET_PINGS_UNANSWERED_MAX: u8 = 2;

const _: () = assert!(
    2 * (LINE_BYTES_MAX + NAME_BYTES_MAX) < WEBSOCKET_OUTPUT_BYTES_MAX,
    "a frame must have room for the longest line"
);
const _: () = assert!(
    2 * WEBSOCKET_OUTPUT_BYTES_MAX <= BUFFER_BYTES_KEPT_MAX,
    "the pool must keep the buffer of a busy connection"
);
