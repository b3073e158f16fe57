//! Admission: the limits on the number of connections, in total and from one address (7.25, 7.26).
//!
//! `accept.rs` asks here before it creates a connection, and the loop reports every closed
//! connection. Bans are `bans.rs`; only their rejection is listed here.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;

use crate::core::Origin;
use crate::core::limits::Limits;

/// Counts the open connections.
#[derive(Debug)]
pub(super) struct Admission {
    /// Open connections.
    connections: usize,
    /// See [`Limits::connections_max`].
    connections_max: usize,
    /// See [`Limits::per_address_max`].
    per_address_max: usize,
    /// See [`Limits::handshakes_per_address_max`].
    handshakes_per_address_max: usize,
    /// The counts of each subscriber network. Loopback is not counted: a proxy or a test on this
    /// machine opens all its connections from one address.
    by_address: HashMap<IpNet, Counts>,
}

/// What one address has at a time. An entry without anything is removed: otherwise the table would
/// grow with every address that ever connected.
#[derive(Debug, Default)]
struct Counts {
    connections: usize,
    /// How many of the connections are in a TLS handshake.
    handshakes: usize,
}

/// Why the server rejects a connection. [`fmt::Display`] gives the text that the client reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rejection {
    /// The limit on all connections is reached (7.25).
    Full,
    /// The limit on connections from one address is reached (7.26).
    AddressFull,
    /// The address is banned (8.2.3).
    Banned,
    /// The limit on TLS handshakes from one address is reached (7.81).
    Handshakes,
}

impl Rejection {
    /// All variants, in the order of declaration: the metrics use a variant's number as an index.
    pub(super) const ALL: [Rejection; 4] =
        [Rejection::Full, Rejection::AddressFull, Rejection::Banned, Rejection::Handshakes];

    /// The line that the client reads, without its ending.
    pub(super) fn line(self) -> String {
        format!("! {self}")
    }

    /// The value of the label `reason` in the metrics. Dashboards match it: do not change it.
    pub(super) fn kind(self) -> &'static str {
        match self {
            Rejection::Full => "full",
            Rejection::AddressFull => "address_full",
            Rejection::Banned => "banned",
            Rejection::Handshakes => "handshakes",
        }
    }
}

impl Admission {
    pub(super) fn new(limits: &Limits) -> Admission {
        Admission {
            connections: 0,
            connections_max: limits.connections_max,
            per_address_max: limits.per_address_max,
            handshakes_per_address_max: limits.handshakes_per_address_max,
            by_address: HashMap::new(),
        }
    }

    /// Frees what the table keeps of its largest size.
    pub(super) fn shrink(&mut self) {
        self.by_address.shrink_to_fit();
    }

    /// Counts a new connection from `address`, or rejects it.
    ///
    /// # Errors
    /// The limit that the connection would exceed. The counts stay as they are.
    pub(super) fn admit(&mut self, address: IpAddr) -> Result<(), Rejection> {
        if self.connections >= self.connections_max {
            return Err(Rejection::Full);
        }
        self.admit_address(address)?;
        self.connections += 1;
        Ok(())
    }

    /// Counts a new connection from a trusted proxy, or rejects it. It counts for an address once the
    /// proxy has told the client's.
    ///
    /// # Errors
    /// The server is full.
    pub(super) fn admit_proxied(&mut self) -> Result<(), Rejection> {
        if self.connections >= self.connections_max {
            return Err(Rejection::Full);
        }
        self.connections += 1;
        Ok(())
    }

    /// Counts a connection, which is counted in total already, for `address`, or rejects it.
    ///
    /// # Errors
    /// The address is at its limit. The counts stay as they are.
    pub(super) fn admit_address(&mut self, address: IpAddr) -> Result<(), Rejection> {
        if !address.is_loopback() {
            let counts = self.by_address.entry(subscriber_network(address)).or_default();
            if counts.connections >= self.per_address_max {
                return Err(Rejection::AddressFull);
            }
            counts.connections += 1;
        }
        Ok(())
    }

    /// Counts the handshake of a connection that was just admitted, or rejects the connection, which
    /// then no longer counts.
    ///
    /// # Errors
    /// The address is at its limit.
    pub(super) fn begin_handshake(&mut self, address: IpAddr) -> Result<(), Rejection> {
        if let Some(counts) = self.by_address.get_mut(&subscriber_network(address)) {
            if counts.handshakes >= self.handshakes_per_address_max {
                self.release_address(address);
                self.release();
                return Err(Rejection::Handshakes);
            }
            counts.handshakes += 1;
        }
        Ok(())
    }

    /// Subtracts a handshake. Call this once for each successful [`Admission::begin_handshake`], before
    /// the connection is released.
    pub(super) fn end_handshake(&mut self, address: IpAddr) {
        if let Some(counts) = self.by_address.get_mut(&subscriber_network(address)) {
            counts.handshakes -= 1;
        }
    }

