"""The transport of games that speak websocket. Its port serves the web pages too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from zope.interface import implementer

from gossip.service.interfaces import Counts
from gossip.transports.admission import Admission, ConnectionLimits
from gossip.transports.budget import Budgets
from gossip.transports.interfaces import ITransport, Parts
from gossip.transports.sniffer import RequestLineSnifferFactory
from gossip.transports.websocket.connection import GameFactory


class WebSocketLimits(ConnectionLimits, Protocol):
    """The limits of the websocket; 0 is no limit."""

    @property
    def frame_in_bytes(self) -> int: ...
    @property
    def frame_out_bytes(self) -> int: ...
    @property
    def ref_bytes(self) -> int: ...
    @property
    def backlog_bytes(self) -> int: ...
    @property
    def budgets(self) -> Budgets: ...
    @property
    def unfinished_bytes(self) -> int: ...
    @property
    def request_line_bytes(self) -> int: ...
    @property
    def request_seconds(self) -> float: ...


class WebSocketSettings(Protocol):
    """The settings of the websocket."""

    @property
    def proxies(self) -> int: ...
    @property
    def limits(self) -> WebSocketLimits: ...


@implementer(ITransport)
class WebSocketTransport:
    """
    Games at C{/socket}, web pages at every other path.

    @ivar admission: counts the connections of games.
    """

    name = "websocket"
    setting = "listen"
    purpose = "games at /socket, people at /"

    def __init__(self) -> None:
        self.admission = Admission()
        self._page_admission = Admission()
        self._games: GameFactory | None = None
        self._sniffers: RequestLineSnifferFactory | None = None

    def configure(self, settings: WebSocketSettings) -> None:
        self.admission.allow(settings.limits)
        self._page_admission.allow(settings.limits)
        if self._games is not None:
            self._games.allow(settings.limits.budgets, settings.limits.unfinished_bytes)
        if self._sniffers is not None:
            self._sniffers.budget = settings.limits.budgets.authenticated
        if settings.proxies:
            # Until their headers are read, all browsers have the address of the proxy.
            self._page_admission.per_address = self._page_admission.waiting_per_address = 0

    def open_connections(self) -> int:
        return len(self.admission)

    def counts(self) -> Sequence[Counts]:
        return ()

    def factory(self, parts: Parts) -> RequestLineSnifferFactory:
        settings: WebSocketSettings = parts.settings
        limits = settings.limits
        games = self._games = GameFactory(
            parts.clock,
            parts.gossip,
            self.admission,
            frame_in=limits.frame_in_bytes,
            frame_out=limits.frame_out_bytes,
            ref_bytes=limits.ref_bytes,
            backlog=limits.backlog_bytes,
            proxies=settings.proxies,
            room=parts.room,
            turns=parts.turns,
        )
        games.allow(limits.budgets, limits.unfinished_bytes)
        self._sniffers = RequestLineSnifferFactory(
            parts.clock,
            games,
            parts.pages,
            self._page_admission,
            limits.request_line_bytes,
            limits.request_seconds,
            parts.room,
            parts.turns,
        )
        self._sniffers.budget = limits.budgets.authenticated
        return self._sniffers
