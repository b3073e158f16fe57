//! The operator's commands about accounts (8.2.9). The helper answers them later, so the console waits.

use log::info;

use super::{Asker, Question};
use crate::core::Origin;
use crate::core::accounts::{
    AccountAnswer, AccountChange, AccountFailure, AccountNameError, AccountTask, Secret,
};
use crate::core::limits::ANSWER_ROWS_MAX;
use crate::core::operator::{
    AccountCommand, AccountRefusal, Answer, AnswerFormat, CommandRefusal, Outcome, Row,
};
use crate::server::Server;
use crate::server::logging::OPERATOR;
use crate::server::operator_commands;

impl Server {
    /// Executes a command about accounts. `None` means that the answer comes later.
    pub(in crate::server) fn execute_account(
        &mut self,
        console: operator_commands::Asker,
        format: AnswerFormat,
        command: &AccountCommand<'_>,
    ) -> Option<Answer> {
        if self.accounts.is_none() {
            return Some(refused(AccountRefusal::NoStore));
        }
        let (task, change) = match self.account_task(command) {
            Ok(Some(task)) => task,
            Ok(None) => return Some(self.list_accounts(command)),
            Err(refusal) => return Some(refused(refusal)),
        };
        // The console waits for the answer even if it is here at once: `answer_later` writes it.
        if let Some(consoles) = &mut self.operators.consoles {
            consoles.connection(console.0).wait();
        }
        let name = task.name().clone();
        let asker = Asker::Operator { console, format, change };
        // What the account's user asked before must not happen after the operator's change.
        self.drop_questions_about(&name);
        self.ask(Origin::NONE, true, Question { asker, task });
        None
    }

    /// What the store is asked for a command; `None` for a list.
    fn account_task(
        &self,
        command: &AccountCommand<'_>,
    ) -> Result<Option<(AccountTask, AccountChange)>, AccountRefusal> {
        let password = |text| Secret::parse_new(text).map_err(AccountRefusal::Password);
        let find = |text| self.exchange.find_account(text).cloned().ok_or(AccountRefusal::Missing);
        Ok(Some(match *command {
            AccountCommand::List { .. } => return Ok(None),
            AccountCommand::Add { name, password: typed } => {
                let name = self.exchange.check_account_name(name).map_err(AccountRefusal::Name)?;
                let task = AccountTask::Register { name: name.clone(), password: password(typed)? };
                (task, AccountChange::Added(name))
            }
            AccountCommand::Reset { name, password: typed } => {
                let (name, password) = (find(name)?, password(typed)?);
                let task = AccountTask::ChangePassword { name: name.clone(), password };
                (task, AccountChange::Reset(name))
            }
            AccountCommand::Remove { name } => {
                let name = find(name)?;
                (AccountTask::Remove { name: name.clone() }, AccountChange::Removed(name))
            }
        }))
    }

    fn list_accounts(&self, command: &AccountCommand<'_>) -> Answer {
        let AccountCommand::List { prefix } = command else {
            return refused(AccountRefusal::Missing);
        };
        let rows = self.exchange.accounts(prefix).take(ANSWER_ROWS_MAX);
        let rows = rows.map(|name| Row::Account(name.to_string())).collect();
        let count = self.exchange.accounts(prefix).count();
        Answer::Done { rows, outcome: Outcome::Accounts { count } }
    }

    /// The store has answered an operator: the exchange learns of the change, then the operator.
    pub(super) fn answer_operator(
        &mut self,
        console: operator_commands::Asker,
        format: AnswerFormat,
        change: AccountChange,
        answer: AccountAnswer,
    ) {
        let answer = match answer {
            AccountAnswer::Ok => {
                match &change {
                    AccountChange::Added(name) => {
                        info!(target: OPERATOR, "operator: added the account {name}");
                    }
                    AccountChange::Reset(name) => {
                        info!(target: OPERATOR, "operator: gave {name} another password");
                    }
                    AccountChange::Removed(name) => {
                        info!(target: OPERATOR, "operator: removed the account {name}");
                    }
                }
                self.exchange.handle_account_change(self.now, change.clone());
                Answer::done(Outcome::Account(change))
            }
            AccountAnswer::Full => refused(AccountRefusal::Full),
            AccountAnswer::Down => refused(AccountRefusal::Down),
            AccountAnswer::Failed(AccountFailure::Exists) => {
                refused(AccountRefusal::Name(AccountNameError::Exists))
            }
            AccountAnswer::Failed(AccountFailure::Missing) | AccountAnswer::WrongPassword => {
                refused(AccountRefusal::Missing)
            }
            AccountAnswer::Failed(AccountFailure::NotStored) => refused(AccountRefusal::NotStored),
        };
        self.answer_later(console, format, &answer);
    }
}

fn refused(refusal: AccountRefusal) -> Answer {
    Answer::Refused(CommandRefusal::Account(refusal))
}
