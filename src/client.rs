//! The terminal client.

pub mod completion;
pub mod editor;
pub mod history;
pub mod keys;
pub mod paint;
pub mod place;
pub mod prompt;
pub mod reconnect;
pub mod said;
pub mod screen;
