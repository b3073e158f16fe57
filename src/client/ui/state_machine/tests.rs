//! The state machine, tested by the keys that a user presses and the screen that the user sees.

mod bytes;
mod delivery;
mod editing;
mod hostile;
mod keeping_name;
mod passwords;
mod random_deaths;
mod rooms;
mod times;
mod trusting;

use super::*;
use crate::client::picture::{picture, size};
use crate::client::ui::keys::KeyReader;
use crate::client::ui::notifier::RING;
use crate::core::limits::TYPING_MS;

const MENU: &str = "? 1 list users, 2 request chat, 3 exit, 4 join a room, 5 list rooms";

/// Wide enough for the menu.
const COLUMNS: u16 = 70;

/// A state machine with a terminal emulator, without colours, that shows its screen.
struct Scene {
    state_machine: StateMachine,
    terminal: vt100::Parser,
    keys: KeyReader,
    now: Time,
    /// The bell rang in the last drawing.
    rang: bool,
}

impl Scene {
    fn new(rows: u16, name: Option<&str>) -> Scene {
        let setup = Setup {
            server: Server { host: "localhost".to_owned(), port: 7878, is_tls: false },
            palette: Palette { colours: false },
            timestamps: false,
            wrap: false,
            bell: Bell::Request,
            notify: Vec::new(),
            reconnects: true,
            name: name.map(str::to_owned),
            keeps_name: false,
            seed: 1,
            columns: COLUMNS,
        };
        let mut state_machine = StateMachine::new(setup);
        assert_eq!(state_machine.poll_action(), Some(Action::Connect));
        state_machine.handle_connected();
        Scene {
            state_machine,
            terminal: vt100::Parser::new(size(rows), size(COLUMNS), 100),
            keys: KeyReader::default(),
            now: Time::START,
            rang: false,
        }
    }

    /// A scene in which anna is at the menu.
    fn at_menu(rows: u16) -> Scene {
        let mut scene = Scene::new(rows, Some("anna"));
        scene.receive(&["? Username:", "* Hello, anna", MENU]);
        assert_eq!(scene.sent(), ["anna"]);
        scene
    }

    /// A scene in which anna chats with ben.
    fn in_chat(rows: u16) -> Scene {
        let mut scene = Scene::at_menu(rows);
        scene.receive(&["* You are now chatting with ben; quit ends it"]);
        scene
    }

    /// A scene in which anna is in the lobby with ben.
    fn in_lobby(rows: u16) -> Scene {
        let mut scene = Scene::at_menu(rows);
        scene.receive(&["* You are now in lobby; quit leaves it", "- ben"]);
        scene
    }

    /// Gives server lines to the state machine.
    fn receive(&mut self, lines: &[&str]) {
        for line in lines {
            self.state_machine.handle_line(line);
        }
    }

    /// Gives bytes from the keyboard to the state machine.
    fn press(&mut self, keys: &str) {
        for byte in keys.bytes() {
            if let Some(key) = self.keys.push(byte) {
                self.state_machine.handle_key(key);
            }
        }
    }

    /// Lets time pass.
    fn pass(&mut self, ms: u64) {
        self.now = self.now.after_ms(ms);
        self.state_machine.set_now(self.now);
    }

    /// The lines sent since the last call. Any other action is a failure.
    fn sent(&mut self) -> Vec<String> {
        let line_of = |action| match action {
            Action::Send(line) => line,
            other => panic!("the action sends no line: {other:?}"),
        };
        self.actions().into_iter().map(line_of).collect()
    }

    /// What the client does, until it waits.
    fn actions(&mut self) -> Vec<Action> {
        std::iter::from_fn(|| self.state_machine.poll_action()).collect()
    }

    /// Draws, and returns the last `rows` rows of the screen, without empty rows at the bottom.
    fn last(&mut self, rows: usize) -> Vec<String> {
        let mut out = String::new();
        self.state_machine.draw(self.now, &mut out);
        self.rang = out.contains(RING);
        self.terminal.process(out.as_bytes());
        let mut picture = picture(self.terminal.screen());
        while picture.last().is_some_and(String::is_empty) {
            picture.pop();
        }
        picture.split_off(picture.len().saturating_sub(rows))
    }
}

