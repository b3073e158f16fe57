//! The loop: one thread, one `mio::Poll`, everybody. Here readiness becomes calls of the
//! [`Exchange`], and what it says becomes system calls; nothing else happens here.
//!
//! `Server::turn` reads like its steps: wait, record, accept, read (which hands lines to the chat,
//! and what it says to the outboxes), let happen what is due, and act: write, close, report.

mod accept;
mod admission;
mod bans;
mod connection;
mod console;
pub mod descriptors;
mod event_log;
mod history_store;
mod listener;
pub mod logging;
mod metrics;
mod operator_commands;
mod shutdown;
mod socket_file;

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use log::{debug, info};
use mio::event::Event;
use mio::{Events, Interest, Poll, Token};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook_mio::v1_0::Signals;
use slab::Slab;

use crate::core::SessionId;
use crate::core::chat;
use crate::core::exchange::{Action, Exchange};
use crate::core::limits::{EVENTS_PER_TURN, Limits, READ_BYTES_PER_TURN, RESUMED_READS_PER_TURN};
use crate::core::time::Time;
use admission::Admission;
use connection::{Connection, IoOutcome};
use console::FIRST_CONSOLE;
use history_store::HistoryStore;
use listener::Listener;
use metrics::Metrics;
pub use operator_commands::Operators;

const SIGNALS: Token = Token(usize::MAX - 1);
/// What is asked about a connection, once and for all: edges cost nothing while nobody acts on
/// them, a second registration for each message would.
const INTEREST: Interest = Interest::READABLE.add(Interest::WRITABLE).add(URGENT);
#[cfg(any(target_os = "linux", target_os = "android"))]
const URGENT: Interest = Interest::PRIORITY;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const URGENT: Interest = Interest::READABLE;
/// Listeners count down from here, connections up from 0.
const FIRST_LISTENER: usize = usize::MAX - 2;

/// A chat server on its addresses.
pub struct Server {
    poll: Poll,
    events: Events,
    signals: Signals,
    listeners: Vec<Listener>,
    admission: Admission,
    /// Every socket; its key is its token and the id of its session.
    connections: Slab<Connection>,
    exchange: Exchange,
    /// Where what is said in rooms outlasts us.
    history_store: Option<HistoryStore>,
    operators: Operators,
    metrics: Metrics,
    /// Connections that an event of this turn made readable, and those that have just arrived.
    newly_readable: Vec<SessionId>,
    /// Connections that were not read to the end, or not at all: an edge tells of it once, and we
    /// remember. Those who send without end are always among these; those who talk are not, and
    /// are read before.
    unfinished_reads: VecDeque<SessionId>,
    /// The one buffer everybody is read into.
    read_buffer: Box<[u8]>,
    started: Instant,
    /// The time of this turn. The clock is read once more in each, for the metrics alone.
    now: Time,
    /// The same to the nanosecond.
    woke: Duration,
    /// Connections so far; the next one's number in the log.
    arrivals: u32,
    /// The server stops, and ends by then whether or not everybody has gone.
    stop_by: Option<Time>,
    closing_ms: u64,
}

impl Server {
    /// Binds all `addresses`, asks for SIGINT and SIGTERM, and takes up the past in the folder
    /// `history`.
    ///
    /// # Errors
    /// The address that cannot be listened on, or the folder that cannot be used, and why.
    pub fn bind(
        addresses: &[SocketAddr],
        limits: Limits,
        history: Option<&Path>,
    ) -> io::Result<Server> {
        let mut exchange = Exchange::new(limits.clone());
        let mut history_store = history.map(HistoryStore::open).transpose()?;
        exchange.handle_start(unix_seconds(), history_store.iter().flat_map(HistoryStore::past));
        if let Some(history_store) = &mut history_store {
            history_store.clear_history();
            exchange.start_recording();
        }
        let poll = Poll::new()?;
        let mut signals = Signals::new([SIGINT, SIGTERM])?;
        poll.registry().register(&mut signals, SIGNALS, Interest::READABLE)?;
        let mut listeners = Vec::with_capacity(addresses.len());
        for (n, &address) in addresses.iter().enumerate() {
            let mut listener = Listener::bind(address, &limits).map_err(|e| {
                io::Error::new(e.kind(), format!("cannot listen on {address}: {e}"))
            })?;
            listener.register(poll.registry(), Token(FIRST_LISTENER - n))?;
            listeners.push(listener);
        }
        for address in listeners.iter().map(Listener::address) {
            info!(target: "chinwag", "listening on {address}, for {} at a time", limits.connections_max);
        }
        Ok(Server {
            poll,
            events: Events::with_capacity(EVENTS_PER_TURN),
            signals,
            listeners,
            admission: Admission::new(&limits),
            connections: Slab::new(),
            newly_readable: Vec::new(),
            unfinished_reads: VecDeque::new(),
            read_buffer: vec![0; READ_BYTES_PER_TURN].into_boxed_slice(),
            #[expect(clippy::disallowed_methods, reason = "the loop is where the time comes from")]
            started: Instant::now(),
            now: Time::START,
            woke: Duration::ZERO,
            operators: Operators::default(),
            metrics: Metrics::new(),
            arrivals: 0,
            stop_by: None,
            closing_ms: limits.closing_ms,
            exchange,
            history_store,
        })
    }

