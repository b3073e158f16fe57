// What the server lists: users, rooms, the members and history of a room. Pure; `m` is the model.
//
// The page asks for lists soon after a change, then less and less often. A hidden page does not ask.

const POLL_FIRST_MS = 2500;
const POLL_LAST_MS = 30_000;
/// After this time a chat line is followed by a question. The answer says that the line arrived.
const CONFIRM_MS = 4000;

/// Takes the lines of lists out of the stream. Returns whether `event` was one.
export function collect(m, event) {
	const { type } = event;
	if (type === "row") return add(m, event);
	// Others may speak between the rows.
	if (!["said", "joined", "left"].includes(type)) finish(m, true);
	if (type === "history") return begin(m, type, event.count);
	if (type === "entered") begin(m, "members");
	// Other heads have no fixed words: the server answers in order.
	const kind = type === "info" && m.waiting.hidden?.kind;
	if (kind === "option") return m.waiting.settle(kind);
	return kind && begin(m, kind);
}

function begin(m, kind, count) {
	m.list = { kind, count, rows: [], more: 0, prefix: m.waiting.settle(kind)?.prefix ?? "" };
	m.asked = 0;
	return true;
}

function add({ list }, event) {
	const row = { list: "user", rooms: "room", members: "member", history: "said" }[list?.kind];
	if (event.row === row) list.rows.push(event);
	else if (list) list.more = Number(/\d+/.exec(event.text) ?? Infinity);
	return true;
}

/// Hands a list over: at its end, or as far as it has come at the end of a message.
export function finish(m, isEnd) {
	const { list } = m;
	if (!list) return;
	const done = isEnd || list.rows.length === list.count;
	if (done) m.list = null;
	if (list.kind === "list") handleUsers(m, list);
	if (list.kind === "rooms") m.rooms = list.rows;
	if (list.kind === "members") m.members = { names: new Set(list.rows.map((row) => row.name)), more: list.more };
	if (list.kind === "history" && done) m.handleHistory(list.rows);
}

function handleUsers(m, list) {
	const words = ({ rows }) => rows.map((row) => row.text).join();
	if (words(list) !== words(m.people)) m.pollMs = 0;
	schedule(m);
	m.people = { ...list, rows: [...list.rows] };
	const own = list.rows.find((row) => row.you);
	if (/^(av|bu|in)/.test(own?.status) && !m.waiting.find("option")) m.busy = own.busy;
}

function schedule(m) {
	m.pollMs = m.pollMs ? Math.min(m.pollMs * 1.5, POLL_LAST_MS) : POLL_FIRST_MS;
	m.pollAt = m.now + m.pollMs;
}

/// Asks for the lists if it is time. A line with a slash never reaches a partner (5.1.3).
export function poll(m) {
	if (!m.me || /naming|nowhere|password/.test(m.phase.at) || m.waiting.moving || m.waiting.find("list", "rooms")) return;
	const due = m.visible && m.now >= m.pollAt;
	if (!due && !(m.now - m.waiting.find("tell")?.sent > CONFIRM_MS)) return;
	schedule(m);
	m.polled = m.now;
	m.asked ||= m.now;
	const prefix = m.people.more || m.people.prefix ? m.filter : "";
	m.send(`/list ${prefix}`.trim(), "list", { prefix });
	m.send("/rooms", "rooms");
}
