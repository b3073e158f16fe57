//! The view's impure half: the terminal, the console of the server, and the poll.

mod console;
mod event_loop;
mod recording;
mod screen;

pub(super) use console::Console;
pub(crate) use event_loop::Leaving;
pub(super) use event_loop::{EventLoop, Live, Subject};
pub(super) use recording::read as read_recording;
pub use screen::Screen;
