//! The registered names: which account a username belongs to.
//!
//! An account owns its name in any case, and every name that looks like it (3.2.2). The index holds
//! no password; the store has those.

use std::collections::BTreeMap;

use compact_str::CompactString;

use super::AccountVersion;
use crate::core::Origin;
use crate::core::chat::name::Name;
use crate::core::chat::name_index::with_prefix;
use crate::core::limits::KNOWN_ADDRESSES_MAX;

/// One registered name.
#[derive(Debug)]
pub(in crate::core::chat) struct Account {
    /// As it was registered. Whoever signs in has the name in this spelling.
    pub(in crate::core::chat) name: Name,
    /// Not the id of another account since the server started, even one of the same name.
    pub(super) id: u64,
    /// Grows with each change of the password.
    pub(super) version: u32,
    /// `false` while the store has not confirmed the registration. The name is taken all the same.
    pub(in crate::core::chat) is_stored: bool,
    /// The addresses that signed in, the latest last. Guesses from elsewhere do not delay them.
    known: Vec<Origin>,
}

impl Account {
    pub(super) fn version(&self) -> AccountVersion {
        AccountVersion { account: self.id, version: self.version }
    }

    /// Whether somebody signed in from there.
    pub(super) fn knows(&self, origin: Origin) -> bool {
        self.known.contains(&origin)
    }

    /// Somebody signed in from there.
    pub(super) fn remember(&mut self, origin: Origin) {
        self.known.retain(|known| *known != origin);
        if self.known.len() == KNOWN_ADDRESSES_MAX {
            self.known.remove(0);
        }
        if origin != Origin::NONE {
            self.known.push(origin);
        }
    }
}

/// All accounts, by name.
#[derive(Debug, Default)]
pub(in crate::core::chat) struct AccountIndex {
    /// By place, so that both maps below stay small.
    accounts: slab::Slab<Account>,
    by_name: BTreeMap<CompactString, u32>,
    by_skeleton: BTreeMap<u64, u32>,
    last_id: u64,
}

impl AccountIndex {
    /// Adds an account. `false` if there is one that it would be taken for.
    pub(super) fn add(&mut self, name: Name, is_stored: bool) -> bool {
        let (folded, skeleton) = (name.folded(), name.skeleton_hash());
        if self.by_name.contains_key(&folded) || self.by_skeleton.contains_key(&skeleton) {
            return false;
        }
        self.last_id += 1;
        let account = Account { name, id: self.last_id, version: 0, is_stored, known: Vec::new() };
        let Ok(place) = u32::try_from(self.accounts.insert(account)) else { return false };
        self.by_name.insert(folded, place);
        self.by_skeleton.insert(skeleton, place);
        true
    }

    pub(super) fn remove(&mut self, name: &Name) {
        let Some(place) = self.by_name.remove(&name.folded()) else { return };
        let account = self.accounts.remove(place as usize);
        self.by_skeleton.remove(&account.name.skeleton_hash());
    }

    /// The store has this account.
    pub(super) fn confirm(&mut self, name: &Name) {
        if let Some(account) = self.get_mut(name) {
            account.is_stored = true;
        }
    }

    /// The account of this name, in any case.
    pub(in crate::core::chat) fn get(&self, name: &Name) -> Option<&Account> {
        let place = *self.by_name.get(&name.folded())?;
        self.accounts.get(place as usize)
    }

    pub(super) fn get_mut(&mut self, name: &Name) -> Option<&mut Account> {
        let place = *self.by_name.get(&name.folded())?;
        self.accounts.get_mut(place as usize)
    }

    /// The account of this name in any case, or the one that looks like it. An equal name wins: two
    /// accounts may look like a third name in different ways.
    pub(super) fn owner(&self, name: &Name) -> Option<&Account> {
        let alike = || self.by_skeleton.get(&name.skeleton_hash());
        let place = self.by_name.get(&name.folded()).or_else(alike)?;
        self.accounts.get(*place as usize)
    }

    /// The accounts whose names begin with `prefix` in any case, in order of name.
    pub(in crate::core::chat) fn with_prefix(&self, prefix: &str) -> impl Iterator<Item = &Name> {
        let places = with_prefix(&self.by_name, prefix);
        places.filter_map(|place| Some(&self.accounts.get(place as usize)?.name))
    }

    /// All names.
    pub(super) fn names(&self) -> impl Iterator<Item = &Name> {
        self.accounts.iter().map(|(_, account)| &account.name)
    }

    pub(super) fn len(&self) -> usize {
        self.accounts.len()
    }

    pub(super) fn check(&self) {
        assert_eq!(self.by_name.len(), self.accounts.len(), "every account has a name");
        assert_eq!(self.by_skeleton.len(), self.accounts.len(), "no two accounts look alike");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    /// (3.4.2)
    #[test]
    fn an_account_owns_its_name_in_any_case_and_its_look_alikes() {
        let mut index = AccountIndex::default();
        assert!(index.add(name("BOB"), true));
        for alike in ["BOB", "bob", "B0B"] {
            assert_eq!(index.owner(&name(alike)).map(|account| &account.name), Some(&name("BOB")));
            assert!(!index.add(name(alike), true), "{alike}");
        }
        assert!(index.owner(&name("bobby")).is_none());
        assert!(index.get(&name("B0B")).is_none(), "it only looks like it");
        index.remove(&name("bob"));
        index.check();
        assert!(index.owner(&name("B0B")).is_none() && index.len() == 0);
    }

    #[test]
    fn an_account_that_comes_back_is_another_one() {
        let mut index = AccountIndex::default();
        index.add(name("anna"), true);
        let before = index.get(&name("anna")).unwrap().version();
        index.remove(&name("anna"));
        index.add(name("anna"), true);
        assert_ne!(index.get(&name("anna")).unwrap().version(), before);
    }

    /// (7.89)
    #[test]
    fn an_account_remembers_the_latest_addresses() {
        let mut index = AccountIndex::default();
        index.add(name("anna"), true);
        let account = index.get_mut(&name("anna")).unwrap();
        let home = |n: usize| Origin::v4([192, 0, 2, n as u8]);
        for n in 0..=KNOWN_ADDRESSES_MAX {
            account.remember(home(n));
        }
        assert!(!account.knows(home(0)) && account.knows(home(1)));
        assert!(account.knows(home(KNOWN_ADDRESSES_MAX)));
    }
}
