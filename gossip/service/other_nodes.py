"""
What nodes tell each other that the network itself need not know: attempts that they count, what transports pass on,
what owners look at and rehearse.
"""

from __future__ import annotations

from collections.abc import Callable

from gossip.network.network import Network
from gossip.network.relays import Counted, Looked, Passed, RehearsalEnded, Rehearse, Relayed, Seen
from gossip.protocol.moment import Moment
from gossip.service.rehearsals import Rehearsals
from gossip.service.watch import Watch
from gossip.service.watch_elsewhere import WatchElsewhere


class OtherNodes:
    """
    The other nodes, as the service sees them. A daemon that is alone tells nobody.

    @ivar counting: the observers of attempts that other nodes count, by kind.
    @ivar passed: what each transport makes of what it passed on at other nodes, by its name.
    @ivar passed_back: what each makes of what it passed on here, when all nodes hear it.
    """

    def __init__(
        self, network: Network, watch: Watch, rehearsals: Rehearsals, tell: Callable[[Relayed], None] | None
    ) -> None:
        """
        @param tell: tells all nodes; C{None} if this daemon is alone.
        """
        self.counting: dict[str, Callable[[str, int], None]] = {}
        self.passed: dict[str, Callable[[Passed], None]] = {}
        self.passed_back: dict[str, Callable[[Passed], None]] = {}
        self._rehearsals = rehearsals
        self._tell = tell
        self._watch = WatchElsewhere(watch, network, tell) if tell is not None else None

    def relayed(self, node: str, relay: Relayed, now: Moment) -> bool:
        """
        A node of the network told the others something.

        @param node: its name; empty for this one.
        @return: whether it is dealt with; if not, it is for the network.
        """
        match relay:
            case Counted(what, subject, change):
                if node and what in self.counting:
                    self.counting[what](subject, change)
            case Passed(transport):
                passed = self.passed if node else self.passed_back
                if transport in passed:
                    passed[transport](relay)
            case Rehearse():
                if node:
                    self._rehearsals.play_here(relay, now)
            case RehearsalEnded():
                if node:
                    self._rehearsals.heard(node, relay)
            case Looked():
                if node and self._watch is not None:
                    self._watch.looked(relay, now)
            case Seen():
                if node and self._watch is not None:
                    self._watch.seen(node, relay, now)
            case _:
                return False
        return True

    def tell(self, relay: Relayed) -> None:
        """Tell the other nodes, if there are any."""
        if self._tell is not None:
            self._tell(relay)

    def tick(self, now: Moment) -> None:
        """Time went by, while somebody looks at a game. To be called each second."""
        if self._watch is not None:
            self._watch.tick(now)
