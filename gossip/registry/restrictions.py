"""
Mutes and bans: whom they apply to, and whether they are in force.

The subject is one text, so that a lookup is one of a dict: a game's client_id, C{player@client_id}, or an address.
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv6Address, ip_address

from gossip.protocol.errors import Error
from gossip.protocol.text import timestamp
from gossip.registry.changes import Restriction

Restrictions = Mapping[tuple[str, str], Restriction]
"""By subject and channel."""


def player_of(client_id: str, name: str) -> str:
    """A player as the subject of a restriction. Case and extra spaces make no difference."""
    return f"{' '.join(name.split()).lower()}@{client_id}"


def address(text: str) -> str | None:
    """An address as the subject of a restriction; C{None} if the text is no address."""
    try:
        found = ip_address(text)
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return str(mapped or found)


def plain_address(peer: str) -> str:
    """The address of a connection as the subject of a restriction."""
    return peer[7:] if peer.startswith("::ffff:") and "." in peer else peer


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


def find(known: Restrictions, subjects: tuple[str, ...], channel: str, now: float) -> Restriction | None:
    """
    The first restriction of these subjects that is in force, everywhere or on a channel.

    @param channel: the name of the channel; empty to look for restrictions everywhere only.
    @param now: seconds since the epoch.
    """
    for subject in subjects:
        for where in ("", channel) if channel else ("",):
            found = known.get((subject, where))
            if found is not None and not is_over(found, now):
                return found
    return None
