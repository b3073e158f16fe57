// A real server, a real Chromium, and people at the line port. Each test reads as the promise that
// it checks. `CHINWAG_TESTS_PROGRAM` names the server; without it all tests are skipped.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { after, test } from "node:test";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, until } from "./harness.mjs";

const STATE = mkdtempSync(join(tmpdir(), "chinwag-state-"));
after(() => rmSync(STATE, { recursive: true, force: true }));

/// Waits until the room has said a line of the tab's own.
const saidByAll = (tab, line) => until(line, async () => (await tab.log()).includes(line)
  && tab.run(() => !document.querySelector("#lines .pending")));

async function chat(asker, asked, askedName, askerName) {
  await asker.clicks("#people button", `Ask ${askedName}`);
  await asked.sees(`${askerName} wants to chat`);
  await asked.clicks("#request button", "Accept");
  for (const tab of [asker, asked]) await tab.sees("Only the two of you read this");
}

/// Runs in the page: on which side of `second` the words `first` stand, in an element that has both.
function sideOf(selector, first, second) {
  const found = [...document.querySelectorAll(selector)].find((e) => [first, second].every((words) => e.textContent.includes(words)));
  if (!found) return "nowhere";
  const place = (words) => {
    const nodes = document.createTreeWalker(found, NodeFilter.SHOW_TEXT);
    while (nodes.nextNode()) {
      const at = nodes.currentNode.data.indexOf(words);
      if (at < 0) continue;
      const range = document.createRange();
      range.setStart(nodes.currentNode, at);
      range.setEnd(nodes.currentNode, at + words.length);
      return range.getBoundingClientRect();
    }
  };
  const [a, b] = [place(first), place(second)];
  return a.right <= b.left + 1 ? "left" : a.left >= b.right - 1 ? "right" : "both";
}

