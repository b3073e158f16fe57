//! What happened to an attack, and how the honest pair fared: as text and as JSON.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Note;
use crate::peers::latencies::{Latencies, ms, shown, table_head};
use crate::peers::peer::{Micros, SECOND};
use crate::peers::pool::Traffic;
use crate::peers::tally::Tally;

/// The part of a run that a figure belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// The honest pair is alone.
    Before,
    /// The attack runs.
    During,
    /// The attackers have gone.
    After,
}

const PHASES: [(Phase, &str); 3] =
    [(Phase::Before, "before"), (Phase::During, "during"), (Phase::After, "after")];

/// The counts of a run.
#[derive(Debug)]
pub struct Report {
    /// What the usernames of the attackers begin with.
    stem: String,
    phase: Phase,
    connected: u64,
    welcomed: u64,
    refused: u64,
    not_connected: u64,
    disconnected: u64,
    left: u64,
    said: Tally,
    counted: BTreeMap<&'static str, u64>,
    facts: Vec<String>,
    witness: [Latencies; 3],
    /// When the line was said that is on its way between the witnesses.
    on_the_way: Option<Micros>,
    ready: usize,
    /// What went wrong with the honest people.
    pub lost: Vec<String>,
    newcomer: Option<Micros>,
}

impl Report {
    pub(super) fn new(stem: String) -> Report {
        Report {
            stem,
            phase: Phase::Before,
            connected: 0,
            welcomed: 0,
            refused: 0,
            not_connected: 0,
            disconnected: 0,
            left: 0,
            said: Tally::default(),
            counted: BTreeMap::new(),
            facts: Vec::new(),
            witness: Default::default(),
            on_the_way: None,
            ready: 0,
            lost: Vec::new(),
            newcomer: None,
        }
    }

    /// Takes a note of an attacker or a witness.
    pub(super) fn hear(&mut self, now: Micros, note: Note) {
        match note {
            Note::Connected => self.connected += 1,
            Note::Welcomed => self.welcomed += 1,
            Note::Refused => self.refused += 1,
            Note::NotConnected => self.not_connected += 1,
            Note::Disconnected => self.disconnected += 1,
            Note::Left => self.left += 1,
            Note::Said(line, count) => self.said(&line, count),
            Note::Counted(what) => *self.counted.entry(what).or_default() += 1,
            Note::Fact(fact) => self.facts.push(fact),
            Note::WitnessReady => self.ready += 1,
            Note::WitnessSaid => self.on_the_way = Some(now),
            Note::WitnessHeard => {
                if let Some(said) = self.on_the_way.take() {
                    self.witness[self.phase as usize].record(now.saturating_sub(said));
                }
            }
            Note::WitnessLost(why) => self.lost.push(why),
            Note::Newcomer(took) => self.newcomer = Some(took),
        }
    }

    /// Counts words of the server. Names of attackers and waiting times differ from line to line.
    fn said(&mut self, line: &str, count: u64) {
        let mut before = "";
        let words = line.split(' ').map(|word| {
            let is_time = before == "in" && word.parse::<u64>().is_ok();
            before = word;
            match word.starts_with(&self.stem) {
                true => "NAME",
                false if is_time => "N",
                false => word,
            }
        });
        let line = words.collect::<Vec<_>>().join(" ").replace("NAME;", "NAME");
        self.said.add(line, count);
    }

    pub(super) fn begin(&mut self, phase: Phase) {
        self.phase = phase;
    }

    /// Whether both witnesses are in their chat.
    pub(super) fn pair_is_ready(&self) -> bool {
        self.ready == 2
    }

    /// Whether the newcomer has been served.
    pub(super) fn newcomer_is_served(&self) -> bool {
        self.newcomer.is_some()
    }

    /// How long the line that is on its way between the witnesses has been so.
    pub(super) fn overdue(&self, now: Micros) -> Micros {
        self.on_the_way.map_or(0, |said| now.saturating_sub(said))
    }

    /// Attackers that are connected now.
    fn standing(&self) -> u64 {
        self.connected.saturating_sub(self.refused + self.disconnected + self.left)
    }

