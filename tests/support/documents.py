"""The project's documents, as tests read them."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from docutils import nodes  # type: ignore[import-untyped]
from docutils.core import publish_doctree  # type: ignore[import-untyped]

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.rst"
CONNECTING = ROOT / "docs" / "connecting.rst"
PROTOCOL = ROOT / "docs" / "protocol.rst"
OPERATOR = ROOT / "docs" / "operator.rst"
TELNET = ROOT / "docs" / "telnet.rst"
EXAMPLES = ROOT / "examples" / "README.rst"
DOCUMENTS = (README, ROOT / "NEWS.rst", ROOT / "CONTRIBUTING.rst", EXAMPLES, *sorted((ROOT / "docs").glob("*.rst")))


def parsed(path: Path) -> tuple[Any, str]:
    """
    Read a document.

    @return: it, and what docutils has to complain of.
    """
    complaints = io.StringIO()
    settings = {
        "report_level": 1,
        "halt_level": 5,
        "warning_stream": complaints,
        "syntax_highlight": "none",
        "file_insertion_enabled": False,
    }
    document = publish_doctree(path.read_text("utf-8"), source_path=path.name, settings_overrides=settings)
    return document, complaints.getvalue()


def blocks(path: Path, language: str) -> list[str]:
    """The blocks of code in one language, in their order."""
    document, _ = parsed(path)
    return [block.astext() for block in document.findall(nodes.literal_block) if language in block["classes"]]


def literals(path: Path) -> set[str]:
    """What is written as code in the middle of a text."""
    document, _ = parsed(path)
    return {literal.astext() for literal in document.findall(nodes.literal)}
