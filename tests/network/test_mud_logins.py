"""Tests for logins of Intermud-3: who gets in with which number, and what is kept of it."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace
from twisted.trial.unittest import SynchronousTestCase

from gossip.network.outputs import Close, Commit, Outputs, Send
from gossip.network.session import Session, Situation
from gossip.protocol.events import AuthenticateAsMud
from gossip.protocol.server_events import Authenticated, NotAuthenticated
from gossip.registry.changes import I3IdentitySaved
from gossip.registry.entities import I3Identity
from gossip.registry.secret import digest
from tests.support.world import NOW, World, at

HOME, ELSEWHERE = "192.0.2.1", "192.0.2.2"


class MudLoginTests(SynchronousTestCase):
    """The game Alpha may join by Intermud-3."""

    def setUp(self) -> None:
        self.world = World()
        self.registry = self.world.registry

    def identity(self, **fields: Any) -> I3Identity:
        """Alpha has this identity."""
        identity = I3Identity(client_id=self.world.client_id("Alpha"), name="Alpha Mud", **fields)
        self.registry.enact(I3IdentitySaved(identity))
        return identity

    def login(self, secret: str = "123", peer: str = HOME, now: float = NOW, **fields: Any) -> tuple[Session, Outputs]:
        """A MUD logs in as Alpha; returns its session, and the outputs."""
        session = self.world.open(now, peer)
        fields = {"new_secret": "777", "use": "i3", "lists_players": False, **fields}
        client_id = self.world.client_id("Alpha")
        event = AuthenticateAsMud("ref", client_id, secret, ("channels",), (), **fields)
        return session, self.world.network.receive(session, event, at(now))

    def refused(self, *arguments: Any, **more: Any) -> bool:
        """Is a login refused?"""
        session, outputs = self.login(*arguments, **more)
        is_refused = session.situation is Situation.GONE
        told = [output.event for output in outputs if isinstance(output, Send)]
        self.assertEqual(any(isinstance(event, NotAuthenticated) for event in told), is_refused)
        self.assertEqual(any(isinstance(output, Close) for output in outputs), is_refused)
        return is_refused

    def test_right(self) -> None:
        """The right number lets a MUD in from anywhere. Nothing is kept if nothing changes, and it is told at once."""
        self.identity(digest=digest("123"), address=HOME, record="R")
        session, outputs = self.login(record="R")
        self.assertEqual(outputs[0], Send(session, Authenticated("ref", "Alpha")))
        self.assertFalse(session.lists_players)
        self.assertFalse([output for output in outputs if isinstance(output, Commit) and output.then])

    def test_changed(self) -> None:
        """Another address, or what it says of itself, is kept before the answer leaves; its number stays."""
        known = self.identity(digest=digest("123"), address=HOME, open_until=NOW + 1)
        session, outputs = self.login(peer=ELSEWHERE, record="R")
        kept = I3IdentitySaved(replace(known, address=ELSEWHERE, record="R"))
        first = outputs[0]
        assert isinstance(first, Commit)
        self.assertEqual((first.change, first.then), (kept, (Send(session, Authenticated("ref", "Alpha")),)))
        (failed,) = first.otherwise
        self.assertIsInstance(failed.event, NotAuthenticated)
        self.world.settled(first, True)
        self.assertEqual(self.registry.i3.of(known.client_id), kept.identity)

    def test_first(self) -> None:
        """Within its time, the first login gets a number, whatever it brought; the second is refused."""
        known = self.identity(open_until=NOW + 1)
        session, outputs = self.login("0")
        first = outputs[0]
        assert isinstance(first, Commit)
        self.assertEqual(first.then, (Send(session, Authenticated("ref", "Alpha", new_secret="777")),))
        self.world.settled(first, True)
        kept = replace(known, digest=digest("777"), address=HOME, open_until=None)
        self.assertEqual(self.registry.i3.of(known.client_id), kept)
        self.assertTrue(self.refused("0", ELSEWHERE))
        self.assertFalse(self.refused("777", ELSEWHERE))

    def test_too_late(self) -> None:
        """After its time, the first login gets nothing."""
        self.identity(open_until=NOW + 1)
        self.assertTrue(self.refused("0", now=NOW + 1))

    def test_same_address(self) -> None:
        """From the address of the last login a wrong number is enough, if the router allows that; it gets a new one."""
        self.identity(digest=digest("123"), address=HOME)
        self.assertTrue(self.refused("0"))
        self.assertTrue(self.refused("0", ELSEWHERE, same_address=True))
        session, outputs = self.login("0", same_address=True)
        first = outputs[0]
        assert isinstance(first, Commit)
        self.assertEqual(first.then, (Send(session, Authenticated("ref", "Alpha", new_secret="777")),))

    def test_unknown(self) -> None:
        """A game without an identity, one that has no number yet, and one that is disabled are refused."""
        self.assertTrue(self.refused())
        self.identity()
        self.assertTrue(self.refused())
        self.assertTrue(self.refused(""))
        self.identity(digest=digest("123"))
        self.world.change("Alpha", disabled=True)
        self.assertTrue(self.refused())

    def test_many_wrong(self) -> None:
        """After 20 wrong numbers from an address, not even the right one is looked at from there."""
        self.identity(digest=digest("123"), address=HOME)
        for number in range(20):
            self.assertTrue(self.refused(str(number)))
        self.assertTrue(self.refused())
        self.assertFalse(self.refused(peer=ELSEWHERE))
