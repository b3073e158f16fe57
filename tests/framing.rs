//! Sends bytes over real sockets: line endings, half-closed connections, telnet sequences, and
//! control characters that must not reach another user's terminal.
//!
//! Numbers such as 1.2 are clauses of protocol.md.

mod common;

use common::{MENU, Person, Server, USERNAME, WHOM};
use socket2::SockRef;

const IAC: u8 = 255;
const DONT: u8 = 254;
const DO: u8 = 253;
const WONT: u8 = 252;
const WILL: u8 = 251;
const SB: u8 = 250;
const EL: u8 = 248;
const EC: u8 = 247;
const AYT: u8 = 246;
const IP: u8 = 244;
const BRK: u8 = 243;
const DM: u8 = 242;
const SE: u8 = 240;
const EOF: u8 = 236;
const TIMING_MARK: u8 = 6;

/// Two users in a chat with each other.
fn a_chat(server: &Server) -> (Person, Person) {
    let (mut anna, mut bert) = (Person::joins(server, "anna"), Person::joins(server, "bert"));
    anna.chats_with(&mut bert);
    (anna, bert)
}

// Lines (2.1.2 to 2.1.5).

#[test]
fn lf_and_cr_and_cr_lf_and_cr_nul_each_end_a_line() {
    let server = Server::starts();
    let (mut anna, mut bert) = a_chat(&server);
    anna.sends(b"one\ntwo\r\nthree\r\0four\rfive\r\r\n\n");
    for text in ["one", "two", "three", "four", "five", "", ""] {
        bert.reads_exactly(&format!("anna: {text}"));
    }
    bert.has_read_everything();
}

#[test]
fn packet_boundaries_change_nothing() {
    let server = Server::starts();
    let (mut anna, mut bert) = a_chat(&server);
    let mut witness = Person::joins(&server, "witness");
    let bytes = "é\r\0ü\r\n王\rx\n\u{1b}[31mred\u{1b}[0m\r\n".as_bytes();
    let texts = ["é", "ü", "王", "x", "red"].map(|text| format!("anna: {text}"));
    for cut in 1..bytes.len() {
        anna.sends(&bytes[..cut]);
        // The reply to another connection shows that the server has read the first part.
        witness.has_read_everything();
        anna.sends(&bytes[cut..]);
        texts.iter().for_each(|text| bert.reads_exactly(text));
    }
    for byte in bytes {
        anna.sends(&[*byte]);
        witness.has_read_everything();
    }
    texts.iter().for_each(|text| bert.reads_exactly(text));
}

#[test]
fn a_line_of_1024_bytes_is_delivered_and_a_line_of_1025_bytes_is_discarded() {
    let server = Server::starts();
    let (mut anna, mut bert) = a_chat(&server);
    let longest = "ü".repeat(512);
    anna.says(&longest);
    bert.reads_exactly(&format!("anna: {longest}"));
    for ending in ["\n", "\r\n", "\r\0", "\r"] {
        anna.sends(format!("{}{ending}", "x".repeat(1025)).as_bytes());
        anna.reads("! ");
        anna.sends(format!("{}{ending}", "x".repeat(100_000)).as_bytes());
        anna.reads("! ");
        anna.sends(format!("{}{ending}", "y".repeat(1024)).as_bytes());
        bert.reads_exactly(&format!("anna: {}", "y".repeat(1024)));
    }
    bert.has_read_everything();
}

#[test]
fn bytes_removed_by_telnet_and_backspace_do_not_count_towards_the_length_of_a_line() {
    let server = Server::starts();
    let (mut anna, mut bert) = a_chat(&server);
    let mut bytes = b"x".repeat(1020);
    for _ in 0..100 {
        bytes.extend_from_slice(b"ab\x08\x7f");
        bytes.extend_from_slice(&[IAC, DONT, 1]);
    }
    bytes.extend_from_slice(b"last\n");
    anna.sends(&bytes);
    bert.reads_exactly(&format!("anna: {}last", "x".repeat(1020)));
}

