"""Tests of the telnet codec, `gossip.transports.telnet.codec`."""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Iterable
from random import Random

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gossip.transports.telnet.codec import (
    CharsetAsked,
    CompressionFailed,
    Event,
    Flooded,
    Line,
    LineTooLong,
    MSSPAsked,
    Telnet,
)
from tests.support.properties import examples

SE, NOP, AYT, GA, SB, WILL, WONT, DO, DONT, IAC = 240, 241, 246, 249, 250, 251, 252, 253, 254, 255
ECHO, TIMING_MARK, TTYPE, CHARSET, MSSP, MCCP1, MCCP2, MCCP3 = 1, 6, 24, 42, 70, 85, 86, 87

OPENING = bytes.fromhex("FFFB46 FFFB2A FFFB56 FFFB57 0D0A")
START_MCCP2 = bytes.fromhex("FFFA56FFF0")
START_MCCP3 = bytes.fromhex("FFFA57FFF0")


def command(*codes: int) -> bytes:
    """IAC and these bytes."""
    return bytes((IAC, *codes))


def sub(option: int, body: bytes = b"") -> bytes:
    """A subnegotiation; what is doubled in `body` must be so already."""
    return command(SB, option) + body + command(SE)


def opened(tls: bool = False) -> Telnet:
    """A codec whose opening has been written."""
    codec = Telnet(tls)
    codec.flush()
    return codec


def compressing() -> Telnet:
    """A codec with MCCP2 on, its start written."""
    codec = opened()
    codec.receive(command(DO, MCCP2))
    codec.flush()
    return codec


def lines(*texts: bytes) -> list[Event]:
    """The events of these lines."""
    return [Line(text) for text in texts]


def cut(data: bytes, sizes: Iterable[int]) -> list[bytes]:
    """The data in pieces of these sizes, over and over."""
    pieces: list[bytes] = []
    at = 0
    for size in itertools.cycle(sizes):
        if at >= len(data):
            return pieces
        pieces.append(data[at : at + size])
        at += size
    raise AssertionError("no sizes")


def received(codec: Telnet, pieces: Iterable[bytes]) -> list[Event]:
    """All events of these reads."""
    return [event for piece in pieces for event in codec.receive(piece)]


def uncompressed(wire: bytes) -> bytes:
    """What a client with MCCP2 reads, with the starts of compression left in."""
    plain = b""
    while START_MCCP2 in wire:
        before, start, wire = wire.partition(START_MCCP2)
        stream = zlib.decompressobj()
        plain += before + start + stream.decompress(wire)
        if not stream.eof:
            return plain
        wire = stream.unused_data
    return plain + wire


class OpeningTests(SynchronousTestCase):
    """Section 1: the first bytes."""

    def test_bytes(self) -> None:
        """The first bytes offer MSSP, CHARSET, MCCP2 and, last, MCCP3, and end a line."""
        self.assertEqual(Telnet().flush(), OPENING)

    def test_one_write(self) -> None:
        """The banner leaves in the same write, behind the offers."""
        codec = Telnet()
        codec.send_line(b"GOSSIP 1 gossip/1.0 HELP for help")
        self.assertEqual(codec.flush(), OPENING + b"GOSSIP 1 gossip/1.0 HELP for help\r\n")

    def test_tls(self) -> None:
        """Under TLS no compression is offered."""
        self.assertEqual(Telnet(tls=True).flush(), bytes.fromhex("FFFB46 FFFB2A 0D0A"))

    def test_tls_refuses_compression(self) -> None:
        """Under TLS compression is refused like an option that we do not have."""
        codec = opened(tls=True)
        events = codec.receive(command(DO, MCCP2) + command(DO, MCCP3) + START_MCCP3 + b"hi\n")
        self.assertEqual(events, lines(b"hi"))
        self.assertEqual(codec.flush(), command(WONT, MCCP2) + command(WONT, MCCP3))

    def test_nothing_twice(self) -> None:
        """What was flushed is not flushed again."""
        self.assertEqual(opened().flush(), b"")


