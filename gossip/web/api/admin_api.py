"""
The admin API: HTTP and JSON on a unix socket that only the daemon's user can open.

POST /NAME, for example C{/game/add}, carries out the command of that name in L{gossip.operations.catalogue}, with an
object of arguments. The other paths are::

    GET  /status                        how the daemon is, with the address of its pages, and that of its socket for
                                        games on this machine; each is empty if there is none
    GET  /metrics                       the same for Prometheus, with counters
    GET  /sessions?match=&after=&limit= the live sessions, a page of them
    GET  /tail?channel=NAME             messages as they are said, one object per line
    POST /backup                        a copy of the database, as a file of SQLite

If an operation makes a link, C{address} is its full URL, as far as the address of the pages is known. The answer to a
refused operation is 400 with C{{"error": TEXT, "code": CODE, "field": ARGUMENT or null}}.
"""

from __future__ import annotations

import pwd
import socket
import struct
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, BinaryIO, Final
from urllib.parse import parse_qs

import msgspec
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IPushProducer, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web import http
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request
from zope.interface import implementer

from gossip.operations.catalogue import COMMANDS
from gossip.operations.command import Result
from gossip.operations.errands import Backup
from gossip.operations.executor import Executor
from gossip.operations.interfaces import InThread, OperationsStore
from gossip.operations.intermud3 import GameI3, placed
from gossip.operations.keys import GameKey, located
from gossip.operations.operation import filled_in, read
from gossip.operations.sessions import SessionList
from gossip.protocol.text import timestamp
from gossip.registry.changes import MessageSaid, MessagesRemoved
from gossip.registry.errors import Refused
from gossip.registry.removals import emptied
from gossip.service.service import GossipService
from gossip.store.errors import StoreError
from gossip.web.api.metrics import Metrics
from gossip.web.api.schemas import OperationError
from gossip.web.http.download import Download
from gossip.web.http.requests import BoundedRequest, BoundedSite, answer_json
from gossip.web.live import Live
from gossip.web.settings import WebRules

BODY_BYTES: Final = 64 * 1024
"""The maximum size of an operation's arguments, in bytes."""

RECALLED: Final = 10
"""How many past messages a tail starts with."""

BACKLOG: Final = 1000
"""The maximum number of messages that wait for a slow reader of a tail. A slower one is cut off."""


_FAILED: Final = OperationError("something went wrong; the daemon's log has the details", "failed")


class AdminRequest(BoundedRequest):
    """A request of an admin."""

    most = BODY_BYTES


