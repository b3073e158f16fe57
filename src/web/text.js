// What a text is made of: lines, links, times; and what a draft means (protocol.md, 4.7, 4.8). Pure.

/// The longest line of the protocol (7.1), and the longest text beside "/say ".
const LINE_BYTES_MAX = 1024;
const TEXT_BYTES_MAX = LINE_BYTES_MAX - 5;

// What the server takes out of a line (3.1.1).
const ESCAPES = /\x1b(?:\[[0-?]*[ -/]*[@-~]|O.)?/gs;
const REMOVED = /[\0-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u206f\ufeff\ufff9-\ufffb]/g;

const byteLength = (text) => new TextEncoder().encode(text).length;

/// The lines of a draft as their readers see them, without empty ones. A long line is cut at a blank.
export function toLines(draft, max = TEXT_BYTES_MAX) {
  const lines = draft.replace(ESCAPES, "").split(/\r\n|[\r\n\u2028\u2029]/);
  const clean = lines.map((line) => line.replace(/\t/g, " ").replace(REMOVED, ""));
  return clean.filter((line) => line.trim()).flatMap((line) => cut(line, max));
}

function cut(line, max) {
  const found = [];
  while (byteLength(line) > max) {
    let bytes = 0, end = 0, blank = 0;
    for (const { segment } of new Intl.Segmenter().segment(line)) {
      bytes += byteLength(segment);
      if (bytes > max) break;
      if (segment === " ") blank = end;
      end += segment.length;
    }
    const at = blank || end || max / 4;
    found.push(line.slice(0, at));
    line = line.slice(at).trimStart();
  }
  return line ? [...found, line] : found;
}

/// What a draft means: `{ lines }` to say, or `{ command }`: "leave" or "unknown".
export function understand(draft) {
  const text = draft.trimEnd();
  if (/^\s*(quit|\/quit|\/leave)$/i.test(text)) return { command: "leave" };
  const deed = /^\/me\s+(.*)$/i.exec(text);
  if (deed) return { lines: toLines(deed[1]).map((line) => `*${line}*`) };
  // As on the line port, "//" begins a text with a slash. A text of several lines has no commands.
  if (/^\/(?!\/)/.test(text) && !text.includes("\n")) return { command: "unknown" };
  return { lines: toLines(text.includes("\n") ? text : text.replace(/^\/\//, "/")) };
}

/// The line that says a text. Null if there is none: in a chat "quit" ends the chat (4.7.1).
export function wire(text, kind) {
  const word = text.trim().toLowerCase();
  if (kind === "chat" && (word === "quit" || (word === "/quit" && text[0] === " "))) return null;
  if (kind === "room" && deed(text)) return `/me ${deed(text)}`;
  // Words that a room takes, or may take, for a command (4.8.3).
  if (kind === "room" && /^(\/?quit|q|\.?exit|y|yes|n|no)$/.test(word)) return `/say ${text}`;
  return text.startsWith("/") ? `/${text}` : text;
}

/// What somebody does, or null: a room shows `/me waves` as `*waves*` (4.8.1).
export function deed(text) {
  return /^\*([^*\s][^*]*)\*$/u.exec(text)?.[1] ?? null;
}

/// Whether a text names the user `me`.
export function mentions(text, me) {
  const name = me.replace(/[.-]/g, "\\$&");
  return new RegExp(`(?<![\\p{L}\\p{N}_])${name}(?![\\p{L}\\p{N}_])`, "iu").test(text);
}

/// A text in pieces, `{ text, href? }`. Only http and https addresses become links.
export function pieces(text) {
  const found = [];
  let done = 0;
  for (const match of text.matchAll(/\bhttps?:\/\/[^\s<>"“”]+/gi)) {
    const shown = withoutPunctuation(match[0]);
    // A name or password before the host makes an address look like another.
    if (!URL.canParse(shown) || new URL(shown).username || new URL(shown).password) continue;
    found.push({ text: text.slice(done, match.index) }, { text: shown, href: new URL(shown).href });
    done = match.index + shown.length;
  }
  return [...found, { text: text.slice(done) }].filter((piece) => piece.text);
}

/// Leaves the punctuation that ends a sentence, and an unmatched bracket, out of an address.
function withoutPunctuation(address) {
  const last = address.at(-1);
  const open = { ")": "(", "]": "[" }[last];
  const unmatched = open && address.split(last).length > address.split(open).length;
  return unmatched || /[.,;:!?'…»]/u.test(last) ? withoutPunctuation(address.slice(0, -1)) : address;
}

export function count(number, noun) {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

/// A duration as a clock shows it: "4:05", "1:04:05".
export function clock(ms) {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const two = (number) => String(number).padStart(2, "0");
  return `${hours ? `${hours}:${two(minutes)}` : minutes}:${two(seconds % 60)}`;
}

/// The local day of a time, as a key that differs from day to day.
export function dayOf(at) {
  return new Date(at).toDateString();
}
