//! The actions of an operator on the chat (part 8): announcements, removals, a planned stop, and
//! what an operator can look up.
//!
//! The operator's console is `crate::core::operator` and `crate::server`. This module does not know
//! who the operator is or how a command is written; it decides what users are told.

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

/// A planned stop, and which notices about it are still to come.
#[derive(Debug)]
pub(super) struct PlannedStop {
    at: Time,
    /// Seconds before `at` at which each remaining notice is due. The next notice is last, where a
    /// `Vec` removes an element cheaply.
    notices_s: Vec<u64>,
}

impl Chat {
    /// Says `text` to every session, with or without a username (8.2.1). The text is cleaned as a
    /// user's text is (3.1.1), and cut at the length limit of a line. Returns the number of sessions.
    pub fn handle_announcement(&mut self, text: &str) -> usize {
        self.assert_drained();
        let text = text::clean(text);
        let longest = LINE_BYTES_MAX.min(text.len());
        // Cut at the last character boundary, because a line must be valid UTF-8 (2.1.1).
        let end = (0..=longest).rev().find(|&end| text.is_char_boundary(end)).unwrap_or(0);
        self.say_to_all(News::OperatorSays(&text[..end]))
    }

    /// Ends a session at an operator's command (8.2.2). Returns `false` if the session is over.
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
        self.end_session(now, id, why);
        true
    }

    /// Plans a stop in `ms` milliseconds and announces it (8.2.6). Replaces an earlier plan.
    pub fn handle_stop_in(&mut self, now: Time, ms: u64) {
        self.assert_drained();
        self.planned_stop = Some(PlannedStop::new(now, ms));
        self.say_to_all(News::StopsIn(StopNotice { ms }));
    }

    /// Cancels a planned stop and announces that (8.2.6). Returns `false` if no stop was planned.
    pub fn handle_stop_called_off(&mut self) -> bool {
        self.assert_drained();
        let was_planned = self.planned_stop.take().is_some();
        if was_planned {
            self.say_to_all(News::StopCalledOff);
        }
        was_planned
    }

    /// When the server will stop; `None` if no stop is planned.
    #[must_use]
    pub fn stops_at(&self) -> Option<Time> {
        self.planned_stop.as_ref().map(|planned| planned.at)
    }

    /// The user with this name, in any case.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<SessionId> {
        self.roster.find(&Name::parse(name).ok()?)
    }

    /// The users whose names begin with `prefix` in any case, in order of name. Not limited: the
    /// caller limits the rows of its answer (7.32).
    pub fn users(&self, prefix: &str) -> impl Iterator<Item = SessionId> {
        self.roster.users(prefix)
    }

    /// What other users see a user doing, as text.
    ///
    /// # Panics
    /// If the session has no username.
    #[must_use]
    pub fn status(&self, id: SessionId) -> impl fmt::Display {
        self.roster.status(id)
    }

    /// The number of chats in progress.
    #[must_use]
    pub fn pair_count(&self) -> usize {
        self.roster.chat_count()
    }

    /// How often each kind of refusal has been said since the start.
    #[must_use]
    pub fn refusals(&self) -> &RefusalCounts {
        self.outputs.refusals()
    }

    /// Stops, or says a notice, if that is due at `now`.
    pub(super) fn follow_planned_stop(&mut self, now: Time) {
        let Some(planned) = &mut self.planned_stop else { return };
        if planned.at <= now {
            self.planned_stop = None;
            self.outputs.report(Event::StopIsDue);
            self.end_all_sessions(now);
        } else if planned.pass_due_notices(now) {
            let ms = planned.at.ms_since(now);
            self.say_to_all(News::StopsIn(StopNotice { ms }));
        }
    }

    /// Tells a new session about a planned stop. Otherwise a user who connects between two notices
    /// would not know.
    pub(super) fn say_planned_stop(&mut self, now: Time, id: SessionId) {
        if let Some(planned) = &self.planned_stop {
            let ms = planned.at.ms_since(now);
            self.say(id, Line::News(News::StopsIn(StopNotice { ms })));
        }
    }

    fn say_to_all(&mut self, news: News<'_>) -> usize {
        let mut count = 0;
        for id in self.roster.present() {
            self.outputs.say(id, &Line::News(news));
            count += 1;
        }
        count
    }
}

impl PlannedStop {
    /// Plans a stop in `ms` milliseconds. Only notices that lie ahead are kept: the plan itself has
    /// just been announced.
    fn new(now: Time, ms: u64) -> PlannedStop {
        let is_ahead = |&seconds: &u64| seconds * 1000 < ms;
        let notices_s = STOP_NOTICES_S.into_iter().filter(is_ahead).collect();
        PlannedStop { at: now.after_ms(ms), notices_s }
    }

    /// When the next notice or the stop is due.
    pub(super) fn next_due(&self) -> Time {
        let before_ms = self.notices_s.last().map_or(0, |seconds| seconds * 1000);
        // The subtraction cannot pass `START`: every notice lies after the time of planning.
        Time::START.after_ms(self.at.ms_since(Time::START).saturating_sub(before_ms))
    }

    /// Removes the notices that are due, and returns whether there were any. If a late turn finds
    /// several, one notice with the true remaining time replaces them all.
    fn pass_due_notices(&mut self, now: Time) -> bool {
        let before = self.notices_s.len();
        while !self.notices_s.is_empty() && self.next_due() <= now {
            self.notices_s.pop();
        }
        self.notices_s.len() < before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_notice_that_lies_ahead_is_given_once() {
        let now = Time::START.after_ms(5_000);
        let mut planned = PlannedStop::new(now, 5 * 60_000);
        assert_eq!(planned.notices_s, [10, 60], "the notice at five minutes does not lie ahead");
        assert_eq!(planned.next_due(), now.after_ms(4 * 60_000));
        assert!(!planned.pass_due_notices(now.after_ms(4 * 60_000 - 1)));
        assert!(planned.pass_due_notices(now.after_ms(4 * 60_000)));
        assert!(!planned.pass_due_notices(now.after_ms(4 * 60_000)));
        assert_eq!(planned.next_due(), now.after_ms(290_000));
        assert!(planned.pass_due_notices(now.after_ms(295_000)), "a late notice is still given");
        assert_eq!(planned.next_due(), planned.at);
    }

    #[test]
    fn a_notice_rounds_to_minutes_and_below_one_minute_to_seconds() {
        let said = |ms| StopNotice { ms }.to_string();
        assert_eq!(said(5 * 60_000), "5 minutes");
        assert_eq!(said(5 * 60_000 - 3), "5 minutes", "3 ms do not matter");
        assert_eq!(said(61_000), "1 minute");
        assert_eq!(said(9_990), "10 s");
    }
}
