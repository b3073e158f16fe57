//! Made-up addresses in place of those of clients.
//!
//! The core only compares origins. So a recording need not tell where users live: clients that share an
//! address, an IPv6 /64 or a /48 share a made-up one, and loopback addresses stay.

use std::collections::BTreeMap;

use crate::core::Origin;

/// The first made-up IPv4 address: 10.0.0.1 (RFC 1918).
const FIRST_V4: u64 = 0x0a00_0001;

/// The first made-up /48, 2001:db8::/48 (RFC 3849), as the first 64 bits of an address.
const FIRST_SITE: u64 = 0x2001_0db8_0000_0000;

/// The /64 of a /48, and one /48 from the next.
const SITE: u64 = 1 << 16;

/// The made-up address of each address so far.
#[derive(Debug, Default)]
pub(super) struct Addresses {
    v4: BTreeMap<Origin, Origin>,
    /// The made-up /48 of each /48, and how many /64 it has.
    sites: BTreeMap<Origin, (u64, u64)>,
    v6: BTreeMap<Origin, Origin>,
}

impl Addresses {
    /// What stands for `origin`.
    pub(super) fn made_up(&mut self, origin: Origin) -> Origin {
        if origin == Origin::NONE || origin.is_loopback() {
            return origin;
        }
        let Some(site) = origin.site() else {
            let next = Origin::from_number(FIRST_V4 + self.v4.len() as u64);
            return *self.v4.entry(origin).or_insert(next);
        };
        if let Some(&made_up) = self.v6.get(&origin) {
            return made_up;
        }
        let next = FIRST_SITE + SITE * self.sites.len() as u64;
        let (begin, count) = self.sites.entry(site).or_insert((next, 0));
        let made_up = Origin::from_number(*begin + *count);
        *count += 1;
        self.v6.insert(origin, made_up);
        made_up
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_shares_an_address_is_kept_and_nothing_else() {
        let mut addresses = Addresses::default();
        let mut of = |origin| addresses.made_up(origin);
        let v6 = |network: u8, host: u8| {
            let mut bytes = [0; 16];
            (bytes[0], bytes[5], bytes[7], bytes[15]) = (0x2a, network, host, 9);
            Origin::v6(bytes)
        };
        let real = [
            Origin::v4([203, 0, 113, 7]),
            Origin::v4([203, 0, 113, 8]),
            v6(1, 1),
            v6(1, 2),
            v6(2, 1),
        ];
        let made_up = real.map(&mut of);
        assert_eq!(real.map(&mut of), made_up, "the same each time");
        for (n, origin) in made_up.iter().enumerate() {
            assert!(!real.contains(origin));
            assert!(!made_up[..n].contains(origin));
        }
        let sites = made_up.map(Origin::site);
        assert_eq!((sites[0], sites[1]), (None, None));
        assert!(sites[2] == sites[3] && sites[2] != sites[4]);
        for kept in [Origin::NONE, Origin::v4([127, 0, 0, 1])] {
            assert_eq!(of(kept), kept);
        }
    }
}
