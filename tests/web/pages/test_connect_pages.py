"""L{gossip.web.pages.connect}: the guides, and the steps that are ticked."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from msgspec.structs import replace
from twisted.internet.defer import maybeDeferred

import gossip.web
from gossip.network.settings import NetworkSettings
from gossip.protocol.server_events import WebConnection
from gossip.registry.changes import ChannelSaved, GameSaved, RestrictionSet
from gossip.registry.entities import Channel, Restriction
from gossip.web.pages.connect import PLACEHOLDER, SAMPLE
from gossip.web.settings import WebSettings
from gossip.web.site import public_site
from gossip.web.views.guides import GUIDES
from tests.support.site_browser import Page
from tests.support.sites import OwnerTestCase
from tests.support.visitor import Answer, Visitor
from tests.support.world import NOW, at, frame, uuid

ROOT = Path(__file__).resolve().parents[3]


class ChooseTests(OwnerTestCase):
    """Choosing a game and its code base."""

    def test_stranger(self) -> None:
        """Without an account the page explains the steps, and has links to sign in and to all guides."""
        answer = Visitor(self.site).get("/connect")
        self.assertEqual(answer.code, 200)
        self.assertIn("ws://mud.example:4110/socket", answer.text)
        self.assertLessEqual({"/sign-in?back=/connect", "/sign-up?back=/connect"}, {*answer.page.links()})
        for guide in GUIDES.values():
            self.assertIn(f"{guide.title}{guide.about}", answer.text)
            self.assertIn(f"/connect/{guide.name}", answer.page.links())
        for path in ("/connect/Alpha", "/connect/Alpha/evennia"):
            self.assertEqual(Visitor(self.site).get(path).location, f"/sign-in?back={path}")

    def test_links(self) -> None:
        """Every link of the page, and of every guide, leads to a page that is there, without an account."""
        stranger = Visitor(self.site)
        bodies: dict[str, str] = {}

        def read(path: str) -> str:
            if path not in bodies:
                answer = stranger.get(path)
                self.assertEqual(answer.code, 200, path)
                bodies[path] = answer.body.decode()
            return bodies[path]

        for page in ("/connect", *(f"/connect/{name}" for name in GUIDES)):
            for link in Page(read(page).encode()).links():
                path, _, fragment = link.partition("#")
                self.assertTrue(link.startswith(("/", "#")), link)
                self.assertIn(f'id="{fragment}"' if fragment else "", read(path or page), link)

    def test_closed(self) -> None:
        """No page offers to create an account where nobody can."""
        stranger = Visitor(self.site)
        for sign_up in ("invite", "closed"):
            self.rules.settings = WebSettings(sign_up=sign_up)
            for path in ("/connect", "/connect/evennia", "/sign-in"):
                answer = stranger.get(path)
                self.assertFalse([link for link in answer.page.links() if "/sign-up" in link], path)

    def test_no_game(self) -> None:
        """An account without a game gets a link to register one, and the guides."""
        answer = self.visitor("Cy").get("/connect")
        self.assertLessEqual({"/manage#register", "/connect/evennia"}, {*answer.page.links()})
        self.assertNotIn("<select", answer.body.decode())
        self.assertIn("/manage#register", self.visitor("Cy").get("/connect/evennia").page.links())

    def test_one_game(self) -> None:
        """For the only game of an account the guides are filled in without a choice."""
        answer = self.ana.get("/connect")
        self.assertLessEqual({f"/connect/Alpha/{name}" for name in GUIDES}, {*answer.page.links()})
        self.assertNotIn("<select", answer.body.decode())
        self.assertEqual(self.ana.get("/connect/evennia").location, "/connect/Alpha/evennia")
        self.assertEqual(self.ana.get("/connect/alpha").location, "/connect?game=Alpha")

    def test_several_games(self) -> None:
        """The owner of several games chooses one, without JavaScript; others' games are not to be had."""
        self.world.registry.enact(GameSaved(replace(self.world.game("Gamma"), owner="Ana", name="<The Gamma>")))
        answer = self.ana.get("/connect")
        offered = [each["value"] for tag, each in answer.page.tags if tag == "option"]
        self.assertEqual(offered, ["Alpha", "Gamma"])
        self.assertIn("/connect/racket", answer.page.links())
        chosen = self.ana.get("/connect?game=gamma")
        self.assertLessEqual({f"/connect/Gamma/{name}" for name in GUIDES}, {*chosen.page.links()})
        self.assertIn("Guides for <The Gamma>", chosen.text)
        self.assertEqual(self.ana.get("/connect?game=Beta").code, 404)
        links = self.ana.get("/connect/racket").page.links()
        self.assertLessEqual({"/connect/Alpha/racket", "/connect/Gamma/racket"}, {*links})

    def test_namesake(self) -> None:
        """A game that is called like a guide hides no guide, and has its own."""
        self.world.change("Alpha", short_name="python")
        self.assertIn(SAMPLE.client_id, Visitor(self.site).get("/connect/python").text)
        client_id = self.world.game("python").client_id
        self.assertIn(client_id, self.ana.get("/connect/python/python").text)

    def test_others(self) -> None:
        """Other owners' games and unknown code bases have no guide; admins get guides for all games."""
        for path in ("/connect/Beta", "/connect/Beta/evennia", "/connect/Nobody", "/connect/Alpha/nothing"):
            self.assertEqual(self.ana.get(path).code, 404, path)
        self.assertEqual(self.ana.get("/connect/Alpha/files").code, 404)
        self.assertEqual(self.root.get("/connect/Beta/evennia").code, 200)


