//! The core: the whole chat server without its sockets.
//!
//! Nothing in this folder opens a socket or a file, reads a clock or starts a thread. The shell
//! (`crate::server`) passes bytes and the time in, and carries out what the core asks for. Every
//! rule of the protocol can therefore be tested without a network and without waiting.

pub mod accounts;
pub mod buffers;
pub mod chat;
pub mod exchange;
pub mod framing;
pub mod limits;
pub(crate) mod number;
pub mod operator;
mod origin;
pub mod recording;
mod session_id;
pub mod time;
pub mod transport;

pub use origin::Origin;
pub use session_id::SessionId;
