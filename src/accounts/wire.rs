//! What the server and its helper process say to each other over their socketpair.
//!
//! Each message is a frame: its length in two bytes, then its content. The server asks one question
//! at a time, and the helper answers it. At its start the helper sends all names, then `Ready`.

use zeroize::Zeroizing;

use crate::core::accounts::{AccountAnswer, AccountFailure, AccountTask};

/// Bytes of the length before each frame.
const LENGTH_BYTES: usize = 2;

/// A question, as the helper reads it.
#[derive(Debug)]
pub struct Question {
    /// What to do.
    pub kind: QuestionKind,
    /// The account.
    pub name: String,
    /// The password; empty if the question needs none.
    pub password: Zeroizing<Vec<u8>>,
}

/// The tasks, without their arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the variants are those of AccountTask")]
pub enum QuestionKind {
    Verify,
    Register,
    ChangePassword,
    Remove,
}

/// What the helper says.
#[derive(Debug, PartialEq, Eq)]
pub enum Reply {
    /// The store has this account. Only before `Ready`.
    Account(String),
    /// The helper has said all names, and takes questions.
    Ready,
    /// The answer to the one open question.
    Answer(AccountAnswer),
    /// Why something failed, for the log. Before `Ready` the helper ends after it.
    Fault(String),
}

/// Whether the bytes of the other side make sense.
#[derive(Debug, PartialEq, Eq)]
pub struct NotAFrame;

/// Writes a task as a frame.
#[must_use]
pub fn encode_task(task: &AccountTask) -> Zeroizing<Vec<u8>> {
    let (kind, name, password) = match task {
        AccountTask::Verify { name, password } => (0, name, password.expose()),
        AccountTask::Register { name, password } => (1, name, password.expose()),
        AccountTask::ChangePassword { name, password } => (2, name, password.expose()),
        AccountTask::Remove { name } => (3, name, &[][..]),
    };
    let name = name.as_str().as_bytes();
    let len = 2 + name.len() + password.len();
    // With its full size at once the buffer never moves, and leaves no copy of the password behind.
    let mut frame = Zeroizing::new(Vec::with_capacity(LENGTH_BYTES + len));
    frame.extend_from_slice(&u16::try_from(len).unwrap_or(u16::MAX).to_le_bytes());
    frame.extend_from_slice(&[kind, u8::try_from(name.len()).unwrap_or(u8::MAX)]);
    frame.extend_from_slice(name);
    frame.extend_from_slice(password);
    frame
}

/// Reads the content of a question's frame.
///
/// # Errors
/// The content is no question.
pub fn decode_question(content: &[u8]) -> Result<Question, NotAFrame> {
    let [kind, name_len, rest @ ..] = content else { return Err(NotAFrame) };
    let kind = match kind {
        0 => QuestionKind::Verify,
        1 => QuestionKind::Register,
        2 => QuestionKind::ChangePassword,
        3 => QuestionKind::Remove,
        _ => return Err(NotAFrame),
    };
    let (name, password) = rest.split_at_checked((*name_len).into()).ok_or(NotAFrame)?;
    let name = str::from_utf8(name).map_err(|_| NotAFrame)?.to_owned();
    Ok(Question { kind, name, password: Zeroizing::new(password.to_vec()) })
}

/// Writes a reply as a frame.
#[must_use]
pub fn encode_reply(reply: &Reply) -> Vec<u8> {
    let (kind, text) = match reply {
        Reply::Account(name) => (0, name.as_str()),
        Reply::Ready => (1, ""),
        Reply::Fault(text) => (2, text.as_str()),
        Reply::Answer(AccountAnswer::Ok) => (3, ""),
        Reply::Answer(AccountAnswer::WrongPassword) => (4, ""),
        Reply::Answer(AccountAnswer::Failed(AccountFailure::Exists)) => (5, ""),
        Reply::Answer(AccountAnswer::Failed(AccountFailure::Missing)) => (6, ""),
        Reply::Answer(AccountAnswer::Failed(AccountFailure::NotStored)) => (7, ""),
        // The server says these on its own.
        Reply::Answer(AccountAnswer::Full | AccountAnswer::Down) => (8, ""),
    };
    let text = &text.as_bytes()[..text.len().min(usize::from(u16::MAX) - 1)];
    let mut frame = Vec::with_capacity(LENGTH_BYTES + 1 + text.len());
    frame.extend_from_slice(&u16::try_from(1 + text.len()).unwrap_or(u16::MAX).to_le_bytes());
    frame.push(kind);
    frame.extend_from_slice(text);
    frame
}

/// Takes the next reply out of `bytes`; `None` if it is not complete yet.
///
/// # Errors
/// The bytes are no reply.
pub fn next_reply(bytes: &mut &[u8]) -> Result<Option<Reply>, NotAFrame> {
    let Some((len, rest)) = bytes.split_first_chunk::<LENGTH_BYTES>() else { return Ok(None) };
    let Some((content, rest)) = rest.split_at_checked(u16::from_le_bytes(*len).into()) else {
        return Ok(None);
    };
    *bytes = rest;
    let [kind, text @ ..] = content else { return Err(NotAFrame) };
    let text = || String::from_utf8_lossy(text).into_owned();
    let failed = |failure| Reply::Answer(AccountAnswer::Failed(failure));
    Ok(Some(match kind {
        0 => Reply::Account(text()),
        1 => Reply::Ready,
        2 => Reply::Fault(text()),
        3 => Reply::Answer(AccountAnswer::Ok),
        4 => Reply::Answer(AccountAnswer::WrongPassword),
        5 => failed(AccountFailure::Exists),
        6 => failed(AccountFailure::Missing),
        7 => failed(AccountFailure::NotStored),
        _ => return Err(NotAFrame),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::accounts::Secret;
    use crate::core::chat::Name;

    #[test]
    fn a_question_arrives_as_it_was_asked() {
        let name = Name::parse("Zoë").unwrap();
        let password = Secret::parse(" pass word ").unwrap();
        let frame = encode_task(&AccountTask::Register { name: name.clone(), password });
        assert_eq!(usize::from(frame[0]), frame.len() - LENGTH_BYTES);
        let question = decode_question(&frame[LENGTH_BYTES..]).unwrap();
        assert_eq!(question.kind, QuestionKind::Register);
        assert_eq!((question.name.as_str(), &question.password[..]), ("Zoë", &b" pass word "[..]));
        for garbage in [&[][..], &[0], &[9, 0], &[0, 5, b'a'], &[0, 1, 0xff]] {
            assert!(decode_question(garbage).is_err(), "{garbage:?}");
        }
    }

    #[test]
    fn replies_arrive_in_any_pieces() {
        let replies = [
            Reply::Account("anna".to_owned()),
            Reply::Ready,
            Reply::Answer(AccountAnswer::WrongPassword),
            Reply::Answer(AccountAnswer::Failed(AccountFailure::NotStored)),
            Reply::Fault("no space".to_owned()),
        ];
        let bytes = replies.iter().flat_map(encode_reply).collect::<Vec<_>>();
        let (mut read, mut kept) = (Vec::new(), Vec::new());
        for byte in bytes {
            kept.push(byte);
            let mut rest = kept.as_slice();
            read.extend(next_reply(&mut rest).unwrap());
            kept = rest.to_vec();
        }
        assert_eq!(read, replies);
        assert_eq!(next_reply(&mut &[1, 0, 99][..]), Err(NotAFrame));
    }
}