class GuideTests(OwnerTestCase):
    """The guides."""

    def ports(self) -> dict[str, tuple[str, str]]:
        return {"telnet": ("4111", "4112"), "imc2": ("4113", ""), "i3": ("4114", "")}

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
            for text in ("mud.example",) if guide.by_imc2 or guide.by_i3 else (client_id, PLACEHOLDER, "mud.example"):
                self.assertIn(text, snippets if text != "mud.example" else answer.text, guide.name)
            if guide.by_telnet:
                self.assertIn("4111, 4112 with TLS", answer.text)
            elif guide.by_imc2:
                for line in (
                    "LocalName   Alpha",
                    "ServerAddr  mud.example",
                    "ServerPort  4113",
                    "ClientPwd   YOUR-KEY",
                ):
                    self.assertIn(line, snippets)
                self.assertIn("/manage/Alpha/credentials#imc2", answer.page.links())
            elif guide.by_i3:
                self.assertRegex(snippets, r"4114")
                self.assertRegex(snippets, "mud.example" if guide.name == "i3-diku" else "ROUTER-IP")
                self.assertIn("/manage/Alpha/credentials#i3", answer.page.links())
            else:
                self.assertIn("wss://mud.example/socket", answer.text if guide.name == "coffeemud" else snippets)
                self.assertNotIn("not encrypted", answer.text)
            self.assertNotIn(self.world.secret("Alpha"), answer.body.decode())
            self.assertNotRegex(snippets, "{{|&amp;amp;", guide.name)

    def test_public(self) -> None:
        """Without an account, each guide has placeholders, and nothing of any game."""
        stranger = Visitor(self.site, secure=True)
        for guide in GUIDES.values():
            answer = stranger.get(f"/connect/{guide.name}", Host="mud.example")
            self.assertEqual(answer.code, 200, guide.name)
            snippets = "\n".join(re.findall("<pre.*?</pre>", answer.body.decode(), re.DOTALL))
            for text in (
                ("YOUR-KEY",) if guide.by_imc2 else ("4114",) if guide.by_i3 else (SAMPLE.client_id, PLACEHOLDER)
            ):
                self.assertIn(text, snippets, guide.name)
            self.assertIn(f"/sign-in?back=%2Fconnect%2F{guide.name}", answer.page.links())
            self.assertNotIn("data-poll", answer.body.decode())
            self.assertNotRegex(answer.text, "Alpha|Progress")

    def test_coffeemud(self) -> None:
        """The guide for CoffeeMud names its settings and the two places of the host; it needs TLS."""
        ana = Visitor(self.site, secure=True)
        ana.sign_in(self.service, "Ana")
        answer = ana.get("/connect/Alpha/coffeemud", Host="mud.example:8443")
        for text in (
            f"RUNGVSERVER=TRUE GVCLIENTID={self.world.game('Alpha').client_id} GVCLIENTSECRET={PLACEHOLDER}",
            "CHANNELS=\\ GOSSIP GRAPEVINE=gossip,",
            'in createSocket("grapevine.haus", 443) and in the Host: line',
            "com/planet_ink/coffee_mud/Libraries/intermud/GrapevineClient.java",
            'createSocket("mud.example", 8443) Host: mud.example',
            "hosts file",
        ):
            self.assertIn(text, answer.text)
        self.assertNotIn("speaks only TLS", answer.text)
        answer = self.ana.get("/connect/Alpha/coffeemud", Host="mud.example:4110")
        self.assertIn("speaks only TLS", answer.text)
        self.assertIn('createSocket("mud.example", 443)', answer.text)

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


