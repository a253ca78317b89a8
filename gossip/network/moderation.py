"""
Mutes and bans: a muted player or game may not speak, a banned one may not join.

What holds for a game holds for the remote games that speak through it. A refusal says what it is: C{muted until TIME:
REASON}, or C{muted: REASON} if it does not end.
"""

from __future__ import annotations

from gossip.network.session import Session
from gossip.protocol.errors import Denied
from gossip.protocol.moment import Moment
from gossip.registry.addresses import Address
from gossip.registry.entities import Channel, Restriction
from gossip.registry.registry import Registry
from gossip.registry.remotes import gateway_of
from gossip.registry.restrictions import Restrictions, code_of, is_over, player_of, values_of


class Moderation:
    """Judges who may speak and join. Costs nothing while nobody is restricted, and the same however many are."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def check_speaker(self, client_id: str, peer: Address, name: str, channel: str, now: Moment) -> None:
        """
        May a player speak?

        @param client_id: the player's game.
        @param peer: the address that the game or the person comes from.
        @param name: the player's name.
        @param channel: where; empty for a tell.
        @raise Denied: the player is muted or banned; the text says until when, and why.
        """
        for known in (self._registry.bans, self._registry.mutes):
            if known:
                _check(known, client_id, peer, name, channel, now)

    def check_player(self, client_id: str, peer: Address, name: str, now: Moment) -> None:
        """
        May a player be here? The arguments are those of L{check_speaker}.

        @raise Denied: the player is banned.
        """
        if self._registry.bans:
            _check(self._registry.bans, client_id, peer, name, "", now)

    def may_game_speak(self, client_id: str, channel: Channel, now: Moment) -> bool:
        """
        May a game speak on a channel, unless that is paused? Its players, and its address, may be muted all the same.
        """
        if channel.speakers is not None and client_id not in channel.speakers:
            return False
        keys = (client_id, ""), (client_id, channel.name)
        for known in (self._registry.bans, self._registry.mutes):
            if known and not all(key not in known or is_over(known[key], now.wall) for key in keys):
                return False
        return True

    def ban_of(self, session: Session, client_id: str, channel: str, now: Moment) -> Restriction | None:
        """
        The ban that keeps a session of a game out.

        @param channel: out of which channel; empty for the network.
        """
        bans = self._registry.bans
        return bans.find((client_id,), session.peer, channel, now.wall) if bans else None


def _check(known: Restrictions, client_id: str, peer: Address, name: str, channel: str, now: Moment) -> None:
    subjects = (client_id, gateway_of(client_id), player_of(client_id, name))
    found = known.find(subjects, peer, channel, now.wall)
    if found is not None:
        raise Denied(code_of(found), **values_of(found))
