//! Requests and chats between two users (4.3 to 4.10): each change of state, and the lines that both
//! users read about it.
//!
//! `dispatch` and `room_commands` call this module. Every change that one user causes in another
//! user's state is told to that user in the same turn (4.1.4).

use super::Chat;
use super::address_limits::Allowance;
use super::event::{DisconnectReason, Event, RequestEnd};
use super::name::Name;
use super::request_limits::RequestLimits;
use super::roster::Roster;
use super::session::{PasswordStep, Proof, Session, UserState};
use super::status::Status;
use super::wording::{AccountRefusal, Line, News, Prompt, Refusal};
use crate::core::SessionId;
use crate::core::limits::ROOM_AFTER_CHAT_MS;
use crate::core::time::Time;

impl Chat {
    /// `asker`, at the menu, asks the user called `name` (4.3). If that user cannot be asked, the
    /// asker reads why and returns to the menu.
    pub(super) fn request_chat(&mut self, now: Time, asker: SessionId, name: &str) {
        let asked = match find_askable_user(&self.roster, &self.request_limits, now, asker, name) {
            Ok(asked) => asked,
            Err(refusal) => {
                self.outputs.say(asker, &Line::Refusal(refusal));
                return self.prompt(asker);
            }
        };
        // From here on both users are unavailable to others, and the request ends by an answer, by
        // the asker or by the deadline.
        self.roster.begin_request(asker, asked, now.after_ms(self.limits.ask_ms));
        self.outputs.report(Event::Asked { by: asker, whom: asked });
        self.outputs.say(asker, &Line::News(News::Asked(&self.roster.user(asked).name)));
        // The question to the asked user is a prompt, because the server waits for the answer.
        self.prompt(asked);
        self.request_limits.count_unread(asked);
        // The limit delays what the asker sends next. The request itself has been made (5.7.2).
        let until = self.roster.options_mut(asker).charge_request(now);
        self.charge_address(now, asker, Allowance::Requests, until);
    }

    /// The user whom `asker` asked says yes (4.6.2). That user has left any room first.
    pub(super) fn accept_request(&mut self, asker: SessionId) {
        let asked = self.roster.start_chat(asker);
        let (asker_name, asked_name) =
            (&self.roster.user(asker).name, &self.roster.user(asked).name);
        // The asker reads the answer first. The asked user has just typed it.
        self.outputs.say(asker, &Line::News(News::Accepted(asked_name)));
        self.outputs.say(asker, &Line::News(News::NowChatting(asked_name)));
        self.outputs.say(asked, &Line::News(News::NowChatting(asker_name)));
        self.outputs.report(Event::Paired { by: asker, with: asked });
    }

    /// The request of `asker` ends without a chat (4.5.2, 4.5.3, 4.6.3, 4.9.2). A user who is leaving
    /// reads nothing and sees no prompt.
    pub(super) fn end_request(&mut self, now: Time, asker: SessionId, how: RequestEnd) {
        // Only a `no` is an answer by the asked user. In the other cases a `yes` may cross the news
        // on the network, and `request_just_ended` catches it (4.6.5).
        let lapses_at = self.roster.lapses_at(asker).unwrap_or(now);
        let asked = self.roster.end_request(asker, how == RequestEnd::Declined);
        self.outputs.report(Event::Unanswered { by: asker, whom: asked, how });
        let (asker_name, asked_name) =
            (&self.roster.user(asker).name, &self.roster.user(asked).name);
        let (to_asker, to_asked) = match how {
            RequestEnd::Declined => {
                (Some(News::Declined(asked_name)), Some(News::YouDeclined(asker_name)))
            }
            RequestEnd::Withdrawn => {
                (Some(News::YouWithdrew(asked_name)), Some(News::Withdrew(asker_name)))
            }
            RequestEnd::Lapsed => {
                (Some(News::YourRequestLapsed(asked_name)), Some(News::RequestLapsed(asker_name)))
            }
            RequestEnd::AskerLeft(why) => (None, Some(News::Gone { who: asker_name, why })),
            RequestEnd::AskedLeft(why) => (Some(News::Gone { who: asked_name, why }), None),
        };
        for (id, news) in [(asker, to_asker), (asked, to_asked)] {
            news.into_iter().for_each(|news| self.outputs.say(id, &Line::News(news)));
        }
        // Each user reads the news before the prompt.
        if !matches!(how, RequestEnd::AskerLeft(_)) {
            self.prompt(asker);
        }
        if !matches!(how, RequestEnd::AskedLeft(_)) {
            self.prompt(asked);
        }
        self.start_cooldowns(now, asker, asked, lapses_at, how);
    }

