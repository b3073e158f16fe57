// The log of a chat, of a room, or of "home" for everything else. Pure.

import { dayOf, deed, mentions } from "./text.js";

const ENTRIES_MAX = 600;
/// Lines of one person within this time stand under one name.
const RUN_MS = 5 * 60_000;

let lastId = 0;

/// `pending`: a room shows an own line where it comes back (6.2.1).
export class Place {
	entries = [];
	pending = [];

	constructor(kind, name = "") {
		Object.assign(this, { kind, name, key: keyOf(kind, name) });
	}

	said(from, text, at, me, state = "") {
		const own = from === me, mention = this.kind === "room" && !own && mentions(text, me);
		const entry = { id: ++lastId, type: "said", from, own, mention, at, state, ...words(text) };
		(state === "pending" ? this.pending : this.entries).push(entry);
		return entry;
	}

	news(text, at, coming) {
		this.entries.push({ id: ++lastId, type: "news", text, at, coming });
	}

	settle(entry, text, at) {
		this.forget(entry.id);
		this.entries.push(Object.assign(entry, { at, state: "" }, words(text)));
	}

	forget(id) {
		const found = [...this.entries, ...this.pending].find((entry) => entry.id === Number(id));
		for (const list of ["entries", "pending"]) this[list] = this[list].filter((entry) => entry !== found);
		return found;
	}

	/// Adds the lines that the room remembers. Returns the new ones.
	merge(lines, me) {
		const { start, end } = overlap(this.entries.filter((entry) => entry.type === "said"), lines);
		const made = lines.map((line) => ({ ...new Place(this.kind).said(line.from, line.text, line.at, me), past: true }));
		this.entries = [...made.slice(0, start), ...this.entries, ...made.slice(end)];
		return made.slice(start === end ? 0 : end);
	}
}

function words(raw) {
	return { raw, text: deed(raw) ?? raw, deed: !!deed(raw) };
}

export function keyOf(kind = "", name = "") {
	return `${kind}:${name.toLowerCase()}`;
}

/// Where the end of the known lines lies in `lines`.
function overlap(known, lines) {
	for (let end = lines.length; end > 0; end--) {
		const start = Math.max(0, end - known.length);
		const tail = known.slice(known.length - end + start);
		const same = (entry, n) => entry.from === lines[start + n].from && entry.raw === lines[start + n].text;
		if (tail.length && tail.every(same)) return { start, end };
	}
	const start = known.length ? 0 : lines.length;
	return { start, end: start };
}

/// Entries and new days. `first` marks a row with a name.
export function rows(place, hideComing) {
	const shown = [];
	let last = { at: NaN };
	// In steps, so that old lines do not move with each new one.
	if (place.entries.length > ENTRIES_MAX * 1.2) place.entries.splice(0, ENTRIES_MAX * 0.2);
	for (const entry of [...place.entries, ...place.pending]) {
		if (entry.coming && hideComing) continue;
		const newDay = dayOf(entry.at) !== dayOf(last.at);
		if (newDay) shown.push({ key: `day ${entry.id}`, type: "day", at: entry.at });
		const follows = last.from === entry.from && !entry.deed && !last.deed && entry.at - last.at < RUN_MS;
		shown.push({ key: `entry ${entry.id}`, type: entry.type, entry, first: newDay || !follows });
		last = entry;
	}
	return shown;
}