#[test]
fn a_refused_line_changes_no_state_and_the_prompt_is_repeated() {
    let server = Server::starts();
    let mut bert = Person::joins(&server, "bert");
    let mut anna = Person::arrives(&server);
    let too_long = [&b"x".repeat(2000)[..], b"\n"].concat();
    for bad in [&b"caf\xe9\n"[..], &too_long, b"\xff\xff\n", b"\xc0\xaf\n", b"\xed\xa0\x80\n"] {
        // `sends` writes the bytes unchanged; `says` takes valid UTF-8 only.
        anna.sends(bad);
        anna.reads_all(&["! ", USERNAME]);
    }
    anna.takes_username("anna");
    anna.sends(b"\xe9\n");
    anna.reads_all(&["! ", MENU]);
    anna.says("2");
    anna.reads_exactly(WHOM);
    anna.sends(b"\xe9\n");
    anna.reads_all(&["! ", WHOM]);
    anna.sends(&too_long);
    anna.reads_all(&["! ", WHOM]);
    anna.says("bert");
    anna.reads("* Asked bert");
    bert.reads("? anna wants to chat");
    anna.sends(b"\xe9\n");
    anna.reads("! ");
    bert.sends(b"\xe9\n");
    bert.reads("! ");
    bert.says("yes");
    bert.reads("* You are now chatting with anna");
    anna.reads_all(&["* bert accepted", "* You are now chatting with bert"]);
    anna.sends(b"\xe9\n");
    anna.reads("! ");
    anna.has_read_everything();
    bert.has_read_everything();
}

#[test]
fn backspace_deletes_a_character_and_ctrl_u_clears_the_line() {
    let server = Server::starts();
    let (mut anna, mut bert) = a_chat(&server);
    anna.sends(b"helpo\x08\x08lo\n");
    bert.reads_exactly("anna: hello");
    anna.sends("na\u{ef}ü\x7f\x7five\n".as_bytes());
    bert.reads_exactly("anna: naive");
    anna.sends(b"rubbish\x15fine\n");
    bert.reads_exactly("anna: fine");
    anna.sends(b"\x08\x7f\x15\x08empty\n");
    bert.reads_exactly("anna: empty");
}

// Half-closed connections (2.1.6, 2.3.1).

#[test]
fn every_line_of_a_script_is_answered_before_the_connection_ends() {
    let server = Server::starts();
    let mut anna = Person::connects(server.address());
    anna.sends(b"anna\n1\nhelp\n2 bert\n1 anna");
    anna.half_close();
    anna.reads_all(&["* Welcome", USERNAME, "* Hello, anna", MENU, "* 1 user online"]);
    anna.reads_exactly("- anna available (you)");
    anna.reads_exactly(MENU);
    anna.reads_help();
    anna.reads_exactly(MENU);
    anna.reads_all(&["! ", MENU]);
    // The last line has no ending and counts as a line.
    anna.reads("* 1 user");
    anna.reads_all(&["- anna available (you)", MENU]);
    let last_lines = anna.reads_until_closed();
    assert!(last_lines.len() <= 1, "{last_lines:?}");
}

#[test]
fn messages_sent_before_a_half_close_are_delivered() {
    let server = Server::starts();
    let (mut anna, mut bert) = a_chat(&server);
    anna.sends(b"one\ntwo\nthree");
    anna.half_close();
    for text in ["one", "two", "three"] {
        bert.reads_exactly(&format!("anna: {text}"));
    }
    bert.reads_all(&["* anna left", MENU]);
    anna.reads_until_closed();
}

#[test]
fn a_script_that_asks_beyond_its_allowance_is_delayed_and_every_line_is_answered() {
    let server = Server::starts();
    let names: Vec<String> = (0..6).map(|number| format!("bert{number}")).collect();
    let _people: Vec<Person> = names.iter().map(|name| Person::joins(&server, name)).collect();
    let mut anna = Person::arrives(&server);
    let asks: String = names.iter().map(|name| format!("2 {name}\ncancel\n")).collect();
    anna.sends(format!("anna\n{asks}help\n3\n").as_bytes());
    anna.half_close();
    anna.reads_all(&["* Hello, anna", MENU]);
    for name in &names {
        anna.reads(&format!("* Asked {name}"));
        anna.reads_all(&["* You withdrew", MENU]);
    }
    anna.reads_help();
    anna.reads_exactly(MENU);
    anna.reads("* Goodbye");
    anna.reads_end_of_stream();
}