    /// Keeps the asker from asking the same user again at once (5.7.1), and the asker's address from
    /// taking all of that user's time (5.7.3). A user who left is asked by nobody.
    fn start_cooldowns(
        &mut self,
        now: Time,
        asker: SessionId,
        asked: SessionId,
        lapses_at: Time,
        how: RequestEnd,
    ) {
        if !matches!(how, RequestEnd::AskedLeft(_)) {
            let (origin, name) = (self.roster.origin(asker), &self.roster.user(asked).name);
            self.request_limits.charge(now, origin, name, lapses_at);
        }
        // A cool-down after a withdrawal too: asking and withdrawing in turn would also pester the
        // asked user (5.7.1).
        let cools_down =
            matches!(how, RequestEnd::Declined | RequestEnd::Withdrawn | RequestEnd::Lapsed);
        if cools_down && self.limits.ask_again_ms > 0 {
            let name = self.roster.user(asked).name.folded();
            let until = now.after_ms(self.limits.ask_again_ms);
            self.roster.options_mut(asker).start_cooldown(now, name, until);
        }
    }

    /// `id` ends its chat and stays online (4.7.3).
    pub(super) fn quit_chat(&mut self, now: Time, id: SessionId) {
        let partner = self.roster.end_chat(id);
        self.block_rooms_for(now, partner);
        let (leaver, left) = (&self.roster.user(id).name, &self.roster.user(partner).name);
        self.outputs.say(id, &Line::News(News::YouLeft(left)));
        self.outputs.say(partner, &Line::News(News::Left(leaver)));
        // The exchange reacts to this event: it drops the input of the partner that it still holds,
        // because those lines were meant for the chat (4.1.5).
        self.outputs.report(Event::Parted { by: id, from: partner });
        self.prompt(id);
        self.prompt(partner);
    }

    /// Ends a session in any state (4.9, 4.10). Does nothing if the session is over: several causes
    /// can meet in one turn, for example a stall and a failed connection.
    ///
    /// The order matters. Others are told while the session still has its name, and the farewell is
    /// said while the session still exists. The name becomes free last.
    pub(super) fn end_session(&mut self, now: Time, id: SessionId, why: DisconnectReason) {
        self.leave_password_state(id);
        match self.roster.session(id) {
            Session::Naming { .. } | Session::SigningIn(_) => {}
            Session::User(user) => match user.state {
                // `leave_room` below takes care of a room.
                UserState::Menu { .. }
                | UserState::Choosing
                | UserState::GivingPassword { .. }
                | UserState::InRoom { .. } => {}
                UserState::Asking { .. } => self.end_request(now, id, RequestEnd::AskerLeft(why)),
                UserState::Asked { asker, .. } | UserState::AskedInRoom { asker, .. } => {
                    self.end_request(now, asker, RequestEnd::AskedLeft(why));
                }
                UserState::Chatting { .. } => self.end_chat_of_leaver(now, id, why),
            },
            Session::Over { .. } => return,
        }
        let was_in_room = self.leave_room(now, id, why).is_some();
        self.charge_leave(now, id, was_in_room);
        self.drop_answer(id);
        self.follows.remove(id);
        self.say_farewell(id, why);
        self.roster.end_session(id);
        self.outputs.report(Event::Left { who: id, why });
        self.outputs.hang_up(id);
    }

