"""
Mail to people, if a mail server is configured (RFC 5321, RFC 6409).

A mail is sent in the background and never stored. If it cannot be sent, that is logged without its content, and the
mail is dropped.
"""

from __future__ import annotations

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
"""The timeout for the connection to the server and for each of its answers, in seconds."""

AT_ONCE: Final = 20
"""The maximum number of mails being sent at once."""

_POLICY: Final = EmailPolicy(linesep="\n", cte_type="7bit", raise_on_defect=True)


class Mail:
    """Sends mail."""

    _log = Logger()

    def __init__(
        self,
        reactor: Any,
        rules: WebRules,
        wall: Callable[[], float],
        trust: Any = optionsForClientTLS,
    ) -> None:
        """
        @param reactor: makes the connections.
        @param wall: returns the time for the date of a mail, in seconds since the epoch.
        @param trust: makes the TLS options that check the server's certificate, from its host name.
        """
        self._reactor = reactor
        self._rules = rules
        self._wall = wall
        self._trust = trust
        self._under_way = 0

    @property
    def is_configured(self) -> bool:
        """Whether a mail server is configured."""
        return bool(self._rules.settings.mail.server)

    def send(self, to: str, subject: str, text: str) -> None:
        """
        Send a mail in the background.

        @param to: one address.
        """
        if not EMAIL.fullmatch(to):
            self._log.warn("a mail was not sent: the address is none")
        elif self._under_way >= AT_ONCE:
            self._log.warn("a mail was not sent: {number} are on their way", number=self._under_way)
        else:
            self._under_way += 1
            maybeDeferred(self._deliver, to, subject, text).addErrback(self._failed).addBoth(self._done)

    def written(self, to: str, subject: str, text: str) -> bytes:
        """The mail as bytes, with LF as line ends; SMTP makes CRLF of them."""
        sender = self._rules.settings.mail.sender
        message = EmailMessage(_POLICY)
        message["From"] = Address(addr_spec=sender)
        message["To"] = Address(addr_spec=to)
        # The subject can contain names that others chose: keep it on one line.
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
        # The name for EHLO: it must reveal nothing about this machine.
        factory.domain = settings.sender.partition("@")[2].encode()
        self._reactor.connectTCP(host, int(port), factory, timeout=SECONDS)
        return sent

    def _failed(self, failure: Failure) -> None:
        # The text of these errors contains the dialogue with the server, and with it passwords.
        error = failure.value
        why = type(error).__name__
        if isinstance(error, SMTPClientError):
            said = error.resp.decode("utf-8", "replace") if isinstance(error.resp, bytes) else str(error.resp)
            # Some servers quote the refused text: leave out everything from the first URL on.
            why = f"{error.code} {clean(said).partition('://')[0][:200]!r}"
        self._log.error("a mail could not be sent: {why}", why=why)

    def _done(self, result: object) -> None:
        self._under_way -= 1


class _SenderFactory(ESMTPSenderFactory):
    noisy = False
    clock: Any

    def buildProtocol(self, addr: Any) -> Any:
        protocol = super().buildProtocol(addr)
        # Otherwise its timeouts would use the global reactor.
        protocol.callLater = self.clock.callLater
        return protocol
