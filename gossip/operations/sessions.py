"""The live sessions as admins see them, on the pages and in gossipctl."""

from __future__ import annotations

from typing import Final

from gossip.operations.command import Result
from gossip.protocol.text import timestamp
from gossip.service.service import GossipService

NAMED: Final = 20
"""The maximum number of players of a session that are named."""


def sessions(gossip: GossipService) -> Result:
    """All sessions, sorted by their games."""
    return {"sessions": _sessions(gossip, None)}


def sessions_of(gossip: GossipService, client_id: str) -> list[Result]:
    """The sessions of one game."""
    return _sessions(gossip, client_id)


def _sessions(gossip: GossipService, client_id: str | None) -> list[Result]:
    """
    @return: for each session its game, address, transport, the time it joined, its channels, the number of its players,
        and the names of the first of them.
    """
    shown = [
        {
            "game": session.online.game.short_name,
            "peer": str(session.peer),
            "transport": transport,
            "since": timestamp(session.opened_at),
            "channels": list(session.channels),
            "players": len(session.players),
            "named": list(session.players)[:NAMED],
        }
        for session, transport in gossip.sessions()
        if session.online is not None and client_id in (None, session.online.game.client_id)
    ]
    return sorted(shown, key=lambda each: (str(each["game"]).lower(), str(each["since"])))
