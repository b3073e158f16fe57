//! The pure half of the client.

pub mod backoff;
pub mod client_state;
pub mod color;
pub mod completion;
pub mod editor;
pub mod input_history;
pub mod keys;
pub mod list_row;
pub mod mention;
pub mod prompt;
pub mod screen;
pub mod server_line;
pub mod state_machine;
pub mod transcript;