class LineTests(SynchronousTestCase):
    """Sections 1 and 5: lines in."""

    def test_ends(self) -> None:
        """LF, CR LF, LF CR and CR NUL clients all work."""
        for end in (b"\n", b"\r\n", b"\n\r", b"\r\0\n", b"\r\n\0"):
            events = opened().receive(b"one" + end + b"two" + end)
            self.assertEqual(events, lines(b"one", b"two"))

    def test_cr_and_nul_anywhere(self) -> None:
        """CR and NUL are dropped wherever they stand; other control characters are not."""
        self.assertEqual(opened().receive(b"\0a\rb\0\tc\x1b\r\n"), lines(b"ab\tc\x1b"))

    def test_incomplete(self) -> None:
        """A line without LF waits for its rest."""
        codec = opened()
        self.assertEqual(codec.receive(b"one\ntw"), lines(b"one"))
        self.assertEqual(codec.receive(b"o"), [])
        self.assertEqual(codec.receive(b"\nthree\n"), lines(b"two", b"three"))

    def test_empty(self) -> None:
        """Empty lines make no event, but are counted as signs of life."""
        codec = opened()
        self.assertEqual(codec.receive(b"\n\r\n\0\none\n\n"), lines(b"one"))
        self.assertEqual(codec.lines_in, 5)

    def test_longest(self) -> None:
        """A line of 1024 bytes passes, CR and LF not counted."""
        self.assertEqual(opened().receive(b"x" * 1024 + b"\r\n"), lines(b"x" * 1024))

    def test_too_long(self) -> None:
        """A line of 1025 bytes is told once and skipped to its LF; the next ones pass."""
        events = opened().receive(b"one\n" + b"x" * 1025 + b"\ntwo\n")
        self.assertEqual(events, [Line(b"one"), LineTooLong(), Line(b"two")])

    def test_too_long_in_pieces(self) -> None:
        """A line that grows too long is told as soon as it is, and once."""
        codec = opened()
        self.assertEqual(codec.receive(b"x" * 1024), [])
        self.assertEqual(codec.receive(b"x"), [LineTooLong()])
        self.assertEqual(codec.receive(b"x" * 5000), [])
        self.assertEqual(codec.receive(b"x\none\n"), lines(b"one"))

    def test_two_too_long(self) -> None:
        """Each line that is too long is told."""
        events = opened().receive((b"x" * 1025 + b"\n") * 2)
        self.assertEqual(events, [LineTooLong(), LineTooLong()])

    def test_limit_raised(self) -> None:
        """After login the limit is another."""
        codec = opened()
        codec.line_limit = 8192
        events = codec.receive(b"x" * 8192 + b"\n" + b"x" * 8193 + b"\n")
        self.assertEqual(events, [Line(b"x" * 8192), LineTooLong()])

    def test_limit_raised_in_mid_line(self) -> None:
        """A line that was given up does not come back as its tail when the limit rises."""
        codec = opened()
        self.assertEqual(codec.receive(b"x" * 1025), [LineTooLong()])
        codec.line_limit = 8192
        self.assertEqual(codec.receive(b"quit\none\n"), lines(b"one"))

    def test_unbroken(self) -> None:
        """64 KiB without LF are skipped, one byte more is fatal."""
        codec = opened()
        self.assertEqual(codec.receive(b"x" * 65536), [LineTooLong()])
        self.assertEqual(codec.receive(b"x"), [Flooded("no-line-feed")])

    def test_unbroken_counts_from_the_line_feed(self) -> None:
        """A line feed in time keeps the connection, however much came before."""
        events = received(opened(), [b"x" * 65536, b"\nok\n" + b"x" * 65536, b"\nok\n"])
        self.assertEqual(events, [LineTooLong(), Line(b"ok"), LineTooLong(), Line(b"ok")])

    def test_unbroken_stops(self) -> None:
        """Nothing that follows the flood in the same read is told, its own LF or not."""
        flood = [LineTooLong(), Flooded("no-line-feed")]
        for before in (b"", b"x"):
            codec = opened()
            codec.receive(before)
            events = codec.receive(b"x" * 65537 + b"\none\ntwo")
            self.assertEqual(events, flood)
        self.assertEqual(opened().receive(b"one\n" + b"x" * 65537 + b"\ntwo\n"), [Line(b"one"), *flood])

    def test_json(self) -> None:
        """The JSON dialect's lines of 64 KiB pass, whatever ends them; a longer one is fatal."""
        codec = opened()
        codec.line_limit = 65536
        event = b"{" * 65536
        self.assertEqual(codec.receive(event + b"\r\n"), lines(event))
        self.assertEqual(codec.receive(event + b"{"), [LineTooLong(), Flooded("no-line-feed")])

    def test_limit_over_unbroken(self) -> None:
        """A line limit beyond 64 KiB takes the bound on unbroken text with it."""
        codec = opened()
        codec.line_limit = 70000
        self.assertEqual(codec.receive(b"x" * 70000 + b"\n"), lines(b"x" * 70000))

    @examples(200)
    @given(st.lists(st.text("ab \t\r\0é", max_size=20).map(str.encode)))
    def test_any(self, texts: list[bytes]) -> None:
        """Lines are what stands between LF, without CR and NUL, in order, none empty."""
        expected = [text.replace(b"\r", b"").replace(b"\0", b"") for text in texts]
        events = opened().receive(b"".join(text + b"\n" for text in texts))
        self.assertEqual(events, lines(*filter(None, expected)))


class CommandTests(SynchronousTestCase):
    """Section 5: telnet commands and junk."""

    def test_inside_of_a_line(self) -> None:
        """Commands do not cut the line that they stand in."""
        data = b"he" + command(NOP) + b"l" + command(DO, ECHO) + command(GA) + b"lo\n"
        self.assertEqual(opened().receive(data), lines(b"hello"))

    def test_doubled(self) -> None:
        """A doubled 255 is one byte of text."""
        self.assertEqual(opened().receive(b"a\xff\xffb\xff\xff\n"), lines(b"a\xffb\xff"))

    def test_unknown(self) -> None:
        """After IAC an unknown byte is skipped with it, whatever it is."""
        for code in (0, 10, 13, 65, 128, 235, SE, 242, 248, GA):
            self.assertEqual(opened().receive(b"a" + command(code) + b"b\n"), lines(b"ab"))

    def test_options_are_bytes(self) -> None:
        """An option may be any byte, even LF or IAC."""
        codec = opened()
        self.assertEqual(codec.receive(command(DO, 10) + command(WILL, IAC) + b"a\n"), lines(b"a"))
        self.assertEqual(codec.flush(), command(WONT, 10) + command(DONT, IAC))

    def test_are_you_there(self) -> None:
        """AYT gets a line that people can see and programs skip, once a flush."""
        codec = opened()
        codec.receive(command(AYT) * 1000)
        self.assertEqual(codec.flush(), b"NOTE yes\r\n")
        codec.receive(command(AYT))
        self.assertEqual(codec.flush(), b"NOTE yes\r\n")

    def test_deaf_after_fatal(self) -> None:
        """After a fatal event input is ignored, and last words can be sent."""
        codec = opened()
        codec.receive(b"x" * 65537)
        self.assertEqual(codec.receive(b"\none\n" + command(DO, ECHO)), [])
        codec.send_line(b"BYE 413 line too long")
        self.assertEqual(codec.finish(), b"BYE 413 line too long\r\n")


