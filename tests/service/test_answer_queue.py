"""L{gossip.service.answer_queue}."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gossip.network.outputs import Close, Send
from gossip.network.session import Session
from gossip.protocol.errors import Error
from gossip.protocol.server_events import Success
from gossip.service.answer_queue import Answer, AnswersInOrder, Place


class AnswersInOrderTests(SynchronousTestCase):
    """Answers leave in the order of their requests."""

    def setUp(self) -> None:
        self.left: list[Answer] = []
        self.answers = AnswersInOrder(self.left.append)
        self.session = Session()

    def send(self, wire: str, session: Session | None = None) -> Send:
        return Send(session or self.session, Success(wire, None))

    def test_nothing_waits(self) -> None:
        """An answer leaves at once where nothing is waited for."""
        self.answers.answer(self.send("a"))
        self.assertEqual(self.left, [self.send("a")])
        self.assertEqual(self.answers.waiting(self.session), 0)

    def test_waits(self) -> None:
        """An answer that is waited for holds back those after it, a close too."""
        place = self.answers.keep(self.session)
        close = Close(self.session, 4000, Error.of("goodbye"))
        self.answers.answer(self.send("b"))
        self.answers.answer(close)
        self.assertEqual((self.left, len(self.answers)), ([], 2))
        place.answers.append(self.send("a"))
        self.answers.ready(place)
        self.assertEqual(self.left, [self.send("a"), self.send("b"), close])
        self.assertEqual(self.answers.waiting(self.session), 0)

    def test_only_the_session(self) -> None:
        """One session never waits for another."""
        other = Session()
        self.answers.keep(self.session)
        self.answers.answer(self.send("a", other))
        self.assertEqual(self.left, [self.send("a", other)])

    def test_ready_out_of_order(self) -> None:
        """A place that is ready first still waits for its turn."""
        first, second = self.answers.keep(self.session), self.answers.keep(self.session)
        second.answers.append(self.send("b"))
        self.answers.ready(second)
        self.assertEqual(self.left, [])
        first.answers.append(self.send("a"))
        self.answers.ready(first)
        self.assertEqual(self.left, [self.send("a"), self.send("b")])

    def test_held(self) -> None:
        """Places that are held are found again, the oldest first."""
        self.answers.hold(self.session)
        self.answers.hold(self.session)
        for wire in ("a", "b"):
            place = self.answers.held(self.session)
            place.answers.append(self.send(wire))
            self.answers.ready(place)
        self.assertEqual(self.left, [self.send("a"), self.send("b")])

    @given(st.lists(st.booleans(), max_size=20), st.randoms(use_true_random=False))
    def test_any_order(self, waits: list[bool], random: Random) -> None:
        """However the waiting ends, the answers leave in the order of the requests, once each."""
        self.setUp()
        open_places: list[tuple[Place, Send]] = []
        expected = []
        for number, wait in enumerate(waits):
            answer = self.send(str(number))
            expected.append(answer)
            if wait:
                open_places.append((self.answers.keep(self.session), answer))
            else:
                self.answers.answer(answer)
        random.shuffle(open_places)
        for place, answer in open_places:
            place.answers.append(answer)
            self.answers.ready(place)
        self.assertEqual(self.left, expected)
