//! The codec as bytes in and bytes out.

use super::*;

/// A frame as a client sends it. The mask is none of the bytes, so that a forgotten one shows.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mask = [0x37, 0xfa, 0x21, 0x3d];
    let mut bytes = vec![first];
    match payload.len() {
        short @ 0..=125 => bytes.push(0x80 | short as u8),
        long @ 126..=65_535 => {
            bytes.push(0x80 | 126);
            bytes.extend((long as u16).to_be_bytes());
        }
        longer => {
            bytes.push(0x80 | 127);
            bytes.extend((longer as u64).to_be_bytes());
        }
    }
    bytes.extend(mask);
    bytes.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, key)| byte ^ key));
    bytes
}

fn text(payload: &str) -> Vec<u8> {
    frame(0x81, payload.as_bytes())
}

fn websocket() -> WebSocket {
    websocket_with(SharedPool::default())
}

fn websocket_with(pool: SharedPool) -> WebSocket {
    let mut socket = WebSocket::new(Time::START, pool, b"HTTP/1.1 101\r\n\r\n");
    assert_eq!(socket.output(), b"HTTP/1.1 101\r\n\r\n");
    socket.handle_sent(16);
    socket
}

/// What the codec made of the bytes: application bytes, output, and the outcome.
type Outcome = (String, Vec<u8>, Result<Received, TransportError>);

fn receive(pieces: &[&[u8]]) -> Outcome {
    let (mut socket, mut input) = (websocket(), Vec::new());
    let mut result = Ok(Received::Data);
    for piece in pieces {
        result = socket.receive(Time::START, piece, &mut input);
        if result != Ok(Received::Data) {
            break;
        }
    }
    (String::from_utf8_lossy(&input).into_owned(), socket.output().to_vec(), result)
}

/// The same for every way to cut `bytes` in two, and for single bytes.
fn receive_however_cut(bytes: &[u8]) -> Outcome {
    let whole = receive(&[bytes]);
    for cut in 0..bytes.len() {
        assert_eq!(receive(&[&bytes[..cut], &bytes[cut..]]), whole, "cut at {cut}");
    }
    assert_eq!(receive(&bytes.chunks(1).collect::<Vec<_>>()), whole);
    whole
}

fn close_frame(code: u16) -> Vec<u8> {
    [&[0x88, 2][..], &code.to_be_bytes()].concat()
}

/// (2.6.7)
#[test]
fn each_message_ends_a_line_and_may_hold_several() {
    for (messages, lines) in [
        (&["anna"][..], "anna\n"),
        (&["anna\n", "1\r\n", "2"], "anna\n1\r\n2\n"),
        (&["a\nb\nc"], "a\nb\nc\n"),
        (&[""], "\n"),
        (&["a\r", "b"], "a\r\nb\n"),
        (&["a\r\0", "\0"], "a\r\0\0\n"),
        (&["日本🙂"], "日本🙂\n"),
    ] {
        let bytes = messages.iter().flat_map(|message| text(message)).collect::<Vec<_>>();
        let (input, output, result) = receive_however_cut(&bytes);
        assert_eq!((input.as_str(), result), (lines, Ok(Received::Data)), "{messages:?}");
        assert!(output.is_empty());
    }
}

/// (2.6.7)
#[test]
fn a_message_in_fragments_is_one_text_and_control_frames_may_stand_between() {
    let bytes = [
        frame(0x01, "日".as_bytes().split_at(2).0),
        frame(0x89, b"are you there"),
        frame(0x00, "日".as_bytes().split_at(2).1),
        frame(0x8a, b"unasked"),
        frame(0x00, b""),
        frame(0x80, b" b\nc"),
    ]
    .concat();
    let (input, output, result) = receive_however_cut(&bytes);
    assert_eq!((input.as_str(), result), ("日 b\nc\n", Ok(Received::Data)));
    assert_eq!(output, [&b"\x8a\x0d"[..], b"are you there"].concat());
}

