"""Removed messages on the pages, in feeds and in the API: L{gossip.web.pages.removal} and what it leads to."""

from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree as Xml

from twisted.internet.defer import Deferred

from gossip.operations.executor import Executor
from gossip.operations.messages import MessageRemove
from gossip.registry.changes import ChannelSaved, MessageSaid, MessagesRemoved
from gossip.registry.entities import Channel, Removal
from tests.support.site_browser import HOSTILE, Browser
from tests.support.sites import SURE, AdminPagesTestCase, PagesTestCase, seen
from tests.support.visitor import Answer, Visitor
from tests.support.world import NOW

ATOM = "{http://www.w3.org/2005/Atom}"
GONE = "Buy gold at gold.example"


class RemovedTests(PagesTestCase):
    """A channel with three messages, of which the second is removed."""

    def setUp(self) -> None:
        super().setUp()
        self.show("gossip")
        for seq, text in enumerate(("First", GONE, "Third"), 1):
            self.said(seq, text, at=NOW + seq)

    def remove(self, reason: str = "advertising", seq: int = 2) -> None:
        """An admin removes a message."""
        executor = Executor(self.service, self.service.store, self._in_thread)
        removal = MessageRemove(id=f"gossip:{seq}", reason=reason)
        self.successResultOf(Deferred.fromCoroutine(executor.carry_out(removal, "root")))

    def everything(self) -> dict[str, str]:
        """Everything that shows messages to the public."""
        paths = ("/", "/channels", "/chat/gossip", "/chat/gossip/2", "/chat/gossip?after=0", "/chat/gossip?before=3")
        found = {path: self.page(path).text for path in paths}
        found["terminal"] = Browser(self.site).ask("GET", "/", b"", Accept="*/*")[2].decode()
        for path in ("/chat/gossip/feed.atom", "/api/v1/channels/gossip/messages"):
            found[path] = self.get(path)[2].decode()
        return found

    def test_nowhere(self) -> None:
        """A removed text is nowhere, not even for the second that pages are cached; its reason is in its place."""
        self.said(4, "Last", at=NOW + 4)
        before = self.everything()
        self.assertEqual([path for path, text in before.items() if GONE not in text], ["/channels"])
        self.remove(HOSTILE.replace("<", "[").replace(">", "]"))
        for path, text in self.everything().items():
            self.assertNotIn("gold", text, path)
            self.assertEqual("[removed: " in text, path not in ("/channels", "/api/v1/channels/gossip/messages"), path)

    def test_sizes(self) -> None:
        """Lists have as many entries as before."""
        self.remove()
        self.assertEqual(len(json.loads(self.get("/api/v1/channels/gossip/messages?limit=3")[2])["messages"]), 3)
        self.assertEqual(self.get("/chat/gossip")[2].count(b'class="permalink"'), 3)

    def test_page(self) -> None:
        """The line stands where it stood, with its game and its link, without the player."""
        self.remove("1 < 2 & 3")
        page = self.get("/chat/gossip")[2].decode()
        [line] = [line for line in page.split("<li ") if 'id="gossip-2"' in line]
        self.assertIn('<i class="gone">[removed: 1 &lt; 2 &amp; 3]</i>', line)
        self.assertIn('href="/games/Alpha"', line)
        self.assertNotIn("Ana", line)
        self.assertIn("This message was removed.", self.page("/chat/gossip/2").text)
        self.assertNotIn("/report", self.get("/chat/gossip/2")[2].decode())

    def test_channels(self) -> None:
        """If the last message of a channel was removed, the list of channels says so."""
        self.remove(seq=3)
        self.assertIn("@Alpha: [removed: advertising]", " ".join(self.page("/channels").text.split()))

    def test_feed(self) -> None:
        """In the feed the entry stays, with another text and a new time, so that readers replace what they have."""
        before = Xml.fromstring(self.get("/chat/gossip/feed.atom")[2])
        self.service.clock.advance(100)
        self.remove()
        feed = Xml.fromstring(self.get("/chat/gossip/feed.atom")[2])
        ids = [[entry.findtext(f"{ATOM}id") for entry in each.iter(f"{ATOM}entry")] for each in (before, feed)]
        self.assertEqual(ids[0], ids[1])
        [_, entry, _] = feed.iter(f"{ATOM}entry")
        told = {name: entry.findtext(f"{ATOM}{name}") for name in ("title", "content", "updated")}
        self.assertEqual(
            told,
            {
                "title": "@Alpha: [removed: advertising]",
                "content": "[removed: advertising]",
                "updated": "2023-11-14T22:01:40Z",
            },
        )
        self.assertEqual(entry.findtext(f"{ATOM}author/{ATOM}name"), "@Alpha")
        self.assertEqual(feed.findtext(f"{ATOM}updated"), "2023-11-14T22:01:40Z")

    def test_api(self) -> None:
        """In the API a removed message has its reason, and neither name nor text; others have none."""
        self.remove()
        first, second, _ = json.loads(self.get("/api/v1/channels/gossip/messages")[2])["messages"]
        self.assertEqual((first["message"], first["removed"]), ("First", None))
        self.assertEqual(
            second,
            {
                "channel": "gossip",
                "seq": 2,
                "game": "Alpha",
                "name": "",
                "message": "",
                "said_at": "2023-11-14T22:00:02Z",
                "removed": "advertising",
            },
        )

    def test_read_before(self) -> None:
        """What was read before a message was removed does not show it after."""
        reading: Deferred[Any] = Deferred()
        self.in_thread = lambda *call: reading
        browser = Browser(self.site)
        browser.send(b"GET /chat/gossip HTTP/1.1\r\nHost: x\r\nAccept: text/html\r\n\r\n")
        found = list(self.service.store.said)
        [change] = [MessagesRemoved((found[1],), Removal(NOW, "root", "ads"))]
        self.service.network.learned(change, self.service.now())
        reading.callback(found)
        body = browser.transport.value().decode()
        self.assertIn("[removed: ads]", body)
        self.assertNotIn("gold", body)


