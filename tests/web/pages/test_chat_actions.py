"""L{gossip.web.pages.chat_actions}: sending messages from the pages, and reporting them."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, quote, urlencode

from msgspec.structs import replace
from twisted.internet.defer import Deferred

from gossip.registry.changes import AccountSaved, ChannelSaved, FilterSaved, RestrictionSet
from gossip.registry.entities import Account, Channel, Filter, Restriction
from gossip.web.pages.chat_actions import REPORTS
from tests.support.site_browser import HOSTILE, Browser
from tests.support.sites import PagesTestCase
from tests.support.visitor import FORM_TYPE, Answer, Visitor
from tests.support.world import NOW

SCRIPT = {"Accept": "text/plain"}
"""The headers of the page's script."""


class TalkingTestCase(PagesTestCase):
    """A public channel, and Ana, signed in."""

    def setUp(self) -> None:
        super().setUp()
        self.show("gossip")
        self.ana = Visitor(self.site)
        self.account = self.ana.sign_in(self.service, "Ana")

    def say(self, message: str, channel: str = "gossip", **headers: str) -> Answer:
        """Ana sends a message."""
        return self.ana.post(f"/chat/{channel}/say", {"message": message}, "/chat/gossip", **headers)

    def sent(self, path: str, **fields: str) -> Browser:
        """Ana sends a form of the last page that she saw, and waits for the answer."""
        browser = Browser(self.site)
        body = urlencode({"csrf": self.ana.csrf, **fields}).encode()
        lines = (
            f"POST {path} HTTP/1.1",
            "Host: x",
            "Accept: text/html",
            f"Content-Type: {FORM_TYPE}",
            f"Content-Length: {len(body)}",
            f"Cookie: visit={self.ana.cookies['visit']}",
        )
        browser.send("\r\n".join((*lines, "", "")).encode() + body)
        return browser

    @property
    def heard(self) -> list[tuple[str, str, str]]:
        """The saved messages: game, name, text."""
        return [(said.game, said.name, said.message) for said in self.service.store.said]

    def assertRefused(self, answer: Answer, code: int, wrong: str, typed: str) -> None:
        """The page has the reason, and the form keeps its text."""
        self.assertEqual((answer.code, answer.headers["content-type"]), (code, "text/html; charset=utf-8"))
        tags = answer.page.tags
        alerts = [attributes for _, attributes in tags if attributes.get("role") == "alert"]
        (alert,) = [attributes for attributes in alerts if "hidden" not in attributes]
        self.assertIn(wrong, answer.text)
        (field,) = [attributes for _, attributes in tags if attributes.get("aria-invalid") == "true"]
        self.assertEqual((field["value"], field["aria-describedby"]), (typed, alert["id"]))


