"""L{gossip.cli.http}: answers as they come from a socket, whole and broken off."""

from __future__ import annotations

from io import BytesIO

from twisted.trial.unittest import SynchronousTestCase

from gossip.cli.http import Answer, BadAnswer


class AnswerTests(SynchronousTestCase):
    """Bytes that a daemon may send."""

    def test_body(self) -> None:
        """A body has its length, or ends with the connection; what comes after its length is not its."""
        for head, body in (
            ("Content-Length: 5", b"hello"),
            ("content-length:5\r\nX: y", b"hello"),
            ("X: y", b"hello!!"),
        ):
            answer = Answer(BytesIO(f"HTTP/1.1 404 Not Found\r\n{head}\r\n\r\nhello!!".encode()))
            self.assertEqual((answer.status, answer.reason), (404, "Not Found"))
            self.assertEqual(b"".join(answer.chunks()), body)

    def test_large(self) -> None:
        """A large body comes in pieces."""
        answer = Answer(BytesIO(b"HTTP/1.0 200\r\nContent-Length: 200000\r\n\r\n" + bytes(200_000)))
        pieces = list(answer.chunks())
        self.assertEqual((sum(map(len, pieces)), max(map(len, pieces))), (200_000, 65536))

    def test_lines(self) -> None:
        """Lines come one by one."""
        self.assertEqual(list(Answer(BytesIO(b"HTTP/1.0 200 OK\n\none\ntwo\n")).lines()), [b"one\n", b"two\n"])

    def test_broken_off(self) -> None:
        """An answer that ends too early, or is none, is not taken for one."""
        for said in (b"", b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nX: y", b"x" * 100_000):
            self.assertRaises(BadAnswer, Answer, BytesIO(said))
        answer = Answer(BytesIO(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"))
        self.assertRaises(BadAnswer, list, answer.chunks())
