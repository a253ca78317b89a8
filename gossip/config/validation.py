"""What types do not express: which settings contradict each other, or cannot be meant."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Any, Final, cast
from unicodedata import category

import msgspec

from gossip.cluster.wire import NODE
from gossip.config.config import Config, Limits, Table, settings_of
from gossip.config.errors import ConfigError
from gossip.registry.accounts import EMAIL
from gossip.registry.names import CHANNEL_NAME
from gossip.transports.imc2.limits import NETWORK, SERVER
from gossip.transports.imc2.packets import TEXT_BYTES
from gossip.transports.intermud3.limits import complaint

HIDDEN: Final = "***"
"""Shown in place of a password."""

SOCKET_PATH_BYTES: Final = 107
"""The maximum length of the path of a unix socket, in bytes."""

_DRIVERS: Final = ("sqlite", "postgresql", "postgres", "postgresql+psycopg")

_LARGEST: Final = 10**9
"""The largest number in the configuration. Times, dates and sizes that are computed from it stay in range."""

_LONGEST_HISTORY: Final = 100_000
"""In days. An earlier date could not be written."""

_SERVER: Final = re.compile(r"([0-9A-Za-z._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\]):[1-9][0-9]{0,4}")

_WEBSITE: Final = re.compile(
    r"(?i)(https?://)?(\[[0-9a-f:.]{2,45}\]|\w([\w.-]{0,251}\w)?)(:[0-9]{1,5})?(/[^\s\"'<>\\`]*)?"
)

_AROUND: Final = 1024
"""The room for what surrounds the names of all players in one frame or line, in bytes."""


def validate(config: Config) -> None:
    """
    Check everything that types do not express.

    Endpoint strings are not parsed here: parsing some of them reads certificates or inherits sockets, and gossipctl
    loads the same configuration.

    @raise ConfigError: a setting is wrong.
    """
    for place, value in _leaves(cast("Table", msgspec.to_builtins(config))):
        if isinstance(value, str):
            # A surrogate is a byte of the command line or the environment that was not UTF-8.
            if any(category(character) in ("Cc", "Cs") for character in value):
                raise ConfigError(f"{place}: must be UTF-8 without control characters")
        elif not 0 <= value <= _LARGEST:
            raise ConfigError(f"{place}: must be a number from 0 to {_LARGEST}")
    for key in ("history_days", "channel_days", "player_count_days", "audit_days"):
        if getattr(config.network, key) > _LONGEST_HISTORY:
            raise ConfigError(f"network.{key}: must be at most {_LONGEST_HISTORY}; 0 keeps everything forever")
    for place, rate in _rates(cast("Table", msgspec.to_builtins(config.limits)), "limits"):
        if rate["burst"] and not rate["per_second"]:
            raise ConfigError(f"{place}.per_second: must be above 0; for no limit set burst = 0")
    if not config.listen or not all(config.listen):
        raise ConfigError("listen: needs at least one address, and no empty ones")
    if not all(config.telnet):
        raise ConfigError("telnet: must not contain an empty address")
    if not config.data:
        raise ConfigError("data: must not be empty")
    if len(os.fsencode(config.admin_path)) > SOCKET_PATH_BYTES:
        raise ConfigError(
            f"admin_socket: {config.admin_path} has over {SOCKET_PATH_BYTES} bytes; choose a shorter path"
        )
    _check_database(config.database)
    _check_node(config)
    _check_lists(config.limits)
    _check_web(config)
    _check_imc2(config)
    if wrong := complaint(config.i3, config.limits.i3):
        raise ConfigError(wrong)


def _check_node(config: Config) -> None:
    if config.node and not NODE.fullmatch(config.node):
        raise ConfigError("node: must have 1 to 20 small letters, digits and hyphens")
    if config.node and not config.database.startswith("postgres"):
        raise ConfigError("node: needs a database that several daemons can share: set database to postgresql://…")


def _check_imc2(config: Config) -> None:
    settings, limits = config.imc2, config.limits.imc2
    if not all(settings.listen):
        raise ConfigError("imc2.listen: must not contain an empty address")
    if not SERVER.fullmatch(settings.server):
        raise ConfigError("imc2.server: must have 1 to 15 letters and digits, the first a letter")
    if not NETWORK.fullmatch(settings.network):
        raise ConfigError("imc2.network: must have 1 to 30 ASCII characters without blanks and quotes")
    for name in settings.channels:
        if not CHANNEL_NAME.fullmatch(name):
            raise ConfigError(f"imc2.channels: {name!r} is not the name of a channel")
    if not 1 <= limits.text_bytes <= TEXT_BYTES:
        raise ConfigError(f"limits.imc2.text_bytes: must be 1 to {TEXT_BYTES}: clients have no room for more")
    if not limits.packets:
        raise ConfigError("limits.imc2.packets: must be above 0")


def _check_lists(limits: Limits) -> None:
    """Check that a game can send the names of all players that it may list, in one frame or line."""
    # A name of JSON has two quotes, a comma and a blank around it.
    needed = limits.players * (limits.name_bytes + 4) + _AROUND
    for place, most in (
        ("limits.frame_in_bytes", limits.frame_in_bytes),
        ("limits.telnet.json_line_bytes", limits.telnet.json_line_bytes),
        ("limits.telnet.unended_bytes", limits.telnet.unended_bytes),
    ):
        if limits.players and limits.name_bytes and 0 < most < needed:
            raise ConfigError(
                f"{place}: must be at least {needed} for limits.players = {limits.players} with "
                f"limits.name_bytes = {limits.name_bytes}"
            )


def _check_web(config: Config) -> None:
    if config.network.website and not _WEBSITE.fullmatch(config.network.website):
        raise ConfigError("network.website: must look like https://gossip.example.org/")
    if config.network.rules_elsewhere and not _is_https(config.network.rules):
        raise ConfigError("network.rules: must be the path of a file, or look like https://example.org/rules")
    contact = config.network.contact
    if contact and not EMAIL.fullmatch(contact) and not _is_https(contact):
        raise ConfigError("network.contact: must be an address like admin@example.org or https://example.org/contact")
    if not config.web.visit_days:
        raise ConfigError("web.visit_days: must be above 0")
    mail = config.web.mail
    if mail.password == HIDDEN:
        raise ConfigError(f"web.mail.password: replace {HIDDEN} with the password")
    if bool(mail.user) != bool(mail.password):
        raise ConfigError("web.mail: set both user and password, or neither")
    if not mail.server:
        return
    if not _SERVER.fullmatch(mail.server):
        raise ConfigError("web.mail.server: must look like mail.example.org:587")
    if not EMAIL.fullmatch(mail.sender):
        raise ConfigError("web.mail.sender: must be an address like gossip@example.org")
    if not config.network.website:
        raise ConfigError("web.mail.server: also needs network.website: links in mail point there")


def _is_https(text: str) -> bool:
    return text.startswith("https://") and _WEBSITE.fullmatch(text) is not None


def _rates(table: Table, place: str) -> Iterator[tuple[str, Table]]:
    """All rates and budgets in a table, with their names."""
    if "burst" in table:
        yield place, table
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _rates(value, f"{place}.{key}")


def _leaves(table: Table, place: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in settings_of(table, place):
        for leaf in value if isinstance(value, list | tuple) else (value,):
            yield key, leaf


def _check_database(database: str) -> None:
    """Check the URL of the database. No error shows it: it may contain a password."""
    if not database:
        return
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        url = make_url(database)
    except (ArgumentError, ValueError):
        raise ConfigError("database: must be a URL like postgresql+psycopg://user:password@host/name") from None
    if url.drivername not in _DRIVERS:
        raise ConfigError(f"database: its URL must start with one of {', '.join(_DRIVERS)}")
    if any("password" in key.lower() for key in url.query):
        raise ConfigError("database: put the password before the host; there it is hidden in logs")
    if url.password == HIDDEN:
        raise ConfigError(f"database: replace {HIDDEN} with the password")
