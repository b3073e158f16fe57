//! Compares chat servers over loopback. The baseline is a bare relay, which copies bytes and knows
//! no lines.
//!
//! Each measurement runs three processes: this one, which controls the others; the server, alone on
//! one core; and the load generator ([`benchmark::load`]) on another core. The load generator plays
//! all users, and checks that every line arrives once, whole and in order. The result is the CPU
//! time of the server as the operating system counts it, because other load on the machine hardly
//! changes it. `benches/README.md` has the options, and explains how to read the result.

// With an explicit path, so that its modules can lie in this folder.
#[cfg(target_os = "linux")]
#[path = "benchmark.rs"]
mod benchmark;

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    benchmark::main()
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("loopback: skipped; it pins cores and reads /proc, which only Linux has");
}