    /// Lets operators in, and keeps out whom they have banned.
    ///
    /// # Errors
    /// If the console cannot be polled.
    pub fn add_operators(&mut self, mut operators: Operators) -> io::Result<()> {
        operators.register(self.poll.registry())?;
        self.operators = operators;
        Ok(())
    }

    /// The addresses listened on, with the ports the kernel gave.
    pub fn addresses(&self) -> impl Iterator<Item = SocketAddr> {
        self.listeners.iter().map(Listener::address)
    }

    /// Serves until told to stop, and then until everybody has gone or the time for that is up.
    ///
    /// # Errors
    /// If the kernel refuses to wait for events; nothing a client does can bring that about.
    pub fn run(&mut self) -> io::Result<()> {
        while !self.is_done() {
            self.turn()?;
        }
        info!(target: "chinwag", "stopped with {} connections left", self.connections.len());
        Ok(())
    }

    fn turn(&mut self) -> io::Result<()> {
        self.wait()?;
        self.record_events();
        self.accept();
        self.read();
        self.serve_consoles();
        self.exchange.handle_timeout(self.now);
        self.act();
        self.shorten_shutdown();
        let awake = self.started.elapsed().saturating_sub(self.woke).as_nanos();
        self.metrics.turn_ns.record(u64::try_from(awake).unwrap_or(u64::MAX));
        Ok(())
    }

    /// Sleeps until something is ready or due. With work left from the last turn it only looks.
    fn wait(&mut self) -> io::Result<()> {
        let left = !self.unfinished_reads.is_empty()
            || self.listeners.iter().any(Listener::has_more)
            || self.operators.has_work();
        let retry = self.listeners.iter().filter_map(Listener::retry_at).min();
        let next = self.exchange.poll_timeout().into_iter().chain(retry).chain(self.stop_by).min();
        let mut timeout = match next {
            _ if left => Some(Duration::ZERO),
            Some(at) => Some(Duration::from_millis(at.ms_since(self.now))),
            None => None,
        };
        while let Err(e) = self.poll.poll(&mut self.events, timeout) {
            if e.kind() != io::ErrorKind::Interrupted {
                return Err(e);
            }
            // We were stopped and go on (signal(7)): what has come since is read before what is
            // due.
            timeout = Some(Duration::ZERO);
        }
        self.woke = self.started.elapsed();
        self.now = Time::START.after_ms(u64::try_from(self.woke.as_millis()).unwrap_or(u64::MAX));
        Ok(())
    }

    /// Remembers what each event says. No socket is closed here, so no token can change hands.
    fn record_events(&mut self) {
        let events = std::mem::replace(&mut self.events, Events::with_capacity(0));
        let mut count = 0;
        for event in &events {
            count += 1;
            let Token(key) = event.token();
            if event.token() == SIGNALS {
                self.handle_signals();
            } else if let Some(listener) = self.listeners.get_mut(FIRST_LISTENER.wrapping_sub(key))
            {
                listener.note_ready();
            } else if key >= FIRST_CONSOLE {
                self.operators.record_event(event);
            } else {
                self.record_readiness(key, event);
            }
        }
        self.metrics.turn_events.record(count);
        self.events = events;
    }

