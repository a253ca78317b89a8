"""L{gossip.operations.sessions}: the live sessions, in pages and in slices."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from gossip.network.presence import Online
from gossip.network.session import Situation
from gossip.operations.listing import PAGE, SLICE
from gossip.operations.sessions import SessionList, sessions_of
from tests.support.memory_service import MemoryService
from tests.support.turns import CountingService
from tests.support.world import NOW


class Watched:
    """An address that notes when somebody reads it."""

    def __init__(self, number: int, read: set[object]) -> None:
        self._number = number
        self._read = read

    def __str__(self) -> str:
        self._read.add(self._number)
        return f"192.0.2.{self._number % 256}"


class SessionListTests(SynchronousTestCase):
    """The live sessions."""

    def setUp(self) -> None:
        self.service = MemoryService()

    def page(self, **asked: Any) -> dict[str, Any]:
        """A page that needs no turn of the reactor."""
        made = Deferred.fromCoroutine(self.service.in_slices(SessionList(**asked).work(self.service)))
        return self.successResultOf(made)

    def test_pages(self) -> None:
        """Pages follow each other, by game and then by time, also if sessions joined at the same moment."""
        for game in ("Gamma", "Alpha", "Beta"):
            for second in (2, 1, 1):
                self.service.join(game).opened_at = NOW + second
        whole = self.page()
        self.assertEqual((len(whole["sessions"]), whole["total"], whole["left"], whole["next"]), (9, 9, 0, None))
        order = [(each["game"], each["since"][-4:]) for each in whole["sessions"]]
        self.assertEqual(order, sorted(order))
        pages, after = [], ""
        for left in (5, 1, 0):
            page = self.page(limit=4, after=after)
            self.assertEqual(page["left"], left)
            pages += page["sessions"]
            after = page["next"]
        self.assertEqual(pages, whole["sessions"])
        self.assertEqual([each["game"] for each in self.page(match=" BET ")["sessions"]], ["Beta"] * 3)
        self.assertEqual(sessions_of(self.service, self.service.world.game("Beta").client_id), whole["sessions"][3:6])
        self.assertEqual(sessions_of(self.service, self.service.world.game("Delta").client_id), [])

    def test_slices(self) -> None:
        """With 3,000 sessions no turn of the reactor looks at more than a slice, and none shows more than one."""
        self.service = service = CountingService()
        online = Online(service.world.game("Alpha"), NOW, set())
        for number in range(3000):
            session = service.connect()
            session.situation, session.online = Situation.ACTIVE, online
            watched: Any = Watched(number, service.looked)
            session.peer = watched
        service.counted()
        for limit, shown in ((PAGE, [SLICE, SLICE]), (1, [1])):
            asked = SessionList(match="192.0", limit=limit)
            made = Deferred.fromCoroutine(service.in_slices(asked.work(service)))
            self.assertNoResult(made)
            service.clock.advance(0)
            page = self.successResultOf(made)
            self.assertEqual((len(page["sessions"]), page["total"], page["left"]), (limit, 3000, 3000 - limit))
            self.assertEqual(service.counted(), [SLICE] * 6 + shown)
