"""
Second looks: a request that this node would refuse waits until it has caught up with the other nodes.

An admin may register a game, or lift a mute, on one node, and the game may be on another one a millisecond later. What
the session sends meanwhile waits behind the request, so that everything is done in its order.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from gossip.network.session import Session
from gossip.protocol.events import ClientEvent, Event


class SecondLooks:
    """
    The sessions that wait for one.

    @ivar waiting: what each of them sent since; C{None} stands for the end of what its peer sends. Empty most of the
        time: look here before you call anything else.
    """

    _log = Logger()

    def __init__(
        self,
        look: Callable[[Session, Event], None],
        go_on: Callable[[Session, ClientEvent | None], None],
        read_on: Callable[[Session], None],
    ) -> None:
        """
        @param look: handles a request for which this node knows enough now.
        @param go_on: handles what was sent behind it.
        @param read_on: nothing waits any more.
        """
        self.waiting: dict[Session, deque[ClientEvent | None]] = {}
        self._look = look
        self._go_on = go_on
        self._read_on = read_on

    def wait(self, session: Session, event: Event, caught_up: Deferred[None]) -> None:
        """
        The request of a session waits.

        @param caught_up: fires when this node knows enough.
        """
        self.waiting[session] = deque()
        caught_up.addCallback(self._again, session, event)
        caught_up.addErrback(lambda failure: self._log.failure("a second look failed", failure))

    def _again(self, _: None, session: Session, event: Event) -> None:
        behind = self.waiting.pop(session, None)
        if behind is None:
            return  # the session ended
        self._look(session, event)
        # One of these may have to wait as well. Then those behind it wait again.
        for each in behind:
            self._go_on(session, each)
        if session not in self.waiting:
            self._read_on(session)

    def lost(self, session: Session) -> None:
        """A session ended."""
        self.waiting.pop(session, None)
