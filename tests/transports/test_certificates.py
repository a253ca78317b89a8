"""L{gossip.transports.certificates}."""

from __future__ import annotations

import contextlib
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from OpenSSL import SSL
from twisted.logger import globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from gossip.transports.certificates import LOOK_SECONDS, CertificateError, Certificates, CertificateWatch, PemFiles
from tests.support.certificate import Signed, signed
from tests.support.clock import Clock
from tests.support.world import NOW

_DAY = 86400


def handshake(certificates: Certificates, name: bytes | None = None, offered: tuple[bytes, ...] = ()) -> SSL.Connection:
    """
    The client's side of a finished handshake in memory.

    @param name: the name that the client asks for.
    @param offered: the protocols that it offers by ALPN.
    """
    server = certificates.serverConnectionForTLS(None)
    server.set_accept_state()
    client = SSL.Connection(SSL.Context(SSL.TLS_METHOD))
    client.set_connect_state()
    if name is not None:
        client.set_tlsext_host_name(name)
    if offered:
        client.set_alpn_protos(list(offered))
    done = 0
    while done < 2:
        done = 0
        for side, other in ((client, server), (server, client)):
            try:
                side.do_handshake()
                done += 1
            except SSL.WantReadError:
                pass
            with contextlib.suppress(SSL.WantReadError):
                other.bio_write(side.bio_read(1 << 16))
    return client


def subject(certificates: Certificates, name: bytes | None = None) -> str:
    """The subject of the certificate that a client gets."""
    found = handshake(certificates, name).get_peer_certificate(as_cryptography=True)
    assert found is not None
    return found.subject.rfc4514_string().removeprefix("CN=")


class CertificateTestCase(SynchronousTestCase):
    """Tests with a directory for certificates."""

    def setUp(self) -> None:
        self.directory = Path(self.mktemp())
        self.directory.mkdir()

    def write(self, name: str, *parts: bytes) -> str:
        """Write a file; returns its path."""
        path = self.directory / name
        path.write_bytes(b"".join(parts))
        return str(path)

    def write_pair(self, name: str, made: Signed) -> str:
        """Write a file with a key and its certificate; returns its path."""
        return self.write(name, made.key, made.pem)

    def all(self) -> Certificates:
        """The certificates in the directory."""
        return Certificates(PemFiles(str(self.directory)))

    def assertRefused(self, text: str, *paths: str) -> None:
        """Files do not make certificates, for this reason."""
        error = self.assertRaises(CertificateError, Certificates, PemFiles(*paths))
        self.assertIn(text, str(error))


