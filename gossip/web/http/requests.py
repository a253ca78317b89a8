"""What the public site and the admin API share: bounded requests, and answers with the headers that belong to each."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from io import BytesIO
from typing import Any, Final

import msgspec
from twisted.internet.interfaces import IReactorTime
from twisted.web import http, server
from twisted.web.resource import IResource

IDLE_SECONDS: Final = 30
"""How long a connection may be idle while no request is being answered."""

FORM_BYTES: Final = 64 * 1024
"""How many bytes a form may bring."""

UNPROCESSABLE: Final = 422
"""The answer to a form that was filled in wrongly (RFC 9110, section 15.5.21)."""

TOO_MANY: Final = 429
"""The answer to who comes too often (RFC 6585, section 4)."""

REASONS: Final = {**http.RESPONSES, UNPROCESSABLE: b"Unprocessable Content", TOO_MANY: b"Too Many Requests"}
"""What the codes of answers mean, with those that Twisted does not know."""

_ETAG: Final = re.compile(rb'"[^"]*"')
_DRAINED: Final = 1024 * 1024
_HEADERS: Final = (
    # Twisted's own header tells its version, which is nobody's business.
    (b"Server", b"gossip"),
    (b"X-Content-Type-Options", b"nosniff"),
    (b"X-Frame-Options", b"DENY"),
    (b"Referrer-Policy", b"no-referrer"),
    (
        b"Content-Security-Policy",
        b"default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    ),
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

    def write(self, data: bytes) -> None:
        if self.code == http.NOT_MODIFIED:
            # It would be taken for the length of what the browser has.
            self.responseHeaders.removeHeader(b"Content-Length")
        super().write(data)

    @property
    def has_body(self) -> bool:
        """Did a body come with it, even if it was not kept?"""
        return self._size > 0

    @property
    def too_long(self) -> bool:
        """Is the body longer than it may be? Then it is not there."""
        return self._size > self.most


class PublicRequest(BoundedRequest):
    """
    The only request of its connection.

    A proxy that uses a connection again may send a game's upgrade after a page, and here it would find no socket.

    @ivar form_secret: what the forms of the answer are known again by, where nobody is signed in.
    """

    most = FORM_BYTES
    form_secret = ""

    def process(self) -> None:
        self.channel.persistent = False
        self.setHeader(b"Connection", b"close")
        super().process()


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
    request.setResponseCode(code, REASONS.get(code))
    request.setHeader(b"Content-Type", content_type)
    for name, value in headers.items():
        request.setHeader(name, value)
    return body


def answer_cached(
    request: server.Request, body: bytes, content_type: bytes, seconds: int, scope: bytes = b"public"
) -> bytes:
    """
    Prepare an answer that a browser may keep for some seconds, and then asks for again only if it has changed.

    @return: the body; nothing if the browser has it.
    """
    answer(request, body, content_type)
    request.setHeader(b"Cache-Control", scope + b", max-age=%d" % seconds)
    etag = b'"%s"' % hashlib.sha256(body).hexdigest()[:20].encode()
    request.setHeader(b"ETag", etag)
    # Twisted knows only a single one, and not in the form in which a proxy that compresses writes it.
    known = request.getHeader(b"if-none-match") or b""
    if known.strip() != b"*" and etag not in _ETAG.findall(known):
        return body
    request.setResponseCode(http.NOT_MODIFIED)
    return b""


def answer_json(request: server.Request, result: Any, code: int = http.OK) -> bytes:
    """Prepare an answer in JSON."""
    return answer(request, msgspec.json.encode(result) + b"\n", b"application/json", code)


def answer_text(request: server.Request, text: str, code: int, headers: Mapping[bytes, bytes] = {}) -> bytes:
    """Prepare an answer in plain words."""
    return answer(request, text.encode() + b"\n", b"text/plain; charset=utf-8", code, headers)
