//! The impure half of the full-screen programs: the terminal, the console of a server, and the poll.
//!
//! `watch`, `replay` and the demonstration share it.

mod console;
mod event_loop;
mod recording;
mod screen;
mod source;
mod subject;

pub(super) use event_loop::EventLoop;
pub(crate) use event_loop::Leaving;
pub(super) use recording::read as read_recording;
pub use screen::Screen;
pub(crate) use source::Source;
pub(crate) use subject::{FIRST_TOKEN, Live, Subject};