    /// Ends every session because the server stops (4.10.4). Every user reads only that the server
    /// stops. If each user also read that each other user left, n users would read n² lines.
    pub(super) fn end_all_sessions(&mut self, now: Time) {
        // Collected first, because the loop changes the roster.
        let present = self.roster.present().collect::<Vec<_>>();
        for &id in &present {
            self.leave_password_state(id);
            self.roster.end_request_or_chat(id);
            if self.roster.leave_room(id, self.room_kept_until(now, id)).is_some() {
                self.outputs.subscribe(id, None);
            }
            self.charge_leave(now, id, false);
            self.drop_answer(id);
            self.follows.remove(id);
            self.say_farewell(id, DisconnectReason::Stopping);
            self.roster.end_session(id);
            self.outputs.report(Event::Left { who: id, why: DisconnectReason::Stopping });
            self.outputs.hang_up(id);
        }
    }

    /// Keeps `id` out of rooms for a moment (7.20). Lines for the partner who ended the chat may
    /// still be on their way, and must not be said to a room.
    fn block_rooms_for(&mut self, now: Time, id: SessionId) {
        let until = now.after_ms(ROOM_AFTER_CHAT_MS);
        self.roster.options_mut(id).no_room_until = Some(until);
    }

    /// Ends the chat of a session that is ending. Unlike [`Chat::quit_chat`], the partner reads the
    /// reason, and the leaver reads only the farewell.
    fn end_chat_of_leaver(&mut self, now: Time, id: SessionId, why: DisconnectReason) {
        let partner = self.roster.end_chat(id);
        self.block_rooms_for(now, partner);
        let who = &self.roster.user(id).name;
        self.outputs.say(partner, &Line::News(News::Gone { who, why }));
        self.outputs.report(Event::Parted { by: id, from: partner });
        self.prompt(partner);
    }

    /// Says the last line of a session, which tells the user why it ends.
    fn say_farewell(&mut self, id: SessionId, why: DisconnectReason) {
        // Rounded up: "within 0 s" would be wrong for a limit of 500 ms in a test setup.
        let seconds = |ms: u64| ms.div_ceil(1000);
        let line = match why {
            DisconnectReason::Exit => Line::News(News::Goodbye(self.roster.name_of(id))),
            DisconnectReason::Stopping => Line::News(News::Stopping),
            DisconnectReason::Nameless => {
                Line::Refusal(Refusal::NoNameInTime { seconds: seconds(self.limits.naming_ms) })
            }
            DisconnectReason::Stalled => {
                Line::Refusal(Refusal::Stalled { seconds: seconds(self.limits.stall_ms) })
            }
            DisconnectReason::Overrun => Line::Refusal(Refusal::Overrun),
            DisconnectReason::WrongPassword => {
                Line::Refusal(Refusal::Account(AccountRefusal::WrongPasswords))
            }
            DisconnectReason::SpokeTls => Line::Refusal(Refusal::Tls { place: &self.tls }),
            DisconnectReason::SpokeHttp => Line::Refusal(Refusal::Http { page: &self.page }),
            // A client that hung up expects no farewell, and a failed connection delivers none.
            // A user who was removed, or whose account was changed or signed in elsewhere, has read why.
            DisconnectReason::TakenOver
            | DisconnectReason::AccountChanged
            | DisconnectReason::HungUp
            | DisconnectReason::Lost
            | DisconnectReason::Removed
            | DisconnectReason::Banned => return,
        };
        self.outputs.say(id, &line);
    }

    /// Says a refusal. Repeats the prompt in NAMING, MENU and CHOOSING (4.1.3), where the user has
    /// nothing to do but answer it. Does nothing if the session is over.
    pub(super) fn refuse(&mut self, id: SessionId, refusal: Refusal<'_>) {
        match self.roster.session(id) {
            Session::Over { .. } => {}
            Session::Naming { .. } | Session::SigningIn(_) => {
                self.say(id, Line::Refusal(refusal));
                self.prompt(id);
            }
            Session::User(user) => {
                let state = user.state;
                self.say(id, Line::Refusal(refusal));
                if let UserState::Menu { .. }
                | UserState::Choosing
                | UserState::GivingPassword { .. } = state
                {
                    self.prompt(id);
                }
            }
        }
    }

