"""L{gossip.web.live}: messages sent to browsers as they are said."""

from __future__ import annotations

import itertools
import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.error import ConnectionLost
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from gossip.registry.changes import ChannelSaved, MessageSaid, MessagesRemoved
from gossip.registry.entities import Channel, Removal
from gossip.registry.registry import Registry
from gossip.web.live import ALIVE_SECONDS, BACKLOG_BYTES, MISSED, Readers, frame
from gossip.web.site import public_site
from tests.support.memory_service import MemoryService
from tests.support.site_browser import Browser
from tests.support.visitor import Visitor
from tests.support.world import NOW, uuid


class LiveTestCase(SynchronousTestCase):
    """A public site with two public channels."""

    def setUp(self) -> None:
        self.service = MemoryService()
        self.clock = self.service.clock
        self.in_thread: Any = maybeDeferred
        self.readers = Readers()
        self.site = public_site(self.service, self.service.store, self.clock, self._in_thread, self.readers)
        self.site.doStart()
        for name in ("gossip", "other"):
            self.show(name)

    def _in_thread(self, *call: Any) -> Any:
        return self.in_thread(*call)

    def show(self, name: str, hidden: bool = False) -> None:
        self.service.world.registry.enact(ChannelSaved(Channel(name, hidden)))

    def hear(
        self, seq: int, text: str = "Hello", channel: str = "gossip", kept: bool = True, game: str = "Alpha"
    ) -> None:
        """A message is said; a saved one is in the store at once."""
        said = MessageSaid(channel, seq, uuid(1), "Alpha", "Ana", text, self.clock.wall)
        if kept:
            self.service.store.said.append(said)
        for observer in list(self.service.heard):
            observer(said)

    def turn(self) -> None:
        """Run turns of the reactor until everything is handed out."""
        for _ in range(200):
            self.clock.advance(0.01)

    def follow(self, path: str = "/chat/gossip/live", host: str = "192.0.2.1", **headers: str) -> Browser:
        browser = Browser(self.site, IPv4Address("TCP", host, 40000))
        lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
        browser.send(f"GET {path} HTTP/1.1\r\nHost: x\r\n{lines}\r\n".encode())
        return browser

    def written(self, browser: Browser) -> bytes:
        """The bytes since the last call, without chunk headers."""
        value: bytes = browser.transport.value()
        browser.transport.clear()
        body = value.partition(b"\r\n\r\n")[2] if value.startswith(b"HTTP/") else value
        text = b""
        while body:
            size, _, body = body.partition(b"\r\n")
            text, body = text + body[: int(size, 16)], body[int(size, 16) + 2 :]
        return text

    def numbers(self, browser: Browser) -> list[int]:
        """The numbers of the events since the last call."""
        return [int(number) for number in re.findall(rb"^id: (\d+)$", self.written(browser), re.MULTILINE)]


class FrameTests(SynchronousTestCase):
    """Encoded events."""

    def test_a_frame(self) -> None:
        """A text is one event, even with several lines."""
        self.assertEqual(frame(b"hi", number=3), b"id: 3\ndata: hi\n\n")
        self.assertEqual(frame(b"a\nb\r\nc\rd"), b"data: a\ndata: b\ndata: c\ndata: d\n\n")
        self.assertEqual(frame(b"x", b"reload"), b"event: reload\ndata: x\n\n")

    @given(st.binary(max_size=50))
    def test_any_text(self, text: bytes) -> None:
        """No text can end its event or start a new field."""
        lines = re.split(rb"\r\n|\r|\n", frame(text, number=1))
        self.assertEqual(lines[-2:], [b"", b""])
        self.assertTrue(all(line.startswith(b"data: ") for line in lines[1:-2]))


