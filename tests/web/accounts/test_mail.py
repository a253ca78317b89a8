"""L{gossip.web.accounts.mail} with Twisted's SMTP server in memory, and the links in mails."""

from __future__ import annotations

import email
import email.policy
import re
from collections.abc import Mapping
from email.message import EmailMessage
from functools import partial
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from twisted.cred.checkers import InMemoryUsernamePasswordDatabaseDontUse
from twisted.cred.portal import IRealm, Portal
from twisted.internet import error
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, maybeDeferred, succeed
from twisted.internet.ssl import optionsForClientTLS
from twisted.internet.testing import MemoryReactor
from twisted.logger import formatEvent, globalLogPublisher
from twisted.mail import smtp
from twisted.mail.imap4 import LOGINCredentials, PLAINCredentials
from twisted.python.failure import Failure
from twisted.test.iosim import FakeTransport, IOPump, connect
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from gossip.operations.executor import Executor
from gossip.registry.changes import AccountRemoved, AccountSaved, Change
from gossip.registry.entities import Account
from gossip.store.errors import StoreError
from gossip.web.accounts.attempts import HOUR, AttemptLimits
from gossip.web.accounts.mail import AT_ONCE, SECONDS, Mail
from gossip.web.accounts.passwords import Passwords
from gossip.web.settings import MailSettings, WebRules, WebSettings
from gossip.web.site import public_site
from tests.support.clock import Clock
from tests.support.memory_service import MemoryService
from tests.support.passwords import QUICK
from tests.support.site_browser import HOSTILE
from tests.support.visitor import Answer, Visitor
from tests.support.world import NOW

SETTINGS = MailSettings(server="mail.example.org:587", sender="gossip@example.org", encrypted=False)

CONTENT = ("Content-Type", "Content-Transfer-Encoding", "MIME-Version")


class Certificate:
    """TLS options whose check of the certificate has a given result."""

    def __init__(self, is_good: bool = True) -> None:
        self.is_good = is_good

    def iosimVerify(self, other: object) -> bool:
        return self.is_good


@implementer(smtp.IMessage)
class Letter:
    """A mail being received."""

    def __init__(self, postbox: Postbox, to: str) -> None:
        self._postbox = postbox
        self._to = to
        self._lines: list[bytes] = []

    def lineReceived(self, line: bytes) -> None:
        self._lines.append(line)

    def eomReceived(self) -> Deferred[None]:
        self._postbox.letters.append((self._to, b"".join(line + b"\n" for line in self._lines)))
        return succeed(None)

    def connectionLost(self) -> None:
        pass


@implementer(smtp.IMessageDelivery, IRealm)
class Postbox:
    """
    Where mails arrive.

    @ivar letters: the address of each in the envelope, and what it says.
    @ivar senders: from whom they came, by their envelopes.
    @ivar refusal: why the server takes none.
    """

    def __init__(self) -> None:
        self.letters: list[tuple[str, bytes]] = []
        self.senders: list[str] = []
        self.refusal = ""

    def validateFrom(self, helo: object, origin: Any) -> Any:
        if self.refusal:
            raise smtp.SMTPServerError(554, self.refusal)
        self.senders.append(str(origin))
        return origin

    def validateTo(self, user: Any) -> Any:
        return lambda: Letter(self, str(user.dest))

    def receivedHeader(self, helo: object, origin: object, recipients: object) -> bytes:
        return b""

    def requestAvatar(self, avatarId: object, mind: object, *interfaces: object) -> Any:
        return smtp.IMessageDelivery, self, lambda: None


class MailReactor(MemoryReactor, Clock):
    """A reactor in memory, with the clocks of tests."""

    def __init__(self) -> None:
        MemoryReactor.__init__(self)
        Clock.__init__(self)