class SubnegotiationTests(SynchronousTestCase):
    """Section 5: IAC SB ... IAC SE."""

    request = bytes((CHARSET, 1)) + b";"

    def test_unknown(self) -> None:
        """A subnegotiation of another option is dropped, text and line feeds in it as well."""
        codec = opened()
        self.assertEqual(codec.receive(b"a" + sub(TTYPE, b"\0x\ny\n") + b"b\n"), lines(b"ab"))
        self.assertEqual(codec.flush(), b"")

    def test_doubled(self) -> None:
        """A doubled 255 inside is one byte, and does not end it."""
        events = opened().receive(sub(CHARSET, b"\x01;a\xff\xff\xff\xffb"))
        self.assertEqual(events, [CharsetAsked(("a\xff\xffb",))])

    def test_empty(self) -> None:
        """An empty subnegotiation and a stray SE are survived."""
        data = command(SB) + command(SE) + command(SE) + sub(CHARSET) + b"a\n"
        self.assertEqual(opened().receive(data), lines(b"a"))

    def test_end_missing(self) -> None:
        """Another command inside drops the subnegotiation and is obeyed."""
        codec = opened()
        half = command(SB) + self.request + b"UTF-8"
        self.assertEqual(codec.receive(half + command(DO, ECHO) + b"a\n"), lines(b"a"))
        self.assertEqual(codec.flush(), command(WONT, ECHO))
        self.assertEqual(codec.receive(half + command(0) + b"b\n"), lines(b"b"))

    def test_begins_anew(self) -> None:
        """A second SB inside begins another subnegotiation."""
        data = command(SB) + self.request + b"UTF-8" + sub(CHARSET, b"\x01;ASCII")
        self.assertEqual(opened().receive(data), [CharsetAsked(("ASCII",))])

    def test_longest(self) -> None:
        """8192 bytes pass, a doubled one counted once."""
        name = "\xff" + "x" * (8192 - 4)
        data = sub(CHARSET, b"\x01;" + name.encode("latin-1").replace(b"\xff", b"\xff\xff"))
        self.assertEqual(opened().receive(data), [CharsetAsked((name,))])

    def test_too_long(self) -> None:
        """8193 bytes are fatal, be the last one doubled or not."""
        for last in (b"x", b"\xff\xff"):
            codec = opened()
            self.assertEqual(codec.receive(command(SB, TTYPE) + b"x" * 8191), [])
            self.assertEqual(codec.receive(last), [Flooded("subnegotiation-too-long")])

    def test_too_long_at_once(self) -> None:
        """A read full of it is not kept."""
        codec = opened()
        codec.receive(command(SB, TTYPE) + b"x" * 60_000)
        self.assertEqual(len(codec._sub), 0)


class NegotiationTests(SynchronousTestCase):
    """Section 5: RFC 1143."""

    def answer(self, *received: bytes) -> bytes:
        """What a fresh codec says to this."""
        codec = opened()
        codec.receive(b"".join(received))
        return codec.flush()

    def test_refusals(self) -> None:
        """Every option is refused on either side, except for ours on the side that is ours."""
        for option in range(256):
            wont = b"" if option in (MSSP, CHARSET, MCCP2, MCCP3) else command(WONT, option)
            if option != MCCP2:
                self.assertEqual(self.answer(command(DO, option)), wont)
            dont = command(DO if option == CHARSET else DONT, option)
            self.assertEqual(self.answer(command(WILL, option)), dont)

    def test_no_answer(self) -> None:
        """What changes no state is not answered."""
        for option in range(256):
            self.assertEqual(self.answer(command(WONT, option)), b"")
            self.assertEqual(self.answer(command(DONT, option)), b"")
        self.assertEqual(self.answer(command(DO, MSSP) * 3), b"")
        self.assertEqual(self.answer(command(WILL, CHARSET) * 3), command(DO, CHARSET))

    def test_off(self) -> None:
        """An option that is on is switched off once, with one answer."""
        for option in (MSSP, CHARSET, MCCP3):
            data = command(DO, option) + command(DONT, option) * 3
            self.assertEqual(self.answer(data), command(WONT, option))
        data = command(WILL, CHARSET) + command(WONT, CHARSET) * 3
        self.assertEqual(self.answer(data), command(DO, CHARSET) + command(DONT, CHARSET))

    def test_on_again(self) -> None:
        """An option that was turned down can still be asked for."""
        data = command(DONT, MSSP) + command(DO, MSSP) * 2
        self.assertEqual(self.answer(data), command(WILL, MSSP))

    def test_sides(self) -> None:
        """The two sides of CHARSET do not know of each other."""
        data = command(DO, CHARSET) + command(WILL, CHARSET) + command(DONT, CHARSET)
        self.assertEqual(self.answer(data), command(DO, CHARSET) + command(WONT, CHARSET))

    def test_512(self) -> None:
        """512 refusals are said, the next one is fatal and is not."""
        codec = opened()
        everything = b"".join(command(DO, o) + command(WILL, o) for o in range(256) if o != 86)
        self.assertNotIn(Flooded("too-many-negotiations"), codec.receive(everything))
        codec = opened()
        self.assertEqual(codec.receive(command(DO, ECHO) * 512), [])
        events = codec.receive(command(DO, ECHO) + b"one\n")
        self.assertEqual(events, [Flooded("too-many-negotiations")])
        self.assertEqual(codec.flush(), command(WONT, ECHO) * 512)

    def test_toggling(self) -> None:
        """Switching on and off is bounded as well, and what is over the bound has no effect."""
        codec = opened()
        events = codec.receive((command(DONT, MSSP) + command(DO, MSSP)) * 1000)
        self.assertEqual(len(codec.flush()), 512 * 3)
        # The refused offer costs no answer; then each on and each off costs one.
        self.assertEqual(events, [MSSPAsked()] * 256 + [Flooded("too-many-negotiations")])

    def test_mirror(self) -> None:
        """A peer that sends back whatever it gets is soon left without an answer."""
        codec = Telnet()
        said = codec.flush()
        for _ in range(3):
            codec.receive(said)
            said = codec.flush()
        self.assertEqual(said, b"")

    def test_two_servers(self) -> None:
        """Two of us, connected by mistake, fall silent after their refusals."""
        here, there = Telnet(tls=True), Telnet(tls=True)
        rounds = 0
        while (said := here.flush()) or there._outbox:
            there.receive(said)
            here.receive(there.flush())
            rounds += 1
            self.assertLess(rounds, 5)

    @examples(200)
    @given(st.lists(st.tuples(st.sampled_from((WILL, WONT, DO, DONT)), st.integers(0, 255))))
    def test_states(self, said: list[tuple[int, int]]) -> None:
        """Whatever is said, our last word on an option is true to what both sides said last."""
        codec = opened(tls=True)
        # What a peer that follows RFC 1143 believes: our offers stand, nothing else does.
        ours = {option: option in (MSSP, CHARSET) for option in range(256)}
        for verb, option in said:
            codec.receive(command(verb, option))
            answer = codec.flush()
            before = ours[option]
            if answer[1:2] in (bytes((WILL,)), bytes((WONT,))):
                ours[option] = answer[1] == WILL
            if verb == DO:
                self.assertEqual(ours[option], option in (MSSP, CHARSET))
            elif verb == DONT and answer:
                self.assertTrue(before)
                self.assertFalse(ours[option])
            self.assertIn(answer[2:], (b"", bytes((option,))))


