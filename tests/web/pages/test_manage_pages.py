"""L{gossip.web.pages.manage}: the games of an account, and what their owner sees."""

from __future__ import annotations

import json
import re

from msgspec.structs import replace

from gossip.protocol.server_events import SecureTelnetConnection, TelnetConnection, WebConnection
from gossip.registry.changes import GameSaved, I3IdentitySaved, RestrictionLifted, RestrictionSet
from gossip.registry.entities import Game, Restriction
from gossip.registry.secret import digest, secrets_of
from gossip.web.accounts.attempts import HOUR
from gossip.web.pages.manage import CHANGES
from gossip.web.settings import WebSettings
from tests.support.rewording import REWORDED, reword
from tests.support.site_browser import HOSTILE
from tests.support.sites import OwnerTestCase
from tests.support.visitor import Answer, Visitor
from tests.support.world import NOW, frame

FORMS = ("/profile", "/secret", "/remove", "/rehearse")
"""Where the forms of a game go, below its page."""

MINE = {"short_name": "Mine", "name": "My MUD"}


class SignedInTests(OwnerTestCase):
    """Access."""

    def test_nobody(self) -> None:
        """Without an account a browser is sent to the sign-in page, and nothing changes."""
        stranger, before = Visitor(self.site), self.games()
        for path in ("/manage", "/manage/Alpha", "/manage/Alpha/live"):
            self.assertEqual(stranger.get(path).location, f"/sign-in?back={path}")
        for path in ("/manage", *(f"/manage/Alpha{form}" for form in FORMS)):
            self.assertEqual(stranger.post(path, {**MINE, "sure": "1"}, at="/sign-in").code, 303)
        self.assertEqual(self.games(), before)

    def test_others(self) -> None:
        """Another owner's game does not exist on any of these paths."""
        before = self.games()
        parts = (f"/manage/Beta/{part}" for part in ("live", "profile", "credentials", "danger"))
        for path in ("/manage/Beta", "/manage/beta", *parts, "/manage/Gamma", "/manage/Nobody"):
            self.assertEqual(self.ana.get(path).code, 404, path)
        for path in (*(f"/manage/Beta{form}" for form in FORMS), "/manage/Gamma/secret"):
            self.assertEqual(self.ana.post(path, {"name": "Stolen", "sure": "1"}, at="/manage").code, 404, path)
        self.assertEqual(self.games(), before)
        self.assertNotIn("Beta", self.ana.get("/manage").text)

    def test_back(self) -> None:
        """The path of a form leads back to the part of the page with the form, for the owner of the game only."""
        for form, part in (("secret", "/credentials"), ("remove", "/danger"), ("rehearse", "")):
            self.assertEqual(self.ana.get(f"/manage/alpha/{form}").location.partition("#")[0], f"/manage/Alpha{part}")
            self.assertEqual(self.ana.get(f"/manage/Beta/{form}").code, 404)

    def test_parts(self) -> None:
        """The page of a game has four parts, each with links to all; a refused form is shown in its own part."""
        here = "/manage/Alpha"
        parts = {here: "Right now", f"{here}/profile": "Tagline", f"{here}/credentials": "shown only once"}
        parts[f"{here}/danger"] = "Remove the game"
        for path, text in parts.items():
            answer = self.ana.get(path)
            self.assertIn(text, answer.text)
            self.assertLessEqual(set(parts), set(answer.page.links()))
            current = [
                each["href"] for _, each in answer.page.tags if "aria-current" in each and here in str(each["href"])
            ]
            self.assertEqual(current, [path])
            for other in set(parts.values()) - {text}:
                self.assertNotIn(other, answer.text)
        refused = self.ana.post(f"{here}/remove", {}, at=f"{here}/danger")
        self.assertIn("Remove the game", refused.text)
        refused = self.ana.post(f"{here}/profile", {"name": ""})
        self.assertIn("Tagline", refused.text)

    def test_admin(self) -> None:
        """An admin can manage every game."""
        self.assertEqual(self.root.get("/manage/Beta").code, 200)
        self.assertEqual(self.root.post("/manage/Beta/profile", {"name": "Better"}).code, 303)
        game = self.world.game("Beta")
        self.assertEqual((game.name, game.owner), ("Better", "Bo"))

    def test_forged(self) -> None:
        """A form of another site changes nothing."""
        before = self.games()
        for path in ("/manage", *(f"/manage/Alpha{form}" for form in FORMS)):
            for forged in ({"csrf": "0" * 64}, {"csrf": ""}):
                self.assertEqual(self.ana.post(path, {**MINE, "sure": "1", **forged}).code, 403, path)
            answer = self.ana.post(path, {**MINE, "sure": "1"}, at="/manage", Origin="https://evil.example")
            self.assertEqual(answer.code, 403, path)
        self.assertEqual(self.games(), before)


