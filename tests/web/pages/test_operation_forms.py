"""L{gossip.web.pages.operation_forms} and L{gossip.web.views.play_links}: from the fields of a form to an operation."""

from __future__ import annotations

import math
from typing import Any
from urllib.parse import parse_qs, urlencode

from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET
from twisted.trial.unittest import SynchronousTestCase

from gossip.operations.accounts import AccountEdit, AccountInvite
from gossip.operations.catalogue import OPERATIONS
from gossip.operations.channels import ChannelDescribe, ChannelPause, ChannelSpeakers
from gossip.operations.errands import RestartNotice
from gossip.operations.filters import FilterAdd
from gossip.operations.games import GameAdd, GameEdit
from gossip.operations.reports import ReportResolve
from gossip.operations.restrictions import MuteAdd, MuteRemove
from gossip.protocol.server_events import GameConnection, SecureTelnetConnection, TelnetConnection, WebConnection
from gossip.registry.errors import Refused
from gossip.web.http.forms import Form
from gossip.web.pages.operation_forms import fill
from gossip.web.views import play_links


def form(**fields: str | list[str]) -> Form:
    """The form that a browser would send with these fields."""
    return Form(parse_qs(urlencode(fields, doseq=True), keep_blank_values=True))


class FillTests(SynchronousTestCase):
    """An operation takes the fields with the names of its arguments."""

    def assertRefused(self, why: str, kind: Any, /, **fields: str | list[str]) -> None:
        with self.assertRaises(Refused) as caught:
            fill(kind, form(**fields))
        self.assertEqual(str(caught.exception), why)

    def test_by_name(self) -> None:
        """Fields are found by name; others are ignored."""
        filled = fill(MuteAdd, form(who=" Ana@Alpha ", reason="So", csrf="x", do="mute/add", sure="1"))
        self.assertEqual(filled, MuteAdd("Ana@Alpha", "So"))
        self.assertEqual(fill(AccountInvite, form(csrf="x")), AccountInvite())

    def test_blank(self) -> None:
        """A blank optional field is left out."""
        filled = fill(MuteAdd, form(who="Alpha", reason="So", channel="", minutes=" "))
        self.assertEqual(filled, MuteAdd("Alpha", "So", None, None))
        self.assertEqual(fill(MuteRemove, form(who="Alpha", channel="")), MuteRemove("Alpha"))
        self.assertEqual(fill(ChannelPause, form(channel="gossip", minutes="")), ChannelPause("gossip"))

    def test_emptied(self) -> None:
        """An operation that distinguishes an empty text from none gets the empty text."""
        filled = fill(GameEdit, form(game="Alpha", tagline="", owner="", homepage_url=" "))
        self.assertEqual((filled.tagline, filled.owner, filled.homepage_url), ("", "", ""))
        self.assertIs(filled.description, UNSET)
        self.assertEqual(fill(AccountEdit, form(name="Ana", email="")), AccountEdit("Ana", email=""))
        self.assertEqual(fill(ChannelDescribe, form(channel="gossip", description="")), ChannelDescribe("gossip", ""))

    def test_numbers(self) -> None:
        """Numbers are checked as in the admin API, with the same errors."""
        self.assertEqual(fill(ChannelPause, form(channel="gossip", minutes="0.5")).minutes, 0.5)
        self.assertEqual(fill(ReportResolve, form(number="7", resolution="")), ReportResolve(7))
        self.assertEqual(fill(RestartNotice, form(seconds="60")), RestartNotice(60))
        self.assertRefused("minutes: must be more than 0", ChannelPause, channel="gossip", minutes="0")
        self.assertRefused("seconds: must be at most 86400", RestartNotice, seconds="86401")
        for text in ("x", "1e999", "--1", "0x10", "nan", "inf", "-Infinity", "1 2"):
            with self.assertRaises(Refused):
                fill(ChannelPause, form(channel="gossip", minutes=text))

    def test_boxes(self) -> None:
        """A ticked box is true; an unticked one is false if a hidden field says so."""
        self.assertEqual(fill(GameAdd, form(name="A", short_name="A")).hidden, False)
        self.assertEqual(fill(GameAdd, form(name="A", short_name="A", hidden="1")).hidden, True)
        self.assertEqual(fill(GameEdit, form(game="A", hidden=["0", "1"])).hidden, True)
        self.assertEqual(fill(GameEdit, form(game="A", hidden="0")).hidden, False)
        self.assertIs(fill(GameEdit, form(game="A")).hidden, UNSET)

    def test_choices(self) -> None:
        """A choice must be one of those that the operation has."""
        self.assertEqual(fill(FilterAdd, form(text="x", reason="y", action="mask")).action, "mask")
        self.assertRefused("action: invalid enum value 'burn'", FilterAdd, text="x", reason="y", action="burn")

    def test_lists(self) -> None:
        """A list is words; an asterisk stands for null, if the list can be null."""
        for games, expected in (
            (["", "Alpha, Beta"], ("Alpha,", "Beta")),
            (["", " Alpha\r\nBeta  Gamma "], ("Alpha", "Beta", "Gamma")),
            (["", ""], ()),
            (["*", "Alpha"], None),
        ):
            self.assertEqual(fill(ChannelSpeakers, form(channel="gossip", games=games)).games, expected)

    def test_ways(self) -> None:
        """Ways to play are one per line; blank lines are ignored."""
        text = "telnet://a.example:4000\r\n\r\n telnets://[2001:db8::1]:4443 \nhttps://a.example/play"
        filled = fill(GameEdit, form(game="A", connections=text))
        expected = (
            TelnetConnection("a.example", 4000),
            SecureTelnetConnection("2001:db8::1", 4443),
            WebConnection("https://a.example/play"),
        )
        self.assertEqual(filled.connections, expected)
        self.assertEqual(fill(GameEdit, form(game="A", connections="")).connections, ())
        typed = "a.example:4000\na.example  4000\n[2001:db8::1]:4000"
        self.assertEqual(
            fill(GameEdit, form(game="A", connections=typed)).connections,
            (*[TelnetConnection("a.example", 4000)] * 2, TelnetConnection("2001:db8::1", 4000)),
        )
        for text in ("a.example", "telnet://a.example", "telnet://a:x", "javascript:alert(1)", "telnet://[::1:4"):
            with self.assertRaises(Refused):
                fill(GameEdit, form(game="A", connections=text))

    def test_lines(self) -> None:
        """Line ends of browsers are accepted."""
        self.assertEqual(fill(GameEdit, form(game="A", description="a\r\nb\r\n")).description, "a\nb")

    def test_missing(self) -> None:
        """A missing field is refused with its name."""
        self.assertRefused("object missing required field reason", MuteAdd, who="Alpha")

    @given(
        st.sampled_from(sorted(OPERATIONS)),
        st.data(),
    )
    def test_anything(self, wire: str, data: st.DataObject) -> None:
        """Any fields for any operation are accepted or refused with a reason; no number is NaN or infinite."""
        kind = OPERATIONS[wire]
        text = st.one_of(
            st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
            st.sampled_from(["nan", "inf", "-inf", "Infinity", "null", "true", "1e400", "0", "*", "telnet://a:1"]),
        )
        fields = {name: data.draw(st.lists(text, min_size=1, max_size=3)) for name in kind.__struct_fields__}
        try:
            filled = fill(kind, form(**fields))
        except Refused as refused:
            self.assertTrue(str(refused))
            return
        for name in kind.__struct_fields__:
            value = getattr(filled, name)
            self.assertFalse(isinstance(value, float) and not math.isfinite(value), (name, value))


class WaysTests(SynchronousTestCase):
    """Ways to play as URLs."""

    @given(
        st.one_of(
            st.builds(
                TelnetConnection,
                st.from_regex(r"[0-9a-z]([0-9a-z-]{0,8}\.){0,3}[0-9a-z]", fullmatch=True),
                st.integers(1, 65535),
            ),
            st.builds(SecureTelnetConnection, st.ip_addresses().map(str), st.integers(1, 65535)),
            st.builds(WebConnection, st.from_regex(r"https?://[a-z]{1,9}/[!-~]{0,20}", fullmatch=True)),
        )
    )
    def test_both_ways(self, way: GameConnection) -> None:
        """A written URL reads as the same way to play."""
        self.assertEqual(play_links.read(play_links.written(way)), way)
