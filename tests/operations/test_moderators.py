"""L{gossip.operations.moderators}: what moderators of a channel may do."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from gossip.operations.catalogue import OPERATIONS
from gossip.operations.messages import MessageRemove, MessageShow
from gossip.operations.moderators import check, moderates, mutes_of
from gossip.operations.operation import Operation
from gossip.operations.reports import ReportResolve
from gossip.operations.restrictions import BanAdd, MuteAdd, MuteRemove, find_subject
from gossip.registry.changes import AccountSaved, ChannelSaved, ReportMade
from gossip.registry.entities import Account, Channel, Report
from gossip.registry.errors import Refused
from gossip.registry.restrictions import address_of
from tests.support.operations import AdminTestCase
from tests.support.properties import examples
from tests.support.world import NOW

ADMIN = "only an admin can do this"


class ModeratorsTests(AdminTestCase):
    """Ana moderates gossip, Bea moderates news, Root is an admin, and Cyd is nobody."""

    def setUp(self) -> None:
        super().setUp()
        for name in ("Ana", "Bea", "Cyd", "Root"):
            self.registry.enact(AccountSaved(Account(name=name, admin=name == "Root")))
        self.registry.enact(ChannelSaved(Channel("gossip", moderators=frozenset(["Ana"]))))
        self.registry.enact(ChannelSaved(Channel("news", moderators=frozenset(["Bea"]))))
        self.add("Alpha")

    def refusal(self, operation: Operation, account: str = "Ana", channel: str = "gossip") -> str:
        """Why an account may not do something on a channel; empty if it may."""
        try:
            check(self.registry, account, channel, operation, NOW)
        except Refused as refused:
            return str(refused)
        return ""

    def mute(self, minutes: float | None, who: str = "Bo@Alpha", channel: str | None = "gossip") -> MuteAdd:
        return MuteAdd(who=who, reason="So", channel=channel, minutes=minutes)

    def test_who(self) -> None:
        """The accounts of a channel moderate it, and admins; not others, nor an account that is disabled."""
        may = {(name, channel): moderates(self.registry, name, channel) for name in ("Ana", "Bea", "Cyd", "Root", "No")
               for channel in ("gossip", "news", "nowhere")}  # fmt: skip
        yes = {("Ana", "gossip"), ("Bea", "news"), ("Root", "gossip"), ("Root", "news")}
        self.assertEqual({each for each, so in may.items() if so}, yes)
        self.registry.enact(AccountSaved(Account(name="Ana", disabled=True)))
        self.assertFalse(moderates(self.registry, "Ana", "gossip"))
        self.assertEqual(self.refusal(self.mute(5)), "you do not moderate gossip")
        self.assertEqual(self.refusal(self.mute(5), "Bea"), "you do not moderate gossip")

    def test_mute(self) -> None:
        """They mute players and games on their channel for at most a day, and lift such mutes."""
        for short in (0.5, 24 * 60):
            self.assertEqual(self.refusal(self.mute(short)), "")
        self.assertEqual(self.refusal(self.mute(5, "Alpha")), "")
        self.assertEqual(self.refusal(MuteRemove(who="Bo@Alpha", channel="gossip")), "")
        for minutes in (24 * 60 + 0.1, None):
            self.assertEqual(self.refusal(self.mute(minutes)), "a moderator can mute for at most 24 hours")
        for channel in ("news", None):
            self.assertEqual(self.refusal(self.mute(5, channel=channel)), ADMIN)
            self.assertEqual(self.refusal(MuteRemove(who="Bo@Alpha", channel=channel)), ADMIN)
        for who in ("192.0.2.1", "2001:db8::/48"):
            self.assertEqual(self.refusal(self.mute(5, who)), "only an admin can mute an address")
        self.assertEqual(self.refusal(self.mute(5, "Bo@Nowhere")), "no such game")

    def test_longer(self) -> None:
        """They neither lift nor replace a mute that lasts for more than a day, whatever is left of it."""
        text = "this mute lasts for more than 24 hours: only an admin can change it"
        for minutes in (None, 24 * 60 + 1):
            self.perform("mute/add", NOW - 24 * 3600, who="Bo@Alpha", reason="So", channel="gossip", minutes=minutes)
            self.assertEqual(self.refusal(self.mute(5, "BO@alpha")), text)
            self.assertEqual(self.refusal(MuteRemove(who="Bó@Alpha", channel="gossip")), text)
        self.perform("mute/add", NOW - 48 * 3600, who="Bo@Alpha", reason="So", channel="gossip", minutes=24 * 60 + 1)
        self.assertEqual(self.refusal(self.mute(5)), "")
        # One for everywhere is another one, which holds beside theirs.
        self.perform("mute/add", who="Cy@Alpha", reason="So")
        self.assertEqual(self.refusal(self.mute(5, "Cy@Alpha")), "")

    def test_reports_and_messages(self) -> None:
        """They resolve reports and remove messages of their channel, and of no other; nor reports of players."""
        report = Report(
            number=1, channel="gossip", seq=3, game="A", name="B", message="M", reason="R", made_by="Bo", made_at=NOW
        )
        for each in (report, replace(report, number=2, channel="news"), replace(report, number=3, channel="")):
            self.registry.enact(ReportMade(each))
        told = [self.refusal(ReportResolve(number=number)) for number in (1, 2, 3, 4)]
        self.assertEqual(told, ["", ADMIN, ADMIN, ADMIN])
        self.assertEqual(self.refusal(MessageRemove(id="gossip:3", reason="So")), "")
        self.assertEqual(self.refusal(MessageRemove(id="news:3", reason="So")), ADMIN)
        self.assertNotEqual(self.refusal(MessageRemove(id="gossip", reason="So")), "")

    def test_nothing_else(self) -> None:
        """Every other operation is for admins, even where it is about their channel."""
        self.assertEqual(self.refusal(BanAdd(who="Alpha", reason="So", channel="gossip", minutes=5)), ADMIN)
        self.assertEqual(self.refusal(MessageShow(id="gossip:3")), ADMIN)
        allowed = {"mute/add", "mute/remove", "report/resolve", "message/remove"}
        for wire, kind in OPERATIONS.items():
            if wire not in allowed and "channel" in kind.__struct_fields__:
                values = dict.fromkeys(kind.__struct_fields__, "x") | {"channel": "gossip"}
                self.assertEqual(self.refusal(kind(**values)), ADMIN, wire)

    def test_mutes(self) -> None:
        """They see the mutes on their channel that are in force, but no addresses."""
        for seconds, who, more in (
            (0, "Bo@Alpha", {}),
            (1, "Alpha", {"minutes": 5}),
            (2, "192.0.2.1", {}),
            (-900, "Cy@Alpha", {"minutes": 5}),
        ):
            self.perform("mute/add", NOW + seconds, who=who, reason="So", channel="gossip", **more)
        self.perform("mute/add", who="Bo@Alpha", reason="So")
        client_id = self.registry.game_named("Alpha").client_id  # type: ignore[union-attr]
        self.assertEqual(
            [each.subject for each in mutes_of(self.registry, "gossip", NOW)], [client_id, f"bo@{client_id}"]
        )

    @given(st.text(max_size=20) | st.sampled_from(["Bo@Alpha", "Alpha", "gossip"]), st.floats(allow_nan=True))
    @examples(200)
    def test_anything(self, who: str, minutes: float) -> None:
        """Whatever is typed: a mute that passes is one of at most a day, and of no address."""
        if not self.refusal(self.mute(minutes, who)):
            self.assertTrue(minutes <= 24 * 60)
            self.assertIsNone(address_of(find_subject(self.registry, who)))
