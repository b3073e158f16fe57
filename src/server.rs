//! The loop: one thread, one `mio::Poll`, every socket.
//!
//! Readiness becomes calls of the exchange ([`Recorded`]), and its actions become system calls.
//! `Server::turn` lists the steps of one turn: wait, record events, accept, read, serve consoles, fire
//! timeouts, act. Nothing here knows what a line means; the exchange never sees a socket.

mod accept;
mod accounts;
mod acting;
mod admission;
mod bans;
mod connection;
mod console;
mod costs;
pub mod descriptors;
mod draining;
mod event_log;
mod history_store;
mod history_upkeep;
mod listener;
mod log_pace;
pub mod logging;
mod memory;
mod metrics;
mod operator_commands;
mod operators;
mod read_queue;
mod reading;
mod recording;
pub(crate) mod safe_file;
mod shutdown;
mod socket_file;
mod state_folder;
mod tls;
mod wall_clock;
mod watching;

use std::io;
use std::rc::Rc;
use std::time::{Duration, Instant};

use ipnet::IpNet;
use log::info;
use mio::{Events, Interest, Poll, Token};
use signal_hook_mio::v1_0::Signals;
use slab::Slab;

use crate::core::SessionId;
use crate::core::limits::{EVENTS_PER_TURN, Limits, READ_BYTES_PER_TURN, TLS_HANDSHAKES_PER_TURN};
use crate::core::operator::Step;
use crate::core::recording::Recorded;
use crate::core::time::Time;
use crate::core::transport::Scheme;
use crate::core::transport::http::Site;
use accounts::Accounts;
use admission::Admission;
use connection::Connection;
use console::FIRST_CONSOLE;
use costs::Costs;
use history_store::HistoryStore;
pub use listener::ListenAddress;
use listener::Listener;
use memory::MemoryUse;
use metrics::Metrics;
pub use operators::Operators;
use read_queue::ReadQueue;
pub use recording::RecordingFile;
pub use state_folder::StateFolder;
pub use tls::{ServerTls, TlsFiles};
use watching::Watching;

const SIGNALS: Token = Token(usize::MAX - 1);
/// A connection is registered once, for reading and writing. With edge-triggered polling an unused
/// edge is free; registering again for every message would cost a system call.
const INTEREST: Interest = Interest::READABLE.add(Interest::WRITABLE).add(URGENT);
#[cfg(any(target_os = "linux", target_os = "android"))]
const URGENT: Interest = Interest::PRIORITY;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const URGENT: Interest = Interest::READABLE;
/// Tokens of listeners count down from here; tokens of connections count up from 0.
const FIRST_LISTENER: usize = usize::MAX - 2;

/// A chat server, bound to its addresses.
pub struct Server {
    poll: Poll,
    events: Events,
    signals: Signals,
    listeners: Vec<Listener>,
    admission: Admission,
    /// Every client socket. The key is also the poll token and the session id.
    connections: Slab<Connection>,
    /// The core, and the recorder of its inputs if there is one.
    exchange: Recorded,
    recording: Option<RecordingFile>,
    /// The folder for everything that lasts, if the operator wants one; held for its lock.
    _state: Option<StateFolder>,
    /// The files that keep room history over a restart.
    history_store: Option<HistoryStore>,
    /// The helper process for accounts, if the server keeps any.
    accounts: Option<Accounts>,
    operators: Operators,
    /// The web server, as all its connections see it.
    site: Rc<Site>,
    /// The certificate, if the server has one.
    tls: Option<ServerTls>,
    /// Networks whose connections tell the address of their client.
    proxies: Vec<IpNet>,
    metrics: Metrics,
    /// What watchers see of the loop, and whether it is held.
    watching: Watching,
    /// Connections to read in this turn: those that were just accepted, then those that the read
    /// queue chooses. Empty between turns.
    to_read: Vec<SessionId>,
    /// Connections with input. An edge is reported once, so the loop must remember them.
    read_queue: ReadQueue,
    costs: Costs,
    /// Handshakes that this turn may still serve (7.82).
    handshakes_left: usize,
    memory_use: MemoryUse,
    /// Turns in a row in which no reader of a room was written to.
    postponed_turns: u32,
    /// The one read buffer. It serves all connections, because each read is processed before the
    /// next.
    read_buffer: Box<[u8]>,
    started: Instant,
    /// The time of this turn. The clock is read once per turn, so that everything in a turn happens at
    /// the same time; a second reading at the end only feeds the metrics.
    now: Time,
    /// The same time in full precision, for the metrics.
    woke: Duration,
    /// When the loop last looked at the wall clock.
    wall_clock_read_at: Time,
    /// Connections accepted so far; the number of the latest one in the log.
    accepted_count: u32,
    /// Set while the server stops: when it ends even if clients are still connected.
    stop_by: Option<Time>,
    closing_ms: u64,
}

