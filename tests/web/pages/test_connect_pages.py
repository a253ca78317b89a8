"""L{gossip.web.pages.connect}: the guides, and the steps that are ticked."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from msgspec.structs import replace
from twisted.internet.defer import maybeDeferred

import gossip.web
from gossip.registry.changes import Channel, ChannelSaved, GameSaved, Restriction, RestrictionSet
from gossip.web.pages.connect import PLACEHOLDER
from gossip.web.site import public_site
from gossip.web.views.guides import GUIDES
from tests.support.sites import OwnerTestCase
from tests.support.visitor import Answer, Visitor
from tests.support.world import NOW, at, frame, uuid

ROOT = Path(__file__).resolve().parents[3]


class ChooseTests(OwnerTestCase):
    """Choosing a game and its code base."""

    def test_stranger(self) -> None:
        """Without an account the page explains the steps and links to the sign-in page."""
        answer = Visitor(self.site).get("/connect")
        self.assertEqual(answer.code, 200)
        self.assertIn("ws://mud.example:4110/socket", answer.text)
        self.assertLessEqual({"/sign-in?back=/connect", "/sign-up"}, {*answer.page.links()})
        for guide in GUIDES.values():
            self.assertIn(guide.title, answer.text)
        for path in ("/connect/Alpha", "/connect/Alpha/evennia"):
            self.assertEqual(Visitor(self.site).get(path).location, f"/sign-in?back={path}")

    def test_no_game(self) -> None:
        """An account without a game gets a link to register one."""
        answer = self.visitor("Cy").get("/connect")
        self.assertIn("/manage#register", answer.page.links())
        self.assertNotIn("<select", answer.body.decode())

    def test_choose(self) -> None:
        """The owner of a game chooses it and its code base without JavaScript; an invalid choice leads nowhere."""
        answer = self.ana.get("/connect")
        offered = [each["value"] for tag, each in answer.page.tags if tag == "option"]
        self.assertEqual(offered, ["Alpha", *GUIDES])
        self.assertEqual(self.ana.get("/connect?game=alpha&base=racket").location, "/connect/Alpha/racket")
        self.assertEqual(self.ana.get("/connect?game=Alpha&base=nothing").code, 200)
        self.assertEqual(self.ana.get("/connect?game=Beta&base=racket").code, 404)
        links = self.ana.get("/connect/Alpha").page.links()
        self.assertLessEqual({f"/connect/Alpha/{name}" for name in GUIDES}, {*links})

    def test_others(self) -> None:
        """Other owners' games and unknown code bases have no guide; admins get guides for all games."""
        for path in ("/connect/Beta", "/connect/Beta/evennia", "/connect/Nobody", "/connect/Alpha/nothing"):
            self.assertEqual(self.ana.get(path).code, 404, path)
        self.assertEqual(self.ana.get("/connect/Alpha/files").code, 404)
        self.assertEqual(self.root.get("/connect/Beta/evennia").code, 200)


