"""
The watch over several nodes: an owner looks on one, and sees what the game's sessions on others send and get.

Nodes are asked only while somebody looks, and tell what is new once a second, so that the stream of all nodes is never
busy with it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from gossip.network.network import Network
from gossip.network.ratelimit import Bucket
from gossip.network.relays import FrameSeen, Looked, RefusalSeen, Relayed, Seen, SessionSeen
from gossip.network.session import Session, Situation
from gossip.network.settings import Rates
from gossip.protocol.errors import Error
from gossip.protocol.moment import Moment
from gossip.registry.addresses import Address, read
from gossip.service.watch import Frame, Refusal, Untold, Watch, Watched

_NAMES: Final = frozenset(Rates.__struct_encode_fields__)
"""The names of the rates."""


class WatchElsewhere:
    """Tells the other nodes what their owners look at, and the watch what the other nodes see."""

    def __init__(self, watch: Watch, network: Network, tell: Callable[[Relayed], None]) -> None:
        """
        @param tell: tells all nodes.
        """
        watch.ask = self._ask
        self._watch = watch
        self._network = network
        self._tell = tell

    def _ask(self, client_id: str, peer: Address) -> None:
        self._tell(Looked(client_id, str(peer)))

    def looked(self, looked: Looked, now: Moment) -> None:
        """Somebody looks at a game on another node."""
        watched = self._watch.look_here(looked.client_id, read(looked.peer), now)
        if watched.untold is None:
            watched.untold = Untold()

    def tick(self, now: Moment) -> None:
        """Time went by. To be called each second."""
        for client_id, watched in self._watch.watched.items():
            if watched.untold is not None:
                self._tell_of(client_id, watched, watched.untold, now)

    def _tell_of(self, client_id: str, watched: Watched, untold: Untold, now: Moment) -> None:
        steps = {step: at for step, at in watched.seen.items() if untold.steps.get(step) != at}
        if not (untold.frames or untold.refusals or steps):
            return
        sessions = [session for session in watched.numbers if not session.node]
        seen = Seen(
            client_id,
            tuple(
                FrameSeen(frame.at, number, str(frame.peer), frame.way, frame.text, frame.note)
                for number, frame in untold.frames
            ),
            tuple(map(_refusal, untold.refusals)),
            steps,
            tuple(self._state_of(session, now) for session in sessions if session.situation is Situation.ACTIVE),
        )
        untold.frames.clear()
        untold.refusals.clear()
        untold.steps.update(steps)
        self._tell(seen)

    def _state_of(self, session: Session, now: Moment) -> SessionSeen:
        assert session.online is not None
        rates = self._network.rules.limits.rates
        buckets = {
            name: (bucket.level(getattr(rates, "global_" if name == "global" else name), now), bucket.strikes(now))
            for name, bucket in {**session.online.buckets, **session.buckets}.items()
            if name in _NAMES
        }
        return SessionSeen(session.number, session.unanswered, buckets)

    def seen(self, node: str, seen: Seen, now: Moment) -> None:
        """Another node tells what it sees of a game."""
        watched = self._watch.watched.get(seen.client_id)
        if watched is None:
            return
        for frame in seen.frames:
            number = watched.number_of(node, frame.number)
            watched.frames.append(Frame(frame.at, number, read(frame.peer), frame.way, frame.text, frame.note))
        for each in seen.refusals:
            error = Error(each.code, each.error)
            watched.refusals.append(Refusal(each.at, read(each.peer), error, each.hint, each.barred, each.text))
        for step, at in seen.steps.items():
            watched.seen[step] = max(at, watched.seen.get(step, 0.0))
            if watched.untold is not None:
                watched.untold.steps[step] = watched.seen[step]
        copies = {session.number: session for session in self._network.nodes.sessions_of(node)}
        for state in seen.sessions:
            session = copies.get(state.number)
            if session is not None:
                session.unanswered = state.unanswered
                session.buckets = {name: Bucket.of(*used, now) for name, used in state.buckets.items()}


def _refusal(refusal: Refusal) -> RefusalSeen:
    error = refusal.error
    return RefusalSeen(
        refusal.at, str(refusal.peer), error.code, error.text, refusal.hint, refusal.barred, refusal.text
    )
