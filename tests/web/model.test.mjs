// What the page makes of a session: names, requests, chats, rooms. Numbers are clauses of protocol.md.

import assert from "node:assert/strict";
import { test } from "node:test";
import { MENU, Person } from "./person.mjs";

test("a name is sent when the server asks for it, and a refusal is shown (4.2)", () => {
  const anna = new Person();
  anna.does("join", "ben");
  anna.opens().sends().hears("* Welcome to chinwag", "? Username:").sends("ben");
  anna.hears("! ben is taken; choose another", "? Username:").sends();
  assert.equal(anna.m.nameError, "ben is taken; choose another");
  anna.does("join", "anna");
  anna.sends("anna").hears("* Hello, anna", MENU);
  assert.equal(anna.m.me, "anna");
  assert.deepEqual(anna.log, ["You are now connected"]);
});

test("words that would end the session are no names (4.2.1)", () => {
  const anna = new Person().opens().hears("* Welcome to chinwag", "? Username:");
  for (const word of ["exit", "QUIT", ""]) {
    anna.does("join", word);
    anna.sends();
    assert.ok(anna.m.nameError);
  }
});

test("a page without a name lets the server hang up, and connects when the name comes (4.2.4)", () => {
  const anna = new Person().opens().hears("* Welcome to chinwag", "? Username:");
  anna.hears("! No username came within 60 s. Goodbye").loses().waits(100).sends();
  assert.equal(anna.m.link.state, "over");
  assert.equal(anna.m.trouble, "");
  anna.does("join", "anna");
  anna.opens().hears("* Welcome to chinwag", "? Username:").sends("anna");
});

test("a request, its acceptance, a chat, and its end (4.3.2, 4.6.2, 4.7)", () => {
  const anna = Person.named();
  anna.does("ask", "ben");
  anna.sends("/chat ben").hears("* Asked ben, waiting for an answer; cancel withdraws");
  assert.deepEqual(anna.m.phase, { at: "asking", name: "ben" });
  anna.hears("* ben accepted", "* You are now chatting with ben; quit ends it");
  assert.equal(anna.m.here, true);
  assert.equal(anna.does("submit", "hello"), true);
  anna.sends("/say hello").hears("ben: hello anna");
  assert.deepEqual(anna.log, ["You are now chatting with ben", "anna: hello", "ben: hello anna"]);
  anna.does("leave");
  anna.sends("/leave").hears("* You left the chat with ben", MENU);
  assert.equal(anna.m.place, anna.m.home);
});

test("a yes can reach nobody else (4.6.4, 4.6.5)", () => {
  const anna = Person.named().hears("? ben wants to chat. Accept? yes or no");
  assert.equal(anna.m.request, "ben");
  anna.does("answer", "yes");
  anna.sends("/chat ben").hears("* You are now chatting with ben; quit ends it");
  assert.equal(anna.m.request, "");
  for (const [how, line] of [["no", "/no carl"], ["ignore", "/ignore carl"]]) {
    const dora = Person.named().hears("? carl wants to chat. Accept? yes or no");
    dora.does("answer", how);
    dora.sends(line).hears("* You declined carl", MENU);
    assert.equal(dora.m.request, "");
    assert.equal(dora.m.ignored.has("carl"), how === "ignore");
  }
});

test("a request is announced once, however often the server repeats its question (5.1.1)", () => {
  const anna = Person.named().hears("? ben wants to chat. Accept? yes or no");
  anna.does("setBusy", true);
  anna.sends("/busy").hears("* You are busy", "? ben wants to chat. Accept? yes or no");
  assert.equal(anna.cues.filter((cue) => cue.cue === "attract").length, 1);
});

test("a request ends in every way that the protocol knows (4.5, 4.9.2, 4.10.1)", () => {
  for (const end of ["* ben withdrew the request", "* The request of ben is over: no answer in time", "* ben left", "* ben left: the connection ended"]) {
    const anna = Person.named().hears("? ben wants to chat. Accept? yes or no").hears(end, MENU);
    assert.equal(anna.m.request, "", end);
    const carla = Person.inRoom("tea").hears("? ben wants to chat. Accept? /yes or /no", "* ben left tea", "* carl left");
    assert.equal(carla.m.request, "ben");
    carla.hears(end);
    assert.equal(carla.m.request, "", end);
    assert.equal(carla.m.here, true);
  }
});

