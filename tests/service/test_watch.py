"""L{gossip.service.watch}: what owners see of their sessions, and what nobody sees."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gossip.network.history import numbered
from gossip.network.outputs import Broadcast, Close, Commit, Output, Send
from gossip.network.session import Session
from gossip.protocol import frames
from gossip.protocol.errors import Error
from gossip.protocol.events import ClientEvent, PlayersListed
from gossip.protocol.server_events import ChannelsHistoryAnswer
from gossip.registry.addresses import read
from gossip.registry.changes import GameSaved, MessageSaid, MessagesRemoved
from gossip.registry.entities import Game, Removal
from gossip.service.watch import CHARACTERS, FRAMES, GAMES, REFUSALS, SECONDS, Watch, Watched
from tests.support.world import NOW, World, at, frame, uuid

OWNER = "198.51.100.7"
"""Where the owner looks from; the games come from elsewhere."""


class WatchTestCase(SynchronousTestCase):
    """A network that is watched, as the service has it watched."""

    def setUp(self) -> None:
        self.world = World()
        self.watch = Watch(self.world.network)

    def look(self, now: float = NOW, name: str = "Alpha", peer: str = OWNER) -> Watched:
        """Somebody looks at a game."""
        return self.watch.look(self.world.game(name).client_id, read(peer), at(now))

    def say(self, session: Session, sent: dict[str, Any] | bytes, now: float = NOW) -> None:
        """A session sends a frame; all is kept."""
        self.receive(session, frames.decode(sent if isinstance(sent, bytes) else msgspec.json.encode(sent)), now)

    def receive(self, session: Session, event: ClientEvent, now: float = NOW) -> None:
        """A session sends an event."""
        outputs = self.world.network.receive(session, event, at(now))
        self.watch.received(session, event, outputs, at(now))
        self.carry_out(outputs, now)

    def carry_out(self, outputs: Iterable[Output], now: float) -> None:
        """What the network wants done, as far as the watch is told of it."""
        for output in outputs:
            if isinstance(output, Broadcast):
                self.watch.broadcast(self.world.network.hearing(output.audience), output.event, at(now))
            elif isinstance(output, Send | Close):
                self.watch.delivered(output, at(now))
            elif isinstance(output, Commit):
                self.carry_out(self.world.settled(output, True, now), now)

    def join(self, name: str = "Alpha", now: float = NOW, **more: Any) -> Session:
        """A game joins."""
        session = self.world.open(now)
        self.say(session, frame("authenticate", self.world.credentials(name, **more)), now)
        return session

    def frames(self, watched: Watched, way: str = "") -> list[Any]:
        """The frames that were seen, read; C{way} for those of one way only."""
        return [json.loads(each.text) for each in watched.frames if way in ("", each.way)]

    def everything(self) -> str:
        """All that the watch keeps."""
        kept = self.watch.watched.values()
        return repr([(list(each.frames), list(each.refusals), each.seen) for each in kept])


class FramesTests(WatchTestCase):
    """The last frames."""

    def test_unwatched(self) -> None:
        """Nothing is kept of a game that nobody looks at."""
        self.look(name="Beta")
        session = self.join(channels=["gossip"])
        self.say(session, frame("channels/send", {"channel": "gossip", "name": "Ana", "message": "Hi"}, "1"))
        self.watch.lost(session, at(NOW))
        self.assertNotIn("Ana", self.everything())
        self.assertEqual(self.watch._sessions, {})

    def test_conversation(self) -> None:
        """Both ways are kept in their order, with time, session and address; the secret is not."""
        watched = self.look()
        session = self.join(channels=["gossip"], supports=["channels"], now=NOW + 1)
        said = frame("channels/send", {"channel": "gossip", "name": "Ana", "message": "I <3 you"}, "1")
        self.say(session, said, NOW + 2)
        client_id = self.world.game("Alpha").client_id
        shown = {"client_id": client_id, "client_secret": "***", "supports": ["channels"], "channels": ["gossip"]}
        self.assertEqual(
            [(each.at - NOW, each.number, str(each.peer), each.way, json.loads(each.text)) for each in watched.frames],
            [
                (1, 1, "192.0.2.1", "in", {"event": "authenticate", "payload": shown}),
                (1, 1, "192.0.2.1", "out", self.world_welcome()),
                (1, 1, "192.0.2.1", "out", {"event": "heartbeat"}),
                (2, 1, "192.0.2.1", "in", said),
                (2, 1, "192.0.2.1", "out", {"event": "channels/send", "ref": "1", "status": "success"}),
            ],
        )

    def world_welcome(self) -> dict[str, Any]:
        """The answer to an authentication."""
        payload = {"unicode": "✔️", "version": "2.3.0"}
        return {"event": "authenticate", "status": "success", "payload": payload}

    def test_removed(self) -> None:
        """A frame that quotes a removed message no longer does, in whichever way it was told; others stay."""
        watched, other = self.look(), self.look(name="Beta")
        session, beta = self.join(channels=["gossip"]), self.join("Beta", channels=["gossip"])
        for seconds, text in enumerate(("Something that is long enough", "Hi", "Hi there"), 1):
            payload = {"channel": "gossip", "name": "Ana", "message": f"<b>{text}</b>"}
            self.say(session, frame("channels/send", payload, str(seconds)), NOW + 10 * seconds)
        told = ChannelsHistoryAnswer(
            None, "gossip", tuple(numbered(self.said(seq), False) for seq in range(1, 60)), False
        )
        self.carry_out([Send(beta, told)], NOW + 60)
        before = self.everything()
        self.assertEqual([before.count(text) for text in ("long enough", "Hi there")], [2, 2])
        removed = [self.said(1, "Something that is long enough", NOW + 10), self.said(2, "Hi", NOW + 20)]
        self.watch.removed(MessagesRemoved(tuple(removed), Removal(NOW + 70, "root", "spam")))
        after = self.everything()
        self.assertEqual([after.count(text) for text in ("long enough", "Hi there")], [0, 2])
        self.assertNotIn('"Hi"', after)
        self.assertNotIn("<b>Hi</b>", after)
        kept = [[each.note for each in one.frames] for one in (watched, other)]
        gone = "a message in it was removed"
        self.assertEqual([notes.count(gone) for notes in kept], [2, 3])
        self.assertEqual([len(notes) for notes in kept], [10, 7])

    def said(self, seq: int, text: str = "Hello", at: float = NOW) -> MessageSaid:
        """A message of Ana."""
        return MessageSaid("gossip", seq, self.world.client_id("Alpha"), "Alpha", "Ana", text, at)

    def test_readable(self) -> None:
        """Frames have blanks where people look for them."""
        watched = self.look()
        self.say(self.join(), b'{"event":"heartbeat","payload":{"players":["Ana","Bo"]}}')
        self.assertEqual(watched.frames[-1].text, '{"event": "heartbeat", "payload": {"players": ["Ana", "Bo"]}}')

    def test_broadcast(self) -> None:
        """What is said to many is kept for each session of a watched game that hears it, and for no other."""
        watched = self.look()
        self.join(channels=["gossip"])
        self.join(channels=["gossip"])
        self.join()
        watched.frames.clear()
        other = self.join("Beta", channels=["gossip"])
        self.assertEqual([each["event"] for each in self.frames(watched)], ["games/connect"] * 3)
        watched.frames.clear()
        self.say(other, frame("channels/send", {"channel": "gossip", "name": "Bo", "message": "Hi"}))
        self.assertEqual([each.number for each in watched.frames], [1, 2])
        self.assertEqual([each["payload"]["message"] for each in self.frames(watched, "out")], ["Hi", "Hi"])

    def test_many_frames(self) -> None:
        """An answer in several frames is kept as several."""
        watched = self.look()
        session = self.join()
        for name in ("Beta", "Gamma"):
            self.join(name)
        watched.frames.clear()
        self.say(session, frame("players/status", ref="1"))
        self.assertEqual([each["payload"]["game"] for each in self.frames(watched, "out")], ["Beta", "Gamma"])

    def test_wrong_frames(self) -> None:
        """Of what cannot be read there is what can be shown, and what is wrong with it."""
        watched = self.look()
        session = self.join()
        for sent, shown, note in (
            (b"\xff", "", "no JSON object"),
            (b'{"event":"dance","ref":7}', '{"event": "dance", "ref": 7}', "no event that a game may send"),
            (b'{"event":"channels/send","ref":1,"payload":3}', '{"event": "channels/send", "ref": 1}', "must be"),
        ):
            watched.frames.clear()
            self.say(session, sent)
            self.assertEqual(watched.frames[0].text, shown)
            self.assertIn(note, watched.frames[0].note)

    def test_attributes(self) -> None:
        """The attributes of an achievement are shown as they came."""
        watched = self.look()
        sent = frame("achievements/create", {"title": "First", "points": "no number"}, "1")
        self.say(self.join(), sent)
        self.assertEqual(self.frames(watched, "in")[-1], sent)

    def test_ends(self) -> None:
        """How a session ended is kept; after that there is nothing more of it."""
        watched = self.look()
        session = self.join()
        self.carry_out([Close(session, 4001, Error.of("heartbeat-failed"))], NOW + 60)
        self.assertEqual(
            (watched.frames[-1].way, watched.frames[-1].text), ("end", "closed with 4001: heartbeat failure")
        )
        count = len(watched.frames)
        self.watch.lost(session, at(NOW + 61))
        self.carry_out([Close(session, 4001, Error.of("rate-limited"))], NOW + 62)
        self.assertEqual((len(watched.frames), watched.numbers), (count, {}))
        again = self.join()
        self.watch.lost(again, at(NOW + 70))
        self.assertEqual((watched.frames[-1].number, watched.frames[-1].text), (2, "the connection ended"))

    def test_bounded(self) -> None:
        """Frames, refusals and the length of each are bounded."""
        watched = self.look()
        session = self.join(channels=["gossip"])
        for number in range(FRAMES + 30):
            self.say(session, frame("channels/subscribe", {"channel": "x" * 9000}, str(number)), NOW + number)
        self.assertEqual(len(watched.frames), FRAMES)
        self.assertLessEqual(max(len(each.text) for each in watched.frames), CHARACTERS + 1)
        for _ in range(REFUSALS + 5):
            self.say(self.world.open(), frame("authenticate", {**self.world.credentials("Alpha"), "supports": []}))
        self.assertEqual(len(watched.refusals), REFUSALS)

    @given(st.binary() | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(msgspec.json.encode))
    def test_anything(self, junk: bytes) -> None:
        """Whatever a game sends, the watch survives it."""
        self.setUp()
        self.look()
        session = self.join()
        for sent in (
            junk,
            b'{"event":"channels/send","ref":' + junk + b',"payload":{}}',
            b'{"event":"heartbeat","ref":"\\ud800","payload":{"players":[' + junk + b"]}}",
            b'{"event":' + junk + b',"ref":"\\ud800"}',
        ):
            self.say(session, sent)
        self.assertIn("authenticate", self.everything())


class SecretTests(WatchTestCase):
    """What nobody sees."""

    def test_never(self) -> None:
        """The secret is kept nowhere, whether it is good or not, and wherever else in the frame it stands."""
        self.look()
        for secret in (self.world.secret("Alpha"), uuid(77), 'a wrong "one" with \\ and ü'):
            elsewhere: list[dict[str, Any]] = [
                {},
                {"user_agent": f"x {secret} y"},
                {"supports": []},
                {"supports": [secret], "channels": [secret]},
            ]
            for more in elsewhere:
                sent = {**self.world.credentials("Alpha"), **more, "client_secret": secret}
                self.say(self.world.open(), frame("authenticate", sent, secret))
        self.assertIn("***", self.everything())
        for secret in (self.world.secret("Alpha"), uuid(77), "a wrong", "with \\"):
            self.assertNotIn(secret, self.everything())

    def test_short(self) -> None:
        """What is shown as a secret and is none, being too short, does not make the frame unreadable."""
        watched = self.look()
        self.say(self.world.open(), frame("authenticate", {**self.world.credentials("Alpha"), "client_secret": "e"}))
        self.assertIn('"client_secret": "***"', watched.refusals[0].text)
        self.assertIn('"supports"', watched.refusals[0].text)


class StepsTests(WatchTestCase):
    """How far a game comes."""

    def test_one_after_the_other(self) -> None:
        """Each step is seen when it is done, and again when it is done again."""
        watched = self.look()
        self.assertEqual(watched.seen, {})
        session = self.world.open(NOW + 1)
        self.say(session, frame("authenticate", self.world.credentials("Alpha", channels=["gossip"])), NOW + 2)
        self.assertEqual(watched.seen, {"opened": NOW + 1, "authenticated": NOW + 2})
        self.say(session, frame("heartbeat"), NOW + 3)
        self.assertEqual(watched.seen["heartbeat"], NOW + 3)
        self.say(session, frame("channels/send", {"channel": "news", "name": "Ana", "message": "Hi"}), NOW + 4)
        self.assertNotIn("message", watched.seen)
        self.say(session, frame("channels/send", {"channel": "gossip", "name": "Ana", "message": "Hi"}), NOW + 5)
        self.assertEqual(watched.seen["message"], NOW + 5)
        self.say(session, frame("heartbeat"), NOW + 6)
        self.assertEqual(watched.seen["heartbeat"], NOW + 6)

    def test_heard(self) -> None:
        """What is said by another game and what echo answers count as heard, a tell as told."""
        watched = self.look()
        session = self.join(channels=["gossip", "testing"], players=["Ana"])
        other = self.join("Beta", channels=["gossip"], players=["Bo"])
        self.say(session, frame("channels/send", {"channel": "gossip", "name": "Ana", "message": "Hi"}), NOW + 1)
        self.assertTrue({"heard", "told"}.isdisjoint(watched.seen))
        self.say(other, frame("channels/send", {"channel": "gossip", "name": "Bo", "message": "Hi"}), NOW + 2)
        self.assertEqual(watched.seen["heard"], NOW + 2)
        self.say(session, frame("channels/send", {"channel": "testing", "name": "Ana", "message": "Hi"}), NOW + 3)
        self.assertEqual(watched.seen["heard"], NOW + 3)
        tell = {"from_name": "Bo", "to_game": "Alpha", "to_name": "Ana", "message": "Hi"}
        self.say(other, frame("tells/send", tell, "t"), NOW + 4)
        self.assertEqual(watched.seen["told"], NOW + 4)
        back = {"from_name": "Ana", "to_game": "gossip", "to_name": "echo", "message": "Hi"}
        self.say(session, frame("tells/send", back, "t"), NOW + 5)
        self.assertEqual(watched.seen["told"], NOW + 5)

    def test_text_dialect(self) -> None:
        """By telnet the list of players is a sign of life."""
        watched = self.look()
        self.receive(self.join(), PlayersListed(None, ("Ana",)), NOW + 3)
        self.assertEqual(watched.seen["heartbeat"], NOW + 3)

    def test_opaque_ref(self) -> None:
        """A ref that is no JSON, as other transports have, is not shown, and the event is."""
        watched, session = self.look(), self.join()
        watched.frames.clear()
        self.receive(session, PlayersListed(object(), ("Ana",)), NOW + 3)
        self.assertEqual(
            self.frames(watched),
            [{"event": "players", "payload": {"players": ["Ana"]}}, {"event": "players", "status": "success"}],
        )

    def test_before(self) -> None:
        """Sessions that were there before anybody looked count, as far as they tell."""
        session = self.world.join("Alpha")
        self.assertEqual(self.look(NOW + 10).seen, {"opened": NOW, "authenticated": NOW})
        self.world.say(session, frame("heartbeat"), NOW + 11)
        self.assertEqual(self.look(NOW + 12).seen["heartbeat"], NOW + 12)
        self.assertEqual(self.look(NOW + 14).seen["heartbeat"], NOW + 12)
        watched = self.look(NOW + 14)
        self.say(session, frame("heartbeat"), NOW + 15)
        self.assertEqual(watched.frames[-1].number, 1)

    def test_socket(self) -> None:
        """A socket that did not authenticate counts if it is opened from where the owner is, or the game was."""
        self.world.open(NOW, "203.0.113.1")
        self.assertEqual(self.look().seen, {})
        self.world.open(NOW + 1, OWNER)
        self.assertEqual(self.look().seen, {"opened": NOW + 1})
        self.join(now=NOW + 2)
        self.world.open(NOW + 3)
        self.assertEqual(self.look().seen["opened"], NOW + 3)

    def test_refused(self) -> None:
        """A refused login as the game is noted with its reason, and not shown among the game's frames."""
        watched = self.look()
        good = self.world.credentials("Alpha")
        for changed, why, hint in (
            ({"client_secret": uuid(77)}, "invalid credentials", "another one"),
            ({"client_secret": "short"}, "invalid credentials", "5 characters"),
            ({"client_secret": None}, "invalid credentials", "no client_secret"),
            ({"supports": None}, "missing supports", ""),
            ({"supports": ["players"]}, "must support channels", ""),
            ({"supports": ["channels", "magic"]}, "includes unknown supports", ""),
        ):
            self.say(self.world.open(NOW + 4), frame("authenticate", {**good, **changed}), NOW + 5)
            last = watched.refusals[-1]
            self.assertEqual((last.at, str(last.peer), last.error.text), (NOW + 5, "192.0.2.1", why))
            self.assertIn(hint, last.hint)
        self.assertIn('"magic"', watched.refusals[-1].text)
        self.assertEqual((list(watched.frames), watched.seen), ([], {"opened": NOW + 4}))

    def test_whatever_case(self) -> None:
        """The client_id is known in any case, as it is when a game joins."""
        watched = self.look()
        sent = {**self.world.credentials("Alpha"), "client_id": self.world.game("Alpha").client_id.upper()}
        self.say(self.world.open(), frame("authenticate", sent))
        self.say(self.world.open(), frame("authenticate", {**sent, "supports": []}))
        self.assertIn("authenticated", watched.seen)
        self.assertEqual(len(watched.refusals), 1)

    def test_strangers(self) -> None:
        """Nothing is kept of a login as an unknown game, or as a game that nobody looks at."""
        self.look()
        for changed in ({"client_id": uuid(99)}, {"client_id": None}, {"client_id": self.world.game("Beta").client_id}):
            self.say(self.world.open(), frame("authenticate", {**self.world.credentials("Alpha"), **changed}))
        self.assertEqual(self.everything(), repr([([], [], {})]))


