// Parses lines (protocol.md, 1.2). Pure. Tests only words that the protocol fixes.

const TAGS = { "* ": news, "! ": (text) => ({ type: "error", text }), "? ": question, "- ": row };

export function parse(line) {
	const read = TAGS[line.slice(0, 2)];
	if (read) return read(line.slice(2));
	const from = firstName(line);
	if (!from || line[from.length] !== ":") return { type: "info", text: line };
	return { type: "said", from, text: line.slice(from.length + 1).replace(/^ /, "") };
}

/// The name that a text begins with, or "".
function firstName(text) {
	return /^[\p{L}\p{N}][^\s,;:!…—]*/u.exec(text)?.[0] ?? "";
}

function question(text) {
	// A request comes first: a user may be called "Username".
	const by = firstName(text);
	if (by && text.startsWith(`${by} wants to chat`)) return { type: "request", by };
	if (/password/i.test(text)) return { type: "password", text };
	return { type: { Us: "naming", "1 ": "menu", Ch: "ignored" }[text.slice(0, 2)] ?? "info", text };
}

const WITH_NAME = Object.entries({
	"Hello, ": "hello", "Asked ": "asked", "You are now chatting with ": "chatting", "You are now in ": "entered",
	"You declined ": "over", "You withdrew your request to ": "declined", "The request of ": "over",
});
const PLAIN = Object.entries({
	"The operator says: ": "operator", "The server stops in ": "stops", "The server is stopping": "notable", "The server is no longer": "stopOff",
	"Welcome ": "ignored", "You left ": "youLeft", "You missed ": "notable", Goodbye: "goodbye",
});

/// The heads of messages to followers of the lists (5.8.2).
const LISTS = /^(?:You |The lists )(follow|changed|again)(?: the lists)?: (\d+) users?, /;

function news(text) {
	// A user may be called "Asked": lines about others come first (3.2.3).
	const other = aboutOther(text);
	if (other) return { ...other, text };
	for (const [words, type] of WITH_NAME) {
		const name = text.startsWith(words) && firstName(text.slice(words.length));
		if (name) return { type, name, text };
	}
	const [, head, users] = LISTS.exec(text) ?? [];
	if (head) return { type: "lists", head, users: Number(users) };
	const last = /^The last (?:(\d+) )?lines? said/.exec(text);
	if (last) return { type: "history", count: Number(last[1] ?? 1) };
	const [words, type] = PLAIN.find(([words]) => text.startsWith(words)) ?? ["", "info"];
	return { type, text, ms: duration(text.slice(words.length)) };
}

function aboutOther(text) {
	const name = firstName(text);
	// "You" is no username.
	if (!name || /^you$/i.test(name) || text[name.length] !== " ") return null;
	const deed = text.slice(name.length + 1);
	const left = /^left(?: the chat| ([^\s:]+))?(:|$)/u.exec(deed);
	if (left) return { type: "left", name, room: left[1] };
	if (/^joined \S+$/u.test(deed)) return { type: "joined", name };
	if (deed === "accepted") return { type: "ignored", name };
	if (deed === "declined") return { type: deed, name };
	return deed.startsWith("withdrew ") ? { type: "over", name } : null;
}

/// Milliseconds of "5 minutes" or "30 s", or NaN.
function duration(text) {
	const [, number, unit] = /^(\d+) (s|m|h)\w*$/.exec(text) ?? [];
	return number * { s: 1000, m: 60_000, h: 3_600_000 }[unit];
}

const STATUS = /^ (?:(available|busy)|(asking|asked by|chatting with|in) ([^\s,]+)(, busy)?)(?: \(you\))?$/u;

/// A row of a list (5.2.1, 5.3.1, 5.8.3, 6.1.4, 6.3.1).
function row(text) {
	if (text[0] === "#") return { ...row(text.slice(1)), row: "room" };
	const [, day, minute, line] = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d)Z (.*)$/su.exec(text) ?? [];
	const said = line && parse(line);
	if (said?.type === "said") return { ...said, type: "row", row: "said", at: Date.parse(`${day}T${minute}Z`) };
	const name = firstName(text), rest = text.slice(name.length);
	const found = (row, more) => ({ type: "row", row: name ? row : "other", name, text, ...more });
	const users = /^ (\d+) users?$/.exec(rest);
	if (users) return found("room", { users: Number(users[1]) });
	if (rest === " gone") return found("user", { gone: true });
	const [status, alone, word, other, busy] = STATUS.exec(rest) ?? [];
	if (!status) return found(rest ? "other" : "member");
	return found("user", { status: alone ?? word, other, busy: alone === "busy" || !!busy });
}
