// How the page reads one line of the server. Numbers are clauses of protocol.md.

import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "../../src/web/protocol.js";

const type = (line) => parse(line).type;
const part = (line, ...names) => names.map((name) => parse(line)[name]);

test("the tag decides the kind of a line, and no text can pass for another (1.2, 3.3.1)", () => {
  assert.equal(type("! no"), "error");
  assert.equal(type("? Username:"), "naming");
  assert.equal(type("- A available"), "row");
  assert.deepEqual(parse("日本: a: b"), { type: "said", from: "日本", text: "a: b" });
  assert.deepEqual(parse("A:   indented"), { type: "said", from: "A", text: "  indented" });
  assert.deepEqual(parse("A: "), { type: "said", from: "A", text: "" });
  assert.equal(type("A: * You are now chatting with B"), "said");
  for (const line of ["*", "two words: x", ": x", "/who: x", ""]) assert.equal(type(line), "info");
});

test("each prompt is told apart (1.3)", () => {
  assert.equal(type("? 1 list users, 2 request chat"), "menu");
  assert.deepEqual(part("? a.b wants to chat. Accept? yes or no", "type", "by"), ["request", "a.b"]);
  assert.deepEqual(part("? 1a wants to chat. Accept? /yes or /no", "type", "by"), ["request", "1a"]);
  assert.deepEqual(part("? Username wants to chat. Accept? yes or no", "type", "by"), ["request", "Username"]);
});

test("news carry the names in them (4.2.2, 4.3.2, 4.5, 4.6, 6.1.4)", () => {
  for (const [line, expected, name] of [
    ["* Hello, anna", "hello", "anna"],
    ["* Asked b.c, waiting for an answer", "asked", "b.c"],
    ["* ben accepted", "ignored", "ben"],
    ["* ben declined", "declined", "ben"],
    ["* You are now chatting with ben; quit ends it", "chatting", "ben"],
    ["* You are now in tea with nobody else; quit leaves", "entered", "tea"],
    ["* You declined ben", "over", "ben"],
    ["* ben withdrew the request", "over", "ben"],
    ["* The request of ben is over: no answer in time", "over", "ben"],
    ["* ben joined tea", "joined", "ben"],
    ["* ben left", "left", "ben"],
  ]) assert.deepEqual(part(line, "type", "name"), [expected, name], line);
  for (const line of ["* You left tea", "* You left the chat with ben"]) assert.equal(type(line), "youLeft");
});

test("leaving a room is told apart from leaving a chat or the server (4.7.3, 4.8.3, 4.10)", () => {
  for (const [line, room] of [
    ["* ben left tea", "tea"],
    ["* ben left tea: the connection ended", "tea"],
    ["* ben left the", "the"],
    ["* ben left the chat", undefined],
    ["* ben left: removed by an operator", undefined],
  ]) assert.deepEqual(part(line, "type", "room"), ["left", room], line);
});

test("a username that is a word of the server forges nothing (3.2.3)", () => {
  for (const name of ["Asked", "Hello", "The", "left", "joined", "Welcome", "Goodbyes"]) {
    assert.deepEqual(part(`* ${name} joined tea`, "type", "name"), ["joined", name]);
    assert.deepEqual(part(`* ${name} left tea: it ended`, "type", "name"), ["left", name]);
    assert.deepEqual(part(`* Asked ${name}, waiting`, "type", "name"), ["asked", name]);
  }
});

test("announcements of operators and of a stop (8.2.1, 8.2.7)", () => {
  assert.deepEqual(part("* The operator says: * not: news", "type", "text"), ["operator", "The operator says: * not: news"]);
  assert.deepEqual(part("* The server stops in 5 minutes", "type", "ms"), ["stops", 300_000]);
  assert.deepEqual(part("* The server stops in 10 s", "type", "ms"), ["stops", 10_000]);
  assert.deepEqual(part("* The server stops in a while", "type", "ms"), ["stops", NaN]);
  assert.equal(type("* The server is no longer stopping"), "stopOff");
  assert.equal(type("* The server is stopping. Goodbye"), "notable");
});

test("rows of users (5.2.1, 5.8.3)", () => {
  for (const [line, expected] of [
    ["- A available", ["A", "available", undefined, false]],
    ["- A busy (you)", ["A", "busy", undefined, true]],
    ["- A asking B", ["A", "asking", "B", false]],
    ["- A asked by B", ["A", "asked by", "B", false]],
    ["- A chatting with in", ["A", "chatting with", "in", false]],
    ["- gone chatting with B", ["gone", "chatting with", "B", false]],
    ["- in in b.c, busy (you)", ["in", "in", "b.c", true]],
  ]) assert.deepEqual(part(line, "name", "status", "other", "busy"), expected, line);
});

test("heads and rows for followers (5.8.2, 5.8.3)", () => {
  const head = (line) => part(line, "type", "head", "users");
  assert.deepEqual(head("* You follow the lists: 12 users, 1 room, 13 rows"), ["lists", "follow", 12]);
  assert.deepEqual(head("* The lists changed: 1 user, 0 rooms, 0 rows"), ["lists", "changed", 1]);
  assert.deepEqual(head("* The lists again: 2 users, 1 room, 3 rows"), ["lists", "again", 2]);
  assert.deepEqual(head("* You no longer follow the lists")[0], "info");
  assert.deepEqual(part("- #tea 2 users", "row", "name", "users", "gone"), ["room", "tea", 2, undefined]);
  assert.deepEqual(part("- #tea gone", "row", "name", "gone"), ["room", "tea", true]);
  assert.deepEqual(part("- gone gone", "row", "name", "gone"), ["user", "gone", true]);
});

test("rows of rooms, members and history (5.3.1, 6.1.4, 6.3.1)", () => {
  assert.deepEqual(part("- lobby 2 users", "row", "name", "users"), ["room", "lobby", 2]);
  assert.deepEqual(part("- 日本", "row", "name"), ["member", "日本"]);
  const at = Date.UTC(2026, 10, 24, 14, 3);
  assert.deepEqual(part("- 2026-11-24 14:03Z A: - x: z", "row", "at", "from", "text"), ["said", at, "A", "- x: z"]);
  for (const text of ["and 3 more; 1 PREFIX narrows the list", "1 or list: who is here", "2026-11-24 14:03Z A left"]) {
    assert.equal(parse(`- ${text}`).row, "other", text);
  }
});