class CharsetTests(SynchronousTestCase):
    """Section 5: CHARSET, RFC 2066."""

    def test_asked(self) -> None:
        """The names come in the peer's order and spelling, whatever separates them."""
        for separator in (b";", b" ", b"\x00", b"\xff\xff"):
            codec = opened()
            codec.receive(command(DO, CHARSET) + command(WILL, CHARSET))
            names = separator + b"utf-8" + separator + b"ISO-8859-1"
            events = codec.receive(sub(CHARSET, b"\x01" + names))
            self.assertEqual(events, [CharsetAsked(("utf-8", "ISO-8859-1"))])

    def test_odd(self) -> None:
        """A list without names, or with empty ones, is told as it is."""
        for body, names in ((b"", ()), (b";", ()), (b";;", ()), (b";;a;", ("a",))):
            events = opened().receive(sub(CHARSET, b"\x01" + body))
            self.assertEqual(events, [CharsetAsked(names)])

    def test_translation_table(self) -> None:
        """An offer of translation tables in front is passed over."""
        for body in (b"[TTABLE]\x01;a;b", b"[TTABLE ]\x01;a;b"):
            self.assertEqual(opened().receive(sub(CHARSET, b"\x01" + body)), [CharsetAsked(("a", "b"))])
        self.assertEqual(opened().receive(sub(CHARSET, b"\x01[TTABLE")), [CharsetAsked(())])

    def test_other_messages(self) -> None:
        """What answers a request that we never make is ignored."""
        for code in (2, 3, 4, 7):
            self.assertEqual(opened().receive(sub(CHARSET, bytes((code,)) + b"UTF-8")), [])

    def test_answers(self) -> None:
        """The answer names the set as the peer did, or none."""
        codec = opened()
        [event] = codec.receive(sub(CHARSET, b"\x01;caf\xe9\xff\xff"))
        assert isinstance(event, CharsetAsked)
        codec.accept_charset(event.names[0])
        self.assertEqual(codec.flush(), sub(CHARSET, b"\x02caf\xe9\xff\xff"))
        codec.reject_charset()
        self.assertEqual(codec.flush(), sub(CHARSET, b"\x03"))


class MSSPTests(SynchronousTestCase):
    """Section 5: MSSP."""

    def test_block(self) -> None:
        """A DO is told, and the block that answers it names and values each variable."""
        codec = opened()
        self.assertEqual(codec.receive(command(DO, MSSP)), [MSSPAsked()])
        codec.send_mssp({"NAME": "Gossip", "PLAYERS": "5"})
        block = b"\x01NAME\x02Gossip\x01PLAYERS\x025"
        self.assertEqual(codec.flush(), sub(MSSP, block))

    def test_once(self) -> None:
        """Saying DO again asks for nothing."""
        self.assertEqual(opened().receive(command(DO, MSSP) * 2), [MSSPAsked()])

    def test_separators(self) -> None:
        """No value can forge a variable."""
        codec = opened()
        codec.receive(command(DO, MSSP))
        codec.send_mssp({"NAME": "a\x01PLAYERS\x029\x00"})
        self.assertEqual(codec.flush(), sub(MSSP, b"\x01NAME\x02aPLAYERS9"))