class ChoiceTests(CertificateTestCase):
    """Which certificate, and which protocol, a client gets."""

    def test_names(self) -> None:
        """A client gets the certificate of the name that it asks for, whatever the case; also by a wildcard."""
        self.write_pair("b.pem", signed("b.example", "also.example"))
        self.write_pair("c.pem", signed("c.example", "*.c.example"))
        certificates = self.all()
        for asked, got in (
            (b"b.example", "b.example"),
            (b"ALSO.Example", "b.example"),
            (b"c.example", "c.example"),
            (b"mud.c.example", "c.example"),
        ):
            self.assertEqual(subject(certificates, asked), got, asked)

    def test_default(self) -> None:
        """Without a name, or with one that is not known, a client gets the first certificate, and nothing is logged."""
        self.write_pair("2.pem", signed("second.example"))
        self.write_pair("1.pem", signed("first.example"))
        logged: list[Any] = []
        observer: Any = logged.append
        globalLogPublisher.addObserver(observer)
        self.addCleanup(globalLogPublisher.removeObserver, observer)
        certificates = self.all()
        for name in (None, b"x.example", b"deep.second.example", b"\xff\xfe", b"*.example"):
            self.assertEqual(subject(certificates, name), "first.example")
        self.assertEqual(logged, [])

    def test_protocols(self) -> None:
        """Of the protocols that a client offers, one of ours is chosen; if there is none, it gets none and goes on."""
        path = self.write_pair("x.pem", signed("localhost"))
        speaking = Certificates(PemFiles(path), [b"http/1.1"])
        silent = Certificates(PemFiles(path))
        for certificates, offered, chosen in (
            (speaking, (b"h2", b"http/1.1"), b"http/1.1"),
            (speaking, (b"http/1.1",), b"http/1.1"),
            (speaking, (b"h2",), b""),
            (speaking, (), b""),
            (silent, (b"h2", b"http/1.1"), b""),
            (silent, (b"telnet",), b""),
            (silent, (), b""),
        ):
            self.assertEqual(handshake(certificates, None, offered).get_alpn_proto_negotiated(), chosen, offered)

    def test_protocol_of_each_name(self) -> None:
        """The protocol is chosen for every name, not only for the first certificate."""
        self.write_pair("1.pem", signed("first.example"))
        self.write_pair("2.pem", signed("second.example"))
        certificates = Certificates(PemFiles(str(self.directory)), [b"http/1.1"])
        for name in (b"first.example", b"second.example", None):
            client = handshake(certificates, name, (b"h2", b"http/1.1"))
            self.assertEqual(client.get_alpn_proto_negotiated(), b"http/1.1")

    def test_old_versions(self) -> None:
        """TLS 1.2 and 1.3 are spoken, and nothing older."""
        certificates = Certificates(PemFiles(self.write_pair("x.pem", signed("localhost"))))
        self.assertEqual(handshake(certificates).get_protocol_version_name(), "TLSv1.3")
        server = certificates.serverConnectionForTLS(None)
        server.set_accept_state()
        # A ClientHello of TLS 1.1, with one of its ciphers.
        server.bio_write(bytes.fromhex("16030100 2d 0100 0029 0302" + "00" * 32 + "00 0002 c014 0100".replace(" ", "")))
        self.assertRaises(SSL.Error, server.do_handshake)


class ReadingTests(CertificateTestCase):
    """Keys and certificates in files."""

    def test_chain(self) -> None:
        """The certificates that lead to one that clients know are sent, in order, from wherever they are."""
        root = signed("root")
        between = signed("between", by=root)
        leaf = signed("localhost", by=between)
        key, cert = self.write("key", leaf.key), self.write("cert", leaf.pem)
        chain = self.write("chain", root.pem, signed("other").pem, between.pem)
        whole = self.write("whole", leaf.pem, between.pem, root.pem)
        for paths in ((cert, key, chain), (whole, key), (key, chain, cert)):
            sent = handshake(Certificates(PemFiles(*paths))).get_peer_cert_chain(as_cryptography=True) or []
            self.assertEqual(sent, [leaf.certificate, between.certificate, root.certificate], paths)

    def test_apart(self) -> None:
        """In a directory, also in those below it, keys and certificates in different files find each other."""
        for name in ("one.example", "two.example"):
            made = signed(name)
            (self.directory / name).mkdir()
            self.write(f"{name}/privkey.pem", made.key)
            self.write(f"{name}/cert.pem", made.pem)
        self.write("README", b"-----BEGIN CERTIFICATE-----\nno\n-----END CERTIFICATE-----\n")
        self.assertEqual(subject(self.all(), b"two.example"), "two.example")

    def test_renewed_beside_the_old(self) -> None:
        """Of two certificates for a key, or for a name, the one that lasts longer is used."""
        ends = datetime(2040, 1, 1, tzinfo=UTC)
        old = signed("localhost")
        new = signed("localhost", key=old.private, ends=ends)
        self.write("x.pem", old.key, old.pem, new.pem)
        self.assertEqual([each.ends for each in self.all().status], [ends.timestamp()])
        later = signed("localhost", ends=datetime(2041, 1, 1, tzinfo=UTC))
        self.write_pair("y.pem", later)
        found = handshake(self.all(), b"localhost").get_peer_certificate(as_cryptography=True)
        self.assertEqual(found, later.certificate)

    def test_status(self) -> None:
        """A certificate shows its names and addresses, and when it ends."""
        ends = datetime(2040, 1, 1, tzinfo=UTC)
        path = self.write_pair("x.pem", signed("Mud.example", "b.example", ends=ends, addresses=["127.0.0.1"]))
        (status,) = Certificates(PemFiles(path)).status
        self.assertEqual(status.names, ("mud.example", "b.example", "127.0.0.1"))
        self.assertEqual(status.ends, ends.timestamp())

    def test_refused(self) -> None:
        """What cannot be used is refused with the name of the file that is wrong."""
        good, other = signed("localhost"), signed("localhost")
        path = self.write_pair("good.pem", good)
        begin, end = b"-----BEGIN PRIVATE KEY-----\n", b"\n-----END PRIVATE KEY-----\n"
        self.assertRefused("cannot read", str(self.directory / "missing"))
        self.assertRefused("cannot read", path, str(self.directory / "missing"))
        self.assertRefused("no key in", self.write("a", good.pem))
        self.assertRefused("no key in", self.write("a", b""))
        self.assertRefused("no certificate belongs to the key in", self.write("a", good.key, other.pem))
        self.assertRefused("a: not a key or a certificate", self.write("a", begin, b"bm90IG9uZQ==", end))
        encrypted = self.write("a", good.pem, _encrypted(good))
        self.assertRefused("a: a password protects the key", encrypted)
        (self.directory / "empty").mkdir()
        self.assertRefused("no key in", str(self.directory / "empty"))