class SayTests(TalkingTestCase):
    """Sending a message."""

    def test_said(self) -> None:
        """A message is heard under the sender's name, and the browser gets back to the page, which shows it."""
        answer = self.say("Hello, all")
        self.assertEqual((answer.code, answer.location), (303, "/chat/gossip#message"))
        self.assertEqual(self.heard, [("gossip", "Ana", "Hello, all")])
        self.assertIn("Ana@gossip: Hello, all", self.ana.get("/chat/gossip").text)

    def test_after_it_is_kept(self) -> None:
        """A message is acknowledged when it is saved, and not before."""
        self.ana.get("/chat/gossip")
        self.service.writer.slow = True
        browser = self.sent("/chat/gossip/say", message="Hi")
        self.assertEqual((browser.transport.value(), self.heard), (b"", []))
        self.service.writer.settle()
        self.assertEqual((browser.read()[0], self.heard), (303, [("gossip", "Ana", "Hi")]))

    def test_as_it_is(self) -> None:
        """A message is sent as it was typed, without surrounding spaces; nothing in it is a command."""
        for typed in ("/me waves", "/quit", "I <3 you > me", "ünïcödé 💬", "a  b"):
            self.say(f" {typed} ")
        self.assertEqual(
            [message for _, _, message in self.heard],
            ["/me waves", "/quit", "I <3 you > me", "ünïcödé 💬", "a  b"],
        )
        self.assertIn("* Ana@gossip waves", self.ana.get("/chat/gossip").text)

    def test_odd_names(self) -> None:
        """Forms work for channels with any name."""
        name = "a b/c?d#e%41é\"'&"
        self.show(name)
        path = f"/chat/{quote(name, safe='')}"
        actions = [attributes.get("action") for _, attributes in self.ana.get(path).page.tags]
        self.assertIn(f"{path}/say", actions)
        answer = self.ana.post(f"{path}/say", {"message": "Hi"})
        self.assertEqual((answer.code, answer.location), (303, f"{path}#message"))
        self.assertEqual([said.channel for said in self.service.store.said], [name])
        (link,) = [link for link in Visitor(self.site).get(path).page.links() if link.startswith("/sign-in?back=")][-1:]
        self.assertEqual(parse_qs(link.partition("?")[2])["back"], [path])

    def test_by_script(self) -> None:
        """The page's script gets plain text, and no redirect."""
        answer = self.say("Hi", **SCRIPT)
        self.assertEqual((answer.code, answer.headers["content-type"]), (200, "text/plain; charset=utf-8"))
        self.pause()
        answer = self.say("Hi", **SCRIPT)
        self.assertEqual((answer.code, answer.body), (422, b"Not sent: channel is paused.\n"))

    def test_seen_at_once(self) -> None:
        """The sender sees the message at once, even if the page was cached just before."""
        self.ana.get("/chat/gossip")
        self.say("Mine")
        self.assertIn("Mine", self.ana.get("/chat/gossip").text)

    def pause(self) -> None:
        """Pause the channel for a minute."""
        self.world.registry.enact(ChannelSaved(Channel("gossip", False, NOW + 60)))


class RefusedTests(TalkingTestCase):
    """Refused messages, and the reasons."""

    def mute(self, subject: str, kind: str = "mute", until: float | None = NOW + 3600) -> None:
        """Somebody is restricted."""
        restriction = Restriction(
            kind=kind, subject=subject, until=until, reason="shouting <b>", set_by="x", set_at=NOW
        )
        self.world.registry.enact(RestrictionSet(restriction))

    def test_muted(self) -> None:
        """A muted or banned person sees until when, and the reason; a ban can be by name or by address."""
        self.mute("ana@gossip")
        self.assertRefused(self.say("Hi"), 422, "Not sent: muted until 2023-11-14T23:00:00Z: shouting <b>.", "Hi")
        self.mute("192.0.2.1", "ban", None)
        self.assertRefused(self.say("Hi"), 422, "Not sent: banned: shouting <b>.", "Hi")
        self.assertEqual(self.heard, [])

    def test_paused(self) -> None:
        """Nobody can speak on a paused channel, and the page says until when."""
        self.world.registry.enact(ChannelSaved(Channel("gossip", False, NOW + 60)))
        self.assertIn("nobody can send messages until 14 Nov 2023, 22:01 UTC", self.ana.get("/chat/gossip").text)
        self.assertRefused(self.say("Hi"), 422, "Not sent: channel is paused.", "Hi")
        self.service.clock.advance(61)
        self.assertNotIn("nobody can send messages", self.ana.get("/chat/gossip").text)
        self.assertEqual(self.say("Hi").code, 303)

    def test_speakers(self) -> None:
        """If only some games can speak, people on the pages cannot, and the page says so."""
        alpha = self.world.game("Alpha").client_id
        self.world.registry.enact(ChannelSaved(Channel("gossip", False, speakers=frozenset([alpha]))))
        self.assertIn("Only some games can send messages on this channel.", self.ana.get("/chat/gossip").text)
        self.assertRefused(self.say("Hi"), 422, "Not sent: not allowed to speak.", "Hi")

    def test_filtered(self) -> None:
        """A message that a filter matches is refused with the filter's reason."""
        self.world.registry.enact(FilterSaved(Filter(text="darn", reason="mind your language", set_by="x", set_at=NOW)))
        self.assertRefused(self.say("Darn!"), 422, "Not sent: message refused: mind your language.", "Darn!")

    def test_lengths(self) -> None:
        """An empty or too long message is refused; a far too long request is not read."""
        self.assertRefused(self.say("  "), 422, "Not sent: empty message.", "")
        long = "x" * 4097
        self.assertRefused(self.say(long), 422, "Not sent: message too long.", long)
        self.assertEqual(self.say("x" * 70_000).code, 413)

    def test_too_fast(self) -> None:
        """Sending too fast is refused, by the same limit as for a game, and counted."""
        codes = [self.say(f"Line {number}").code for number in range(10)]
        self.assertEqual(codes, [303] * 10)
        self.assertRefused(self.say("More"), 429, "Not sent: rate limit exceeded. Wait a moment.", "More")
        self.assertEqual(self.service.counters.rate_limited, 1)
        self.service.clock.advance(1)
        self.assertEqual(self.say("More").code, 303)

    def test_hostile(self) -> None:
        """The refused text comes back as text."""
        self.world.registry.enact(ChannelSaved(Channel("gossip", False, NOW + 60)))
        answer = self.say(HOSTILE)
        self.assertRefused(answer, 422, "channel is paused", HOSTILE)
        self.assertNotIn("b", [tag for tag, _ in answer.page.tags])

    def test_hidden(self) -> None:
        """A channel without a page takes no messages."""
        self.world.registry.enact(ChannelSaved(Channel("secret", True)))
        self.assertEqual([self.say("Hi", channel).code for channel in ("secret", "nowhere")], [404, 404])
        self.assertEqual(self.heard, [])

    def test_not_kept(self) -> None:
        """A message that was broadcast but could not be saved has its own error."""
        self.service.writer.full = True
        self.assertRefused(self.say("Hi"), 503, "Games received the message, but it could not be saved", "Hi")


