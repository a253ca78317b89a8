"""L{gossip.operations.activity}."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gossip.operations.activity import KNOWN, activity
from gossip.operations.audit import AuditList
from gossip.operations.catalogue import COMMANDS
from gossip.operations.errands import Backup
from gossip.operations.operation import Occasion, note, read
from tests.support.world import NOW, uuid

LOOKS = {"game/show", "account/show", "channel/info", "filter/try", "message/show", "message/search"}
LOOKS |= {"i3/status", "i3/muds", "i3/channels"}
"""Commands that leave no note, besides lists."""


def said(wire: str, **arguments: Any) -> str:
    """What the log says of a command, from the note of it."""
    command = read(msgspec.json.encode(arguments), COMMANDS[wire])
    entry = note(wire, command, Occasion(NOW, lambda: uuid(1), "ana"))
    return activity(entry.operation, entry.subject, entry.arguments)


class ActivityTests(SynchronousTestCase):
    """What the activity log says."""

    def test_every_command(self) -> None:
        """Every command that leaves a note has a text: see L{gossip.operations.activity}."""
        noted = {wire for wire in (*COMMANDS, Backup.wire) if not wire.endswith("/list")} - LOOKS
        self.assertEqual(noted.difference(KNOWN), set())

    def test_games(self) -> None:
        """What is done to games; a new one has only the arguments with a value, a changed one has all."""
        self.assertEqual(said("game/add", name="My MUD", short_name="MyMUD"), "registered MyMUD (My MUD)")
        way = {"type": "telnet", "host": "my.example", "port": 4000}
        self.assertEqual(
            said("game/add", name="A", short_name="A", hidden=True, connections=[way], owner="Ana"),
            "registered A (A) (hidden, connections: telnet my.example 4000, owner: Ana)",
        )
        self.assertEqual(
            said("game/edit", game="A", hidden=False, hide_players=True, tagline="", homepage_url="http://a.example"),
            "changed A (not hidden, hide players, no tagline, homepage: http://a.example)",
        )
        self.assertEqual(said("game/rotate", game="A"), "created a new secret for A")
        self.assertEqual(said("game/i3", game="A", name="My Mud"), "let A join by Intermud-3 as My Mud")
        self.assertEqual(said("game/i3", game="A", name=None, remove=False), "let A join by Intermud-3")
        self.assertEqual(said("game/i3", game="A", remove=True), "let A no longer join by Intermud-3")
        self.assertEqual(said("game/key", game="A", protocol="imc2"), "created a new key of A for IMC2")

    def test_channels(self) -> None:
        """What is done to channels."""
        for wire, arguments, text in (
            ("create", {}, "created the channel x"),
            ("create", {"hidden": True, "description": "d"}, "created the channel x (description: d, hidden)"),
            ("show", {}, "published the channel x"),
            ("pause", {"minutes": 30}, "paused the channel x for 30 minutes"),
            ("moderators", {"accounts": ["Ana", "Bo"]}, "let Ana, Bo moderate x"),
            ("moderators", {"accounts": []}, "let only admins moderate x"),
            ("describe", {"description": "All talk"}, "described x as “All talk”"),
            ("describe", {"description": ""}, "removed the description of x"),
            ("speakers", {"games": None}, "let all games speak on x"),
            ("speakers", {"games": []}, "let only the network itself speak on x"),
            ("speakers", {"games": ["A", "B"]}, "let A, B speak on x"),
        ):
            self.assertEqual(said(f"channel/{wire}", channel="x", **arguments), text)

    def test_moderation(self) -> None:
        """Mutes, bans, filters and reports."""
        for wire, arguments, text in (
            ("mute/add", {"who": "Ana@A", "reason": "shouting"}, "muted Ana@A: shouting"),
            ("mute/add", {"who": "A", "reason": "r", "channel": "x", "minutes": 90}, "muted A on x for 90 minutes: r"),
            ("ban/add", {"who": "A", "reason": "r", "minutes": 7 * 24 * 60}, "banned A for 7 days: r"),
            ("ban/add", {"who": "A", "reason": "r", "minutes": 60}, "banned A for 1 hour: r"),
            ("mute/remove", {"who": "A", "channel": "x"}, "lifted the mute of A on x"),
            ("ban/remove", {"who": "A"}, "lifted the ban of A"),
            ("filter/add", {"text": "ham", "reason": "r"}, "added a filter that refuses “ham”: r"),
            (
                "filter/add",
                {"text": "ham", "reason": "r", "channel": "x", "substring": True, "action": "mask"},
                "added a filter that masks “ham” inside words on x: r",
            ),
            ("filter/remove", {"text": "ham"}, "removed the filter for “ham”"),
            ("report/add", {"channel": "x", "seq": 7, "reason": "r"}, "reported message 7 on x: r"),
            ("report/resolve", {"number": 7}, "resolved report 7"),
            ("report/resolve", {"number": 7, "resolution": "muted"}, "resolved report 7: muted"),
        ):
            self.assertEqual(said(wire, **arguments), text)

    def test_removals(self) -> None:
        """What was removed is quoted; of many messages there is the number."""
        messages = [{"id": f"x:{seq}", "game": "A", "name": "Ana", "message": "Buy"} for seq in (1, 2)]
        one = json.dumps({"id": "x:1", "reason": "ads", "messages": messages[:1]})
        for wire in ("message/remove", "channels/remove"):
            self.assertEqual(activity(wire, "x:1", one), "removed x:1, “Buy” by Ana@A: ads")
        for number, count in ((1, "1 message"), (2, "2 messages")):
            purge = {"who": "Ana@A", "reason": "ads", "channel": "x", "messages": messages[:number]}
            self.assertEqual(
                activity("message/purge", "Ana@A", json.dumps(purge)), f"removed {count} by Ana@A on x: ads"
            )

    def test_others(self) -> None:
        """Accounts and errands; a long text is cut."""
        self.assertEqual(said("account/edit", name="Ana", admin=True), "changed the account Ana (admin)")
        self.assertEqual(said("account/invite"), "created an invitation")
        self.assertEqual(said("restart-notice", seconds=1), "announced a restart of 1 second")
        self.assertEqual(said("say", channel="x", text="y" * 300), f"said “{'y' * 199}…” on x")

    def test_unknown(self) -> None:
        """An entry that another version wrote shows its command and what it was about."""
        self.assertEqual(activity("moon/land", "Tranquility", "{}"), "moon/land Tranquility")
        self.assertEqual(activity("game/add", "MyMUD", "{}"), "game/add MyMUD")
        for arguments in ("", "[]", "7", "null", '"x"', "[" * 100_000):
            self.assertEqual(activity("game/remove", "MyMUD", arguments), "game/remove MyMUD", arguments[:20])

    @given(
        st.sampled_from(sorted(KNOWN)),
        st.dictionaries(
            st.sampled_from(["game", "name", "who", "channel", "minutes", "games", "text", "reason", "seq", "number"]),
            st.recursive(
                st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
                lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
            ),
        ),
    )
    def test_any_arguments(self, wire: str, arguments: dict[str, Any]) -> None:
        """Whatever the arguments are, a text comes of it."""
        self.assertTrue(activity(wire, "x", json.dumps(arguments)))

    def test_view(self) -> None:
        """gossipctl shows who did what."""
        entry = {"at": "2023-11-14T22:00:02.000Z", "actor": "unix:ana", "operation": "game/remove", "subject": "A"}
        (table,) = AuditList.view({"entries": [{**entry, "arguments": '{"game":"A"}'}]})
        self.assertEqual(getattr(table, "rows", None), [("2023-11-14 22:00:02", "unix:ana", "removed A")])