#[test]
fn ctrl_d_at_the_start_of_a_line_and_iac_eof_are_the_end_of_input() {
    let server = Server::starts();
    for (round, end) in
        [&b"\x04"[..], &[IAC, EOF], b"1\n\x04", &[b'1', IAC, EOF]].iter().enumerate()
    {
        let mut anna = Person::joins(&server, &format!("anna{round}"));
        anna.sends(end);
        if end.contains(&b'1') {
            anna.reads("* ");
            anna.reads_rows();
            anna.reads_exactly(MENU);
        }
        let last_lines = anna.reads_until_closed();
        assert!(last_lines.len() <= 1, "{last_lines:?}");
    }
    // In the middle of a line, byte 04 is an ordinary control character.
    let (mut anna, mut bert) = a_chat(&server);
    anna.sends(b"mid\x04dle\n");
    bert.reads_exactly("anna: middle");
}

// Telnet (2.2.1, 2.2.2, 2.2.3, 2.2.4).

#[test]
fn every_do_is_answered_wont_and_every_will_is_answered_dont_and_refusals_are_not_answered() {
    let server = Server::starts();
    let mut anna = Person::joins(&server, "anna");
    for _ in 0..3 {
        anna.sends(&[IAC, DO, TIMING_MARK]);
        anna.reads_telnet_reply(WONT, TIMING_MARK);
    }
    for option in [0, 1, 3, 24, 31, 34, 39, 254, 255] {
        anna.sends(&[IAC, DO, option]);
        anna.reads_telnet_reply(WONT, option);
        anna.sends(&[IAC, WILL, option]);
        anna.reads_telnet_reply(DONT, option);
        anna.sends(&[IAC, WONT, option, IAC, DONT, option]);
        anna.has_read_everything();
    }
    // The options that plink sends first, in one packet.
    anna.sends(&[
        IAC, WILL, 31, IAC, WILL, 32, IAC, WILL, 24, IAC, WILL, 39, IAC, DO, 1, IAC, WILL, 3, IAC,
        DO, 3,
    ]);
    for option in [31, 32, 24, 39] {
        anna.reads_telnet_reply(DONT, option);
    }
    anna.reads_telnet_reply(WONT, 1);
    anna.reads_telnet_reply(DONT, 3);
    anna.reads_telnet_reply(WONT, 3);
    anna.has_read_everything();
}

#[test]
fn telnet_sequences_inside_a_line_or_a_character_do_not_damage_the_line() {
    let server = Server::starts();
    let (mut anna, mut bert) = a_chat(&server);
    let mut witness = Person::joins(&server, "witness");
    let bytes = [
        b'a', IAC, DONT, 1, b'b', IAC, SB, 24, 1, IAC, IAC, b'\n', IAC, SE, 0xc3, IAC, 241, 0xbc,
        b'\r', IAC, WONT, 3, b'\n', b'c', b'\n',
    ];
    anna.sends(&bytes);
    bert.reads_exactly("anna: abü");
    bert.reads_exactly("anna: c");
    for byte in bytes {
        anna.sends(&[byte]);
        witness.has_read_everything();
    }
    bert.reads_exactly("anna: abü");
    bert.reads_exactly("anna: c");
    bert.has_read_everything();
}

#[test]
fn are_you_there_is_answered_in_every_state() {
    let server = Server::starts();
    let mut anna = Person::arrives(&server);
    anna.has_read_everything();
    anna.sends(b"an");
    anna.has_read_everything();
    anna.sends(b"na\n");
    anna.reads_all(&["* Hello, anna", MENU]);
    anna.sends(&[IAC, AYT, IAC, AYT]);
    anna.reads_all(&["* ", "* "]);
}

