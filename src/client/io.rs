//! The half of the client that touches the world.

pub(super) mod connection;
pub(super) mod event_loop;
pub(super) mod pipe;
pub mod terminal;
