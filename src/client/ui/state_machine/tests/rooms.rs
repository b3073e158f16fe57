//! Rooms, as a person in one sees them (part 6).

use super::{MENU, Scene};
use crate::client::options::Bell;
use crate::client::ui::state_machine::Action;
use crate::core::limits::LINE_BYTES_MAX;

const ENTERED: &str = "* You are now in lobby; quit leaves it";
const BEN_ASKS: &str = "? ben wants to chat, /yes or /no";

/// (4.8.2, 6.2.1)
#[test]
fn what_one_says_appears_where_the_room_heard_it() {
    let mut scene = Scene::in_lobby(12);
    assert_eq!(scene.last(3), [ENTERED, "- ben", "#lobby> |"]);
    scene.press("hello\r//usr\r/me waves\r");
    assert_eq!(scene.last(2), ["- ben", "#lobby> |"], "nothing has been heard yet");
    assert_eq!(scene.sent(), ["hello", "//usr", "/me waves"]);
    scene.receive(&["ben: first", "anna: hello", "anna: /usr", "anna: *waves*"]);
    let heard = ["ben: first", "anna: hello", "anna: /usr", "anna: *waves*", "#lobby> |"];
    assert_eq!(scene.last(5), heard);
    scene.press("\r");
    assert!(scene.sent().is_empty(), "nothing is said by an empty line");
}

/// (4.8.3, 4.8.4, 4.8.5, 4.8.1)
#[test]
fn a_command_is_shown_at_once_and_the_menu_ends_the_room() {
    let mut scene = Scene::in_lobby(12);
    scene.press("/who\rquit\r");
    scene.receive(&["- ben"]);
    assert_eq!(scene.last(4), ["#lobby> /who", "#lobby> quit", "- ben", "#lobby> |"]);
    scene.receive(&["* You left lobby", MENU]);
    assert_eq!(scene.last(3), ["* You left lobby", MENU, "menu> |"]);
}

/// (3.2.3, 3.3.1)
#[test]
fn what_is_said_in_a_room_leads_nowhere() {
    let mut scene = Scene::in_lobby(12);
    for said in [MENU, ENTERED, BEN_ASKS, "* ben left", "! no", "- eve available"] {
        scene.receive(&[&format!("ben: {said}")]);
        assert_eq!(scene.last(1), ["#lobby> |"]);
    }
    scene.receive(&["* Asked joined lobby", "* Goodbye left lobby"]);
    assert_eq!(scene.last(1), ["#lobby> |"]);
}

/// (4.8.6, 4.8.7, 4.8.8)
#[test]
fn a_request_in_a_room_rings_and_stands_in_the_prompt_until_it_is_over() {
    let mut scene = Scene::in_lobby(12);
    scene.press("half");
    scene.last(1);
    scene.receive(&[BEN_ASKS]);
    assert_eq!(scene.last(2), [BEN_ASKS, "?#lob~> half|"]);
    assert!(scene.rang);
    scene.press("\r");
    assert_eq!(scene.sent(), ["half"], "it was begun in this room, and goes there");
    assert_eq!(scene.last(1), ["#lobby (ben asks: /yes /no)> |"]);
    for line in ["* eve left", "* ben left lobby", "ben: yes"] {
        scene.receive(&[line]);
        assert_eq!(scene.last(1), ["#lobby (ben asks: /yes /no)> |"], "{line}");
    }
    scene.press("/no\r");
    assert_eq!(scene.last(2)[0], "#lobby (ben asks: /yes /no)> /no");
    scene.receive(&["* You declined ben"]);
    assert_eq!(scene.last(1), ["#lobby> |"]);
    scene.receive(&[BEN_ASKS, "* You left lobby", "* You are now chatting with ben; quit ends it"]);
    assert_eq!(scene.last(1), ["ben> |"]);
}

