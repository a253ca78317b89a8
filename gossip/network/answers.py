"""What a request is answered."""

from __future__ import annotations

from typing import Protocol

from msgspec import Raw

from gossip.network.outputs import Send
from gossip.network.session import Session
from gossip.protocol.errors import Error
from gossip.protocol.events import Ref
from gossip.protocol.moment import Moment
from gossip.protocol.server_events import Failure, ServerEvent, Success


class Request(Protocol):
    """An event that may be answered."""

    @property
    def wire(self) -> str | Raw | None: ...
    @property
    def ref(self) -> Ref: ...


def success(session: Session, request: Request, now: Moment) -> tuple[Send, ...]:
    """The answer to a request that was carried out; none if nobody wants one."""
    assert isinstance(request.wire, str)
    return answer(session, request, Success(request.wire, request.ref), now)


def failure(session: Session, request: Request, error: Error, now: Moment) -> tuple[Send, ...]:
    """The answer to a request that was not carried out; none if nobody wants one."""
    return answer(session, request, Failure(request.wire, request.ref, error), now)


def answer(session: Session, request: Request, event: ServerEvent, now: Moment) -> tuple[Send, ...]:
    """This event as the answer to a request; none if nobody wants one."""
    wanted = request.ref is not None or session.debug_until > now.steady
    return (Send(session, event),) if wanted else ()
