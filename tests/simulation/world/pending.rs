//! The output that waits for a session, and how it changes. Normally new lines are appended to it.
//! The only other change is a skip: the server moves a slow reader past lines of a room. The
//! skipped lines must be counted exactly, and the count must stand in their place (6.2.2). The model
//! explained the lines when they were said, and needs no knowledge of the skip.

use chinwag::core::chat::missed_lines;

use super::{World, id};
use crate::sabotage::Fault;
use crate::traffic::{MISSED, Observed, SessionKey};

impl World {
    /// Everything that `who` will read if nothing else happens; while an answer is in progress, only what
    /// is before its next row.
    pub(super) fn pending(&self, who: SessionKey) -> Vec<u8> {
        let pending = self.exchange.pending(id(who));
        if pending.behind_answer.is_some() {
            return pending.own.to_vec();
        }
        let missed = match pending.missed {
            0 => String::new(),
            count => missed_lines(count),
        };
        [pending.own, missed.as_bytes(), pending.shared].concat()
    }

    /// Records how many bytes wait in the outbox of `who`. Room lines in the broadcast log move
    /// into the outbox when the server next writes to `who` directly. Only from then on do they
    /// count towards holding input. The world cannot see that moment, so the model must not demand
    /// that the input of a room member was held.
    pub(super) fn record_waiting(
        &self,
        who: SessionKey,
        new_output: &[u8],
        hidden: usize,
        observed: &mut Observed,
    ) {
        let pending = self.exchange.pending(id(who));
        // The model knows nothing of lines about typing or for followers, and not which input came before.
        let in_time = pending.own.len().saturating_sub(hidden);
        let waiting = pending.own.len() + pending.behind_answer.map_or(0, <[u8]>::len);
        if pending.behind_answer.is_some() {
            observed.mark_answering(who);
        }
        let entered = memchr::memmem::find(new_output, b"* You are now in ").is_some();
        let was_there = self.model.state(who).room().is_some();
        let is_there = self.exchange.chat().room(id(who)).is_some();
        let in_room = was_there || entered || is_there;
        observed.record_waiting(who, waiting, if in_room { 0 } else { in_time });
        if self.exchange.chat().awaits_store(id(who)) {
            observed.mark_awaiting(who);
        }
        // The chat still has this session, which proves that its end of input was not processed
        // yet.
        let chat = self.exchange.chat();
        let must_know = in_room || self.model.has_answers();
        let name = chat.name(id(who)).filter(|_| must_know);
        if name.is_some_and(|name| chat.find(name.as_str()) == Some(id(who))) {
            observed.mark_open(who);
        }
    }

    /// Output for `who` that is new since the last call.
    pub(super) fn new_output_for(&mut self, who: SessionKey) -> Vec<u8> {
        let pending = self.pending(who);
        self.stats.unfinished_answers +=
            u64::from(self.exchange.pending(id(who)).behind_answer.is_some());
        let socket = self.sockets.get_mut(&who).expect("the connection exists");
        if pending.len() == socket.unsent.len() && pending == socket.unsent {
            return Vec::new();
        }
        let mut unseen = 0;
        let is_abandoned = socket.has_failed || socket.close_by.is_some_and(|by| by <= self.now);
        let known = if pending.starts_with(&socket.unsent) {
            socket.unsent.len()
        } else if is_abandoned && pending.is_empty() {
            0
        } else {
            let miscount = usize::from(self.sabotage.strikes(Fault::MissedCountWrong));
            let skip = find_skip(&socket.unsent, &pending, socket.partial_refusal, miscount);
            let skip = skip.unwrap_or_else(|why| panic!("{who}: {why}"));
            let waited = socket.unsent.len() + pending.len() - skip.known;
            let keeps_up = skip.unseen == 0 && waited <= self.plan.limits.high_water_bytes;
            assert!(!keeps_up, "{who} misses lines, although only {waited} bytes waited");
            self.stats.missed += (skip.seen + skip.unseen) as u64;
            unseen = skip.unseen;
            skip.known
        };
        socket.unsent.clone_from(&pending);
        let mut new_output = MISSED.repeat(unseen);
        for line in pieces(&pending[known..], 0) {
            // These lines were said and skipped since the last call.
            let missed = missed_in(line).unwrap_or(0);
            self.stats.missed += missed as u64;
            new_output.extend(MISSED.repeat(missed));
            new_output.extend_from_slice(if missed > 0 { b"" } else { line });
        }
        new_output
    }
}

