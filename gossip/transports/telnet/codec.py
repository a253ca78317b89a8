"""The codec of the telnet port: bytes in, events out, and an outbox of bytes to send.

It does no I/O and knows no clock. A connection feeds what it reads to `Telnet.receive`, acts on the
events, and writes what `Telnet.flush` returns once at the end of each reactor turn:

    codec = Telnet()                   # the opening offers are in its outbox
    codec.send_line(b"GOSSIP 1 ...")   # the banner is written with them
    transport.write(codec.flush())
    for event in codec.receive(data): ...

Why a codec of our own: `twisted.conch.telnet` raises out of dataReceived on junk, has no place for
compression and cannot stop in mid-chunk, where MCCP3 begins; the packages on PyPI are tied to
asyncio or bound neither their buffers nor what they inflate.

Input passes three layers: inflate (MCCP3), telnet commands, lines. Output is escaped when it is
queued and compressed when it is flushed (MCCP2), so that negotiation and text keep their order.
Whatever the peer sends, nothing raises, every buffer is bounded, and the same bytes give the same
events wherever they are cut; only the two bounds on what a read inflates to depend on the reads.

Sources: RFC 854 (commands), 1143 (negotiation), 2066 (CHARSET), the MCCP and MSSP pages of
https://tintin.mudhalla.net/protocols/ and the sections 1, 4, 5 and 6 of the telnet bridge's protocol.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from enum import Enum

import msgspec

# Commands, RFC 854.
SE, AYT, SB, WILL, WONT, DO, DONT, IAC = 240, 246, 250, 251, 252, 253, 254, 255

# The options that we support; all others are refused.
CHARSET, MSSP, MCCP2, MCCP3 = 42, 70, 86, 87

_CHARSET_REQUEST, _CHARSET_ACCEPTED, _CHARSET_REJECTED = 1, 2, 3
_MSSP_VAR, _MSSP_VAL = b"\x01", b"\x02"

_IAC = bytes((IAC,))
_LF = b"\n"
_CR_NUL = b"\r\0"


class Line(msgspec.Struct, frozen=True, gc=False):
    """A line of text that is not empty.

    `data` holds its bytes without LF, CR, NUL and telnet commands, at most `line_limit` of them.
    """

    data: bytes


class LineTooLong(msgspec.Struct, frozen=True):
    """A line is longer than `line_limit`; the rest up to its LF is dropped. Once for each line."""


class MSSPAsked(msgspec.Struct, frozen=True):
    """The peer agreed to MSSP: answer with `Telnet.send_mssp`."""


class CharsetAsked(msgspec.Struct, frozen=True):
    """The peer proposes character sets: `Telnet.accept_charset` or `Telnet.reject_charset`.

    `names` are as the peer wrote them, the preferred one first (RFC 2066). Bytes beyond ASCII are
    read as Latin-1, so that any name can be sent back unchanged.
    """

    names: tuple[str, ...]


class CompressionFailed(msgspec.Struct, frozen=True):
    """The peer's MCCP3 stream is not zlib. Fatal: tell the peer, and close.

    The input of this read is lost: garbage must never run as commands.
    """


class Flooded(msgspec.Struct, frozen=True):
    """The peer exceeded a limit that no honest peer comes near. Fatal: close.

    `error` is the code of the error for that limit.
    """

    error: str


Event = Line | LineTooLong | MSSPAsked | CharsetAsked | CompressionFailed | Flooded


class _Ours(Enum):
    """The state of an option of ours (RFC 1143: NO, WANTYES, YES; we never withdraw an offer)."""

    OFF = 0
    OFFERED = 1
    ON = 2


# What the next byte from the peer is:
_TEXT = 0
_COMMAND = 1  # the byte after IAC
_OPTION = 2  # the byte after IAC WILL, WONT, DO or DONT
_SUB = 3  # inside of IAC SB ... IAC SE
_SUB_COMMAND = 4  # the byte after an IAC in there


class Telnet:
    """Telnet for one connection, on the server's side.

    `tls`: the connection is encrypted; compression is then never offered, since the length of
    compressed secrets leaks their content.

    After a fatal event (`CompressionFailed`, `Flooded`) all further input is ignored; a last
    line can still be sent.
    """

    # The limits. One that is set on an instance applies from the next `receive` on.
    line_limit: int = 1024
    """The maximum length of a line, in bytes; raise it when the peer has logged in."""
    unbroken_limit: int = 64 * 1024
    """The maximum number of bytes without a line feed; `line_limit`, if that is higher."""
    subnegotiation_limit: int = 8192
    """The maximum size of a subnegotiation from its option on, unescaped, in bytes."""
    answers_limit: int = 512
    """The maximum number of answered negotiations, which ends any loop; real clients need ten."""
    inflate_budget: int = 256 * 1024
    """The maximum size that one `receive` may inflate to, in bytes: zlib reaches 1030:1."""
    inflated_commands: int = 4096
    """The maximum number of IACs that one `receive` may inflate to: a budget full of them fits into
    300 bytes and would take 100 ms."""

    def __init__(self, tls: bool = False) -> None:
        self.peer_speaks_telnet = False
        """Whether the peer has sent an IAC. Until then we send none after the opening."""
        self.lines_in = 0
        """The number of complete lines, including empty and too long ones: each is a sign of life."""
        self.commands_in = 0
        """The number of IACs, which are work without being lines."""
        self.wire_in = self.wire_out = 0
        """Bytes received and flushed, as on the wire."""
        self.plain_in = self.plain_out = 0
        """The same bytes after inflating and before compressing."""

        # MCCP3 must be last: otherwise a widespread client corrupts its stream.
        offers = (MSSP, CHARSET) if tls else (MSSP, CHARSET, MCCP2, MCCP3)
        self._ours = dict.fromkeys(offers, _Ours.OFFERED)
        self._peer_charset = False  # the only option that the peer may have on its side
        self._mccp3_used = False  # the stream of our last offer has started
        self._answers = 0

        self._outbox = bytearray()  # escaped, in order, not compressed yet
        self._wire = bytearray()  # ready to write
        self._deflate: zlib._Compress | None = None
        self._here = False  # AYT was answered since the last flush

        self._events: list[Event] = []
        self._deaf = False  # a fatal event was returned
        self._inflate: zlib._Decompress | None = None
        self._budget = 0  # bytes that this read may still inflate to
        self._commands = 0  # IACs in what this read inflated to
        self._reading = _TEXT
        self._verb = 0  # of the negotiation whose option is next
        self._sub = bytearray()
        self._line = bytearray()  # the line that has no LF yet
        self._line_length = 0  # including what was dropped of it
        self._skipping = False  # that line is too long

        for option in offers:
            self._outbox += bytes((IAC, WILL, option))
        self._outbox += b"\r\n"  # ends the junk that a plain socket shows before the banner

    # Receiving

    def receive(self, data: bytes) -> list[Event]:
        """Take the bytes of one read, cut anywhere; return their events, in order."""
        self.wire_in += len(data)
        self._budget, self._commands = self.inflate_budget, 0
        while data and not self._deaf:
            data = self._obey(data) if self._inflate is None else self._expand(self._inflate, data)
        events, self._events = self._events, []
        return events

    def _give_up(self, event: CompressionFailed | Flooded) -> None:
        self._deaf = True
        self._events.append(event)

    def _expand(self, stream: zlib._Decompress, data: bytes) -> bytes:
        """Inflate MCCP3; return the plain bytes after the end of the stream."""
        try:
            plain = stream.decompress(data, self._budget)
        except zlib.error:
            self._give_up(CompressionFailed())
            return b""
        self._budget -= len(plain)
        if not self._budget:  # used up: zlib keeps back the excess without telling
            self._give_up(Flooded("inflated-too-much"))
            return b""
        self._obey(plain)
        if stream.eof:
            self._inflate = None
        return stream.unused_data

    def _obey(self, data: bytes) -> bytes:
        """Handle text and commands; return the bytes after the start of MCCP3."""
        at, end = 0, len(data)
        while at < end and not self._deaf:
            reading = self._reading
            if reading in (_TEXT, _SUB):
                iac = data.find(IAC, at)
                stop = end if iac < 0 else iac
                if reading == _SUB:
                    self._sub_bytes(data[at:stop])
                elif stop > at:
                    self._text(data[at:stop])
                if iac < 0:
                    at = end
                    break
                at = iac + 1
                self.commands_in += 1
                self._reading = _COMMAND if reading == _TEXT else _SUB_COMMAND
                self._commands += self._inflate is not None
                if self._commands > self.inflated_commands:
                    self._give_up(Flooded("inflated-too-many-commands"))
                continue
            byte = data[at]
            at += 1
            if reading == _COMMAND:
                self._command(byte)
            elif reading == _OPTION:
                self._reading = _TEXT
                self._negotiate(self._verb, byte)
            elif byte == IAC:
                self._reading = _SUB
                self._sub_bytes(_IAC)
            elif byte == SE:
                self._reading = _TEXT
                if self._subnegotiated(bytes(self._sub)):
                    break
            else:
                # The SE is missing: drop the subnegotiation, and read this as a command.
                self._reading = _COMMAND
                at -= 1
        self.plain_in += at
        return data[at:]

    def _command(self, byte: int) -> None:
        """Handle the byte after an IAC: negotiations and AYT; unknown commands are skipped."""
        self.peer_speaks_telnet = True
        self._reading = _TEXT
        if byte == IAC:
            self._text(_IAC)
        elif WILL <= byte <= DONT:
            self._reading, self._verb = _OPTION, byte
        elif byte == SB:
            self._reading = _SUB
            self._sub.clear()
        elif byte == AYT and not self._here:
            # One answer a flush is enough, and cannot be used for amplification.
            self._here = True
            self.send_line(b"NOTE yes")

    # Lines

    def _text(self, run: bytes) -> None:
        """Cut a run of text into lines, many at a time: most of the throughput depends on this."""
        lines = run.translate(None, _CR_NUL).split(_LF)
        last = lines.pop()
        self.lines_in += len(lines)
        if lines and self._line_length:
            self._unended(lines[0])
            self._end_line()
            if self._deaf:
                return
            del lines[0]
        lines = list(filter(None, lines))
        if max(map(len, lines), default=0) <= self.line_limit:
            self._events.extend(map(Line, lines))
        else:
            for line in lines:
                self._unended(line)
                self._end_line()
        if last:
            self._unended(last)

    def _unended(self, part: bytes) -> None:
        """Append to the line that has no end yet."""
        if self._deaf:
            return
        self._line_length += len(part)
        if self._line_length <= self.line_limit and not self._skipping:
            self._line += part
            return
        if not self._skipping:
            self._skip()
        if self._line_length > max(self.unbroken_limit, self.line_limit):
            self._give_up(Flooded("no-line-feed"))

    def shorten(self, most: int) -> list[Event]:
        """Keep a line that has no end yet only up to a number of bytes; a longer one is dropped."""
        if len(self._line) > most:
            self._skip()
        events, self._events = self._events, []
        return events

    def _skip(self) -> None:
        self._skipping = True
        self._line.clear()
        self._events.append(LineTooLong())

    def _end_line(self) -> None:
        if self._line:
            self._events.append(Line(bytes(self._line)))
            self._line.clear()
        self._line_length = 0
        self._skipping = False

    # Negotiation and subnegotiation

    def _negotiate(self, verb: int, option: int) -> None:
        """Answer what changes a state, and refuse what we do not support (RFC 1143)."""
        if verb == DO:
            ours = self._ours.get(option)
            if ours is None:
                self._answer(WONT, option)
            elif ours is _Ours.OFFERED or (ours is _Ours.OFF and self._answer(WILL, option)):
                self._ours[option] = _Ours.ON
                self._begin(option)
        elif verb == DONT:
            ours = self._ours.get(option)
            if ours is None or ours is _Ours.OFF:
                return
            self._ours[option] = _Ours.OFF
            self._end(option)
            if ours is _Ours.ON:
                self._answer(WONT, option)
        elif option != CHARSET:
            if verb == WILL:
                self._answer(DONT, option)
        elif self._peer_charset != (verb == WILL):
            self._peer_charset = verb == WILL
            self._answer(DO if verb == WILL else DONT, option)

    def _answer(self, verb: int, option: int) -> bool:
        """Queue an answer, unless there were too many; return whether it was queued."""
        if self._answers >= self.answers_limit:
            self._give_up(Flooded("too-many-negotiations"))
            return False
        self._answers += 1
        self._outbox += bytes((IAC, verb, option))
        return True

    def _begin(self, option: int) -> None:
        """An option of ours was switched on."""
        if option == MSSP:
            self._events.append(MSSPAsked())
        elif option == MCCP2:
            self._subnegotiate(MCCP2, b"")
            self._settle(zlib.Z_SYNC_FLUSH)  # what was queued before this is sent plain
            # 64 KiB for a connection, instead of zlib's default of 256.
            self._deflate = zlib.compressobj(wbits=13, memLevel=6)

    def _end(self, option: int) -> None:
        """An option of ours was switched off, or an offer declined."""
        if option == MCCP2:
            # Before the WONT: a client that drops its inflater there would read the end of the stream as text.
            self._end_compression()
        elif option == MCCP3:
            self._mccp3_used = False  # a new offer allows a new stream

    def _sub_bytes(self, part: bytes) -> None:
        self._sub += part
        if len(self._sub) > self.subnegotiation_limit:
            self._sub.clear()
            self._give_up(Flooded("subnegotiation-too-long"))

    def _subnegotiated(self, sub: bytes) -> bool:
        """Handle a subnegotiation; return whether the next byte is the first of MCCP3."""
        if sub == bytes((MCCP3,)):
            offered = self._ours.get(MCCP3, _Ours.OFF) is not _Ours.OFF
            if not offered or self._mccp3_used or self._inflate is not None:
                return False
            self._mccp3_used = True
            self._inflate = zlib.decompressobj()
            return True
        if sub[:2] == bytes((CHARSET, _CHARSET_REQUEST)):
            wanted = sub[2:].decode("latin-1")
            if wanted.startswith("[TTABLE"):
                wanted = wanted.partition("]")[2][1:]  # skip its version; we support no translation tables
            names = wanted[1:].split(wanted[0]) if wanted else []
            self._events.append(CharsetAsked(tuple(filter(None, names))))
        return False

    # Sending

    def send_line(self, line: bytes) -> None:
        """Queue a line, given without its end; it must contain neither CR nor LF."""
        self.send_lines(line + b"\r\n")

    def send_lines(self, lines: bytes) -> None:
        """Queue whole lines, each with its CR LF.

        A byte 255 is doubled; for a peer that would take the double for two it becomes `?`.
        """
        if IAC in lines:
            lines = lines.replace(_IAC, _IAC * 2 if self.peer_speaks_telnet else b"?")
        self._outbox += lines

    def send_mssp(self, variables: Mapping[str, str]) -> None:
        """Queue the answer to `MSSPAsked`: at least NAME, PLAYERS and UPTIME."""
        block = bytearray()
        for name, value in variables.items():
            for mark, text in ((_MSSP_VAR, name), (_MSSP_VAL, value)):
                block += mark + text.encode().translate(None, b"\0" + _MSSP_VAR + _MSSP_VAL)
        self._subnegotiate(MSSP, bytes(block))

    def accept_charset(self, name: str) -> None:
        """Accept a charset; `name` is one of the names of `CharsetAsked`, spelled as there."""
        self._subnegotiate(CHARSET, bytes((_CHARSET_ACCEPTED,)) + name.encode("latin-1"))

    def reject_charset(self) -> None:
        """Reject all charsets of `CharsetAsked`."""
        self._subnegotiate(CHARSET, bytes((_CHARSET_REJECTED,)))

    def _subnegotiate(self, option: int, body: bytes) -> None:
        if self.peer_speaks_telnet:  # otherwise nothing was asked, and it would be junk on a plain socket
            body = body.replace(_IAC, _IAC * 2)
            self._outbox += bytes((IAC, SB, option)) + body + bytes((IAC, SE))

    @property
    def unsent(self) -> bool:
        """Whether `flush` would return anything."""
        return bool(self._outbox or self._wire)

    def flush(self) -> bytes:
        """Return the bytes to write now, at the end of a reactor turn; there may be none."""
        self._settle(zlib.Z_SYNC_FLUSH)
        self._here = False
        wire = bytes(self._wire)
        self._wire.clear()
        self.wire_out += len(wire)
        return wire

    def finish(self) -> bytes:
        """Return the last bytes before a close: the queued ones, and the end of MCCP2."""
        self._end_compression()
        return self.flush()

    def _end_compression(self) -> None:
        if self._deflate is not None:
            self._settle(zlib.Z_FINISH)
            self._deflate = None

    def _settle(self, mode: int) -> None:
        """Move the outbox to the bytes to write, through the compressor if there is one."""
        self.plain_out += len(self._outbox)
        if self._deflate is None:
            self._wire += self._outbox
        elif self._outbox or mode == zlib.Z_FINISH:
            self._wire += self._deflate.compress(self._outbox)
            self._wire += self._deflate.flush(mode)
        self._outbox.clear()
