"""L{gossip.web.pages.moderation}: what everybody may see of what admins did."""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree as Xml

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from twisted.internet.defer import Deferred, fail, maybeDeferred
from twisted.trial.unittest import SynchronousTestCase

from gossip.operations.catalogue import OPERATIONS
from gossip.operations.executor import Executor
from gossip.operations.messages import MessageRemove
from gossip.registry.changes import ChannelSaved
from gossip.registry.entities import AuditEntry, Channel
from gossip.store.errors import StoreError
from gossip.web.pages.moderation import PAGE
from gossip.web.views.open_book import KINDS, OpenBook, noted
from tests.support.site_browser import HOSTILE
from tests.support.sites import AdminPagesTestCase
from tests.support.world import NOW, World, uuid

ATOM = "{http://www.w3.org/2005/Atom}"

HEAD = "When What Who Channel Reason Until"


class BookTestCase(AdminPagesTestCase):
    """A site with a book, and Root, whose deeds are in it."""

    def publish(self, what: Any) -> None:
        """The operator decides how open the book is."""
        rules = self.world.network.rules
        rules.settings = replace(rules.settings, public_moderation=what)

    def note(
        self, number: int, operation: str = "mute/add", arguments: str = '{"who":"Alpha"}', at: float = NOW
    ) -> None:
        """An entry of the activity log."""
        self.service.store.entries.append(AuditEntry(uuid(number), at, "Root", operation, "", arguments))

    def rows(self, path: str = "/moderation") -> list[str]:
        """The rows of the page that anybody sees, without their time."""
        code, _, body = self.get(path)
        self.assertEqual(code, 200, path)
        rows = re.findall("<tr><td.*?</tr>", body.decode(), re.DOTALL)
        return [" | ".join(re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row)[1:]) for row in rows]

    def titles(self) -> list[str]:
        """The titles of the entries in the feed."""
        return [str(entry.findtext(f"{ATOM}title")) for entry in self.feed().iter(f"{ATOM}entry")]

    def feed(self) -> Xml.Element:
        code, headers, body = self.get("/moderation/feed.atom")
        self.assertEqual((code, headers["content-type"]), (200, "application/atom+xml; charset=utf-8"))
        return Xml.fromstring(body)

    def later(self) -> None:
        """A page is read anew."""
        self.service.clock.advance(10)


