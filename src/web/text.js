// What texts and drafts mean (protocol.md, 4.7, 4.8). Pure.

/// The longest text: a line of the protocol (7.1) without "/say ".
const TEXT_BYTES_MAX = 1024 - 5;
// What the server takes out of a line (3.1.1).
const REMOVED = /\x1b(\[[0-?]*[ -/]*[@-~]|O.)?|[\0-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u206f\ufeff\ufff9-\ufffb]/g;

const byteLength = (text) => new TextEncoder().encode(text).length;

/// The lines of a draft. A long one is cut at a blank.
export function toLines(draft) {
	const lines = draft.split(/\r\n|[\r\n\u2028\u2029]/).map((line) => line.replace(/\t/g, " ").replace(REMOVED, ""));
	return lines.filter((line) => line.trim()).flatMap(cut);
}

function cut(line) {
	const found = [""];
	for (const part of line.match(/\S{1,200}|\s{1,200}/gu)) {
		if (byteLength(found.at(-1) + part) > TEXT_BYTES_MAX) found.push("");
		found.push(found.pop() + part);
	}
	return found;
}

/// A draft is `{ lines }` to say, or a `{ command }`.
export function understand(draft) {
	const text = draft.trimEnd();
	if (/^\s*(quit|\/quit|\/leave)$/i.test(text)) return { command: "leave" };
	const does = /^\/me\s+(.*)$/i.exec(text);
	if (does) return { lines: toLines(does[1]).map((line) => `*${line}*`) };
	// A text of several lines has no commands. "//" begins a text with a slash.
	if (text.includes("\n")) return { lines: toLines(text) };
	return /^\/(?!\/)/.test(text) ? { command: "unknown" } : { lines: toLines(text.replace(/^\/\//, "/")) };
}

/// What somebody does: `/me waves` is read as `*waves*` (4.7.1, 4.8.1).
export function deed(text) {
	return /^\*([^*\s][^*]*)\*$/u.exec(text)?.[1];
}

export function mentions(text, name) {
	const edge = "[\\p{L}\\p{N}\\p{M}_]";
	return new RegExp(`(?<!${edge})${name.replaceAll(".", "\\.")}(?!${edge})`, "iu").test(text);
}

/// A text in pieces, `{ text, href? }`.
export function pieces(text) {
	const found = [];
	let done = 0;
	for (const { 0: address, index } of text.matchAll(/\bhttps?:\/\/[^\s<>"“”]+/gi)) {
		const shown = withoutPunctuation(address);
		const url = URL.canParse(shown) && new URL(shown);
		// A name before the host makes an address look like another.
		if (!url || url.username || url.password) continue;
		found.push({ text: text.slice(done, index) }, { text: shown, href: url.href });
		done = index + shown.length;
	}
	return [...found, { text: text.slice(done) }].filter((piece) => piece.text);
}

function withoutPunctuation(address) {
	const last = address.at(-1);
	const open = { ")": "(", "]": "[" }[last];
	const unmatched = open && address.split(last).length > address.split(open).length;
	return unmatched || /[.,;:!?'…»]/u.test(last) ? withoutPunctuation(address.slice(0, -1)) : address;
}

export function count(number, noun) {
	return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

export function clock(ms) {
	const seconds = Math.max(0, Math.ceil(ms / 1000));
	return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

export function dayOf(at) {
	return new Date(at).toDateString();
}
