"""
What the moderators of a channel may do, judged in one place for everything that lets them do it.

On their channel they remove messages, mute for at most a day and resolve reports. They are no admins: what an admin did
for longer stays as it is, addresses are not theirs to see, and every other operation is for admins.
"""

from __future__ import annotations

from typing import Final

from gossip.operations.messages import MessageRemove
from gossip.operations.operation import Operation
from gossip.operations.reports import ReportResolve
from gossip.operations.restrictions import MuteAdd, MuteRemove, find_subject
from gossip.registry.entities import Restriction
from gossip.registry.errors import Refused
from gossip.registry.registry import Registry
from gossip.registry.restrictions import address_of, is_over

MUTE_MINUTES: Final = 24 * 60
"""How long a mute of a moderator can last, in minutes."""


def moderates(registry: Registry, account: str, channel: str) -> bool:
    """
    May an account moderate a channel? Admins may moderate each.

    @param account: the name of the account.
    """
    known, where = registry.accounts.named(account), registry.channels.get(channel)
    if known is None or known.disabled or where is None:
        return False
    return known.admin or known.name in where.moderators


def check(registry: Registry, account: str, channel: str, operation: Operation, now: float) -> None:
    """
    May an account do this as a moderator of a channel?

    @param account: the name of the account.
    @param now: seconds since the epoch.
    @raise Refused: it may not; the text says why.
    """
    if not moderates(registry, account, channel):
        raise Refused("forbidden", None, f"you do not moderate {channel}")
    match operation:
        case MuteAdd(who=who, channel=where, minutes=minutes) if where == channel:
            if minutes is None or not minutes <= MUTE_MINUTES:
                raise Refused("forbidden", "minutes", "a moderator can mute for at most 24 hours")
            _check_subject(registry, who, channel, now)
        case MuteRemove(who=who, channel=where) if where == channel:
            _check_subject(registry, who, channel, now)
        case MessageRemove() if operation.channel == channel:
            pass
        case ReportResolve(number=number) if _is_of(registry, number, channel):
            pass
        case _:
            raise Refused("forbidden", None, "only an admin can do this")


def is_of_moderators(mute: Restriction) -> bool:
    """May moderators change or lift a mute of their channel? One that an admin set for longer stays."""
    return mute.until is not None and mute.until - mute.set_at <= MUTE_MINUTES * 60


def mutes_of(registry: Registry, channel: str, now: float) -> list[Restriction]:
    """
    The mutes on a channel that moderators may see, the latest first.

    @param now: seconds since the epoch.
    """
    shown = [
        mute
        for mute in registry.mutes.values()
        if mute.channel == channel and not is_over(mute, now) and address_of(mute.subject) is None
    ]
    return sorted(shown, key=lambda mute: mute.set_at, reverse=True)


def _check_subject(registry: Registry, who: str, channel: str, now: float) -> None:
    subject = find_subject(registry, who)
    if address_of(subject) is not None:
        raise Refused("forbidden", "who", "only an admin can mute an address")
    mutes = registry.mutes.on(subject, channel)
    if any(not is_over(mute, now) and not is_of_moderators(mute) for mute in mutes):
        raise Refused("forbidden", "who", "this mute lasts for more than 24 hours: only an admin can change it")


def _is_of(registry: Registry, number: int, channel: str) -> bool:
    report = registry.reports.get(number)
    return report is not None and report.channel == channel
