"""
Answers to queries: written piece by piece, in turns, and no faster than they are read.

An answer about a thousand games would keep everybody else waiting, and an asker that does not read would fill the
memory. So one turn of the reactor writes a bounded number of pieces, sessions take turns, and a session gets nothing
more until it has read what it got.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from msgspec.structs import replace
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from gossip.network.outputs import ListChannels, Send
from gossip.network.session import Session, Situation
from gossip.protocol.server_events import AchievementsSynced, GamesStatusAnswer, PlayersStatusAnswer
from gossip.service.answer_queue import AnswersInOrder, Place
from gossip.service.interfaces import IConnection

PIECE: Final = 50
"""About how much one piece of an answer weighs, in the units of L{Told <gossip.protocol.events.Told>}."""

PIECES_A_TURN: Final = 10
"""At most this many pieces are written in one turn of the reactor."""

UNREAD_SECONDS: Final = 0.02
"""After this many seconds, sessions that have not read everything are looked at again."""

_QUERIES: Final = (GamesStatusAnswer, PlayersStatusAnswer, AchievementsSynced)
"""The answers that can be much larger than their questions, and are not rate limited by the size of a message."""


class LongAnswers:
    """Writes the answers to queries that are long, and those to sessions that have not read what they got before."""

    def __init__(
        self,
        clock: IReactorTime,
        connections: Mapping[Session, IConnection],
        answers: AnswersInOrder,
        deliver: Callable[[Send], None],
        done: Callable[[Place], None],
    ) -> None:
        """
        @param connections: the connection of each session.
        @param answers: tells when it is the turn of a place.
        @param deliver: where each piece goes.
        @param done: called when all pieces of an answer were delivered.
        """
        self._clock = clock
        self._connections = connections
        self._answers = answers
        self._deliver = deliver
        self._done = done
        self._asked: dict[Session, deque[tuple[Place, Iterator[Send]]]] = {}
        self._turns: deque[Session] = deque()
        self._unread: list[Session] = []
        self._next: IDelayedCall | None = None
        self._look_again: IDelayedCall | None = None

    def takes(self, answer: Send) -> bool:
        """Whether an answer is to be written here."""
        event = answer.event
        if not isinstance(event, _QUERIES):
            return False
        connection = self._connections.get(answer.session)
        if connection is not None and connection.unsent:
            return True
        return not isinstance(event, AchievementsSynced) and sum(game.weight for game in event.games) > PIECE

    def add(self, place: Place, pieces: Iterator[Send]) -> None:
        """Write the pieces of an answer when it is its turn. Each is made when it is written."""
        session = place.session
        asked = self._asked.get(session)
        if asked is None:
            asked = self._asked[session] = deque()
            self._turns.append(session)
        asked.append((place, pieces))
        self._schedule()

    def lost(self, session: Session) -> None:
        """A session's connection is gone: nobody waits for its answers."""
        for place, _ in self._asked.pop(session, ()):
            self._done(place)

    def _schedule(self) -> None:
        if self._turns and self._next is None:
            self._next = self._clock.callLater(0, self._turn)
        if self._unread and self._look_again is None:
            self._look_again = self._clock.callLater(UNREAD_SECONDS, self._look)

    def _turn(self) -> None:
        self._next = None
        for _ in range(PIECES_A_TURN):
            if not self._turns:
                break
            session = self._turns.popleft()
            asked = self._asked.get(session)
            if asked is None:
                continue
            if self._must_wait(session, asked[0][0]):
                self._unread.append(session)
                continue
            self._write(session, asked)
        self._schedule()

    def _look(self) -> None:
        self._look_again = None
        self._turns.extend(self._unread)
        self._unread.clear()
        self._schedule()

    def _must_wait(self, session: Session, place: Place) -> bool:
        if not self._answers.is_first(place):
            return True
        connection = self._connections.get(session)
        # A session that has ended is about to be cut off, once its last answers are written.
        return connection is not None and session.situation is Situation.ACTIVE and connection.unsent > 0

    def _write(self, session: Session, asked: deque[tuple[Place, Iterator[Send]]]) -> None:
        place, pieces = asked[0]
        piece = next(pieces, None)
        if piece is not None:
            self._deliver(piece)
        else:
            asked.popleft()
            self._done(place)
        if asked:
            self._turns.append(session)
        else:
            self._asked.pop(session, None)


def pieces_of(answer: Send) -> Iterator[Send]:
    """The parts of an answer, each with about a L{PIECE} of it."""
    event = answer.event
    if not isinstance(event, GamesStatusAnswer | PlayersStatusAnswer):
        yield answer
        return
    games, start, weight = event.games, 0, 0
    for end, game in enumerate(games, 1):
        weight += game.weight
        if weight >= PIECE or end == len(games):
            part = replace(event, games=games[start:end], before=event.before + start, more=end < len(games))
            yield Send(answer.session, part)
            start, weight = end, 0


def pieces_of_list(asked: ListChannels, make: Callable[[ListChannels, int], Send]) -> Iterator[Send]:
    """
    The parts of a list of channels.

    @param make: makes the part with this number.
    """
    return (make(asked, number) for number in range(len(asked.parts)))