class Sha256Tests(OwnerTestCase):
    """The guide to IMC2 on a network whose operator wants logins by SHA-256."""

    def ports(self) -> dict[str, tuple[str, str]]:
        return {"imc2": ("4113", "")}

    def test_lines(self) -> None:
        """The lines to copy are those that the page of a new key has."""
        for in_clear, line in ((frozenset(), "SHA256      0"), (frozenset({"imc2"}), "SHA256      1")):
            self.rules.in_clear = in_clear
            self.assertIn(line, self.ana.get("/connect/Alpha/imc2").body.decode())


class NoImc2Tests(OwnerTestCase):
    """A network without an IMC2 port."""

    def test_stops(self) -> None:
        """The guide stops there, and tells an admin the lines of the configuration that open the port."""
        why = "This network has no IMC2 port, and this client needs one."
        for visitor, path in ((Visitor(self.site), "/connect/imc2"), (self.ana, "/connect/Alpha/imc2")):
            answer = visitor.get(path)
            self.assertIn(why, answer.text)
            self.assertIn("Ask an admin of this network", answer.text)
            self.assertNotIn("<pre", answer.body.decode())
        answer = self.root.get("/connect/imc2")
        self.assertIn('listen = ["tcp:4113"]', answer.text)
        self.assertIn("/docs/operator#the-imc2-port", answer.page.links())
        self.assertIn('id="the-imc2-port"', self.root.get("/docs/operator").body.decode())


class NoI3Tests(OwnerTestCase):
    """A network without a port for Intermud-3."""

    def test_stops(self) -> None:
        """The guides stop there, and tell an admin the lines of the configuration that open the port."""
        why = "This network has no port for Intermud-3, and this client needs one."
        for guide in ("dead-souls", "lima", "gurbalib", "i3-diku"):
            for visitor, path in ((Visitor(self.site), f"/connect/{guide}"), (self.ana, f"/connect/Alpha/{guide}")):
                answer = visitor.get(path)
                self.assertIn(why, answer.text)
                self.assertIn("Ask an admin of this network", answer.text)
                self.assertNotIn("<pre", answer.body.decode())
        answer = self.root.get("/connect/lima")
        self.assertIn('listen = ["tcp:4114"]', answer.text)
        self.assertIn("/docs/operator#the-intermud-3-port", answer.page.links())
        self.assertIn('id="the-intermud-3-port"', self.root.get("/docs/operator").body.decode())


class NoTelnetTests(OwnerTestCase):
    """A network without the telnet bridge."""

    why = "This network has no telnet port, and this client needs one."

    def test_stops(self) -> None:
        """The guides that need the port stop there: no command and no file names a port that is not there."""
        for visitor, start in ((Visitor(self.site), "/connect"), (self.ana, "/connect/Alpha")):
            for name, guide in GUIDES.items():
                answer = visitor.get(f"{start}/{name}")
                self.assertEqual(self.why in answer.text, guide.by_telnet, name)
                self.assertNotIn("4111", answer.text)
                if guide.by_telnet:
                    self.assertIn("Ask an admin of this network", answer.text)
                    self.assertNotIn("Steps", answer.text)
                    self.assertNotIn("<pre", answer.body.decode())

    def test_admin(self) -> None:
        """An admin is told the line of the configuration that opens the port."""
        for path in ("/connect/diku", "/connect/Beta/lpc"):
            answer = self.root.get(path)
            self.assertIn(self.why, answer.text)
            self.assertIn("--telnet tcp:4111", answer.text)
            self.assertIn(f'telnet = ["tcp:4111"{self.more}]', answer.text)
            self.assertNotIn("Ask an admin", answer.text)
            self.assertIn("/docs/operator#the-telnet-port", answer.page.links())
        self.assertIn('id="the-telnet-port"', self.root.get("/docs/operator").body.decode())

    more = ""


