//! chinwag

pub mod chat;
pub mod exchange;
pub mod limits;
mod session_id;
pub mod time;
pub mod wire;

pub use session_id::SessionId;
