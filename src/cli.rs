//! The command line: arguments, manual page, and `chinwag ctl`.

pub mod args;
pub mod ctl;
mod manual;
