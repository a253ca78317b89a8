"""A small network to try things on: registered games, time that stands still, references that count."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from gossip.network.audiences import Audience, Chosen, Extended, SessionsOf, Subscribers, Supporters
from gossip.network.network import Network
from gossip.network.outputs import Broadcast, Commit, Fetch, Find, ListChannels, Output, Outputs, Release, Send
from gossip.network.session import Session, Situation
from gossip.network.settings import NetworkLimits, NetworkSettings, Rules
from gossip.protocol import frames
from gossip.protocol.moment import Moment
from gossip.registry.addresses import read
from gossip.registry.changes import GameSaved
from gossip.registry.entities import Game, Secret
from gossip.registry.numbers import NumbersHeard
from gossip.registry.registry import Registry
from gossip.registry.secret import digest

NOW = 1_699_999_200.0
"""When the tests take place; a whole hour."""

FLAGS = ("channels", "players", "tells", "games", "achievements")

CONTROLS = [
    *(chr(code) for code in range(0x20) if chr(code) not in "\t\n\r"),
    *(chr(code) for code in range(0x7F, 0xA0)),
    *(chr(code) for code in range(0x202A, 0x202F)),
    *(chr(code) for code in range(0x2066, 0x206A)),
]
"""What never crosses."""


STEADY = 5_000.0
"""What the steady clock shows at L{NOW}: a value taken from the other clock is far off."""


def at(wall: float) -> Moment:
    """A moment by its wall clock, on clocks that agree."""
    return Moment(wall - NOW + STEADY, wall)


def uuid(number: int) -> str:
    """A valid UUID of version 4, made of a number."""
    return f"{number:08x}-0000-4000-8000-000000000000"


def ref(number: int) -> Raw:
    """The ref that the network makes from a number."""
    return Raw(b'"%s"' % uuid(number).encode())


def frame(event: str, payload: Any = None, ref: Any = None, **more: Any) -> dict[str, Any]:
    """What a game writes; C{None} for no ref and no payload."""
    optional = {"ref": ref, "payload": payload}
    return {"event": event, **{key: value for key, value in optional.items() if value is not None}, **more}


class World:
    """
    A network with the games Alpha, Beta, Gamma and Delta. Nobody is online.

    @ivar beside: the networks of other nodes, which know the same games.
    @ivar made: how many UUIDs the network made.
    @ivar pending: commits that were not settled yet.
    @ivar fetches: what was asked for and not found yet.
    @ivar finds: the messages that were looked for, not found yet.
    """

    def __init__(
        self, settings: NetworkSettings | None = None, limits: NetworkLimits | None = None, shared: bool = False
    ) -> None:
        self.registry = Registry(NumbersHeard() if shared else None)
        self.beside: list[World] = []
        self.made = 0
        self.random = 0.5
        self.pending: list[Commit] = []
        self.fetches: list[Fetch] = []
        self.finds: list[Find] = []
        self.network = Network(self.registry, self._new_uuid, lambda: self.random, Rules(settings, limits), shared)
        for name in ("Alpha", "Beta", "Gamma", "Delta"):
            self.add(name)

    def _new_uuid(self) -> str:
        self.made += 1
        return uuid(self.made)

    def game(self, name: str) -> Game:
        """A game as it is registered."""
        game = self.registry.game_named(name)
        assert game is not None
        return game

    def client_id(self, name: str) -> str:
        """The client_id of a game."""
        return self.game(name).client_id

    def secret(self, name: str) -> str:
        """The secret of a game."""
        return self.game(name).client_id.replace("c", "e")

    def add(self, name: str) -> None:
        """Register one more game."""
        number = len(self.registry.games) + 1
        secrets = (Secret(digest(uuid(0xE0 + number))),)
        game = Game(client_id=uuid(0xC0 + number), short_name=name, name=f"The {name}", secrets=secrets)
        self._register(game)

    def _register(self, game: Game) -> None:
        for world in (self, *self.beside):
            world.registry.enact(GameSaved(game))

    def change(self, name: str, **attributes: Any) -> Game:
        """Register a game differently, before anybody looks."""
        game = replace(self.game(name), **attributes)
        self._register(game)
        return game

    def credentials(self, name: str, **more: Any) -> dict[str, Any]:
        """The payload of an authenticate that succeeds."""
        return {
            "client_id": self.game(name).client_id,
            "client_secret": self.secret(name),
            "supports": list(FLAGS),
            **more,
        }

    def open(self, now: float = NOW, peer: str = "192.0.2.1") -> Session:
        """Somebody connects."""
        session = Session(read(peer))
        assert self.network.opened(session, at(now)) == []
        return session

    def join(self, name: str, now: float = NOW, **more: Any) -> Session:
        """A game joins, with whatever else stands in its authenticate; what was committed by it is settled."""
        session = self.open(now)
        outputs = self.say(session, frame("authenticate", self.credentials(name, **more)), now)
        assert session.online is not None, outputs
        self._noted(self.network.notes.keep())
        self.settle(now)
        return session

    def say(self, session: Session, sent: dict[str, Any] | bytes, now: float = NOW) -> Outputs:
        """A session sends a frame; commits wait in C{pending}."""
        written = sent if isinstance(sent, bytes) else msgspec.json.encode(sent)
        return self._noted(self.network.receive(session, frames.decode(written), at(now)))

    def settled(self, commit: Commit, kept: bool, now: float = NOW) -> Outputs:
        """A commit was carried out, or failed: what the network makes of it, as the service asks it."""
        learned = self.network.learned(commit.change, at(now)) if kept and not commit.learned else []
        return [*learned, *self.network.settled(commit, kept, at(now))]

    def settle(self, now: float = NOW, kept: bool = True) -> Outputs:
        """Settle what is pending, and what comes of it, in its order."""
        outputs: Outputs = []
        while self.pending:
            outputs.extend(self.settle_one(now, kept))
        return outputs

    def settle_one(self, now: float = NOW, kept: bool = True) -> Outputs:
        """Settle the oldest commit."""
        return self._noted(self.settled(self.pending.pop(0), kept, now))

    def ask(self, session: Session, sent: dict[str, Any] | bytes, now: float = NOW) -> list[Any]:
        """A session sends a frame, all is kept: the frames that the session itself gets, read."""
        outputs = [*self.say(session, sent, now), *self.settle(now)]
        return written([part for output in outputs for part in self._parts(output, now)], session)

    def _parts(self, output: Output, now: float) -> list[Output]:
        if not isinstance(output, ListChannels):
            return [output]
        return [self.network.listed(output, number, at(now)) for number in range(len(output.parts))]

    def _noted(self, outputs: Outputs) -> Outputs:
        for output in flat(outputs):
            if isinstance(output, Commit):
                self.pending.append(output)
            elif isinstance(output, Fetch):
                self.fetches.append(output)
            elif isinstance(output, Find):
                self.finds.append(output)
        return outputs


def flat(outputs: Sequence[Output]) -> list[Output]:
    """The outputs, with those of releases in their places."""
    return list(
        itertools.chain.from_iterable(
            output.outputs if isinstance(output, Release) else (output,) for output in outputs
        )
    )


def hears(audience: Audience, session: Session) -> bool:
    """Is a session in an audience, by what the session itself says of its game, channels and flags?"""
    if session.situation is not Situation.ACTIVE:
        return False
    match audience:
        case Subscribers(channel, but, numbered, extended):
            heard = channel in session.channels and session.client_id != but and session.numbered == numbered
            heard = heard and session.through is None
            return heard and extended in (None, bool(session.extensions))
        case Supporters(flag, but):
            return flag in session.supports and session.client_id != but and session.through is None
        case SessionsOf(client_id, flag):
            return flag in session.supports and session.client_id == client_id
        case Extended(extension, channel, client_id):
            narrowed = channel in (None, *session.channels) and client_id in (None, session.client_id)
            return extension in session.extensions and narrowed
        case Chosen(sessions):
            return session in sessions


def sent(outputs: Sequence[Output], session: Session) -> list[Any]:
    """The events that a session gets."""
    return [
        output.event
        for output in flat(outputs)
        if (isinstance(output, Send) and output.session is session)
        or (isinstance(output, Broadcast) and hears(output.audience, session))
    ]


def written(outputs: Sequence[Output], session: Session) -> list[Any]:
    """The frames that a session gets, read."""
    return [msgspec.json.decode(text) for event in sent(outputs, session) for text in frames.encode(event)]
