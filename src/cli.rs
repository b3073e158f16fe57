//! The command line: the arguments, the manual page, and `chinwag ctl`. `main` calls all of them.

pub mod accounts;
pub mod args;
pub mod cert;
pub mod ctl;
mod manual;
pub mod teach;
pub mod tls;
pub mod units;
pub mod web;
