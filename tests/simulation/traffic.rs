//! What passes between clients and server, as the model describes it: the input that the server
//! received, the lines that the model expects, and the lines that the world observed.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// The key of a connection's id. A later connection reuses the key once this connection is
/// forgotten.
pub(crate) type SessionKey = usize;

/// One unit of input, as the person intended it. The simulation knows it from the typing and never
/// parses bytes: a bug in the server's framing cannot repeat here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Received {
    /// A line, without the characters that the server removes (3.1.1).
    Line(String),
    /// A line with too many bytes (2.1.3), or a subnegotiation with too many (2.2.3, 2.2.4).
    TooLong,
    /// A line that is not UTF-8 (2.1.4).
    NotUtf8,
    /// IAC AYT (2.2.3, 2.2.4).
    AreYouThere,
    /// A telnet option request, and the refusal that must answer it (2.2.1, 2.2.2).
    TelnetOption([u8; 3]),
    /// The end of input (2.1.6).
    End,
    /// A line without an ending, then the end of input.
    LastLine(String),
    /// The first bytes of another protocol (2.4.1).
    OtherProtocol,
}

/// Stands for a room line that the server skipped before the world could see it. The notice counted
/// the line, so this placeholder takes the place of the expected line. No user can send these bytes
/// (3.1.1).
pub(crate) const MISSED: &[u8] = b"\x00\r\n";

/// What the model expects a line to be. The model checks only what `protocol.md` promises.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Expected {
    /// Exactly this line.
    Exactly(String),
    /// A line with this tag that contains these words.
    Containing(char, String),
    /// An optional heading and at least one row. The server chooses the words (5.4.1).
    Rows,
    /// The refusal of a telnet option.
    TelnetRefusal([u8; 3]),
    /// So many lines went to nobody when the partner ended the chat (4.1.5).
    Discarded(usize),
    /// A row of a list. A row that is made later shows what is true then (7.36).
    ListRow(Box<Expected>),
    /// The heading or a line of history. The room may have forgotten the line by then (7.36).
    HistoryLine(Box<Expected>),
    /// A line of a room, which this member may have missed (6.2.2).
    RoomLine(Box<Expected>),
    /// No line: the store is asked, and the session waits for the answer.
    Question,
    /// No line matches: the cause under test is not what happened.
    Impossible,
}

impl Expected {
    /// A row of a list.
    pub(crate) fn list_row(row: String) -> Expected {
        Expected::ListRow(Box::new(Expected::Exactly(row)))
    }

    /// Whether the line may be made later than the cause of it.
    pub(crate) fn is_of_answer(&self) -> bool {
        matches!(self, Expected::ListRow(_) | Expected::HistoryLine(_))
    }

    fn is_refusal(&self) -> bool {
        matches!(self, Expected::TelnetRefusal(_))
    }

    pub(crate) fn matches(&self, line: &[u8]) -> bool {
        match self {
            Expected::Exactly(expected) => line == expected.as_bytes(),
            Expected::TelnetRefusal(bytes) => line == bytes,
            Expected::RoomLine(expect) | Expected::HistoryLine(expect) => {
                line == b"\x00" || expect.matches(line)
            }
            Expected::ListRow(expect) => expect.matches(line),
            Expected::Containing(tag, words) => {
                let Ok(line) = str::from_utf8(line) else { return false };
                let said = line.strip_prefix(*tag).and_then(|rest| rest.strip_prefix(' '));
                said.is_some_and(|said| contains_words(said, words))
            }
            Expected::Discarded(lines) => {
                let plural = if *lines == 1 { "" } else { "s" };
                Expected::Containing('!', format!("{lines} line{plural}")).matches(line)
            }
            Expected::Rows => line.starts_with(b"- "),
            Expected::Question | Expected::Impossible => false,
        }
    }

    /// How many of `lines` this expectation covers. `None` if `lines` does not begin with a match.
    fn count_matching<'a>(&self, mut lines: impl Iterator<Item = &'a Vec<u8>>) -> Option<usize> {
        if *self != Expected::Rows {
            return lines.next().filter(|line| self.matches(line)).map(|_| 1);
        }
        let mut lines = lines.peekable();
        let heading = usize::from(lines.next_if(|line| line.starts_with(b"* ")).is_some());
        let rows = lines.take_while(|line| self.matches(line)).count();
        (rows > 0).then_some(heading + rows)
    }
}

/// Whether `said` contains `words`, not followed by a letter or digit: `Asked B` is not in `Asked
/// Bo`.
fn contains_words(said: &str, words: &str) -> bool {
    said.match_indices(words).any(|(at, _)| {
        let next = said[at + words.len()..].chars().next();
        words.is_empty() || next.is_none_or(|c| !c.is_alphanumeric())
    })
}

/// What became of the lines that a cause must produce.
pub(crate) struct Taken {
    /// Lines that wait behind an answer, or are rows of it.
    pub(crate) to_come: Vec<(SessionKey, Expected)>,
    /// Something shows that the cause has taken place.
    pub(crate) is_seen: bool,
}

