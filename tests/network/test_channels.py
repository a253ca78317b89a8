"""Channels (protocol specification, channels/*)."""

from __future__ import annotations

from typing import Any

from msgspec import Raw
from twisted.trial.unittest import SynchronousTestCase

from gossip.network.audiences import Subscribers
from gossip.network.expiry import CHANNELS, DAY, unused_channels
from gossip.network.outputs import Broadcast, Close, Commit, Send
from gossip.network.session import Session, Situation
from gossip.network.settings import NetworkLimits, NetworkSettings
from gossip.protocol.errors import NOT_KEPT, Error
from gossip.protocol.server_events import ChannelsBroadcast, Failure, Success
from gossip.registry.changes import ChannelOpened, ChannelSaved, ChannelsRemoved, ChannelsUnused, MessageSaid
from gossip.registry.entities import Channel
from gossip.registry.errors import Refused
from tests.support.world import NOW, World, at, frame, ref, sent, written

FOR_EVER = NetworkSettings(channel_days=0)
R = Raw(b'"r"')


def subscribe(channel: str, ref: Any = "r") -> dict[str, Any]:
    return frame("channels/subscribe", {"channel": channel}, ref)


def unsubscribe(channel: str, ref: Any = "r") -> dict[str, Any]:
    return frame("channels/unsubscribe", {"channel": channel}, ref)


def say(message: str = "Hello!", name: str = "Ana", channel: str = "gossip", ref: Any = "r") -> dict[str, Any]:
    return frame("channels/send", {"channel": channel, "name": name, "message": message}, ref)


class SubscribeTests(SynchronousTestCase):
    """channels/subscribe and channels/unsubscribe."""

    def test_create(self) -> None:
        """Subscribing to a new valid name creates the channel, hidden; later subscriptions use it."""
        world = World()
        session, other = world.join("Alpha"), world.join("Beta")
        done = Send(session, Success("channels/subscribe", R))
        created = Commit(ChannelOpened("New-one"), learned=True)
        self.assertEqual(world.say(session, subscribe("New-one")), [created, done])
        self.assertTrue(world.registry.channels["New-one"].hidden)
        self.assertEqual(world.say(session, subscribe("New-one")), [done])
        self.assertEqual(world.say(other, subscribe("New-one")), [Send(other, Success("channels/subscribe", R))])
        self.assertEqual(world.network.channels.subscribed(), {"New-one": 2})

    def test_names(self) -> None:
        """What a valid name is; a channel that exists may be subscribed to whatever its name."""
        may_join = World(NetworkSettings(blocked_channels=("all", "Staff"))).network.channels.may_join
        self.assertFalse(may_join("aIl"))
        for name in ("abc", "a" * 15, "A-b_C", "---"):
            self.assertTrue(may_join(name), name)
        for name in ("", "ab", "a" * 16, "a b", "abc1", "äbc", "abc\n", "all", "Staff", "<b>"):
            self.assertFalse(may_join(name), name)
        world = World()
        session = world.join("Alpha")
        for name in ("all", "x", "a b 1"):
            world.registry.enact(ChannelSaved(Channel(name)))
            self.assertEqual(world.ask(session, subscribe(name))[0]["status"], "success")

    def test_refused(self) -> None:
        """A bad name is answered with itself as it came, up to 300 characters."""
        world = World()
        session = world.join("Alpha")
        error = Error.of("bad-channel", channel="no")
        self.assertEqual(world.say(session, subscribe("no")), [Send(session, Failure("channels/subscribe", R, error))])
        self.assertEqual(world.say(session, subscribe("no", None)), [])
        for asked, shown in ((" é" * 150, " é" * 150), ("é" * 301, "é" * 300), ("x" * 60000, "x" * 300)):
            [answer] = world.ask(session, subscribe(asked))
            self.assertEqual(answer["error"], f'Could not subscribe to "{shown}"')

    def test_not_joined(self) -> None:
        """In an authenticate, a bad name is answered the same way."""
        world = World()
        asked, shown = (" é" * 150, "é" * 301, "x" * 9000), (" é" * 150, "é" * 300, "x" * 300)
        answers = world.ask(world.open(), frame("authenticate", world.credentials("Alpha", channels=list(asked))))
        self.assertEqual(
            [answer["error"] for answer in answers if answer["event"] == "channels/subscribe"],
            [f"Could not subscribe to '{name}'" for name in shown],
        )

    def test_too_many(self) -> None:
        """The 101st channel is refused; a bad name is refused as bad first, and a repeated one does not count."""
        names = [f"ch-{chr(97 + n // 26)}{chr(97 + n % 26)}" for n in range(101)]
        world = World(limits=NetworkLimits(new_channels=0))
        session = world.join("Alpha", channels=names[:99])
        self.assertEqual(world.ask(session, subscribe(names[99]))[0]["status"], "success")
        self.assertEqual(world.ask(session, subscribe(names[100]))[0]["error"], "too many channels")
        self.assertNotIn(names[100], world.registry.channels)
        self.assertEqual(world.ask(session, subscribe("no"))[0]["error"], 'Could not subscribe to "no"')
        self.assertEqual(world.ask(session, subscribe(names[5]))[0]["status"], "success")
        world.ask(session, unsubscribe(names[5]))
        self.assertEqual(world.ask(session, subscribe(names[100]))[0]["status"], "success")

    def test_no_limit(self) -> None:
        """0 means no limit."""
        world = World(limits=NetworkLimits(channels=0))
        session = world.join("Alpha", channels=["one"])
        self.assertEqual(world.ask(session, subscribe("two"))[0]["status"], "success")

    def test_unsubscribe(self) -> None:
        """Unsubscribing from any name succeeds, and affects only the session itself."""
        world = World()
        first, second = world.join("Alpha", channels=["gossip"]), world.join("Alpha", channels=["gossip"])
        speaking = world.join("Beta", channels=["gossip"])
        for name in ("gossip", "gossip", "other", "no", ""):
            self.assertEqual(world.say(first, unsubscribe(name)), [Send(first, Success("channels/unsubscribe", R))])
        self.assertEqual(world.say(first, unsubscribe("gossip", None), NOW + 5), [])
        outputs = world.say(speaking, say())
        self.assertEqual((sent(outputs, first), len(sent(outputs, second))), ([], 1))
        world.say(second, unsubscribe("gossip"))
        world.say(speaking, unsubscribe("gossip"))
        self.assertEqual(world.network.channels.subscribed(), {})

    def test_rates(self) -> None:
        """Five at once and one a second, each for itself; what is refused for another reason is not counted."""
        for event in (subscribe, unsubscribe):
            world = World()
            session = world.join("Alpha")
            for _ in range(8):
                world.say(session, subscribe("no"))
            done = [world.ask(session, event("gossip"))[0].get("error") for _ in range(7)]
            self.assertEqual(done, [None] * 5 + ["rate limit exceeded"] * 2)
            self.assertEqual(world.ask(session, event("gossip"), NOW + 1)[0]["status"], "success")
            other = unsubscribe if event is subscribe else subscribe
            self.assertEqual(world.ask(session, other("gossip"), NOW + 1)[0]["status"], "success")
            self.assertEqual(world.say(session, event("gossip", None), NOW + 1), [])


