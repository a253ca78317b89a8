"""Tests for reading and writing the packets of IMC2."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gossip.transports.imc2.packets import LINE_BYTES, Lines, Packet, Word, cut, quoted, read, write
from tests.support import imc2_client as client

_NAMES = st.text("abcXYZ019_.-", min_size=1, max_size=40)
_MUD_NAMES = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40)
_TEXTS = st.text(st.characters(min_codepoint=32, exclude_categories=("Cs", "Cc")), max_size=150)


def _packet(kind: str = "ice-msg-b", **values: str) -> Packet:
    return Packet("Ana", "Other", 7, "Other!Gossip", kind, "*", "*", values)


class ReadingTests(SynchronousTestCase):
    """L{read} takes whatever clients send."""

    def test_message(self) -> None:
        """A message as QuickMUD sends it is read to the byte."""
        line = (
            r"Shemp@RomMud 1795379519 RomMud ice-msg-b *@* channel=Gossip:gossip "
            r'text="Hello \"quoted\" & 100% back\\slash ~Rred ~rlope" emote=0 echo=1'
        )
        text = 'Hello "quoted" & 100% back\\slash ~Rred ~rlope'
        values = {"channel": "Gossip:gossip", "text": text, "emote": "0", "echo": "1"}
        self.assertEqual(read(line), Packet("Shemp", "RomMud", 1795379519, "RomMud", "ice-msg-b", "*", "*", values))

    def test_unquoted_text(self) -> None:
        """A key ends at the first equals sign: what looks like one within a value stays there."""
        packet = read("A@M 1 M x *@* text=sender=Admin@X emote=0")
        assert packet is not None
        self.assertEqual(packet.values, {"text": "sender=Admin@X", "emote": "0"})

    def test_odd_pairs(self) -> None:
        """The first value of a key counts, keys are in lower case, and what is no pair is skipped."""
        packet = read('A@M 1 M x *  A=1   a=2 junk =b "c d" B="x y"z=\\"q list="a\\r\\nb\\x" e= f="unended\\')
        assert packet is not None
        self.assertEqual(packet.target, "*")
        self.assertEqual(packet.destination, "")
        self.assertEqual(packet.values, {"a": "1", "b": "x y", "z": '"q', "list": "a\r\nbx", "e": "", "f": "unended"})

    def test_no_packet(self) -> None:
        """Fewer than five words, or a sequence that is no number, make no packet."""
        for line in ("", "a", "A@M 1 M who", "A@M x M who *", f"A@M {'1' * 21} M who *", "A@M ١ M who *"):
            self.assertIsNone(read(line))

    def test_many_pairs(self) -> None:
        """At most 20 pairs are read, and long lines take linear time."""
        packet = read("A@M 1 M x * " + " ".join(f"k{number}=v" for number in range(10_000)))
        assert packet is not None
        self.assertEqual(len(packet.values), 20)
        for hostile in ("a " * 100_000, 'a="' * 100_000, "\\" * 200_001, 'a="\\' * 50_000, "=" * 200_000):
            # Squared, each would take minutes.
            read("A@M 1 M x * " + hostile)
            read("A@M 1 M x * a=" + hostile)

    @given(st.text())
    def test_anything(self, line: str) -> None:
        """No line raises."""
        read(line)
        read(f"A@M 1 M x *@* {line}")

    def test_lines(self) -> None:
        """Lines end with a line feed; carriage returns, NULs and empty lines are dropped."""
        lines = Lines()
        self.assertEqual(lines.receive(bytes.fromhex("610d0a620a0d630a0d0a6400")), [b"a", b"b", b"c"])
        self.assertEqual(lines.unended, 1)
        self.assertEqual(lines.receive(b"\n"), [b"d"])
        self.assertEqual(lines.unended, 0)

    @given(st.binary(max_size=200), st.integers(1, 20))
    def test_pieces(self, data: bytes, size: int) -> None:
        """It does not matter in which pieces bytes arrive."""
        whole, pieces = Lines(), Lines()
        expected = whole.receive(data)
        parts = [data[place : place + size] for place in range(0, len(data), size)]
        self.assertEqual([line for part in parts for line in pieces.receive(part)], expected)
        self.assertEqual(pieces.unended, whole.unended)


class WritingTests(SynchronousTestCase):
    """L{write} sends nothing that breaks a client."""

    def test_quoting(self) -> None:
        """Values are quoted as clients undo it."""
        for value, written in (
            ("hi", '"hi"'),
            ("a\\", '"a\\\\ "'),
            ('say "x"', '"say \\"x\\""'),
            ("", '""'),
            ("\n\r", '"\\n\\r"'),
            ("a\x1b\x07\x9bb", '"ab"'),
        ):
            self.assertEqual(quoted(value), written)

    def test_words(self) -> None:
        """Words of our own are bare, all else is quoted, and the text is the last key."""
        packet = _packet(text="hi", channel=Word("Gossip:gossip"), emote=Word("0"), odd=Word('a"b'), excluded=Word(""))
        self.assertEqual(
            write(packet),
            b'Ana@Other 7 Other!Gossip ice-msg-b *@* channel=Gossip:gossip emote=0 odd="a\\"b" excluded="" '
            b'text="hi"\r\n',
        )

    def test_header(self) -> None:
        """A word of the header has no blank, no quote in front, and at most 255 bytes."""
        packet = Packet("\"Ana b'", "Other\n", 7, "'" * 300, "x" * 300, "", "", {})
        found = client.check(client.lines_of(write(packet) + b"")[0].replace(" * ", " *@* ") + "@x")
        self.assertEqual(found["from"], "Ana_b'@Other_")
        self.assertEqual(len(found["type"]), 255)

    def test_lengths(self) -> None:
        """What is too long is cut: texts, lists, other values, and whole lines."""
        found = client.check(client.lines_of(write(_packet(text="x" * 9000, url="u" * 9000)))[0])
        self.assertEqual((len(found["text"]), len(found["url"])), (700, 200))
        found = client.check(client.lines_of(write(_packet("who-reply", text='"' * 9000, url="u" * 9000)))[0])
        self.assertEqual((found["text"], found["url"]), ('"' * 3500, "u" * 200))
        many = {f"k{number}": '"' * 900 for number in range(40)}
        line = write(_packet("who-reply", **many, list='"' * 9000, text='"' * 9000))
        self.assertLess(len(line), LINE_BYTES)
        client.check(client.lines_of(line)[0])

    def test_cut(self) -> None:
        """A cut text is whole characters in its charset."""
        self.assertEqual(cut("aäb" * 10, 2, "utf-8"), "a")
        self.assertEqual(cut("aäb" * 10, 2, "latin-1"), "aä")

    @given(_NAMES, _NAMES, st.integers(0, 10**18), st.dictionaries(_NAMES.filter(lambda key: len(key) < 33), _TEXTS))
    def test_round_trip(self, sender: str, origin: str, sequence: int, texts: dict[str, str]) -> None:
        """What is written is read back."""
        values = {
            key.replace(".", "-").lower(): value + " " if value.endswith("\\") else value
            for key, value in list(texts.items())[:4]
        }
        values = {key: cut(value, 190, "utf-8") for key, value in values.items()}
        values = {key: value + " " if value.endswith("\\") else value for key, value in values.items()}
        packet = Packet(sender, origin, sequence, f"{origin}!Gossip", "x", "*", "*", values)
        self.assertEqual(read(write(packet, "utf-8").decode().rstrip("\r\n")), packet)

    @given(st.text(), _MUD_NAMES, st.sampled_from(("0", "1", "2")))
    @example("at the end\\\x85", "Alpha", "0")
    def test_key_search(self, text: str, name: str, emote: str) -> None:
        """Whatever a text or a name is, a client finds the emote, the channel and the sender as they were sent."""
        values = {
            "channel": Word("Gossip:gossip"),
            "emote": Word(emote),
            "sender": Word(f"{name}@RomMud"),
            "text": text,
        }
        (line,) = client.lines_of(write(_packet(**values), "utf-8"))
        found = client.check(line)
        self.assertNotRegex(line, ' text=[^"]')
        self.assertEqual(found["emote"], emote)
        self.assertEqual(found["channel"], "Gossip:gossip")
        self.assertEqual(found["sender"], f"{name}@RomMud")
