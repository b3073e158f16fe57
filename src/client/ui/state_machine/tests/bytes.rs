//! What a message costs on the way to the terminal. Over a slow link every byte counts.

use super::super::Transcript;
use super::Scene;
use crate::client::ui::color::Palette;

/// The bytes that the screen writes for `line`, besides the text of the line.
fn overhead(scene: &mut Scene, line: &str) -> usize {
    scene.last(1);
    scene.receive(&[line]);
    let mut out = String::new();
    scene.state_machine.draw(scene.now, &mut out);
    out.len() - line.len()
}

#[test]
fn a_message_costs_its_text_two_colours_and_the_prompt() {
    let palette = Palette { colours: true };
    for (mut scene, bytes_max) in [(Scene::in_chat(5), 37), (Scene::in_lobby(5), 35)] {
        scene.state_machine.transcript = Transcript::new(palette, false);
        scene.state_machine.screen = super::Screen::new(palette, super::COLUMNS);
        for name in ["ben", "eve", "carla", "dora"] {
            let bytes = overhead(&mut scene, &format!("{name}: hello"));
            assert!(bytes <= bytes_max, "{name}: {bytes}");
        }
    }
}