class LooksTests(WatchTestCase):
    """How long and how many games are watched."""

    def test_rest(self) -> None:
        """Some minutes after the last look nothing is kept any more."""
        self.look(NOW)
        self.look(NOW + 100, "Beta")
        self.join()
        self.look(NOW + 200)
        self.watch.rest(at(NOW + 100 + SECONDS))
        self.assertEqual(list(self.watch.watched), [self.world.game("Alpha").client_id])
        self.watch.rest(at(NOW + 199 + SECONDS))
        self.assertEqual(len(self.watch.watched), 1)
        self.watch.rest(at(NOW + 200 + SECONDS))
        self.assertEqual((self.watch.watched, self.watch._sessions), ({}, {}))
        self.assertEqual(list(self.look(NOW + 1000).frames), [])

    def test_most(self) -> None:
        """Of one game too many, the one that was looked at longest ago is watched no more."""
        for number in range(GAMES + 1):
            game = Game(client_id=uuid(1000 + number), short_name=f"G{number}", name=f"Game {number}", secrets=())
            self.world.registry.enact(GameSaved(game))
        self.look()
        self.join()
        for number in range(GAMES - 1):
            self.look(NOW + number, f"G{number}")
        self.assertEqual(len(self.watch.watched), GAMES)
        self.look(NOW + 500)
        self.look(NOW + 500, f"G{GAMES}")
        self.assertEqual(len(self.watch.watched), GAMES)
        self.assertIn(self.world.game("Alpha").client_id, self.watch.watched)
        self.assertNotIn(uuid(1000), self.watch.watched)
        self.assertEqual(len(self.watch._sessions), 1)
