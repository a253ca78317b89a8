"""The live sessions as admins see them, on the pages and in gossipctl."""

from __future__ import annotations

from collections.abc import Generator
from itertools import islice
from typing import Annotated, Final

from msgspec import Meta, Struct

from gossip.network.session import Session
from gossip.operations.command import Result
from gossip.operations.listing import PAGE, paged
from gossip.protocol.text import timestamp
from gossip.service.service import GossipService

NAMED: Final = 20
"""The maximum number of players of a session that are named."""


class SessionList(Struct, frozen=True, forbid_unknown_fields=True):
    """
    A page of the live sessions, sorted by their games, with the arguments of a
    L{Listing <gossip.operations.listing.Listing>}.

    @ivar match: only sessions whose game or address contains this text.
    @ivar after: C{next} of the page before this one.
    @ivar limit: the maximum number of sessions.
    """

    match: str = ""
    after: str = ""
    limit: Annotated[int, Meta(ge=1, le=PAGE)] = PAGE

    def work(self, gossip: GossipService) -> Generator[None, None, Result]:
        """
        Make the page. Each step takes at most some milliseconds.

        @return: the same as that of a L{Listing <gossip.operations.listing.Listing>}, with C{sessions}.
        """
        wanted = self.match.strip().lower()

        def fits(entry: tuple[Session, str]) -> bool:
            return not wanted or wanted in f"{_game(entry[0])} {entry[0].peer}".lower()

        page = yield from paged(gossip.sessions(), _key, fits, self.after, self.limit)
        shown = yield from page.shown(lambda some: [_shown(gossip, *each) for each in some])
        return {"sessions": shown, "next": page.next, "left": page.left, "total": page.total}


def sessions_of(gossip: GossipService, client_id: str) -> list[Result]:
    """The sessions of one game."""
    online = gossip.network.presence.online(client_id)
    found = () if online is None else online.sessions
    return [
        _shown(gossip, session, gossip.transport_of(session))
        for session in sorted(found, key=lambda each: each.opened_at)
    ]


def _game(session: Session) -> str:
    return "" if session.online is None else session.online.game.short_name


def _key(entry: tuple[Session, str]) -> str:
    # Several sessions of a game can have joined at the same moment.
    session, _ = entry
    return f"{_game(session).lower()} {timestamp(session.opened_at)} {id(session):x}"


def _shown(gossip: GossipService, session: Session, transport: str) -> Result:
    """
    @return: the game, address and transport of a session, the time it joined, its channels, the number of its players,
        and the names of the first of them; and its node, if several daemons share the network.
    """
    node = {} if gossip.cluster is None else {"node": session.node or gossip.cluster.node_name}
    return {
        **node,
        "game": _game(session),
        "peer": str(session.peer),
        "transport": transport,
        "since": timestamp(session.opened_at),
        "channels": list(session.channels),
        "players": len(session.players),
        "named": list(islice(session.players, NAMED)),
    }
