//! What an operator does to those who are here (part 7): announcements, removals, a stop that is
//! announced before it comes, and what an operator may look up.
//!
//! Who the operator is, and how an order reads, is `crate::core::operator`'s; here is what users are told.

use std::fmt;

use super::event::{DisconnectReason, Event, Removal, StopNotice};
use super::name::Name;
use super::session::Session;
use super::wording::{Line, News, Refusal};
use super::{Chat, RefusalCounts};
use crate::core::SessionId;
use crate::core::framing::text;
use crate::core::limits::{LINE_BYTES_MAX, STOP_NOTICES_S};
use crate::core::time::Time;

/// A stop that is to come, and what of it has been announced.
#[derive(Debug)]
pub(super) struct PlannedStop {
    at: Time,
    /// Seconds before the end of the notices still to be given, the last of them first.
    notices_s: Vec<u64>,
}

impl Chat {
    /// Everybody reads what the operator says (7.6): cleaned (2.1), and cut where a line is full.
    /// Returns how many that is.
    pub fn handle_announcement(&mut self, text: &str) -> usize {
        self.assert_drained();
        let text = text::clean(text);
        let longest = LINE_BYTES_MAX.min(text.len());
        let end = (0..=longest).rev().find(|&end| text.is_char_boundary(end)).unwrap_or(0);
        self.tell_all(News::OperatorSays(&text[..end]))
    }

    /// An operator removes a session (7.7); `false` if it is over already.
    pub fn handle_removal(&mut self, now: Time, id: SessionId, how: Removal, reason: &str) -> bool {
        self.assert_drained();
        if let Session::Over { .. } = self.roster.session(id) {
            return false;
        }
        let reason = text::clean(reason);
        self.say(id, Line::Refusal(Refusal::Removed { how, reason: reason.trim() }));
        let why = match how {
            Removal::Kicked => DisconnectReason::Removed,
            Removal::Banned => DisconnectReason::Banned,
        };
        self.leave(now, id, why);
        true
    }

    /// The server will stop in so many milliseconds (7.9), whatever was said of that before.
    pub fn handle_stop_in(&mut self, now: Time, ms: u64) {
        self.assert_drained();
        self.planned_stop = Some(PlannedStop::new(now, ms));
        self.tell_all(News::StopsIn(StopNotice { ms }));
    }

    /// The server does not stop (7.9); `false` if it was not going to.
    pub fn handle_stop_called_off(&mut self) -> bool {
        self.assert_drained();
        let was_planned = self.planned_stop.take().is_some();
        if was_planned {
            self.tell_all(News::StopCalledOff);
        }
        was_planned
    }

    /// When the server will stop, if an operator has said so.
    #[must_use]
    pub fn stops_at(&self) -> Option<Time> {
        self.planned_stop.as_ref().map(|planned| planned.at)
    }

    /// The user of that name, in any case.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<SessionId> {
        self.roster.find(&Name::parse(name).ok()?)
    }

    /// The users whose names begin so, in order of name.
    pub fn users(&self, prefix: &str) -> impl Iterator<Item = SessionId> {
        self.roster.users(prefix)
    }

    /// What others see that user do.
    ///
    /// # Panics
    /// If the session is no user's.
    #[must_use]
    pub fn status(&self, id: SessionId) -> impl fmt::Display {
        self.roster.status(id)
    }

    /// How many chats there are.
    #[must_use]
    pub fn pair_count(&self) -> usize {
        self.roster.pair_count()
    }

    /// How often each kind of refusal has been said.
    #[must_use]
    pub fn refusals(&self) -> &RefusalCounts {
        self.outputs.refusals()
    }

    /// Gives the notice of a stop that is due, or stops.
    pub(super) fn follow_planned_stop(&mut self, now: Time) {
        let Some(planned) = &mut self.planned_stop else { return };
        if planned.at <= now {
            self.planned_stop = None;
            self.outputs.report(Event::StopIsDue);
            self.leave_all(now);
        } else if planned.pass_notices(now) {
            let ms = planned.at.ms_since(now);
            self.tell_all(News::StopsIn(StopNotice { ms }));
        }
    }

    /// Who comes while the server is about to stop is told at once.
    pub(super) fn say_planned_stop(&mut self, now: Time, id: SessionId) {
        if let Some(planned) = &self.planned_stop {
            let ms = planned.at.ms_since(now);
            self.say(id, Line::News(News::StopsIn(StopNotice { ms })));
        }
    }

    fn tell_all(&mut self, news: News<'_>) -> usize {
        let mut count = 0;
        for id in self.roster.present() {
            self.outputs.say(id, &Line::News(news));
            count += 1;
        }
        count
    }
}

impl PlannedStop {
    fn new(now: Time, ms: u64) -> PlannedStop {
        let is_ahead = |&seconds: &u64| seconds * 1000 < ms;
        let notices_s = STOP_NOTICES_S.into_iter().filter(is_ahead).collect();
        PlannedStop { at: now.after_ms(ms), notices_s }
    }

    /// When something is to be said or done next.
    pub(super) fn next(&self) -> Time {
        let before_ms = self.notices_s.last().map_or(0, |seconds| seconds * 1000);
        // The notices are ahead of the start of the plan, so this is never before it.
        Time::START.after_ms(self.at.ms_since(Time::START).saturating_sub(before_ms))
    }

    /// Whether a notice is due; of several that were slept through, the last says it all.
    fn pass_notices(&mut self, now: Time) -> bool {
        let before = self.notices_s.len();
        while !self.notices_s.is_empty() && self.next() <= now {
            self.notices_s.pop();
        }
        self.notices_s.len() < before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notices_are_given_once_each_and_none_that_is_not_ahead() {
        let now = Time::START.after_ms(5_000);
        let mut planned = PlannedStop::new(now, 5 * 60_000);
        assert_eq!(planned.notices_s, [10, 60], "that it is five minutes has just been said");
        assert_eq!(planned.next(), now.after_ms(4 * 60_000));
        assert!(!planned.pass_notices(now.after_ms(4 * 60_000 - 1)));
        assert!(planned.pass_notices(now.after_ms(4 * 60_000)));
        assert!(!planned.pass_notices(now.after_ms(4 * 60_000)));
        assert_eq!(planned.next(), now.after_ms(290_000));
        assert!(planned.pass_notices(now.after_ms(295_000)), "late is better than never");
        assert_eq!(planned.next(), planned.at);
    }

    #[test]
    fn a_notice_reads_as_people_say_it() {
        let said = |ms| StopNotice { ms }.to_string();
        assert_eq!(said(5 * 60_000), "5 minutes");
        assert_eq!(said(5 * 60_000 - 3), "5 minutes", "a turn that came late is no less");
        assert_eq!(said(61_000), "1 minute");
        assert_eq!(said(9_990), "10 s");
    }
}
