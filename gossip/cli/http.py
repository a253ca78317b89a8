"""
HTTP over a unix socket, as far as the admin socket of a daemon needs it: one request, and the end of the connection.

C{http.client} takes longer to import than most commands take to run. HTTP/1.0 (RFC 1945) has no chunks, and its
answers end with the connection.
"""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

OK: Final = 200

_STATUS: Final = re.compile(rb"HTTP/1\.\d (\d{3})(?: (.*))?")
_LINE: Final = 64 * 1024
_CHUNK: Final = 64 * 1024


class BadAnswer(Exception):
    """What came is not an answer, or not all of it."""


class Answer:
    """
    An answer whose body was not read yet.

    @ivar status: its status.
    @ivar reason: what the status means.
    """

    def __init__(self, file: BinaryIO) -> None:
        """
        @param file: the bytes that come from the daemon.
        @raise BadAnswer: they are no answer.
        @raise OSError: they cannot be read.
        """
        self._file = file
        match = _STATUS.fullmatch(self._line())
        if match is None:
            raise BadAnswer("what it said is not HTTP")
        self.status, self.reason = int(match[1]), (match[2] or b"").decode("latin-1")
        self._length: int | None = None
        while line := self._line():
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length" and value.strip().isdigit():
                self._length = int(value)

    def _line(self) -> bytes:
        line = self._file.readline(_LINE)
        if not line.endswith(b"\n"):
            raise BadAnswer("it ended the connection")
        return line.rstrip(b"\r\n")

    def chunks(self) -> Iterator[bytes]:
        """
        The body, piece by piece.

        @raise BadAnswer: it ends before its length.
        @raise OSError: it cannot be read.
        """
        read = 0
        while chunk := self._file.read(_CHUNK if self._length is None else min(_CHUNK, self._length - read)):
            read += len(chunk)
            yield chunk
        if self._length is not None and read < self._length:
            raise BadAnswer("it ended the connection before everything was there")

    def lines(self) -> Iterator[bytes]:
        """
        The lines of a body that ends with the connection.

        @raise OSError: they cannot be read.
        """
        yield from self._file


class Connection:
    """A connection to a daemon. C{close} it."""

    def __init__(self, path: Path, timeout: float | None) -> None:
        """
        @param path: the unix socket.
        @param timeout: how long the daemon may be silent, in seconds; C{None} for as long as it likes.
        @raise OSError: nobody listens there.
        """
        self.timeout = timeout
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(timeout)
        try:
            self._socket.connect(os.fspath(path))
        except BaseException:
            self._socket.close()
            raise

    def request(self, method: str, path: str, body: bytes = b"") -> Answer:
        """
        Ask for something; once for each connection.

        @raise BadAnswer: no answer came.
        @raise OSError: the daemon cannot be asked; C{TimeoutError} if it was silent for too long.
        """
        head = f"{method} {path} HTTP/1.0\r\nHost: gossip\r\nContent-Length: {len(body)}\r\n\r\n"
        self._socket.sendall(head.encode() + body)
        return Answer(self._socket.makefile("rb"))

    def close(self) -> None:
        """End the connection."""
        self._socket.close()