class AdminApi(Resource):
    """All paths of the admin API."""

    isLeaf = True
    _log = Logger()

    def __init__(
        self,
        gossip: GossipService,
        store: OperationsStore,
        in_thread: InThread,
        executor: Executor,
        live: Live | None = None,
        rules: WebRules | None = None,
    ) -> None:
        super().__init__()
        self._gossip = gossip
        self._store = store
        self._in_thread = in_thread
        self._executor = executor
        self._rules = rules or WebRules()
        self._metrics = Metrics(gossip, live)
        self._gets: dict[str, Callable[[AdminRequest], Any]] = {
            "status": self._status,
            "sessions": self._sessions,
            "metrics": self._metrics.render,
            "tail": self._tail,
        }

    def render(self, request: AdminRequest) -> Any:
        name = request.path[1:].decode("ascii", "replace")
        known = b"GET" if name in self._gets else b"POST" if name in COMMANDS or name == Backup.wire else None
        if known is None:
            return answer_json(request, OperationError("no such operation", "not-found"), http.NOT_FOUND)
        if request.method != known:
            request.setHeader(b"Allow", known)
            return answer_json(request, OperationError(f"only {known.decode()}", "bad-method"), http.NOT_ALLOWED)
        if request.too_long:
            return answer_json(
                request, OperationError("the arguments are too long", "too-long"), http.REQUEST_ENTITY_TOO_LARGE
            )
        if known == b"GET":
            return self._gets[name](request)
        assert request.content is not None
        arguments, actor = request.content.read(), _actor(request)
        done: Awaitable[Result | BinaryIO] = (
            self._copied(arguments, actor) if name == Backup.wire else self._do(name, arguments, actor)
        )
        Deferred.fromCoroutine(self._answer(request, done))
        return NOT_DONE_YET

    def _status(self, request: AdminRequest) -> Any:
        return answer_json(
            request, {**self._gossip.status(), "address": self._rules.address, "socket": self._rules.socket}
        )

    def _sessions(self, request: AdminRequest) -> Any:
        async def listed() -> Result:
            given = parse_qs(request.uri.partition(b"?")[2].decode("ascii", "replace"))
            asked = filled_in({name: values[0] for name, values in given.items()}, SessionList)
            return await self._gossip.in_slices(asked.work(self._gossip))

        Deferred.fromCoroutine(self._answer(request, listed()))
        return NOT_DONE_YET

    async def _answer(self, request: AdminRequest, done: Awaitable[Result | BinaryIO]) -> None:
        """Answer when the operation is done, if the connection is still open: with its result, or with a file."""
        gone: list[Failure] = []
        request.notifyFinish().addErrback(gone.append)
        try:
            result = await done
            if not isinstance(result, dict):
                if gone:
                    result.close()
                else:
                    Download(request, result, self._in_thread).start()
                return
            body = answer_json(request, result)
        except Refused as refused:
            body = answer_json(request, OperationError(str(refused), refused.code, refused.field), http.BAD_REQUEST)
        except StoreError as broken:
            body = answer_json(request, OperationError(str(broken), "store-failed"), http.BAD_REQUEST)
        except Exception:
            self._log.failure("an operation of the admin failed")
            body = answer_json(request, _FAILED, http.INTERNAL_SERVER_ERROR)
        if not gone:
            request.write(body)
            request.finish()

    async def _do(self, name: str, arguments: bytes, actor: str) -> Result:
        result = await self._executor.carry_out(read(arguments, COMMANDS[name]), actor)
        if "link" in result and self._rules.address:
            result["address"] = self._rules.address + result["link"]
        rules = self._rules
        if name == GameKey.wire:
            return located(result, rules.address, rules.imc2_port)
        if name == GameI3.wire:
            return placed(result, rules.address, rules.i3_port, rules.i3_router)
        return result

    async def _copied(self, arguments: bytes, actor: str) -> BinaryIO:
        read(arguments, Backup)  # there are none
        return await self._executor.snapshot(actor)

    def _tail(self, request: AdminRequest) -> Any:
        names = parse_qs(request.uri.partition(b"?")[2].decode("ascii", "replace")).get("channel")
        channel = names[0] if names else None
        if channel is not None and channel not in self._gossip.network.registry.channels:
            return answer_json(request, OperationError("no such channel", "not-found", "channel"), http.BAD_REQUEST)
        tail = Tail(self._gossip, request, channel)
        if channel is None:
            tail.start(())
        else:
            history = self._in_thread(self._store.history, channel, RECALLED)
            history.addCallbacks(tail.start, tail.fail)
        return NOT_DONE_YET


class AdminSite(BoundedSite):
    """The admin API as a site."""

    def logPrefix(self) -> str:
        """What Twisted logs when it listens, before "starting on"."""
        return "The socket for gossipctl"


def admin_site(
    gossip: GossipService,
    store: OperationsStore,
    clock: IReactorTime,
    in_thread: InThread,
    executor: Executor | None = None,
    live: Live | None = None,
    rules: WebRules | None = None,
) -> AdminSite:
    """
    The admin API.

    @param in_thread: C{deferToThread}, or a substitute.
    @param executor: the one that the pages use too; a new one by default.
    @param live: the readers of live messages, for the metrics.
    @param rules: the settings of the pages, which have their address.
    """
    executor = executor or Executor(gossip, store, in_thread)
    return AdminSite(AdminApi(gossip, store, in_thread, executor, live, rules), clock, AdminRequest)


