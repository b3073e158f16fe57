//! Rules that a transcript cannot show: they need many users, or input that is held. The tests drive
//! one `Exchange`, without sockets and with a clock of their own.

#[path = "common/scene.rs"]
mod scene;

use scene::Scene;

/// Six requests in a row are one more than the allowance: further input of anna is held for 2 s.
fn anna_asks_six() -> Scene {
    let others = (0..7).map(|n| format!("user{n}"));
    let mut scene = Scene::with(["anna".to_owned()].into_iter().chain(others));
    for n in 0..5 {
        scene.says("anna", &format!("2 user{n}\ncancel"));
    }
    scene.says("anna", "2 user5");
    scene.reads("anna");
    scene
}

/// (5.7.2, 4.5.2)
#[test]
fn a_rate_limit_holds_no_cancel_and_no_text_for_a_partner() {
    let mut scene = anna_asks_six();
    scene.says("anna", "cancel\n2 user6");
    assert!(scene.reads("anna").starts_with("* You withdrew your request to user5\n"));
    scene.says("user5", "yes");
    assert!(scene.reads("user5").ends_with("! That request is over; nothing was done\n"));
    assert_eq!(scene.reads("user6"), "", "the next request is held");
    scene.seconds_pass(2);
    assert_eq!(scene.reads("user6"), "? anna wants to chat. Accept? yes or no\n");

    let mut scene = anna_asks_six();
    scene.says("user5", "yes");
    scene.reads("user5");
    scene.says("anna", "hello\nquit\n2 user6");
    assert!(scene.reads("user5").starts_with("anna: hello\n* anna left the chat\n"));
    assert_eq!(scene.reads("user6"), "", "at the menu the input is held again");
    scene.seconds_pass(2);
    assert_eq!(scene.reads("user6"), "? anna wants to chat. Accept? yes or no\n");
}

/// (5.7.2, 6.2.3, 4.8.8)
#[test]
fn the_rate_limit_of_a_room_holds_no_cancel() {
    let mut scene = Scene::with(["anna", "bert"]);
    scene.says("anna", "4");
    scene.says("anna", &format!("{}/chat bert\ncancel", "hi\n".repeat(9)));
    scene.reads("anna");
    scene.seconds_pass(1);
    let read = scene.reads("bert");
    assert!(read.starts_with("? anna wants to chat. Accept? yes or no\n* anna withdrew"), "{read}");
}

/// Each of 500 members says two lines, and is within the own allowance. The room is not.
/// (6.2.4, 7.76, 7.77)
#[test]
fn a_large_room_slows_its_members_when_all_of_them_speak_at_once() {
    let mut scene = Scene::with((0..500).map(|n| format!("user{n}")));
    for name in scene.names.clone() {
        scene.says(&name, "4");
        scene.seconds_pass(1);
    }
    scene.seconds_pass(10);
    for name in scene.names.clone() {
        scene.reads(&name);
    }
    for name in scene.names.clone() {
        scene.says(&name, "one\ntwo");
    }
    let heard = |read: String| read.lines().filter(|line| line.starts_with("user")).count();
    let at_once = heard(scene.reads("user0"));
    // 40,000 deliveries are 80 lines. Each member who had not spoken by then said one more.
    assert_eq!(at_once, 2 * 40 + 460);
    scene.seconds_pass(5);
    assert_eq!(at_once + heard(scene.reads("user0")), 2 * 500, "5 s later nothing is held");
}

/// (4.8.10, 5.2.2)
#[test]
fn a_long_list_of_members_says_how_to_narrow_it() {
    let crowd = (0..60).map(|n| format!("user{n}"));
    let mut scene = Scene::with(["anna".to_owned(), "Ärger".to_owned()].into_iter().chain(crowd));
    for name in scene.names.clone() {
        scene.says(&name, "4");
    }
    scene.reads("anna");
    scene.says("anna", "/who");
    let read = scene.reads("anna");
    assert!(read.starts_with("* You are here with 61 others\n- user0\n"), "{read}");
    assert!(read.ends_with("- and 11 more; /who PREFIX narrows the list\n"), "{read}");
    scene.says("anna", "/who  USER5 ");
    let read = scene.reads("anna");
    assert!(read.starts_with("* 11 others here whose names begin with USER5\n- user5\n"), "{read}");
    assert_eq!(read.lines().count(), 12);
    scene.says("anna", "/who ä");
    assert_eq!(scene.reads("anna"), "* 1 other here whose name begins with ä\n- Ärger\n");
    scene.says("anna", "/who ann");
    assert_eq!(scene.reads("anna"), "* Nobody else here has a name that begins with ann\n");
}