class GuideTests(OwnerTestCase):
    """The guides."""

    def ports(self) -> dict[str, tuple[str, str]]:
        return {"telnet": ("4111", "4112")}

    def test_all(self) -> None:
        """Each guide has its files, with the address, the client_id, and a placeholder for the secret."""
        templates = {path.stem for path in Path(gossip.web.__file__).parent.glob("templates/guides/*.html")}
        self.assertEqual(templates - {"files"}, set(GUIDES))
        client_id = self.world.game("Alpha").client_id
        ana = Visitor(self.site, secure=True)
        ana.sign_in(self.service, "Ana")
        for guide in GUIDES.values():
            answer = ana.get(f"/connect/Alpha/{guide.name}", Host="mud.example")
            self.assertEqual(answer.code, 200, guide.name)
            snippets = "\n".join(re.findall("<pre.*?</pre>", answer.body.decode(), re.DOTALL))
            for text in (client_id, PLACEHOLDER, "mud.example"):
                self.assertIn(text, snippets if text != "mud.example" else answer.text, guide.name)
            if guide.by_telnet:
                self.assertIn("4111 , 4112 with TLS".replace(" ,", ","), answer.text)
            else:
                self.assertIn("wss://mud.example/socket", snippets)
                self.assertNotIn("not encrypted", answer.text)
            self.assertNotIn(self.world.secret("Alpha"), answer.body.decode())
            self.assertNotRegex(snippets, "{{|&amp;amp;", guide.name)

    def test_channel(self) -> None:
        """The channel in the guides is a public one, or the default if there is none."""
        self.assertIn('GRAPEVINE_CHANNELS = ["gossip"]', self.ana.get("/connect/Alpha/evennia").text)
        self.world.registry.enact(ChannelSaved(Channel("main", False)))
        self.assertIn('GRAPEVINE_CHANNELS = ["main"]', self.ana.get("/connect/Alpha/evennia").text)
        for name in ("diku", "lpc"):
            self.assertIn("People talk on main here", self.ana.get(f"/connect/Alpha/{name}").text)
        self.world.registry.enact(ChannelSaved(Channel("gossip", False)))
        for name in ("diku", "lpc"):
            self.assertNotIn("People talk on", self.ana.get(f"/connect/Alpha/{name}").text)
        self.assertIn('GRAPEVINE_CHANNELS = ["gossip"]', self.ana.get("/connect/Alpha/evennia").text)

    def test_module(self) -> None:
        """The name of the Elixir module is valid, whatever the name of the game."""
        for short_name, module in (("alphaMUD", "AlphaMUD"), ("3Kingdoms", "Mud3Kingdoms")):
            self.world.change("Alpha", short_name=short_name)
            text = self.ana.get(f"/connect/{short_name}/elixir").text
            self.assertIn(f"core: {module}.Gossip", text)
            self.assertIn(f"defmodule {module}.Gossip do", text)
            self.world.change(short_name, short_name="Alpha")

    def test_hosts(self) -> None:
        """An invalid Host header gets no page (RFC 9112, section 3.2), and does not appear in the answer."""
        for host in ('"><script>', "mud.example/<b>", "a b"):
            answer = self.ana.get("/connect/Alpha/python", Host=host)
            self.assertEqual(answer.code, 400)
            self.assertNotIn(host, answer.text)
        answer = self.ana.get("/connect/Alpha/diku", Host="[2001:db8::1]:4110")
        self.assertIn('gossip_open("2001:db8::1", "4111"', answer.text)
        self.assertIn("not encrypted", self.ana.get("/connect/Alpha/python").text)

    def test_examples(self) -> None:
        """The example files are served unchanged."""
        for name in ("gossip.c", "gossip.lpc", "rules.rst", "README.rst"):
            code, headers, body = self.ana.get(f"/examples/{name}")
            self.assertEqual((code, body), (200, (ROOT / "examples" / name).read_bytes()))
            self.assertEqual(headers["content-type"], "text/plain; charset=utf-8")
        for name in ("gossip_json.py", "..%2fsetup.cfg", "nothing.c"):
            self.assertEqual(self.ana.get(f"/examples/{name}").code, 404, name)


class NoTelnetTests(OwnerTestCase):
    """A network without the telnet bridge."""

    def test_none(self) -> None:
        """The guides that need the bridge say that there is none."""
        for name, guide in GUIDES.items():
            said = "this network has no telnet port" in self.ana.get(f"/connect/Alpha/{name}").text
            self.assertEqual(said, guide.by_telnet, name)