def _actor(request: Request) -> str:
    """The user that sent the request: the kernel knows the user at the other end of a unix socket."""
    connection = getattr(getattr(request.channel, "transport", None), "socket", None)
    if not isinstance(connection, socket.socket) or connection.family != socket.AF_UNIX:
        return "unix:unknown"
    form = struct.Struct("3i")  # unix(7): pid, uid, gid
    _, uid, _ = form.unpack(connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, form.size))
    return unix_user(uid)


def unix_user(uid: int) -> str:
    """The name of a user of the machine in the activity log."""
    try:
        return f"unix:{pwd.getpwuid(uid).pw_name}"
    except KeyError:
        return f"unix:{uid}"


def said_json(said: MessageSaid) -> bytes:
    """A message as a line of JSON. That of a removed one has its reason, too."""
    shown: dict[str, Any] = {
        "channel": said.channel,
        "seq": said.seq,
        "game": said.game,
        "name": said.name,
        "message": said.message,
        "said_at": timestamp(said.said_at),
    }
    if said.removed is not None:
        shown["removed"] = said.removed.reason
    return msgspec.json.encode(shown) + b"\n"


@implementer(IPushProducer)
class Tail:
    """Sends messages to one reader. They wait until the history is there, and while the connection is full."""

    _log = Logger()

    def __init__(self, gossip: GossipService, request: Request, channel: str | None) -> None:
        """
        @param channel: the channel to follow; C{None} for all.
        """
        self._gossip = gossip
        self._request = request
        self._channel = channel
        self._waiting: deque[MessageSaid] = deque()
        self._paused = True
        self._ended = False
        request.setHeader(b"Content-Type", b"application/x-ndjson")
        request.notifyFinish().addBoth(self._end)
        # From now on, so that no message is lost between the history and the first live one.
        gossip.heard.add(self.heard)
        gossip.removed.add(self.removed)

    def start(self, history: Sequence[MessageSaid]) -> None:
        """Send the history, then each new message."""
        if self._ended:
            return
        recalled = sorted(self._gossip.network.registry.removals.applied(history), key=lambda said: said.seq)
        last = recalled[-1].seq if recalled else 0
        self._waiting = deque(said for said in self._waiting if said.seq > last)
        self._waiting.extendleft(reversed(recalled))
        self._request.registerProducer(self, True)
        self._request.write(b"")  # the headers
        self.resumeProducing()

    def fail(self, failure: Failure) -> None:
        """End, because the history could not be read."""
        self._log.failure("the history could not be read", failure)
        if not self._ended:
            self._request.write(answer_json(self._request, _FAILED, http.INTERNAL_SERVER_ERROR))
            self._request.finish()

    def removed(self, change: MessagesRemoved) -> None:
        """Messages were removed: those that wait are not sent any more, and each is told as what is left of it."""
        self._waiting = deque(self._gossip.network.registry.removals.applied(self._waiting))
        for said in change.messages:
            self.heard(emptied(said, change.removal))

    def heard(self, said: MessageSaid) -> None:
        """Take a message from the network."""
        if self._channel is not None and said.channel != self._channel:
            return
        if not self._paused:
            self._request.write(said_json(said))
            return
        self._waiting.append(said)
        if len(self._waiting) > BACKLOG:
            self._log.info("dropped a slow reader of what is said")
            self._end()
            transport: Any = self._request.channel.transport
            transport.abortConnection()

    def pauseProducing(self) -> None:
        self._paused = True

    def resumeProducing(self) -> None:
        self._paused = False
        while self._waiting and not self._paused and not self._ended:
            self._request.write(said_json(self._waiting.popleft()))

    def stopProducing(self) -> None:
        self._end()

    def _end(self, _result: object = None) -> None:
        self._ended = True
        self._waiting.clear()
        self._gossip.heard.discard(self.heard)
        self._gossip.removed.discard(self.removed)
