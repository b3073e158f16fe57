//! A client that keeps its user to one name, and the question about a certificate.

use super::*;

/// A client that sshd has started for anna.
fn scene_of_anna() -> Scene {
    let mut scene = Scene::new(8, Some("anna"));
    scene.state_machine.setup.keeps_name = true;
    scene
}

/// What the client does, until it waits.
fn actions(scene: &mut Scene) -> Vec<Action> {
    std::iter::from_fn(|| scene.state_machine.poll_action()).collect()
}

/// Whether the client leaves because the server does not want its name.
fn gives_up(scene: &mut Scene) -> bool {
    let actions = actions(scene);
    matches!(&actions[..], [Action::Leave(Leaving::Failed(why))] if why.contains("no other name"))
}

/// (3.2.1)
#[test]
fn at_the_prompt_for_a_username_no_other_line_is_sent() {
    let mut scene = scene_of_anna();
    scene.receive(&["* Welcome", "? Username:"]);
    scene.press("mallory\r\x1b[200~mallory\rmallory\r\x1b[201~y");
    scene.press("/keys\r");
    assert_eq!(actions(&mut scene), [Action::Send("anna".to_owned())]);
    scene.receive(&["! anna is taken", "? Username:"]);
    assert!(gives_up(&mut scene));
}

/// (4.11.1)
#[test]
fn behind_a_password_nothing_is_sent_that_could_become_a_username() {
    for first in ["cancel", "", "wrong"] {
        let mut scene = scene_of_anna();
        scene.receive(&["* Welcome", "? Username:", "? Password for anna:"]);
        scene.press(&format!("{first}\rmallory\rmallory\r"));
        let sent = ["anna", first].map(|line| Action::Send(line.to_owned()));
        assert_eq!(actions(&mut scene), sent, "{first}");
        scene.receive(&["? Username:"]);
        assert!(gives_up(&mut scene), "{first}");
    }
    let mut scene = scene_of_anna();
    scene.receive(&["* Welcome", "? Username:", "? Password for anna:"]);
    scene.press("wrong\r");
    scene.receive(&["! That is not the password", "? Password for anna:"]);
    scene.press("right\r");
    assert_eq!(scene.sent(), ["anna", "wrong", "right"]);
}

#[test]
fn control_z_does_not_stop_a_client_that_somebody_else_started() {
    let mut scene = scene_of_anna();
    scene.receive(&["? Username:", "* Hello, anna", MENU]);
    scene.press("\x1a");
    assert_eq!(scene.sent(), ["anna"]);
    assert_eq!(scene.last(2)[0], "-- Ctrl-Z is off here");
}

#[test]
fn the_question_about_a_certificate_wants_a_word_and_keeps_the_draft() {
    let mut scene = Scene::new(12, Some("anna"));
    scene.state_machine.link = link::Link::Connecting { is_retry: false, remaining_wait: None };
    scene.press("yes");
    scene.state_machine.handle_untrusted("AB:CD".to_owned(), Time::START);
    assert_eq!(
        scene.last(2),
        ["-- If the operator told you the same, nobody can read along", "Trust it? yes or no> |"]
    );
    scene.press("\ry\r");
    assert_eq!(scene.sent(), [""; 0], "a word");
    scene.press(" YES \r");
    assert_eq!(actions(&mut scene), [Action::Trust("AB:CD".to_owned()), Action::Connect]);
    scene.state_machine.handle_connected();
    scene.receive(&["? Username:", "* Hello, anna", MENU]);
    assert_eq!(scene.last(1), ["menu> yes|"]);
}

#[test]
fn an_unknown_certificate_at_a_later_connection_is_a_failure_that_is_tried_again() {
    let mut scene = Scene::at_menu(12);
    scene.state_machine.handle_loss("gone", Vec::new(), Time::START);
    scene.press("x");
    assert_eq!(actions(&mut scene), [Action::Connect]);
    scene.state_machine.handle_untrusted("AB:CD".to_owned(), Time::START);
    assert!(matches!(scene.state_machine.link, link::Link::Lost(Some(_))));
    scene.press("yes\r");
    assert!(!actions(&mut scene).iter().any(|action| matches!(action, Action::Trust(_))));
}
