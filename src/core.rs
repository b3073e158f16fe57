//! The core: the whole chat server without its sockets.

pub mod buffers;
pub mod chat;
pub mod exchange;
pub mod framing;
pub mod limits;
pub mod operator;
mod session_id;
pub mod time;

pub use session_id::SessionId;
