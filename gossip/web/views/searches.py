"""
Searches of visitors: what they may find, and how much the daemon does for them.

A search runs in a thread and ends after a second at the latest. Few run at the same time, others wait, and each address
has a number of them in a minute.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace
from twisted.internet.defer import Deferred, DeferredSemaphore
from twisted.web import http

from gossip.operations.texts import end_of, time_of
from gossip.registry.addresses import Address
from gossip.registry.changes import MessageSaid
from gossip.registry.errors import Refused
from gossip.registry.search import Search, read_search
from gossip.store.searching import Found
from gossip.web.http.requests import PublicRequest
from gossip.web.http.router import Problem
from gossip.web.http.urls import number_parameter, parameter
from gossip.web.views.layout import Layout
from gossip.web.views.public import PublicView

AT_ONCE: Final = 2
"""How many searches run at the same time."""

WAITING: Final = 20
"""At most this many searches wait."""

FIELDS: Final = ("q", "name", "game", "channel", "from", "to")
"""The parameters of a search."""


class Asked(Struct, frozen=True):
    """
    What a request searches for.

    @ivar values: the parameters as they were given.
    """

    values: dict[str, str]

    @classmethod
    def of(cls, request: PublicRequest) -> Asked:
        """The search of a request."""
        return cls({name: (parameter(request, name) or "").strip() for name in FIELDS})

    @property
    def is_empty(self) -> bool:
        """Whether nothing is searched for."""
        return not any(self.values.values())

    def search(self) -> Search:
        """
        The search.

        @raise Refused: it makes no sense; the text says why.
        """
        values = self.values
        return read_search(
            values["q"],
            values["name"],
            values["game"],
            values["channel"],
            _time(values["from"], "from", time_of),
            _time(values["to"], "to", end_of),
        )


def _time(text: str, field: str, read: Any) -> float | None:
    try:
        return float(read(text)) if text else None
    except ValueError as error:
        raise Refused("invalid", field, str(error)) from None


class Searches:
    """Carries searches out."""

    def __init__(self, layout: Layout, public: PublicView, spend: Callable[[Address], None]) -> None:
        """
        @param spend: counts a search of an address, and raises a problem if there are too many.
        """
        self._layout = layout
        self._public = public
        self._turns = DeferredSemaphore(AT_ONCE)
        self._spend = spend

    async def find(self, request: PublicRequest, wanted: Search, limit: int) -> Found:
        """
        Search what the public may see, the latest first.

        @param limit: the maximum number of messages.
        @raise Problem: the channel is not public, or there are too many searches.
        """
        before = number_parameter(request, "before")
        if wanted.channel is not None:
            if not self._public.is_channel(wanted.channel):
                # The pages write it with this sign.
                wanted = replace(wanted, channel=wanted.channel.removeprefix("#"))
            self._public.channel(str(wanted.channel))
        self._spend(self._layout.peer(request))
        if len(self._turns.waiting) >= WAITING:
            raise Problem(http.SERVICE_UNAVAILABLE, "Too many people search at the moment. Try again in a moment.")
        await self._turns.acquire()
        found = await self._in_turn(wanted, limit, before)
        removals = self._layout.gossip.network.registry.removals
        # Since it was read, a message may have been removed, or its channel hidden.
        hits = [
            replace(hit, before=self._as_it_is(hit.before), after=self._as_it_is(hit.after))
            for hit in found.hits
            if removals.without([hit.said]) and self._public.shows(hit.said)
        ]
        return replace(found, hits=hits)

    def _as_it_is(self, said: MessageSaid | None) -> MessageSaid | None:
        """A message by now: it may have been removed since it was read."""
        return None if said is None else self._layout.gossip.network.registry.removals.applied([said])[0]

    def _in_turn(self, *arguments: Any) -> Deferred[Found]:
        # The turn ends with the thread, not when the browser is gone.
        answer: Deferred[Found] = Deferred()

        def done(result: Any) -> None:
            self._turns.release()
            answer.callback(result)

        self._layout.read(self._layout.store.search, *arguments, True, self._public.shows).addBoth(done)
        return answer