impl Server {
    /// Binds all `addresses`, takes over the signals that stop the server, and restores what is in
    /// the state folder. Some addresses need `tls`. Every input of the core goes to `recording`.
    ///
    /// # Errors
    /// An address that cannot be bound or a state that cannot be used, with the reason.
    pub fn bind(
        addresses: &[ListenAddress],
        tls: Option<ServerTls>,
        limits: Limits,
        state: Option<StateFolder>,
        recording: Option<RecordingFile>,
    ) -> io::Result<Server> {
        let mut exchange = recording::begin(&limits, recording.as_ref())?;
        let poll = Poll::new()?;
        // First of all, because it may fail, and a failed start prints one line.
        let accounts = Accounts::open(state.as_ref(), &limits, &mut exchange, poll.registry())?;
        let history_store = history_upkeep::restore(&mut exchange, state.as_ref())?;
        let mut signals = shutdown::take_signals(tls.is_some())?;
        poll.registry().register(&mut signals, SIGNALS, Interest::READABLE)?;
        let (registry, has_tls) = (poll.registry(), tls.is_some());
        let listeners = listener::bind_all(addresses, has_tls, &limits, registry, FIRST_LISTENER)?;
        for address in listeners.iter().map(Listener::address) {
            info!(target: "chinwag", "listening on {address}, for {} at a time", limits.connections_max);
        }
        accounts.iter().for_each(Accounts::log_start);
        tell_places(&listeners, &mut exchange);
        Ok(Server {
            poll,
            events: Events::with_capacity(EVENTS_PER_TURN),
            signals,
            listeners,
            admission: Admission::new(&limits),
            connections: Slab::new(),
            to_read: Vec::new(),
            read_queue: ReadQueue::default(),
            costs: Costs::default(),
            handshakes_left: 0,
            memory_use: MemoryUse::default(),
            postponed_turns: 0,
            read_buffer: vec![0; READ_BYTES_PER_TURN].into_boxed_slice(),
            #[expect(clippy::disallowed_methods, reason = "the loop is where the time comes from")]
            started: Instant::now(),
            now: Time::START,
            woke: Duration::ZERO,
            wall_clock_read_at: Time::START,
            accounts,
            operators: Operators::default(),
            proxies: Vec::new(),
            metrics: Metrics::new(),
            watching: Watching::new(),
            accepted_count: 0,
            stop_by: None,
            closing_ms: limits.closing_ms,
            exchange,
            recording,
            history_store,
            _state: state,
            site: Rc::default(),
            tls,
        })
    }

    /// Opens the server to operators, and applies their bans.
    ///
    /// # Errors
    /// If the console cannot be polled.
    pub fn add_operators(&mut self, mut operators: Operators) -> io::Result<()> {
        operators.register(self.poll.registry())?;
        self.operators = operators;
        Ok(())
    }

    /// The bound addresses, with the ports that the kernel chose.
    pub fn addresses(&self) -> impl Iterator<Item = ListenAddress> {
        self.listeners.iter().map(Listener::address)
    }

    /// Serves until a signal or an operator stops the server, then until all clients have gone or the
    /// closing deadline has passed.
    ///
    /// # Errors
    /// The kernel refuses to wait for events. No client can cause this.
    pub fn run(&mut self) -> io::Result<()> {
        self.announce_certificate();
        while !self.is_done() {
            self.turn()?;
        }
        info!(target: "chinwag", "stopped with {} connections left", self.connections.len());
        log::logger().flush();
        Ok(())
    }

