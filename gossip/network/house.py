"""
House sessions: parts of the daemon itself that join, for a registered game or for a remote one that speaks through it.

A house session has no credentials, no heartbeats and no address. A remote game lives as long as its house session. It
is in no audience: the game that it speaks through hears for it, and what it says reaches all others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from msgspec import Raw

from gossip.network.channels import Channels
from gossip.network.moderation import Moderation
from gossip.network.nodes import Nodes
from gossip.network.notes import Notes, coming_online
from gossip.network.outputs import Outputs
from gossip.network.presence import Presence, to_others
from gossip.network.session import Session, Situation
from gossip.network.settings import Rules
from gossip.protocol.errors import Denied
from gossip.protocol.moment import Moment
from gossip.protocol.server_events import GamesConnect
from gossip.registry.entities import Game
from gossip.registry.registry import Registry
from gossip.registry.restrictions import code_of, values_of


class House:
    """Lets parts of the daemon join."""

    def __init__(
        self,
        registry: Registry,
        presence: Presence,
        channels: Channels,
        moderation: Moderation,
        nodes: Nodes,
        notes: Notes,
        new_ref: Callable[[], Raw],
        rules: Rules,
    ) -> None:
        self._registry = registry
        self._presence = presence
        self._channels = channels
        self._moderation = moderation
        self._nodes = nodes
        self._notes = notes
        self._new_ref = new_ref
        self._rules = rules

    def join(
        self, session: Session, game: Game, supports: frozenset[str], channels: Iterable[str], now: Moment
    ) -> Outputs:
        """
        A new session joins. What a remote game may hear of the channels, its gateway hears; it may speak on them.

        @param game: a registered game, or a remote one.
        @raise Denied: it may not; the session is as it was.
        """
        self._check(session, game, now)
        session.opened_at = now.wall
        session.situation, session.supports, session.lists_players = Situation.ACTIVE, supports, False
        session.online, came = self._presence.join(session, game, now)
        outputs: Outputs = []
        open_channels = [name for name in channels if not self._channels.ban_of(session, name, now)]
        if game.through is None:
            for name in open_channels:
                if self._channels.may_join(name) and self._channels.may_create(session, name, now):
                    outputs += self._channels.join(session, name, now)
        else:
            self._registry.remotes.came(game)
            session.channels = dict.fromkeys(open_channels)
        session.online.changed()
        if came:
            if game.through is None:
                outputs += self._notes.note(coming_online(session, session.online))
            outputs += to_others(session.online, GamesConnect(self._new_ref(), game.short_name))
        return [*outputs, *self._nodes.joined(session)]

    def _check(self, session: Session, game: Game, now: Moment) -> None:
        """@raise Denied: the game may not join."""
        for client_id in filter(None, (game.client_id, game.through)):
            ban = self._moderation.ban_of(session, client_id, "", now)
            if ban is not None:
                raise Denied(code_of(ban), **values_of(ban))
        if game.disabled:
            raise Denied("game-disabled")
        limits, online = self._rules.limits, self._presence.online(game.client_id)
        if game.through is None:
            if limits.sessions and online is not None and len(online.sessions) >= limits.sessions:
                raise Denied("too-many-sessions")
            return
        gateway = self._presence.online(game.through)
        if gateway is None or not gateway.sessions:
            raise Denied("game-offline")
        if limits.remote_games and online is None and len(self._registry.remotes) >= limits.remote_games:
            raise Denied("too-many-sessions")
