//! The pure half of the client: keys, server lines and the time go in; actions and bytes for the
//! terminal come out.
//!
//! `client::io` calls [`state_machine`], which owns the other parts. No module in this folder may
//! open a socket, read a clock or write to the terminal. The tests can therefore run the whole
//! client without a terminal, and check a screen by comparing it with a picture.

pub mod backoff;
pub mod chat_log;
pub mod client_state;
pub mod color;
pub mod completion;
pub mod editor;
pub mod history_search;
pub mod input_history;
pub mod keys;
pub mod known_names;
pub mod list_row;
pub mod mention;
pub mod missed;
pub mod notifier;
pub mod privacy;
pub mod prompt;
pub mod screen;
pub mod sending;
pub mod server_line;
pub mod split;
pub mod state_machine;
pub mod transcript;
pub mod undo;
pub mod wrap;