#[test]
fn a_request_appears_above_the_line_being_typed_and_rings() {
    let mut scene = Scene::at_menu(10);
    scene.press("2 日本e\u{301}\x1b[D");
    assert_eq!(scene.last(1), ["menu> 2 日本|e\u{301}"]);
    scene.receive(&["? ben wants to chat, yes or no"]);
    assert_eq!(scene.last(2), ["? ben wants to chat, yes or no", "ben?> 2 日本|e\u{301}"]);
    assert!(scene.rang);
    scene.receive(&["? ben wants to chat, yes or no"]);
    scene.last(1);
    assert!(!scene.rang, "the same question again is not a second request");
    scene.press("\x03");
    assert_eq!(scene.last(1), ["ben asks, yes or no> |"]);
    scene.press("yes\r");
    assert_eq!(scene.sent(), ["yes"]);
}

#[test]
fn the_menu_is_shown_on_arrival_and_after_a_refused_choice() {
    let mut scene = Scene::at_menu(12);
    assert_eq!(scene.last(3), ["* Hello, anna", MENU, "menu> |"]);
    scene.press("1\r");
    scene.receive(&["* 1 user online", "- anna available (you)", MENU]);
    let list = ["menu> 1", "* 1 user online", "- anna available (you)", "menu> |"];
    assert_eq!(scene.last(4), list);
    scene.press("what\r");
    scene.receive(&["! That is not a choice here", MENU]);
    assert_eq!(scene.last(3), ["! That is not a choice here", MENU, "menu> |"]);
    scene.sent();
    scene.press("\r");
    assert_eq!(scene.last(2), [MENU, "menu> |"]);
    assert!(scene.sent().is_empty());
}

#[test]
fn with_wrap_a_long_message_breaks_at_words_above_the_line_being_typed() {
    let mut scene = Scene::in_chat(12);
    scene.state_machine.setup.wrap = true;
    scene.press("half");
    scene.receive(&[&format!("ben: {}", "seventeen letters ".repeat(5))]);
    let rows = [
        format!("ben: {}seventeen", "seventeen letters ".repeat(3)),
        format!("     {}letters", "letters seventeen "),
        "to ben> half|".to_owned(),
    ];
    assert_eq!(scene.last(3), rows);
}

#[test]
fn a_chat_reads_like_a_conversation() {
    let mut scene = Scene::in_chat(12);
    scene.press("hello\r//usr\r/help\r");
    scene.receive(&["ben: hi"]);
    let keys = "-- /keys shows the keys of this client";
    let chat = ["anna: hello", "anna: /usr", "to ben> /help", keys, "ben: hi", "to ben> |"];
    assert_eq!(scene.last(6), chat);
    assert_eq!(scene.sent(), ["hello", "//usr", "/help"]);
    scene.press("\r");
    assert!(scene.sent().is_empty(), "an empty line sends no message");
}

#[test]
fn the_client_explains_its_keys_in_every_state_and_sends_nothing_for_it() {
    for mut scene in [Scene::new(20, None), Scene::at_menu(20), Scene::in_lobby(20)] {
        scene.press(" /Keys\r");
        let screen = scene.last(13);
        assert!(screen[0].ends_with("> /Keys"), "{screen:#?}");
        assert_eq!(screen[1], "   | Enter                  send the line");
        assert_eq!(scene.sent(), [""; 0]);
    }
    let mut scene = Scene::in_chat(20);
    scene.press("//keys\r\x1b[200~/keys\n/help\x1b[201~y");
    assert_eq!(scene.sent(), ["//keys", "//keys", "//help"], "as text it is sent");
}

#[test]
fn help_asks_the_server_and_names_the_keys_of_the_client() {
    let mut scene = Scene::at_menu(20);
    scene.press("help\r");
    let shown = ["menu> help", "-- /keys shows the keys of this client", "menu> |"];
    assert_eq!(scene.last(3), shown);
    assert_eq!(scene.sent(), ["help"]);
    scene.state_machine.handle_loss("reset", Vec::new(), scene.now);
    scene.press("/help\r");
    let screen = scene.last(14);
    assert_eq!(screen[0], "connecting> /help");
    assert!(screen.contains(&"-- The server's own help comes with a connection".to_owned()));
}

#[test]
fn a_draft_started_in_a_chat_goes_elsewhere_only_after_a_warning() {
    let mut scene = Scene::in_chat(12);
    scene.press("just between us");
    scene.last(1);
    scene.receive(&["* ben left the chat", MENU]);
    scene.press("\r");
    assert!(scene.sent().is_empty());
    let warned = "-- This line was for ben; Enter again sends it to the menu";
    assert_eq!(scene.last(2), [warned, "  menu> just between us|"]);
    scene.press("\r");
    assert_eq!(scene.sent(), ["just between us"]);
}

