//! Tab, search, undo and Alt-., as the user sees them.

use super::{MENU, Scene};

#[test]
fn tab_inserts_the_latest_speaker_and_goes_on_to_the_next_name() {
    let mut scene = Scene::in_lobby(8);
    scene.receive(&["- Benno", "- bert", "* berta joined lobby", "bert: hi", "ben: hello"]);
    scene.press("be\t");
    assert_eq!(scene.last(1), ["#lobby> ben: |"]);
    let mut shown = Vec::new();
    for key in ["\t", "\t", "\t", "\t", "\x1b[Z"] {
        scene.press(key);
        shown.extend(scene.last(1));
    }
    let names = ["bert", "Benno", "berta", "ben", "berta"];
    assert_eq!(shown, names.map(|name| format!("#lobby> {name}: |")));
    scene.press("see @be\t");
    assert_eq!(scene.last(1), ["#lobby> berta: see @ben |"]);
    scene.press("and be\t\t");
    assert_eq!(scene.last(2), ["ben: hello", "#lobby> berta: see @ben and bert |"]);
}

#[test]
fn tab_never_lists_the_members_of_a_large_room() {
    let mut scene = Scene::in_lobby(8);
    for number in 0..600 {
        scene.receive(&[&format!("- user{number:03}")]);
    }
    scene.last(1);
    scene.press("us\t");
    assert_eq!(scene.last(2), ["- user599", "#lobby> user000: |"]);
    scene.press("\t\t");
    assert_eq!(scene.last(2), ["- user599", "#lobby> user002: |"]);
}

#[test]
fn tab_extends_then_lists_then_inserts_commands_and_rooms() {
    let mut scene = Scene::at_menu(8);
    scene.receive(&["- Benno available", "- ben available", "- Carla busy"]);
    scene.press("ch\tC\t");
    assert_eq!(scene.last(1), ["menu> chat Carla |"]);
    scene.press("\x15un\t");
    assert_eq!(scene.last(1), ["menu> unignore |"]);
    scene.press("\x15/l\t");
    assert_eq!(scene.last(2), ["   | /list  /leave", "menu> /l|"]);
    scene.press("\t");
    assert_eq!(scene.last(1), ["menu> /list |"]);
    scene.press("\t");
    assert_eq!(scene.last(1), ["menu> /leave |"]);
    for number in 100..200 {
        scene.receive(&[&format!("- room{number} 2 users")]);
    }
    scene.press("\x154 r\t\t");
    let list = scene.last(5);
    assert!(list.join(" ").contains("room129  … 70 more"), "{list:?}");
    assert_eq!(list.last().map(String::as_str), Some("menu> 4 room1|"));
}

#[test]
fn a_line_that_the_client_changes_between_two_tabs_ends_the_completion() {
    let mut scene = Scene::new(8, Some("anna"));
    scene.receive(&["- ben", "- bert", "? Username:", "* You are now in lobby; quit leaves it"]);
    scene.press("hello, you there, be\t");
    scene.receive(&["! no", "? Username:"]);
    scene.press("\t");
    assert_eq!(scene.last(1), ["name> anna|"]);
}

#[test]
fn ctrl_r_finds_earlier_lines_and_sends_none_of_them_by_itself() {
    let mut scene = Scene::in_chat(8);
    for line in ["good morning", "how is the weather", "good night", "bye"] {
        scene.press(&format!("{line}\r"));
    }
    scene.sent();
    scene.press("half a draft\x12go");
    assert_eq!(scene.last(1), ["search> go|: good night"]);
    scene.press("\x12");
    assert_eq!(scene.last(1), ["search> go|: good morning"]);
    scene.press("\x12");
    assert_eq!(scene.last(1), ["search> go|: good morning"]);
    assert!(scene.rang, "there is no older line");
    scene.press("xx");
    assert_eq!(scene.last(1), ["search> goxx|: nothing found"]);
    scene.press("\x07");
    assert_eq!(scene.last(1), ["to ben> half a draft|"], "Ctrl-G gives up the search");
    scene.press("\x12WEA\r");
    assert_eq!(scene.last(1), ["to ben> how is the weather|"]);
    assert_eq!(scene.sent(), [""; 0]);
    scene.press("\r\x12ni\x1b[D\x7f\x7fX");
    assert_eq!(scene.last(1), ["to ben> good niX|t"], "another key ends the search and acts");
    assert_eq!(scene.sent(), ["how is the weather"]);
}

#[test]
fn undo_brings_back_a_cleared_line_but_not_in_another_conversation() {
    let mut scene = Scene::in_chat(8);
    scene.press("one two\x03");
    assert_eq!(scene.last(1), ["to ben> |"]);
    scene.press("\x1f");
    assert_eq!(scene.last(1), ["to ben> one two|"]);
    scene.press("\x17\x1f\x1f");
    assert_eq!(scene.last(1), ["to ben> one|"]);
    scene.press("\x15");
    scene.receive(&["* ben left the chat", MENU]);
    scene.press("\x1f\r");
    let warned = "-- This line was for ben; Enter again sends it to the menu";
    assert_eq!(scene.last(2), [warned, "  menu> one|"]);
    let mut scene = Scene::in_chat(8);
    scene.press("one two\x03");
    scene.receive(&["* ben left the chat", MENU]);
    scene.press("2\x03\x1f\x1f\x1f");
    assert_eq!(scene.last(1), ["menu> |"], "only what was typed here comes back");
    assert!(scene.rang);
}

#[test]
fn alt_point_inserts_the_last_word_of_earlier_lines() {
    let mut scene = Scene::in_chat(8);
    for line in ["see https://example.org/", "  ", "well, hello"] {
        scene.press(&format!("{line}\r"));
    }
    scene.press("again: \x1b.");
    assert_eq!(scene.last(1), ["to ben> again: hello|"]);
    scene.press("\x1b.");
    assert_eq!(scene.last(1), ["to ben> again: https://example.org/|"]);
    scene.press("\x1b.");
    assert_eq!(scene.last(1), ["to ben> again: https://example.org/|"], "there is no older line");
    scene.press(" \x1b.");
    assert_eq!(scene.last(1), ["to ben> again: https://example.org/ hello|"]);
}
