"""The router as its MUDs see it: all games as MUDs, the channels that are offered, and what passes between MUDs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Final, Protocol

import msgspec

from gossip import __version__
from gossip.network.network import Network
from gossip.network.presence import Online
from gossip.network.relays import Passed
from gossip.network.session import Session
from gossip.protocol.moment import Moment
from gossip.protocol.server_events import TelnetConnection
from gossip.registry.addresses import read as read_address
from gossip.registry.entities import Game, I3Identity
from gossip.registry.names import CHANNEL_NAME, NETWORK_GAME
from gossip.transports.intermud3 import mudmode
from gossip.transports.intermud3.channels import Offer, configured, offered
from gossip.transports.intermud3.conversation import Mud
from gossip.transports.intermud3.limits import I3Settings
from gossip.transports.intermud3.lists import Entry, Lists, entry
from gossip.transports.intermud3.mudmode import write
from gossip.transports.intermud3.packets import Packet, Record, understood
from gossip.transports.one_connection import OneConnection

TRANSPORT: Final = "i3"
"""The name of the transport, and what its secrets are for."""

SERVICES: Final = {"tell": "tells", "channel": "channels", "who": "players", "finger": "players", "locate": "players"}
"""What a game supports that has such a service."""

_TO_MUD, _TO_ALL, _IS_HERE = "mud", "all", "here"

_IPV4_BITS: Final = 32


class Member(Protocol):
    """
    A MUD that is logged in here.

    @ivar client_id: its game.
    @ivar lists: what it is still to be told of the lists.
    """

    client_id: str
    lists: Lists

    @property
    def listens_to(self) -> Iterable[str]:
        """The channels that it hears."""

    def send(self, packet: Packet) -> None:
        """Send it a packet of another MUD."""

    def lists_changed(self) -> None:
        """It is to be told of its lists."""

    def replaced(self) -> None:
        """Its game has logged in again."""


class I3Hub:
    """
    All that MUDs ask the router.

    @ivar one: sees to it that a game has one connection.
    """

    def __init__(
        self,
        network: Network,
        settings: I3Settings,
        now: Callable[[], Moment],
        pass_on: Callable[[Passed], None],
    ) -> None:
        """
        @param pass_on: tells the hubs of other nodes something.
        """
        self._network = network
        self._settings = settings
        self._now = now
        self._pass_on = pass_on
        self.one = OneConnection()
        self._always = configured(settings.channels)
        self._members: dict[str, Member] = {}
        self._offer = Offer()
        self._entries: dict[str, tuple[object, Entry]] = {}
        self._records: dict[str, tuple[str, Record]] = {}
        self._number = 0

    # The MUDs that are logged in here.

    def __iter__(self) -> Iterator[Member]:
        return iter(list(self._members.values()))

    def join(self, member: Member) -> None:
        """A MUD logged in. Its game has one connection: any other is replaced, on whichever node it is."""
        old = self._members.pop(member.client_id, None)
        is_first = not self._members
        self._members[member.client_id] = member
        if old is not None:
            old.replaced()
        self.one.told(member.client_id)
        self._pass_on(Passed(TRANSPORT, _IS_HERE, member.client_id))
        if is_first:  # nobody was told of changes meanwhile
            self.look()
        else:
            self._list(self._network.registry.games[member.client_id])
        # Those that are up first.
        muds = sorted(self._entries, key=lambda name: not self._entries[name][1].up)
        member.lists.channels_changed(self._offer.here)
        member.lists.muds_changed(muds)
        member.lists_changed()

    def leave(self, member: Member) -> None:
        """A connection ended."""
        if self._members.get(member.client_id) is member:
            del self._members[member.client_id]

    # The lists.

    def look(self) -> None:
        """Look at all games and channels again, and tell the MUDs what is different."""
        if not self._members:
            return
        known = self._network.registry
        names = {self._name_of(game): game for game in known.games.values()}
        if self._settings.remote:
            names.update({game.short_name: game for game in known.remotes if game.short_name not in names})
        changed = [NETWORK_GAME] if self._note(NETWORK_GAME, None, self._own_record, up=True) else []
        changed += [name for name in self._entries if name not in names and name != NETWORK_GAME]
        for name in changed:
            if name != NETWORK_GAME:
                del self._entries[name]
        changed += [name for name, game in names.items() if self._note_game(name, game)]
        before, self._offer = self._offer, self._wanted()
        self._tell(changed, [name for name, _ in self._offer.news(before)])

    def channel_heard(self, channel: str) -> None:
        """A MUD hears a channel: if it is a new one, all MUDs are told of it."""
        if channel not in self._offer.there:
            before, self._offer = self._offer, self._wanted()
            self._tell((), [name for name, _ in self._offer.news(before)])

    def _tell(self, muds: Collection[str], channels: Collection[str] = ()) -> None:
        if muds or channels:
            for member in self:
                member.lists.muds_changed(muds)
                member.lists.channels_changed(channels)
                member.lists_changed()

    def game_changed(self, short_name: str) -> None:
        """A game came, went or is different now."""
        game = self._network.registry.speaker_named(short_name)
        if game is not None and self._members:
            self._list(game)
        elif game is None and self._entries.pop(short_name, None) is not None:  # a remote game is gone
            self._tell((short_name,))

    def _list(self, game: Game) -> None:
        name = self._name_of(game)
        if (game.through is None or self._settings.remote) and self._note_game(name, game):
            self._tell((name,))

    def _note_game(self, name: str, game: Game) -> bool:
        """Note how a game is listed; returns whether that changed."""
        if (game.hidden and game.through is None) or game.disabled:
            return self._entries.pop(name, None) is not None
        known = self._network
        online = known.presence.online(game.client_id)
        identity, seen = known.registry.i3.of(game.client_id), known.registry.seen.get(game.client_id)
        if online is not None and online.sessions and not _by_i3(online):
            identity = None  # it is here by another protocol
        supports = frozenset() if online is None else online.supports
        key = game, identity, seen, supports
        return self._note(name, key, lambda: self._record_of(game, supports, identity), online is not None)

    def _note(self, name: str, key: object, record: Callable[[], Record], up: bool) -> bool:
        """
        @param key: what the record is made of.
        """
        known = self._entries.get(name)
        if known is not None and known[1].up == up and known[0] == key:
            return False
        self._entries[name] = key, entry(name, record(), up)
        return True

    def _record_of(self, game: Game, supports: Collection[str], identity: I3Identity | None) -> Record:
        """What MUDs are told of a game: what it said itself by Intermud-3, else what the network knows."""
        said = None if identity is None else self._said(identity)
        if said is not None:
            return said
        telnet = next((each for each in game.connections if isinstance(each, TelnetConnection)), None)
        address = None if telnet is None else read_address(telnet.host)
        seen = self._network.registry.seen.get(game.client_id)
        agent = _plain((seen.user_agent if seen is not None else None) or "unknown")
        return Record(
            address=str(address) if address is not None and address.bits == _IPV4_BITS else Record().address,
            port=0 if telnet is None else telnet.port,
            mudlib=agent,
            base_mudlib=agent,
            services={name: 1 for name, flag in SERVICES.items() if flag in supports},
            other={} if not game.homepage_url else {"url": _plain(game.homepage_url, 200)},
        )

    def _said(self, identity: I3Identity) -> Record | None:
        known = self._records.get(identity.client_id)
        if known is not None and known[0] == identity.record:
            return known[1]
        try:
            record = msgspec.json.decode(identity.record, type=Record)
        except msgspec.DecodeError:
            return None
        self._records[identity.client_id] = identity.record, record
        return record

    def _own_record(self) -> Record:
        """What MUDs are told of the network itself, whose people and announcements they hear."""
        site = self._network.rules.settings.site
        product = f"gossip {__version__}"
        services = dict.fromkeys(("tell", "channel", "who", "finger"), 1)
        other = {"url": site} if site else {}
        return Record(mudlib=product, base_mudlib="gossip", driver="Python", services=services, other=other)

    def entry(self, name: str) -> Entry:
        known = self._entries.get(name)
        return entry(name, None) if known is None else known[1]

    def number(self) -> int:
        self._number = max(self._number + 1, int(self._now().wall))
        return self._number

    # The channels.

    def _wanted(self) -> Offer:
        """The channels that are offered: public ones, and hidden ones that a MUD hears."""
        known = self._network.registry.channels
        heard = {name for member in self for name in member.listens_to}
        return offered(self._always, (name for name in known if not known[name].hidden or name in heard))

    def is_offered(self, channel: str) -> bool:
        return channel in self._offer.here

    def channel(self, name: str) -> str | None:
        """The channel that MUDs know by this name. One that is hidden has its own name for those that know it."""
        if name in self._offer.here:
            return self._offer.here[name]
        is_plain = CHANNEL_NAME.fullmatch(name) and name not in self._offer.there
        return name if is_plain and name in self._network.registry.channels else None

    def channel_name(self, channel: str) -> str | None:
        """What MUDs call a channel."""
        return self._offer.there.get(channel) or (channel if CHANNEL_NAME.fullmatch(channel) else None)

    def channels(self) -> Iterable[str]:
        """What MUDs call the channels that are offered."""
        return self._offer.here

    # The games as MUDs.

    def identity(self, name: str) -> I3Identity | None:
        """What is known of the game that has this name on Intermud-3; C{None} if there is none."""
        return self._network.registry.i3.named(name)

    def mud_of(self, client_id: str) -> Mud | None:
        """A game as a MUD."""
        game = self._network.registry.games.get(client_id)
        return None if game is None else self._mud(game, client_id)

    def mud(self, name: str, asking: str) -> Mud | None:
        """
        The game that MUDs know by this name, which compares without case.

        @param asking: the client_id of the game that asks. Only a hidden game itself knows that it is online.
        """
        known = self._network.registry
        identity = known.i3.named(name)
        game = known.speaker_named(name) if identity is None else known.games.get(identity.client_id)
        if game is None and name.lower() == NETWORK_GAME:
            return Mud(NETWORK_GAME, NETWORK_GAME, about=self._network.rules.settings.site)
        return None if game is None else self._mud(game, asking)

    def game(self, short_name: str) -> Mud | None:
        """The game of this short name as a MUD."""
        game = self._network.registry.speaker_named(short_name)
        return None if game is None else self._mud(game, game.client_id)

    def name_of(self, short_name: str) -> str:
        """What MUDs call a game."""
        game = self._network.registry.game_named(short_name)
        return short_name if game is None else self._name_of(game)

    def _name_of(self, game: Game) -> str:
        identity = self._network.registry.i3.of(game.client_id)
        return game.short_name if identity is None else identity.name

    def _mud(self, game: Game, asking: str) -> Mud:
        online = self._network.presence.online(game.client_id)
        services = None
        if online is not None and _by_i3(online):
            identity = self._network.registry.i3.of(game.client_id)
            said = None if identity is None else self._said(identity)
            services = frozenset(() if said is None else said.services)
        is_hidden = game.hidden and game.through is None and game.client_id != asking
        about = _plain(game.homepage_url or "", 200)
        return Mud(self._name_of(game), game.short_name, services, online is not None and not is_hidden, about)

    def player_like(self, short_name: str, token: str) -> str:
        """The player of a game that a name as one word means; else the word."""
        return self._network.statuses.player_like(short_name, token)

    def whereis(self, name: str) -> Sequence[tuple[str, str]]:
        """The short name and the player of each game that shows a player of this name."""
        return self._network.statuses.whereis(name)

    def players(self) -> Sequence[tuple[str, int]]:
        """The games that are online, by their names for MUDs, and how many players they show."""
        statuses = self._network.statuses
        return sorted(
            (self._name_of(online.game), len(statuses.players_of(online).players))
            for online in self._network.presence
            if not online.game.hidden
        )

    def is_silenced(self, session: Session, name: str) -> bool:
        """Is a player of a MUD muted or banned everywhere?"""
        return self._network.is_silenced(session, name, self._now())

    # What passes between MUDs.

    def pass_to(self, short_name: str, packet: Packet) -> None:
        """Send a packet to a MUD, on whichever node it is logged in."""
        game = self._network.registry.game_named(short_name)
        if game is None:
            return
        member = self._members.get(game.client_id)
        if member is not None:
            member.send(packet)
        else:
            self._pass_on(Passed(TRANSPORT, _TO_MUD, game.client_id, write(packet.value).decode()))

    def pass_to_all(self, source: str, service: str, packet: Packet) -> None:
        """
        Send a packet to all MUDs that have a service, but not back.

        @param source: the client_id of the game that it comes from.
        """
        self._send_to_all(source, service, packet)
        self._pass_on(Passed(TRANSPORT, _TO_ALL, f"{source} {service}", write(packet.value).decode()))

    def _send_to_all(self, source: str, service: str, packet: Packet) -> None:
        for member in self:
            mud = self.mud_of(member.client_id)
            if member.client_id != source and mud is not None and service in (mud.services or ()):
                member.send(packet)

    def passed_back(self, passed: Passed) -> None:
        """All nodes have heard what this hub passed on."""
        if passed.what == _IS_HERE:
            self.one.heard_back(passed.to)

    def passed(self, passed: Passed) -> None:
        """The hub of another node passed something on."""
        if passed.what == _IS_HERE:
            member = self._members.pop(passed.to, None) if self.one.goes(passed.to) else None
            if member is not None:
                member.replaced()
            return
        packet = understood(mudmode.read(passed.payload.encode()))
        if passed.what == _TO_MUD:
            member = self._members.get(passed.to)
            if member is not None:
                member.send(packet)
        elif passed.what == _TO_ALL:
            source, _, service = passed.to.partition(" ")
            self._send_to_all(source, service, packet)


class View:
    """
    The router as one MUD sees it.

    @ivar name: what that MUD calls the router.
    """

    def __init__(self, hub: I3Hub, name: str, client_id: str) -> None:
        """@param client_id: the game of the MUD."""
        self.name = name
        self._client_id = client_id
        self._hub = hub
        self.channel = hub.channel
        self.channel_name = hub.channel_name
        self.channels = hub.channels
        self.number = hub.number
        self.game = hub.game
        self.player_like = hub.player_like
        self.whereis = hub.whereis
        self.players = hub.players

    def mud(self, name: str) -> Mud | None:
        """The game that MUDs know by this name, which compares without case."""
        return self._hub.mud(name, self._client_id)


def _by_i3(online: Online) -> bool:
    """Has a game a connection by Intermud-3?"""
    return any(session.transport == TRANSPORT for session in online.sessions)


def _plain(text: str, most: int = 100) -> str:
    return text.encode("utf-8", "replace")[:most].decode(errors="ignore")
