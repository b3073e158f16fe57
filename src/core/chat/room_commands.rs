//! Rooms (part 6): entering, saying something, commands, leaving, and what the members read.
//!
//! `dispatch` calls this module for the lines of members. `roster` and `rooms` hold the state. A
//! line for a room is published once, and the exchange delivers it: the cost here does not grow
//! with the number of members.

use super::Chat;
use super::address_limits::Allowance;
use super::answers::Listed;
use super::event::{DisconnectReason, Event, RequestEnd};
use super::history::{Record, UnixSeconds};
use super::name::Name;
use super::output::{Audience, BroadcastId};
use super::pairing::find_askable_user;
use super::rooms::{Room, RoomId, RoomUnavailable, RoomWish};
use super::wording::{Line, Refusal, RoomNews, RoomRefusal, RoomText};
use crate::core::limits::{
    HISTORY_LINES_SHOWN, Limits, ROOM_DEBT_MS_MAX, ROOM_DELIVERIES_PER_INTERVAL,
    ROOM_LINES_IN_A_ROW_MAX,
};
use crate::core::time::Time;
use crate::core::{Origin, SessionId};

impl Chat {
    /// `id`, at the menu, enters the room called `name` (6.1.1).
    pub(super) fn join_room(&mut self, now: Time, id: SessionId, name: &str) {
        match self.find_enterable_room(now, id, name) {
            Ok(room) => self.enter_room(now, id, room),
            Err(refusal) => {
                self.say(id, Line::from(refusal));
                self.prompt(id);
            }
        }
    }

    /// `id`, at the menu, enters a room that it may enter (6.1.4).
    fn enter_room(&mut self, now: Time, id: SessionId, room: RoomId) {
        self.roster.enter_room(id, room);
        let (user, Room { name, history, .. }) =
            (self.roster.user(id), self.roster.rooms().room(room));
        let joined = RoomNews::Joined { who: &user.name, room: name };
        self.outputs.publish(room, Audience::Loud, &Line::from(joined));
        // Subscribe after publishing: the new member reads "You are now in" instead of "joined".
        self.outputs.subscribe(id, Some(BroadcastId::of(room, self.roster.options(id).quiet)));
        self.outputs.report(Event::Joined { who: id, room });
        let others = self.roster.rooms().room(room).member_count() - 1;
        self.outputs.say(id, &Line::from(RoomNews::NowIn { room: name, others }));
        let has_history = history.len() > 0;
        self.begin_list(id, Listed::Members(room), "", Some(others));
        if has_history {
            self.begin_history(id, room, HISTORY_LINES_SHOWN);
        }
        // Joining makes every member read a line, and therefore counts as one (6.2.3).
        self.charge_room_line(now, id, room);
    }

