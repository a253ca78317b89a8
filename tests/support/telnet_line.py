"""A game at the telnet port of a real daemon."""

from __future__ import annotations

import re
import socket
from typing import Final

from tests.support.daemon import WITHIN

_OPTION: Final = re.compile(rb"\xff[\xfb-\xfe].", re.DOTALL)
"""The telnet port offers options (RFC 854)."""


class Line:
    """A game at the real telnet port."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), WITHIN)
        self._file = self._socket.makefile("rb")

    def say(self, *lines: str) -> None:
        """Send lines."""
        self._socket.sendall("".join(f"{line}\r\n" for line in lines).encode())

    def until(self, begin: str) -> list[str]:
        """What is heard up to the first line that begins so."""
        heard: list[str] = []
        while not heard or not heard[-1].startswith(begin):
            line = self._file.readline()
            if not line:
                raise AssertionError(heard)
            heard.append(_OPTION.sub(b"", line).decode().rstrip("\r\n"))
        return heard

    def close(self) -> None:
        """Leave."""
        self._file.close()
        self._socket.close()
