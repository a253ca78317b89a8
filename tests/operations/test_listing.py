"""Lists in pages, and in slices of work."""

from __future__ import annotations

import shlex

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.trial.unittest import SynchronousTestCase

from gossip.operations.accounts import AccountList
from gossip.operations.channels import ChannelList
from gossip.operations.executor import Executor
from gossip.operations.filters import FilterList
from gossip.operations.games import GameList
from gossip.operations.listing import SLICE, Listing, rest
from gossip.operations.operation import Occasion
from gossip.registry.changes import AccountSaved, ChannelSaved, FilterSaved, GameSaved, RestrictionSet
from gossip.registry.entities import Account, Channel, Filter, Game, Restriction
from gossip.registry.registry import Registry
from tests.support.memory_service import MemoryService
from tests.support.operations import AdminTestCase
from tests.support.world import NOW, uuid

ON = Occasion(NOW, lambda: "", "unix:ana")


class ListingTests(SynchronousTestCase):
    """Each of the lists that can be long."""

    def setUp(self) -> None:
        self.registry = Registry()

    def names(self, listing: Listing) -> list[str]:
        _, result = listing.perform(self.registry, ON)
        return [each.get("name") for each in result[listing.entries]]

    def test_pages(self) -> None:
        """The pages of a list, each after the one before, are the whole list in order; the last one says so."""
        for number in range(25):
            name = f"{'aB'[number % 2]}{number:02}"
            self.registry.enact(ChannelSaved(Channel(name)))
            self.registry.enact(AccountSaved(Account(name=name)))
            self.registry.enact(GameSaved(Game(client_id=uuid(number), short_name=name, name=name, secrets=())))
        for kind in (ChannelList, AccountList, GameList):
            whole = self.names(kind())
            self.assertEqual(whole, sorted(whole, key=str.lower))
            pages: list[str] = []
            after = ""
            for left in (15, 5, 0):
                _, result = kind(after=after, limit=10).perform(self.registry, ON)
                self.assertEqual((result["left"], result["total"], result["next"] is None), (left, 25, not left))
                pages.extend(each["name"] for each in result[kind.entries])
                after = result["next"]
            self.assertEqual(pages, whole)
            self.assertEqual(self.names(kind(match="B0")), ["B01", "B03", "B05", "B07", "B09"])

    def test_filters(self) -> None:
        """The filters of a text, for one channel each and for all, come one after the other, over several pages."""
        for text in ("a", "a b", "ab"):
            for channel in ("", "gossip"):
                self.registry.enact(
                    FilterSaved(Filter(text=text, channel=channel, reason="-", set_by="ana", set_at=NOW))
                )
        told: list[str] = []
        after = ""
        for left in (4, 2, 0):
            _, result = FilterList(after=after, limit=2).perform(self.registry, ON)
            self.assertEqual(result["left"], left)
            told.extend(f"{each['text']}@{each['channel']}" for each in result["filters"])
            after = result["next"]
        self.assertEqual(told, ["a@None", "a b@None", "a b@gossip", "a@gossip", "ab@None", "ab@gossip"])
        self.assertEqual(len(FilterList(match="goss").perform(self.registry, ON)[1]["filters"]), 3)

    def test_case(self) -> None:
        """No channel is lost between two pages because its name differs from another one only in case."""
        for name in ("abc", "ABC", "aBc"):
            self.registry.enact(ChannelSaved(Channel(name)))
        first = ChannelList(limit=1).perform(self.registry, ON)[1]
        second = ChannelList(limit=1, after=first["next"]).perform(self.registry, ON)[1]
        third = ChannelList(limit=1, after=second["next"]).perform(self.registry, ON)[1]
        told = [page["channels"][0]["name"] for page in (first, second, third)]
        self.assertEqual((sorted(told), third["next"]), (["ABC", "aBc", "abc"], None))

    def test_view(self) -> None:
        """People see how to get the next page, if there is one."""
        self.assertEqual(rest({"left": 0, "next": None}), ())
        self.assertEqual(rest({"left": 7, "next": "abc"}), ("7 more: --after 'abc'",))
        [shown] = rest({"left": 7, "next": "don't "})
        self.assertEqual(shlex.split(str(shown)), ["7", "more:", "--after", "don't "])

    def test_slices(self) -> None:
        """A long list is made in slices, and what was listed meanwhile does not disturb it."""
        for number in range(3 * SLICE):
            self.registry.enact(ChannelSaved(Channel(f"c{number:05}")))
        work = ChannelList(limit=2, after="c00001").work(self.registry, ON)
        steps = 0
        while True:
            try:
                next(work)
            except StopIteration as done:
                result = done.value
                break
            steps += 1
            self.registry.enact(ChannelSaved(Channel(f"new{steps}")))
            self.registry.channels.pop("c00000", None)
        self.assertEqual(steps, 3)
        self.assertEqual([each["name"] for each in result["channels"]], ["c00001", "c00002"])
        self.assertEqual(result["total"], 3 * SLICE)


class RestrictionListTests(AdminTestCase):
    """Mutes and bans, the latest first."""

    def test_pages(self) -> None:
        """They come in pages, without those that are over."""
        for number in range(5):
            subject = f"192.0.2.{number}"
            until = NOW if number == 2 else None
            restriction = Restriction(
                kind="mute", subject=subject, until=until, reason="Spam", set_by="ana", set_at=NOW - number
            )
            self.registry.enact(RestrictionSet(restriction))
        first = self.perform("mute/list", limit=3)
        second = self.perform("mute/list", limit=3, after=first["next"])
        told = [each["who"] for page in (first, second) for each in page["mutes"]]
        self.assertEqual(told, ["192.0.2.0", "192.0.2.1", "192.0.2.3", "192.0.2.4"])
        self.assertEqual((first["left"], second["left"]), (1, 0))


class ExecutorTests(SynchronousTestCase):
    """The daemon makes lists between other work."""

    def test_turns(self) -> None:
        """Each slice has a turn of the reactor of its own; a short list needs only one."""
        service = MemoryService()
        executor = Executor(service, service.store, maybeDeferred)
        self.successResultOf(Deferred.fromCoroutine(executor.carry_out(ChannelList(), "unix:ana")))
        for number in range(2 * SLICE):
            service.network.registry.enact(ChannelSaved(Channel(f"c{number}")))
        asked = Deferred.fromCoroutine(executor.carry_out(ChannelList(limit=1), "unix:ana"))
        self.assertNoResult(asked)
        service.clock.advance(0)
        self.assertEqual(self.successResultOf(asked)["left"], 2 * SLICE - 1)
