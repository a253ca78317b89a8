"""The packets of Intermud-3."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gossip.transports.intermud3.mudmode import Value, frame, read, write
from gossip.transports.intermud3.packets import (
    FRAME_BYTES,
    BadPacket,
    Packet,
    Record,
    error,
    is_known,
    number_of,
    pages,
    router_name,
    startup,
    text_of,
    understood,
)
from tests.transports.intermud3 import strict

ZUCCHINI = (
    '({"startup-req-3",5,"ZucchiniMud",0,"*gossip",0,123456,1795380748,1795380748,4003,0,0,"ZucchiniMud","Rom2.4b6",'
    '"ZucchiniMud","Rom","leisurely tinkering, feel free to drop by","yami@greengabbro.net",(["emoteto":1,"news":0,'
    '"ucache":1,"auth":0,"ftp":0,"nntp":0,"rcp":0,"amrcp":0,"tell":1,"beep":1,"mail":0,"file":0,"url":"none","http":0,'
    '"smtp":0,"pop3":0,"locate":1,"finger":1,"channel":1,"who":1,]),0,})\r'
)
"""What a client for Diku MUDs sends first."""


def packet(text: str) -> Packet:
    return understood(read(text.encode()))


class PacketTests(SynchronousTestCase):
    """What arrives is understood as a packet, or not."""

    def test_both_ways(self) -> None:
        """Packets as clients in the field send them are written as they came."""
        for text in (
            '({"channel-m",5,"ZucchiniMud","Test",0,0,"gossip","Test","Hello \\"there\\" back\\\\slash",})',
            '({"error",5,"ZucchiniMud",0,"ExVenture","alice","unk-user","No such player.",0,})',
            '({"who-reply",5,"ExVenture",0,"ZucchiniMud","Test",({({"Alice",0,"",}),}),})',
            '({"auth-mud-req",5,"My Mud",0,"My Mud",0,})',
            '({"startup-reply",5,"*dalet",0,"GraphicMUD",0,({({"*dalet","97.107.133.86 8787",}),}),661222234,})',
            '({"oob-begin",5,"A",0,"B",0,(["x":({}),]),})',
        ):
            with self.subTest(text=text):
                self.assertEqual(write(packet(text).value), text.encode())
                self.assertEqual(strict.frames(packet(text).frame), [read(text.encode())])

    def test_lenient(self) -> None:
        """Numbers as texts, zeros as texts, more elements than needed and short answers of old protocols are read."""
        listen = packet('({"channel-listen",5,"PyGate",0,"0",0,"gossip","1",7,})')
        self.assertEqual((listen.to_mud, listen.text(0), listen.number(1), len(listen.rest)), ("", "gossip", 1, 2))
        self.assertEqual(packet('({"who-reply",200,"PyGate",0,"ExVenture","alice",({,}),})').rest, ([0],))
        self.assertEqual(packet('({"locate-reply",5,"A",0,"B","bo","C","Ana",})').rest, ("C", "Ana", 0, 0))
        self.assertEqual(packet('({"startup-req-1",5,"A",0,"*b",0,' + "0," * 14 + "})").type, "startup-req-3")
        values: list[Value] = [0, "0", "x", []]
        self.assertEqual([*map(text_of, values)], ["", "", "x", ""])
        values = [1, "-1", "x", 2.5, []]
        self.assertEqual([*map(number_of, values)], [1, -1, 0, 2, 0])

    def test_no_packet(self) -> None:
        """What has no beginning of a packet cannot even be answered."""
        for text in (
            "1",
            '"tell"',
            "({})",
            '({"tell",5,"A",0,"B",})',
            '({1,5,"A",0,0,0,})',
            '({"tell",({}),"A",0,0,0,})',
        ):
            with self.subTest(text=text):
                self.assertIsNone(self.assertRaises(BadPacket, packet, text).packet)

    def test_bad_packet(self) -> None:
        """One that lacks elements, or has some of wrong types, can be answered."""
        for text in (
            '({"tell",5,"A","ana","B","bo","Ana",})',
            '({"tell",5,"A","ana","B","bo","Ana",({}),})',
            '({"channel-listen",5,"A",0,0,0,"gossip","yes",})',
            '({"who-reply",5,"A",0,"B","bo",(["x":1,]),})',
            '({"startup-req-3",5,"A",0,"*b",0,' + "0," * 13 + "})",
            '({"finger-reply",5,"A",0,"B","bo",' + "({})," * 9 + "})",
        ):
            with self.subTest(text=text):
                bad = self.assertRaises(BadPacket, packet, text).packet
                assert bad is not None
                self.assertEqual(bad.from_mud, "A")

    def test_error(self) -> None:
        """An error can carry the packet that it is about."""
        tell = packet('({"tell",5,"A","ana","B","bo","Ana","hi",})')
        self.assertEqual(
            write(error("*gossip", "A", "ana", "unk-dst", "game offline", tell).value).decode(),
            '({"error",5,"*gossip",0,"A","ana","unk-dst","game offline",({"tell",5,"A","ana","B","bo","Ana","hi",}),})',
        )
        self.assertTrue(is_known("error"))
        self.assertFalse(is_known("oob-begin"))

    @given(st.recursive(st.integers(-1, 9) | st.text(max_size=3), lambda inner: st.lists(inner, max_size=22)))
    def test_any_value(self, value: Any) -> None:
        """Any value is a packet or is refused."""
        try:
            understood(value)
        except BadPacket:
            return

    def test_router_name(self) -> None:
        """A router takes the name that a MUD calls it, if it is one of a router."""
        self.assertEqual(router_name("*i4", "*gossip"), "*i4")
        for called in ("", "*", "i4", "*i4\n", "*a b", "*" + "x" * 31):
            self.assertEqual(router_name(called, "*gossip"), "*gossip")


class StartupTests(SynchronousTestCase):
    """How MUDs introduce themselves."""

    def test_diku(self) -> None:
        """A MUD with a client for Diku is understood; a service that is no number is left out."""
        began = startup(packet(ZUCCHINI), "127.0.0.1")
        self.assertEqual((began.protocol, began.name, began.router), (3, "ZucchiniMud", "*gossip"))
        self.assertEqual((began.password, began.record.port), (123456, 4003))
        self.assertEqual((began.record.driver, began.record.kind), ("ZucchiniMud", "Rom"))
        self.assertEqual(began.record.email, "yami@greengabbro.net")
        self.assertNotIn("url", began.record.services)
        self.assertEqual(began.record.services["tell"], 1)
        self.assertEqual(began.record.value(-1)[:3], [-1, "127.0.0.1", 4003])
        self.assertEqual(len(began.record.value(-1)), 13)
        self.assertEqual(len(began.record.value(0, protocol=2)), 11)

    def test_old_protocol(self) -> None:
        """A startup-req-2 has neither an address of mail nor other data."""
        text = '({"startup-req-2",5,"Old",0,"*x",0,-1,0,0,4000,0,0,"L","B","D","LP","open",(["tell":1,]),})'
        began = startup(packet(text), "192.0.2.1")
        self.assertEqual((began.protocol, began.password, began.record.status), (2, -1, "open"))
        self.assertEqual(began.record.services, {"tell": 1})
        self.assertEqual(began.record.email, "")

    def test_bounded(self) -> None:
        """However much a MUD says of itself, what is kept fits into a frame."""
        services = {f"{number:0100}" if number % 2 else f"service{number:025}": 10**9 for number in range(400)}
        notes: dict[Any, Any] = {f'"{number}"' + '"' * 500: '\\"' * 500 for number in range(50)} | {1: "x", "y": []}
        value: Any = [
            "startup-req-3",
            5,
            "M" * 40,
            0,
            "*x",
            0,
            1,
            1,
            1,
            10**9,
            -5,
            1,
            *(['"\\' * 400] * 6),
            services,
            notes,
        ]
        record = startup(understood(value), "255.255.255.255").record
        self.assertEqual((record.port, record.tcp, len(record.services), len(record.other)), (65535, 0, 30, 10))
        (page,) = pages("mudlist", "*" + "r" * 30, "M" * 40, 10**10, [("N" * 40, record.value(-1))])
        self.assertLessEqual(len(page), FRAME_BYTES)


class PagesTests(SynchronousTestCase):
    """Lists as frames."""

    def test_pages(self) -> None:
        """A list is whole in all its frames, none of which is too long or empty."""
        record = Record(mudlib="x" * 90, services={"tell": 1}, other={"url": "https://example.org"})
        entries = [(f"Mud {number}", record.value(-1)) for number in range(300)]
        found: dict[str, Any] = {}
        for page in pages("mudlist", "*gossip", "My Mud", 7, entries):
            (value,) = strict.frames(page)
            self.assertEqual(value[:7], ["mudlist", 5, "*gossip", 0, "My Mud", 0, 7])
            self.assertTrue(value[7])
            found |= value[7]
        self.assertEqual(found, dict(entries))

    def test_nothing(self) -> None:
        """A list of nothing is not sent."""
        self.assertEqual([*pages("chanlist-reply", "*gossip", "My Mud", 7, [])], [])

    def test_as_recorded(self) -> None:
        """A list of channels as a client in the field reads it."""
        (page,) = pages("chanlist-reply", "*gossip", "Z", 5, [("gossip", ["*gossip", 0]), ("testing", ["*gossip", 0])])
        text = '({"chanlist-reply",5,"*gossip",0,"Z",0,5,(["gossip":({"*gossip",0,}),"testing":({"*gossip",0,}),]),})'
        self.assertEqual(page, frame(read(text.encode())))