#[test]
fn an_answer_typed_for_one_request_is_not_given_to_the_next() {
    let mut scene = Scene::at_menu(12);
    scene.receive(&["? ben wants to chat, yes or no"]);
    scene.press("yes");
    scene.receive(&["* ben withdrew the request", MENU, "? eve wants to chat, yes or no"]);
    scene.press("\r");
    assert!(scene.sent().is_empty());
    scene.press("\r");
    assert_eq!(scene.sent(), ["yes"]);
    scene.press("1");
    scene.receive(&["* eve withdrew the request", MENU, "? ben wants to chat, yes or no"]);
    scene.press("\r");
    assert_eq!(scene.sent(), ["1"], "a line that answers no request is sent at once");
}

#[test]
fn several_pasted_lines_are_shown_and_need_a_confirmation() {
    let mut scene = Scene::in_chat(12);
    scene.press("draft");
    scene.pass(TYPING_MS);
    scene.press("\x1b[200~one\r/two\r\r三\x1b[2J\r\x1b[201~");
    assert_eq!(
        scene.last(6),
        [
            "-- Pasted 4 lines:",
            "   | one",
            "   | /two",
            "   |",
            "   | 三",
            "Send 4 lines to ben? y/n> |"
        ]
    );
    scene.press("y");
    assert_eq!(scene.sent(), ["one", "//two", "", "三"]);
    assert_eq!(scene.last(2), ["anna: 三", "to ben> draft|"]);
}

#[test]
fn a_letter_inside_fast_typing_does_not_answer_the_question_about_a_paste() {
    let mut scene = Scene::in_chat(12);
    scene.press("wh\x1b[200~one\rtwo\x1b[201~y not");
    assert_eq!(scene.last(1), ["Send 2 lines to ben? y/n> |"]);
    for key in ["n", "o", "y"] {
        scene.pass(TYPING_MS - 1);
        scene.press(key);
    }
    assert_eq!(scene.last(1), ["Send 2 lines to ben? y/n> |"]);
    assert_eq!(scene.sent(), [""; 0]);
    scene.pass(TYPING_MS);
    scene.press("y");
    assert_eq!(scene.sent(), ["one", "two"]);
    scene.press("x\r\x1b[200~one\rtwo\x1b[201~n");
    assert_eq!(scene.last(2)[0], "-- Nothing was sent", "after Enter nobody is inside a line");
}

#[test]
fn the_question_about_a_paste_waits_while_the_screen_is_cleared_and_the_client_stopped() {
    let mut scene = Scene::in_chat(12);
    scene.press("\x1b[200~one\rtwo\x1b[201~");
    scene.last(1);
    scene.press("\x0c");
    assert_eq!(scene.last(12), ["Send 2 lines to ben? y/n> |"]);
    scene.press("\x1a");
    assert_eq!(scene.state_machine.poll_action(), Some(Action::Suspend));
    scene.press("y");
    assert_eq!(scene.sent(), ["one", "two"]);
}

#[test]
fn of_a_long_paste_the_last_lines_are_shown() {
    let mut scene = Scene::in_chat(20);
    scene.press(&format!("\x1b[200~{}last\x1b[201~", "more\r".repeat(299)));
    let shown = scene.last(13);
    assert_eq!(shown[..2], ["-- Pasted 300 lines:", "-- … 290 earlier lines not shown"]);
    assert_eq!(shown[11..], ["   | last", "Send 300 lines to ben? y/n> |"]);
}

#[test]
fn a_paste_is_not_sent_after_a_no_or_a_change_of_state() {
    let mut scene = Scene::in_chat(12);
    scene.press("\x1b[200~one\rtwo\x1b[201~n");
    assert_eq!(scene.last(2), ["-- Nothing was sent", "to ben> |"]);
    scene.press("\x1b[200~one\rtwo\x1b[201~");
    scene.receive(&["* ben left the chat", MENU]);
    scene.press("y");
    assert!(scene.sent().is_empty());
    assert_eq!(scene.last(1), ["menu> y|"]);
}