    /// Finds or creates the room called `name`, if `id` may enter it now (6.1.1).
    ///
    /// # Errors
    /// The refusal that the user reads, with the menu after it.
    fn find_enterable_room(
        &mut self,
        now: Time,
        id: SessionId,
        name: &str,
    ) -> Result<RoomId, RoomRefusal<'static>> {
        if self.roster.options(id).must_wait_for_room(now) {
            return Err(RoomRefusal::ChatJustEnded);
        }
        // The rules for usernames keep a room's name from imitating another one, too.
        let name = Name::parse(name).map_err(RoomRefusal::Name)?;
        let wish = RoomWish {
            name: &name,
            until: now.after_ms(self.limits.room_history_ms),
            founder: self.roster.origin(id),
            now: self.unix_seconds(now),
            rooms_max: self.limits.rooms_max,
            per_address_max: self.limits.rooms_per_address_max,
        };
        match self.roster.find_or_add_room(wish) {
            Ok(room) => match self.roster.rooms().room(room).member_count() {
                count if count >= self.limits.members_max => Err(RoomRefusal::Full),
                _ => Ok(room),
            },
            Err(RoomUnavailable::LooksTaken) => Err(RoomRefusal::LooksTaken),
            Err(RoomUnavailable::TooMany) => Err(RoomRefusal::TooMany),
            Err(RoomUnavailable::TooManyFromAddress) => Err(RoomRefusal::TooManyFromAddress),
        }
    }

    /// `/join` in a room: leaves it and enters the room called `name` (4.8.12). If that is not
    /// possible, `id` stays.
    pub(super) fn move_to_room(&mut self, now: Time, id: SessionId, from: RoomId, name: &str) {
        let here = &self.roster.rooms().room(from).name;
        if Name::parse(name).is_ok_and(|name| name.folded() == here.folded()) {
            return self.outputs.say(id, &Line::from(RoomRefusal::AlreadyHere(here)));
        }
        if let Some(asker) = self.roster.user(id).state.asker() {
            let by = &self.roster.user(asker).name;
            return self.outputs.say(id, &Line::from(RoomRefusal::AnswerFirst(by)));
        }
        match self.find_enterable_room(now, id, name) {
            Ok(room) => {
                self.quit_room(now, id);
                self.enter_room(now, id, room);
            }
            Err(refusal) => self.say(id, Line::from(refusal)),
        }
    }

    /// Says something to a room and adds it to the history (4.8.2, 6.3.1, 6.2.3, 6.3.3).
    ///
    /// The speaker reads the line too. Each member therefore sees the same lines in the same order,
    /// and the speaker sees where their line stands in that order.
    pub(super) fn say_in_room(
        &mut self,
        now: Time,
        id: SessionId,
        room: RoomId,
        said: RoomText<'_>,
    ) {
        let said_at = self.unix_seconds(now);
        let line = Line::Said { from: &self.roster.user(id).name, said };
        let line = self.outputs.publish(room, Audience::Everybody, &line);
        self.roster.room_mut(room).add_line(said_at, line);
        // The record comes after the line in `outputs`, but the server writes all records of a turn
        // to the file before it writes any line to a socket (6.3.3).
        if self.records_history {
            let Room { name, history, .. } = self.roster.rooms().room(room);
            let record = Record { said_at, room: name.as_str(), line: history.newest() };
            self.outputs.record(record);
        }
        self.charge_room_line(now, id, room);
    }

    /// Counts one line that `id` made all members of `room` read, against the allowances of the user,
    /// of the room, and of the address. Pauses the input of `id` if one is exceeded (6.2.3, 6.2.4).
    fn charge_room_line(&mut self, now: Time, id: SessionId, room: RoomId) {
        let interval_ms = self.limits.room_line_ms;
        let own = self.roster.options_mut(id).charge_room_line(now, interval_ms);
        let room = self.roster.room_mut(room);
        // The line costs a write for every member, so it costs the room more the larger it is.
        let cost_ms = room.member_count() as u64 * interval_ms / ROOM_DELIVERIES_PER_INTERVAL;
        let allowance_ms = u64::from(ROOM_LINES_IN_A_ROW_MAX) * interval_ms;
        let shared = room.lines.charge_shared(now, cost_ms, allowance_ms, ROOM_DEBT_MS_MAX);
        self.charge_address(now, id, Allowance::RoomLines, own.max(shared));
    }

    /// `id` leaves its room by choice (4.8.3). The caller says the next prompt, which depends on why
    /// `id` leaves.
    pub(super) fn quit_room(&mut self, now: Time, id: SessionId) {
        if let Some(room) = self.leave_room(now, id, DisconnectReason::Exit) {
            let name = &self.roster.rooms().room(room).name;
            self.outputs.say(id, &Line::from(RoomNews::YouLeft(name)));
            self.charge_room_line(now, id, room);
        }
    }

    /// Removes `id` from its room and tells the remaining members. Lines that were published before
    /// still reach `id`. Returns the room, or `None` if `id` was in none.
    pub(super) fn leave_room(
        &mut self,
        now: Time,
        id: SessionId,
        why: DisconnectReason,
    ) -> Option<RoomId> {
        let until = self.room_kept_until(now, id);
        let room = self.roster.leave_room(id, until)?;
        // Unsubscribe before publishing: the leaver reads "You left" instead of "left".
        self.outputs.subscribe(id, None);
        let who = &self.roster.user(id).name;
        let left = RoomNews::Left { who, room: &self.roster.rooms().room(room).name, why };
        self.outputs.publish(room, Audience::Loud, &Line::from(left));
        self.outputs.report(Event::LeftRoom { who: id, room });
        Some(room)
    }

    /// Until when the room of `id` is kept if `id` is the last member to leave.
    ///
    /// A room without history is kept for 1 ms, just long enough to log its name, and so is each
    /// room if the limit is 0. If rooms without history were kept longer, a user could enter many
    /// rooms in turn and use up the limit on rooms.
    pub(super) fn room_kept_until(&self, now: Time, id: SessionId) -> Time {
        let has_no_history = |room| self.roster.rooms().room(room).history.len() == 0;
        match self.room(id).is_some_and(has_no_history) {
            true => now.after_ms(1),
            false => now.after_ms(self.limits.room_history_ms.max(1)),
        }
    }

    /// Hides or shows joins and leavings, here and in later rooms (4.8.9). The exchange filters them:
    /// a member subscribes either to all lines of the room or to what members say.
    pub(super) fn set_quiet(&mut self, id: SessionId, quiet: bool) {
        self.roster.options_mut(id).quiet = quiet;
        if let Some(room) = self.room(id) {
            self.outputs.subscribe(id, Some(BroadcastId::of(room, quiet)));
        }
        self.say(id, Line::from(if quiet { RoomNews::Quiet } else { RoomNews::Loud }));
    }

    /// `/chat NAME`: leaves the room and asks a user to chat, or accepts that user's request (4.8.8).
    /// If the user cannot be asked, `id` stays in the room.
    pub(super) fn request_chat_from_room(&mut self, now: Time, id: SessionId, name: Option<&str>) {
        if let Some(asker) = self.roster.user(id).state.asker() {
            if name.is_some_and(|name| self.has_name(asker, name)) {
                return self.answer_request_in_room(now, id, "", true);
            }
            let by = &self.roster.user(asker).name;
            return self.outputs.say(id, &Line::from(RoomRefusal::AnswerFirst(by)));
        }
        let Some(name) = name else {
            return self.say(id, Line::from(RoomRefusal::ChatWithWhom));
        };
        // Check before leaving; `request_chat` checks again, with the same result.
        match find_askable_user(&self.roster, &self.request_limits, now, id, name) {
            Ok(_) => {
                self.quit_room(now, id);
                self.request_chat(now, id, name);
            }
            Err(refusal) => self.outputs.say(id, &Line::Refusal(refusal)),
        }
    }

    /// `/yes` and `/no` (4.8.6). Unlike at a prompt, there may be no request to answer.
    pub(super) fn answer_request_in_room(
        &mut self,
        now: Time,
        id: SessionId,
        name: &str,
        accepts: bool,
    ) {
        match self.roster.user(id).state.asker() {
            Some(asker) if self.names_other(asker, name) => {
                let asker = &self.roster.user(asker).name;
                self.outputs.say(id, &Line::Refusal(Refusal::OtherAsks(asker)));
            }
            // A chat never takes place in a room: text for one partner must not reach the members.
            Some(asker) if accepts => {
                self.quit_room(now, id);
                self.accept_request(asker);
            }
            Some(asker) => self.end_request(now, asker, RequestEnd::Declined),
            None => self.refuse(id, Refusal::NobodyAsks),
        }
    }

    /// `/who` and `/who PREFIX` (4.8.10). The counts leave out the reader, as the rows do.
    ///
    /// A prefix matches at most `members_max` names. Counting therefore needs no limit of its own.
    pub(super) fn list_members(&mut self, reader: SessionId, room: RoomId, prefix: &str) {
        let members = self.roster.rooms().room(room);
        let (others, news) = match prefix {
            "" => {
                let others = members.member_count() - 1;
                (others, RoomNews::OthersHere(others))
            }
            prefix => {
                let others = members.members(prefix).filter(|&id| id != reader).count();
                (others, RoomNews::OthersMatching(others, prefix))
            }
        };
        self.outputs.say(reader, &Line::from(news));
        self.begin_list(reader, Listed::Members(room), prefix, Some(others));
    }

    /// `/history`, with the text of its count, which may be empty (6.3.1).
    pub(super) fn history_command(&mut self, id: SessionId, room: RoomId, count: &str) {
        let count = if count.is_empty() { Ok(HISTORY_LINES_SHOWN) } else { count.parse() };
        match count {
            Ok(count) if count > 0 => self.begin_history(id, room, count),
            _ => self.say(id, Line::from(RoomRefusal::NotACount)),
        }
    }

    /// Lists the rooms with members whose names begin with `prefix` (5.3.1).
    pub(super) fn list_rooms(&mut self, reader: SessionId, prefix: &str) {
        let rooms = self.roster.rooms();
        // A complete list needs no counting, and a prefix matches at most `rooms_max` rooms.
        // Counting therefore needs no limit of its own, unlike for users.
        let count = match prefix {
            "" => rooms.open_count(),
            prefix => rooms.open(prefix).count(),
        };
        self.outputs.say(reader, &Line::from(RoomNews::Count(count, prefix)));
        self.begin_list(reader, Listed::Rooms, prefix, Some(count));
    }

    /// The wall-clock time at `now`, counted from the last time that the shell told it.
    fn unix_seconds(&self, now: Time) -> UnixSeconds {
        let (at, shown) = self.wall_clock;
        shown + now.ms_since(at) / 1000
    }

    /// Restores one line from the history store (6.3.3). Skips a line whose room has an invalid
    /// name, or does not fit within the limit on rooms. Call it before the first session connects,
    /// in the order in which the lines were said.
    ///
    /// A line from the future was said while the clock was wrong. It counts as said now; otherwise
    /// its room would be kept until that future.
    pub fn restore_history(&mut self, record: Record<'_>) {
        let started_at = self.unix_seconds(Time::START);
        let said_at = record.said_at.min(started_at);
        let age_ms = (started_at - said_at).saturating_mul(1000);
        let Limits { room_history_ms, rooms_max, rooms_per_address_max, .. } = self.limits;
        let Ok(name) = Name::parse(record.room) else { return };
        // A room expires as a whole, by the age of its last line. The line of a room that is too
        // old is restored too, and the first `handle_timeout` removes the room.
        let until = Time::START.after_ms(room_history_ms.saturating_sub(age_ms));
        let (name, founder, now) = (&name, Origin::NONE, started_at);
        let per_address_max = rooms_per_address_max;
        let wish = RoomWish { name, until, founder, now, rooms_max, per_address_max };
        if let Ok(room) = self.roster.find_or_add_room(wish) {
            self.roster.keep_room_until(room, until);
            self.roster.room_mut(room).add_line(said_at, record.line);
        }
    }
}
