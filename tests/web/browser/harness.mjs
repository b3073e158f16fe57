// Drives a real server and a real Chromium for the browser tests, with nothing but node: the
// DevTools protocol over a pipe. Nothing sleeps: each step waits for what it expects, with a deadline.

import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe } from "node:test";
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import net from "node:net";

const DEADLINE_MS = 1000 * Number(process.env.CHINWAG_TESTS_DEADLINE ?? 20);
const PROGRAM = process.env.CHINWAG_TESTS_PROGRAM;
const CHROMIUM = process.env.CHINWAG_TESTS_CHROMIUM
  ?? ["chromium", "chromium-browser", "google-chrome"].find((name) => spawnSync(name, ["--version"]).status === 0);

/// Why the tests cannot run here, or false.
export const missing = !PROGRAM ? "CHINWAG_TESTS_PROGRAM names no server" : !CHROMIUM && "chromium is not installed";

/// Waits until `test` gives something true, and returns that.
export async function until(what, test) {
  const end = Date.now() + DEADLINE_MS;
  for (;;) {
    const found = await test();
    if (found) return found;
    if (Date.now() > end) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 15));
  }
}

/// Tests with one browser, each with a server of its own.
export function suite(name, tests, flags = []) {
  describe(name, { skip: missing }, () => tests(setUp(flags)));
}

function setUp(flags) {
  const stage = {
    tabs: [],
    people: [],
    async opens(how) {
      const tab = await stage.browser.tab(stage.server.url, how);
      stage.tabs.push(tab);
      return tab;
    },
    joins: async (name, how) => (await stage.opens(how)).joins(name),
    atLinePort(name) {
      const person = new LinePerson(stage.server, name);
      stage.people.push(person);
      return person.joins();
    },
  };
  before(async () => (stage.browser = await Browser.start()));
  after(() => stage.browser.stop());
  beforeEach(async () => (stage.server = await Server.start(["--ask-again", "0", ...flags])));
  afterEach(async () => {
    for (const tab of stage.tabs.splice(0)) {
      assert.deepEqual(tab.errors, [], "the page reports no error");
      await tab.closes();
    }
    for (const person of stage.people.splice(0)) person.leaves();
    await stage.server.stop();
  });
  return stage;
}

/// A server on free ports of this machine. `restart` uses the same ports again.
export class Server {
  static async start(flags = []) {
    const server = new Server();
    server.flags = flags;
    await server.run("127.0.0.1:0", "127.0.0.1:0");
    return server;
  }

  async run(lines, web) {
    const args = ["serve", "--listen", lines, "--listen", `http://${web}`, ...this.flags];
    const environment = Object.entries(process.env).filter(([name]) => !name.startsWith("CHINWAG_"));
    this.child = spawn(PROGRAM, args, { stdio: ["ignore", "pipe", "ignore"], env: Object.fromEntries(environment) });
    let printed = "";
    this.child.stdout.on("data", (data) => (printed += data));
    this.url = await until("the address of the page", () => /http:\/\/127\.0\.0\.1:\d+/.exec(printed)?.[0]);
    this.port = await until("the line port", () => /(?<!http:\/\/)\b127\.0\.0\.1:(\d+)/.exec(printed)?.[1]);
  }

  async stop(signal = "SIGKILL") {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const gone = new Promise((resolve) => this.child.once("exit", resolve));
    this.child.kill(signal);
    await gone;
  }

  async restart() {
    await this.run(`127.0.0.1:${this.port}`, new URL(this.url).host);
  }
}

/// Somebody at the line port, with nc where it is installed.
export class LinePerson {
  constructor(server, name) {
    const nc = spawnSync("nc", ["-h"]).error === undefined;
    this.child = nc && spawn("nc", ["127.0.0.1", server.port]);
    const socket = nc ? null : net.connect(server.port, "127.0.0.1");
    [this.to, this.from] = nc ? [this.child.stdin, this.child.stdout] : [socket, socket];
    this.name = name;
    this.text = "";
    this.from.on("data", (data) => (this.text += data));
    this.to.on("error", () => {});
  }

  says(line) {
    this.to.write(`${line}\n`);
  }

  /// Waits for a line that begins with `start`, behind what was read before.
  async reads(start) {
    await until(`“${start}” for ${this.name}; read: ${this.text}`, () => {
      const at = `\n${this.text}`.indexOf(`\n${start}`);
      if (at < 0) return false;
      this.text = this.text.slice(at + start.length);
      return true;
    });
  }

  async joins() {
    await this.reads("? Username:");
    this.says(this.name);
    await this.reads("* Hello");
    await this.reads("? 1 ");
    return this;
  }

