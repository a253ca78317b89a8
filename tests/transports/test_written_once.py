"""Tests for what is written once for many connections."""

from __future__ import annotations

from msgspec import Raw
from twisted.trial.unittest import SynchronousTestCase

from gossip.protocol.server_events import ChannelsBroadcast
from gossip.transports.written_once import REMEMBERED, WrittenOnce


class WrittenOnceTests(SynchronousTestCase):
    """How often events are written."""

    def test_in_turn(self) -> None:
        """Each event of a turn is written once, however many connections hear it; equal events are not one."""
        once = WrittenOnce()
        written: list[None] = []

        def write() -> bytes:
            written.append(None)
            return b"%d" % len(written)

        events = [ChannelsBroadcast(Raw(b'"r"'), "gossip", "Alpha", "Ana", "hi") for _ in range(4)]
        for _ in range(10):
            self.assertEqual([once.written(event, write) for event in events], [b"1", b"2", b"3", b"4"])
        for _ in range(REMEMBERED * 2):
            once.written(ChannelsBroadcast(Raw(b'"r"'), "gossip", "Alpha", "Ana", "hi"), write)
        self.assertLessEqual(len(once._written), REMEMBERED)