class SendTests(SynchronousTestCase):
    """Section 4: lines out."""

    def test_line(self) -> None:
        """A line leaves with CR LF, in order, at the flush."""
        codec = opened()
        codec.send_line(b"one")
        codec.send_line(b"two")
        self.assertEqual(codec.flush(), b"one\r\ntwo\r\n")

    def test_255_to_a_plain_peer(self) -> None:
        """A peer that never sent an IAC gets `?` for a byte 255."""
        codec = opened()
        codec.receive(b"hello\n")
        codec.send_line(b"\xffa\xff\xff")
        self.assertEqual(codec.flush(), b"?a??\r\n")

    def test_255_to_a_telnet_peer(self) -> None:
        """A peer that has sent an IAC gets it doubled."""
        codec = opened()
        codec.receive(command(NOP))
        codec.send_line(b"\xffa\xff\xff")
        self.assertEqual(codec.flush(), b"\xff\xffa\xff\xff\xff\xff\r\n")

    @examples(200)
    @given(st.binary(max_size=50).map(lambda data: data.replace(b"\xff", b"")))
    def test_no_iac_to_a_plain_peer(self, data: bytes) -> None:
        """After the opening no IAC goes to a peer that never sent one, whatever is called."""
        codec = opened()
        codec.receive(data)
        codec.send_line(data + b"\xff")
        codec.send_mssp({"NAME": "Gossip"})
        codec.accept_charset("UTF-8")
        codec.reject_charset()
        self.assertEqual(codec.finish(), data + b"?\r\n")


class MCCP2Tests(SynchronousTestCase):
    """Section 6: compression from us."""

    def test_start(self) -> None:
        """DO 86 is answered by the start alone, plain; from the next byte all is one stream."""
        codec = opened()
        codec.receive(command(DO, MCCP2))
        codec.send_line(b"OK LOGIN")
        codec.receive(command(DO, ECHO))
        wire = codec.flush()
        self.assertTrue(wire.startswith(START_MCCP2))
        plain = zlib.decompressobj().decompress(wire[len(START_MCCP2) :])
        self.assertEqual(plain, b"OK LOGIN\r\n" + command(WONT, ECHO))

    def test_starts_only_on_do(self) -> None:
        """Nothing but DO 86 starts it: no WILL, no DO 85, no subnegotiation."""
        codec = opened()
        codec.receive(command(WILL, MCCP2) + command(DO, MCCP1) + START_MCCP2)
        self.assertEqual(codec.flush(), command(DONT, MCCP2) + command(WONT, MCCP1))

    def test_queued_before(self) -> None:
        """What was queued before the start leaves before it, plain, in the same write."""
        codec = Telnet()
        codec.send_line(b"banner")
        codec.receive(command(DO, MCCP2))
        codec.send_line(b"text")
        wire = codec.flush()
        start = OPENING + b"banner\r\n" + START_MCCP2
        self.assertEqual(wire[: len(start)], start)
        self.assertEqual(zlib.decompressobj().decompress(wire[len(start) :]), b"text\r\n")

    def test_memory(self) -> None:
        """The stream is what zlib makes with a window of 13 bits and memory level 6."""
        noise = Random(1).randbytes(20_000).replace(b"\xff", b"")  # fills several blocks
        codec = compressing()
        codec.send_line(noise)
        wire = codec.flush()
        stream = zlib.compressobj(wbits=13, memLevel=6)
        self.assertEqual(wire, stream.compress(noise + b"\r\n") + stream.flush(zlib.Z_SYNC_FLUSH))
        self.assertEqual(wire[0] >> 4, 13 - 8)  # RFC 1950: CINFO

    def test_one_sync_a_flush(self) -> None:
        """Many lines cost one Z_SYNC_FLUSH, and can be read at once; nothing costs none."""
        codec = compressing()
        stream = zlib.decompressobj()
        for _ in range(3):
            for number in range(20):
                codec.send_line(b"%d" % number)
            wire = codec.flush()
            self.assertEqual(wire.count(b"\0\0\xff\xff"), 1)
            self.assertTrue(wire.endswith(b"\0\0\xff\xff"))
            self.assertEqual(stream.decompress(wire).count(b"\r\n"), 20)
            self.assertEqual(codec.flush(), b"")

    def test_escaped_first(self) -> None:
        """What is compressed is escaped; what compression makes of it is not."""
        codec = compressing()
        noise = bytes(byte for byte in range(256) if byte not in b"\r\n") * 4
        codec.send_line(noise)
        plain = zlib.decompressobj().decompress(codec.flush())
        self.assertEqual(plain, noise.replace(b"\xff", b"\xff\xff") + b"\r\n")

    def test_one_stream(self) -> None:
        """A second DO 86 starts nothing."""
        codec = compressing()
        codec.receive(command(DO, MCCP2) * 3)
        self.assertEqual(codec.flush(), b"")

    def test_finish(self) -> None:
        """The close ends the stream, with all that was queued; there is nothing after it."""
        codec = compressing()
        codec.send_line(b"BYE 200 goodbye")
        stream = zlib.decompressobj()
        self.assertEqual(stream.decompress(codec.finish()), b"BYE 200 goodbye\r\n")
        self.assertTrue(stream.eof)
        self.assertEqual(stream.unused_data, b"")
        self.assertEqual(codec.finish(), b"")

    def test_finish_empty(self) -> None:
        """A stream that carried nothing is ended as well."""
        stream = zlib.decompressobj()
        self.assertEqual(stream.decompress(compressing().finish()), b"")
        self.assertTrue(stream.eof)

    def test_dont(self) -> None:
        """DONT 86 ends the stream behind what was queued, and all goes on in plain."""
        codec = compressing()
        codec.send_line(b"one")
        codec.receive(command(DONT, MCCP2))
        codec.send_line(b"two")
        stream = zlib.decompressobj()
        self.assertEqual(stream.decompress(codec.flush()), b"one\r\n")
        self.assertTrue(stream.eof)
        self.assertEqual(stream.unused_data, command(WONT, MCCP2) + b"two\r\n")
        codec.send_line(b"three")
        self.assertEqual(codec.flush(), b"three\r\n")

    def test_again(self) -> None:
        """After DONT 86 another DO 86 starts another stream."""
        codec = compressing()
        codec.receive(command(DONT, MCCP2))
        codec.flush()
        codec.receive(command(DO, MCCP2))
        codec.send_line(b"one")
        wire = codec.flush()
        start = command(WILL, MCCP2) + START_MCCP2
        self.assertEqual(wire[: len(start)], start)
        self.assertEqual(zlib.decompressobj().decompress(wire[len(start) :]), b"one\r\n")

    def test_turned_down(self) -> None:
        """DONT 86 to the offer needs no answer."""
        codec = opened()
        codec.receive(command(DONT, MCCP2))
        self.assertEqual(codec.flush(), b"")

    @examples(200)
    @given(
        st.lists(
            st.one_of(
                st.binary(max_size=40).map(lambda data: data.translate(None, b"\r\n")),
                st.sampled_from((DO, DONT, None)),
            )
        )
    )
    def test_round_trip(self, steps: list[bytes | int | None]) -> None:
        """Lines sent arrive, compression switched on and off (None is a flush) at any point."""
        codec = opened()
        codec.receive(command(NOP))
        wire, sent = b"", []
        for step in steps:
            if step is None:
                wire += codec.flush()
            elif isinstance(step, int):
                codec.receive(command(step, MCCP2))
            else:
                codec.send_line(step)
                sent.append(step)
        reader = opened(tls=True)
        reader.line_limit = 100
        events = reader.receive(uncompressed(wire + codec.finish()).replace(b"\0", b"0"))
        self.assertEqual(events, lines(*(line.replace(b"\0", b"0") for line in sent if line)))

    @examples(200)
    @given(st.lists(st.lists(st.binary(max_size=40))))
    def test_counters(self, turns: list[list[bytes]]) -> None:
        """Bytes out are counted before and after compression."""
        codec = compressing()
        start = len(OPENING + START_MCCP2)
        wire = b""
        for turn in turns:
            for line in turn:
                codec.send_line(line)
            wire += codec.flush()
        plain = zlib.decompressobj().decompress(wire)
        self.assertEqual(codec.wire_out, start + len(wire))
        self.assertEqual(codec.plain_out, start + len(plain))