    /// One turn of the loop. The order matters: all ready input is read before any timeout fires, and
    /// all output is written before any socket is closed.
    fn turn(&mut self) -> io::Result<()> {
        self.wait()?;
        self.end_step(Step::Wait)?;
        self.handshakes_left = TLS_HANDSHAKES_PER_TURN;
        self.record_events();
        self.end_step(Step::Events)?;
        self.accept();
        self.end_step(Step::Accept)?;
        self.read();
        self.end_step(Step::Read)?;
        self.serve_accounts();
        self.end_step(Step::Accounts)?;
        self.serve_consoles();
        self.end_step(Step::Consoles)?;
        self.read_before_timeouts()?;
        self.exchange.handle_timeout(self.now);
        self.watch_certificate();
        self.end_step(Step::Timers)?;
        self.act();
        self.shorten_shutdown();
        self.follow_memory_use();
        self.write_recording();
        logging::flush_due();
        let awake = self.elapsed().saturating_sub(self.woke);
        self.metrics.turn_ns.record(u64::try_from(awake.as_nanos()).unwrap_or(u64::MAX));
        self.costs.record_turn(self.now_s(), awake);
        self.end_step(Step::Act)
    }

    /// Sleeps until a socket is ready or a deadline passes. With work left from the last turn it only
    /// looks. Without a deadline it sleeps without a timeout, so an idle server uses no CPU.
    fn wait(&mut self) -> io::Result<()> {
        // Work that is left must not wait for an event that may never come.
        let left = !self.read_queue.is_empty()
            || self.listeners.iter().any(Listener::has_more)
            || self.operators.has_work()
            || self.exchange.poll_drain().is_some()
            || self.exchange.has_fan_out()
            || self.has_history_work();
        let retry = self.listeners.iter().filter_map(Listener::retry_at).min();
        let helper = self.accounts.as_ref().and_then(Accounts::next_deadline);
        let (certificate, release) = (self.certificate_deadline(), self.memory_use.deadline());
        let history = self.history_deadline();
        let watchers = self.watching.deadline();
        let shell = [retry, self.stop_by, history, helper, certificate, release, watchers];
        let shell = shell.into_iter().flatten();
        let next = self.exchange.poll_timeout().into_iter().chain(shell).min();
        let mut timeout = match next {
            _ if left => Some(Duration::ZERO),
            Some(at) => Some(Duration::from_millis(at.ms_since(self.now))),
            None => None,
        };
        timeout = timeout.into_iter().chain(logging::flush_in()).min();
        while let Err(e) = self.poll.poll(&mut self.events, timeout) {
            if e.kind() != io::ErrorKind::Interrupted {
                return Err(e);
            }
            // A signal such as SIGCONT interrupted the wait (signal(7)). Input that has arrived in the
            // meantime must be read before timers fire, so look once without waiting.
            timeout = Some(Duration::ZERO);
        }
        self.woke = self.elapsed();
        self.now = Time::START.after_ms(u64::try_from(self.woke.as_millis()).unwrap_or(u64::MAX));
        self.follow_wall_clock();
        Ok(())
    }

    /// Records what each event reports. No socket is closed here: a closed socket's token could be
    /// given to a new connection while an old event for it is still in the batch.
    fn record_events(&mut self) {
        let events = std::mem::replace(&mut self.events, Events::with_capacity(0));
        let (mut count, mut of_consoles) = (0, 0);
        for event in &events {
            count += 1;
            let Token(key) = event.token();
            if event.token() == SIGNALS {
                self.handle_signals();
            } else if event.token() == accounts::HELPER {
                self.accounts.as_mut().into_iter().for_each(Accounts::note_ready);
            } else if let Some(listener) = self.listeners.get_mut(FIRST_LISTENER.wrapping_sub(key))
            {
                listener.note_ready();
            } else if key >= FIRST_CONSOLE {
                of_consoles += 1;
                self.operators.record_event(event);
            } else {
                self.record_readiness(key, event);
            }
        }
        self.watching.turn_events = count - of_consoles;
        self.watching.events += count - of_consoles;
        self.metrics.turn_events.record(count);
        self.postpone_fan_out(count);
        self.events = events;
    }
}

/// Tells the exchange where the page is, and where TLS is spoken, for clients at the wrong port.
fn tell_places(listeners: &[Listener], exchange: &mut Recorded) {
    if let Some(page) = listener::place(listeners, [Scheme::Https, Scheme::Http]) {
        exchange.set_page(&page);
    }
    if let Some(place) = listener::place(listeners, [Scheme::Tls, Scheme::Https]) {
        exchange.set_tls(&place);
    }
}
