"""A large answer that many readers share: each gets it a chunk at a time, and no faster than it reads."""

from __future__ import annotations

from typing import Final

from twisted.internet.interfaces import IPushProducer
from twisted.web.server import Request
from zope.interface import implementer

LARGE: Final = 256 * 1024
"""A body with more bytes than this is sent in chunks. Twisted would copy it for each reader that does not keep up."""

CHUNK: Final = 64 * 1024
"""How much is sent at once, in bytes."""

SLOWEST: Final = 32 * 1024
"""A reader that takes fewer bytes a second is cut off: it keeps the answer in memory after others have a newer one."""

SPARE_SECONDS: Final = 30
"""How much longer than that it may take, in seconds."""


@implementer(IPushProducer)
class LargeBody:
    """Sends a body to one reader."""

    def __init__(self, request: Request, body: bytes) -> None:
        """
        @param request: its headers are complete but for the length.
        """
        self._request = request
        self._body = body
        self._sent = 0
        self._paused = self._ended = False

    def start(self) -> None:
        """Begin to send."""
        request = self._request
        request.setHeader(b"Content-Length", b"%d" % len(self._body))
        request.notifyFinish().addErrback(self._stop)
        request.channel.setTimeout(SPARE_SECONDS + len(self._body) // SLOWEST)
        request.registerProducer(self, True)
        self.resumeProducing()

    def resumeProducing(self) -> None:
        self._paused = False
        while not self._paused and not self._ended:
            chunk = self._body[self._sent : self._sent + CHUNK]
            self._sent += len(chunk)
            if chunk:
                self._request.write(chunk)
            else:
                self._request.unregisterProducer()
                self._stop()
                self._request.finish()

    def pauseProducing(self) -> None:
        self._paused = True

    def stopProducing(self) -> None:
        self._stop()

    def _stop(self, _result: object = None) -> None:
        self._ended = True
        self._body = b""
