"""The chat of the three servers in this folder: names, list, ask, yes and no, chat, quit, exit.

It does no input or output. A server calls connect, line and gone, and gives it two functions: send
a line to a client, and close a client.
"""

import re

MENU = "? 1 list users, 2 request chat, 3 exit"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,19}")


class Chat:
    def __init__(self, send, close):
        self.send, self.close = send, close
        self.names = {}  # client -> name
        self.state = {}  # client -> (state, other client)

    def connect(self, client):
        self.state[client] = ("naming", None)
        self.send(client, "* Welcome to a small chat")
        self.send(client, "? Username:")

    def line(self, client, text):
        state, other = self.state[client]
        word = text.strip()
        if state == "chatting":
            if word == "quit":
                self.send(client, f"* You left the chat with {self.names[other]}")
                self.part(client, other)
            else:
                self.send(other, f"{self.names[client]}: {text}")
        elif word.lower() in ("exit", "3"):
            self.send(client, "* Goodbye")
            self.gone(client)
            self.close(client)
        elif state == "naming":
            self.name(client, word)
        elif state == "asking":
            if word == "cancel":
                self.send(client, "* You withdrew your request")
                self.send(other, f"* {self.names[client]} withdrew the request")
                self.menu(client)
                self.menu(other)
            else:
                self.send(client, "! You are waiting; cancel withdraws")
        elif state == "asked":
            self.answer(client, other, word)
        elif word == "1":
            self.list(client)
        elif word.startswith("2 "):
            self.ask(client, word[2:].strip())
        else:
            self.send(client, "! Unknown choice")
            self.menu(client)

    def name(self, client, name):
        used = {used.lower() for used in self.names.values()}
        if not NAME.fullmatch(name) or name.lower() in used:
            self.send(client, "! This name is taken or malformed")
            self.send(client, "? Username:")
            return
        self.names[client] = name
        self.send(client, f"* Hello, {name}")
        self.menu(client)

    def list(self, client):
        self.send(client, f"* {len(self.names)} users online")
        for other in sorted(self.names, key=lambda other: self.names[other].lower()):
            self.send(client, f"- {self.names[other]} {self.state[other][0]}")
        self.menu(client)

    def ask(self, client, name):
        other = next((c for c, n in self.names.items() if n.lower() == name.lower()), None)
        if other in (None, client) or self.state[other][0] != "menu":
            self.send(client, f"! {name} cannot be asked")
            self.menu(client)
            return
        self.state[client], self.state[other] = ("asking", other), ("asked", client)
        self.send(client, f"* Asked {self.names[other]}, waiting for an answer")
        self.send(other, f"? {self.names[client]} wants to chat. Accept? yes or no")

    def answer(self, client, asker, word):
        if word == "yes":
            self.state[client], self.state[asker] = ("chatting", asker), ("chatting", client)
            self.send(asker, f"* {self.names[client]} accepted")
            self.send(asker, f"* You are now chatting with {self.names[client]}")
            self.send(client, f"* You are now chatting with {self.names[asker]}")
        elif word == "no":
            self.send(asker, f"* {self.names[client]} declined")
            self.send(client, f"* You declined {self.names[asker]}")
            self.menu(asker)
            self.menu(client)
        else:
            self.send(client, "! Answer first: yes or no")

    def part(self, client, other):
        self.send(other, f"* {self.names[client]} left")
        self.menu(client)
        self.menu(other)

    def menu(self, client):
        self.state[client] = ("menu", None)
        self.send(client, MENU)

    def gone(self, client):
        """The client has left, by choice or not."""
        state, other = self.state.pop(client, (None, None))
        if other is not None:
            self.send(other, f"* {self.names[client]} left")
            self.menu(other)
        self.names.pop(client, None)