/// (2.6.9, 7.70)
#[test]
fn a_fault_closes_with_its_code_and_what_came_before_counts() {
    let big = "x".repeat(WEBSOCKET_MESSAGE_BYTES_MAX);
    let faults = [
        (1002, b"\x81\x02hi".to_vec()),
        (1002, frame(0xc1, b"")),
        (1002, frame(0x83, b"")),
        (1002, frame(0x09, b"")),
        (1002, frame(0x89, &[b'x'; 126])),
        (1002, frame(0x80, b"of nothing")),
        (1002, [frame(0x01, b""), frame(0x81, b"")].concat()),
        (1002, vec![0x81, 0xfe, 0, 5, 1, 2, 3, 4]),
        (1002, frame(0x88, b"\x03")),
        (1002, frame(0x88, &1005u16.to_be_bytes())),
        (1003, frame(0x82, b"\0\0")),
        (1007, frame(0x88, b"\x03\xe8\xff")),
        (1007, frame(0x81, b"\xff\xec")),
        (1007, frame(0x81, b"\xc3")),
        (1007, [frame(0x01, b"\xe2\x82"), frame(0x80, b"x")].concat()),
        (1009, [frame(0x01, big.as_bytes()), frame(0x80, b"x")].concat()),
        (1009, [0x81, 0xff, 0, 0, 0, 0, 0, 1, 0, 1, 1, 2, 3, 4].to_vec()),
    ];
    for (code, fault) in faults {
        let bytes = [text("before"), fault].concat();
        let (input, output, result) = match bytes.len() {
            0..100 => receive_however_cut(&bytes),
            _ => receive(&[&bytes]),
        };
        assert!(input.starts_with("before\n") && result.is_err(), "{code}: {result:?}");
        assert_eq!(output, close_frame(code), "{result:?}");
    }
}

#[test]
fn text_that_is_not_utf8_stops_before_its_first_wrong_byte() {
    let (input, _, result) = receive_however_cut(&frame(0x81, b"ab\xff\xeccd"));
    assert_eq!(input, "ab");
    assert_eq!(result, Err(Fault::NotUtf8.error()));
}

#[test]
fn a_message_of_the_largest_size_passes() {
    let (input, _, result) = receive(&[&text(&"x".repeat(WEBSOCKET_MESSAGE_BYTES_MAX))]);
    assert_eq!((input.len(), result), (WEBSOCKET_MESSAGE_BYTES_MAX + 1, Ok(Received::Data)));
}

/// (2.6.9)
#[test]
fn the_peers_close_is_answered_with_its_code_and_ends_the_input() {
    for (payload, answer) in [(&b"\x03\xe9bye"[..], close_frame(1001)), (b"", vec![0x88, 0])] {
        let bytes = [text("last"), frame(0x88, payload), text("too late")].concat();
        let (mut socket, mut input) = (websocket(), Vec::new());
        let result = socket.receive(Time::START, &bytes, &mut input);
        assert_eq!((input.as_slice(), result), (&b"last\n"[..], Ok(Received::EndOfInput)));
        // The answers to the lines before it come first: they may still be held.
        assert!(socket.output().is_empty());
        assert_eq!(socket.send(b"hi\r\n"), 4);
        socket.handle_sent(socket.output().len());
        socket.close();
        assert_eq!(socket.output(), answer);
    }
    let mut socket = websocket();
    assert!(!socket.is_end_clean());
    socket.close();
    assert_eq!(socket.output(), close_frame(1000));
    assert!(!socket.is_end_clean(), "the peer has not agreed yet");
    socket.handle_sent(4);
    let mut input = Vec::new();
    let received = socket.receive(Time::START, &frame(0x88, b"\x03\xe8"), &mut input);
    assert_eq!(received, Ok(Received::EndOfInput));
    assert!(socket.is_end_clean() && socket.output().is_empty(), "one close frame is enough");
    assert_eq!(socket.send(b"more\r\n"), 0);
    let received = socket.receive(Time::START, &text("more"), &mut input);
    assert_eq!((received, input), (Ok(Received::Data), Vec::new()));
}

/// (2.6.8)
#[test]
fn output_comes_in_frames_of_whole_lines() {
    let mut socket = websocket();
    assert_eq!(socket.send(b"* Welcome\r\n? Username:\r\n"), 24);
    assert_eq!(socket.output(), b"\x81\x18* Welcome\r\n? Username:\r\n");
    socket.handle_sent(10);
    assert_eq!(socket.send(b"a: b\r\nhalf"), 6);
    socket.handle_sent(16);
    assert_eq!(socket.output(), b"\x81\x06a: b\r\n");
    socket.handle_sent(8);
    assert!(socket.output().is_empty() && socket.output.is_none(), "an idle socket has no buffer");
}

