"""
What becomes of packets from the other network, and of what the network tells its gateway. Without I/O.

A MUD there is a remote game here: what its players say is an event of that game's session. Whatever goes out is written
by us, and whatever comes in is read and judged like the words of any game.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Final, NamedTuple, Protocol

from msgspec import Struct

from gossip.network.ratelimit import Bucket, Rate
from gossip.protocol import events, server_events
from gossip.protocol.moment import Moment
from gossip.registry.names import ECHO_PLAYER, NETWORK_PLAYER, is_network
from gossip.transports.intermud3.conversation import (
    MESSAGES,
    TELL_TYPES,
    code_of,
    fitted,
    one_like,
    random_key,
    utterance,
)
from gossip.transports.intermud3.gateway.loops import Loops
from gossip.transports.intermud3.gateway.muds import Mud, Muds
from gossip.transports.intermud3.gateway.settings import Mapped
from gossip.transports.intermud3.lettering import heard, said, told, user, written
from gossip.transports.intermud3.mudmode import Value
from gossip.transports.intermud3.packets import TTL, Packet, error
from gossip.transports.telnet.lines import transliterate

OF_A_MUD: Final = Rate(10, 2)
"""How much is heard of one MUD."""

OF_ALL: Final = Rate(50, 50)
"""How much is heard of all MUDs together."""

SHOWN: Final = 100
"""At most this many players are told of."""

HITS: Final = 20
"""At most this many answers to the question where a player is."""

UNLISTEN_SECONDS: Final = 3600.0
"""How often a router is told that we do not hear a channel, in seconds."""

BANNED_SECONDS: Final = 3600.0
"""How long nothing is sent to a channel that we are banned from, in seconds."""

TOLD_SECONDS: Final = 60.0
"""For how long a player hears of an error that their tell led to, in seconds."""

ASK_SECONDS: Final = 300.0
"""How often a MUD is asked for its players, in seconds."""

NAME_CHARACTERS: Final = 64
"""The longest name that is sent, in characters."""

REASONS: Final = (
    "echo",
    "error",
    "loop",
    "malformed",
    "rate",
    "refused",
    "skipped",
    "ttl",
    "twice",
    "unknown",
    "unmapped",
    "waited",
)
"""Why packets are dropped."""

_NEUTER: Final = 2
_OWN_PLAYERS: Final = (NETWORK_PLAYER, ECHO_PLAYER)
_REMEMBERED: Final = 1000


class Game(NamedTuple):
    """
    A registered game.

    @ivar players: those that it shows.
    """

    name: str
    short_name: str
    players: Sequence[str]


class IGames(Protocol):
    """What the gateway knows of the games here. Remote ones are none of them."""

    def shown(self) -> Iterable[Game]:
        """All that are online and not hidden."""

    def game(self, short_name: str) -> Game | None:
        """The one of this short name, if it is online and not hidden."""

    def whereis(self, name: str) -> Sequence[tuple[str, str]]:
        """The short name of each of them that shows a player of this name, and the player."""

    def is_known(self, short_name: str) -> bool:
        """Is there a game of this short name?"""

    def player_like(self, short_name: str, token: str) -> str:
        """The player of a game that a name as one word means; else the word."""

    def is_on(self, mud: str, channel: str) -> bool:
        """Is a MUD of the other network a game here as well, and on this channel?"""

    def is_us(self, short_name: str, mud: str) -> bool:
        """Is a game here the gateway itself, which joined a router of this network by its name there?"""


class Ask(Struct, frozen=True):
    """The session of a MUD asks the network something, whose answer has the packet as its ref."""

    mud: Mud
    event: events.Event


class Reply(Struct, frozen=True):
    """Send a packet."""

    packet: Packet


class Came(Struct, frozen=True):
    """These MUDs are up, or have other services than before."""

    muds: list[Mud]


class Went(Struct, frozen=True):
    """These MUDs are down."""

    muds: list[Mud]


class Drop(Struct, frozen=True):
    """
    Nothing comes of the packet.

    @ivar reason: one of L{REASONS}.
    """

    reason: str


class Tell(Struct, frozen=True):
    """Something for the log."""

    text: str


Act = Ask | Reply | Came | Went | Drop | Tell
"""What is to be done about a packet."""


class Talk:
    """
    What the gateway says and hears.

    @ivar channels: the channels that are known there, with the MUD or router that each belongs to.
    @ivar delivered: how many of our messages on channels came back, so that others had them as well.
    """

    def __init__(self, mud: str, mapped: Sequence[Mapped], muds: Muds, games: IGames, charset: str) -> None:
        """
        @param mud: the name of the network there.
        @param mapped: the channels that pass.
        @param muds: the MUDs there.
        @param charset: C{utf-8} or C{ascii}.
        """
        self.mud = mud
        self.channels: dict[str, str] = {}
        self.delivered = 0
        self._mapped = mapped
        self._here = {each.there: each for each in mapped}
        self._there = {each.here: each for each in mapped}
        self._muds = muds
        self._games = games
        self._charset = charset
        self._loops = Loops()
        self._of_muds: dict[str, Bucket] = {}
        self._of_all: Bucket | None = None
        self._unlistened: dict[str, float] = {}
        self._banned: dict[str, float] = {}
        self._told: dict[tuple[str, str], tuple[float, Mud]] = {}
        self._asked: dict[str, float] = {}
        self._missing: set[str] = set()
        self._sent_to = ""

    # The link.

    def joined(self, now: Moment) -> Iterator[Packet]:
        """The router let us in: it is told what we hear."""
        self._muds.joined(now.steady)
        for each in self._mapped:
            if each.hears:
                yield Packet("channel-listen", TTL, self.mud, "", "", "", (each.there, 1))

    # What the MUDs say.

    def hear(self, packet: Packet, router: str, now: Moment) -> Iterator[Act]:
        """
        What is to be done about a packet.

        @param router: the name of the router.
        """
        kind, mud = packet.type, packet.from_mud
        if packet.ttl <= 0:
            yield Drop("ttl")
        elif kind == "mudlist":
            yield from self._mudlist(packet)
        elif kind == "chanlist-reply":
            self._chanlist(packet)
        elif mud.lower() == self.mud.lower():
            self.delivered += kind in MESSAGES
            yield Drop("echo")
        elif mud != router and not self._muds.is_welcome(mud):
            yield Drop("skipped")
        elif packet.to_mud and packet.to_mud.lower() != self.mud.lower():
            yield Drop("unknown")
        elif mud != router and not self._passes(mud, now):
            yield Drop("rate")
        elif kind in MESSAGES:
            yield from self._said(packet, now)
        elif kind == "locate-req":
            yield from self._locate(packet)
        elif not packet.to_mud or kind == "oob-req":
            yield Drop("unknown")
        elif kind in TELL_TYPES:
            yield from self._told_by(packet)
        elif kind == "error":
            yield from self._error(packet, router, now)
        elif kind == "who-reply":
            yield from self._players_of(packet, now)
        elif kind.endswith("-reply"):
            yield Drop("unknown")
        else:
            yield from self._asked_by(packet)

    def _passes(self, mud: str, now: Moment) -> bool:
        if self._of_all is None:
            self._of_all = Bucket(now)
        bucket = self._of_muds.pop(mud.lower(), None) or Bucket(now)
        self._of_muds[mud.lower()] = bucket
        if len(self._of_muds) > _REMEMBERED:
            del self._of_muds[next(iter(self._of_muds))]
        return bucket.take(OF_A_MUD, now) and self._of_all.take(OF_ALL, now)

    def _mudlist(self, packet: Packet) -> Iterator[Act]:
        listed = packet.rest[1]
        came, went = self._muds.read(listed) if isinstance(listed, dict) else ([], [])
        if went:
            yield Went(went)
        if came:
            yield Came(came)

    def _chanlist(self, packet: Packet) -> None:
        listed = packet.rest[1]
        for name, about in listed.items() if isinstance(listed, dict) else ():
            if not isinstance(name, str):
                continue
            if isinstance(about, list) and about and len(self.channels) < _REMEMBERED:
                self.channels[heard(name)] = heard(str(about[0]))
            elif about == 0:
                self.channels.pop(name, None)

    def missing(self) -> list[str]:
        """The channels that are to pass and do not exist there, each once."""
        if not self.channels:
            return []
        found = [name for name in self._here if name not in self.channels and name not in self._missing]
        self._missing.update(found)
        return found

    def _said(self, packet: Packet, now: Moment) -> Iterator[Act]:
        there = packet.text(0)
        mapped = self._here.get(there)
        if mapped is None or not mapped.hears:
            if self._unlistened.get(there, -UNLISTEN_SECONDS) + UNLISTEN_SECONDS <= now.steady:
                # Routers remember what we heard in an earlier life.
                self._unlistened = {name: at for name, at in self._unlistened.items() if len(self._unlistened) < 100}
                self._unlistened[there] = now.steady
                yield Reply(Packet("channel-listen", TTL, self.mud, "", "", "", (there[:NAME_CHARACTERS], 0)))
            yield Drop("unmapped")
            return
        name, message = utterance(packet)
        if self._loops.is_muted(packet.from_mud, now.steady) or self._loops.closes(
            packet.from_mud, there, message, now.steady
        ):
            yield Drop("loop")
        elif self._games.is_on(packet.from_mud, mapped.here):
            yield Drop("twice")
        else:
            yield from self._ask(packet, events.ChannelsSend(packet, mapped.here, name, message))

    def _told_by(self, packet: Packet) -> Iterator[Act]:
        name, message = utterance(packet)
        found = self._find(packet.to_user)
        if found is None:
            yield self._unknown_user(packet, packet.to_user)
            return
        game, player = found
        yield from self._ask(packet, events.TellsSend(packet, name, game, player, message))

    def _ask(self, packet: Packet, event: events.Event) -> Iterator[Act]:
        # It may speak before the list has come.
        mud = self._muds.find(packet.from_mud) or self._muds.came(packet.from_mud)
        yield Drop("skipped") if mud is None else Ask(mud, event)

    def _find(self, token: str) -> tuple[str, str] | None:
        """The game and the player that a MUD means by C{ana.mymud} or C{ana}; C{None} if nobody is meant."""
        name, dot, game = token.rpartition(".")
        if dot and self._games.is_known(game):
            return game, self._games.player_like(game, name)
        hits = self._hits(token)
        return hits[0] if len(hits) == 1 else None

    def _hits(self, token: str) -> list[tuple[str, str]]:
        """The game and the player of each one that is shown and that a word means."""
        name, dot, of = token.rpartition(".")
        game = self._games.game(of) if dot else None
        if game is None:
            return [*self._games.whereis(token)][:HITS]
        player = one_like(game.players, name)
        return [] if player is None else [(game.short_name, player)]

    def _asked_by(self, packet: Packet) -> Iterator[Act]:
        wanted = packet.text(0) if packet.rest else ""
        match packet.type:
            case "who-req":
                yield Reply(fitted(self._answer(packet, "who-reply", [*self._rows()])))
            case "finger-req" | "chan-user-req" as kind:
                hits = self._hits(wanted)
                if not hits:
                    yield self._unknown_user(packet, wanted)
                    return
                game, player = hits[0]
                shown = self._shown(player, game)
                if kind == "chan-user-req":
                    yield Reply(self._answer(packet, "chan-user-reply", wanted[:NAME_CHARACTERS], shown, _NEUTER))
                else:
                    extra = f"On {self._title(game)}.\n"
                    yield Reply(fitted(self._answer(packet, "finger-reply", shown, *(0,) * 7, extra)))
            case "chan-who-req":
                yield Reply(self._answer(packet, "chan-who-reply", wanted[:NAME_CHARACTERS], []))
            case "auth-mud-req":
                yield Reply(self._answer(packet, "auth-mud-reply", random_key()))
            case kind:
                yield Reply(self._failure(packet, "unk-type", f"we do not understand {heard(kind)[:40]}"))

    def _rows(self) -> Iterator[Value]:
        each = ((game, player) for game in self._games.shown() for player in game.players)
        for game, player in islice(each, SHOWN):
            yield [self._shown(player, game.short_name), 0, self._text(game.name)]

    def _locate(self, packet: Packet) -> Iterator[Act]:
        for game, player in self._hits(packet.text(0)):
            yield Reply(self._answer(packet, "locate-reply", self.mud, self._shown(player, game), 0, 0))

    def _error(self, packet: Packet, router: str, now: Moment) -> Iterator[Act]:
        code, text = packet.text(0), heard(packet.text(1))
        about = packet.rest[2]
        if code == "not-allowed" and "banned" in text.lower():
            channel = about[6] if isinstance(about, list) and len(about) > 6 else self._sent_to
            if isinstance(channel, str) and channel in self._here:
                self._banned[channel] = now.steady + BANNED_SECONDS
                yield Tell(f"nothing is sent to the channel {channel} of Intermud-3 for an hour: {text[:200]}")
                return
        to_user = packet.to_user.lower()
        mud = packet.from_mud.lower()
        if packet.from_mud == router:
            # It does not say to which MUD the tell went: to the last one.
            mud = next((each for each, by in reversed(self._told) if by == to_user), "")
        at, found = self._told.get((mud, to_user), (-TOLD_SECONDS, None))
        known = None if found is None else self._find(packet.to_user)
        if found is None or known is None or at + TOLD_SECONDS < now.steady:
            yield Drop("error")
        else:
            yield Ask(found, events.TellsSend(None, "system", *known, text[:500] or code))

    def _players_of(self, packet: Packet, now: Moment) -> Iterator[Act]:
        mud = self._muds.find(packet.from_mud)
        asked = self._asked.get(packet.from_mud.lower())
        rows = packet.rest[0]
        if mud is None or asked is None or asked + ASK_SECONDS < now.steady or not isinstance(rows, list):
            yield Drop("unknown")
            return
        names = (each[0] for each in rows if isinstance(each, list) and each and isinstance(each[0], str))
        players = dict.fromkeys(name for name in map(heard, names) if name)
        yield Ask(mud, events.PlayersListed(packet, tuple(players)))

    # What the games say.

    def broadcast(self, event: server_events.ChannelsBroadcast, now: Moment) -> Iterator[bytes]:
        """Write a message on a channel that passes, as frames."""
        mapped = self._there.get(event.channel)
        if mapped is None or not mapped.says or self._banned.get(mapped.there, now.steady) > now.steady:
            return
        # What the network itself announces is not for them; and a router of our own brings back what it is told.
        if (is_network(event.game) and event.name in _OWN_PLAYERS) or self._games.is_us(event.game, self.mud):
            return
        self._sent_to = mapped.there
        names = mapped.there, self._shown(event.name, event.game)
        for kind, text in said(self._fitting(event.message)):
            self._loops.sent(mapped.there, text.removeprefix("$N "), now.steady)
            yield Packet(kind, TTL, self.mud, self._user(event.name, event.game), "", "", (*names, text)).frame

    def tell(self, mud: Mud, event: server_events.ServerEvent, now: Moment) -> Iterator[bytes]:
        """Write what the network tells the session of a MUD, as frames."""
        match event:
            case server_events.TellsReceive(_, game, name, to_name, _, message):
                by = self._user(name, game)
                self._told.pop((mud.name.lower(), by), None)
                self._told[mud.name.lower(), by] = now.steady, mud
                if len(self._told) > _REMEMBERED:
                    del self._told[next(iter(self._told))]
                to_user = to_name.lower()[:NAME_CHARACTERS]
                for text in told(self._fitting(message)):
                    yield Packet("tell", TTL, self.mud, by, mud.name, to_user, (self._shown(name, game), text)).frame
            case server_events.Failure(_, Packet() as asked, why) if asked.type in TELL_TYPES:
                # To speak too fast is answered by silence: a MUD that answers errors would be worse.
                if not why.code.startswith("rate-limit"):
                    yield self._failure(asked, code_of(why), why.text).frame

    def who(self, mud: Mud, now: Moment) -> Packet | None:
        """Ask a MUD for its players; C{None} if that was asked just now."""
        key = mud.name.lower()
        if "players" not in mud.supports or self._asked.get(key, -ASK_SECONDS) + ASK_SECONDS > now.steady:
            return None
        self._asked.pop(key, None)
        self._asked[key] = now.steady
        if len(self._asked) > _REMEMBERED:
            del self._asked[next(iter(self._asked))]
        return Packet("who-req", TTL, self.mud, self.mud.lower(), mud.name, "")

    # Names.

    def _text(self, text: str) -> str:
        return written(transliterate(text, self._charset))

    def _fitting(self, message: str) -> str:
        return transliterate(message, self._charset)

    def _shown(self, player: str, game: str) -> str:
        return f"{self._text(player)[:NAME_CHARACTERS]}.{game}"

    def _user(self, player: str, game: str) -> str:
        # Not an @, at which replies are split, and not a hyphen, which Dead Souls drops.
        return f"{user(player)[:NAME_CHARACTERS]}.{game.lower()}"

    def _title(self, game: str) -> str:
        known = self._games.game(game)
        return self._text(game if known is None else known.name)

    def _answer(self, asked: Packet, kind: str, *rest: Value) -> Packet:
        return Packet(kind, TTL, self.mud, "", asked.from_mud, asked.from_user[:NAME_CHARACTERS], rest)

    def _unknown_user(self, asked: Packet, token: str) -> Reply:
        return Reply(self._failure(asked, "unk-user", f"there is no player {heard(token)[:NAME_CHARACTERS]} here"))

    def _failure(self, asked: Packet, code: str, text: str) -> Packet:
        return error(self.mud, asked.from_mud, asked.from_user[:NAME_CHARACTERS], code, self._text(text))
