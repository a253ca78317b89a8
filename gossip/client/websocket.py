"""Connects to a network by websocket (RFC 6455), with Autobahn."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

from autobahn.twisted.websocket import WebSocketClientFactory, WebSocketClientProtocol
from twisted.internet import ssl
from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS
from twisted.python.failure import Failure

OPEN_SECONDS: Final = 10
"""How long the handshake may take, in seconds."""

CLOSE_SECONDS: Final = 1
"""How long the network may take to answer a close frame, in seconds."""

FRAME_BYTES: Final = 1024 * 1024
"""The maximum size of a message from the network, in bytes."""

Send = Callable[[bytes], None]
"""Sends a text frame."""

Connect = Callable[[Callable[[Send], None], Callable[[bytes], None], Callable[[int | None, str], None]], "Link"]
"""
Connects. It calls the first function once the connection is open, the second for each text frame, and the third exactly
once, when the connection has ended or could not be made: with the close code and the reason.
"""


class Link(Protocol):
    """A connection, or the attempt at one."""

    def close(self) -> None:
        """End it, once what was sent is out."""


def websocket(reactor: Any, url: str) -> Connect:
    """
    Make the function that connects to a websocket URL. Certificates are verified.

    @raise ValueError: it is not the URL of a websocket.
    """
    where = endpoint(reactor, url)

    def connect(
        opened: Callable[[Send], None], received: Callable[[bytes], None], closed: Callable[[int | None, str], None]
    ) -> Link:
        factory = ClientFactory(url, opened, received, closed)
        where.connect(factory).addErrback(lambda failure: closed(None, _why(failure)))
        return factory

    return connect


def _why(failure: Failure) -> str:
    """Why a connection could not be made: as the system says it, or else as Twisted does."""
    number = getattr(failure.value, "osError", None)
    return os.strerror(number) if isinstance(number, int) else failure.getErrorMessage().rstrip(".")


def endpoint(reactor: Any, url: str) -> Any:
    """
    Make the endpoint that a websocket URL leads to. Certificates are verified.

    @raise ValueError: it is not the URL of a websocket.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("ws", "wss") or not parts.hostname:
        raise ValueError(f"{url} is no address like wss://mud.example/socket")
    secure = parts.scheme == "wss"
    plain = HostnameEndpoint(reactor, parts.hostname, parts.port or (443 if secure else 80))
    return wrapClientTLS(ssl.optionsForClientTLS(parts.hostname), plain) if secure else plain


class ClientConnection(WebSocketClientProtocol):
    """One websocket to a network."""

    factory: ClientFactory

    def onOpen(self) -> None:
        self.factory.connection = self
        self.factory.opened(self.send_text)

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        if not isBinary:
            self.factory.received(payload)

    def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:
        self.factory.closed(code, reason or "")

    def send_text(self, frame: bytes) -> None:
        """Send a text frame. Nothing is sent once the connection is closing."""
        if self.state == self.STATE_OPEN:
            self.sendMessage(frame)


class ClientFactory(WebSocketClientFactory):
    """Makes one connection to a websocket URL, and tells how it goes."""

    noisy = False
    protocol: Any = ClientConnection
    connection: ClientConnection | None = None

    def __init__(
        self,
        url: str,
        opened: Callable[[Send], None],
        received: Callable[[bytes], None],
        closed: Callable[[int | None, str], None],
    ) -> None:
        """
        @param opened: is called with the function that sends a text frame.
        @param received: is called with each text frame.
        @param closed: is called with the close code and the reason, once, however the connection ends.
        """
        super().__init__(url, useragent="gossip")
        self.opened, self.received, self.closed = opened, received, closed
        self.setProtocolOptions(
            maxMessagePayloadSize=FRAME_BYTES,
            failByDrop=False,
            openHandshakeTimeout=OPEN_SECONDS,
            closeHandshakeTimeout=CLOSE_SECONDS,
            # The network finds dead games by its heartbeats; these pings find a dead network.
            autoPingInterval=30,
            autoPingTimeout=20,
        )

    def close(self) -> None:
        """End the connection, once what was sent is out."""
        if self.connection is not None:
            self.connection.sendClose(1000)
