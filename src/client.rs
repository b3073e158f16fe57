//! The terminal client.

pub mod editor;
pub mod history;
pub mod keys;
