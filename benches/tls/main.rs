//! TLS over loopback, beside a bare rustls relay: lines and handshakes per CPU-second, bytes per idle
//! user, and what honest users wait for while others attack with handshakes.
//!
//! The server runs on one core, and this process plays all users on another. The measure is the CPU time
//! of the server, as in `loopback`. `benches/README.md` tells how to run it.

#[cfg(target_os = "linux")]
#[path = "../loopback/clock.rs"]
mod clock;
#[cfg(target_os = "linux")]
#[path = "measure.rs"]
mod measure;
#[cfg(target_os = "linux")]
#[allow(dead_code, reason = "this benchmark needs a part of it")]
#[path = "../loopback/process.rs"]
mod process;
#[cfg(target_os = "linux")]
#[path = "relay.rs"]
mod relay;
#[cfg(target_os = "linux")]
#[allow(dead_code, reason = "this benchmark needs a part of it")]
#[path = "../shared/mod.rs"]
mod shared;
#[cfg(target_os = "linux")]
#[path = "user.rs"]
mod user;

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    let arguments = std::env::args().skip(1).collect::<Vec<_>>();
    let result = match arguments.split_first() {
        Some((first, rest)) if first == process::LAUNCH_ARGUMENT => Err(process::launch(rest)),
        Some((first, rest)) if first == measure::RELAY_ARGUMENT => relay::run(rest),
        _ => measure::run(),
    };
    match result {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tls: {error}");
            std::process::ExitCode::FAILURE
        }
    }
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("tls: skipped; it pins cores and reads /proc, which only Linux has");
}
