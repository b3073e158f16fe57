//! Times and days, as the user sees them.

use super::super::Transcript;
use super::Scene;
use crate::client::ui::color::Palette;

#[test]
fn each_new_day_has_one_line_before_its_first_message() {
    let mut scene = Scene::in_chat(12);
    scene.state_machine.transcript = Transcript::new(Palette { colours: false }, true);
    let at = |scene: &mut Scene, time: &str, line| {
        scene.state_machine.set_clock(time.parse().expect("a time"));
        scene.receive(&[line]);
        scene.last(12)
    };
    let shown = at(&mut scene, "2026-07-24T23:58:00+02:00[+02:00]", "ben: late");
    assert_eq!(shown[shown.len() - 2..], ["23:58 ben: late", "to ben> |"]);
    let shown = at(&mut scene, "2026-07-25T00:01:00+02:00[+02:00]", "ben: later");
    let midnight = ["23:58 ben: late", "-- Saturday, 25 July 2026", "00:01 ben: later"];
    assert_eq!(shown[shown.len() - 4..shown.len() - 1], midnight);
    let shown = at(&mut scene, "2026-07-25T00:02:00+02:00[+02:00]", "ben: bye");
    assert_eq!(shown[shown.len() - 3..shown.len() - 1], ["00:01 ben: later", "00:02 ben: bye"]);
    scene.state_machine.set_clock("2026-07-26T09:00:00+02:00[+02:00]".parse().expect("a time"));
    let out = scene.last(1);
    assert_eq!(out, ["to ben> |"], "midnight alone writes nothing");
}

#[test]
fn without_timestamps_no_day_is_announced() {
    let mut scene = Scene::in_chat(12);
    scene.last(1);
    for day in ["24", "25"] {
        let time = format!("2026-07-{day}T23:58:00+02:00[+02:00]");
        scene.state_machine.set_clock(time.parse().expect("a time"));
        scene.receive(&["ben: hi"]);
        assert_eq!(scene.last(2), ["ben: hi", "to ben> |"]);
    }
    assert!(!scene.last(12).iter().any(|row| row.contains("July")));
}