/// (4.8.6, 4.8.7, 4.8.8)
#[test]
fn an_answer_in_a_room_is_not_given_to_somebody_else() {
    let mut scene = Scene::in_lobby(12);
    scene.receive(&[BEN_ASKS]);
    scene.press("/yes");
    scene.receive(&["* ben withdrew the request", "? eve wants to chat, /yes or /no"]);
    scene.press("\r");
    assert!(scene.sent().is_empty());
    assert_eq!(scene.last(2)[0], "-- It is eve who asks now; Enter again answers");
    scene.press("\r");
    assert_eq!(scene.sent(), ["/yes"]);
    scene.press("yes");
    scene.receive(&["* eve withdrew the request", BEN_ASKS]);
    scene.press("\r");
    assert_eq!(scene.sent(), ["yes"], "what is said to the room answers nobody");
    scene.receive(&["* ben left: the connection ended"]);
    assert_eq!(scene.last(1), ["#lobby> |"]);
}

/// Whether a line begun after the lines `then` goes out at the first Enter after the lines `now`.
fn goes_out(then: &[&str], now: &[&str]) -> bool {
    let mut scene = Scene::at_menu(12);
    scene.receive(then);
    scene.press("a line");
    scene.receive(now);
    scene.press("\r");
    let is_sent = !scene.sent().is_empty();
    scene.press("\r");
    assert_ne!(is_sent, scene.sent().contains(&"a line".to_owned()), "the second Enter sends it");
    is_sent
}

#[test]
fn a_line_begun_elsewhere_does_not_go_to_a_room_unasked_nor_one_of_a_room_elsewhere() {
    let chat = "* You are now chatting with ben; quit ends it";
    let namesake = "* You are now chatting with lobby; quit ends it";
    let den = "* You are now in den; quit leaves it";
    assert!(!goes_out(&[], &[ENTERED]), "from the menu");
    assert!(!goes_out(&[chat], &["* ben left the chat", MENU, ENTERED]), "from a chat");
    assert!(!goes_out(&[ENTERED], &["* You left lobby", chat]), "to a chat");
    assert!(!goes_out(&[ENTERED], &["* You left lobby", namesake]), "to its namesake");
    assert!(!goes_out(&[ENTERED], &["* You left lobby", MENU]), "to the menu");
    assert!(!goes_out(&[ENTERED], &["* You left lobby", MENU, den]), "to another room");
    assert!(goes_out(&[ENTERED], &[BEN_ASKS]), "a request that comes changes nothing");
    assert!(goes_out(&[ENTERED, BEN_ASKS], &["* ben left"]), "nor does its end");
}

/// (4.8.3, 4.8.4, 4.8.5, 4.8.1)
#[test]
fn pasted_lines_are_said_whatever_they_are() {
    let mut scene = Scene::in_lobby(16);
    scene.press("\x1b[200~one\r/etc\rquit\r.exit\r/quit\rlast\x1b[201~");
    assert_eq!(scene.last(1), ["Send 6 lines to #lobby? y/n> |"]);
    scene.receive(&[BEN_ASKS]);
    assert_eq!(scene.last(1), ["Send 6 lines to #lobby? y/n> |"], "they are for the room");
    scene.press("y");
    assert_eq!(scene.sent(), ["one", "//etc", "/say quit", "/say .exit", "/say /quit", "last"]);
    let padded = format!("{}quit", " ".repeat(LINE_BYTES_MAX - 4));
    scene.press(&format!("\x1b[200~{padded}\rtwo\x1b[201~y"));
    assert_eq!(scene.sent(), ["/say quit", "two"]);
    scene.press("\x1b[200~one\rtwo\x1b[201~");
    scene.receive(&["* You left lobby", MENU]);
    scene.press("y");
    assert!(scene.sent().is_empty());
}

/// (6.1.4, 4.8.3, 4.8.4)
#[test]
fn who_comes_and_goes_is_faint() {
    let mut scene = Scene::in_lobby(12);
    scene.state_machine.transcript =
        super::Transcript::new(super::Palette { colours: true }, false);
    let noise = ["* eve joined lobby", "* eve left lobby", "* eve left lobby: it ended"];
    scene.receive(&noise);
    scene.receive(&["* eve left", "* You missed 3 lines of lobby"]);
    let shown = noise.map(|line| format!("\x1b[2m{}\x1b[0m", &line[2..]));
    let arrived = &scene.state_machine.pending_lines[scene.state_machine.pending_lines.len() - 5..];
    assert_eq!(arrived[..3], shown);
    assert_eq!(
        arrived[3..],
        ["\x1b[36meve left\x1b[0m", "\x1b[33mYou missed 3 lines of lobby\x1b[0m"]
    );
}

