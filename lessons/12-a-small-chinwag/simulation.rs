//! Plays random people, and checks after each step what must always hold. In chinwag:
//! `tests/simulation/`.

use super::{Chat, Id, Output};

/// The same seed plays the same people, so a failure can be replayed.
pub(super) fn run(seed: u64) -> Result<(), String> {
    let mut random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut below = move |limit: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        usize::try_from(random % limit as u64).unwrap_or(0)
    };
    let names = ["anna", "ben", "carl", "dora"];
    let words = ["1", "2", "3", "yes", "no", "quit", "cancel", "hello", "exit", ""];
    let mut chat = Chat::default();
    let mut next = 0;
    let mut people = Vec::<Id>::new();
    for step in 0..20_000 {
        let action = below(100);
        let did = if people.len() < 3 || (people.len() < 6 && action < 10) {
            people.push(next);
            chat.connect(next);
            next += 1;
            "connect".to_owned()
        } else if action < 13 {
            let gone = people.remove(below(people.len()));
            chat.disconnect(gone);
            format!("{gone} disconnects")
        } else {
            let id = people[below(people.len())];
            let line = match below(3) {
                0 => words[below(words.len())].to_owned(),
                1 => names[below(names.len())].to_owned(),
                _ => format!("2 {}", names[below(names.len())]),
            };
            chat.line(id, &line);
            format!("{id} says {line:?}")
        };
        for output in chat.outputs.drain(..) {
            if let Output::End(id) = output {
                people.retain(|other| *other != id);
            }
        }
        chat.check().map_err(|wrong| format!("seed {seed}, step {step}, {did}: {wrong}"))?;
    }
    println!("seed {seed}: 20000 steps, nothing wrong");
    Ok(())
}
