// How the page keeps its lists up to date without a word in the log, and without asking for them.

import assert from "node:assert/strict";
import { test } from "node:test";
import { shown } from "../../src/web/lists.js";
import { MENU, Person } from "./person.mjs";

const FOLLOW = ["* You follow the lists: 3 users, 1 room, 4 rows", "- anna available", "- ben in tea", "- zoe busy", "- #tea 1 user", MENU];
const names = (person) => person.m.people.rows.map((row) => row.name);
const rooms = (person) => person.m.rooms.map(({ name, users }) => [name, users]);

test("the page follows the lists, and reads what changes (5.8)", () => {
  const anna = Person.named().hears(...FOLLOW);
  assert.deepEqual(names(anna), ["anna", "ben", "zoe"]);
  assert.deepEqual(rooms(anna), [["tea", 1]]);
  anna.hears("* The lists changed: 4 users, 1 room, 3 rows", "- Bert available", "- zoe chatting with ben", "- #tea 2 users");
  assert.deepEqual(names(anna), ["anna", "ben", "Bert", "zoe"]);
  assert.equal(anna.m.people.rows[3].other, "ben");
  assert.deepEqual(rooms(anna), [["tea", 2]]);
  anna.hears("* The lists changed: 2 users, 0 rooms, 3 rows", "- Bert gone", "- ben gone").hears("- #tea gone");
  assert.deepEqual(names(anna), ["anna", "zoe"]);
  assert.deepEqual(rooms(anna), []);
  anna.hears("* The lists again: 1 user, 1 room, 2 rows", "- anna available", "- #lobby 1 user");
  assert.deepEqual([names(anna), rooms(anna)], [["anna"], [["lobby", 1]]]);
  assert.deepEqual(anna.log, ["You are now connected"]);
});

test("a page that is left alone asks for nothing", () => {
  const anna = Person.named().hears(...FOLLOW);
  anna.waits(3600).sends();
  assert.equal(anna.m.link.state, "up");
});

test("changes come in every state, between the lines of others, and nobody reads them as news", () => {
  for (const person of [Person.inRoom(), Person.chatting()]) {
    const before = person.log;
    person.hears(...FOLLOW.slice(0, -1)).hears("* The lists changed: 3 users, 1 room, 1 row", "- zoe available", "ben: hi");
    assert.deepEqual(person.log, [...before, "ben: hi"]);
    assert.equal(person.m.people.rows[2].status, "available");
  }
});

test("a list that was cut is narrowed by the server (5.2.2, 5.2.3, 5.8.3)", () => {
  const anna = Person.named("anna", "* You follow the lists: 80 users, 0 rooms, 1 row", "- anna available", MENU);
  anna.does("filter", "be");
  anna.sends("/list be").hears("* 1 user whose name begins with be", "- ben available", MENU);
  assert.deepEqual(shown(anna.m).rows.map(({ name }) => name), ["ben"]);
  // Changes may concern what is shown: the page asks again, but not each time.
  anna.hears("* The lists changed: 81 users, 0 rooms, 0 rows").sends();
  anna.waits(6).hears("* The lists changed: 82 users, 0 rooms, 0 rows").sends("/list be").hears("* No username begins with be", MENU);
  assert.deepEqual(shown(anna.m).rows, []);
  anna.does("filter", "");
  assert.deepEqual(shown(anna.m).rows.map(({ name }) => name), ["anna"]);
  anna.sends();
  assert.deepEqual(anna.log, ["You are now connected"]);
});

test("a list that is whole is narrowed without the server", () => {
  const anna = Person.named().hears(...FOLLOW);
  anna.does("filter", "be");
  anna.sends();
});

test("a chat line is followed by a question, whose answer confirms it (4.7.2)", () => {
  const anna = Person.chatting();
  anna.does("submit", "hello");
  anna.waits(5).sends("/say hello", "/free");
  assert.ok(anna.m.waiting.find("tell"));
  anna.hears("* You are free: others can ask you");
  assert.ok(!anna.m.waiting.find("tell"));
  assert.equal(anna.m.notice, null);
  anna.waits(60).sends();
});

test("a server that says nothing is noticed, and given up later", () => {
  const anna = Person.named();
  anna.does("ask", "ben");
  anna.waits(12);
  assert.match(anna.m.trouble, /does not answer/);
  anna.waits(30);
  assert.notEqual(anna.m.link.state, "up");
});

test("a connection that was silent is tried once when the user comes back", () => {
  const anna = Person.named().hears(...FOLLOW).waits(100).sends();
  anna.does("stir");
  anna.does("stir");
  anna.sends("/free").hears("* You are free: others can ask you", MENU);
  anna.does("stir");
  anna.sends();
  assert.deepEqual(anna.log, ["You are now connected"]);
});

test("a server that does not know how to follow is told from one that does", () => {
  const anna = Person.named("anna", "! Unknown command, not sent. Try /help", MENU);
  assert.match(anna.m.notice.text, /Reload/);
  anna.hears("? ben wants to chat. Accept? yes or no");
  anna.does("answer", "no");
  anna.sends("/no");
});
