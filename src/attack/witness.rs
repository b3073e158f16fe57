//! The honest people that an attack brings with it: two who chat, and a newcomer. They show how
//! everybody else fares. Pure, as the attackers are.

use super::Note;
use super::attacker::{MENU, USERNAME};
use crate::core::limits::PEER_PATIENCE_S;
use crate::peers::lines::Lines;
use crate::peers::peer::{Acts, Close, Input, MILLISECOND, Micros, Peer, SECOND};

/// How long a witness waits before it answers: fast for a person, slow for a server.
const PAUSE: Micros = 5 * MILLISECOND;

/// One of two who chat. A line goes to and fro between them.
pub(super) struct Witness {
    name: String,
    partner: String,
    /// Asks, and says the first line.
    begins: bool,
    lines: Lines,
    is_chatting: bool,
    count: u64,
}

impl Witness {
    /// Both witnesses, whose names end in this tag.
    pub(super) fn pair(tag: u32) -> [Witness; 2] {
        let names = [format!("fair{tag}-a"), format!("fair{tag}-b")];
        [0, 1].map(|n| Witness {
            name: names[n].clone(),
            partner: names[1 - n].clone(),
            begins: n == 0,
            lines: Lines::default(),
            is_chatting: false,
            count: 0,
        })
    }

    fn hears(&mut self, line: &str, now: Micros, acts: &mut Acts<Note>) {
        if self.is_chatting {
            let said = line.strip_prefix(&self.partner).and_then(|rest| rest.strip_prefix(": "));
            match said {
                Some(_) => {
                    acts.notes.push(Note::WitnessHeard);
                    acts.wake_at = Some(now + PAUSE);
                }
                None => self.is_lost(line, acts),
            }
        } else if line.starts_with(USERNAME) {
            acts.say(&self.name);
        } else if line.starts_with(MENU) && self.begins {
            acts.wake_at = Some(now + 100 * MILLISECOND);
        } else if line.contains("wants to chat") {
            acts.say("yes");
        } else if line.starts_with("* You are now chatting") {
            self.is_chatting = true;
            acts.notes.push(Note::WitnessReady);
            acts.wake_at = self.begins.then_some(now + PAUSE);
        }
    }

    fn is_lost(&mut self, why: &str, acts: &mut Acts<Note>) {
        acts.notes.push(Note::WitnessLost(format!("{} {why}", self.name)));
        acts.close = Some(Close::Whole);
    }
}

impl Peer<Note> for Witness {
    fn handle(&mut self, input: Input<'_>, now: Micros, acts: &mut Acts<Note>) {
        match input {
            Input::Received(bytes) => {
                let mut lines = std::mem::take(&mut self.lines);
                lines.push(bytes, |line| self.hears(line, now, acts));
                self.lines = lines;
            }
            Input::Due if self.is_chatting => {
                acts.wake_at = None;
                self.count += 1;
                acts.say(&format!("line {}", self.count));
                acts.notes.push(Note::WitnessSaid);
            }
            Input::Due => {
                acts.wake_at = None;
                acts.say(&format!("2 {}", self.partner));
            }
            Input::Ended(_) => self.is_lost("lost the connection", acts),
            Input::Stop => acts.close = Some(Close::Whole),
            Input::Connected | Input::Sent => {}
        }
    }
}

/// What a newcomer reads while the server has no room (7.25), and how long one tries again.
const FULL: &str = "! The server is full";
const RETRIES: Micros = 5 * SECOND;

/// Comes after the attack, takes a name, asks who is here, and goes.
pub(super) struct Newcomer {
    name: String,
    lines: Lines,
    arrived_at: Micros,
    has_name: bool,
    /// The server had no room yet: it has not seen that the attackers are gone.
    is_early: bool,
}

impl Newcomer {
    pub(super) fn new(tag: u32, arrives_at: Micros) -> Newcomer {
        let name = format!("new{tag}");
        let lines = Lines::default();
        Newcomer { name, lines, arrived_at: arrives_at, has_name: false, is_early: false }
    }

    fn hears(&mut self, line: &str, now: Micros, acts: &mut Acts<Note>) {
        if line.starts_with(USERNAME) {
            acts.say(&self.name);
        } else if line.starts_with(FULL) {
            self.is_early = true;
        } else if line.starts_with("! ") {
            acts.notes.push(Note::WitnessLost(format!("a newcomer read: {line}")));
        } else if line.starts_with(MENU) && !self.has_name {
            self.has_name = true;
            acts.say("1");
        } else if line.starts_with(MENU) {
            acts.notes.push(Note::Newcomer(now.saturating_sub(self.arrived_at)));
            acts.close = Some(Close::Whole);
        }
    }
}

impl Peer<Note> for Newcomer {
    fn handle(&mut self, input: Input<'_>, now: Micros, acts: &mut Acts<Note>) {
        match input {
            Input::Connected => acts.wake_at = Some(now + PEER_PATIENCE_S * SECOND),
            Input::Received(bytes) => {
                let mut lines = std::mem::take(&mut self.lines);
                lines.push(bytes, |line| self.hears(line, now, acts));
                self.lines = lines;
            }
            Input::Ended(_) if self.is_early && now < self.arrived_at + RETRIES => {
                self.is_early = false;
                acts.connect_at = Some(now + SECOND / 10);
            }
            Input::Ended(_) => {
                acts.notes.push(Note::WitnessLost("a newcomer lost the connection".to_owned()));
            }
            Input::Due => {
                let why = format!("a newcomer was not served for {PEER_PATIENCE_S} s");
                acts.notes.push(Note::WitnessLost(why));
                acts.close = Some(Close::Whole);
            }
            Input::Stop => acts.close = Some(Close::Whole),
            Input::Sent => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reads(peer: &mut dyn Peer<Note>, line: &str, now: Micros) -> Acts<Note> {
        let mut acts = Acts::default();
        peer.handle(Input::Received(format!("{line}\r\n").as_bytes()), now, &mut acts);
        acts
    }

    #[test]
    fn witnesses_meet_and_answer_each_other() {
        let [mut anna, mut ben] = Witness::pair(1);
        assert_eq!(reads(&mut anna, "? Username:", 0).send, b"fair1-a\n");
        let menu = "? 1 list users, 2 request chat";
        assert!(reads(&mut anna, menu, 0).wake_at.is_some(), "anna asks");
        assert!(reads(&mut ben, menu, 0).wake_at.is_none());
        assert_eq!(reads(&mut ben, "? fair1-a wants to chat. Accept?", 0).send, b"yes\n");
        for peer in [&mut anna, &mut ben] {
            let acts = reads(peer, "* You are now chatting with x; quit ends it", 0);
            assert_eq!(acts.notes, [Note::WitnessReady]);
        }
        let acts = reads(&mut ben, "fair1-a: line 1", 7);
        assert_eq!((&*acts.notes, acts.wake_at), (&[Note::WitnessHeard][..], Some(7 + PAUSE)));
    }

    #[test]
    fn a_witness_that_reads_anything_else_says_so() {
        for line in ["! You have read nothing for 30 s. Goodbye", "* fair1-b left", "x: hello"] {
            let [mut anna, _] = Witness::pair(1);
            reads(&mut anna, "* You are now chatting with fair1-b; quit ends it", 0);
            let notes = reads(&mut anna, line, 0).notes;
            assert_eq!(notes, [Note::WitnessLost(format!("fair1-a {line}"))]);
        }
    }
}
