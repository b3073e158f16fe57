// The lines that were sent and are not answered yet, in their order. Pure.
//
// The server answers in order: an answer to one line says that all lines before it were processed.
// A text that is still here when the connection is lost may not have arrived.

/// Lines that change the state. While one of them waits nothing else is sent: a text could reach
/// people for whom it was not meant.
const MOVES = ["name", "ask", "yes", "no", "withdraw", "leave", "exit", "enter"];
/// Texts. A room repeats a text; a chat says nothing.
const TEXTS = ["say", "tell"];
/// After this time a command gets no answer any more: the end of a chat swallowed it (4.1.5).
const FORGET_MS = 15_000;

export class Waiting {
  items = [];

  add(kind, now, more) {
    this.items.push({ kind, sent: now, ...more });
  }

  /// The first line of one of `kinds` is answered. Returns it, or undefined.
  settle(...kinds) {
    return this.settleWhere((item) => kinds.includes(item.kind));
  }

  settleWhere(test) {
    const found = this.items.find(test);
    // Lines of a room come on a way of their own. They say nothing about answers, nor answers about them.
    const open = (item, n) => n > at || (n < at && (item.kind === "say" || found.kind === "say"));
    const at = this.items.indexOf(found);
    if (found) this.items = this.items.filter(open);
    return found;
  }

  /// A line was refused. In a chat or a room that was no text.
  refuse(talking) {
    return this.settleWhere((item) => !talking || !TEXTS.includes(item.kind));
  }

  has(...kinds) {
    return this.items.some((item) => kinds.includes(item.kind));
  }

  get moving() {
    return this.has(...MOVES);
  }

  expire(now) {
    this.items = this.items.filter((item) => TEXTS.includes(item.kind) || now - item.sent < FORGET_MS);
  }

  /// Takes the first `number` lines out, and returns the texts among them.
  drop(number = Infinity) {
    return this.items.splice(0, number).filter((item) => TEXTS.includes(item.kind));
  }
}
