"""The refusal of a change."""

from __future__ import annotations


class Refused(Exception):
    """
    A change that would contradict what is known, or an operation that cannot be carried out. Nothing was changed.

    Programs go by the code and the field. The text is for people, and may be reworded at any time.

    @ivar code: what is wrong: C{invalid} for a value that cannot be, C{not-found}, C{taken}, C{reserved}, C{too-many},
        C{not-confirmed}, C{forbidden}, C{conflict} for what does not fit the state of things; or the code of one of
        L{gossip.protocol.errors}.
    @ivar field: the name of the argument that it is about, C{None} if it is about none.
    """

    def __init__(self, code: str, field: str | None, text: str) -> None:
        """
        @param text: why, without a capital letter or a full stop.
        """
        super().__init__(text)
        self.code = code
        self.field = field
