//! The terminal in raw mode: each key arrives at once, and the client draws everything itself.
//!
//! The event loop owns one [`Terminal`]. The original modes are restored on drop, on a panic and
//! before the client is stopped; otherwise the shell would get a terminal that echoes nothing.
//! This module moves bytes and does not know what they mean.

use std::cell::Cell;
use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::panic;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags, open};
use rustix::process::{Signal, getpgrp, kill_current_process_group};
use rustix::termios::{
    InputModes, LocalModes, OptionalActions, OutputModes, SpecialCodeIndex, Termios, tcgetattr,
    tcgetpgrp, tcgetwinsize, tcsetattr, ttyname,
};

use crate::client::ui::notifier::{TITLE, title};

/// Asks the terminal to mark pasted text (xterm's "Bracketed Paste Mode"). Without the mark a
/// pasted line ending would look like Enter and send the line.
const BRACKETED_PASTE_ON: &str = "\x1b[?2004h";
const BRACKETED_PASTE_OFF: &str = "\x1b[?2004l";

/// Asks the terminal to report when it gains or loses the focus (xterm's mode 1004).
const FOCUS_REPORTS_ON: &str = "\x1b[?1004h";
const FOCUS_REPORTS_OFF: &str = "\x1b[?1004l";

/// Switches to xterm's alternate screen and hides the cursor, and back (modes 1049 and 25).
const FULL_SCREEN_ON: &str = "\x1b[?1049h\x1b[?25l";
const FULL_SCREEN_OFF: &str = "\x1b[0m\x1b[?25h\x1b[?1049l";

/// Saves the window's title on a stack of the terminal, and restores it (xterm's XTWINOPS 22, 23).
const SAVE_TITLE: &str = "\x1b[22;2t";
const RESTORE_TITLE: &str = "\x1b[23;2t";

/// What the client needs of the terminal besides raw mode and marked pastes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Modes {
    /// The terminal reports when it gains or loses the focus.
    pub reports_focus: bool,
    /// The program draws the whole screen, and leaves what was there as it was.
    pub is_full_screen: bool,
    /// The client changes the window's title.
    pub sets_title: bool,
}

/// A terminal that delivers each key when it is pressed.
#[derive(Debug)]
pub struct Terminal {
    input: OwnedFd,
    output: OwnedFd,
    /// Text that a stopped terminal has not taken. More is written only behind it.
    unwritten: Vec<u8>,
    /// The modes before the client changed them (termios(3)).
    original: Termios,
    modes: Modes,
    /// The title from before the client is on the terminal's stack.
    title_is_saved: Cell<bool>,
}

impl Terminal {
    /// Saves the modes of the terminal at `input` and switches the terminal to raw mode. Output
    /// goes to `output`, which may be another descriptor of the same terminal.
    ///
    /// # Errors
    /// If `input` is not a terminal.
    pub fn borrow(input: BorrowedFd<'_>, output: BorrowedFd<'_>) -> io::Result<Terminal> {
        let original = tcgetattr(input)?;
        let mut terminal = Terminal {
            input: input.try_clone_to_owned()?,
            output: non_blocking(output).map_or_else(|| output.try_clone_to_owned(), Ok)?,
            unwritten: Vec::new(),
            original,
            modes: Modes::default(),
            title_is_saved: Cell::new(false),
        };
        terminal.enter()?;
        Ok(terminal)
    }

    /// Turns `modes` on. They are turned off again on every way out.
    ///
    /// # Errors
    /// If the terminal is gone.
    pub fn turn_on(&mut self, modes: Modes) -> io::Result<()> {
        self.modes = modes;
        self.enter()
    }

