"""The settings of the pages."""

from __future__ import annotations

from typing import Literal, Protocol

from msgspec import Struct


class MailSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """
    How mail is sent. Without a server, no mail is sent.

    @ivar server: C{host:port} of an SMTP server (RFC 5321) that takes submissions; empty for none.
    @ivar sender: the address in the From header.
    @ivar user: the user name for the server; empty for no authentication.
    @ivar password: the password of that user.
    @ivar encrypted: whether STARTTLS (RFC 3207) is required.
    """

    server: str = ""
    sender: str = ""
    user: str = ""
    password: str = ""
    encrypted: bool = True


class WebSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """
    What the pages let people do.

    @ivar sign_up: who can sign up: everybody (C{open}), people with an invitation from an admin (C{invite}), or nobody
        (C{closed}).
    @ivar games: how many games an account can register; 0 for no limit.
    @ivar visit_days: how many days a browser stays signed in.
    @ivar hsts_days: for how many days a browser that saw a page by HTTPS opens only HTTPS (RFC 6797); 0 to forget it.
    @ivar mail: how mail is sent.
    """

    sign_up: Literal["open", "invite", "closed"] = "open"
    games: int = 10
    visit_days: float = 30
    hsts_days: int = 30
    mail: MailSettings = MailSettings()


class WebRulesSettings(Protocol):
    """The part of a configuration that L{WebRules} holds."""

    @property
    def web(self) -> WebSettings: ...
    @property
    def address(self) -> str: ...
    @property
    def socket(self) -> str: ...
    @property
    def imc2_port(self) -> str: ...
    @property
    def in_clear(self) -> frozenset[str]: ...
    @property
    def i3_port(self) -> str: ...
    @property
    def i3_router(self) -> str: ...


class WebRules:
    """
    The current settings, shared by all pages, so that a reload replaces them for all.

    @ivar settings: what the pages let people do.
    @ivar address: the address of the site for links in mails, without a slash at the end: C{https://gossip.example.org}.
    @ivar socket: the address at which games on this machine join; empty if there is none.
    @ivar imc2_port: the port for games by IMC2; empty if there is none.
    @ivar in_clear: the uses of secrets that are kept in clear, too.
    @ivar i3_port: the port for games by Intermud-3; empty if there is none.
    @ivar i3_router: the name of the router there.
    """

    def __init__(self, settings: WebSettings | None = None, address: str = "") -> None:
        self.settings = settings or WebSettings()
        self.address = address
        self.socket = self.imc2_port = self.i3_port = self.i3_router = ""
        self.in_clear: frozenset[str] = frozenset()

    @property
    def can_sign_up(self) -> bool:
        """Whether everybody can create an account."""
        return self.settings.sign_up == "open"

    def configure(self, settings: WebRulesSettings) -> None:
        """Follow these settings from now on."""
        self.settings, self.address, self.socket = settings.web, settings.address, settings.socket
        self.imc2_port, self.in_clear = settings.imc2_port, settings.in_clear
        self.i3_port, self.i3_router = settings.i3_port, settings.i3_router
