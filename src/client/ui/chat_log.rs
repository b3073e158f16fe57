//! The conversation as plain text, for `--log`: what was said, with the date and the second.
//!
//! `state_machine` reports each line here, and the event loop writes the text to the file. The log
//! holds what the server sent, with its tags and without its prompts. It has no colours and no key
//! help, so that other programs can read it.

use jiff::Zoned;

use super::server_line::{Question, ServerLine};

/// The lines that are not in the file yet. The event loop takes them in every turn.
#[derive(Debug, Default)]
pub struct ChatLog {
    is_on: bool,
    text: String,
    clock: Option<Zoned>,
}

impl ChatLog {
    /// Begins to collect lines.
    pub fn start(&mut self) {
        self.is_on = true;
    }

    /// Collects no more lines, because the file takes no more.
    pub fn stop(&mut self) {
        *self = ChatLog::default();
    }

    /// Sets the local time of the lines that follow.
    pub fn set_clock(&mut self, clock: &Zoned) {
        if self.is_on {
            self.clock = Some(clock.clone());
        }
    }

    /// Adds a line from the server. A prompt is no part of the conversation.
    pub fn add_received(&mut self, line: &ServerLine<'_>, text: &str) {
        let is_prompt = match line {
            ServerLine::Question(text) => match Question::read(text) {
                Question::Username | Question::Menu | Question::Whom | Question::Password(_) => {
                    true
                }
                Question::Request(_) | Question::Unknown => false,
            },
            ServerLine::Information(_)
            | ServerLine::Error(_)
            | ServerLine::Row(_)
            | ServerLine::Message { .. }
            | ServerLine::Unknown(_) => false,
        };
        if !is_prompt {
            self.add("", text);
        }
    }

    /// Adds a line of the user, with the username or the prompt before it.
    pub fn add_sent(&mut self, before: &str, line: &str) {
        self.add(before, line);
    }

    /// Adds a line of the client itself.
    pub fn add_notice(&mut self, text: &str) {
        self.add("-- ", text);
    }

    /// Returns what was added since the last call.
    pub fn take(&mut self) -> String {
        std::mem::take(&mut self.text)
    }

    fn add(&mut self, before: &str, line: &str) {
        if !self.is_on {
            return;
        }
        if let Some(clock) = &self.clock {
            self.text.push_str(&clock.strftime("%Y-%m-%d %H:%M:%S ").to_string());
        }
        self.text.push_str(before);
        self.text.push_str(line);
        self.text.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add_received(log: &mut ChatLog, line: &str) {
        log.add_received(&ServerLine::read(line), line);
    }

    #[test]
    fn the_log_holds_the_conversation_without_prompts() {
        let mut log = ChatLog::default();
        log.start();
        log.set_clock(&"2026-07-24T12:00:03+02:00[+02:00]".parse().expect("a time"));
        for line in
            ["? Username:", "* Hello, anna", "? 1 list users", "ben: hi", "? Chat with whom?"]
        {
            add_received(&mut log, line);
        }
        add_received(&mut log, "? ben wants to chat, yes or no");
        log.add_sent("anna: ", "hello");
        log.add_notice("Connection lost");
        let times = |lines: [&str; 5]| lines.map(|line| format!("2026-07-24 12:00:03 {line}\n"));
        let lines = [
            "* Hello, anna",
            "ben: hi",
            "? ben wants to chat, yes or no",
            "anna: hello",
            "-- Connection lost",
        ];
        assert_eq!(log.take(), times(lines).concat());
        assert_eq!(log.take(), "");
    }

    #[test]
    fn without_a_file_nothing_is_collected() {
        let mut log = ChatLog::default();
        add_received(&mut log, "ben: hi");
        assert_eq!(log.take(), "");
        log.start();
        add_received(&mut log, "ben: hi");
        log.stop();
        add_received(&mut log, "ben: bye");
        assert_eq!(log.take(), "");
    }
}
