//! Rooms (part 6): coming in, saying something, and going, and what it means for all who are there.

use super::Chat;
use super::command::RoomCommand;
use super::event::{DisconnectReason, Event, RequestEnd};
use super::history::{Record, UnixSeconds};
use super::name::Name;
use super::output::{Audience, BroadcastId};
use super::pairing::check_request;
use super::rooms::{Room, RoomId, RoomUnavailable};
use super::wording::{Line, ROOM_HELP, RoomNews, RoomRefusal, RoomRow, RoomText, Row};
use crate::core::SessionId;
use crate::core::limits::{HISTORY_LINES_SHOWN, LIST_ROWS_MAX};
use crate::core::time::Time;

impl Chat {
    /// `id`, at the menu, enters a room (6.1, 6.2).
    pub(super) fn join(&mut self, now: Time, id: SessionId, name: &str) {
        let room = match self.may_enter(now, id, name) {
            Ok(room) => room,
            Err(refusal) => {
                self.outputs.say(id, &Line::from(refusal));
                return self.prompt(id);
            }
        };
        self.roster.enter(id, room);
        let (user, Room { name, history, .. }) =
            (self.roster.user(id), self.roster.rooms().room(room));
        let joined = RoomNews::Joined { who: &user.name, room: name };
        self.outputs.publish(room, Audience::Loud, &Line::from(joined));
        // Not before: one's own coming is told in other words.
        self.outputs.subscribe(id, Some(BroadcastId::of(room, user.is_quiet())));
        self.outputs.report(Event::Joined { who: id, room });
        let others = self.roster.rooms().room(room).member_count() - 1;
        self.outputs.say(id, &Line::from(RoomNews::NowIn { room: name, others }));
        let has_past = history.len() > 0;
        self.list_others(id, room);
        if has_past {
            self.show_history(id, room, HISTORY_LINES_SHOWN);
        }
        self.count_line(now, id);
    }

