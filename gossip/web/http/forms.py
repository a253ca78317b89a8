"""The fields of a form that a browser sent."""

from __future__ import annotations


class Form:
    """The fields of a form by name; a name can have several values."""

    def __init__(self, fields: dict[str, list[str]]) -> None:
        self._fields = fields

    def __contains__(self, name: str) -> bool:
        return name in self._fields

    def text(self, name: str) -> str:
        """The first value of a field; empty if the form does not have it."""
        return self._fields.get(name, [""])[0]

    def all(self, name: str) -> list[str]:
        """All values of a field."""
        return self._fields.get(name, [])

    def checked(self, name: str) -> bool:
        """Whether a checkbox is ticked."""
        return bool(self.text(name))