def _encrypted(made: Signed) -> bytes:
    return made.private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    )


class WatchTests(CertificateTestCase):
    """Certificates that are renewed, and those that end."""

    def setUp(self) -> None:
        super().setUp()
        self.clock = Clock()
        self.watch = CertificateWatch(self.clock)
        self.logged: list[str] = []

        def log(event: dict[str, Any]) -> None:
            if event.get("log_namespace") == "gossip.transports.certificates":
                self.logged.append(event["log_format"].format(**event))

        observer: Any = log
        globalLogPublisher.addObserver(observer)
        self.addCleanup(globalLogPublisher.removeObserver, observer)

    def open(self, days: float, name: str = "localhost") -> Certificates:
        """Watch a certificate that ends in this many days."""
        certificates = Certificates(PemFiles(self.write_pair("x.pem", self.ending(days, name))))
        self.watch.add(certificates)
        self.watch.startService()
        self.addCleanup(self.watch.stopService)
        return certificates

    def ending(self, days: float, name: str = "localhost") -> Signed:
        return signed(name, ends=datetime.fromtimestamp(int(NOW + days * _DAY), UTC))

    def replace(self, *parts: bytes) -> None:
        """Write the file anew, as a renewal does: with a later time, and under the same name."""
        self.write("new", *parts)
        os.utime(self.directory / "new", (NOW, NOW))
        (self.directory / "new").replace(self.directory / "x.pem")

    def test_changed(self) -> None:
        """Files that changed are read soon after; a handshake that is done keeps the certificate that it has."""
        certificates = self.open(30)
        before = handshake(certificates).get_peer_certificate(as_cryptography=True)
        renewed = self.ending(90)
        self.replace(renewed.key, renewed.pem)
        self.clock.pump([LOOK_SECONDS] * 2)
        after = handshake(certificates).get_peer_certificate(as_cryptography=True)
        self.assertEqual(after, renewed.certificate)
        self.assertNotEqual(before, after)
        (line,) = self.logged
        self.assertIn("read the certificate for localhost", line)
        self.clock.pump([LOOK_SECONDS] * 5)
        self.assertEqual(len(self.logged), 1)

    def test_half_written(self) -> None:
        """Files that are still being written are not read."""
        certificates = self.open(30)
        for _ in range(3):
            renewed = self.ending(90)
            self.replace(renewed.key)
            self.clock.advance(LOOK_SECONDS)
        self.assertEqual(self.logged, [])
        self.replace(renewed.key, renewed.pem)
        self.clock.pump([LOOK_SECONDS] * 2)
        self.assertEqual(subject(certificates), "localhost")
        self.assertEqual(len(self.logged), 1)

    def test_broken(self) -> None:
        """A broken renewal is logged once, and the certificate stays until there is a better one."""
        certificates = self.open(30, "old.example")
        self.replace(b"junk")
        self.clock.pump([LOOK_SECONDS] * 5)
        (line,) = self.logged
        self.assertIn("the certificates stay as they were: no key in", line)
        self.assertEqual(subject(certificates), "old.example")
        (self.directory / "x.pem").unlink()
        self.clock.pump([LOOK_SECONDS] * 5)
        self.assertEqual(len(self.logged), 2)
        self.assertEqual(subject(certificates), "old.example")
        renewed = self.ending(90, "new.example")
        self.replace(renewed.key, renewed.pem)
        self.clock.pump([LOOK_SECONDS] * 2)
        self.assertEqual(subject(certificates), "new.example")

    def test_asked(self) -> None:
        """When an admin asks, files are read at once, also if they seem to be the same."""
        certificates = self.open(30, "old.example")
        renewed = self.ending(90, "new.example")
        self.replace(renewed.key, renewed.pem)
        self.watch.read_again()
        self.assertEqual(subject(certificates), "new.example")

    def test_new_file(self) -> None:
        """A certificate that is added to a directory is found, and so is one that is removed."""
        self.write_pair("1.pem", self.ending(30, "one.example"))
        certificates = self.all()
        self.watch.add(certificates)
        self.watch.startService()
        self.addCleanup(self.watch.stopService)
        self.write_pair("2.pem", self.ending(30, "two.example"))
        self.clock.pump([LOOK_SECONDS] * 2)
        self.assertEqual(subject(certificates, b"two.example"), "two.example")
        (self.directory / "2.pem").unlink()
        self.clock.pump([LOOK_SECONDS] * 2)
        self.assertEqual(subject(certificates, b"two.example"), "one.example")

    def test_warning(self) -> None:
        """From 14 days before its end, a warning comes once a day, and no longer once it is renewed."""
        self.open(15.5)
        self.assertEqual(self.logged, [])
        self.clock.advance(2 * _DAY)
        (line,) = self.logged
        self.assertRegex(line, "^the certificate for localhost ends at 20")
        self.clock.pump([LOOK_SECONDS] * 50)
        self.assertEqual(len(self.logged), 1)
        self.clock.advance(_DAY)
        self.assertEqual(len(self.logged), 2)
        renewed = self.ending(90)
        self.replace(renewed.key, renewed.pem)
        self.clock.pump([LOOK_SECONDS] * 2)
        self.clock.advance(_DAY)
        self.assertEqual(len(self.logged), 3)

    def test_ended(self) -> None:
        """A certificate that has ended is used, with a warning at the start and each day."""
        certificates = self.open(-3, "old.example")
        self.assertEqual(subject(certificates), "old.example")
        (line,) = self.logged
        self.assertIn("old.example ended at 20", line)
        self.clock.advance(_DAY)
        self.assertEqual(len(self.logged), 2)

    def test_date(self) -> None:
        """The date decides, so a clock of the machine that is set ahead brings the warning."""
        self.open(60)
        self.clock.ahead = 50 * _DAY
        self.clock.advance(LOOK_SECONDS)
        self.assertEqual(len(self.logged), 1)

    def test_goes_on(self) -> None:
        """A look that fails is logged, and the next one comes."""
        certificates = self.open(30, "old.example")
        look = certificates.files.look
        self.patch(certificates.files, "look", lambda: 1 // 0)
        self.clock.advance(LOOK_SECONDS)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.patch(certificates.files, "look", look)
        renewed = self.ending(90, "new.example")
        self.replace(renewed.key, renewed.pem)
        self.clock.pump([LOOK_SECONDS] * 2)
        self.assertEqual(subject(certificates), "new.example")

    def test_status(self) -> None:
        """What two listeners share is shown once, and what ends first comes first."""
        late = self.open(90, "late.example")
        self.watch.add(late)
        self.watch.add(Certificates(PemFiles(self.write_pair("y.pem", self.ending(20, "early.example")))))
        self.assertEqual([each.names[0] for each in self.watch.status()], ["early.example", "late.example"])
