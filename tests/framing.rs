//! Bytes over real sockets: line endings, half-closed connections, telnet, and what must never reach
//! somebody else's terminal. The clauses named are those of protocol.md.

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

/// Two people in a chat; the second hears what the first has said.
fn a_chat(server: &Server) -> (Person, Person) {
    let (mut anna, mut bert) = (Person::joins(server, "anna"), Person::joins(server, "bert"));
    anna.chats_with(&mut bert);
    (anna, bert)
}

// Lines (1.2 to 1.5).

#[test]
fn lf_and_cr_and_cr_lf_and_cr_nul_end_a_line_each() {
    let server = Server::starts();
    let (mut anna, mut bert) = a_chat(&server);
    anna.sends(b"one\ntwo\r\nthree\r\0four\rfive\r\r\n\n");
    for text in ["one", "two", "three", "four", "five", "", ""] {
        bert.hears_exactly(&format!("anna: {text}"));
    }
    bert.has_heard_it_all();
}

#[test]
fn how_bytes_are_cut_into_packets_changes_nothing() {
    let server = Server::starts();
    let (mut anna, mut bert) = a_chat(&server);
    let mut clock = Person::joins(&server, "clock");
    let bytes = "é\r\0ü\r\n王\rx\n\u{1b}[31mred\u{1b}[0m\r\n".as_bytes();
    let texts = ["é", "ü", "王", "x", "red"].map(|text| format!("anna: {text}"));
    for cut in 1..bytes.len() {
        anna.sends(&bytes[..cut]);
        // Somebody served later shows that the server has read this far.
        clock.has_heard_it_all();
        anna.sends(&bytes[cut..]);
        texts.iter().for_each(|text| bert.hears_exactly(text));
    }
    for byte in bytes {
        anna.sends(&[*byte]);
        clock.has_heard_it_all();
    }
    texts.iter().for_each(|text| bert.hears_exactly(text));
}

#[test]
fn a_line_of_1024_bytes_is_heard_and_one_of_1025_is_thrown_away_whole() {
    let server = Server::starts();
    let (mut anna, mut bert) = a_chat(&server);
    let longest = "ü".repeat(512);
    anna.says(&longest);
    bert.hears_exactly(&format!("anna: {longest}"));
    for ending in ["\n", "\r\n", "\r\0", "\r"] {
        anna.sends(format!("{}{ending}", "x".repeat(1025)).as_bytes());
        anna.hears("! ");
        anna.sends(format!("{}{ending}", "x".repeat(100_000)).as_bytes());
        anna.hears("! ");
        anna.sends(format!("{}{ending}", "y".repeat(1024)).as_bytes());
        bert.hears_exactly(&format!("anna: {}", "y".repeat(1024)));
    }
    bert.has_heard_it_all();
}

#[test]
fn a_line_counts_without_what_telnet_and_backspace_took_out_of_it() {
    let server = Server::starts();
    let (mut anna, mut bert) = a_chat(&server);
    let mut bytes = b"x".repeat(1020);
    for _ in 0..100 {
        bytes.extend_from_slice(b"ab\x08\x7f");
        bytes.extend_from_slice(&[IAC, DONT, 1]);
    }
    bytes.extend_from_slice(b"last\n");
    anna.sends(&bytes);
    bert.hears_exactly(&format!("anna: {}last", "x".repeat(1020)));
}

#[test]
fn a_refused_line_changes_nothing_and_the_prompt_comes_again() {
    let server = Server::starts();
    let mut bert = Person::joins(&server, "bert");
    let mut anna = Person::arrives(&server);
    let too_long = [&b"x".repeat(2000)[..], b"\n"].concat();
    for bad in [&b"caf\xe9\n"[..], &too_long, b"\xff\xff\n", b"\xc0\xaf\n", b"\xed\xa0\x80\n"] {
        // Sent as they are: the harness takes no part in their encoding.
        anna.sends(bad);
        anna.hears_all(&["! ", USERNAME]);
    }
    anna.enters("anna");
    anna.sends(b"\xe9\n");
    anna.hears_all(&["! ", MENU]);
    anna.says("2");
    anna.hears_exactly(WHOM);
    anna.sends(b"\xe9\n");
    anna.hears_all(&["! ", WHOM]);
    anna.sends(&too_long);
    anna.hears_all(&["! ", WHOM]);
    anna.says("bert");
    anna.hears("* Asked bert");
    bert.hears("? anna wants to chat");
    anna.sends(b"\xe9\n");
    anna.hears("! ");
    bert.sends(b"\xe9\n");
    bert.hears("! ");
    bert.says("yes");
    bert.hears("* You are now chatting with anna");
    anna.hears_all(&["* bert accepted", "* You are now chatting with bert"]);
    anna.sends(b"\xe9\n");
    anna.hears("! ");
    anna.has_heard_it_all();
    bert.has_heard_it_all();
}

