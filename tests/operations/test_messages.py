"""L{gossip.operations.messages}."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.trial.unittest import SynchronousTestCase

from gossip.operations.command import Table
from gossip.operations.executor import PAUSE, Executor
from gossip.operations.messages import PART, MessagePurge, MessageRemove, MessageSearch, MessageShow
from gossip.operations.reports import ReportAdd
from gossip.operations.texts import end_of, time_of
from gossip.registry.changes import Audited, ChannelSaved, MessageSaid, MessagesRemoved
from gossip.registry.entities import Channel, Removal
from gossip.registry.errors import Refused
from gossip.registry.removals import MOST, emptied
from tests.support.memory_service import MemoryService
from tests.support.operations import AdminTestCase
from tests.support.properties import examples
from tests.support.world import NOW, frame

SAID = MessageSaid("gossip", 1042, "c", "Alpha", "Ana", "Buy now!", NOW - 60)
REMOVAL = Removal(NOW, "unix:ana", "advertising")


class MessageTests(AdminTestCase):
    """Single messages."""

    def setUp(self) -> None:
        super().setUp()
        self.memory.said.extend([SAID, replace(SAID, seq=1043)])

    def test_show(self) -> None:
        """A message is shown with all that is known of it; of a removed one, what is left and why."""
        shown = self.perform("message/show", id="gossip:1042")
        self.assertEqual((shown["name"], shown["message"], shown["removed"]), ("Ana", "Buy now!", None))
        self.memory.keep(MessagesRemoved((SAID,), REMOVAL))
        shown = self.perform("message/show", id="gossip:1042")
        self.assertEqual((shown["name"], shown["message"], shown["game"]), ("", "", "Alpha"))
        self.assertEqual((shown["removed"], shown["removed_by"]), ("advertising", "unix:ana"))
        [view] = MessageShow.view(shown)
        assert isinstance(view, Mapping)
        self.assertEqual(view["message"], "[gossip] Alpha: [removed: advertising]")

    def test_remove(self) -> None:
        """A message is removed once; the result has neither the text nor the name."""
        result = self.perform("message/remove", id="gossip:1042", reason="advertising")
        self.assertEqual(self.change, MessagesRemoved((SAID,), REMOVAL))
        self.assertEqual((result["name"], result["message"], result["removed"]), ("", "", "advertising"))
        # The store is read before the turn of a change comes: it may not know of the removal before.
        self.assertRefused("this message was removed already", "message/remove", id="gossip:1042", reason="x")
        self.assertEqual(self.perform("message/show", id="gossip:1042")["removed"], "advertising")

    def test_refused(self) -> None:
        """A message that does not exist, or that nothing can be called, and a bad reason."""
        self.assertRefused("no such message", "message/remove", id="gossip:1041", reason="x")
        self.assertRefused("no such message", "message/show", id="other:1042")
        unnamed = "a message is named by its channel and its number, like gossip:1042"
        for identity in (
            "gossip",
            "1042",
            "gossip:",
            ":1",
            "gossip:-1",
            "gossip:1e3",
            "gossip:\u0661",
            "a:" + "9" * 30,
        ):
            self.assertRefused(unnamed, "message/show", id=identity)
            with self.assertRaises(Refused):
                MessageRemove(id=identity, reason="x").channel  # noqa: B018
        text = "a reason has 1 to 200 characters, without control characters and tags"
        for reason in ("", " ", "x" * 201, "a\nb", "<b>x"):
            self.assertRefused(text, "message/remove", id="gossip:1042", reason=reason)

    def test_channel(self) -> None:
        """The channel of a message is known from its identity, for those who may remove on some channels only."""
        self.assertEqual(MessageRemove(id="a:b:7", reason="x").channel, "a:b")
        self.assertEqual(MessagePurge(who="Alpha", reason="x", minutes=1, channel="gossip").channel, "gossip")

    def test_reported(self) -> None:
        """A removed message cannot be reported."""
        self.perform("message/remove", id="gossip:1042", reason="advertising")
        self.assertRefused("no such message", "report/add", channel="gossip", seq=1042, reason="So")

    def test_filtered(self) -> None:
        """A filter that is tried does not show what was removed while it looked."""
        self.perform("message/remove", id="gossip:1042", reason="advertising")
        self.assertEqual(self.perform("filter/try", text="buy")["hits"], 1)

    @given(st.text() | st.builds("{}:{}".format, st.text(), st.integers()))
    @examples(200)
    def test_any_identity(self, identity: str) -> None:
        """Whatever stands for a message, it is found, or refused with a text."""
        if identity in ("gossip:1042", "gossip:1043"):
            return
        with self.assertRaises(Refused):
            self.perform("message/show", id=identity)


class PurgeTests(AdminTestCase):
    """Removing what somebody said."""

    def setUp(self) -> None:
        super().setUp()
        for name in ("gossip", "testing"):
            self.registry.enact(ChannelSaved(Channel(name)))
        players = ("Ana", "Bo", "\u0410na", "ana")  # the third begins with a Cyrillic letter
        said = [replace(SAID, seq=seq, name=name, said_at=NOW - 100 + seq) for seq, name in enumerate(players)]
        elsewhere = [
            replace(SAID, channel="testing"),
            replace(SAID, seq=1, game="Beta"),
            replace(SAID, seq=0, game="gossip"),
        ]
        self.memory.said.extend([replace(SAID, seq=9, said_at=NOW - 3601), *said, *elsewhere])

    def purge(self, who: str, **more: Any) -> list[str]:
        """What would be removed."""
        result = self.perform("message/purge", **{"who": who, "reason": "spam", "minutes": 60, **more})
        self.assertIs(self.change, None)
        self.assertEqual(result["removed"], 0)
        return [f"{each['id']} {each['name']}" for each in result["messages"]]

    def test_who(self) -> None:
        """A game stands for all its players; a name that looks like that of a player is that player's."""
        names = ["testing:1042 Ana", "gossip:3 ana", "gossip:2 \u0410na", "gossip:1 Bo", "gossip:0 Ana"]
        self.assertEqual(self.purge("alpha"), names)
        self.assertEqual(self.purge("ana@Alpha"), [name for name in names if "Bo" not in name])
        self.assertEqual(self.purge("Bo@Alpha", channel="gossip"), ["gossip:1 Bo"])
        self.assertEqual(self.purge("Bo@Alpha", channel="testing"), [])
        self.assertEqual(self.purge("grapevine"), ["gossip:0 Ana"])
        self.assertEqual(self.purge("nobody"), [])
        self.assertIn("gossip:9 Ana", self.purge("alpha", minutes=61))

    def test_yes(self) -> None:
        """With yes they are removed, and their texts are not in the result."""
        result = self.perform("message/purge", who="Bo@Alpha", reason="spam", minutes=60, yes=True)
        self.assertEqual(result["removed"], 1)
        self.assertEqual([(each["id"], each["message"]) for each in result["messages"]], [("gossip:1", "")])
        [bo] = self.change.messages
        self.assertEqual((bo.name, bo.message, self.change.removal.reason), ("Bo", "Buy now!", "spam"))
        again = self.perform("message/purge", who="Bo@Alpha", reason="spam", minutes=60, yes=True)
        self.assertEqual((self.change, again["removed"]), (None, 0))

    def test_refused(self) -> None:
        """An address, a channel that does not exist, no name, no length of time, and a bad reason."""
        self.assertRefused("no such channel", "message/purge", who="Alpha", reason="x", minutes=1, channel="none")
        for who in ("192.0.2.1", "2001:db8::/32"):
            text = "messages do not have addresses: name a game or a player"
            self.assertRefused(text, "message/purge", who=who, reason="x", minutes=1)
        for who in ("", "Ana@", "@Alpha", " @Alpha"):
            self.assertRefused("a player is named like Ana@MyMUD", "message/purge", who=who, reason="x", minutes=1)
        self.assertRefused("minutes: must be more than 0", "message/purge", who="Alpha", reason="x", minutes=0)
        self.assertRefused(
            "object missing required field `minutes`".replace("`", ""), "message/purge", who="A", reason="x"
        )
        with self.assertRaises(Refused):
            self.perform("message/purge", who="Alpha", reason="\n", minutes=60, yes=True)

    def test_view(self) -> None:
        """A dry run lists the first messages and says how to go on; a purge says how many it removed."""
        self.memory.said = [replace(SAID, seq=seq) for seq in range(MOST + 5)]
        dry = self.perform("message/purge", who="Alpha", reason="x", minutes=60)
        table, *lines = MessagePurge.view(dry)
        assert isinstance(table, Table)
        self.assertEqual(len(table.rows), 20)
        self.assertEqual(
            lines,
            [
                "... and 980 more.",
                "There are more than that: at most 1000 are removed at once.",
                "This would remove 1000 messages. Nothing was removed: to remove them, repeat it with --yes.",
            ],
        )
        self.memory.said = self.memory.said[-2:]
        self.assertEqual(
            list(MessagePurge.view(self.perform("message/purge", who="Alpha", reason="x", minutes=60, yes=True))),
            ["Removed 2 messages."],
        )
        nothing = MessagePurge.view(self.perform("message/purge", who="Beta", reason="x", minutes=60))
        self.assertEqual(list(nothing), ["Removed 0 messages."])


