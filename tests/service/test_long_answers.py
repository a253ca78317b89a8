"""Answers to queries: in pieces, in turns, and no faster than they are read."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from gossip.network.directory import PAGE
from gossip.network.outputs import Send
from gossip.network.ratelimit import Rate
from gossip.network.session import Session
from gossip.network.settings import NetworkLimits, Rates
from gossip.protocol.server_events import ChannelsTold
from gossip.registry.changes import ChannelSaved, GameSaved
from gossip.registry.entities import Channel, Game, Secret
from gossip.registry.secret import digest
from gossip.service.long_answers import PIECE, PIECES_A_TURN, UNREAD_SECONDS
from tests.support.memory_service import MemoryService
from tests.support.world import frame, uuid

GAMES = 3 * PIECE
"""How many other games are online."""


class LongAnswerTests(SynchronousTestCase):
    """games/status and players/status with many games online."""

    def setUp(self) -> None:
        self.service = MemoryService()
        self.world = self.service.world
        self.asking = self.service.join("Alpha")
        for number in range(GAMES):
            short_name, identity = f"G{number}", uuid(0xAA0000 + number)
            secrets = (Secret(digest("secret")),)
            game = Game(client_id=identity, short_name=short_name, name=short_name, secrets=secrets)
            self.world.registry.enact(GameSaved(game))
            session = self.service.connect()
            credentials = {"client_id": identity, "client_secret": "secret", "supports": ["channels"]}
            self.service.write(session, frame("authenticate", credentials))
        self.read(self.asking)

    def ask(self, session: Session, *refs: str) -> None:
        """Ask for the status of all games."""
        self.service.write(session, *(frame("games/status", None, ref) for ref in refs))

    def read(self, session: Session) -> list[Any]:
        """What a session was told, after whatever was to happen now."""
        self.service.clock.advance(0)
        return self.service.told(session)

    def test_all(self) -> None:
        """A long answer is the same frames in the same order as ever, and what was asked next comes next."""
        self.ask(self.asking, "1", "2")
        self.service.write(self.asking, frame("players/status", {"game": "G7"}, "3"))
        told = self.read(self.asking)
        games = [f"G{number}" for number in range(GAMES)]
        self.assertEqual(
            [(answer["ref"], answer["payload"]["game"]) for answer in told],
            [(ref, game) for ref in ("1", "2") for game in games] + [("3", "G7")],
        )

    def test_not_read(self) -> None:
        """A session that has not read what it got gets no more of an answer, nor another one, until it has."""
        connection = self.service.connection(self.asking)
        self.ask(self.asking, "1", "2")
        connection.unsent = 1
        self.service.write(self.asking, frame("players/status", {"game": "G7"}, "3"))
        self.assertEqual(self.read(self.asking), [])
        self.service.clock.advance(10 * UNREAD_SECONDS)
        self.assertEqual(self.read(self.asking), [])
        connection.unsent = 0
        self.service.clock.advance(UNREAD_SECONDS)
        self.assertEqual(len(self.read(self.asking)), 2 * GAMES + 1)

    def test_short_answer_not_read(self) -> None:
        """A short answer waits as well if what was sent before is unread."""
        connection = self.service.connection(self.asking)
        connection.unsent = 1
        self.service.write(self.asking, frame("players/status", {"game": "G7"}, "1"))
        self.assertEqual(self.read(self.asking), [])
        connection.unsent = 0
        self.service.clock.advance(UNREAD_SECONDS)
        self.assertEqual([answer["ref"] for answer in self.read(self.asking)], ["1"])

    def test_news_are_not_held_back(self) -> None:
        """What is no answer reaches a session that has a long answer to come."""
        speaker = self.service.join("Beta", channels=["gossip"])
        listener = self.service.join("Gamma", channels=["gossip"])
        self.service.connection(listener).unsent = 1
        self.ask(listener, "1")
        said = {"channel": "gossip", "name": "Ana", "message": "hi"}
        self.service.write(speaker, frame("channels/send", said, "s"))
        self.assertEqual([one["event"] for one in self.read(listener)], ["channels/broadcast"])

    def test_work_of_a_turn(self) -> None:
        """One turn of the reactor writes a bounded number of pieces, and sessions take turns."""
        pieces = self.pieces()
        answers = self.service._dispatcher.long_answers
        others = [self.service.join(name) for name in ("Beta", "Gamma", "Delta")]
        self.ask(self.asking, *map(str, range(20)))
        for other in others:
            self.ask(other, "1")
        answers._turn()
        self.assertEqual(len(pieces), PIECES_A_TURN)
        self.assertEqual([piece.session for piece in pieces[:8]], [self.asking, *others] * 2)

    def pieces(self) -> list[Send]:
        """All pieces that are written from now on."""
        pieces: list[Send] = []
        written = self.service._dispatcher.long_answers._deliver

        def deliver(send: Send) -> None:
            pieces.append(send)
            written(send)

        self.patch(self.service._dispatcher.long_answers, "_deliver", deliver)
        return pieces

    def test_channels(self) -> None:
        """Games that list many channels at once take turns as well; what was asked next comes next."""
        for number in range(4 * PAGE + 1):
            self.world.registry.enact(ChannelSaved(Channel(f"c{number:03}", hidden=False)))
        pieces = self.pieces()
        listing = [self.service.join(name) for name in ("Beta", "Gamma", "Delta")]
        for session in listing:
            self.service.write(session, frame("channels/list", None, "1"), frame("games/status", {"game": "G1"}, "2"))
        self.service._dispatcher.long_answers._turn()
        self.assertEqual(len(pieces), PIECES_A_TURN)
        self.assertEqual([piece.session for piece in pieces], [*listing * 3, listing[0]])
        self.assertEqual({len(getattr(piece.event, "told", ChannelsTold(())).channels) for piece in pieces}, {PAGE})
        for session in listing:
            told = self.read(session)
            *parts, other = [answer for answer in told if "ref" in answer and answer["ref"] in ("1", "2")]
            listed = [channel for part in parts for channel in part["payload"]["channels"]]
            self.assertEqual([each["channel"] for each in listed], [f"c{number:03}" for number in range(4 * PAGE + 1)])
            self.assertEqual({part["payload"]["total"] for part in parts}, {4 * PAGE + 1})
            self.assertEqual(other["ref"], "2")

    def test_too_much_asked(self) -> None:
        """A session that asks for more than it reads is read no further until it has."""
        unlimited = Rates(global_=Rate(0, 0), games_status=Rate(0, 0))
        self.world.network.rules.limits = NetworkLimits(rates=unlimited)
        connection = self.service.connection(self.asking)
        connection.unsent = 1
        self.ask(self.asking, *map(str, range(201)))
        self.assertTrue(connection.paused)
        connection.unsent = 0
        self.service.clock.advance(UNREAD_SECONDS)
        self.assertEqual(len(self.read(self.asking)), 201 * GAMES)
        self.assertFalse(connection.paused)

    def test_lost(self) -> None:
        """Of a session that is gone nothing is left, whatever it was still to be told."""
        self.service.connection(self.asking).unsent = 1
        self.ask(self.asking, "1", "2")
        self.service.lost(self.asking)
        self.service.clock.advance(10 * UNREAD_SECONDS)
        answers = self.service._dispatcher.long_answers
        self.assertEqual((answers._asked, list(answers._turns), answers._unread), ({}, [], []))
        self.assertEqual(len(self.service._dispatcher.answers), 0)

    def test_goodbye(self) -> None:
        """A session that is closed for abuse is closed although it reads nothing."""
        self.world.network.rules.limits = NetworkLimits(rates=Rates(global_=Rate(1, 0.001)))
        connection = self.service.connection(self.asking)
        self.ask(self.asking, "1")
        connection.unsent = 1
        for _ in range(20):
            self.ask(self.asking, "2")
        self.service.clock.advance(UNREAD_SECONDS)
        self.read(self.asking)
        self.assertIsNotNone(connection.closed)