class ProgressTests(OwnerTestCase):
    """The steps that are ticked."""

    def look(self) -> Answer:
        """Load the guide again."""
        answer = self.ana.get("/connect/Alpha/python")
        self.assertEqual(answer.code, 200)
        return answer

    def done(self) -> list[bool]:
        """The steps that are ticked."""
        listed = re.search('<ol class="steps".*?</ol>', self.look().body.decode(), re.DOTALL)
        assert listed
        return [item.startswith(' class="done"') for item in listed[0].split("<li")[1:]]

    def try_with(self, credentials: dict[str, Any]) -> None:
        """A game connects, and tries to authenticate."""
        self.service.write(self.service.connect(), frame("authenticate", credentials))

    def test_ticks(self) -> None:
        """One step after another is ticked, and a sentence tells the next one."""
        self.assertEqual(self.done(), [False] * 4)
        self.assertIn("Waiting for your game to open a socket.", self.look().text)
        session = self.service.connect()
        self.assertEqual(self.done(), [True, False, False, False])
        self.assertIn("Waiting for your game to authenticate", self.look().text)
        self.service.write(session, frame("authenticate", self.world.credentials("Alpha", channels=["gossip"])))
        self.assertEqual(self.done(), [True, True, False, False])
        self.service.write(session, frame("heartbeat"))
        self.assertEqual(self.done(), [True, True, True, False])
        self.service.write(session, frame("channels/send", {"channel": "gossip", "name": "Ana", "message": "Hi"}))
        self.assertEqual(self.done(), [True] * 4)
        self.assertIn("All done", self.look().text)

    def test_mapped_address(self) -> None:
        """A socket from the owner's address counts, however a proxy writes that address."""
        service = self.service
        site = public_site(service, service.store, service.clock, maybeDeferred, rules=self.rules, proxies=1)
        ana = Visitor(site)
        ana.sign_in(service, "Ana")
        self.service.connect(peer="198.51.100.7")
        for address in ("198.51.100.7", "::ffff:198.51.100.7"):
            answer = ana.get("/connect/Alpha/python", X_Forwarded_For=address)
            self.assertIn("The socket is open. Waiting for your game to authenticate.", answer.text)
            self.service.watch.rest(at(NOW + 3600))

    def test_refused(self) -> None:
        """A refused attempt is explained until a better one follows."""
        self.look()
        for changed, meaning in (
            ({"client_secret": uuid(77)}, "its client_secret is another one"),
            ({"client_secret": "x"}, "its client_secret has 1 characters instead of 36"),
            ({"client_secret": None}, "it showed no client_secret"),
            ({"supports": None}, 'needs "supports", a list that contains at least "channels"'),
            ({"supports": ["tells"]}, 'must contain "channels"'),
            ({"supports": ["channels", "magic"]}, "can contain only these: achievements, channels"),
        ):
            self.try_with({**self.world.credentials("Alpha"), **changed})
            said = re.search('role="status" data-part="said">(.*?)</p>', self.look().body.decode())
            assert said
            self.assertIn(meaning, said[1].replace("&#34;", '"'))
        self.assertEqual(self.done(), [True, False, False, False])
        self.service.clock.advance(1)
        self.try_with(self.world.credentials("Alpha"))
        self.assertIn("Authenticated. Waiting", self.look().text)
        self.service.clock.advance(1)
        self.try_with({**self.world.credentials("Alpha"), "supports": []})
        self.assertIn("Authenticated. Waiting", self.look().text)

    def test_gone(self) -> None:
        """A game that was connected and is gone is not shown as talking."""
        self.look()
        session = self.service.connect()
        self.service.write(session, frame("authenticate", self.world.credentials("Alpha", channels=["gossip"])))
        self.service.write(session, frame("heartbeat"))
        self.service.write(session, frame("channels/send", {"channel": "gossip", "name": "Ana", "message": "Hi"}))
        self.service.lost(session)
        self.assertEqual(self.done(), [True] * 4)
        self.assertIn("Your game was connected, but is not connected right now.", self.look().text)

    def test_too_many(self) -> None:
        """Too many connections have their own explanation."""
        limits = self.world.network.rules.limits
        self.world.network.rules.limits = replace(limits, sessions=1, wrong_secrets=0)
        self.service.join("Alpha")
        self.look()
        self.service.clock.advance(1)
        self.try_with(self.world.credentials("Alpha"))
        self.assertIn("the maximum number of connections", self.look().text)
        self.try_with({**self.world.credentials("Alpha"), "client_secret": "x"})
        self.assertNotIn("wrong attempts", self.look().text)

    def test_disabled(self) -> None:
        """The explanation for a disabled game does not blame its secret."""
        self.world.registry.enact(GameSaved(replace(self.world.game("Alpha"), disabled=True)))
        self.look()
        self.try_with(self.world.credentials("Alpha"))
        self.assertIn("Your game was refused: disabled by an admin.", self.look().text)
        self.assertNotIn("Copy the secret again", self.look().text)
        self.world.registry.enact(GameSaved(replace(self.world.game("Alpha"), disabled=False)))
        self.assertIn("Your game was refused: disabled by an admin.", self.look().text)
        self.assertNotIn("another one", self.look().text)

    def test_banned(self) -> None:
        """The explanation for a banned address does not blame the secret."""
        self.restrict("ban", "192.0.2.1", "spam")
        self.look()
        self.try_with(self.world.credentials("Alpha"))
        self.assertIn("Your game was refused: banned: spam.", self.look().text)
        self.assertNotIn("another one", self.look().text)

    def test_muted(self) -> None:
        """A game that is muted or banned from a channel can connect: a wrong secret has its own explanation."""
        self.restrict("mute", self.world.game("Alpha").client_id, "too loud")
        self.restrict("ban", self.world.game("Alpha").client_id, "off topic", "gossip")
        self.look()
        wrong = {**self.world.credentials("Alpha"), "client_secret": uuid(77)}
        self.try_with(wrong)
        self.assertIn("its client_secret is another one", self.look().text)
        self.assertNotIn("Your game was refused", self.look().text)

    def test_too_often(self) -> None:
        """For the right secret after too many wrong ones the explanation is to wait, not to find another one."""
        limits = self.world.network.rules.limits
        self.world.network.rules.limits = replace(limits, wrong_secrets=1)
        self.look()
        good = self.world.credentials("Alpha")
        for sent in ({**good, "client_secret": uuid(77)}, good):
            self.service.clock.advance(1)
            self.try_with(sent)
        said = re.search('role="status" data-part="said">(.*?)</p>', self.look().body.decode())
        assert said
        self.assertIn("too many wrong ones came before it. Wait 5 minutes.", said[1])
        self.assertNotIn("Copy the secret again", said[1])

    def restrict(self, kind: str, subject: str, reason: str, channel: str = "") -> None:
        """An admin restricts somebody permanently."""
        found = Restriction(kind=kind, subject=subject, channel=channel, reason=reason, set_by="Root", set_at=NOW)
        self.world.registry.enact(RestrictionSet(found))

    def test_live(self) -> None:
        """Every part of the page that changes by itself is in the page's poll."""
        parts = re.findall('data-part="([a-z]+)"', self.look().body.decode())
        self.assertEqual(parts, ["said", "steps", "refused"])
        (asked,) = [each["data-poll"] for _, each in self.look().page.tags if "data-poll" in each]
        live = self.ana.get(str(asked)).body.decode()
        self.assertLessEqual(set(parts), set(re.findall('data-part="([a-z]+)"', live)))
