"""
Mutes and bans: who may not speak, and who may not be here.

Who is meant is one text, so that each lookup is one of a dict: a game's client_id, C{player@client_id}, or an address.
What is tried in vain is answered honestly: C{muted until TIME: REASON}, or C{muted: REASON} if it is for good.
"""

from __future__ import annotations

from gossip.network.session import Session
from gossip.protocol.errors import Denied
from gossip.registry.changes import Restriction
from gossip.registry.registry import Registry
from gossip.registry.restrictions import Restrictions, find, in_words, player_of


def peer_of(session: Session) -> str:
    """The address of a session, as the subject of a restriction."""
    peer = session.peer
    return peer[7:] if peer.startswith("::ffff:") and "." in peer else peer


class Moderation:
    """Judges who may do something. Costs nothing while nobody is restricted, and the same however many are."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def check_speaker(self, session: Session, name: str, channel: str, now: float) -> None:
        """
        May a player of a session speak?

        @param channel: where; empty for a tell.
        @raise Denied: he is muted or banned; the text says until when, and why.
        """
        registry = self._registry
        if registry.bans:
            self._check(registry.bans, session, name, channel, now)
        if registry.mutes:
            self._check(registry.mutes, session, name, channel, now)

    def check_player(self, session: Session, name: str, now: float) -> None:
        """
        May a player be here?

        @raise Denied: he is banned.
        """
        if self._registry.bans:
            self._check(self._registry.bans, session, name, "", now)

    def _check(self, known: Restrictions, session: Session, name: str, channel: str, now: float) -> None:
        assert session.online is not None
        client_id = session.online.game.client_id
        found = find(known, (client_id, player_of(client_id, name), peer_of(session)), channel, now)
        if found is not None:
            raise Denied(in_words(found))

    def ban_of(self, session: Session, client_id: str, channel: str, now: float) -> Restriction | None:
        """
        The ban that keeps a session of a game out.

        @param channel: out of where; empty for the network.
        """
        bans = self._registry.bans
        return find(bans, (client_id, peer_of(session)), channel, now) if bans else None
