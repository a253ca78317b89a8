"""The nodes of a network that several daemons share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from gossip.operations.command import Block, Result, Table
from gossip.operations.errands import Errand, Outcome
from gossip.operations.texts import minute
from gossip.registry.errors import Refused

if TYPE_CHECKING:
    from gossip.service.service import GossipService

FAR: Final = 2.0
"""A clock that is off by more than this many seconds is shown as wrong."""


def _view_nodes(result: Result) -> Sequence[Block]:
    head = ("NODE", "VERSION", "SINCE", "SESSIONS", "PLAYERS", "BEHIND", "CLOCK", "SETTINGS", "STATE", "ADDRESS")
    deaf = any(each["deaf"] for each in result["nodes"])
    rows = [
        (
            f"{each['name']} (this one)" if each["here"] else each["name"],
            each["version"],
            minute(each["since"]),
            each["sessions"],
            each["players"],
            f"{each['behind']:.1f} s",
            "ok" if abs(each["clock"]) <= FAR else f"{each['clock']:+.1f} s",
            "differ" if each["differs"] else "ok",
            _state(each, deaf),
            each["address"],
        )
        for each in result["nodes"]
    ]
    return (Table(head, rows, "This daemon is alone."),)


def _state(node: Result, deaf: bool) -> str:
    """@param deaf: whether the node that was asked hears nobody."""
    if deaf:
        return "deaf" if node["here"] else "unknown"
    return "draining" if node["draining"] else "ok"


class NodeList(Errand, frozen=True):
    """
    List the nodes of the network: since when they run, who is connected to them, how many seconds they are behind in
    hearing the others, how far their clocks are off, whether their settings differ from those of this node, and
    whether they take no new games. A node that hears nobody says so, and does not know how the others are.
    """

    wire = "node/list"
    noted = False
    view = staticmethod(_view_nodes)

    async def run(self, gossip: GossipService) -> Outcome:
        cluster = gossip.cluster

        async def outcome() -> Result:
            return {"nodes": msgspec.to_builtins(cluster.statuses()) if cluster is not None else []}

        return outcome


class NodeEnd(Errand, frozen=True):
    """
    Declare a node dead, without waiting for its lease to end. Its games are shown offline after their grace, unless
    they come back to other nodes. A node that still runs notices it, and joins again.

    @ivar name: the name of the node.
    """

    wire = "node/end"
    view = staticmethod(lambda result: (f"The node {result['name']} counts as dead.",))

    name: str

    async def run(self, gossip: GossipService) -> None:
        cluster = gossip.cluster
        if cluster is None or self.name not in {each.name for each in cluster.statuses()}:
            raise Refused("not-found", "name", "no such node")
        if self.name == cluster.node_name:
            raise Refused("conflict", "name", "this is the node that you ask: stop its daemon instead")
        if not await cluster.end(self.name):
            raise Refused("not-found", "name", "no such node")


class NodeDrain(Errand, frozen=True):
    """
    Let the node that you ask take no new games, before you stop it: C{/health} answers 503, and the node hangs up on
    new websockets, so that a proxy sends them to other nodes. Games that are connected stay.

    @ivar end: take new games again.
    """

    wire = "node/drain"
    view = staticmethod(
        lambda result: (f"The node {result['name']} takes {'games again' if result['end'] else 'no new games'}.",)
    )

    end: bool = False

    async def run(self, gossip: GossipService) -> Outcome:
        cluster = gossip.cluster
        if cluster is None:
            raise Refused("conflict", None, "this daemon is alone: games have nowhere else to go")
        gossip.drain(not self.end)

        async def outcome() -> Result:
            return {"name": cluster.node_name, "end": self.end}

        return outcome
