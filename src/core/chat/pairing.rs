//! How two people come together and go apart (3.5 to 3.9): each change of the roster, and what it
//! means for both. No change of state at another's hand goes untold (3.1.4).

use super::Chat;
use super::event::{DisconnectReason, Event, RequestEnd};
use super::name::Name;
use super::roster::Roster;
use super::session::{Session, UserState};
use super::status::Status;
use super::wording::{Line, News, Prompt, Refusal};
use crate::core::SessionId;
use crate::core::limits::ROOM_AFTER_CHAT_MS;
use crate::core::time::Time;

impl Chat {
    /// `by`, at the menu, asks for somebody (3.5).
    pub(super) fn ask_for(&mut self, now: Time, by: SessionId, name: &str) {
        let whom = match check_request(&self.roster, now, by, name) {
            Ok(whom) => whom,
            Err(refusal) => {
                self.outputs.say(by, &Line::Refusal(refusal));
                return self.prompt(by);
            }
        };
        self.roster.ask(by, whom, now.after_ms(self.limits.ask_ms));
        self.outputs.report(Event::Asked { by, whom });
        self.outputs.say(by, &Line::News(News::Asked(&self.roster.user(whom).name)));
        self.prompt(whom);
        if let Some(until) = self.roster.user_mut(by).options_mut().count_ask(now) {
            self.outputs.pause(by, until);
        }
    }

    /// The one asked by `by` says yes (3.6.1).
    pub(super) fn accept(&mut self, by: SessionId) {
        let with = self.roster.pair(by);
        let (asker, asked) = (&self.roster.user(by).name, &self.roster.user(with).name);
        self.outputs.say(by, &Line::News(News::Accepted(asked)));
        self.outputs.say(by, &Line::News(News::NowChatting(asked)));
        self.outputs.say(with, &Line::News(News::NowChatting(asker)));
        self.outputs.report(Event::Paired { by, with });
    }

    /// The request of `by` comes to nothing (3.6.2 to 3.6.4, 3.8.2).
    pub(super) fn end_ask(&mut self, now: Time, by: SessionId, how: RequestEnd) {
        let whom = self.roster.end_ask(by, how == RequestEnd::Declined);
        self.outputs.report(Event::Unanswered { by, whom, how });
        let (asker, asked) = (&self.roster.user(by).name, &self.roster.user(whom).name);
        let (to_asker, to_asked) = match how {
            RequestEnd::Declined => (Some(News::Declined(asked)), Some(News::YouDeclined(asker))),
            RequestEnd::Withdrawn => (Some(News::YouWithdrew(asked)), Some(News::Withdrew(asker))),
            RequestEnd::Lapsed => {
                (Some(News::YourRequestLapsed(asked)), Some(News::RequestLapsed(asker)))
            }
            RequestEnd::AskerLeft(why) => (None, Some(News::Gone { who: asker, why })),
            RequestEnd::AskedLeft(why) => (Some(News::Gone { who: asked, why }), None),
        };
        for (who, news) in [(by, to_asker), (whom, to_asked)] {
            news.into_iter().for_each(|news| self.outputs.say(who, &Line::News(news)));
        }
        if !matches!(how, RequestEnd::AskerLeft(_)) {
            self.prompt(by);
        }
        if !matches!(how, RequestEnd::AskedLeft(_)) {
            self.prompt(whom);
        }
        if let RequestEnd::Declined | RequestEnd::Withdrawn | RequestEnd::Lapsed = how {
            let name = self.roster.user(whom).name.folded();
            let until = now.after_ms(self.limits.ask_again_ms);
            self.roster.user_mut(by).options_mut().start_cooldown(now, name, until);
        }
    }

    /// `by` ends the chat (3.7.2).
    pub(super) fn quit(&mut self, now: Time, by: SessionId) {
        let from = self.roster.part(by);
        self.record_chat_end(now, from);
        let (leaver, left) = (&self.roster.user(by).name, &self.roster.user(from).name);
        self.outputs.say(by, &Line::News(News::YouLeft(left)));
        self.outputs.say(from, &Line::News(News::Left(leaver)));
        self.outputs.report(Event::Parted { by, from });
        self.prompt(by);
        self.prompt(from);
    }

    /// A session is over, whatever it was doing (3.8, 3.9).
    pub(super) fn leave(&mut self, now: Time, id: SessionId, why: DisconnectReason) {
        match self.roster.session(id) {
            Session::Naming { .. } => {}
            Session::User(user) => match user.phase {
                UserState::Menu { .. } | UserState::Choosing | UserState::InRoom { .. } => {}
                UserState::Asking { .. } => self.end_ask(now, id, RequestEnd::AskerLeft(why)),
                UserState::Asked { by, .. } | UserState::AskedInRoom { by, .. } => {
                    self.end_ask(now, by, RequestEnd::AskedLeft(why));
                }
                UserState::Chatting { .. } => self.leave_chat(now, id, why),
            },
            Session::Over { .. } => return,
        }
        self.leave_room(now, id, why);
        self.say_last_line(id, why);
        self.roster.end(id);
        self.outputs.report(Event::Left { who: id, why });
        self.outputs.hang_up(id);
    }