class RehearsalTests(OwnerTestCase):
    """Rehearsing with a game."""

    def test_rehearsed(self) -> None:
        """A step is played to the game, noted, and shown with what came of it; without a script by loading again."""
        session = self.service.join("Alpha", channels=["testing"], players=["Ana"])
        answer = self.ana.post("/manage/Alpha/rehearse", {"step": "message"}, at="/manage/Alpha")
        self.assertEqual((answer.code, answer.location), (303, "/manage/Alpha#rehearse"))
        [heard] = [event for event in self.service.told(session) if event["event"] == "channels/broadcast"]
        self.assertEqual((heard["payload"]["name"], heard["payload"]["channel"]), ("echo", "testing"))
        [entry] = self.service.store.entries
        self.assertEqual((entry.actor, entry.operation, entry.subject), ("Ana", "game/rehearse", "Alpha"))
        for path in ("/manage/Alpha", "/manage/Alpha/live"):
            self.assertIn("Open: waiting until it answers a heartbeat", self.ana.get(path).text)
        self.service.clock.pump([1.0] * 15)
        self.service.write(session, frame("heartbeat"))
        self.service.clock.advance(1)
        for path in ("/manage/Alpha", "/manage/Alpha/live"):
            self.assertIn("Yes: it answered the next heartbeat, after 16 s", self.ana.get(path).text)

    def test_player(self) -> None:
        """The owner says who is told something; an empty field stands for any player."""
        session = self.service.join("Alpha", players=["Ana", "Bo"])
        for player, told in (("Bo", "Bo"), ("", "Ana")):
            self.ana.post("/manage/Alpha/rehearse", {"step": "tell", "player": player}, at="/manage/Alpha")
            [heard] = [event for event in self.service.told(session) if event["event"] == "tells/receive"]
            self.assertEqual(heard["payload"]["to_name"], told)

    def test_refused(self) -> None:
        """A step that cannot be played says why, and is not noted."""
        answer = self.ana.post("/manage/Alpha/rehearse", {"step": "restart"}, at="/manage/Alpha")
        self.assertEqual(answer.code, 422)
        self.assertIn("the game is not connected", answer.text)
        self.service.join("Alpha", players=["Ana"])
        answer = self.ana.post("/manage/Alpha/rehearse", {"step": "tell", "player": HOSTILE}, at="/manage/Alpha")
        self.assertIn("this player is not signed in to the game", answer.text)
        self.assertNotIn("onmouseover", answer.text)
        self.assertEqual(self.ana.post("/manage/Alpha/rehearse", {"step": "x"}, at="/manage/Alpha").code, 422)
        self.assertEqual(self.service.store.entries, [])


