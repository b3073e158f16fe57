//! Where a session comes from, for the limits that belong to an address (7.51).
//!
//! The shell makes an [`Origin`] from the address of a socket; the core only compares origins. One
//! origin is what a provider gives one subscriber: an IPv4 address or an IPv6 /64 (RFC 6177).

/// An IPv4 address, an IPv6 /64, or nothing.
///
/// The number is the address, or the first 64 bits of an IPv6 address. The two do not overlap: the
/// first 32 bits of a global, local or link-local IPv6 address are never all 0 (RFC 4291).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin(u64);

/// The first number of an [`OriginKey`] that is a place in a table. The IPv4 addresses from 240.0.0.0
/// on are reserved (RFC 1112, 4), so no client has one.
const FIRST_PLACE: u32 = 0xf000_0000;

/// An [`Origin`] in 4 bytes: every idle user holds one. An IPv4 address is its own key. An IPv6 /64
/// has an entry in a table of the roster, and its key is the place of the entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OriginKey(u32);

impl Origin {
    /// No address: no limit of an address applies.
    pub const NONE: Origin = Origin(0);

    /// The origin of an IPv4 address.
    #[must_use]
    pub fn v4(address: [u8; 4]) -> Origin {
        Origin(u32::from_be_bytes(address).into())
    }

    /// The origin of an IPv6 address. The shell passes an IPv4-mapped address to [`Origin::v4`].
    #[must_use]
    pub fn v6(address: [u8; 16]) -> Origin {
        let [a, b, c, d, e, f, g, h, ..] = address;
        match u64::from_be_bytes([a, b, c, d, e, f, g, h]) {
            // The loopback address ::1 is 127.0.0.1 to the limits.
            0 => Origin::v4([127, 0, 0, 1]),
            network => Origin(network),
        }
    }

    /// The origin as a number, for a recording.
    pub(crate) fn number(self) -> u64 {
        self.0
    }

    /// The origin that has this number. Every number is one.
    pub(crate) fn from_number(number: u64) -> Origin {
        Origin(number)
    }

    /// The /48 of an IPv6 origin. A site can have a /48, and use all of its 65,536 /64.
    pub(crate) fn site(self) -> Option<Origin> {
        (self.0 > u32::MAX.into()).then_some(Origin(self.0 & !0xffff))
    }

    /// Whether the address is one of this machine, 127.0.0.0/8.
    pub(crate) fn is_loopback(self) -> bool {
        self.0 >> 24 == 127
    }

    /// The key, if the origin needs no entry in a table.
    pub(crate) fn short_key(self) -> Option<OriginKey> {
        let address = u32::try_from(self.0).ok()?;
        (address < FIRST_PLACE).then_some(OriginKey(address))
    }
}

impl OriginKey {
    /// The key of the table entry at `place`.
    ///
    /// # Panics
    /// If `place` exceeds 2^28. The limit on file descriptors is far lower.
    pub(crate) fn of_place(place: usize) -> OriginKey {
        let place = u32::try_from(place).ok().filter(|place| *place < u32::MAX - FIRST_PLACE);
        OriginKey(FIRST_PLACE + place.expect("fewer origins than file descriptors"))
    }

    /// The origin itself, or the place of its entry.
    pub(crate) fn resolve(self) -> Result<Origin, usize> {
        match self.0.checked_sub(FIRST_PLACE) {
            None => Ok(Origin(self.0.into())),
            Some(place) => Err(place as usize),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v6(network: [u8; 8], host: u8) -> Origin {
        let mut address = [0; 16];
        address[..8].copy_from_slice(&network);
        address[15] = host;
        Origin::v6(address)
    }

    /// (7.51)
    #[test]
    fn a_64_is_one_origin_and_a_48_is_one_site() {
        let (a, b) = ([0x20, 1, 0xd, 0xb8, 0, 1, 0, 2], [0x20, 1, 0xd, 0xb8, 0, 1, 0, 3]);
        assert_eq!(v6(a, 1), v6(a, 2));
        assert_ne!(v6(a, 1), v6(b, 1));
        assert_eq!(v6(a, 1).site(), v6(b, 1).site());
        assert_eq!(Origin::v4([192, 0, 2, 1]).site(), None);
        assert_eq!(v6([0; 8], 1), Origin::v4([127, 0, 0, 1]), "loopback");
    }

    #[test]
    fn only_ipv4_fits_into_a_key() {
        let address = Origin::v4([192, 0, 2, 1]);
        assert_eq!(address.short_key().map(OriginKey::resolve), Some(Ok(address)));
        assert_eq!(v6([0x20, 1, 0, 0, 0, 0, 0, 0], 1).short_key(), None);
        assert_eq!(Origin::v4([255, 0, 0, 1]).short_key(), None, "a reserved address");
        assert_eq!(OriginKey::of_place(7).resolve(), Err(7));
    }
}
