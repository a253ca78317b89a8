"""The fields of a form that a browser sent."""

from __future__ import annotations


class Form:
    """What somebody filled in."""

    def __init__(self, fields: dict[str, list[str]]) -> None:
        self._fields = fields

    def __contains__(self, name: str) -> bool:
        return name in self._fields

    def text(self, name: str) -> str:
        """A field; empty if it is not there."""
        return self._fields.get(name, [""])[0]

    def all(self, name: str) -> list[str]:
        """All fields of this name."""
        return self._fields.get(name, [])

    def checked(self, name: str) -> bool:
        """Is a box ticked?"""
        return bool(self.text(name))
