//! The demonstration as the loop of [`crate::watch::io`] shows it: the view of the server, and below it the
//! panel, with what the crowd and the attack print.

use std::time::{Duration, Instant};

use mio::unix::pipe::Receiver;
use mio::{Events, Interest, Registry, Token};
use ratatui_core::buffer::Buffer;
use ratatui_core::layout::Rect;

use super::DemoArgs;
use super::children::{Server, Theatre, failed};
use super::panel;
use super::script::Script;
use super::stage::{Action, Stage, kind_of, seconds_of};
use crate::client::ui::keys::Key;
use crate::peers::lines::Lines;
use crate::watch;
use crate::watch::io::{FIRST_TOKEN, Live, Source, Subject};
use crate::watch::view::{Look, Wish};

/// The console has the first.
const CROWD: Token = Token(FIRST_TOKEN.0 + 1);
const ATTACK: Token = Token(FIRST_TOKEN.0 + 2);

/// What a child prints.
struct Output {
    source: Source<Receiver>,
    lines: Lines,
}

impl Output {
    fn watch(registry: &Registry, lines: Receiver, token: Token) -> std::io::Result<Output> {
        let source = Source::watch(registry, lines, token, Interest::READABLE)?;
        Ok(Output { source, lines: Lines::default() })
    }

    /// Reads lines. Returns whether the child has ended.
    fn read(&mut self, events: &Events, mut each: impl FnMut(&str)) -> bool {
        self.source.read(events, |bytes| self.lines.push(bytes, &mut each))
    }
}

/// A running demonstration.
pub(super) struct Performance {
    registry: Registry,
    look: Look,
    live: Live,
    stage: Stage,
    theatre: Theatre,
    crowd: Option<Output>,
    attack: Option<Output>,
    script: Option<Script>,
    began: Instant,
}

impl Performance {
    /// Starts the server and the crowd.
    ///
    /// # Errors
    /// One of them does not start, with the reason.
    pub(super) fn open(args: &DemoArgs, registry: &Registry) -> Result<Performance, String> {
        let look = watch::look();
        let server = Server::start()?;
        let live = Live::connect(&server.console(), registry, look)?;
        let stage = Stage::new(server.address.clone());
        let (theatre, crowd) = Theatre::open(server, args.people, args.seed)?;
        Ok(Performance {
            registry: registry.try_clone().map_err(failed)?,
            look,
            live,
            stage,
            theatre,
            crowd: Some(Output::watch(registry, crowd, CROWD).map_err(failed)?),
            attack: None,
            script: args.script.then(Script::default),
            began: clock(),
        })
    }

    fn start_attack(&mut self, n: usize) {
        let Some(kind) = kind_of(n) else { return };
        let lines = self.theatre.attack(kind, seconds_of(n));
        match lines.and_then(|lines| Output::watch(&self.registry, lines, ATTACK)) {
            Ok(output) => self.attack = Some(output),
            Err(_) => self.end_attack(),
        }
    }

    fn end_attack(&mut self) {
        self.attack = None;
        self.stage.attack_has_ended();
        self.theatre.end_attack();
    }
}

impl Subject for Performance {
    /// No wait while a source has more, and none beyond the next key of the script.
    fn timeout(&self) -> Option<Duration> {
        let has_more = |output: &Option<Output>| {
            output.as_ref().is_some_and(|output| output.source.has_more())
        };
        if has_more(&self.crowd) || has_more(&self.attack) {
            return Some(Duration::ZERO);
        }
        let next = self.script.as_ref().and_then(Script::next_at);
        let next = next.map(|at| Duration::from_micros(at).saturating_sub(self.began.elapsed()));
        [self.live.timeout(), next].into_iter().flatten().min()
    }

    fn draw(&self, area: Rect, buffer: &mut Buffer) {
        let rows = panel::rows(area.height);
        let above = Rect { height: area.height - rows, ..area };
        self.live.draw(above, buffer);
        let below = Rect { y: area.y + above.height, height: rows, ..area };
        panel::draw(&self.stage, self.look, below, buffer);
    }

    fn handle_key(&mut self, key: &Key) -> Wish {
        // The loop suspends all processes. An attack would report the pause as the fault of the server.
        if *key == Key::Control('z') {
            self.end_attack();
        }
        match self.stage.handle_key(key) {
            Action::Attack(n) => self.start_attack(n),
            Action::EndAttack => self.end_attack(),
            Action::PassOn => return self.live.handle_key(key),
        }
        Wish::Draw
    }

    fn next_key(&mut self) -> Option<Key> {
        let now = self.began.elapsed().as_micros() as u64;
        self.script.as_mut()?.press(now)
    }

    fn turn(&mut self, events: &Events) {
        self.live.turn(events);
        let stage = &mut self.stage;
        if let Some(crowd) = &mut self.crowd
            && crowd.read(events, |line| stage.hear_crowd(line))
        {
            self.crowd = None;
        }
        if let Some(attack) = &mut self.attack
            && attack.read(events, |line| stage.hear_attack(line))
        {
            self.end_attack();
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the script needs the time, and the demonstration is its shell"
)]
fn clock() -> Instant {
    Instant::now()
}