class MCCP3Tests(SynchronousTestCase):
    """Section 6: compression from the peer."""

    def test_in_mid_chunk(self) -> None:
        """The very next byte after the start is zlib, in the same read."""
        data = b"one\n" + command(DO, MCCP3) + START_MCCP3 + zlib.compress(b"two\n")
        self.assertEqual(opened().receive(data), lines(b"one", b"two"))

    def test_sync_flushed(self) -> None:
        """What the peer flushes is read at once."""
        codec, stream = opened(), zlib.compressobj()
        codec.receive(START_MCCP3)
        for text in (b"one", b"two"):
            wire = stream.compress(text + b"\n") + stream.flush(zlib.Z_SYNC_FLUSH)
            self.assertEqual(codec.receive(wire), lines(text))

    def test_commands_inside(self) -> None:
        """The stream holds escaped telnet, negotiation included."""
        codec = opened()
        codec.receive(START_MCCP3)
        events = codec.receive(zlib.compress(b"a\xff\xffb\n" + command(DO, ECHO) + b"c\n"))
        self.assertEqual(events, lines(b"a\xffb", b"c"))
        self.assertEqual(codec.flush(), command(WONT, ECHO))

    def test_end(self) -> None:
        """After the end of the stream the peer goes on in plain, in mid-line even."""
        data = START_MCCP3 + zlib.compress(b"one\ntw") + b"o\nthree\n"
        self.assertEqual(opened().receive(data), lines(b"one", b"two", b"three"))

    def test_second_start(self) -> None:
        """A second start without a new offer is ignored, inside of the stream or after it."""
        codec = opened()
        inside = zlib.compress(b"one\n" + command(DO, MCCP3) + START_MCCP3 + b"two\n")
        events = codec.receive(START_MCCP3 + inside + START_MCCP3 + b"three\n")
        self.assertEqual(events, lines(b"one", b"two", b"three"))

    def test_new_offer(self) -> None:
        """DONT and DO bring a new offer, and that a new stream."""
        codec = opened()
        stream = START_MCCP3 + zlib.compress(b"one\n")
        codec.receive(command(DO, MCCP3) + stream)
        again = command(DONT, MCCP3) + command(DO, MCCP3)
        self.assertEqual(codec.receive(again + stream + b"two\n"), lines(b"one", b"two"))
        self.assertEqual(codec.flush(), command(WONT, MCCP3) + command(WILL, MCCP3))

    def test_new_offer_inside(self) -> None:
        """A start inside of a running stream is ignored even after a new offer."""
        again = command(DONT, MCCP3) + command(DO, MCCP3) + START_MCCP3
        data = START_MCCP3 + zlib.compress(again + b"one\n") + b"two\n"
        self.assertEqual(opened().receive(data), lines(b"one", b"two"))

    def test_turned_down(self) -> None:
        """Who turned the offer down cannot start a stream."""
        data = command(DONT, MCCP3) + START_MCCP3 + b"one\n"
        self.assertEqual(opened().receive(data), lines(b"one"))

    def test_start_is_bare(self) -> None:
        """A subnegotiation of MCCP3 with anything in it starts nothing."""
        self.assertEqual(opened().receive(sub(MCCP3, b"x") + b"one\n"), lines(b"one"))

    def test_bad_data(self) -> None:
        """Garbage is fatal, and no part of it runs as a command."""
        codec = opened()
        events = codec.receive(b"one\n" + START_MCCP3 + b"garbage\nquit\n" + command(DO, ECHO))
        self.assertEqual(events, [Line(b"one"), CompressionFailed()])
        self.assertEqual(codec.receive(b"two\n"), [])
        self.assertEqual(codec.flush(), b"")

    def test_bad_checksum(self) -> None:
        """A stream that ends with a wrong checksum is fatal."""
        codec, wire = opened(), zlib.compress(b"one\n")
        codec.receive(START_MCCP3)
        self.assertEqual(codec.receive(wire[:-4]), lines(b"one"))
        self.assertEqual(codec.receive(bytes(4)), [CompressionFailed()])

    def test_budget(self) -> None:
        """A read may inflate to just under 256 KiB, and the next one again; one byte more is fatal."""
        data = (b"x" * 1023 + b"\n") * 256
        data = data[1:]
        codec, stream = opened(), zlib.compressobj()
        codec.receive(START_MCCP3)
        for _ in range(3):
            wire = stream.compress(data) + stream.flush(zlib.Z_SYNC_FLUSH)
            self.assertEqual(len(codec.receive(wire)), 256)
        wire = stream.compress(data + b"x") + stream.flush(zlib.Z_SYNC_FLUSH)
        self.assertEqual(codec.receive(wire), [Flooded("inflated-too-much")])

    def test_budget_of_all_streams(self) -> None:
        """Several streams in a read share its budget."""
        half = START_MCCP3 + zlib.compress(b"x\n" + b"\n" * 131_071)
        again = command(DONT, MCCP3) + command(DO, MCCP3)
        events = opened().receive(half + again + half)
        self.assertEqual(events, [Line(b"x"), Flooded("inflated-too-much")])

    def test_bomb(self) -> None:
        """A bomb of 1000:1 is refused when the budget is spent, not when it has gone off."""
        bomb = START_MCCP3 + zlib.compress(bytes(50_000_000), 9)
        self.assertLess(len(bomb), 50_000)
        codec = opened()
        self.assertEqual(codec.receive(bomb), [Flooded("inflated-too-much")])
        self.assertEqual(codec.plain_in, len(START_MCCP3))

    def test_line_feeds(self) -> None:
        """Line feeds make no events at all, and a budget full of them is refused."""
        codec = opened()
        self.assertEqual(codec.receive(START_MCCP3 + zlib.compress(b"\n" * 262_143)), [])
        self.assertEqual(codec.lines_in, 262_143)
        events = opened().receive(START_MCCP3 + zlib.compress(b"\n" * 262_144))
        self.assertEqual(events, [Flooded("inflated-too-much")])

    def test_commands(self) -> None:
        """4096 commands may come in a compressed read, the next is fatal; the next read is new."""
        for flood in (command(NOP), command(IAC), command(SB)):
            codec, stream = opened(), zlib.compressobj()
            codec.line_limit = 65536
            codec.receive(START_MCCP3)
            for count, expected in (
                (4096, []),
                (4096, []),
                (4097, [Flooded("inflated-too-many-commands")]),
            ):
                wire = stream.compress(flood * count) + stream.flush(zlib.Z_SYNC_FLUSH)
                self.assertEqual(codec.receive(wire), expected)

    def test_commands_in_a_subnegotiation(self) -> None:
        """What is doubled in a subnegotiation counts as well."""
        data = command(SB, TTYPE) + b"\xff\xff" * 4096
        events = opened().receive(START_MCCP3 + zlib.compress(data))
        self.assertEqual(events, [Flooded("inflated-too-many-commands")])

    def test_plain_commands(self) -> None:
        """In plain text commands cost the peer what they cost us: there is no bound."""
        self.assertEqual(opened().receive(command(NOP) * 10_000 + b"one\n"), lines(b"one"))

    def test_counters(self) -> None:
        """Bytes in are counted before and after inflating."""
        codec = opened()
        text = b"hello\n" * 100
        data = b"one\n" + START_MCCP3 + zlib.compress(text) + b"two\n"
        codec.receive(data)
        self.assertEqual(codec.wire_in, len(data))
        self.assertEqual(codec.plain_in, len(b"one\n" + START_MCCP3 + text + b"two\n"))

    @examples(200)
    @given(
        st.lists(st.binary(min_size=1, max_size=60).map(lambda d: d.translate(None, b"\r\n\0"))),
        st.lists(st.integers(1, 40), min_size=1),
        st.integers(0, 9),
    )
    def test_round_trip(self, texts: list[bytes], sizes: list[int], level: int) -> None:
        """Lines that the peer compresses arrive, in reads of any size."""
        plain = b"".join(text.replace(b"\xff", b"\xff\xff") + b"\n" for text in texts)
        wire = START_MCCP3 + zlib.compress(plain, level) + b"end\n"
        events = received(opened(), cut(wire, sizes))
        self.assertEqual(events, lines(*filter(None, texts), b"end"))