    /// Makes a panic restore the terminal before it prints its message. In raw mode the message
    /// would be unreadable, as line feeds would not return the cursor to the first column.
    ///
    /// # Errors
    /// If the descriptors cannot be duplicated.
    pub fn restore_on_panic(&self) -> io::Result<()> {
        let (input, output) = (self.input.try_clone()?, self.output.try_clone()?);
        let (original, modes) = (self.original.clone(), self.modes);
        let previous_hook = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            restore(input.as_fd(), output.as_fd(), &original, modes);
            previous_hook(info);
        }));
        Ok(())
    }

    /// The width in columns, or 0 if the terminal does not know its width.
    #[must_use]
    pub fn columns(&self) -> u16 {
        tcgetwinsize(&self.output).map_or(0, |size| size.ws_col)
    }

    /// Columns and rows, or 0 of what the terminal does not know.
    #[must_use]
    pub fn size(&self) -> (u16, u16) {
        tcgetwinsize(&self.output).map_or((0, 0), |size| (size.ws_col, size.ws_row))
    }

    /// Reads typed bytes into `buffer` and returns their number; 0 means that the terminal hung up.
    ///
    /// # Errors
    /// If the terminal is gone.
    pub fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(rustix::io::retry_on_intr(|| rustix::io::read(&self.input, &mut *buffer))?)
    }

    /// Writes `text`, or as much as the terminal takes now. [`Terminal::flush`] writes the rest.
    ///
    /// # Errors
    /// If the terminal is gone.
    pub fn write(&mut self, text: &str) -> io::Result<()> {
        self.unwritten.extend_from_slice(text.as_bytes());
        self.flush()
    }

    /// Writes what the terminal did not take before.
    ///
    /// # Errors
    /// If the terminal is gone.
    pub fn flush(&mut self) -> io::Result<()> {
        let written = write_some(self.output.as_fd(), &self.unwritten);
        // A terminal that is gone is not stopped: it takes nothing, now or later.
        self.unwritten.drain(..*written.as_ref().unwrap_or(&self.unwritten.len()));
        written.map(|_| ())
    }

    /// Writes `text` as the last text before the client stops or ends. It waits while the terminal
    /// is busy, but not for a stopped terminal.
    ///
    /// # Errors
    /// If the terminal is gone.
    pub fn write_last(&mut self, text: &str) -> io::Result<()> {
        self.write(text)?;
        let wait = Timespec { tv_sec: 0, tv_nsec: 250_000_000 };
        while self.is_stopped() {
            let mut ready = [PollFd::new(&self.output, PollFlags::OUT)];
            if rustix::io::retry_on_intr(|| poll(&mut ready, Some(&wait)))? == 0 {
                break;
            }
            self.flush()?;
        }
        Ok(())
    }

    /// Whether the terminal is stopped and takes no output, as after Ctrl-S.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        !self.unwritten.is_empty()
    }

    /// The descriptor for output. The loop watches it while the terminal is stopped.
    #[must_use]
    pub fn output(&self) -> BorrowedFd<'_> {
        self.output.as_fd()
    }

    /// Stops the client's whole process group, as Ctrl-Z does in other programs, and returns when
    /// the shell continues it. In raw mode the kernel does not do this for us.
    ///
    /// # Errors
    /// If the terminal is gone when the client continues.
    pub fn suspend(&mut self) -> io::Result<()> {
        self.restore();
        // SIGTSTP keeps its default action: the kernel ignores it in an orphaned process group
        // (setpgid(2)), where no shell could continue the client. SIGSTOP would hang the client.
        kill_current_process_group(Signal::TSTP)?;
        self.enter()
    }

    /// Switches to raw mode: no echo, no line editing, no signals from keys, no output conversion.
    ///
    /// # Errors
    /// If the terminal is gone.
    pub fn enter(&mut self) -> io::Result<()> {
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
        let mut on = BRACKETED_PASTE_ON.to_owned();
        if self.modes.reports_focus {
            on.push_str(FOCUS_REPORTS_ON);
        }
        if self.modes.is_full_screen {
            on.push_str(FULL_SCREEN_ON);
        }
        // A second save without a restore would leave the client's own title on the stack.
        if self.modes.sets_title && !self.title_is_saved.replace(true) {
            on.push_str(SAVE_TITLE);
            on.push_str(&title(TITLE));
        }
        self.write(&on)
    }

    fn restore(&self) {
        self.title_is_saved.set(false);
        restore(self.input.as_fd(), self.output.as_fd(), &self.original, self.modes);
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.restore();
    }
}

/// Restores the original modes. A background process must not try: the kernel would stop it with
/// SIGTTOU (tcsetattr(3p)). The shell has already set its own modes when it took the terminal back.
fn restore(input: BorrowedFd<'_>, output: BorrowedFd<'_>, original: &Termios, modes: Modes) {
    if tcgetpgrp(input).is_ok_and(|group| group != getpgrp()) {
        return;
    }
    let _ = tcsetattr(input, OptionalActions::Now, original);
    let mut off = BRACKETED_PASTE_OFF.to_owned();
    if modes.is_full_screen {
        off.push_str(FULL_SCREEN_OFF);
    }
    if modes.reports_focus {
        off.push_str(FOCUS_REPORTS_OFF);
    }
    if modes.sets_title {
        off.push_str(RESTORE_TITLE);
    }
    // A stopped terminal must not hang a client that ends.
    let _ = write_some(output, off.as_bytes());
}

/// Opens the terminal of `output` once more, for output that never blocks. The descriptor of
/// standard output is shared with the shell, which does not expect a non-blocking one. `None` if the
/// terminal has no name here, as in a container: then a stopped terminal stops the client.
fn non_blocking(output: BorrowedFd<'_>) -> Option<OwnedFd> {
    let name = ttyname(output, Vec::new()).ok()?;
    let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    open(name, flags, Mode::empty()).ok()
}

/// Writes until `output` takes no more, and returns the number of written bytes.
fn write_some(output: BorrowedFd<'_>, bytes: &[u8]) -> io::Result<usize> {
    let mut written = 0;
    while written < bytes.len() {
        match rustix::io::write(output, &bytes[written..]).map_err(io::Error::from) {
            Ok(count) => written += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(error) => return Err(error),
        }
    }
    Ok(written)
}

/// Writes all of `bytes`, and waits while the output takes none.
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
