//! The terminal client.

pub mod keys;
