// The page's state machine: lines of the server in; view state, lines to send and cues out. Pure.

import { collect, confirm, finish } from "./lists.js";
import { Place, keyOf } from "./places.js";
import { parse } from "./protocol.js";
import { clock, count } from "./text.js";
import { Waiting } from "./waiting.js";

/// Without an answer the page says so, and later connects anew.
const SILENCE_NOTED_MS = 10_000, SILENCE_MS = 40_000, CONNECT_MS = 15_000;
/// The waits before attempts to connect double.
const RETRY_FIRST_MS = 1000, RETRY_LAST_MS = 30_000;
/// The ghost of our lost connection may hold our name for so long.
const GHOST_MS = 90_000;
const NOTICE_MS = 9000;

export class Model {
	now = 0;
	/// connecting, up, lost (connects again at `retryAt`) or over (waits for the user).
	link = {};
	/// nowhere, naming, password, menu, asking, asked, chat or room; `name` is the prompt, user or room.
	phase = { at: "nowhere" };
	me = "";
	wanted = "";
	nameError = "";
	/// The room after a lost connection.
	room = "";
	/// The room left to ask somebody.
	came = "";
	request = "";
	busy = false;
	ignored = new Set();
	people = { rows: [], users: 0 };
	found = { at: -Infinity };
	rooms = [];
	members = { names: new Set(), more: 0 };
	filter = "";
	notice = null;
	confirm = null;
	next = null;
	visible = true;
	unread = 0;
	hideComing = false;
	home = new Place("home");
	place = this.home;
	waiting = new Waiting();
	parted = 0;
	attempts = 0;
	lines = [];
	cues = [];

	constructor(random = Math.random) {
		this.random = random;
	}

	handleOpen() {
		this.link = { state: "up" };
		Object.assign(this, { heard: this.now, tried: false, lastError: "" });
	}

	handleLines(message) {
		Object.assign(this, { heard: this.now, asked: 0 });
		for (const line of message.split(/\r?\n/)) {
			const event = line && parse(line);
			if (event) this.lastError = "";
			if (event && !collect(this, event)) (HANDLERS[event.type] ?? HANDLERS.info)(this, event);
		}
		finish(this);
	}

	handleClose() {
		const { link, me, phase, now } = this;
		const unnamed = phase.at === "naming" && !this.wanted;
		for (const { entry } of this.waiting.drop()) entry.state = "unsure";
		if (me) this.back ??= { at: now };
		if (phase.at === "chat") this.place.news("The chat ended with the connection", now);
		Object.assign(this, { phase: { at: "nowhere" }, request: "", next: null, stop: null, list: null });
		Object.assign(this, { entering: null, asked: 0, retryNameAt: 0, lines: [], closing: false });
		this.moved();
		if (link.state === "over") return;
		// The server waits only a minute for a name.
		if (this.removed || unnamed) this.link = { state: "over", why: this.removed };
		else this.link = { state: "lost", why: this.lastError, retryAt: now + this.wait() };
		if (link.state === "up" && me) this.announce("Connection lost", true);
	}

	/// All pages must not come back at once.
	wait() {
		return Math.min(RETRY_FIRST_MS * 2 ** this.attempts++, RETRY_LAST_MS) * (1 - this.random() / 2);
	}

	handleTick() {
		const { now, link, notice } = this;
		if (link.state === "lost" && now >= link.retryAt) this.connect();
		if (link.state === "connecting" && now - link.since > CONNECT_MS) this.abandon();
		if (!notice?.sticky && now - notice?.at > NOTICE_MS) this.notice = null;
		if (link.state !== "up") return;
		this.waiting.expire(now);
		if (this.retryNameAt && now >= this.retryNameAt) this.sendName();
		if (now - this.entering?.at > 1000) this.handleEntered();
		if (this.silence > SILENCE_MS) return this.abandon();
		this.resume();
		confirm(this);
	}

	get silence() {
		return this.asked ? this.now - this.asked : 0;
	}

