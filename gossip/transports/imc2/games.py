"""What IMC2 MUDs are told of the games of the network, and of remote ones if they are to be (IMC2, sections 6, 7)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final
from urllib.parse import urlsplit

from msgspec import UNSET

from gossip import __version__
from gossip.network.network import Network
from gossip.network.presence import Online
from gossip.protocol.server_events import SecureTelnetConnection, TelnetConnection
from gossip.transports.imc2.limits import Imc2Settings
from gossip.transports.imc2.packets import Packet, Word

GAMES: Final = 300
"""A MUD is told of at most this many games."""

NEW_GAMES: Final = 50
"""MUDs are told of at most this many remote games at once: a whole network of them can come in one moment."""

_LIST_BYTES: Final = 3400


class Games:
    """The games of the network, as MUDs are told of them."""

    def __init__(
        self, network: Network, settings: Imc2Settings, text: Callable[[str], str], port: Callable[[], str]
    ) -> None:
        """
        @param text: writes a text of another game.
        @param port: returns the number of the port; empty if it is not known.
        """
        self._network = network
        self._settings = settings
        self._text = text
        self._port = port
        self._told: dict[str, None] = {}
        self._remote: frozenset[str] = frozenset()

    def alive(self, to: str) -> Sequence[Packet]:
        """The network and its games, for a MUD."""
        site = self._network.rules.settings.site
        server, host = self._settings.server, urlsplit(site).hostname or ""
        packets = [self._packet(server, to, f"gossip {__version__}", site, host, self._port())]
        for online in self._network.presence:
            if len(packets) > GAMES:
                break
            if self._is_shown(online) and online.game.short_name.lower() != to.lower():
                packets.append(self._alive(online, to))
        return packets

    def alive_of(self, game: str, to: str) -> Packet | None:
        """Tell a MUD of a registered game that is online; C{None} if it is not."""
        known = self._network.registry.game_named(game)
        online = None if known is None else self._network.presence.online(known.client_id)
        return None if online is None else self._alive(online, to)

    def _is_shown(self, online: Online) -> bool:
        return not online.game.hidden if online.game.through is None else self._settings.remote

    def _alive(self, online: Online, to: str) -> Packet:
        status = self._network.statuses.status_of(online)
        where = next((each for each in status.connections if isinstance(each, TelnetConnection)), None) or next(
            (each for each in status.connections if isinstance(each, SecureTelnetConnection)), None
        )
        agent = "" if status.user_agent is UNSET else str(status.user_agent)
        url = "" if status.homepage_url is UNSET else str(status.homepage_url)
        host, port = (where.host, str(where.port)) if where is not None else ("", "")
        return self._packet(status.game, to, agent, url, host, port)

    def _packet(self, game: str, to: str, agent: str, url: str, host: str, port: str) -> Packet:
        server = self._settings.server
        values = {
            "versionid": self._text(agent) or "none",
            "networkname": Word(self._settings.network),
            "url": self._text(url) or "none",
            "host": self._text(host) or "none",
            "port": Word(port if port.isdecimal() else "0"),
        }
        route = server if game == server else f"{game}!{server}"
        return Packet("*", game, 0, route, "is-alive", "*", to, values)

    def gone(self, game: str) -> Packet:
        """Tell all MUDs that a game is gone."""
        server = self._settings.server
        return Packet("*", server, 0, server, "close-notify", "*", "*", {"host": Word(game)})

    def listed(self) -> str:
        """The games with their players, as text."""
        lines = sorted(
            (online.game.short_name, len(self._network.statuses.players_of(online).players))
            for online in self._network.presence
            if self._is_shown(online)
        )
        text = f"\n\r~WGames on {self._settings.network} ({len(lines)})~!\n\r"
        for number, (name, players) in enumerate(lines):
            line = f"  {name:<15} {players}\n\r"
            if len(text) + len(line) > _LIST_BYTES:
                return f"{text}  ... and {len(lines) - number} more\n\r"
            text += line
        return text

    # Remote games. What games on them are told of their coming and going does not concern MUDs: the hub looks.

    def is_remote(self, game: str) -> bool:
        """Whether a game was a remote one at the last look."""
        return game in self._remote

    def look(self) -> tuple[list[Online], list[str]]:
        """Look at the remote games; returns those that MUDs are to be told of now, and the names of those gone."""
        registry, presence = self._network.registry, self._network.presence
        self._remote = frozenset(game.short_name for game in registry.remotes)
        here = {}
        if self._settings.remote:
            online = (presence.online(game.client_id) for game in registry.remotes)
            here = {each.game.short_name: each for each in online if each is not None}
        went = [name for name in self._told if name not in here]
        for name in went:
            del self._told[name]
        room = min(GAMES - len(self._told), NEW_GAMES)
        came = [name for name in here if name not in self._told][: max(room, 0)]
        self._told.update(dict.fromkeys(came))
        return [here[name] for name in came], went

    def alive_now(self, came: Sequence[Online], to: str) -> list[Packet]:
        """Tell a MUD of games that L{look} returned."""
        return [self._alive(online, to) for online in came]