#[test]
fn backspace_deletes_a_character_and_ctrl_u_the_line() {
    let server = Server::starts();
    let (mut anna, mut bert) = a_chat(&server);
    anna.sends(b"helpo\x08\x08lo\n");
    bert.hears_exactly("anna: hello");
    anna.sends("na\u{ef}ü\x7f\x7five\n".as_bytes());
    bert.hears_exactly("anna: naive");
    anna.sends(b"rubbish\x15fine\n");
    bert.hears_exactly("anna: fine");
    anna.sends(b"\x08\x7f\x15\x08empty\n");
    bert.hears_exactly("anna: empty");
}

// Half-closed connections (1.6, 1.9).

#[test]
fn a_script_is_answered_in_full_and_then_the_connection_ends() {
    let server = Server::starts();
    let mut anna = Person::dials(server.address());
    anna.sends(b"anna\n1\nhelp\n2 bert\n1 anna");
    anna.half_close();
    anna.hears_all(&["* Welcome", USERNAME, "* Hello, anna", MENU, "* 1 user online"]);
    anna.hears_exactly("- anna available (you)");
    anna.hears_exactly(MENU);
    anna.hears_help();
    anna.hears_exactly(MENU);
    anna.hears_all(&["! ", MENU]);
    // The last line had no ending, and counts.
    anna.hears("* 1 user");
    anna.hears_all(&["- anna available (you)", MENU]);
    let say_last_line = anna.hears_it_is_over();
    assert!(say_last_line.len() <= 1, "{say_last_line:?}");
}

#[test]
fn a_half_closed_chat_delivers_what_was_said_before() {
    let server = Server::starts();
    let (mut anna, mut bert) = a_chat(&server);
    anna.sends(b"one\ntwo\nthree");
    anna.half_close();
    for text in ["one", "two", "three"] {
        bert.hears_exactly(&format!("anna: {text}"));
    }
    bert.hears_all(&["* anna left", MENU]);
    anna.hears_it_is_over();
}

#[test]
fn a_script_that_asks_more_often_than_is_free_is_slowed_and_still_answered_in_full() {
    let server = Server::starts();
    let names: Vec<String> = (0..6).map(|number| format!("bert{number}")).collect();
    let _people: Vec<Person> = names.iter().map(|name| Person::joins(&server, name)).collect();
    let mut anna = Person::arrives(&server);
    let asks: String = names.iter().map(|name| format!("2 {name}\ncancel\n")).collect();
    anna.sends(format!("anna\n{asks}help\n3\n").as_bytes());
    anna.half_close();
    anna.hears_all(&["* Hello, anna", MENU]);
    for name in &names {
        anna.hears(&format!("* Asked {name}"));
        anna.hears_all(&["* You withdrew", MENU]);
    }
    anna.hears_help();
    anna.hears_exactly(MENU);
    anna.hears("* Goodbye");
    anna.hears_the_end();
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
            anna.hears("* ");
            anna.hears_rows();
            anna.hears_exactly(MENU);
        }
        let say_last_line = anna.hears_it_is_over();
        assert!(say_last_line.len() <= 1, "{say_last_line:?}");
    }
    // In the middle of a line 04 is a control character like any other.
    let (mut anna, mut bert) = a_chat(&server);
    anna.sends(b"mid\x04dle\n");
    bert.hears_exactly("anna: middle");
}

// Telnet (1.7, 1.8).

