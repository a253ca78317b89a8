"""Endings: how sessions end, and those that have not authenticated in time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from gossip.network.channels import Channels
from gossip.network.nodes import Nodes
from gossip.network.outputs import Close, Outputs, Send
from gossip.network.session import Session, Situation
from gossip.network.settings import Rules
from gossip.protocol.errors import Error
from gossip.protocol.moment import Moment
from gossip.protocol.server_events import Failure, NotAuthenticated

AUTHENTICATION_FAILED: Final = 4000
"""The close code of a session that was refused, or that is closed for abuse."""

HEARTBEAT_FAILED: Final = 4001
"""The close code of a session that gives no sign of life."""

LEFT: Final = 1000
"""The close code of a session that quit (RFC 6455, section 7.4.1)."""


class Endings:
    """
    Ends sessions.

    @ivar waiting: the sessions that have not authenticated yet, and since when they are there, on the steady clock; in
        the order in which they connected.
    """

    def __init__(self, channels: Channels, nodes: Nodes, rules: Rules) -> None:
        self.waiting: dict[Session, float] = {}
        self._channels = channels
        self._nodes = nodes
        self._rules = rules

    def lost(self, session: Session, now: Moment) -> Outputs:
        """A session's connection is gone."""
        was, session.situation = session.situation, Situation.GONE
        self.waiting.pop(session, None)
        if was is not Situation.ACTIVE:
            return []
        if session.through is None:
            for name in session.channels:
                self._channels.leave(session, name)
        return self._nodes.left(session, now)

    def close(self, session: Session, code: int, why: Error, now: Moment) -> Outputs:
        """
        End a session.

        @param code: a websocket close code.
        """
        return [Close(session, code, why), *self.lost(session, now)]

    def dismiss(self, session: Session, last: Failure | NotAuthenticated, now: Moment) -> Outputs:
        """Refuse a session, or end it for abuse: it is told why."""
        return [Send(session, last), *self.close(session, AUTHENTICATION_FAILED, last.error, now)]

    def tick(self, now: Moment) -> Outputs:
        """Time went by: some sessions have not authenticated in time."""
        return [
            output
            for session in [*self._late(now)]
            for output in self.close(session, HEARTBEAT_FAILED, Error.of("login-timeout"), now)
        ]

    def _late(self, now: Moment) -> Iterator[Session]:
        seconds = self._rules.limits.authenticate_seconds
        for session, since in self.waiting.items() if seconds else ():
            if since + seconds > now.steady:
                break
            yield session