class RegisterTests(OwnerTestCase):
    """A new game."""

    settings = WebSettings(games=2)

    def test_register(self) -> None:
        """A game is registered, belongs to the account, and can join with what the answer shows."""
        answer = self.ana.post("/manage", MINE)
        self.assertEqual((answer.code, answer.headers["cache-control"]), (200, "no-store"))
        game = self.world.game("Mine")
        self.assertEqual((game.name, game.owner, game.hidden), ("My MUD", "Ana", False))
        self.assertIn(game.client_id, answer.text)
        self.assertEqual(self.world.registry.authenticate(game.client_id, self.secret_of(answer), NOW), game)
        self.assertIn("/connect?game=Mine", answer.page.links())
        [entry] = self.service.store.entries
        self.assertEqual((entry.actor, entry.operation, entry.subject), ("Ana", "game/add", "My MUD"))

    def test_more(self) -> None:
        """A tagline and one way to play can be given at once, as people type it for a telnet client."""
        answer = self.ana.post("/manage", {**MINE, "tagline": " A quiet  place ", "connections": " mud.example 4000"})
        self.assertEqual(answer.code, 200)
        game = self.world.game("Mine")
        self.assertEqual((game.tagline, game.connections), ("A quiet place", (TelnetConnection("mud.example", 4000),)))
        self.bo.post("/manage", {"short_name": "Web", "name": "Web MUD", "tagline": "", "connections": " "})
        self.assertEqual((self.world.game("Web").tagline, self.world.game("Web").connections), (None, ()))

    def test_shown_once(self) -> None:
        """A secret is in one answer only: on no other page, and in no log."""
        shown = [self.secret_of(self.ana.post("/manage", MINE))]
        shown.append(self.secret_of(self.ana.post("/manage/Mine/secret")))
        self.assertEqual(len(set(shown)), 2)
        pages = ["/manage", "/manage/Mine", "/manage/Mine/live", "/connect", "/connect/Mine", "/connect/Mine/python"]
        texts = [self.ana.get(path).body.decode() for path in (*pages, "/games/Mine", "/api/v1/games/Mine")]
        texts += [repr(self.service.store.entries), repr(self.logged), repr(self.world.registry.games)]
        for secret in shown:
            for text in texts:
                self.assertNotIn(secret, text)

    def test_wrong(self) -> None:
        """An invalid game is refused, with the reason at its field, and the form keeps its values."""
        self.world.registry.enact(GameSaved(replace(self.world.game("Delta"), name="Remove the tagline")))
        before = self.games()
        for typed, why, field in (
            ({"short_name": "Beta", "name": "New"}, "the short name Beta is taken", "short_name"),
            ({"short_name": "gossip", "name": "New"}, "is reserved", "short_name"),
            ({"short_name": "a b", "name": "New"}, "1 to 15 letters and digits", "short_name"),
            ({"short_name": "", "name": "New"}, "1 to 15 letters and digits", "short_name"),
            ({"short_name": "New", "name": "the beta"}, "the name the beta is taken", "name"),
            ({"short_name": "New", "name": "Remove the tagline"}, "the name Remove the tagline is taken", "name"),
            ({"short_name": "New", "name": " "}, "a game needs a name", "name"),
            ({"short_name": "New", "name": HOSTILE}, "a name has at most", "name"),
            ({"short_name": "New", "name": "New", "tagline": "x" * 71}, "a tagline has at most 70", "tagline"),
            ({"short_name": "New", "name": "New", "connections": "somewhere"}, "a way to play is like", "connections"),
            ({"short_name": "New", "name": "New", "connections": "a_b.c:0"}, "a way to play is like", "connections"),
            ({}, "1 to 15 letters and digits", "short_name"),
        ):
            answer = self.ana.post("/manage", typed)
            self.assertEqual(answer.code, 422, typed)
            self.assertIn(why, answer.text)
            marked = [each for tag, each in answer.page.tags if tag == "input" and "aria-invalid" in each]
            self.assertEqual([each["name"] for each in marked], [field])
            described = str(marked[0]["aria-describedby"]).split()
            self.assertTrue({each.get("id") for _, each in answer.page.tags}.issuperset(described))
            values = {each.get("name"): each.get("value") for tag, each in answer.page.tags if tag == "input"}
            self.assertEqual(values["name"], typed.get("name", ""))
        self.assertEqual(self.games(), before)
        self.assertEqual(self.service.store.entries, [])

    def test_limit(self) -> None:
        """The number of games per account is bounded; at the maximum there is no form."""
        self.assertIn("You have 1 of at most 2 games.", self.ana.get("/manage").text)
        self.assertEqual(self.ana.post("/manage", MINE).code, 200)
        page = self.ana.get("/manage")
        self.assertNotIn('name="short_name"', page.body.decode())
        answer = self.ana.post("/manage", {"short_name": "More", "name": "More"}, at="/manage")
        self.assertEqual(answer.code, 422)
        self.assertIn("You have 2 games", answer.text)
        self.assertNotIn("More", [game.short_name for game in self.games().values()])
        self.rules.settings = replace(self.rules.settings, games=0)
        self.assertEqual(self.ana.post("/manage", {"short_name": "More", "name": "More"}).code, 200)

    def test_limit_at_once(self) -> None:
        """The maximum holds for registrations at the same time."""
        self.ana.get("/manage")
        self.service.writer.slow = True
        browsers = [
            self.later(self.ana, "/manage", {"short_name": f"M{number}", "name": f"M {number}"}) for number in range(3)
        ]
        for _ in browsers:
            self.service.writer.settle()
        self.assertEqual([browser.read()[0] for browser in browsers], [303, 422, 422])
        self.assertEqual(len(self.world.registry.games_of("Ana")), 2)

    def test_changes(self) -> None:
        """The number of changes per hour is bounded, since each is logged; refused ones do not count."""
        self.assertEqual(self.ana.post("/manage/Alpha/profile", {"name": ""}, at="/manage/Alpha/profile").code, 422)
        self.assertEqual(self.ana.post("/manage", MINE).code, 200)
        for number in range(CHANGES - 1):
            self.assertEqual(self.ana.post("/manage/Alpha/profile", {"name": f"Alpha {number}"}).code, 303)
        for path, fields in (
            ("/manage/Alpha/profile", {"name": "More"}),
            ("/manage/Alpha/secret", {}),
            ("/manage/Alpha/remove", {"sure": "1"}),
            ("/manage", {"short_name": "More", "name": "More"}),
        ):
            answer = self.ana.post(path, fields)
            self.assertEqual((answer.code, answer.headers["retry-after"]), (429, "3600"))
        self.assertEqual(len(self.service.store.entries), CHANGES)
        self.assertEqual(self.bo.post("/manage/Beta/profile", {"name": "More"}, at="/manage/Beta/profile").code, 303)
        self.service.clock.advance(HOUR)
        self.assertEqual(self.ana.post("/manage/Alpha/remove", {"sure": "1"}).code, 303)


