//! Plays `chinwag demo --script` in a terminal emulator and prints the screens as an animated SVG.
//!
//! `cargo build --release && cargo run --example animate -- target/release/chinwag > doc/images/demo.svg`
//!
//! The frames stand side by side in one long strip, and a style moves the strip. Equal rows are drawn
//! once. So no script is needed, and a page can show the file as an image.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{self, Read};
use std::num::NonZeroU16;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use pty_process::Size;
use pty_process::blocking::{Command, open};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

const ROWS: u16 = 32;
const COLUMNS: u16 = 100;
/// Time between two frames.
const FRAME: Duration = Duration::from_millis(800);
/// The first seconds show an empty hall.
const SKIPPED: usize = 4;
/// A run that takes longer has gone wrong.
const FRAMES_MAX: usize = 200;

const CELL_WIDTH: f64 = 8.4;
const CELL_HEIGHT: f64 = 17.0;
const MARGIN: f64 = 14.0;

const STYLE: &str = "\
text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;fill:#d0d7de;\
white-space:pre}.d{opacity:.5}.b{font-weight:700}.r{fill:#ff7b72}.g{fill:#56d364}.y{fill:#e3b341}\
.c{fill:#56d4dd}";

fn main() -> io::Result<()> {
    let Some(program) = std::env::args().nth(1) else {
        return Err(io::Error::other("usage: animate PROGRAM > FILE.svg"));
    };
    let frames = record(&program)?;
    let frames = frames.get(SKIPPED..).filter(|rest| !rest.is_empty());
    print!("{}", draw(frames.ok_or_else(|| io::Error::other("the demo ended too early"))?));
    Ok(())
}

/// The screens of a scripted run: rows of SVG, without their place.
fn record(program: &str) -> io::Result<Vec<Vec<String>>> {
    let (mut pty, pts) = open().map_err(io::Error::other)?;
    pty.resize(Size::new(ROWS, COLUMNS)).map_err(io::Error::other)?;
    let command = Command::new(program).args(["demo", "--script"]).env("TERM", "xterm");
    let mut child = command.env("LC_ALL", "C.UTF-8").spawn(pts).map_err(io::Error::other)?;
    let size = |count| NonZeroU16::new(count).unwrap_or(NonZeroU16::MIN);
    let mut terminal = vt100::Parser::new(size(ROWS), size(COLUMNS), 0);
    let (mut frames, mut next) = (Vec::new(), now() + FRAME);
    let mut buffer = vec![0; 65_536];
    while frames.len() < FRAMES_MAX {
        let left = next.saturating_duration_since(now());
        if left.is_zero() {
            frames.push((0..ROWS).map(|row| draw_row(terminal.screen(), row)).collect());
            next += FRAME;
            continue;
        }
        let mut ready = [PollFd::from_borrowed_fd(pty.as_fd(), PollFlags::IN)];
        let left = Timespec::try_from(left).map_err(io::Error::other)?;
        if poll(&mut ready, Some(&left))? > 0 {
            // When the program has ended, reading its terminal fails.
            match pty.read(&mut buffer) {
                Ok(0) | Err(_) => break,
                Ok(count) => terminal.process(&buffer[..count]),
            }
        }
    }
    let _ = child.kill();
    child.wait()?;
    Ok(frames)
}

/// One row: a text for each run of cells that look alike.
fn draw_row(screen: &vt100::Screen, row: u16) -> String {
    let (mut out, mut run, mut begun, mut looks) = (String::new(), String::new(), 0, String::new());
    for column in 0..=COLUMNS {
        let cell = screen.cell(row, column).filter(|_| column < COLUMNS);
        let contents = cell.map_or("", |cell| cell.contents());
        let look = cell.map(look_of).unwrap_or_default();
        let is_blank = contents.trim().is_empty();
        if look != looks && !is_blank || cell.is_none() {
            finish_run(&mut out, &mut run, begun, &looks);
            looks = look;
        }
        if run.is_empty() {
            if is_blank {
                continue;
            }
            begun = column;
        }
        run.push_str(if is_blank { " " } else { contents });
    }
    out
}

fn finish_run(out: &mut String, run: &mut String, column: u16, look: &str) {
    let text = run.trim_end().replace('&', "&amp;").replace('<', "&lt;");
    if !text.is_empty() {
        let class = if look.is_empty() { String::new() } else { format!(" class=\"{look}\"") };
        // The width is told, so that blocks and letters of different fonts stay in their columns.
        let width =
            f64::from(u16::try_from(run.trim_end().chars().count()).unwrap_or(0)) * CELL_WIDTH;
        let x = f64::from(column) * CELL_WIDTH;
        let _ = write!(out, "<text x=\"{x:.0}\" textLength=\"{width:.0}\"{class}>{text}</text>");
    }
    run.clear();
}

fn look_of(cell: &vt100::Cell) -> String {
    let color = match cell.fgcolor() {
        vt100::Color::Idx(1) => "r",
        vt100::Color::Idx(2) => "g",
        vt100::Color::Idx(3) => "y",
        vt100::Color::Idx(6) => "c",
        _ => "",
    };
    let weight = if cell.bold() { "b" } else { "" };
    let dim = if cell.dim() { "d" } else { "" };
    [color, weight, dim].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

fn draw(frames: &[Vec<String>]) -> String {
    let width = f64::from(COLUMNS) * CELL_WIDTH + 2.0 * MARGIN;
    let height = f64::from(ROWS) * CELL_HEIGHT + 2.0 * MARGIN;
    let (count, seconds) = (frames.len(), frames.len() as f64 * FRAME.as_secs_f64());
    let strip = width * count as f64;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\" \
         aria-label=\"chinwag demo: the loop of a chat server with 200 people, while attacks come \
         and go\"><style>{STYLE}@keyframes s{{to{{transform:translateX(-{strip:.0}px)}}}}\
         #f{{animation:s {seconds:.1}s steps({count}) infinite}}</style>\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"#0d1117\"/>"
    );
    let mut known = HashMap::<&str, usize>::new();
    let mut strip = String::new();
    out += "<defs>";
    for (n, frame) in frames.iter().enumerate() {
        let x = width * n as f64 + MARGIN;
        let _ = write!(strip, "<g transform=\"translate({x:.0} {MARGIN:.0})\">");
        for (row, contents) in frame.iter().enumerate().filter(|(_, row)| !row.is_empty()) {
            let next = known.len();
            let id = *known.entry(contents).or_insert_with(|| {
                let _ = write!(out, "<g id=\"{next:x}\">{contents}</g>");
                next
            });
            let y = (row as f64 + 0.8) * CELL_HEIGHT;
            let _ = write!(strip, "<use href=\"#{id:x}\" y=\"{y:.0}\"/>");
        }
        strip += "</g>";
    }
    format!("{out}</defs><g id=\"f\">{strip}</g></svg>\n")
}

#[expect(clippy::disallowed_methods, reason = "a recording is made of moments")]
fn now() -> Instant {
    Instant::now()
}
