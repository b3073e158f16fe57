//! Memory, processor time and wake-ups of the server's process, read from /proc (see proc(5)).

use std::fs;

/// The most memory the process has ever held, in KiB.
pub(crate) fn peak_kib(pid: u32) -> u64 {
    status(pid, "VmHWM:")
}

/// The memory the process holds now, in KiB.
pub(crate) fn resident_kib(pid: u32) -> u64 {
    status(pid, "VmRSS:")
}

/// How often the process has blocked (voluntary context switches). An idle server that stays asleep
/// adds nothing.
pub(crate) fn wake_ups(pid: u32) -> u64 {
    status(pid, "voluntary_ctxt_switches:")
}

/// Processor time used, in ticks of 10 ms.
pub(crate) fn cpu_ticks(pid: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("a live process");
    let (_, after_name) = stat.rsplit_once(')').expect("a name in brackets");
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    let number = |index: usize| fields[index].parse::<u64>().expect("a number");
    // proc(5) numbers the fields from 1: utime is field 14, stime is field 15. `fields` begins with
    // field 3.
    number(11) + number(12)
}

/// The state letter of the process: `T` while it is stopped.
pub(crate) fn state(pid: u32) -> char {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("a live process");
    let (_, after_name) = stat.rsplit_once(')').expect("a name in brackets");
    after_name.trim_start().chars().next().expect("a state")
}

/// How many descriptors the process has open.
pub(crate) fn descriptors(pid: u32) -> usize {
    fs::read_dir(format!("/proc/{pid}/fd")).expect("a live process").count()
}

fn status(pid: u32, key: &str) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).expect("a live process");
    let line = text.lines().find(|line| line.starts_with(key)).expect("a known key");
    let number = line[key.len()..].split_whitespace().next().expect("a number");
    number.parse().expect("a number")
}
