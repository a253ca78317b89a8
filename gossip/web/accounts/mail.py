"""
Mail to people, where the operator has named a server for it (RFC 5321, RFC 6409).

Nobody waits for a mail, and none is kept: what cannot be sent is logged, without what it says, and forgotten.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime, make_msgid
from io import BytesIO
from typing import Any, Final

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.ssl import optionsForClientTLS
from twisted.logger import Logger
from twisted.mail.smtp import ESMTPSenderFactory, SMTPClientError
from twisted.python.failure import Failure

from gossip.protocol.text import clean
from gossip.registry.accounts import EMAIL
from gossip.web.settings import WebRules
from gossip.web.views.formatting import date

SECONDS: Final = 30
"""How long the server may take for a connection, and for each answer."""

AT_ONCE: Final = 20
"""How many mails may be on their way."""

_POLICY: Final = EmailPolicy(linesep="\n", cte_type="7bit", raise_on_defect=True)


class Mail:
    """Sends mail."""

    _log = Logger()

    def __init__(
        self,
        reactor: Any,
        rules: WebRules,
        wall: Callable[[], float] = time.time,
        trust: Any = optionsForClientTLS,
    ) -> None:
        """
        @param reactor: makes connections.
        @param wall: tells the date of a mail, in seconds since the epoch.
        @param trust: makes what judges the certificate of a server, of its name.
        """
        self._reactor = reactor
        self._rules = rules
        self._wall = wall
        self._trust = trust
        self._under_way = 0

    @property
    def is_configured(self) -> bool:
        """Is there a server to send by?"""
        return bool(self._rules.settings.mail.server)

    def send(self, to: str, subject: str, text: str) -> None:
        """
        Send a mail, if that is possible.

        @param to: the address of one person.
        """
        if not EMAIL.fullmatch(to):
            self._log.warn("a mail was not sent: the address is none")
        elif self._under_way >= AT_ONCE:
            self._log.warn("a mail was not sent: {number} are on their way", number=self._under_way)
        else:
            self._under_way += 1
            maybeDeferred(self._deliver, to, subject, text).addErrback(self._failed).addBoth(self._done)

    def written(self, to: str, subject: str, text: str) -> bytes:
        """A mail as it is sent, but for the ends of its lines."""
        sender = self._rules.settings.mail.sender
        message = EmailMessage(_POLICY)
        message["From"] = Address(addr_spec=sender)
        message["To"] = Address(addr_spec=to)
        # What is in the subject may be what others are called: one line, whatever they put there.
        message["Subject"] = " ".join(clean(subject).split())
        message["Date"] = format_datetime(date(self._wall()))
        message["Message-ID"] = make_msgid(domain=sender.partition("@")[2])
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(text, cte="quoted-printable")
        return message.as_bytes()

    def _deliver(self, to: str, subject: str, text: str) -> Deferred[Any]:
        settings = self._rules.settings.mail
        host, _, port = settings.server.rpartition(":")
        host = host.strip("[]")
        sent: Deferred[Any] = Deferred()
        factory = _SenderFactory(
            settings.user.encode(),
            settings.password.encode(),
            settings.sender,
            to,
            BytesIO(self.written(to, subject, text)),
            sent,
            retries=0,
            timeout=SECONDS,
            contextFactory=self._trust(host) if settings.encrypted else None,
            heloFallback=True,
            requireAuthentication=bool(settings.user),
            requireTransportSecurity=settings.encrypted,
        )
        factory.clock = self._reactor
        # What an SMTP server hears of us is a name that says nothing about this machine.
        factory.domain = settings.sender.partition("@")[2].encode()
        self._reactor.connectTCP(host, int(port), factory, timeout=SECONDS)
        return sent

    def _failed(self, failure: Failure) -> None:
        # The text of these errors has what was said to the server, and that has passwords.
        error = failure.value
        why = type(error).__name__
        if isinstance(error, SMTPClientError):
            said = error.resp.decode("utf-8", "replace") if isinstance(error.resp, bytes) else str(error.resp)
            # Some servers quote what they refuse; whatever looks like an address is left out.
            why = f"{error.code} {clean(said).partition('://')[0][:200]!r}"
        self._log.error("a mail could not be sent: {why}", why=why)

    def _done(self, result: object) -> None:
        self._under_way -= 1


class _SenderFactory(ESMTPSenderFactory):
    noisy = False
    clock: Any

    def buildProtocol(self, addr: Any) -> Any:
        protocol = super().buildProtocol(addr)
        # Its time-outs are of the global reactor otherwise.
        protocol.callLater = self.clock.callLater
        return protocol
