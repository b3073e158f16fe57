//! chinwag

pub mod args;
pub mod chat;
pub mod exchange;
pub mod limits;
pub mod server;
mod session_id;
pub mod time;
pub mod wire;

pub use session_id::SessionId;
