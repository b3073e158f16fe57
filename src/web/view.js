// Draws everything but the log: the door, the lists, the questions, the composer.

import { $, button, make, reconcile, show, text } from "./dom.js";
import { clock, count } from "./text.js";

const STATES = { available: "free", busy: "busy", "asked by": "asked by" };

export function render(m, act) {
  const { link, me, phase, place, request, unread } = m;
  const inside = me && link.state !== "over" && (m.wanted || phase.at !== "naming");
  show($("door"), !inside);
  show($("app"), inside);
  document.body.dataset.view = !inside ? "door" : place === m.home ? "home" : "talk";
  text($("name-error"), m.nameError || (link.state === "over" && link.why) || "");
  text($("banner").firstChild, m.trouble);
  show($("banner"), m.trouble);
  show($("banner").lastChild, link.state === "lost");
  const where = place.name ? `${place.name} – chinwag` : "chinwag";
  document.title = request ? `● ${request} wants to chat` : unread ? `(${unread}) ${where}` : where;
  if (!inside) return;
  renderPeople(m, act);
  renderRooms(m, act);
  renderHead(m);
  renderFoot(m, act);
}

function renderPeople({ me, busy, people, filter, now, ...m }, act) {
  text($("me").firstChild, me);
  $("busy").ariaPressed = busy;
  const total = people.rows.length + people.more;
  text($("people-title"), total < Infinity && !people.prefix ? `People · ${total}` : "People");
  show($("filter"), total > 12 || filter);
  const others = people.rows.filter((row) => !row.you && row.name.toLowerCase().startsWith(filter.toLowerCase()));
  const create = ({ name }) => make("li", {}, make("bdi", { textContent: name }), make("span"),
    button("", () => act("ignore", name), { className: "quiet" }),
    button("Ask", () => act("ask", name), { ariaLabel: `Ask ${name} to chat` }));
  reconcile($("people"), others, (row) => row.name, create, (line, { name, status, other, busy }) => {
    const free = status === "available" || (status === "in" && !busy);
    const whom = other === me ? "you" : other;
    const [, state, ignore, ask] = line.children;
    const ignores = m.ignored.has(name);
    line.className = free ? "free" : "";
    text(state, [STATES[status] ?? status, whom, status === "in" && busy && "(busy)", ignores && "· ignored"].filter(Boolean).join(" "));
    text(ignore, ignores ? "Unignore" : "Ignore");
    ignore.ariaLabel = `${ignore.textContent} ${name}`;
    show(ask, free && (m.phase.at === "menu" || m.phase.at === "room"));
  });
  const old = people.at && now - people.at > 60_000;
  const notes = [
    !others.length && (filter ? "Nobody has such a name." : "Nobody else is here yet."),
    people.more && `and ${people.more === Infinity ? "many" : people.more} more`,
    old && `As of ${clock(now - people.at)} ago`,
  ];
  text($("people-note"), notes.filter(Boolean).join(" · "));
}

function renderRooms({ rooms, phase }, act) {
  const lobby = rooms.rows.some((row) => row.name === "lobby") ? [] : [{ name: "lobby", users: 0 }];
  const create = ({ name }) => make("li", {}, make("bdi", { textContent: name }), make("span"), button("Enter", () => act("enter", name), { ariaLabel: `Enter ${name}` }));
  reconcile($("rooms"), [...lobby, ...rooms.rows], (row) => row.name, create, (line, { name, users }) => {
    const here = phase.at === "room" && phase.name === name;
    text(line.children[1], (users === 1 ? "1 person" : users ? `${users} people` : "empty") + (here ? " · you are here" : ""));
    show(line.children[2], !here);
  });
}

function renderHead({ place, phase, here, members, home }) {
  const atHome = place === home, room = place.kind === "room";
  const total = members.names.size + members.more;
  const names = [...members.names].slice(0, 12).join(", ");
  const subtitle = room ? (total ? `${count(total, "other")} here: ${names}` : "Nobody else is here") : "Only the two of you read this";
  text($("title"), atHome ? "You are now connected" : place.name);
  text($("subtitle"), atHome ? "" : here ? subtitle : "This is over");
  text($("leave"), atHome ? "" : !here ? "Close" : room ? "Leave" : "End chat");
  show($("welcome"), atHome);
  show($("earlier"), room && here && place.entries[0]?.past);
}

function renderFoot(m, act) {
  const { request, phase, here, notice, place, home } = m;
  show($("request"), request);
  text($("request-text").firstChild, request ?? "");
  text($("request-note"), `${phase.at === "room" ? `Accepting leaves ${phase.name}. ` : ""}Escape goes here and back.`);
  renderBar(m, act);
  show($("notice"), notice);
  $("notice").classList.toggle("error", !!notice?.error);
  text($("notice").firstChild, notice?.text ?? "");
  text($("notice").lastChild, notice?.enter ? `Back to ${notice.enter}` : notice?.sticky ? "Dismiss" : "");
  show($("say"), place !== home && (here || m.link.state !== "up" || $("draft").value));
  $("draft").placeholder = here ? (place.kind === "chat" ? `Write to ${place.name}` : `Say something in ${place.name}`) : "";
}

/// One question at a time: of the page, about a request of ours, or about a log that has ended.
function renderBar({ confirm, phase, place, home, here, link }, act) {
  let words = "", choices = [];
  if (confirm) {
    words = confirm.text;
    choices = [[confirm.label, "confirm"], confirm.join && ["Make it one line", "join one line"], ["Cancel", "cancel"]].filter(Boolean);
  } else if (phase.at === "asking") {
    words = `You asked ${phase.name}. Waiting for an answer…`;
    choices = [["Withdraw", "withdraw"]];
  } else if (link.state === "up" && phase.at === "menu" && place !== home && !here) {
    const chat = place.kind === "chat";
    words = chat ? "This chat has ended." : `You are not in ${place.name}.`;
    choices = [[chat ? `Ask ${place.name} again` : "Go back in", chat ? "ask" : "enter", place.name], ["Close", "leave"]];
  }
  text($("bar").firstChild, words);
  show($("bar"), words);
  reconcile($("bar").lastChild, choices, (choice) => choice.join(), ([label, ...rest]) => button(label, () => act(...rest)));
}