suite("the page", (stage) => {
  const { opens, joins, atLinePort } = stage;

  test("three tabs and an nc play the reference session", async () => {
    const a = await opens();
    await a.run(() => document.getElementById("join").click());
    await a.joins("A");
    const b = await opens();
    await b.clicks("#name");
    await b.types("A");
    await b.presses("Enter");
    await b.sees("A is taken");
    await b.run(() => document.getElementById("name").select());
    await b.types("B");
    await b.presses("Enter");
    await b.sees("You are now connected");
    await chat(b, a, "A", "B");
    await a.says("hello B");
    await b.sees("hello B");
    await b.says("hello A");
    await a.sees("hello A");

    const [c, d] = [await joins("C"), await atLinePort("D")];
    await c.sees("chatting with B");
    await c.sees("chatting with A");
    await c.clicks("#people button", "Ask D");
    await d.reads("? C wants to chat");
    d.says("no");
    await c.sees("D declined");
    await c.clicks("#people button", "Ask D");
    await d.reads("? C wants to chat");
    d.says("yes");
    await d.reads("* You are now chatting with C");
    await c.sees("Only the two of you read this");
    await c.says("hello D");
    await d.reads("C: hello D");
    d.says("hello C");
    await c.sees("hello C");

    await a.clicks("#leave", "End chat");
    await a.sees("You left the chat with B");
    await b.sees("A left the chat");
    d.says("quit");
    await c.sees("D left the chat");
    await b.clicks("#bar button", "Close");
    await b.clicks("#exit");
    await b.sees("You left chinwag.");
    await until("B to be gone from the list of A", () => a.run(() => !document.getElementById("people").innerText.includes("B\n")));
    assert.deepEqual(await c.log(), ["You are now chatting with D", "C: hello D", "D: hello C", "D left the chat"]);
  });

  test("a group talks in a room, with history, comings, goings and /me", async () => {
    const ben = await atLinePort("ben");
    ben.says("4 tea");
    await ben.reads("* You are now in tea");
    ben.says("said before anna came");
    const anna = await joins("anna");
    await anna.clicks("#rooms button", "Enter tea");
    await anna.sees("said before anna came");
    await ben.reads("* anna joined tea");
    await anna.says("/me pours");
    await ben.reads("anna: *pours*");
    const zoe = await joins("zoe");
    await zoe.clicks("#room");
    await zoe.types("tea");
    await zoe.presses("Enter");
    await zoe.sees("2 others here: anna, ben");
    await anna.sees("zoe joined tea");
    await zoe.says("quit");
    await anna.sees("zoe left tea");
    await anna.finds("#people .free", "zoe");
    await anna.clicks("summary");
    await anna.clicks("label", "Comings and goings");
    await anna.seesNot("zoe joined tea");
    assert.deepEqual(await anna.log(), ["ben: said before anna came", "You are now in tea with 1 other", "anna: pours"]);
  });

  test("a request while one types takes neither the focus nor a letter", async () => {
    const [anna, ben] = [await joins("anna"), await atLinePort("ben")];
    await anna.clicks("#rooms button", "Enter lobby");
    await anna.sees("You are now in lobby");
    await anna.types("half a li");
    ben.says("2 anna");
    await anna.sees("ben wants to chat");
    await until("the title", () => anna.run(() => document.title.includes("ben wants to chat")));
    await anna.types("ne");
    assert.equal(await anna.run(() => document.activeElement.value), "half a line");
    await anna.presses("Enter");
    await saidByAll(anna, "anna: half a line");
    await anna.clicks("#request button", "Decline");
    await ben.reads("* anna declined");
    await anna.seesNot("wants to chat");
    assert.equal(await anna.run(() => document.activeElement.id), "draft");
  });

  test("Enter during composition does not send", async () => {
    const [anna, ben] = [await joins("anna"), await atLinePort("ben")];
    await anna.sees("ben");
    await anna.clicks("#people button", "Ask ben");
    await ben.reads("? anna wants to chat");
    ben.says("yes");
    await anna.sees("Only the two of you read this");
    await anna.send("Input.imeSetComposition", { text: "にほん", selectionStart: 3, selectionEnd: 3 });
    await anna.send("Input.dispatchKeyEvent", { type: "rawKeyDown", key: "Process", code: "Enter", windowsVirtualKeyCode: 229 });
    await anna.send("Input.dispatchKeyEvent", { type: "rawKeyDown", key: "Enter", code: "Enter", windowsVirtualKeyCode: 13 });
    assert.equal(await anna.run(() => document.getElementById("draft").value), "にほん");
    await anna.send("Input.imeSetComposition", { text: "", selectionStart: 0, selectionEnd: 0 });
    await anna.send("Input.insertText", { text: "日本" });
    await anna.presses("Enter");
    await ben.reads("anna: 日本\r\n");
  });

  test("on a phone of 360 px everything fits, and the keyboard does not cover the composer", async () => {
    const phone = { width: 360, height: 640, mobile: true };
    const [anna, ben] = [await joins("anna", phone), await atLinePort("ben")];
    const fits = () => anna.run(() => document.scrollingElement.scrollWidth <= innerWidth);
    await anna.sees("ben");
    assert.ok(await fits());
    await anna.clicks("#people button", "Ask ben");
    await ben.reads("? anna wants to chat");
    ben.says("yes");
    await anna.sees("Only the two of you read this");
    ben.says("a".repeat(300));
    await anna.sees("aaaa");
    assert.ok(await fits());
    // With the viewport's `interactive-widget` the keyboard shrinks the page.
    await anna.send("Emulation.setDeviceMetricsOverride", { width: 360, height: 330, mobile: true, deviceScaleFactor: 1 });
    await until("a composer in sight", () => anna.run(() => {
      const { top, bottom } = document.getElementById("draft").getBoundingClientRect();
      return top > 100 && bottom <= innerHeight;
    }));
    const sizes = await anna.run(() => [...document.querySelectorAll("input, textarea")].map((field) => parseFloat(getComputedStyle(field).fontSize)));
    assert.ok(sizes.every((size) => size >= 16), "no field makes a phone zoom");
    await anna.clicks("#open-side");
    await anna.sees("Rooms");
    await anna.clicks("#close-side");
    await anna.seesNot("Rooms");
  });

  test("the keyboard alone is enough", async () => {
    const [anna, ben] = [await opens(), await atLinePort("ben")];
    assert.match(await anna.focused(), /^name/);
    await anna.types("anna");
    await anna.presses("Enter");
    await anna.sees("You are now connected");
    await anna.sees("ben");
    await anna.tabsTo("Ask ben");
    await anna.presses("Enter");
    await ben.reads("? anna wants to chat");
    await anna.sees("Waiting for an answer");
    await anna.presses("Escape");
    assert.match(await anna.focused(), /Withdraw/);
    await anna.presses("Enter");
    await ben.reads("* anna withdrew");
    ben.says("2 anna");
    await anna.sees("ben wants to chat");
    await anna.presses("Escape");
    assert.match(await anna.focused(), /Accept/);
    await anna.presses("Enter");
    await ben.reads("* You are now chatting with anna");
    await until("the focus in the composer", async () => (await anna.focused()).startsWith("draft"));
    await anna.types("hello");
    await anna.presses("Enter");
    await ben.reads("anna: hello");
    await anna.tabsTo("End chat", { shift: true });
    await anna.presses("Enter");
    await ben.reads("* anna left the chat");
    await anna.tabsTo("Enter lobby");
    await anna.presses("Enter");
    await anna.sees("You are now in lobby");
    await anna.tabsTo("Leave chinwag", { shift: true });
    await anna.presses("Enter");
    await anna.sees("You left chinwag.");
  });

  test("hostile names and texts neither execute nor reorder a row", async () => {
    const anna = await joins("anna");
    const hebrew = await atLinePort("שלום");
    const evil = await atLinePort("b.b");
    await anna.clicks("#rooms button", "Enter lobby");
    await anna.sees("You are now in lobby");
    for (const person of [hebrew, evil]) {
      person.says("4");
      await person.reads("* You are now in lobby");
    }
    const texts = [
      "<img src=x onerror=alert(1)><script>alert(2)</script>",
      "javascript:alert(3) data:text/html,<script>alert(4)</script>",
      "\u202eevil\u202c \u2067x\u2069 \u200f.txt",
      "Z" + "\u0335\u0322\u031b".repeat(3) + "algo",
      "x".repeat(900),
      "https://example.org/\u200f<b>",
      "שלום לכולם, this is mixed (text) 123",
    ];
    for (const text of texts) evil.says(text);
    // The two speak over connections of their own, so nothing orders one's lines before the other's.
    await anna.sees("this is mixed");
    hebrew.says("hello");
    await anna.sees("hello");
    const found = await anna.run(() => ({
      strangers: document.querySelectorAll("#lines :is(img, script, b, iframe, style, [onerror])").length,
      links: [...document.querySelectorAll("#lines a")].map((a) => `${new URL(a.href).protocol} ${a.rel} ${a.target}`),
      rows: [...document.querySelectorAll("#lines .said")].map((row) => {
        const box = (selector) => row.querySelector(selector).getBoundingClientRect();
        const name = row.querySelector(".name");
        return getComputedStyle(name).position === "absolute" || box(".name").right <= box("p").left;
      }),
      // Time after words, words after the name, in every row.
      times: [...document.querySelectorAll("#lines .said")].every((row) => row.querySelector("time").getBoundingClientRect().left >= row.querySelector("p").getBoundingClientRect().right - 1),
      wide: document.querySelector("#log").scrollWidth <= document.querySelector("#log").clientWidth,
      people: [...document.querySelectorAll("#people li")].every((row) => row.querySelector("bdi").getBoundingClientRect().left < row.lastElementChild.getBoundingClientRect().left),
    }));
    // Where words stand, not where their boxes are: a text in Hebrew runs from the right, and nothing
    // else does because of it.
    (await atLinePort("דנה")).says("2 anna");
    await anna.sees("wants to chat");
    await anna.finds("#people li", "שלום\nin lobby");
    const orders = [
      ["#lines .said", "שלום לכולם", "this is mixed", "right"],
      ["#lines .said", "this is mixed", "123", "left"],
      ["#lines .said", "https", "<b>", "left"],
      ["#lines .said", "evil", ".txt", "left"],
      ["#lines .news", "שלום", "joined lobby", "left"],
      ["#lines .news", "You are now in", "lobby", "left"],
      ["#people li", "שלום", "Ask", "left"],
      ["#request", "דנה", "wants to chat", "left"],
      ["#subtitle", "others here", "שלום", "left"],
    ];
    for (const order of orders) assert.equal(await anna.run(sideOf, ...order), order[3], order.join(" · "));
    assert.equal(found.strangers, 0);
    assert.ok(found.links.every((link) => link === "https: noopener noreferrer _blank") && found.links.length === 1, found.links.join());
    assert.ok(found.rows.length === 8 && found.rows.every(Boolean) && found.times && found.wide && found.people, JSON.stringify(found));
  });

  test("a server restart in the middle of a draft keeps draft, name and room", async () => {
    const anna = await joins("anna");
    await anna.clicks("#rooms button", "Enter lobby");
    await anna.sees("You are now in lobby");
    await anna.says("before");
    await saidByAll(anna, "anna: before");
    await anna.listens();
    await anna.types("half a dra");
    await stage.server.stop("SIGKILL");
    await anna.sees("Connection lost");
    await anna.types("ft");
    await anna.presses("Enter");
    await anna.sees("Your line stays here");
    await stage.server.restart();
    await anna.seesNot("Connection lost");
    await anna.sees("Nobody else is here");
    const ben = await atLinePort("ben");
    ben.says("4");
    await anna.sees("ben joined lobby");
    assert.equal(await anna.run(() => document.activeElement.value), "half a draft");
    await anna.presses("Enter");
    await ben.reads("anna: half a draft");
    await saidByAll(anna, "anna: half a draft");
    assert.equal((await anna.log()).filter((line) => line === "anna: half a draft").length, 1);
    assert.deepEqual((await anna.heard()).filter((line) => /onnect/.test(line)), ["Connection lost", "There is no connection. Your line stays here", "You are connected again"]);
  });

  // The figure in doc/web.md.
  test("the first prompt is there soon after the navigation", async (t) => {
    const times = [];
    for (let n = 0; n < 9; n++) {
      const tab = await opens();
      await until("the prompt", () => tab.promptedAt);
      times.push(1000 * (tab.promptedAt - tab.navigatedAt));
      await tab.closes();
    }
    const [shortest, , , , median, , , , longest] = times.sort((a, b) => a - b).map(Math.round);
    t.diagnostic(`from navigation to the first prompt: ${median} ms (${shortest} to ${longest})`);
    assert.ok(median < 3000, `${median} ms`);
  });

  test("closing the tab leaves", async () => {
    const [anna, ben] = [await joins("anna"), await atLinePort("ben")];
    await anna.sees("ben");
    await anna.clicks("#people button", "Ask ben");
    await ben.reads("? anna wants to chat");
    ben.says("yes");
    await anna.sees("Only the two of you read this");
    await anna.closes();
    await ben.reads("* anna left");
  });

  test("new lines do not disturb a reader of older ones", async () => {
    const [anna, ben] = [await joins("anna"), await atLinePort("ben")];
    await anna.clicks("#rooms button", "Enter lobby");
    await anna.sees("You are now in lobby");
    ben.says("4");
    await ben.reads("* You are now in lobby");
    for (let n = 0; n < 40; n++) ben.says(`line ${n}`);
    await anna.sees("line 39");
    await anna.run(() => (document.getElementById("log").scrollTop = 0));
    const top = () => anna.run(() => document.getElementById("log").scrollTop);
    ben.says("news");
    ben.says("more news");
    await anna.sees("2 new lines");
    assert.equal(await top(), 0);
    await anna.clicks("#newer");
    await anna.seesNot("2 new lines");
    assert.ok((await top()) > 500);
  });

  test("a paste of several lines asks first", async () => {
    const [anna, ben] = [await joins("anna"), await atLinePort("ben")];
    await anna.clicks("#rooms button", "Enter lobby");
    await anna.sees("You are now in lobby");
    ben.says("4");
    await ben.reads("* You are now in lobby");
    await anna.clicks("#draft");
    const paste = (text) => anna.run((text) => {
      const data = new DataTransfer();
      data.setData("text/plain", text);
      const event = new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true });
      if (document.activeElement.dispatchEvent(event)) document.execCommand("insertText", false, text);
    }, text);
    await paste("one\n/two\nthree");
    await anna.sees("Send this as 3 lines?");
    await anna.clicks("#bar button", "Cancel");
    await anna.seesNot("Send this");
    assert.equal(await anna.run(() => document.getElementById("draft").value), "one\n/two\nthree");
    await anna.clicks("#draft");
    await anna.presses("Enter");
    await anna.sees("Send this as 3 lines?");
    await anna.clicks("#bar button", "Send");
    for (const line of ["anna: one", "anna: /two", "anna: three"]) await ben.reads(line);
    await anna.clicks("#draft");
    await paste("four,\n  five\nand six");
    await anna.clicks("#bar button", "Join the lines");
    await ben.reads("anna: four, five and six");
  });

  test("a screen reader hears each new line once", async () => {
    const [anna, ben] = [await joins("anna"), await atLinePort("ben")];
    await anna.clicks("#rooms button", "Enter lobby");
    await anna.sees("You are now in lobby");
    ben.says("4");
    await anna.sees("ben joined lobby");
    await anna.listens();
    ben.says("once");
    await anna.sees("once");
    await anna.says("mine");
    await saidByAll(anna, "anna: mine");
    assert.deepEqual(await anna.heard(), ["ben: once"]);
  });

  test("the operator's countdown, motion and colours follow what the user's system wants", async () => {
    const anna = await joins("anna", { dark: true, calm: true });
    const paper = await anna.run(() => getComputedStyle(document.body).backgroundColor.match(/\d+/g).map(Number));
    assert.ok(paper.every((part) => part < 60), "dark");
    const ben = await atLinePort("ben");
    ben.says("2 anna");
    await anna.sees("ben wants to chat");
    assert.equal(await anna.run(() => document.getAnimations().length), 0);
  });
});