/// The lines that the server moved a slow reader past.
struct Skip {
    /// How many bytes of the present output were already seen.
    known: usize,
    /// Skipped lines that earlier calls saw.
    seen: usize,
    /// Skipped lines that were said and skipped between two calls.
    unseen: usize,
}

/// Finds the skip that turned `before` into `now`. Returns an error if the notice does not count
/// the missing lines exactly.
fn find_skip(
    before: &[u8],
    now: &[u8],
    partial_refusal: usize,
    miscount: usize,
) -> Result<Skip, String> {
    let (before, now) = (pieces(before, partial_refusal), pieces(now, partial_refusal));
    let same = before.iter().zip(&now).take_while(|(one, other)| one == other).count();
    let notice = now.get(same).copied().and_then(missed_in);
    let count = notice.ok_or("the waiting output changed without a notice of missed lines")?;
    // An unread notice is replaced by a new notice that counts all lines.
    let noticed = before.get(same).copied().and_then(missed_in);
    let rest = &before[same + usize::from(noticed.is_some())..];
    let gone = (count + miscount).saturating_sub(noticed.unwrap_or(0));
    let seen = gone.min(rest.len());
    let may_be_room_line = |line: &&[u8]| !line.starts_with(b"? ") && !line.starts_with(b"! ");
    if gone == 0 || !rest[..seen].iter().all(may_be_room_line) {
        return Err("output other than room lines is missing".into());
    }
    if !now[same + 1..].starts_with(&rest[seen..]) {
        return Err(format!("{count} lines are reported as missed, but other lines are missing"));
    }
    let known = now[..=same + rest.len() - seen].iter().map(|line| line.len()).sum();
    Ok(Skip { known, seen, unseen: gone - seen })
}

/// After `count` bytes of `output` are written: how many bytes remain of a telnet refusal that was
/// cut.
pub(super) fn partial_refusal_after(output: &[u8], partial_refusal: usize, count: usize) -> usize {
    let mut end = 0;
    for piece in pieces(output, partial_refusal) {
        let is_refusal = piece[0] == 255 || (end == 0 && partial_refusal > 0);
        end += piece.len();
        if end > count {
            return if is_refusal { end - count } else { 0 };
        }
    }
    0
}

/// Splits output into lines with their endings and refusals of telnet options. The first and the
/// last piece may be incomplete. The first `partial_refusal` bytes are the rest of a telnet
/// refusal.
fn pieces(bytes: &[u8], partial_refusal: usize) -> Vec<&[u8]> {
    let (cut, mut bytes) = bytes.split_at(partial_refusal.min(bytes.len()));
    let mut pieces = Vec::from_iter(Some(cut).filter(|cut| !cut.is_empty()));
    while let [first, ..] = bytes {
        let line_end = memchr::memchr(b'\n', bytes).map_or(bytes.len(), |end| end + 1);
        let end = if *first == 255 { bytes.len().min(3) } else { line_end };
        pieces.push(&bytes[..end]);
        bytes = &bytes[end..];
    }
    pieces
}

/// How many missed lines a notice counts, if `line` is a notice.
fn missed_in(line: &[u8]) -> Option<usize> {
    let rest = str::from_utf8(line).ok()?.strip_prefix("* You missed ")?;
    rest.split(' ').next()?.parse().ok()
}
