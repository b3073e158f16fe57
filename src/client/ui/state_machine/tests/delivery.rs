//! No typed line is ever lost: a line is delivered, shown as pending, or offered again.

use super::{MENU, Scene};
use crate::client::ui::state_machine::{Action, Leaving};
use crate::core::limits::{
    DRAFT_BYTES_MAX, ECHO_SHOWN_MS, GREETING_MS, SIGNAL_LEAVE_MS, UNECHOED_LINES_MAX,
};

const ENTERED: &str = "* You are now in lobby; quit leaves it";
const CHATTING: &str = "* You are now chatting with ben; quit ends it";
const OFFER: &str = "arrow-up on an empty line offers them";

impl Scene {
    /// Pastes the lines `0` to `count - 1` and agrees to send them.
    fn paste_numbers(&mut self, count: usize) {
        let lines: Vec<_> = (0..count).map(|number| number.to_string()).collect();
        self.press(&format!("\x1b[200~{}\x1b[201~y", lines.join("\r")));
    }

    /// Loses the connection, reconnects at once and takes the username again.
    fn reconnect(&mut self, unsent: Vec<String>) {
        self.state_machine.handle_loss("reset", unsent, self.now);
        self.press("\x01");
        self.state_machine.handle_connected();
        assert_eq!(self.state_machine.poll_action(), Some(Action::Connect));
        self.receive(&["? Username:", "* Hello, anna", MENU]);
    }

    /// Takes the sent lines and the end of our half of the connection.
    fn sent_and_finish(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        loop {
            match self.state_machine.poll_action() {
                Some(Action::Send(line)) => lines.push(line),
                Some(Action::Finish) => return lines,
                other => panic!("the client does not end its half of the connection: {other:?}"),
            }
        }
    }

    fn wait(&mut self, ms: u64) {
        self.now = self.now.after_ms(ms);
        self.state_machine.handle_timeout(self.now);
    }
}

/// (4.8.2, 6.2.3)
#[test]
fn lines_for_a_room_wait_for_echoes_and_control_c_drops_those_that_wait() {
    let mut scene = Scene::in_lobby(16);
    scene.paste_numbers(60);
    assert_eq!(scene.sent().len(), UNECHOED_LINES_MAX);
    assert_eq!(scene.last(1), ["#lobby (60 waiting, Ctrl-C drops them)> |"]);
    scene.receive(&["anna: 0", "ben: hi", "anna: 1"]);
    assert!(scene.state_machine.handle_drained());
    assert_eq!(scene.sent(), ["16", "17"]);
    scene.press("half\x03");
    assert_eq!(
        scene.last(1),
        ["#lobby (58 waiting, Ctrl-C drops them)> |"],
        "the draft goes first"
    );
    scene.press("\x03");
    let shown = scene.last(3);
    assert_eq!(shown[1..], ["   | 59", "#lobby> |"], "lines that are sent have an echo soon");
    assert!(scene.sent().is_empty());
    scene.press("\x1b[A");
    assert_eq!(scene.last(1), ["Send 42 lines to #lobby? y/n> |"]);
}

#[test]
fn a_message_without_an_echo_is_shown_as_waiting_after_a_second() {
    let mut scene = Scene::in_lobby(8);
    assert_eq!(scene.state_machine.poll_timeout(scene.now), None);
    scene.press("hello\r");
    assert_eq!(scene.last(1), ["#lobby> |"]);
    assert_eq!(scene.state_machine.poll_timeout(scene.now), Some(ECHO_SHOWN_MS));
    scene.wait(ECHO_SHOWN_MS);
    assert_eq!(scene.last(1), ["#lobby (1 waiting)> |"]);
    assert_eq!(scene.state_machine.poll_timeout(scene.now), None, "one wake-up, not more");
    scene.receive(&["anna: hello"]);
    assert_eq!(scene.last(2), ["anna: hello", "#lobby> |"]);
}

/// (4.8.3)
#[test]
fn a_quit_behind_waiting_lines_asks_whether_to_drop_them() {
    let mut scene = Scene::in_lobby(16);
    scene.paste_numbers(20);
    scene.sent();
    scene.press("quit\r");
    assert_eq!(scene.last(1), ["Drop 4 waiting and leave #lobby? y/n> |"]);
    scene.press("n");
    assert_eq!(scene.last(1)[0].chars().rev().take(5).collect::<String>(), "|tiuq", "it stays");
    scene.press("\ry");
    assert_eq!(scene.sent(), ["quit"]);
    scene.receive(&["* You left lobby", MENU]);
    scene.press("\x1b[A");
    assert_eq!(scene.last(1), ["Send 4 lines to the menu? y/n> |"]);
}

