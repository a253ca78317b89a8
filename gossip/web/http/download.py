"""An answer that is a file: read in a thread, a chunk at a time, and no faster than the reader takes it."""

from __future__ import annotations

import os
from typing import BinaryIO, Final

from twisted.internet.interfaces import IPushProducer
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.server import Request
from zope.interface import implementer

from gossip.operations.interfaces import InThread

CHUNK: Final = 64 * 1024
"""How much of the file is read at once, in bytes."""


@implementer(IPushProducer)
class Download:
    """
    Sends a file to one reader, and closes it.

    The length goes first, so a reader notices if the daemon ends before the file does.
    """

    _log = Logger()

    def __init__(self, request: Request, file: BinaryIO, in_thread: InThread) -> None:
        """
        @param request: has not been answered yet.
        @param file: where it stands is where the answer begins.
        """
        self._request = request
        self._file = file
        self._in_thread = in_thread
        self._reading = self._paused = self._ended = False

    def start(self) -> None:
        """Begin to send."""
        here = self._file.tell()
        length = self._file.seek(0, os.SEEK_END) - here
        self._file.seek(here)
        self._request.setHeader(b"Content-Type", b"application/vnd.sqlite3")
        self._request.setHeader(b"Content-Length", b"%d" % length)
        self._request.notifyFinish().addErrback(self._stop)
        self._request.registerProducer(self, True)
        self.resumeProducing()

    def resumeProducing(self) -> None:
        self._paused = False
        if not self._reading and not self._ended:
            self._reading = True
            self._in_thread(self._file.read, CHUNK).addCallbacks(self._read, self._fail)

    def pauseProducing(self) -> None:
        self._paused = True

    def stopProducing(self) -> None:
        self._stop()

    def _read(self, chunk: bytes) -> None:
        self._reading = False
        if self._ended:
            self._file.close()
        elif not chunk:
            self._request.unregisterProducer()
            self._stop()
            self._request.finish()
        else:
            self._request.write(chunk)
            if not self._paused:
                self.resumeProducing()

    def _fail(self, failure: Failure) -> None:
        self._log.failure("a file could not be read to its end", failure)
        self._reading = False
        self._stop()
        self._request.loseConnection()

    def _stop(self, _result: object = None) -> None:
        self._ended = True
        if not self._reading:  # otherwise the thread has the file
            self._file.close()
