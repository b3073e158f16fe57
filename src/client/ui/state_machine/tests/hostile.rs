//! Hostile servers and hostile clipboards: the terminal gets no control sequence from them (3.1.1).

use super::Scene;
use crate::client::ui::keys::Key;
use crate::client::ui::notifier::RING;
use crate::core::buffers::Pool;
use crate::core::framing::{LineReader, text};

/// The escape sequences that the client itself may write without colours.
const OWN_SEQUENCES: [&str; 8] =
    ["\x1b[K", "\x1b[J", "\x1b[H", "\x1b[2J", "\x1b7", "\x1b8", "\x1b[?7l", "\x1b[?7h"];

/// The first control sequence in `written` that is not the client's own, with the text after it.
fn foreign(written: &str) -> Option<&str> {
    let mut rest = written;
    while let Some(at) = rest.find(text::is_unsafe) {
        rest = &rest[at..];
        let own = OWN_SEQUENCES.iter().find_map(|own| rest.strip_prefix(own));
        let control = || rest.strip_prefix(['\r', '\n', RING]);
        match own.or_else(control) {
            Some(after) => rest = after,
            None => return Some(rest),
        }
    }
    None
}

#[test]
fn no_bytes_from_a_server_or_a_paste_become_a_control_sequence() {
    let pieces: [&[u8]; 16] = [
        b"* ",
        b"? ",
        b"Hello, ",
        b"1 ",
        b" wants to chat",
        b"a",
        b": ",
        b"\r\n",
        b"\x1b[3J",
        b"\x1b",
        b"[31m",
        b"\x9b",
        b"\xc2\x9b",
        b"\xff\xfb\x01",
        b"\x07",
        b"\xe2\x80\xae",
    ];
    let mut state = 1_u64;
    let mut random = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        usize::try_from(state >> 33).expect("31 bits") % below
    };
    for _ in 0..300 {
        let (mut scene, mut pool) = (Scene::new(3, Some("anna")), Pool::default());
        let mut reader = LineReader::new(2_000);
        for _ in 0..50 {
            let bytes = (0..8).flat_map(|_| pieces[random(pieces.len())]).copied();
            let bytes = bytes.collect::<Vec<u8>>();
            let mut unread = &bytes[..];
            while let Some(frame) = reader.next(&mut pool, &mut unread) {
                if let Some(line) = frame.text() {
                    scene.state_machine.handle_line(line);
                }
            }
            let pasted = Key::Paste { text: String::from_utf8_lossy(&bytes).into(), cut: false };
            scene.state_machine.handle_key(pasted);
            scene.press(["n", "y", "\x15"][random(3)]);
            let mut out = String::new();
            scene.state_machine.draw(scene.now, &mut out);
            assert_eq!(foreign(&out), None, "{out:?}");
        }
    }
}
