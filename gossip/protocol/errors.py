"""How a request fails."""

from __future__ import annotations


class Denied(Exception):
    """A request that cannot be carried out; the text is the error that answers it. Nothing was changed."""


class Overrun(Exception):
    """A request over a rate limit. Nothing was changed but the count of strikes."""

    def __init__(self, abuse: bool) -> None:
        super().__init__(abuse)
        self.abuse = abuse