/// (4.8.7)
#[test]
fn lines_that_wait_for_one_recipient_never_go_to_another() {
    let mut scene = Scene::in_lobby(16);
    scene.receive(&["? ben wants to chat, /yes or /no"]);
    scene.paste_numbers(20);
    scene.press("/yes\r");
    assert_eq!(scene.sent().last().map(String::as_str), Some("/yes"), "an answer does not wait");
    scene.receive(&["* You left lobby", CHATTING]);
    scene.state_machine.handle_drained();
    assert!(scene.sent().is_empty());
    assert!(scene.last(8).contains(&format!("-- Not sent: 4 lines; {OFFER}")));
}

/// (2.1.6)
#[test]
fn control_d_leaves_when_the_room_has_said_every_line() {
    let mut scene = Scene::in_lobby(16);
    scene.paste_numbers(UNECHOED_LINES_MAX + 1);
    scene.press("\x04");
    scene.sent();
    assert_eq!(scene.last(1), ["Leaving after 17 lines; Ctrl-C drops them> |"]);
    scene.receive(&["anna: 0"]);
    scene.state_machine.handle_drained();
    assert_eq!(scene.state_machine.poll_action(), Some(Action::Send("16".into())));
    assert_eq!(scene.state_machine.poll_action(), Some(Action::Finish));
    for number in 1..=UNECHOED_LINES_MAX {
        scene.receive(&[&format!("anna: {number}")]);
    }
    scene.receive(&["* chinwag is here"]);
    scene.state_machine.handle_end();
    assert_eq!(scene.state_machine.poll_action(), Some(Action::Leave(Leaving::Wished)));
    scene.state_machine.handle_leaving(0);
    assert_eq!(scene.last(2)[0], "anna: 16", "nothing is missing, and no sign is shown");
}

#[test]
fn a_server_that_dies_while_the_client_leaves_costs_an_error_and_shows_the_lines() {
    let mut scene = Scene::in_lobby(16);
    scene.press("one\rtwo\r\x04");
    scene.receive(&["anna: one"]);
    scene.sent_and_finish();
    scene.state_machine.handle_end();
    assert!(matches!(scene.state_machine.poll_action(), Some(Action::Leave(Leaving::Failed(_)))));
    assert_eq!(scene.last(3)[..2], ["-- May not have arrived: 1 line", "   | two"]);
}

#[test]
fn control_c_ends_the_wait_for_the_last_lines() {
    let mut scene = Scene::in_lobby(16);
    scene.press("one\r\x04x\x03");
    scene.sent_and_finish();
    assert_eq!(scene.state_machine.poll_action(), Some(Action::Leave(Leaving::Wished)));
    scene.state_machine.handle_leaving(0);
    assert_eq!(scene.last(3)[..2], ["-- May not have arrived: 1 line", "   | one"]);
}

#[test]
fn a_signal_waits_for_the_last_lines_but_not_for_long_and_a_second_signal_not_at_all() {
    for is_second in [false, true] {
        let mut scene = Scene::in_lobby(16);
        scene.press("one\r");
        scene.state_machine.handle_signal(15);
        scene.sent_and_finish();
        assert_eq!(scene.state_machine.poll_timeout(scene.now), Some(ECHO_SHOWN_MS));
        match is_second {
            true => scene.state_machine.handle_signal(15),
            false => scene.wait(SIGNAL_LEAVE_MS),
        }
        let signal = Action::Leave(Leaving::Signal(15));
        assert_eq!(scene.state_machine.poll_action(), Some(signal));
    }
    let mut scene = Scene::in_lobby(16);
    scene.press("draft");
    scene.state_machine.handle_signal(15);
    assert_eq!(scene.state_machine.poll_action(), Some(Action::Leave(Leaving::Signal(15))));
    scene.state_machine.handle_leaving(0);
    assert_eq!(scene.last(3)[..2], ["-- Not sent, your unfinished line:", "   | draft"]);
}

