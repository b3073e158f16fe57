//! The inputs of a recording in words.

use crate::core::SessionId;
use crate::core::accounts::{AccountAnswer, AccountChange};
use crate::core::chat::Removal;
use crate::core::recording::{Call, Player};

/// Whether the call that comes next is an input: something that happens to the chat. All others are the
/// shell's work that follows from it.
pub(super) fn is_input(player: &Player) -> bool {
    let Some((now, call, _)) = player.next_call() else { return false };
    let exchange = player.exchange();
    match call {
        Call::Connect(..)
        | Call::ConnectThrough(..)
        | Call::BeginSession(..)
        | Call::Reject(..)
        | Call::Received(_)
        | Call::StaleInput(_)
        | Call::EndOfInput(_)
        | Call::Failure(_)
        | Call::Stop
        | Call::AccountAnswer(..)
        | Call::AccountChange(_)
        | Call::AccountsReloaded(_)
        | Call::Announcement(_)
        | Call::Removal(..)
        | Call::StopIn(_)
        | Call::StopCalledOff => true,
        Call::Timeout => exchange.poll_timeout().is_some_and(|due| due <= now),
        Call::Resume(id) => exchange.has_connection(*id) && exchange.may_resume(*id),
        Call::Start(..)
        | Call::KeepHistory
        | Call::StartAccounts
        | Call::LoadAccount(_)
        | Call::SetPage(_)
        | Call::SetTls(_)
        | Call::AddNotice(_)
        | Call::Sent(..)
        | Call::Writable(_)
        | Call::Blocked(_)
        | Call::Forget(_)
        | Call::FinishDrain(_)
        | Call::CountHold(_)
        | Call::PollAction
        | Call::PollResume
        | Call::EndOpening
        | Call::PostponeFanOut
        | Call::ReleaseMemory
        | Call::ClearRecords
        | Call::WallClock(_) => false,
    }
}

/// The call that comes next, in words. `label` names a session.
pub(super) fn narrate(player: &Player, label: impl Fn(SessionId) -> String) -> String {
    let Some((_, call, bytes)) = player.next_call() else { return String::new() };
    match call {
        Call::Connect(..) => format!("#{} connects", player.connections_so_far() + 1),
        Call::ConnectThrough(..) => {
            format!("#{} connects, through a transport", player.connections_so_far() + 1)
        }
        Call::BeginSession(id, _) => format!("the session of {} begins", label(*id)),
        Call::Reject(id, line) => format!("{} is rejected: {line}", label(*id)),
        // Of a password that has not ended nothing is recorded; bytes of a handshake are no text.
        Call::Received(id) if bytes.is_empty() => format!("{} sends no text yet", label(*id)),
        Call::Received(id) => format!("{} sends {}", label(*id), quoted(bytes)),
        Call::StaleInput(id) => {
            format!("{} had sent {}, which nobody reads", label(*id), quoted(bytes))
        }
        Call::EndOfInput(id) => format!("{} sends no more", label(*id)),
        Call::Failure(id) => format!("the connection of {} fails", label(*id)),
        Call::Resume(id) => format!("{} goes on: input or an answer had to wait", label(*id)),
        Call::Stop => "the server stops".to_owned(),
        Call::Timeout => "a deadline passes".to_owned(),
        Call::AccountAnswer(_, answer) => format!("the store answers: {}", answer_word(*answer)),
        Call::AccountChange(AccountChange::Added(name)) => {
            format!("an operator adds account {name}")
        }
        Call::AccountChange(AccountChange::Reset(name)) => {
            format!("an operator resets the password of {name}")
        }
        Call::AccountChange(AccountChange::Removed(name)) => {
            format!("an operator removes account {name}")
        }
        Call::AccountsReloaded(names) => {
            format!("the store is back, with {} accounts", names.len())
        }
        Call::Announcement(text) => format!("an operator announces: {text}"),
        Call::Removal(id, Removal::Kicked, _) => format!("an operator removes {}", label(*id)),
        Call::Removal(id, Removal::Banned, _) => format!("an operator bans {}", label(*id)),
        Call::StopIn(ms) => format!("an operator stops the server in {} s", ms.div_ceil(1_000)),
        Call::StopCalledOff => "an operator calls the stop off".to_owned(),
        _ => "the server starts".to_owned(),
    }
}

/// Text as a user would type it, with its line endings.
fn quoted(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let lines = text.split_inclusive('\n').map(|line| match line.strip_suffix('\n') {
        Some(line) => format!("{:?}", line.trim_end_matches('\r')),
        None => format!("{line:?}, without an end"),
    });
    lines.collect::<Vec<_>>().join(", ")
}

fn answer_word(answer: AccountAnswer) -> &'static str {
    match answer {
        AccountAnswer::Ok => "done",
        AccountAnswer::WrongPassword => "wrong password",
        AccountAnswer::Full => "too busy",
        AccountAnswer::Down => "not there",
        AccountAnswer::Failed(_) => "failed",
    }
}