class FollowTests(LiveTestCase):
    """Following."""

    def test_headers(self) -> None:
        """A stream starts at once, is not cached, and ends with its connection."""
        browser = self.follow()
        code, headers, _ = browser.read()
        self.assertEqual((code, headers["content-type"]), (200, "text/event-stream; charset=utf-8"))
        self.assertIn("no-store", headers["cache-control"])
        self.assertEqual(headers["connection"], "close")
        self.assertIn("default-src 'self'", headers["content-security-policy"])
        code, head, body = Browser(self.site).ask("HEAD", "/chat/gossip/live")
        self.assertEqual((code, head["content-type"], body), (200, headers["content-type"], b""))
        self.assertEqual(len(self.site.live), 1)

    def test_what_is_said(self) -> None:
        """A message on the channel is sent as a line of HTML, and one on another channel is not."""
        browser = self.follow()
        self.written(browser)
        self.hear(5, "<b>Hi\n</li>")
        self.hear(6, channel="other")
        self.turn()
        text = self.written(browser)
        self.assertIn(b"id: 5\ndata: <li id=", text)
        self.assertIn(b"&lt;b&gt;Hi\ndata: &lt;/li&gt;</span></li>", text)
        self.assertIn(b'href="/games/Alpha"', text)
        self.assertNotIn(b"id: 6", text)

    def test_nobody_reads(self) -> None:
        """Without readers a message starts no timer; a reader that comes later still gets it."""
        before = self.clock.getDelayedCalls()
        self.hear(5, kept=False)
        self.assertEqual(self.clock.getDelayedCalls(), before)
        browser = self.follow(Last_Event_ID="4")
        self.assertEqual(self.numbers(browser), [5])

    def test_all_channels(self) -> None:
        """The front page gets messages of all public channels, and of no others."""
        browser = self.follow("/live")
        self.show("secret", hidden=True)
        self.written(browser)
        for channel in ("gossip", "other", "secret", "unknown"):
            self.hear(1, f"on {channel}", channel=channel)
        self.turn()
        self.assertEqual(re.findall(rb"on (\w+)", self.written(browser)), [b"gossip", b"other"])

    def test_one_encoding(self) -> None:
        """A message is encoded once for all readers, and messages that arrive together are sent together."""
        encoded: list[int] = []
        live = self.site.live
        encode = live._encode
        live._encode = lambda said, every: encoded.append(said.seq) or encode(said, every)  # type: ignore[func-returns-value]
        browsers = [self.follow() for _ in range(100)]
        for browser in browsers:
            self.written(browser)
        self.hear(1)
        self.hear(2)
        self.turn()
        self.assertEqual(encoded, [1, 2])
        self.assertEqual([self.numbers(browser) for browser in browsers], [[1, 2]] * 100)

    def test_no_readers(self) -> None:
        """Without readers nothing is encoded."""
        self.site.live._encode = lambda said, every: self.fail("encoded")
        self.hear(1)
        self.turn()

    def test_hidden_meanwhile(self) -> None:
        """When a channel is hidden, its messages are no longer sent and its streams end."""
        browser = self.follow()
        self.show("gossip", hidden=True)
        self.written(browser)
        self.hear(1)
        self.turn()
        self.assertEqual(self.written(browser), b"")
        self.clock.advance(ALIVE_SECONDS)
        self.assertTrue(browser.transport.disconnecting)
        self.assertEqual(len(self.site.live), 0)

    def test_known_anew(self) -> None:
        """What was hidden, published or removed while a node heard nothing of the others counts on its pages."""
        shown, hidden = self.follow("/chat/other/live"), self.follow()
        self.written(shown), self.written(hidden)
        known = Registry()
        for channel in (Channel("gossip"), Channel("other", hidden=False)):
            known.enact(ChannelSaved(channel))
        gone = MessageSaid("other", 2, uuid(1), "Alpha", "Ana", "Gone", self.clock.wall)
        known.enact(MessagesRemoved((gone,), Removal(self.clock.wall, "root", "ads")))
        self.service.network.registry.become(known)
        self.hear(1)
        self.hear(2, "Gone", "other")
        self.turn()
        self.assertEqual(self.written(hidden), b"")
        text = self.written(shown)
        self.assertIn(b"[removed: ads]", text)
        self.assertNotIn(b"Gone", text)
        page = Browser(self.site).ask("GET", "/chat/other")[2]
        self.assertIn("[removed: ads]", str(page))
        self.assertNotIn("Gone", str(page))

    def test_hidden_for_a_moment(self) -> None:
        """A reader of a channel that was hidden for a moment misses no message."""
        browser = self.follow()
        self.hear(1)
        self.turn()
        self.show("gossip", hidden=True)
        self.hear(2)
        self.turn()
        self.show("gossip")
        self.hear(3)
        self.turn()
        self.assertEqual(self.numbers(browser), [1])
        self.assertTrue(browser.transport.disconnecting)
        self.assertEqual(self.numbers(self.follow(Last_Event_ID="1")), [2, 3])

    def test_sign_of_life(self) -> None:
        """A silent stream gets a comment regularly."""
        browser = self.follow()
        self.written(browser)
        for _ in range(3):
            self.clock.advance(ALIVE_SECONDS)
            self.assertEqual(self.written(browser), b":\n\n")
        self.assertFalse(browser.transport.disconnecting)
        browser.protocol.connectionLost(Failure(ConnectionLost()))
        self.clock.advance(ALIVE_SECONDS)
        self.assertEqual([call for call in self.clock.calls if call.func == self.site.live._beat], [])