#[test]
fn do_is_answered_wont_and_will_dont_each_time_and_refusals_are_not_answered() {
    let server = Server::starts();
    let mut anna = Person::joins(&server, "anna");
    for _ in 0..3 {
        anna.sends(&[IAC, DO, TIMING_MARK]);
        anna.hears_telnet(WONT, TIMING_MARK);
    }
    for option in [0, 1, 3, 24, 31, 34, 39, 254, 255] {
        anna.sends(&[IAC, DO, option]);
        anna.hears_telnet(WONT, option);
        anna.sends(&[IAC, WILL, option]);
        anna.hears_telnet(DONT, option);
        anna.sends(&[IAC, WONT, option, IAC, DONT, option]);
        anna.has_heard_it_all();
    }
    // What plink opens with, in one packet.
    anna.sends(&[
        IAC, WILL, 31, IAC, WILL, 32, IAC, WILL, 24, IAC, WILL, 39, IAC, DO, 1, IAC, WILL, 3, IAC,
        DO, 3,
    ]);
    for option in [31, 32, 24, 39] {
        anna.hears_telnet(DONT, option);
    }
    anna.hears_telnet(WONT, 1);
    anna.hears_telnet(DONT, 3);
    anna.hears_telnet(WONT, 3);
    anna.has_heard_it_all();
}

#[test]
fn telnet_in_the_middle_of_a_line_and_of_a_character_leaves_the_line_whole() {
    let server = Server::starts();
    let (mut anna, mut bert) = a_chat(&server);
    let mut clock = Person::joins(&server, "clock");
    let bytes = [
        b'a', IAC, DONT, 1, b'b', IAC, SB, 24, 1, IAC, IAC, b'\n', IAC, SE, 0xc3, IAC, 241, 0xbc,
        b'\r', IAC, WONT, 3, b'\n', b'c', b'\n',
    ];
    anna.sends(&bytes);
    bert.hears_exactly("anna: abü");
    bert.hears_exactly("anna: c");
    for byte in bytes {
        anna.sends(&[byte]);
        clock.has_heard_it_all();
    }
    bert.hears_exactly("anna: abü");
    bert.hears_exactly("anna: c");
    bert.has_heard_it_all();
}

#[test]
fn are_you_there_is_answered_in_every_state() {
    let server = Server::starts();
    let mut anna = Person::arrives(&server);
    anna.has_heard_it_all();
    anna.sends(b"an");
    anna.has_heard_it_all();
    anna.sends(b"na\n");
    anna.hears_all(&["* Hello, anna", MENU]);
    anna.sends(&[IAC, AYT, IAC, AYT]);
    anna.hears_all(&["* ", "* "]);
}

#[test]
fn interrupt_break_and_erase_line_clear_the_line_and_erase_character_takes_one_back() {
    let server = Server::starts();
    let (mut anna, mut bert) = a_chat(&server);
    for clears in [IP, BRK, EL] {
        anna.sends(&[b'n', b'o', IAC, clears, b'y', b'e', b's', b'\n']);
        bert.hears_exactly("anna: yes");
    }
    anna.sends("hellöp".as_bytes());
    anna.sends(&[IAC, EC, IAC, EC, b'o', b'\n']);
    bert.hears_exactly("anna: hello");
    // Ctrl-C in telnet: interrupt, then a timing mark it waits for.
    anna.sends(&[b'x', IAC, IP, IAC, DO, TIMING_MARK]);
    anna.hears_telnet(WONT, TIMING_MARK);
    anna.says("after");
    bert.hears_exactly("anna: after");
}

#[test]
fn the_urgent_byte_of_telnets_synch_stays_out_of_the_text() {
    let server = Server::starts();
    let (mut anna, mut bert) = a_chat(&server);
    anna.sends(&[b'a', IAC]);
    SockRef::from(anna.socket()).send_out_of_band(&[DM]).expect("urgent data");
    anna.sends(b"b\n");
    bert.hears_exactly("anna: ab");
    // Urgent data that is no telnet stays in its place in the stream.
    anna.sends(b"one, ");
    SockRef::from(anna.socket()).send_out_of_band(b"t").expect("urgent data");
    anna.sends(b"wo\n");
    bert.hears_exactly("anna: one, two");
}

