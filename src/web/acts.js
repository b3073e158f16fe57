// What the user does. Pure; `m` is the model.
//
// A line may arrive in another state than it was sent for. `quit` withdraws a request, because a
// partner who has just accepted would read `cancel`. `2 NAME` accepts NAME and nobody else.

import { keyOf } from "./places.js";
import { count, understand, wire } from "./text.js";

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
  m.removed = "";
  if (m.link.state === "lost" || m.link.state === "over") m.connect();
}

export function ask(m, name, sure) {
  if (m.request === name) return answer(m, "yes");
  if (!ready(m, "menu", "room")) return;
  const room = m.phase.at === "room";
  if (room && !sure) return confirm(m, ask, name, `Asking ${name} leaves ${m.phase.name}.`, `Ask ${name}`);
  m.send(`${room ? "/chat" : "2"} ${name}`, "ask");
}

export function answer(m, how) {
  const by = m.request, slash = m.phase.at === "room" ? "/" : "";
  if (!by || !ready(m, "asked", "room")) return;
  if (how === "yes") return m.send(`${slash ? "/chat" : "2"} ${by}`, "yes");
  if (how === "ignore") m.ignored.add(by);
  m.send(slash + (how === "no" ? "no" : `ignore ${by}`), "no");
}

export function withdraw(m) {
  if (ready(m, "asking")) m.send("quit", "withdraw");
}

export function enter(m, room, sure) {
  const name = room.replace(/^#/, "").trim() || "lobby";
  const { phase } = m;
  if (!ready(m, "menu", "room", "chat") || keyOf(phase.at, phase.name) === keyOf("room", name)) return;
  if (phase.at === "chat" && !sure) {
    return confirm(m, enter, name, `Entering ${name} ends the chat with ${phase.name}.`, `Enter ${name}`);
  }
  // For 2 s after a partner has ended a chat the server refuses rooms (6.1.3).
  m.next = { line: `4 ${name}`, kind: "enter", from: m.parted + 2100 };
  if (m.talking) leave(m);
  m.resume();
}

/// Asks the user before an act. The act comes again with `sure`.
function confirm(m, act, name, text, label) {
  m.confirm = { act, name, text, label };
  return false;
}

/// Ends the chat or leaves the room, or closes the log of one that has ended.
export function leave(m) {
  if (!m.talking) m.place = m.home;
  else if (!m.waiting.moving) m.send("quit", "leave");
}

export function exit(m) {
  const { at } = m.phase;
  if (m.link.state !== "up" || m.waiting.moving) return m.leaveForGood();
  if (at === "asked") return m.send("3", "exit");
  m.next = { line: "3", kind: "exit" };
  if (m.talking) leave(m);
  if (at === "asking") withdraw(m);
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

export function earlier(m) {
  if (ready(m, "room")) m.send("/history 200", "history", { hidden: true });
}

/// Sends a draft. Returns whether it is used up.
export function submit(m, draft, sure) {
  const { lines, command } = understand(draft);
  const { kind, name } = m.place;
  if (command === "leave") return leave(m), true;
  if (command) return m.complain("No such command, and nothing was sent. // begins a text with a slash");
  if (!lines.length || !writable(m)) return false;
  const bad = lines.findIndex((line) => wire(line, kind) === null);
  if (bad >= 0) return m.complain(`Line ${bad + 1} is the word that ends a chat. Nothing was sent`);
  if (!sure && lines.length > 1) return confirm(m, submit, "", `Send this as ${count(lines.length, "line")}?`, "Send");
  if (!sure && m.request && /^(y|yes|n|no)$/i.test(draft.trim())) {
    return confirm(m, submit, "", `All in ${name} would read “${lines[0]}”.`, "Send");
  }
  m.confirm = null;
  for (const line of lines) utter(m, line);
  return true;
}

function utter(m, text) {
  const room = m.place.kind === "room";
  const entry = m.place.said(m.me, text, m.now, m.me, room ? "pending" : "");
  m.send(wire(text, m.place.kind), room ? "say" : "tell", { entry });
}

export function sendAgain(m, id) {
  if (writable(m)) utter(m, m.place.forget(id).raw);
}

export function discard(m, id) {
  m.place.forget(id);
}

function writable(m) {
  if (m.here && !m.waiting.moving) return true;
  const why = m.link.state === "up" ? `You and ${m.place.name} are not connected` : "There is no connection";
  return m.complain(`${why}. Your line stays here`);
}

/// Whether an act fits the state, and no other act waits for its answer.
function ready(m, ...states) {
  const { at, name } = m.phase;
  m.confirm = null;
  if (states.includes(at)) return !m.waiting.moving;
  const why = { asking: `You are waiting for ${name}`, asked: `${name} waits for your answer`, chat: "You are in a chat" };
  return m.complain(`${why[at] ?? "There is no connection"}. Nothing was done`);
}
