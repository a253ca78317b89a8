"""
Messages sent to browsers as they are said: server-sent events.

A message costs the network one append to a list, whatever the number of readers. Messages that arrive together are
encoded once for all readers of a channel, and handed to a few readers in each turn of the reactor, so that games get
their turns in between. With many readers this happens less often, which bounds the share of time that they take.
"""

from __future__ import annotations

import itertools
from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, Protocol

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IPushProducer, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web import http
from twisted.web.server import NOT_DONE_YET
from zope.interface import implementer

from gossip.registry.addresses import Address
from gossip.registry.changes import MessageSaid, MessagesRemoved
from gossip.registry.registry import Registry
from gossip.registry.removals import emptied
from gossip.web.http.requests import PublicRequest
from gossip.web.http.router import Problem

ALIVE_SECONDS: Final = 15.0
"""Every reader gets a sign of life this often, in seconds, before a proxy closes a silent connection."""

RETRY_MILLISECONDS: Final = 2000
"""How long a browser waits before it reconnects."""

MISSED: Final = 500
"""How many missed messages a reader that reconnects gets; a reader that missed more is told to reload the page."""

BACKLOG_BYTES: Final = 128 * 1024
"""The maximum backlog of a reader, in bytes. A slower one is cut off, reconnects and catches up."""

EARLIER: Final = 10.0
"""
A page may have been made this many seconds before it learns of a removal that is older than the page: the removal was
not on disk yet.
"""

_RECENT: Final = 200
_ALWAYS: Final = 2**63
"""The number of an event for all readers, whatever they have already."""

_SLICE: Final = 8
_READERS_A_SECOND: Final = 2000

_HELLO: Final = b"retry: %d\n\n" % RETRY_MILLISECONDS

Sees = Callable[[str], bool]
"""Whether a reader is told of what is removed in a channel of this name."""

Encode = Callable[[MessageSaid, bool], bytes]
"""Encodes a message as a line of HTML; the second argument is whether the line tells its channel."""


class ReaderLimits(Protocol):
    """The limits of L{Readers}."""

    @property
    def readers(self) -> int: ...
    @property
    def readers_per_address(self) -> int: ...


class ReaderSettings(Protocol):
    """The part of a configuration that L{Readers} holds."""

    @property
    def limits(self) -> ReaderLimits: ...


class Readers:
    """The maximum numbers of readers, in all and per address; 0 for no limit. A reload changes them."""

    def __init__(self, total: int = 0, per_address: int = 0) -> None:
        self.total = total
        self.per_address = per_address

    def configure(self, settings: ReaderSettings) -> None:
        """Follow these settings from now on."""
        self.total, self.per_address = settings.limits.readers, settings.limits.readers_per_address


def frame(body: bytes, event: bytes = b"", number: int | None = None) -> bytes:
    """One server-sent event, encoded."""
    head = b"event: " + event + b"\n" if event else b""
    if number is not None:
        head += b"id: %d\n" % number
    # Each of the three line ends would end a line of data.
    lines = body.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    return head + b"".join(b"data: " + line + b"\n" for line in lines) + b"\n"


def milliseconds(said: MessageSaid) -> int:
    """The time of a message, which numbers the events of a stream of several channels."""
    return int(said.said_at * 1000)


class EncodedEvents:
    """Encoded events: plain for HTTP/1.0, and as a chunk for HTTP/1.1."""

    __slots__ = ("chunk", "data")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.chunk = b"%x\r\n%b\r\n" % (len(data), data)


_ALIVE: Final = EncodedEvents(b":\n\n")


