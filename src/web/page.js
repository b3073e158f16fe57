// Joins the model with the page: events of the user and of the socket go in; lines, cues and a
// drawing come out. Nothing here decides what a line means.

import * as acts from "./acts.js";
import { announce, beep, notify } from "./alerts.js";
import { $, show } from "./dom.js";
import { renderLog, toEnd } from "./log.js";
import { Model } from "./model.js";
import { render } from "./view.js";

const model = new Model();
const draft = $("draft");
const drafts = new Map();
const settings = JSON.parse(localStorage.getItem("chinwag") ?? "{}");
let socket, drawing;

/// Lets something happen to the model, and does what follows from it.
function happen(what) {
  const { place } = model;
  model.now = Date.now();
  const result = what();
  if (model.place !== place) changePlace(place);
  for (const line of model.lines.splice(0)) socket?.send(`${line}\n`);
  for (const { cue, ...more } of model.cues.splice(0)) CUES[cue](more);
  // Many events of one moment are drawn once. A hidden page has no frames, but has a title.
  if (!drawing) drawing = document.hidden ? setTimeout(draw) : requestAnimationFrame(draw);
  return result;
}

function draw() {
  drawing = null;
  const { activeElement: focus } = document;
  render(model, act);
  renderLog(model, act);
  fitDraft();
  // A button that is gone must not take the keyboard with it.
  const shown = (element) => element.checkVisibility();
  if (focus !== document.body && !shown(focus)) [draft, $("log"), $("busy"), $("name")].find(shown).focus();
}

/// Each place keeps its own draft: what was meant for one place is not sent to another.
function changePlace(before) {
  drafts.set(before, draft.value);
  draft.value = drafts.get(model.place) ?? "";
  document.body.dataset.side = "";
}

const CUES = {
  connect() {
    const url = new URL("chat", location);
    url.protocol = url.protocol.replace("http", "ws");
    const mine = (socket = new WebSocket(url));
    // A socket that was given up may still report, but nobody listens.
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
  attract({ title, text, silent }) {
    if (!silent) announce(`${title}. ${text}`, true);
    if (settings.sound) beep();
    if (settings.notify && document.hidden) notify(title, text);
  },
  named() {
    settings.name = model.me;
    save();
  },
  opened: focusDraft,
};

/// Goes to the composer, unless the user is typing elsewhere.
function focusDraft() {
  const { activeElement: at } = document;
  if (!at.value || at.id === "name" || at.type === "submit") later(() => draft.focus());
}

const later = (what) => setTimeout(() => (drawing && draw(), what()));

/// What a button does: an act of `acts.js`, or the answer to a question of the page.
function act(name, ...rest) {
  const { confirm } = model;
  if (confirm?.act === "submit") later(() => draft.focus());
  if (name === "confirm") return confirm.act === "submit" ? send(true) : act(confirm.act, confirm.name, true);
  if (name === "join one line") draft.value = draft.value.trim().split(/\s*[\r\n]+\s*/).join(" ");
  happen(() => (acts[name] ? acts[name](model, ...rest) : (model.confirm = model.notice = null)));
}

function send(sure) {
  if (happen(() => acts.submit(model, draft.value, sure))) {
    draft.value = "";
    draft.focus();
  } else if (model.confirm) {
    // The next Enter answers the question.
    later(() => $("bar").querySelector("button").focus());
  }
}

// The user.

const onSubmit = (id, handle) => ($(id).onsubmit = (event) => (event.preventDefault(), handle(event.target[0])));
const onClick = (id, handle) => ($(id).onclick = handle);

onSubmit("join", (field) => act("join", field.value.trim()));
onSubmit("enter", (field) => (act("enter", field.value), (field.value = "")));
onSubmit("say", () => send());
onClick("lobby", () => act("enter", "lobby"));
onClick("leave", () => act("leave"));
onClick("exit", () => act("exit"));
onClick("earlier", () => act("earlier"));
onClick("busy", () => act("setBusy", !model.busy));
onClick("newer", () => (toEnd(), draft.focus()));
onClick("open-side", () => ((document.body.dataset.side = "open"), $("close-side").focus()));
onClick("close-side", () => ((document.body.dataset.side = ""), $("open-side").focus()));
onClick("request", ({ target }) => target.value && (act("answer", target.value), focusDraft()));
$("banner").lastChild.onclick = () => act("tryNow");
$("notice").lastChild.onclick = () => {
  const { enter } = model.notice;
  act("cancel");
  if (enter) act("enter", enter);
};
$("filter").oninput = ({ target }) => happen(() => ((model.filter = target.value.trim()), model.change()));

draft.onkeydown = (event) => {
  // While an input method composes, Enter belongs to it. Safari reports it as key 229.
  if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
  event.preventDefault();
  send();
};
draft.oninput = () => {
  fitDraft();
  if (model.confirm) happen(() => (model.confirm = null));
};
draft.onpaste = () => setTimeout(() => /\n\s*\S/.test(draft.value) && send());

document.onkeydown = (event) => {
  const { key, target } = event;
  if (key === "Escape" && !event.isComposing) escape(target);
  if (target === draft && key.startsWith("Page")) {
    $("log").scrollBy(0, (key === "PageUp" ? -0.9 : 0.9) * $("log").clientHeight);
    event.preventDefault();
  }
};

/// Escape goes to the question, and from there back to the composer.
function escape(from) {
  const question = [$("request"), $("bar")].find((element) => !element.hidden);
  if (document.body.dataset.side) $("close-side").click();
  else if (question && !question.contains(from)) question.querySelector("button").focus();
  else if (model.confirm) act("cancel");
  else draft.focus();
}

/// The composer grows with its text, up to a third of the page.
function fitDraft() {
  draft.style.height = 0;
  draft.style.height = `${Math.min(draft.scrollHeight, innerHeight / 3)}px`;
}

// Settings, kept in this browser.

const save = () => localStorage.setItem("chinwag", JSON.stringify(settings));

for (const id of ["sound", "notify"]) {
  $(id).checked = settings[id];
  $(id).onchange = async ({ target }) => {
    if (id === "notify" && target.checked) target.checked = (await window.Notification?.requestPermission()) === "granted";
    if (id === "sound" && target.checked) beep();
    settings[id] = target.checked;
    save();
  };
}
$("coming").onchange = ({ target }) => happen(() => (model.hideComing = !target.checked));
$("name").value = settings.name ?? "";
show($("join"), true);
$("name").select();

// The browser.

document.onvisibilitychange = () => happen(() => {
  model.visible = !document.hidden;
  model.unread = 0;
  model.change();
});
addEventListener("online", () => act("tryNow"));
addEventListener("offline", () => happen(() => model.link.state === "up" && model.abandon()));
// Closing the tab leaves. A tab that a phone put away and brings back connects again.
addEventListener("pagehide", () => CUES.hangUp());
addEventListener("pageshow", ({ persisted }) => persisted && happen(() => model.handleClose()));
for (const event of ["pointerdown", "keydown"]) addEventListener(event, () => model.change());
// On iOS the keyboard covers the page instead of shrinking it.
visualViewport.onresize = () => {
  document.documentElement.style.setProperty("--height", `${visualViewport.height}px`);
  scrollTo(0, 0);
};
setInterval(() => happen(() => model.handleTick()), 1000);

happen(() => model.connect());
