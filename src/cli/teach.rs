//! The flags of `serve` for a class that looks on.

use std::path::PathBuf;

use clap::Args;
use clap::builder::FalseyValueParser;

/// The flags that are about teaching.
#[derive(Debug, Args)]
#[command(next_help_heading = "Operators")]
pub struct TeachArgs {
    /// Let operators hold the loop: pause, step, slow TIME, go. Everybody who connects is told
    #[arg(long, env = "CHINWAG_TEACH", requires = "console", value_parser = FalseyValueParser::new())]
    pub teach: bool,

    /// Record what is typed, except passwords, for chinwag replay. The file must not exist. Everybody who
    /// connects is told
    #[arg(long, value_name = "FILE", env = "CHINWAG_RECORD")]
    pub record: Option<PathBuf>,
}
