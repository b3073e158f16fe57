"""One thread that asks every socket in turn, with dictionaries. README.md says what fails."""

import socket
import sys

from chat import Chat

buffers = {}  # client -> bytes of a line whose end has not come


def send(client, text):
    try:
        # The kernel may take less than everything, or nothing. Nobody looks.
        client.send(f"{text}\r\n".encode())
    except OSError:
        pass


def close(client):
    buffers.pop(client, None)
    client.close()


chat = Chat(send, close)
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=512)
listener.setblocking(False)
while True:
    try:
        client, _ = listener.accept()
        client.setblocking(False)
        buffers[client] = b""
        chat.connect(client)
    except BlockingIOError:
        pass
    for client in list(buffers):
        try:
            data = client.recv(4096)
        except BlockingIOError:
            continue
        except OSError:
            data = b""
        if not data:
            chat.gone(client)
            close(client)
            continue
        *lines, buffers[client] = (buffers[client] + data).split(b"\n")
        for line in lines:
            if client in buffers:
                chat.line(client, line.decode(errors="replace").rstrip("\r"))