class RemovedTests(LiveTestCase):
    """Removed messages."""

    def remove(self, *seqs: int, channel: str = "gossip", ago: float = 0.0) -> None:
        """Messages are removed."""
        said = [MessageSaid(channel, seq, uuid(1), "Alpha", "Ana", "Hello", self.clock.wall) for seq in seqs]
        change = MessagesRemoved(tuple(said), Removal(self.clock.wall - ago, "root", "<ads>"))
        self.service.store.keep(change)
        self.service.network.registry.enact(change)
        for observer in list(self.service.removed):
            observer(change)

    def removed(self, browser: Browser) -> list[int]:
        """The numbers of the removed messages that a reader was told of since the last call."""
        told = re.findall(rb"^event: removed\ndata: <li id=\"gossip-(\d+)\"(.*)$", self.written(browser), re.MULTILINE)
        self.assertTrue(all(b"[removed: &lt;ads&gt;]" in line and b"Hello" not in line for _, line in told))
        return [int(seq) for seq, _ in told]

    def test_told(self) -> None:
        """Readers of the channel and of all channels are told, after the message itself, and without a number."""
        one, all_, other = self.follow(), self.follow("/live"), self.follow("/chat/other/live")
        for browser in (one, all_, other):
            self.written(browser)
        self.hear(5)
        self.remove(4)
        self.turn()
        text = self.written(one)
        self.assertLess(text.index(b"id: 5"), text.index(b"event: removed\ndata: <li id="))
        self.assertEqual(re.findall(rb"^id: \d+$", text, re.MULTILINE), [b"id: 5"])
        self.assertEqual((self.removed(all_), self.written(other)), ([4], b""))

    def test_old_number(self) -> None:
        """A reader that has later messages already is told as well."""
        for seq in range(1, 6):
            self.hear(seq)
        self.turn()
        browser = self.follow("/chat/gossip/live?after=1")
        self.assertEqual(self.numbers(browser), [2, 3, 4, 5])
        self.remove(3)
        self.turn()
        self.assertEqual(self.removed(browser), [3])

    def test_before_it_was_sent(self) -> None:
        """A message that is removed before readers get it comes as what is left of it, under its number."""
        browser = self.follow()
        self.written(browser)
        self.hear(5)
        self.remove(5)
        self.turn()
        text = self.written(browser)
        self.assertNotIn(b"Hello", text)
        self.assertEqual(re.findall(rb"^id: \d+$", text, re.MULTILINE), [b"id: 5"])

    def test_reconnected(self) -> None:
        """A reader that reconnects learns what was removed since its page was made, whatever it missed."""
        for seq in range(1, 6):
            self.hear(seq)
        self.turn()
        self.remove(1, ago=3600)
        self.remove(2, 5)
        self.remove(9, channel="other")
        since = int(self.clock.wall * 1000)
        browser = self.follow(f"/chat/gossip/live?after=4&since={since}")
        text = self.written(browser)
        self.assertNotIn(b"Hello", text)
        self.assertEqual(re.findall(rb"^id: (\d+)$", text, re.MULTILINE), [b"5"])
        self.assertEqual(self.removed(self.follow(f"/chat/gossip/live?after=5&since={since}")), [2, 5])
        self.assertEqual(self.removed(self.follow(f"/chat/gossip/live?after=5&since={since - 3600_000}")), [1, 2, 5])
        self.assertEqual(self.removed(self.follow(f"/chat/gossip/live?after=5&since={since + 3600_000}")), [])
        self.assertEqual(self.removed(self.follow("/chat/gossip/live?after=5")), [])
        # A page of older lines has no last message.
        self.assertEqual(self.removed(self.follow(f"/chat/gossip/live?since={since}")), [2, 5])
        everything = self.written(self.follow(f"/live?after={since}&since={since}"))
        self.assertEqual(everything.count(b"event: removed"), 3)
        self.show("gossip", hidden=True)
        everything = self.written(self.follow(f"/live?after={since}&since={since}"))
        self.assertEqual(everything.count(b"event: removed"), 1)

    def test_alone(self) -> None:
        """
        A page that waits for no messages is told what is removed on all public channels, since it was made and from
        now on, and of nothing else.
        """
        self.hear(1)
        self.remove(1)
        since = int(self.clock.wall * 1000)
        browser = self.follow(f"/live/removed?since={since}")
        self.assertEqual(self.removed(browser), [1])
        self.assertEqual(self.removed(self.follow("/live/removed")), [])
        self.assertEqual(len(self.site.live), 2)
        self.hear(2)
        self.turn()
        self.assertEqual(self.written(browser), b"")
        self.remove(2, 9)
        self.remove(4, channel="other")
        self.turn()
        text = self.written(browser)
        self.assertEqual(re.findall(rb"<li id=\"([a-z]+-\d+)\"", text), [b"gossip-2", b"gossip-9", b"other-4"])
        self.assertNotIn(b"Hello", text)
        self.clock.advance(ALIVE_SECONDS)
        self.turn()
        self.assertEqual(self.written(browser), b":\n\n")
        browser.protocol.connectionLost(Failure(ConnectionLost()))
        self.assertEqual(len(self.site.live), 1)
        self.site.live.stop()
        self.assertEqual(len(self.site.live), 0)

    def test_alone_and_hidden(self) -> None:
        """Moderators of a hidden channel are told what is removed there, as long as they moderate it."""
        self.service.world.registry.enact(ChannelSaved(Channel("gossip", hidden=True, moderators=frozenset(["Ana"]))))
        visitors = {name: Visitor(self.site) for name in ("Ana", "Bo", "Root")}
        for name, visitor in visitors.items():
            visitor.sign_in(self.service, name, admin=name == "Root")
        path = f"/live/removed?since={int(self.clock.wall * 1000)}"
        self.remove(1)
        browsers = {name: self.follow(path, Cookie=f"visit={each.cookies['visit']}") for name, each in visitors.items()}
        browsers["nobody"] = self.follow(path)

        def told() -> dict[str, list[int]]:
            self.turn()
            return {name: self.removed(browser) for name, browser in browsers.items()}

        self.assertEqual(told(), {"Ana": [1], "Bo": [], "Root": [1], "nobody": []})
        self.remove(2)
        self.assertEqual(told(), {"Ana": [2], "Bo": [], "Root": [2], "nobody": []})
        self.show("gossip", hidden=True)
        self.remove(3)
        self.assertEqual(told(), {"Ana": [], "Bo": [], "Root": [3], "nobody": []})

    def test_while_it_is_read(self) -> None:
        """What is removed while the history is read is not in it."""
        reading: Deferred[Any] = Deferred()
        self.in_thread = lambda *call: reading
        browser = self.follow(f"/chat/gossip/live?after=0&since={int(self.clock.wall * 1000)}")
        self.hear(1)
        self.hear(2)
        found = list(self.service.store.said)
        self.remove(1)
        reading.callback(found)
        self.turn()
        text = self.written(browser)
        self.assertEqual(text.count(b"Hello"), 1)
        self.assertEqual(re.findall(rb"^id: (\d+)$", text, re.MULTILINE), [b"1", b"2"])

    def test_forgotten(self) -> None:
        """A message that is remembered for readers is forgotten, also while nobody reads; and no timer starts."""
        self.hear(5, kept=False)
        before = self.clock.getDelayedCalls()
        self.remove(5)
        self.assertEqual(self.clock.getDelayedCalls(), before)
        self.assertEqual([said.message for said in self.site.live._recent], [""])
        self.assertNotIn(b"Hello", self.written(self.follow(Last_Event_ID="4")))


