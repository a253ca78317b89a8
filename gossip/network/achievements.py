"""
Achievements: what a game's players can earn (protocol specification, achievements/*).

They change in memory only when they are on disk. Until then, further requests of the same game wait: the 500 points
are counted on what is kept. Where several nodes share a network, another one may have been first: then the request
that was being kept is judged again, and the others go on waiting.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, Final

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from gossip.network.answers import failure
from gossip.network.outputs import Commit, Hold, Outputs, Release, Send
from gossip.network.ratelimit import spend
from gossip.network.session import Session
from gossip.network.settings import Rules
from gossip.protocol.errors import NOT_KEPT
from gossip.protocol.events import AchievementsCreate, AchievementsDelete, AchievementsSync, AchievementsUpdate
from gossip.protocol.moment import Moment
from gossip.protocol.server_events import (
    AchievementDeleted,
    AchievementOf,
    AchievementRefused,
    AchievementSaved,
    AchievementsSynced,
)
from gossip.registry.changes import AchievementDropped, AchievementKept
from gossip.registry.registry import Registry

POINTS: Final = 500
"""All achievements of a game have at most this many points together."""

_BLANK, _INVALID, _NOT_FOUND, _NO_POINTS = "can't be blank", "is invalid", "not found", "no points left"
_TOO_MANY: Final = "too many achievements"

_string = msgspec.json.Decoder(str).decode

_ATTRIBUTES: Final[dict[str, tuple[type, Callable[[Any], bool]]]] = {
    # What every database can hold.
    "title": (str, lambda title: len(title) <= 200 and "\0" not in title),
    "description": (str, lambda description: len(description) <= 1000 and "\0" not in description),
    "points": (int, lambda points: 0 <= points <= 100),
    "display": (bool, lambda display: True),
    "partial_progress": (bool, lambda partial_progress: True),
    "total_progress": (int, lambda total: -(2**31) <= total < 2**31),
}
"""The type of each attribute, and whether a value is in its range."""

_NULLABLE: Final = ("description", "total_progress")
"""The attributes that may be null."""

Event = AchievementsSync | AchievementsCreate | AchievementsUpdate | AchievementsDelete


class _Wrong(Exception):
    """What is wrong with each attribute."""

    def __init__(self, errors: dict[str, list[str]]) -> None:
        super().__init__(errors)
        self.errors = errors


class Achievements:
    """The achievements of all games."""

    def __init__(self, registry: Registry, new_key: Callable[[], str], rules: Rules) -> None:
        self._registry = registry
        self._rules = rules
        self._new_key = new_key
        # Of each game, first the request that is being kept.
        self._waiting: dict[str, deque[tuple[Session, Event]]] = {}

    def receive(self, session: Session, event: Event, now: Moment) -> Outputs:
        """A game asks for or changes achievements; it waits while the game's last change is not on disk."""
        assert session.online is not None
        client_id = session.online.game.client_id
        if isinstance(event, AchievementsSync):
            weight = len(self._registry.achievements.get(client_id, ()))
            rate = self._rules.limits.rates.achievements_sync
            spend(session.online.buckets, "achievements_sync", rate, now, max(weight, 1))
        waiting = self._waiting.get(client_id)
        if waiting is not None:
            waiting.append((session, event))
            return [Hold(session)]
        output = self._carry_out(client_id, session, event, now)
        if isinstance(output, Commit):
            self._waiting[client_id] = deque([(session, event)])
        return [output]

    def settled(self, client_id: str, now: Moment) -> Outputs:
        """A game's change is on disk, and in the registry, or it failed: the requests that wait for it go on."""
        outputs: Outputs = []
        waiting = self._waiting[client_id]
        waiting.popleft()
        while waiting:
            session, event = waiting[0]
            output = self._carry_out(client_id, session, event, now)
            outputs.append(Release(session, (output,)))
            if isinstance(output, Commit):
                return outputs
            waiting.popleft()
        del self._waiting[client_id]
        return outputs

    def again(self, client_id: str, now: Moment) -> Outputs:
        """
        Another node has changed a game's achievements: the request that was to be kept is judged by these.

        @return: outputs for its place, and those for the requests behind it that need not wait any longer.
        """
        session, event = self._waiting[client_id][0]
        output = self._carry_out(client_id, session, event, now)
        return [output] if isinstance(output, Commit) else [output, *self.settled(client_id, now)]

    def _carry_out(self, client_id: str, session: Session, event: Event, now: Moment) -> Send | Commit:
        mine = self._registry.achievements.get(client_id, {})
        try:
            match event:
                case AchievementsSync():
                    by_title = sorted(mine.values(), key=lambda achievement: (achievement.title, achievement.key))
                    return Send(session, AchievementsSynced(event.ref, tuple(by_title)))
                case AchievementsDelete():
                    key = _find(event.attributes, mine).key
                    then = Send(session, AchievementDeleted(event.ref, key))
                    return Commit(AchievementDropped(client_id, key), (then,), failure(session, event, NOT_KEPT, now))
                case AchievementsCreate():
                    achievement = _changed(None, event.attributes, self._new_key)
                    if 0 < self._rules.limits.achievements <= len(mine):
                        raise _Wrong({"title": [_TOO_MANY]})
                case AchievementsUpdate():
                    achievement = _changed(_find(event.attributes, mine), event.attributes, self._new_key)
            before = mine[achievement.key].points if achievement.key in mine else 0
            if self._registry.points(client_id) - before + achievement.points > POINTS:
                raise _Wrong({"points": [_NO_POINTS]})
        except _Wrong as wrong:
            return Send(session, AchievementRefused(event.wire, event.ref, wrong.errors))
        saved = Send(session, AchievementSaved(event.wire, event.ref, achievement))
        return Commit(AchievementKept(client_id, achievement), (saved,), failure(session, event, NOT_KEPT, now))


def _find(attributes: dict[str, Raw], mine: dict[str, AchievementOf]) -> AchievementOf:
    """The achievement with the key that stands in a payload."""
    try:
        return mine[_string(attributes["key"]).lower()]
    except (KeyError, msgspec.DecodeError, UnicodeDecodeError):
        raise _Wrong({"key": [_NOT_FOUND]}) from None


def _changed(
    achievement: AchievementOf | None, attributes: dict[str, Raw], new_key: Callable[[], str]
) -> AchievementOf:
    """
    An achievement, new or as it was, with other attributes.

    In a new one, a null is an absent field. An update changes what it names, so a null in it is a value.
    """
    values: dict[str, Any] = {}
    errors: dict[str, list[str]] = {}
    for name, (kind, in_range) in _ATTRIBUTES.items():
        raw = attributes.get(name)
        if raw is None:
            continue
        if bytes(raw) == b"null":
            if achievement is not None and name in _NULLABLE:
                values[name] = None
            elif achievement is not None:
                errors[name] = [_BLANK]
            continue
        try:
            values[name] = msgspec.json.decode(raw, type=kind)
            valid = in_range(values[name])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            valid = False
        if not valid:
            errors[name] = [_INVALID]
    if "title" not in errors and not values.get("title", achievement.title if achievement else "").strip():
        errors["title"] = [_BLANK]
    partial = values.get("partial_progress", achievement is not None and achievement.partial_progress)
    total = values.get("total_progress", achievement.total_progress if achievement else None)
    if partial is True and total is None and "total_progress" not in errors:
        errors["total_progress"] = [_BLANK]
    if errors:
        raise _Wrong(errors)
    if achievement is None:
        return AchievementOf(key=new_key(), **values)
    return replace(achievement, **values)
