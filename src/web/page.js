// Joins the model with the page: events go in; lines, cues and a drawing come out.

import * as acts from "./acts.js";
import { announce, beep, notify } from "./alerts.js";
import { $, show } from "./dom.js";
import { renderLog, toEnd } from "./log.js";
import { Model } from "./model.js";
import { render } from "./view.js";

const model = new Model();
const draft = $("draft");
const { body } = document;
const settings = JSON.parse(localStorage.chinwag ?? "{}");
let socket, drawing;

function happen(what) {
	const { place } = model;
	model.now = Date.now();
	const result = what();
	if (model.place !== place) changePlace(place);
	for (const line of model.lines.splice(0)) socket?.send(`${line}\n`);
	for (const { cue, ...more } of model.cues.splice(0)) CUES[cue](more);
	// A hidden page has no frames, but has a title.
	drawing ??= document.hidden ? setTimeout(draw) : requestAnimationFrame(draw);
	return result;
}

function draw() {
	drawing = null;
	const focus = document.activeElement;
	render(model);
	renderLog(model);
	draft.parentNode.dataset.text = draft.value;
	// A button that is gone must not take the keyboard with it.
	const shown = (element) => element.checkVisibility();
	if (focus !== body && !shown(focus)) [draft, $("title"), $("me"), $("name"), $("password")].find(shown).focus();
}

/// Each place keeps its own draft.
function changePlace(before) {
	before.draft = draft.value;
	draft.value = model.place.draft ?? "";
	body.dataset.side = "";
}

const CUES = {
	connect() {
		const url = new URL("chat", location);
		url.protocol = url.protocol.replace("http", "ws");
		const mine = (socket = new WebSocket(url));
		// A socket that was given up may still report.
		const on = (handle) => (event) => socket === mine && happen(() => handle(event));
		socket.onopen = on(() => model.handleOpen());
		socket.onmessage = on(({ data }) => model.handleLines(data));
		socket.onclose = on(() => ((socket = null), model.handleClose()));
	},
	hangUp() {
		socket?.close();
		socket = null;
	},
	announce: ({ text, urgent }) => announce(text, urgent),
	attract({ title, text, urgent }) {
		if (urgent) announce(`${title}. ${text}`, true);
		if (settings.sound) beep();
		if (settings.notify && document.hidden) notify(title, text);
	},
	named: () => save("name", model.me),
	opened: focusDraft,
};

/// Goes to the composer, unless the user is typing elsewhere.
function focusDraft() {
	const { value, id } = document.activeElement;
	if (!value || !/room|filter/.test(id)) later(() => draft.focus());
}

function later(what) {
	setTimeout(() => (drawing && draw(), what()));
}

function act(name, value) {
	happen(() => acts[name](model, value));
}

function send(sure) {
	if (happen(() => acts.submit(model, draft.value, sure))) {
		draft.value = "";
		draft.focus();
	} else if (model.confirm) {
		later(() => $("bar").querySelector("button").focus());
	}
}

const SUBMIT = {
	join: (field) => (happen(() => acts.join(model, field.value.trim(), $("password").value)), ($("password").value = "")),
	enter: (field) => (act("enter", field.value), (field.value = "")),
	say: () => send(),
};
document.onsubmit = (event) => (event.preventDefault(), SUBMIT[event.target.id](event.target[0]));

/// All other buttons bear the name of an act.
const CLICK = {
	sure() {
		const { act, name } = model.confirm;
		if (act === acts.submit) send(true);
		else happen(() => act(model, name, true));
	},
	cancel() {
		happen(() => (model.confirm = null));
		draft.focus();
	},
	joined: () => ((draft.value = draft.value.trim().replace(/\s*\n\s*/g, " ")), send()),
	busy: () => act("setBusy", !model.busy),
	newer: () => (toEnd(), draft.focus()),
	side: (value) => ((body.dataset.side = value), $(value ? "close-side" : "open-side").focus()),
	answer: (how) => (act("answer", how), focusDraft()),
	notice: () => happen(() => (model.notice = null)),
};
document.onclick = ({ target }) => {
	const { name, value } = target;
	if (target.matches("[name]")) (CLICK[name] ?? act.bind(null, name))(value);
};
$("filter").oninput = ({ target }) => act("filter", target.value.trim());
$("coming").onchange = ({ target }) => happen(() => (model.hideComing = !target.checked));

draft.onkeydown = (event) => {
	// While an input method composes, Enter belongs to it. Safari reports it as key 229.
	if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
	event.preventDefault();
	send();
};
draft.oninput = () => happen(() => (model.confirm = null));
draft.onpaste = () => setTimeout(() => /\n\s*\S/.test(draft.value) && send());

document.onkeydown = ({ key, target, isComposing }) => {
	if (key !== "Escape" || isComposing) return;
	const question = [$("request"), $("bar")].find(({ hidden }) => !hidden);
	if (body.dataset.side) CLICK.side("");
	else if (question && !question.contains(target)) question.querySelector("button").focus();
	else if (model.confirm) CLICK.cancel();
	else draft.focus();
};


function save(key, value) {
	settings[key] = value;
	localStorage.chinwag = JSON.stringify(settings);
}

for (const id of ["sound", "notify"]) {
	$(id).checked = settings[id];
	$(id).onchange = async ({ target }) => {
		if (id === "notify" && target.checked) target.checked = (await window.Notification?.requestPermission()) === "granted";
		if (id === "sound" && target.checked) beep();
		save(id, target.checked);
	};
}
$("name").value = settings.name ?? "";
show($("join"), true);
$("name").select();

document.onvisibilitychange = () => happen(() => {
	Object.assign(model, { visible: !document.hidden, unread: 0 });
	acts.stir(model);
});
addEventListener("online", () => act("tryNow"));
addEventListener("offline", () => happen(() => model.link.state === "up" && model.abandon()));
// A tab that a phone put away and brings back connects again.
addEventListener("pagehide", CUES.hangUp);
addEventListener("pageshow", ({ persisted }) => persisted && happen(() => model.handleClose()));
for (const event of ["pointerdown", "keydown"]) addEventListener(event, () => act("stir"));
// On iOS the keyboard covers the page instead of shrinking it.
visualViewport.onresize = () => {
	document.documentElement.style.setProperty("--height", `${visualViewport.height}px`);
	scrollTo(0, 0);
};
setInterval(() => happen(() => model.handleTick()), 1000);

happen(() => model.connect());
