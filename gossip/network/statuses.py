"""The two status queries: what a game may know of others (protocol specification, players/status and games/status)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Sequence

from msgspec import UNSET
from msgspec.structs import replace

from gossip.network.outputs import Outputs, Send, Wanted
from gossip.network.presence import Online, Presence
from gossip.network.ratelimit import spend
from gossip.network.session import Session
from gossip.network.settings import NetworkLimits, Rules
from gossip.protocol.errors import Denied
from gossip.protocol.events import GamesStatus, PlayersStatus
from gossip.protocol.flags import DIRECTORY, FLAGS
from gossip.protocol.moment import Moment
from gossip.protocol.server_events import GamesStatusAnswer, PlayersOf, PlayersStatusAnswer, PresenceOf, StatusOf, Told
from gossip.registry.entities import Game
from gossip.registry.names import NETWORK_GAME, NETWORK_PLAYER, is_network
from gossip.registry.registry import Registry


class Statuses:
    """
    What games may know of each other, and of the network, which answers as a game of its own.

    @ivar since: since when the network runs, in seconds since the epoch; C{None} before its start.
    """

    def __init__(self, registry: Registry, presence: Presence, rules: Rules) -> None:
        self._registry = registry
        self._presence = presence
        self._rules = rules
        self.since: float | None = None
        self._made_of: tuple[int, NetworkLimits] = -1, rules.limits

    def players(self, session: Session, event: PlayersStatus, now: Moment) -> Outputs:
        """A game asks for the players of one game, or of all others."""
        asked = self._asked(session, event.game)
        games = tuple(map(self.players_of, asked)) or (PlayersOf(NETWORK_GAME, (NETWORK_PLAYER,)),)
        self._charge(session, "players_status", games, now)
        end_marked = event.game is None and DIRECTORY in session.extensions
        answer = Send(session, PlayersStatusAnswer(event.ref, games, end_marked=end_marked))
        remote = [online.game.client_id for online in asked if event.game and online.game.through is not None]
        return [answer, *map(Wanted, remote)]

    def games(self, session: Session, event: GamesStatus, now: Moment) -> Outputs:
        """A game asks what one game is, or all others are."""
        games: tuple[StatusOf | PresenceOf, ...]
        if DIRECTORY not in session.extensions:
            games = tuple(map(self.status_of, self._asked(session, event.game))) or (self._network(),)
            self._charge(session, "games_status", games, now)
            return [Send(session, GamesStatusAnswer(event.ref, games))]
        offline = None if event.game is None else self._offline(event.game)
        if offline is not None:
            games = (offline,)
        else:
            asked = self._asked(session, event.game)
            games = tuple(map(self._presence_of, asked)) or (self._presence_of_network(now),)
        self._charge(session, "games_status", games, now)
        return [Send(session, GamesStatusAnswer(event.ref, games, end_marked=event.game is None, asked_at=now.wall))]

    def whereis(self, name: str) -> tuple[tuple[str, str], ...]:
        """
        Where a player is.

        @param name: the player's name; it compares without case.
        @return: the short name and the player of each game that shows one of this name.
        """
        wanted = name.lower()
        return tuple(
            (online.game.short_name, player)
            for online in self._presence
            if not online.game.hidden
            for player in self.players_of(online).players
            if player.lower() == wanted
        )

    def player_like(self, short_name: str, token: str) -> str:
        """
        Which player of a game a transport means that writes names as plain words.

        @param token: the name as such a word.
        @return: the player of this name; else the only one whose letters and digits are the same; else the word.
        """
        game = self._registry.speaker_named(short_name)
        online = None if game is None else self._presence.online(game.client_id)
        if online is None:
            return token
        wanted, plain = token.lower(), _squashed(token)
        players = online.players
        exact = next((player for player in players if player.lower() == wanted), None)
        if exact is not None:
            return exact
        alike = [player for player in players if _squashed(player) == plain] if plain else []
        return alike[0] if len(alike) == 1 else token

    def _asked(self, session: Session, name: str | None) -> list[Online]:
        """
        The games that a query is about; none for the network itself, which also answers when nobody else would: a
        client waits for the first answer for ever.

        @raise Denied: the game asked for is offline, unknown, or hidden from the one that asks.
        """
        self._forget_if_changed()
        asking = session.online
        if name is None:
            return [online for online in self._presence if online is not asking and not online.game.hidden]
        if is_network(name):
            return []
        game = self._registry.speaker_named(name)
        online = None if game is None else self._presence.online(game.client_id)
        # A hidden remote game is only left out of lists.
        if online is None or (online.game.hidden and online.game.through is None and online is not asking):
            raise Denied("unknown-game")
        return [online]

    def _forget_if_changed(self) -> None:
        """What is told of all games stands until what it depends on changes for all of them."""
        made_of = self._registry.revision, self._rules.limits
        if self._made_of != made_of:
            self._made_of = made_of
            for online in self._presence:
                online.changed()

    def _charge(self, session: Session, rate: str, games: Sequence[Told], now: Moment) -> None:
        """
        All sessions of a game share the work that its queries make.

        @raise Overrun: they made too much.
        """
        assert session.online is not None
        weight = sum(game.weight for game in games)
        spend(session.online.buckets, rate, getattr(self._rules.limits.rates, rate), now, weight)

    def players_of(self, online: Online) -> PlayersOf:
        """A game's players, none if it hides them."""
        told = online.told.get("players")
        if not isinstance(told, PlayersOf):
            shown = () if online.game.hides_players else online.some_players(self._rules.limits.players)
            told = online.told["players"] = PlayersOf(online.game.short_name, shown)
        return told

    def status_of(self, online: Online) -> StatusOf:
        """What others may know of a game."""
        told = online.told.get("games")
        if not isinstance(told, StatusOf):
            told = online.told["games"] = self._status_of(online)
        return told

    def _presence_of(self, online: Online) -> PresenceOf:
        """The same, and when the game was here."""
        told = online.told.get("presence")
        if not isinstance(told, PresenceOf):
            left_at = None if online.sessions else online.left_at
            told = online.told["presence"] = PresenceOf(self.status_of(online), online.since, left_at)
        return told

    def _offline(self, name: str) -> PresenceOf | None:
        """What others may know of a game that is offline; C{None} if there is none of this name."""
        game = self._registry.game_named(name)
        if game is None or game.hidden or game.disabled or self._presence.online(game.client_id) is not None:
            return None
        return PresenceOf(self._status(game), None, self._registry.last_seen.get(game.client_id))

    def _status_of(self, online: Online) -> StatusOf:
        channels = self._registry.channels
        # In the grace, a game may have been subscribed to one that is gone.
        shown = tuple(name for name in online.channels if name in channels and not channels[name].hidden)
        return self._status(online.game, online.supports, shown, len(self.players_of(online).players))

    def _status(
        self, game: Game, supports: Collection[str] = (), channels: tuple[str, ...] = (), count: int = 0
    ) -> StatusOf:
        seen = self._registry.seen.get(game.client_id)
        agent = self._registry.user_agents.get(seen.user_agent) if seen and seen.user_agent else None
        return StatusOf(
            game=game.short_name,
            display_name=game.name,
            description=game.description or UNSET,
            homepage_url=game.homepage_url or UNSET,
            user_agent=(seen and seen.user_agent) or UNSET,
            # Documentation and original differ in which of the two there is; games read either.
            user_agent_url=(agent and (agent.url or agent.repo_url)) or UNSET,
            user_agent_repo_url=(agent and (agent.repo_url or agent.url)) or UNSET,
            connections=game.connections,
            supports=tuple(flag for flag in FLAGS if flag in supports),
            channels=channels,
            players_online_count=count,
            player_online_count=count,
        )

    def _presence_of_network(self, now: Moment) -> PresenceOf:
        """What a session with the extension may know of the network itself."""
        status, site = self._network(), self._rules.settings.site
        status = replace(status, homepage_url=f"{site}/") if site else status
        return PresenceOf(status, now.wall if self.since is None else self.since, None)

    def _network(self) -> StatusOf:
        channels = self._registry.channels.values()
        return StatusOf(
            game=NETWORK_GAME,
            display_name=self._rules.settings.name,
            supports=("channels", "players", "tells"),
            channels=tuple(channel.name for channel in channels if not channel.hidden),
            players_online_count=1,
            player_online_count=1,
        )


def _squashed(name: str) -> str:
    """A name without everything that a plain word leaves out or replaces."""
    return re.sub("[^a-z0-9]", "", unicodedata.normalize("NFKD", name).lower())
