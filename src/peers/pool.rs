//! The loop of the simulated people: one mio poll over all of them.
//!
//! A turn waits, marks what is ready, wakes the peers whose time has come, and serves a few
//! connections: one read and one write each. What is left stays in a queue for the next turn, so a
//! peer that floods cannot delay the measurements of the others. Peers that are `first` go before all.

use std::collections::{BTreeSet, VecDeque};
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::{Events, Poll, Token};
use slab::Slab;

use super::peer::{Acts, End, Input, Micros, Peer};
use crate::core::limits::PEERS_PER_TURN;

mod connection;

use connection::{Connection, Read};

const EVENTS_MAX: usize = 256;
const READ_BYTES: usize = 64 * 1024;

/// All peers, and their connections.
pub struct Pool<N> {
    poll: Poll,
    events: Events,
    began: Instant,
    server: SocketAddr,
    slots: Slab<Slot<N>>,
    timers: BTreeSet<(Micros, usize)>,
    /// Connections that may be readable or writable: those of `first` peers, and the others.
    first: VecDeque<usize>,
    others: VecDeque<usize>,
    acts: Acts<N>,
    buffer: Box<[u8]>,
    /// Bytes that the kernel took and gave.
    pub bytes: Traffic,
}

/// What gets the notes of the peers: the key of the peer, the time, and the note.
pub type Tell<'a, N> = &'a mut dyn FnMut(usize, Micros, N);

/// Bytes of all connections together.
#[derive(Debug, Clone, Copy, Default)]
pub struct Traffic {
    /// Bytes that the kernel took.
    pub sent: u64,
    /// Bytes that came.
    pub read: u64,
}

struct Slot<N> {
    peer: Box<dyn Peer<N>>,
    connection: Option<Connection>,
    is_first: bool,
    is_queued: bool,
    wake_at: Option<Micros>,
    connect_at: Option<Micros>,
}

impl<N> Pool<N> {
    /// A pool without peers, whose time begins now.
    ///
    /// # Errors
    /// The system gives no poll.
    pub fn new(server: SocketAddr) -> io::Result<Pool<N>> {
        Ok(Pool {
            poll: Poll::new()?,
            events: Events::with_capacity(EVENTS_MAX),
            began: clock(),
            server,
            slots: Slab::new(),
            timers: BTreeSet::new(),
            first: VecDeque::new(),
            others: VecDeque::new(),
            acts: Acts::default(),
            buffer: vec![0; READ_BYTES].into_boxed_slice(),
            bytes: Traffic::default(),
        })
    }

    /// The time now.
    #[must_use]
    pub fn now(&self) -> Micros {
        self.began.elapsed().as_micros() as Micros
    }

    /// How many peers have not left.
    #[must_use]
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether all peers have left.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Adds a peer that connects at the time `at`. `is_first` serves it before the others.
    pub fn add(&mut self, peer: Box<dyn Peer<N>>, at: Micros, is_first: bool) -> usize {
        let slot = Slot {
            peer,
            connection: None,
            is_first,
            is_queued: false,
            wake_at: None,
            connect_at: Some(at),
        };
        let key = self.slots.insert(slot);
        self.timers.insert((at, key));
        key
    }

    /// Tells every peer but the `first` ones to leave; with `everybody`, those too.
    pub fn stop(&mut self, everybody: bool, tell: Tell<'_, N>) {
        let keys = self.slots.iter().filter(|(_, slot)| everybody || !slot.is_first);
        for key in keys.map(|(key, _)| key).collect::<Vec<_>>() {
            self.input(key, Input::Stop, tell);
        }
    }

    /// Removes the peers that have not left by themselves.
    pub fn drop_others(&mut self) {
        self.slots.retain(|_, slot| slot.is_first);
        self.timers.retain(|(_, key)| self.slots.contains(*key));
    }

