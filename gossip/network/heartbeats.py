"""Heartbeats: each session is asked for a sign of life now and then, and ends without one (protocol, heartbeat)."""

from __future__ import annotations

from typing import Final

from gossip.network.endings import HEARTBEAT_FAILED, Endings
from gossip.network.outputs import Outputs, Send
from gossip.network.session import Session, Situation
from gossip.protocol.errors import Error
from gossip.protocol.moment import Moment
from gossip.protocol.server_events import Beat

BEAT: Final = 15
"""How often a session is asked for a sign of life, in seconds."""

UNANSWERED: Final = 3
"""After this many beats without a sign of life, the next beat ends the session."""


class Heartbeats:
    """A wheel with a slot for each second: one turn of it asks every session once, without a timer for each."""

    def __init__(self, endings: Endings) -> None:
        self._endings = endings
        self._wheel: list[list[Session]] = [[] for _ in range(BEAT)]
        self._ticked: int | None = None

    def begin(self, session: Session, now: Moment) -> None:
        """A session authenticated: it is asked from now on."""
        self._wheel[(int(now.steady) if self._ticked is None else self._ticked) % BEAT].append(session)

    def beat(self, session: Session) -> Send:
        """Ask a session."""
        beat = Beat(session.beats)
        session.beats += 1
        session.unanswered += 1
        return Send(session, beat)

    def tick(self, now: Moment) -> Outputs:
        """Time went by. To be called each second; the first call only starts the wheel."""
        second, last = int(now.steady), self._ticked
        self._ticked = second
        if last is None:
            return []
        # After a long standstill each slot has its turn once: the games were not asked in between.
        slots = range(max(last, second - BEAT) + 1, second + 1)
        return [output for slot in slots for output in self._turn(slot % BEAT, now)]

    def _turn(self, slot: int, now: Moment) -> Outputs:
        outputs: Outputs = []
        self._wheel[slot] = here = [session for session in self._wheel[slot] if session.situation is Situation.ACTIVE]
        for session in here:
            if session.unanswered >= UNANSWERED:
                outputs.extend(self._endings.close(session, HEARTBEAT_FAILED, Error.of("heartbeat-failed"), now))
            else:
                outputs.append(self.beat(session))
        return outputs
