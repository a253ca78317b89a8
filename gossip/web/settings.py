"""What an operator may set of the pages."""

from __future__ import annotations

from typing import Literal, Protocol

from msgspec import Struct


class MailSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """
    How mail is sent; nobody is written to where there is no server.

    @ivar server: C{host:port} of an SMTP server (RFC 5321) that takes submissions; empty for none.
    @ivar sender: the address that mail comes from.
    @ivar user: who signs in there; empty for nobody.
    @ivar password: with what.
    @ivar encrypted: whether it must do STARTTLS (RFC 3207) before anything is said.
    """

    server: str = ""
    sender: str = ""
    user: str = ""
    password: str = ""
    encrypted: bool = True


class WebSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """
    What the pages let people do.

    @ivar sign_up: who may make an account for himself: everybody (C{open}), who has a link of an admin (C{invite}), or
        nobody (C{closed}).
    @ivar games: how many games an account may register; 0 for any number.
    @ivar visit_days: for how long a browser stays signed in.
    @ivar mail: how mail is sent.
    """

    sign_up: Literal["open", "invite", "closed"] = "open"
    games: int = 10
    visit_days: float = 30
    mail: MailSettings = MailSettings()


class WebRulesSettings(Protocol):
    """The part of a configuration that L{WebRules} holds."""

    @property
    def web(self) -> WebSettings: ...
    @property
    def address(self) -> str: ...


class WebRules:
    """
    The settings in force, shared by all pages: a reload replaces them for all.

    @ivar settings: what they let people do.
    @ivar address: where they are, for links in mails: C{https://gossip.example.org}, without a slash at the end.
    """

    def __init__(self, settings: WebSettings | None = None, address: str = "") -> None:
        self.settings = settings or WebSettings()
        self.address = address

    def configure(self, settings: WebRulesSettings) -> None:
        """Follow these settings from now on."""
        self.settings, self.address = settings.web, settings.address