class WhoTests(TalkingTestCase):
    """Access."""

    def test_signed_out(self) -> None:
        """Without an account there is no form, but a link to sign in, which leads back."""
        visitor = Visitor(self.site)
        page = visitor.get("/chat/gossip").page
        self.assertIn("/sign-in?back=%2Fchat%2Fgossip", page.links())
        self.assertNotIn("/chat/gossip/say", [attributes.get("action") for _, attributes in page.tags])
        answer = visitor.post("/chat/gossip/say", {"message": "Hi"}, "/chat/gossip")
        self.assertEqual((answer.code, answer.location), (303, "/sign-in?back=/chat/gossip"))
        answer = visitor.post("/chat/gossip/say", {"message": "Hi"}, "/chat/gossip", **SCRIPT)
        self.assertEqual((answer.code, answer.headers["content-type"]), (403, "text/plain; charset=utf-8"))
        self.assertIn(b"no longer signed in", answer.body)
        self.assertEqual(self.heard, [])

    def test_disabled(self) -> None:
        """A disabled account cannot speak, not even from an open page."""
        self.ana.get("/chat/gossip")
        self.world.registry.enact(AccountSaved(replace(self.account, disabled=True)))
        answer = self.ana.ask(
            "POST", "/chat/gossip/say", f"csrf={self.ana.csrf}&message=Hi".encode(), Content_Type=FORM_TYPE
        )
        self.assertEqual((answer.code, answer.location, self.heard), (303, "/sign-in?back=/chat/gossip", []))

    def test_other_sites(self) -> None:
        """A form of another site cannot send a message in somebody's name."""
        for fields, headers in (
            ({"csrf": "0" * 64}, {}),
            ({"csrf": ""}, {}),
            ({}, {"Origin": "https://evil.example"}),
            ({}, {"Sec_Fetch_Site": "cross-site"}),
        ):
            answer = self.ana.post("/chat/gossip/say", {"message": "Hi", **fields}, "/chat/gossip", **headers)
            self.assertEqual(answer.code, 403)
        self.assertEqual(self.ana.get("/chat/gossip/say?message=Hi").code, 303)
        self.assertEqual(self.heard, [])

    def test_everywhere(self) -> None:
        """Every page of a channel has the form: an old message can be answered where it is found."""
        for seq in range(1, 251):
            self.said(seq)
        forms = {
            path: "/chat/gossip/say" in [attributes.get("action") for _, attributes in self.ana.get(path).page.tags]
            for path in ("/chat/gossip", "/chat/gossip?before=100", "/chat/gossip/10", "/chat/gossip/250")
        }
        self.assertEqual(list(forms.values()), [True, True, True, True])

    def test_loaded_again(self) -> None:
        """Reloading the path of a form leads to its page."""
        self.assertEqual(self.ana.get("/chat/gossip/say").location, "/chat/gossip")
        self.assertEqual(self.ana.get("/chat/a%20b/7/report").location, "/chat/a%20b/7")