class SendTests(SynchronousTestCase):
    """channels/send and channels/broadcast."""

    def setUp(self) -> None:
        self.world = World()
        self.session = self.world.join("Alpha", channels=["gossip"])
        self.twin = self.world.join("Alpha", channels=["gossip"])
        self.other = self.world.join("Beta", channels=["gossip"])
        self.third = self.world.join("Gamma", channels=["gossip"], supports=["channels"])
        self.deaf = self.world.join("Delta", channels=["testing"])
        self.world.made = 0

    def error(self, sent: dict[str, Any], session: Session | None = None, now: float = NOW) -> Any:
        return self.world.ask(session or self.session, sent, now)[0].get("error")

    def test_said(self) -> None:
        """All subscribed sessions hear a message, except those of the sending game; the answer waits for the disk."""
        broadcast = ChannelsBroadcast(ref(1), "gossip", "Alpha", "Ana", "Hello!")
        said = MessageSaid("gossip", 1, self.world.game("Alpha").client_id, "Alpha", "Ana", "Hello!", NOW)
        done = Send(self.session, Success("channels/send", R))
        failed = Send(self.session, Failure("channels/send", R, NOT_KEPT))
        self.assertEqual(
            self.world.say(self.session, say()),
            [
                Broadcast(Subscribers("gossip", said.client_id), broadcast),
                Commit(said, (done,), (failed,), learned=True),
            ],
        )
        hearing = self.world.network.hearing(Subscribers("gossip", said.client_id))
        self.assertEqual(hearing, (self.other, self.third))
        self.assertEqual(self.world.settle(), [done])
        self.world.say(self.session, say())
        self.assertEqual(self.world.settle(kept=False), [failed])

    def test_without_ref(self) -> None:
        """Without a ref a message is heard, and never answered."""
        outputs = self.world.say(self.session, say(ref=None))
        self.assertEqual([type(output) for output in outputs], [Broadcast, Commit])
        self.assertEqual(self.world.settle(), [])
        self.world.say(self.session, say(ref=None))
        self.assertEqual(self.world.settle(kept=False), [])

    def test_game_is_the_senders(self) -> None:
        """A message carries the sender's own game, whatever its payload claims."""
        payload = {"channel": "gossip", "name": "Ana", "message": "Hi", "game": "Beta", "short_name": "Beta"}
        [heard] = written(self.world.say(self.session, frame("channels/send", payload)), self.other)
        wanted = {"channel": "gossip", "game": "Alpha", "name": "Ana", "message": "Hi"}
        self.assertEqual(heard["payload"], wanted)

    def test_nobody_hears(self) -> None:
        """A message that nobody hears is kept too."""
        outputs = self.world.say(self.deaf, say(channel="testing"))
        [broadcast, commit] = outputs
        assert isinstance(broadcast, Broadcast) and isinstance(commit, Commit)
        self.assertEqual(self.world.network.hearing(broadcast.audience), ())
        self.assertEqual(written(self.world.settle(), self.deaf)[0]["status"], "success")

    def test_sequence(self) -> None:
        """Each channel numbers its messages separately; a refused message takes no number."""
        numbers = []
        for session, channel in ((self.session, "gossip"), (self.deaf, "testing"), (self.other, "gossip")):
            self.world.say(session, say("", channel=channel))
            commit = self.world.say(session, say(channel=channel))[-1]
            assert isinstance(commit, Commit) and isinstance(commit.change, MessageSaid)
            numbers.append(commit.change.seq)
        self.assertEqual(numbers, [1, 1, 2])

    def test_cleaned(self) -> None:
        """Name and message are cleaned, and nothing else changes."""
        [heard] = sent(self.world.say(self.session, say(" <b>Hi</b>\x1b 1 < 2 ", "<i>Ana</i>")), self.other)
        self.assertEqual((heard.name, heard.message), ("Ana", " Hi 1 < 2 "))

    def test_errors(self) -> None:
        """The errors in their order."""
        paused = Channel("gossip", paused_until=NOW + 10)
        self.assertEqual(self.error(say("", "", "testing")), "not subscribed")
        self.assertEqual(self.error(say("", "", "never-heard")), "not subscribed")
        self.world.registry.enact(ChannelSaved(paused))
        self.assertEqual(self.error(say("", "")), "channel is paused")
        self.assertEqual(self.error(say(), now=NOW + 9.9), "channel is paused")
        self.assertIsNone(self.error(say(), now=NOW + 10))
        self.world.registry.enact(ChannelSaved(Channel("gossip")))
        self.assertEqual(self.error(say("", ""), now=NOW + 10), "Name cannot be empty")
        self.assertEqual(self.error(say("", "<b>\x00"), now=NOW + 10), "Name cannot be empty")
        self.assertEqual(self.error(say("", "x" * 65), now=NOW + 10), "name too long")
        self.assertEqual(self.error(say("", "é" * 33), now=NOW + 10), "name too long")
        self.assertEqual(self.error(say("", "é" * 32), now=NOW + 10), "empty message")
        self.assertEqual(self.error(say("<b></b>"), now=NOW + 10), "empty message")
        self.assertEqual(self.error(say("x" * 4097), now=NOW + 10), "message too long")
        self.assertEqual(self.error(say("😀" * 3073), now=NOW + 10), "message too long")
        for message in ("x" * 4096, "😀" * 3072, "é" * 4096, "<b>" + "x" * 4096):
            self.assertIsNone(self.error(say(message), now=NOW + 10))

    def test_invisible(self) -> None:
        """Names and messages of which nothing is seen are empty; what is seen is heard as it was written."""
        for nothing in (" ", "\t\n", "\u3164", "\u200b", "\u00ad", "\u2800", "\u0301", "\u200e\u202e", "\ufe0f"):
            self.assertEqual(self.error(say("Hi", nothing)), "Name cannot be empty", ascii(nothing))
            self.assertEqual(self.error(say(f"<b>{nothing}</b>\u200b")), "empty message", ascii(nothing))
        for message in ("\u200bHi\u00ad ", "می\u200cخواهم", "\U0001f469\u200d\U0001f4bb", " \u2800.", "क्\u200dष"):
            [heard] = sent(self.world.say(self.session, say(message)), self.other)
            self.assertEqual(heard.message, message)

    def test_names(self) -> None:
        """A name is one line of words in their order, whose letters have few marks."""
        for name, wanted in (
            ("Ana\n[gossip] Bo@BBB", "Ana [gossip] Bo@BBB"),
            (" Ana \t\u00a0\u3000 Bo\r\n", "Ana Bo"),
            ("\u200fAna\u200b\u061c", "Ana"),
            ("A" + "\u0301" * 20 + "na", "A" + "\u0301" * 4 + "na"),
            ("Ana@Some Game", "Ana@Some Game"),
            ("\U0001f3f4\U000e0067\U000e0062\U000e007f Ana", "\U0001f3f4\U000e0067\U000e0062\U000e007f Ana"),
        ):
            [heard] = sent(self.world.say(self.session, say("Hi", name)), self.other)
            self.assertEqual(heard.name, wanted)

    def test_names_of_the_network(self) -> None:
        """No player is named like the network itself or like people on its pages; a player may be called system."""
        own = ("system@gossip", "Bo@Gоssip", "Bo@G0SSIP", "Bo @ grapevine", "Bo＠gossip", "@gossip", "Bo@gos\u200dsip")
        for name in own:
            self.assertEqual(self.error(say("Hi", name)), "this name belongs to the network", ascii(name))
        for name in ("system", "gossip", "Bo@gossips", "gossip@Beta"):
            self.assertIsNone(self.error(say("Hi", name)), name)

    def test_limits_of_0(self) -> None:
        """0 means no limit."""
        world = World(limits=NetworkLimits(message_characters=0, message_bytes=0, name_bytes=0))
        session = world.join("Alpha", channels=["gossip"])
        self.assertEqual(world.ask(session, say("x" * 50000, "y" * 1000))[0]["status"], "success")

    def test_rate(self) -> None:
        """Ten at once and two a second; what is refused for another reason is not counted."""
        for _ in range(20):
            self.error(say(""))
        self.assertEqual([self.error(say()) for _ in range(12)], [None] * 10 + ["rate limit exceeded"] * 2)
        self.assertEqual(self.world.say(self.session, say(ref=None)), [])
        self.assertEqual(self.error(say(), now=NOW + 0.5), None)
        self.assertEqual(self.error(say(), now=NOW + 0.5), "rate limit exceeded")
        self.assertIsNone(self.error(say(), self.twin))

    def test_abuse(self) -> None:
        """The tenth strike ends the session; answers still waited for come first, by their places."""
        for _ in range(10 + 9):
            self.world.say(self.session, say())
        waiting = list(self.world.pending)
        abuse = Failure("authenticate", None, Error.of("rate-limit-abuse"))
        self.assertEqual(
            self.world.say(self.session, say()), [Send(self.session, abuse), Close(self.session, 4000, abuse.error)]
        )
        self.assertIs(self.session.situation, Situation.GONE)
        self.assertEqual((len(waiting), self.world.pending), (10, waiting))
        self.assertEqual(sent(self.world.say(self.other, say()), self.session), [])

    def test_audience_is_the_same(self) -> None:
        """The tuple stays the same for a sending game until somebody joins or leaves."""

        def heard() -> tuple[Session, ...]:
            broadcast = self.world.say(self.session, say())[0]
            assert isinstance(broadcast, Broadcast)
            return self.world.network.hearing(broadcast.audience)

        first = heard()
        self.assertIs(heard(), first)
        self.world.say(self.deaf, subscribe("gossip"))
        second = heard()
        self.assertEqual(second, (self.other, self.third, self.deaf))
        self.world.network.lost(self.other, at(NOW))
        self.assertEqual(heard(), (self.third, self.deaf))
        self.world.say(self.deaf, unsubscribe("gossip"))
        self.assertEqual(heard(), (self.third,))
        self.assertEqual(first, (self.other, self.third))

    def test_announce(self) -> None:
        """Every subscriber hears the network itself, as its player system."""
        outputs = self.world.network.channels.announce("gossip", "<b>Hear</b>!", at(NOW))
        everybody = (self.session, self.twin, self.other, self.third)
        broadcast = ChannelsBroadcast(ref(1), "gossip", "gossip", "system", "Hear!")
        said = MessageSaid("gossip", 1, None, "gossip", "system", "Hear!", NOW)
        self.assertEqual(outputs, [Broadcast(Subscribers("gossip"), broadcast), Commit(said, learned=True)])
        self.assertEqual(self.world.network.hearing(Subscribers("gossip")), everybody)

    def test_announce_refused(self) -> None:
        """The network itself cannot say an invalid message either."""
        announce = self.world.network.channels.announce
        self.assertRaises(Refused, announce, "nowhere", "Hi", NOW)
        self.assertRaises(Refused, announce, "gossip", "", NOW)
        self.assertRaises(Refused, announce, "gossip", "x" * 4097, NOW)