class ResumeTests(LiveTestCase):
    """Reconnecting."""

    def test_missed(self) -> None:
        """A reader that reconnects gets the missed messages, then the new ones."""
        for seq in range(1, 6):
            self.hear(seq)
        self.turn()
        one, other = self.follow(Last_Event_ID="3"), self.follow("/chat/gossip/live?after=3")
        self.assertEqual((self.numbers(one), self.numbers(other)), ([4, 5], [4, 5]))
        self.hear(6)
        self.turn()
        self.assertEqual((self.numbers(one), self.numbers(other)), ([6], [6]))

    def test_his_own_word(self) -> None:
        """The browser's last event goes before the one in the page's URL; an invalid one is ignored."""
        for seq in range(1, 6):
            self.hear(seq)
        self.turn()
        self.assertEqual(self.numbers(self.follow("/chat/gossip/live?after=1", Last_Event_ID="4")), [5])
        self.assertEqual(self.numbers(self.follow(Last_Event_ID="<b>")), [])
        self.assertEqual(self.follow("/chat/gossip/live?after=x").read()[0], 400)

    def test_not_on_disk_yet(self) -> None:
        """A message that is not on disk yet is not missed."""
        self.hear(1)
        self.hear(2, kept=False)
        self.turn()
        self.hear(3, kept=False)
        browser = self.follow(Last_Event_ID="0")
        self.assertEqual(self.numbers(browser), [1, 2, 3])
        self.turn()
        self.assertEqual(self.numbers(browser), [])

    def test_while_it_is_read(self) -> None:
        """A message during the read of the history comes once, in order."""
        reading: Deferred[Any] = Deferred()
        self.in_thread = lambda *call: reading
        browser = self.follow(Last_Event_ID="0")
        self.hear(1)
        self.turn()
        self.hear(2)
        reading.callback(self.service.store.said[:1])
        self.hear(3)
        self.turn()
        self.assertEqual(self.numbers(browser), [1, 2, 3])

    def test_number_to_come(self) -> None:
        """A reader with a higher number than the last one, as after a restore, gets new messages."""
        for seq in range(1, 4):
            self.hear(seq)
        self.turn()
        browser = self.follow(Last_Event_ID="999999999999999")
        self.assertEqual(self.numbers(browser), [])
        self.hear(4)
        self.turn()
        self.assertEqual(self.numbers(browser), [4])

    def test_too_much(self) -> None:
        """A reader that missed too many messages reloads the page."""
        for seq in range(MISSED + 2):
            self.hear(seq)
        self.assertIn(b"event: reload\n", self.written(self.follow(Last_Event_ID="0")))

    def test_front_page(self) -> None:
        """The front page gets the last messages when it reconnects, and skips the ones it has."""
        self.hear(1)
        self.turn()
        now = int(NOW * 1000)
        self.assertIn(b'id="gossip-1"', self.written(self.follow("/live", Last_Event_ID=str(now - 60))))
        self.assertNotIn(b"gossip-1", self.written(self.follow("/live", Last_Event_ID=str(now + 60))))

    def test_busy_front_page(self) -> None:
        """The front page gets no message from before its last one, however many there were in that second."""
        for seq in range(1, 21):
            self.hear(seq)
            self.clock.advance(0.005)
        self.turn()
        last = self.numbers(self.follow("/live?after=0"))[-1]
        self.assertEqual(self.numbers(self.follow("/live", Last_Event_ID=str(last))), [last])

    def test_no_history(self) -> None:
        """If the history cannot be read the stream ends, and the browser reconnects later."""
        self.in_thread = lambda *call: maybeDeferred(lambda: 1 / 0)
        browser = self.follow(Last_Event_ID="0")
        self.assertTrue(browser.transport.disconnecting)
        self.assertEqual((len(self.flushLoggedErrors(ZeroDivisionError)), len(self.site.live)), (1, 0))

    def test_gone_meanwhile(self) -> None:
        """A reader that leaves while the history is read is forgotten."""
        reading: Deferred[Any] = Deferred()
        self.in_thread = lambda *call: reading
        browser = self.follow(Last_Event_ID="0")
        browser.protocol.connectionLost(Failure(ConnectionLost()))
        self.assertEqual(len(self.site.live), 0)
        reading.callback([])