suite("accounts", ({ opens, joins }) => {
  test("a name is registered with a password, and taken with it again", async () => {
    const anna = await joins("anna");
    await anna.clicks("summary");
    await anna.clicks("#side button", "Register your name");
    for (const prompt of ["New password for anna:", "The same password again:"]) {
      await anna.sees(prompt);
      assert.equal(await anna.run(() => document.activeElement.type), "password");
      assert.equal(await anna.run(() => document.activeElement.autocomplete), "new-password");
      await anna.types("correct horse");
      await anna.presses("Enter");
    }
    await anna.sees("anna is registered");
    const other = await opens();
    await other.clicks("#name");
    await other.types("Anna");
    await other.presses("Enter");
    await other.sees("Password for anna:");
    await other.clicks("#cancel");
    await other.clicks("#name");
    await other.presses("Enter");
    await other.sees("Password for anna:");
    assert.equal(await other.run(() => document.activeElement.autocomplete), "current-password");
    await other.types("correct house");
    await other.presses("Enter");
    await other.sees("Wrong password");
    await other.types("correct horse");
    await other.presses("Enter");
    await other.sees("Hello, anna");
    // The older tab does not come back by itself: the two would throw each other out for ever.
    await anna.sees("anna has signed in on another connection");
    await anna.sees("Your name");
  });
}, ["--state", STATE]);
