//! How fast people are.

use std::ops::Range;

use crate::peers::peer::{MILLISECOND, Micros, SECOND};

/// How fast a person acts. Every range is a time to choose from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pace {
    /// At the menu, before a choice.
    pub thinks: Range<Micros>,
    /// Before yes or no, and before a request is withdrawn.
    pub decides: Range<Micros>,
    /// Between two lines in a chat.
    pub types: Range<Micros>,
    /// Between two lines in a room. Not below the pace of a room (7.24), or the server would hold them.
    pub speaks: Range<Micros>,
    /// Between leaving the server and coming back.
    pub stays_away: Range<Micros>,
    /// Between two requests. Not below the pace of requests (7.23).
    pub asks_every: Micros,
    /// After each new person, when a crowd arrives.
    pub arrives_every: Micros,
}

impl Pace {
    /// As people are: they think, and they type.
    #[must_use]
    pub fn human() -> Pace {
        Pace {
            thinks: SECOND..6 * SECOND,
            decides: SECOND..4 * SECOND,
            types: 1_200 * MILLISECOND..5 * SECOND,
            speaks: 2 * SECOND..8 * SECOND,
            stays_away: SECOND..5 * SECOND,
            asks_every: 5 * SECOND,
            arrives_every: 10 * MILLISECOND,
        }
    }

    /// As fast as the limits for one person allow.
    #[must_use]
    pub fn fast() -> Pace {
        Pace {
            thinks: 20 * MILLISECOND..200 * MILLISECOND,
            decides: 5 * MILLISECOND..100 * MILLISECOND,
            types: 5 * MILLISECOND..40 * MILLISECOND,
            speaks: 210 * MILLISECOND..400 * MILLISECOND,
            stays_away: 50 * MILLISECOND..500 * MILLISECOND,
            asks_every: 2_200 * MILLISECOND,
            arrives_every: 500,
        }
    }
}
