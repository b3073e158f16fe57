// What the user does. Each act checks that it fits the state, and queues lines. Pure; `m` is the
// model.
//
// A line may arrive in another state than it was sent for. `quit` withdraws a request, because
// `cancel` would be read by a partner who has just accepted. `2 NAME` accepts NAME and nobody else.

import { keyOf } from "./places.js";
import { count, understand, wire } from "./text.js";

/// Takes a name, and connects first if there is no connection.
export function join(m, name) {
  m.nameError = name ? "" : "Type a name first";
  // These words end a session without a name (4.2.1).
  if (/^(exit|quit)$/i.test(name)) m.nameError = `${name} is a word of the server; choose another`;
  if (m.nameError) return;
  m.wanted = name;
  if (m.phase.at === "naming") m.sendName();
  else tryNow(m);
}

export function tryNow(m) {
  m.removed = null;
  if (["lost", "asleep", "over"].includes(m.link.state)) m.connect();
}

export function ask(m, name, sure) {
  if (m.request === name) return answer(m, "yes");
  const { at } = m.phase;
  if (!ready(m, "menu", "room")) return;
  if (at === "room" && !sure) {
    m.confirm = { act: "ask", name, text: `Asking ${name} leaves ${m.phase.name}.`, label: `Ask ${name}` };
  } else {
    m.confirm = null;
    m.send(`${at === "room" ? "/chat" : "2"} ${name}`, "ask");
  }
}

/// Answers the request that is shown: yes, no or ignore.
export function answer(m, how) {
  const by = m.request;
  if (!by || !ready(m, "asked", "room")) return;
  const room = m.phase.at === "room";
  if (how === "yes") return m.send(`${room ? "/chat" : "2"} ${by}`, "yes");
  if (how === "ignore") m.ignored.add(by);
  m.send((room ? "/" : "") + (how === "no" ? "no" : `ignore ${by}`), "no");
}

export function withdraw(m) {
  if (ready(m, "asking")) m.send("quit", "withdraw");
}

export function enter(m, room, sure) {
  const name = room.replace(/^#/, "").trim() || "lobby";
  const { at } = m.phase;
  if (!ready(m, "menu", "room", "chat")) return;
  if (at === "room" && keyOf("room", m.phase.name) === keyOf("room", name)) return;
  if (at === "chat" && !sure) {
    const text = `Entering ${name} ends the chat with ${m.phase.name}.`;
    m.confirm = { act: "enter", name, text, label: `Enter ${name}` };
    return;
  }
  m.confirm = null;
  // For 2 s after a partner has ended a chat the server refuses rooms (6.1.3).
  m.next = { line: `4 ${name}`, kind: "enter", from: (m.parted ?? 0) + 2100 };
  if (m.talking) leave(m);
  m.resume();
}

/// Ends the chat or leaves the room, or closes the log of one that has ended.
export function leave(m) {
  if (!m.talking) m.place = m.home;
  else if (!m.waiting.moving) m.send("quit", "leave");
}

/// Leaves chinwag.
export function exit(m) {
  if (m.link.state !== "up" || m.waiting.moving) return m.leaveForGood();
  if (m.phase.at === "asked") return m.send("3", "exit");
  m.next = { line: "3", kind: "exit" };
  if (m.talking) leave(m);
  if (m.phase.at === "asking") withdraw(m);
  m.resume();
}

export function setBusy(m, busy) {
  if (option(m, busy ? "busy" : "free")) m.busy = busy;
}

export function ignore(m, name) {
  const on = !m.ignored.has(name);
  if (option(m, `${on ? "" : "un"}ignore ${name}`)) m.ignored[on ? "add" : "delete"](name);
}

/// In a chat, or while we ask, the word could reach a partner.
function option(m, words) {
  if (!ready(m, "menu", "asked", "room")) return false;
  m.send(m.phase.at === "room" ? `/${words}` : words, "option", { hidden: true });
  m.change();
  return true;
}

/// Asks the room for all lines that it remembers.
export function earlier(m) {
  if (ready(m, "room")) m.send("/history 200", "history", { hidden: true });
}

/// Sends a draft. Returns whether the draft is used up. Several lines need a second word.
export function submit(m, draft, sure) {
  const { lines, command } = understand(draft);
  const { kind } = m.place;
  if (command === "leave") return leave(m), true;
  if (command) return m.complain("No such command, and nothing was sent. Begin with // to say a slash");
  if (!lines.length) return false;
  if (!m.here || m.link.state !== "up" || m.waiting.moving) return m.complain(whyNot(m));
  const bad = lines.findIndex((line) => wire(line, kind) === null);
  if (bad >= 0) return m.complain(`Line ${bad + 1} is the word that ends a chat. Nothing was sent`);
  const isAnswer = m.request && /^(y|yes|n|no)$/i.test(draft.trim());
  if (!sure && (lines.length > 1 || isAnswer)) {
    const text = isAnswer ? `All in ${m.place.name} would read “${lines[0]}”.` : `Send this as ${count(lines.length, "line")}?`;
    m.confirm = { act: "submit", text, label: "Send", join: lines.length > 1 };
    return false;
  }
  m.confirm = null;
  for (const line of lines) utter(m, line);
  return true;
}

function utter(m, text) {
  const room = m.place.kind === "room";
  const entry = m.place.said(m.me, text, m.now, m.me, { state: room ? "pending" : "" });
  m.send(wire(text, m.place.kind), room ? "say" : "tell", { entry });
}

/// Sends a line again that did not arrive.
export function sendAgain(m, entry) {
  if (!m.here || m.link.state !== "up" || m.waiting.moving) return m.complain(whyNot(m));
  m.place.forget(entry);
  utter(m, entry.raw);
}

export function discard(m, entry) {
  m.place.forget(entry);
}

function whyNot({ link, place }) {
  const why = link.state === "up" ? `You and ${place.name} are not connected` : "There is no connection";
  return `${why}. Your line stays here`;
}

/// Whether an act fits the state: one of `states`, and no other act waits for its answer.
function ready(m, ...states) {
  const { at, name } = m.phase;
  if (m.link.state === "up" && states.includes(at)) return !m.waiting.moving;
  const why = { asking: `You are waiting for ${name}`, asked: `${name} waits for your answer`, chat: "You are in a chat" };
  return m.complain(`${why[at] ?? "There is no connection"}. Nothing was done`);
}