class EditTests(OwnerTestCase):
    """Editing a game."""

    def test_edit(self) -> None:
        """Everything public can be edited, including several ways to play; a reload does not repeat it."""
        ways = "telnet://alpha.example:4000\r\n\r\n telnets://[2001:db8::1]:4443 \r\nhttps://alpha.example/play"
        fields = {
            "name": "The new Alpha",
            "tagline": "Old & new",
            "description": "One\r\ntwo",
            "homepage_url": "https://alpha.example/",
            "connections": ways,
            "hidden": ["0", "1"],
            "hide_players": ["0"],
        }
        answer = self.ana.post("/manage/Alpha/profile", fields)
        self.assertEqual((answer.code, answer.location), (303, "/manage/Alpha/profile?done=saved"))
        game = self.world.game("Alpha")
        self.assertEqual((game.name, game.tagline, game.description), ("The new Alpha", "Old & new", "One\ntwo"))
        self.assertEqual((game.homepage_url, game.hidden, game.hides_players), ("https://alpha.example/", True, False))
        expected = (
            TelnetConnection("alpha.example", 4000),
            SecureTelnetConnection("2001:db8::1", 4443),
            WebConnection("https://alpha.example/play"),
        )
        self.assertEqual(game.connections, expected)
        page = self.ana.get(answer.location)
        self.assertIn("Saved.", page.text)
        self.assertIn("telnets://[2001:db8::1]:4443\nhttps://alpha.example/play", page.body.decode())
        cleared = dict.fromkeys(("tagline", "description", "homepage_url", "connections"), "")
        self.ana.post(
            "/manage/Alpha/profile", {"name": "The Alpha", **cleared, "hidden": "0", "hide_players": ["0", "1"]}
        )
        game = self.world.game("Alpha")
        self.assertEqual((game.tagline, game.description, game.homepage_url, game.connections), (None, None, None, ()))
        self.assertEqual((game.hidden, game.hides_players), (False, True))
        self.assertEqual([entry.operation for entry in self.service.store.entries], ["game/edit"] * 2)

    def test_not_his_to_say(self) -> None:
        """A form can neither change the owner nor edit another game."""
        self.ana.post(
            "/manage/Alpha/profile", {"name": "Mine", "game": "Beta", "owner": "Bo", "short_name": "X", "disabled": "0"}
        )
        game = self.world.game("Alpha")
        self.assertEqual((game.name, game.owner), ("Mine", "Ana"))
        self.assertEqual(self.world.game("Beta").name, "The Beta")

    def test_wrong(self) -> None:
        """An invalid edit changes nothing, has the reason at its field, and keeps the values of the form."""
        before = self.games()
        for field, typed, why in (
            ("name", "The Beta", "is taken"),
            ("name", "", "a game needs a name"),
            ("tagline", "x" * 71, "a tagline has at most 70"),
            ("description", "<b>bold</b>", "a description has at most 2000"),
            ("homepage_url", "javascript:alert(1)", "a web address starts with"),
            ("connections", "mud.example", "a way to play is like"),
            ("connections", "telnet://mud.example:99999", "a way to play is like"),
            ("connections", "javascript:alert(1)", "a way to play is like"),
            ("connections", "https://", "a web connection starts with"),
            ("connections", "https://mud.example/" + "x" * 500, "a web connection starts with"),
            ("connections", "telnet://m_ü.example:4000", "a telnet connection has a host name"),
            ("connections", "\n".join(f"telnet://m{n}.example:4000" for n in range(7)), "at most 6 connections"),
        ):
            answer = self.ana.post(
                "/manage/Alpha/profile", {"name": "Changed", "tagline": "Typed", "hidden": ["0", "1"], field: typed}
            )
            self.assertEqual(answer.code, 422, typed)
            self.assertIn(why, answer.text)
            marked = [each for _, each in answer.page.tags if "aria-invalid" in each]
            self.assertEqual([each["name"] for each in marked], [field])
            values = {each.get("name"): each.get("value") for tag, each in answer.page.tags if tag == "input"}
            self.assertEqual(values["tagline"], typed if field == "tagline" else "Typed")
            self.assertIn("checked", dict(_boxes(answer))["hidden"])
        self.assertEqual(self.games(), before)

    def test_reworded(self) -> None:
        """A reason is shown at the field of its code, and above the form if it has none."""
        reword(self)
        for path, typed, field in (
            ("/manage", {"short_name": "Beta", "name": "New"}, "short_name"),
            ("/manage", {"short_name": "New", "name": "The Beta"}, "name"),
            ("/manage/Alpha/profile", {"name": "The Beta"}, "name"),
            ("/manage/Alpha/profile", {"name": "New", "tagline": "x" * 71}, "tagline"),
            ("/manage/Alpha/profile", {"name": "New", "homepage_url": "nowhere"}, "homepage_url"),
            ("/manage/Alpha/profile", {"name": "New", "connections": "https://"}, "connections"),
            ("/manage/Alpha/remove", {}, "sure"),
        ):
            answer = self.ana.post(path, typed)
            self.assertIn(REWORDED, answer.text)
            self.assertEqual([each["name"] for _, each in answer.page.tags if "aria-invalid" in each], [field])
        answer = self.ana.post("/manage/Alpha/profile", {"name": "New", "hidden": "maybe"})
        self.assertIn(REWORDED, answer.text)
        self.assertNotIn("aria-invalid", answer.body.decode())

    def test_gone_meanwhile(self) -> None:
        """A change that waited does not reach another account's game that has the name by then."""
        self.ana.get("/manage/Alpha")
        self.bo.get("/manage")
        self.service.writer.slow = True
        removing = self.later(self.ana, "/manage/Alpha/remove", {"sure": "1"})
        registering = self.later(self.bo, "/manage", {"short_name": "Alpha", "name": "Bo's Alpha"})
        stealing = self.later(self.ana, "/manage/Alpha/secret", {})
        for _ in range(3):
            self.service.writer.settle()
        codes = [browser.read()[0] for browser in (removing, registering, stealing)]
        self.assertEqual(codes, [303, 303, 422])
        self.assertEqual((self.world.game("Alpha").owner, len(self.world.game("Alpha").secrets)), ("Bo", 1))

    def test_said(self) -> None:
        """A URL cannot put text on the page."""
        for query in ("done=<b>", "done=Gone", "done="):
            self.assertNotIn('class="note" role="status">\n', self.ana.get(f"/manage/Alpha?{query}").body.decode())
            self.assertEqual(self.ana.get(f"/manage?{query}").code, 200)