    fn may_enter(
        &mut self,
        now: Time,
        id: SessionId,
        name: &str,
    ) -> Result<RoomId, RoomRefusal<'static>> {
        if self.roster.user(id).chat_just_ended(now) {
            return Err(RoomRefusal::ChatJustEnded);
        }
        let name = Name::parse(name).map_err(RoomRefusal::Name)?;
        let until = now.after_ms(self.limits.room_history_ms);
        match self.roster.find_or_add_room(&name, until, self.limits.rooms_max) {
            Ok(room) => match self.roster.rooms().room(room).member_count() {
                count if count >= self.limits.members_max => Err(RoomRefusal::Full),
                _ => Ok(room),
            },
            Err(RoomUnavailable::LooksTaken) => Err(RoomRefusal::LooksTaken),
            Err(RoomUnavailable::TooMany) => Err(RoomRefusal::TooMany),
        }
    }

    /// What somebody in a room makes of a line, asked there or not.
    pub(super) fn in_room(&mut self, now: Time, id: SessionId, room: RoomId, line: &str) {
        match RoomCommand::parse(line) {
            RoomCommand::Say(text) => self.speak(now, id, room, RoomText::Said(text)),
            RoomCommand::Act(text) => self.speak(now, id, room, RoomText::Done(text)),
            RoomCommand::Quit => {
                self.quit_room(now, id);
                self.prompt(id);
            }
            RoomCommand::Who => {
                let others = self.roster.rooms().room(room).member_count() - 1;
                self.say(id, Line::from(RoomNews::OthersHere(others)));
                self.list_others(id, room);
            }
            RoomCommand::History("") => self.show_history(id, room, HISTORY_LINES_SHOWN),
            RoomCommand::History(count) => match count.parse() {
                Ok(count) if count > 0 => self.show_history(id, room, count),
                _ => self.say(id, Line::from(RoomRefusal::NotACount)),
            },
            RoomCommand::Quiet(quiet) => self.be_quiet(id, room, quiet),
            RoomCommand::Chat(name) => self.ask_from_room(now, id, name),
            RoomCommand::Yes => self.answer_in_room(now, id, true),
            RoomCommand::No => self.answer_in_room(now, id, false),
            RoomCommand::Help => self.help(id, &ROOM_HELP),
            RoomCommand::CommonCommand(common_command) => self.common_command(id, common_command),
            RoomCommand::Unknown => self.say(id, Line::from(RoomRefusal::NotACommand)),
        }
    }

    /// Says something to a room, and keeps it (6.3, 6.8, 6.10, 6.14).
    fn speak(&mut self, now: Time, id: SessionId, room: RoomId, said: RoomText<'_>) {
        let said_at = self.unix_seconds(now);
        let line = Line::Said { from: &self.roster.user(id).name, said };
        let line = self.outputs.publish(room, Audience::Everybody, &line);
        self.roster.room_mut(room).history.push(said_at, line);
        if self.records {
            let Room { name, history, .. } = self.roster.rooms().room(room);
            let record = Record { said_at, room: name.as_str(), line: history.newest() };
            self.outputs.record(record);
        }
        self.count_line(now, id);
    }

    /// Counts what the members of a room had to read for the sake of `id` (6.10).
    fn count_line(&mut self, now: Time, id: SessionId) {
        let options = self.roster.user_mut(id).options_mut();
        if let Some(until) = options.count_line(now, self.limits.room_line_ms) {
            self.outputs.pause(id, until);
        }
    }

    /// `id` leaves its room of its own accord (6.4).
    fn quit_room(&mut self, now: Time, id: SessionId) {
        if let Some(room) = self.leave_room(now, id, DisconnectReason::Exit) {
            let room = &self.roster.rooms().room(room).name;
            self.outputs.say(id, &Line::from(RoomNews::YouLeft(room)));
            self.count_line(now, id);
        }
    }

    /// `id` is in no room any more, and the members left hear so. What they had been told before is
    /// still theirs to read.
    pub(super) fn leave_room(
        &mut self,
        now: Time,
        id: SessionId,
        why: DisconnectReason,
    ) -> Option<RoomId> {
        let until = self.kept_until(now, id);
        let room = self.roster.leave_room(id, until)?;
        self.outputs.subscribe(id, None);
        let who = &self.roster.user(id).name;
        let left = RoomNews::Left { who, room: &self.roster.rooms().room(room).name, why };
        self.outputs.publish(room, Audience::Loud, &Line::from(left));
        self.outputs.report(Event::LeftRoom { who: id, room });
        Some(room)
    }

    /// Until when the room of `id` is kept when nobody is in it any more: where nothing was said, just
    /// until its name has been logged, so that nobody crowds out others by walking from room to room.
    pub(super) fn kept_until(&self, now: Time, id: SessionId) -> Time {
        let is_silent = |room| self.roster.rooms().room(room).history.len() == 0;
        match self.room(id).is_some_and(is_silent) {
            true => now.after_ms(1),
            false => now.after_ms(self.limits.room_history_ms),
        }
    }

    fn be_quiet(&mut self, id: SessionId, room: RoomId, quiet: bool) {
        self.roster.user_mut(id).options_mut().quiet = quiet;
        self.outputs.subscribe(id, Some(BroadcastId::of(room, quiet)));
        self.say(id, Line::from(if quiet { RoomNews::Quiet } else { RoomNews::Loud }));
    }

    /// Out of the room and to somebody else, if that one can be asked (6.7).
    fn ask_from_room(&mut self, now: Time, id: SessionId, name: &str) {
        if let Some(by) = self.roster.user(id).phase.asked_by() {
            return match self.is_called(by, name) {
                true => self.answer_in_room(now, id, true),
                false => {
                    let by = &self.roster.user(by).name;
                    self.outputs.say(id, &Line::from(RoomRefusal::AnswerFirst(by)));
                }
            };
        }
        match check_request(&self.roster, now, id, name) {
            Ok(_) => {
                self.quit_room(now, id);
                self.ask_for(now, id, name);
            }
            Err(refusal) => self.outputs.say(id, &Line::Refusal(refusal)),
        }
    }

    /// `/yes` and `/no`: there may be no request (6.7).
    fn answer_in_room(&mut self, now: Time, id: SessionId, accepts: bool) {
        match self.roster.user(id).phase.asked_by() {
            Some(by) if accepts => {
                self.quit_room(now, id);
                self.accept(by);
            }
            Some(by) => self.end_ask(now, by, RequestEnd::Declined),
            None => self.say(id, Line::from(RoomRefusal::NobodyAsks)),
        }
    }

    fn list_others(&mut self, reader: SessionId, room: RoomId) {
        let room = self.roster.rooms().room(room);
        for id in room.members().filter(|&id| id != reader).take(LIST_ROWS_MAX) {
            let row = RoomRow::Member(&self.roster.user(id).name);
            self.outputs.say(reader, &Line::from(row));
        }
        let others = room.member_count() - 1;
        if others > LIST_ROWS_MAX {
            self.outputs.say(reader, &Line::from(RoomRow::MoreMembers(others - LIST_ROWS_MAX)));
        }
    }

    /// The last `count` lines said in a room (6.8).
    fn show_history(&mut self, reader: SessionId, room: RoomId, count: usize) {
        let history = &self.roster.rooms().room(room).history;
        let heading = RoomNews::LastLines(count.min(history.len()));
        self.outputs.say(reader, &Line::from(heading));
        for (said_at, line) in history.last(count) {
            self.outputs.say(reader, &Line::from(RoomRow::History { said_at, line }));
        }
    }

    /// The rooms with somebody in them whose names begin with `prefix` (6.13).
    pub(super) fn list_rooms(&mut self, reader: SessionId, prefix: &str) {
        let rooms = self.roster.rooms();
        let count = match prefix {
            "" => rooms.open_count(),
            prefix => rooms.open(prefix).count(),
        };
        self.outputs.say(reader, &Line::from(RoomNews::Count(count, prefix)));
        for room in rooms.open(prefix).take(LIST_ROWS_MAX) {
            let row = RoomRow::Room { name: &room.name, members: room.member_count() };
            self.outputs.say(reader, &Line::from(row));
        }
        if count > LIST_ROWS_MAX {
            let more = Row::More { count: Some(count - LIST_ROWS_MAX), choice: 5 };
            self.outputs.say(reader, &Line::Row(more));
        }
    }

    fn unix_seconds(&self, now: Time) -> UnixSeconds {
        self.started_at + now.ms_since(Time::START) / 1000
    }

    /// A line that was written down before the server started; a room in which nothing was said for
    /// too long, or for which there is no place, is not kept (6.14).
    pub fn restore_history(&mut self, record: Record<'_>) {
        let age_ms = self.started_at.saturating_sub(record.said_at).saturating_mul(1000);
        let (past_ms, rooms_max) = (self.limits.room_history_ms, self.limits.rooms_max);
        let Ok(name) = Name::parse(record.room) else { return };
        // The age of the last line counts for the room, and with it for all lines before.
        let until = Time::START.after_ms(past_ms.saturating_sub(age_ms));
        if let Ok(room) = self.roster.find_or_add_room(&name, until, rooms_max) {
            self.roster.prolong_room(room, until);
            self.roster.room_mut(room).history.push(record.said_at, record.line);
        }
    }
}
