//! The transports of connections that are not plain TCP, by session.
//!
//! Every message of such a connection looks its transport up several times, so the table is a list
//! and no tree. It grows to the largest key that ever had a transport: a server with lines alone has
//! an empty table.

use crate::core::SessionId;
use crate::core::transport::Transport;

/// At most one transport for each session.
#[derive(Debug, Default)]
pub(super) struct TransportTable(Vec<Option<Box<dyn Transport>>>);

impl TransportTable {
    pub(super) fn get(&self, id: SessionId) -> Option<&dyn Transport> {
        self.0.get(id.key())?.as_deref()
    }

    pub(super) fn get_mut(&mut self, id: SessionId) -> Option<&mut (dyn Transport + 'static)> {
        self.0.get_mut(id.key())?.as_deref_mut()
    }

    pub(super) fn insert(&mut self, id: SessionId, transport: Box<dyn Transport>) {
        if self.0.len() <= id.key() {
            self.0.resize_with(id.key() + 1, || None);
        }
        self.0[id.key()] = Some(transport);
    }

    pub(super) fn remove(&mut self, id: SessionId) {
        if let Some(transport) = self.0.get_mut(id.key()) {
            *transport = None;
        }
    }

    /// All transports.
    pub(super) fn values(&self) -> impl Iterator<Item = &dyn Transport> {
        self.0.iter().filter_map(Option::as_deref)
    }
}
