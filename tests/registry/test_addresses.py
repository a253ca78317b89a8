"""L{gossip.registry.addresses}."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address, ip_network

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gossip.registry.addresses import UNKNOWN, forwarded, network, read

NEAR = st.text(st.sampled_from("0123456789abcdefABCDEFx.:[]%/, \t\x00٣é"), max_size=60)
V4, V6 = st.ip_addresses(v=4), st.ip_addresses(v=6)


class ReadTests(SynchronousTestCase):
    """Single addresses, in any spelling."""

    def test_spellings(self) -> None:
        """All spellings of an address are one value, and print in one form."""
        for form, spellings in {
            "203.0.113.7": (
                "203.0.113.7",
                " 203.0.113.7:5555 ",
                "[203.0.113.7]",
                "::ffff:203.0.113.7",
                "::FFFF:cb00:7107",
            ),
            "2001:db8::5": ("2001:DB8::5", "2001:0db8:0:0:0:0:0:0005", "[2001:db8::5]", "[2001:db8::5]:443"),
            "fe80::1": ("fe80::1%eth0", "[FE80::1%3]:80"),
            "::1": ("::1", "0:0:0:0:0:0:0:1", "::0.0.0.1"),
        }.items():
            for spelling in spellings:
                self.assertEqual((read(spelling), str(read(spelling))), (read(form), form), spelling)

    def test_garbage(self) -> None:
        """Anything else is unknown, also what some programs would take for an address."""
        for text in (
            *(None, "", " ", "unknown", "_hidden", "999.1.1.1", "1.2.3", "16909060", "0x7f.0.0.1", "192.0.2.010"),
            *("1.2.3.4.5", "1.2.3.4:", "1.2.3.4:123456", "1.2.3.4:a", "1.2.3.4%eth0", "1.2.3.4/24", "1.2.3.4\x00"),
            *("[]", "[]:80", "[2001:db8::5", "2001:db8::5]", "2001:db8::5::", "fe80::1%", "1.2.3.٤", "x" * 10_000),
        ):
            self.assertIs(read(text), UNKNOWN, text)
        self.assertEqual((str(UNKNOWN), UNKNOWN.place), ("unknown", UNKNOWN))

    @given(st.text(max_size=60) | NEAR)
    def test_one_form(self, text: str) -> None:
        """Nothing raises; what is printed is read as the same value, in printable ASCII."""
        address = read(text)
        self.assertEqual(read(str(address)), address)
        self.assertRegex(str(address), r"\A([0-9a-f.:]+|unknown)\Z")

    @given(V4 | V6)
    def test_all_addresses(self, address: object) -> None:
        """Each address prints as the standard library prints it, IPv4 in IPv6 as IPv4."""
        mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
        self.assertEqual(str(read(str(address))), str(mapped or address))

    @given(V4 | V6, V4 | V6)
    def test_place(self, one: object, other: object) -> None:
        """An IPv4 address is a place of its own, IPv6 addresses share one with their /64."""
        place = read(str(one)).place
        self.assertTrue(place.covers(read(str(one))))
        self.assertEqual(place.covers(read(str(other))), place == read(str(other)).place)

    def test_same_site(self) -> None:
        """The interface identifier makes no place, and IPv4 is no part of C{::/64}, where C{::1} is."""
        self.assertEqual(read("2001:db8:0:5::1").place, read("2001:db8:0:5:ffff::1").place)
        self.assertNotEqual(read("2001:db8:0:5::1").place, read("2001:db8:0:6::1").place)
        self.assertNotEqual(read("192.0.2.1").place, read("192.0.2.2").place)
        self.assertFalse(read("::1").place.covers(read("::ffff:192.0.2.1")))

    def test_loopback(self) -> None:
        """All spellings of this machine are on this machine."""
        for text in ("127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"):
            self.assertTrue(read(text).is_loopback, text)
        for text in ("128.0.0.1", "::2", "::7f00:1", "unknown"):
            self.assertFalse(read(text).is_loopback, text)


class ForwardedTests(SynchronousTestCase):
    """The hops of X-Forwarded-For."""

    def through(self, hops: str, proxies: int) -> str:
        return str(forwarded(hops, proxies, read("192.0.2.1")))

    def test_hops(self) -> None:
        """Each trusted proxy is one hop from the end."""
        hops = "203.0.113.1, 203.0.113.2, [2001:DB8::3]:80"
        self.assertEqual(
            [self.through(hops, proxies) for proxies in range(5)],
            ["192.0.2.1", "2001:db8::3", "203.0.113.2", "203.0.113.1", "203.0.113.1"],
        )

    def test_fallback(self) -> None:
        """In place of a hop that is no address comes the next proxy that is known; what may be forged never does."""
        for hops, proxies, address in (
            ("", 1, "192.0.2.1"),
            ("203.0.113.1,", 1, "192.0.2.1"),
            ("203.0.113.1, unknown", 1, "192.0.2.1"),
            ("203.0.113.1, unknown, 203.0.113.3", 2, "203.0.113.3"),
            ("203.0.113.1, , 999.1.1.1", 2, "192.0.2.1"),
        ):
            self.assertEqual(self.through(hops, proxies), address, hops)


class NetworkTests(SynchronousTestCase):
    """What a mute or a ban is for."""

    def test_networks(self) -> None:
        """A single IPv6 address means its /64, an IPv4 address itself."""
        for text, form in {
            "192.0.2.7": "192.0.2.7",
            "192.0.2.7/32": "192.0.2.7",
            "192.0.2.0/24": "192.0.2.0/24",
            "::ffff:192.0.2.7": "192.0.2.7",
            "10.1.0.0/16": "10.1.0.0/16",
            "2001:DB8::5": "2001:db8::/64",
            "2001:db8::/48": "2001:db8::/48",
            "[2001:db8::]/32": "2001:db8::/32",
        }.items():
            self.assertEqual(str(network(text)), form, text)

    def test_refused(self) -> None:
        """The error says what is wrong, and what was understood."""
        for text, error in {
            "999.1.1.1": "'999.1.1.1' is not an address like 192.0.2.1, 192.0.2.0/24 or 2001:db8::/48",
            "192.0.2.0/255.255.255.0": "/255.255.255.0 is not the prefix of an IPv4 network, like /24",
            "192.0.2.0/33": "/33 is not the prefix of an IPv4 network, like /24",
            "2001:db8::/": "/ is not the prefix of an IPv6 network, like /48",
            "10.0.0.0/4": "0.0.0.0/4 is too wide: the widest IPv4 network is a /16",
            "::/0": "::/0 is too wide: the widest IPv6 network is a /32",
            "192.0.2.5/24": "192.0.2.5 is inside of a /24 network: did you mean 192.0.2.0/24?",
            "2001:db8::5/128": "2001:db8::5 is too narrow: in IPv6 a site has a /64, did you mean 2001:db8::/64?",
            "a\x1b[1m/9": "'a\\x1b[1m/9' is not an address like 192.0.2.1, 192.0.2.0/24 or 2001:db8::/48",
        }.items():
            self.assertEqual(str(self.assertRaises(ValueError, network, text)), error)

    @given(st.tuples(V4, st.integers(16, 32)) | st.tuples(V6, st.integers(32, 64)), V4 | V6)
    def test_covers(self, written: tuple[object, int], other: object) -> None:
        """A network prints as the standard library prints it, is read as itself, and covers the same addresses."""
        known = ip_network(written, strict=False)  # type: ignore[arg-type]
        if str(read(str(known.network_address))) != str(known.network_address):
            return  # IPv4 in IPv6
        found = network(str(known))
        self.assertEqual(str(found), str(known).removesuffix("/32") if known.version == 4 else str(known))
        self.assertEqual(str(found.last), str(known.broadcast_address))
        for address in (other, written[0], known.network_address, known.broadcast_address):
            same = read(str(address))
            expected = same.bits == found.bits and ip_address(str(same)) in known
            self.assertEqual(found.covers(same), expected, address)

    @given(st.text(max_size=40) | NEAR)
    def test_anything(self, text: str) -> None:
        """Nothing but a C{ValueError} is raised, and what is printed is read as the same value."""
        try:
            found = network(text)
        except ValueError:
            return
        self.assertEqual(network(str(found)), found)