test("a withdrawal cannot reach a partner who has just accepted (4.5.2, 4.7.3)", () => {
  const anna = Person.named();
  anna.does("ask", "ben");
  anna.sends("/chat ben").hears("* Asked ben, waiting");
  anna.does("withdraw");
  anna.sends("/leave").hears("* ben accepted", "* You are now chatting with ben; quit ends it");
  assert.equal(anna.does("submit", "hi"), false, "quit is on its way: nothing else is sent");
  anna.sends().hears("* You left the chat with ben", MENU);
  assert.equal(anna.m.phase.at, "menu");
});

test("lines that a partner no longer read are shown as not delivered (4.1.5)", () => {
  const anna = Person.chatting();
  for (const text of ["one", "two", "three"]) anna.does("submit", text);
  anna.hears("* ben left the chat", MENU, "! 2 lines you had typed before that were not delivered");
  const states = () => anna.m.place.entries.filter((entry) => entry.own).map((entry) => entry.state);
  assert.deepEqual(states(), ["failed", "failed", ""]);
  anna.hears("! You are in no chat or room, so nobody saw that", MENU);
  assert.deepEqual(states(), ["failed", "failed", "failed"]);
});

test("a draft stays when nobody would read it", () => {
  const anna = Person.chatting().hears("* ben left the chat", MENU);
  assert.equal(anna.does("submit", "a secret for ben"), false);
  anna.sends();
  assert.match(anna.m.notice.text, /Your line stays here/);
});

test("a room shows one's own line where the room said it (4.8.2, 6.2.1)", () => {
  const anna = Person.inRoom();
  anna.does("submit", "first");
  anna.does("submit", "second");
  anna.sends("/say first", "/say second").hears("ben: between", "anna: first");
  assert.deepEqual(anna.log.slice(1), ["ben: between", "anna: first", "anna: second"]);
  assert.deepEqual(anna.m.place.pending.map((entry) => entry.raw), ["second"]);
  anna.hears("anna: second");
  assert.deepEqual(anna.m.place.pending, []);
});

test("entering a room shows its members and its history (6.1.4, 6.3.1)", () => {
  const anna = Person.inRoom("tea", "- carl", "* The last 2 lines said here", "- 2026-11-23 14:03Z ben: - x", "- 2026-11-23 14:04Z zoe: *waves*");
  assert.deepEqual([...anna.m.members.names], ["ben", "carl"]);
  assert.deepEqual(anna.log, ["ben: - x", "zoe: *waves*", "You are now in tea with 1 other"]);
  anna.hears("* dora joined tea", "* ben left tea: the connection ended");
  assert.deepEqual([...anna.m.members.names], ["carl", "dora"]);
});

test("members who come and go count, also between the rows of a long list (6.1.4)", () => {
  const anna = Person.named();
  anna.does("enter", "tea");
  anna.hears("* You are now in tea with nobody else; quit leaves").hears("* ben joined tea").hears("ben: hi");
  assert.deepEqual([...anna.m.members.names], ["ben"]);
  anna.does("enter", "hall");
  anna.hears("* You left tea", "* You are now in hall with 60 others; quit leaves", "- ada", "- cy").hears("* zoe joined hall", "* ada left hall");
  anna.hears("- dora", "- and 57 more; /who PREFIX narrows the list");
  assert.deepEqual([...anna.m.members.names], ["cy", "zoe", "dora"]);
  assert.equal(anna.m.members.more, 57);
});

test("comings and goings can be hidden", () => {
  const anna = Person.inRoom();
  anna.m.hideComing = true;
  anna.hears("* dora joined lobby", "dora: hi", "* dora left lobby");
  assert.deepEqual(anna.log.slice(1), ["dora: hi"]);
  anna.m.hideComing = false;
  assert.deepEqual(anna.log.slice(1), ["dora joined lobby", "dora: hi", "dora left lobby"]);
});

test("asking from a room leaves it only after a second word (4.8.8)", () => {
  const anna = Person.inRoom("tea");
  anna.does("ask", "ben");
  anna.sends();
  anna.does("ask", "ben", true);
  anna.sends("/chat ben").hears("* You left tea", "* Asked ben, waiting").hears("* ben declined", MENU);
  assert.deepEqual([anna.m.place, anna.m.notice.text], [anna.m.home, "ben declined"]);
});

