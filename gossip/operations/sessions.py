"""The sessions that are live right now, as admins are told of them: on their pages and by gossipctl."""

from __future__ import annotations

from typing import Final

from gossip.operations.command import Result
from gossip.operations.interfaces import Gossip
from gossip.protocol.text import timestamp

NAMED: Final = 20
"""So many of a session's players are named."""


def sessions(gossip: Gossip) -> Result:
    """All sessions, by their games."""
    return {"sessions": _sessions(gossip, None)}


def sessions_of(gossip: Gossip, client_id: str) -> list[Result]:
    """The sessions of one game."""
    return _sessions(gossip, client_id)


def _sessions(gossip: Gossip, client_id: str | None) -> list[Result]:
    """
    @return: of each its game, the address, the transport, since when it is there, its channels, how many players it
        lists, and the first of them.
    """
    shown = [
        {
            "game": session.online.game.short_name,
            "peer": session.peer,
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
