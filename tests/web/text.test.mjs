// What the page makes of texts: lines, commands, links, times.

import assert from "node:assert/strict";
import { test } from "node:test";
import { clock, deed, mentions, pieces, toLines, understand } from "../../src/web/text.js";

test("a draft is cut into lines as its readers see them (2.1.2, 3.1.1)", () => {
  assert.deepEqual(toLines("one\r\ntwo\n\n \nthree\u2028four"), ["one", "two", "three", "four"]);
  assert.deepEqual(toLines("\x1b[31mred\x1b[0m\ttab\u202eevil\u2066\x07"), ["red tabevil"]);
  assert.deepEqual(toLines("  two  blanks "), ["  two  blanks "]);
});

test("a long line is cut at a blank, and a long word somewhere (7.1)", () => {
  const words = "word ".repeat(500).trim();
  const lines = toLines(words);
  const fit = (lines) => lines.every((line) => new TextEncoder().encode(line).length <= 1019);
  assert.ok(lines.length > 2 && fit(lines) && lines.every((line) => /(word|word ) ?$/.test(line)));
  assert.equal(lines.join(""), words);
  for (const long of ["x".repeat(3000), "👍".repeat(900), `a${" ".repeat(3000)}b`]) {
    assert.ok(fit(toLines(long)));
    assert.equal(toLines(long).join(""), long, "no half character");
  }
});

test("quit leaves as everywhere, other words are said (4.7.1, 4.8.3)", () => {
  for (const draft of ["quit", " QUIT ", "/quit", "/leave"]) assert.deepEqual(understand(draft), { command: "leave" });
  for (const word of ["q", ".exit", "exit", "yes", "quit it"]) assert.deepEqual(understand(word), { lines: [word] });
});

test("a line with a slash is a command, and // says a slash (4.7.4, 4.8.5)", () => {
  assert.deepEqual(understand("/frob"), { command: "unknown" });
  assert.deepEqual(understand("//usr"), { lines: ["/usr"] });
  assert.deepEqual(understand("/me  waves "), { lines: ["*waves*"] });
  assert.equal(deed("*waves*"), "waves");
  for (const text of ["*a* b *c*", "**", "* a*", "waves"]) assert.equal(deed(text), undefined, text);
});

test("a text of several lines has no commands", () => {
  assert.deepEqual(understand("/etc\n/quit\nquit"), { lines: ["/etc", "/quit", "quit"] });
});

test("only http and https addresses become links", () => {
  const links = (text) => pieces(text).filter((piece) => piece.href).map((piece) => piece.text);
  assert.deepEqual(links("see https://a.org/b_(c), (http://d.org/e). HTTP://F.org!"), ["https://a.org/b_(c)", "http://d.org/e", "HTTP://F.org"]);
  for (const text of ["javascript:alert(1)", "data:text/html,x", "xhttp://a.org", "http://", "https://bank.org@evil.org/", "ftp://a.org"]) {
    assert.deepEqual(links(text), [], text);
  }
  assert.equal(pieces("a <b> http://c.org d").map((piece) => piece.text).join(""), "a <b> http://c.org d");
  assert.equal(pieces("http://bücher.example")[0].href, "http://xn--bcher-kva.example/");
});

test("a remaining time is shown as a clock", () => {
  assert.deepEqual([0, 900, 61_000, 600_000, 3_665_000].map(clock), ["0:00", "0:01", "1:01", "10:00", "61:05"]);
});

test("a name counts as a mention where it stands as a word, in any case", () => {
  for (const text of ["Anna?", "hi anna", "@ANNA: tea", "(anna)", "anna’s turn"]) assert.ok(mentions(text, "anna"), text);
  for (const text of ["banana", "annabel", "anna_b", "ann", ""]) assert.ok(!mentions(text, "anna"), text);
  assert.ok(mentions("hello b.c-d!", "b.c-d") && !mentions("hello bxc-d", "b.c-d"));
  assert.ok(mentions("שלום דנה!", "דנה"));
});