#[test]
fn one_pasted_line_goes_into_the_editor_and_is_not_sent() {
    let mut scene = Scene::in_chat(5);
    scene.press("a\x1b[200~ b\tc\x1b[31m\u{202e}\r\x1b[201~");
    assert_eq!(scene.last(1), ["to ben> a b c|"]);
    assert!(scene.sent().is_empty());
}

#[test]
fn control_c_clears_the_line_then_asks_to_leave_and_control_d_leaves_at_once() {
    let mut scene = Scene::at_menu(5);
    scene.press("text\x03");
    assert_eq!(scene.last(1), ["menu> |"]);
    scene.press("\x03");
    assert_eq!(scene.last(1), ["Leave? y/n> |"]);
    scene.press("2");
    assert_eq!(scene.last(1), ["menu> 2|"]);
    scene.press("\x15\x03y");
    assert_eq!(scene.state_machine.poll_action(), Some(Action::Leave(Leaving::Wished)));
    scene.press("\x04");
    assert_eq!(scene.state_machine.poll_action(), Some(Action::Leave(Leaving::Wished)));
    scene.press("ab\x1b[D\x04");
    assert_eq!(scene.last(1), ["menu> a|"], "in a line control-D deletes the next character");
}

#[test]
fn typing_without_a_connection_does_not_lengthen_the_wait() {
    let mut scene = Scene::in_chat(14);
    scene.state_machine.handle_loss("reset by peer", Vec::new(), scene.now);
    let wait = scene.state_machine.poll_timeout(scene.now);
    scene.press("h");
    assert_eq!(scene.state_machine.poll_action(), Some(Action::Connect));
    scene.state_machine.handle_failure("refused", scene.now);
    assert_eq!(
        scene.state_machine.poll_timeout(scene.now),
        wait,
        "the wait that a key cut short goes on"
    );
    scene.press("alf a line");
    assert_eq!(
        scene.state_machine.poll_action(),
        None,
        "only the first key of a wait starts an attempt"
    );
    scene.press("\r");
    assert_eq!(
        scene.state_machine.poll_action(),
        Some(Action::Connect),
        "every Enter starts an attempt"
    );
}

/// (4.7.3)
#[test]
fn a_pasted_quit_does_not_end_the_chat() {
    let mut scene = Scene::in_chat(14);
    scene.press("\x1b[200~first\nquit\n3\n/slash\x1b[201~");
    scene.press("y");
    assert_eq!(scene.sent(), ["first", "/say quit", "3", "//slash"]);
    assert_eq!(scene.last(5)[..2], ["anna: first", "anna: quit"]);
}

#[test]
fn after_a_loss_the_client_counts_down_keeps_the_draft_and_sends_the_username_again() {
    let mut scene = Scene::in_chat(14);
    scene.press("half a li");
    scene.last(1);
    scene.state_machine.handle_loss("reset by peer", Vec::new(), scene.now);
    let lost = scene.last(3);
    assert_eq!(lost[0], "-- Connection lost: reset by peer");
    assert_eq!(lost[2], "   1 s> half a li|", "the draft stays where it was");
    let wait = scene.state_machine.poll_timeout(scene.now).expect("a count-down");
    scene.now = scene.now.after_ms(wait);
    scene.state_machine.handle_timeout(scene.now);
    assert_eq!(scene.state_machine.poll_action(), Some(Action::Connect));
    assert_eq!(scene.state_machine.poll_timeout(scene.now), None);
    scene.state_machine.handle_failure("refused", scene.now);
    scene.press("n");
    assert_eq!(
        scene.state_machine.poll_action(),
        Some(Action::Connect),
        "a key starts an attempt at once"
    );
    scene.state_machine.handle_connected();
    scene.receive(&["* Welcome", "? Username:"]);
    assert_eq!(scene.sent(), ["anna"]);
    scene.receive(&["* Hello, anna", MENU]);
    assert_eq!(scene.last(1), ["  menu> half a lin|"]);
}

#[test]
fn when_the_username_is_taken_after_a_loss_the_user_edits_it_and_gets_the_draft_back() {
    let mut scene = Scene::in_chat(14);
    scene.press("half");
    scene.state_machine.handle_loss("reset", Vec::new(), scene.now);
    scene.press("\x01");
    scene.state_machine.handle_connected();
    scene.receive(&["? Username:", "! anna is taken; choose another", "? Username:"]);
    assert_eq!(scene.last(1), ["name> anna|"]);
    assert_eq!(scene.state_machine.poll_action(), Some(Action::Connect));
    scene.press("2\r");
    scene.receive(&["* Hello, anna2", MENU]);
    assert_eq!(scene.last(1), ["menu> half|"]);
    scene.sent();
    scene.press("\r");
    assert!(scene.sent().is_empty(), "the draft was started in a chat, so the first Enter warns");
}

