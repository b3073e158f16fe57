//! `chinwag watch`: a full-screen view of a running server's loop.
//!
//! The folder `view` is pure: lines of the console and keys go in, a drawn buffer comes out. A program
//! that has a terminal of its own, such as a demonstration, draws a [`view::View`] into a part of it.
//! The folder `io` owns the terminal, the console and the poll.

pub mod view;