test("a request in a room is answered there, and a plain yes is not said by accident (4.8.6, 4.8.7)", () => {
  const anna = Person.inRoom("tea").hears("? ben wants to chat. Accept? /yes or /no");
  assert.equal(anna.does("submit", "yes"), false);
  assert.match(anna.m.confirm.text, /would read/);
  assert.equal(anna.does("submit", "yes", true), true);
  anna.sends("/say yes").hears("anna: yes");
  anna.does("answer", "yes");
  anna.sends("/chat ben").hears("* You left tea", "* You are now chatting with ben; quit ends it");
  assert.equal(anna.m.place.key, "chat:ben");
});

test("another room is chosen in a room or in a chat (4.7.3, 4.8.12)", () => {
  const anna = Person.inRoom("tea");
  anna.does("enter", "lobby");
  anna.sends("/join lobby").hears("* You left tea", "* You are now in lobby with nobody else; quit leaves, /help says more");
  assert.deepEqual([anna.m.place.key, anna.m.notice], ["room:lobby", null]);
  const ben = Person.chatting("zoe");
  ben.does("enter", "lobby");
  ben.sends();
  ben.does("enter", "lobby", true);
  ben.sends("/leave").hears("* You left the chat with zoe", MENU).sends("/join lobby");
});

test("a room is entered when the pause after a chat is over (6.1.3)", () => {
  const anna = Person.chatting().hears("* ben left the chat", MENU);
  anna.does("enter", "tea");
  anna.waits(2).sends();
  anna.waits(1).sends("/join tea");
});

test("leaving chinwag works in every state (4.9, 5.1.2)", () => {
  const asking = Person.named();
  asking.does("ask", "ben");
  asking.hears("* Asked ben, waiting").sends("/chat ben");
  const asked = Person.named().hears("? ben wants to chat. Accept? yes or no");
  for (const person of [Person.named(), Person.inRoom("tea"), Person.chatting(), asking, asked]) {
    person.does("exit");
    person.sends("/exit").hears("* Goodbye, anna").loses().waits(100).sends();
    assert.deepEqual(person.m.link, { state: "over", why: "You left chinwag." });
  }
});

test("several lines and long lines are sent only after a second word", () => {
  const anna = Person.chatting();
  assert.equal(anna.does("submit", "/one\ntwo"), false);
  assert.equal(anna.m.confirm.text, "Send this as 2 lines?");
  anna.sends();
  assert.equal(anna.does("submit", "/one\ntwo", true), true);
  anna.sends("/say /one", "/say two");
  assert.equal(anna.does("submit", "x".repeat(1500)), false);
  anna.sends();
  assert.equal(anna.does("submit", "one\nquit", true), true);
  anna.sends("/say one", "/say quit");
});

test("a question of the page dies when the place changes", () => {
  const anna = Person.inRoom("tea");
  anna.does("submit", "a\nb");
  anna.hears("? ben wants to chat. Accept? /yes or /no");
  assert.ok(anna.m.confirm, "a request changes no reader");
  anna.does("answer", "yes");
  anna.hears("* You left tea", "* You are now chatting with ben; quit ends it");
  assert.equal(anna.m.confirm, null);
  anna.sends("/chat ben");
});

test("busy and ignore work in every state, and no partner reads the word (5.1.3, 5.5, 5.6)", () => {
  for (const person of [Person.named(), Person.inRoom(), Person.chatting()]) {
    const before = person.log;
    person.does("setBusy", true);
    person.does("ignore", "zoe");
    person.sends("/busy", "/ignore zoe").hears("* You are busy: nobody can ask you", "* You ignore zoe until you leave chinwag");
    assert.deepEqual([person.m.busy, [...person.m.ignored]], [true, ["zoe"]]);
    assert.deepEqual(person.log, before);
    person.does("ignore", "zoe");
    person.sends("/unignore zoe");
  }
});

test("an operator's words, a planned stop and a removal (8.2)", () => {
  const anna = Person.inRoom().hears("* The operator says: tea is ready", "* The server stops in 5 minutes");
  assert.match(anna.log.at(-1), /tea is ready/);
  assert.equal(anna.m.trouble, "The server stops in 5:00");
  anna.m.visible = false;
  anna.waits(60);
  assert.equal(anna.m.trouble, "The server stops in 4:00");
  anna.hears("* The server is no longer stopping");
  assert.equal(anna.m.trouble, "");
  anna.hears("! An operator removed you: too loud. Goodbye").loses().waits(100);
  assert.equal(anna.m.link.state, "over", "a removed user comes back only on purpose");
  assert.match(anna.m.link.why, /too loud/);
});

