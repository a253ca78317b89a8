"""
What came of rehearsals: whether the game lived through each step that was played to it.

The network cannot see what a game shows its players. It sees that the game answers the next heartbeat, and that it
comes back after a restart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from msgspec.structs import replace
from twisted.internet.defer import Deferred, succeed

from gossip.network.network import Network
from gossip.network.outputs import Output, Outputs, Relay
from gossip.network.rehearsal import Played
from gossip.network.relays import RehearsalEnded, Rehearse
from gossip.network.session import Situation
from gossip.network.steps import DOWNTIME, StepName
from gossip.protocol.moment import Moment
from gossip.registry.errors import Refused

WITHIN: Final = 60.0
"""How long a game has to answer a heartbeat, or to come back, in seconds."""

PARTING_SECONDS: Final = 0.5
"""
How long the network waits between the restart event and the end of a connection, in seconds: games that read both at
once tend to handle the end first.
"""

LATE: Final = 5.0
"""How much longer another node has to tell what its sessions did, in seconds."""

REMEMBERED: Final = 600.0
"""How long the outcome of a step is remembered, in seconds."""


_SILENT: Final = f"it did not answer a heartbeat within {WITHIN:.0f} s"


class Rehearsed:
    """
    A step that was played to a game.

    @ivar step: its name.
    @ivar sent: what the game was sent, in words.
    @ivar at: when.
    @ivar done: whether the game did what it should; C{None} as long as that is open.
    @ivar outcome: what it did, in words.
    """

    __slots__ = (
        "_beats",
        "_before",
        "_elsewhere",
        "_ended",
        "_here",
        "_waiting",
        "at",
        "client_id",
        "done",
        "outcome",
        "sent",
        "step",
    )

    def __init__(self, client_id: str, step: StepName, played: Played, at: Moment) -> None:
        self.client_id = client_id
        self.step = step
        self.sent = played.sent
        self.at = at
        self.done: bool | None = None
        self.outcome = "waiting until it is back" if step == "restart" else "waiting until it answers a heartbeat"
        self._before = frozenset(played.sessions)
        self._beats = {session: session.beats for session in played.sessions if not session.node}
        self._elsewhere = {session.node for session in played.sessions if session.node}
        self._here = bool(self._beats)
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
            if online is not None and not self._before.issuperset(online.sessions):
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
        if self._here:
            if not here:
                self._part(False, "its connection ended")
            elif all(session.beats > self._beats[session] and not session.unanswered for session in here):
                self._here = False
                self._part(True, f"it answered the next heartbeat, after {seconds:.0f} s")
            elif seconds >= WITHIN:
                self._part(False, _SILENT)
        elif seconds >= WITHIN + LATE:
            self._part(False, _SILENT)

    def heard(self, node: str, ended: RehearsalEnded) -> None:
        """Another node tells what the sessions there did."""
        if node in self._elsewhere and self.done is None and self.step != "restart":
            self._elsewhere.discard(node)
            self._part(ended.done, ended.outcome)

    def _part(self, done: bool, outcome: str) -> None:
        """What a part of the sessions did. All of them must do what they should."""
        if not done or not (self._here or self._elsewhere):
            self._settle(done, outcome)

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
        self._asked: list[Rehearsed] = []
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

    def play_here(self, rehearse: Rehearse, now: Moment) -> None:
        """Play a step to the sessions here that is rehearsed on another node."""
        try:
            played = self._network.rehearsal.play_here(rehearse, now)
        except Refused as refused:
            self._tell(rehearse.client_id, rehearse.step, False, str(refused))
            return
        here = tuple(session for session in played.sessions if not session.node)
        if here:
            step: Any = rehearse.step
            self._asked.append(Rehearsed(rehearse.client_id, step, replace(played, sessions=here), now))
            self._carry_out(played.outputs)

    def heard(self, node: str, ended: RehearsalEnded) -> None:
        """Another node tells what became of a step there."""
        for rehearsed in self._open:
            if (rehearsed.client_id, rehearsed.step) == (ended.client_id, ended.step):
                rehearsed.heard(node, ended)

    def _tell(self, client_id: str, step: str, done: bool, outcome: str) -> None:
        self._carry_out([Relay(RehearsalEnded(client_id, step, done, outcome))])

    def of(self, client_id: str) -> Mapping[str, Rehearsed]:
        """What a game rehearsed last, by the names of the steps."""
        return self._of.get(client_id, {})

    def tick(self, now: Moment) -> None:
        """Time went by. To be called each second."""
        if self._asked:
            for rehearsed in self._asked:
                self._carry_out(rehearsed.look(self._network, now))
                if rehearsed.done is not None:
                    self._tell(rehearsed.client_id, rehearsed.step, rehearsed.done, rehearsed.outcome)
            self._asked = [rehearsed for rehearsed in self._asked if rehearsed.done is None]
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
