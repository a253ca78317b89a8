"""Reports: a game tells the admins what is wrong with a message, or with a player (protocol, reports/create)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from msgspec.structs import replace

from gossip.network.answers import answer, failure
from gossip.network.channels import checked_name
from gossip.network.history import read_id
from gossip.network.outputs import Commit, Find, Outputs
from gossip.network.ratelimit import passes
from gossip.network.session import Session
from gossip.network.settings import Rules
from gossip.protocol.errors import NOT_KEPT, Denied
from gossip.protocol.events import ReportsCreate
from gossip.protocol.moment import Moment
from gossip.protocol.server_events import ReportCreated
from gossip.protocol.skeleton import is_visible
from gossip.protocol.text import clean, is_line, too_long
from gossip.registry.changes import MessageSaid, ReportMade
from gossip.registry.entities import Report
from gossip.registry.names import NETWORK_GAME, is_network
from gossip.registry.registry import REASON, REPORTS, Registry
from gossip.registry.sought import LatestOf, Sought

RECENT: Final = 10 * 60
"""A message that is meant without its number was said at most this many seconds ago."""

OF_A_GAME: Final = 100
"""The maximum number of open reports from one game: no game can fill the list alone."""


class Reports:
    """
    Takes the reports of games.

    A report is open when it is on disk. Until then, it is remembered here: two at once must not both be the first.
    """

    def __init__(self, registry: Registry, rules: Rules) -> None:
        self._registry = registry
        self._rules = rules
        self._waiting: dict[Report, tuple[Session, ReportsCreate, dict[str, Any]]] = {}

    def create(self, session: Session, event: ReportsCreate, now: Moment) -> Outputs:
        """A player of a session reports a message, or another player."""
        limits = self._rules.limits
        checked_name(event.from_name, limits)
        checked_reason(event.reason)
        sought = self._sought(session, event, now)
        quote = clean(event.quote or "") if sought is None else ""
        if too_long(quote, limits.message_characters, limits.message_bytes):
            raise Denied("message-too-long")
        # Those that do not pass are no abuse: when somebody floods a channel, many players of a game report it.
        assert session.online is not None
        if not passes(session.online.buckets, "reports_create", limits.rates.reports_create, now):
            raise Denied("rate-limited")
        if sought is not None:
            return [Find(session, sought, event)]
        name = checked_name(event.name or "", limits)
        return self._make(session, event, now, game=self._known_game(event), name=name, message=quote)

    def found(self, find: Find, found: Sequence[MessageSaid] | None, now: Moment) -> Outputs:
        """
        The message that a report is about was looked for.

        @param found: the message; nothing if there is none; C{None} if it cannot be read.
        """
        session, event = find.session, find.request
        assert isinstance(event, ReportsCreate)
        if found is None:
            return [*failure(session, event, NOT_KEPT, now)]
        try:
            if not found:
                raise Denied("no-such-message")
            [said] = found
            of = {"channel": said.channel, "seq": said.seq, "game": said.game, "name": said.name}
            return self._make(session, event, now, message=said.message, **of)
        except Denied as denied:
            return [*failure(session, event, denied.error, now)]

    def _sought(self, session: Session, event: ReportsCreate, now: Moment) -> Sought | None:
        """
        The message that a report is about; C{None} if it is about a player.

        @raise Denied: there cannot be such a message.
        """
        if event.id is not None:
            numbered = read_id(event.id)
            if numbered is None:
                raise Denied("no-such-message")
            self._check_heard(session, numbered.channel)
            return numbered
        game, name = self._known_game(event), checked_name(event.name or "", self._rules.limits)
        if event.channel is None:
            return None
        self._check_heard(session, event.channel)
        return LatestOf(event.channel, game, name, now.wall - RECENT)

    def _check_heard(self, session: Session, channel: str) -> None:
        """
        Check that a session L{may_know} what is said on a channel.

        @raise Denied: it may not. That tells no more than that there is no such message.
        """
        if not may_know(self._registry, session, channel):
            raise Denied("no-such-message")

    def _known_game(self, event: ReportsCreate) -> str:
        """
        The short name of the game that a report names, as it is registered.

        @raise Denied: there is no such game.
        """
        if event.game is None or event.name is None:
            raise Denied("malformed")
        if is_network(event.game):
            return NETWORK_GAME
        game = self._registry.speaker_named(event.game)
        if game is None:
            raise Denied("unknown-game")
        return game.short_name

    def _make(self, session: Session, event: ReportsCreate, now: Moment, **about: Any) -> Outputs:
        """
        Make a report.

        @param about: what it is about: fields of L{Report}.
        @raise Denied: the same was reported already, or too many reports are open.
        """
        assert session.online is not None
        game = session.online.game.short_name
        report = Report(
            number=0,
            **{"channel": "", "seq": 0, **about},
            reason=checked_reason(event.reason),
            made_by=f"{checked_name(event.from_name, self._rules.limits)}@{game}",
            made_at=now.wall,
        )
        known = [*self._registry.reports.values(), *self._waiting]
        meant = _means(report)
        if any(_means(each) == meant for each in known):
            raise Denied("reported-already")
        own = sum(each.made_by.rpartition("@")[2] == game for each in known)
        if len(known) >= REPORTS or own >= OF_A_GAME:
            raise Denied("too-many-reports")
        report = replace(report, number=self._registry.numbers.next_report())
        self._waiting[report] = session, event, about
        then = answer(session, event, ReportCreated(event.ref, report.number), now)
        return [Commit(ReportMade(report), then, failure(session, event, NOT_KEPT, now))]

    def settled(self, report: Report) -> None:
        """A report is on disk, or could not be kept."""
        self._waiting.pop(report, None)

    def again(self, report: Report, now: Moment) -> Outputs:
        """Another node has changed something since a report was made: it is judged again, and gets another number."""
        session, event, about = self._waiting.pop(report)
        try:
            return self._make(session, event, now, **about)
        except Denied as denied:
            return [*failure(session, event, denied.error, now)]


def may_know(registry: Registry, session: Session, channel: str) -> bool:
    """May a session know what is said on a channel? Everybody may know that of a public one."""
    known = registry.channels.get(channel)
    return known is not None and (not known.hidden or channel in session.channels)


def checked_reason(reason: str) -> str:
    """
    The reason of a report on one line, cleaned.

    @raise Denied: it is empty or too long.
    """
    reason = " ".join(clean(reason).split())
    if not is_visible(reason) or len(reason) > REASON or not is_line(reason):
        raise Denied("bad-reason")
    return reason


def _means(report: Report) -> tuple[object, ...]:
    """What two reports of the same by the same have in common."""
    about = (report.game.lower(), report.name.lower(), report.message) if not report.channel else ()
    return report.made_by.lower(), report.channel, report.seq, *about