#[test]
fn the_bell_rings_for_those_who_name_one_and_never_for_oneself() {
    for (bell, line, rings) in [
        (Bell::Request, "ben: hello", false),
        (Bell::Request, "ben: hello, Anna!", true),
        (Bell::Request, "ben: annabel", false),
        (Bell::Request, "anna: anna", false),
        (Bell::All, "ben: hello", true),
        (Bell::All, "anna: anna", false),
        (Bell::Off, "ben: anna", false),
        (Bell::All, "* ben left lobby", false),
    ] {
        let mut scene = Scene::in_lobby(12);
        scene.state_machine.setup.bell = bell;
        scene.receive(&[line]);
        assert_eq!(scene.last(2), [line, "#lobby> |"]);
        assert_eq!(scene.rang, rings, "{bell:?} {line}");
    }
    let mut scene = Scene::in_chat(12);
    scene.receive(&["ben: anna"]);
    scene.last(1);
    assert!(!scene.rang, "in a chat it is clear who is meant");
}

/// (6.1.4, 6.3.1)
#[test]
fn the_past_of_a_room_is_shown_in_the_time_of_the_reader() {
    let mut scene = Scene::at_menu(12);
    scene.state_machine.set_clock("2026-07-24T00:30:00+02:00[+02:00]".parse().expect("a time"));
    let past = ["- 2026-07-23 21:59Z ben: hi", "- 2026-07-23 22:00Z eve: anna?"];
    scene.receive(&[ENTERED, "* The last 2 lines said here"]);
    scene.receive(&past);
    let told = ["- 2026-07-23 23:59 ben: hi", "- 00:00 eve: anna?", "#lobby> |"];
    assert_eq!(scene.last(3), told);
    assert!(!scene.rang, "what was said before calls nobody");
    scene.press("be\t, ev\t");
    assert_eq!(scene.last(1), ["#lobby> ben , eve |"], "whoever is in the past completes");
}

#[test]
fn tab_knows_who_is_in_the_room_and_which_rooms_there_are() {
    let mut scene = Scene::at_menu(12);
    scene.receive(&["* 1 room", "- den 3 users", MENU, "- carla in attic, busy", MENU]);
    scene.press("4 \t");
    assert_eq!(scene.last(2), ["   | attic  den", "menu> 4 |"]);
    scene.press("\x15join d\t\r");
    assert_eq!(scene.sent(), ["join den "]);
    scene.receive(&[
        "* You are now in den; quit leaves it",
        "- ben",
        "* eve joined den",
        "dora: hi",
    ]);
    scene.press("/chat \t");
    assert_eq!(scene.last(2), ["   | ben  carla  dora  eve", "#den> /chat |"]);
    scene.press("\x15/unig\te\t");
    assert_eq!(scene.last(1), ["#den> /unignore eve |"]);
}

#[test]
fn after_a_loss_the_way_back_to_the_room_is_told_once() {
    let mut scene = Scene::in_lobby(12);
    scene.press("half");
    for _ in 0..2 {
        scene.state_machine.handle_loss("reset", Vec::new(), scene.now);
        scene.press("\x01");
        scene.state_machine.handle_connected();
        assert_eq!(scene.state_machine.poll_action(), Some(Action::Connect));
    }
    scene.receive(&["? Username:", "* Hello, anna", MENU]);
    let told = ["* Hello, anna", "-- You were in #lobby; 4 lobby goes back", MENU, "menu> |half"];
    assert_eq!(scene.last(4), told);
    assert_eq!(scene.sent(), ["anna"], "nothing is joined unasked");
    scene.state_machine.handle_loss("reset", Vec::new(), scene.now);
    scene.press("\x01");
    scene.state_machine.handle_connected();
    scene.receive(&["? Username:", "* Hello, anna"]);
    assert!(!scene.last(3).iter().any(|row| row.starts_with("-- You were")));
}

#[test]
fn a_narrow_screen_still_tells_a_room_from_a_person() {
    let mut scene = Scene::in_lobby(4);
    scene.receive(&[BEN_ASKS]);
    assert_eq!(scene.state_machine.prompt(scene.now).fitted(12), "   ?#lobby> ");
    assert_eq!(scene.state_machine.prompt(scene.now).fitted(8), "?#lob~> ");
}