/// (6.1.4, 6.3.1)
#[test]
fn after_a_reconnect_the_room_shows_what_was_missed_and_nothing_twice() {
    let mut scene = Scene::at_menu(24);
    scene.receive(&[ENTERED, "* The last 2 lines said here"]);
    scene.receive(&["- 2026-07-24 10:00Z eve: a", "- 2026-07-24 10:00Z eve: b", "ben: c"]);
    scene.press("one\rtwo\rthree\r");
    assert_eq!(scene.sent().len(), 3);
    scene.receive(&["anna: one"]);
    scene.last(1);
    scene.reconnect(vec!["three".to_owned()]);
    let lost = scene.last(12);
    let at = lost.iter().position(|row| row.starts_with("-- May")).expect("the uncertain line");
    assert_eq!(
        lost[at..at + 4],
        ["-- May not have arrived: 1 line", "   | two", "-- Not sent: 1 line", "   | three"]
    );
    assert_eq!(scene.sent(), ["anna", "4 lobby"]);
    scene.last(1);
    scene.wait(180_000);
    scene.receive(&[ENTERED, "- ben", "* The last 5 lines said here"]);
    for line in ["eve: b", "ben: c", "anna: one", "anna: two", "ben: d"] {
        scene.receive(&[&format!("- 2026-07-24 10:01Z {line}")]);
    }
    assert_eq!(
        scene.last(7),
        [
            ENTERED,
            "- ben",
            "-- You missed 3 minutes of #lobby:",
            "- 2026-07-24 10:01Z anna: two",
            "- 2026-07-24 10:01Z ben: d",
            &format!("-- 1 line not sent: {OFFER}"),
            "#lobby> |"
        ]
    );
    scene.press("\x1b[A");
    assert_eq!(scene.last(1), ["Send 1 line to #lobby? y/n> |"]);
    scene.press("y");
    assert_eq!(scene.sent(), ["three"], "the room has said the other line");
}

/// (6.1.4)
#[test]
fn a_room_without_a_history_is_entered_again_with_one_notice() {
    let mut scene = Scene::in_lobby(16);
    scene.press("one\r");
    scene.sent();
    scene.reconnect(Vec::new());
    scene.receive(&[ENTERED]);
    scene.last(1);
    scene.wait(2_000);
    let nothing = "-- You missed 2 seconds of #lobby; the room's history has nothing new";
    assert_eq!(scene.last(3)[..2], [nothing, &format!("-- 1 line may not have arrived: {OFFER}")]);
}

/// (4.8.3)
#[test]
fn a_user_who_was_leaving_the_room_does_not_return_to_it() {
    let mut scene = Scene::in_lobby(16);
    scene.press("one\rquit\r");
    scene.sent();
    scene.reconnect(Vec::new());
    assert_eq!(scene.sent(), ["anna"]);
    assert_eq!(scene.last(2), [MENU, "menu> |"]);
    scene.press("\x1b[A");
    assert_eq!(scene.last(1), ["Send 1 line to the menu? y/n> |"], "the quit is done");
}

#[test]
fn a_user_who_was_leaving_the_server_leaves_although_it_dies_first() {
    let mut scene = Scene::at_menu(5);
    scene.press("3\r");
    scene.sent();
    scene.state_machine.handle_loss("reset", Vec::new(), scene.now);
    assert_eq!(scene.state_machine.poll_action(), Some(Action::Leave(Leaving::Wished)));
}

/// (4.7.2)
#[test]
fn in_a_chat_the_lines_that_may_not_have_arrived_are_named_and_offered() {
    let mut scene = Scene::in_chat(16);
    scene.press("one\rtwo\r");
    scene.sent();
    assert!(scene.state_machine.wants_acknowledgement(true));
    scene.receive(&["ben: hi"]);
    scene.state_machine.handle_acknowledgement("two\r\n".len());
    scene.receive(&["ben: really?"]);
    scene.state_machine.handle_acknowledgement(0);
    scene.last(1);
    scene.reconnect(Vec::new());
    let shown = scene.last(12);
    assert!(shown.contains(&"-- May not have arrived: 1 line".to_owned()), "{shown:?}");
    assert!(shown.contains(&"   | two".to_owned()));
    assert!(!shown.contains(&"   | one".to_owned()), "the server spoke after it had this line");
    assert!(shown.contains(&format!("-- 1 line may not have arrived: {OFFER}")));
}

