//! Many people doing random things, valid and not, to one exchange, from a seed; and a model of the
//! protocol, written apart, that must be able to explain every line anybody reads.
//!
//! ```text
//! people ──typed──► sockets ──bytes──► Exchange ──bytes──► sockets ──► people
//!   │                  │                   │ lines (maybe sabotaged: canaries.rs)
//!   └─ what was meant ─┴─────────► Model ◄─┘
//! ```
//!
//! A seed decides how many people there are, what they are like, and what goes wrong: [`plan::Plan`].
//! At the end the faults stop, everybody must be served, leaves, and must leave nothing behind.
//! `CHINWAG_SEED` runs one seed, `CHINWAG_SEEDS` so many from 1 (or the seed) on, `CHINWAG_STEPS` so
//! many steps of each; `CHINWAG_TRACE=1` shows every line.

mod canaries;
mod cuts;
mod model;
mod people;
mod plan;
mod random;
mod sabotage;
mod socket;
mod spoken;
mod typing;
mod world;

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use sabotage::{Sabotage, Wrong};
use world::{Figures, World};

/// Runs one seed; `Err` says in which step it failed, and why.
fn run(seed: u64, steps: usize, sabotage: Sabotage) -> Result<Figures, (usize, String)> {
    let mut step = 0;
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let mut world = World::new(seed, sabotage);
        while step < steps {
            world.step();
            step += 1;
        }
        world.wind_down();
        world.figures
    }));
    outcome.map_err(|panic| (step, message(&*panic)))
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|&text| text.into())).unwrap_or_default()
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable}={text} is no number")))
}

#[test]
fn every_line_anybody_reads_follows_from_the_protocol() {
    let first = number("CHINWAG_SEED").unwrap_or(1);
    let seeds =
        number("CHINWAG_SEEDS").unwrap_or(if number("CHINWAG_SEED").is_some() { 1 } else { 20 });
    let steps = number("CHINWAG_STEPS").unwrap_or(600) as usize;
    let mut all = Figures::default();
    for seed in first..first + seeds {
        match run(seed, steps, Sabotage::new(Wrong::Nothing, 0)) {
            Ok(figures) => all.add(figures),
            Err((step, why)) => panic!(
                "seed {seed}, step {step}: {why}\nagain: CHINWAG_SEED={seed} CHINWAG_STEPS={steps} \
                 cargo test --test simulation every_line"
            ),
        }
    }
    println!("{seeds} seeds from {first}, {steps} steps each: {all:?}");
    let is_lively = all.chats > 0 && all.texts > all.chats && all.held > 0 && all.failures > 0;
    let is_sociable = all.room_lines > 0 && all.missed > 0 && all.restarts > 0;
    assert!(is_lively && is_sociable || seeds < 20, "too little happened to prove anything");
}
