// The lines that were sent and are not answered yet. Pure. The server answers in order: one answer
// says that all lines before were processed.

/// While one of these waits no text is sent: the wrong people could read it.
const MOVES = ["name", "secret", "ask", "yes", "no", "withdraw", "leave", "exit", "enter"];
const TEXTS = ["say", "tell"];
/// After this time a command gets no answer: the end of a chat swallowed it (4.1.5).
const FORGET_MS = 15_000;

export class Waiting {
	items = [];

	add(kind, now, more) {
		this.items.push({ kind, sent: now, ...more });
	}

	find(...kinds) {
		return this.items.find((item) => kinds.includes(item.kind));
	}

	settle(...kinds) {
		const found = this.find(...kinds), at = this.items.indexOf(found);
		// The lines of a room come on a way of their own.
		const open = ({ kind }, n) => n > at || (n < at && (kind === "say" || found.kind === "say"));
		if (found) this.items = this.items.filter(open);
		return found;
	}

	/// A line was refused. In a chat or a room that was no text.
	refuse(talking) {
		const item = this.items.find(({ kind }) => !talking || !TEXTS.includes(kind)) ?? {};
		this.settle(item.kind);
		return item;
	}

	get moving() {
		return this.find(...MOVES);
	}

	expire(now) {
		this.items = this.items.filter(({ kind, sent }) => TEXTS.includes(kind) || now - sent < FORGET_MS);
	}

	/// Takes lines out, and returns the texts among them.
	drop(number = Infinity) {
		return this.items.splice(0, number).filter((item) => TEXTS.includes(item.kind));
	}
}
