"""What the public site and the admin API share: bounded requests, and answers with the headers that belong to each."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from typing import Any, Final

import msgspec
from twisted.internet.interfaces import IReactorTime
from twisted.web import http, server
from twisted.web.resource import IResource

IDLE_SECONDS: Final = 30
"""How long a connection may be idle while no request is being answered."""

_DRAINED: Final = 1024 * 1024
_HEADERS: Final = (
    # Twisted's own header tells its version, which is nobody's business.
    (b"Server", b"gossip"),
    (b"X-Content-Type-Options", b"nosniff"),
    (b"X-Frame-Options", b"DENY"),
    (b"Referrer-Policy", b"no-referrer"),
    (b"Content-Security-Policy", b"default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'"),
    (b"Cache-Control", b"no-store"),
)


class BoundedRequest(server.Request):
    """
    A request whose body is bounded, and stays in memory.

    @cvar most: how many bytes the body may have.
    """

    most = 0
    _size = 0

    def gotLength(self, length: int | None) -> None:
        # Twisted would open a temporary file for what says it is long.
        self.content = BytesIO()

    def handleContentChunk(self, data: bytes) -> None:
        self._size += len(data)
        if self._size <= self.most:
            super().handleContentChunk(data)
        elif self._size > _DRAINED:
            # Up to here it was read and forgotten, since who still writes would not read the answer.
            self.loseConnection()

    def process(self) -> None:
        if self.path == b"*":
            # Twisted answers this one by itself, without our headers.
            self.path = b"/*"
        super().process()

    @property
    def too_long(self) -> bool:
        """Is the body longer than it may be? Then it is not there."""
        return self._size > self.most


class BoundedSite(server.Site):
    """A site whose every answer has the headers that keep browsers out of trouble."""

    noisy = False

    def __init__(self, resource: IResource, clock: IReactorTime, request: type[BoundedRequest]) -> None:
        """
        @param request: with the bound for the bodies.
        """
        super().__init__(resource, request, timeout=IDLE_SECONDS, reactor=clock, parsePOSTFormSubmission=False)

    def log(self, request: http.Request) -> None:
        """No access log: who wants one has it from the proxy in front, and health checks would drown all else."""

    def getResourceFor(self, request: server.Request) -> Any:
        for name, value in _HEADERS:
            request.setHeader(name, value)
        return super().getResourceFor(request)

    def acceptableProtocols(self) -> list[bytes]:
        # Not HTTP/2, even where its library is installed.
        return [b"http/1.1"]


def answer(
    request: server.Request, body: bytes, content_type: bytes, code: int = http.OK, headers: Mapping[bytes, bytes] = {}
) -> bytes:
    """
    Prepare the answer to a request.

    @return: the body, as C{render} returns it.
    """
    request.setResponseCode(code)
    request.setHeader(b"Content-Type", content_type)
    for name, value in headers.items():
        request.setHeader(name, value)
    return body


def answer_json(request: server.Request, result: Any, code: int = http.OK) -> bytes:
    """Prepare an answer in JSON."""
    return answer(request, msgspec.json.encode(result) + b"\n", b"application/json", code)


def answer_text(request: server.Request, text: str, code: int, headers: Mapping[bytes, bytes] = {}) -> bytes:
    """Prepare an answer in plain words."""
    return answer(request, text.encode() + b"\n", b"text/plain; charset=utf-8", code, headers)
