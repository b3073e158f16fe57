//! The manual page and the shell completions, made from the one definition of the arguments.

use std::io::{self, Write};

use clap::CommandFactory;
use clap_complete::Shell;
use clap_mangen::Man;

use super::args::Cli;

impl Cli {
    /// What makes `shell` complete our arguments.
    #[must_use]
    pub fn completions(shell: Shell) -> Vec<u8> {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut Cli::command(), "chinwag", &mut script);
        script
    }

    /// The manual page: the program, then each of its commands.
    ///
    /// # Errors
    /// None in practice: it is written into memory.
    pub fn manual() -> io::Result<Vec<u8>> {
        let mut page = Vec::new();
        let mut cli = Cli::command();
        cli.build();
        let head = Man::new(cli.clone());
        head.render_title(&mut page)?;
        head.render_name_section(&mut page)?;
        head.render_synopsis_section(&mut page)?;
        head.render_description_section(&mut page)?;
        head.render_options_section(&mut page)?;
        render_examples(&cli, &mut page)?;
        for command in cli.get_subcommands().filter(|command| command.get_name() != "help") {
            writeln!(page, ".SH \"CHINWAG {}\"", command.get_name().to_uppercase())?;
            let section = Man::new(command.clone());
            section.render_description_section(&mut page)?;
            section.render_options_section(&mut page)?;
            // Those of serve are those of the program, which have been shown.
            if command.get_name() != "serve" {
                render_examples(command, &mut page)?;
            }
        }
        Man::new(cli).render_version_section(&mut page)?;
        Ok(page)
    }
}

/// Examples are lines as they are typed, so they are not to be filled like a paragraph.
fn render_examples(command: &clap::Command, page: &mut Vec<u8>) -> io::Result<()> {
    let Some(help) = command.get_after_help() else { return Ok(()) };
    let text = help.to_string();
    writeln!(page, ".SS Examples\n.nf")?;
    for line in text.lines().skip(1) {
        // A backslash would begin an escape of roff, and a hyphen is to be one when copied.
        writeln!(page, "\\&{}", line.replace('\\', "\\e").replace('-', "\\-"))?;
    }
    writeln!(page, ".fi")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn completions_and_the_manual_know_every_command() {
        let script = String::from_utf8(Cli::completions(Shell::Bash)).unwrap();
        let page = String::from_utf8(Cli::manual().unwrap()).unwrap();
        let titles = page.to_lowercase();
        for word in ["serve", "connect", "completions", "man", "timestamps"] {
            assert!(script.contains(word) && titles.contains(word), "{word}");
        }
        assert!(page.contains(r"printf 'anna\en1\en3\en' | nc \-N"), "examples are as typed");
    }
}
