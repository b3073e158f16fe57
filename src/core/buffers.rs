//! Byte buffers: pooled memory, and the bytes that wait for one connection.

mod buffer;
mod outbox;

pub use buffer::{Buffer, Pool};
pub use outbox::Outbox;
