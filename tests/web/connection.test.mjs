// Lost connections: nothing is lost in silence, and nothing is sent twice.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Model } from "../../src/web/model.js";
import { MENU, Person } from "./person.mjs";

test("the waits double up to thirty seconds, are shortened at random, and start again", () => {
  for (const random of [() => 0, () => 0.999, Math.random]) {
    const model = new Model(random);
    for (const longest of [1, 2, 4, 8, 16, 30, 30]) {
      const wait = model.wait();
      assert.ok(wait >= longest * 500 && wait <= longest * 1000, String(wait));
    }
  }
});

test("a loss is shown at once, with the time of the next attempt", () => {
  const anna = Person.named().loses();
  assert.equal(anna.m.trouble, "Connection lost. Next try in 1 s.");
  assert.deepEqual(anna.announced().slice(-1), ["Connection lost"]);
  anna.waits(1);
  assert.equal(anna.m.trouble, "Connecting…");
  anna.loses();
  assert.equal(anna.m.trouble, "Connection lost. Next try in 2 s.");
  anna.does("tryNow");
  assert.equal(anna.m.link.state, "connecting");
});

test("the name and the room come back by themselves (4.2.2, 6.1.1)", () => {
  const anna = Person.inRoom("tea", "* The last line said here", "- 2026-11-24 11:59Z ben: old").loses().waits(60);
  anna.opens().hears("* Welcome to chinwag", "? Username:").sends("anna").hears("* Hello, anna", MENU).sends("/follow", "/join tea");
  anna.hears("* You are now in tea with 1 other", "- ben", "* The last 3 lines said here",
    "- 2026-11-24 11:59Z ben: old", "- 2026-11-24 12:00Z ben: new", "- 2026-11-24 12:01Z zoe: newer");
  assert.deepEqual(anna.log, ["ben: old", "You are now in tea with 1 other", "You were away for 1:00", "ben: new", "zoe: newer"]);
});

test("busy and the ignored names come back too (5.5, 5.6)", () => {
  const anna = Person.named();
  anna.does("setBusy", true);
  anna.does("ignore", "ben");
  anna.sends("/busy", "/ignore ben").hears("* You are busy", MENU, "* You ignore ben", MENU);
  anna.loses().returns().sends("/busy", "/ignore ben");
  anna.hears("* You are busy: nobody can ask you", MENU, "* You ignore ben until you leave", MENU);
  assert.equal(anna.log.at(-1), "You are connected again");
});

test("a line that the room has said is not shown or sent again, another is offered", () => {
  const anna = Person.inRoom("tea");
  for (const text of ["one", "two", "three"]) anna.does("submit", text);
  anna.hears("anna: one").loses().sends("/say one", "/say two", "/say three");
  assert.deepEqual(anna.m.place.pending.map((entry) => entry.state), ["unsure", "unsure"]);
  anna.returns().sends("/join tea");
  anna.hears("* You are now in tea with nobody else", "* The last 2 lines said here",
    "- 2026-11-24 12:00Z anna: one", "- 2026-11-24 12:00Z anna: two");
  assert.deepEqual(anna.log.slice(1), ["anna: one", "You were away for 0:02", "anna: two", "anna: three"]);
  const [three] = anna.m.place.pending;
  assert.equal(three.state, "failed");
  assert.match(anna.m.notice.text, /Not sent: 1 line/);
  anna.sends();
  anna.does("sendAgain", three.id);
  anna.sends("/say three").hears("anna: three");
  assert.equal(anna.log.filter((line) => line === "anna: three").length, 1);
});

test("a room without memory leaves all unconfirmed lines as not sent", () => {
  const anna = Person.inRoom("tea");
  anna.does("submit", "one");
  anna.loses().sends("/say one").returns().sends("/join tea").hears("* You are now in tea with nobody else; quit leaves");
  anna.waits(2);
  assert.deepEqual(anna.m.place.pending.map((entry) => entry.state), ["failed"]);
  anna.does("discard", anna.m.place.pending[0].id);
  assert.ok(!anna.log.includes("anna: one"));
});

test("chat lines without a confirmation may not have arrived, and are not sent again", () => {
  const anna = Person.chatting();
  anna.does("submit", "sure");
  anna.waits(5).sends("/say sure", "/free").hears("* You are free: others can ask you");
  anna.does("submit", "unsure");
  anna.loses().sends("/say unsure");
  const states = anna.m.place.entries.filter((entry) => entry.own).map((entry) => entry.state);
  assert.deepEqual(states, ["", "unsure"]);
  assert.equal(anna.log.at(-1), "The chat ended with the connection");
  anna.returns().sends();
});

test("our own ghost keeps the name for a while: the name is tried again (4.10.1)", () => {
  const anna = Person.named().loses().waits(2).opens().hears("* Welcome to chinwag", "? Username:").sends("anna");
  anna.hears("! anna is taken; choose another", "? Username:").sends();
  assert.match(anna.m.trouble, /still taken/);
  anna.waits(4).sends("anna").hears("* Hello, anna", MENU);
  assert.equal(anna.m.trouble, "");
});

test("a name that stays taken is asked for again", () => {
  const anna = Person.named().loses().waits(95).opens().hears("* Welcome to chinwag", "? Username:").sends("anna");
  anna.hears("! anna is taken; choose another", "? Username:").waits(30).sends();
  assert.equal(anna.m.wanted, "");
  anna.does("join", "anna2");
  anna.sends("anna2").hears("* Hello, anna2", MENU);
});

test("a server that stops is said to stop, and is waited for (4.10.4)", () => {
  const anna = Person.inRoom("tea").hears("* The server is stopping. Goodbye").loses();
  assert.equal(anna.log.at(-1), "The server is stopping. Goodbye");
  assert.equal(anna.m.link.state, "lost");
  anna.returns().sends("/join tea");
});

test("a server that turns the page away says why (7.25, 8.2.3)", () => {
  const anna = new Person();
  anna.does("join", "anna");
  anna.opens().hears("! The server is full. Goodbye").loses();
  assert.match(anna.m.trouble, /The server is full/);
});

test("history joins what is shown without a doubled line (6.3.1)", () => {
  const anna = Person.inRoom("tea", "* The last 2 lines said here", "- 2026-11-24 11:58Z ben: c", "- 2026-11-24 11:59Z ben: d");
  anna.hears("ben: d");
  anna.does("earlier");
  anna.sends("/history 200").hears("* The last 5 lines said here", ...["a", "b", "c", "d", "d"].map((text) => `- 2026-11-24 11:58Z ben: ${text}`));
  assert.deepEqual(anna.log.filter((line) => line.startsWith("ben")), ["ben: a", "ben: b", "ben: c", "ben: d", "ben: d"]);
});
