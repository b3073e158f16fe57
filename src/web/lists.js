// What the server lists. The page follows users and rooms (5.8). Pure; `m` is the model.

/// What was found for the filter is asked for again after changes, but not sooner.
const FIND_MS = 5000;
/// A chat line is followed by a question. The answer says that the line arrived.
const CONFIRM_MS = 4000;
/// After such a silence the connection is tried when the user comes back.
const STALE_MS = 30_000;

/// Takes lists out of the stream. Returns whether `event` was of one.
export function collect(m, event) {
	const { type } = event;
	if (type === "row") return add(m, event);
	// Others may speak between the rows.
	if (!["said", "joined", "left"].includes(type)) finish(m, true);
	if (type === "lists") return beginLists(m, event);
	if (type === "history") return begin(m, type, event.count);
	if (type === "entered") {
		m.members = { names: new Set(), more: 0 };
		begin(m, "members");
	}
	// Other heads have no fixed words: the server answers in order.
	const kind = type === "info" && m.waiting.find("list", "option", "history")?.kind;
	if (kind === "option") return m.waiting.settle(kind);
	return kind && begin(m, kind);
}

function begin(m, kind, count) {
	m.list = { kind, count, rows: [], more: 0, ...m.waiting.settle(kind) };
	return true;
}

function beginLists(m, { head, users }) {
	if (head === "follow") m.waiting.settle(head);
	if (head !== "changed") Object.assign(m, { people: { rows: [] }, rooms: [] });
	m.people.users = users;
	if (m.now - m.found.at > FIND_MS) find(m);
	return (m.list = { kind: "lists" });
}

function add(m, event) {
	const { list, members } = m, { row, name } = event, number = Number(/\d+/.exec(event.text) ?? Infinity);
	const { kind } = list ?? {};
	if (kind === "lists") return change(row === "room" ? m.rooms : m.people.rows, event);
	if (kind === "members") row === "member" ? members.names.add(name) : (members.more = number);
	else if (row === { list: "user", history: "said" }[kind]) list.rows.push(event);
	else if (list) list.more = number;
	return true;
}

function change(rows, row) {
	const at = rows.findIndex(({ name }) => name === row.name);
	if (at >= 0) rows.splice(at, 1);
	if (!row.gone) rows.push(row);
	const place = ({ name }) => name.toLowerCase();
	return rows.sort((a, b) => (place(a) < place(b) ? -1 : 1));
}

/// Hands a list over, at its end or as far as it has come.
export function finish(m, isEnd) {
	const { list } = m;
	if (!list) return;
	const { kind, rows, more, prefix } = list, done = isEnd || rows?.length === (list.count ?? -1);
	if (done) m.list = null;
	if (kind === "list") m.found = { rows: [...rows], users: rows.length + more, prefix, at: m.now };
	if (kind === "history" && done) m.handleHistory(rows);
}

/// The users to show: of a crowd, those that the server found (5.2.3).
export function shown({ people, found, filter }) {
	return filter && people.users > people.rows.length && found.prefix === filter ? found : people;
}

export function find(m) {
	const { filter: prefix, people } = m;
	if (prefix && people.users > people.rows.length && isFree(m)) m.send(`/list ${prefix}`, "list", { prefix });
}

export function confirm(m) {
	if (m.now - m.waiting.find("tell")?.sent > CONFIRM_MS) probe(m);
}

export function stir(m) {
	if (!m.asked && m.now - m.heard > STALE_MS) probe(m);
}

/// Sends what changes nothing, and has an answer.
function probe(m) {
	if (isFree(m) && !m.waiting.find("option")) m.send(m.busy ? "/busy" : "/free", "option");
}

function isFree(m) {
	return !/naming|nowhere|password/.test(m.phase.at) && !m.waiting.moving;
}
