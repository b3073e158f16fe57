//! A room on a server that dies at random moments, and a user who types on: in the end every typed
//! line was said exactly once.

use std::collections::VecDeque;

use super::{MENU, Scene};
use crate::client::ui::state_machine::Action;

/// The world around the client.
struct World {
    scene: Scene,
    random: u64,
    /// Lines on their way to the server, and to the client.
    to_server: VecDeque<String>,
    to_client: VecDeque<String>,
    /// The lines that the room has said. The history survives the server.
    said: Vec<String>,
    is_in_room: bool,
    is_connected: bool,
    typed: usize,
}

impl World {
    fn new(seed: u64) -> World {
        let mut world = World {
            scene: Scene::new(40, Some("anna")),
            random: seed * 2 + 1,
            to_server: VecDeque::new(),
            to_client: VecDeque::from(["? Username:".to_owned()]),
            said: Vec::new(),
            is_in_room: false,
            is_connected: true,
            typed: 0,
        };
        world.settle();
        world.scene.press("4 lobby\r");
        world.settle();
        world
    }

    fn random(&mut self, below: usize) -> usize {
        // xorshift64: Marsaglia, "Xorshift RNGs", 2003.
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        usize::try_from(self.random >> 33).expect("31 bits") % below
    }

    /// Carries out what the client wants.
    fn run_actions(&mut self) {
        while let Some(action) = self.scene.state_machine.poll_action() {
            match action {
                Action::Send(line) => self.to_server.push_back(line),
                Action::Connect => {
                    self.is_connected = true;
                    self.scene.state_machine.handle_connected();
                    self.to_client = VecDeque::from(["? Username:".to_owned()]);
                }
                other => panic!("the user does not leave: {other:?}"),
            }
        }
    }

    /// The server processes one line.
    fn serve(&mut self) {
        let Some(line) = self.to_server.pop_front() else { return };
        let replies = match &*line {
            "anna" => vec!["* Hello, anna".to_owned(), MENU.to_owned()],
            "4 lobby" => {
                self.is_in_room = true;
                self.entered()
            }
            "/who" if self.is_in_room => vec!["* You are here alone".to_owned()],
            _ if self.is_in_room => {
                self.said.push(format!("anna: {line}"));
                vec![format!("anna: {line}")]
            }
            _ => panic!("{line} was typed for the room and reaches the menu"),
        };
        self.to_client.extend(replies);
    }

    fn entered(&self) -> Vec<String> {
        let history = &self.said[self.said.len().saturating_sub(50)..];
        let mut lines = vec!["* You are now in lobby; quit leaves it".to_owned()];
        if !history.is_empty() {
            lines.push(format!("* The last {} lines said here", history.len()));
        }
        lines.extend(history.iter().map(|line| format!("- 2026-07-24 10:00Z {line}")));
        lines
    }

    /// The client reads one line.
    fn read(&mut self) {
        if let Some(line) = self.to_client.pop_front() {
            self.scene.receive(&[&line]);
            self.run_actions();
        }
    }

    /// The server dies. Some lines on their way still arrive, on both sides.
    fn die(&mut self) {
        for _ in 0..self.random(self.to_server.len() + 1) {
            self.serve();
        }
        for _ in 0..self.random(self.to_client.len() + 1) {
            self.read();
        }
        let kept = self.random(self.to_server.len() + 1);
        let unsent = self.to_server.drain(..).skip(kept).collect();
        (self.is_in_room, self.is_connected) = (false, false);
        self.to_client.clear();
        self.scene.state_machine.handle_loss("reset", unsent, self.scene.now);
        self.run_actions();
    }

    /// Lets everything arrive.
    fn settle(&mut self) {
        if !self.is_connected {
            self.scene.press("\x05");
        }
        self.run_actions();
        while !self.to_server.is_empty() || !self.to_client.is_empty() {
            self.serve();
            self.read();
            if self.to_server.is_empty() {
                self.scene.state_machine.handle_drained();
                self.run_actions();
            }
        }
        // The wait for a history that does not come.
        self.scene.now = self.scene.now.after_ms(2_000);
        self.scene.state_machine.handle_timeout(self.scene.now);
    }

    fn step(&mut self) {
        match self.random(12) {
            0..=2 if self.is_in_room && self.scene.shows("#lobby") => {
                let number = self.typed;
                self.typed += 1;
                self.scene.press(&format!("{number}\r"));
            }
            3 if self.is_in_room && self.scene.shows("#lobby") => {
                let numbers = self.typed..self.typed + 25;
                self.typed = numbers.end;
                let lines: Vec<_> = numbers.map(|number| number.to_string()).collect();
                self.scene.press(&format!("\x1b[200~{}\x1b[201~y", lines.join("\r")));
            }
            4 if self.is_in_room && self.scene.shows("#lobby") => self.scene.press("/who\r"),
            5 if self.scene.shows("Ctrl-C drops") => self.scene.press("\x03"),
            6 => self.settle(),
            7 if self.random(3) == 0 && self.is_connected => self.die(),
            8 if self.to_server.is_empty() => {
                self.scene.state_machine.handle_drained();
            }
            9 | 10 => self.serve(),
            _ => self.read(),
        }
        self.run_actions();
    }

    /// Accepts every offer. Commands among the lines are answered, and not said.
    fn accept_all(&mut self) {
        for _ in 0..10 {
            self.settle();
            self.scene.press("\x1b[A");
            if !self.scene.shows("Send ") {
                self.scene.press("\x15");
                return;
            }
            self.scene.press("y");
        }
        panic!("the client offers lines for ever");
    }
}

impl Scene {
    /// Whether the last row of the screen holds this text.
    fn shows(&mut self, text: &str) -> bool {
        self.last(1).concat().contains(text)
    }
}

/// (4.8.2, 6.2.1, 6.3.1)
#[test]
fn however_often_the_server_dies_each_typed_line_is_said_exactly_once() {
    for seed in 0..40 {
        let mut world = World::new(seed);
        for _ in 0..150 {
            world.step();
        }
        world.accept_all();
        let mut said: Vec<usize> = world
            .said
            .iter()
            .filter_map(|line| line.strip_prefix("anna: ")?.parse().ok())
            .collect();
        said.sort_unstable();
        assert_eq!(said, (0..world.typed).collect::<Vec<_>>(), "seed {seed}");
    }
}
