//! The screens of recorded streams, and of streams that mean harm.
//!
//! `tests/watch/NAME.jsonl` is what a server streamed; `NAME.txt` is the screen. A test that fails
//! prints the new screen, for a person to look at and to put there.

use std::fmt::Write;

use super::*;
use ratatui_core::style::Color;

const PLAIN: Look = Look { color: false, unicode: true };

const LAZY_READER: &str = include_str!("../../../tests/watch/lazy-reader.jsonl");
const FOLLOWED: &str = include_str!("../../../tests/watch/followed.jsonl");
const HELD: &str = include_str!("../../../tests/watch/held.jsonl");

fn rows(buffer: &Buffer) -> Vec<String> {
    let row = |y| {
        let mut row = String::new();
        let mut x = buffer.area.left();
        while x < buffer.area.right() {
            let symbol = buffer[(x, y)].symbol();
            row.push_str(symbol);
            x += u16::try_from(unicode_width::UnicodeWidthStr::width(symbol)).unwrap().max(1);
        }
        row.trim_end().to_owned()
    };
    (buffer.area.top()..buffer.area.bottom()).map(row).collect()
}

fn drawn(view: &View, columns: u16, rows: u16) -> Buffer {
    let mut buffer = Buffer::empty(Rect::new(0, 0, columns, rows));
    view.draw(buffer.area, &mut buffer);
    buffer
}

/// A view that has received a recorded stream.
fn view_of(stream: &str, look: Look) -> View {
    let mut view = View::new(look);
    view.receive(stream.as_bytes());
    view
}

#[track_caller]
fn looks_as(expected: &str, view: &View, columns: u16, height: u16) {
    let mut screen = String::new();
    for row in rows(&drawn(view, columns, height)) {
        writeln!(screen, "{row}").unwrap();
    }
    assert!(screen == expected, "the screen is now:\n{screen}<end>");
}

/// (8.2.12)
#[test]
fn a_chat_with_a_lazy_reader_looks_as_recorded() {
    let mut view = view_of(LAZY_READER, PLAIN);
    view.handle_key(&Key::Down);
    looks_as(include_str!("../../../tests/watch/lazy-reader.txt"), &view, 80, 24);
    looks_as(include_str!("../../../tests/watch/lazy-reader-wide.txt"), &view, 120, 40);
}

/// (8.2.13)
#[test]
fn a_followed_message_looks_as_recorded() {
    let view = view_of(FOLLOWED, PLAIN);
    looks_as(include_str!("../../../tests/watch/followed.txt"), &view, 80, 24);
}

/// (8.2.14)
#[test]
fn a_held_loop_looks_as_recorded() {
    let mut view = view_of(HELD, PLAIN);
    assert!(view.is_paused());
    assert_eq!(view.handle_key(&Key::Char(' ')), Wish::Send("go\n".to_owned()));
    looks_as(include_str!("../../../tests/watch/held.txt"), &view, 80, 24);
}

#[test]
fn without_blocks_and_colours_the_screen_says_the_same() {
    let view = view_of(LAZY_READER, Look { color: false, unicode: false });
    let buffer = drawn(&view, 80, 24);
    assert!(rows(&buffer).iter().all(|row| row.is_ascii()), "{:?}", rows(&buffer));
    assert!(buffer.content().iter().all(|cell| cell.fg == Color::Reset));
    let words = rows(&buffer).join("\n");
    assert!(words.contains("lazy is full") && words.contains("held"), "{words}");
}

#[test]
fn any_size_can_be_drawn_and_nothing_outside_of_the_area() {
    for stream in [LAZY_READER, FOLLOWED, HELD] {
        let view = view_of(stream, PLAIN);
        for (columns, rows) in [(0, 0), (1, 1), (3, 50), (200, 1), (20, 5), (500, 200), (79, 23)] {
            drawn(&view, columns, rows);
        }
        let mut buffer = Buffer::empty(Rect::new(0, 0, 100, 40));
        let area = Rect::new(7, 5, 80, 24);
        view.draw(area, &mut buffer);
        for (x, y) in (0..100).flat_map(|x| (0..40).map(move |y| (x, y))) {
            let is_inside = area.contains((x, y).into());
            assert!(is_inside || buffer[(x, y)].symbol() == " ", "{x}, {y}");
        }
        view.draw(Rect::new(90, 30, 80, 24), &mut buffer);
        view.draw(Rect::new(900, 300, 80, 24), &mut buffer);
    }
}

