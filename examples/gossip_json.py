"""
A game on the gossip network, by the JSON dialect of the telnet port: the events of the websocket, one on each line.

    python gossip_json.py HOST PORT CLIENT_ID CLIENT_SECRET

It sends the lines of its standard input (C{player text}) and prints messages. It needs only the standard library.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any


class Game:
    """One connection to the network."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.players: list[str] = []

    def send(self, event: str, payload: dict[str, Any], **more: Any) -> None:
        """Send an event."""
        self._writer.write(json.dumps({"event": event, "payload": payload, **more}).encode() + b"\n")

    async def hear(self) -> None:
        """Read events until the connection ends."""
        while line := await self._reader.readline():
            if not line.startswith(b"{"):
                continue  # the first line is for people and for telnet
            heard = json.loads(line)
            payload = heard.get("payload", {})
            if heard.get("status") == "failure":
                print(f"refused: {heard['event']}: {heard['error']}", flush=True)
                continue
            match heard["event"]:
                case "authenticate":
                    print("joined; type the name of a player and a text, for example: Ana hello", flush=True)
                case "heartbeat":
                    self.send("heartbeat", {"players": self.players})
                case "channels/broadcast":
                    print(f"[{payload['channel']}] {shown(**payload)}", flush=True)
                case "close":
                    print(f"closed: {payload['code']} {payload['reason']}", flush=True)
        print("the connection has ended", flush=True)

    async def say(self, lines: asyncio.StreamReader) -> None:
        """Send each line that is read."""
        number = 0
        while line := (await lines.readline()).decode():
            name, _, message = line.strip().partition(" ")
            number += 1
            payload = {"channel": "gossip", "name": name, "message": message}
            self.send("channels/send", payload, ref=str(number))


def shown(name: str, game: str, message: str, **more: Any) -> str:
    """What players see of a message: ``/me waves`` says what somebody does."""
    if message.startswith("/me "):
        return f"* {name}@{game} {message.removeprefix('/me ')}"
    return f"{name}@{game}: {message}"


async def main(host: str, port: str, client_id: str, client_secret: str) -> None:
    """Join, and talk."""
    try:
        # A line can have 64 KiB.
        game = Game(*await asyncio.open_connection(host, int(port), limit=128 * 1024))
    except OSError as error:
        raise OSError(f"cannot connect to {host} {port}: {error.strerror or error}") from None
    credentials = {"client_id": client_id, "client_secret": client_secret}
    supports = {"supports": ["channels", "players"], "channels": ["gossip"], "user_agent": "gossip_json.py"}
    game.send("authenticate", {**credentials, **supports})
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    talking = asyncio.create_task(game.say(lines))
    await game.hear()
    talking.cancel()


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit("usage: python gossip_json.py HOST PORT CLIENT_ID CLIENT_SECRET")
    try:
        asyncio.run(main(*sys.argv[1:]))
    except (OSError, ValueError) as error:
        sys.exit(f"gossip_json.py: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
