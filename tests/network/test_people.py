"""L{gossip.network.people}: people on the pages talk under the same rules as games."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gossip.network import people
from gossip.network.audiences import Subscribers
from gossip.network.outputs import Broadcast, Commit, Outputs
from gossip.protocol.errors import Denied, Overrun
from gossip.protocol.server_events import ChannelsBroadcast, ChannelsBroadcastNumbered
from gossip.registry.addresses import read
from gossip.registry.changes import (
    AccountRemoved,
    AccountSaved,
    ChannelSaved,
    FilterSaved,
    MessageSaid,
    RestrictionLifted,
    RestrictionSet,
)
from gossip.registry.entities import Account, Channel, Filter, Restriction
from gossip.registry.names import NETWORK_GAME
from gossip.registry.restrictions import player_of
from tests.support.world import CONTROLS, NOW, World, at, frame, ref, uuid

PEER = "192.0.2.9"


class PeopleTestCase(SynchronousTestCase):
    """Alpha and Beta, who hear what Ana says on a page."""

    def setUp(self) -> None:
        self.world = World()
        self.alpha = self.world.join("Alpha", channels=["gossip", "testing"])
        self.beta = self.world.join("Beta", channels=["gossip"])

    def say(
        self, message: str = "Hi", name: str = "Ana", channel: str = "gossip", peer: str = PEER, now: float = NOW
    ) -> Outputs:
        """Somebody says something."""
        return self.world.network.people.say(name, read(peer), channel, message, at(now))

    def denied(self, message: str = "Hi", **more: Any) -> str:
        """The error of a message that is refused."""
        with self.assertRaises(Denied) as caught:
            self.say(message, **more)
        return str(caught.exception)

    def restrict(self, kind: str, subject: str, **more: Any) -> None:
        restriction = Restriction(
            kind=kind, subject=subject, **{"reason": "so", "set_by": "ana", "set_at": NOW, **more}
        )
        self.world.registry.enact(RestrictionSet(restriction))

    def channel(self, **attributes: Any) -> None:
        """The channel is another one now."""
        self.world.registry.enact(ChannelSaved(Channel("gossip", **attributes)))


class SayTests(PeopleTestCase):
    """What a person says, and which games hear it."""

    def test_say(self) -> None:
        """All games on the channel hear it, as said by a player of the network's own game; it is kept as that."""
        before = self.world.made
        outputs = self.say("Hello!")
        told = ChannelsBroadcast(ref(before + 1), "gossip", "gossip", "Ana", "Hello!")
        said = MessageSaid("gossip", 1, NETWORK_GAME, "gossip", "Ana", "Hello!", NOW)
        self.assertEqual(outputs, [Broadcast(Subscribers("gossip", NETWORK_GAME), told), Commit(said, learned=True)])
        self.assertEqual(self.world.network.hearing(Subscribers("gossip", NETWORK_GAME)), (self.alpha, self.beta))

    def test_history(self) -> None:
        """Games that support history hear its number."""
        gamma = self.world.join("Gamma", channels=["testing"], supports=["channels", "history"])
        *_, numbered, commit = self.say(channel="testing")
        assert isinstance(numbered, Broadcast) and isinstance(commit, Commit)
        self.assertEqual(self.world.network.hearing(numbered.audience), (gamma,))
        self.assertIsInstance(numbered.event, ChannelsBroadcastNumbered)

    def test_nobody_hears(self) -> None:
        """A message that no game hears is kept too."""
        self.world.registry.enact(ChannelSaved(Channel("quiet")))
        [commit] = self.say(channel="quiet")
        assert isinstance(commit, Commit)
        self.assertIsInstance(commit.change, MessageSaid)

    def test_numbers(self) -> None:
        """People and games share the numbers of a channel."""
        self.say()
        self.world.say(self.alpha, frame("channels/send", {"channel": "gossip", "name": "Bo", "message": "Hi"}))
        self.assertEqual([commit.change.seq for commit in self.world.pending], [2])  # type: ignore[union-attr]

    def test_presence(self) -> None:
        """A person who talks on the pages brings no game online."""
        self.say()
        self.assertEqual([online.game.short_name for online in self.world.network.presence], ["Alpha", "Beta"])