#[test]
fn interrupt_break_and_erase_line_clear_the_line_and_erase_character_deletes_a_character() {
    let server = Server::starts();
    let (mut anna, mut bert) = a_chat(&server);
    for clears in [IP, BRK, EL] {
        anna.sends(&[b'n', b'o', IAC, clears, b'y', b'e', b's', b'\n']);
        bert.reads_exactly("anna: yes");
    }
    anna.sends("hellöp".as_bytes());
    anna.sends(&[IAC, EC, IAC, EC, b'o', b'\n']);
    bert.reads_exactly("anna: hello");
    // Ctrl-C in telnet sends an interrupt, then a timing mark whose reply telnet waits for.
    anna.sends(&[b'x', IAC, IP, IAC, DO, TIMING_MARK]);
    anna.reads_telnet_reply(WONT, TIMING_MARK);
    anna.says("after");
    bert.reads_exactly("anna: after");
}

#[test]
fn the_urgent_byte_of_a_telnet_synch_is_not_part_of_the_text() {
    let server = Server::starts();
    let (mut anna, mut bert) = a_chat(&server);
    anna.sends(&[b'a', IAC]);
    SockRef::from(anna.socket()).send_out_of_band(&[DM]).expect("urgent data");
    anna.sends(b"b\n");
    bert.reads_exactly("anna: ab");
    // Urgent data that is not telnet keeps its place in the stream.
    anna.sends(b"one, ");
    SockRef::from(anna.socket()).send_out_of_band(b"t").expect("urgent data");
    anna.sends(b"wo\n");
    bert.reads_exactly("anna: one, two");
}

#[test]
fn a_subnegotiation_of_more_than_1024_bytes_is_abandoned_with_its_line() {
    let server = Server::starts();
    let (mut anna, mut bert) = a_chat(&server);
    let inside = |count: usize| [&[IAC, SB, 24][..], &b"x".repeat(count - 1)].concat();
    // A subnegotiation of the largest size, in the middle of a line.
    anna.sends(&[b"a".to_vec(), inside(1024), vec![IAC, SE], b"b\n".to_vec()].concat());
    bert.reads_exactly("anna: ab");
    // Beyond the limit, the line that contains the subnegotiation is refused. The next line is text
    // again.
    anna.sends(&[b"a".to_vec(), inside(1500), b"\ntext again\n".to_vec()].concat());
    anna.reads("! ");
    bert.reads_exactly("anna: text again");
    anna.has_read_everything();
}

#[test]
fn the_server_sends_no_telnet_unasked() {
    let server = Server::starts();
    // The harness returns telnet sequences apart from lines, and each read below expects a line.
    let mut anna = Person::joins(&server, "anna");
    anna.says("1");
    anna.reads("* 1 user online");
    anna.reads_rows();
    anna.reads_exactly(MENU);
    anna.exits();
    anna.reads_end_of_stream();
}

// Clients of other protocols (2.4.1).

#[test]
fn a_tls_hello_is_answered_with_one_error_and_the_connection_is_closed() {
    let server = Server::starts();
    let mut witness = Person::joins(&server, "witness");
    let hello = [&[0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3][..], &[7; 500], b"\nanna\n1\n"].concat();
    for cut in [1, 2, 3, hello.len()] {
        let mut browser = Person::arrives(&server);
        browser.sends(&hello[..cut]);
        witness.has_read_everything();
        browser.tries_to_send(&hello[cut..]);
        browser.reads("! ");
        browser.reads_end_of_stream();
    }
}

