//! The manual page and the shell completions.
//!
//! Both are generated from the definition of the arguments (`args.rs`), so that they cannot differ
//! from the program. `main` prints them for `chinwag man` and `chinwag completions`.

use std::io::{self, Write};

use clap::CommandFactory;
use clap_complete::Shell;
use clap_mangen::Man;

use super::args::Cli;

impl Cli {
    /// A script that makes `shell` complete the arguments of this program.
    #[must_use]
    pub fn completions(shell: Shell) -> Vec<u8> {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut Cli::command(), "chinwag", &mut script);
        script
    }

    /// The manual page in roff format: the program, then each command.
    ///
    /// # Errors
    /// None in practice: the page is written to memory.
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
            // The examples of `serve` are those of the program, which the page has already.
            if command.get_name() != "serve" {
                render_examples(command, &mut page)?;
            }
        }
        Man::new(cli).render_version_section(&mut page)?;
        Ok(page)
    }
}

/// Renders the examples of a command as typed. `clap_mangen` would fill them like a paragraph.
fn render_examples(command: &clap::Command, page: &mut Vec<u8>) -> io::Result<()> {
    let Some(help) = command.get_after_help() else { return Ok(()) };
    let text = help.to_string();
    writeln!(page, ".SS Examples\n.nf")?;
    for line in text.lines().skip(1) {
        // In roff a backslash starts an escape sequence, and a bare hyphen may print as a dash,
        // which a shell does not accept when copied (groff_char(7)).
        writeln!(page, "\\&{}", line.replace('\\', "\\e").replace('-', "\\-"))?;
    }
    writeln!(page, ".fi")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn completions_and_the_manual_contain_every_command() {
        let script = String::from_utf8(Cli::completions(Shell::Bash)).unwrap();
        let page = String::from_utf8(Cli::manual().unwrap()).unwrap();
        let titles = page.to_lowercase();
        for word in ["serve", "connect", "completions", "man", "timestamps"] {
            assert!(script.contains(word) && titles.contains(word), "{word}");
        }
        assert!(
            page.contains(r"printf 'anna\en1\en3\en' | nc \-N"),
            "the examples appear as typed"
        );
    }
}