#[test]
fn a_subnegotiation_of_more_than_1024_bytes_is_given_up() {
    let server = Server::starts();
    let (mut anna, mut bert) = a_chat(&server);
    let inside = |count: usize| [&[IAC, SB, 24][..], &b"x".repeat(count - 1)].concat();
    // As many as are allowed, in the middle of a line.
    anna.sends(&[b"a".to_vec(), inside(1024), vec![IAC, SE], b"b\n".to_vec()].concat());
    bert.hears_exactly("anna: ab");
    // One more, and it spoils the line it stands in, up to the end of that line and no further.
    anna.sends(&[b"a".to_vec(), inside(1500), b"\ntext again\n".to_vec()].concat());
    anna.hears("! ");
    bert.hears_exactly("anna: text again");
    anna.has_heard_it_all();
}

#[test]
fn the_server_sends_no_telnet_unasked() {
    let server = Server::starts();
    // The harness tells telnet from lines, and each of these must be a line.
    let mut anna = Person::joins(&server, "anna");
    anna.says("1");
    anna.hears("* 1 user online");
    anna.hears_rows();
    anna.hears_exactly(MENU);
    anna.exits();
    anna.hears_the_end();
}

// Strangers at the door (1.10).

#[test]
fn a_tls_hello_is_told_what_this_is_and_let_go() {
    let server = Server::starts();
    let mut clock = Person::joins(&server, "clock");
    let hello = [&[0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3][..], &[7; 500], b"\nanna\n1\n"].concat();
    for cut in [1, 2, 3, hello.len()] {
        let mut browser = Person::arrives(&server);
        browser.sends(&hello[..cut]);
        clock.has_heard_it_all();
        browser.sends_or_fails(&hello[cut..]);
        browser.hears("! ");
        browser.hears_the_end();
    }
}

#[test]
fn an_http_request_never_reaches_the_menu() {
    let server = Server::starts();
    for method in ["GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "CONNECT", "PATCH", "TRACE"] {
        let mut browser = Person::arrives(&server);
        browser
            .sends(format!("{method} / HTTP/1.1\r\nHost: x\r\n\r\nanna\r\n2 bert\r\n").as_bytes());
        browser.hears("! ");
        browser.hears_the_end();
    }
    let mut watcher = Person::joins(&server, "watcher");
    watcher.says("1");
    watcher.hears_exactly("* 1 user online");
    watcher.hears_rows();
    watcher.hears_exactly(MENU);
    // Only the first line is read so: later it is a text, or a name with a blank in it.
    let (mut anna, mut bert) = a_chat(&server);
    anna.says("GET / HTTP/1.1");
    bert.hears_exactly("anna: GET / HTTP/1.1");
}

// Texts (2.1, 2.2).

#[test]
fn what_could_harm_a_terminal_never_reaches_it() {
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
    for (sent, heard) in texts {
        eprintln!("{sent:?}");
        anna.says(sent);
        bert.hears_exactly(&format!("anna: {heard}"));
    }
}

#[test]
fn every_other_text_is_delivered_as_it_was_sent() {
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
        bert.hears_exactly(&format!("anna: {text}"));
    }
}

#[test]
fn what_a_line_says_is_read_after_its_control_characters_are_taken_out_of_a_name() {
    let server = Server::starts();
    let mut anna = Person::arrives(&server);
    anna.sends(b"an\x1b[31mna\x07\n");
    // Either it is cleaned or it is refused; a control character is in no name, and so in no line.
    let answer = anna.hears_a_line();
    assert!(answer == "* Hello, anna" || answer.starts_with("! "), "{answer}");
}

#[test]
fn an_error_never_shows_another_terminal_what_was_typed() {
    let server = Server::starts();
    let mut anna = Person::joins(&server, "anna");
    // The harness fails on any control character in a line of the server's.
    for line in
        ["2 \u{1b}[31mbert", "1 \u{1b}]0;x\u{7}", "ignore \u{9b}1m", "/\u{1b}[2J", "2 \u{202e}x"]
    {
        anna.says(line);
        let answers = anna.hears_at_last(MENU);
        assert!(answers.len() >= 2, "{answers:?}");
        assert!(!answers.concat().contains('\u{202e}'), "{answers:?}");
    }
}
