"""The gateway to a live network of Intermud-3: how it is, and what an admin can do about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec.structs import replace

from gossip.operations.command import Block, Result, Table
from gossip.operations.errands import Errand, Outcome
from gossip.registry.changes import Change, I3LinkRemoved, I3LinkSaved
from gossip.registry.entities import I3Link
from gossip.registry.errors import Refused

if TYPE_CHECKING:
    from gossip.service.interfaces import IIntermud
    from gossip.service.service import GossipService

NO_GATEWAY: Final = "this network has no gateway to Intermud-3: set routers in [i3.gateway]"


def _gateway(gossip: GossipService) -> IIntermud:
    """@raise Refused: there is none."""
    if gossip.intermud is None:
        raise Refused("not-found", None, NO_GATEWAY)
    return gossip.intermud


def _told(tell: Callable[[], Result]) -> Outcome:
    async def outcome() -> Result:
        return tell()

    return outcome


def _change(gossip: GossipService, mud: str, make: Callable[[I3Link], Change]) -> Callable[[], Change]:
    """A change of what the network is on Intermud-3, made from what is known when its turn comes."""
    links = gossip.network.registry.i3_links
    return lambda: make(links.get(mud) or I3Link(mud=mud))


def _seconds(seconds: int) -> str:
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60} min" if seconds < 7200 else f"{seconds // 3600} h"


def _view_status(result: Result) -> Sequence[Block]:
    state = result["state"]
    if state == "up":
        state = f"up for {_seconds(result['since'])}"
    elif result["next_attempt"]:
        state = f"{state}; next attempt in {_seconds(result['next_attempt'])}"
    shown = {
        "state": state,
        "why": result["why"] or None,
        "router": result["router"],
        "MUD": result["mud"],
        "game": result["game"],
        "node": result["node"] or None,
        "rules": "accepted" if result["accepted"] else "not accepted: gossipctl i3 accept-rules",
        "password": "known" if result["known"] else "none yet: the router gives one at the first login",
        "MUDs": result["muds"],
        "waiting packets": result["waiting"],
        "messages that came back": result["delivered"],
        "routers there": ", ".join(" ".join(each) for each in result["routers"]) or None,
    }
    return (shown,)


class I3Status(Errand, frozen=True):
    """Show how the gateway to Intermud-3 is: its router, its MUDs, and why it is not connected."""

    wire = "i3/status"
    noted = False
    view = staticmethod(_view_status)

    async def run(self, gossip: GossipService) -> Outcome:
        gateway = _gateway(gossip)
        return _told(lambda: msgspec.to_builtins(gateway.status()))


class I3Muds(Errand, frozen=True):
    """List the MUDs of Intermud-3 that are here, with the short names by which games and commands know them."""

    wire = "i3/muds"
    noted = False
    view = staticmethod(
        lambda result: (
            Table(
                ("SHORT NAME", "NAME", "PLAYERS", "SUPPORTS"),
                [
                    (each["short_name"], each["name"], each["players"], " ".join(each["supports"]))
                    for each in result["muds"]
                ],
                "No MUD of Intermud-3 is here.",
            ),
        )
    )

    async def run(self, gossip: GossipService) -> Outcome:
        return _told(lambda: {"muds": remote_games(gossip)})


def remote_games(gossip: GossipService) -> list[Result]:
    """The remote games that are here, by their short names: their names, and what is known of them."""
    found = []
    for game in gossip.network.registry.remotes:
        online = gossip.network.presence.online(game.client_id)
        if online is not None:
            players, supports = len(online.players), sorted(online.supports)
            found.append({"short_name": game.short_name, "name": game.name, "players": players, "supports": supports})
    return sorted(found, key=lambda each: str(each["short_name"]).lower())


_WAYS: Final = {"both": "both ways", "in": "in", "out": "out", "": ""}


class I3Channels(Errand, frozen=True):
    """List the channels of Intermud-3, and which of them pass to which channel here."""

    wire = "i3/channels"
    noted = False
    view = staticmethod(
        lambda result: (
            Table(
                ("THERE", "HOST", "HERE", "PASSES"),
                [
                    (each["there"], each["host"] or "not known there", each["here"], _WAYS[each["way"]])
                    for each in result["channels"]
                ],
                "No channel is known. Map some with channels in [i3.gateway].",
            ),
        )
    )

    async def run(self, gossip: GossipService) -> Outcome:
        gateway = _gateway(gossip)
        return _told(lambda: {"channels": msgspec.to_builtins(gateway.channels())})


class I3Reconnect(Errand, frozen=True):
    """Dial the first router of Intermud-3 again, even if it refused us. Two attempts are at least 15 seconds apart."""

    wire = "i3/reconnect"
    view = staticmethod(lambda result: (f"Dialling {result['router']}.",))

    async def run(self, gossip: GossipService) -> Outcome:
        gateway = _gateway(gossip)
        gateway.reconnect()
        return _told(lambda: {"router": gateway.status().router})


class I3AcceptRules(Errand, frozen=True):
    """
    Accept the rules of the Intermud-3 network that this network joins. The gateway does not connect before. Read them
    first: the channels there have rules of their own, and networks ban MUDs that break them.
    """

    wire = "i3/accept-rules"
    view = staticmethod(lambda result: (f"The rules are accepted: the gateway joins as {result['mud']}.",))

    async def run(self, gossip: GossipService) -> Outcome:
        mud, now = _gateway(gossip).mud, gossip.now().wall
        await gossip.change(_change(gossip, mud, lambda link: I3LinkSaved(replace(link, accepted_at=now))))
        return _told(lambda: {"mud": mud})


class I3Forget(Errand, frozen=True):
    """
    Forget the password that the routers of Intermud-3 know this network by, and that their rules were accepted. This is
    for joining another network by the same name: a router that knows the old password refuses us.
    """

    wire = "i3/forget"
    question = "Forget the password for Intermud-3? The routers there will refuse us until their admins forget it, too."
    view = staticmethod(lambda result: (f"The password of {result['mud']} is forgotten.",))

    async def run(self, gossip: GossipService) -> Outcome:
        mud = _gateway(gossip).mud
        await gossip.change(I3LinkRemoved(mud))
        return _told(lambda: {"mud": mud})