#[test]
fn unsent_lines_are_offered_and_never_sent_unasked() {
    let mut scene = Scene::in_chat(16);
    scene.press("one\rtwo\r");
    let unsent = scene.sent();
    scene.state_machine.handle_loss("reset", unsent, scene.now);
    let lost = ["-- Not sent: 2 lines", "   | one", "   | two"];
    assert_eq!(scene.last(5)[..3], lost);
    scene.press("\x01");
    scene.state_machine.handle_connected();
    scene.receive(&["? Username:", "* Hello, anna", MENU]);
    scene.receive(&["* You are now chatting with ben; quit ends it"]);
    assert_eq!(scene.state_machine.poll_action(), Some(Action::Connect));
    assert_eq!(scene.sent(), ["anna"]);
    scene.press("\x1b[A");
    assert_eq!(scene.last(1), ["Send 2 lines to ben? y/n> |"]);
    scene.press("y");
    assert_eq!(scene.sent(), ["one", "two"]);
}

#[test]
fn a_line_entered_in_the_turn_of_a_loss_does_not_go_over_the_next_connection() {
    let mut scene = Scene::in_chat(16);
    scene.press("hello\r");
    scene.state_machine.handle_loss("reset", Vec::new(), scene.now);
    assert!(scene.sent().is_empty());
    assert_eq!(scene.last(4)[..2], ["-- Not sent: 1 line", "   | hello"]);
}

#[test]
fn the_client_ends_after_goodbye_and_does_not_reconnect_without_a_username() {
    let mut scene = Scene::at_menu(5);
    scene.press("3\r");
    scene.receive(&["* Goodbye, anna"]);
    assert_eq!(scene.sent(), ["3"]);
    scene.state_machine.handle_loss("closed", Vec::new(), scene.now);
    assert_eq!(scene.state_machine.poll_action(), Some(Action::Leave(Leaving::Wished)));

    let mut scene = Scene::new(5, None);
    scene.state_machine.handle_loss("closed", Vec::new(), scene.now);
    assert_eq!(scene.last(1), ["not connected> |"]);
    assert_eq!(
        scene.state_machine.poll_timeout(scene.now),
        None,
        "the client must not reconnect for ever"
    );
}

/// (8.2.2)
#[test]
fn after_a_removal_by_an_operator_the_client_does_not_reconnect_on_its_own() {
    let mut scene = Scene::at_menu(5);
    scene.receive(&["! An operator removed you: too loud. Goodbye"]);
    scene.state_machine.handle_loss("closed", Vec::new(), scene.now);
    assert_eq!(scene.last(1), ["not connected> |"]);
    assert_eq!(scene.state_machine.poll_timeout(scene.now), None, "only a key reconnects");
}

/// (4.11.4)
#[test]
fn after_a_sign_in_elsewhere_the_client_does_not_take_the_name_back_on_its_own() {
    let mut scene = Scene::at_menu(5);
    let over = "! anna has signed in on another connection, so this one ends. Goodbye";
    scene.receive(&[over]);
    scene.state_machine.handle_loss("closed", Vec::new(), scene.now);
    assert_eq!(scene.state_machine.poll_timeout(scene.now), None, "only a key reconnects");
}

#[test]
fn no_mix_of_server_lines_and_keys_makes_the_state_machine_panic() {
    let lines = [
        "",
        "*",
        "? ",
        "? 1 ",
        "* Hello, ",
        "* Asked ",
        "a:",
        "- x available",
        "! ",
        MENU,
        "* You are now in x",
        "? a wants to chat",
        "* a left",
        "a: x",
    ];
    let keys = "a日\r\t\x7f\x1b[A\x1b[B\x03\x17\x0b\x19yn\x1b[200~x\ry\x1b[201~";
    for seed in 0..200_usize {
        let mut scene = Scene::new(3, None);
        for step in 0..60 {
            let at = (seed * 31 + step * 17) % (lines.len() + 2);
            match lines.get(at) {
                Some(line) => scene.receive(&[line]),
                None => scene.press(keys.get(step % 3..).unwrap_or(keys)),
            }
            scene.last(1);
        }
    }
}
