"""L{gossip.service.bounded_log}."""

from __future__ import annotations

from functools import partial

from twisted.logger import LogEvent, Logger, LogPublisher, formatEvent
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from gossip.service.bounded_log import BURST, KINDS, LISTED, BoundedLog, Frequent


class FrequentTests(SynchronousTestCase):
    """A line that may come thousands of times a second."""

    def setUp(self) -> None:
        self.items: list[str] = []
        self.frequent = Frequent(self.items.append)

    def test_few(self) -> None:
        """Some lines a second are written at once."""
        for _ in range(2):
            for number in range(BURST):
                self.frequent.add(f"Game{number}".title)
            self.assertEqual(self.items, [f"Game{number}" for number in range(BURST)])
            self.frequent.tick()
            self.items.clear()

    def make(self, made: list[int], number: int) -> str:
        made.append(number)
        return f"Game{number}"

    def test_many(self) -> None:
        """Of more, some are listed and the others counted, in one line; the text of the others is not even made."""
        made: list[int] = []
        for number in range(1000):
            self.frequent.add(partial(self.make, made, number))
        self.assertEqual(len(made), BURST + LISTED)
        self.frequent.tick()
        listed = ", ".join(f"Game{number}" for number in range(BURST, BURST + LISTED))
        self.assertEqual(self.items[BURST:], [f"{listed} and {1000 - BURST - LISTED} more"])
        self.frequent.tick()
        self.assertEqual(len(self.items), BURST + 1)


class BoundedLogTests(SynchronousTestCase):
    """What is written of what is logged."""

    def setUp(self) -> None:
        self.events: list[LogEvent] = []
        self.log = BoundedLog(self.events.append)
        self.logger = Logger("gossip.tests", observer=self.log)

    def lines(self) -> list[str]:
        """What was written since the last look."""
        lines = [formatEvent(event) for event in self.events]
        self.events.clear()
        return lines

    def test_few(self) -> None:
        """A few lines are written at once and as they are, whatever they are about."""
        for number in range(BURST):
            self.logger.info("joined: {item}", item=number)
            self.logger.info("{line}", line=f"line {number}")
        self.assertEqual(len(self.lines()), 2 * BURST)
        self.log.tick()
        self.assertEqual(self.lines(), [])

    def test_items(self) -> None:
        """Of many, some are listed and the others counted, in one line."""
        for number in range(5000):
            self.logger.info("joined: {item}", item=f"Game{number}")
        self.assertEqual(len(self.lines()), BURST)
        self.log.tick()
        (line,) = self.lines()
        listed = ", ".join(f"Game{number}" for number in range(BURST, BURST + LISTED))
        self.assertEqual(line, f"joined: {listed} and {5000 - BURST - LISTED} more")

    def test_addresses(self) -> None:
        """The addresses are listed once each."""
        for number in range(1000):
            self.logger.info("refused {what} of {peer}", what=number, peer=f"192.0.2.{number % 3}")
        self.lines()
        self.log.tick()
        self.assertEqual(
            self.lines(),
            [f"refused 999 of 192.0.2.0 ({1000 - BURST} like this, from 192.0.2.1, 192.0.2.2, 192.0.2.0)"],
        )

    def test_one_a_second(self) -> None:
        """A kind that goes on has one line a second; after a rest, a few are written as they are again."""
        for _ in range(100):
            for _ in range(50):
                self.logger.info("cut off: {peer}", peer="192.0.2.1")
            self.log.tick()
        self.assertEqual(len(self.lines()), BURST + 100)
        for _ in range(BURST + 1):
            self.log.tick()
        self.assertEqual(self.lines(), [])
        for _ in range(BURST):
            self.logger.info("cut off: {peer}", peer="192.0.2.1")
        self.assertEqual(self.lines(), ["cut off: 192.0.2.1"] * BURST)

    def test_last(self) -> None:
        """A single line that waited is written as it is."""
        for number in range(BURST + 1):
            self.logger.info("cut off: {peer}", peer=number)
        self.lines()
        self.log.tick()
        self.assertEqual(self.lines(), [f"cut off: {BURST}"])

    def test_kinds(self) -> None:
        """One kind takes nothing from another, even of the same text at another level."""
        for _ in range(100):
            self.logger.info("cut off: {peer}", peer="192.0.2.1")
        self.lines()
        self.logger.error("cut off: {peer}", peer="192.0.2.1")
        self.logger.info("read the configuration again")
        self.assertEqual(self.lines(), ["cut off: 192.0.2.1", "read the configuration again"])

    def test_failures(self) -> None:
        """Tracebacks are bounded like lines, and the first are whole."""
        for number in range(100):
            try:
                raise ValueError(number)
            except ValueError:
                self.logger.failure("a session failed", Failure())
        self.assertEqual([type(event["log_failure"]) for event in self.events], [Failure] * BURST)
        self.lines()
        self.log.tick()
        self.assertEqual(self.lines(), [f"a session failed ({100 - BURST} like this)"])

    def test_other_programs(self) -> None:
        """What is nothing but a text is of a kind with the same text with other numbers."""
        publisher = LogPublisher(self.log)
        for number in range(1000):
            publisher({"log_format": "{log_text}", "log_text": f"Unhandled {number}", "log_namespace": "log_legacy"})
            publisher({"isError": 0, "log_namespace": "log_legacy"})
        self.assertEqual(len(self.lines()), 2 * BURST)

    def test_many_kinds(self) -> None:
        """Kinds without end take no memory without end, and write no lines without end."""
        for number in range(10 * KINDS):
            word = "".join(chr(ord("a") + int(digit)) for digit in str(number))
            self.logger.info("{text}", text=f"a stranger says {word}")
        self.assertLessEqual(len(self.lines()), KINDS + BURST)
        self.assertLessEqual(len(self.log._kinds), KINDS + 1)

    def test_forgotten(self) -> None:
        """A kind that rests is forgotten."""
        self.logger.info("once")
        for _ in range(2):
            self.log.tick()
        self.assertEqual(self.log._kinds, {})

    def test_autobahn(self) -> None:
        """Autobahn's lines about bad peers are left out, its errors are not."""
        autobahn = Logger("autobahn.websocket.protocol", observer=self.log)
        autobahn.warn("dropping connection to peer")
        autobahn.error("went wrong")
        self.assertEqual(self.lines(), ["went wrong"])
