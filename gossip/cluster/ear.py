"""The ear of a node: hears the notifications of PostgreSQL, with the reactor watching the connection."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol

from sqlalchemy import URL
from twisted.internet.interfaces import IDelayedCall, IReadDescriptor
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

if TYPE_CHECKING:
    from psycopg import Connection

WITHIN: Final = 5.0
"""How long a notification may take when a node starts, in seconds."""

DEAF: Final = (
    "nodes do not hear each other: what is in front of the server must keep sessions apart"
    " (PgBouncer: pool_mode = session)"
)
"""What is wrong if it takes longer."""

TURN: Final = 200
"""How many notifications are taken in one turn of the reactor: others have their turns as well."""


class Reactor(Protocol):
    """The part of the reactor that an ear uses."""

    def addReader(self, reader: IReadDescriptor) -> None: ...
    def removeReader(self, reader: IReadDescriptor) -> None: ...
    def callLater(self, delay: float, call: Callable[..., object], /) -> IDelayedCall: ...


def connect(url: URL) -> Connection[tuple[Any, ...]]:
    """
    Connect, for a short time. This blocks.

    @raise psycopg.Error: the server cannot be reached.
    """
    import psycopg

    _, options = url.get_dialect()().create_connect_args(url)
    return psycopg.connect(**{"connect_timeout": 10, **options}, autocommit=True)


def hears(connection: Connection[Any], other: Connection[Any]) -> bool:
    """Does what is notified on one connection arrive on another one? This blocks."""
    channel = f"gossip_check_{secrets.token_hex(8)}"
    connection.execute(f"LISTEN {channel}")
    other.execute(f"NOTIFY {channel}")
    return next(connection.notifies(timeout=WITHIN, stop_after=1), None) is not None


def listen(url: URL, name: str, channels: Sequence[str]) -> Connection[tuple[object, ...]]:
    """
    Connect, and listen. This blocks.

    @param name: what the connection calls itself.
    @param channels: the channels of the notifications.
    @raise psycopg.Error: the server cannot be reached.
    """
    import psycopg
    from psycopg.sql import SQL, Identifier

    # SQLAlchemy knows several hosts in a URL as well, and the driver the same ones in its own way.
    _, options = url.get_dialect()().create_connect_args(url)
    connection = psycopg.connect(**{**options, "application_name": name}, autocommit=True)
    for channel in channels:
        connection.execute(SQL("LISTEN {}").format(Identifier(channel)))
    return connection


@implementer(IReadDescriptor)
class Ear:
    """Hears what comes on a connection, from L{start} until it is lost or stopped."""

    _log = Logger()

    def __init__(
        self,
        reactor: Reactor,
        connection: Connection[tuple[object, ...]],
        heard: Callable[[str, str], object],
        lost: Callable[[Exception], object],
    ) -> None:
        """
        @param heard: is called with the channel and the payload of each notification.
        @param lost: is called once when the connection is lost.
        """
        self._reactor = reactor
        self._connection = connection
        self._heard = heard
        self._lost = lost
        # The driver closes its own as soon as it loses the connection, which the reactor watches until it is told.
        self._file = os.dup(connection.fileno())
        self._later: IDelayedCall | None = None
        self._stopped = False

    def start(self) -> None:
        """Begin to hear. What came since the connection began to listen is heard first."""
        self._reactor.addReader(self)
        self._later = self._reactor.callLater(0, self._take)

    def stop(self) -> None:
        """Hear no more."""
        if self._stopped:
            return
        self._stopped = True
        self._reactor.removeReader(self)
        if self._later is not None and self._later.active():
            self._later.cancel()
        os.close(self._file)
        self._connection.close()

    def fileno(self) -> int:
        return self._file

    def logPrefix(self) -> str:
        return "ear"

    def doRead(self) -> None:
        from psycopg import OperationalError

        try:
            self._connection.pgconn.consume_input()
        except OperationalError as error:
            self.stop()
            self._lost(error)
            return
        self._take()

    def _take(self) -> None:
        for _ in range(TURN):
            if self._stopped:
                return
            notification = self._connection.pgconn.notifies()
            if notification is None:
                return
            try:
                self._heard(notification.relname.decode(), notification.extra.decode())
            except Exception:
                # A mistake of ours must not keep this node from hearing the rest.
                self._log.failure("a notification could not be heard")
        self._later = self._reactor.callLater(0, self._take)

    def connectionLost(self, reason: Failure) -> None:
        """The reactor ends."""
        self.stop()