    /// One turn, which waits no longer than `until`. `tell` gets the notes.
    ///
    /// # Errors
    /// The poll fails.
    pub fn turn(&mut self, until: Micros, tell: Tell<'_, N>) -> io::Result<()> {
        let next = self.timers.first().map_or(until, |&(at, _)| at.min(until));
        let is_busy = !self.first.is_empty() || !self.others.is_empty();
        let wait = if is_busy { 0 } else { next.saturating_sub(self.now()) };
        match self.poll.poll(&mut self.events, Some(Duration::from_micros(wait))) {
            Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error),
            _ => {}
        }
        self.mark_ready();
        self.fire_timers(tell);
        for _ in 0..self.first.len() {
            if let Some(key) = self.first.pop_front() {
                self.serve(key, tell);
            }
        }
        for _ in 0..self.others.len().min(PEERS_PER_TURN) {
            if let Some(key) = self.others.pop_front() {
                self.serve(key, tell);
            }
        }
        Ok(())
    }

    fn mark_ready(&mut self) {
        for event in &self.events {
            let key = event.token().0;
            let Some(slot) = self.slots.get_mut(key) else { continue };
            let Some(connection) = &mut slot.connection else { continue };
            connection.mark(event);
            enqueue(slot, key, &mut self.first, &mut self.others);
        }
    }

    fn fire_timers(&mut self, tell: Tell<'_, N>) {
        let now = self.now();
        // At most once for each: a peer that always wants to be woken must not hold the loop.
        for _ in 0..EVENTS_MAX {
            let Some(&(at, key)) = self.timers.first().filter(|(at, _)| *at <= now) else { return };
            self.timers.remove(&(at, key));
            let Some(slot) = self.slots.get_mut(key) else { continue };
            if slot.connect_at == Some(at) {
                slot.connect_at = None;
                // One that could not be written to its end is dropped.
                slot.connection = None;
                self.connect(key, tell);
            } else if slot.wake_at == Some(at) {
                slot.wake_at = None;
                self.input(key, Input::Due, tell);
            }
        }
    }

    fn connect(&mut self, key: usize, tell: Tell<'_, N>) {
        let Some(slot) = self.slots.get_mut(key) else { return };
        match Connection::open(self.server, self.poll.registry(), Token(key)) {
            Ok(connection) => slot.connection = Some(connection),
            Err(_) => self.input(key, Input::Ended(End::Failed), tell),
        }
    }

    /// Serves one connection that may be ready: connects, reads once, writes once.
    fn serve(&mut self, key: usize, tell: Tell<'_, N>) {
        let Some(slot) = self.slots.get_mut(key) else { return };
        slot.is_queued = false;
        let Some(connection) = &mut slot.connection else { return };
        if !connection.is_connected {
            match connection.finish_connecting() {
                None => return,
                Some(Ok(())) => self.input(key, Input::Connected, tell),
                Some(Err(_)) => return self.end(key, End::Failed, tell),
            }
        }
        self.read(key, tell);
        self.write(key, tell);
        let Some(slot) = self.slots.get_mut(key) else { return };
        if slot.connection.as_ref().is_some_and(Connection::is_ready) {
            enqueue(slot, key, &mut self.first, &mut self.others);
        }
    }

    fn read(&mut self, key: usize, tell: Tell<'_, N>) {
        if self.slots.get(key).is_none_or(|slot| slot.connection.is_none()) {
            return;
        }
        // Borrowed apart from the slots, because the peer handles the bytes.
        let mut buffer = std::mem::take(&mut self.buffer);
        let read = connection_read(&mut self.slots, key, &mut buffer);
        match read {
            Read::Nothing => {}
            Read::Bytes(count) => {
                self.bytes.read += count as u64;
                self.input(key, Input::Received(&buffer[..count]), tell);
            }
            Read::Ended(end) => self.end(key, end, tell),
        }
        self.buffer = buffer;
    }

    fn write(&mut self, key: usize, tell: Tell<'_, N>) {
        let Some(connection) = self.slots.get_mut(key).and_then(|slot| slot.connection.as_mut())
        else {
            return;
        };
        match connection.write() {
            Ok((count, is_done)) => {
                self.bytes.sent += count as u64;
                if connection.should_close() {
                    self.slots[key].connection = None;
                    self.forget_if_gone(key);
                } else if is_done && count > 0 {
                    self.input(key, Input::Sent, tell);
                }
            }
            // What the server said before it closed can still be read.
            Err(_) => connection.give_up_writing(),
        }
    }

    fn end(&mut self, key: usize, end: End, tell: Tell<'_, N>) {
        if let Some(slot) = self.slots.get_mut(key) {
            slot.connection = None;
            self.input(key, Input::Ended(end), tell);
        }
    }

    /// Passes an input to a peer, and does what it wants.
    fn input(&mut self, key: usize, input: Input<'_>, tell: Tell<'_, N>) {
        let now = self.now();
        let Some(slot) = self.slots.get_mut(key) else { return };
        let mut acts = std::mem::take(&mut self.acts);
        acts.wake_at = slot.wake_at;
        slot.peer.handle(input, now, &mut acts);
        if slot.wake_at != acts.wake_at {
            slot.wake_at.map(|at| self.timers.remove(&(at, key)));
            slot.wake_at = acts.wake_at;
        }
        slot.wake_at.map(|at| self.timers.insert((at, key)));
        acts.wake_at = None;
        if let Input::Stop = input {
            slot.connect_at = None;
        }
        if let Some(at) = acts.connect_at.take() {
            slot.connect_at = Some(at);
            self.timers.insert((at, key));
        }
        if let Some(connection) = &mut slot.connection {
            connection.take(&mut acts);
            if connection.is_ready() {
                enqueue(slot, key, &mut self.first, &mut self.others);
            }
        }
        (acts.close, acts.reads) = (None, None);
        acts.send.clear();
        acts.notes.drain(..).for_each(|note| tell(key, now, note));
        self.acts = acts;
        self.forget_if_gone(key);
    }

    /// Removes a peer that has no connection and does not want one.
    fn forget_if_gone(&mut self, key: usize) {
        let Some(slot) = self.slots.get(key) else { return };
        if slot.connection.is_none() && slot.connect_at.is_none() {
            slot.wake_at.map(|at| self.timers.remove(&(at, key)));
            self.slots.remove(key);
        }
    }
}

/// Reads once from the connection of a slot.
fn connection_read<N>(slots: &mut Slab<Slot<N>>, key: usize, buffer: &mut [u8]) -> Read {
    let connection = slots.get_mut(key).and_then(|slot| slot.connection.as_mut());
    connection.map_or(Read::Nothing, |connection| connection.read(buffer))
}

fn enqueue<N>(
    slot: &mut Slot<N>,
    key: usize,
    first: &mut VecDeque<usize>,
    others: &mut VecDeque<usize>,
) {
    if !slot.is_queued {
        slot.is_queued = true;
        if slot.is_first { first.push_back(key) } else { others.push_back(key) }
    }
}

/// The clock of the crowd and of the attacks.
#[expect(clippy::disallowed_methods, reason = "the pool hands the time to the peers")]
fn clock() -> Instant {
    Instant::now()
}
