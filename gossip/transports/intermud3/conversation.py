"""
What a router does with the packets of a MUD that has logged in, and how it tells the MUD what happens. Without I/O.

A request of the MUD becomes an event of the network whose ref is the packet itself, so that the answer knows what was
asked. Packets between two MUDs of Intermud-3 that the network has no part in are passed on, written anew.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final, Protocol

from msgspec import Struct
from msgspec.structs import replace

from gossip.protocol import events, server_events
from gossip.protocol.errors import Error
from gossip.transports.intermud3.lettering import Parts, heard, heard_emote, said, told, user, written
from gossip.transports.intermud3.mudmode import Value, write
from gossip.transports.intermud3.packets import FRAME_BYTES, TTL, Packet, error, pages

STRING_BYTES: Final = 500
"""The maximum length of a string in a packet that is passed on, in bytes."""

HITS: Final = 20
"""At most this many answers to the question where a player is."""

TELLS: Final = 64
"""How many of the players that told a MUD something are remembered, so that it may tell them what went wrong."""

RULES_ARE_ELSEWHERE: Final = "ask the admins of the network"
"""The answer to a MUD that wants to change a channel itself."""

_CODES: Final = {
    "unknown-game": "unk-dst",
    "game-offline": "unk-dst",
    "receiver-offline": "unk-user",
    "not-supported": "not-imp",
    "missing-support": "not-imp",
    "bad-channel": "unk-channel",
    "not-joined": "unk-channel",
    "empty-name": "bad-pkt",
    "name-too-long": "bad-pkt",
    "empty-message": "bad-pkt",
    "message-too-long": "bad-pkt",
}
"""The codes of Intermud-3 for errors of the network; C{not-allowed} for all others."""

MESSAGES: Final = frozenset(("channel-m", "channel-e", "channel-t"))
TELL_TYPES: Final = frozenset(("tell", "emoteto"))
_BETWEEN_MUDS: Final = frozenset(
    (
        *("who-req", "finger-req", "chan-who-req", "chan-user-req", "auth-mud-req"),
        *("who-reply", "finger-reply", "locate-reply", "chan-who-reply", "chan-user-reply", "auth-mud-reply", "error"),
    )
)
"""What is passed on from one MUD of Intermud-3 to another."""

_OF_ROUTERS: Final = frozenset(("startup-reply", "mudlist", "chanlist-reply"))
_OF_ADMINS: Final = frozenset(("channel-remove", "channel-admin", "chan-filter-reply"))


class Mud(Struct, frozen=True):
    """
    A game, as MUDs of Intermud-3 know it.

    @ivar name: what they call it.
    @ivar short_name: what the network calls it.
    @ivar services: what it does, if it is a MUD of Intermud-3; C{None} for any other game.
    @ivar online: whether it is here.
    @ivar about: what is said beside the players of a game that is no MUD of Intermud-3.
    """

    name: str
    short_name: str
    services: frozenset[str] | None = None
    online: bool = True
    about: str = ""


class IRouter(Protocol):
    """What a conversation asks the router."""

    @property
    def name(self) -> str:
        """The name of the router, as this MUD calls it."""

    def channel(self, name: str) -> str | None:
        """The channel that MUDs know by this name; C{None} if there is none."""

    def channel_name(self, channel: str) -> str | None:
        """What MUDs call a channel; C{None} if it is not offered."""

    def channels(self) -> Iterable[str]:
        """What MUDs call the channels that are offered."""

    def number(self) -> int:
        """A new number for a list."""

    def mud(self, name: str) -> Mud | None:
        """The game that MUDs know by this name, which compares without case."""

    def game(self, short_name: str) -> Mud | None:
        """The game of this short name."""

    def player_like(self, short_name: str, token: str) -> str:
        """The player of a game that a name as one word means; else the word."""

    def whereis(self, name: str) -> Sequence[tuple[str, str]]:
        """The short name and the player of each game that shows a player of this name."""

    def players(self) -> Sequence[tuple[str, int]]:
        """The games that are online, and how many players they show."""


class Reply(Struct, frozen=True):
    """Send the MUD something."""

    frame: bytes


class Ask(Struct, frozen=True):
    """
    The MUD asks the network something, whose answer has the packet as its ref.

    @ivar channel: what the MUD has to be subscribed to before.
    """

    event: events.Event
    channel: str | None = None


class Listen(Struct, frozen=True):
    """The MUD wants to hear a channel, or no longer. The latest wish counts."""

    channel: str
    wanted: bool


class Open(Struct, frozen=True):
    """The MUD wants a new channel."""

    channel: str


class Pass(Struct, frozen=True):
    """Send a packet to a MUD of Intermud-3."""

    mud: Mud
    packet: Packet


class PassToAll(Struct, frozen=True):
    """Send a packet to all other MUDs of Intermud-3 that are online and have a service."""

    service: str
    packet: Packet


class Drop(Struct, frozen=True):
    """
    The packet means nothing.

    @ivar reason: C{origin}, C{ttl} or C{unknown}.
    """

    reason: str


class End(Struct, frozen=True):
    """The MUD leaves."""


Act = Reply | Ask | Listen | Open | Pass | PassToAll | Drop | End
"""What is to be done about a packet."""


class Conversation:
    """
    What a MUD that has logged in says and hears.

    @ivar mud: the MUD, by the name that it is registered with.
    @ivar heard_channels: what it listens to, as the network calls it.
    """

    def __init__(self, mud: Mud, router: IRouter, parts: Parts = Parts()) -> None:
        self.mud = mud
        self._parts = parts
        self.heard_channels: set[str] = set()
        self._router = router
        self._told_by: dict[tuple[str, str], None] = {}

    # What the MUD says.

    def hear(self, packet: Packet) -> Iterator[Act]:
        """What is to be done about a packet."""
        if packet.from_mud.lower() != self.mud.name.lower():
            if packet.type != "error":  # an error is never answered by another one
                yield self._error(packet, "unk-src", f"you are {self.mud.name}")
            yield Drop("origin")
            return
        if packet.ttl <= 0:
            yield Drop("ttl")
            return
        packet = replace(packet, from_mud=self.mud.name)
        kind = packet.type
        if kind in MESSAGES:
            yield from self._said(packet)
        elif kind in TELL_TYPES:
            yield from self._told(packet)
        elif kind == "channel-listen":
            channel = self._router.channel(packet.text(0))
            if channel is None:
                yield self._error(packet, "unk-channel", f"there is no channel {short(packet.text(0))}")
            else:
                yield Listen(channel, packet.number(1) != 0)
        elif kind == "channel-add" and packet.number(1) == 0:
            yield Open(packet.text(0))
        elif kind == "channel-add" or kind in _OF_ADMINS:
            yield self._error(packet, "not-allowed", RULES_ARE_ELSEWHERE)
        elif kind in _OF_ROUTERS:
            yield self._error(packet, "not-allowed", "only routers send this")
        elif kind == "locate-req":
            yield from self._locate(packet)
        elif kind == "ucache-update":
            yield PassToAll("ucache", _rewritten(packet))
        elif packet.to_mud == self._router.name:
            yield from self._to_router(packet)
        elif not packet.to_mud:
            yield Drop("unknown")
        elif kind in _BETWEEN_MUDS:
            yield from self._to_mud(packet)
        else:
            code = "not-imp" if kind == "oob-req" else "unk-type"
            yield self._error(packet, code, f"nobody here understands {short(kind)}")

    def _said(self, packet: Packet) -> Iterator[Act]:
        channel = self._router.channel(packet.text(0))
        if channel is None:
            yield self._error(packet, "unk-channel", f"there is no channel {short(packet.text(0))}")
            return
        yield Ask(events.ChannelsSend(packet, channel, *utterance(packet)), channel)

    def _told(self, packet: Packet) -> Iterator[Act]:
        receiver = self._router.mud(packet.to_mud)
        if receiver is None:
            yield self._error(packet, "unk-dst", f"there is no MUD {short(packet.to_mud)}")
            return
        name, message = utterance(packet)
        to_name = self._router.player_like(receiver.short_name, packet.to_user)
        yield Ask(events.TellsSend(packet, name, receiver.short_name, to_name, message))

    def _locate(self, packet: Packet) -> Iterator[Act]:
        for short_name, player in [*self._router.whereis(packet.text(0))][:HITS]:
            mud = self._router.game(short_name)
            if mud is not None and mud.services is None:
                yield self._answer(packet, "locate-reply", mud.name, mud.name, written(player), 0, 0)
        yield PassToAll("locate", _rewritten(packet))

    def _to_router(self, packet: Packet) -> Iterator[Act]:
        router = self._router
        match packet.type:
            case "auth-mud-req":
                yield self._answer(packet, "auth-mud-reply", router.name, random_key())
            case "who-req":
                games: list[Value] = [[written(name), 0, _players(count)] for name, count in router.players()]
                yield from self._who(packet, router.name, games)
            case "chanlist-req":
                yield from self.channel_list()
            case "shutdown":
                yield End()
            case kind if kind == "error" or kind.endswith("-reply"):
                yield Drop("unknown")
            case kind:
                yield self._error(packet, "not-imp", f"the router does not understand {short(kind)}")

    def _to_mud(self, packet: Packet) -> Iterator[Act]:
        mud = self._router.mud(packet.to_mud)
        answers = packet.type == "error" or packet.type.endswith("-reply")
        if mud is None or not mud.online:
            if not answers:  # an answer that nobody waits for is not answered
                yield self._error(packet, "unk-dst", f"there is no MUD {short(packet.to_mud)} online")
            return
        if mud.services is not None:
            yield Pass(mud, _rewritten(replace(packet, to_mud=mud.name)))
            return
        match packet.type:
            case "who-req" | "finger-req" | "chan-user-req":
                yield Ask(events.PlayersStatus(packet, mud.short_name))
            case "chan-who-req":
                yield self._answer(packet, "chan-who-reply", mud.name, packet.text(0), [])
            case "auth-mud-req":
                yield self._answer(packet, "auth-mud-reply", mud.name, random_key())
            case "error" if (mud.name, packet.to_user.lower()) in self._told_by:
                to_name = self._router.player_like(mud.short_name, packet.to_user)
                yield Ask(events.TellsSend(None, "system", mud.short_name, to_name, heard(packet.text(1))))
            case _:
                yield Drop("unknown")

    # What the MUD hears.

    def tell(self, event: server_events.ServerEvent) -> Iterator[bytes]:
        """Write what the network tells the session of the MUD, as frames."""
        match event:
            case server_events.ChannelsBroadcast(_, channel, game, name, message):
                there = self._router.channel_name(channel)
                if there is not None and channel in self.heard_channels:
                    yield from broadcast(self._name_of(game), there, name, message, self._parts)
            case server_events.TellsReceive(_, game, name, to_name, _, message):
                names = (self._name_of(game), user(name), self.mud.name, to_name.lower())
                self._remember(names[0], names[1])
                for text in told(message, self._parts):
                    yield Packet("tell", TTL, *names, (written(name), text)).frame
            case server_events.Success(_, Packet() as asked) if asked.type in MESSAGES:
                if self._router.channel(asked.text(0)) in self.heard_channels:
                    yield _rewritten(asked, FRAME_BYTES).frame
            case server_events.Failure(_, Packet() as asked, why):
                yield self._error(asked, code_of(why), why.text).frame
            case server_events.PlayersStatusAnswer(Packet() as asked, (game,)):
                yield from (act.frame for act in self._answer_players(asked, game))

    def _remember(self, mud: str, name: str) -> None:
        """The MUD may say that a tell of this player went wrong."""
        self._told_by.pop((mud, name), None)
        self._told_by[mud, name] = None
        if len(self._told_by) > TELLS:
            del self._told_by[next(iter(self._told_by))]

    def channel_list(self) -> Iterator[Reply]:
        """Tell the MUD all channels that are offered."""
        router = self._router
        entries: list[tuple[str, Value]] = [(name, [router.name, 0]) for name in router.channels()]
        for page in pages("chanlist-reply", router.name, self.mud.name, router.number(), entries):
            yield Reply(page)

    def _answer_players(self, asked: Packet, game: server_events.PlayersOf) -> Iterator[Reply]:
        mud = self._router.game(game.game)
        name = game.game if mud is None else mud.name
        if asked.type == "who-req":
            yield from self._who(asked, name, [[written(player), 0, ""] for player in game.players])
            return
        wanted = asked.text(0)
        player = one_like(game.players, wanted)
        if player is None:
            yield self._error(asked, "unk-user", f"there is no player {short(wanted)} at {name}")
        elif asked.type == "chan-user-req":
            yield self._answer(asked, "chan-user-reply", name, user(player), written(player), _NEUTER)
        else:
            extra = f"On {name}. {mud.about if mud else ''}".strip() + "\n"
            yield self._answer(asked, "finger-reply", name, written(player), *(0,) * 7, extra)

    def _who(self, asked: Packet, name: str, rows: list[Value]) -> Iterator[Reply]:
        head = Packet("who-reply", TTL, name, "", asked.from_mud, asked.from_user)
        yield Reply(fitted(replace(head, rest=(rows,))).frame)

    def _name_of(self, short_name: str) -> str:
        mud = self._router.game(short_name)
        return short_name if mud is None else mud.name

    def _answer(self, asked: Packet, kind: str, name: str, *rest: Value) -> Reply:
        return Reply(Packet(kind, TTL, name, "", asked.from_mud, asked.from_user, rest).frame)

    def _error(self, asked: Packet, code: str, text: str) -> Reply:
        return Reply(error(self._router.name, self.mud.name, asked.from_user, code, written(text)).frame)


_NEUTER: Final = 2
_EMPTY_BYTES: Final = len('"",')
_KEYS: Final = 2**31 - 1


def broadcast(mud: str, channel: str, name: str, message: str, parts: Parts = Parts()) -> Iterator[bytes]:
    """Write what a player of another game says on a channel: the same frames for every MUD that hears it."""
    for kind, text in said(message, parts):
        yield Packet(kind, TTL, mud, user(name), "", "", (channel, written(name), text)).frame


def utterance(packet: Packet) -> tuple[str, str]:
    """Read a message on a channel or a tell: the name of the player, and the message for the network."""
    named, text = {"channel-t": (5, 3), "tell": (0, 1), "emoteto": (0, 1)}.get(packet.type, (1, 2))
    name = packet.text(named) or packet.from_user
    if packet.type in ("channel-m", "tell"):
        return heard(name), heard(packet.text(text))
    target = packet.text(6) if packet.type == "channel-t" else ""
    return heard(name), heard_emote(packet.text(text), name, target)


def speaker_of(packet: Packet) -> str:
    """The player that a packet shows to be online; empty for none."""
    at = {"channel-m": 1, "channel-e": 1, "channel-t": 5, "tell": 0, "emoteto": 0, "ucache-update": 1}.get(packet.type)
    asked = packet.type in ("who-req", "finger-req", "locate-req")
    name = packet.text(at) if at is not None else packet.from_user if asked else ""
    return heard(name) if user(name) else ""


def code_of(why: Error) -> str:
    """The code of Intermud-3 for an error of the network."""
    return _CODES.get(why.code, "not-allowed")


def one_like(names: Collection[str], token: str) -> str | None:
    """The player of this name without case, else the only one with the same letters and digits."""
    wanted, plain = token.lower(), user(token)
    exact = next((name for name in names if name.lower() == wanted), None)
    if exact is not None:
        return exact
    alike = [name for name in names if plain and user(name) == plain]
    return alike[0] if len(alike) == 1 else None


def _players(count: int) -> str:
    return "1 player" if count == 1 else f"{count} players"


def random_key() -> int:
    return 1 + secrets.randbelow(_KEYS)


def short(text: str) -> str:
    """A name that a stranger gave, as it may be written back."""
    return heard(text)[:40]


def _rewritten(packet: Packet, most: int = STRING_BYTES) -> Packet:
    """A packet as it is passed on: nearer to its end, and cut to what every MUD can read."""
    return fitted(replace(packet, ttl=min(packet.ttl, TTL) - 1, rest=tuple(_cut(each, most) for each in packet.rest)))


def _cut(value: Value, most: int) -> Value:
    if isinstance(value, str):
        return value.encode("utf-8", "replace")[:most].decode(errors="ignore")
    if isinstance(value, list):
        return [_cut(each, most) for each in value]
    return 0 if isinstance(value, dict) else value


def fitted(packet: Packet) -> Packet:
    """A packet without the ends of its lists, and of texts if need be, so that every MUD can read its frame."""
    rest: list[Value] = []
    # Whatever an element is, there is room for it as an empty text.
    room = FRAME_BYTES - len(replace(packet, rest=()).frame) - _EMPTY_BYTES * len(packet.rest)
    for element in packet.rest:
        part = _within(element, room + _EMPTY_BYTES)
        room += _EMPTY_BYTES - len(write(part)) - 1
        rest.append(part)
    return replace(packet, rest=tuple(rest))


def _within(value: Value, room: int) -> Value:
    """As much of a value as can be written in this room, in bytes, a comma included."""
    if len(write(value)) < room:
        return value
    if isinstance(value, str):
        # Each byte can be one that is written as two.
        return value.encode("utf-8", "replace")[: max(0, room - _EMPTY_BYTES) // 2].decode(errors="ignore")
    if not isinstance(value, list):
        return 0
    kept: list[Value] = []
    room -= len("({}),")
    for each in value:
        room -= len(write(each)) + 1
        if room < 0:
            break
        kept.append(each)
    return kept
