"""L{gossip.operations.moderation}: what an admin can do to keep order."""

from __future__ import annotations

import json

from gossip.operations.games import GameAdd, GameDisable, GameEdit, GameEnable, GameList, GameShow
from gossip.operations.moderation import MuteAdd
from gossip.operations.operation import Occasion, carry_out, note
from gossip.registry.changes import (
    Audited,
    AuditEntry,
    Filter,
    FilterRemoved,
    FilterSaved,
    GameSeen,
    MessageSaid,
    ReportResolved,
    Restriction,
    RestrictionLifted,
    RestrictionSet,
)
from gossip.registry.errors import Refused
from gossip.registry.filters import FILTERS
from gossip.registry.registry import REPORTS
from tests.support.operations import AdminTestCase
from tests.support.world import NOW, uuid

SET = {"set_by": "unix:ana", "set_at": "2023-11-14T22:00:00.000Z"}


class RestrictionTests(AdminTestCase):
    """Mutes and bans."""

    def setUp(self) -> None:
        super().setUp()
        self.add()
        self.perform("channel/create", channel="gossip")

    def test_mute(self) -> None:
        """A player, a game or an address is muted, on a channel or everywhere, for a while or for good."""
        result = self.perform("mute/add", who="Ana  Lee@ALPHA", reason="So", channel="gossip", minutes=90)
        shown = {
            "who": "ana lee@Alpha",
            "channel": "gossip",
            "until": "2023-11-14T23:30:00.000Z",
            "reason": "So",
            **SET,
        }
        self.assertEqual(result, shown)
        restriction = Restriction(
            kind="mute",
            subject=f"ana lee@{uuid(2)}",
            channel="gossip",
            until=NOW + 5400,
            reason="So",
            set_by="unix:ana",
            set_at=NOW,
        )
        self.assertEqual(self.change, RestrictionSet(restriction))
        self.perform("mute/add", NOW + 1, who=uuid(2), reason="So")
        self.perform("mute/add", NOW + 2, who="2001:DB8::0", reason="So")
        listed = self.perform("mute/list", NOW + 3)["mutes"]
        self.assertEqual([each["who"] for each in listed], ["2001:db8::", "Alpha", "ana lee@Alpha"])
        self.assertEqual(len(self.perform("mute/list", NOW + 5400)["mutes"]), 2)
        self.assertEqual(self.perform("ban/list"), {"bans": []})

    def test_people_on_pages(self) -> None:
        """People on the pages play in the network's own game: all of them can be meant, or one."""
        for who, subject in (("Grapevine", "gossip"), ("Ana@Gossip", "ana@gossip")):
            self.perform("mute/add", who=who, reason="So")
            assert isinstance(self.change, RestrictionSet)
            self.assertEqual(self.change.restriction.subject, subject)
        self.assertEqual({each["who"] for each in self.perform("mute/list")["mutes"]}, {"gossip", "ana@gossip"})

    def test_like_an_address(self) -> None:
        """A player whose name begins like an address is meant himself."""
        for name in ("::1%eve", "192.0.2.1"):
            self.perform("mute/add", who=f"{name}@Alpha", reason="So")
            assert isinstance(self.change, RestrictionSet)
            self.assertEqual(self.change.restriction.subject, f"{name}@{uuid(2)}")

    def test_remove(self) -> None:
        """A restriction is lifted where it was set, and nowhere else."""
        self.perform("ban/add", who="alpha", reason="So", channel="gossip")
        self.assertRefused("there is no such ban", "ban/remove", who="alpha")
        self.assertRefused("there is no such mute", "mute/remove", who="alpha", channel="gossip")
        self.assertEqual(self.perform("ban/remove", who="ALPHA", channel="gossip")["who"], "Alpha")
        self.assertEqual(self.change, RestrictionLifted("ban", uuid(2), "gossip"))
        self.assertEqual(self.perform("ban/list"), {"bans": []})

    def test_refused(self) -> None:
        """Nobody, nowhere, without a reason, or for no time: refused."""
        self.assertRefused("no such game", "mute/add", who="Ana@Nobody", reason="So")
        self.assertRefused("a player is named like Ana@MyMUD", "mute/add", who=" @Alpha", reason="So")
        self.assertRefused("no such channel", "mute/add", who="Alpha", reason="So", channel="nowhere")
        self.assertRefused("minutes: expected float > 0.0", "mute/add", who="Alpha", reason="So", minutes=0)
        self.perform("mute/add", who="Alpha", reason="می\u200cخواهم")
        for reason in ("", " ", "x" * 201, "a\nb", "a\u2028b", "\u202ea", "<b>"):
            self.assertRefused(
                "a reason has 1 to 200 characters, without control characters and tags",
                "mute/add",
                who="Alpha",
                reason=reason,
            )