	get trouble() {
		const { link, now, me, stop } = this;
		if (link.state === "lost") {
			const seconds = Math.max(1, Math.ceil((link.retryAt - now) / 1000));
			return `Connection lost${link.why && ` (${link.why})`}. Next try in ${seconds} s.`;
		}
		if (link.state === "connecting") return me || now - link.since > 1500 ? "Connecting…" : "";
		if (this.retryNameAt) return `${this.wanted} is still taken, perhaps by your lost connection…`;
		if (this.silence > SILENCE_NOTED_MS) return "The server does not answer. What you see may be old.";
		if (!stop) return "";
		return stop.at ? `The server stops in ${clock(stop.at - now)}` : stop.text;
	}

	connect() {
		this.link = { state: "connecting", since: this.now };
		this.cue("connect");
	}

	abandon() {
		this.cue("hangUp");
		this.handleClose();
	}

	leaveForGood() {
		Object.assign(this, { link: { state: "over", why: "You left chinwag." }, wanted: "", me: "", back: null });
		Object.assign(this, { room: "", busy: false, place: this.home, ignored: new Set() });
		this.abandon();
	}

	sendName() {
		Object.assign(this, { retryNameAt: 0, tried: true });
		this.send(this.wanted, "name");
	}

	send(line, kind, more) {
		this.lines.push(line);
		// A partner's chat lines have no answer.
		if (kind !== "tell") this.asked ||= this.now;
		this.waiting.add(kind, this.now, more);
	}

	cue(cue, more) {
		this.cues.push({ cue, ...more });
	}

	announce(text, urgent) {
		this.cue("announce", { text, urgent });
	}

	attract(title, text = "", urgent) {
		this.cue("attract", { title, text, urgent });
	}

	/// Says something at the foot of the page and in the log of home.
	say(text, more = {}) {
		this.notice = { text, at: this.now, ...more };
		if (!more.error) this.home.news(text, this.now);
		this.announce(text);
	}

	complain(text) {
		this.say(text, { error: true });
		return false;
	}

	news(text, coming) {
		this.place.news(text, this.now, coming);
		if (!coming || !this.hideComing) this.announce(text);
	}

	open(kind, { name, text }, quiet) {
		this.phase = { at: kind, name };
		if (!this.here) this.place = new Place(kind, name);
		if (!quiet) this.news(text.replace(/;.*/, ""));
		Object.assign(this, { closing: false, notice: null });
		this.moved();
		this.cue("opened");
	}

	moved() {
		if (this.confirm) this.complain("Nothing was sent: you are elsewhere now");
		this.confirm = null;
	}

	get talking() {
		return /chat|room/.test(this.phase.at);
	}

	/// Whether the user writes to the place that is shown.
	get here() {
		return this.place.key === keyOf(this.phase.at, this.phase.name);
	}

	resume() {
		const { next } = this;
		if (!next || !/menu|room/.test(this.phase.at) || this.waiting.moving || this.now < next.from) return;
		this.next = null;
		this.send(next.line, next.kind, next);
	}

	fail(texts, words) {
		for (const { entry } of texts) entry.state = "failed";
		if (texts.length) this.complain(`${words}: ${count(texts.length, "line")}`);
	}

	handleHistory(lines) {
		const { place, entering } = this;
		if (entering?.away) place.news(`You were away for ${clock(entering.away)}`, this.now);
		for (const entry of place.merge(lines, this.me)) {
			// A line of ours has arrived after all.
			const mine = place.pending.find(({ state, raw }) => entry.own && state === "unsure" && raw === entry.raw);
			if (mine) place.forget(mine.id);
		}
		if (entering) this.handleEntered();
	}

	/// The room has told all: what it does not remember was not said.
	handleEntered() {
		this.entering = null;
		const lost = this.place.pending.filter((entry) => entry.state === "unsure");
		this.fail(lost.map((entry) => ({ entry })), "Not sent");
	}
}

