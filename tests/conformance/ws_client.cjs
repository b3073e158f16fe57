// Plays two users with the npm package `ws`, which checks every byte of the server.
//
// Usage: node ws_client.cjs HOST:PORT
"use strict";

const assert = require("node:assert");
const WebSocket = require("ws");

const here = process.argv[2];
const deadlineMs = 20_000;

class User {
  constructor(options = {}) {
    this.socket = new WebSocket(`ws://${here}/chat`, ["chinwag"], {
      origin: `http://${here}`,
      ...options,
    });
    this.lines = [];
    this.wake = () => {};
    this.socket.on("message", (data, isBinary) => {
      const text = data.toString();
      assert(!isBinary && text.endsWith("\r\n"), `half a line: ${JSON.stringify(text)}`);
      this.lines.push(...text.split("\r\n").slice(0, -1));
      this.wake();
    });
    this.closed = new Promise((resolve) => this.socket.on("close", resolve));
    this.failed = new Promise((resolve) => this.socket.on("error", resolve));
  }

  async reads(start) {
    const until = Date.now() + deadlineMs;
    for (;;) {
      while (this.lines.length > 0) {
        const line = this.lines.shift();
        if (line.startsWith(start)) return line;
      }
      assert(Date.now() < until, `no line begins with ${start}`);
      await new Promise((resolve) => {
        this.wake = resolve;
        setTimeout(resolve, 1000);
      });
    }
  }

  says(text, options) {
    this.socket.send(text, options);
  }
}

async function joins(name) {
  const user = new User();
  await user.reads("? Username:");
  assert.strictEqual(user.socket.protocol, "chinwag");
  user.says(name);
  await user.reads(`* Hello, ${name}`);
  return user;
}

async function main() {
  const [anna, ben] = [await joins("anna"), await joins("ben")];
  anna.says("4");
  await anna.reads("* You are now in lobby");
  ben.says("4");
  await ben.reads("* You are now in lobby");
  anna.says("grü", { fin: false });
  anna.says("ße 🙂");
  assert.strictEqual(await ben.reads("anna: "), "anna: grüße 🙂");
  const pong = new Promise((resolve) => anna.socket.once("pong", resolve));
  anna.socket.ping(Buffer.alloc(125, 7));
  assert.deepStrictEqual(await pong, Buffer.alloc(125, 7));
  anna.socket.close(1001, "going");
  assert.strictEqual(await anna.closed, 1001);
  await ben.reads("* anna left");
  ben.says("quit\n3");
  assert.strictEqual(await ben.closed, 1000);
  const carl = await joins("carl");
  carl.says(Buffer.from("binary"));
  assert.strictEqual(await carl.closed, 1003);
  const foreign = new User({ origin: "http://evil.example" });
  assert.match(String(await foreign.failed), /403/);
}

main().then(
  () => process.exit(0),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
