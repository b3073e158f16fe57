// Draws the log of a chat or a room, and keeps its reader where they are.

import { $, button, make, reconcile, show, text } from "./dom.js";
import { rows } from "./places.js";
import { count, dayOf, pieces } from "./text.js";

const TIME = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });
const DAY = new Intl.DateTimeFormat(undefined, { dateStyle: "full" });
const NOTES = { unsure: "May not have arrived", failed: "Not delivered" };

let shown, seen = 0, newer = 0;

const atEnd = ({ scrollHeight, scrollTop, clientHeight }) => scrollHeight - scrollTop - clientHeight < 40;

export function renderLog({ place, hideComing }, act) {
  const all = rows(place, hideComing);
  const fresh = all.filter(({ entry }) => entry?.id > seen && !entry.coming && !entry.past);
  // A reader of older lines stays there, unless the new line is their own.
  const follow = shown !== place || atEnd($("log")) || fresh.some(({ entry }) => entry.own);
  reconcile($("lines"), all, (row) => row.key, (row) => CREATE[row.type](row), (line, row) => update(line, row, act));
  seen = Math.max(seen, ...all.map(({ entry }) => entry?.id ?? 0));
  shown = place;
  newer += fresh.length;
  if (follow) toEnd();
  text($("newer"), newer ? `${count(newer, "new line")} ↓` : "");
}

export function toEnd() {
  $("log").scrollTop = $("log").scrollHeight;
  newer = 0;
}

$("log").onscroll = () => {
  if (atEnd($("log"))) show($("newer"), (newer = 0));
};

const CREATE = {
  day: ({ at }) => make("li", { className: "day" }, dayName(at)),
  news: ({ entry }) => make("li", { className: "news" }, make("bdi", { textContent: entry.text }), time(entry)),
  said({ entry }) {
    const name = make("bdi", { className: "name", textContent: entry.from });
    name.style.setProperty("--hue", hue(entry.from));
    // A screen reader needs the colon, the eye does not.
    const colon = make("span", { className: "unseen", textContent: ": " });
    return make("li", {}, name, colon, make("p", { dir: "auto" }), time(entry), make("span"));
  },
};

function update(line, { entry, first }, act) {
  if (entry?.type !== "said") return;
  const { own, mention, deed, state } = entry;
  const classes = ["said", first && "first", own && "own", mention && "mention", deed && "deed", state];
  line.className = classes.filter(Boolean).join(" ");
  const [, , words, , choices] = line.children;
  if (words.textContent !== entry.text) words.replaceChildren(...pieces(entry.text).map(piece));
  if (choices.dataset.state === state) return;
  choices.dataset.state = state;
  choices.replaceChildren();
  if (!NOTES[state]) return;
  choices.append(`${NOTES[state]}. `, button("Send again", () => act("sendAgain", entry)), button("Discard", () => act("discard", entry)));
}

/// A piece of a text: words, or a link that tells its target nothing of this page.
function piece({ text, href }) {
  return href ? make("a", { href, title: href, textContent: text, target: "_blank", rel: "noopener noreferrer" }) : text;
}

function time({ at }) {
  return make("time", { dateTime: new Date(at).toISOString(), textContent: TIME.format(at) });
}

function dayName(at) {
  const ago = [0, 1].find((days) => dayOf(Date.now() - days * 86_400_000) === dayOf(at));
  return (["Today, ", "Yesterday, "][ago] ?? "") + DAY.format(at);
}

/// A colour that stays with a name.
function hue(name) {
  const sum = [...name.toLowerCase()].reduce((sum, c) => (sum * 31 + c.codePointAt(0)) % 997, 0);
  return (sum % 12) * 30;
}
