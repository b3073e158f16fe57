// The page's state machine: lines of the server in; view state, lines to send and cues out. Pure:
// no DOM, no socket, no clock. `acts.js` has what the user does, `lists.js` what the server lists.

import { collect, finish, poll } from "./lists.js";
import { Place, keyOf } from "./places.js";
import { parse } from "./protocol.js";
import { clock, count } from "./text.js";
import { Waiting } from "./waiting.js";

/// After this time without an answer the page says so, and later connects anew.
const SILENCE_NOTED_MS = 10_000;
const SILENCE_MS = 40_000;
const CONNECT_MS = 15_000;
/// The waits before attempts to connect double from the first to the last.
const RETRY_FIRST_MS = 1000;
const RETRY_LAST_MS = 30_000;
/// Our name may be taken by the ghost of our lost connection. It is tried again for so long.
const GHOST_MS = 90_000;
const NOTICE_MS = 9000;
const PLACES_MAX = 12;

export class Model {
  now = 0;
  /// connecting, up, lost (connects again at `retryAt`), asleep or over (these wait for the user).
  link = { state: "connecting", since: 0 };
  /// nowhere, naming, menu, asking, asked, chat or room; `name` is the other user or the room.
  phase = { at: "nowhere" };
  me = null;
  /// The name to take at the next prompt for one.
  wanted = null;
  nameError = "";
  /// The room to come back to after a lost connection, or after a request.
  room = null;
  lastRoom = null;
  /// Who wants to chat with us.
  request = null;
  busy = false;
  ignored = new Set();
  people = { rows: [], more: 0, at: 0, prefix: "" };
  rooms = { rows: [] };
  members = { names: new Set(), more: 0 };
  filter = "";
  stop = null;
  notice = null;
  /// A question of the page itself, such as before several lines are sent.
  confirm = null;
  /// What to do at the menu, once it comes.
  next = null;
  visible = true;
  unread = 0;
  hideComing = false;
  home = new Place("home");
  place = this.home;
  places = new Map();
  waiting = new Waiting();
  pollAt = 0;
  attempts = 0;
  lines = [];
  cues = [];

  constructor(random = Math.random) {
    this.random = random;
  }

  // The connection.

  handleOpen() {
    this.link = { state: "up" };
    Object.assign(this, { heard: this.now, tried: false, lastError: "", refusesLists: false });
  }

  /// Handles a message of the server: whole lines, each ended by CR LF.
  handleLines(message) {
    this.heard = this.now;
    for (const line of message.split(/\r?\n/)) {
      const event = line && parse(line);
      if (event && !collect(this, event)) (HANDLERS[event.type] ?? HANDLERS.info)(this, event);
    }
    finish(this, false);
  }

  /// The connection has ended. The logs, the drafts and the name stay.
  handleClose() {
    const { link, me, phase } = this;
    const unnamed = phase.at === "naming" && !this.wanted;
    for (const { entry } of this.waiting.drop()) entry.state = "unsure";
    this.waiting.drop();
    if (me && !this.back) this.back = { at: this.now };
    if (phase.at === "chat") this.place.news("The chat ended with the connection", this.now);
    Object.assign(this, { phase: { at: "nowhere" }, request: null, next: null, stop: null, list: null });
    Object.assign(this, { entering: null, asked: 0, retryNameAt: 0, lines: [], closing: false });
    this.moved();
    if (link.state === "over") return;
    // The server waits a minute for a name. It is no loss if the user takes longer.
    if (this.removed) this.link = { state: "over", why: this.removed };
    else if (unnamed) this.link = { state: "asleep" };
    else this.link = { state: "lost", why: this.lastError, retryAt: this.now + this.wait() };
    if (link.state === "up" && me) this.announce("Connection lost", true);
  }

  /// The next wait. Its random part keeps all pages from coming back to a restarted server at once.
  wait() {
    const longest = Math.min(RETRY_FIRST_MS * 2 ** this.attempts++, RETRY_LAST_MS);
    return longest * (1 - this.random() / 2);
  }

  handleTick() {
    const { now, link } = this;
    if (link.state === "lost" && now >= link.retryAt) this.connect();
    if (link.state === "connecting" && now - link.since > CONNECT_MS) this.abandon();
    if (this.notice && !this.notice.sticky && now - this.notice.at > NOTICE_MS) this.notice = null;
    if (link.state !== "up") return;
    this.waiting.expire(now);
    if (this.retryNameAt && now >= this.retryNameAt) this.sendName();
    if (this.entering && now - this.entering.at > 1000) this.handleEntered();
    if (this.silence > SILENCE_MS) return this.abandon();
    this.resume();
    poll(this);
  }

  /// For how long the server has owed an answer and said nothing.
  get silence() {
    return this.link.state === "up" && this.asked ? this.now - Math.max(this.asked, this.heard) : 0;
  }

