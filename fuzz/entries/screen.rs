//! Runs any keys, server lines, widths and connection losses through the client's state machine.
//! Only the client's own control sequences may reach the terminal, nothing may stand below the line
//! being typed, and the cursor must stay on the screen. The fuzzer and `tests/fuzz_corpus.rs` both
//! call [`run`].

use std::num::NonZeroU16;

use chinwag::client::options::{Bell, Server};
use chinwag::client::ui::color::Palette;
use chinwag::client::ui::keys::KeyReader;
use chinwag::client::ui::state_machine::{Action, Setup, StateMachine};
use chinwag::core::buffers::Pool;
use chinwag::core::framing::LineReader;
use chinwag::core::time::Time;

const ROWS: u16 = 12;
const COLUMNS: u16 = 50;

/// The most steps of one input. More steps take time and reach no new states.
const STEPS_MAX: usize = 300;

/// The longest server line that the reader accepts in this test.
const LINE_BYTES_MAX: u16 = 2_000;

/// The sequences that the client may write. The test switches colours off.
const OWN_SEQUENCES: [&str; 9] =
    ["\x1b[K", "\x1b[J", "\x1b[H", "\x1b[2J", "\x1b[6n", "\x1b7", "\x1b8", "\x1b[?7l", "\x1b[?7h"];

/// Checks one input. An input is text, so that people can read the corpus. Each line is a step: the
/// first byte is the action, the rest its argument.
///
/// | step | what happens |
/// | --- | --- |
/// | `kTEXT` | keys are pressed; in TEXT, `~` stands for ESC and `^` for Enter |
/// | `sTEXT` | the server sends TEXT and a line ending |
/// | `pTEXT` | TEXT is pasted, followed by another line |
/// | `wN` | the terminal becomes N columns wide; N is a byte |
/// | `t` | a second passes, and due timers fire |
/// | `x` | the connection is lost |
/// | `c` | the client connects again |
/// | `f` | an attempt to connect fails |
/// | `z` | the client continues after a stop (SIGCONT) |
///
/// # Panics
/// If the client breaks a promise.
pub(crate) fn run(data: &[u8]) {
    let mut scene = Scene::new(data.first().is_some_and(|byte| byte % 2 == 0));
    scene.draw();
    for step in data.split(|&byte| byte == b'\n').take(STEPS_MAX) {
        if let [what, rest @ ..] = step {
            scene.step(*what, rest);
            scene.draw();
        }
    }
}

struct Scene {
    machine: StateMachine,
    keys: KeyReader,
    reader: LineReader,
    pool: Pool,
    terminal: vt100::Parser,
    now: Time,
    is_connected: bool,
    /// The terminal's content is known exactly. False after a resize, and after characters whose
    /// width differs between terminals.
    is_certain: bool,
}

impl Scene {
    fn new(has_name: bool) -> Scene {
        let mut machine = StateMachine::new(Setup {
            server: Server { host: "localhost".into(), port: 7878, is_tls: false },
            palette: Palette { colours: false },
            timestamps: has_name,
            wrap: !has_name,
            bell: Bell::Request,
            notify: Vec::new(),
            reconnects: true,
            name: has_name.then(|| "anna".into()),
            keeps_name: false,
            seed: 1,
            columns: COLUMNS,
        });
        // Any local time will do. With a time set, the client shows room history in local time.
        machine.set_clock(Default::default());
        Scene {
            machine,
            keys: KeyReader::default(),
            reader: LineReader::new(LINE_BYTES_MAX),
            pool: Pool::default(),
            terminal: vt100::Parser::new(size(ROWS), size(COLUMNS), 0),
            now: Time::START,
            is_connected: false,
            is_certain: true,
        }
    }

    fn step(&mut self, what: u8, rest: &[u8]) {
        match what {
            b'k' => rest.iter().for_each(|&byte| self.press(byte)),
            b's' if self.is_connected => self.hear(&[rest, b"\r\n"].concat()),
            b'p' => {
                let paste = [b"\x1b[200~", rest, b"\rand more\x1b[201~"].concat();
                paste.into_iter().for_each(|byte| self.press(byte));
            }
            b'w' => {
                self.machine.handle_resize(rest.first().map_or(0, |&columns| columns.into()));
                self.is_certain = false;
            }
            b't' => {
                self.now = self.now.after_ms(1_000);
                self.machine.handle_timeout(self.now);
            }
            b'x' if self.is_connected => {
                self.is_connected = false;
                self.machine.handle_loss("it broke", vec!["unsent".into()], self.now);
            }
            b'f' if !self.is_connected => self.machine.handle_failure("nobody there", self.now),
            b'c' if !self.is_connected => {
                self.is_connected = true;
                self.reader = LineReader::new(LINE_BYTES_MAX);
                self.machine.handle_connected();
            }
            b'z' => self.machine.handle_return(COLUMNS),
            _ => {}
        }
    }

    fn press(&mut self, byte: u8) {
        let byte = match byte {
            b'~' => 0x1b,
            b'^' => b'\r',
            byte => byte,
        };
        if let Some(key) = self.keys.push(byte) {
            self.machine.handle_key(key);
        }
    }

    fn hear(&mut self, mut bytes: &[u8]) {
        while let Some(frame) = self.reader.next(&mut self.pool, &mut bytes) {
            match frame.text() {
                Some(line) => self.machine.handle_line(line),
                None => self.machine.handle_unreadable(),
            }
            frame.recycle(&mut self.pool);
        }
    }

    fn draw(&mut self) {
        while let Some(action) = self.machine.poll_action() {
            if let Action::Send(line) = action {
                assert!(!line.contains(['\r', '\n']), "two lines sent as one: {line:?}");
            }
        }
        let mut out = String::new();
        self.machine.draw(self.now, &mut out);
        check_sequences(&out);
        self.terminal.process(out.as_bytes());
        let screen = self.terminal.screen();
        let (row, column) = screen.cursor_position();
        assert!(row < ROWS && column <= COLUMNS, "the cursor is at {row}, {column}");
        self.is_certain &= out.is_ascii();
        if self.is_certain {
            let below = screen.rows(0, COLUMNS).skip(usize::from(row) + 1);
            let below = below.collect::<String>();
            assert!(below.trim().is_empty(), "{below:?} stands below the line being typed");
        }
    }
}

/// Only the client's own sequences may move the cursor (3.1.1).
fn check_sequences(out: &str) {
    let mut rest = out;
    while let Some(at) = rest.find(|c: char| c.is_control() || is_invisible(c)) {
        rest = &rest[at..];
        let own = OWN_SEQUENCES.iter().find_map(|own| rest.strip_prefix(own));
        let control = || rest.strip_prefix(['\r', '\n', '\x07']);
        let Some(after) = own.or_else(control).or_else(|| after_cursor_up(rest)) else {
            panic!("the terminal gets {:?}", rest.chars().take(20).collect::<String>());
        };
        rest = after;
    }
}

/// The rest of `text` after `ESC [ n A`. The client moves up n rows to erase a wrapped line.
fn after_cursor_up(text: &str) -> Option<&str> {
    let rest = text.strip_prefix("\x1b[")?;
    rest.trim_start_matches(|c: char| c.is_ascii_digit()).strip_prefix('A')
}

/// Characters that hide or reorder text without being control characters.
fn is_invisible(c: char) -> bool {
    matches!(c as u32, 0x2028..=0x202e | 0x2066..=0x206f | 0xfeff | 0xfff9..=0xfffb)
}

fn size(cells: u16) -> NonZeroU16 {
    NonZeroU16::new(cells).expect("the size is not zero")
}
