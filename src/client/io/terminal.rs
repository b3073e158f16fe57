//! The terminal, borrowed from whoever started the client, and given back as it was on every way
//! out: it is restored when this value is dropped, on a panic, and before the client is stopped.

use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::panic;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Signal, getpgrp, kill_current_process_group};
use rustix::termios::{
    InputModes, LocalModes, OptionalActions, OutputModes, SpecialCodeIndex, Termios, tcgetattr,
    tcgetpgrp, tcgetwinsize, tcsetattr,
};

const BRACKETED_PASTE_ON: &str = "\x1b[?2004h";
const BRACKETED_PASTE_OFF: &str = "\x1b[?2004l";

/// A terminal that gives each key as it is pressed.
#[derive(Debug)]
pub struct Terminal {
    input: OwnedFd,
    output: OwnedFd,
    original: Termios,
}

impl Terminal {
    /// Borrows the terminal that is read at `input` and written at `output`.
    ///
    /// # Errors
    /// If it is none.
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

    /// Has the terminal given back before a panic says what it has to say.
    ///
    /// # Errors
    /// If its descriptors cannot be copied.
    pub fn restore_on_panic(&self) -> io::Result<()> {
        let (input, output) = (self.input.try_clone()?, self.output.try_clone()?);
        let original = self.original.clone();
        let say = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            give_back(input.as_fd(), output.as_fd(), &original);
            say(info);
        }));
        Ok(())
    }

    /// Its columns, 0 if it does not know.
    #[must_use]
    pub fn columns(&self) -> u16 {
        tcgetwinsize(&self.output).map_or(0, |size| size.ws_col)
    }

    /// Reads what has been typed; nothing at its end.
    ///
    /// # Errors
    /// If the terminal is gone.
    pub fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(rustix::io::retry_on_intr(|| rustix::io::read(&self.input, &mut *buffer))?)
    }

    /// Writes all of `text`, and waits while the terminal takes none.
    ///
    /// # Errors
    /// If the terminal is gone.
    pub fn write(&self, text: &str) -> io::Result<()> {
        write_all(self.output.as_fd(), text.as_bytes())
    }

    /// Stops the client and those it was started with, as Ctrl-Z does elsewhere; returns when a
    /// shell continues it.
    ///
    /// # Errors
    /// If the terminal is gone then.
    pub fn suspend(&self) -> io::Result<()> {
        give_back(self.input.as_fd(), self.output.as_fd(), &self.original);
        // The signal is left to its default, so that the kernel can refuse to stop a client that
        // no shell could continue.
        kill_current_process_group(Signal::TSTP)?;
        self.enter()
    }

    /// Makes the terminal give each key as it is pressed, and show each byte as it is written.
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
        give_back(self.input.as_fd(), self.output.as_fd(), &self.original);
    }
}

/// Restores a terminal. Whoever is in its background would be stopped for touching it, and need
/// not: the shell that put it there has taken the terminal back already.
fn give_back(input: BorrowedFd<'_>, output: BorrowedFd<'_>, original: &Termios) {
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

/// Somebody who shares the descriptor has made it non-blocking; we are not to change that.
fn wait_until_writable(output: BorrowedFd<'_>) -> io::Result<()> {
    let mut ready = [PollFd::new(&output, PollFlags::OUT)];
    rustix::io::retry_on_intr(|| poll(&mut ready, None))?;
    Ok(())
}