  /// What the user should know about the connection, or "".
  get trouble() {
    const { link, now, me, stop } = this;
    if (link.state === "lost") {
      const seconds = Math.max(1, Math.ceil((link.retryAt - now) / 1000));
      return `${me ? "Connection lost" : "No connection"}${link.why ? ` (${link.why})` : ""}. Next try in ${seconds} s.`;
    }
    if (link.state === "connecting") return me || now - link.since > 1500 ? "Connecting…" : "";
    if (this.retryNameAt) return `${this.wanted} is still taken, perhaps by your lost connection. Trying again…`;
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

  /// The user has left: only the name in the box remains.
  leaveForGood() {
    Object.assign(this, { link: { state: "over", why: "You left chinwag." }, wanted: null, me: null, back: null });
    Object.assign(this, { room: null, busy: false, place: this.home, ignored: new Set() });
    if (!this.waiting.has("exit")) this.abandon();
  }

  sendName() {
    Object.assign(this, { retryNameAt: 0, tried: true });
    this.send(this.wanted, "name");
  }

  // Helpers.

  /// Sends a line; `kind` is one of `waiting.js`.
  send(line, kind, more) {
    this.lines.push(line);
    this.waiting.add(kind, this.now, more);
  }

  cue(cue, more) {
    this.cues.push({ cue, ...more });
  }

  announce(text, urgent) {
    this.cue("announce", { text, urgent });
  }

  /// Tells the user something, for a while at the foot of the page and, unless it is an error of
  /// the moment, in the log of home.
  say(text, more = {}) {
    this.notice = { text, at: this.now, ...more };
    if (!more.error) this.home.news(text, this.now);
    this.announce(text);
  }

  /// The user's own line had no effect.
  complain(text) {
    this.say(text, { error: true });
    return false;
  }

  /// The way back to a room that was left to ask somebody.
  wayBack() {
    return { enter: this.lastRoom };
  }

  open(kind, name) {
    const key = keyOf(kind, name);
    const place = this.places.get(key) ?? new Place(kind, name);
    this.places.delete(key);
    this.places.set(key, place);
    if (this.places.size > PLACES_MAX) this.places.delete(this.places.keys().next().value);
    Object.assign(this, { place, closing: false, notice: null });
    this.moved();
    this.change();
    this.cue("opened");
    return place;
  }

  /// A question that was asked elsewhere must not be answered here.
  moved() {
    if (this.confirm) this.complain("Nothing was sent: you are elsewhere now");
    this.confirm = null;
  }

  /// Something changed: the list is asked for again soon.
  change() {
    this.pollMs = 0;
    this.pollAt = Math.min(this.pollAt, this.now + 300);
  }

  get talking() {
    return this.phase.at === "chat" || this.phase.at === "room";
  }

  /// Whether what is typed goes to the place that is shown.
  get here() {
    return this.talking && this.place.key === keyOf(this.phase.at, this.phase.name);
  }

  /// Does what had to wait for the menu.
  resume() {
    const { next } = this;
    if (!next || this.phase.at !== "menu" || this.waiting.moving || this.now < next.from) return;
    this.next = null;
    this.send(next.line, next.kind, next.more);
  }

  requestOver(name) {
    if (this.request === name) this.request = null;
    this.change();
  }

  /// These texts came after the partner had left: nobody read them.
  handleUndelivered(items) {
    for (const { entry } of items) entry.state = "failed";
    if (items.length) this.complain(`Not delivered: ${count(items.length, "line")}`);
  }

  /// The lines that a room remembers have come.
  handleHistory(lines) {
    const { place, entering } = this;
    if (entering?.away) place.news(`You were away for ${clock(entering.away)}`, this.now);
    for (const entry of place.merge(lines, this.me)) {
      // A line of ours has arrived after all.
      const mine = entry.own && place.pending.find((other) => other.state === "unsure" && other.raw === entry.raw);
      if (mine) place.forget(mine);
    }
    if (entering) this.handleEntered();
  }

  /// The server has told all about the room that we entered: what it does not remember was not said.
  handleEntered() {
    const lost = this.entering.place.pending.filter((entry) => entry.state === "unsure");
    for (const entry of lost) entry.state = "failed";
    this.entering = null;
    if (lost.length) this.complain(`Not sent: ${count(lost.length, "line")}`);
  }
}

/// What each kind of line does.
const HANDLERS = {
  info: (m, { text }) => m.say(text),
  welcome() {},
  choosing() {},
  accepted() {},
  error(m, { text }) {
    m.lastError = text;
    if (m.phase.at === "naming" || m.phase.at === "nowhere") {
      m.nameError = text;
      if (!m.waiting.settle("name")) return;
      if (m.back && m.now - m.back.at < GHOST_MS) m.retryNameAt = m.now + 1000 + m.wait();
      else m.wanted = null;
      return;
    }
    if (text.startsWith("An operator removed you")) m.removed = text;
    const [, number] = /^(\d+) lines? .*not delivered/.exec(text) ?? [];
    if (number) return m.handleUndelivered(m.waiting.drop(Number(number)));
    const item = m.waiting.refuse(m.talking);
    if (item?.kind === "tell") return m.handleUndelivered([item]);
    if (item?.kind === "list") Object.assign(m, { asked: 0, refusesLists: true });
    if (item?.hidden) return;
    m.next = null;
    m.complain(text);
  },
  naming(m) {
    m.phase = { at: "naming" };
    if (m.wanted && !m.tried) m.sendName();
  },
  hello(m, { name }) {
    const { back, room } = m;
    m.waiting.settle("name");
    Object.assign(m, { me: name, wanted: name, nameError: "", phase: { at: "menu" }, back: null, attempts: 0 });
    m.say(back ? "You are connected again" : `You are now connected, ${name}`);
    m.change();
    m.cue("named");
    if (!back) return;
    if (m.busy) m.send("busy", "option", { hidden: true });
    for (const other of m.ignored) m.send(`ignore ${other}`, "option", { hidden: true });
    if (room) m.next = { line: `4 ${room}`, kind: "enter", more: { away: m.now - back.at } };
  },
  menu(m) {
    if (m.phase.at !== "menu") m.change();
    if (m.closing) m.place = m.home;
    Object.assign(m, { phase: { at: "menu" }, request: null, closing: false });
    m.resume();
  },
  request(m, { by }) {
    const again = m.request === by;
    m.request = by;
    if (m.phase.at !== "room") m.phase = { at: "asked", name: by };
    if (again) return;
    m.next = null;
    m.change();
    m.cue("attract", { title: `${by} wants to chat`, text: "Escape goes to the answer" });
  },
  asked(m, { name }) {
    m.waiting.settle("ask", "yes");
    m.phase = { at: "asking", name };
    m.change();
  },
  declined: (m, { text }) => m.say(text, m.wayBack()),
  youWithdrew(m, { text }) {
    m.waiting.settle("withdraw");
    m.say(text, m.wayBack());
  },
  youDeclined(m, { name }) {
    m.waiting.settle("no");
    m.requestOver(name);
  },
  over(m, { name, text }) {
    m.requestOver(name);
    m.say(text);
  },
  chatting(m, { name, text }) {
    m.waiting.settle("ask", "yes");
    Object.assign(m, { phase: { at: "chat", name }, request: null });
    m.open("chat", name).news(text.replace(/;.*/, ""), m.now);
    m.cue("attract", { title: text.replace(/;.*/, ""), text: "" });
  },
  entered(m, { name, text }) {
    const away = m.waiting.settle("enter")?.away;
    Object.assign(m, { phase: { at: "room", name }, room: name, lastRoom: null });
    m.entering = { place: m.open("room", name), at: m.now, away };
    if (!away) m.place.news(text.replace(/;.*/, ""), m.now);
    m.announce(text.replace(/;.*/, ""));
  },
  youLeft(m, { text }) {
    m.place.news(text, m.now);
    m.say(text);
    m.closing = true;
    // Who leaves a room to ask somebody may want to come back.
    if (m.phase.at === "room") m.lastRoom = m.waiting.has("ask", "yes") ? m.room : null;
    m.room = null;
    m.waiting.settle("leave");
  },
  left(m, { name, room, text }) {
    if (room) {
      m.members.names.delete(name);
      return HANDLERS.coming(m, text);
    }
    if (m.phase.at === "chat") {
      m.place.news(text, m.now);
      m.announce(text);
      m.parted = m.now;
      if (!m.visible) m.unread++;
      return;
    }
    m.requestOver(name);
    m.say(text, m.wayBack());
  },
  joined(m, { name, text }) {
    m.members.names.add(name);
    HANDLERS.coming(m, text);
  },
  coming(m, text) {
    m.place.news(text, m.now, { coming: true });
    if (!m.hideComing) m.announce(text);
    m.change();
  },
  missed(m, { text }) {
    m.place.news(text, m.now);
    m.announce(text);
  },
  said(m, { from, text }) {
    const { place, now, me, phase } = m;
    const echo = phase.at === "room" && from === me && m.waiting.settle("say");
    if (echo) return place.settle(echo.entry, text, now);
    const { mention } = place.said(from, text, now, me);
    if (!m.visible) m.unread++;
    m.announce(`${from}: ${text}`);
    if (!m.visible && (mention || phase.at === "chat")) m.cue("attract", { title: from, text, silent: true });
  },
  operator(m, { text }) {
    m.say(text, { sticky: true });
    if (m.place !== m.home) m.place.news(text, m.now);
  },
  stops(m, { ms, text }) {
    m.stop = { at: m.now + ms, text };
    m.announce(text, true);
  },
  stopOff(m, { text }) {
    m.stop = null;
    m.say(text);
  },
  stopping(m, { text }) {
    m.lastError = text;
    m.place.news(text, m.now);
  },
  goodbye: (m) => m.leaveForGood(),
};