    fn record_readiness(&mut self, key: usize, event: &Event) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        let id = SessionId::from_key(key);
        if event.is_writable() {
            self.exchange.handle_writable(id);
        }
        if event.is_error() && !self.exchange.wants_input(id) {
            // What could have been read is held back, so the read that would tell us never comes.
            self.exchange.handle_failure(self.now, id);
        } else if connection.record_event(event) {
            match connection.floods {
                true => self.unfinished_reads.push_back(id),
                false => self.newly_readable.push(id),
            }
        }
    }

    /// One read for each connection with an edge, then one for some of those with leftovers, so
    /// that however many send without end, who says a line is heard in the turn it comes.
    fn read(&mut self) {
        let leftovers = self.unfinished_reads.len().min(RESUMED_READS_PER_TURN);
        let mut newly_readable = std::mem::take(&mut self.newly_readable);
        newly_readable.drain(..).for_each(|id| self.read_once(id));
        self.newly_readable = newly_readable;
        for _ in 0..leftovers {
            if let Some(id) = self.unfinished_reads.pop_front() {
                self.read_once(id);
            }
        }
    }

    fn read_once(&mut self, id: SessionId) {
        let Some(connection) = self.connections.get_mut(id.key()) else { return };
        connection.is_queued = false;
        if !self.exchange.wants_input(id) {
            self.metrics.inputs_held += 1;
            return;
        }
        match connection.read(&mut self.read_buffer) {
            IoOutcome::Bytes(n) => {
                self.metrics.bytes_in += n as u64;
                self.exchange.handle_received(self.now, id, &self.read_buffer[..n]);
            }
            IoOutcome::End => self.exchange.handle_end_of_input(self.now, id),
            IoOutcome::Nothing => {}
            IoOutcome::Failed(e) => self.fail(id, &e),
        }
        self.queue_again(id);
    }

    /// Lists a connection for a later turn, if there may be more to read and it is wanted.
    fn queue_again(&mut self, id: SessionId) {
        let Some(connection) = self.connections.get_mut(id.key()) else { return };
        if connection.has_more && !connection.is_queued && self.exchange.wants_input(id) {
            connection.is_queued = true;
            self.unfinished_reads.push_back(id);
        }
    }

    /// Does what the exchange wants done: all that was said in this turn leaves in one write for
    /// each socket, and sockets are closed when the batch of events that names them is done with.
    fn act(&mut self) {
        while let Some(action) = self.exchange.poll_action() {
            match action {
                Action::Write(id) => self.write(id),
                Action::Resume(id) => self.queue_again(id),
                Action::EndSending(id) => self.end_sending(id),
                Action::Close(id) => self.close(id),
                Action::Report(event) => self.report(event),
            }
        }
        self.store_history();
    }

    /// What is said in rooms reaches the file before anybody, so that nothing that was read is lost,
    /// however we end.
    fn store_history(&mut self) {
        if let Some(history_store) = &mut self.history_store
            && !self.exchange.records().is_empty()
        {
            history_store.append(self.exchange.records());
            self.exchange.clear_records();
        }
    }

    fn report(&mut self, event: chat::Event) {
        self.metrics.record(event);
        event_log::report(event, &self.connections, self.exchange.chat());
        if event == chat::Event::StopIsDue {
            self.await_disconnects();
        }
    }

    fn write(&mut self, id: SessionId) {
        while self.connections.contains(id.key()) && !self.exchange.output(id).is_empty() {
            // Each time: what the last write made room for may have been heard, and said to this one.
            self.store_history();
            let connection = &mut self.connections[id.key()];
            match connection.write(self.exchange.output(id)) {
                IoOutcome::Bytes(n) => {
                    self.metrics.bytes_out += n as u64;
                    self.exchange.handle_sent(self.now, id, n);
                }
                IoOutcome::Nothing => return self.exchange.handle_blocked(self.now, id),
                IoOutcome::End => return self.fail(id, &io::ErrorKind::WriteZero.into()),
                IoOutcome::Failed(e) => return self.fail(id, &e),
            }
        }
    }

    fn end_sending(&mut self, id: SessionId) {
        let Some(connection) = self.connections.get_mut(id.key()) else { return };
        if let Err(e) = connection.end_sending() {
            self.fail(id, &e);
        }
    }

    fn fail(&mut self, id: SessionId, error: &io::Error) {
        debug!(target: "chinwag", "#{}: {error}", self.connections[id.key()].number);
        self.exchange.handle_failure(self.now, id);
    }

    fn close(&mut self, id: SessionId) {
        let connection = self.connections.remove(id.key());
        debug!(target: "chinwag", "#{} {} closed", connection.number, connection.peer);
        self.admission.release(connection.peer.ip());
        self.exchange.forget(id);
        // A descriptor is free: whoever waits for one can be accepted.
        for listener in &mut self.listeners {
            listener.retry_now();
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the past of rooms is told with the time of day")]
fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
