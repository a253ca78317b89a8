"""
Old clients: those that have never heard of extensions see the same bytes as before there were any.

What three of them saw then is recorded beside this module. To record a client anew is to break it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec.structs import replace
from twisted.internet.defer import succeed

from gossip.network.session import Session
from gossip.operations.catalogue import OPERATIONS
from gossip.operations.operation import Occasion, carry_out, read
from gossip.protocol import frames
from gossip.registry.changes import ChannelSaved, MessagesRemoved
from gossip.registry.entities import Removal
from tests.support.telnet_games import Mud, TelnetTestCase
from tests.support.world import frame

RECORDED: Final = Path(__file__).with_name("old_clients.txt")
_UUID: Final = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")


class OldClientsTests(TelnetTestCase):
    """A game with all flags, one with history, and a MUD on the telnet port, while others join and admins act."""

    def setUp(self) -> None:
        super().setUp()
        self.record: list[bytes] = []
        self.readers: list[tuple[str, Callable[[], bytes]]] = []

    def history(self, *asked: Any) -> Any:
        return succeed(self.service.store.history(*asked))

    def old_game(self, name: str, **more: Any) -> Session:
        connection, session = self.connect()

        def unread() -> bytes:
            data, connection.written = connection.written, b""
            return data

        self.readers.append((name, unread))
        self.write(session, frame("authenticate", self.world.credentials(name, channels=["gossip", "x"], **more)))
        return session

    def old_mud(self, name: str) -> Mud:
        mud = self.mud()
        self.readers.append((name, mud.raw))
        self.type(mud, f"LOGIN {self.world.client_id(name)} {self.world.secret(name)} Old 1.0")
        self.type(mud, "SUBSCRIBE gossip", "SIGNIN Cy", "OPTION", "CHANNELS")
        return mud

    # What they do.

    def write(self, session: Session, *sent: dict[str, Any]) -> None:
        """A game writes frames, one at a time."""
        for one in sent:
            self.service.received(session, frames.decode(msgspec.json.encode(one)))
            self.note(msgspec.json.encode(one))

    def type(self, mud: Mud, *lines: str) -> None:
        """A MUD sends lines, one at a time."""
        for line in lines:
            mud.send(f"{line}\n".encode())
            self.note(line.encode())

    def admin(self, name: str, **arguments: Any) -> None:
        """An admin acts."""
        operation = read(msgspec.json.encode(arguments), OPERATIONS[name])
        occasion = Occasion(self.service.now().wall, lambda: "00000000-0000-4000-8000-00000000000a", "unix:ana")
        change, _ = carry_out(operation, self.world.registry, occasion)
        assert change is not None
        self.service.change(change)
        self.note(f"{name} {arguments}".encode())

    def wait(self, seconds: int) -> None:
        """Time goes by, and everybody shows a sign of life, which nothing answers."""
        for _ in range(seconds):
            for session, _ in self.service.sessions():
                self.service.alive(session)
            self.clock.advance(1)
            self.turn()
        self.note(b"%d seconds" % seconds)

    def note(self, what: bytes) -> None:
        """Record what happened, and all that the old clients see of it."""
        self.turn()
        self.record.append(b"== " + what + b"\n")
        for name, unread in self.readers:
            for line in unread().splitlines(keepends=True):
                self.record.append(b"%b: %b" % (name.encode(), line))

    def conversation(self, **other: Any) -> bytes:
        """
        All that the old clients see of a long conversation.

        @param other: what else another game has in its authenticate.
        @return: what they see, with a number in the place of each UUID.
        """
        alpha = self.old_game("Alpha", supports=["channels", "players", "tells", "games", "achievements"])
        beta = self.old_game("Beta", supports=["channels", "players", "tells", "games", "history"], players=["Bo"])
        gamma = self.old_mud("Gamma")
        _, delta = self.connect()
        self.write(delta, frame("authenticate", self.world.credentials("Delta", channels=["gossip"], **other)))
        for asking in (alpha, beta):
            self.talk(asking)
        self.type(
            gamma, "SEND gossip Cy Hello!", "EMOTE gossip Cy waves", "TELL Cy Bo@Beta psst", "TELL Cy No@Beta psst"
        )
        self.type(gamma, "WHO", "WHO Delta", "GAMES", "GAMES Nowhere", "HISTORY gossip 5", "SEND nowhere Cy text")
        self.write(
            delta,
            frame("channels/send", {"channel": "gossip", "name": "Di", "message": "/me dances"}, "d1"),
            frame("players/sign-in", {"name": "Di"}, "d2"),
            frame("channels/subscribe", {"channel": "arena"}, "d3"),
            frame("tells/send", {"from_name": "Di", "to_game": "Beta", "to_name": "Bo", "message": "/me nods"}, "d4"),
        )
        self.order(alpha, gamma)
        self.write(delta, frame("players/sign-out", {"name": "Di"}))
        self.wait(46)
        self.service.lost(delta)
        self.write(beta, frame("games/status", {"game": "Delta"}, "e1"), frame("heartbeat", {"players": ["Bo", "Ed"]}))
        self.wait(61)
        self.write(beta, frame("games/status", {"game": "Delta"}, "e2"), frame("games/status", {"game": "No"}, "e3"))
        self.write(beta, frame("players/status", {"game": "Delta"}, "e4"))
        self.service.notice(30)
        self.note(b"a restart is announced")
        self.clock.pump([1.0] * 61)
        self.note(b"nobody shows a sign of life")
        return self.normal(b"".join(self.record))

    def talk(self, session: Session) -> None:
        """All events that an old client knows, right and wrong."""
        self.write(
            session,
            frame("heartbeat", {"players": ["Ana", "Bo"]}),
            frame("channels/subscribe", {"channel": "arena"}, "a1"),
            frame("channels/subscribe", {"channel": "?"}, "a2"),
            frame("channels/send", {"channel": "gossip", "name": "Ana", "message": "Hello! <b>ü</b>"}, "a3"),
            frame("channels/send", {"channel": "gossip", "name": "Ana", "message": "/me waves"}, "a4"),
            frame("channels/send", {"channel": "gossip", "name": "echo", "message": "who am I?"}, "a5"),
            frame("channels/send", {"channel": "arena", "name": "Ana", "message": "one"}),
            frame("channels/unsubscribe", {"channel": "arena"}, "a6"),
            frame("channels/history", {"channel": "gossip", "limit": 3}, "a7"),
        )
        self.wait(10)
        self.write(
            session,
            frame("players/sign-in", {"name": "Zoe"}, "b1"),
            frame("players/sign-out", {"name": "Zoe"}, "b2"),
            frame("players/status", None, "b3"),
            frame("players/status", {"game": "Delta"}, "b4"),
            frame("players/status", {"game": "Nowhere"}, "b5"),
            frame("players/status", {"game": "gossip"}, "b6"),
            frame("games/status", None, "b7"),
            frame("games/status", {"game": "Delta"}, "b8"),
            frame("games/status", {"game": "gossip"}, "b9"),
        )
        self.wait(10)
        tell = {"from_name": "Ana", "to_game": "Delta", "to_name": "Di", "message": "psst"}
        self.write(
            session,
            frame("tells/send", {**tell, "to_game": "Gamma", "to_name": "Cy"}, "c1"),
            frame("tells/send", tell, "c2"),
            frame("tells/send", {**tell, "to_game": "gossip", "to_name": "system"}, "c3"),
            frame("achievements/create", {"title": "Found the lighthouse", "points": 5}, "c4"),
            frame("achievements/sync", None, "c5"),
            frame("no/such", {}, "c6"),
            frame("authenticate", {}, "c7"),
        )
        self.wait(10)

    def order(self, game: Session, mud: Mud) -> None:
        """What admins do, and what comes of it."""
        say = frame("channels/send", {"channel": "gossip", "name": "Ana", "message": "Am I heard?"}, "o1")
        self.remove()
        self.admin("channel/describe", channel="gossip", description="For everybody")
        self.admin("channel/pause", channel="gossip")
        self.write(game, say)
        self.admin("channel/resume", channel="gossip")
        self.service.change(ChannelSaved(replace(self.world.registry.channels["gossip"], hidden=False)))
        self.note(b"the channel is public")
        self.admin("channel/hide", channel="gossip")
        self.admin("channel/speakers", channel="gossip", games=["Beta"])
        self.write(game, say)
        self.admin("channel/speakers", channel="gossip", games=None)
        self.admin("mute/add", who="Ana@Alpha", reason="shouting")
        self.write(game, say)
        self.admin("mute/remove", who="Ana@Alpha")
        self.admin("ban/add", who="Gamma", reason="spam", channel="gossip")
        self.type(mud, "SEND gossip Cy Am I heard?")
        self.admin("ban/remove", who="Gamma", channel="gossip")
        self.admin("channel/remove", channel="arena")

    def remove(self) -> None:
        """Messages are removed, of which old clients see nothing."""
        said = [each for each in self.service.store.said if each.channel == "gossip"]
        self.assertGreater(len(said), 5)
        self.service.change(MessagesRemoved(tuple(said), Removal(self.service.now().wall, "unix:ana", "spam")))
        self.turn()
        for name, unread in self.readers:
            self.assertEqual(unread(), b"", name)

    @staticmethod
    def normal(record: bytes) -> bytes:
        order: dict[bytes, bytes] = {}
        return _UUID.sub(lambda each: order.setdefault(each[0], b"<uuid %d>" % len(order)), record)

    # The tests.

    def test_no_extensions(self) -> None:
        """While nobody asks for extensions, everything is as it was."""
        self.compare(self.conversation())

    def test_others_with_extensions(self) -> None:
        """A game with all extensions beside them changes nothing for the others."""
        self.compare(self.conversation(extensions=["directory", "moderation", "history"]))

    def compare(self, record: bytes) -> None:
        self.maxDiff = None
        self.assertEqual(_without_the_other(record).decode().split("\n"), RECORDED.read_bytes().decode().split("\n"))


def _without_the_other(record: bytes) -> bytes:
    """Leave out how the other game authenticated, which differs on purpose."""
    return re.sub(rb'== \{"event":"authenticate".*\n', b"", record)
