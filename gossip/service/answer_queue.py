"""The order of a session's answers: one that waits for a commit holds back those behind it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from gossip.network.outputs import Close, Send
from gossip.network.session import Session

Answer = Send | Close


class Place:
    """The place of a request whose answers are not ready."""

    __slots__ = ("answers", "ready", "session")

    def __init__(self, session: Session) -> None:
        self.session = session
        self.answers: list[Answer] = []
        self.ready = False


class AnswersInOrder:
    """
    Passes answers on in the order of the requests. A session has a queue here only while an answer of it is waited for.
    """

    def __init__(self, deliver: Callable[[Answer], None]) -> None:
        """
        @param deliver: where answers go when it is their turn.
        """
        self._deliver = deliver
        self._queues: dict[Session, deque[Place]] = {}
        self._held: dict[Session, deque[Place]] = {}

    def __len__(self) -> int:
        """How many places are kept, of all sessions."""
        return sum(map(len, self._queues.values()))

    def waiting(self, session: Session) -> int:
        """How many places of a session are kept."""
        return len(self._queues.get(session, ()))

    def is_first(self, place: Place) -> bool:
        """Whether a place that is kept is the first one of its session: whatever was asked before is answered."""
        return self._queues[place.session][0] is place

    def answer(self, answer: Answer) -> None:
        """An answer that is ready: it leaves at once, or after those that are waited for."""
        queue = self._queues.get(answer.session)
        if queue is None:
            self._deliver(answer)
        elif queue[-1].ready:
            queue[-1].answers.append(answer)
        else:
            place = Place(answer.session)
            place.answers.append(answer)
            place.ready = True
            queue.append(place)

    def keep(self, session: Session) -> Place:
        """Keep a place for answers to come."""
        place = Place(session)
        self._queues.setdefault(session, deque()).append(place)
        return place

    def hold(self, session: Session) -> None:
        """Keep a place that L{held} finds again."""
        self._held.setdefault(session, deque()).append(self.keep(session))

    def held(self, session: Session) -> Place:
        """The oldest place that was held for a session."""
        held = self._held[session]
        place = held.popleft()
        if not held:
            del self._held[session]
        return place

    def ready(self, place: Place) -> None:
        """All answers of a place are there: pass on whatever no longer waits."""
        place.ready = True
        queue = self._queues[place.session]
        while queue and queue[0].ready:
            for answer in queue.popleft().answers:
                self._deliver(answer)
        if not queue:
            del self._queues[place.session]
