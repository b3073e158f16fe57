"""Plays two users with the Python package `websockets`, which checks every byte of the server.

Usage: websockets_client.py HOST:PORT
"""

import asyncio
import sys

import websockets

HERE = sys.argv[1]
DEADLINE_S = 20


# Lines that a socket has read and nobody has looked at.
unread = {}


async def read_until(socket, start):
    """Reads messages until a line begins with `start`; each message is whole lines."""
    lines = unread.setdefault(socket, [])
    while True:
        while lines:
            line = lines.pop(0)
            if line.startswith(start):
                return line
        message = await asyncio.wait_for(socket.recv(), DEADLINE_S)
        assert isinstance(message, str), f"a binary message: {message!r}"
        assert message.endswith("\r\n"), f"half a line: {message!r}"
        lines.extend(message.split("\r\n")[:-1])


async def join(name):
    socket = await websockets.connect(
        f"ws://{HERE}/chat", origin=f"http://{HERE}", subprotocols=["chinwag"]
    )
    assert socket.subprotocol == "chinwag", socket.subprotocol
    await read_until(socket, "? Username:")
    await socket.send(name)
    await read_until(socket, f"* Hello, {name}")
    return socket


async def closes_with(socket, code):
    try:
        while True:
            await asyncio.wait_for(socket.recv(), DEADLINE_S)
    except websockets.ConnectionClosed:
        assert socket.close_code == code, (socket.close_code, code)


async def main():
    anna, ben = await join("anna"), await join("ben")
    await anna.send("2 ben")
    await read_until(ben, "? anna wants to chat")
    await ben.send("yes")
    await read_until(anna, "* You are now chatting")
    await anna.send(["grü", "ße ", "", "🙂"])
    assert await read_until(ben, "anna: ") == "anna: grüße 🙂"
    await ben.send("\n".join(f"line {n}" for n in range(1000)))
    for n in range(1000):
        assert await read_until(anna, "ben: ") == f"ben: line {n}"
    pong = await anna.ping(b"x" * 125)
    await asyncio.wait_for(pong, DEADLINE_S)
    await anna.close(code=4000, reason="going")
    assert anna.close_code == 4000, anna.close_code
    await read_until(ben, "* anna left")
    await ben.send("3")
    await closes_with(ben, 1000)
    carl = await join("carl")
    await carl.send(b"binary")
    await closes_with(carl, 1003)
    dora = await join("dora")
    await dora.send("x" * 70_000)
    await closes_with(dora, 1009)
    try:
        await websockets.connect(f"ws://{HERE}/chat", origin="http://evil.example")
        raise AssertionError("a foreign page is let in")
    except websockets.InvalidHandshake as refused:
        assert "403" in str(refused), refused


asyncio.run(main())