#[test]
fn hostile_texts_and_numbers_break_no_screen() {
    let names = [
        "\\u001b[2J\\u001b]0;title\\u0007",
        "\\u202e right to left",
        "日本語日本語日本語日本語日本語",
        "e\\u0301\\u0301\\u0301\\u0301\\u0301\\u0301\\u0301\\u0301\\u0301",
        "\\r\\n\\t\\u0000\\u0085",
        "👨‍👩‍👧‍👦🏳️‍🌈",
    ];
    for name in names {
        let mut view = View::new(PLAIN);
        let max = u64::MAX;
        let turn = format!(
            "{{\"turns\":{max},\"events\":-1,\"lines\":\"many\",\"held\":{{\"{name}\":{max}}},\
             \"ns\":{{\"wait\":{max},\"read\":{max},\"act\":1e300}}}}"
        );
        let line = format!(
            "{{\"watch\":1,\"at\":{max},\"skipped\":{max},\"count\":{max},\"high_water\":0,\
             \"total\":{turn},\"turns\":[{turn},{turn},null,[]],\
             \"connections\":[{{\"number\":{max},\"name\":\"{name}\",\"state\":\"{name}\",\
             \"with\":\"{name}\",\"output\":{max},\"waits\":true,\"congested\":true,\
             \"hold\":\"{name}\",\"deadlines\":{{\"{name}\":{max}}},\"cpu\":1e308}},7],\
             \"followed\":{{\"number\":1,\"name\":\"{name}\",\"hops\":[{{\"hop\":{max},\
             \"function\":\"{name}\",\"file\":\"{name}\",\"count\":{max},\"unit\":\"{name}\"}}]}},\
             \"teach\":{{\"paused\":true,\"next\":\"{name}\",\"slow_ms\":{max}}}}}\n"
        );
        view.receive(line.as_bytes());
        view.receive(format!("! {name}\n").as_bytes());
        view.receive(line.as_bytes());
        view.handle_key(&Key::Down);
        view.handle_key(&Key::Char('-'));
        let shown = rows(&drawn(&view, 80, 24)).join("\n");
        assert!(!shown.contains(['\u{1b}', '\u{7}', '\u{202e}', '\r', '\u{0}']), "{shown:?}");
        assert!(shown.contains("chinwag"), "the picture is there: {shown}");
    }
}

#[test]
fn garbage_and_endless_lines_cost_no_memory() {
    let mut view = View::new(PLAIN);
    for garbage in ["{\"watch\":1", "{}\n", "[]\n", "\u{0}\n", "{\"watch\":{}}\n", "* welcome\n"] {
        view.receive(garbage.as_bytes());
    }
    view.receive(b"\xff\xfe\n");
    for _ in 0..100 {
        view.receive(&[b'x'; 10_000]);
    }
    assert!(view.line.capacity() <= 2 * WATCH_LINE_BYTES_MAX);
    assert!(rows(&drawn(&view, 80, 24)).join("").contains("waiting for the first line"));
    view.receive(b"\n{\"watch\":1,\"at\":5}\n");
    assert!(rows(&drawn(&view, 80, 24)).join("").contains("0 connections"));
    view.set_ended("the server has closed the console");
    assert!(rows(&drawn(&view, 80, 24))[23].contains("the server has closed the console"));
}

/// A stream can be cut anywhere.
#[test]
fn a_stream_in_pieces_is_the_same_stream() {
    let mut view = View::new(PLAIN);
    HELD.as_bytes().chunks(7).for_each(|piece| view.receive(piece));
    assert_eq!(drawn(&view, 80, 24), drawn(&view_of(HELD, PLAIN), 80, 24));
}

#[test]
fn keys_choose_and_follow_a_connection() {
    let mut view = view_of(HELD, PLAIN);
    assert_eq!(view.handle_key(&Key::Enter), Wish::Draw, "nobody is chosen");
    assert_eq!(view.handle_key(&Key::Down), Wish::Draw);
    let Wish::Send(command) = view.handle_key(&Key::Enter) else { panic!("nobody is followed") };
    assert!(command.starts_with("watch #"), "{command}");
    for _ in 0..100 {
        view.handle_key(&Key::Down);
    }
    let last = view.state.connections.last().unwrap().number;
    assert_eq!(view.state.chosen, Some(last));
    assert_eq!(view.handle_key(&Key::Char('-')), Wish::Send("slow 10ms\n".to_owned()));
    assert_eq!(view.handle_key(&Key::Char('+')), Wish::Send("go\n".to_owned()));
    assert_eq!(view.handle_key(&Key::Char('s')), Wish::Send("step\n".to_owned()));
    assert_eq!(view.handle_key(&Key::Char('7')), Wish::Unused);
    assert_eq!(view.handle_key(&Key::Char('q')), Wish::Quit);
}
