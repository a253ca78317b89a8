"""Mutes, bans and the speakers of a channel: L{gossip.network.moderation}."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace
from twisted.trial.unittest import SynchronousTestCase

from gossip.network.outputs import Close, Commit, Send
from gossip.network.session import Session, Situation
from gossip.network.settings import NetworkSettings
from gossip.protocol.errors import Error
from gossip.protocol.server_events import Failure
from gossip.registry.changes import (
    Audited,
    ChannelSaved,
    FilterSaved,
    GameRemoved,
    MessageSaid,
    RestrictionLifted,
    RestrictionSet,
    RestrictionsExpired,
)
from gossip.registry.entities import AuditEntry, Channel, Filter, Restriction
from gossip.registry.restrictions import player_of
from tests.support.world import NOW, World, at, frame, uuid

HOUR = 3600.0


class ModerationTestCase(SynchronousTestCase):
    """Alpha, whose players speak, and Beta, who hears them."""

    def setUp(self) -> None:
        self.world = World(NetworkSettings(echo=False))
        self.alpha = self.world.join("Alpha", channels=["gossip", "testing"], players=["Ana"])
        self.beta = self.world.join("Beta", channels=["gossip", "testing"], players=["Bo"])
        self.client_id = self.world.game("Alpha").client_id

    def change(self, change: Any, now: float = NOW) -> Any:
        """Change something, as an admin does."""
        commit = self.world.network.apply(Audited(AuditEntry(uuid(1), now, "ana", "x", "y", "{}"), change))
        return self.world.settled(commit, True, now)

    def restrict(self, kind: str, subject: str, now: float = NOW, **more: Any) -> Any:
        restriction = Restriction(
            kind=kind, subject=subject, **{"reason": "so", "set_by": "ana", "set_at": now, **more}
        )
        return self.change(RestrictionSet(restriction), now)

    def error(self, event: str, now: float = NOW, session: Session | None = None, **payload: Any) -> str | None:
        """The error of a request, C{None} if it succeeds."""
        [answer] = self.world.ask(session or self.alpha, frame(event, payload, "r"), now)
        return None if answer["status"] == "success" else str(answer["error"])

    def send(
        self,
        name: str = "Ana",
        channel: str = "gossip",
        now: float = NOW,
        message: str = "Hi",
        session: Session | None = None,
    ) -> str | None:
        return self.error("channels/send", now, session, channel=channel, name=name, message=message)

    def tell(self, now: float = NOW) -> str | None:
        return self.error("tells/send", now, from_name="Ana", to_game="Beta", to_name="Bo", message="Hi")


class MuteTests(ModerationTestCase):
    """Mutes: players, games and addresses that may not speak."""

    def test_player(self) -> None:
        """A mute holds from the next message on, whatever blanks and case the name has; other players still speak."""
        self.assertIsNone(self.send())
        self.restrict("mute", player_of(self.client_id, "Ana"), reason="shouting")
        for name in ("Ana", "ANA", " ana ", "A\u200bna", "A\u00adna", "Ａｎａ", "A\u0301na", "Аna"):
            self.assertEqual(self.send(name), "muted: shouting")
        self.assertIsNone(self.send("Anna"))
        self.assertEqual(self.tell(), "muted: shouting")
        self.assertIsNone(self.error("players/sign-in", name="Ana"))

    def test_game_and_address(self) -> None:
        """A game and an address are muted with all their players."""
        for subject in (self.client_id, "192.0.2.1"):
            self.restrict("mute", subject)
            self.assertEqual(self.send("Anybody"), "muted: so")
            self.change(RestrictionLifted("mute", subject, ""))
            self.assertIsNone(self.send("Anybody"))

    def test_mapped_address(self) -> None:
        """An IPv4 address is the same when a socket shows it in an IPv6 one."""
        self.restrict("mute", "192.0.2.7")
        session = self.world.open(peer="::ffff:192.0.2.7")
        self.world.say(session, frame("authenticate", self.world.credentials("Gamma", channels=["gossip"])))
        self.world.settle()
        self.assertEqual(self.send(session=session), "muted: so")

    def test_channel(self) -> None:
        """A mute on one channel covers neither other channels nor tells."""
        self.restrict("mute", self.client_id, channel="gossip")
        self.assertEqual(self.send(), "muted: so")
        self.assertIsNone(self.send(channel="testing"))
        self.assertIsNone(self.tell())

    def test_ends(self) -> None:
        """A mute says until when it lasts, ends by itself, and is forgotten in time."""
        self.restrict("mute", self.client_id, until=NOW + 60)
        self.assertEqual(self.send(), "muted until 2023-11-14T22:01:00Z: so")
        self.assertEqual(self.send(now=NOW + 59.9), "muted until 2023-11-14T22:01:00Z: so")
        self.assertIsNone(self.send(now=NOW + 60))
        self.world.network.tick(at(NOW + 60))
        self.assertNotIn(RestrictionsExpired, [type(each.change) for each in self.world.pending])
        outputs = self.world.network.tick(at(NOW + HOUR))
        self.assertIn(Commit(RestrictionsExpired(NOW + HOUR)), outputs)
        self.world.settled(Commit(RestrictionsExpired(NOW + HOUR)), True, NOW + HOUR)
        self.assertEqual(self.world.registry.mutes, {})

    def test_not_kept(self) -> None:
        """A mute that could not be kept has no effect."""
        change = RestrictionSet(Restriction(kind="mute", subject=self.client_id, reason="so", set_by="a", set_at=NOW))
        self.world.settled(self.world.network.apply(change), False, NOW)
        self.assertIsNone(self.send())

    def test_nothing_is_spent(self) -> None:
        """What is refused is not counted by the rate limit."""
        self.restrict("mute", self.client_id)
        for _ in range(30):
            self.assertEqual(self.send(), "muted: so")
        self.change(RestrictionLifted("mute", self.client_id, ""))
        self.assertIsNone(self.send())

    def test_removed_game(self) -> None:
        """Removing a game removes its restrictions and those of its players; others stay."""
        self.restrict("mute", self.client_id)
        self.restrict("ban", player_of(self.client_id, "Ana"))
        self.restrict("mute", "192.0.2.9")
        self.change(GameRemoved(self.client_id))
        self.assertEqual((list(self.world.registry.mutes), self.world.registry.bans), ([("192.0.2.9", "")], {}))


class BanTests(ModerationTestCase):
    """Bans: players, games and addresses that may not be here."""

    def test_game(self) -> None:
        """All sessions of a banned game are told why and end; then its credentials are invalid, until it is over."""
        other = self.world.join("Alpha")
        told = Failure("authenticate", None, Error.of("expelled", until=" until 2023-11-14T23:00:00Z", reason="spam"))
        outputs = self.restrict("ban", self.client_id, until=NOW + HOUR, reason="spam")
        expected = [(Send(each, told), Close(each, 4000, told.error)) for each in (self.alpha, other)]
        self.assertEqual(outputs, [output for pair in expected for output in pair])
        self.assertIs(self.alpha.situation, Situation.GONE)
        self.assertIs(self.beta.situation, Situation.ACTIVE)
        session = self.world.open()
        outputs = self.world.say(session, frame("authenticate", self.world.credentials("Alpha")))
        self.assertEqual([type(output) for output in outputs], [Send, Close])
        self.assertEqual(outputs[0].event.error.text, "invalid credentials")  # type: ignore[union-attr]
        self.world.join("Alpha", NOW + HOUR)

    def test_address(self) -> None:
        """All sessions of a banned address end, those that have not authenticated too; none can join from there."""
        waiting, elsewhere = self.world.open(), self.world.open(peer="192.0.2.2")
        outputs = self.restrict("ban", "192.0.2.1")
        closed = [output.session for output in outputs if isinstance(output, Close)]
        self.assertEqual(closed, [self.alpha, self.beta, waiting])
        self.assertIs(elsewhere.situation, Situation.NEW)
        session = self.world.open()
        outputs = self.world.say(session, frame("authenticate", self.world.credentials("Gamma")))
        self.assertEqual(outputs[0].event.error.text, "invalid credentials")  # type: ignore[union-attr]

    def test_network(self) -> None:
        """A ban of a network ends the sessions that come from there, on either side of its edges no other."""
        peers = ("203.0.113.127", "203.0.113.128", "203.0.113.255", "203.0.114.0", "2001:db8:0:5::1", "2001:db8:0:6::1")
        sessions = {peer: self.world.open(peer=peer) for peer in peers}
        for subject in ("203.0.113.128/25", "2001:db8:0:5::/64"):
            self.restrict("ban", subject)
        gone = [peer for peer in peers if sessions[peer].situation is Situation.GONE]
        self.assertEqual(gone, ["203.0.113.128", "203.0.113.255", "2001:db8:0:5::1"])
        for peer in peers:
            session = self.world.open(peer=peer)
            self.world.say(session, frame("authenticate", self.world.credentials("Gamma")))
            self.world.settle()
            self.assertEqual(session.online is None, peer in gone, peer)

    def test_stored_address(self) -> None:
        """A ban of one IPv6 address, as earlier releases stored it, holds for all of its /64."""
        session = self.world.open(peer="2001:db8::5")
        self.restrict("ban", "2001:db8::ffff")
        self.assertIs(session.situation, Situation.GONE)

    def test_player(self) -> None:
        """A banned player may not speak, send tells or sign in; the game stays online."""
        self.assertEqual(self.restrict("ban", player_of(self.client_id, "Ana")), [])
        for error in (self.send(), self.tell(), self.error("players/sign-in", name="ANA")):
            self.assertEqual(error, "banned: so")
        self.assertIsNone(self.send("Bo"))

    def test_channel(self) -> None:
        """A game that is banned from a channel no longer hears it, nor can it subscribe; it hears the others."""
        self.restrict("ban", self.client_id, channel="gossip")
        self.assertEqual(list(self.alpha.channels), ["testing"])
        self.assertEqual(self.world.network.channels.subscribed(), {"gossip": 1, "testing": 2})
        self.assertEqual(self.error("channels/subscribe", channel="gossip"), "banned: so")
        self.assertEqual(self.send(), "not subscribed")
        session = self.world.open()
        credentials = self.world.credentials("Alpha", channels=["gossip", "testing"])
        told = [
            each.event for each in self.world.say(session, frame("authenticate", credentials)) if isinstance(each, Send)
        ]
        self.assertIn(Failure("channels/subscribe", None, Error.of("not-joined", channel="gossip")), told)
        self.assertEqual(list(session.channels), ["testing"])
        self.change(RestrictionLifted("ban", self.client_id, "gossip"))
        self.assertIsNone(self.error("channels/subscribe", channel="gossip"))

    def test_over(self) -> None:
        """A ban that is over when it is kept ends nothing."""
        self.assertEqual(self.restrict("ban", self.client_id, until=NOW), [])
        self.assertIs(self.alpha.situation, Situation.ACTIVE)


class SpeakersAndFiltersTests(ModerationTestCase):
    """Which games may speak on a channel, and what they may say there."""

    def test_speakers(self) -> None:
        """On a channel with named speakers, other games only listen."""
        channel = replace(
            self.world.registry.channels["gossip"], speakers=frozenset([self.world.game("Beta").client_id])
        )
        self.change(ChannelSaved(channel))
        self.assertEqual(self.send(), "not allowed to speak")
        self.assertIsNone(self.send(channel="testing"))
        self.assertIsNone(self.send(session=self.beta))
        self.change(ChannelSaved(Channel("gossip", speakers=frozenset())))
        self.assertEqual(self.send(), "not allowed to speak")
        self.assertTrue(self.world.network.channels.announce("gossip", "Hi", at(NOW)))

    def test_filters(self) -> None:
        """What is masked is said and kept so; what is refused is not said; names are judged like messages."""
        for text, action in (("darn", "mask"), ("bad", "refuse")):
            self.change(FilterSaved(Filter(text=text, action=action, reason="no", set_by="ana", set_at=NOW)))
        self.assertEqual(self.send(message="so bad"), "message refused: no")
        self.assertEqual(self.send("Bad"), "message refused: no")
        self.world.say(self.alpha, frame("channels/send", {"channel": "gossip", "name": "Darn", "message": "Darn it"}))
        said = self.world.pending.pop().change
        assert isinstance(said, MessageSaid)
        self.assertEqual((said.name, said.message), ("****", "**** it"))
        self.assertIsNone(self.tell())
