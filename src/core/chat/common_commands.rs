//! Commands that change no state and therefore work in every state: lists (5.2), help,
//! do-not-disturb and the ignore list (part 5).
//!
//! `dispatch` calls this module. Everything here affects one user, except that
//! other users see `busy` in their lists.

use super::Chat;
use super::answers::Listed;
use super::command::CommonCommand;
use super::event::RequestEnd;
use super::name::Name;
use super::session::{Session, UserState};
use super::wording::{
    CHAT_HELP, Line, MENU_HELP, NAMING_HELP, News, PASSWORD_HELP, ROOM_HELP, Refusal, Row,
};
use crate::core::SessionId;
use crate::core::limits::LIST_COUNT_MAX;
use crate::core::time::Time;

impl Chat {
    /// Executes a command, then repeats the prompt of the state, if the state has one (5.1.1).
    pub(super) fn common_command(&mut self, id: SessionId, command: CommonCommand<'_>) {
        match command {
            CommonCommand::List("") => self.list_all_users(id),
            CommonCommand::List(prefix) => self.list_matching_users(id, prefix),
            CommonCommand::Rooms(prefix) => self.list_rooms(id, prefix),
            CommonCommand::Help => self.help(id),
            CommonCommand::Quiet(quiet) => self.set_quiet(id, quiet),
            CommonCommand::Busy(busy) => self.set_busy(id, busy),
            CommonCommand::Follow(true) => self.follow(id),
            CommonCommand::Follow(false) => self.unfollow(id),
            CommonCommand::Ignore("") => self.show_ignore_list(id),
            CommonCommand::Ignore(name) => self.ignore(id, name),
            CommonCommand::Unignore(name) => self.unignore(id, name),
        }
        self.prompt(id);
    }

    /// Says the rows of help. They differ by state, because different words work without a `/`.
    fn help(&mut self, id: SessionId) {
        let rows: &[&'static str] = match self.roster.session(id) {
            Session::Naming { .. } => &NAMING_HELP,
            Session::SigningIn(_) => &PASSWORD_HELP,
            Session::User(user) => match user.state {
                UserState::Menu { .. }
                | UserState::Choosing
                | UserState::Asking { .. }
                | UserState::Asked { .. } => &MENU_HELP,
                UserState::GivingPassword { .. } => &PASSWORD_HELP,
                UserState::Chatting { .. } => &CHAT_HELP,
                UserState::InRoom { .. } | UserState::AskedInRoom { .. } => &ROOM_HELP,
            },
            Session::Over { .. } => return,
        };
        self.say(id, Line::News(News::Help));
        for row in rows {
            self.say(id, Line::Row(Row::Help(row)));
        }
    }

    /// Lists all users. The count is always exact, because the index knows its length.
    fn list_all_users(&mut self, id: SessionId) {
        let count = self.roster.user_count();
        self.say(id, Line::News(News::UsersOnline(count)));
        self.begin_list(id, Listed::Users, "", Some(count));
    }

    /// Lists the users whose names begin with `prefix`. Counting takes time per match, and the
    /// loop serves all users meanwhile. Beyond `LIST_COUNT_MAX` the reply says "more than" (5.2.3).
    fn list_matching_users(&mut self, id: SessionId, prefix: &str) {
        let counted = self.roster.users(prefix).take(LIST_COUNT_MAX + 1).count();
        let count = Some(counted).filter(|&count| count <= LIST_COUNT_MAX);
        self.say(id, Line::News(News::UsersMatching(count, prefix)));
        self.begin_list(id, Listed::Users, prefix, count);
    }

    /// Turns do-not-disturb on or off (5.5.1). A request that the user already has to answer stays:
    /// its asker has been told to wait.
    fn set_busy(&mut self, id: SessionId, busy: bool) {
        self.roster.options_mut(id).busy = busy;
        self.roster.note_change();
        self.say(id, Line::News(if busy { News::Busy } else { News::Free }));
    }

    /// Adds a name to the ignore list (5.6.1). The name need not be in use: the other user may have
    /// left, and may come back.
    fn ignore(&mut self, id: SessionId, name: &str) {
        let Ok(name) = Name::parse(name) else {
            return self.say(id, Line::Refusal(Refusal::NoSuchName));
        };
        // A full list is refused. Dropping the oldest entry would silently let that user ask again.
        let ignored = self.roster.options_mut(id).ignore(name.folded());
        self.say(
            id,
            match ignored {
                true => Line::News(News::Ignoring(&name)),
                false => Line::Refusal(Refusal::IgnoringTooMany),
            },
        );
    }

    /// Whether `name`, said with `ignore` by a user who is asked, means the asker (5.6.2).
    pub(super) fn is_asker_or_empty(&self, id: SessionId, name: &str) -> bool {
        let asker = self.roster.user(id).state.asker();
        asker.is_some_and(|asker| name.is_empty() || self.has_name(asker, name))
    }

    /// Declines the request to `id` and shuts out where it came from (5.6.2). A name alone would not
    /// do: whoever pesters comes back with another. Otherwise only `busy` helps, which hides the user
    /// from everybody.
    pub(super) fn shut_out_asker(&mut self, now: Time, id: SessionId) {
        let Some(asker) = self.roster.user(id).state.asker() else { return };
        let (name, origin) = (self.roster.user(asker).name.clone(), self.roster.origin(asker));
        if self.roster.options_mut(id).shut_out(origin, name.folded()) {
            self.say(id, Line::News(News::ShutOut(&name)));
            self.end_request(now, asker, RequestEnd::Declined);
        } else {
            self.say(id, Line::Refusal(Refusal::IgnoringTooMany));
            self.prompt(id);
        }
    }

    /// Removes a name from the ignore list. Succeeds if the name is not on the list: the user has
    /// what they wanted.
    fn unignore(&mut self, id: SessionId, name: &str) {
        let Ok(name) = Name::parse(name) else {
            return self.say(id, Line::Refusal(Refusal::NoSuchName));
        };
        self.roster.options_mut(id).unignore(&name.folded());
        self.say(id, Line::News(News::NotIgnoring(&name)));
    }

    /// Lists the ignored names. They appear in folded form, the only form that is stored.
    fn show_ignore_list(&mut self, id: SessionId) {
        let count = self.roster.options(id).ignored().len();
        self.say(id, Line::News(News::IgnoredCount(count)));
        self.begin_list(id, Listed::Ignored, "", Some(count));
    }
}
