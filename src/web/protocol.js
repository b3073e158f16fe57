// Parses one line of the server (protocol.md, 1.2). Pure. It tests the tag and the words that the
// protocol fixes: the other words of a line may change.

const TAGS = { "* ": news, "! ": (text) => ({ type: "error", text }), "? ": question, "- ": row };
const NAME = /^[\p{L}\p{N}][^\s,;:!…—]*/u;

/// What a line means: `{ type, … }`. A line of no known form has the type "info".
export function parse(line) {
  const read = TAGS[line.slice(0, 2)];
  if (read) return read(line.slice(2));
  const from = firstName(line);
  if (!from || line[from.length] !== ":") return { type: "info", text: line };
  return { type: "said", from, text: line.slice(from.length + 1).replace(/^ /, "") };
}

/// The name that a text begins with, or "". It ends at a blank or at punctuation no name can hold.
function firstName(text) {
  return NAME.exec(text)?.[0] ?? "";
}

function question(text) {
  // A request comes first: a user may be called "1" or "Username".
  const by = firstName(text);
  if (by && text.startsWith(`${by} wants to chat`)) return { type: "request", by };
  const type = { Us: "naming", "1 ": "menu", Ch: "choosing" }[text.slice(0, 2)];
  return { type: type ?? "info", text };
}

const ABOUT_SELF = Object.entries({
  "Hello, ": "hello", "Asked ": "asked", "You are now chatting with ": "chatting", "You are now in ": "entered",
  "You declined ": "youDeclined", "You withdrew your request to ": "youWithdrew", "The request of ": "over",
});
const PLAIN = Object.entries({
  "The operator says: ": "operator", "The server stops in ": "stops", "The server is stopping": "stopping",
  "Welcome ": "welcome", "You left ": "youLeft", "You missed ": "missed", Goodbye: "goodbye",
});

/// Lines about others begin with a name, which may be a word of the server, such as "Asked". They
/// are therefore tested first (3.2.3).
function news(text) {
  const other = aboutOther(text);
  if (other) return { ...other, text };
  for (const [words, type] of ABOUT_SELF) {
    const name = text.startsWith(words) && firstName(text.slice(words.length));
    if (name) return { type, name, text };
  }
  const last = /^The last (?:(\d+) )?lines? said/.exec(text);
  if (last) return { type: "history", count: Number(last[1] ?? 1) };
  if (/^\d+ users? online/.test(text)) return { type: "list", text };
  // `stop off` has no fixed words, but says "not" or "no longer".
  if (/^The server .*\b(not|no longer)\b/.test(text)) return { type: "stopOff", text };
  const type = PLAIN.find(([words]) => text.startsWith(words))?.[1] ?? "info";
  return type === "stops" ? { type, text, ms: duration(text) } : { type, text };
}

function aboutOther(text) {
  const name = firstName(text);
  // "You" is no username.
  if (!name || /^you$/i.test(name) || text[name.length] !== " ") return null;
  const deed = text.slice(name.length + 1);
  const left = /^left(?: the chat| ([^\s:]+))?(:|$)/u.exec(deed);
  if (left) return { type: "left", name, room: left[1] };
  const joined = /^joined (\S+)$/u.exec(deed);
  if (joined) return { type: "joined", name, room: joined[1] };
  if (deed === "accepted" || deed === "declined") return { type: deed, name };
  return deed.startsWith("withdrew ") ? { type: "over", name } : null;
}

/// Milliseconds of "… 5 minutes" or "… 30 s"; NaN if the text ends in another way.
function duration(text) {
  const [, number, unit] = /(\d+) (s|m|h)\w*$/.exec(text) ?? [];
  return number * { s: 1000, m: 60_000, h: 3_600_000 }[unit];
}

const STATUS = /^ (?:(available|busy)|(asking|asked by|chatting with|in) ([^\s,]+)(, busy)?)( \(you\))?$/u;

/// A row of a list (5.2.1, 5.3.1, 6.1.4, 6.3.1).
function row(text) {
  const [, day, minute, line] = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d)Z (.*)$/su.exec(text) ?? [];
  const said = line !== undefined && parse(line);
  if (said?.type === "said") return { ...said, type: "row", row: "said", at: Date.parse(`${day}T${minute}Z`) };
  const name = firstName(text);
  const rest = text.slice(name.length);
  const found = (row, more) => ({ type: "row", row, name, text, ...more });
  const [, users] = /^ (\d+) users?$/.exec(rest) ?? [];
  if (users && name) return found("room", { users: Number(users) });
  const [, alone, word, other, busy, you] = STATUS.exec(rest) ?? [];
  if (name && (alone || word)) return found("user", { status: alone ?? word, other, busy: alone === "busy" || !!busy, you: !!you });
  return found(name && !rest ? "member" : "other");
}
