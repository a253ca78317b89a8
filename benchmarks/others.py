"""
Minimal gossip servers on other libraries, used as their documentation shows it.

    python -m benchmarks.others LIBRARY PORT TLS-PORT CERTIFICATE KEY CREDENTIALS

They know one channel and two events, and keep nothing.
"""

from __future__ import annotations

import asyncio
import json
import re
import resource
import select
import socket
import ssl
import sys
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from gossip.transports.websocket.rfc6455 import switching_protocols, text_frame, unmask

Frame = dict[str, Any]


def answer(frame: Frame, secrets: dict[str, str]) -> Frame | None:
    """The answer to a frame, if it gets one."""
    match frame:
        case {"event": "authenticate", "payload": {"client_id": str(client_id), "client_secret": secret}}:
            if secrets.get(client_id) != secret:
                return {"event": "authenticate", "status": "failure", "error": "invalid credentials"}
            return {"event": "authenticate", "status": "success", "payload": {"unicode": "✔️", "version": "2.3.0"}}
        case {"event": "channels/send", "ref": ref}:
            return {"event": "channels/send", "ref": ref, "status": "success"}
    return None


def broadcast_of(frame: Frame) -> Frame:
    """What the other games hear of a C{channels/send}."""
    return {
        "event": "channels/broadcast",
        "ref": str(uuid.uuid4()),
        "payload": {"game": "Game1", **frame["payload"]},
    }


def serve_autobahn(ports: tuple[int, int], certificate: tuple[str, str], secrets: dict[str, str]) -> None:
    """Autobahn under Twisted."""
    from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
    from autobahn.websocket.compress import PerMessageDeflateOffer, PerMessageDeflateOfferAccept
    from twisted.internet import reactor as untyped_reactor
    from twisted.internet.ssl import DefaultOpenSSLContextFactory

    reactor: Any = untyped_reactor
    games: set[Any] = set()

    class Connection(WebSocketServerProtocol):
        """A game."""

        def onMessage(self, payload: bytes, isBinary: bool) -> None:
            frame = json.loads(payload)
            if frame["event"] == "channels/send":
                heard = broadcast_of(frame)
                for game in games:
                    if game is not self:
                        game.sendMessage(json.dumps(heard).encode())
            reply = answer(frame, secrets)
            if reply is not None:
                self.sendMessage(json.dumps(reply).encode())
                if reply["event"] == "authenticate" and reply["status"] == "success":
                    games.add(self)

        def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:
            games.discard(self)

    def accept(offers: list[Any]) -> Any:
        return next(
            (PerMessageDeflateOfferAccept(one) for one in offers if isinstance(one, PerMessageDeflateOffer)), None
        )

    factory: Any = WebSocketServerFactory()
    factory.protocol = Connection
    factory.setProtocolOptions(perMessageCompressionAccept=accept)
    reactor.listenTCP(ports[0], factory, interface="127.0.0.1", backlog=4096)
    context = DefaultOpenSSLContextFactory(certificate[1], certificate[0])
    reactor.listenSSL(ports[1], factory, context, interface="127.0.0.1", backlog=4096)
    reactor.run()


def serve_websockets(ports: tuple[int, int], certificate: tuple[str, str], secrets: dict[str, str]) -> None:
    """The library websockets under asyncio."""
    from websockets.asyncio.server import ServerConnection, broadcast, serve

    games: set[ServerConnection] = set()

    async def play(game: ServerConnection) -> None:
        try:
            async for text in game:
                frame = json.loads(text)
                if frame["event"] == "channels/send":
                    broadcast(games - {game}, json.dumps(broadcast_of(frame)))
                reply = answer(frame, secrets)
                if reply is not None:
                    await game.send(json.dumps(reply))
                    if reply["event"] == "authenticate" and reply["status"] == "success":
                        games.add(game)
        finally:
            games.discard(game)

    async def run() -> None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(*certificate)
        options: dict[str, Any] = {"backlog": 4096}
        async with (
            serve(play, "127.0.0.1", ports[0], **options),
            serve(play, "127.0.0.1", ports[1], ssl=context, **options),
        ):
            await asyncio.get_running_loop().create_future()

    asyncio.run(run())


def serve_python(ports: tuple[int, int], certificate: tuple[str, str], secrets: dict[str, str]) -> None:
    """
    A bare loop: epoll, and a C{send()} a game. No server in this language can do with less for a delivery.

    It believes that frames arrive whole, and that all that is sent fits: with this load it does.
    """
    listener = socket.create_server(("127.0.0.1", ports[0]), backlog=4096)
    listener.setblocking(False)
    poller = select.epoll()
    poller.register(listener, select.EPOLLIN)
    connections: dict[int, socket.socket] = {}
    upgraded: set[int] = set()
    games: dict[int, Callable[[bytes], int]] = {}

    def accept() -> None:
        with suppress(BlockingIOError):
            while True:
                connection, _ = listener.accept()
                connection.setblocking(False)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                connections[connection.fileno()] = connection
                poller.register(connection, select.EPOLLIN)

    def hear(number: int, data: bytes) -> None:
        send = connections[number].send
        if number not in upgraded:
            key = re.search(rb"(?i)sec-websocket-key: *([^\r]+)", data)
            send(switching_protocols(key[1] if key else b""))
            upgraded.add(number)
            return
        while data:
            size, head = data[1] & 0x7F, 2
            if size == 126:
                size, head = int.from_bytes(data[2:4], "big"), 4
            end = head + 4 + size
            frame = json.loads(unmask(data[head : head + 4], data[head + 4 : end]))
            data = data[end:]
            if frame["event"] == "channels/send":
                heard = text_frame(json.dumps(broadcast_of(frame)).encode())
                for other, deliver in games.items():
                    if other != number:
                        deliver(heard)
            reply = answer(frame, secrets)
            if reply is not None:
                send(text_frame(json.dumps(reply).encode()))
                if reply["event"] == "authenticate" and reply["status"] == "success":
                    games[number] = send

    while True:
        for number, _ in poller.poll():
            if number == listener.fileno():
                accept()
                continue
            try:
                data = connections[number].recv(65536)
            except ConnectionError:
                data = b""
            if data:
                hear(number, data)
            else:
                games.pop(number, None)
                upgraded.discard(number)
                connections.pop(number).close()


def main(arguments: list[str]) -> None:
    """Serve until the process is ended."""
    library, port, tls_port, certificate, key, credentials = arguments
    secrets = dict(line.split() for line in Path(credentials).read_text().splitlines())
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    serve = {"autobahn": serve_autobahn, "python": serve_python, "websockets": serve_websockets}[library]
    serve((int(port), int(tls_port)), (certificate, key), secrets)


if __name__ == "__main__":
    main(sys.argv[1:])