class BoundTests(SynchronousTestCase):
    """Nobody makes channels without end, and those that nobody uses go away."""

    def setUp(self) -> None:
        self.world = World(limits=NetworkLimits(new_channels=3, all_channels=6))

    def create(self, name: str, *channels: str, now: float = NOW) -> list[str]:
        """A game joins with channels that may be new: the ones that it got."""
        session = self.world.join(name, now, channels=list(channels))
        return list(session.channels)

    def test_a_day(self) -> None:
        """A game creates some channels a day, however often it joins; others are not bound by it."""
        self.assertEqual(self.create("Alpha", "one", "two"), ["one", "two"])
        self.assertEqual(self.create("Alpha", "one", "three", "four", "five"), ["one", "three"])
        session = self.world.join("Alpha")
        [answer] = self.world.ask(session, subscribe("four"))
        self.assertEqual(answer["error"], "too many channels")
        self.assertEqual(self.world.ask(session, subscribe("two"))[0]["status"], "success")
        self.assertEqual(self.create("Beta", "four"), ["four"])
        self.assertEqual(self.create("Alpha", "five", "six", now=NOW + DAY / 3), ["five"])

    def test_in_all(self) -> None:
        """Beyond what the network bears nobody creates any; those that exist can be joined."""
        self.create("Alpha", "one", "two", "three")
        self.create("Beta", "four", "five", "six")
        self.assertEqual(self.create("Gamma", "seven", "six"), ["six"])

    def test_forgiven(self) -> None:
        """Of games that have created nothing for a day nothing is remembered."""
        channels = self.world.network.channels
        self.create("Alpha", "one", "two")
        channels.forgive(at(NOW + 60))
        self.assertEqual(list(channels._created), [self.world.client_id("Alpha")])
        channels.forgive(at(NOW + DAY))
        self.assertEqual(channels._created, {})

    def test_unused(self) -> None:
        """A channel goes when it was unused for long, unless an admin touched it or somebody came back to it."""
        world = self.world
        settings = NetworkSettings(channel_days=10)
        world.registry.enact(ChannelSaved(Channel("kept", kept=True)))
        self.create("Alpha", "one", "two")

        def pass_by(days: float, *used: str) -> list[Any]:
            outputs = unused_channels(world.registry, settings, used, at(NOW + days * DAY))
            return [output.change for output in outputs if isinstance(output, Commit)]

        self.assertEqual(pass_by(0, "one", "two"), [])
        self.assertEqual(pass_by(1), [ChannelsUnused(("one", "two"), NOW + DAY)])
        self.assertEqual(pass_by(2, "two"), [ChannelsUnused(("two",), None)])
        self.assertEqual(pass_by(3), [ChannelsUnused(("two",), NOW + 3 * DAY)])
        self.assertEqual(pass_by(10.9), [])
        self.assertEqual(pass_by(11), [ChannelsRemoved(("one",), unused=True)])
        self.assertEqual(list(world.registry.channels), ["kept", "two"])
        self.assertEqual(unused_channels(world.registry, FOR_EVER, (), at(NOW + 1e9)), [])

    def test_unused_at_once(self) -> None:
        """However many they are, only a part of them goes at a time."""
        for number in range(CHANNELS + 10):
            self.world.registry.enact(ChannelSaved(Channel(f"c{number}", unused_since=NOW - 100 * DAY)))
        unused_channels(self.world.registry, NetworkSettings(), (), at(NOW))
        self.assertEqual(len(self.world.registry.channels), 10)

    def test_removed(self) -> None:
        """Games hear nothing more of a channel that was removed, and one that subscribes again creates it anew."""
        world = self.world
        world.registry.enact(ChannelSaved(Channel("gossip", hidden=False)))
        plain = world.join("Alpha", channels=["gossip"])
        numbered = world.join("Beta", channels=["gossip"], supports=["channels", "history"])
        world.network.lost(world.join("Gamma", channels=["gossip"]), at(NOW))
        world.network.learned(ChannelsRemoved(("gossip",)), at(NOW))
        self.assertEqual((plain.channels, numbered.channels), ({}, {}))
        self.assertEqual(world.network.channels.subscribed(), {})
        said = frame("channels/send", {"channel": "gossip", "name": "Ana", "message": "hi"}, "r")
        self.assertEqual(world.ask(plain, said)[0]["error"], "not subscribed")
        self.assertEqual(len(world.ask(plain, frame("games/status", None, "r"))), 2)
        world.ask(plain, subscribe("gossip"))
        self.assertEqual(world.registry.channels["gossip"], Channel("gossip"))
