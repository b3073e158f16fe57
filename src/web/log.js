// Draws the log of a chat or a room, and keeps its reader where they are.

import { $, button, make, reconcile, text } from "./dom.js";
import { rows } from "./places.js";
import { count, pieces } from "./text.js";

const TIME = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });
const DAY = new Intl.DateTimeFormat(undefined, { dateStyle: "full" });
const NOTES = { unsure: "May not have arrived", failed: "Not delivered" };

const log = $("log");
let shown, seen = 0, newer = 0, atEnd = true;

export function renderLog({ place, hideComing }) {
	const all = rows(place, hideComing);
	const fresh = all.filter(({ entry }) => entry?.id > seen && !entry.coming && !entry.past);
	// A reader of older lines stays there, unless the new line is their own.
	const follow = shown !== place || atEnd || fresh.some(({ entry }) => entry.own);
	const update = (line, row) => row.type === "said" && updateSaid(line, row);
	reconcile($("lines"), all, (row) => CREATE[row.type](row), update);
	seen = Math.max(seen, ...all.map(({ entry }) => entry?.id ?? 0));
	shown = place;
	countNewer(newer + fresh.length);
	if (follow) toEnd();
}

export function toEnd() {
	log.scrollTop = log.scrollHeight;
	countNewer(0);
}

log.onscroll = () => {
	atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
	if (atEnd) countNewer(0);
};
new ResizeObserver(() => atEnd && toEnd()).observe(log);

function countNewer(number) {
	newer = number;
	text($("newer"), newer ? `${count(newer, "new line")} ↓` : "");
}

const CREATE = {
	day: ({ at }) => make("li", { className: "day" }, DAY.format(at)),
	news: ({ entry }) => make("li", { className: "news" }, make("bdi", { dir: "ltr", textContent: entry.text }), time(entry)),
	said({ entry }) {
		const name = make("bdi", { className: "name", textContent: entry.from });
		name.style.setProperty("--hue", hue(entry.from));
		// A screen reader needs the colon, the eye does not.
		const colon = make("span", { className: "unseen", textContent: ": " });
		const words = make("p", { dir: "auto" });
		return make("li", {}, name, colon, words, time(entry), make("span"));
	},
};

function updateSaid(line, { entry, first }) {
	const { own, deed, mention, state } = entry;
	line.className = ["said", first && "first", own && "own", deed && "deed", mention && "mention", state].filter(Boolean).join(" ");
	const [, , words, , choices] = line.children;
	// The server may have cleaned a text.
	if (words.textContent !== entry.text) words.replaceChildren(...pieces(entry.text).map(piece));
	if (choices.className === state) return;
	choices.className = state;
	const again = [button("Send again", "sendAgain", entry.id), button("Discard", "discard", entry.id)];
	choices.replaceChildren(...(NOTES[state] ? [`${NOTES[state]}. `, ...again] : []));
}

function piece({ text, href }) {
	if (!href) return text;
	return make("a", { href, title: href, textContent: text, target: "_blank", rel: "noopener noreferrer" });
}

function time({ at }) {
	return make("time", { textContent: TIME.format(at) });
}

/// A colour that stays with a name.
function hue(name) {
	return [...name.toLowerCase()].reduce((sum, c) => (sum * 31 + c.codePointAt()) % 359, 0);
}
