//! What waits for somebody, and how it changed: lines come behind what waits, and nothing else, but for
//! the lines of a room that a slow reader is moved past. Those must be counted exactly, and in their
//! place (6.9); the model, which has explained them when they came, need not know.

use chinwag::core::chat::missed_lines;

use super::{World, id};
use crate::sabotage::Wrong;
use crate::spoken::{MISSED, Observed, Who};

impl World {
    /// Everything that `who` will read, if nothing else happens.
    pub(super) fn pending(&self, who: Who) -> Vec<u8> {
        let pending = self.exchange.pending(id(who));
        let missed = match pending.missed {
            0 => String::new(),
            count => missed_lines(count),
        };
        [pending.own, missed.as_bytes(), pending.shared].concat()
    }

    /// Notes what waits for `who` alone. What came by a feed is moved there by what is said to them next,
    /// and did not hold their input before that: of somebody in a room it is not known when it did, and
    /// that it must have is not demanded.
    pub(super) fn note_waiting(&self, who: Who, news: &[u8], observed: &mut Observed) {
        let own = self.exchange.pending(id(who)).own.len();
        let entered = memchr::memmem::find(news, b"* You are now in ").is_some();
        let was_there = self.model.state(who).room().is_some();
        let is_there = self.exchange.chat().room(id(who)).is_some();
        let in_room = was_there || entered || is_there;
        observed.note_waiting(who, own, if in_room { 0 } else { own });
        // But whoever is still here has not been heard to leave.
        let chat = self.exchange.chat();
        let name = chat.name(id(who)).filter(|_| in_room);
        if name.is_some_and(|name| chat.find(name.as_str()) == Some(id(who))) {
            observed.note_present(who);
        }
    }

    /// What has come for `who` since this was last asked.
    pub(super) fn news_for(&mut self, who: Who) -> Vec<u8> {
        let pending = self.pending(who);
        let socket = self.sockets.get_mut(&who).expect("somebody here");
        if pending.len() == socket.said.len() && pending == socket.said {
            return Vec::new();
        }
        let mut unseen = 0;
        let is_given_up = socket.has_failed || socket.close_by.is_some_and(|by| by <= self.now);
        let known = if pending.starts_with(&socket.said) {
            socket.said.len()
        } else if is_given_up && pending.is_empty() {
            0
        } else {
            let wrong = usize::from(self.sabotage.strikes(Wrong::MissedMiscounted));
            let moved = moved_on(&socket.said, &pending, socket.cut_refusal, wrong);
            let moved = moved.unwrap_or_else(|why| panic!("{who}: {why}"));
            let waited = socket.said.len() + pending.len() - moved.known;
            let keeps_up = moved.unseen == 0 && waited <= self.plan.limits.high_water_bytes;
            assert!(!keeps_up, "{who} misses lines, though only {waited} bytes waited");
            self.figures.missed += (moved.seen + moved.unseen) as u64;
            unseen = moved.unseen;
            moved.known
        };
        socket.said.clone_from(&pending);
        let mut news = MISSED.repeat(unseen);
        for line in pieces(&pending[known..], 0) {
            // Whatever is counted here came and went since the last look.
            let missed = missed_in(line).unwrap_or(0);
            self.figures.missed += missed as u64;
            news.extend(MISSED.repeat(missed));
            news.extend_from_slice(if missed > 0 { b"" } else { line });
        }
        news
    }
}

/// What a slow reader was moved past.
struct Moved {
    /// Bytes of what waits now that waited before.
    known: usize,
    /// Lines that waited before and do not now.
    seen: usize,
    /// Lines that came and went between two looks.
    unseen: usize,
}

/// How `before` became `now`, from which lines are gone that are counted in their place.
fn moved_on(before: &[u8], now: &[u8], cut_refusal: usize, wrong: usize) -> Result<Moved, String> {
    let (before, now) = (pieces(before, cut_refusal), pieces(now, cut_refusal));
    let same = before.iter().zip(&now).take_while(|(one, other)| one == other).count();
    let notice = now.get(same).copied().and_then(missed_in);
    let count = notice.ok_or("what waited has changed, and nothing says that lines were missed")?;
    // A notice that was not read yet is replaced by one that counts all.
    let told = before.get(same).copied().and_then(missed_in);
    let rest = &before[same + usize::from(told.is_some())..];
    let gone = (count + wrong).saturating_sub(told.unwrap_or(0));
    let seen = gone.min(rest.len());
    let is_of_room = |line: &&[u8]| !line.starts_with(b"? ") && !line.starts_with(b"! ");
    if gone == 0 || !rest[..seen].iter().all(is_of_room) {
        return Err("something else than lines of a room is missing".into());
    }
    if !now[same + 1..].starts_with(&rest[seen..]) {
        return Err(format!("{count} lines are said to be missed, and others are"));
    }
    let known = now[..=same + rest.len() - seen].iter().map(|line| line.len()).sum();
    Ok(Moved { known, seen, unseen: gone - seen })
}

/// How much of a refusal is left at the front of `said`, once `count` bytes are taken of it.
pub(super) fn refusal_left(said: &[u8], cut_refusal: usize, count: usize) -> usize {
    let mut end = 0;
    for piece in pieces(said, cut_refusal) {
        let is_refusal = piece[0] == 255 || (end == 0 && cut_refusal > 0);
        end += piece.len();
        if end > count {
            return if is_refusal { end - count } else { 0 };
        }
    }
    0
}

/// Lines with their endings, the first and last maybe in part, and refusals of telnet options, of the
/// first of which `cut_refusal` bytes are left.
fn pieces(bytes: &[u8], cut_refusal: usize) -> Vec<&[u8]> {
    let (cut, mut bytes) = bytes.split_at(cut_refusal.min(bytes.len()));
    let mut pieces = Vec::from_iter(Some(cut).filter(|cut| !cut.is_empty()));
    while let [first, ..] = bytes {
        let line_end = memchr::memchr(b'\n', bytes).map_or(bytes.len(), |end| end + 1);
        let end = if *first == 255 { bytes.len().min(3) } else { line_end };
        pieces.push(&bytes[..end]);
        bytes = &bytes[end..];
    }
    pieces
}

/// How many lines a line says were missed.
fn missed_in(line: &[u8]) -> Option<usize> {
    let rest = str::from_utf8(line).ok()?.strip_prefix("* You missed ")?;
    rest.split(' ').next()?.parse().ok()
}
