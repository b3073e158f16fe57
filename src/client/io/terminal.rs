//! The terminal in raw mode: each key arrives at once, and the client draws everything itself.
//!
//! The event loop owns one [`Terminal`]. The original modes are restored on drop, on a panic and
//! before the client is stopped; otherwise the shell would get a terminal that echoes nothing.
//! This module moves bytes and does not know what they mean.

use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::panic;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Signal, getpgrp, kill_current_process_group};
use rustix::termios::{
    InputModes, LocalModes, OptionalActions, OutputModes, SpecialCodeIndex, Termios, tcgetattr,
    tcgetpgrp, tcgetwinsize, tcsetattr,
};

/// Asks the terminal to mark pasted text (xterm's "Bracketed Paste Mode"). Without the mark a
/// pasted line ending would look like Enter and send the line.
const BRACKETED_PASTE_ON: &str = "\x1b[?2004h";
const BRACKETED_PASTE_OFF: &str = "\x1b[?2004l";

/// A terminal that delivers each key when it is pressed.
#[derive(Debug)]
pub struct Terminal {
    input: OwnedFd,
    output: OwnedFd,
    /// The modes before the client changed them (termios(3)).
    original: Termios,
}

impl Terminal {
    /// Saves the modes of the terminal at `input` and switches the terminal to raw mode. Output
    /// goes to `output`, which may be another descriptor of the same terminal.
    ///
    /// # Errors
    /// If `input` is not a terminal.
    pub fn borrow(input: BorrowedFd<'_>, output: BorrowedFd<'_>) -> io::Result<Terminal> {
        let original = tcgetattr(input)?;
        let terminal = Terminal {
            input: input.try_clone_to_owned()?,
            output: output.try_clone_to_owned()?,
            original,
        };
        terminal.enter()?;
        Ok(terminal)
    }

    /// Makes a panic restore the terminal before it prints its message. In raw mode the message
    /// would be unreadable, as line feeds would not return the cursor to the first column.
    ///
    /// # Errors
    /// If the descriptors cannot be duplicated.
    pub fn restore_on_panic(&self) -> io::Result<()> {
        let (input, output) = (self.input.try_clone()?, self.output.try_clone()?);
        let original = self.original.clone();
        let previous_hook = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            restore(input.as_fd(), output.as_fd(), &original);
            previous_hook(info);
        }));
        Ok(())
    }

    /// The width in columns, or 0 if the terminal does not know its width.
    #[must_use]
    pub fn columns(&self) -> u16 {
        tcgetwinsize(&self.output).map_or(0, |size| size.ws_col)
    }

    /// Reads typed bytes into `buffer` and returns their number; 0 means that the terminal hung up.
    ///
    /// # Errors
    /// If the terminal is gone.
    pub fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(rustix::io::retry_on_intr(|| rustix::io::read(&self.input, &mut *buffer))?)
    }

    /// Writes all of `text`, and blocks while the terminal takes no output.
    ///
    /// # Errors
    /// If the terminal is gone.
    pub fn write(&self, text: &str) -> io::Result<()> {
        write_all(self.output.as_fd(), text.as_bytes())
    }

    /// Stops the client's whole process group, as Ctrl-Z does in other programs, and returns when
    /// the shell continues it. In raw mode the kernel does not do this for us.
    ///
    /// # Errors
    /// If the terminal is gone when the client continues.
    pub fn suspend(&self) -> io::Result<()> {
        restore(self.input.as_fd(), self.output.as_fd(), &self.original);
        // SIGTSTP keeps its default action: the kernel ignores it in an orphaned process group
        // (setpgid(2)), where no shell could continue the client. SIGSTOP would hang the client.
        kill_current_process_group(Signal::TSTP)?;
        self.enter()
    }

    /// Switches to raw mode: no echo, no line editing, no signals from keys, no output conversion.
    ///
    /// # Errors
    /// If the terminal is gone.
    pub fn enter(&self) -> io::Result<()> {
        let mut raw = self.original.clone();
        raw.local_modes
            .remove(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG | LocalModes::IEXTEN);
        raw.input_modes.remove(
            InputModes::IXON
                | InputModes::ICRNL
                | InputModes::INLCR
                | InputModes::IGNCR
                | InputModes::ISTRIP,
        );
        raw.output_modes.remove(OutputModes::OPOST);
        raw.special_codes[SpecialCodeIndex::VMIN] = 1;
        raw.special_codes[SpecialCodeIndex::VTIME] = 0;
        tcsetattr(&self.input, OptionalActions::Now, &raw)?;
        self.write(BRACKETED_PASTE_ON)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        restore(self.input.as_fd(), self.output.as_fd(), &self.original);
    }
}

/// Restores the original modes. A background process must not try: the kernel would stop it with
/// SIGTTOU (tcsetattr(3p)). The shell has already set its own modes when it took the terminal back.
fn restore(input: BorrowedFd<'_>, output: BorrowedFd<'_>, original: &Termios) {
    if tcgetpgrp(input).is_ok_and(|group| group != getpgrp()) {
        return;
    }
    let _ = tcsetattr(input, OptionalActions::Now, original);
    let _ = write_all(output, BRACKETED_PASTE_OFF.as_bytes());
}

pub(in crate::client) fn write_all(output: BorrowedFd<'_>, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match rustix::io::write(output, bytes).map_err(io::Error::from) {
            Ok(count) => bytes = &bytes[count..],
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => wait_until_writable(output)?,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Waits until a non-blocking descriptor takes output. Another program that shares the descriptor
/// made it non-blocking; that program would break if the client changed the flag back.
fn wait_until_writable(output: BorrowedFd<'_>) -> io::Result<()> {
    let mut ready = [PollFd::new(&output, PollFlags::OUT)];
    rustix::io::retry_on_intr(|| poll(&mut ready, None))?;
    Ok(())
}