/// (4.1.5, 7.37)
#[test]
fn lines_for_a_partner_who_has_left_are_offered_again() {
    let mut scene = Scene::in_chat(16);
    scene.press("one\rtwo\r");
    scene.state_machine.handle_acknowledgement(0);
    scene.receive(&["* ben is not reading; what you send waits", "ben: hi", "ben: ho"]);
    scene.sent();
    scene.receive(&["* ben left the chat", MENU]);
    scene.receive(&["! 2 lines you had typed before that were not delivered", MENU]);
    scene.press("\x1b[A");
    assert_eq!(scene.last(1), ["Send 2 lines to the menu? y/n> |"]);
    scene.press("n");
    assert!(scene.sent().is_empty());
}

/// (2.1.3)
#[test]
fn a_long_text_is_split_at_a_word_and_shown_before_it_is_sent() {
    let mut scene = Scene::in_chat(16);
    let words = "word ".repeat(250);
    scene.press(&words);
    scene.press("\r");
    assert!(scene.sent().is_empty());
    assert_eq!(scene.last(1), ["Send 2 lines to ben? y/n> |"]);
    scene.press("n");
    assert!(scene.last(1)[0].ends_with("word |"), "the text stays in the editor");
    scene.press("\ry");
    let sent = scene.sent();
    assert_eq!(sent.join(" "), words.trim_end().to_owned() + " ");
    assert!(sent.iter().all(|line| line.len() <= 1024 && line.starts_with("word ")));
    assert_eq!(scene.last(1), ["to ben> |"]);
    scene.press(&format!("\x1b[200~{words}\x1b[201~y"));
    assert_eq!(scene.sent(), sent);
    scene.press(&format!("/x{words}\r"));
    assert!(scene.sent().is_empty(), "half a command is another command");
}

/// (2.1.3)
#[test]
fn a_line_that_is_full_is_refused_in_words_and_once() {
    let mut scene = Scene::at_menu(40);
    scene.press(&format!("\x1b[200~{}\x1b[201~", "x".repeat(DRAFT_BYTES_MAX)));
    scene.press("more");
    let full = format!("-- Not taken: your line is full, it has {DRAFT_BYTES_MAX} bytes");
    let screen = scene.last(10);
    assert_eq!(screen.iter().filter(|row| **row == full).count(), 1, "{screen:?}");
    scene.press("\r");
    assert!(scene.sent().is_empty());
    let refused = "-- Not sent: a command has at most 1024 bytes, and this line has 16384";
    assert!(scene.last(3).contains(&refused.to_owned()), "{:?}", scene.last(3));
}

#[test]
fn a_second_paste_joins_the_first() {
    let mut scene = Scene::in_chat(16);
    scene.press("\x1b[200~one\rtwo\x1b[201~\x1b[200~three\x1b[201~");
    assert_eq!(scene.last(1), ["Send 3 lines to ben? y/n> |"]);
    scene.press("y");
    assert_eq!(scene.sent(), ["one", "two", "three"]);
}

#[test]
fn a_peer_that_asks_for_no_name_is_named_after_ten_seconds() {
    let mut scene = Scene::new(5, Some("anna"));
    assert_eq!(scene.state_machine.poll_timeout(scene.now), Some(GREETING_MS));
    scene.receive(&["220 mail.example.org ESMTP"]);
    scene.wait(GREETING_MS);
    let notice = "-- localhost:7878 does not look like chinwag: it asks for no name";
    assert!(scene.last(4).concat().contains(notice), "{:?}", scene.last(4));
    assert_eq!(scene.state_machine.poll_timeout(scene.now), None, "one line is enough");
    let scene = Scene::at_menu(5);
    assert_eq!(scene.state_machine.poll_timeout(scene.now), None);
}

/// (8.2.2)
#[test]
fn after_a_removal_only_enter_on_an_empty_line_reconnects() {
    let mut scene = Scene::in_lobby(8);
    scene.press("half");
    scene.receive(&["! An operator removed you: too loud. Goodbye"]);
    scene.state_machine.handle_loss("closed", Vec::new(), scene.now);
    scene.press(" a line\r");
    assert_eq!(scene.state_machine.poll_action(), None);
    assert_eq!(scene.last(1), ["not connected> half a line|"]);
    scene.press("\x03\r");
    assert_eq!(scene.state_machine.poll_action(), Some(Action::Connect));
    scene.state_machine.handle_connected();
    scene.receive(&["? Username:", "* Hello, anna", MENU]);
    assert_eq!(scene.sent(), ["anna"], "and the client does not return to the room");
}
