//! Chat servers over loopback, side by side with a bare relay that copies bytes and knows no lines.
//!
//! Three processes take part in each measurement: this one, which conducts; the server, alone on
//! one core; and our load generator ([`conduct::load`]) on the other, which plays all the users and
//! checks that every line arrives once, whole and in order. What is reported is CPU time of the
//! server as the operating system counts it, so that a busy machine disturbs little.
//!
//! `benches/README.md` has the arguments, and how to read the result.

// With a path, so that its modules lie beside it.
#[cfg(target_os = "linux")]
#[path = "conduct.rs"]
mod conduct;

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    conduct::main()
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("loopback: skipped; it pins cores and reads /proc, which only Linux has");
}
