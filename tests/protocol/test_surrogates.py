"""Lone surrogates in frames."""

from __future__ import annotations

from msgspec import Raw
from twisted.trial.unittest import SynchronousTestCase

from gossip.protocol.errors import MALFORMED
from gossip.protocol.events import UNECHOED, AchievementsSync, Malformed, PlayersSignIn, Unknown, Unreadable
from gossip.protocol.frames import decode
from tests.support.framing import text

R = Raw(b'"r"')


class SurrogateTests(SynchronousTestCase):
    """Strings that have a half of a pair of surrogates."""

    def test_lone_surrogates(self) -> None:
        """A lone surrogate is a wrong type in a field that counts, and nothing in one that does not."""
        for lone in (b"\\ud800", b"\\uDFFF", b"a\\ud83d\\ud83d\\ude00", b"\\ude00\\ud83d", b"\\\\\\ud800"):
            self.assertEqual(
                decode(text("players/sign-in", b'{"name":"%s"}' % lone)), Malformed("players/sign-in", R, MALFORMED)
            )
            signed_in = PlayersSignIn(R, "Ana")
            self.assertEqual(decode(text("players/sign-in", b'{"name":"Ana","x":"%s"}' % lone)), signed_in)
            self.assertEqual(decode(text("players/sign-in", b'{"name":"Ana","%s" :1}' % lone)), signed_in)
            self.assertEqual(decode(text("players/sign-in", b'{"%s":{},"name":"Ana"}' % lone)), signed_in)
            unknown = Unknown(Raw(b'"%s"' % lone), R)
            self.assertEqual(decode(b'{"event":"%s","ref":"r"}' % lone), unknown)
        self.assertEqual(decode(text("players/sign-in", b'"\\ud800"')), Malformed("players/sign-in", R, MALFORMED))
        self.assertEqual(
            decode(text("players/sign-in", b'{"name":"\\\\ud800"}')), PlayersSignIn(R, "\\ud800"), "no escape at all"
        )

    def test_lone_surrogates_in_refs(self) -> None:
        """A ref with lone surrogates comes back byte for byte, whatever else it has."""
        for ref in (
            b'"\\ud800"',
            b'["\\ud800", "a", "\\uDC00x"]',
            b'{"\\ud800" : "\\ud801"}',
            b'["-0.0e-77700","\\ud800"]',
            b'[-0.0e-77700,-0.0e-777000,"\\ud800",{"-0.0e-77701":"\\ud801"}]',
        ):
            self.assertEqual(decode(text("achievements/sync", ref=ref)), AchievementsSync(Raw(ref)))
        name = b'{"name":"-0.0e-77700","x":"\\ud800"}'
        self.assertEqual(decode(text("players/sign-in", name)), PlayersSignIn(R, "-0.0e-77700"))
        long = b'"%s"' % (b"\\ud800" * 43)
        self.assertEqual(decode(text("achievements/sync", ref=long)), Malformed("achievements/sync", UNECHOED))
        digits = b'[-0.0e-7770%s,"\\ud800"]' % (b"1" * 5000)
        self.assertEqual(decode(text("achievements/sync", ref=digits)), Malformed("achievements/sync", UNECHOED))

    def test_lone_surrogates_and_no_json(self) -> None:
        """A lone surrogate excuses nothing else that is no JSON."""
        for junk in (b'"\\ud800\x01"', b'"\\ud800\\x"', b'"\\ud8zz"', b'"\\ud800', b'"\\ud800" "', b'"\\ud800\\u12"'):
            self.assertEqual(decode(text("achievements/sync", ref=junk)), Unreadable(), junk)
