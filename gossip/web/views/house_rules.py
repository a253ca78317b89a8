"""The rules of the network: the operator's file of reStructuredText, or the default rules."""

from __future__ import annotations

import os
import stat
from importlib.resources import files
from typing import TYPE_CHECKING, Final, Protocol

from twisted.logger import Logger

from gossip.network.settings import NetworkSettings

if TYPE_CHECKING:
    from gossip.web.views.manual import Document

BYTES: Final = 64 * 1024
"""The maximum size of the file, in bytes."""

MISTAKES: Final = 10
"""The maximum number of mistakes that are listed."""


class HouseRulesError(Exception):
    """The file cannot be shown. The text says why, in one line."""


class HouseRulesSettings(Protocol):
    """The part of a configuration that L{HouseRules} holds."""

    @property
    def network(self) -> NetworkSettings: ...


class HouseRules:
    """
    The rules in force: a reload reads the file again.

    @ivar source: the text of the rules.
    @ivar elsewhere: their address, if they are not on these pages; otherwise empty.
    """

    _log = Logger()

    def __init__(self) -> None:
        self.source = default()
        self.elsewhere = ""

    def configure(self, settings: HouseRulesSettings) -> None:
        """Follow these settings from now on. If the file cannot be shown, the default rules are."""
        network = settings.network
        self.elsewhere = network.rules_elsewhere
        self.source = default()
        if network.rules and not self.elsewhere:
            try:
                self.source = read(network.rules)
            except HouseRulesError as error:
                self._log.error("/rules shows the default rules: {error}", error=str(error))

    def document(self, source: str) -> Document:
        """
        Make a page of rules. This takes a moment: call it in a thread. Mistakes in the markup are logged. If no page
        can be made, it is one of the default rules.
        """
        # Imported where it is needed, like docutils: it takes half a second and some memory.
        from gossip.web.views.manual import document

        try:
            for mistake in mistakes(source):
                self._log.warn("a part of the rules is not shown as it was meant: {mistake}", mistake=mistake)
            return document("Rules", source, frozenset())
        except RecursionError:
            # Its traceback has a thousand lines, and says no more.
            self._log.error(
                "/rules shows the default rules: {error}", error="the file nests lists or quotes too deeply"
            )
            return document("Rules", default(), frozenset())
        except Exception:
            self._log.failure("/rules shows the default rules: no page can be made of the file")
            return document("Rules", default(), frozenset())


def default() -> str:
    """The default rules."""
    return files("gossip.web").joinpath("examples", "rules.rst").read_text("utf-8")


def read(path: str) -> str:
    """
    Read a file of rules.

    @raise HouseRulesError: it cannot be read or shown.
    """
    try:
        # Without waiting: a pipe would stop the daemon.
        with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise HouseRulesError(f"{path} is not a file")
            content = file.read(BYTES + 1)
    except (OSError, ValueError) as error:
        raise HouseRulesError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from None
    if len(content) > BYTES:
        raise HouseRulesError(f"{path} has more than {BYTES} bytes")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise HouseRulesError(f"{path}: not UTF-8, at byte {error.start}") from None
    if not text.strip():
        raise HouseRulesError(f"{path} is empty")
    return text


def mistakes(source: str) -> list[str]:
    """
    The mistakes in the markup of rules, with their lines. What they are about is not shown, or not as it was meant.

    @raise Exception: docutils cannot read the text at all.
    """
    from docutils import nodes  # type: ignore[import-untyped]

    from gossip.web.views.manual import doctree

    tree = doctree(source, report_level=_WARNING)
    found = (*tree.findall(nodes.system_message), *tree.transform_messages)
    serious = [each for each in found if each["level"] >= _WARNING]
    return [f"line {each.get('line', '?')}: {' '.join(each[0].astext().split())}" for each in serious[:MISTAKES]]


_WARNING: Final = 2
"""The level of docutils from which on a part is not shown as meant."""