@implementer(IPushProducer)
class Reader:
    """A browser that follows one channel or all public ones, or is told what is removed."""

    def __init__(self, live: Live, request: PublicRequest, channel: str | None, place: Address) -> None:
        """@param channel: C{None} for several channels."""
        self.channel = channel
        self.place = place
        self.missing = 0
        """The messages up to this number were sent already, or are in the history that is being read."""
        self._live = live
        self._request = request
        self._waiting: deque[EncodedEvents] = deque()
        self._size = 0
        self._paused = True
        self.started = False
        self.ended = False
        request.notifyFinish().addBoth(lambda _: self._gone())

    def start(self, first: bytes) -> None:
        """Send the first bytes, and every event from now on."""
        if self.ended:
            return
        self.started = True
        self._paused = False
        self._request.registerProducer(self, True)
        self._request.write(first)

    def tell(self, written: EncodedEvents) -> None:
        """Write events, now or when the connection has room."""
        if self.ended:
            return
        if not self._paused:
            self._write(written)
            return
        self._waiting.append(written)
        self._size += len(written.data)
        if self._size > BACKLOG_BYTES:
            self._live.dropped += 1
            self.abort()

    def end(self) -> None:
        """End the stream."""
        if not self.ended:
            self._gone()
            if self._request.producer is not None:
                self._request.unregisterProducer()
            self._request.finish()

    def abort(self) -> None:
        """Cut it off."""
        self._gone()
        transport: Any = self._request.channel.transport
        transport.abortConnection()

    def pauseProducing(self) -> None:
        self._paused = True

    def resumeProducing(self) -> None:
        self._paused = False
        while self._waiting and not self._paused and not self.ended:
            written = self._waiting.popleft()
            self._size -= len(written.data)
            self._write(written)

    def _write(self, written: EncodedEvents) -> None:
        # Request.write would build the chunk again for each reader.
        self._request.channel.write(written.chunk if self._request.chunked else written.data)

    def stopProducing(self) -> None:
        self._gone()

    def _gone(self) -> None:
        if not self.ended:
            self.ended = True
            self._waiting.clear()
            self._live.left(self)