class FilterTests(AdminTestCase):
    """Word filters."""

    def test_add_list_remove(self) -> None:
        """A filter is kept in lower case, listed, replaced and removed."""
        self.perform("channel/create", channel="gossip")
        shown = {"text": "buy gold", "channel": None, "substring": False, "action": "refuse", "reason": "No ads", **SET}
        self.assertEqual(self.perform("filter/add", text=" Buy  GOLD", reason="No ads"), shown)
        kept = Filter(text="buy gold", reason="No ads", set_by="unix:ana", set_at=NOW)
        self.assertEqual(self.change, FilterSaved(kept))
        self.perform("filter/add", text="ass", reason="So", channel="gossip", substring=True, action="mask")
        self.assertEqual([each["text"] for each in self.perform("filter/list")["filters"]], ["ass", "buy gold"])
        self.assertRefused("there is no such filter", "filter/remove", text="ass")
        self.assertEqual(self.perform("filter/remove", text="BUY gold"), shown)
        self.assertEqual(self.change, FilterRemoved("buy gold", ""))

    def test_refused(self) -> None:
        """What no filter can be is refused, and one too many."""
        for text, substring, error in (
            ("", False, "a filter has 1 to 64 characters, without control characters and tags"),
            ("a\x1bb", True, "a filter has 1 to 64 characters, without control characters and tags"),
            ("x" * 65, False, "a filter has 1 to 64 characters, without control characters and tags"),
            ("***", False, "a filter that contains no whole word needs substring matching"),
        ):
            self.assertRefused(error, "filter/add", text=text, reason="So", substring=substring)
        self.perform("filter/add", text="***", reason="So", substring=True)
        self.perform("filter/remove", text="***")
        self.perform("filter/add", text="می\u200cخواهم", reason="So")
        for number in range(FILTERS - 1):
            kept = Filter(text=f"x{number}", reason="So", set_by="ana", set_at=NOW)
            self.registry.filters.kept[kept.text, ""] = kept
        self.assertRefused("there are 2000 filters already, the maximum", "filter/add", text="one", reason="So")
        self.perform("filter/add", text="x1", reason="Because")

    def test_try(self) -> None:
        """A dry run says what a filter would have hit, and changes nothing."""
        self.perform("channel/create", channel="gossip")
        for seq, text in enumerate(("class", "You ass", "Hi"), 1):
            self.memory.said.append(MessageSaid("gossip", seq, None, "Alpha", "Ana", text, NOW))
        tried = self.perform("filter/try", text="ASS", channel="gossip")
        self.assertEqual((tried["messages"], tried["hits"], [each["seq"] for each in tried["shown"]]), (3, 1, [2]))
        self.assertIsNone(self.change)
        self.assertEqual(self.perform("filter/try", text="ass", substring=True)["hits"], 2)
        self.assertEqual(self.perform("filter/try", text="ana")["hits"], 3)
        self.assertRefused("no such channel", "filter/try", text="ass", channel="nowhere")
        self.assertRefused("a filter that contains no whole word needs substring matching", "filter/try", text="*")


class ReportTests(AdminTestCase):
    """Complaints."""

    def setUp(self) -> None:
        super().setUp()
        self.memory.said.extend(MessageSaid("gossip", seq, None, "Alpha", "Ana", "Hi", NOW) for seq in (1, 3))

    def test_report(self) -> None:
        """A complaint keeps the message, waits in the list, and is resolved once."""
        made = self.perform("report/add", channel="gossip", seq=3, reason="Rude")
        self.assertEqual((made["number"], made["message"], made["made_by"]), (1, "Hi", "unix:ana"))
        self.assertEqual(self.perform("report/add", channel="gossip", seq=1, reason="Rude")["number"], 2)
        self.assertEqual([each["number"] for each in self.perform("report/list")["reports"]], [1, 2])
        resolved = self.perform("report/resolve", NOW + 1, number=1, resolution="muted")
        self.assertEqual(self.change, ReportResolved(1, "unix:ana", NOW + 1, "muted"))
        self.assertEqual((resolved["resolved_by"], resolved["resolution"]), ("unix:ana", "muted"))
        self.assertRefused("no such open report", "report/resolve", number=1)
        self.assertEqual([each["number"] for each in self.perform("report/list")["reports"]], [2])

    def test_refused(self) -> None:
        """Of nothing, twice by the same, or too many: refused."""
        for channel, seq in (("gossip", 2), ("testing", 1), ("gossip", 2**63 - 1)):
            self.assertRefused("no such message", "report/add", channel=channel, seq=seq, reason="Rude")
        self.perform("report/add", channel="gossip", seq=1, reason="Rude")
        self.assertRefused(
            "you have reported this message already", "report/add", channel="gossip", seq=1, reason="Very rude"
        )
        [report] = self.registry.reports.values()
        self.registry.reports = dict.fromkeys(range(REPORTS), report)
        self.assertRefused("too many reports are open already", "report/add", channel="gossip", seq=3, reason="Rude")
        self.assertRefused(
            "a resolution has up to 200 characters, without control characters and tags",
            "report/resolve",
            number=1,
            resolution="\x1b",
        )


