"""
The JSON dialect of the telnet port: the events of the websocket, one a line, in ASCII (telnet bridge, section 2).
"""

from __future__ import annotations

import re
from typing import Final

import msgspec
from zope.interface import implementer

from gossip.network.session import Session
from gossip.protocol import frames
from gossip.protocol.errors import Error
from gossip.protocol.events import ClientEvent, Unreadable
from gossip.protocol.server_events import ServerEvent
from gossip.service.interfaces import IWireFormat
from gossip.transports.telnet.limits import TelnetLimits

_ESCAPED: Final = 3
"""The factor by which escapes lengthen a text at most: two bytes of UTF-8 become six."""

_BEYOND_ASCII: Final = re.compile("[^\x00-\x7f]+")


@implementer(IWireFormat)
class JsonFormat:
    """Events as lines of JSON, for all connections that speak it."""

    def __init__(self, frame_out: int, line_bytes: int) -> None:
        """
        @param frame_out: the maximum size of an event before it is escaped, in bytes; 0 for no limit.
        @param line_bytes: the maximum size of its line, in bytes; 0 for no limit.
        """
        sizes = [size for size in (frame_out, line_bytes // _ESCAPED) if size]
        self._frame_out = min(sizes, default=0)

    def encode(self, event: ServerEvent) -> bytes:
        return b"".join([_line(text) for text in frames.encode(event, self._frame_out)])


class JsonDialect:
    """
    The JSON dialect of one connection. It has no state.

    @ivar wire_format: how events are written for it.
    """

    any_line_is_life = session_per_login = False

    def __init__(self, wire_format: JsonFormat, ref_bytes: int) -> None:
        """
        @param ref_bytes: the maximum size of a ref, in bytes; 0 for no limit.
        """
        self.wire_format = wire_format
        self._ref_bytes = ref_bytes

    def line_bytes(self, limits: TelnetLimits, line: bytes) -> int:
        """How many bytes a line may have after the login; 0 for no limit."""
        return limits.json_line_bytes

    def read(self, line: bytes, session: Session | None, too_fast: bool = False) -> list[ClientEvent]:
        """Understand a line. There is a session from the first line on, so the network judges the rate."""
        return [frames.decode(line, self._ref_bytes)]

    def too_long(self, session: Session | None, too_fast: bool = False) -> list[ClientEvent]:
        """Answer a line that is too long to be read, as one that is no JSON."""
        return [Unreadable()]

    def set_charset(self, charset: str) -> None:
        """Do nothing: JSON is ASCII, whatever telnet negotiated."""

    def goodbye(self, why: Error) -> bytes:
        """Write the last line before a close."""
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
