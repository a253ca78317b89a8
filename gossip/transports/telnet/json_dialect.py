"""
The JSON dialect of the telnet bridge: the events of the websocket, one a line, in ASCII (bridge's protocol, section 2).
"""

from __future__ import annotations

import re
from typing import Final

import msgspec
from zope.interface import implementer

from gossip.network.session import Session
from gossip.protocol import frames
from gossip.protocol.errors import Error
from gossip.protocol.events import ClientEvent, ServerEvent, Unreadable
from gossip.service.interfaces import IWireFormat
from gossip.transports.telnet.limits import TelnetLimits

_ESCAPED: Final = 3
"""Escapes make a text so many times as long: two bytes of UTF-8 become six."""

_BEYOND_ASCII: Final = re.compile("[^\x00-\x7f]+")


@implementer(IWireFormat)
class JsonFormat:
    """How events are written for all connections with the JSON dialect."""

    def __init__(self, frame_out: int, line_bytes: int) -> None:
        """
        @param frame_out: how many bytes an event may have before it is made ASCII; 0 for any number.
        @param line_bytes: how many bytes its line may have; 0 for any number.
        """
        sizes = [size for size in (frame_out, line_bytes // _ESCAPED) if size]
        self._frame_out = min(sizes, default=0)

    def encode(self, event: ServerEvent) -> bytes:
        return b"".join([_line(text) for text in frames.encode(event, self._frame_out)])


class JsonDialect:
    """
    The JSON dialect of one connection: it remembers nothing.

    @ivar wire_format: how events are written for it.
    """

    any_line_is_life = session_per_login = False

    def __init__(self, wire_format: JsonFormat, ref_bytes: int) -> None:
        """
        @param ref_bytes: how many bytes a ref may have; 0 for any number.
        """
        self.wire_format = wire_format
        self._ref_bytes = ref_bytes

    def line_bytes(self, limits: TelnetLimits) -> int:
        """How long a line may be after the login."""
        return limits.json_line_bytes

    def read(self, line: bytes, session: Session | None, too_fast: bool = False) -> list[ClientEvent]:
        """Understand a line. There is a session from the first on, and how fast it is the network judges."""
        return [frames.decode(line, self._ref_bytes)]

    def too_long(self, session: Session | None, too_fast: bool = False) -> list[ClientEvent]:
        """A line came that is too long to be read."""
        return [Unreadable()]

    def set_charset(self, charset: str) -> None:
        """JSON is ASCII, whatever was chosen by telnet."""

    def goodbye(self, why: Error) -> bytes:
        """The last line before a close."""
        payload = {"code": why.kind.number, "reason": why.text}
        return _line(msgspec.json.encode({"event": "close", "payload": payload}))


def _line(text: bytes) -> bytes:
    """JSON as a line, with every character beyond ASCII escaped (RFC 8259, section 7)."""
    if not text.isascii():
        text = _BEYOND_ASCII.sub(_escaped, text.decode()).encode()
    return text + b"\r\n"


def _escaped(run: re.Match[str]) -> str:
    units = run[0].encode("utf-16-be").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))
