//! The terminal client.

pub mod completion;
pub mod desk;
pub mod editor;
pub mod history;
pub mod keys;
pub mod options;
pub mod paint;
pub mod place;
pub mod prompt;
pub mod reconnect;
pub mod said;
pub mod screen;
pub mod transcript;

#[cfg(test)]
#[path = "../tests/client/picture.rs"]
mod picture;
