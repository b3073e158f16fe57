//! Rooms, as a member sees them (`protocol.md`, parts 4.8 and 6).

use super::{MENU, Scene};
use crate::client::options::Bell;
use crate::client::ui::notifier::Notifier;
use crate::client::ui::state_machine::Action;
use crate::core::limits::LINE_BYTES_MAX;

const ENTERED: &str = "* You are now in lobby; quit leaves it";
const BEN_ASKS: &str = "? ben wants to chat, /yes or /no";

/// (4.8.2, 6.2.1)
#[test]
fn our_own_message_appears_where_the_room_reads_it() {
    let mut scene = Scene::in_lobby(12);
    assert_eq!(scene.last(3), [ENTERED, "- ben", "#lobby> |"]);
    scene.press("hello\r//usr\r/me waves\r");
    assert_eq!(scene.last(2), ["- ben", "#lobby> |"], "the server has echoed nothing yet");
    assert_eq!(scene.sent(), ["hello", "//usr", "/me waves"]);
    scene.receive(&["ben: first", "anna: hello", "anna: /usr", "anna: *waves*"]);
    let shown = ["ben: first", "anna: hello", "anna: /usr", "anna: *waves*", "#lobby> |"];
    assert_eq!(scene.last(5), shown);
    scene.press("\r");
    assert!(scene.sent().is_empty(), "an empty line sends no message");
}

/// (4.8.3, 4.8.4, 4.8.5, 4.8.1)
#[test]
fn a_command_is_shown_at_once_and_the_menu_ends_the_stay_in_the_room() {
    let mut scene = Scene::in_lobby(12);
    scene.press("/who\rquit\r");
    scene.receive(&["- ben"]);
    assert_eq!(scene.last(4), ["#lobby> /who", "#lobby> quit", "- ben", "#lobby> |"]);
    scene.receive(&["* You left lobby", MENU]);
    assert_eq!(scene.last(3), ["* You left lobby", MENU, "menu> |"]);
}

/// (3.2.3, 3.3.1)
#[test]
fn no_message_in_a_room_changes_the_state() {
    let mut scene = Scene::in_lobby(12);
    for text in [MENU, ENTERED, BEN_ASKS, "* ben left", "! no", "- eve available"] {
        scene.receive(&[&format!("ben: {text}")]);
        assert_eq!(scene.last(1), ["#lobby> |"]);
    }
    scene.receive(&["* Asked joined lobby", "* Goodbye left lobby"]);
    assert_eq!(scene.last(1), ["#lobby> |"]);
}

/// (4.8.6, 4.8.7, 4.8.8)
#[test]
fn a_request_in_a_room_rings_and_stays_in_the_prompt_until_it_is_over() {
    let mut scene = Scene::in_lobby(12);
    scene.press("half");
    scene.last(1);
    scene.receive(&[BEN_ASKS]);
    assert_eq!(scene.last(2), [BEN_ASKS, "?#lobby> half|"]);
    assert!(scene.rang);
    scene.press("\r");
    assert_eq!(
        scene.sent(),
        ["half"],
        "the draft was started in this room, so it is sent without a warning"
    );
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
    assert_eq!(scene.last(1), ["to ben> |"]);
}

/// (4.8.6, 4.8.7, 4.8.8)
#[test]
fn an_answer_in_a_room_is_not_given_to_the_next_asker() {
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
    assert_eq!(scene.sent(), ["yes"], "a message to the room answers no request");
    scene.receive(&["* ben left: the connection ended"]);
    assert_eq!(scene.last(1), ["#lobby> |"]);
}

/// Whether the first Enter sends a draft that was started after the lines `before` and entered
/// after the lines `later`.
fn is_sent_at_once(before: &[&str], later: &[&str]) -> bool {
    let mut scene = Scene::at_menu(12);
    scene.receive(before);
    scene.press("a line");
    scene.receive(later);
    scene.press("\r");
    let is_sent = !scene.sent().is_empty();
    scene.press("\r");
    assert_ne!(is_sent, scene.sent().contains(&"a line".to_owned()), "the second Enter sends it");
    is_sent
}

#[test]
fn a_draft_goes_into_a_room_or_out_of_one_only_after_a_warning() {
    let chat = "* You are now chatting with ben; quit ends it";
    let namesake = "* You are now chatting with lobby; quit ends it";
    let den = "* You are now in den; quit leaves it";
    assert!(!is_sent_at_once(&[], &[ENTERED]), "from the menu");
    assert!(!is_sent_at_once(&[chat], &["* ben left the chat", MENU, ENTERED]), "from a chat");
    assert!(!is_sent_at_once(&[ENTERED], &["* You left lobby", chat]), "to a chat");
    assert!(!is_sent_at_once(&[ENTERED], &["* You left lobby", namesake]), "to its namesake");
    assert!(!is_sent_at_once(&[ENTERED], &["* You left lobby", MENU]), "to the menu");
    assert!(!is_sent_at_once(&[ENTERED], &["* You left lobby", MENU, den]), "to another room");
    assert!(is_sent_at_once(&[ENTERED], &[BEN_ASKS]), "a request that arrives needs no warning");
    assert!(
        is_sent_at_once(&[ENTERED, BEN_ASKS], &["* ben left"]),
        "the end of a request needs no warning"
    );
}

