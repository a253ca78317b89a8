"""How a change is refused."""

from __future__ import annotations


class Refused(Exception):
    """A change that would make what is known contradict itself; the text is for the person who asked for it."""