fragments = st.recursive(
    st.lists(
        st.one_of(
            st.binary(max_size=6),
            st.sampled_from((b"abc", b"\n", b"\r\n", b"\r\0", b"\xff", b"\xff\xff", b"x" * 20)),
            st.sampled_from((SE, NOP, AYT, SB, 0)).map(command),
            st.builds(
                command,
                st.sampled_from((WILL, WONT, DO, DONT)),
                st.sampled_from((ECHO, CHARSET, MSSP, MCCP2, MCCP3, IAC)),
            ),
            st.builds(sub, st.sampled_from((CHARSET, TTYPE)), st.binary(max_size=10)),
            st.just(sub(CHARSET, b"\x01;a;b")),
        ),
        max_size=20,
    ).map(b"".join),
    lambda inner: st.lists(st.one_of(inner, inner.map(lambda data: START_MCCP3 + zlib.compress(data))), max_size=3).map(
        b"".join
    ),
    max_leaves=3,
)
"""Bytes with all that the codec has rules for, whole, cut short or nonsense."""

sizes = st.lists(st.integers(1, 12), min_size=1, max_size=5)


def tight(tls: bool) -> Telnet:
    """A codec whose limits are so low that short input reaches them."""
    codec = Telnet(tls)
    codec.line_limit, codec.unbroken_limit = 16, 64
    codec.subnegotiation_limit, codec.answers_limit = 8, 8
    return codec


