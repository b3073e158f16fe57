//! The server is killed, which nothing in it can notice, and started again with what it had written
//! down (6.14).

use chinwag::core::chat::Record;
use chinwag::core::exchange::Exchange;

use super::World;
use crate::sabotage::Wrong;

impl World {
    /// What was said in rooms is written down before anything is written to a socket.
    pub(super) fn write_down(&mut self) {
        let records = self.exchange.records();
        if !records.is_empty() && !self.sabotage.strikes(Wrong::RecordLost) {
            self.file.extend_from_slice(records);
        }
        self.exchange.clear_records();
    }

    /// The last write to the file may have got so far and no further, and nobody has read what it is
    /// about; all else that was said may have been read.
    pub(super) fn kill(&mut self) {
        let records = self.exchange.records();
        let written = self.random.below(records.len() + 1);
        self.file.extend_from_slice(&records[..written]);
        let whole = self.file.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
        self.file.truncate(whole);
        if self.is_traced {
            eprintln!("{:>8}     the server is killed", self.now);
        }
        self.figures.restarts += 1;
        self.sockets.clear();
        self.free.clear();
        self.readable.clear();
        // The past tells seconds, and so must the start, or the model could not count its age.
        self.set_time(self.now.next_multiple_of(1_000));
        self.started_at = self.now;
        let lines = self.file.split_inclusive(|&byte| byte == b'\n');
        let records = lines.map(|line| {
            let record = Record::decode(&line[..line.len() - 1]);
            record.unwrap_or_else(|| panic!("{:?} is no record", String::from_utf8_lossy(line)))
        });
        let records = records.collect::<Vec<_>>();
        let mut exchange = Exchange::new(self.plan.limits.clone());
        exchange.handle_start(self.now / 1_000, records.iter().copied());
        exchange.start_recording();
        let kept = records
            .iter()
            .map(|record| (record.said_at, record.room.to_owned(), record.line.into()));
        self.model.restart(kept.collect());
        self.exchange = exchange;
    }
}