test("each new line is announced once, and one's own and the history not at all", () => {
  const anna = Person.inRoom("tea", "* The last line said here", "- 2026-11-23 14:03Z ben: old");
  anna.announced();
  anna.does("submit", "mine");
  anna.hears("anna: mine", "ben: theirs", "* zoe joined tea").hears("* zoe left tea");
  assert.deepEqual(anna.announced(), ["ben: theirs", "zoe joined tea", "zoe left tea"]);
});

test("a hidden page counts what is new, and a chat calls", () => {
  const calls = (person) => person.cues.splice(0).filter((cue) => cue.cue === "attract").map((cue) => cue.text);
  const [anna, ben] = [Person.inRoom("tea"), Person.chatting("zoe")];
  for (const person of [anna, ben]) calls(person), (person.m.visible = false);
  anna.hears("ben: hello all", "ben: tea?");
  assert.equal(anna.m.unread, 2);
  assert.deepEqual(calls(anna), []);
  assert.deepEqual(calls(ben.hears("zoe: hello")), ["hello"]);
});

test("a registered name asks for its password, and the page keeps none (4.11)", () => {
  const anna = new Person().opens().hears("* Welcome to chinwag", "? Username:");
  anna.does("join", "Anna");
  anna.sends("Anna").hears("? Password for anna:");
  assert.deepEqual(anna.m.phase, { at: "password", name: "Password for anna:" });
  anna.does("join", "Anna", "wrong horse");
  anna.sends("wrong horse").hears("! Wrong password; 2 tries left", "? Password for anna:");
  assert.equal(anna.m.nameError, "Wrong password; 2 tries left");
  anna.does("join", "Anna", "correct horse");
  anna.sends("correct horse").hears("* Hello, anna", MENU).sends("/follow");
  assert.deepEqual([anna.m.me, anna.m.nameError], ["anna", ""]);
  assert.ok(!JSON.stringify(anna.m).includes("horse"));
  anna.loses().waits(2).opens().hears("* Welcome to chinwag", "? Username:").sends("anna");
  anna.hears("? Password for anna:").waits(30).sends();
  anna.does("account", "cancel");
  anna.sends("/cancel").hears("? Username:").sends();
  anna.does("join", "bert");
  anna.sends("bert");
});

test("a user registers, and changes their mind (4.12)", () => {
  const anna = Person.named();
  anna.does("account", "register");
  anna.sends("/register").hears("? New password for anna:");
  anna.does("join", "", "short");
  anna.sends("short").hears("! A password has at least 8 characters", "? New password for anna:");
  anna.does("join", "", "correct horse");
  anna.sends("correct horse").hears("? The same password again:");
  anna.does("join", "", "correct horse");
  anna.sends("correct horse").hears("* anna is registered: from now on the name needs your password", MENU);
  assert.equal(anna.m.phase.at, "menu");
  assert.match(anna.log.at(-1), /is registered/);
  anna.does("account", "unregister");
  anna.sends("/unregister").hears("? Password for anna:");
  anna.does("account", "cancel");
  anna.sends("/cancel").hears("* Nothing was changed", MENU);
  assert.equal(anna.m.phase.at, "menu");
});

test("who calls me by name in a room is heard, and nobody else", () => {
  const anna = Person.inRoom("tea").hears("ben: hi Anna", "ben: banana");
  assert.deepEqual(anna.m.place.entries.filter((entry) => entry.mention).map((entry) => entry.raw), ["hi Anna"]);
  anna.does("submit", "anna again");
  anna.hears("anna: anna again");
  anna.m.visible = false;
  anna.cues = [];
  anna.hears("ben: nobody").hears("ben: anna!");
  assert.deepEqual(anna.cues.filter(({ cue }) => cue === "attract").map(({ text }) => text), ["anna!"]);
  assert.ok(!Person.chatting().hears("ben: anna").m.place.entries.some((entry) => entry.mention));
});

test("after a decline the way back to the room is open", () => {
  const anna = Person.inRoom("tea");
  anna.does("ask", "ben", true);
  anna.hears("* You left tea", "* Asked ben, waiting").hears("* ben declined", MENU);
  assert.equal(anna.m.came, "tea");
  anna.sent = [];
  anna.does("enter", "tea");
  anna.sends("/join tea").hears("* You are now in tea with nobody else");
  assert.equal(anna.m.came, "");
  anna.does("leave");
  anna.hears("* You left tea", MENU);
  assert.equal(anna.m.came, "", "this time on purpose");
});
