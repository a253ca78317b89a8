"""L{gossip.network.audiences}: which sessions a name stands for."""

from __future__ import annotations

from collections.abc import Iterable

from twisted.trial.unittest import SynchronousTestCase

from gossip.network.audiences import _REMEMBERED, Audiences, SessionsOf, Subscribers, Supporters
from gossip.network.session import Session
from tests.support.world import FLAGS, NOW, World, at


class AudiencesTests(SynchronousTestCase):
    """Channels and flags, without a network."""

    def setUp(self) -> None:
        self.audiences = Audiences()

    def join(self, name: str, supports: Iterable[str] = FLAGS) -> Session:
        """A session of a game, which supports some flags, and is subscribed to nothing."""
        session = World().join(name)
        session.supports = frozenset(supports)
        self.audiences.support(session)
        return session

    def test_subscribers(self) -> None:
        """Everybody on a channel but one game; sessions with support of history are an audience of their own."""
        alpha, beta, gamma = self.join("Alpha"), self.join("Beta"), self.join("Gamma", ["channels", "history"])
        for session in (alpha, beta, gamma):
            self.audiences.subscribe(session, "gossip")
        resolve = self.audiences.resolve
        self.assertEqual(resolve(Subscribers("gossip")), (alpha, beta))
        self.assertEqual(resolve(Subscribers("gossip", alpha.client_id)), (beta,))
        self.assertEqual(resolve(Subscribers("gossip", alpha.client_id, numbered=True)), (gamma,))
        self.assertEqual(resolve(Subscribers("gossip", gamma.client_id, numbered=True)), ())
        self.assertEqual(resolve(Subscribers("testing")), ())
        self.assertEqual(self.audiences.subscribed(), {"gossip": 3})

    def test_identity(self) -> None:
        """The same name is the same tuple until somebody joins or leaves."""
        alpha, beta = self.join("Alpha"), self.join("Beta")
        self.audiences.subscribe(alpha, "gossip")
        first = self.audiences.resolve(Subscribers("gossip"))
        self.assertIs(self.audiences.resolve(Subscribers("gossip")), first)
        self.audiences.subscribe(beta, "gossip")
        self.assertEqual(self.audiences.resolve(Subscribers("gossip")), (alpha, beta))
        self.audiences.unsubscribe(alpha, "gossip")
        self.assertEqual(self.audiences.resolve(Subscribers("gossip")), (beta,))

    def test_split(self) -> None:
        """Sessions with and without extensions are tuples that stay the same, too; alone, they are the whole."""
        old, new = self.join("Alpha", ["channels", "history"]), self.join("Beta")
        new.extensions = frozenset(["directory"])
        parts = [Subscribers("gossip", None, numbered=True, extended=extended) for extended in (False, True)]
        resolve = self.audiences.resolve
        self.audiences.subscribe(old, "gossip")
        self.assertIs(resolve(parts[0]), resolve(Subscribers("gossip", None, numbered=True)))
        self.assertEqual(resolve(parts[1]), ())
        self.audiences.subscribe(new, "gossip")
        self.assertEqual([resolve(part) for part in parts], [(old,), (new,)])
        for part in parts:
            self.assertIs(resolve(part), resolve(part))
        for number in range(200):
            resolve(Subscribers("gossip", str(number), numbered=True, extended=True))
        self.assertLessEqual(len(self.audiences._channels["gossip", True]._rest), 2 * _REMEMBERED)
        self.audiences.unsubscribe(old, "gossip")
        self.assertEqual([resolve(part) for part in parts], [(), (new,)])

    def test_empty_channel(self) -> None:
        """A channel without subscribers is not remembered."""
        alpha = self.join("Alpha")
        self.audiences.subscribe(alpha, "gossip")
        self.assertTrue(self.audiences.hears("gossip", numbered=False))
        self.audiences.unsubscribe(alpha, "gossip")
        self.audiences.unsubscribe(alpha, "gossip")
        self.assertFalse(self.audiences.hears("gossip", numbered=False))
        self.assertEqual(self.audiences.subscribed(), {})

    def test_many_senders(self) -> None:
        """More sending games than are remembered are still told apart."""
        sessions = [self.join(name) for name in ("Alpha", "Beta", "Gamma")]
        for session in sessions:
            self.audiences.subscribe(session, "gossip")
        for number in range(100):
            self.assertEqual(self.audiences.resolve(Subscribers("gossip", f"stranger {number}")), tuple(sessions))
            but = Subscribers("gossip", sessions[0].client_id)
            self.assertEqual(self.audiences.resolve(but), tuple(sessions[1:]))

    def test_supporters(self) -> None:
        """The sessions with a flag, except those of one game, until they withdraw it or end."""
        alpha, beta, plain = self.join("Alpha"), self.join("Beta"), self.join("Beta", ["channels"])
        resolve = self.audiences.resolve
        self.assertEqual(resolve(Supporters("games", alpha.client_id)), (beta,))
        self.assertEqual(resolve(Supporters("channels", alpha.client_id)), (beta, plain))
        self.assertEqual(resolve(Supporters("channels", beta.client_id)), (alpha,))
        self.audiences.withdraw(beta, ("games",))
        self.assertEqual(resolve(Supporters("games", alpha.client_id)), ())
        self.assertEqual(resolve(Supporters("channels", alpha.client_id)), (beta, plain))
        self.audiences.withdraw(beta, beta.supports)
        self.assertEqual(resolve(Supporters("channels", alpha.client_id)), (plain,))


class SessionsOfTests(SynchronousTestCase):
    """The sessions of one game."""

    def test_sessions_of(self) -> None:
        """Those with the flag, while they are there; none of a game that is offline."""
        world = World()
        audience = SessionsOf(world.client_id("Alpha"), "tells")
        self.assertEqual(world.network.hearing(audience), ())
        first, second = world.join("Alpha"), world.join("Alpha")
        world.join("Alpha", supports=["channels"])
        self.assertEqual(world.network.hearing(audience), (first, second))
        world.network.lost(first, at(NOW))
        self.assertEqual(world.network.hearing(audience), (second,))
