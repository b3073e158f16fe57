//! A client that keeps its user to one name.

use super::*;

/// A client that sshd has started for anna.
fn scene_of_anna() -> Scene {
    let mut scene = Scene::new(8, Some("anna"));
    scene.state_machine.setup.keeps_name = true;
    scene
}

/// Whether the client leaves because the server does not want its name.
fn gives_up(scene: &mut Scene) -> bool {
    let actions = scene.actions();
    matches!(&actions[..], [Action::Leave(Leaving::Failed(why))] if why.contains("no other name"))
}

/// (3.2.1)
#[test]
fn at_the_prompt_for_a_username_no_other_line_is_sent() {
    let mut scene = scene_of_anna();
    scene.receive(&["* Welcome", "? Username:"]);
    scene.press("mallory\r\x1b[200~mallory\rmallory\r\x1b[201~y");
    scene.press("/keys\r");
    assert_eq!(scene.actions(), [Action::Send("anna".to_owned())]);
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
        assert_eq!(scene.actions(), sent, "{first}");
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
