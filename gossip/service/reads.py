"""Reads what the network asks of the store: what is found answers the request in its place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger
from twisted.python.failure import Failure

from gossip.network.network import Network
from gossip.network.outputs import Fetch, Find, Outputs
from gossip.network.session import Session
from gossip.protocol.moment import Moment
from gossip.registry.changes import MessageSaid
from gossip.registry.sought import Sought
from gossip.service.answer_queue import Place

Reading = Callable[[str, int, int | None, int | None], "Deferred[list[MessageSaid]]"]
"""Reads what was said and not removed: L{gossip.store.store.Store.history}, in a thread."""

Finding = Callable[[Sought], "Deferred[list[MessageSaid]]"]
"""Looks for one message: L{gossip.store.store.Store.find}, in a thread."""


def no_history(channel: str, limit: int, before: int | None, after: int | None) -> Deferred[list[MessageSaid]]:
    """Nothing was ever said."""
    return succeed([])


def no_message(sought: Sought) -> Deferred[list[MessageSaid]]:
    """The same."""
    return succeed([])


class Reads:
    """The reads that the network asks for."""

    _log = Logger()

    def __init__(
        self,
        network: Network,
        now: Callable[[], Moment],
        history: Reading,
        find: Finding,
        barrier: Callable[[Callable[[], None]], None],
        keep: Callable[[Session], Place],
        answer: Callable[[Place, Outputs], None],
    ) -> None:
        """
        @param barrier: calls back when every change before is settled.
        @param keep: keeps a place for the answers to a request.
        @param answer: carries out what becomes of a request whose place was kept.
        """
        self._network = network
        self._now = now
        self._history = history
        self._find = find
        self._barrier = barrier
        self._keep = keep
        self._answer = answer

    def start(self, wanted: Fetch | Find) -> None:
        """Keep the place of a request, and read what it needs."""
        place = self._keep(wanted.session)
        # Everything heard so far must be found, so it has to be on disk before the database is read.
        self._barrier(partial(self._read, wanted, place))

    def _read(self, wanted: Fetch | Find, place: Place) -> None:
        if isinstance(wanted, Find):
            reading = self._find(wanted.sought)
        else:
            reading = self._history(wanted.channel, wanted.limit + 1, wanted.before, wanted.after)
        reading.addErrback(self._unreadable).addCallback(partial(self._found, wanted, place))
        reading.addErrback(lambda failure: self._log.failure("a game could not be told what was said", failure))

    def _unreadable(self, failure: Failure) -> None:
        self._log.failure("what was said cannot be read", failure)

    def _found(self, wanted: Fetch | Find, place: Place, found: Sequence[MessageSaid] | None) -> None:
        network = self._network
        if isinstance(wanted, Find):
            outputs = network.found(wanted, found, self._now())
        else:
            outputs = network.fetched(wanted, found)
        self._answer(place, outputs)
