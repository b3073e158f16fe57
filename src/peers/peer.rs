//! The seam between a simulated person and its connection. Everything here is pure: no socket, no
//! clock. A test plays the server by passing inputs.

/// Microseconds since the pool began. Latencies over loopback are too short for milliseconds.
pub type Micros = u64;

/// A second.
pub const SECOND: Micros = 1_000_000;

/// A millisecond.
pub const MILLISECOND: Micros = 1_000;

/// What happens to a peer.
#[derive(Debug, Clone, Copy)]
pub enum Input<'a> {
    /// The connection stands.
    Connected,
    /// These bytes came. They may end anywhere.
    Received(&'a [u8]),
    /// The kernel has taken all bytes that the peer sent.
    Sent,
    /// The time of [`Acts::wake_at`] has come.
    Due,
    /// The connection has ended, or could not be made.
    Ended(End),
    /// The run is over: leave.
    Stop,
}

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The server ended it in order.
    Closed,
    /// The server, or its kernel, cut it.
    Reset,
    /// It could not be made.
    Failed,
}

/// How a peer ends its connection. Bytes that it has sent go first, except before a reset: then only
/// those go that the kernel takes at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Close {
    /// Ends its own half (FIN), and reads on.
    Half,
    /// Closes the socket.
    Whole,
    /// Closes the socket with a reset (RST).
    Reset,
}

/// What a peer wants to do after an input. Notes of the type `N` go to the owner of the pool.
#[derive(Debug)]
pub struct Acts<N> {
    /// Bytes to send, behind those that wait.
    pub send: Vec<u8>,
    /// When [`Input::Due`] comes. It stays until the peer changes it; the peer clears it at `Due`.
    pub wake_at: Option<Micros>,
    /// Whether to read from now on.
    pub reads: Option<bool>,
    /// How to end the connection.
    pub close: Option<Close>,
    /// When to connect again. A peer without a connection that does not set it has left the pool.
    pub connect_at: Option<Micros>,
    /// What the owner should know.
    pub notes: Vec<N>,
}

impl<N> Default for Acts<N> {
    fn default() -> Self {
        Acts {
            send: Vec::new(),
            wake_at: None,
            reads: None,
            close: None,
            connect_at: None,
            notes: Vec::new(),
        }
    }
}

impl<N> Acts<N> {
    /// Sends one line.
    pub fn say(&mut self, line: &str) {
        self.send.extend_from_slice(line.as_bytes());
        self.send.push(b'\n');
    }
}

/// A simulated person, or an attacker.
pub trait Peer<N> {
    /// Reacts to an input at the time `now`. `acts.wake_at` holds the time that the peer set last.
    fn handle(&mut self, input: Input<'_>, now: Micros, acts: &mut Acts<N>);
}
