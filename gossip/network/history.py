"""
History: what was said on a channel before (events channels/history, and resume in authenticate).

The network keeps no history itself: it asks the store for it, and answers when it has come.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from msgspec import UNSET

from gossip.network.outputs import Fetch, Outputs, Send
from gossip.network.session import Session, Situation
from gossip.network.settings import Rules
from gossip.network.shares import spend_of
from gossip.protocol.emotes import emote
from gossip.protocol.errors import NOT_KEPT, Denied, Error
from gossip.protocol.events import ChannelsHistory
from gossip.protocol.moment import Moment
from gossip.protocol.server_events import ChannelsHistoryAnswer, Failure, MessageOf
from gossip.protocol.text import timestamp
from gossip.registry.changes import MessageSaid
from gossip.registry.numbers import Numbers
from gossip.registry.sought import Numbered

LIMIT: Final = 50
"""How many messages an answer has by default."""

MOST: Final = 100
"""An answer has at most this many messages."""

RESUMED: Final = 20
"""A session may resume on at most this many channels."""

SIZE: Final = 256 * 1024
"""
An answer has at most this many bytes of text, and so have all answers to a session that resumes, together: no game is
cut off for reading slowly what it asked for.
"""

_SEQ: Final = range(2**63)


def message_id(channel: str, seq: int) -> str:
    """
    The identity of a message, as games and pages know it.

    It is known when the message is said, and the same for ever: a number is given once in a channel.
    """
    return f"{channel}:{seq}"


def read_id(identity: str) -> Numbered | None:
    """The message with an identity; C{None} if no message can have it."""
    match = _ID.fullmatch(identity)
    return Numbered(match[1], int(match[2])) if match and int(match[2]) in _SEQ else None


_ID: Final = re.compile("(.+):(0|[1-9][0-9]{0,18})", re.DOTALL)


class History:
    """Answers what was said before."""

    def __init__(self, rules: Rules, numbers: Numbers) -> None:
        self._rules = rules
        self._numbers = numbers

    def ask(self, session: Session, event: ChannelsHistory, now: Moment) -> Outputs:
        """A game wants to know what was said on one of its channels."""
        if event.channel not in session.channels:
            raise Denied("not-subscribed")
        limit = LIMIT if event.limit is None else event.limit
        if not 1 <= limit <= MOST:
            raise Denied("bad-limit")
        if not all(seq is None or seq in _SEQ for seq in (event.before, event.after)):
            raise Denied("malformed")
        if event.after is not None and self._is_unknown(event.channel, event.after):
            raise Denied("unknown-number", channel=event.channel, number=str(event.after))
        limits = self._rules.limits
        spend_of(session, "channels_history", limits.rates.channels_history, limits.sessions_share, now)
        return [Fetch(session, event.channel, limit, event.before, event.after, event.ref)]

    def resume(self, session: Session, wanted: dict[str, int]) -> Outputs:
        """A session that just joined wants to know what it missed."""
        if not session.numbered:
            return []
        here = [(name, seq) for name, seq in wanted.items() if name in session.channels and seq in _SEQ][:RESUMED]
        return [
            self._unknown(session, name, seq)
            if self._is_unknown(name, seq)
            # They all leave at once.
            else Fetch(session, name, MOST, None, seq, None, len(here))
            for name, seq in here
        ]

    def _is_unknown(self, channel: str, seq: int) -> bool:
        """Is a number too high to have been given? A game that waits for what follows it would miss what comes."""
        return seq > self._numbers.highest_message(channel)

    def _unknown(self, session: Session, channel: str, seq: int) -> Send:
        error = Error.of("unknown-number", channel=channel, number=str(seq))
        return Send(session, Failure(ChannelsHistory.wire, None, error))

    def fetched(self, fetch: Fetch, found: Sequence[MessageSaid] | None) -> Outputs:
        """
        What was asked for is there.

        @param found: one message more than was asked for, if there is one; C{None} if it cannot be read.
        """
        session = fetch.session
        if session.situation is Situation.GONE:
            return []
        if found is None:
            return [Send(session, Failure(ChannelsHistory.wire, fetch.ref, NOT_KEPT))]
        # Nearest first to where the game reads on.
        forward = fetch.after is not None
        taken: list[MessageOf] = []
        size = 0
        for said in found if forward else reversed(found):
            size += len(said.message.encode()) + len(said.name.encode())
            if len(taken) == fetch.limit or (taken and size > SIZE // fetch.share):
                break
            taken.append(numbered(said, bool(session.extensions)))
        messages = tuple(taken) if forward else tuple(reversed(taken))
        return [Send(session, ChannelsHistoryAnswer(fetch.ref, fetch.channel, messages, len(taken) < len(found)))]


def numbered(said: MessageSaid, extended: bool) -> MessageOf:
    """
    A message as it stands in the history.

    @param extended: whether the session that is told has any extension.
    """
    return MessageOf(
        id=message_id(said.channel, said.seq),
        seq=said.seq,
        sent_at=timestamp(said.said_at),
        game=said.game,
        name=said.name,
        message=said.message,
        emote=True if extended and emote(said.message) is not None else UNSET,
    )