class ReportTests(TalkingTestCase):
    """Reporting a message."""

    def setUp(self) -> None:
        super().setUp()
        self.said(7, "Nasty")

    def report(self, reason: str, seq: int = 7, visitor: Visitor | None = None) -> Answer:
        """Report a message."""
        return (visitor or self.ana).post(f"/chat/gossip/{seq}/report", {"reason": reason}, "/chat/gossip/7")

    def test_reported(self) -> None:
        """A report is open for the admins, has its author, and is acknowledged."""
        answer = self.report("spam")
        self.assertEqual((answer.code, answer.location), (303, "/chat/gossip/7?reported=1#report"))
        self.assertIn("An admin will look at this message.", self.ana.get("/chat/gossip/7?reported=1").text)
        (report,) = self.world.registry.reports.values()
        self.assertEqual((report.seq, report.message, report.reason, report.made_by), (7, "Nasty", "spam", "Ana"))
        (entry,) = self.service.store.entries
        self.assertEqual((entry.actor, entry.operation), ("Ana", "report/add"))
        self.assertEqual(json.loads(entry.arguments), {"channel": "gossip", "seq": 7, "reason": "spam"})

    def test_refused(self) -> None:
        """A report without a reason, or a second one, is refused, and the form keeps its text."""
        self.assertRefused(self.report(""), 422, "Not reported: a reason has 1 to 200 characters", "")
        self.assertRefused(self.report("x" * 201), 422, "Not reported: a reason has 1 to 200 characters", "x" * 201)
        self.report("spam")
        self.assertRefused(self.report("again"), 422, "Not reported: you have reported this message already.", "again")
        self.assertEqual(len(self.world.registry.reports), 1)

    def test_gone_meanwhile(self) -> None:
        """A report is made even if its author does not wait for the answer."""
        self.ana.get("/chat/gossip/7")
        reading: Deferred[Any] = Deferred()
        self.in_thread = lambda *call: reading
        browser = self.sent("/chat/gossip/7/report", reason="spam")
        browser.protocol.connectionLost(_closed())
        reading.callback(self.service.store.said[0])
        self.assertEqual(browser.transport.value(), b"")
        self.assertEqual(len(self.world.registry.reports), 1)

    def test_not_there(self) -> None:
        """A message that does not exist or is on a hidden channel cannot be reported."""
        self.world.registry.enact(ChannelSaved(Channel("secret", True)))
        self.said(3, channel="secret")
        self.assertEqual(self.report("spam", 8).code, 404)
        for path in ("/chat/secret/3/report", "/chat/gossip/x/report", "/chat/nowhere/7/report"):
            self.assertEqual(self.ana.post(path, {"reason": "spam"}, "/chat/gossip").code, 404, path)
        self.assertEqual(self.world.registry.reports, {})

    def test_signed_out(self) -> None:
        """Without an account the form leads to the sign-in page, which leads back."""
        visitor = Visitor(self.site)
        self.assertIn("/sign-in?back=%2Fchat%2Fgossip%2F7", visitor.get("/chat/gossip/7").page.links())
        answer = self.report("spam", visitor=visitor)
        self.assertEqual((answer.code, answer.location), (303, "/sign-in?back=/chat/gossip/7"))

    def test_how_many(self) -> None:
        """One account can have a bounded number of open reports only."""
        for seq in range(100, 100 + REPORTS):
            self.said(seq)
            self.assertEqual(self.report("spam", seq).code, 303)
        self.assertRefused(self.report("spam"), 422, f"Not reported: you already have {REPORTS} open reports.", "spam")
        self.world.registry.enact(AccountSaved(Account(name="Bob")))
        bob = Visitor(self.site)
        bob.sign_in(self.service, "Bob")
        self.assertEqual(self.report("spam", visitor=bob).code, 303)


def _closed() -> Any:
    from twisted.internet.error import ConnectionLost
    from twisted.python.failure import Failure

    return Failure(ConnectionLost())
