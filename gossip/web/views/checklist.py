"""What is left to set up in a network: for its admins, while something is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from gossip.network.settings import NetworkSettings
from gossip.operations.errands import Backup
from gossip.registry.entities import AuditEntry
from gossip.web.settings import WebRules
from gossip.web.views.formatting import count, span
from gossip.web.views.layout import Layout
from gossip.web.views.public import PublicView

DAYS: Final = 7
"""A backup is recent for this many days."""

_DAY: Final = 24 * 3600


class Item(Struct, frozen=True, kw_only=True):
    """
    Something to set up.

    @ivar done: whether it is set up; C{None} if the daemon cannot know.
    @ivar now: what holds now.
    @ivar how: what to do, or what to know about it.
    @ivar link: the page for it: its path and the words of the link.
    @ivar command: what to type in a terminal.
    @ivar setting: the table and the lines of the configuration that are missing.
    """

    title: str
    done: bool | None
    now: str
    how: str
    link: tuple[str, str] | None = None
    command: str = ""
    setting: tuple[str, tuple[str, ...]] | None = None


class Checklist(Struct, frozen=True):
    """
    Everything to set up.

    @ivar config: the missing lines of the configuration; empty if nothing is missing there.
    @ivar is_new: whether no game has ever joined.
    """

    items: tuple[Item, ...]
    config: str
    is_new: bool

    @property
    def done(self) -> int:
        """How many items are set up."""
        return sum(item.done is True for item in self.items)

    @property
    def of(self) -> int:
        """How many items can be set up."""
        return sum(item.done is not None for item in self.items)


class Checklists:
    """Makes the list of what is left to set up."""

    def __init__(self, layout: Layout, public: PublicView, web_rules: WebRules) -> None:
        self._layout = layout
        self._public = public
        self._web_rules = web_rules

    async def now(self) -> Checklist:
        """The list as it is now."""
        settings = self._layout.gossip.network.rules.settings
        items = (
            self._name(settings),
            self._website(settings),
            self._rules(settings),
            self._channel(),
            self._game(),
            self._mail(),
            await self._backup(),
        )
        return Checklist(items, _config(items), not self._layout.gossip.network.registry.seen)

    def _name(self, settings: NetworkSettings) -> Item:
        default = NetworkSettings().name
        done = settings.name != default
        return Item(
            title="Name",
            done=done,
            now=f"The network is called {settings.name}{'' if done else ', which is the default'}.",
            how="Games and these pages show it.",
            setting=None if done else ("network", ('name = "My network"',)),
        )

    def _website(self, settings: NetworkSettings) -> Item:
        address = self._web_rules.address
        done = bool(settings.website)
        return Item(
            title="Website",
            done=done,
            now=f"Links lead to {address}." if done else f"Not set: links in mail lead to {address or 'nowhere'}.",
            how="The public address of these pages, with TLS.",
            link=("/docs/operator#tls", "How to set up TLS"),
            setting=None if done else ("network", ('website = "https://gossip.example.org/"',)),
        )

    def _rules(self, settings: NetworkSettings) -> Item:
        shown = "your rules" if settings.rules else "the default rules"
        done = bool(settings.contact)
        missing = (
            () if settings.rules else ('#rules = "/etc/gossip/rules.rst"  # if the default rules do not suit you',)
        )
        return Item(
            title="Rules and contact",
            done=done,
            now=f"/rules shows {shown} and {settings.contact or 'no contact'}.",
            how="How people reach you, and what they agree to when they sign up.",
            link=("/rules", "Read the rules"),
            setting=None if done else ("network", ('contact = "you@example.org"', *missing)),
        )

    def _channel(self) -> Item:
        name = self._public.main_channel()
        return Item(
            title="Public channel",
            done=name is not None,
            now="No channel is public: visitors can neither read nor talk." if name is None else f"#{name} is public.",
            how="Everybody can read a public channel, and people with an account can talk on it.",
            link=("/admin/channels", "Create or approve a channel"),
        )

    def _game(self) -> Item:
        network = self._layout.gossip.network
        registered, met = len(network.registry.games), bool(network.registry.seen)
        if not registered:
            now = "No game is registered."
        elif not met:
            now = f"{count(registered, 'game')} registered, but none has connected yet."
        else:
            online = sum(1 for _ in network.presence)
            now = f"{count(registered, 'game')} registered, {online:,} online."
        return Item(
            title="First game",
            done=met,
            now=now,
            how="Register a game, and follow the guide for its code base.",
            link=("/connect", "The guides") if registered else ("/manage#register", "Register a game"),
        )

    def _mail(self) -> Item:
        mail = self._web_rules.settings.mail
        done = bool(mail.server)
        return Item(
            title="Mail",
            done=done,
            now=f"Mail is sent by {mail.server}." if done else "Not set: no mail is sent.",
            how="Without mail, people who forget their password need a link from you.",
            link=("/docs/operator#signing-in", "How to set up mail"),
            setting=None
            if done
            else (
                "web.mail",
                (
                    'server = "mail.example.org:587"',
                    'sender = "gossip@example.org"',
                    'user = "gossip"',
                    'password = "..."',
                ),
            ),
        )

    async def _backup(self) -> Item:
        link = ("/docs/operator#backups", "How to make backups")
        if not self._layout.store.copies:
            now, how = (
                "The database is PostgreSQL.",
                "Back it up with its own tools: the daemon does not know if you do.",
            )
            return Item(title="Backup", done=None, now=now, how=how, link=link)
        found: Sequence[AuditEntry] = await self._layout.read(self._layout.store.audit_of, (Backup.wire,), 1)
        ago = self._layout.now - found[0].at if found else None
        return Item(
            title="Backup",
            done=ago is not None and ago < DAYS * _DAY,
            now="None has been made." if ago is None else f"The latest was made {span(max(ago, 0))} ago.",
            how=f"Make one at least every {DAYS} days; a timer of systemd can do it each night.",
            link=link,
            command="gossipctl backup /var/backups/gossip --keep 14",
        )


def _config(items: Sequence[Item]) -> str:
    """The missing lines of the configuration, by table."""
    tables: dict[str, list[str]] = {}
    for item in items:
        if item.setting is not None:
            table, lines = item.setting
            tables.setdefault(table, []).extend(lines)
    return "\n\n".join("\n".join((f"[{table}]", *lines)) for table, lines in tables.items())