/// (4.8.3, 4.8.4, 4.8.5, 4.8.1)
#[test]
fn in_a_room_every_pasted_line_becomes_a_message() {
    let mut scene = Scene::in_lobby(16);
    scene.press("\x1b[200~one\r/etc\rquit\r.exit\r/quit\rlast\x1b[201~");
    assert_eq!(scene.last(1), ["Send 6 lines to #lobby? y/n> |"]);
    scene.receive(&[BEN_ASKS]);
    assert_eq!(
        scene.last(1),
        ["Send 6 lines to #lobby? y/n> |"],
        "the request does not change the recipients"
    );
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
fn news_of_members_who_enter_and_leave_is_faint() {
    let mut scene = Scene::in_lobby(12);
    scene.state_machine.transcript =
        super::Transcript::new(super::Palette { colours: true }, false);
    let noise = ["* eve joined lobby", "* eve left lobby", "* eve left lobby: it ended"];
    scene.receive(&noise);
    scene.receive(&["* eve left", "* You missed 3 lines of lobby"]);
    let shown = noise.map(|line| format!("\x1b[2m{}\x1b[m", &line[2..]));
    let arrived = &scene.state_machine.pending_lines[scene.state_machine.pending_lines.len() - 5..];
    assert_eq!(arrived[..3], shown);
    assert_eq!(
        arrived[3..],
        ["\x1b[36meve left\x1b[m", "\x1b[33mYou missed 3 lines of lobby\x1b[m"]
    );
}

#[test]
fn the_bell_rings_when_a_member_names_the_user_and_never_for_our_own_message() {
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
        scene.state_machine.notifier = Notifier::new(bell, Vec::new());
        scene.receive(&[line]);
        assert_eq!(scene.last(2), [line, "#lobby> |"]);
        assert_eq!(scene.rang, rings, "{bell:?} {line}");
    }
    let mut scene = Scene::in_chat(12);
    scene.receive(&["ben: anna"]);
    scene.last(1);
    assert!(!scene.rang, "in a chat every message is for the user, named or not");
}

/// (6.1.4, 6.3.1)
#[test]
fn the_history_of_a_room_is_shown_in_local_time() {
    let mut scene = Scene::at_menu(12);
    scene.state_machine.set_clock("2026-07-24T00:30:00+02:00[+02:00]".parse().expect("a time"));
    let history = ["- 2026-07-23 21:59Z ben: hi", "- 2026-07-23 22:00Z eve: anna?"];
    scene.receive(&[ENTERED, "* The last 2 lines said here"]);
    scene.receive(&history);
    let shown = ["- 2026-07-23 23:59 ben: hi", "- 00:00 eve: anna?", "#lobby> |"];
    assert_eq!(scene.last(3), shown);
    assert!(!scene.rang, "a name in the history does not ring");
    scene.press("be\tev\t");
    assert_eq!(scene.last(1), ["#lobby> ben: eve |"], "Tab knows the names in the history");
}

#[test]
fn tab_knows_the_members_of_the_room_and_the_names_of_rooms() {
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
    assert_eq!(scene.last(1), ["#den> /chat dora |"], "who has spoken comes first");
    scene.press("\t");
    assert_eq!(scene.last(1), ["#den> /chat ben |"]);
    scene.press("\x15/unig\te\t");
    assert_eq!(scene.last(1), ["#den> /unignore eve |"]);
}

#[test]
fn after_a_loss_the_client_returns_to_the_room_once() {
    let mut scene = Scene::in_lobby(12);
    scene.press("half");
    for _ in 0..2 {
        scene.state_machine.handle_loss("reset", Vec::new(), scene.now);
        scene.press("\x01");
        scene.state_machine.handle_connected();
        assert_eq!(scene.state_machine.poll_action(), Some(Action::Connect));
    }
    scene.receive(&["? Username:", "* Hello, anna", MENU]);
    let shown = ["* Hello, anna", "-- Going back to #lobby", "menu> |half"];
    assert_eq!(scene.last(3), shown);
    assert_eq!(scene.sent(), ["anna", "4 lobby"]);
    scene.receive(&["! That room is full; no room was entered", MENU]);
    scene.state_machine.handle_loss("reset", Vec::new(), scene.now);
    scene.press("\x01");
    scene.state_machine.handle_connected();
    assert_eq!(scene.state_machine.poll_action(), Some(Action::Connect));
    scene.receive(&["? Username:", "* Hello, anna", MENU]);
    assert_eq!(scene.sent(), ["anna"], "the user has seen that there is no way back");
}

#[test]
fn a_prompt_on_a_narrow_screen_still_tells_a_room_from_a_user() {
    let mut scene = Scene::in_lobby(4);
    scene.receive(&[BEN_ASKS]);
    assert_eq!(scene.state_machine.prompt(scene.now).fitted(12), "?#lobby> ");
    assert_eq!(scene.state_machine.prompt(scene.now).fitted(8), "?room> ");
}
