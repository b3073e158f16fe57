//! The manual page and the shell completions.
//!
//! Both are generated from the definition of the arguments (`args.rs`), so that they cannot differ
//! from the program. `main` prints them for `chinwag man` and `chinwag completions`.

use std::collections::BTreeMap;
use std::io::{self, Write};

use clap::CommandFactory;
use clap_complete::Shell;
use clap_mangen::Man;

use super::args::Cli;

/// Variables that stand for no argument.
const OTHER_VARIABLES: [(&str, &str); 3] = [
    ("NO_COLOR", "Not empty: connect uses no colours, unless --color always is given."),
    ("TERM", "With the value dumb, connect writes plain lines and no escape sequences."),
    ("TZ", "The time zone of the times that connect shows."),
];

const EXIT_STATUS: [(&str, &str); 4] = [
    ("0", "Success: the server has stopped as asked, or the session has ended in good order."),
    ("1", "A failure. One line on standard error says what failed."),
    ("2", "The arguments are wrong. One line on standard error says which."),
    ("128+n", "connect was ended by the signal with the number n."),
];

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
        render_environment(&cli, &mut page)?;
        render_exit_status(&mut page)?;
        Man::new(cli).render_version_section(&mut page)?;
        Ok(page)
    }
}

/// Renders the environment variables: those that stand for arguments, then the others.
fn render_environment(cli: &clap::Command, page: &mut Vec<u8>) -> io::Result<()> {
    let mut variables = BTreeMap::<String, Vec<String>>::new();
    for command in cli.get_subcommands() {
        for arg in command.get_arguments() {
            let Some(variable) = arg.get_env() else { continue };
            let name = match (arg.get_long(), arg.get_value_names()) {
                (Some(long), _) => format!("--{long}"),
                (None, Some([name, ..])) => name.to_string(),
                (None, _) => arg.get_id().to_string(),
            };
            let use_of = format!("{name} of {}", command.get_name());
            variables.entry(variable.to_string_lossy().into_owned()).or_default().push(use_of);
        }
    }
    writeln!(page, ".SH ENVIRONMENT")?;
    writeln!(page, "An argument on the command line overrides its variable.")?;
    for (variable, uses) in &variables {
        let uses = uses.join(", ");
        writeln!(page, ".TP\n\\fB{variable}\\fR\n{}", escaped(&uses))?;
    }
    for (variable, effect) in OTHER_VARIABLES {
        writeln!(page, ".TP\n\\fB{variable}\\fR\n{}", escaped(effect))?;
    }
    Ok(())
}

fn render_exit_status(page: &mut Vec<u8>) -> io::Result<()> {
    writeln!(page, ".SH \"EXIT STATUS\"")?;
    for (status, meaning) in EXIT_STATUS {
        writeln!(page, ".TP\n\\fB{status}\\fR\n{}", escaped(meaning))?;
    }
    Ok(())
}

/// In roff a backslash starts an escape sequence, and a bare hyphen may print as a dash, which a
/// shell does not accept when copied (groff_char(7)).
fn escaped(text: &str) -> String {
    text.replace('\\', "\\e").replace('-', "\\-")
}

/// Renders the examples of a command as typed. `clap_mangen` would fill them like a paragraph.
fn render_examples(command: &clap::Command, page: &mut Vec<u8>) -> io::Result<()> {
    let Some(help) = command.get_after_help() else { return Ok(()) };
    let text = help.to_string();
    writeln!(page, ".SS Examples\n.nf")?;
    for line in text.lines().skip(1) {
        writeln!(page, "\\&{}", escaped(line))?;
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
        for variable in ["CHINWAG_SERVER", "CHINWAG_LISTEN", "CHINWAG_BELL", "NO_COLOR"] {
            assert!(page.contains(&format!("\\fB{variable}\\fR\n")), "{variable}");
        }
        assert!(page.contains(r"\-\-bell of connect"));
        assert!(page.contains(".SH ENVIRONMENT\n") && page.contains(".SH \"EXIT STATUS\"\n"));
        assert!(
            page.contains(r"printf 'anna\en1\en3\en' | nc \-N"),
            "the examples appear as typed"
        );
    }
}
