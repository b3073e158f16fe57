// How the page keeps its lists up to date without a word in the log.

import assert from "node:assert/strict";
import { test } from "node:test";
import { MENU, Person } from "./person.mjs";

const LIST = ["* 2 users online", "- anna available (you)", "- ben in tea", MENU, "* 1 room", "- tea 1 user", MENU];
const names = (person) => person.m.people.rows.map((row) => row.name);

test("the list of users comes quietly, in one message or in several (5.2.1)", () => {
  const anna = Person.named().waits(1).sends("/list", "/rooms").hears(...LIST);
  assert.deepEqual(names(anna), ["anna", "ben"]);
  assert.deepEqual(anna.m.rooms.map(({ name, users }) => [name, users]), [["tea", 1]]);
  anna.waits(3).sends("/list", "/rooms").hears("* 3 users online", "- anna available (you)");
  anna.hears("- ben available").hears("- zoe busy", MENU, "* No rooms yet; 4 NAME creates one", MENU);
  assert.deepEqual(anna.m.rooms, []);
  assert.deepEqual(names(anna), ["anna", "ben", "zoe"]);
  assert.deepEqual(anna.log, ["You are now connected"]);
});

test("the page asks less and less while nothing changes, and soon after a change", () => {
  const anna = Person.named();
  let asked = 0;
  for (let second = 0; second < 300; second++) {
    anna.waits(1);
    if (anna.sent.splice(0).length) (asked += 1), anna.hears(...LIST);
  }
  assert.ok(asked > 10 && asked < 20, `asked ${asked} times in 5 minutes`);
  anna.m.change();
  anna.waits(1).sends("/list", "/rooms");
});

test("a hidden page asks for nothing", () => {
  const anna = Person.named();
  anna.m.visible = false;
  anna.waits(120).sends();
});

test("the page asks in a way that no partner can read (5.1.3)", () => {
  const asking = Person.named();
  asking.does("ask", "ben");
  asking.hears("* Asked ben, waiting").sends("/chat ben");
  for (const person of [asking, Person.inRoom(), Person.chatting()]) {
    const before = person.log;
    person.waits(2).sends("/list", "/rooms");
    person.hears("* 2 users online", "- anna available (you)", "- ben available", "* 1 room", "- tea 1 user");
    assert.deepEqual(person.log, before);
    assert.equal(person.m.notice?.text, person === asking ? "You are now connected" : undefined);
  }
});

test("nothing is asked while an act waits for its answer", () => {
  const anna = Person.named();
  anna.does("ask", "ben");
  anna.sends("/chat ben").waits(5).sends();
});

test("a list that was cut is narrowed by the server (5.2.2, 5.2.3)", () => {
  const anna = Person.named().waits(1).sends("/list", "/rooms");
  anna.hears("* 80 users online", "- anna available (you)", "- and 79 more; 1 PREFIX narrows the list", MENU, "* No rooms yet; 4 NAME creates one", MENU);
  assert.equal(anna.m.people.more, 79);
  anna.m.filter = "be";
  anna.waits(3).sends("/list be", "/rooms").hears("* 1 user whose name begins with be", "- ben available", MENU);
  anna.hears("* 1 room", "- tea 40 users", MENU);
  assert.deepEqual(names(anna), ["ben"]);
  assert.equal(anna.m.rooms[0].users, 40);
  anna.waits(3).sends("/list be", "/rooms").hears("* No username begins with be", MENU);
  assert.deepEqual(names(anna), []);
  assert.deepEqual(anna.log, ["You are now connected"]);
});

test("the answer to a list confirms the chat lines before it, and a chat is followed by a list", () => {
  const anna = Person.chatting();
  const list = ["* 2 users online", "- anna chatting with ben (you)", "- ben chatting with anna", "* No rooms yet; 4 NAME creates one"];
  anna.waits(1).sends("/list", "/rooms").hears(...list);
  anna.m.visible = false;
  anna.does("submit", "hello");
  anna.waits(5).sends("/say hello", "/list", "/rooms");
  assert.ok(anna.m.waiting.find("tell"));
  anna.hears(...list);
  assert.ok(!anna.m.waiting.find("tell"));
});

test("a server that says nothing is noticed, and given up later", () => {
  const anna = Person.named().waits(1).sends("/list", "/rooms").waits(12);
  assert.match(anna.m.trouble, /does not answer/);
  anna.waits(30);
  assert.notEqual(anna.m.link.state, "up");
});