class ServiceTests(SynchronousTestCase):
    """Messages of a running network."""

    def setUp(self) -> None:
        self.service = MemoryService()
        self.executor = Executor(self.service, self.service.store, maybeDeferred)
        self.alpha = self.service.join("Alpha", channels=["gossip"])

    def carry_out(self, operation: Any) -> Any:
        """The result of an operation."""
        return self.successResultOf(Deferred.fromCoroutine(self.executor.carry_out(operation, "ana")))

    def test_purge_in_parts(self) -> None:
        """Many messages are removed in parts, each with its own entry; one that is left over can be removed next."""
        client_id = self.service.world.client_id("Alpha")
        now = self.service.now().wall
        for seq in range(MOST + 1):
            self.service.store.said.append(MessageSaid("gossip", seq, client_id, "Alpha", "Ana", "Hi", now))
        purge = MessagePurge(who="Alpha", reason="spam", minutes=60, yes=True)
        done = Deferred.fromCoroutine(self.executor.carry_out(purge, "ana"))
        self.assertNoResult(done)
        self.service.clock.pump([PAUSE] * (MOST // PART - 2))
        self.assertNoResult(done)
        self.service.clock.advance(PAUSE)
        result = self.successResultOf(done)
        self.assertEqual((result["removed"], result["more"]), (MOST, True))
        kept = [each.change for each in self.service.writer.kept if isinstance(each, Audited)]
        sizes = [len(each.messages) for each in kept if isinstance(each, MessagesRemoved)]
        self.assertEqual(sizes, [PART] * (MOST // PART))
        self.assertEqual(self.carry_out(purge)["removed"], 1)
        self.assertEqual([each.seq for each in self.service.store.said if not each.removed], [])

    def test_noted(self) -> None:
        """The entry of a removal has the text and the name; the change and its entry are kept together."""
        self.service.store.said.append(SAID)
        self.carry_out(MessageRemove(id="gossip:1042", reason="advertising"))
        [entry] = self.service.store.entries
        self.assertEqual((entry.actor, entry.operation, entry.subject), ("ana", "message/remove", "gossip:1042"))
        quoted = '[{"id":"gossip:1042","game":"Alpha","name":"Ana","message":"Buy now!"}]'
        self.assertEqual(entry.arguments, f'{{"id":"gossip:1042","reason":"advertising","messages":{quoted}}}')

    def test_not_on_disk(self) -> None:
        """A message that is not on disk yet is found, once it is."""
        self.service.writer.slow = True
        payload = {"channel": "gossip", "name": "Ana", "message": "Oops"}
        self.service.write(self.alpha, frame("channels/send", payload, "1"))
        [said] = [change for change, _ in self.service.writer.waiting]
        assert isinstance(said, MessageSaid)
        removal = MessageRemove(id=f"gossip:{said.seq}", reason="typo")
        result = Deferred.fromCoroutine(self.executor.carry_out(removal, "ana"))
        self.assertNoResult(result)
        self.service.writer.settle()
        self.assertEqual(self.successResultOf(result)["removed"], "typo")
        [left] = self.service.store.said
        self.assertEqual(left, emptied(said, Removal(self.service.now().wall, "ana", "typo")))

    def test_report_forgets(self) -> None:
        """An open report of a removed message no longer quotes it, and the name stays."""
        self.service.store.said.append(SAID)
        self.carry_out(ReportAdd(channel="gossip", seq=1042, reason="Ads"))
        self.carry_out(MessageRemove(id="gossip:1042", reason="advertising"))
        [report] = self.service.network.registry.reports.values()
        self.assertEqual((report.name, report.message), ("Ana", "[removed: advertising]"))


class SearchTests(AdminTestCase):
    """C{message/search}."""

    def setUp(self) -> None:
        super().setUp()
        for seq, text in enumerate(("good morning", "a Unicorn", "good night"), 1):
            self.memory.keep(MessageSaid("hidden", seq, None, "Alpha", "Ana", text, NOW + seq))

    def test_found(self) -> None:
        """Admins find what was said on every channel, the latest first, a page at a time."""
        result = self.perform("message/search", query="good", limit=1)
        self.assertEqual([each["id"] for each in result["messages"]], ["hidden:3"])
        result = self.perform("message/search", query="good", limit=1, before=result["next"])
        self.assertEqual(([each["id"] for each in result["messages"]], result["next"]), (["hidden:1"], None))
        result = self.perform("message/search", name="ana", since=NOW + 2, until=NOW + 3)
        self.assertEqual([each["id"] for each in result["messages"]], ["hidden:2"])

    def test_refused(self) -> None:
        """A search for nothing is refused."""
        self.assertRefused("there is nothing to search for", "message/search")
        self.assertRefused("a search has at most 200 characters", "message/search", query="x" * 201)

    def test_removed(self) -> None:
        """What was removed since it was read is not told."""
        self.registry.enact(MessagesRemoved((self.memory.said[1],), Removal(NOW, "ana", "spam")))
        self.assertEqual(self.perform("message/search", query="unicorn")["messages"], [])

    def test_view(self) -> None:
        """People see a table, and how to go on."""
        table, more = MessageSearch.view(self.perform("message/search", query="good", limit=1))
        assert isinstance(table, Table)
        self.assertEqual((table.rows[0][0], more), ("hidden:3", "More: --before 3"))
        for text, expected in (("2026-11-20", 1795132800.0), ("2026-11-20T18:30", 1795199400.0)):
            self.assertEqual(time_of(text), expected)
        self.assertEqual(end_of("2026-11-20"), time_of("2026-11-21"))
        for text in ("2026-02-30", "now", "20261120", "2026-11-20T25:00"):
            self.assertRaises(ValueError, time_of, text)
