"""L{gossip.web.http.download}: a file goes out as fast as it is taken, and no faster."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.test.requesthelper import DummyRequest

from gossip.web.http.download import CHUNK, Download

WHOLE = bytes(range(256)) * (CHUNK // 100)


class DownloadTests(SynchronousTestCase):
    """A request for a file of some chunks, with a thread that reads when the test says so."""

    def setUp(self) -> None:
        request: Any = DummyRequest([b""])
        self.request = request
        self.producers: list[Any] = []
        request.registerProducer = lambda producer, streaming: self.producers.append(producer)
        request.unregisterProducer = self.producers.clear
        self.file = BytesIO(WHOLE)
        self.asked: list[tuple[Deferred[Any], Any]] = []
        self.download = Download(request, self.file, self.in_thread)
        self.download.start()

    def in_thread(self, *call: Any) -> Deferred[Any]:
        done: Deferred[Any] = Deferred()
        self.asked.append((done, call))
        return done

    def read(self) -> None:
        """The thread does what it was asked for."""
        ((done, (function, *arguments)),) = self.asked
        self.asked.clear()
        done.callback(function(*arguments))

    def written(self) -> bytes:
        return b"".join(self.request.written)

    def test_whole(self) -> None:
        """The whole file is sent, chunk by chunk; then it is closed."""
        self.assertEqual(self.request.responseHeaders.getRawHeaders(b"content-length"), [b"%d" % len(WHOLE)])
        chunks = 0
        while self.asked:
            self.read()
            chunks += 1
        self.assertEqual((self.written(), chunks), (WHOLE, -(-len(WHOLE) // CHUNK) + 1))
        self.assertEqual((self.request.finished, self.producers, self.file.closed), (1, [], True))

    def test_paused(self) -> None:
        """At most one chunk is read for a reader that takes nothing."""
        (producer,) = self.producers
        producer.pauseProducing()
        self.read()
        self.assertEqual((len(self.written()), self.asked), (CHUNK, []))
        producer.resumeProducing()
        producer.resumeProducing()
        self.assertEqual(len(self.asked), 1)

    def test_gone(self) -> None:
        """A reader that goes away ends it, once the thread is done with the file."""
        self.request.processingFailed(Failure(ConnectionDone()))
        self.assertFalse(self.file.closed)
        self.read()
        self.assertEqual((self.file.closed, self.asked, self.written()), (True, [], b""))

    def test_unreadable(self) -> None:
        """A file that cannot be read ends the connection, so that nobody takes it for whole."""
        ended: list[bool] = []
        self.request.loseConnection = lambda: ended.append(True)
        done, _ = self.asked.pop()
        done.errback(Failure(OSError("the disk is gone")))
        self.assertEqual(len(self.flushLoggedErrors(OSError)), 1)
        self.assertEqual((ended, self.file.closed, self.request.finished), ([True], True, 0))
