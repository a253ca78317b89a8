"""
What came of rehearsals: whether the game lived through each step that was played to it.

The network cannot see what a game shows its players. It sees that the game answers the next heartbeat, and that it
comes back after a restart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from twisted.internet.defer import Deferred, succeed

from gossip.network.network import Network
from gossip.network.outputs import Output, Outputs
from gossip.network.rehearsal import Played
from gossip.network.session import Situation
from gossip.network.steps import DOWNTIME, StepName
from gossip.protocol.moment import Moment

WITHIN: Final = 60.0
"""How long a game has to answer a heartbeat, or to come back, in seconds."""

PARTING_SECONDS: Final = 0.5
"""
How long the network waits between the restart event and the end of a connection, in seconds: games that read both at
once tend to handle the end first.
"""

REMEMBERED: Final = 600.0
"""How long the outcome of a step is remembered, in seconds."""


class Rehearsed:
    """
    A step that was played to a game.

    @ivar step: its name.
    @ivar sent: what the game was sent, in words.
    @ivar at: when.
    @ivar done: whether the game did what it should; C{None} as long as that is open.
    @ivar outcome: what it did, in words.
    """

    __slots__ = ("_beats", "_ended", "_waiting", "at", "client_id", "done", "outcome", "sent", "step")

    def __init__(self, client_id: str, step: StepName, played: Played, at: Moment) -> None:
        self.client_id = client_id
        self.step = step
        self.sent = played.sent
        self.at = at
        self.done: bool | None = None
        self.outcome = "waiting until it is back" if step == "restart" else "waiting until it answers a heartbeat"
        self._beats = {session: session.beats for session in played.sessions}
        self._ended = False
        self._waiting: list[Deferred[None]] = []

    def look(self, network: Network, now: Moment) -> Outputs:
        """
        Look whether it is known by now what the game did.

        @return: what is to be done next.
        """
        seconds = now.steady - self.at.steady
        if self.step != "restart":
            self._look_at_heartbeats(seconds)
        elif self._ended:
            online = network.presence.online(self.client_id)
            if online is not None and online.sessions:
                early = f", before the {DOWNTIME} seconds were over" if seconds < DOWNTIME else ""
                self._settle(True, f"it came back after {seconds:.0f} s{early}")
            elif seconds >= WITHIN:
                self._settle(False, f"it did not come back within {WITHIN:.0f} s")
        elif seconds >= PARTING_SECONDS:
            self._ended = True
            return network.rehearsal.end(self._beats, now)
        return []

    def _look_at_heartbeats(self, seconds: float) -> None:
        here = [session for session in self._beats if session.situation is Situation.ACTIVE]
        if not here:
            self._settle(False, "its connection ended")
        elif all(session.beats > self._beats[session] and not session.unanswered for session in here):
            self._settle(True, f"it answered the next heartbeat, after {seconds:.0f} s")
        elif seconds >= WITHIN:
            self._settle(False, f"it did not answer a heartbeat within {WITHIN:.0f} s")

    def _settle(self, done: bool, outcome: str) -> None:
        self.done, self.outcome = done, outcome
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            each.callback(None)

    def settled(self) -> Deferred[None]:
        """Fires when it is known what the game did: after L{WITHIN} at the latest."""
        if self.done is not None:
            return succeed(None)
        waiting: Deferred[None] = Deferred()
        self._waiting.append(waiting)
        return waiting


class Rehearsals:
    """
    The steps that were played lately.
    """

    def __init__(self, network: Network, carry_out: Callable[[Iterable[Output]], None]) -> None:
        """
        @param carry_out: carries out what the network wants done.
        """
        self._open: list[Rehearsed] = []
        self._network = network
        self._carry_out = carry_out
        self._of: dict[str, dict[str, Rehearsed]] = {}

    def play(self, client_id: str, step: StepName, player: str | None, now: Moment) -> Rehearsed:
        """
        Play a step to a game.

        @param player: the player that gets a tell, by default the first one that is signed in.
        @raise Refused: it cannot be played; the text says why.
        """
        played = self._network.rehearsal.play(client_id, step, player, now)
        rehearsed = Rehearsed(client_id, step, played, now)
        self._open.append(rehearsed)
        self._of.setdefault(client_id, {})[step] = rehearsed
        self._carry_out(played.outputs)
        return rehearsed

    def of(self, client_id: str) -> Mapping[str, Rehearsed]:
        """What a game rehearsed last, by the names of the steps."""
        return self._of.get(client_id, {})

    def tick(self, now: Moment) -> None:
        """Time went by. To be called each second."""
        if not self._of:
            return
        for rehearsed in self._open:
            self._carry_out(rehearsed.look(self._network, now))
        self._open = [rehearsed for rehearsed in self._open if rehearsed.done is None]
        for client_id, steps in list(self._of.items()):
            for name, rehearsed in list(steps.items()):
                if rehearsed.at.steady + REMEMBERED <= now.steady:
                    del steps[name]
            if not steps:
                del self._of[client_id]
