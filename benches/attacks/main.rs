//! What attacks cost honest users: latencies of two users who chat, of a newcomer, and of a paste.
//!
//! For each attack a new server runs alone on one core. The attackers, one process with one mio loop
//! ([`attack`]), and the honest users ([`honest`]) share another core. Every attacker stays within the
//! limits of the protocol. `doc/hostile.md` explains each row.

#[cfg(target_os = "linux")]
#[path = "benchmark.rs"]
mod benchmark;

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    benchmark::main()
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("attacks: skipped; it pins cores, which only Linux can do here");
}
