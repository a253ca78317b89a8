"""What the sessions of one game may do together: more than one of them alone, and less than all of them."""

from __future__ import annotations

from gossip.network.ratelimit import Rate, spend
from gossip.network.session import Session
from gossip.protocol.errors import Overrun
from gossip.protocol.moment import Moment


def spend_of(session: Session, name: str, rate: Rate, share: int, now: Moment, weight: float = 1) -> None:
    """
    Let one event of a session pass a rate limit of its own, and of its game.

    @param name: the name of the rate.
    @param share: how many times the rate all sessions of the game may use together; 0 for no limit.
    @param weight: what the event counts for the game. For its session it counts 1.
    @raise Overrun: it does not pass. The strike is for the session that sent it, and for no other one of its game.
    """
    spend(session.buckets, name, rate, now)
    online = session.online
    # Few sessions cannot use more than their own rates allow.
    if share and online is not None and len(online.sessions) * weight > share:
        try:
            spend(online.buckets, name, Rate(rate.burst * share, rate.per_second * share), now, weight)
        except Overrun:
            raise Overrun(session.buckets[name].strike(now)) from None
