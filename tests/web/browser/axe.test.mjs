// axe-core looks at every view of the page. `CHINWAG_TESTS_AXE` names its axe.min.js.

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { suite } from "./harness.mjs";

const AXE = process.env.CHINWAG_TESTS_AXE ?? "";
const skip = !existsSync(AXE) && "CHINWAG_TESTS_AXE names no axe.min.js";

async function check(tab, where) {
  await tab.send("Runtime.evaluate", { expression: readFileSync(AXE, "utf8") });
  await tab.run(() => Promise.all(document.getAnimations().map((animation) => animation.finished)));
  const violations = await tab.run(async () => (await window.axe.run()).violations
    .map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" ")}`));
  assert.deepEqual(violations, [], where);
}

const LOOKS = { light: {}, dark: { dark: true }, phone: { width: 360, height: 640, mobile: true } };

suite("axe-core has nothing to complain about", ({ opens, atLinePort }) => {
  for (const [name, how] of Object.entries(LOOKS)) test(name, { skip }, async () => {
    const anna = await opens(how);
    await check(anna, "the door");
    await anna.joins("anna");
    const [ben, carl] = [await atLinePort("ben"), await atLinePort("carl")];
    ben.says("4 tea");
    ben.says("hello https://example.org");
    await anna.sees("in tea");
    await anna.run(() => (document.querySelector("details").open = true));
    await check(anna, "home");
    await anna.clicks("#rooms button", "Enter tea");
    await anna.sees("hello");
    await anna.says("/me waves");
    carl.says("2 anna");
    await anna.sees("wants to chat");
    await anna.clicks("#draft");
    await anna.send("Input.insertText", { text: "a\nb" });
    await anna.presses("Enter");
    await anna.sees("Send this as 2 lines?");
    await check(anna, "a room, a request and a question");
    await anna.clicks("#request button", "Accept");
    await anna.sees("Only the two of you read this");
    carl.says("quit");
    await anna.sees("This chat has ended");
    await check(anna, "the end of a chat");
  });
});
