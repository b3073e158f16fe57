//! The prompt for a password: nothing of what is typed is shown, kept or sent elsewhere.

use super::*;

const ASKS: [&str; 2] = [
    "* Your screen shows what you type, so let nobody watch; cancel goes back",
    "? Password for anna:",
];

/// What the client has sent since the last look.
fn sent(scene: &mut Scene) -> Vec<String> {
    let actions = std::iter::from_fn(|| scene.state_machine.poll_action());
    let lines = actions.filter_map(|action| match action {
        Action::Send(line) => Some(line),
        _ => None,
    });
    lines.collect()
}

/// (3.4.4)
#[test]
fn a_password_is_sent_and_is_neither_shown_nor_recalled() {
    let mut scene = Scene::new(6, None);
    scene.receive(&["* Welcome", "? Username:"]);
    scene.press("anna\r");
    scene.receive(&ASKS);
    assert_eq!(scene.last(1), ["Password for anna> |"]);
    scene.press("correct horse");
    assert_eq!(scene.last(1), ["Password for anna> |"]);
    scene.press("\r");
    assert_eq!(sent(&mut scene).last().map(String::as_str), Some("correct horse"));
    // What is typed while the server checks belongs to nobody.
    scene.press("more");
    scene.receive(&["* Hello, anna", MENU]);
    assert_eq!(scene.last(1), ["menu> |"]);
    scene.press("\x1b[A\x1b[A");
    scene.press("\x19\x1f");
    let screen = scene.last(6).join("\n");
    assert!(!screen.contains("horse") && !screen.contains("more"), "{screen}");
    assert!(!screen.contains("Your screen shows"), "{screen}");
}

/// (3.4.4)
#[test]
fn a_draft_waits_until_the_password_is_over() {
    let mut scene = Scene::at_menu(6);
    scene.press("1 be");
    scene.receive(&["? New password for anna:"]);
    assert_eq!(scene.last(1), ["New password for anna> |"]);
    scene.press("\x1b[A\t\x12correct horse\r");
    assert_eq!(sent(&mut scene).last().map(String::as_str), Some("correct horse"));
    scene.receive(&["? The same password again:"]);
    scene.press("\x1b[200~correct horse\n\x1b[201~\r");
    assert_eq!(sent(&mut scene).last().map(String::as_str), Some("correct horse"));
    scene.receive(&["* anna is registered: from now on the name needs your password", MENU]);
    assert_eq!(scene.last(1), ["menu> 1 be|"]);
}