/// (7.71)
#[test]
fn output_is_bounded_and_a_long_line_without_an_end_is_cut_between_characters() {
    let mut socket = websocket();
    let line = [&[b'x'; 1_000][..], b"\r\n"].concat();
    let lines = line.repeat(20);
    let taken = socket.send(&lines);
    assert_eq!(taken, 8 * line.len());
    assert_eq!(socket.send(&lines[taken..]), 0, "no more than fits");
    assert!(socket.output().len() <= WEBSOCKET_OUTPUT_BYTES_MAX);
    socket.handle_sent(socket.output().len());
    let endless = "日".repeat(WEBSOCKET_OUTPUT_BYTES_MAX);
    let taken = socket.send(endless.as_bytes());
    assert!(taken.is_multiple_of(3) && taken > WEBSOCKET_OUTPUT_BYTES_MAX - 10);
}

/// (2.6.10)
#[test]
fn a_client_that_pings_without_reading_gets_the_latest_pong_and_costs_no_memory() {
    let (mut socket, mut input) = (websocket(), Vec::new());
    let mut socket_gets = |socket: &mut WebSocket, bytes: &[u8]| {
        assert_eq!(socket.receive(Time::START, bytes, &mut input), Ok(Received::Data));
        assert!(socket.output().len() <= WEBSOCKET_OUTPUT_BYTES_MAX + 127);
    };
    for n in 0..10_000 {
        socket_gets(&mut socket, &frame(0x89, format!("{n:0>100}").as_bytes()));
    }
    socket.handle_sent(socket.output().len());
    assert_eq!(socket.output()[2..], *format!("{:0>100}", 9_999).as_bytes());
    socket.handle_sent(102);
    assert!(socket.output().is_empty() && socket.control.is_none());
}

/// (2.6.10, 7.72)
#[test]
fn a_silent_client_gets_pings_and_is_given_up_after_the_last() {
    let mut socket = websocket();
    let at = |ms| Time::START.after_ms(ms);
    let mut input = Vec::new();
    assert_eq!(socket.deadline(), Some(at(30_000)));
    assert_eq!(socket.receive(at(20_000), &text("a"), &mut input), Ok(Received::Data));
    assert_eq!(socket.deadline(), Some(at(30_000)), "a message moves no deadline");
    assert_eq!(socket.handle_timeout(at(30_000), true), Ok(Received::Data));
    assert_eq!((socket.output(), socket.deadline()), (&[][..], Some(at(50_000))));
    for until in [80_000, 110_000] {
        assert_eq!(socket.handle_timeout(socket.check_at, true), Ok(Received::Data));
        assert_eq!((socket.output(), socket.deadline()), (&b"\x89\0"[..], Some(at(until))));
        socket.handle_sent(2);
    }
    assert_eq!(socket.pings_unanswered, WEBSOCKET_PINGS_UNANSWERED_MAX);
    let mut unread = websocket();
    unread.pings_unanswered = 2;
    assert_eq!(unread.handle_timeout(at(110_000), false), Ok(Received::Data), "nobody reads it");
    let mut alive = websocket();
    alive.pings_unanswered = 2;
    assert_eq!(alive.receive(at(110_000), &frame(0x8a, b""), &mut input), Ok(Received::Data));
    assert_eq!(
        alive.handle_timeout(at(140_000), true),
        Ok(Received::Data),
        "a pong is a sign of life"
    );
    assert_eq!(socket.handle_timeout(at(110_000), true), Err(Fault::Silent.error()));
    assert_eq!((socket.output(), socket.deadline()), (&close_frame(1008)[..], None));
}

#[test]
fn a_dropped_connection_gives_its_buffers_back() {
    let pool = SharedPool::default();
    let mut socket = websocket_with(Rc::clone(&pool));
    assert_eq!(socket.send(b"line\r\n"), 6);
    let lent = socket.output.as_ref().map(|buffer| &raw const **buffer);
    drop(socket);
    let back = pool.borrow_mut().lend();
    assert_eq!(Some(&raw const *back), lent);
}
