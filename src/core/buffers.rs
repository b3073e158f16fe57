//! Byte buffers: pooled memory, and the unsent bytes of one connection.
//!
//! The framing keeps partial lines in them, the exchange keeps output in them. They know nothing of
//! lines or sockets.

mod buffer;
mod outbox;

pub use buffer::{Buffer, Pool};
pub use outbox::Outbox;
