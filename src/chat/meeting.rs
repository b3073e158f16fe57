//! How two people come together and go apart (3.5 to 3.9): each change of the roster, and what it
//! means for both. No change of state at another's hand goes untold (3.1.4).

use super::Chat;
use super::name::Name;
use super::output::{AskEnd, Departure, Event};
use super::roster::Roster;
use super::session::{Phase, Pursuit, Session};
use super::wording::{Line, News, Prompt, Refusal};
use crate::SessionId;
use crate::limits::PARTING_MS;
use crate::time::Time;

impl Chat {
    /// `by`, at the menu, asks for somebody (3.5).
    pub(super) fn ask_for(&mut self, now: Time, by: SessionId, name: &str) {
        let whom = match may_ask(&self.roster, now, by, name) {
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
        if let Some(until) = self.roster.user_mut(by).manners_mut().count_ask(now) {
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
    pub(super) fn end_ask(&mut self, now: Time, by: SessionId, how: AskEnd) {
        let whom = self.roster.end_ask(by, how == AskEnd::Declined);
        self.outputs.report(Event::Unanswered { by, whom, how });
        let (asker, asked) = (&self.roster.user(by).name, &self.roster.user(whom).name);
        let (to_asker, to_asked) = match how {
            AskEnd::Declined => (Some(News::Declined(asked)), Some(News::YouDeclined(asker))),
            AskEnd::Withdrawn => (Some(News::YouWithdrew(asked)), Some(News::Withdrew(asker))),
            AskEnd::Lapsed => {
                (Some(News::YourRequestLapsed(asked)), Some(News::RequestLapsed(asker)))
            }
            AskEnd::AskerLeft(why) => (None, Some(News::Gone { who: asker, why })),
            AskEnd::AskedLeft(why) => (Some(News::Gone { who: asked, why }), None),
        };
        for (who, news) in [(by, to_asker), (whom, to_asked)] {
            news.into_iter().for_each(|news| self.outputs.say(who, &Line::News(news)));
        }
        if !matches!(how, AskEnd::AskerLeft(_)) {
            self.prompt(by);
        }
        if !matches!(how, AskEnd::AskedLeft(_)) {
            self.prompt(whom);
        }
        if let AskEnd::Declined | AskEnd::Withdrawn | AskEnd::Lapsed = how {
            let name = self.roster.user(whom).name.folded();
            let until = now.after_ms(self.limits.ask_again_ms);
            self.roster.user_mut(by).manners_mut().cool(now, name, until);
        }
    }

    /// `by` ends the chat (3.7.2).
    pub(super) fn quit(&mut self, now: Time, by: SessionId) {
        let from = self.roster.part(by);
        self.note_parted(now, from);
        let (leaver, left) = (&self.roster.user(by).name, &self.roster.user(from).name);
        self.outputs.say(by, &Line::News(News::YouLeft(left)));
        self.outputs.say(from, &Line::News(News::Left(leaver)));
        self.outputs.report(Event::Parted { by, from });
        self.prompt(by);
        self.prompt(from);
    }

    /// A session is over, whatever it was doing (3.8, 3.9).
    pub(super) fn leave(&mut self, now: Time, id: SessionId, why: Departure) {
        match self.roster.session(id) {
            Session::Naming { .. } => {}
            Session::User(user) => match user.phase {
                Phase::Menu { .. } | Phase::Choosing | Phase::InRoom { .. } => {}
                Phase::Asking { .. } => self.end_ask(now, id, AskEnd::AskerLeft(why)),
                Phase::Asked { by, .. } | Phase::AskedInRoom { by, .. } => {
                    self.end_ask(now, by, AskEnd::AskedLeft(why));
                }
                Phase::Chatting { .. } => self.abandon(now, id, why),
            },
            Session::Over { .. } => return,
        }
        self.leave_room(now, id, why);
        self.last_words(id, why);
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
                self.outputs.tune(id, None);
            }
            self.last_words(id, Departure::Stopping);
            self.roster.end(id);
            self.outputs.report(Event::Left { who: id, why: Departure::Stopping });
            self.outputs.hang_up(id);
        }
    }

    /// What `who` had sent to the partner who ended the chat may still come.
    fn note_parted(&mut self, now: Time, who: SessionId) {
        let until = now.after_ms(PARTING_MS);
        self.roster.user_mut(who).manners_mut().parted_until = Some(until);
    }

    fn abandon(&mut self, now: Time, by: SessionId, why: Departure) {
        let from = self.roster.part(by);
        self.note_parted(now, from);
        let who = &self.roster.user(by).name;
        self.outputs.say(from, &Line::News(News::Gone { who, why }));
        self.outputs.report(Event::Parted { by, from });
        self.prompt(from);
    }

    fn last_words(&mut self, id: SessionId, why: Departure) {
        let seconds = |ms: u64| ms.div_ceil(1000);
        let line = match why {
            Departure::Exit => Line::News(News::Goodbye(self.roster.name_of(id))),
            Departure::Stopping => Line::News(News::Stopping),
            Departure::Nameless => {
                Line::Refusal(Refusal::NoNameInTime { seconds: seconds(self.limits.naming_ms) })
            }
            Departure::Stalled => {
                Line::Refusal(Refusal::Stalled { seconds: seconds(self.limits.stall_ms) })
            }
            Departure::Overrun => Line::Refusal(Refusal::Overrun),
            Departure::SpokeTls => Line::Refusal(Refusal::Tls),
            Departure::SpokeHttp => Line::Refusal(Refusal::Http),
            // Who is removed has been told why.
            Departure::HungUp | Departure::Lost | Departure::Removed | Departure::Banned => return,
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
                if let Phase::Menu { .. } | Phase::Choosing = phase {
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
                Phase::Menu { .. } => Prompt::Menu,
                Phase::Choosing => Prompt::Whom,
                Phase::Asked { by, .. } => {
                    Prompt::WantsToChat { by: &self.roster.user(by).name, in_room: false }
                }
                Phase::AskedInRoom { by, .. } => {
                    Prompt::WantsToChat { by: &self.roster.user(by).name, in_room: true }
                }
                Phase::Asking { .. } | Phase::Chatting { .. } | Phase::InRoom { .. } => return,
            },
            Session::Over { .. } => return,
        };
        self.outputs.say(id, &Line::Prompt(prompt));
    }
}

/// Whom `by` asks for with `name`, if that user may be asked by them now.
pub(super) fn may_ask<'r>(
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
    match roster.pursuit(whom) {
        Pursuit::Available | Pursuit::InRoom { busy: false, .. } => {}
        Pursuit::Busy | Pursuit::InRoom { busy: true, .. } => {
            return Err(Refusal::TakesNoRequests(&asked.name));
        }
        pursuit @ (Pursuit::Asking(_) | Pursuit::AskedBy(_) | Pursuit::ChattingWith(_)) => {
            return Err(Refusal::Unavailable { whom: &asked.name, pursuit });
        }
    }
    if asked.ignores(&asker.name.folded()) {
        return Err(Refusal::TakesNoRequests(&asked.name));
    }
    match asker.cooling_seconds(now, &asked.name.folded()) {
        Some(seconds) => Err(Refusal::AskedLately { whom: &asked.name, seconds }),
        None => Ok(whom),
    }
}
