"""Tests for logins by SHA-256, and for the lines of a login."""

from __future__ import annotations

import hashlib

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from twisted.trial.unittest import SynchronousTestCase

from gossip.registry.entities import Secret
from gossip.registry.secret import digest
from gossip.transports.imc2 import login
from gossip.transports.imc2.connection import REFUSED_SECONDS
from gossip.transports.imc2.limits import Imc2Settings
from gossip.transports.imc2.login import NUMBERS, Asking, Plain, Proved, read
from tests.support.imc2_games import Imc2TestCase, Mud

PROOFS = {
    285541677: "deeee895a70fb3189501c20fade8d9549da0a0b879a29f7ef46e985567d33c16",
    2113476289: "6113652851d16b1ea38fa625bbfad18ab587ce9bb0cd02f46813c010f155f362",
}
"""Transcript C of the specification: numbers, and the proofs that real clients made of them."""

NOT_USED = 'NOTICE Gossip "SHA-256 is not used here: type imcconfig localname Alpha, then imcconnect" x x'
WRONG = 'NOTICE Gossip "wrong key for Alpha: see https://gossip.example.org/connect" x x'


class LineTests(SynchronousTestCase):
    """The lines, without a connection."""

    def test_read(self) -> None:
        """Each form of login is read; what is none of them is nothing."""
        for line, wanted in (
            ("PW Alpha key version=2 autosetup word SHA256", Plain("Alpha", "key", "word", True)),
            ("PW Alpha key version=2 autosetup word", Plain("Alpha", "key", "word", False)),
            ("PW Alpha key version=2 autosetup SHA256", Plain("Alpha", "key", "SHA256", False)),
            ("PW Alpha key", Plain("Alpha", "key", "gossip", False)),
            ("SHA256-AUTH-REQ Alpha", Asking("Alpha")),
            ("SHA256-AUTH-RESP Alpha 0f version=2", Proved("Alpha", "0f")),
            ("SHA256-AUTH-RESP Alpha", None),
            ("PW Alpha", None),
            ("GET / HTTP/1.1", None),
            ("", None),
        ):
            self.assertEqual(read(line), wanted, line)

    def test_proofs(self) -> None:
        """A proof is the one that real clients make; the case of its digits does not matter."""
        keys = [Secret(b"", clear="clientpw0"), Secret(b""), Secret(b"", clear="clientpw1")]
        for number, proof in PROOFS.items():
            self.assertEqual(login.proof(number, "clientpw1", "serverpw1"), proof)
            mine = login.proof(number, "clientpw1")
            self.assertEqual(login.proved(number, mine.upper(), keys), "clientpw1")
            self.assertEqual(login.proved(number, mine, keys[:2]), "")
            self.assertEqual(login.proved(number + 1, mine, keys), "")

    @given(st.text())
    def test_anything(self, text: str) -> None:
        """No line and no proof raises, and what is written back of a name fits into a notice."""
        read(f"PW {text}")
        self.assertEqual(login.proved(1, text, [Secret(b"", clear="x")]), "")
        notice = login.notice("Gossip", f"wrong key for {login.shown(text)}")
        self.assertRegex(notice, '^NOTICE Gossip "[ -!#-&(-~]*" x x$')


