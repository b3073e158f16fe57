// The logs that the page shows: one for each chat and room, and "home" for everything else. Pure.

import { dayOf, deed, mentions } from "./text.js";

const ENTRIES_MAX = 600;
/// Lines of one person within this time stand under one name.
const RUN_MS = 5 * 60_000;

let lastId = 0;

/// One log. `pending` holds one's own lines without a place among those of others: a room shows a
/// line where it comes back (6.2.1).
export class Place {
  entries = [];
  pending = [];

  constructor(kind, name = "") {
    Object.assign(this, { kind, name, key: keyOf(kind, name) });
  }

  said(from, text, at, me, more = {}) {
    const own = from === me;
    const mention = !own && this.kind === "room" && mentions(text, me);
    const entry = { id: ++lastId, type: "said", from, own, mention, at, ...words(text), ...more };
    return more.state === "pending" ? (this.pending.push(entry), entry) : this.push(entry);
  }

  /// Adds a line that nobody said. `coming` marks the news of who comes and goes.
  news(text, at, more = {}) {
    this.push({ id: ++lastId, type: "news", text, at, ...more });
  }

  push(entry) {
    this.entries.push(entry);
    // In steps, so that a reader of old lines does not see them move with each new one.
    if (this.entries.length > ENTRIES_MAX * 1.2) this.entries.splice(0, ENTRIES_MAX * 0.2);
    return entry;
  }

  /// The room has said `entry`: it has its place now.
  settle(entry, text, at) {
    this.forget(entry);
    this.push(Object.assign(entry, { at, state: "" }, words(text)));
  }

  forget(entry) {
    this.pending = this.pending.filter((other) => other !== entry);
    this.entries = this.entries.filter((other) => other !== entry);
  }

  /// Joins the lines that the room remembers with those shown already: nothing appears twice.
  /// Returns the new entries behind the known ones.
  merge(lines, me) {
    const known = this.entries.filter((entry) => entry.type === "said");
    const { start, end } = overlap(known, lines);
    const make = ({ from, text, at }) => new Place("room").said(from, text, at, me, { past: true });
    this.entries.unshift(...lines.slice(0, start).map(make));
    return lines.slice(end).map((line) => this.push(make(line)));
  }
}

function words(raw) {
  const done = deed(raw);
  return { raw, text: done ?? raw, deed: done !== null };
}

export function keyOf(kind, name = "") {
  return `${kind}:${name.toLowerCase()}`;
}

/// Where the end of the known lines lies within `lines`. Without an overlap all lines are new.
function overlap(known, lines) {
  for (let end = lines.length; end > 0; end--) {
    const length = Math.min(end, known.length);
    const same = known.slice(known.length - length).every((entry, n) => {
      const line = lines[end - length + n];
      return entry.from === line.from && entry.raw === line.text;
    });
    if (same && length) return { start: end - length, end };
  }
  return { start: 0, end: 0 };
}

/// The rows of a log: its entries, and one for each new day. `first` marks a row with a name.
export function rows(place, hideComing) {
  const shown = [];
  let last = { at: NaN };
  for (const entry of [...place.entries, ...place.pending]) {
    if (entry.coming && hideComing) continue;
    const newDay = dayOf(entry.at) !== dayOf(last.at);
    if (newDay) shown.push({ key: `day ${entry.id}`, type: "day", at: entry.at });
    const follows = !newDay && last.from === entry.from && !entry.deed && !last.deed && entry.at - last.at < RUN_MS;
    shown.push({ key: `entry ${entry.id}`, type: entry.type, entry, first: !follows });
    last = entry;
  }
  return shown;
}