class SecretTests(OwnerTestCase):
    """Secrets and removal."""

    def test_rotate(self) -> None:
        """A new secret is shown once, with the time until which the old one works; both work."""
        client_id, old = self.world.game("Alpha").client_id, self.world.secret("Alpha")
        answer = self.ana.post("/manage/Alpha/secret")
        new = self.secret_of(answer)
        self.assertIn("works until 15 Nov 2023, 22:00 UTC", answer.text)
        for secret in (old, new):
            self.assertIsNotNone(self.world.registry.authenticate(client_id, secret, NOW + 23 * 3600))
        self.assertIsNone(self.world.registry.authenticate(client_id, old, NOW + 25 * 3600))
        self.assertIn("works until 15 Nov 2023, 22:00 UTC", self.ana.get("/manage/Alpha/credentials").text)
        self.service.clock.advance(25 * 3600)
        self.assertNotIn("works until", self.ana.get("/manage/Alpha/credentials").text)
        self.assertEqual(
            [(each.operation, each.subject) for each in self.service.store.entries], [("game/rotate", "Alpha")]
        )

    def test_twice(self) -> None:
        """A double click makes one secret, and both answers lead to it; the page shows it for some minutes only."""
        self.ana.get("/manage/Alpha")
        self.service.writer.slow = True
        browsers = [self.later(self.ana, "/manage/Alpha/secret", {"sent": "1"}) for _ in range(2)]
        self.service.writer.settle()
        answers = [browser.read() for browser in browsers]
        self.assertEqual([answer[0] for answer in answers], [303, 303])
        self.service.writer.slow = False
        self.assertEqual(len(self.world.game("Alpha").secrets), 2)
        cookies = {cookie for browser in browsers for cookie in browser.cookies_set if cookie.startswith("shown=")}
        [cookie] = cookies
        self.assertIn("Max-Age=300", cookie)
        self.assertIn("Path=/manage/Alpha/secret", cookie)
        # Nor does going back and pressing the button again.
        form = {"csrf": self.ana.csrf, "sent": "2"}
        shown = [self.secret_of(self.ana.post("/manage/Alpha/secret", form)) for _ in range(2)]
        self.assertEqual(shown[0], shown[1])
        self.assertEqual(len(self.world.game("Alpha").secrets), 3)
        del self.ana.cookies["shown"]
        self.assertEqual(self.ana.get("/manage/Alpha/secret").location, "/manage/Alpha/credentials#secret")

    def test_forged(self) -> None:
        """What another host of the domain puts into the cookie is not shown."""
        self.ana.post("/manage/Alpha/secret")
        value, _, signature = self.ana.cookies["shown"].partition(".")
        for forged in (f"{value}.", value, f"{value[:-4]}AAAA.{signature}", "x.y", ".", "ü.ü"):
            self.ana.cookies["shown"] = forged
            self.assertEqual(self.ana.get("/manage/Alpha/secret").code, 303, forged)

    def test_in_use(self) -> None:
        """The secret that a game uses survives further ones until a newer one was used."""
        client_id, old = self.world.game("Alpha").client_id, self.world.secret("Alpha")

        def works(secret: str) -> bool:
            return any(each.digest == digest(secret) for each in self.world.game("Alpha").secrets)

        self.world.registry.authenticate(client_id, old, NOW)
        first, second, third = (self.secret_of(self.ana.post("/manage/Alpha/secret")) for _ in range(3))
        self.assertEqual([works(each) for each in (old, first, second, third)], [True] * 4)
        self.world.registry.authenticate(client_id, second, NOW)
        fourth = self.secret_of(self.ana.post("/manage/Alpha/secret"))
        self.assertEqual(
            [works(each) for each in (old, first, second, third, fourth)], [False, False, True, True, True]
        )

    def test_key(self) -> None:
        """A key for IMC2 is shown once, as lines of imc.config; it is good for nothing else."""
        self.assertNotIn("IMC2", self.ana.get("/manage/Alpha/credentials").text)
        self.rules.imc2_port = "4113"
        client_id, authenticate = self.world.game("Alpha").client_id, self.world.registry.authenticate
        self.assertIn("It has none yet.", self.ana.get("/manage/Alpha/credentials").text)
        keys = []
        for _ in range(2):
            answer = self.ana.post("/manage/Alpha/key", Host="mud.example")
            shown = dict(re.findall(r"^(\w+) +(\S+)$", answer.body.decode(), re.MULTILINE))
            keys.append(shown.pop("ClientPwd"))
            expected = {"ServerAddr": "mud.example", "ServerPort": "4113", "ServerPwd": "gossip", "SHA256": "0"}
            self.assertEqual({name: shown.get(name) for name in expected}, expected)
        self.assertIn("works until 15 Nov 2023, 22:00 UTC", answer.text)
        for key in keys:
            self.assertRegex(key, "^[a-z2-7]{20}$")
            self.assertIsNotNone(authenticate(client_id, key, NOW, "imc2"))
            self.assertIsNone(authenticate(client_id, key, NOW))
        self.assertIsNotNone(authenticate(client_id, self.world.secret("Alpha"), NOW))
        page = self.ana.get("/manage/Alpha/credentials").text
        self.assertIn("It has one; it was shown only once.", page)
        self.assertNotIn(keys[1], page)
        self.assertEqual(self.bo.post("/manage/Alpha/key").code, 404)
        self.assertNotIn(keys[1], repr(self.service.store.entries))

    def test_key_in_clear(self) -> None:
        """The page of a new key says which of two risks the operator chose, and the guide has the same lines."""
        self.rules.imc2_port = "4113"
        chosen = []
        for in_clear, sha256 in ((frozenset(), "0"), (frozenset({"imc2"}), "1")):
            self.executor.in_clear = self.rules.in_clear = in_clear
            answer = self.ana.post("/manage/Alpha/key")
            self.assertRegex(answer.body.decode(), f"(?m)^SHA256 +{sha256}$")
            chosen.append([risk in answer.text for risk in ("only a digest of it", "keeps it in plain text")])
            (key,) = re.findall("(?m)^ClientPwd +(.*)$", answer.body.decode())
            kept = secrets_of(self.world.game("Alpha"), "imc2")[0]
            self.assertEqual(kept.clear, key if in_clear else None)
        self.assertEqual(chosen, [[True, False], [False, True]])

    def test_i3(self) -> None:
        """A name and a password for Intermud-3 are given, shown once, and taken back; the first login is let in."""
        self.assertNotIn("Intermud-3", self.ana.get("/manage/Alpha/credentials").text)
        self.rules.i3_port, self.rules.i3_router = "4114", "*mine"
        known, client_id = self.world.registry.i3, self.world.game("Alpha").client_id
        self.assertIn(
            'name="i3_name" type="text" value="Alpha"', self.ana.get("/manage/Alpha/credentials").body.decode()
        )
        answer = self.ana.post("/manage/Alpha/i3", {"i3_name": " My Mud "}, Host="mud.example")
        shown = dict(re.findall(r"(?:^|>)(\w[\w ]*?) {2,}(\S.*)$", answer.body.decode(), re.MULTILINE))
        password = shown.pop("Password")
        expected = {"Router": "*mine", "Host": "mud.example", "Port": "4114", "Name of the MUD": "My Mud"}
        self.assertEqual({name: shown.get(name) for name in expected}, expected)
        identity = known.of(client_id)
        assert identity is not None
        self.assertEqual(identity.digest, digest(password))
        page = self.ana.get("/manage/Alpha/credentials").text
        self.assertIn("The first login until", page)
        self.assertIn("none since the password was created", page)
        self.assertNotIn(password, page)
        self.world.registry.enact(I3IdentitySaved(replace(identity, open_until=None, address="192.0.2.9")))
        page = self.ana.get("/manage/Alpha/credentials").text
        self.assertIn("from 192.0.2.9", page)
        self.assertIn("Your MUD has it.", page)
        self.assertEqual(self.bo.post("/manage/Alpha/i3", {"i3_name": "X"}).code, 404)
        refused = self.ana.post("/manage/Alpha/i3", {"i3_name": "*router", "i3_sure": "1"})
        self.assertEqual(refused.code, 422)
        self.assertIn("a name on Intermud-3 has 1 to 40 ASCII characters", refused.text)
        self.assertIn('name="i3_name" type="text" value="*router"', refused.body.decode())
        self.assertEqual(self.ana.post("/manage/Alpha/i3", {"i3_remove": "1"}).code, 303)
        self.assertIsNone(known.of(client_id))
        self.assertNotIn(password, repr(self.service.store.entries))

    def test_remove_restricted(self) -> None:
        """An owner cannot undo what admins decided about a game or its players by removing it; an admin can."""
        client_id, network = self.world.game("Alpha").client_id, self.world.network
        why = "an admin disabled, muted or banned this game or one of its players: ask an admin to remove it"
        for kind, subject, channel in (
            ("mute", client_id, ""),
            ("ban", client_id, "gossip"),
            ("mute", f"ana@{client_id}", ""),
        ):
            restriction = Restriction(
                kind=kind, subject=subject, channel=channel, until=NOW + 60, reason="so", set_by="Root", set_at=NOW
            )
            network.registry.enact(RestrictionSet(restriction))
            answer = self.ana.post("/manage/Alpha/remove", {"sure": "1"})
            self.assertEqual(answer.code, 422)
            self.assertIn(why, answer.text)
            network.registry.enact(RestrictionLifted(kind, subject, channel))
        network.registry.enact(RestrictionSet(replace(restriction, until=NOW)))
        network.registry.enact(RestrictionSet(replace(restriction, subject="192.0.2.1", until=None)))
        self.assertFalse(network.registry.is_restricted(self.world.game("Alpha"), NOW))
        network.registry.enact(GameSaved(replace(self.world.game("Alpha"), disabled=True)))
        self.assertIn(why, self.ana.post("/manage/Alpha/remove", {"sure": "1"}).text)
        self.assertEqual(self.root.post("/manage/Alpha/remove", {"sure": "1"}).code, 303)
        self.assertIsNone(network.registry.game_named("Alpha"))

    def test_remove(self) -> None:
        """Removing a game needs the confirmation."""
        answer = self.ana.post("/manage/Alpha/remove")
        self.assertEqual(answer.code, 422)
        self.assertIn("tick the box", answer.text)
        self.assertIsNotNone(self.world.registry.game_named("Alpha"))
        answer = self.ana.post("/manage/Alpha/remove", {"sure": "1"})
        self.assertEqual((answer.code, answer.location), (303, "/manage?done=removed"))
        self.assertIsNone(self.world.registry.game_named("Alpha"))
        self.assertIn("no longer registered", self.ana.get(answer.location).text)
        self.assertEqual(self.ana.get("/manage/Alpha/live").code, 404)