  leaves() {
    this.child ? this.child.kill() : this.to.destroy();
  }
}

export class Browser {
  static async start() {
    const browser = new Browser();
    browser.folder = mkdtempSync(join(tmpdir(), "chinwag-browser-"));
    const flags = ["--headless=new", "--remote-debugging-pipe", "--no-sandbox", "--no-first-run", "--disable-gpu",
      "--disable-extensions", "--disable-background-networking", "--hide-scrollbars", "--force-color-profile=srgb",
      `--user-data-dir=${browser.folder}`, "about:blank"];
    browser.child = spawn(CHROMIUM, flags, { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] });
    browser.answers = new Map();
    browser.tabs = new Map();
    browser.id = 0;
    let rest = "";
    browser.child.stdio[4].on("data", (data) => {
      const messages = (rest + data).split("\0");
      rest = messages.pop();
      for (const message of messages) browser.hear(JSON.parse(message));
    });
    browser.child.stdio[3].on("error", () => {});
    return browser;
  }

  hear({ id, result, error, method, params, sessionId }) {
    if (!id) return this.tabs.get(sessionId)?.hear(method, params);
    const { resolve, reject } = this.answers.get(id);
    this.answers.delete(id);
    error ? reject(new Error(error.message)) : resolve(result);
  }

  send(method, params = {}, sessionId) {
    const id = ++this.id;
    this.child.stdio[3].write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    return new Promise((resolve, reject) => this.answers.set(id, { resolve, reject }));
  }

  /// Opens a tab in a window of its own, with storage of its own.
  async tab(url, { width = 1100, height = 720, mobile = false, dark = false, calm = false, scale = 1 } = {}) {
    const { browserContextId } = await this.send("Target.createBrowserContext");
    const { targetId } = await this.send("Target.createTarget", { url: "about:blank", browserContextId, newWindow: true });
    const { sessionId } = await this.send("Target.attachToTarget", { targetId, flatten: true });
    const tab = new Tab(this, sessionId, targetId);
    this.tabs.set(sessionId, tab);
    for (const domain of ["Page", "Runtime", "Log", "Network"]) await tab.send(`${domain}.enable`);
    await tab.send("Emulation.setFocusEmulationEnabled", { enabled: true });
    await tab.send("Emulation.setDeviceMetricsOverride", { width, height, mobile, deviceScaleFactor: scale });
    await tab.send("Emulation.setLocaleOverride", { locale: "en-GB" });
    await tab.send("Emulation.setTimezoneOverride", { timezoneId: "Europe/Berlin" });
    await tab.send("Emulation.setTouchEmulationEnabled", { enabled: mobile });
    await tab.send("Emulation.setEmulatedMedia", { features: [
      { name: "prefers-color-scheme", value: dark ? "dark" : "light" },
      { name: "prefers-reduced-motion", value: calm ? "reduce" : "no-preference" },
    ] });
    await tab.send("Page.navigate", { url });
    await tab.sees("Your name");
    return tab;
  }

  async stop() {
    const gone = new Promise((resolve) => this.child.once("exit", resolve));
    this.send("Browser.close").catch(() => {});
    await gone;
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

const KEYS = { Enter: 13, Tab: 9, Escape: 27, " ": 32, PageUp: 33, PageDown: 34, Backspace: 8 };

export class Tab {
  errors = [];

  constructor(browser, session, target) {
    Object.assign(this, { browser, session, target });
  }

  hear(method, params) {
    if (method === "Runtime.exceptionThrown") this.errors.push(params.exceptionDetails.exception?.description);
    if (method === "Log.entryAdded" && params.entry.level === "error" && params.entry.source !== "network") {
      this.errors.push(params.entry.text);
    }
    // The browser's own clock, in seconds.
    if (method === "Network.requestWillBeSent" && params.type === "Document") this.navigatedAt = params.timestamp;
    if (method === "Network.webSocketFrameReceived" && params.response.payloadData.includes("? Username:")) this.promptedAt ??= params.timestamp;
    if (method === "Page.javascriptDialogOpening") this.errors.push(`a dialog: ${params.message}`);
  }

  send(method, params) {
    return this.browser.send(method, params, this.session);
  }

  /// Runs a function in the page.
  async run(code, ...args) {
    const expression = `(${code})(...${JSON.stringify(args)})`;
    const { result, exceptionDetails } = await this.send("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  }

  /// The text that can be seen. What is for screen readers only does not count.
  visible() {
    return this.run(() => [...(document.body?.children ?? [])].filter((e) => e.checkVisibility() && !e.matches(".unseen")).map((e) => e.innerText).join("\n"));
  }

  async sees(words) {
    let text = "";
    await until(`“${words}”`, async () => (text = await this.visible()).includes(words))
      .catch((error) => { throw new Error(`${error.message}; seen:\n${text}`); });
  }

  async seesNot(words) {
    await until(`“${words}” to go`, async () => !(await this.visible()).includes(words));
  }

  /// Waits for an element that can be seen, by selector or, with `text`, by its words too.
  async finds(selector, words = "") {
    return until(`${selector} “${words}”`, () => this.run((selector, words) => {
      const found = [...document.querySelectorAll(selector)]
        .find((e) => e.checkVisibility() && (e.innerText.includes(words) || e.ariaLabel?.includes(words)));
      if (!found) return null;
      const { x, y, width, height } = found.getBoundingClientRect();
      return { x, y, width, height };
    }, selector, words));
  }

  async clicks(selector, words) {
    await this.run((selector, words = "") => [...document.querySelectorAll(selector)]
      .find((e) => e.innerText.includes(words) || e.ariaLabel?.includes(words))?.scrollIntoView({ block: "nearest" }), selector, words);
    // The lists may change at any time, and move what is below them.
    const at = await until("a place that stays", async () => {
      const places = [await this.finds(selector, words)];
      const at = { x: places[0].x + places[0].width / 2, y: places[0].y + places[0].height / 2, button: "left", clickCount: 1 };
      await this.send("Input.dispatchMouseEvent", { type: "mouseMoved", ...at });
      places.push(await this.finds(selector, words));
      return places[0].x === places[1].x && places[0].y === places[1].y && at;
    });
    await this.send("Input.dispatchMouseEvent", { type: "mousePressed", ...at });
    await this.send("Input.dispatchMouseEvent", { type: "mouseReleased", ...at });
  }

  /// Types as a keyboard does.
  async types(text) {
    for (const key of text) await this.send("Input.dispatchKeyEvent", { type: "char", text: key });
  }

  async presses(key, { shift = false } = {}) {
    const code = { key, code: key, windowsVirtualKeyCode: KEYS[key], modifiers: shift ? 8 : 0 };
    const text = { Enter: "\r", " ": " " }[key];
    await this.send("Input.dispatchKeyEvent", { type: text ? "keyDown" : "rawKeyDown", ...code, text });
    await this.send("Input.dispatchKeyEvent", { type: "keyUp", ...code });
  }

  /// Presses Tab until the element with this text or label has the focus.
  async tabsTo(words, { shift = false } = {}) {
    for (let n = 0; n < 60; n++) {
      if ((await this.focused()).includes(words)) return;
      await this.presses("Tab", { shift });
    }
    assert.fail(`the keyboard cannot reach “${words}”`);
  }

  /// What has the focus, in words.
  focused() {
    return this.run(() => {
      const e = document.activeElement;
      return [e.id, e.ariaLabel, e.matches("button, summary, a") && e.innerText].filter(Boolean).join(" ");
    });
  }

  async joins(name) {
    await this.clicks("#name");
    await this.types(name);
    await this.presses("Enter");
    await this.sees("You are now connected");
    await this.sees("People · ");
    return this;
  }

  async says(text) {
    await this.clicks("#draft");
    await this.types(text);
    await this.presses("Enter");
  }

  /// The lines of the log: “name: text”, or news.
  log() {
    return this.run(() => [...document.querySelectorAll("#lines > li")].map((li) => {
      const words = li.querySelector("p");
      return words ? `${li.querySelector(".name").textContent}: ${words.textContent}` : li.querySelector("bdi")?.textContent;
    }).filter(Boolean));
  }

  /// From now on notes what a screen reader is told.
  listens() {
    return this.run(() => {
      window.heard = [];
      const note = (changes) => changes.forEach(({ addedNodes }) => addedNodes.forEach((node) => window.heard.push(node.textContent)));
      const regions = document.querySelectorAll("[aria-live], [role=alert], [role=status], [role=log], [role=timer]");
      for (const region of regions) new MutationObserver(note).observe(region, { childList: true, subtree: true, characterData: true });
    });
  }

  heard() {
    return this.run(() => window.heard);
  }

  async screenshot(path, { clip } = {}) {
    const { data } = await this.send("Page.captureScreenshot", { format: "png", clip });
    writeFileSync(path, Buffer.from(data, "base64"));
  }

  async closes() {
    if (this.closed) return;
    this.closed = true;
    await this.browser.send("Target.closeTarget", { targetId: this.target });
  }
}
