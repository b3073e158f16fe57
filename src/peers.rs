//! Simulated connections, for `chinwag crowd` and `chinwag attack`.
//!
//! A [`peer::Peer`] is a pure state machine: what happens on its connection goes in, and what it wants
//! to do comes out. [`pool::Pool`] is the shell: one mio poll loop that carries all peers. The server
//! knows nothing of either.

pub mod latencies;
pub mod lines;
pub mod peer;
pub mod pool;
pub mod random;
pub mod screen;
pub mod tally;
pub mod target;