    /// Everybody is told, and only then does anybody leave (3.9.3): of the others' leaving, which
    /// the same moment brings, nobody need hear.
    pub(super) fn leave_all(&mut self, now: Time) {
        let present = self.roster.present().collect::<Vec<_>>();
        for &id in &present {
            self.roster.disengage(id);
            if self.roster.leave_room(id, self.kept_until(now, id)).is_some() {
                self.outputs.subscribe(id, None);
            }
            self.say_last_line(id, DisconnectReason::Stopping);
            self.roster.end(id);
            self.outputs.report(Event::Left { who: id, why: DisconnectReason::Stopping });
            self.outputs.hang_up(id);
        }
    }

    /// What `who` had sent to the partner who ended the chat may still come.
    fn record_chat_end(&mut self, now: Time, who: SessionId) {
        let until = now.after_ms(ROOM_AFTER_CHAT_MS);
        self.roster.user_mut(who).options_mut().no_room_until = Some(until);
    }

    fn leave_chat(&mut self, now: Time, by: SessionId, why: DisconnectReason) {
        let from = self.roster.part(by);
        self.record_chat_end(now, from);
        let who = &self.roster.user(by).name;
        self.outputs.say(from, &Line::News(News::Gone { who, why }));
        self.outputs.report(Event::Parted { by, from });
        self.prompt(from);
    }

    fn say_last_line(&mut self, id: SessionId, why: DisconnectReason) {
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
            DisconnectReason::SpokeTls => Line::Refusal(Refusal::Tls),
            DisconnectReason::SpokeHttp => Line::Refusal(Refusal::Http),
            // Who is removed has been told why.
            DisconnectReason::HungUp
            | DisconnectReason::Lost
            | DisconnectReason::Removed
            | DisconnectReason::Banned => return,
        };
        self.outputs.say(id, &line);
    }

    /// Says what is wrong; where an answer is awaited that is not somebody's, asks again.
    pub(super) fn refuse(&mut self, id: SessionId, refusal: Refusal<'_>) {
        match self.roster.session(id) {
            Session::Over { .. } => {}
            Session::Naming { .. } => {
                self.say(id, Line::Refusal(refusal));
                self.prompt(id);
            }
            Session::User(user) => {
                let phase = user.phase;
                self.say(id, Line::Refusal(refusal));
                if let UserState::Menu { .. } | UserState::Choosing = phase {
                    self.prompt(id);
                }
            }
        }
    }

    /// Asks for what is awaited of a session, if anything is.
    pub(super) fn prompt(&mut self, id: SessionId) {
        let prompt = match self.roster.session(id) {
            Session::Naming { .. } => Prompt::Username,
            Session::User(user) => match user.phase {
                UserState::Menu { .. } => Prompt::Menu,
                UserState::Choosing => Prompt::Whom,
                UserState::Asked { by, .. } => {
                    Prompt::WantsToChat { by: &self.roster.user(by).name, in_room: false }
                }
                UserState::AskedInRoom { by, .. } => {
                    Prompt::WantsToChat { by: &self.roster.user(by).name, in_room: true }
                }
                UserState::Asking { .. }
                | UserState::Chatting { .. }
                | UserState::InRoom { .. } => return,
            },
            Session::Over { .. } => return,
        };
        self.outputs.say(id, &Line::Prompt(prompt));
    }
}

/// Whom `by` asks for with `name`, if that user may be asked by them now.
pub(super) fn check_request<'r>(
    roster: &'r Roster,
    now: Time,
    by: SessionId,
    name: &str,
) -> Result<SessionId, Refusal<'r>> {
    let name = Name::parse(name.trim()).map_err(|_| Refusal::NobodyCalledThat)?;
    let whom = roster.find(&name).ok_or(Refusal::NobodyCalledThat)?;
    if whom == by {
        return Err(Refusal::Yourself);
    }
    let (asker, asked) = (roster.user(by), roster.user(whom));
    match roster.status(whom) {
        Status::Available | Status::InRoom { busy: false, .. } => {}
        Status::Busy | Status::InRoom { busy: true, .. } => {
            return Err(Refusal::TakesNoRequests(&asked.name));
        }
        status @ (Status::Asking(_) | Status::AskedBy(_) | Status::ChattingWith(_)) => {
            return Err(Refusal::Unavailable { whom: &asked.name, status });
        }
    }
    if asked.ignores(&asker.name.folded()) {
        return Err(Refusal::TakesNoRequests(&asked.name));
    }
    match asker.cooldown_seconds(now, &asked.name.folded()) {
        Some(seconds) => Err(Refusal::AskedLately { whom: &asked.name, seconds }),
        None => Ok(whom),
    }
}
