"""L{gossip.operations.operation}: reading arguments, carrying out, and the note of it."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gossip.operations.catalogue import OPERATIONS
from gossip.operations.games import GameAdd, GameDisable, GameEdit, GameEnable, GameList, GameShow
from gossip.operations.operation import Occasion, carry_out, note, read
from gossip.operations.restrictions import MuteAdd
from gossip.registry.changes import Audited, GameSeen
from gossip.registry.entities import AuditEntry
from gossip.registry.errors import Refused
from tests.support.operations import AdminTestCase
from tests.support.world import NOW, uuid


class ReadTests(SynchronousTestCase):
    """Arguments in JSON."""

    def test_unreadable(self) -> None:
        """Arguments that are not an object of JSON are refused."""
        for arguments in (b"{", b"\xff", b'{"game": "\xff"}', b'{"game": "x"'):
            with self.assertRaises(Refused) as caught:
                read(arguments, OPERATIONS["game/show"])
            self.assertEqual(str(caught.exception), "the arguments must be an object of JSON")
        with self.assertRaises(Refused):
            read(b"[]", OPERATIONS["game/show"])
        self.assertEqual(read(b"", OPERATIONS["game/list"]), OPERATIONS["game/list"]())


class Password(GameEnable, frozen=True):
    """An operation with an argument that is not noted."""

    hushed = ("password",)

    password: str


class NoteTests(AdminTestCase):
    """The note of what an admin does."""

    def test_note(self) -> None:
        """A change comes with a note; an operation that changes nothing has none."""
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
        """Only arguments that were given are noted, those that remove a value included."""
        on = Occasion(NOW, lambda: uuid(9), "unix:ana")
        for operation, noted in (
            (MuteAdd(who="alpha", reason="So"), {"who": "alpha", "reason": "So"}),
            (MuteAdd(who="alpha", reason="So", minutes=5), {"who": "alpha", "reason": "So", "minutes": 5}),
            (GameEdit(game="alpha", tagline=None), {"game": "alpha", "tagline": None}),
        ):
            self.assertEqual(json.loads(note("x", operation, on).arguments), noted)

    def test_checked_and_enacted(self) -> None:
        """A change with a note is checked and enacted like any other; a note alone changes nothing."""
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
        """A hushed argument is not noted, and a note holds no control characters."""
        entry = note("x", Password(game="a\x1bb\0", password="hush"), Occasion(NOW, lambda: uuid(9), "ana"))
        self.assertEqual((entry.subject, json.loads(entry.arguments)), ("ab", {"game": "a\x1bb\0"}))
        self.assertNotIn("\0", entry.arguments)


class AnyArgumentsTests(AdminTestCase):
    """Whatever the arguments are."""

    @given(
        st.sampled_from(sorted(OPERATIONS)),
        st.dictionaries(
            st.sampled_from(
                ["game", "channel", "agent", "name", "short_name", "minutes", "url", "connections", "hidden"]
            ),
            st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(), st.just("Alpha")),
        ),
    )
    def test_nothing_but_refused(self, name: str, arguments: dict[str, Any]) -> None:
        """An operation is carried out or refused; nothing else happens."""
        self.setUp()
        self.add()
        try:
            result = self.perform(name, **arguments)
        except Refused:
            return
        msgspec.json.encode(result)