    /// One line about the attack while it runs.
    #[must_use]
    pub fn progress(&self, elapsed: Micros, bytes: Traffic) -> String {
        let pair = &self.witness[self.phase as usize];
        format!(
            "{:>4} s   {} connections   {} refused   {} disconnected   sent {}   pair p99 {}",
            elapsed / SECOND,
            self.standing(),
            self.refused + self.not_connected,
            self.disconnected,
            size(bytes.sent),
            shown(pair.percentile(99))
        )
    }

    /// The report at the end.
    #[must_use]
    pub fn text(&self, elapsed: Micros, bytes: Traffic) -> String {
        let mut text = format!("What happened to it, in {:.1} s\n", elapsed as f64 / 1e6);
        for (count, what) in [
            (self.connected, "connections were made"),
            (self.welcomed, "were accepted and greeted"),
            (self.refused, "were refused"),
            (self.not_connected, "could not be made"),
            (self.disconnected, "were ended by the server"),
            (self.left, "were ended by the attack itself"),
        ] {
            if count > 0 {
                text += &format!("{count:>9}  {what}\n");
            }
        }
        let (sent, read) = (size(bytes.sent), size(bytes.read));
        text += &format!("{sent:>9}  was sent, and {read} came back\n");
        for (what, count) in &self.counted {
            text += &format!("{count:>9}  {what}\n");
        }
        self.facts.iter().for_each(|fact| text += &format!("           {fact}\n"));
        if !self.said.is_empty() {
            text += "The server said\n";
        }
        text += &self.said.lines();
        text += "An honest pair in a chat meanwhile\n";
        text += &table_head("lines");
        for (phase, title) in PHASES {
            text += &self.witness[phase as usize].table_row(title);
        }
        match self.newcomer {
            Some(took) => text += &format!("A newcomer was served afterwards in {}\n", shown(took)),
            None => text += "No newcomer was served afterwards\n",
        }
        self.lost.iter().for_each(|why| text += &format!("PROMISE BROKEN: {why}\n"));
        text
    }

    /// The same as JSON. Times are in milliseconds.
    #[must_use]
    pub fn json(&self, kind: &str, elapsed: Micros, bytes: Traffic, is_final: bool) -> Value {
        let row = |phase: Phase| self.witness[phase as usize].json("lines");
        let pair = PHASES.map(|(phase, title)| (title.to_owned(), row(phase)));
        let phase = PHASES[self.phase as usize].1;
        json!({
            "kind": kind, "seconds": elapsed as f64 / 1e6, "final": is_final, "phase": phase,
            "connected": self.connected, "welcomed": self.welcomed, "refused": self.refused,
            "not_connected": self.not_connected, "disconnected": self.disconnected,
            "standing": self.standing(), "left": self.left, "sent_bytes": bytes.sent,
            "read_bytes": bytes.read, "said": self.said.json(), "counted": self.counted,
            "facts": self.facts, "pair": pair.into_iter().collect::<Value>(),
            "newcomer_ms": self.newcomer.map(ms), "lost": self.lost,
        })
    }
}

/// Bytes as a person reads them.
pub(super) fn size(bytes: u64) -> String {
    match bytes {
        0..10_000 => format!("{bytes} B"),
        10_000..10_000_000 => format!("{} kB", bytes / 1_000),
        _ => format!("{} MB", bytes / 1_000_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_waiting_times_do_not_fill_the_report() {
        let mut report = Report::new("squat7".to_owned());
        for n in 0..100 {
            let line = format!("! You just asked squat7-{n}; try again in {n} s");
            report.hear(0, Note::Said(line, 2));
        }
        let text = report.text(SECOND, Traffic::default());
        assert!(text.contains("      200  ! You just asked NAME try again in N s\n"), "{text}");
    }

    #[test]
    fn a_line_of_the_pair_counts_in_the_phase_in_which_it_arrives() {
        let mut report = Report::new("x".to_owned());
        report.hear(0, Note::WitnessSaid);
        report.begin(Phase::During);
        assert_eq!(report.overdue(70), 70);
        report.hear(70, Note::WitnessHeard);
        let json = report.json("x", SECOND, Traffic::default(), true);
        assert_eq!(json["pair"]["before"]["lines"], 0);
        assert_eq!(json["pair"]["during"]["longest_ms"], 0.07);
    }
}
