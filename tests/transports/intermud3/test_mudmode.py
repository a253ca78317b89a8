"""The codec of Intermud-3: vectors, round trips, what hostile peers send, and an independent reader."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gossip.transports.intermud3.mudmode import DEPTH, NUMERIC_KEYS, TOKENS, Frames, MudmodeError, frame, read, write
from tests.transports.intermud3 import strict

VECTORS: list[tuple[Any, str]] = [
    (123, "00 00 00 04 31 32 33 00"),
    (-1, "00 00 00 03 2d 31 00"),
    (1.5, "00 00 00 09 31 2e 35 30 30 30 30 30 00"),
    ([], "00 00 00 05 28 7b 7d 29 00"),
    ({}, "00 00 00 05 28 5b 5d 29 00"),
    ({"a": [1, 0]}, "00 00 00 12 28 5b 22 61 22 3a 28 7b 31 2c 30 2c 7d 29 2c 5d 29 00"),
    (
        'say "hi" \\ o/\nline2',
        "00 00 00 19 22 73 61 79 20 5c 22 68 69 5c 22 20 5c 5c 20 6f 2f 0d 6c 69 6e 65 32 22 00",
    ),
]

_TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0\r")).filter(lambda text: "\\\n" not in text)
_WHOLE = st.integers(-(10**20) + 1, 10**20 - 1)
_FLOATS = st.integers(-(10**9), 10**9).map(lambda number: number / 64)  # six digits are enough for these
_VALUES = st.recursive(
    _WHOLE | _FLOATS | _TEXTS,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(_WHOLE | _TEXTS, inner, max_size=5),
    max_leaves=30,
)


class ReadTests(SynchronousTestCase):
    """What is read from text."""

    def test_vectors(self) -> None:
        """The vectors of the specification, both ways."""
        for value, octets in VECTORS:
            with self.subTest(value=value):
                data = bytes.fromhex(octets)
                self.assertEqual(frame(value), data)
                self.assertEqual(read(data[4:]), value)

    def test_lenient(self) -> None:
        """White space, missing last commas, lone commas, missing values and the ends of old clients are understood."""
        for text, value in {
            " ({ 1 ,\r\n\t2 }) ": [1, 2],
            '({"a",})\r': ["a"],
            "({,})": [0],
            "({1,,2,})": [1, 0, 2],
            "([,])": {},
            '(["a":,"b":2])': {"a": 0, "b": 2},
            '(["a":])': {"a": 0},
            '([1:"one",-1.5:({}),])': {1: "one", -1.5: []},
            "1e+3": 1000.0,
            r'"\n\r\"\\\x"': 'nr"\\x',
            '"a\rb"': "a\nb",
            '"a\\\rb"': "a\rb",
        }.items():
            with self.subTest(text=text):
                self.assertEqual(read(text.encode()), value)
        self.assertEqual(read(b'"\x93caf\xe9\x94"\0'), "“café”")

    def test_refused(self) -> None:
        """What is no value is refused, and so is what is too deep or too large."""
        for text in (
            *("", " ", "-", "1.2.3", "1" * 21, "1.", "1e999", "1 2", "1,", ",", ":", "#", "x", '"', '"\\"', '({"a"'),
            *("({1 2,})", "({1:})", "({])", "})", "(/1,/)", "( {})", "({}),", "({", "(["),
            *("([1,])", "([1])", "([:1])", "([1:2:3,])", "([({}):1,])", '(["a":1 "b":2])', "([1::])", "([1:({]),])"),
            "({" * (DEPTH + 1) + "})" * (DEPTH + 1),
            "({" + "1," * TOKENS + "})",
            "({" + "," * TOKENS + "})",
            "([" + "".join(f"{key}:0," for key in range(NUMERIC_KEYS + 1)) + "])",
        ):
            with self.subTest(text=text[:40]):
                self.assertRaises(MudmodeError, read, text.encode())

    def test_limits_are_exact(self) -> None:
        """What is exactly at the limits is read."""
        deep: Any = 1
        for _ in range(DEPTH):
            deep = [deep]
        self.assertEqual(read(write(deep)), deep)
        self.assertEqual(len(read(b"({" + b"1," * (TOKENS - 2) + b"})")), TOKENS - 2)  # type: ignore[arg-type]
        self.assertEqual(read(b"9" * 20), 10**20 - 1)

    @given(st.binary() | st.text(st.sampled_from('(){}[]",:\\\r 1-.e')).map(str.encode))
    def test_any_bytes(self, data: bytes) -> None:
        """Any bytes are a value that can be written, or are refused."""
        try:
            value = read(data)
        except MudmodeError:
            return
        write(value)


class WriteTests(SynchronousTestCase):
    """What is written."""

    @given(_VALUES)
    def test_round_trip(self, value: Any) -> None:
        """What is written is read again, by the reader here and by an independent one."""
        data = write(value)
        self.assertEqual(read(data), value)
        self.assertEqual(strict.value(data + b"\0"), value)

    @given(st.text())
    def test_any_text(self, text: str) -> None:
        """Any text becomes valid UTF-8 without what harms drivers."""
        strict.value(write(text) + b"\0")

    def test_nothing_and_truth(self) -> None:
        """None, False and True are numbers, since LPC has nothing else."""
        self.assertEqual(write((None, False, True)), b"({0,0,1,})")

    def test_no_escaped_return(self) -> None:
        """A backslash at the end of a line gets a blank behind it."""
        self.assertEqual(write("a\\\nb\r\0"), b'"a\\\\ \rb"')

    def test_refused(self) -> None:
        """What LPC has no value for is an error of ours."""
        deep: Any = []
        for _ in range(DEPTH):
            deep = [deep]
        for value in (10**20, float("inf"), float("nan"), deep, {("a",): 1}):
            self.assertRaises(ValueError, write, value)
        self.assertRaises(TypeError, write, object())


class FramesTests(SynchronousTestCase):
    """Bytes become frames."""

    def test_in_any_pieces(self) -> None:
        """Frames are found however the bytes arrive."""
        stream = b"".join(frame(value) for value, _ in VECTORS)
        for size in (1, 3, 7, len(stream)):
            frames, found = Frames(100), []
            for at in range(0, len(stream), size):
                frames.receive(stream[at : at + size])
                while (data := frames.take()) is not None:
                    found.append(read(data))
            self.assertEqual(found, [value for value, _ in VECTORS])
            self.assertEqual(len(frames), 0)

    def test_refused_lengths(self) -> None:
        """An empty frame, one over the limit, and what is no frame are refused at once."""
        for head in (b"\0\0\0\0", b"\0\0\0\x0b", b"\0\x20\0\1", b"\1\0\0\0", b"GET / HTTP/1.1", b"\x16\x03\x01\x02"):
            frames = Frames(10)
            frames.receive(head)
            self.assertRaises(MudmodeError, frames.take)

    def test_limit_of_the_next_frame(self) -> None:
        """A new limit counts from the next frame, also in the same read."""
        frames = Frames(4)
        frames.receive(frame(123) + frame("longer"))
        self.assertEqual(frames.take(), b"123\0")
        frames.limit = 100
        self.assertEqual(frames.take(), b'"longer"\0')
        self.assertIsNone(frames.take())
