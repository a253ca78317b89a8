"""Errors of the API as JSON (RFC 9457)."""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import UNSET, Struct, UnsetType
from twisted.web.server import Request

from gossip.web.http.requests import REASONS, answer

API: Final = b"/api/"
"""The beginning of the paths of the API."""

CONTENT_TYPE: Final = "application/problem+json"


class ProblemDetails(Struct, frozen=True):
    """
    Why a request failed (RFC 9457).

    @ivar type: C{about:blank}: the status says what kind of problem it is.
    @ivar title: the name of the status.
    @ivar status: the status of the answer.
    @ivar detail: the reason as text, which may change.
    @ivar error: the same as C{detail}, for clients from before there was that.
    @ivar code: the reason as a code, which does not change; only if an operation was refused.
    @ivar field: the argument that the reason is about; null if it is about none; only if an operation was refused.
    """

    type: str
    title: str
    status: int
    detail: str
    error: str
    code: str | UnsetType = UNSET
    field: str | UnsetType | None = UNSET


def answer_problem(
    request: Request, status: int, text: str, code: str | UnsetType = UNSET, field: str | UnsetType | None = UNSET
) -> bytes:
    """Prepare an answer with a problem."""
    title = REASONS.get(status, b"").decode()
    told = ProblemDetails("about:blank", title, status, text, text, code, field)
    return answer(request, msgspec.json.encode(told) + b"\n", CONTENT_TYPE.encode(), status)