const HANDLERS = {
	info: (m, { text }) => m.say(text),
	ignored() {},
	error(m, { text }) {
		m.lastError = text;
		if (/naming|nowhere|password/.test(m.phase.at)) {
			m.nameError = text;
			if (m.waiting.settle("name", "secret")?.kind !== "name") return m.me && m.complain(text);
			if (m.now - m.back?.at < GHOST_MS) m.retryNameAt = m.now + 1000 + m.wait();
			return;
		}
		if (/^An operator removed you| has signed in on another /.test(text)) m.removed = text;
		const [, number] = /^(\d+) lines? .*not delivered/.exec(text) ?? [];
		if (number) return m.fail(m.waiting.drop(number), "Not delivered");
		const item = m.waiting.refuse(m.talking);
		if (item.kind === "follow") return (m.old = true), m.say("The server has another version now. Reload this page", { sticky: true });
		if (item.entry) return m.fail([item], "Not delivered");
		m.next = null;
		m.complain(text);
	},
	password(m, { text }) {
		m.waiting.settle("name", "secret");
		m.phase = { at: "password", name: text };
	},
	naming(m) {
		m.phase = { at: "naming" };
		if (m.wanted && !m.tried) m.sendName();
		else if (!m.retryNameAt) m.wanted = "";
	},
	hello(m, { name }) {
		const { back, room } = m;
		m.waiting.settle("name", "secret");
		Object.assign(m, { me: name, wanted: name, nameError: "", phase: { at: "menu" }, back: null, attempts: 0 });
		m.say(back ? "You are connected again" : "You are now connected");
		m.cue("named");
		m.old = false;
		m.send("/follow", "follow");
		if (!back) return;
		if (m.busy) m.send("/busy", "option");
		for (const other of m.ignored) m.send(`/ignore ${other}`, "option");
		if (room) m.next = { line: `/join ${room}`, kind: "enter", away: m.now - back.at };
	},
	menu(m) {
		if (m.closing) m.place = m.home;
		m.waiting.settle("secret");
		Object.assign(m, { phase: { at: "menu" }, request: "", closing: false, nameError: "" });
		m.resume();
	},
	request(m, { by }) {
		const again = m.request === by;
		m.request = by;
		if (m.phase.at !== "room") m.phase = { at: "asked", name: by };
		if (again) return;
		m.next = null;
		m.attract(`${by} wants to chat`, "Escape goes to the answer", true);
	},
	asked(m, { name }) {
		m.waiting.settle("ask", "yes");
		m.phase = { at: "asking", name };
	},
	declined(m, { text }) {
		m.waiting.settle("withdraw");
		m.say(text);
	},
	over(m, { name, text }) {
		m.waiting.settle("no");
		if (m.request === name) m.request = "";
		m.say(text);
	},
	chatting(m, event) {
		m.waiting.settle("ask", "yes");
		m.request = "";
		m.open("chat", event);
		m.attract(event.text);
	},
	entered(m, event) {
		const away = m.waiting.settle("enter")?.away;
		m.open("room", event, away);
		Object.assign(m, { room: event.name, came: "", entering: { at: m.now, away } });
	},
	youLeft(m, { text }) {
		m.place.news(text, m.now);
		m.say(text);
		m.came = m.waiting.find("ask", "yes") ? m.room : "";
		Object.assign(m, { closing: true, room: "" });
		m.waiting.settle("leave");
	},
	left(m, { name, room, text }) {
		if (room) {
			m.members.names.delete(name);
			return m.news(text, true);
		}
		if (m.phase.at === "chat") {
			m.parted = m.now;
			return m.news(text);
		}
		HANDLERS.over(m, { name, text });
	},
	joined(m, { name, text }) {
		m.members.names.add(name);
		m.news(text, true);
	},
	notable: (m, { text }) => m.news(text),
	said(m, { from, text }) {
		const { place, now, me, phase } = m;
		const echo = from === me && m.waiting.settle("say");
		if (echo) return place.settle(echo.entry, text, now);
		const { mention } = place.said(from, text, now, me);
		m.announce(`${from}: ${text}`);
		if (m.visible) return;
		m.unread++;
		if (phase.at === "chat" || mention) m.attract(from, text);
	},
	operator(m, { text }) {
		if (m.place !== m.home) m.place.news(text, m.now);
		m.say(text, { sticky: true });
	},
	stops(m, { ms, text }) {
		m.stop = { at: m.now + ms, text };
		m.announce(text, true);
	},
	stopOff(m, { text }) {
		m.stop = null;
		m.say(text);
	},
	goodbye: (m) => m.leaveForGood(),
};
