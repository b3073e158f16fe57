// What the user does. Pure; `m` is the model.
//
// All lines begin with a slash: nobody reads one that arrives in another state (5.1.3).

import { find } from "./lists.js";
export { stir } from "./lists.js";
import { count, understand } from "./text.js";

export function join(m, name, password) {
	if (m.phase.at === "password") return password && m.send(password, "secret");
	m.nameError = name ? "" : "Type a name first";
	// These would end the session (4.2.1, 5.1.2).
	if (/^(exit|quit|\/.*)$/i.test(name)) m.nameError = "That is a command; choose another";
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
	const { at, name: room } = m.phase;
	if (!ready(m, "menu", "room")) return;
	if (at === "room" && !sure) return confirm(m, ask, name, `Asking ${name} leaves ${room}.`, `Ask ${name}`);
	m.send(`/chat ${name}`, "ask");
}

export function answer(m, how) {
	const by = m.request;
	if (!by || !ready(m, "asked", "room")) return;
	// An answer with a name is for nobody else (4.6.6).
	if (how === "yes") return m.send(`/chat ${by}`, "yes");
	if (how === "ignore") m.ignored.add(by);
	m.send(how === "ignore" || !m.old ? `/${how} ${by}` : "/no", "no");
}

export function withdraw(m) {
	if (ready(m, "asking")) m.send("/leave", "withdraw");
}

export function enter(m, room, sure) {
	const name = room.replace(/^#/, "").trim() || "lobby";
	const { at, name: partner } = m.phase;
	if (!ready(m, "menu", "room", "chat")) return;
	if (at === "chat" && !sure) {
		return confirm(m, enter, name, `Entering ${name} ends the chat with ${partner}.`, `Enter ${name}`);
	}
	// For 2 s after a partner has ended a chat the server refuses rooms (6.1.3).
	m.next = { line: `/join ${name}`, kind: "enter", from: m.parted + 2100 };
	if (at === "chat") leave(m);
	m.resume();
}

/// Asks the user. The act comes again with `sure`.
function confirm(m, act, name, text, label, several) {
	m.confirm = { act, name, text, label, several };
	return false;
}

export function leave(m) {
	if (m.talking) return m.waiting.moving || m.send("/leave", "leave");
	if (m.place === m.home) m.came = "";
	m.place = m.home;
}

export function exit(m) {
	if (m.link.state === "up") m.send("/exit", "exit");
	else m.leaveForGood();
}

export function setBusy(m, busy) {
	option(m, busy ? "busy" : "free");
	m.busy = busy;
}

export function ignore(m, name) {
	const on = !m.ignored.has(name);
	option(m, `${on ? "" : "un"}ignore ${name}`);
	m.ignored[on ? "add" : "delete"](name);
}

/// What is set without a connection is sent with the next one.
function option(m, words) {
	if (m.link.state === "up") m.send(`/${words}`, "option");
}

export function filter(m, text) {
	m.filter = text;
	find(m);
}

export function account(m, word) {
	if (ready(m, "menu", "password")) m.send(`/${word}`, "secret");
}

export function earlier(m) {
	m.send("/history 200", "history");
}

/// Returns whether the draft is used up.
export function submit(m, draft, sure) {
	const { lines, command } = understand(draft);
	if (command === "leave") return leave(m), true;
	if (command) return m.complain("No such command, and nothing was sent. // begins a text with a slash");
	if (!lines.length || !writable(m)) return false;
	if (!sure && lines.length > 1) return confirm(m, submit, "", `Send this as ${lines.length} lines?`, "Send", draft.includes("\n"));
	if (!sure && m.request && /^(y|yes|n|no)$/i.test(draft.trim())) {
		return confirm(m, submit, "", `All in ${m.place.name} would read “${lines[0]}”.`, "Send");
	}
	m.confirm = null;
	for (const line of lines) utter(m, line);
	return true;
}

function utter(m, text) {
	const room = m.place.kind === "room";
	const entry = m.place.said(m.me, text, m.now, m.me, room ? "pending" : "");
	m.send(entry.deed ? `/me ${entry.text}` : `/say ${text}`, room ? "say" : "tell", { entry });
}

export function sendAgain(m, id) {
	if (writable(m)) utter(m, m.place.forget(id).raw);
}

export function discard(m, id) {
	m.place.forget(id);
}

function writable(m) {
	if (m.here && !m.waiting.moving) return true;
	const { kind, name } = m.place;
	const why = m.link.state !== "up" ? "There is no connection" : kind === "chat" ? "This chat has ended" : `You are not in ${name}`;
	return m.complain(`${why}. Your line stays here`);
}

/// Whether an act fits the state, and no other act waits for its answer.
function ready(m, ...states) {
	const { at, name } = m.phase;
	m.confirm = null;
	if (states.includes(at)) return !m.waiting.moving;
	const why = { asking: `${name} has not answered yet`, asked: `${name} waits for your answer`, nowhere: "There is no connection" };
	return m.complain(`${why[at] ?? `You are in ${m.place.name}`}. Nothing was done`);
}