class EncryptedTelnetTests(NoTelnetTests):
    """A network whose telnet port needs TLS, which the clients in C and LPC do not have."""

    why = "The telnet port of this network needs TLS, which this client does not have."
    more = ", …"

    def ports(self) -> dict[str, tuple[str, str]]:
        return {"telnet": ("", "4112")}


class OwnerlessTests(OwnerTestCase):
    """Games without an owner, which admins take."""

    def take(self, *names: str, back: str = "/manage") -> Answer:
        """Root takes games."""
        games = [self.world.client_id(name) for name in names]
        return self.root.post("/ownerless", {"game": games, "back": back}, at=back)

    def owners(self) -> dict[str, str | None]:
        """Who owns what."""
        return {game.short_name: game.owner for game in self.games().values()}

    def test_shown(self) -> None:
        """Admins see them where they look for their own games, and nobody else does."""
        for path in ("/manage", "/connect"):
            text = self.root.get(path).text
            self.assertIn("2 games without an owner", text)
            self.assertIn("The Delta Delta Take The Delta The Gamma Gamma Take The Gamma Take all 2", text)
            self.assertNotIn("without an owner", self.ana.get(path).text)
        self.assertIn("/connect#ownerless", self.root.get("/connect/evennia").page.links())
        self.assertNotIn("/connect#ownerless", self.visitor("Cy").get("/connect/evennia").page.links())
        self.assertNotIn("without an owner", Visitor(self.site).get("/connect").text)
        self.world.change("Gamma", owner="Ana")
        self.assertIn("1 game without an owner It was registered", self.root.get("/manage").text)
        self.assertNotIn("Take all", self.root.get("/manage").text)
        self.world.change("Delta", owner="Bo")
        self.assertNotIn("without an owner", self.root.get("/manage").text)

    def test_one(self) -> None:
        """One is taken: the activity log has it, and the guides are filled in for it."""
        answer = self.take("Gamma", back="/connect")
        self.assertEqual((answer.code, answer.location), (303, "/connect?done=taken"))
        self.assertEqual(self.owners(), {"Alpha": "Ana", "Beta": "Bo", "Gamma": "Root", "Delta": None})
        [entry] = self.service.store.entries
        self.assertEqual((entry.actor, entry.operation), ("Root", "game/edit"))
        self.assertIn('"owner":"Root"', entry.arguments)
        page = self.root.get(answer.location)
        self.assertIn("Done: the games that you took are yours now.", page.text)
        self.assertIn("/connect/Gamma/evennia", page.page.links())
        self.assertIn("/manage/Gamma", self.root.get("/manage").page.links())
        self.assertIn(self.world.client_id("Gamma"), self.root.get("/connect/Gamma/python").text)

    def test_all(self) -> None:
        """All that are shown are taken at once, at most twenty, with an entry in the activity log each."""
        for number in range(25):
            self.world.add(f"Lost{number}")
        page = self.root.get("/manage")
        self.assertIn("27 games without an owner", page.text)
        self.assertIn("Take these 20 7 more appear after that.", page.text)
        form = page.body.decode().rpartition('<form method="post" action="/ownerless">')[2].partition("</form>")[0]
        offered = re.findall('name="game" value="([^"]*)"', form)
        self.assertEqual(len(offered), 20)
        self.root.post("/ownerless", {"game": offered, "back": "/manage"}, at="/manage")
        self.assertEqual([*self.owners().values()].count("Root"), 20)
        self.assertEqual(len(self.service.store.entries), 20)
        self.assertIn("Take all 7", self.root.get("/manage").text)

    def test_owned(self) -> None:
        """Games that have an owner by now stay theirs; the others are taken all the same."""
        self.assertEqual(self.take("Alpha", "Gamma").code, 303)
        self.assertEqual(self.owners()["Alpha"], "Ana")
        self.assertEqual(self.owners()["Gamma"], "Root")
        answer = self.take("Alpha", "Gamma")
        self.assertEqual(answer.code, 409)
        self.assertIn("These games have an owner by now", answer.text)
        self.assertEqual(len(self.service.store.entries), 1)
        self.assertEqual(self.root.post("/ownerless", {"game": "nothing"}, at="/manage").code, 409)

    def test_others(self) -> None:
        """Nobody but an admin takes a game; the form leads back to this site only."""
        self.assertEqual(self.ana.post("/ownerless", {"game": self.world.client_id("Gamma")}, at="/manage").code, 403)
        self.assertIsNone(self.owners()["Gamma"])
        answer = self.root.post(
            "/ownerless", {"game": self.world.client_id("Gamma"), "back": "//evil.example"}, at="/manage"
        )
        self.assertEqual(answer.location, "/manage?done=taken")
        self.assertEqual(self.root.get("/ownerless").location, "/manage")


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
        self.assertEqual(self.done(), [False] * 6)
        self.assertIn("Waiting for your game to open a socket.", self.look().text)
        session = self.service.connect()
        self.assertEqual(self.done(), [True] + [False] * 5)
        self.assertIn("Waiting for your game to authenticate", self.look().text)
        self.service.write(session, frame("authenticate", self.world.credentials("Alpha", channels=["testing"])))
        self.assertEqual(self.done(), [True] * 2 + [False] * 4)
        self.service.write(session, frame("heartbeat"))
        self.assertEqual(self.done(), [True] * 3 + [False] * 3)
        self.service.world.network.rules.settings = NetworkSettings(echo=False)
        self.service.write(session, frame("channels/send", {"channel": "testing", "name": "Ana", "message": "Hi"}))
        self.assertEqual(self.done(), [True] * 4 + [False] * 2)
        self.assertIn("Waiting until another game says something", self.look().text)
        self.service.world.network.rules.settings = NetworkSettings()
        self.assertIn("say something there: echo answers", self.look().text)
        self.service.write(session, frame("channels/send", {"channel": "testing", "name": "Ana", "message": "Hi"}))
        self.assertEqual(self.done(), [True] * 5 + [False])
        self.service.write(session, frame("heartbeat", {"players": ["Ana"]}))
        tell = {"from_name": "Ana", "to_game": "gossip", "to_name": "echo", "message": "Hi"}
        self.assertIn("send a tell to echo@gossip", self.look().text)
        self.assertNotIn("Now tell players", self.look().text)
        self.service.write(session, frame("tells/send", tell, "t"))
        self.assertEqual(self.done(), [True] * 6)
        self.assertIn("All done", self.look().text)
        self.world.change("Alpha", tagline="Quiet")
        self.assertIn("it has no description, no way to play yet.", self.look().text)
        self.assertIn("/manage/Alpha/profile", self.look().page.links())
        self.world.change("Alpha", description="Long", connections=(WebConnection("https://a.example/"),))
        self.assertNotIn("Now tell players", self.look().text)

    def test_imc2(self) -> None:
        """An owner whose game joined by IMC2 is not sent to the channel testing, which is not offered there."""
        self.look()
        session = self.service.connect("imc2")
        self.service.write(session, frame("authenticate", self.world.credentials("Alpha", channels=["gossip"])))
        self.service.write(session, frame("heartbeat", {"players": ["Ana"]}))
        self.service.write(session, frame("channels/send", {"channel": "gossip", "name": "Ana", "message": "Hi"}))
        self.assertIn("Waiting until another game says something on one of its channels.", self.look().text)
        other = self.service.join("Beta", channels=["gossip"])
        self.service.write(other, frame("channels/send", {"channel": "gossip", "name": "Bo", "message": "Hi"}))
        self.assertIn("type imctell echo@Gossip hello", self.look().text)

    def test_without_tells(self) -> None:
        """A game that does not support tells is done without one."""
        self.look()
        session = self.service.join("Alpha", channels=["testing"], supports=["channels"])
        self.service.write(session, frame("heartbeat"))
        self.service.write(session, frame("channels/send", {"channel": "testing", "name": "Ana", "message": "Hi"}))
        self.assertEqual(self.done(), [True] * 5 + [False])
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
        self.assertEqual(self.done(), [True] + [False] * 5)
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
        self.assertEqual(self.done(), [True] * 4 + [False] * 2)
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
        self.assertEqual(parts, ["said", "steps", "following", "refused"])
        (asked,) = [each["data-poll"] for _, each in self.look().page.tags if "data-poll" in each]
        live = self.ana.get(str(asked)).body.decode()
        self.assertLessEqual(set(parts), set(re.findall('data-part="([a-z]+)"', live)))
