//! The flags of `serve` for a class that looks on.

use clap::Args;
use clap::builder::FalseyValueParser;

/// The flags that are about teaching.
#[derive(Debug, Args)]
#[command(next_help_heading = "Operators")]
pub struct TeachArgs {
    /// Let operators hold the loop: pause, step, slow TIME, go. Everybody who connects is told
    #[arg(long, env = "CHINWAG_TEACH", requires = "console", value_parser = FalseyValueParser::new())]
    pub teach: bool,
}
