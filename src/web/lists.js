// What the server lists: users, rooms, the members and the history of a room. Pure; `m` is the model.
//
// The server lists users only when asked. The page asks soon after each change, and then at growing
// intervals while nothing changes and the user does nothing. A hidden page does not ask.

const POLL_FIRST_MS = 2500;
const POLL_LAST_MS = 30_000;
/// After this time a chat line is followed by a question: its answer says that the line arrived.
const CONFIRM_MS = 4000;

/// Takes the lines of lists out of the stream. Returns whether `event` was one of them.
export function collect(m, event) {
  const { type } = event;
  if (type === "row") return add(m, event);
  // Others may speak between the rows. Any other line ends a list.
  if (!["said", "joined", "left"].includes(type)) finish(m);
  // The head of a list has no fixed words if it names a prefix.
  const kind = type === "info" && m.waiting.items.find((item) => item.hidden)?.kind;
  if (kind === "option") return m.waiting.settle("option");
  if (type === "list" || kind === "list") return begin(m, "list");
  if (kind === "rooms") return begin(m, "rooms");
  if (type === "history") return begin(m, "history", event.count);
  if (type === "entered") begin(m, "members");
  return false;
}

function begin(m, kind, count) {
  m.list = { kind, count, rows: [], more: 0, prefix: m.waiting.settle(kind)?.prefix ?? "" };
  if (kind === "list") m.asked = 0;
  return true;
}

const ROW = { list: "user", rooms: "room", members: "member", history: "said" };

function add({ list }, event) {
  if (list && event.row === ROW[list.kind]) list.rows.push(event);
  else if (list) list.more = Number(/\d+/.exec(event.text) ?? Infinity);
  return true;
}

/// Hands a list over: at its end, and as far as it has come when a message of the server ends.
export function finish(m, isEnd = true) {
  const { list } = m;
  if (!list) return;
  if (list.kind === "list") handleUsers(m, list);
  if (list.kind === "rooms") m.rooms = { ...list };
  if (list.kind === "members") m.members = { names: new Set(list.rows.map((row) => row.name)), more: list.more };
  const complete = list.kind === "history" && list.rows.length >= list.count;
  if (isEnd || complete) m.list = null;
  if (list.kind === "history" && (isEnd || complete)) m.handleHistory(list.rows);
}

function handleUsers(m, { rows, more, prefix }) {
  const inWords = (users) => users.map((row) => row.text).join("\n");
  if (inWords(rows) !== inWords(m.people.rows)) m.pollMs = 0;
  schedule(m);
  m.people = { rows, more, prefix, at: m.now };
  const own = rows.find((row) => row.you);
  if (own && ["available", "busy", "in"].includes(own.status) && !m.waiting.has("option")) m.busy = own.busy;
  if (more || prefix) return;
  const rooms = new Map();
  for (const { status, other } of rows) if (status === "in") rooms.set(other, (rooms.get(other) ?? 0) + 1);
  m.rooms = { rows: [...rooms].map(([name, users]) => ({ name, users })) };
}

function schedule(m) {
  m.pollMs = m.pollMs ? Math.min(m.pollMs * 1.5, POLL_LAST_MS) : POLL_FIRST_MS;
  m.pollAt = m.now + m.pollMs;
}

/// Asks for the list of users if it is time. Where the word could become a text for a partner, only
/// a line with a slash is safe (4.5.1, 4.7.1). A server that refuses it still answers.
export function poll(m) {
  const { at } = m.phase;
  const talking = at === "chat" || at === "asking";
  if (m.waiting.moving || m.waiting.has("list", "rooms") || at === "naming" || at === "nowhere") return;
  const told = m.waiting.items.find((item) => item.kind === "tell");
  const pause = talking && m.refusesLists ? m.polled + POLL_LAST_MS : 0;
  const due = m.visible && m.now >= Math.max(m.pollAt, pause);
  if (!due && !(told && m.now - told.sent > CONFIRM_MS)) return;
  schedule(m);
  m.polled = m.now;
  m.asked ||= m.now;
  const prefix = m.people.more || m.people.prefix ? m.filter : "";
  const slash = talking || at === "room";
  m.send(`${slash ? "/list" : "1"} ${prefix}`.trim(), "list", { hidden: true, prefix });
  if (m.people.more && !talking) m.send(slash ? "/rooms" : "5", "rooms", { hidden: true });
}