class Live:
    """
    All readers.

    @ivar dropped: how many readers were too slow.
    """

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        registry: Registry,
        encode: Encode,
        most: Readers,
    ) -> None:
        """
        @param registry: what is known: readers get nothing of hidden channels, and nothing of removed messages.
        """
        self.dropped = 0
        self.most = most
        self._clock = clock
        self._registry = registry
        self._encode = encode
        self._readers: dict[str | None, dict[Reader, None]] = {}
        self._of_removals: dict[Reader, Sees] = {}
        self._addresses: Counter[Address] = Counter()
        self._heard: list[MessageSaid | MessagesRemoved] = []
        self._recent: deque[MessageSaid] = deque(maxlen=_RECENT)
        self._flushing: IDelayedCall | None = None
        self._handing: IDelayedCall | None = None
        self._to_hand: deque[tuple[Reader, EncodedEvents]] = deque()
        self._last_flush = 0.0
        self._beating: IDelayedCall | None = None
        self._stopped = False

    def __len__(self) -> int:
        return sum(self._addresses.values())

    @property
    def behind(self) -> int:
        """How many readers have not been handed the last messages yet."""
        return len(self._to_hand)

    # Messages.

    def heard(self, said: MessageSaid) -> None:
        """Take a message from the network. This is its whole cost for the network."""
        if not self._addresses and not self._heard:
            self._recent.append(said)  # no readers, so no timer
            return
        self._queue(said)

    def removed(self, change: MessagesRemoved) -> None:
        """Messages were removed: they are forgotten, and the lines of readers change in place."""
        self._recent = deque(self._registry.removals.applied(self._recent), maxlen=_RECENT)
        if self._addresses or self._heard:
            self._queue(change)

    def _queue(self, heard: MessageSaid | MessagesRemoved) -> None:
        self._heard.append(heard)
        if self._flushing is None:
            wait = self._last_flush + len(self) / _READERS_A_SECOND - self._clock.seconds()
            self._flushing = self._clock.callLater(max(0.0, wait), self._flush)

    def _flush(self) -> None:
        if self._to_hand:
            # The previous round is not finished.
            self._flushing = self._clock.callLater(0.02, self._flush)
            return
        self._flushing = None
        self._last_flush = self._clock.seconds()
        heard, self._heard = self._heard, []
        self._recent.extend(each for each in heard if isinstance(each, MessageSaid))
        if not self._addresses:
            return
        self._tell_removals(heard)
        frames: dict[str | None, list[tuple[int, bytes]]] = {}
        for each in heard:
            if isinstance(each, MessagesRemoved):
                self._add_removed(each, frames)
                continue
            [said] = self._registry.removals.applied([each])
            if not self._is_shown(said.channel):
                # If the channel is shown again soon, a reader that stayed would miss this message; one that
                # reconnects catches up.
                for reader in list(self._readers.get(said.channel, ())):
                    reader.end()
                continue
            if said.channel in self._readers:
                told = frame(self._encode(said, False), number=said.seq)
                frames.setdefault(said.channel, []).append((said.seq, told))
            if None in self._readers:
                frames.setdefault(None, []).append((0, frame(self._encode(said, True), number=milliseconds(said))))
        for channel, events in frames.items():
            together = EncodedEvents(b"".join(text for _, text in events))
            lowest = min(seq for seq, _ in events)
            for reader in self._readers.get(channel, ()):
                if not reader.started:
                    continue  # it gets the message with its history
                # Leave out what was in the reader's history.
                whole = not reader.missing or lowest > reader.missing
                rest = (
                    together if whole else EncodedEvents(b"".join(text for seq, text in events if seq > reader.missing))
                )
                if rest.data:
                    self._to_hand.append((reader, rest))
        self._hand_out()

    def _add_removed(self, change: MessagesRemoved, frames: dict[str | None, list[tuple[int, bytes]]]) -> None:
        """Add what readers are told of removed messages."""
        for said in change.messages:
            for followed in (said.channel, None):
                if followed in self._readers and self._is_shown(said.channel):
                    told = self._removed_frame(emptied(said, change.removal), followed is None)
                    frames.setdefault(followed, []).append((_ALWAYS, told))

    def _tell_removals(self, heard: Iterable[MessageSaid | MessagesRemoved]) -> None:
        """Tell the readers that follow no messages what was removed in the channels that they see."""
        if not self._of_removals:
            return
        told: dict[str, list[bytes]] = {}
        for change in heard:
            if isinstance(change, MessagesRemoved):
                for said in change.messages:
                    event = self._removed_frame(emptied(said, change.removal), False)
                    told.setdefault(said.channel, []).append(event)
        encoded: dict[tuple[str, ...], EncodedEvents] = {}
        for reader, sees in self._of_removals.items():
            seen = tuple(filter(sees, told))
            if seen not in encoded:
                encoded[seen] = EncodedEvents(b"".join(event for channel in seen for event in told[channel]))
            if seen:
                self._to_hand.append((reader, encoded[seen]))

    def _removed_frame(self, left: MessageSaid, everywhere: bool) -> bytes:
        # Without an id: a browser that reconnects goes on from the last message, not from here.
        return frame(self._encode(left, everywhere), b"removed")

    def _hand_out(self) -> None:
        self._handing = None
        for _ in range(min(_SLICE, len(self._to_hand))):
            reader, written = self._to_hand.popleft()
            try:
                reader.tell(written)
            except Exception:
                # A bug that hits one reader must not stop the others.
                self._log.failure("a reader could not be told")
                reader.abort()
        if self._to_hand:
            self._handing = self._clock.callLater(0, self._hand_out)

    def _is_shown(self, channel: str) -> bool:
        known = self._registry.channels.get(channel)
        return known is not None and not known.hidden

    # Readers.

    def follow(
        self,
        request: PublicRequest,
        address: Address,
        channel: str | None,
        after: int | None,
        history: Callable[[int], Deferred[Sequence[MessageSaid]]],
        since: float | None = None,
    ) -> bytes | int:
        """
        Answer a request with a stream of messages.

        @param channel: C{None} for all public channels.
        @param after: the number of the last message that the reader has, or its L{milliseconds} for all channels;
            C{None} for new messages only.
        @param history: reads at most this many messages that the reader missed.
        @param since: when the reader's page was made, in seconds since the epoch: it is told what was removed since.
        @return: C{NOT_DONE_YET}; an empty body for HEAD.
        @raise Problem: there are too many readers.
        """
        reader = self._reader(request, address, channel)
        if reader is None:
            return b""
        self._readers.setdefault(channel, {})[reader] = None
        if after is None:
            reader.start(_HELLO + self._removed_since(reader, since))
        else:
            read = history(MISSED + 1)
            read.addCallbacks(self._recall, self._unread, callbackArgs=(reader, after, since), errbackArgs=(reader,))
        return NOT_DONE_YET

    def follow_removals(
        self, request: PublicRequest, address: Address, sees: Sees, since: float | None = None
    ) -> bytes | int:
        """
        Answer a request with a stream of what is removed, and of nothing else.

        @param sees: whether the reader is told of what is removed in a channel.
        @param since: when the reader's page was made, as for L{follow}.
        @return: C{NOT_DONE_YET}; an empty body for HEAD.
        @raise Problem: there are too many readers.
        """
        reader = self._reader(request, address, None)
        if reader is None:
            return b""
        self._of_removals[reader] = sees
        reader.start(_HELLO + self._removed_since(reader, since))
        return NOT_DONE_YET

    def _reader(self, request: PublicRequest, address: Address, channel: str | None) -> Reader | None:
        """
        A new reader, which is counted; C{None} for HEAD.

        @raise Problem: there are too many readers.
        """
        most, place = self.most, address.place
        if self._stopped or (most.total and len(self) >= most.total):
            raise _too_many("Too many people are reading along. Try again in a moment.")
        if most.per_address and self._addresses.get(place, 0) >= most.per_address:
            raise _too_many("Too many pages are open from your address.")
        request.setHeader(b"Content-Type", b"text/event-stream; charset=utf-8")
        # Otherwise nginx would buffer the events.
        request.setHeader(b"X-Accel-Buffering", b"no")
        request.setHeader(b"Cache-Control", b"no-store, no-transform")
        if request.method == b"HEAD":
            return None
        self._addresses[place] += 1
        if self._beating is None:
            self._beating = self._clock.callLater(ALIVE_SECONDS, self._beat)
        return Reader(self, request, channel, place)

    def _recall(self, history: Sequence[MessageSaid], reader: Reader, after: int, since: float | None) -> None:
        if len(history) > MISSED:
            reader.start(_HELLO + frame(b"reload", b"reload"))
            return
        missed = {(said.channel, said.seq): said for said in history}
        # Recent messages may not be on disk yet.
        heard = (each for each in self._heard if isinstance(each, MessageSaid))
        for said in itertools.chain(self._recent, heard):
            if self._is_shown(said.channel) and (reader.channel is None or reader.channel == said.channel):
                missed.setdefault((said.channel, said.seq), said)
        missed = {(said.channel, said.seq): said for said in self._registry.removals.applied(list(missed.values()))}
        if reader.channel is None:
            text = b"".join(
                frame(self._encode(said, True), number=milliseconds(said))
                for said in sorted(missed.values(), key=lambda said: said.said_at)
                if milliseconds(said) >= after
            )
        else:
            each = sorted(said for _, said in missed if said > after)
            # Not the number that the reader sent: after a restore of the database the next ones can be lower.
            reader.missing = max((seq for _, seq in missed), default=0)
            text = b"".join(frame(self._encode(missed[reader.channel, seq], False), number=seq) for seq in each)
        reader.start(_HELLO + text + self._removed_since(reader, since))

    def _removed_since(self, reader: Reader, since: float | None) -> bytes:
        """What a reader is told of messages that were removed since its page was made."""
        if since is None:
            return b""
        only, channel = self._of_removals.get(reader), reader.channel

        def is_followed(name: str) -> bool:
            return self._is_shown(name) and channel in (None, name)

        removed = self._registry.removals.since(since - EARLIER, only or is_followed)
        return b"".join(self._removed_frame(left, only is None and channel is None) for left in removed)

    def _unread(self, failure: Failure, reader: Reader) -> None:
        self._log.failure("the history could not be read", failure)
        reader.end()

    def left(self, reader: Reader) -> None:
        """Forget a reader."""
        self._of_removals.pop(reader, None)
        readers = self._readers.get(reader.channel, {})
        readers.pop(reader, None)
        if not readers:
            self._readers.pop(reader.channel, None)
        self._addresses[reader.place] -= 1
        if not self._addresses[reader.place]:
            del self._addresses[reader.place]

    def _all(self) -> Iterable[Reader]:
        return [*itertools.chain.from_iterable(self._readers.values()), *self._of_removals]

    def _beat(self) -> None:
        self._beating = self._clock.callLater(ALIVE_SECONDS, self._beat) if self._addresses else None
        for reader in self._all():
            if reader.channel is not None and not self._is_shown(reader.channel):
                reader.end()
            else:
                self._to_hand.append((reader, _ALIVE))
        if self._handing is None:
            self._hand_out()

    def start(self) -> None:
        """Accept readers."""
        self._stopped = False

    def stop(self) -> None:
        """End all streams, since the daemon stops. The pages reconnect when it is back."""
        self._stopped = True
        for call in (self._flushing, self._handing, self._beating):
            if call is not None and call.active():
                call.cancel()
        self._flushing = self._handing = self._beating = None
        self._to_hand.clear()
        for reader in self._all():
            reader.end()


def _too_many(text: str) -> Problem:
    return Problem(http.SERVICE_UNAVAILABLE, text, {b"Retry-After": b"30"})