class PageTests(BookTestCase):
    """The page."""

    def act(self) -> None:
        """Root does one thing of each kind."""
        for wire, fields in (
            ("mute/add", {"who": "Ana@Alpha", "reason": "shouting", "channel": "gossip", "minutes": "120"}),
            ("mute/add", {"who": "Beta", "reason": "its bot floods", "always": "1"}),
            ("mute/remove", {"who": "Beta"}),
            ("ban/add", {"who": "192.0.2.77", "reason": "spam", "minutes": "60", "sure": "1"}),
            ("ban/add", {"who": "Bo@Beta", "reason": "threats", "always": "1", "sure": "1"}),
        ):
            self.after("/admin/moderation", wire, **fields)
        self.after("/admin/channels/gossip", "channel/pause", channel="gossip", minutes="30")
        self.after("/admin/channels/gossip", "channel/resume", channel="gossip")
        self.after("/admin/games/Beta", "game/disable", game="Beta", sure="1")

    def after(self, path: str, wire: str, **fields: str) -> None:
        """Root does something after everything else."""
        self.service.clock.advance(1)
        self.done(path, wire, **fields)

    def test_games(self) -> None:
        """By default games are named, and neither players, addresses nor the admin are."""
        self.act()
        rows = self.rows()
        until = re.compile('<time class="minute" datetime="[^"]*">([^<]*)</time>')
        self.assertEqual(
            [until.sub(r"\1", row) for row in rows],
            [
                "Game disabled | Beta |  |  | ",
                "Pause ended |  | gossip |  | ",
                "Channel paused |  | gossip |  | 14 Nov 2023, 22:30 UTC",
                "Ban | a player of Beta | all | threats | permanent",
                "Ban | an address | all | spam | 14 Nov 2023, 23:00 UTC",
                "Mute lifted | Beta | all |  | ",
                "Mute | Beta | all | its bot floods | permanent",
                "Mute | a player of Alpha | gossip | shouting | 15 Nov 2023, 00:00 UTC",
            ],
        )
        page = self.page("/moderation").text
        for hidden in ("Ana", "Bo@", "192.0.2", "Root"):
            self.assertNotIn(hidden, page)
            self.assertNotIn(hidden, self.get("/moderation/feed.atom")[2].decode())

    def test_all(self) -> None:
        """Players are named if the operator says so; addresses and admins never are."""
        self.publish("all")
        self.act()
        text = self.page("/moderation").text
        self.assertIn("Ana@Alpha", text)
        self.assertIn("Bo@Beta", text)
        self.assertIn("Ban: Bo@Beta", self.titles())
        for hidden in ("192.0.2", "Root"):
            self.assertNotIn(hidden, text)
            self.assertNotIn(hidden, self.get("/moderation/feed.atom")[2].decode())

    def test_off(self) -> None:
        """A closed book is no page, and no page leads to it."""
        self.act()
        self.publish("off")
        for path in ("/moderation", "/moderation/feed.atom"):
            self.assertEqual(self.get(path)[0], 404, path)
        for path in ("/", "/rules"):
            self.assertNotIn("/moderation", self.page(path).links(), path)
        self.publish("games")
        for path in ("/", "/rules"):
            self.assertIn("/moderation", self.page(path).links(), path)

    def test_empty(self) -> None:
        """A book with no entries says so; what is no moderation is not in it."""
        self.note(1, "game/add", '{"name":"Secret"}')
        self.note(2, "report/resolve", '{"number":7}')
        self.assertIn("No entries yet.", self.page("/moderation").text)
        self.assertEqual(self.titles(), [])

    def test_hidden(self) -> None:
        """Games and channels that are not public are not named, whatever is published."""
        self.publish("all")
        self.world.change("Beta", hidden=True)
        self.world.registry.enact(ChannelSaved(Channel("secret")))
        beta = self.world.game("Beta").client_id
        alpha = self.world.game("Alpha").client_id
        for number, who in enumerate(("Beta", beta, "Bo@Beta", f"Bo@{beta}", alpha, "Gone", "Bo@Gone", "Cy@gossip"), 1):
            self.note(number, arguments=f'{{"who":"{who}","channel":"secret","reason":"x"}}')
        self.assertEqual(
            self.rows(),
            [
                f"Mute | {who} | a hidden channel | x | permanent"
                for who in (
                    "Cy@gossip",
                    "a player of a game that was removed",
                    "a game that was removed",
                    "Alpha",
                    "a player of a hidden game",
                    "a player of a hidden game",
                    "a hidden game",
                    "a hidden game",
                )
            ],
        )
        self.assertNotIn("secret", self.page("/moderation").text)

    def test_same_name(self) -> None:
        """A game that took the name of one that was removed is not taken for it."""
        self.note(1, at=self.world.game("Alpha").created_at - 1)
        self.note(2, at=self.world.game("Alpha").created_at)
        self.assertEqual([row.split(" | ")[1] for row in self.rows()], ["Alpha", "a game that was removed"])

    def test_pages(self) -> None:
        """Each entry is on one page, the newest first, also those of one moment."""
        for number in range(2 * PAGE + 3):
            self.note(number, arguments=f'{{"who":"Alpha","reason":"no. {number}"}}', at=NOW + number // 60)
        path, reasons = "/moderation", []
        for left in (2, 1, 0):
            reasons += [row.split(" | ")[3] for row in self.rows(path)]
            (path,) = [link for link in self.page(path).links() if "before=" in link] or [""]
            self.assertEqual(bool(path), left > 0)
        self.assertEqual(reasons, [f"no. {number}" for number in range(2 * PAGE + 2, -1, -1)])
        self.assertIn("No older entries.", self.page("/moderation?before=1_x").text)
        for bad in ("x", "1", "1_", "1_a/b", "nan_x", "1e9_x"):
            self.assertEqual(self.get(f"/moderation?before={bad}")[0], 400, bad)

    def test_shared(self) -> None:
        """Requests within some seconds share one reading."""
        for _ in range(3):
            self.page("/moderation")
            self.feed()
        self.assertEqual(self.reads.count("_noted"), 1)
        self.later()
        self.page("/moderation")
        self.assertEqual(self.reads.count("_noted"), 2)

    def test_no_database(self) -> None:
        """Without the database the page says so."""
        self.in_thread = lambda *arguments: fail(StoreError("away"))
        self.assertEqual(self.get("/moderation")[0], 503)

    def test_hostile(self) -> None:
        """What an admin typed is text."""
        self.publish("all")
        told = HOSTILE.replace('"', '\\"')
        self.note(1, arguments=f'{{"who":"{told}@Alpha","reason":"{told}\\u0000"}}')
        self.world.registry.enact(ChannelSaved(Channel(HOSTILE, False)))
        self.note(2, "channel/pause", f'{{"channel":"{told}","minutes":1.5}}')
        page = self.page("/moderation")
        self.assertEqual([tag for tag, given in page.tags if tag == "b" or "onmouseover" in given], [])
        self.assertEqual(page.text.count(HOSTILE), 3)
        self.assertEqual(self.titles()[1], f"Mute: {HOSTILE}@Alpha")

    def test_removals(self) -> None:
        """Removed messages are in the book, without their texts, and their players only if they are published."""
        texts = [f'{{"id":"gossip:{seq}","game":"Alpha","name":"Ana","message":"buy gold"}}' for seq in (1041, 1042)]
        self.note(1, "message/remove", f'{{"id":"gossip:1042","reason":"advertising","messages":[{texts[1]}]}}')
        purge = f'{{"who":"Ana@Alpha","reason":"spam","minutes":60,"yes":true,"messages":[{",".join(texts)}]}}'
        self.note(2, "message/purge", purge)
        # What a game takes back itself is no moderation.
        self.note(3, "channels/remove", f'{{"id":"gossip:1042","reason":"typo","messages":[{texts[1]}]}}')
        self.assertEqual(
            self.rows(),
            [
                "Messages removed | a player of Alpha | all | spam | ",
                "Message removed | a player of Alpha | gossip | advertising | ",
            ],
        )
        self.publish("all")
        self.assertEqual(self.titles(), ["Messages removed: Ana@Alpha", "Message removed: Ana@Alpha on gossip"])
        for path in ("/moderation", "/moderation/feed.atom"):
            self.assertNotIn("buy gold", self.get(path)[2].decode())

    def test_real_removal(self) -> None:
        """A message that an admin removes is in the book as it is noted."""
        self.said(1042, "buy gold")
        executor = Executor(self.service, self.service.store, maybeDeferred)
        removing = executor.carry_out(MessageRemove("gossip:1042", "advertising"), "Root")
        self.successResultOf(Deferred.fromCoroutine(removing))
        self.assertEqual(self.rows(), ["Message removed | a player of Alpha | gossip | advertising | "])

    def test_other_versions(self) -> None:
        """Arguments that this version does not know leave the entry in the book."""
        for number, arguments in enumerate(("", "[]", '{"who":7}', '{"who":"Alpha","more":{}}', '{"minutes":"x"}')):
            self.note(number, arguments=arguments)
        self.assertEqual([row.split(" | ")[1] for row in self.rows()], ["", "Alpha", "", "", ""])


class FeedTests(BookTestCase):
    """The feed."""

    def test_feed(self) -> None:
        """An entry has an identity that stays, a title, and the reason with the end."""
        self.note(1, arguments='{"who":"Ana@Alpha","reason":"shouting","channel":"gossip","minutes":60}')
        self.note(2, "ban/add", '{"who":"Beta","reason":"spam"}', NOW + 1)
        self.note(3, "channel/resume", '{"channel":"gossip"}', NOW + 2)
        feed = self.feed()
        self.assertEqual(feed.findtext(f"{ATOM}title"), "Moderation · Gossip")
        self.assertEqual(feed.findtext(f"{ATOM}id"), "http://mud.example:4110/moderation")
        self.assertEqual(feed.findtext(f"{ATOM}updated"), "2023-11-14T22:00:02Z")
        self.assertEqual(feed.findtext(f"{ATOM}author/{ATOM}name"), "Gossip")
        entries = [
            tuple(entry.findtext(f"{ATOM}{name}") for name in ("id", "title", "updated", "content"))
            for entry in feed.iter(f"{ATOM}entry")
        ]
        self.assertEqual(
            entries,
            [
                (f"urn:uuid:{uuid(3)}", "Pause ended on gossip", "2023-11-14T22:00:02Z", ""),
                (f"urn:uuid:{uuid(2)}", "Ban: Beta", "2023-11-14T22:00:01Z", "spam\nPermanent."),
                (
                    f"urn:uuid:{uuid(1)}",
                    "Mute: a player of Alpha on gossip",
                    "2023-11-14T22:00:00Z",
                    "shouting\nUntil 2023-11-14T23:00:00Z.",
                ),
            ],
        )

    def test_linked(self) -> None:
        """The page names its feed."""
        self.assertIn("/moderation/feed.atom", seen_links(self.get("/moderation")[2]))


def seen_links(body: bytes) -> list[str]:
    return re.findall('<link rel="alternate"[^>]* href="([^"]*)"', body.decode())


class KindTests(SynchronousTestCase):
    """What is in the book."""

    def test_operations(self) -> None:
        """Everything in the book is an operation."""
        self.assertLessEqual(set(KINDS), set(OPERATIONS))

    @given(st.text(), st.text(), st.sampled_from(sorted(KINDS)), st.booleans())
    def test_any(self, who: str, channel: str, operation: str, names: bool) -> None:
        """Nothing in the arguments shows an address or breaks the book."""
        arguments = msgspec.json.encode({"who": f"192.0.2.1/{who}", "channel": channel}).decode()
        deed = OpenBook(World().registry, names).deed(noted(AuditEntry("key", NOW, "Root", operation, "", arguments)))
        if "@" not in who:
            self.assertEqual(deed.who, "an address")
