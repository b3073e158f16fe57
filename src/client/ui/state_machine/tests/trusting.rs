//! The question about a certificate that nobody vouches for.

use super::*;

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
    assert_eq!(scene.actions(), [Action::Trust("AB:CD".to_owned()), Action::Connect]);
    scene.state_machine.handle_connected();
    scene.receive(&["? Username:", "* Hello, anna", MENU]);
    assert_eq!(scene.last(1), ["menu> yes|"]);
}

#[test]
fn an_unknown_certificate_at_a_later_connection_is_a_failure_that_is_tried_again() {
    let mut scene = Scene::at_menu(12);
    scene.state_machine.handle_loss("gone", Vec::new(), Time::START);
    scene.press("x");
    assert_eq!(scene.actions(), [Action::Connect]);
    scene.state_machine.handle_untrusted("AB:CD".to_owned(), Time::START);
    assert!(matches!(scene.state_machine.link, link::Link::Lost(Some(_))));
    scene.press("yes\r");
    assert!(!scene.actions().iter().any(|action| matches!(action, Action::Trust(_))));
}
