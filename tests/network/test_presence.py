"""Presence: sessions, players, and the minute of grace (protocol specification, Games, Players)."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace
from twisted.trial.unittest import SynchronousTestCase

from gossip.network.audiences import Audiences, Supporters
from gossip.network.presence import GRACE, Presence
from gossip.network.session import Session
from gossip.registry.entities import Game
from gossip.registry.names import is_network
from tests.support.world import FLAGS, NOW, at, uuid

ALPHA = Game(client_id=uuid(1), short_name="Alpha", name="The Alpha", secrets=())
BETA = Game(client_id=uuid(2), short_name="Beta", name="The Beta", secrets=())


class PresenceTests(SynchronousTestCase):
    """Which games and players are online."""

    def setUp(self) -> None:
        self.audiences = Audiences()
        self.presence = Presence(self.audiences)

    def others(self, game: Game, flag: str) -> tuple[Session, ...]:
        """The sessions of other games that support a flag."""
        return self.audiences.resolve(Supporters(flag, game.client_id))

    def join(self, game: Game, supports: Iterable[str] = FLAGS, players: Iterable[str] = ()) -> Session:
        session = Session()
        session.supports = frozenset(supports)
        session.list_players(players)
        session.online, _ = self.presence.join(session, game, at(NOW))
        return session

    def test_join(self) -> None:
        """A game comes online with its first session."""
        first, second = Session(), Session()
        online, came = self.presence.join(first, ALPHA, at(NOW))
        self.assertTrue(came)
        self.assertEqual(self.presence.join(second, ALPHA, at(NOW + 1)), (online, False))
        self.assertEqual((list(online.sessions), online.since), ([first, second], NOW))
        self.assertEqual(list(self.presence), [online])
        self.assertIs(self.presence.online(ALPHA.client_id), online)
        self.assertIsNone(self.presence.online(BETA.client_id))

    def test_grace(self) -> None:
        """A game goes offline a minute after its last session ends."""
        first, second = self.join(ALPHA), self.join(ALPHA)
        online = first.online
        self.presence.leave(first, at(NOW))
        self.assertEqual(self.presence.gone(at(NOW + GRACE)), [])
        self.presence.leave(second, at(NOW + 100))
        self.assertEqual(self.presence.gone(at(NOW + 100 + GRACE - 0.1)), [])
        self.assertEqual(list(self.presence), [online])
        self.assertEqual(self.presence.gone(at(NOW + 100 + GRACE)), [online])
        assert online is not None
        self.assertEqual(online.left_at, NOW + 100)
        self.assertEqual(list(self.presence), [])
        self.assertEqual(self.presence.gone(at(NOW + 100 + GRACE)), [])

    def test_back_in_time(self) -> None:
        """A game that returns within the minute never left; the minute starts again when it leaves again."""
        session = self.join(ALPHA)
        self.presence.leave(session, at(NOW))
        again = self.join(ALPHA)
        self.assertIs(again.online, session.online)
        self.assertEqual(self.presence.gone(at(NOW + 10 * GRACE)), [])
        other = self.join(BETA)
        self.presence.leave(other, at(NOW + 10))
        self.presence.leave(again, at(NOW + 20))
        self.assertEqual(self.presence.gone(at(NOW + 79)), [other.online])
        self.assertEqual(self.presence.gone(at(NOW + 80)), [again.online])

    def test_last_stands(self) -> None:
        """During the minute of grace a game keeps its last supports and channels, without players."""
        first = self.join(ALPHA, ["channels", "tells"], ["Ana"])
        second = self.join(ALPHA, ["channels", "games"], ["Bo"])
        first.channels, second.channels = {"gossip": None}, {"testing": None}
        online = first.online
        assert online is not None
        self.assertEqual(online.supports, {"channels", "tells", "games"})
        self.assertEqual(list(online.channels), ["gossip", "testing"])
        self.presence.leave(first, at(NOW))
        self.presence.leave(second, at(NOW))
        self.assertEqual(online.supports, {"channels", "games"})
        self.assertEqual(list(online.channels), ["testing"])
        self.assertEqual(online.players, ())
        third = self.join(ALPHA, ["channels"])
        self.assertEqual((online.supports, list(online.channels)), (third.supports, []))

    def test_players(self) -> None:
        """A player is online while any session of the game lists the name, and counts once."""
        first, second = self.join(ALPHA, players=["Ana", "Bo"]), self.join(ALPHA, players=["Bo", "Cy"])
        online = first.online
        assert online is not None
        self.assertEqual(online.players, ("Ana", "Bo", "Cy"))
        self.assertEqual(dict(self.presence.players_count()), {ALPHA.client_id: 3})
        self.assertEqual([online.lists(name) for name in ("Cy", "cy", "Di")], [True, False, False])
        self.assertEqual([online.plays(name) for name in ("Cy", "cY", "Di")], [True, True, False])
        self.presence.leave(first, at(NOW))
        self.assertEqual(online.players, ("Bo", "Cy"))
        self.presence.leave(second, at(NOW))
        self.assertEqual(dict(self.presence.players_count()), {ALPHA.client_id: 0})

    def test_plays(self) -> None:
        """Whether a game has a player is asked without case, and answered from what its sessions list right now."""
        session = self.join(ALPHA, players=("Ana",))
        online = session.online
        assert online is not None

        def plays() -> list[str]:
            return [name for name in ("ana", "BO", "Cy", "Ed") if online.plays(name)]

        self.assertEqual(plays(), ["ana"])
        session.list_player("Bo")
        self.assertEqual(plays(), ["ana", "BO"])
        self.join(ALPHA, players=("cY",))
        self.assertEqual(plays(), ["ana", "BO", "Cy"])
        online.signed_out("Ana")
        self.assertEqual(plays(), ["BO", "Cy"])
        session.list_players(["Ed"])
        self.assertEqual(plays(), ["Cy", "Ed"])

    def test_forgotten(self) -> None:
        """A session that has ended keeps no list of players."""
        session = self.join(ALPHA, players=map("Player{}".format, range(2000)))
        self.presence.leave(session, at(NOW))
        self.assertEqual((session.players, session.plays("player1")), ({}, False))

    def test_lists_once(self) -> None:
        """A name of a long list is looked at once: thousands of tells a minute are no work, whatever they name."""
        session = self.join(ALPHA, players=map("Player{}".format, range(2000)))
        known = session.plays("x"), session._lowered
        self.assertEqual(known[0], session.plays("player1999x"))
        self.assertIs(known[1], session._lowered)

    def test_some_players(self) -> None:
        """The first of the players of all sessions, each once."""
        session = self.join(ALPHA, players=("Ana", "Bo"))
        self.join(ALPHA, players=("Bo", "Cy", "Di"))
        assert session.online is not None
        some = [session.online.some_players(most) for most in (0, 1, 2, 3)]
        self.assertEqual(some, [("Ana", "Bo", "Cy", "Di"), ("Ana",), ("Ana", "Bo"), ("Ana", "Bo", "Cy")])

    def test_numbers(self) -> None:
        """The numbers of games, sessions and players follow whatever happens."""

        def numbers() -> tuple[int, int, int]:
            presence = self.presence
            self.assertEqual(presence.players, sum(len(online.players) for online in presence))
            return len(presence), presence.sessions, presence.players

        self.assertEqual(numbers(), (0, 0, 0))
        first, second = self.join(ALPHA, players=["Ana", "Bo"]), self.join(ALPHA, players=["Bo", "Cy"])
        third = self.join(BETA, players=["Di"])
        assert third.online is not None
        self.assertEqual(numbers(), (2, 3, 4))
        self.assertEqual(numbers(), (2, 3, 4))
        third.list_player("Ed")
        third.online.changed()
        self.assertEqual(numbers(), (2, 3, 5))
        self.presence.leave(first, at(NOW))
        self.assertEqual(numbers(), (2, 2, 4))
        self.presence.leave(second, at(NOW))
        self.presence.leave(third, at(NOW))
        self.assertEqual(numbers(), (2, 0, 0))
        third = self.join(BETA, players=["Di"])
        self.presence.leave(third, at(NOW + 1))
        self.presence.forget(BETA.client_id)
        self.assertEqual(numbers(), (1, 0, 0))
        self.presence.gone(at(NOW + GRACE))
        self.assertEqual(numbers(), (0, 0, 0))

    def test_others(self) -> None:
        """The sessions of other games with a flag, while they last."""
        alpha, beta, plain = self.join(ALPHA), self.join(BETA), self.join(BETA, ["channels"])
        second = self.join(BETA, ["channels", "games"])
        assert alpha.online is not None and beta.online is not None
        self.assertEqual(self.others(ALPHA, "games"), (beta, second))
        self.assertEqual(self.others(ALPHA, "channels"), (beta, plain, second))
        self.assertEqual(self.others(BETA, "games"), (alpha,))
        self.presence.leave(beta, at(NOW))
        self.assertEqual(self.others(ALPHA, "games"), (second,))

    def test_changed(self) -> None:
        """A game that hides its players loses the flag tells at once, in the grace too."""
        first, second = self.join(ALPHA), self.join(ALPHA)
        beta = self.join(BETA)
        assert beta.online is not None
        hiding = replace(ALPHA, hides_players=True)
        self.assertIs(self.presence.changed(hiding), first.online)
        self.assertEqual([session.supports for session in (first, second)], [set(FLAGS) - {"tells"}] * 2)
        self.assertEqual(self.others(BETA, "tells"), ())
        self.presence.leave(beta, at(NOW))
        self.presence.changed(replace(BETA, hides_players=True))
        self.assertEqual(beta.online.supports, set(FLAGS) - {"tells"})
        self.assertIsNone(self.presence.changed(replace(BETA, client_id=uuid(3))))

    def test_forget(self) -> None:
        """A forgotten game is offline at once, is not reported, and comes online anew when it joins."""
        self.presence.leave(self.join(ALPHA), at(NOW))
        self.presence.forget(ALPHA.client_id)
        self.presence.forget(BETA.client_id)
        self.assertEqual(list(self.presence), [])
        self.assertEqual(self.presence.gone(at(NOW + 1000)), [])
        self.assertTrue(self.presence.join(Session(), ALPHA, at(NOW))[1])

    def test_network(self) -> None:
        """The network itself has two names, in any case."""
        names = ("gossip", "Gossip", "GRAPEVINE", "system", "gossip ", "")
        self.assertEqual([is_network(name) for name in names], [True, True, True, False, False, False])
