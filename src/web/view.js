// Draws everything but the log: the door, the lists, the questions, the composer.

import { $, button, make, reconcile, show, text } from "./dom.js";
import { shown } from "./lists.js";
import { count } from "./text.js";

export function render(m) {
	const { link, me, phase, place, request, unread } = m;
	const secret = phase.at === "password" ? phase.name : "";
	const inside = me && link.state !== "over" && !secret && (m.wanted || phase.at !== "naming");
	show($("door"), !inside);
	show($("app"), inside);
	document.body.dataset.view = place === m.home ? "home" : "talk";
	text($("ask"), secret || "Your name");
	$("ask").htmlFor = secret ? "password" : "name";
	$("password").autocomplete = secret.startsWith("Pass") ? "current-password" : "new-password";
	show($("name"), !secret);
	text($("password").nextElementSibling, m.removed ? "Sign in again" : "Join");
	for (const id of ["password", "cancel"]) show($(id), secret);
	text($("name-error"), m.nameError || (link.state === "over" && link.why) || "");
	text($("banner").firstChild, m.trouble);
	show($("banner"), m.trouble);
	show($("banner").lastChild, link.state === "lost");
	const where = place.name ? `${place.name} – chinwag` : "chinwag";
	document.title = request ? `● ${request} wants to chat` : unread ? `(${unread}) ${where}` : where;
	if (!inside) return;
	renderPeople(m);
	renderRooms(m);
	renderHead(m);
	renderFoot(m);
	renderBar(m);
}

const rowOf = (name, ...buttons) => make("li", {}, make("bdi", { textContent: name }), make("span"), ...buttons);

function renderPeople(m) {
	const { me, busy, people, filter, phase, ignored } = m, { rows, users } = shown(m), more = users - rows.length;
	text($("me").firstChild, me);
	$("busy").checked = busy;
	text($("people-title"), `People · ${people.users}`);
	show($("filter"), people.users > 12 || filter);
	const others = rows.filter(({ name }) => name !== me && name.toLowerCase().startsWith(filter.toLowerCase()));
	const create = ({ name }) => rowOf(name, button("", "ignore", name, { className: "quiet" }), button("Ask", "ask", name));
	reconcile($("people"), others, create, (line, { name, status, other, busy }) => {
		const inRoom = status === "in", free = status === "available" || (inRoom && !busy);
		const words = [status === "available" ? "free" : status, other === me ? "you" : other];
		const [, state, ignore, ask] = line.children;
		line.className = free ? "free" : "";
		text(state, [...words, inRoom && busy && "(busy)", ignored.has(name) && "· ignored"].filter(Boolean).join(" "));
		text(ignore, ignored.has(name) ? "Unignore" : "Ignore");
		ignore.ariaLabel = `${ignore.textContent} ${name}`;
		ask.ariaLabel = `Ask ${name} to chat`;
		show(ask, free && /menu|room/.test(phase.at));
	});
	const alone = filter ? "Nobody" : "Nobody else is here yet.";
	text($("people-note"), more ? `and ${more === Infinity ? "many" : more} more` : others.length || !rows.length ? "" : alone);
}

function renderRooms({ rooms, phase }) {
	const lobby = rooms.some(({ name }) => name === "lobby") ? [] : [{ name: "lobby", users: 0 }];
	const create = ({ name }) => rowOf(name, button("Enter", "enter", name, { ariaLabel: `Enter ${name}` }));
	reconcile($("rooms"), [...lobby, ...rooms], create, (line, { name, users }) => {
		const here = phase.at === "room" && phase.name === name;
		text(line.children[1], `${users || "nobody"} here${here ? " · you too" : ""}`);
		show(line.lastChild, !here);
	});
}

function renderHead({ me, place, here, members: { names, more }, home }) {
	const atHome = place === home, room = place.kind === "room";
	const total = names.size + more;
	const who = total ? `${count(total, "other")} here: ${[...names].slice(0, 12).join(", ")}` : "Nobody else is here";
	text($("title"), atHome ? `Hello, ${me}` : place.name);
	text($("subtitle"), atHome ? "" : !here ? "This is over" : room ? who : "Only the two of you read this");
	text($("leave"), atHome ? "" : !here ? "Close" : room ? "Leave" : "End chat");
	show($("welcome"), atHome);
	show($("earlier"), room && here && place.entries[0]?.past);
}

function renderFoot({ request, phase, here, notice, place, home, link }) {
	show($("request"), request);
	text($("request-text").firstChild, request);
	text($("request-note").firstChild, phase.at === "room" ? `Accepting leaves ${phase.name}. ` : "");
	show($("notice"), notice);
	$("notice").classList.toggle("error", !!notice?.error);
	text($("notice").firstChild, notice?.text ?? "");
	show($("say"), place !== home && (here || link.state !== "up" || $("draft").value));
	$("draft").placeholder = here ? `Write to ${place.name}` : "";
}

/// One question at a time.
function renderBar({ confirm, phase, place: { kind, name }, here, came }) {
	let words = "", choices = [];
	if (confirm) {
		words = confirm.text;
		choices = [[confirm.label, "sure"], ["Cancel", "cancel"]];
		if (confirm.several) choices.splice(1, 0, ["Join the lines", "joined"]);
	} else if (phase.at === "asking") {
		words = `You asked ${phase.name}. Waiting for an answer…`;
		choices = [["Withdraw", "withdraw"]];
	} else if (phase.at === "menu" && name && !here) {
		words = kind === "chat" ? "This chat has ended." : `You are not in ${name}.`;
		choices = [kind === "chat" ? [`Ask ${name} again`, "ask", name] : ["Go back in", "enter", name], ["Close", "leave"]];
	} else if (phase.at === "menu" && came) {
		words = `You left ${came}.`;
		choices = [[`Back to ${came}`, "enter", came], ["Close", "leave"]];
	}
	text($("bar").firstChild, words);
	show($("bar"), words);
	reconcile($("bar").lastChild, choices.map((choice) => ({ key: choice.join(), choice })), ({ choice }) => button(...choice));
}
