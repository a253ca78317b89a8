"""Static files, which never change while the daemon runs: the style sheet, scripts, images."""

from __future__ import annotations

import hashlib
import re
from importlib.resources import files
from typing import Final

from gossip.web.http.requests import PublicRequest, answer, answer_cached
from gossip.web.http.router import NotFound

_TYPES: Final = {
    "css": b"text/css; charset=utf-8",
    "js": b"text/javascript; charset=utf-8",
    "svg": b"image/svg+xml",
    "txt": b"text/plain; charset=utf-8",
}

_FOREVER: Final = b"public, max-age=31536000, immutable"


def _slim(body: bytes, kind: str) -> bytes:
    """A style sheet or a script without what only its authors read: comments on lines of their own, and indentation."""
    if kind == "css":
        body = re.sub(rb"/\*.*?\*/", b"", body, flags=re.DOTALL)
    elif kind != "js":
        return body
    lines = (line.strip() for line in body.split(b"\n"))
    return b"\n".join(line for line in lines if line and not line.startswith(b"//")) + b"\n"


class Assets:
    """The files in C{static/}. Links to them contain their version, so that browsers can cache them for ever."""

    def __init__(self) -> None:
        self._bodies: dict[str, bytes] = {}
        for file in files("gossip.web").joinpath("static").iterdir():
            if file.is_file() and file.name.rpartition(".")[2] in _TYPES:
                self._bodies[file.name] = _slim(file.read_bytes(), file.name.rpartition(".")[2])
        self._versions = {name: hashlib.sha256(body).hexdigest()[:12] for name, body in self._bodies.items()}

    def path(self, name: str) -> str:
        """The path of a file, with its version."""
        stem, _, kind = name.rpartition(".")
        return f"/static/{stem}.{self._versions[name]}.{kind}"

    @property
    def weights(self) -> dict[str, int]:
        """The size of each file as it is sent uncompressed, in bytes."""
        return {name: len(body) for name, body in self._bodies.items()}

    def __call__(self, request: PublicRequest, name: str) -> bytes:
        """Answer a request for a file, with or without a version in its name."""
        stem, _, kind = name.rpartition(".")
        if name in self._bodies:
            return answer_cached(request, self._bodies[name], _TYPES[kind], 300)
        stem, _, version = stem.rpartition(".")
        plain = f"{stem}.{kind}"
        if self._versions.get(plain) != version:
            raise NotFound
        return answer(request, self._bodies[plain], _TYPES[kind], headers={b"Cache-Control": _FOREVER})