    /// Says the prompt of the session's state, if the state has one. A user who waits, chats or is
    /// in a room has no prompt: the server expects nothing from them.
    pub(super) fn prompt(&mut self, id: SessionId) {
        let prompt = match self.roster.session(id) {
            Session::Naming { .. } => Prompt::Username,
            Session::SigningIn(signing_in) => match signing_in.proof {
                Proof::Awaited { .. } => Prompt::Password(&signing_in.account),
                Proof::Checked { .. } => return,
            },
            Session::User(user) => match user.state {
                UserState::Menu { .. } => Prompt::Menu,
                UserState::Choosing => Prompt::PartnerName,
                UserState::GivingPassword { step, .. } => match step {
                    PasswordStep::Current => Prompt::Password(&user.name),
                    PasswordStep::New => Prompt::NewPassword(&user.name),
                    PasswordStep::Repeat => Prompt::PasswordAgain,
                    PasswordStep::Asked(_) => return,
                },
                UserState::Asked { asker, .. } => {
                    Prompt::WantsToChat { by: &self.roster.user(asker).name, in_room: false }
                }
                UserState::AskedInRoom { asker, .. } => {
                    Prompt::WantsToChat { by: &self.roster.user(asker).name, in_room: true }
                }
                UserState::Asking { .. }
                | UserState::Chatting { .. }
                | UserState::InRoom { .. } => return,
            },
            Session::Over { .. } => return,
        };
        if let Prompt::Password(_) | Prompt::NewPassword(_) | Prompt::PasswordAgain = prompt {
            self.outputs.hide_typing(id);
        }
        self.outputs.say(id, &Line::Prompt(prompt));
    }
}

/// Finds the user called `text`, if `asker` may ask that user now (4.3.3).
///
/// # Errors
/// The first reason against the request, in the order of the checks below. An ignored asker reads
/// the same refusal as for do-not-disturb (5.6.1): nobody should learn that they are ignored. The
/// cool-downs come last, because the other reasons tell the asker more.
pub(super) fn find_askable_user<'r>(
    roster: &'r Roster,
    limits: &RequestLimits,
    now: Time,
    asker: SessionId,
    text: &'r str,
) -> Result<SessionId, Refusal<'r>> {
    // An invalid name is no user's name. "Nobody called that" says all that the asker needs.
    let nobody = Refusal::NobodyCalled(text.trim());
    let name = Name::parse(text.trim()).map_err(|_| nobody)?;
    let id = roster.find(&name).ok_or(nobody)?;
    if id == asker {
        return Err(Refusal::Yourself);
    }
    let (origin, whom) = (roster.origin(asker), &roster.user(id).name);
    // The status decides rather than the state, so that the refusal agrees with the list.
    match roster.status(id) {
        Status::Available | Status::InRoom { busy: false, .. } => {}
        Status::Busy | Status::InRoom { busy: true, .. } => {
            return Err(Refusal::TakesNoRequests(whom));
        }
        status @ (Status::Asking(_) | Status::AskedBy(_) | Status::ChattingWith(_)) => {
            return Err(Refusal::Unavailable { whom, status });
        }
    }
    let options = roster.options(id);
    if options.ignores(&roster.user(asker).name.folded()) || options.shuts_out(origin) {
        return Err(Refusal::TakesNoRequests(whom));
    }
    if limits.has_too_many_unread(id) {
        return Err(Refusal::NotReading(whom));
    }
    if let Some(seconds) = roster.options(asker).cooldown_seconds(now, &whom.folded()) {
        return Err(Refusal::AskedLately { whom, seconds });
    }
    match limits.wait_seconds(now, origin, whom) {
        Some(seconds) => Err(Refusal::AddressAskedLately { whom, seconds }),
        None => Ok(id),
    }
}