    /// Subtracts a closed connection. Call this once for each connection that was admitted.
    pub(super) fn release(&mut self) {
        self.connections -= 1;
    }

    /// Subtracts a connection from `address`. Call this once for each successful
    /// [`Admission::admit_address`] or [`Admission::admit`].
    pub(super) fn release_address(&mut self, address: IpAddr) {
        let network = subscriber_network(address);
        if let Some(counts) = self.by_address.get_mut(&network) {
            counts.connections -= 1;
            if counts.connections == 0 {
                self.by_address.remove(&network);
            }
        }
    }
}

/// The network that the limits and bans treat as one address.
///
/// For IPv6 the network is a /64, the least that a provider gives one subscriber (RFC 6177). With
/// single addresses, one subscriber could open any number of connections.
pub(super) fn subscriber_network(address: IpAddr) -> IpNet {
    let prefix_len = match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 64,
    };
    IpNet::new(address, prefix_len).map_or(address.into(), |network| network.trunc())
}

/// What the core knows of an address: enough for the limits that belong to it (7.51).
pub(super) fn origin(address: IpAddr) -> Origin {
    match address.to_canonical() {
        IpAddr::V4(ip) => Origin::v4(ip.octets()),
        IpAddr::V6(ip) => Origin::v6(ip.octets()),
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Rejection::Full => write!(f, "The server is full; try again later"),
            Rejection::AddressFull => {
                write!(f, "Your address has too many connections; try again later")
            }
            Rejection::Banned => write!(f, "Your address is banned"),
            Rejection::Handshakes => write!(f, "Too many handshakes from your address"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admission_with(connections_max: usize, per_address_max: usize) -> Admission {
        Admission::new(&Limits { connections_max, per_address_max, ..Limits::default() })
    }

    /// (7.26, 7.41)
    #[test]
    fn an_address_at_its_limit_does_not_affect_other_addresses() {
        let mut admission = admission_with(100, 2);
        let [a, b] = ["192.0.2.1", "192.0.2.2"].map(|ip| ip.parse::<IpAddr>().unwrap());
        assert_eq!(
            [admission.admit(a), admission.admit(a), admission.admit(a)],
            [Ok(()), Ok(()), Err(Rejection::AddressFull)]
        );
        assert_eq!(admission.admit(b), Ok(()));
        admission.release_address(a);
        admission.release();
        assert_eq!(admission.admit(a), Ok(()), "a closed connection makes room");
        [a, a, b].into_iter().for_each(|address| admission.release_address(address));
        assert!(admission.by_address.is_empty(), "closed connections leave no entry");
    }

    #[test]
    fn a_64_network_counts_as_one_address_and_loopback_is_exempt() {
        let mut admission = admission_with(100, 1);
        assert_eq!(admission.admit("2001:db8::1".parse().unwrap()), Ok(()));
        assert_eq!(admission.admit("2001:db8::2".parse().unwrap()), Err(Rejection::AddressFull));
        assert_eq!(admission.admit("2001:db8:0:1::1".parse().unwrap()), Ok(()));
        for local in ["127.0.0.1", "127.0.0.1", "::1", "::1"] {
            assert_eq!(admission.admit(local.parse().unwrap()), Ok(()));
        }
    }

    /// (7.81)
    #[test]
    fn handshakes_of_an_address_are_limited_apart_from_its_connections() {
        let limits = Limits { handshakes_per_address_max: 2, ..Limits::default() };
        let mut admission = Admission::new(&limits);
        let [a, b, local] = ["192.0.2.1", "192.0.2.2", "127.0.0.1"].map(|ip| ip.parse().unwrap());
        let mut connect = |address| {
            admission.admit(address)?;
            admission.begin_handshake(address)
        };
        assert_eq!(
            [connect(a), connect(a), connect(a)],
            [Ok(()), Ok(()), Err(Rejection::Handshakes)]
        );
        assert_eq!(connect(b), Ok(()), "others are not affected");
        assert_eq!([connect(local), connect(local), connect(local)], [Ok(()), Ok(()), Ok(())]);
        admission.end_handshake(a);
        assert_eq!(admission.admit(a), Ok(()));
        assert_eq!(admission.begin_handshake(a), Ok(()), "a handshake that is done makes room");
        assert_eq!(admission.connections, 7, "the rejected one does not count");
    }

    /// (7.25)
    #[test]
    fn a_full_server_rejects_connections_until_one_closes() {
        let mut admission = admission_with(1, 10);
        let local = "127.0.0.1".parse().unwrap();
        assert_eq!(
            [admission.admit(local), admission.admit(local)],
            [Ok(()), Err(Rejection::Full)]
        );
        admission.release();
        assert_eq!(admission.admit(local), Ok(()));
    }
}