class Sha256Tests(Imc2TestCase):
    """An operator that wants logins by SHA-256."""

    settings = Imc2Settings(listen=("tcp:4113",), sha256=True)

    def keep(self, *secrets: Secret) -> None:
        """Give Alpha these keys."""
        self.world.change("Alpha", secrets=(*self.world.game("Alpha").secrets[:1], *secrets))

    def setUp(self) -> None:
        super().setUp()
        self.keep(Secret(digest("clientpw1"), use="imc2", clear="clientpw1"))

    def asked(self, name: str = "Alpha") -> tuple[Mud, int]:
        """A MUD asks for a number, and gets it."""
        mud = self.mud()
        mud.name = name
        (answer,) = mud.say(f"SHA256-AUTH-REQ {name}")
        self.assertRegex(answer, "^SHA256-AUTH-INIT Gossip [0-9]+$")
        return mud, int(answer.split()[-1])

    def answer(self, mud: Mud, number: int, key: str = "clientpw1", word: str = "gossip") -> list[str]:
        """A MUD proves that it has a key, as its client does."""
        proof = hashlib.sha256(b"%d%b%b" % (number, key.encode(), word.encode())).hexdigest()
        return mud.say(f"SHA256-AUTH-RESP {mud.name} {proof} version=2")

    def test_plain(self) -> None:
        """A plain login is answered that the next one is to be by SHA-256, if that will work."""
        for line, more in (
            ("PW Alpha clientpw1 version=2 autosetup gossip SHA256", " SHA256-SET"),
            ("PW Alpha CLIENTPW1 version=2 autosetup gossip SHA256", " SHA256-SET"),
            ("PW Alpha clientpw1 version=2 autosetup gossip", ""),
        ):
            self.assertEqual(self.mud().say(line), [f"PW Gossip gossip version=2 GossipNet{more}"])
        # With another word in the configuration of the client, its proofs would be wrong.
        answers = self.mud().say("PW Alpha clientpw1 version=2 autosetup serverpw1 SHA256")
        self.assertEqual(answers, ["PW Gossip serverpw1 version=2 GossipNet"])

    def test_transcript(self) -> None:
        """Transcript C, from both sides: the number, the proof of it, and the welcome; then the MUD is in."""
        for number in PROOFS:
            self.factory.new_challenge = iter((number,)).__next__
            mud, got = self.asked()
            self.assertEqual(got, number)
            self.assertEqual(self.answer(mud, number), ["SHA256-AUTH-APPR Gossip GossipNet version=2"])
            self.assertTrue(mud.packet("*", "ice-refresh IMC@$"))

    def test_wrong(self) -> None:
        """A wrong proof is a wrong key: it gets the notice, the connection stays open, and it counts."""
        for wrong in ({"key": "clientpw2"}, {"word": "serverpw1"}):
            mud, number = self.asked()
            self.assertEqual(self.answer(mud, number, **wrong), [WRONG])
            self.assertFalse(mud.closed)
            self.clock.advance(REFUSED_SECONDS)
            self.assertTrue(mud.wire.aborted)
        for _ in range(18):
            mud, number = self.asked()
            self.answer(mud, number, "x")
            mud.wire.loseConnection()
        mud, number = self.asked()
        self.assertEqual(self.answer(mud, number), [WRONG])

    def test_replayed(self) -> None:
        """What somebody overheard is worth nothing: each connection has a number of its own, for one proof."""
        mud, number = self.asked()
        proof = login.proof(number, "clientpw1")
        other, another = self.asked()
        self.assertNotEqual(number, another)
        self.assertTrue(all(NUMBERS[0] <= each <= NUMBERS[1] for each in (number, another)))
        self.assertEqual(other.say(f"SHA256-AUTH-RESP Alpha {proof} version=2"), [WRONG])
        self.assertEqual(self.mud().say(f"SHA256-AUTH-RESP Alpha {login.proof(0, 'clientpw1')} version=2"), [NOT_USED])
        self.assertEqual(mud.say("SHA256-AUTH-REQ Alpha"), [NOT_USED])

    def test_older_key(self) -> None:
        """A key of which only the digest is kept goes on with plain logins."""
        self.keep(Secret(digest("old"), use="imc2"))
        self.assertEqual(self.mud().say("SHA256-AUTH-REQ Alpha"), [NOT_USED])
        answers = self.mud().say("PW Alpha old version=2 autosetup gossip SHA256")
        self.assertEqual(answers, ["PW Gossip gossip version=2 GossipNet"])

    def test_expired(self) -> None:
        """A key that was replaced works until its end; and no key of another use does."""
        end = self.clock.now().wall + 100
        new = Secret(digest("new"), use="imc2", clear="new")
        self.keep(new, Secret(digest("old"), end, "imc2", "old"), Secret(digest("other"), None, "i3", "other"))
        for key, works in (("new", True), ("old", True), ("other", False)):
            mud, number = self.asked()
            self.assertEqual(self.answer(mud, number, key) != [WRONG], works, key)
        self.clock.advance(100)
        mud, number = self.asked()
        self.assertEqual(self.answer(mud, number, "old"), [WRONG])
        self.keep(Secret(digest("old"), end, "imc2", "old"))
        self.assertEqual(self.mud().say("SHA256-AUTH-REQ Alpha"), [NOT_USED])

    def test_unknown(self) -> None:
        """Nothing tells apart games that are unknown and those that have no such key."""
        self.assertEqual(self.mud().say("SHA256-AUTH-REQ Nobody"), [NOT_USED.replace("Alpha", "Nobody")])
        self.assertEqual(self.mud().say("SHA256-AUTH-REQ Beta"), [NOT_USED.replace("Alpha", "Beta")])

    def test_off(self) -> None:
        """Without the setting, keys that are still kept in clear are not used for proofs."""
        mud, number = self.asked()
        self.factory.settings = replace(self.settings, sha256=False)
        self.assertEqual(self.answer(mud, number), [WRONG])
        self.assertEqual(self.mud().say("SHA256-AUTH-REQ Alpha"), [NOT_USED])
        answers = self.mud().say("PW Alpha clientpw1 version=2 autosetup gossip SHA256")
        self.assertEqual(answers, ["PW Gossip gossip version=2 GossipNet"])
