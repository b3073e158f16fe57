//! `chinwag crowd`: simulated people who use a server, and what they waited.
//!
//! `main` calls [`run`]. The people of `people/` are pure and come from a seed. [`crate::peers::pool`]
//! carries their connections, and the ledger joins what one person said with what another heard.

pub mod ledger;
mod listener;
pub mod people;
pub mod report;
mod screen;

use std::hash::{BuildHasher, RandomState};
use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;

use clap::Args;

use crate::client::options::Server;
use crate::core::limits::{
    CROWD_PEOPLE_ELSEWHERE_MAX, CROWD_PEOPLE_MAX, CROWD_SECONDS, CROWD_SECONDS_MAX, PEER_PATIENCE_S,
};
use crate::peers::peer::{Micros, SECOND};
use crate::peers::pool::Pool;
use crate::peers::target::{self, Refusal};
use crate::server::descriptors::Descriptors;
use listener::Listener;
use people::Note;
use people::pace::Pace;
use people::person::Person;
use screen::Screen;

/// The examples in the help text and the manual page.
pub const EXAMPLES: &str = "\
Examples:
  chinwag crowd 200                           200 people for a minute
  chinwag crowd 1000 --fast --for 10          as fast as the limits allow
  chinwag crowd 50 --seed 7                   the same 50 people as last time

The people list, ask, say yes and no, chat, withdraw, visit rooms, leave and
come back. You can meet them: join with nc, and ask one of them to chat.
\"refused\" counts what happens among people, such as a user who is taken.
Exit code: 0 no problems, 1 problems or no server, 2 wrong arguments.";

/// How long people may take to say goodbye at the end. The server may hold the input of some for 5 s
/// (7.52, 7.77).
const GOODBYES: Micros = 12 * SECOND;

/// The flags of `crowd`.
#[derive(Debug, Args)]
pub struct CrowdArgs {
    /// How many people
    #[arg(value_name = "N", value_parser = clap::value_parser!(u32).range(1..=CROWD_PEOPLE_MAX as i64))]
    pub people: u32,

    /// The server. At another machine than this one, at most 100 people, without --fast
    #[arg(value_name = "HOST[:PORT]", default_value = "127.0.0.1:7878")]
    pub server: Server,

    /// The seed that people and their choices come from [default: a new one, which is printed]
    #[arg(long, value_name = "NUMBER")]
    pub seed: Option<u64>,

    /// For how many seconds
    #[arg(long = "for", value_name = "SECONDS", default_value_t = CROWD_SECONDS,
          value_parser = clap::value_parser!(u64).range(1..=CROWD_SECONDS_MAX))]
    pub seconds: u64,

    /// Act as fast as the limits of the server allow, not as people do
    #[arg(long)]
    pub fast: bool,

    /// Print one JSON object every second, and a last one
    #[arg(long)]
    pub json: bool,
}

/// Runs a crowd and reports what it measured.
#[must_use]
pub fn run(args: &CrowdArgs) -> ExitCode {
    match try_run(args) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(refusal) => refusal.report(),
    }
}

/// Returns the number of problems.
fn try_run(args: &CrowdArgs) -> Result<u64, Refusal> {
    let server = target::resolve(&args.server)?;
    let people = args.people as usize;
    let is_here = server.ip().to_canonical().is_loopback();
    if !is_here && (people > CROWD_PEOPLE_ELSEWHERE_MAX || args.fast) {
        return Err(Refusal::Usage(format!(
            "{} is another machine, which others may be using: at most \
             {CROWD_PEOPLE_ELSEWHERE_MAX} people there, and not --fast",
            server.ip()
        )));
    }
    let possible = Descriptors::raise().connections();
    if people > possible {
        return Err(format!(
            "{people} people need as many file descriptors, and the limit here leaves {possible}; \
             raise it with ulimit -n"
        )
        .into());
    }
    let seed = args.seed.unwrap_or_else(|| RandomState::new().hash_one(()) >> 32);
    let mut crowd = Crowd::new(server, seed).map_err(|error| error.to_string())?;
    crowd.invite(people, if args.fast { Pace::fast() } else { Pace::human() });
    Ok(crowd.run(args).map_err(|error| error.to_string())?)
}

struct Crowd {
    pool: Pool<Note>,
    seed: u64,
    listener: Listener,
}

impl Crowd {
    fn new(server: SocketAddr, seed: u64) -> io::Result<Crowd> {
        Ok(Crowd { pool: Pool::new(server)?, seed, listener: Listener::default() })
    }

    fn invite(&mut self, people: usize, pace: Pace) {
        for n in 0..people {
            let at = pace.arrives_every * n as u64;
            let person = Person::new(self.seed, n, pace.clone(), at);
            self.pool.add(Box::new(person), at, false);
        }
    }

    /// Runs until the time is over, or the server is gone.
    fn run(mut self, args: &CrowdArgs) -> io::Result<u64> {
        let mut screen = Screen::new(args, self.seed)?;
        let end = args.seconds * SECOND;
        let mut shown_at = SECOND;
        while self.pool.now() < end && !self.pool.is_empty() {
            self.turn(shown_at.min(end))?;
            if self.pool.now() >= shown_at {
                shown_at += SECOND;
                self.check_overdue();
                screen.show(&self.listener.report, self.pool.now())?;
            }
        }
        let (ended, online) = (self.pool.now(), self.listener.report.online);
        let listener = &mut self.listener;
        self.pool.stop(true, &mut |key, now, note| listener.hear(key, now, note));
        while self.pool.now() < ended + GOODBYES && !self.pool.is_empty() {
            self.turn(ended + GOODBYES)?;
        }
        for _ in 0..self.pool.len() {
            self.listener.report.problem("no goodbye at the end".to_owned());
        }
        if !self.listener.report.has_greeted() {
            self.listener.report.problem("nobody was greeted".to_owned());
        }
        // Of the run, not of its goodbyes.
        self.listener.report.online = online;
        screen.finish(&self.listener.report, ended)?;
        Ok(self.listener.report.problems.total())
    }

    fn turn(&mut self, until: Micros) -> io::Result<()> {
        let listener = &mut self.listener;
        self.pool.turn(until, &mut |key, now, note| listener.hear(key, now, note))
    }

    fn check_overdue(&mut self) {
        for _ in 0..self.listener.ledger.overdue(self.pool.now()) {
            let text = format!("a line did not reach the partner within {PEER_PATIENCE_S} s");
            self.listener.report.problem(text);
        }
    }
}
