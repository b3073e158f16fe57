// A person at the page, without a page: the pure model, a clock and the lines that were sent.

import assert from "node:assert/strict";
import * as acts from "../../src/web/acts.js";
import { Model } from "../../src/web/model.js";
import { rows } from "../../src/web/places.js";

export const MENU = "? 1 list users, 2 request chat, 3 exit, 4 join a room, 5 list rooms";
const START = Date.UTC(2026, 10, 24, 12);

export class Person {
  constructor() {
    this.m = new Model(() => 0);
    this.m.now = START;
    this.m.connect();
    this.sent = [];
    this.cues = [];
  }

  /// The server accepts the connection.
  opens() {
    this.m.handleOpen();
    return this.takes();
  }

  /// The server says these lines in one message.
  hears(...lines) {
    this.m.handleLines(lines.map((line) => `${line}\r\n`).join(""));
    return this.takes();
  }

  loses() {
    this.m.handleClose();
    return this.takes();
  }

  /// Time passes, second by second.
  waits(seconds) {
    for (let n = 0; n < seconds; n++) {
      this.m.now += 1000;
      this.m.handleTick();
    }
    return this.takes();
  }

  /// The user does something; `name` is a function of acts.js.
  does(name, ...rest) {
    const result = acts[name](this.m, ...rest);
    this.takes();
    return result;
  }

  takes() {
    this.sent.push(...this.m.lines.splice(0));
    this.cues.push(...this.m.cues.splice(0));
    return this;
  }

  /// Checks what was sent since the last check.
  sends(...lines) {
    assert.deepEqual(this.sent.splice(0), lines);
    return this;
  }

  /// The log as the user reads it: "anna: hello", news without a name.
  get log() {
    return rows(this.m.place, this.m.hideComing).filter((row) => row.entry)
      .map(({ entry }) => (entry.from ? `${entry.from}: ${entry.raw}` : entry.text));
  }

  /// What a screen reader said since the last check.
  announced() {
    return this.cues.splice(0).filter((cue) => cue.cue === "announce").map((cue) => cue.text);
  }

  static named(name = "anna", ...answer) {
    const person = new Person().opens();
    person.hears("* Welcome to chinwag", "? Username:").does("join", name);
    person.hears(`* Hello, ${name}`, MENU).sends(name, "/follow");
    if (!answer.length) answer = ["* You follow the lists: 1 user, 0 rooms, 1 row", `- ${name} available`, MENU];
    person.hears(...answer).sends();
    return person;
  }

  static chatting(partner = "ben") {
    const person = Person.named();
    person.does("ask", partner);
    person.hears(`* Asked ${partner}, waiting`).hears(`* ${partner} accepted`, `* You are now chatting with ${partner}; quit ends it`);
    person.sent = [];
    return person;
  }

  static inRoom(room = "lobby", ...lines) {
    const person = Person.named();
    person.does("enter", room);
    person.hears(`* You are now in ${room} with 1 other; quit leaves`, "- ben", ...lines);
    person.sent = [];
    return person;
  }

  /// Connects again after a loss, up to the menu.
  returns() {
    this.waits(2).opens().hears("* Welcome to chinwag", "? Username:").sends("anna");
    this.hears("* Hello, anna", MENU);
    assert.equal(this.sent.shift(), "/follow");
    return this.hears("* You follow the lists: 1 user, 0 rooms, 1 row", "- anna available", MENU);
  }
}