class SpeakersTests(AdminTestCase):
    """Who may speak on a channel."""

    def test_speakers(self) -> None:
        """Some games, none, or all may speak."""
        self.add()
        self.perform("channel/create", channel="gossip")
        self.assertEqual(self.perform("channel/speakers", channel="gossip", games=["ALPHA"])["speakers"], ["Alpha"])
        self.assertEqual(self.registry.channels["gossip"].speakers, frozenset([uuid(2)]))
        self.assertEqual(self.perform("channel/speakers", channel="gossip", games=[])["speakers"], [])
        told = self.perform("channel/speakers", channel="gossip", games=["alpha", "Gossip"])
        self.assertEqual(told["speakers"], ["Alpha", "gossip"])
        self.assertIsNone(self.perform("channel/speakers", channel="gossip", games=None)["speakers"])
        self.assertIsNone(self.registry.channels["gossip"].speakers)
        self.assertRefused("no such game", "channel/speakers", channel="gossip", games=["Nobody"])
        self.assertRefused("no such channel", "channel/speakers", channel="nowhere", games=None)


class Password(GameEnable, frozen=True):
    """Has an argument that nobody may read."""

    hushed = ("password",)

    password: str


class AuditTests(AdminTestCase):
    """The note of who did what."""

    def test_note(self) -> None:
        """What changes something comes with a note, what does not has none."""
        self.add()
        on = Occasion(NOW, lambda: uuid(9), "unix:ana")
        change, _ = carry_out(GameDisable(game="alpha"), self.registry, on)
        assert isinstance(change, Audited)
        self.assertEqual(
            change.entry, AuditEntry(uuid(9), NOW, "unix:ana", "game/disable", "alpha", '{"game":"alpha"}')
        )
        self.assertEqual(carry_out(GameList(), self.registry, on)[0], None)
        with self.assertRaises(Refused):
            carry_out(GameShow(game="nobody"), self.registry, on)

    def test_only_what_was_given(self) -> None:
        """An argument that was not given is not noted; one that empties something is."""
        on = Occasion(NOW, lambda: uuid(9), "unix:ana")
        for operation, noted in (
            (MuteAdd(who="alpha", reason="So"), {"who": "alpha", "reason": "So"}),
            (MuteAdd(who="alpha", reason="So", minutes=5), {"who": "alpha", "reason": "So", "minutes": 5}),
            (GameEdit(game="alpha", tagline=None), {"game": "alpha", "tagline": None}),
        ):
            self.assertEqual(json.loads(note("x", operation, on).arguments), noted)

    def test_checked_and_enacted(self) -> None:
        """What is noted is checked and enacted like everything else; a note alone changes nothing."""
        self.add()
        on = Occasion(NOW, lambda: uuid(9), "unix:ana")
        add = GameAdd(name="Other", short_name="ALPHA")
        change, _ = carry_out(add, self.registry, on)
        assert change is not None
        self.assertRaises(Refused, self.registry.check, change)
        entry = note("say", add, on)
        self.registry.check(Audited(entry, None))
        self.registry.enact(Audited(entry, None))
        self.registry.enact(Audited(entry, GameSeen(uuid(2), "X", "1")))
        self.assertEqual(self.registry.seen[uuid(2)].user_agent, "X")

    def test_hushed(self) -> None:
        """What nobody may read is not noted, and what is noted has no control characters."""
        entry = note("x", Password(game="a\x1bb\0", password="hush"), Occasion(NOW, lambda: uuid(9), "ana"))
        self.assertEqual((entry.subject, json.loads(entry.arguments)), ("ab", {"game": "a\x1bb\0"}))
        self.assertNotIn("\0", entry.arguments)

    def test_list(self) -> None:
        """The notes are listed, the latest first."""
        self.memory.entries = [AuditEntry(uuid(each), NOW + each, "ana", "a/b", "x", "{}") for each in (1, 2)]
        shown = self.perform("audit/list")["entries"]
        expected = {"actor": "ana", "operation": "a/b", "subject": "x", "arguments": "{}"}
        self.assertEqual(shown[0], {"at": "2023-11-14T22:00:02.000Z", **expected})
        self.assertEqual(len(self.perform("audit/list", limit=1)["entries"]), 1)
        self.assertRefused("limit: expected int <= 1000", "audit/list", limit=1001)
