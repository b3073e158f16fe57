//! What goes over the wire, as the model speaks of it: what the server heard, what it is expected to
//! say, and what it was seen to say.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// A connection, by the key of its id. It serves another once the first is forgotten.
pub(crate) type Who = usize;

/// What a person sent, as whoever typed it meant it: known from the typing, not from the framing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Heard {
    /// A line, without what may not pass (2.1).
    Line(String),
    /// A line of too many bytes (1.3), or a subnegotiation of too many (1.8).
    TooLong,
    /// A line that is no UTF-8 (1.4).
    NotUtf8,
    /// IAC AYT (1.8).
    AreYouThere,
    /// A telnet option, and the refusal it is to be answered with (1.7).
    Option([u8; 3]),
    /// The end of input (1.6).
    End,
    /// A line without an ending, and the end.
    LastLine(String),
    /// The opening of another protocol (1.10).
    Foreign,
}

/// Stands for a line of a room that came to somebody and was passed over before it could be seen: it was
/// counted, and so takes the place of one that was expected. Nobody can say it (2.1).
pub(crate) const MISSED: &[u8] = b"\x00\r\n";

/// What a line is expected to be. Only what `protocol.md` promises is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Expect {
    /// This line, to the letter.
    Exactly(String),
    /// A line of this tag with these words in it.
    Says(char, String),
    /// An optional heading and one row or more, in words of the server's choice (4.1).
    Rows,
    /// The refusal of a telnet option.
    Refusal([u8; 3]),
    /// A line of a room, which this one may have missed (6.9).
    Shared(Box<Expect>),
    /// Nothing can be it: what is being tried is not what happened.
    Never,
}

impl Expect {
    fn matches(&self, line: &[u8]) -> bool {
        match self {
            Expect::Exactly(expected) => line == expected.as_bytes(),
            Expect::Refusal(bytes) => line == bytes,
            Expect::Shared(expect) => line == b"\x00" || expect.matches(line),
            Expect::Says(tag, words) => {
                let Ok(line) = str::from_utf8(line) else { return false };
                let said = line.strip_prefix(*tag).and_then(|rest| rest.strip_prefix(' '));
                said.is_some_and(|said| has_words(said, words))
            }
            Expect::Rows => line.starts_with(b"- "),
            Expect::Never => false,
        }
    }

    /// How many of `lines` this takes up; `None` if they do not begin with it.
    fn takes<'a>(&self, mut lines: impl Iterator<Item = &'a Vec<u8>>) -> Option<usize> {
        if *self != Expect::Rows {
            return lines.next().filter(|line| self.matches(line)).map(|_| 1);
        }
        let mut lines = lines.peekable();
        let heading = usize::from(lines.next_if(|line| line.starts_with(b"* ")).is_some());
        let rows = lines.take_while(|line| self.matches(line)).count();
        (rows > 0).then_some(heading + rows)
    }
}

/// Whether `words` stand in `said`, and do not go on as a longer word: `Asked B` is not `Asked Bo`.
fn has_words(said: &str, words: &str) -> bool {
    said.match_indices(words).any(|(at, _)| {
        let next = said[at + words.len()..].chars().next();
        words.is_empty() || next.is_none_or(|c| !c.is_alphanumeric())
    })
}

/// Lines that the server was seen to put out since it was last looked at, for each connection.
#[derive(Debug, Default, Clone)]
pub(crate) struct Observed {
    lines: BTreeMap<Who, VecDeque<Vec<u8>>>,
    /// Refusals of telnet options have their order among themselves, and none with the lines.
    refusals: BTreeMap<Who, VecDeque<Vec<u8>>>,
    /// Bytes that wait for a connection alone, all of those lines included; and without those that came
    /// there late.
    waiting: BTreeMap<Who, (usize, usize)>,
    /// Of whom it is not known when their input was held, but that their session goes on.
    present: BTreeSet<Who>,
}

impl Observed {
    pub(crate) fn add(&mut self, who: Who, line: &[u8]) {
        let is_refusal = line.first() == Some(&255);
        let lines = if is_refusal { &mut self.refusals } else { &mut self.lines };
        lines.entry(who).or_default().push_back(line.to_vec());
    }

    pub(crate) fn note_waiting(&mut self, who: Who, bytes: usize, in_time: usize) {
        self.waiting.insert(who, (bytes, in_time));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.lines.is_empty() && self.refusals.is_empty()
    }

    pub(crate) fn note_present(&mut self, who: Who) {
        self.present.insert(who);
    }

    pub(crate) fn is_present(&self, who: Who) -> bool {
        self.present.contains(&who)
    }

    /// Bytes that waited for `who` at least, before the lines that are not explained yet.
    pub(crate) fn backlog(&self, who: Who) -> usize {
        let lines = self.lines.get(&who).into_iter().flatten().map(|line| line.len() + 2);
        let refusals = self.refusals.get(&who).into_iter().flatten().map(Vec::len);
        let in_time = self.waiting.get(&who).map_or(0, |&(_, in_time)| in_time);
        in_time.saturating_sub(lines.chain(refusals).sum())
    }

    /// Bytes that wait for `who`.
    pub(crate) fn waiting(&self, who: Who) -> usize {
        self.waiting.get(&who).map_or(0, |&(bytes, _)| bytes)
    }

    /// Takes the lines that `expected` explains, if it explains the first ones of everybody it
    /// speaks of; otherwise none.
    pub(crate) fn take(&mut self, expected: &[(Who, Expect)]) -> bool {
        let mut used = BTreeMap::<(Who, bool), usize>::new();
        for (who, expect) in expected {
            let is_refusal = matches!(expect, Expect::Refusal(_));
            let lines = if is_refusal { &self.refusals } else { &self.lines };
            let used = used.entry((*who, is_refusal)).or_default();
            let lines = lines.get(who).into_iter().flatten().skip(*used);
            let Some(taken) = expect.takes(lines) else { return false };
            *used += taken;
        }
        for ((who, is_refusal), count) in used {
            let lines = if is_refusal { &mut self.refusals } else { &mut self.lines };
            lines.get_mut(&who).into_iter().for_each(|lines| drop(lines.drain(..count)));
        }
        true
    }

    /// The first line that nothing explains.
    pub(crate) fn rest(&self) -> Option<(Who, String)> {
        let mut all = self.lines.iter().chain(&self.refusals);
        let (who, lines) = all.find(|(_, lines)| !lines.is_empty())?;
        Some((*who, String::from_utf8_lossy(&lines[0]).into_owned()))
    }

    /// All lines of everybody, to be tampered with.
    pub(crate) fn lines_mut(&mut self) -> &mut BTreeMap<Who, VecDeque<Vec<u8>>> {
        &mut self.lines
    }
}
