"""
Mutes and bans: whom they apply to, and whether they are in force.

The subject is one text: a game's client_id, C{player@client_id}, or an address or network as L{Address} prints it. A
single IPv6 address, which earlier releases stored, stands for its /64 network. A player is known by the skeleton of
the name (L{gossip.protocol.skeleton}): a name that looks alike is no way round a mute.
"""

from __future__ import annotations

from functools import lru_cache

from gossip.protocol.errors import Error
from gossip.protocol.skeleton import skeletons
from gossip.protocol.text import timestamp
from gossip.registry.addresses import Address, network
from gossip.registry.entities import Restriction


def player_of(client_id: str, name: str) -> str:
    """A player as the subject of a restriction, which shows what an admin wrote."""
    return f"{' '.join(name.split()).lower()}@{client_id}"


def alike(name: str, other: str) -> bool:
    """Is the name of one player that of another, or can it be mistaken for it?"""
    (looks, *_), others = (skeletons(" ".join(each.split()).lower()) for each in (other, name))
    return looks in others


@lru_cache(4096)
def _players(subject: str) -> tuple[str, ...]:
    """What players that can be mistaken for a subject have in common with it; nothing if it is no player."""
    name, at, client_id = subject.rpartition("@")
    return tuple(f"{each}@{client_id}" for each in skeletons(name)) if at else ()


def address_of(subject: str) -> Address | None:
    """The network that a subject names; C{None} if it is a game or a player."""
    if "@" in subject or not (":" in subject or "." in subject):
        return None
    try:
        return network(subject)
    except ValueError:
        return None


def in_words(restriction: Restriction) -> str:
    """The text of the error for the person who is restricted."""
    return Error.of(code_of(restriction), **values_of(restriction)).text


def code_of(restriction: Restriction) -> str:
    """The code of the error that a restriction leads to."""
    return "muted" if restriction.kind == "mute" else "banned"


def values_of(restriction: Restriction) -> dict[str, str]:
    """The values in the text of that error."""
    until = "" if restriction.until is None else f" until {timestamp(restriction.until, 'seconds')}"
    return {"until": until, "reason": restriction.reason}


def is_over(restriction: Restriction, now: float) -> bool:
    """Has a restriction expired?"""
    return restriction.until is not None and restriction.until <= now


class Restrictions(dict[tuple[str, str], Restriction]):
    """
    All mutes, or all bans, by subject and channel. Change them only with L{set} and L{lift}.

    An address is looked up once for each length of prefix in use, so a lookup costs the same however many bans there
    are.
    """

    def __init__(self) -> None:
        super().__init__()
        # By bits and length, then by the network and the channel. Several only if they are stored from earlier
        # releases: addresses of one /64.
        self._networks: dict[tuple[int, int], dict[tuple[Address, str], tuple[Restriction, ...]]] = {}
        # Also several if earlier releases stored names that look alike.
        self._players: dict[tuple[str, str], tuple[Restriction, ...]] = {}

    def set(self, restriction: Restriction) -> None:
        """Add a restriction, or replace the one of the same subject and channel."""
        self.lift(restriction.subject, restriction.channel)
        self[restriction.subject, restriction.channel] = restriction
        address = address_of(restriction.subject)
        if address is not None:
            known = self._networks.setdefault((address.bits, address.length), {})
            key = address, restriction.channel
            known[key] = (*known.get(key, ()), restriction)
        for player in _players(restriction.subject)[:1]:
            alike = player, restriction.channel
            self._players[alike] = (*self._players.get(alike, ()), restriction)

    def lift(self, subject: str, channel: str) -> None:
        """Remove a restriction, if there is one."""
        restriction = self.pop((subject, channel), None)
        if restriction is None:
            return
        for player in _players(subject)[:1]:
            others = tuple(each for each in self._players.pop((player, channel)) if each is not restriction)
            if others:
                self._players[player, channel] = others
        address = address_of(subject)
        if address is None:
            return
        size, key = (address.bits, address.length), (address, channel)
        known = self._networks[size]
        rest = tuple(each for each in known.pop(key) if each is not restriction)
        if rest:
            known[key] = rest
        elif not known:
            del self._networks[size]

    def on(self, subject: str, channel: str) -> tuple[Restriction, ...]:
        """The restrictions of a subject on a channel: all that are stored for the same network, or for names alike."""
        address = address_of(subject)
        if address is not None:
            return self._networks.get((address.bits, address.length), {}).get((address, channel), ())
        players = _players(subject)
        if players:
            return tuple(each for player in players for each in self._players.get((player, channel), ()))
        restriction = self.get((subject, channel))
        return () if restriction is None else (restriction,)

    def find(self, subjects: tuple[str, ...], peer: Address, channel: str, now: float) -> Restriction | None:
        """
        The first restriction that is in force, everywhere or on a channel.

        @param subjects: a game, or a game and a player.
        @param peer: the address that they come from.
        @param channel: the name of the channel; empty to look for restrictions everywhere only.
        @param now: seconds since the epoch.
        """
        channels = ("", channel) if channel else ("",)
        for subject in subjects:
            if "@" in subject:
                continue
            for where in channels:
                found = self.get((subject, where))
                if found is not None and not is_over(found, now):
                    return found
        if self._players:
            for player in (player for subject in subjects for player in _players(subject)):
                for where in channels:
                    for found in self._players.get((player, where), ()):
                        if not is_over(found, now):
                            return found
        for (bits, length), known in self._networks.items():
            if bits == peer.bits:
                network = peer.within(length)
                for where in channels:
                    for found in known.get((network, where), ()):
                        if not is_over(found, now):
                            return found
        return None