class PostTestCase(SynchronousTestCase):
    """A mail server, and a sender."""

    def setUp(self) -> None:
        self.reactor = MailReactor()
        self.rules = WebRules(WebSettings(mail=SETTINGS), "https://gossip.example.org")
        self.postbox = Postbox()
        self.trusted: list[str] = []
        self.certificate = Certificate()
        self.mail = Mail(self.reactor, self.rules, lambda: self.reactor.wall, self._trust)
        self.logged: list[str] = []
        observer: Any = self._observe
        globalLogPublisher.addObserver(observer)
        self.addCleanup(globalLogPublisher.removeObserver, observer)

    def _observe(self, event: Mapping[str, Any]) -> None:
        if event.get("log_namespace") == "gossip.web.accounts.mail.Mail":
            self.logged.append(formatEvent(event))  # type: ignore[arg-type]

    def _trust(self, host: str) -> Certificate:
        self.trusted.append(host)
        return self.certificate

    def settings(self, **changed: Any) -> None:
        """Change the mail settings."""
        mail = replace(self.rules.settings.mail, **changed)
        self.rules.settings = replace(self.rules.settings, mail=mail)

    def serve(self, users: dict[str, str] | None = None, encrypts: bool = False) -> IOPump:
        """
        The server answers the last connection.

        @param users: who may sign in there; everybody may send if there are none.
        """
        host, port, factory, timeout, _ = self.reactor.tcpClients[-1]
        self.assertEqual((host, port, timeout), ("mail.example.org", 587, SECONDS))
        challenges = {b"LOGIN": LOGINCredentials, b"PLAIN": PLAINCredentials} if users else {}
        server: Any = smtp.ESMTP(challenges, Certificate() if encrypts else None)
        server.callLater = self.reactor.callLater
        if users:
            checker = InMemoryUsernamePasswordDatabaseDontUse()
            for name, password in users.items():
                checker.addUser(name.encode(), password.encode())
            server.portal = Portal(self.postbox, [checker])
        else:
            server.delivery = self.postbox
        address = IPv4Address("TCP", "192.0.2.1", 25)
        client = factory.buildProtocol(address)
        pump: IOPump = connect(
            server,
            FakeTransport(server, True, peerAddress=address),
            client,
            FakeTransport(client, False),
            clock=self.reactor,
        )
        pump.flush()
        if pump.clientIO.disconnecting or pump.clientIO.disconnected:
            factory.clientConnectionLost(self.reactor.connectors[-1], Failure(error.ConnectionDone()))
        return pump

    def send(self, to: str = "ana@example.org", subject: str = "A subject", text: str = "A text.\n") -> None:
        self.mail.send(to, subject, text)

    def letter(self) -> EmailMessage:
        """The last mail that arrived."""
        message = email.message_from_bytes(self.postbox.letters[-1][1], policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        return message


class MailTests(PostTestCase):
    """Sending."""

    def test_sent(self) -> None:
        """A mail arrives complete, at the right address."""
        self.send(text="Grüße\n.\n.. and a long line: " + "x" * 300 + "\n")
        self.serve()
        self.assertEqual([to for to, _ in self.postbox.letters], ["ana@example.org"])
        self.assertEqual(self.postbox.senders, ["gossip@example.org"])
        letter = self.letter()
        self.assertEqual(letter.get_content(), "Grüße\n.\n.. and a long line: " + "x" * 300 + "\n")
        found = {name: letter[name] for name in ("From", "To", "Subject", "Date", "Auto-Submitted")}
        self.assertEqual(
            found,
            {
                "From": "gossip@example.org",
                "To": "ana@example.org",
                "Subject": "A subject",
                "Date": "Tue, 14 Nov 2023 22:00:00 +0000",
                "Auto-Submitted": "auto-generated",
            },
        )
        self.assertRegex(letter["Message-ID"], r"^<[^@]+@example\.org>$")
        self.assertEqual(self.logged, [])

    def test_lines(self) -> None:
        """All lines are ASCII and short enough for every server."""
        self.send(subject="Ü" * 70, text="ü" * 3000)
        self.serve()
        _, letter = self.postbox.letters[-1]
        self.assertTrue(letter.isascii())
        self.assertLessEqual(max(map(len, letter.split(b"\n"))), 998)

    def test_signed_in(self) -> None:
        """With a user set, the sender authenticates; with a wrong password nothing is sent, or logged of it."""
        self.settings(user="gossip", password="hush")
        self.send()
        self.serve({"gossip": "hush"})
        self.assertEqual(len(self.postbox.letters), 1)
        self.settings(password="hussh")
        self.send()
        self.serve({"gossip": "hush"})
        self.assertEqual(len(self.postbox.letters), 1)
        (line,) = self.logged
        self.assertIn("a mail could not be sent: 535", line)
        for secret in ("hussh", "aHVzc2g", "A text"):
            self.assertNotIn(secret, line)

    def test_signed_in_or_not_at_all(self) -> None:
        """With a user set, a server without authentication gets nothing."""
        self.settings(user="gossip", password="hush")
        self.send()
        self.serve()
        self.assertEqual(self.postbox.letters, [])
        self.assertEqual(len(self.logged), 1)

    def test_encrypted(self) -> None:
        """With encryption required, nothing is sent before TLS with a valid certificate."""
        self.settings(encrypted=True, user="gossip", password="hush")
        self.send()
        self.serve({"gossip": "hush"}, encrypts=True)
        self.assertEqual((len(self.postbox.letters), self.trusted), (1, ["mail.example.org"]))

    def test_not_encrypted(self) -> None:
        """With encryption required, a server without TLS or with a bad certificate gets nothing."""
        self.settings(encrypted=True)
        self.send()
        self.serve()
        self.certificate.is_good = False
        self.send()
        self.serve(encrypts=True)
        self.assertEqual((self.postbox.letters, self.postbox.senders), ([], []))
        self.assertEqual(len(self.logged), 2)

    def test_trust(self) -> None:
        """By default certificates are checked as browsers check them."""
        self.assertIs(Mail(self.reactor, self.rules, self.reactor.seconds)._trust, optionsForClientTLS)

    def test_refused(self) -> None:
        """A refusal is logged without the content of the mail, even if the server quotes it."""
        self.postbox.refusal = "Spam: https://gossip.example.org/reset/secret"
        self.send(text="https://gossip.example.org/reset/secret")
        self.serve()
        self.assertEqual(self.postbox.letters, [])
        (line,) = self.logged
        self.assertIn("554 'Spam: https'", line)
        self.assertNotIn("secret", line)

    def test_no_server(self) -> None:
        """A server that is down or silent is logged."""
        self.send()
        factory = self.reactor.tcpClients[-1][2]
        factory.clientConnectionFailed(self.reactor.connectors[-1], Failure(error.ConnectionRefusedError()))
        self.assertIn("refused", self.logged[-1])
        self.send()
        protocol: Any = self.reactor.tcpClients[-1][2].buildProtocol(IPv4Address("TCP", "192.0.2.1", 25))
        protocol.makeConnection(FakeTransport(protocol, False))
        self.reactor.advance(SECONDS - 1)
        self.assertEqual(len(self.logged), 1)
        self.reactor.advance(1)
        self.assertIn("Timeout", self.logged[-1])

    def test_many(self) -> None:
        """A bounded number of mails is sent at once; others are dropped until one is done."""
        for _ in range(AT_ONCE + 3):
            self.send()
        self.assertEqual((len(self.reactor.tcpClients), len(self.logged)), (AT_ONCE, 3))
        self.serve()
        self.send()
        self.assertEqual(len(self.reactor.tcpClients), AT_ONCE + 1)

    def test_reload(self) -> None:
        """Without a server the pages promise no mail; a reload can change that."""
        self.assertTrue(self.mail.is_configured)
        self.settings(server="")
        self.assertFalse(self.mail.is_configured)

    def test_recipients(self) -> None:
        """Nothing is sent to an invalid address or to several."""
        for to in (
            "",
            "ana",
            "a@b,c@d",
            "a@b\r\nRCPT TO:<c@d>",
            "Ana <a@b>",
            "a@b>",
            '"a b"@c',
            "a@b c",
            "ä@b",
            "a@b\n",
        ):
            self.send(to)
        self.assertEqual(self.reactor.tcpClients, [])

    @given(st.text() | st.sampled_from(["a\r\nBcc: evil@example.org", "a\n\nb", "a\rX: y", HOSTILE]))
    def test_any_subject(self, subject: str) -> None:
        """A text in the subject stays in the subject: it cannot add a header."""
        message = email.message_from_bytes(self.mail.written("ana@example.org", subject, "A text."))
        headers = ["From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", *CONTENT]
        self.assertEqual(sorted(name for name, _ in message.items()), sorted(headers))


class ForgottenTests(PostTestCase):
    """A forgotten password."""

    def setUp(self) -> None:
        super().setUp()
        self.service = MemoryService()
        self.service.clock = self.reactor
        self.accounts = self.service.network.registry.accounts
        self.executor = Executor(self.service, self.service.store, maybeDeferred)
        self.site = public_site(
            self.service,
            self.service.store,
            self.reactor,
            maybeDeferred,
            executor=self.executor,
            rules=self.rules,
            passwords=Passwords(maybeDeferred, QUICK),
            mail=self.mail,
        )
        self.visitor = Visitor(self.site)
        for name, address in (("Ana", "ana@example.org"), ("Bob", None)):
            self.service.network.registry.enact(AccountSaved(Account(name=name, email=address, created_at=NOW)))

    def forgot(self, name: str, visitor: Visitor | None = None) -> Answer:
        """Fill in the form."""
        return (visitor or self.visitor).post("/forgot", {"name": name}, at="/forgot")

    def test_link(self) -> None:
        """A mail has a link to the configured address, whatever the Host header, and the link sets a new password."""
        self.assertIn("/forgot", self.visitor.get("/sign-in").page.links())
        answer = self.visitor.post("/forgot", {"name": "ana"}, at="/forgot", Host="evil.example")
        self.assertEqual((answer.code, answer.location), (303, "/forgot?done=1"))
        self.assertIn("a link to set a new password is on its way", self.visitor.get(answer.location).text)
        self.serve()
        letter = self.letter()
        self.assertEqual((letter["To"], letter["Subject"]), ("ana@example.org", "Gossip: set a new password"))
        pattern = r"^    https://gossip\.example\.org(/reset/[0-9a-f-]{36})$"
        (path,) = re.findall(pattern, letter.get_content(), re.MULTILINE)
        fields = {"password": "a better horse", "again": "a better horse"}
        self.assertEqual(self.visitor.post(path, fields, at=path).code, 303)
        self.assertTrue(self.visitor.is_signed_in())
        self.assertEqual(self.visitor.get(path).code, 404)

    def test_same_answer(self) -> None:
        """The answer does not tell whether the account exists or has an address."""
        self.service.writer.slow = True
        told = set()
        for name in ("Ana", "Bob", "Nobody", HOSTILE):
            answer = self.forgot(name)
            told.add((answer.code, answer.location, answer.body))
        self.assertEqual(len(told), 1)
        self.assertEqual(self.reactor.tcpClients, [])
        self.service.writer.settle()
        self.assertEqual(len(self.reactor.tcpClients), 1)

    def test_disabled(self) -> None:
        """A disabled account gets no mail."""
        account = self.accounts.named("Ana")
        assert account is not None
        self.service.network.registry.enact(AccountSaved(replace(account, disabled=True)))
        self.assertEqual(self.forgot("Ana").code, 303)
        self.assertEqual(self.reactor.tcpClients, [])

    def test_changed_meanwhile(self) -> None:
        """A mail does not go to an account that was changed meanwhile, and its link does not work for the next one."""
        ana = self.accounts.named("Ana")
        assert ana is not None
        changes: tuple[Change, ...] = AccountSaved(replace(ana, email="new@example.org")), AccountRemoved("Ana")
        for change in changes:
            self.service.writer.slow = True
            self.service.change(partial(replace, change))
            self.assertEqual(self.forgot("Ana").code, 303)
            self.service.writer.slow = False
            self.service.writer.settle()
            self.assertEqual((self.reactor.tcpClients, self.accounts.tickets), ([], {}))
            self.service.network.registry.enact(AccountSaved(ana))

    def test_nothing_filled_in(self) -> None:
        """An empty name is an error, and sends no mail."""
        answer = self.forgot(" ")
        self.assertEqual(answer.code, 422)
        self.assertIn("Enter the name of your account.", answer.text)

    def test_too_many(self) -> None:
        """An address can ask for a bounded number of mails, and is told when to try again."""
        for _ in range(AttemptLimits(self.reactor).mails.left("x")):
            self.assertEqual(self.forgot("Nobody").code, 303)
        answer = self.forgot("Ana")
        self.assertEqual((answer.code, answer.headers["retry-after"]), (429, "3600"))
        self.reactor.advance(HOUR)
        self.assertEqual(self.forgot("Ana").code, 303)

    def test_too_many_for_one(self) -> None:
        """An account gets a bounded number of mails per hour, and the answer does not tell."""
        for number in range(10):
            self.assertEqual(self.forgot("Ana", Visitor(self.site, f"198.51.100.{number}")).code, 303)
        self.assertEqual(len(self.reactor.tcpClients), 3)

    def test_not_kept(self) -> None:
        """A link that could not be saved is not sent."""
        self.service.writer.full = True
        self.assertEqual(self.forgot("Ana").code, 303)
        self.assertEqual(self.reactor.tcpClients, [])
        self.assertEqual(len(self.flushLoggedErrors(StoreError)), 1)

    def test_cross_site(self) -> None:
        """Another site cannot make the daemon send mails."""
        self.visitor.get("/forgot")
        self.assertEqual(self.visitor.post("/forgot", {"name": "Ana"}, Sec_Fetch_Site="cross-site").code, 403)
        self.assertEqual(self.visitor.post("/forgot", {"name": "Ana", "csrf": "x"}).code, 403)
        self.assertEqual(self.reactor.tcpClients, [])
