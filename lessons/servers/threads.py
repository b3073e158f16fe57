"""A thread for each client, and one lock for everything. README.md says what fails."""

import socket
import sys
import threading

from chat import Chat

lock = threading.Lock()
# sendall waits for a client that does not read. It waits with the lock in its hand.
chat = Chat(
    lambda client, text: client.sendall(f"{text}\r\n".encode()),
    lambda client: client.shutdown(socket.SHUT_RDWR),
)


def serve(client):
    with lock:
        chat.connect(client)
    try:
        for line in client.makefile("r", encoding="utf-8", newline="\n"):
            with lock:
                chat.line(client, line.rstrip("\r\n"))
    except (OSError, ValueError, KeyError):
        pass
    with lock:
        chat.gone(client)
    client.close()


listener = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=512)
while True:
    client, _ = listener.accept()
    threading.Thread(target=serve, args=(client,), daemon=True).start()
