"""L{gossip.protocol.sign_extended}: texts of a client that extends the sign of each byte."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gossip.protocol.sign_extended import mended, text


def extended(meant: str) -> str:
    """What CoffeeMud makes of a text."""
    return "".join(chr(0xFF00 | byte) if byte > 0x7F else chr(byte) for byte in meant.encode())


class TextTests(SynchronousTestCase):
    """Single texts."""

    @given(st.text())
    def test_any(self, meant: str) -> None:
        """Every text comes back from its sign-extended bytes."""
        self.assertEqual(text(extended(meant)), meant)

    @given(st.text(st.characters(exclude_categories=["Cs"], max_codepoint=0xFF7F)))
    def test_others(self, given: str) -> None:
        """A text of other characters is the same."""
        self.assertEqual(text(given), given)

    def test_mixed(self) -> None:
        """A text of which a part is something else, or whose bytes are no UTF-8, is the same."""
        for odd in ("\uffc3\uffbc ü", "\uffc3", "\uff90\uff84\uff9e", "\uffc3\uffbc\U0001f600", "\uffc3\uffbc\uff7f"):
            self.assertEqual(text(odd), odd)


class FrameTests(SynchronousTestCase):
    """Whole frames."""

    def test_as_given(self) -> None:
        """The bytes that were seen in the field."""
        seen = rb'{"event":"channels/send","ref":"r","payload":{"name":"Ana","message":"\uffc3\uffbc"}}'
        meant = {"event": "channels/send", "ref": "r", "payload": {"name": "Ana", "message": "ü"}}
        self.assertEqual(msgspec.json.decode(mended(seen)), meant)

    def test_lists(self) -> None:
        """Names in lists are mended too; the ref is echoed as it came."""
        seen = rb'{"ref":"\uffc3\uffbc","payload":{"players":["\uFFC3\uFFB6","x",1.5,null,true]}}'
        meant = rb'{"ref":"\uffc3\uffbc","payload":{"players":["' + "ö".encode() + rb'","x",1.5,null,true]}}'
        self.assertEqual(mended(seen), meant)

    @given(st.binary() | st.text().map(str.encode))
    def test_any(self, frame: bytes) -> None:
        """What cannot be read is the same, and so is what has no such escapes."""
        self.assertEqual(mended(frame), frame)
        for odd in (frame + rb"\uffc3", rb'{"payload":' + frame + rb'"\uffc3"'):
            self.assertEqual(mended(odd), odd)

    def test_odd(self) -> None:
        """Nothing that can be sent raises anything."""
        deep = b"[" * 2000 + b"]" * 2000
        for odd in (
            rb'["\uffc3"]',
            rb'{"event":"\uffc3"}',
            rb'{"payload":' + deep + rb',"x":"\uffc3"}',
            rb'{"payload":[123456789012345678901234567890,"\uffc3\uffbc"]}',
        ):
            self.assertIsInstance(mended(odd), bytes)