/// The lines that the server produced for each connection since the last check.
#[derive(Debug, Default, Clone)]
pub(crate) struct Observed {
    lines: BTreeMap<SessionKey, VecDeque<Vec<u8>>>,
    /// Refusals of telnet options keep their order among themselves. Their order relative to lines
    /// is not defined.
    refusals: BTreeMap<SessionKey, VecDeque<Vec<u8>>>,
    /// For each connection, the bytes in its outbox, these lines included. The second number leaves
    /// out bytes that may have reached the outbox too late to hold input.
    waiting: BTreeMap<SessionKey, (usize, usize)>,
    /// Connections with an answer whose rows are not all made: the world does not see what waits behind
    /// it.
    answering: BTreeSet<SessionKey>,
    /// Connections that are still open in the chat although the world cannot tell when their input
    /// was held.
    still_open: BTreeSet<SessionKey>,
    /// Connections that wait for the store of accounts.
    awaits_store: BTreeSet<SessionKey>,
}

impl Observed {
    pub(crate) fn add(&mut self, who: SessionKey, line: &[u8]) {
        let is_refusal = line.first() == Some(&255);
        let lines = if is_refusal { &mut self.refusals } else { &mut self.lines };
        lines.entry(who).or_default().push_back(line.to_vec());
    }

    pub(crate) fn record_waiting(&mut self, who: SessionKey, bytes: usize, in_time: usize) {
        self.waiting.insert(who, (bytes, in_time));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.lines.is_empty() && self.refusals.is_empty()
    }

    pub(crate) fn mark_awaiting(&mut self, who: SessionKey) {
        self.awaits_store.insert(who);
    }

    pub(crate) fn mark_open(&mut self, who: SessionKey) {
        self.still_open.insert(who);
    }

    pub(crate) fn mark_answering(&mut self, who: SessionKey) {
        self.answering.insert(who);
    }

    pub(crate) fn is_answering(&self, who: SessionKey) -> bool {
        self.answering.contains(&who)
    }

    pub(crate) fn is_open(&self, who: SessionKey) -> bool {
        self.still_open.contains(&who)
    }

    /// The least number of bytes that waited for `who` before the lines that are not yet explained.
    pub(crate) fn backlog(&self, who: SessionKey) -> usize {
        let lines = self.lines.get(&who).into_iter().flatten().map(|line| line.len() + 2);
        let refusals = self.refusals.get(&who).into_iter().flatten().map(Vec::len);
        let in_time = self.waiting.get(&who).map_or(0, |&(_, in_time)| in_time);
        in_time.saturating_sub(lines.chain(refusals).sum())
    }

    /// Bytes that wait for `who`.
    pub(crate) fn waiting(&self, who: SessionKey) -> usize {
        self.waiting.get(&who).map_or(0, |&(bytes, _)| bytes)
    }

    /// Removes the lines that `expected` explains. Others are still to come, because an answer to their
    /// reader is in progress; `waits` says whether one was before. Removes nothing, and returns `None`,
    /// unless `expected` matches the first lines of every connection that it mentions.
    pub(crate) fn take(
        &mut self,
        expected: &[(SessionKey, Expected)],
        waits: impl Fn(SessionKey) -> bool,
    ) -> Option<Taken> {
        let mut used = BTreeMap::<(SessionKey, bool), usize>::new();
        let (mut to_come, mut begun) = (Vec::new(), BTreeSet::new());
        for (who, expect) in expected {
            if *expect == Expected::Question {
                match self.awaits_store.contains(who) {
                    true => continue,
                    false => return None,
                }
            }
            if waits(*who) || begun.contains(who) {
                to_come.push((*who, expect.clone()));
                continue;
            }
            let is_refusal = expect.is_refusal();
            let lines = if is_refusal { &self.refusals } else { &self.lines };
            let used = used.entry((*who, is_refusal)).or_default();
            let mut lines = lines.get(who).into_iter().flatten().skip(*used).peekable();
            if lines.peek().is_none() && self.is_answering(*who) && expect.is_of_answer() {
                begun.insert(*who);
                to_come.push((*who, expect.clone()));
                continue;
            }
            *used += expect.count_matching(lines)?;
        }
        let is_seen = used.values().any(|&count| count > 0) || to_come.is_empty();
        for ((who, is_refusal), count) in used {
            let lines = if is_refusal { &mut self.refusals } else { &mut self.lines };
            lines.get_mut(&who).into_iter().for_each(|lines| drop(lines.drain(..count)));
        }
        Some(Taken { to_come, is_seen: is_seen || !begun.is_empty() })
    }

    /// The first line for `who` among those like `expect` that is not explained yet.
    pub(crate) fn first_like(&self, who: SessionKey, expect: &Expected) -> Option<&[u8]> {
        let lines = if expect.is_refusal() { &self.refusals } else { &self.lines };
        lines.get(&who)?.front().map(Vec::as_slice)
    }

    /// Removes that line.
    pub(crate) fn take_first_like(&mut self, who: SessionKey, expect: &Expected) {
        let lines = if expect.is_refusal() { &mut self.refusals } else { &mut self.lines };
        lines.get_mut(&who).and_then(VecDeque::pop_front);
    }

    /// The first line that nothing explains.
    pub(crate) fn first_unexplained(&self) -> Option<(SessionKey, String)> {
        let mut all = self.lines.iter().chain(&self.refusals);
        let (who, lines) = all.find(|(_, lines)| !lines.is_empty())?;
        Some((*who, String::from_utf8_lossy(&lines[0]).into_owned()))
    }

    /// All lines, for the sabotage to change.
    pub(crate) fn lines_mut(&mut self) -> &mut BTreeMap<SessionKey, VecDeque<Vec<u8>>> {
        &mut self.lines
    }
}