class LiveTests(OwnerTestCase):
    """What an owner sees of sessions."""

    def live(self) -> Answer:
        """The part of Alpha's page that changes by itself."""
        answer = self.ana.get("/manage/Alpha/live")
        self.assertEqual(answer.code, 200)
        return answer

    def test_offline(self) -> None:
        """An offline game has no sessions."""
        for text in (self.live().text, self.ana.get("/manage/Alpha").text):
            self.assertIn("Not connected right now.", text)
            self.assertIn("Waiting for your game to open a socket.", text)
        self.assertIn("offline", self.ana.get("/manage").text)

    def test_sessions(self) -> None:
        """Each session shows its address, duration, code base, channels, players and rates."""
        session = self.service.join(
            "Alpha", channels=["gossip", "secret"], players=[f"P{n}" for n in range(30)], user_agent="Own 1.0"
        )
        other = self.service.join("Alpha", supports=["channels"], user_agent="Own 1.0")
        self.service.clock.advance(60)
        self.service.write(other, frame("heartbeat"))
        for number in range(12):
            said = frame("channels/send", {"channel": "gossip", "name": "Ana", "message": "Hi"}, str(number))
            self.service.write(session, said)
        text = self.live().text
        for shown in (
            *("Session 1", "192.0.2.1 by websocket", "1 minute", "Own 1.0", "gossip, secret", "30: P0, P1", "P19 …"),
            *("1 of 3 unanswered", "All events", "12 of 100, 20 per second", "Messages", "10 of 10, 2 per second"),
            *("2 overruns; the session ends at 10", "Session 2", "Heartbeatsanswered"),
        ):
            self.assertIn(shown, text)
        meters = [each for tag, each in self.live().page.tags if tag == "meter"]
        self.assertEqual(
            [(each["aria-label"], each["value"], each["max"]) for each in meters][1], ("Messages", "10", "10")
        )
        self.assertIn("2 sessions", self.ana.get("/manage").text)

    def test_no_limit(self) -> None:
        """A rate without a limit has no meter."""
        limits = self.world.network.rules.limits
        rates = replace(limits.rates, global_=replace(limits.rates.global_, burst=0))
        self.world.network.rules.limits = replace(limits, rates=rates)
        self.service.join("Alpha")
        self.assertIn("no limit", self.live().text)

    def test_frames(self) -> None:
        """The last frames are shown, newest first, and what others wrote stays text."""
        self.live()
        session = self.service.join("Alpha", players=[HOSTILE], user_agent=HOSTILE)
        self.live()
        for name in (HOSTILE, "Bo"):
            said = {"channel": "gossip", "name": name, "message": HOSTILE}
            self.service.write(session, frame("channels/send", said))
        for path in ("/manage/Alpha/live", "/manage/Alpha", "/connect/Alpha/python"):
            answer = self.ana.get(path)
            for tag, attributes in answer.page.tags:
                self.assertNotIn("onmouseover", attributes)
                self.assertFalse(tag == "script" and not attributes.get("src"), path)
        shown = [json.loads(text) for text in re.findall(r'\{"event": "channels/send".*?\}\}', self.live().text)]
        self.assertEqual([each["payload"]["name"] for each in shown], ["Bo", HOSTILE])
        self.assertEqual(shown[0]["payload"]["message"], HOSTILE)

    def test_refused(self) -> None:
        """A refusal is shown with an explanation, and without the secret."""
        self.live()
        session = self.service.connect(peer="203.0.113.9")
        wrong = "11111111-2222-4333-8444-555555555555"
        sent = frame("authenticate", {**self.world.credentials("Alpha"), "client_secret": wrong})
        self.service.write(session, sent)
        answer = self.live()
        for shown in (
            "203.0.113.9",
            "invalid credentials",
            "its client_secret is another one",
            "After 20 wrong attempts",
        ):
            self.assertIn(shown, answer.text)
        self.assertNotIn(wrong, answer.body.decode())

    def test_reworded(self) -> None:
        """The explanation depends on the code of the error, not on its text."""
        reword(self)
        self.live()
        session = self.service.connect(peer="203.0.113.9")
        self.service.write(session, frame("authenticate", self.world.credentials("Alpha", supports=[])))
        answer = self.live()
        for shown in (REWORDED, 'at least "channels"'):
            self.assertIn(shown, answer.text)

    def test_restricted(self) -> None:
        """The owner sees the mutes and bans of the game."""
        game = self.world.game("Alpha")
        self.world.registry.enact(RestrictionSet(restriction("mute", game, "too loud", NOW + 60, "gossip")))
        self.world.registry.enact(RestrictionSet(restriction("ban", game, "over", NOW - 60)))
        self.world.registry.enact(GameSaved(replace(game, disabled=True)))
        text = self.live().text
        self.assertIn("disabled by an admin; muted until 2023-11-14T22:01:00Z: too loud (on gossip)", text)
        self.assertNotIn("banned", text)
        self.assertIn("disabled by an admin", self.ana.get("/manage").text)

    def test_watched(self) -> None:
        """Looking at the list, or at another owner's game, does not start watching a game."""
        self.ana.get("/manage")
        self.ana.get("/manage/Beta")
        self.ana.get("/connect/Alpha")
        self.assertEqual(self.service.watch.watched, {})
        self.ana.get("/manage/Alpha")
        self.assertEqual(list(self.service.watch.watched), [self.world.game("Alpha").client_id])


def restriction(kind: str, game: Game, reason: str, until: float, channel: str = "") -> Restriction:
    """A restriction of a game."""
    return Restriction(
        kind=kind, subject=game.client_id, channel=channel, until=until, reason=reason, set_by="Root", set_at=NOW
    )


def _boxes(answer: Answer) -> list[tuple[str, dict[str, str | None]]]:
    return [(str(each["name"]), each) for tag, each in answer.page.tags if each.get("type") == "checkbox"]