class BoundTests(LiveTestCase):
    """Limits of readers."""

    def test_slow_reader(self) -> None:
        """Events wait for a busy reader, in order; one that is too slow is cut off, and the others are not."""
        slow, fast = self.follow(), self.follow()
        slow.transport.producer.pauseProducing()
        self.written(slow)
        self.hear(1)
        self.hear(2)
        self.turn()
        self.assertEqual(self.numbers(slow), [])
        slow.transport.producer.resumeProducing()
        self.assertEqual(self.numbers(slow), [1, 2])
        slow.transport.producer.pauseProducing()
        for seq in range(3, 3 + BACKLOG_BYTES // 4000 + 1):
            self.hear(seq, "x" * 4000)
            self.turn()
        self.assertTrue(slow.transport.disconnected or slow.transport.disconnecting)
        self.assertFalse(fast.transport.disconnecting)
        self.assertEqual((len(self.site.live), self.site.live.dropped), (1, 1))

    def test_how_many(self) -> None:
        """The number of readers is bounded, in all and per address; others are told to try later."""
        self.readers.total, self.readers.per_address = 3, 2
        kept = [self.follow(), self.follow()]
        self.assertEqual([browser.read()[0] for browser in kept], [200, 200])
        code, headers, _ = self.follow().read()
        self.assertEqual((code, headers["retry-after"]), (503, "30"))
        self.assertEqual(self.follow(host="192.0.2.2").read()[0], 200)
        self.assertEqual(self.follow(host="192.0.2.3").read()[0], 503)
        kept[0].protocol.connectionLost(Failure(ConnectionLost()))
        self.assertEqual(self.follow(host="192.0.2.3").read()[0], 200)

    def test_behind_a_proxy(self) -> None:
        """Behind a proxy its reported address counts, not a forged one."""
        self.site = public_site(self.service, self.service.store, self.clock, maybeDeferred, Readers(0, 1), proxies=1)
        self.assertEqual(self.follow(X_Forwarded_For="203.0.113.1").read()[0], 200)
        self.assertEqual(self.follow(X_Forwarded_For="203.0.113.2").read()[0], 200)
        self.assertEqual(self.follow(X_Forwarded_For="1.1.1.1, 203.0.113.2").read()[0], 503)

    def test_spellings(self) -> None:
        """However a proxy writes an address, it is the same one; without one, the proxy's own counts."""
        self.site = public_site(self.service, self.service.store, self.clock, maybeDeferred, Readers(0, 1), proxies=1)
        for first, *others in (
            ("203.0.113.2", "203.0.113.2:5555", "[203.0.113.2]:1", "::ffff:203.0.113.2", "1.1.1.1,203.0.113.2"),
            ("2001:db8::5", "[2001:db8::5]:443", "2001:DB8:0::0006"),
            ("203.0.113.9,", "", "unknown", "203.0.113.9, 999.1.1.1", "203.0.113.9\r\nX-Forwarded-For: "),
            ("203.0.113.9\r\nX-Forwarded-For: 203.0.113.10", "203.0.113.10"),
        ):
            self.assertEqual(self.follow(X_Forwarded_For=first).read()[0], 200, first)
            for other in others:
                self.assertEqual(self.follow(X_Forwarded_For=other).read()[0], 503, other)

    def test_one_network(self) -> None:
        """An IPv6 network counts as one address."""
        self.site = public_site(self.service, self.service.store, self.clock, maybeDeferred, Readers(0, 1), proxies=1)
        kept = self.follow(X_Forwarded_For="2001:db8::1")
        self.assertEqual(kept.read()[0], 200)
        self.assertEqual(self.follow(X_Forwarded_For="2001:db8::2:0:0:2").read()[0], 503)
        self.assertEqual(self.follow(X_Forwarded_For="2001:db8:0:1::1").read()[0], 200)
        kept.protocol.connectionLost(Failure(ConnectionLost()))
        self.assertEqual(self.follow(X_Forwarded_For="2001:db8::2").read()[0], 200)

    def test_a_few_a_turn(self) -> None:
        """Many readers are served in many turns, and less often the more there are."""
        browsers = [self.follow() for _ in range(400)]
        for browser in browsers:
            self.written(browser)
        told = [0]
        call_later = self.clock.callLater

        def counted(*call: Any) -> Any:
            told.append(sum(bool(browser.transport.value()) for browser in browsers))
            return call_later(*call)

        self.patch(self.clock, "callLater", counted)
        self.hear(1)
        self.turn()
        self.assertLess(max(after - before for before, after in itertools.pairwise(told)), 40)
        self.assertEqual({len(self.numbers(browser)) for browser in browsers}, {1})
        self.hear(2)
        self.turn()
        self.hear(3)
        self.clock.advance(0)
        self.hear(4)
        self.turn()
        self.assertEqual({tuple(self.numbers(browser)) for browser in browsers}, {(2, 3, 4)})

    def test_one_that_fails(self) -> None:
        """A reader that fails does not stop the others."""
        browsers = [self.follow() for _ in range(3)]
        for browser in browsers:
            self.written(browser)
        first = next(iter(self.site.live._readers["gossip"]))
        self.patch(first._request.channel, "write", lambda data: 1 / 0)
        self.hear(1)
        self.turn()
        self.assertEqual([self.numbers(browser) for browser in browsers], [[], [1], [1]])
        self.assertEqual((len(self.flushLoggedErrors(ZeroDivisionError)), len(self.site.live)), (1, 2))

    def test_the_end(self) -> None:
        """When the site closes, all streams end, no new one starts, and no timer is left."""
        browsers = [self.follow(), self.follow("/live")]
        self.hear(1)
        self.site.doStop()
        self.assertTrue(all(browser.transport.disconnecting for browser in browsers))
        self.assertEqual(len(self.site.live), 0)
        self.assertEqual(self.follow().read()[0], 503)
        live = self.site.live
        ours = (live._flush, live._hand_out, live._beat)
        self.assertEqual([call for call in self.clock.calls if call.func in ours], [])
