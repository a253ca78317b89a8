"""The project's documents as pages."""

from __future__ import annotations

import io
import re
from functools import cache
from importlib.resources import files
from typing import Any, Final

from docutils import nodes  # type: ignore[import-untyped]
from docutils.core import publish_doctree, publish_parts  # type: ignore[import-untyped]
from docutils.io import DocTreeInput  # type: ignore[import-untyped]
from docutils.readers.doctree import Reader  # type: ignore[import-untyped]
from markupsafe import Markup
from msgspec import Struct

ORDER: Final = ("connecting", "protocol", "telnet", "intermud", "operator")
"""The documents that come first; all others follow."""

_SETTINGS: Final = {
    # A document can neither include files nor contain raw HTML.
    "raw_enabled": False,
    "file_insertion_enabled": False,
    "_disable_config": True,
    "syntax_highlight": "none",
    "report_level": 5,
    "halt_level": 5,
    "initial_header_level": 2,
    "doctitle_xform": True,
    # Widths would become style attributes, which the content security policy forbids.
    "table_style": "colwidths-auto",
    "embed_stylesheet": False,
    "stylesheet_path": "",
    "smart_quotes": False,
    "output_encoding": "unicode",
    "section_self_link": False,
}


_STYLE: Final = re.compile(' style="[^"]*"')


class Document(Struct, frozen=True):
    """
    A document.

    @ivar name: the last part of its path.
    @ivar about: its first paragraph.
    """

    name: str
    title: str
    about: str
    body: Markup


@cache
def documents() -> dict[str, Document]:
    """All documents, by name, in the order in which to read them; made once in a process."""
    sources = {
        file.name.removesuffix(".rst"): file.read_text("utf-8")
        for file in files("gossip.web").joinpath("docs").iterdir()
        if file.name.endswith(".rst")
    }
    names = sorted(sources, key=lambda name: (ORDER.index(name) if name in ORDER else len(ORDER), name))
    return {name: document(name, sources[name], frozenset(sources)) for name in names}


def doctree(source: str, report_level: int = 5) -> nodes.document:
    """
    Parse a document. It can neither include files nor contain raw HTML.

    @param report_level: from which level on docutils notes mistakes in the document itself; 5 for none.
    """
    return publish_doctree(source, settings_overrides=_settings() | {"report_level": report_level})


def _settings() -> dict[str, Any]:
    return {**_SETTINGS, "warning_stream": io.StringIO()}


def document(name: str, source: str, names: frozenset[str]) -> Document:
    """
    Make a page of a document.

    @param name: its title, if it has none of its own.
    @param names: the names of all documents. Links to them stay; other links into the repository become text.
    """
    tree = doctree(source)
    for image in list(tree.findall(nodes.image)):
        # It could embed any file of this machine, and a browser loads none of another.
        image.replace_self(nodes.inline("", image.get("alt", "")))
    for link in list(tree.findall(nodes.reference)):
        target = link.get("refuri", "")
        if target and "://" not in target and not target.startswith("mailto:"):
            path, _, part = target.partition("#")
            known = path.removesuffix(".rst")
            if known in names:
                link["refuri"] = f"/docs/{known}" + (f"#{part}" if part else "")
            else:
                link.replace_self(nodes.inline("", link.astext()))
        elif target and not target.startswith(("http://", "https://", "mailto:")):
            link.replace_self(nodes.inline("", link.astext()))
    about = next((each.astext() for each in tree.findall(nodes.paragraph)), "")
    parts = publish_parts(
        tree, source_class=DocTreeInput, reader=Reader(), writer="html5", settings_overrides=_settings()
    )
    body = (
        # The content security policy forbids them, and text contains no quotes: they are escaped.
        _STYLE.sub("", parts["body"])
        # Make wide content scroll with the keyboard.
        .replace('<pre class="', '<pre tabindex="0" class="')
        .replace("<table>", '<table tabindex="0">')
        .replace('<nav class="contents', '<nav aria-label="On this page" class="contents')
    )
    # docutils escapes all text, and a document cannot contain tags.
    return Document(name, tree.get("title", name), about.replace("\n", " "), Markup(body))  # noqa: S704