class LimitTests(PeopleTestCase):
    """The limits are those of a game."""

    def test_rate(self) -> None:
        """A person who is too fast must wait, at another address too; others can speak meanwhile."""
        for _ in range(10):
            self.say()
        self.assertRaises(Overrun, self.say)
        self.assertRaises(Overrun, self.say, peer="192.0.2.10")
        self.say(name="Bea")
        self.say(now=NOW + 0.5)
        self.assertRaises(Overrun, self.say, now=NOW + 0.5)

    def test_abuse(self) -> None:
        """A person who keeps exceeding the limit is told that it is abuse."""
        for _ in range(10):
            self.say()
        abuse = []
        for _ in range(10):
            with self.assertRaises(Overrun) as caught:
                self.say()
            abuse.append(caught.exception.abuse)
        self.assertEqual(abuse, [False] * 9 + [True])

    def test_remembered(self) -> None:
        """The rates of a bounded number of people are remembered; the one that spoke longest ago is forgotten first."""
        self.patch(people, "_REMEMBERED", 2)
        for name in ("Ana", "Bea"):
            for _ in range(10):
                self.say(name=name)
        self.assertRaises(Overrun, self.say, name="Ana")
        self.say(name="Cyd")
        self.assertRaises(Overrun, self.say, name="Ana")
        self.say(name="Bea")

    def test_lengths(self) -> None:
        """A message has its length in characters and in bytes, and must not be empty."""
        self.say("x" * 4096)
        self.assertEqual(self.denied("x" * 4097), "message too long")
        self.assertEqual(self.denied("💬" * 4096), "message too long")
        for message in ("", "\x00", "<b>"):
            self.assertEqual(self.denied(message), "empty message")

    def test_nothing_is_spent(self) -> None:
        """A refused message does not count against the limit."""
        for _ in range(30):
            self.denied("")
        for _ in range(10):
            self.say()

    @given(st.text(st.characters(exclude_categories=["Cs"]), max_size=200))
    def test_any_message(self, message: str) -> None:
        """Whatever a person types, games hear it without control characters, and the same text is kept."""
        self.setUp()
        try:
            told, commit = self.say(message)
        except Denied:
            return
        assert isinstance(told, Broadcast) and isinstance(told.event, ChannelsBroadcast)
        assert isinstance(commit, Commit) and isinstance(commit.change, MessageSaid)
        self.assertEqual(told.event.message, commit.change.message)
        self.assertFalse(set(CONTROLS) & set(told.event.message))


class OrderTests(PeopleTestCase):
    """Mutes, bans, pauses and filters hold as they do for games."""

    def test_mute(self) -> None:
        """A mute by name counts from the very next message on, in any case and on that channel; it says why."""
        self.say()
        self.restrict("mute", player_of(NETWORK_GAME, "ANA"), channel="gossip", until=NOW + 60)
        self.assertEqual(self.denied(), "muted until 2023-11-14T22:01:00Z: so")
        self.say(channel="testing")
        self.say(name="Bea")
        self.say(now=NOW + 60)

    def test_removed_account(self) -> None:
        """Whoever is muted does not speak again by removing the account and creating it again."""
        self.restrict("mute", player_of(NETWORK_GAME, "Ana"))
        registry = self.world.registry
        for name in ("Ana", "ANA"):
            registry.enact(AccountSaved(Account(name=name)))
            registry.enact(AccountRemoved(name))
        self.assertEqual((self.denied(), self.denied(name="ANA")), ("muted: so", "muted: so"))

    def test_address(self) -> None:
        """A mute or ban of an address holds for everybody at that address now."""
        for kind, text in (("mute", "muted: so"), ("ban", "banned: so")):
            self.restrict(kind, PEER)
            self.assertEqual(self.denied(), text)
            self.assertEqual(self.denied(peer=f"::ffff:{PEER}"), text)
            self.say(peer="192.0.2.10")
            self.world.registry.enact(RestrictionLifted(kind, PEER, ""))
            self.say()

    def test_ban(self) -> None:
        """A banned person is told so."""
        self.restrict("ban", player_of(NETWORK_GAME, "Ana"))
        self.assertEqual(self.denied(), "banned: so")
        self.say(name="Bea")

    def test_namesake(self) -> None:
        """A player of a game with the same name is somebody else."""
        self.restrict("mute", player_of(self.world.game("Alpha").client_id, "Ana"))
        self.say()

    def test_pause(self) -> None:
        """On a paused channel nobody speaks, until it is over."""
        self.channel(paused_until=NOW + 60)
        self.assertEqual(self.denied(), "channel is paused")
        self.say(now=NOW + 60)

    def test_filters(self) -> None:
        """What filters hit is refused or masked, in the message as in the name."""
        common = {"reason": "language", "set_by": "ana", "set_at": NOW}
        self.world.registry.enact(FilterSaved(Filter(text="darn", **common)))  # type: ignore[arg-type]
        self.world.registry.enact(FilterSaved(Filter(text="heck", action="mask", **common)))  # type: ignore[arg-type]
        self.assertEqual(self.denied("Oh darn!"), "message refused: language")
        self.assertEqual(self.denied(name="Darn"), "message refused: language")
        told, _ = self.say("Oh heck!")
        assert isinstance(told, Broadcast) and isinstance(told.event, ChannelsBroadcast)
        self.assertEqual(told.event.message, "Oh ****!")

    def test_all_muted(self) -> None:
        """All people on the pages can be muted at once, as the network's own game."""
        mute = Restriction(kind="mute", subject="gossip", reason="quiet now", set_by="ana", set_at=NOW)
        self.world.registry.enact(RestrictionSet(mute))
        self.assertEqual(self.denied(), "muted: quiet now")

    def test_speakers(self) -> None:
        """Where only some games may speak, people on the pages may not, unless they are named as the game gossip."""
        for speakers in (frozenset([self.world.game("Alpha").client_id]), frozenset[str](), frozenset([uuid(1)])):
            self.channel(speakers=speakers)
            self.assertEqual(self.denied(), "not allowed to speak")
        self.channel(speakers=frozenset(["gossip"]))
        self.say()
        self.channel(speakers=None)
        self.say()
