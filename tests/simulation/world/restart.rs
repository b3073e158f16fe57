//! Kills the server, which has no chance to save anything, and starts it again with the saved
//! history (6.3.3).

use chinwag::core::chat::{HistoryCursor, Record};

use super::{World, recording};
use crate::sabotage::Fault;

/// One step in so many begins or continues to write the file anew.
const STEPS_PER_PIECE: usize = 60;

/// A new history file, until it replaces the old one.
#[derive(Debug, Default)]
pub(super) struct Rewriting {
    cursor: HistoryCursor,
    file: String,
}

impl World {
    /// Saves what was said in rooms. The server does so before it writes any of it to a socket.
    pub(super) fn save_history(&mut self) {
        let records = self.exchange.records();
        if !records.is_empty() && !self.sabotage.strikes(Fault::RoomLineNotSaved) {
            self.history_file.extend_from_slice(records);
            if let Some(Rewriting { cursor, file }) = &mut self.rewriting {
                // The walk will come to the other rooms, and find these lines there.
                for line in records.split_inclusive(|&byte| byte == b'\n') {
                    let record = Record::decode(&line[..line.len() - 1]).expect("a record");
                    if cursor.has_passed(record.room) {
                        record.encode(file);
                    }
                }
            }
        }
        self.exchange.clear_records();
    }

    /// Now and then writes the next rooms of the new history file, as the server does while users talk.
    pub(super) fn rewrite_history(&mut self) {
        if self.random.below(STEPS_PER_PIECE) > 0 {
            return;
        }
        self.save_history();
        let mut rewriting = self.rewriting.take().unwrap_or_default();
        let Rewriting { cursor, file } = &mut rewriting;
        let bytes = file.len() + 1;
        if !self.exchange.write_history(cursor, bytes, file) {
            self.rewriting = Some(rewriting);
            return;
        }
        if self.sabotage.strikes(Fault::RewriteForgetsLine) {
            let end = file[..file.len().saturating_sub(1)].rfind('\n').map_or(0, |end| end + 1);
            file.truncate(end);
        }
        self.history_file = rewriting.file.into_bytes();
        self.model.history_rewritten();
        self.stats.rewrites += 1;
    }

    /// The last write to the file may be incomplete. Nobody has read the lines in it. Users may
    /// have read all earlier lines, so those must be in the file.
    pub(super) fn kill_and_restart(&mut self) {
        let records = self.exchange.records();
        let written = self.random.below(records.len() + 1);
        self.history_file.extend_from_slice(&records[..written]);
        let whole =
            self.history_file.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
        self.history_file.truncate(whole);
        if self.is_traced {
            eprintln!("{:>8}     the server is killed", self.now);
        }
        self.check_recording();
        self.stats.restarts += 1;
        self.rewriting = None;
        self.sockets.clear();
        self.free_keys.clear();
        self.readable.clear();
        // History stores whole seconds. The server restarts on a whole second, so that the model
        // can compute the age of a line exactly.
        self.set_time(self.now.next_multiple_of(1_000));
        self.started_at = self.now;
        let lines = self.history_file.split_inclusive(|&byte| byte == b'\n');
        let records = lines.map(|line| {
            let record = Record::decode(&line[..line.len() - 1]);
            record.unwrap_or_else(|| panic!("{:?} is not a record", String::from_utf8_lossy(line)))
        });
        let records = records.collect::<Vec<_>>();
        let mut exchange = recording::new_server(&self.plan.limits, self.is_recorded);
        exchange.handle_start(self.now / 1_000, records.iter().copied());
        exchange.start_recording();
        let kept = records
            .iter()
            .map(|record| (record.said_at, record.room.to_owned(), record.line.into()));
        self.model.restart(kept.collect());
        self.end_store_questions();
        self.load_accounts(&mut exchange);
        self.exchange = exchange;
    }
}