#[test]
fn an_http_request_is_answered_with_one_error_and_takes_no_username() {
    let server = Server::starts();
    for method in ["GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "CONNECT", "PATCH", "TRACE"] {
        let mut browser = Person::arrives(&server);
        browser
            .sends(format!("{method} / HTTP/1.1\r\nHost: x\r\n\r\nanna\r\n2 bert\r\n").as_bytes());
        browser.reads("! ");
        browser.reads_end_of_stream();
    }
    let mut observer = Person::joins(&server, "observer");
    observer.says("1");
    observer.reads_exactly("* 1 user online");
    observer.reads_rows();
    observer.reads_exactly(MENU);
    // Only the first bytes of a connection are checked. Later the same line is a text.
    let (mut anna, mut bert) = a_chat(&server);
    anna.says("GET / HTTP/1.1");
    bert.reads_exactly("anna: GET / HTTP/1.1");
}

// Text of messages (3.1.1, 3.1.2).

#[test]
fn control_characters_and_escape_sequences_are_removed_from_messages() {
    let server = Server::starts();
    let (mut anna, mut bert) = a_chat(&server);
    let texts = [
        ("bell\u{7}", "bell"),
        ("\u{1b}[31mred\u{1b}[0m", "red"),
        ("\u{1b}[2J\u{1b}[1;1Hclear", "clear"),
        ("\u{1b}]0;title\u{7}osc", "]0;titleosc"),
        ("\u{1b}OPss3", "ss3"),
        ("\u{9b}31mc1 csi", "c1 csi"),
        ("\u{85}\u{8d}\u{9f}c1", "c1"),
        ("a\u{b}b\u{c}c", "abc"),
        ("nul\u{0}nul", "nulnul"),
        ("line\u{2028}para\u{2029}end", "lineparaend"),
        ("\u{202e}backwards\u{202c}", "backwards"),
        ("\u{2066}i\u{2067}s\u{2068}o\u{2069}", "iso"),
        ("\u{202a}\u{202b}\u{202d}embed", "embed"),
        ("\u{206a}\u{206f}old", "old"),
        ("\u{feff}bom", "bom"),
        ("\u{fff9}inter\u{fffa}linear\u{fffb}", "interlinear"),
        ("x\u{1b}", "x"),
        ("\u{1b}[", ""),
        ("\u{1b}\u{1b}[31mtwice", "twice"),
    ];
    for (sent, delivered) in texts {
        eprintln!("{sent:?}");
        anna.says(sent);
        bert.reads_exactly(&format!("anna: {delivered}"));
    }
}

#[test]
fn every_other_text_is_delivered_unchanged() {
    let server = Server::starts();
    let (mut anna, mut bert) = a_chat(&server);
    for text in [
        "  blanks before",
        "blanks after  ",
        "in   between",
        "",
        " ",
        "* not the server",
        "! no error",
        "? Username:",
        "- row",
        "bert: not bert",
        "naïve — “quotes” … €",
        "日本語 한국어 ไทย עברית العربية",
        "👩‍👩‍👧‍👦 🇪🇺 👍🏽 e\u{301}",
        "\u{200b}zero\u{200d}width\u{ad}",
        "%s %n \\n \\x1b ${HOME} `id`",
        "<script>",
    ] {
        anna.says(text);
        bert.reads_exactly(&format!("anna: {text}"));
    }
}

#[test]
fn a_username_never_contains_a_control_character() {
    let server = Server::starts();
    let mut anna = Person::arrives(&server);
    anna.sends(b"an\x1b[31mna\x07\n");
    // The server may clean the name or refuse it. The harness checks that no line contains a
    // control character.
    let answer = anna.reads_a_line();
    assert!(answer == "* Hello, anna" || answer.starts_with("! "), "{answer}");
}

#[test]
fn an_error_line_never_contains_control_characters_that_were_typed() {
    let server = Server::starts();
    let mut anna = Person::joins(&server, "anna");
    // The harness fails on any control character in a line from the server.
    for line in
        ["2 \u{1b}[31mbert", "1 \u{1b}]0;x\u{7}", "ignore \u{9b}1m", "/\u{1b}[2J", "2 \u{202e}x"]
    {
        anna.says(line);
        let answers = anna.reads_until(MENU);
        assert!(answers.len() >= 2, "{answers:?}");
        assert!(!answers.concat().contains('\u{202e}'), "{answers:?}");
    }
}
