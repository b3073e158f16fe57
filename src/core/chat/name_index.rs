//! An index from names to ids, used once for users (`roster`) and once for rooms (`rooms`).
//!
//! The index answers three questions: which id has this name, which names begin with a prefix, and
//! does a name look like another name. The index knows nothing about sessions or rooms.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use compact_str::CompactString;

use super::name::{Name, fold_prefix};

/// Ids by name. Case does not matter (3.2.2).
#[derive(Debug)]
pub(super) struct NameIndex<Id> {
    /// By folded name. A tree rather than a hash map, because lists are sorted by name and narrowed
    /// by prefix: both are a range of the tree.
    ids: BTreeMap<CompactString, Id>,
    /// The skeleton hash of each name in `ids`. No two names share one.
    skeletons: BTreeSet<u64>,
}

impl<Id> Default for NameIndex<Id> {
    fn default() -> Self {
        NameIndex { ids: BTreeMap::new(), skeletons: BTreeSet::new() }
    }
}

impl<Id: Copy> NameIndex<Id> {
    /// Adds a name. The caller has checked that the name is free and looks like no other name.
    pub(super) fn insert(&mut self, name: &Name, id: Id) {
        let replaced = self.ids.insert(name.folded(), id);
        let is_new = self.skeletons.insert(name.skeleton_hash());
        debug_assert!(replaced.is_none() && is_new, "{name} is in use");
    }

    /// Removes a name. The name and its look-alikes are free at once.
    pub(super) fn remove(&mut self, name: &Name) {
        self.ids.remove(&name.folded());
        self.skeletons.remove(&name.skeleton_hash());
    }

    /// The id with this name, in any case.
    pub(super) fn get(&self, name: &Name) -> Option<Id> {
        self.ids.get(&name.folded()).copied()
    }

    /// Whether a name in the index looks like `name`, or is the same name.
    pub(super) fn has_look_alike(&self, name: &Name) -> bool {
        self.skeletons.contains(&name.skeleton_hash())
    }

    /// The ids of the names that begin with `prefix` in any case, in order of folded name. An empty
    /// prefix gives all. Finding the first one takes O(log n).
    pub(super) fn with_prefix(&self, prefix: &str) -> impl Iterator<Item = Id> {
        with_prefix(&self.ids, prefix)
    }

    /// The folded names after `last` that begin with the folded `prefix`, in order, with their ids. An
    /// empty `last` gives all of them.
    pub(super) fn with_prefix_after(
        &self,
        prefix: &str,
        last: &str,
    ) -> impl Iterator<Item = (&CompactString, Id)> {
        with_prefix_after(&self.ids, prefix, last)
    }

    /// The ids of the names after the folded name `last`, in order of folded name.
    pub(super) fn after(&self, last: &str) -> impl Iterator<Item = Id> {
        self.ids.range::<str, _>((Bound::Excluded(last), Bound::Unbounded)).map(|(_, &id)| id)
    }

    pub(super) fn len(&self) -> usize {
        self.ids.len()
    }

    /// Checks that each name has its own skeleton. O(1): callers check the entries themselves.
    ///
    /// # Panics
    /// If the invariant does not hold, which is a bug.
    pub(super) fn check(&self) {
        assert_eq!(self.ids.len(), self.skeletons.len(), "each name has its own skeleton");
    }
}

/// The ids in `ids`, which are ordered by folded name, whose names begin with `prefix` in any case.
pub(super) fn with_prefix<Id: Copy>(
    ids: &BTreeMap<CompactString, Id>,
    prefix: &str,
) -> impl Iterator<Item = Id> {
    fold_prefix(prefix).into_iter().flat_map(|prefix| {
        let from = Bound::Included(prefix.as_str());
        let names = ids.range::<str, _>((from, Bound::Unbounded));
        let matching = names.take_while(move |(name, _)| name.starts_with(prefix.as_str()));
        matching.map(|(_, &id)| id)
    })
}

/// The names in `ids` after `last` that begin with `prefix`, all folded, and their ids.
pub(super) fn with_prefix_after<'a, Id: Copy>(
    ids: &'a BTreeMap<CompactString, Id>,
    prefix: &str,
    last: &str,
) -> impl Iterator<Item = (&'a CompactString, Id)> {
    let from = if last < prefix { Bound::Included(prefix) } else { Bound::Excluded(last) };
    let names = ids.range::<str, _>((from, Bound::Unbounded));
    names.take_while(move |(name, _)| name.starts_with(prefix)).map(|(name, &id)| (name, id))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// (3.2.2)
    #[test]
    fn a_removed_name_and_its_look_alikes_are_free() {
        let [anna, bob] = ["Anna", "BOB"].map(|text| Name::parse(text).unwrap());
        let (upper, look_alike) = (Name::parse("ANNA").unwrap(), Name::parse("B0B").unwrap());
        let mut index = NameIndex::default();
        index.insert(&anna, 1);
        index.insert(&bob, 2);
        index.check();
        assert_eq!((index.get(&upper), index.get(&look_alike)), (Some(1), None));
        assert!(index.has_look_alike(&look_alike));
        assert!(index.with_prefix("aN").eq([1]) && index.with_prefix("").eq([1, 2]));
        let after = |prefix, last| index.with_prefix_after(prefix, last).map(|(_, id)| id);
        assert!(after("", "").eq([1, 2]) && after("", "anna").eq([2]) && after("b", "").eq([2]));
        assert!(index.with_prefix_after("b", "bob").next().is_none());
        index.remove(&bob);
        index.check();
        assert!(!index.has_look_alike(&look_alike) && index.len() == 1);
    }
}
