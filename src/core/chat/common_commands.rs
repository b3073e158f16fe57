//! What can be had at any prompt without changing a state: lists (3.4), help and options (4).

use super::Chat;
use super::command::CommonCommand;
use super::name::Name;
use super::wording::{Line, MENU_HELP, News, Refusal, Row};
use crate::core::SessionId;
use crate::core::limits::{LIST_COUNT_MAX, LIST_ROWS_MAX};

impl Chat {
    pub(super) fn common_command(&mut self, id: SessionId, common_command: CommonCommand<'_>) {
        match common_command {
            CommonCommand::List("") => self.list_all(id),
            CommonCommand::List(prefix) => self.list_matching(id, prefix),
            CommonCommand::Rooms(prefix) => self.list_rooms(id, prefix),
            CommonCommand::Help => self.help(id, &MENU_HELP),
            CommonCommand::Busy => self.be_busy(id, true),
            CommonCommand::Free => self.be_busy(id, false),
            CommonCommand::Ignore("") => self.list_ignored(id),
            CommonCommand::Ignore(name) => self.ignore(id, name),
            CommonCommand::Unignore(name) => self.unignore(id, name),
        }
        self.prompt(id);
    }

    pub(super) fn help(&mut self, id: SessionId, rows: &[&'static str]) {
        self.say(id, Line::News(News::Help));
        for row in rows {
            self.say(id, Line::Row(Row::Help(row)));
        }
    }

    fn list_all(&mut self, id: SessionId) {
        let count = self.roster.user_count();
        self.say(id, Line::News(News::UsersOnline(count)));
        self.list_rows(id, "", Some(count));
    }

    fn list_matching(&mut self, id: SessionId, prefix: &str) {
        let counted = self.roster.users(prefix).take(LIST_COUNT_MAX + 1).count();
        let count = Some(counted).filter(|&count| count <= LIST_COUNT_MAX);
        self.say(id, Line::News(News::UsersMatching(count, prefix)));
        self.list_rows(id, prefix, count);
    }

    fn list_rows(&mut self, reader: SessionId, prefix: &str, count: Option<usize>) {
        for id in self.roster.users(prefix).take(LIST_ROWS_MAX) {
            let (name, status) = (&self.roster.user(id).name, self.roster.status(id));
            let row = Row::User { name, status, is_reader: id == reader };
            self.outputs.say(reader, &Line::Row(row));
        }
        if count.is_none_or(|count| count > LIST_ROWS_MAX) {
            let count = count.map(|count| count - LIST_ROWS_MAX);
            self.say(reader, Line::Row(Row::More { count, choice: 1 }));
        }
    }

    fn be_busy(&mut self, id: SessionId, busy: bool) {
        self.roster.user_mut(id).options_mut().busy = busy;
        self.say(id, Line::News(if busy { News::Busy } else { News::Free }));
    }

    fn ignore(&mut self, id: SessionId, name: &str) {
        let Ok(name) = Name::parse(name) else {
            return self.say(id, Line::Refusal(Refusal::NoSuchName));
        };
        let ignored = self.roster.user_mut(id).options_mut().ignore(name.folded());
        self.say(
            id,
            match ignored {
                true => Line::News(News::Ignoring(&name)),
                false => Line::Refusal(Refusal::IgnoringTooMany),
            },
        );
    }

    fn unignore(&mut self, id: SessionId, name: &str) {
        let Ok(name) = Name::parse(name) else {
            return self.say(id, Line::Refusal(Refusal::NoSuchName));
        };
        self.roster.user_mut(id).options_mut().unignore(&name.folded());
        self.say(id, Line::News(News::NotIgnoring(&name)));
    }

    fn list_ignored(&mut self, id: SessionId) {
        let ignored = self.roster.user(id).ignored();
        self.outputs.say(id, &Line::News(News::IgnoredCount(ignored.len())));
        for name in ignored {
            self.outputs.say(id, &Line::Row(Row::Ignored(name)));
        }
    }
}
