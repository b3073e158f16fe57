//! Rules that a transcript cannot show: they need many users, or input that is held. The tests drive
//! one `Exchange`, without sockets and with a clock of their own.

use chinwag::core::SessionId;
use chinwag::core::exchange::Exchange;
use chinwag::core::limits::Limits;
use chinwag::core::time::Time;

/// An exchange whose users read everything at once.
struct Scene {
    exchange: Exchange,
    now: Time,
    /// The keys of the users are their places in this list.
    names: Vec<String>,
}

impl Scene {
    fn with(names: impl IntoIterator<Item = impl Into<String>>) -> Scene {
        let exchange = Exchange::new(Limits::default());
        let mut scene = Scene { exchange, now: Time::START, names: Vec::new() };
        for name in names {
            let name = name.into();
            let id = SessionId::from_key(scene.names.len());
            scene.names.push(name.clone());
            scene.exchange.handle_connect(scene.now, id);
            scene.says(&name.clone(), &name);
            scene.reads(&name);
        }
        scene
    }

    fn id(&self, name: &str) -> SessionId {
        SessionId::from_key(self.names.iter().position(|other| other == name).unwrap())
    }

    /// `name` sends these lines in one packet.
    fn says(&mut self, name: &str, lines: &str) {
        let id = self.id(name);
        assert!(self.exchange.wants_input(id), "the input of {name} is held");
        self.exchange.handle_received(self.now, id, format!("{lines}\n").as_bytes());
        self.settle();
    }

    /// Everything that `name` has been told since the last call.
    fn reads(&mut self, name: &str) -> String {
        let (id, mut read) = (self.id(name), Vec::new());
        loop {
            self.settle();
            let output = self.exchange.output(id).to_vec();
            if output.is_empty() {
                return String::from_utf8(read).unwrap().replace('\r', "");
            }
            self.exchange.handle_sent(self.now, id, output.len());
            read.extend(output);
        }
    }

    fn seconds_pass(&mut self, seconds: u64) {
        self.now = self.now.after_ms(1_000 * seconds);
        self.exchange.handle_timeout(self.now);
        self.settle();
    }

    fn settle(&mut self) {
        while self.exchange.poll_action().is_some() {}
    }
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
