"""
Which dialect a connection of the telnet port speaks: a table from the first bytes (telnet bridge, section 2).

To add a dialect, write its module and its line in the table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Final, Protocol

from gossip.network.session import Session
from gossip.protocol.errors import Error
from gossip.protocol.events import ClientEvent
from gossip.service.interfaces import IWireFormat
from gossip.transports.endpoints import Ports
from gossip.transports.telnet.json_dialect import JsonDialect
from gossip.transports.telnet.limits import TelnetLimits
from gossip.transports.telnet.text_dialect import Reply, TextDialect

if TYPE_CHECKING:
    from gossip.transports.telnet.factory import TelnetFactory


class Dialect(Protocol):
    """How one connection writes and reads lines."""

    @property
    def wire_format(self) -> IWireFormat:
        """How events are written for the connection; it may change."""

    @property
    def any_line_is_life(self) -> bool:
        """Whether any line is a sign of life; otherwise only the heartbeat event is."""

    @property
    def session_per_login(self) -> bool:
        """
        Whether each login opens a session of its own, so that the game may try again after a refused one; otherwise
        the first line opens the only session.
        """

    def line_bytes(self, limits: TelnetLimits, line: bytes) -> int:
        """How many bytes a line may have after the login, if it begins like this one; 0 for no limit."""

    def read(self, line: bytes, session: Session | None, too_fast: bool = False) -> Iterable[ClientEvent | Reply]:
        """
        Understand a line.

        @param line: the line without its end.
        @param session: the session; C{None} before the login.
        @param too_fast: whether the line is over the rate limit; never in a session, where the network judges that.
        """

    def too_long(self, session: Session | None, too_fast: bool = False) -> Iterable[ClientEvent | Reply]:
        """Answer a line that is too long to be read; the arguments are those of L{read}."""

    def set_charset(self, charset: str) -> None:
        """Follow a charset that telnet negotiated: one of L{gossip.transports.telnet.lines.CHARSETS}."""

    def goodbye(self, why: Error) -> bytes:
        """Write the last line before a close."""


def first_dialect(factory: TelnetFactory) -> Dialect:
    """The dialect until the first line decides, and of every line that is not in the table: the text dialect."""
    return TextDialect(factory.mssp, factory.text_format)


_Choice = Callable[["TelnetFactory"], Dialect | Error]

_TABLE: Final[tuple[tuple[tuple[bytes, ...], _Choice], ...]] = (
    ((b"{",), lambda factory: JsonDialect(factory.json_format, factory.ref_bytes)),
    ((b"GET ", b"POST ", b"HEAD "), lambda factory: Error.of("not-http", hint=factory.web_hint())),
    ((b"PW ", b"SHA256-AUTH-"), lambda _: Error.of("not-imc2")),
)
"""The first bytes of the first line, and what they mean: a dialect, or an error that ends the connection."""

NOT_LINES: Final = (b"\x00", b"\x16\x03")
"""The first bytes of peers that could read no answer: Intermud-3 and a TLS handshake. The connection is aborted."""


def choose(line: bytes, factory: TelnetFactory) -> Dialect | Error | None:
    """
    Choose by the first line that is not empty.

    @return: the dialect; the error that ends a connection to the wrong port; C{None} to stay with L{first_dialect}.
    """
    for beginnings, choice in _TABLE:
        if line.startswith(beginnings):
            return choice(factory)
    return None


def web_hint(website: str, ports: Mapping[str, Ports]) -> str:
    """
    Where the pages and the websocket are, for a browser at the telnet port.

    @param website: the address of the pages, if the operator has set it.
    @param ports: the ports of each open transport, by its name.
    """
    if website:
        return f"see {website}"
    plain, encrypted = ports.get("websocket", Ports())
    if encrypted:
        return f"pages are at https port {encrypted}, websockets at /socket there"
    if plain:
        return f"pages are at http port {plain}, websockets at /socket there"
    return "pages and websockets are on another port"
