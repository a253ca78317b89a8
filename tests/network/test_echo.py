"""The player echo, which answers a game with what it said."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw
from twisted.trial.unittest import SynchronousTestCase

from gossip.network.outputs import Broadcast, Commit, Output, Send
from gossip.network.session import Session
from gossip.network.settings import NetworkLimits, NetworkSettings
from gossip.protocol.server_events import ChannelsBroadcast, ChannelsBroadcastNumbered, Success, TellsReceive
from gossip.protocol.text import shortened, timestamp, too_long
from gossip.registry.changes import AccountSaved, RestrictionSet
from gossip.registry.entities import Account, Restriction
from gossip.registry.errors import Refused
from tests.support.world import NOW, World, at, frame, ref

R = Raw(b'"r"')


def said(message: str = "hello", channel: str = "testing", name: str = "Ana") -> dict[str, Any]:
    return frame("channels/send", {"channel": channel, "name": name, "message": message}, "r")


def tell(message: str = "hello", to_name: str = "echo", to_game: str = "gossip", **more: str) -> dict[str, Any]:
    payload = {"from_name": "Ana", "to_game": to_game, "to_name": to_name, "message": message, **more}
    return frame("tells/send", payload, "r")


class EchoTestCase(SynchronousTestCase):
    """A game that is alone, and another one."""

    settings = NetworkSettings()
    limits = NetworkLimits()

    def setUp(self) -> None:
        self.world = World(self.settings, self.limits)
        self.session = self.world.join("Alpha", channels=["testing", "gossip"], players=["Ana"])
        self.world.made = 0

    def after(self, sent: dict[str, Any], now: float = NOW, session: Session | None = None) -> list[Output]:
        """What leaves when the message is on disk."""
        self.world.say(session or self.session, sent, now)
        return self.world.settle(now)

    def texts(self, sent: dict[str, Any], now: float = NOW, session: Session | None = None) -> list[str]:
        """What echo says then."""
        events = [output.event for output in self.after(sent, now, session) if isinstance(output, Send)]
        return [event.message for event in events if isinstance(event, ChannelsBroadcast) and event.name == "echo"]

    def answers(self, sent: dict[str, Any], now: float = NOW) -> list[str]:
        """What echo tells."""
        events = [output.event for output in self.world.say(self.session, sent, now) if isinstance(output, Send)]
        return [event.message for event in events if isinstance(event, TellsReceive)]


class ChannelTests(EchoTestCase):
    """On the channel testing."""

    def test_answered(self) -> None:
        """A message is answered once it is on disk, after the success of its own request."""
        self.assertEqual([type(output) for output in self.world.say(self.session, said())], [Broadcast, Commit])
        echo = ChannelsBroadcast(ref(2), "testing", "gossip", "echo", "Ana@Alpha said: hello")
        self.assertEqual(
            self.world.settle(), [Send(self.session, Success("channels/send", R)), Send(self.session, echo)]
        )

    def test_nobody_else(self) -> None:
        """Only sessions of the game that spoke hear it, of these the ones that hear the channel."""
        second = self.world.join("Alpha", channels=["testing"])
        self.world.join("Alpha", channels=["gossip"])
        self.world.join("Beta", channels=["testing"])
        heard = [output.session for output in self.after(said()) if isinstance(output, Send)]
        self.assertEqual(heard, [self.session, self.session, second])

    def test_plain(self) -> None:
        """It has no number, for sessions that are told numbers too: nothing is kept of it."""
        flags = ["channels", "history"]
        session = self.world.join("Beta", channels=["testing"], supports=flags)
        (_, answer) = self.after(said(), session=session)
        assert isinstance(answer, Send)
        self.assertIsInstance(answer.event, ChannelsBroadcast)
        self.assertNotIsInstance(answer.event, ChannelsBroadcastNumbered)
        self.assertEqual(self.world.pending, [])

    def test_without_ref(self) -> None:
        """A message without a ref is answered by echo alone."""
        sent = said()
        del sent["ref"]
        self.assertEqual(len(self.after(sent)), 1)

    def test_other_channel(self) -> None:
        """On other channels it says nothing."""
        self.assertEqual(self.after(said(channel="gossip")), [Send(self.session, Success("channels/send", R))])

    def test_not_kept(self) -> None:
        """A message that could not be kept is not answered."""
        self.world.say(self.session, said())
        (failed,) = self.world.settle(kept=False)
        assert isinstance(failed, Send)
        self.assertNotIsInstance(failed.event, ChannelsBroadcast)

    def test_gone(self) -> None:
        """A session that has ended meanwhile is told nothing."""
        self.world.say(self.session, said())
        self.world.network.lost(self.session, at(NOW))
        self.assertEqual(self.world.settle(), [Send(self.session, Success("channels/send", R))])

    def test_emote(self) -> None:
        """An emote is answered as one."""
        self.assertEqual(self.texts(said("/me waves")), ["Ana@Alpha emoted: waves"])

    def test_rate(self) -> None:
        """It answers a game once a second, and is silent in between; other games are answered all the same."""
        other = self.world.join("Beta", channels=["testing"])
        heard = [len(self.texts(said(), NOW + quarter / 4)) for quarter in range(9)]
        self.assertEqual(heard, [1, 0, 0, 0, 1, 0, 0, 0, 1])
        self.assertEqual(len(self.texts(said(), NOW + 2, other)), 1)

    def test_silence_is_no_offence(self) -> None:
        """To be answered no more does not count as an overrun."""
        for number in range(20):
            self.after(said(), NOW + number / 2)
        buckets = self.session.online.buckets if self.session.online else {}
        self.assertEqual(buckets["echo"].strikes(at(NOW)), 0)

    def test_loop(self) -> None:
        """What it says is not answered when a program repeats it, as it came or in a frame of its own."""
        for number, message in enumerate(("hello", "/me waves")):
            (echo,) = self.texts(said(message), NOW + 10 * number)
            for again in (echo, f"[testing] echo@gossip: {echo}", f"/me heard: {echo}"):
                self.assertEqual(self.texts(said(again, name="Bot"), NOW + 10 * number + 5), [], again)

    def test_network_and_people(self) -> None:
        """What people on the pages and the network itself say there is not answered."""
        network, peer = self.world.network, self.session.peer
        for outputs in (
            network.people.say("Cy", peer, "testing", "hello", at(NOW)),
            network.channels.announce("testing", "hello", at(NOW)),
        ):
            (commit,) = [output for output in outputs if isinstance(output, Commit)]
            self.assertEqual(self.world.settled(commit, True), [])


class TellTests(EchoTestCase):
    """By tells."""

    def test_answered(self) -> None:
        """A tell to echo comes back, whatever the case of its name, and succeeds."""
        for name, game in (("echo", "gossip"), ("Echo", "GRAPEVINE")):
            self.world.made = 0
            told = TellsReceive(ref(1), "gossip", "echo", "Ana", timestamp(NOW), "You said: hello")
            self.assertEqual(
                self.world.say(self.session, tell(to_name=name, to_game=game)),
                [Send(self.session, told), Send(self.session, Success("tells/send", R))],
            )

    def test_checks(self) -> None:
        """It comes under the same checks as another tell."""
        for wanted, sent in (
            ("sending player offline", tell(from_name="Bo")),
            ("empty message", tell("<b>")),
            ("message too long", tell("x" * 4097)),
            ("invalid payload", tell(sent_at="yesterday")),
            ("receiving player offline", tell(to_name="echoes")),
        ):
            self.assertEqual(self.world.ask(self.session, sent)[0]["error"], wanted)

    def test_muted(self) -> None:
        """A player that is muted cannot tell it anything either."""
        mute = Restriction(
            kind="mute", subject=self.world.client_id("Alpha"), reason="Spam", set_by="unix:ana", set_at=NOW
        )
        self.world.registry.enact(RestrictionSet(mute))
        self.assertEqual(self.world.ask(self.session, tell())[0]["error"], "muted: Spam")

    def test_loop(self) -> None:
        """Two programs that answer each other stop: it answers no quote of itself, and a game only so often."""
        self.assertEqual(self.answers(tell("You said: hello")), [])
        heard = [len(self.answers(tell("I am away"), NOW + number / 100)) for number in range(20)]
        self.assertEqual(heard, [1] * 5 + [0] * 15)
        self.assertEqual(self.world.ask(self.session, tell("again"))[-1]["status"], "success")

    def test_in_no_list(self) -> None:
        """Nobody is shown it among the players of the network."""
        [answer] = self.world.ask(self.session, frame("players/status", {"game": "gossip"}, "r"))
        self.assertEqual(answer["payload"], {"game": "gossip", "players": ["system"]})

    def test_reserved(self) -> None:
        """Nobody on the pages can have its name, nor one that looks like it."""
        for name in ("echo", "Echo", "ECHO", "Ech0"):
            with self.assertRaises(Refused) as caught:
                self.world.registry.check(AccountSaved(Account(name=name, created_at=NOW)))
            self.assertEqual(caught.exception.code, "reserved")


class OffTests(EchoTestCase):
    """With C{echo = false}."""

    settings = NetworkSettings(echo=False)

    def test_off(self) -> None:
        """It is not there."""
        self.assertEqual(self.after(said()), [Send(self.session, Success("channels/send", R))])
        self.assertEqual(self.world.ask(self.session, tell())[0]["error"], "receiving player offline")


class LengthTests(EchoTestCase):
    """What it says is as long as what a player may say, at most."""

    limits = NetworkLimits(message_characters=30, message_bytes=40)

    def test_cut(self) -> None:
        """A long text is cut at a character, with a mark."""
        self.assertEqual(self.texts(said("x" * 30)), ["Ana@Alpha said: " + "x" * 13 + "…"])
        self.assertEqual(self.answers(tell("\U0001f409" * 10)), ["You said: " + "\U0001f409" * 6 + "…"])

    @given(st.text(), st.integers(0, 40), st.integers(3, 60) | st.just(0))
    def test_shortened(self, text: str, characters: int, size: int) -> None:
        """A shortened text fits, and begins as the text does."""
        short = shortened(text, characters, size)
        self.assertFalse(too_long(short, characters, size))
        self.assertTrue(short == text or (text.startswith(short[:-1]) and short[-1] == "…"))
