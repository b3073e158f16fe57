//! The side tables of sessions: options and origins. They keep rare data out of a session, because
//! each idle user pays for every byte of one.

use std::collections::HashMap;

use slab::Slab;

use super::Roster;
use crate::core::chat::session::Session;
use crate::core::chat::user_options::UserOptions;
use crate::core::origin::OriginKey;
use crate::core::{Origin, SessionId};

/// The origins that do not fit into an [`OriginKey`]: IPv6 networks. Each is stored once, however
/// many sessions come from it.
#[derive(Debug, Default)]
pub(super) struct Origins {
    places: HashMap<Origin, u32>,
    /// Each origin, and how many sessions come from it.
    entries: Slab<(Origin, u32)>,
}

impl Origins {
    /// The key of `origin`, for one more session.
    pub(super) fn add(&mut self, origin: Origin) -> OriginKey {
        if let Some(key) = origin.short_key() {
            return key;
        }
        let new = || self.entries.insert((origin, 0)) as u32;
        let place = *self.places.entry(origin).or_insert_with(new) as usize;
        self.entries[place].1 += 1;
        OriginKey::of_place(place)
    }

    /// A session from there has ended.
    pub(super) fn remove(&mut self, key: OriginKey) {
        let Err(place) = key.resolve() else { return };
        self.entries[place].1 -= 1;
        if let (origin, 0) = self.entries[place] {
            self.entries.remove(place);
            self.places.remove(&origin);
        }
    }

    pub(super) fn release_memory(&mut self) {
        self.places.shrink_to_fit();
        self.entries.shrink_to_fit();
    }

    fn get(&self, key: OriginKey) -> Origin {
        key.resolve().unwrap_or_else(|place| self.entries[place].0)
    }
}

impl Roster {
    /// Where a session comes from; [`Origin::NONE`] if the session is over.
    pub(in crate::core::chat) fn origin(&self, id: SessionId) -> Origin {
        match self.session(id) {
            Session::Naming { origin, .. } => self.origins.get(*origin),
            Session::SigningIn(signing_in) => self.origins.get(signing_in.origin),
            Session::User(user) => self.origins.get(user.origin),
            Session::Over { .. } => Origin::NONE,
        }
    }

    /// The options of a user, to read. Panics as [`Self::user`] does.
    pub(in crate::core::chat) fn options(&self, id: SessionId) -> &UserOptions {
        self.options.get(self.user(id).options)
    }

    /// The options of a user, to change. Panics as [`Self::user`] does.
    pub(in crate::core::chat) fn options_mut(&mut self, id: SessionId) -> &mut UserOptions {
        let Some(Session::User(user)) = &mut self.sessions[id.key()] else {
            panic!("{id} is no user")
        };
        self.options.get_mut(&mut user.options)
    }

    /// Checks that no entry of a side table outlives its sessions.
    pub(super) fn check_tables(&self, options: usize) {
        assert_eq!(self.options.len(), options, "every entry of options has a user");
        let counted = self.present().filter(|&id| self.origin(id).short_key().is_none()).count();
        let entries = self.origins.entries.iter().map(|(_, (_, count))| *count as usize);
        assert_eq!(entries.sum::<usize>(), counted, "every origin counts its sessions");
        assert_eq!(self.origins.places.len(), self.origins.entries.len(), "one entry per origin");
    }
}
