//! Input and output of the client: the terminal, the socket, the pipe and the loop over them.
//! `client::run` calls this module. What the user sees is decided in `ui`, never here.

mod acknowledged;
mod attempt;
mod channel;
pub(super) mod connection;
pub(super) mod event_loop;
mod known_hosts_file;
pub(super) mod log_file;
pub(super) mod pipe;
pub mod regular_file;
pub(super) mod socket;
pub mod terminal;
mod tls;
pub(super) mod trust;
