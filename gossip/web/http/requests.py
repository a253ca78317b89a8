"""Shared by the public site and the admin API: bounded requests, and answers with the usual headers."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from io import BytesIO
from typing import Any, Final

import msgspec
from twisted.internet.interfaces import IHalfCloseableProtocol, IReactorTime
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from twisted.web import http, server
from twisted.web.resource import IResource, Resource
from zope.interface import implementer

from gossip.protocol.http import split_target
from gossip.registry.addresses import Address, read

IDLE_SECONDS: Final = 30
"""How long a connection can be idle while no request is being answered, in seconds."""

HALF_CLOSED_SECONDS: Final = 10
"""How long an answer may take when the client has ended its side of the connection, in seconds."""

FORM_BYTES: Final = 64 * 1024
"""The maximum size of a form, in bytes."""

UNPROCESSABLE: Final = 422
"""The status of the answer to a form with mistakes (RFC 9110, section 15.5.21)."""

TOO_MANY: Final = 429
"""The status of the answer to too many requests (RFC 6585, section 4)."""

REASONS: Final = {**http.RESPONSES, UNPROCESSABLE: b"Unprocessable Content", TOO_MANY: b"Too Many Requests"}
"""The reason phrases of status codes, with two that Twisted does not have."""

_HOST: Final = re.compile(rb"(?:[A-Za-z0-9._~!$&'()*+,;=%-]*|\[[0-9A-Fa-fv:.]+\])(?::[0-9]*)?")
"""A valid Host header (RFC 9110, section 7.2)."""

_ETAG: Final = re.compile(rb'"[^"]*"')
_DRAINED: Final = 1024 * 1024
_HEADERS: Final = (
    # Twisted's own header would reveal its version.
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


def own_address(request: server.Request) -> Address:
    """The address at the other end of the connection of a request: of a proxy, if there is one."""
    return read(getattr(request.getClientAddress(), "host", None))


class BoundedRequest(server.Request):
    """
    A request whose body is bounded and stays in memory.

    @cvar most: the maximum size of the body, in bytes.
    @ivar is_whole: whether all of it has arrived.
    """

    most = 0
    is_whole = False
    _size = 0
    _good_host = True

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:
        hosts = self.requestHeaders.getRawHeaders(b"host") or []
        self._good_host = (len(hosts) == 1 or (not hosts and version == b"HTTP/1.0")) and all(
            map(_HOST.fullmatch, hosts)
        )
        path, host = split_target(path)
        if host is not None:
            self._good_host = self._good_host and _HOST.fullmatch(host) is not None
            self.requestHeaders.setRawHeaders(b"host", [host])  # RFC 9112, section 3.2.2
        super().requestReceived(command, path, version)

    def gotLength(self, length: int | None) -> None:
        # For a long body, Twisted would open a temporary file.
        self.content = BytesIO()

    def handleContentChunk(self, data: bytes) -> None:
        self._size += len(data)
        if self._size <= self.most:
            super().handleContentChunk(data)
        elif self._size > _DRAINED:
            # Up to this size the rest is read and dropped: a client that is still writing does not read the answer.
            self.loseConnection()

    def process(self) -> None:
        self.is_whole = True
        if self.path == b"*":
            # Twisted would answer this one itself, without our headers.
            self.path = b"/*"
        super().process()

    def write(self, data: bytes) -> None:
        if self.code == http.NOT_MODIFIED:
            # A browser would take it for the length of its cached body.
            self.responseHeaders.removeHeader(b"Content-Length")
        super().write(data)

    @property
    def bad_host(self) -> bool:
        """Whether the request has an invalid Host header, more than one, or none although its version needs one."""
        return not self._good_host

    @property
    def encrypted(self) -> bool:
        """Whether the connection to the browser is encrypted, here or at a proxy."""
        return bool(self.isSecure()) or self.getHeader(b"x-forwarded-proto") == b"https"

    @property
    def has_body(self) -> bool:
        """Whether the request has a body, even one that was dropped."""
        return self._size > 0

    @property
    def too_long(self) -> bool:
        """Whether the body exceeds the maximum size. If so, it was dropped."""
        return self._size > self.most


class PublicRequest(BoundedRequest):
    """
    The only request of its connection.

    A proxy that reuses a connection could send a game's upgrade request after a page, and this site has no socket.

    @ivar form_secret: the secret of the form tokens in the answer, if nobody is signed in and no cookie has one yet.
    @ivar form_nonce: what tells the forms of the page in the answer from those of other pages; empty if it has none.
    """

    most = FORM_BYTES
    form_secret = ""
    form_nonce = ""

    def process(self) -> None:
        self.channel.persistent = False
        self.setHeader(b"Connection", b"close")
        super().process()


class _BadHost(Resource):
    """Answers what L{BoundedRequest.bad_host} is about (RFC 9112, section 3.2)."""

    isLeaf = True

    def render(self, request: server.Request) -> bytes:
        return answer_text(request, "The request must have one valid Host header.", http.BAD_REQUEST)


@implementer(IHalfCloseableProtocol)
class BoundedChannel(http.HTTPChannel):
    """A connection of HTTP/1.1. If the client ends its side, what it asked is still answered."""

    _ending = False

    def readConnectionLost(self) -> None:
        # An answer that has begun is a stream, and would never end.
        if any(request.is_whole and not request.startedWriting for request in self.requests):
            self.setTimeout(HALF_CLOSED_SECONDS)
        else:
            self.loseConnection()

    def writeConnectionLost(self) -> None:
        pass

    def loseConnection(self) -> Any:
        if not self._ending:
            self._ending = True
            # A reader that does not take the rest of its answer would keep the connection for ever.
            self.setTimeout(IDLE_SECONDS)
        return super().loseConnection()

    def timeoutConnection(self) -> None:
        if self._ending:
            self.forceAbortClient()
        else:
            super().timeoutConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._ending = True
        super().connectionLost(reason)


class BoundedSite(server.Site):
    """A site that adds security headers to every answer."""

    noisy = False
    # Twisted's own would switch to HTTP/2.
    protocol: Any = BoundedChannel

    def __init__(self, resource: IResource, clock: IReactorTime, request: type[BoundedRequest]) -> None:
        """
        @param request: the class of the requests; it has the maximum size of their bodies.
        """
        super().__init__(resource, request, timeout=IDLE_SECONDS, reactor=clock, parsePOSTFormSubmission=False)

    def log(self, request: http.Request) -> None:
        """No access log: a proxy can write one, and health checks would drown everything else."""

    def getResourceFor(self, request: server.Request) -> Any:
        for name, value in _HEADERS:
            request.setHeader(name, value)
        if isinstance(request, BoundedRequest) and request.bad_host:
            return _BadHost()
        return super().getResourceFor(request)


def bearer(request: server.Request) -> str | None:
    """The token that a request shows (RFC 6750); C{None} if it shows none."""
    kind, _, secret = (request.getHeader(b"authorization") or b"").strip().partition(b" ")
    return secret.strip().decode("ascii", "replace") if kind.lower() == b"bearer" else None


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
    request: server.Request,
    body: bytes,
    content_type: bytes,
    seconds: int,
    scope: bytes = b"public",
    digest: str | None = None,
) -> bytes:
    """
    Prepare an answer that a browser can cache, and afterwards validates with its ETag.

    @param seconds: for how long it can be used without asking.
    @param digest: the SHA-256 of the body or its parts, in hexadecimal, if it is known already.
    @return: the body; empty if the browser has it already.
    """
    answer(request, body, content_type)
    request.setHeader(b"Cache-Control", scope + b", max-age=%d" % seconds)
    etag = b'"%s"' % (digest or hashlib.sha256(body).hexdigest())[:20].encode()
    request.setHeader(b"ETag", etag)
    # Twisted handles only a single ETag, and not the weak form that a compressing proxy makes of it.
    known = request.getHeader(b"if-none-match") or b""
    if known.strip() != b"*" and etag not in _ETAG.findall(known):
        return body
    request.setResponseCode(http.NOT_MODIFIED)
    return b""


def answer_json(request: server.Request, result: Any, code: int = http.OK) -> bytes:
    """Prepare an answer in JSON."""
    return answer(request, msgspec.json.encode(result) + b"\n", b"application/json", code)


def answer_text(request: server.Request, text: str, code: int, headers: Mapping[bytes, bytes] = {}) -> bytes:
    """Prepare an answer in plain text."""
    return answer(request, text.encode() + b"\n", b"text/plain; charset=utf-8", code, headers)
