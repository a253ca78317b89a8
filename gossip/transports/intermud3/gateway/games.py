"""The games here, as the gateway sees them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gossip.network.network import Network
from gossip.network.presence import Online
from gossip.registry.names import is_network
from gossip.transports.intermud3.gateway.talk import Game
from gossip.transports.intermud3.lettering import user


class Games:
    """What MUDs of the other network may know of the games here: what any game may."""

    def __init__(self, network: Network, gateway: str) -> None:
        """@param gateway: the short name of the game that speaks for those MUDs, which is none for them."""
        self._network = network
        self._gateway = gateway.lower()

    def shown(self) -> Iterator[Game]:
        return (self._game(online) for online in self._network.presence if self._is_shown(online))

    def game(self, short_name: str) -> Game | None:
        known = self._network.registry.game_named(short_name)
        online = None if known is None else self._network.presence.online(known.client_id)
        return None if online is None or not self._is_shown(online) else self._game(online)

    def whereis(self, name: str) -> Sequence[tuple[str, str]]:
        found = self._network.statuses.whereis(name)
        known = self._network.registry.game_named
        return [(game, player) for game, player in found if known(game) is not None]

    def is_known(self, short_name: str) -> bool:
        return is_network(short_name) or self._network.registry.game_named(short_name) is not None

    def player_like(self, short_name: str, token: str) -> str:
        return self._network.statuses.player_like(short_name, token)

    def is_on(self, mud: str, channel: str) -> bool:
        registry = self._network.registry
        identity = registry.i3.named(mud)
        game = registry.game_named(user(mud)) if identity is None else registry.games.get(identity.client_id)
        online = None if game is None else self._network.presence.online(game.client_id)
        return online is not None and channel in online.channels

    def is_us(self, short_name: str, mud: str) -> bool:
        registry = self._network.registry
        identity = registry.i3.named(mud)
        game = None if identity is None else registry.games.get(identity.client_id)
        return game is not None and game.short_name == short_name

    def _is_shown(self, online: Online) -> bool:
        game = online.game
        return not game.hidden and game.through is None and game.short_name.lower() != self._gateway

    def _game(self, online: Online) -> Game:
        return Game(online.game.name, online.game.short_name, self._network.statuses.players_of(online).players)
