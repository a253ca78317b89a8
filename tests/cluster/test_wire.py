"""L{gossip.cluster.wire}: groups as payloads, and back."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from twisted.trial.unittest import SynchronousTestCase

from gossip.cluster.wire import PAYLOAD, PROTOCOL, Entry, Group, Malformed, Parts, Unknown, written
from gossip.network.relays import PlayersReplaced, SessionJoined, SessionLeft, SignedIn, Told
from gossip.registry.changes import Audited, ChannelOpened, ChannelSaved, MessageSaid, TicketIssued, Together
from gossip.registry.entities import AuditEntry, Channel, Ticket
from tests.support.world import NOW, uuid

EPOCH = uuid(1)

TEXT = st.text(st.characters(codec="utf-8"), max_size=40) | st.just("\U0001f600" * 3000)
ENTRIES = st.lists(
    st.one_of(
        st.builds(ChannelOpened, TEXT),
        st.builds(MessageSaid, TEXT, st.just(0), st.none() | TEXT, TEXT, TEXT, TEXT, st.just(NOW)),
        st.builds(SignedIn, st.integers(0, 2**40), TEXT),
        st.builds(PlayersReplaced, st.integers(0, 9), st.lists(TEXT, max_size=9).map(tuple)),
        st.builds(SessionLeft, st.integers(0, 2**40)),
    ),
    max_size=12,
)


def carried(parts: Sequence[tuple[str, str]], last: int | None = None, transaction: int = 7) -> list[str]:
    """The payloads, with what the database adds."""
    return [f"{head}{transaction} {'-' if last is None else last} {body}" for head, body in parts]


def read(payloads: Sequence[str]) -> Group:
    """Read the payloads of one group."""
    parts = Parts()
    *before, last = [parts.read(payload) for payload in payloads]
    assert before == [None] * len(before)
    assert last is not None
    return last


class WireTests(SynchronousTestCase):
    """What one node writes, another reads."""

    def assertCarried(self, *entries: Entry) -> None:
        self.assertEqual(read(carried(written(PROTOCOL, "a", EPOCH, 3, entries))).entries, entries)

    def test_group(self) -> None:
        """A group says where it comes from."""
        group = read(carried(written(PROTOCOL, "node-1", EPOCH, 3, [SessionLeft(5)]), transaction=812))
        self.assertEqual(group, Group(PROTOCOL, "node-1", EPOCH, 3, 812, (SessionLeft(5),)))

    def test_changes(self) -> None:
        """Changes within others, bytes and sets arrive as they were."""
        audited = Audited(
            AuditEntry(uuid(2), NOW, "unix:ana", "channel/create", "news", "{}"),
            Together((ChannelSaved(Channel("news", speakers=frozenset({uuid(3)}))), ChannelOpened("x"))),
        )
        joined = SessionJoined(1, uuid(3), "192.0.2.1", "websocket", NOW, ("channels",), ("gossip",), ("Ana",))
        told = Told(uuid(3), "Alpha", "Ana", "Bo", "2026-01-01T00:00:00Z", "psst")
        self.assertCarried(audited, TicketIssued(Ticket(digest=bytes(range(32)), kind="visit")), joined, told)

    def test_numbers(self) -> None:
        """The messages of a group have the numbers up to the last one, in their order."""
        one, two = (MessageSaid("gossip", 0, None, "gossip", "system", text, NOW) for text in "ab")
        group = read(carried(written(PROTOCOL, "a", EPOCH, 1, [one, SessionLeft(1), two]), last=1042))
        self.assertEqual(group.entries, (replace(one, seq=1041), SessionLeft(1), replace(two, seq=1042)))

    def test_no_number(self) -> None:
        """Messages without a number are refused."""
        said = MessageSaid("gossip", 0, None, "gossip", "system", "a", NOW)
        with self.assertRaises(Malformed):
            read(carried(written(PROTOCOL, "a", EPOCH, 1, [said])))

    def test_equal_parts(self) -> None:
        """No two payloads of a group are equal: the database would deliver one of them only."""
        payloads = carried(written(PROTOCOL, "a", EPOCH, 1, [ChannelOpened("x" * 40_000)]))
        self.assertGreater(len(payloads), 4)
        self.assertEqual(len(set(payloads)), len(payloads))

    def test_later_release(self) -> None:
        """What a later release writes is known as a change or a relay; further fields are left out."""
        body = '[{"type":"GamePainted","colour":"red"},["Danced",1],["SessionLeft",5,"tired"]]'
        payload = f"1 a {EPOCH} 1 1/1 7 - {body}"
        self.assertEqual(read([payload]).entries, (Unknown(change=True), Unknown(change=False), SessionLeft(5)))

    def test_missing_part(self) -> None:
        """A group with a missing part is refused, and the next one is read."""
        first, second, third, *_ = carried(written(PROTOCOL, "a", EPOCH, 1, [ChannelOpened("x" * 40_000)]))
        whole = carried(written(PROTOCOL, "a", EPOCH, 2, [SessionLeft(1)]))
        for wrong in ((first, third), (second,), (first, second, second), (first, whole[0].replace("1/1", "2/2"))):
            parts = Parts()
            with self.assertRaises(Malformed):
                for payload in wrong:
                    parts.read(payload)
            group = parts.read(whole[0])
            assert group is not None
            self.assertEqual(group.entries, (SessionLeft(1),))

    @given(ENTRIES)
    def test_any_entries(self, entries: list[Entry]) -> None:
        """Any entries arrive as they were, in payloads that the database takes."""
        said = [number for number, entry in enumerate(entries) if isinstance(entry, MessageSaid)]
        payloads = carried(
            written(PROTOCOL, "a" * 20, EPOCH, 10**17, entries), last=2**62 if said else None, transaction=2**63
        )
        for payload in payloads:
            self.assertLessEqual(len(payload.encode()), PAYLOAD)
        for offset, number in enumerate(said):
            entry = entries[number]
            assert isinstance(entry, MessageSaid)
            entries[number] = replace(entry, seq=2**62 - len(said) + 1 + offset)
        self.assertEqual(read(payloads).entries, tuple(entries))

    @given(st.text(max_size=60) | st.from_regex(r"1 a [0-9a-f-]{36} 1 1/1 7 - .*"))
    def test_anything(self, payload: str) -> None:
        """Whatever a stranger notifies is read, or refused."""
        try:
            group = Parts().read(payload)
        except Malformed:
            return
        self.assertTrue(group is None or isinstance(group, Group))

    def test_protocol_1(self) -> None:
        """What nodes of the first version wrote, recorded from two of them, is understood."""
        lines = (Path(__file__).parent / "recorded" / "protocol_1.txt").read_text("utf-8").splitlines()
        groups = [read([line]) for line in lines]
        self.assertEqual({group.protocol for group in groups}, {1})
        entries = [entry for group in groups for entry in group.entries]
        self.assertEqual([entry for entry in entries if isinstance(entry, Unknown)], [])
        (said,) = [entry for entry in entries if isinstance(entry, MessageSaid)]
        self.assertEqual((said.seq, said.message), (1002, 'Hello, "w\u00f6rld"!'))
        alpha = next(entry for entry in entries if isinstance(entry, SessionJoined))
        self.assertEqual((alpha.players, alpha.channels), (("Alpha's player",), ("gossip",)))
