//! Simulated people send random input to one `Exchange`. A model of the protocol, written
//! independently, must be able to explain every line that anybody reads. A seed decides everything.
//!
//! ```text
//! people ──typed──► sockets ──bytes──► Exchange ──bytes──► sockets ──► people
//!   │                  │                   │ lines (a canary changes some: canaries.rs)
//!   └─ intended input ─┴─────────► Model ◄─┘
//! ```

mod canaries;
#[path = "../transport/encodings.rs"]
mod encodings;
mod habits;
#[path = "../transport/layer.rs"]
mod layer;
mod model;
mod packet_cuts;
mod plan;
mod random;
mod sabotage;
#[path = "../transport/scrambled.rs"]
mod scrambled;
mod socket;
#[path = "../common/store.rs"]
mod store;
#[path = "../transport/tls_peer.rs"]
mod tls_peer;
mod traffic;
mod typing;
#[path = "../transport/web_peer.rs"]
mod web_peer;
mod world;

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use sabotage::{Fault, Sabotage};
use world::{Stats, World};

/// Runs one seed. On failure, returns the step that failed and the reason.
fn run(seed: u64, steps: usize, sabotage: Sabotage) -> Result<Stats, (usize, String)> {
    let mut step = 0;
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let mut world = World::new(seed, sabotage);
        while step < steps {
            world.step();
            step += 1;
        }
        world.wind_down();
        world.stats
    }));
    outcome.map_err(|panic| (step, panic_message(&*panic)))
}

fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|&text| text.into())).unwrap_or_default()
}

fn number_from_env(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable}={text} is not a number")))
}

/// The seed decides how many people there are, what their habits are, and what goes wrong: see
/// [`plan::Plan`]. At the end the faults stop. Every session must then get its replies, leave, and
/// leave nothing behind in the server.
///
/// `CHINWAG_SEED` runs one seed. `CHINWAG_SEEDS` sets how many seeds run, starting at 1 or at
/// `CHINWAG_SEED`. `CHINWAG_STEPS` sets the steps per seed. `CHINWAG_TRACE=1` prints every line.
#[test]
fn every_line_anybody_reads_follows_from_the_protocol() {
    let first = number_from_env("CHINWAG_SEED").unwrap_or(1);
    let seeds = number_from_env("CHINWAG_SEEDS")
        .unwrap_or(if number_from_env("CHINWAG_SEED").is_some() { 1 } else { 20 });
    let steps = number_from_env("CHINWAG_STEPS").unwrap_or(600) as usize;
    let mut totals = Stats::default();
    for seed in first..first + seeds {
        match run(seed, steps, Sabotage::new(Fault::Nothing, 0)) {
            Ok(stats) => totals.add(stats),
            Err((step, why)) => panic!(
                "seed {seed}, step {step}: {why}\nto repeat: CHINWAG_SEED={seed} \
                 CHINWAG_STEPS={steps} cargo test --test simulation every_line"
            ),
        }
    }
    println!("{seeds} seeds from {first}, {steps} steps each: {totals:?}");
    let chats_were_used = totals.chats > 0
        && totals.messages > totals.chats
        && totals.held > 0
        && totals.failures > 0;
    let rooms_were_used = totals.room_lines > 0
        && totals.missed > 0
        && totals.restarts > 0
        && totals.rewrites > 0
        && totals.unfinished_answers > 0;
    assert!(
        chats_were_used && rooms_were_used || seeds < 20,
        "too little happened: the run proves nothing"
    );
    let accounts_were_used =
        totals.sign_ins > 0 && totals.take_overs > 0 && totals.registrations > 0;
    assert!(totals.told > 100 || seeds < 20, "followers were hardly told anything");
    let was_recorded = totals.replayed > 100_000 && totals.stand_ins > 50;
    assert!(was_recorded || seeds < 20, "little was recorded");
    assert!(accounts_were_used || seeds < 20, "too little happened with accounts");
}