class AnyInputTests(SynchronousTestCase):
    """Whatever comes, wherever it is cut."""

    def assertSameAnywhere(self, data: bytes, sizes: list[int], tls: bool) -> None:
        """Assert that the data, whole and cut, gives the same events and the same bytes."""
        whole, pieces = tight(tls), tight(tls)
        events, cut_events = whole.receive(data), received(pieces, cut(data, sizes))
        if events[-1:] == [CompressionFailed()]:
            # Cut, the stream may have given more before it broke.
            self.assertEqual(cut_events[-1:], [CompressionFailed()])
            self.assertEqual(cut_events[: len(events) - 1], events[:-1])
            return
        self.assertEqual(cut_events, events)
        self.assertEqual(pieces.finish(), whole.finish())
        if not events or not isinstance(events[-1], Flooded):
            self.assertEqual(pieces.plain_in, whole.plain_in)
            self.assertEqual(pieces.lines_in, whole.lines_in)

    @examples(200)
    @given(fragments, sizes, st.booleans())
    def test_cut(self, data: bytes, sizes: list[int], tls: bool) -> None:
        """Telnet and nonsense give the same events and bytes out, cut at any byte."""
        self.assertSameAnywhere(data, sizes, tls)

    @examples(200)
    @given(st.binary(max_size=300), sizes)
    def test_cut_noise(self, data: bytes, sizes: list[int]) -> None:
        """Pure noise gives the same events and bytes out, cut at any byte."""
        self.assertSameAnywhere(data, sizes, tls=False)

    def test_every_cut(self) -> None:
        """A conversation with all that there is can be cut in two at each of its bytes."""
        data = (
            b"login\r\n" + command(DO, MSSP) + command(DO, MCCP2) + command(WILL, TTYPE)
            + sub(CHARSET, b"\x01;a\xff\xff;b") + b"\xff\xff\xff\xf1one" + command(AYT)
            + b"x" * 20 + b"\ntwo\n" + START_MCCP3 + zlib.compress(b"three" + command(DO, ECHO))
            + b"\r\0\nfour\n" + command(SB, CHARSET) + b"\x01;" + command(DONT, MCCP2) + b"five\n"
        )  # fmt: skip
        whole = tight(tls=False)
        events = whole.receive(data)
        self.assertEqual(events[-3:], lines(b"three", b"four", b"five"))
        for at in range(len(data)):
            self.assertSameAnywhere(data, [at or 1, len(data)], tls=False)

    @examples(200)
    @given(fragments, sizes)
    def test_flushes(self, data: bytes, sizes: list[int]) -> None:
        """Flushing after each read or once at the end says the same, but for AYT."""
        often, once = tight(tls=False), tight(tls=False)
        wire = b""
        for piece in cut(data, sizes):
            often.receive(piece)
            once.receive(piece)
            wire += often.flush()
        said = [uncompressed(wire) for wire in (wire + often.finish(), once.finish())]
        self.assertEqual(*(text.replace(b"NOTE yes\r\n", b"") for text in said))

    @examples(200)
    @given(fragments, sizes, st.booleans())
    def test_bounds(self, data: bytes, sizes: list[int], tls: bool) -> None:
        """No buffer outgrows its bound, and no event is kept back."""
        codec = tight(tls)
        for piece in cut(data * 3, sizes):
            codec.receive(piece)
            codec.flush()
            buffers = [len(value) for value in vars(codec).values() if isinstance(value, bytearray)]
            self.assertLessEqual(max(buffers), 16)
            self.assertEqual(codec._events, [])

    @examples(200)
    @given(fragments)
    def test_fatal_is_last(self, data: bytes) -> None:
        """A fatal event is the last one, and nothing is heard after it."""
        codec = tight(tls=False)
        events = codec.receive(data)
        fatal = [event for event in events if isinstance(event, Flooded | CompressionFailed)]
        self.assertIn(fatal, ([], events[-1:]))
        if fatal:
            codec.finish()
            self.assertEqual(codec.receive(b"\none\n" + command(AYT)), [])
            self.assertEqual(codec.flush(), b"")
