// Takes the pictures of the documentation: desktop, dark and phone. `CHINWAG_TESTS_SCREENSHOTS` names
// the folder, which is `doc/images` for new pictures.

import { test } from "node:test";
import { join } from "node:path";
import { suite } from "./harness.mjs";

const FOLDER = process.env.CHINWAG_TESTS_SCREENSHOTS;
const LOOKS = {
  desktop: { width: 1000, height: 660 },
  dark: { width: 1000, height: 660, dark: true },
  phone: { width: 360, height: 660, mobile: true, scale: 2 },
};

suite("pictures", ({ opens, atLinePort }) => {
  for (const [look, how] of Object.entries(LOOKS)) test(look, { skip: !FOLDER && "CHINWAG_TESTS_SCREENSHOTS names no folder" }, async () => {
    const anna = await opens(how);
    const [ben, carl, noor, zoe] = await Promise.all(["ben", "carl", "noor", "zoë"].map(atLinePort));
    await anna.joins("anna");
    carl.says("busy");
    for (const person of [ben, zoe]) {
      person.says("4 tea");
      await person.reads("* You are now in tea");
    }
    await anna.clicks("#rooms button", "Enter tea");
    await anna.sees("2 others here");
    const say = async (person, text) => {
      person.says(text);
      await anna.sees(text.replace("/me ", ""));
    };
    await say(zoe, "Has anybody found the threads? I have looked everywhere.");
    await say(ben, "There is one, and it sleeps.");
    await say(ben, "The loop fits on a screen: https://example.org/loop");
    await anna.says("So what wakes me when you write?");
    await zoe.reads("anna: So what");
    await say(zoe, "epoll. One call for all of us, and it costs nothing while we drink.");
    await say(zoe, "/me pours more tea");
    if (look !== "phone") await say(ben, "Read it from the top, it is shorter than this chat.");
    if (look !== "phone") await anna.sees("3 here");
    await anna.clicks("#draft");
    await anna.types("Then I should like to see it go to sl");
    if (look !== "dark") {
      noor.says("2 anna");
      await anna.sees("noor wants to chat");
    }
    await anna.run(() => Promise.all(document.getAnimations().map((animation) => animation.finished)));
    await anna.screenshot(join(FOLDER, `page-${look}.png`));
  });
});