class RemoveTests(AdminPagesTestCase):
    """The forms."""

    def setUp(self) -> None:
        super().setUp()
        self.registry.enact(ChannelSaved(Channel("gossip", hidden=False)))
        said = MessageSaid("gossip", 7, self.game().client_id, "Alpha", "Ana", "Nasty", NOW)
        self.service.store.said.append(said)

    def remove(self, visitor: Visitor | None = None, **fields: str) -> Answer:
        """Send the form of the message's page."""
        return (visitor or self.root).post("/chat/gossip/7/remove", {"reason": "spam", **fields}, "/chat/gossip/7")

    def operations(self) -> list[str]:
        """What was done."""
        return [f"{entry.actor} {entry.operation}" for entry in self.service.store.entries]

    def test_removed(self) -> None:
        """An admin removes a message on its page, which then says who removed it."""
        answer = self.remove(sure="1")
        self.assertEqual((answer.code, answer.location), (303, "/chat/gossip/7#gossip-7"))
        self.assertEqual(self.operations(), ["Root message/remove"])
        page = seen(self.read("/chat/gossip/7"))
        self.assertIn("[removed: spam]", page)
        self.assertIn("This message was removed by Root", page)
        self.assertNotIn("Nasty", page)
        self.assertEqual(self.registry.mutes, {})

    def test_muted(self) -> None:
        """The second button mutes the player for a day, too."""
        self.assertIn("Remove and mute Ana@Alpha for 1 day", seen(self.read("/chat/gossip/7")))
        self.assertEqual(self.remove(sure="1", mute="Ana@Alpha").code, 303)
        self.assertEqual(self.operations(), ["Root message/remove", "Root mute/add"])
        [mute] = self.registry.mutes.values()
        self.assertEqual((mute.subject, mute.until), (f"ana@{self.game().client_id}", NOW + 86400))
        self.assertEqual((mute.reason, mute.channel), ("spam", ""))

    def test_not_muted(self) -> None:
        """If the player cannot be muted, the message is removed all the same, and the page says so."""
        answer = self.remove(sure="1", mute="Ana@Nobody")
        text = "Not done: the message was removed, but Ana@Nobody was not muted: no such game."
        self.assertEqual((answer.code, self.operations()), (422, ["Root message/remove"]))
        self.assertNotIn("Nasty", seen(answer))
        self.assertIn(text, seen(answer))

    def test_refused(self) -> None:
        """Without a tick and a reason nothing is removed; the form keeps its text."""
        answer = self.remove()
        self.assertEqual(answer.code, 422)
        self.assertIn("Not done: tick the box to confirm this action.", seen(answer))
        self.assertEqual(self.fields(answer.page, "reason")[:2], ["", "spam"])
        self.assertIn("Not done: a reason has 1 to 200 characters", seen(self.remove(sure="1", reason=" ")))
        self.assertEqual(self.operations(), [])
        self.remove(sure="1")
        self.assertIn("this message was removed already", seen(self.remove(sure="1")))

    def test_only_admins(self) -> None:
        """Nobody else sees the form, or can send it; nor can anybody remove what is on a hidden channel this way."""
        bo = Visitor(self.site)
        bo.sign_in(self.service, "Bo")
        self.assertNotIn("/remove", bo.get("/chat/gossip/7").text)
        self.assertIn('action="/chat/gossip/7/remove"', self.root.get("/chat/gossip/7").body.decode())
        self.assertEqual(self.remove(bo, sure="1").code, 403)
        stranger = Visitor(self.site)
        self.assertNotIn('action="/chat/gossip/7/remove"', stranger.get("/chat/gossip/7").body.decode())
        self.assertIn("/sign-in", self.remove(stranger, sure="1").location)
        self.root.get("/chat/gossip/7")
        self.registry.enact(ChannelSaved(Channel("gossip", hidden=True)))
        self.assertEqual(self.root.post("/chat/gossip/7/remove", {"reason": "x", "sure": "1"}, "/channels").code, 404)
        self.assertEqual(self.operations(), [])

    def test_network(self) -> None:
        """What the network itself said can be removed, but the network not muted."""
        self.service.store.said.append(MessageSaid("gossip", 8, None, "gossip", "system", "Hello", NOW))
        self.assertNotIn("Remove and mute", seen(self.root.get("/chat/gossip/8")))
        answer = self.root.post("/chat/gossip/8/remove", {"reason": "typo", "sure": "1"}, "/chat/gossip/8")
        self.assertEqual((answer.code, self.operations()), (303, ["Root message/remove"]))

    def test_report(self) -> None:
        """A message is removed on the page of its report, which then no longer quotes it and has no such form."""
        self.root.post("/chat/gossip/7/report", {"reason": "Rude"}, "/chat/gossip/7")
        self.service.store.entries.clear()
        [number] = self.registry.reports
        fields = {"id": "gossip:7", "reason": "spam", "number": str(number)}
        page = self.refused("/admin/reports", "message/remove", "tick the box to confirm this action", **fields)
        self.assertIn("spam", self.fields(page, "reason"))
        answer = self.do("/admin/reports", "message/remove", **fields, **SURE)
        self.assertEqual(answer.location, "/admin/reports?done=message/remove-and-resolve")
        self.assertEqual(self.operations(), ["Root message/remove", "Root report/resolve"])
        self.assertIn("No open reports.", seen(self.read(answer.location)))

    def test_report_and_mute(self) -> None:
        """The second button is there, too."""
        self.root.post("/chat/gossip/7/report", {"reason": "Rude"}, "/chat/gossip/7")
        self.service.store.entries.clear()
        fields = {"id": "gossip:7", "reason": "spam", "mute": "Ana@Alpha", "number": str(*self.registry.reports)}
        self.do("/admin/reports", "message/remove", **fields, **SURE)
        self.assertEqual(self.operations(), ["Root message/remove", "Root mute/add", "Root report/resolve"])

    def test_public_api(self) -> None:
        """The operations are in the admin API, which is made from them."""
        paths = json.loads(self.root.get("/api/v1/openapi.json").body)["paths"]
        wanted = {f"/api/v1/admin/message/{name}" for name in ("show", "remove", "purge")}
        self.assertLessEqual(wanted, set(paths))
