//! A test plays the server: it passes lines and lets time pass, and looks at what the person sends.

use super::*;

const MENU: &str = "? 1 list users, 2 request chat, 3 exit, 4 join a room, 5 list rooms";

/// A person, and what it has sent.
struct Scene {
    person: Person,
    acts: Acts<Note>,
    now: Micros,
    sent: Vec<String>,
}

impl Scene {
    /// A person who has just taken its name.
    fn begins(seed: u64) -> Scene {
        let person = Person::new(seed, 0, Pace::human(), 0);
        let mut scene = Scene { person, acts: Acts::default(), now: 0, sent: Vec::new() };
        scene.passes(Input::Connected);
        scene.reads(&["* Welcome to chinwag", "? Username:", "* Hello, anna", MENU]);
        scene
    }

    fn passes(&mut self, input: Input<'_>) {
        self.person.handle(input, self.now, &mut self.acts);
        let sent = String::from_utf8(std::mem::take(&mut self.acts.send)).unwrap();
        self.sent.extend(sent.lines().map(str::to_owned));
    }

    fn reads(&mut self, lines: &[&str]) {
        self.now += 1_000;
        lines
            .iter()
            .for_each(|line| self.passes(Input::Received(format!("{line}\r\n").as_bytes())));
    }

    /// Lets time pass until the person acts.
    fn waits(&mut self) {
        self.now = self.acts.wake_at.take().expect("the person wants to act");
        self.passes(Input::Due);
    }

    fn last(&self) -> &str {
        self.sent.last().map_or("", String::as_str)
    }

    /// Answers whatever the person does, and returns its script.
    fn plays(mut self, turns: usize) -> Vec<String> {
        for _ in 0..turns {
            self.waits();
            match self.last().split(' ').next() {
                Some("1") => self.reads(&["* 2 users online", "- ben available", MENU]),
                Some("2") => self.reads(&[
                    "* Asked ben, waiting for an answer; cancel withdraws",
                    "* ben accepted",
                    "* You are now chatting with ben; quit ends it",
                ]),
                Some("4") => self.reads(&["* You are now in tea with nobody else"]),
                Some("5") => self.reads(&["* 1 room", MENU]),
                Some("quit") => self.reads(&["* You left", MENU]),
                Some("/exit") => return self.sent,
                _ => {
                    let said = format!("anna: {}", self.last());
                    if let State::InRoom { .. } = self.person.state {
                        self.reads(&[&said]);
                    }
                }
            }
        }
        self.sent
    }
}

#[test]
fn the_same_seed_is_the_same_person_and_another_seed_is_another() {
    for seed in 0..50 {
        assert_eq!(Scene::begins(seed).plays(200), Scene::begins(seed).plays(200));
    }
    let scripts = (0..50).map(|seed| Scene::begins(seed).plays(40));
    assert!(scripts.collect::<std::collections::BTreeSet<_>>().len() > 45);
}

#[test]
fn people_list_ask_chat_visit_rooms_and_leave() {
    let all = (0..50).flat_map(|seed| Scene::begins(seed).plays(200)).collect::<Vec<_>>();
    for wanted in ["1", "2 ben", "4 tea", "5", "quit", "/exit", "hello"] {
        assert!(all.iter().any(|line| line == wanted), "{wanted}");
    }
}

#[test]
fn a_list_is_timed_to_its_end() {
    let mut scene = Scene::begins(1);
    scene.person.state = State::Waiting { what: Some(What::List), since: scene.now };
    scene.acts.notes.clear();
    scene.reads(&["* 1 user online", "- ben available", "- carla busy", MENU]);
    assert_eq!(scene.acts.notes, [Note::Took(What::List, 1_000)]);
    assert_eq!(scene.person.known, ["ben"]);
}

/// Asked in a room, the answer needs a slash: a plain yes would be said there.
#[test]
fn a_request_is_answered_in_the_words_of_the_state() {
    for seed in 0..20 {
        let mut scene = Scene::begins(seed);
        scene.reads(&["? ben wants to chat. Accept? yes or no"]);
        scene.waits();
        assert!(["yes", "no"].contains(&scene.last()), "{:?}", scene.sent);

        let mut scene = Scene::begins(seed);
        scene.reads(&["* You are now in tea with nobody else"]);
        scene.reads(&["? ben wants to chat. Accept? /yes or /no"]);
        scene.waits();
        assert!(["/yes", "/no"].contains(&scene.last()), "{:?}", scene.sent);
    }
}

#[test]
fn a_question_that_comes_again_is_answered_once() {
    let mut scene = Scene::begins(3);
    let question = "? ben wants to chat. Accept? yes or no";
    scene.reads(&[question]);
    scene.waits();
    scene.sent.clear();
    scene.reads(&["! Answer ben first: yes or no", question]);
    assert!(scene.acts.wake_at > Some(scene.now + PATIENCE / 2), "it only waits");
    scene.reads(&["* ben withdrew the request", MENU, "? carla wants to chat. Accept? yes or no"]);
    scene.waits();
    assert_eq!(scene.sent.len(), 1, "another user gets an answer");
}

#[test]
fn what_must_not_happen_is_a_problem() {
    let problem = |lines: &[&str]| {
        let mut scene = Scene::begins(3);
        scene.now += 10 * SECOND;
        scene.reads(lines);
        scene.acts.notes.iter().any(|note| matches!(note, Note::Problem(_)))
    };
    let chat = "* You are now chatting with ben; quit ends it";
    assert!(problem(&["gibberish"]));
    assert!(problem(&["ben: out of nowhere"]));
    assert!(problem(&[chat, "carla: not for you"]));
    assert!(problem(&["! You have read nothing for 30 s. Goodbye"]));
    assert!(!problem(&[chat, "ben: hello"]));

    let mut scene = Scene::begins(3);
    scene.passes(Input::Ended(End::Reset));
    assert!(matches!(scene.acts.notes.last(), Some(Note::Problem(_))));
    assert!(scene.acts.connect_at.is_some(), "it comes back");
}

#[test]
fn at_the_end_everybody_says_goodbye() {
    let mut scene = Scene::begins(3);
    scene.passes(Input::Stop);
    assert_eq!(scene.last(), "/exit");
    scene.reads(&["* Goodbye, anna"]);
    scene.acts.notes.clear();
    scene.passes(Input::Ended(End::Closed));
    assert_eq!(scene.acts.notes, [Note::Left]);
    assert!(scene.acts.connect_at.is_none());
}

/// (4.1.5)
#[test]
fn a_goodbye_that_crosses_with_the_end_of_a_chat_is_said_again() {
    let mut scene = Scene::begins(3);
    scene.reads(&["* You are now chatting with ben; quit ends it"]);
    scene.passes(Input::Stop);
    scene.sent.clear();
    scene.reads(&[
        "! 1 line you had typed before that was not delivered",
        "* ben left the chat",
        MENU,
    ]);
    assert_eq!(scene.sent, ["/exit"]);
}

#[test]
fn a_silent_server_is_a_problem_and_not_an_endless_wait() {
    let mut scene = Scene::begins(3);
    scene.person.state = State::Waiting { what: None, since: scene.now };
    scene.acts.wake_at = Some(scene.now + PATIENCE);
    scene.waits();
    assert_eq!(scene.acts.close, Some(Close::Whole));
    assert!(matches!(scene.acts.notes.last(), Some(Note::Problem(_))));
}
