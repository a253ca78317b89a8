"""The pages of owners of games, in a real browser: from nothing to a game that talks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from gossip.service.watch import STEPS
from gossip.web.pages.connect import PLACEHOLDER
from gossip.web.views.guides import GUIDES
from tests.support.browsing import BrowserTestCase
from tests.support.daemon import WITHIN, Game, environment, eventually, free_port
from tests.support.site_browser import HOSTILE

HEARTBEAT: Final = {"event": "heartbeat", "payload": {"players": ["Ana"]}}


class OwnerTestCase(BrowserTestCase):
    """Ana is signed in."""

    def setUp(self) -> None:
        super().setUp()
        self.sign_in()

    def register(self) -> dict[str, str]:
        """Register a game by the form; returns its credentials, as the page shows them."""
        self.open("/manage")
        self.fill(short_name="Mine", name="My MUD")
        self.send()
        shown = [each.text for each in self.tab.driver.find_elements("css selector", "dl.facts code")]
        return {"client_id": shown[1], "client_secret": shown[2]}

    def own(self) -> None:
        """Alpha is Ana's."""
        self.daemon.admin("game/edit", game="Alpha", owner="Ana")

    def connect(self) -> Game:
        """A socket is opened."""
        game = Game(self.daemon.url)
        self.addCleanup(game.close)
        return game

    def ticked(self) -> int:
        """How many steps are ticked off."""
        return len(self.tab.driver.find_elements("css selector", ".steps .done"))

    def wait_for(self, text: str) -> None:
        """Wait until a text is on the page."""
        eventually(lambda: text in self.tab.text, text)


class LiveTests(OwnerTestCase):
    """What changes while one looks."""

    def test_from_nothing(self) -> None:
        """A game is registered, connected with what the page shows, and ticked off step by step as it comes in."""
        credentials = self.register()
        self.open("/connect/Mine/python")
        eventually(self.is_live, "a live page")
        # The secret that was shown fills in the program, in this tab until the visit ends.
        program = "return [...document.querySelectorAll('pre code')].at(-1).textContent"
        self.assertIn(credentials["client_secret"], self.tab.run(program))
        self.assertNotIn(credentials["client_secret"], self.tab.run("return document.cookie + location.href"))
        self.assertEqual(self.ticked(), 0)
        game = self.connect()
        eventually(lambda: self.ticked() == 1, "the socket")
        game.authenticate(credentials, channels=["gossip", "testing"])
        game.write(HEARTBEAT)
        eventually(lambda: self.ticked() == 3, "the authentication and the heartbeat")
        self.say(game, "Hello")
        eventually(lambda: self.ticked() == 4, "the message")
        self.assertIn("echo answers", self.tab.text)
        game.ask("channels/send", {"channel": "testing", "name": "Ana", "message": "Hello"})
        game.ask("tells/send", {"from_name": "Ana", "to_game": "gossip", "to_name": "echo", "message": "Hello"})
        eventually(lambda: self.ticked() == 6, "what echo answers")
        self.wait_for("All done")
        self.open("/manage/Mine")
        eventually(self.is_live, "a live page")
        self.say(game, "Here I am")
        self.say(self.join("Beta"), "Welcome")
        self.wait_for("Welcome")
        self.assertIn("Here I am", self.tab.text)
        self.assertNotIn(credentials["client_secret"], self.tab.source)
        self.assertIn('"client_secret": "***"', self.tab.text)
        self.assertIn("Session 1", self.tab.text)
        game.close()
        self.wait_for("Not connected right now.")
        self.assertEqual(self.tab.complaints(), [])

    def test_rehearsal(self) -> None:
        """A restart is rehearsed, and ticked off when the game is back."""
        self.own()
        game = self.join("Alpha", players=["Ana"])
        self.open("/manage/Alpha")
        self.send('input[value="restart"] ~ button')
        eventually(self.is_live, "a live page")
        self.wait_for("Open: waiting until it is back")
        self.assertEqual(game.ended()[1], 1012)
        self.join("Alpha")
        self.wait_for("Yes: it came back after")
        self.assertEqual(self.tab.complaints(), [])
        self.open("/manage/Alpha")
        self.fill(player="Zed")
        self.send('input[value="tell"] ~ button')
        self.assertIn("this player is not signed in to the game", self.tab.text.lower())

    def test_refused(self) -> None:
        """A try with a wrong secret is told at once, with what to do."""
        self.own()
        self.open("/connect/Alpha/other")
        eventually(self.is_live, "a live page")
        game = self.connect()
        wrong = {**self.games["Alpha"], "client_secret": "0" * 36}
        game.write({"event": "authenticate", "payload": {**_known(wrong), "supports": ["channels"]}})
        game.ended()
        self.wait_for("The client_id is correct, but its client_secret is another one.")
        self.assertEqual(self.tab.complaints(), [])

    def test_hostile(self) -> None:
        """What others write is shown as they wrote it, and runs nothing."""
        self.own()
        self.open("/manage/Alpha")
        eventually(self.is_live, "a live page")
        game = self.join("Alpha", players=[HOSTILE], user_agent=HOSTILE)
        game.ask("channels/send", {"channel": "gossip", "name": HOSTILE, "message": HOSTILE + " end"})
        self.wait_for("onmouseover=x> end")
        scripts = self.tab.run("return [...document.querySelectorAll('script')].map(e => e.getAttribute('src'))")
        self.assertTrue(all(src and src.startswith("/static/") for src in scripts))
        self.assertEqual(self.tab.run("return document.querySelectorAll('main [onmouseover]').length"), 0)
        self.assertEqual(self.tab.complaints(), [])

    def test_pause(self) -> None:
        """The page can be paused for reading, and resumed."""
        self.own()
        self.open("/manage/Alpha")
        eventually(self.is_live, "a live page")
        button = self.tab.driver.find_element("css selector", ".live button")
        button.click()
        self.assertFalse(self.is_live())
        self.assertEqual(button.text, "Resume")
        self.say(self.join("Alpha"), "Meanwhile")
        self.assertNotIn("Meanwhile", self.tab.text)
        button.click()
        self.wait_for("Meanwhile")
        self.assertEqual(button.text, "Pause")

    def test_signed_out(self) -> None:
        """An owner whose visit was ended elsewhere is sent to the sign-in page."""
        self.own()
        self.open("/manage/Alpha")
        eventually(self.is_live, "a live page")
        self.tab.forget()
        eventually(lambda: self.path.startswith("/sign-in?back=/manage/Alpha"), "the page to sign in")

    def test_python(self) -> None:
        """The Python of the guide is a game: it says that it joined, says what is typed, and shows what it hears."""
        self.own()
        self.open("/connect/Alpha/python")
        beta = self.connect()
        beta.authenticate(self.games["Beta"], channels=["testing"], players=["Bo"])
        program = self.tab.run("return [...document.querySelectorAll('pre code')].at(-1).textContent")
        self.assertIn(PLACEHOLDER, program)
        running = self.run_program(program.replace(PLACEHOLDER, self.games["Alpha"]["client_secret"]))
        assert running.stdin is not None and running.stdout is not None
        self.assertEqual(running.stdout.readline(), b"joined as Alpha; type to talk on testing\n")
        running.stdin.write(b"\nHello!\n")
        running.stdin.flush()
        said = beta.expect("channels/broadcast")["payload"]
        self.assertEqual((said["name"], said["message"]), ("Ana", "Hello!"))
        self.assertEqual(running.stdout.readline(), b"[testing] echo@gossip: Ana@Alpha said: Hello!\n")
        message = {"channel": "testing", "name": "Bo", "message": "Hello, Ana"}
        self.assertEqual(beta.ask("channels/send", message)[0]["status"], "success")
        self.assertEqual(running.stdout.readline(), b"[testing] Bo@Beta: Hello, Ana\n")
        sent_at = "2026-01-01T00:00:00Z"
        tell = {"from_name": "Bo", "to_game": "Alpha", "to_name": "Ana", "sent_at": sent_at, "message": "psst"}
        self.assertEqual(beta.ask("tells/send", tell)[0]["status"], "success")
        self.assertEqual(running.stdout.readline(), b"Bo@Beta tells Ana: psst\n")
        eventually(lambda: self.ticked() == len(STEPS), "the steps")

    def test_python_alone(self) -> None:
        """It says why it cannot connect, and goes on trying; and that it was refused, after which it ends."""
        self.own()
        self.open("/connect/Alpha/python")
        program = self.tab.run("return [...document.querySelectorAll('pre code')].at(-1).textContent")
        address = f"ws://127.0.0.1:{free_port()}/socket"
        running = self.run_program(program.replace(self.daemon.url, address))
        assert running.stdout is not None
        complaint = running.stdout.readline().decode()
        self.assertTrue(complaint.startswith(f"cannot connect to {address}: "), complaint)
        self.assertIsNone(running.poll())
        running = self.run_program(program.replace(PLACEHOLDER, "x"))
        assert running.stdout is not None
        self.assertEqual(running.stdout.read(), b"refused: authenticate: invalid credentials\n")
        self.assertEqual(running.wait(WITHIN), 0)

    def run_program(self, program: str) -> subprocess.Popen[bytes]:
        """Run a program in Python, with pipes for what is typed and shown."""
        path = Path(self.mktemp())
        path.write_text(program)
        running = subprocess.Popen(
            [sys.executable, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment()
        )

        def end() -> None:
            running.kill()
            running.communicate()

        self.addCleanup(end)
        return running


class WithoutScriptsTests(OwnerTestCase):
    """Everything without JavaScript."""

    def test_all(self) -> None:
        """A game is registered, described, looked at, given a new secret and removed."""
        self.tab.scripts(allowed=False)
        credentials = self.register()
        game = self.connect()
        game.authenticate(credentials, channels=["gossip"])
        driver = self.tab.driver
        self.open("/connect/Mine/evennia")
        self.assertEqual(self.ticked(), 2)
        self.say(game, "Hello")
        driver.find_element("css selector", ".live a").click()
        eventually(
            lambda: "First message (done)" in self.tab.source.replace('</b> <span class="visually-hidden">', " "),
            "the tick",
        )
        self.open("/manage/Mine")
        self.send('input[value="message"] ~ button')
        self.assertEqual(game.expect("channels/broadcast")["payload"]["name"], "echo")
        self.assertIn("waiting until it answers a heartbeat", self.tab.text)
        self.open("/manage/Mine/profile")
        self.fill(tagline="A quiet place", connections="telnet://mud.example:4000")
        self.send('form[action="/manage/Mine/profile"] button.main')
        self.assertEqual(self.path, "/manage/Mine/profile?done=saved")
        self.assertIn("A quiet place", self.tab.source)
        self.open("/manage/Mine/credentials")
        driver.find_element("css selector", '[popovertarget="new-secret"]').click()
        self.send('form[action="/manage/Mine/secret"] button.main')
        self.assertEqual(self.path, "/manage/Mine/secret")
        self.assertIn("Save these credentials", self.tab.source)
        self.open("/manage/Mine/danger")
        driver.find_element("css selector", 'input[name="sure"]').click()
        self.send('form[action="/manage/Mine/remove"] button')
        self.assertEqual(self.path, "/manage?done=removed")
        self.assertIn("You have not registered a game yet", self.tab.source)
        self.assertEqual(game.ended()[1], 4000)

    def test_wrong(self) -> None:
        """What was typed wrongly stays, with the reason, and has the focus."""
        self.tab.scripts(allowed=False)
        self.open("/manage")
        self.fill(short_name="Alpha", name="My MUD")
        self.send()
        self.assertIn("the short name Alpha is taken", self.tab.source)
        field = self.tab.driver.switch_to.active_element
        self.assertEqual((field.get_attribute("name"), field.get_attribute("value")), ("short_name", "Alpha"))


class EveryPageTests(OwnerTestCase):
    """What holds on every page of an owner."""

    def setUp(self) -> None:
        super().setUp()
        self.own()
        ways = [{"type": "telnet", "host": "a" * 60 + ".example", "port": 4000}]
        self.daemon.admin("game/edit", game="Alpha", description="word " * 300, tagline="x" * 70, connections=ways)
        game = self.join(players=[f"{number}" + "P" * 60 for number in range(30)], user_agent="W" * 150)
        self.open("/manage/Alpha")
        for text in ("W" * 900, HOSTILE, "💬 ünïcödé " * 20):
            self.say(game, text)
        for number in range(12):
            game.ask("channels/subscribe", {"channel": "x" * 300}, str(number))
        refused = self.connect()
        refused.write({"event": "authenticate", "payload": {**_known(self.games["Alpha"]), "supports": ["W" * 300]}})
        refused.ended()

    def test_good(self) -> None:
        """Every page fits, has its colours, is accessible, and makes the browser complain of nothing."""
        parts = [f"/manage/Alpha{part}" for part in ("", "/profile", "/credentials", "/danger")]
        self.assertGood(["/manage", *parts, "/connect", *(f"/connect/Alpha/{name}" for name in GUIDES)])

    def test_ownerless(self) -> None:
        """So are the pages of an admin with games that belong to nobody, which can be taken without JavaScript."""
        self.daemon.register("Gamma")
        self.tab.forget()
        self.sign_in("Root", admin=True)
        self.assertGood(["/manage", "/connect", "/connect/diku"])
        self.tab.scripts(allowed=False)
        self.open("/connect")
        self.send("main li form button")
        self.assertEqual(self.path, "/connect?done=taken")
        self.assertIn("/connect/Beta/evennia", self.tab.source)

    def test_credentials(self) -> None:
        """So is the page that is shown once, and one with a mistake on it."""
        self.open("/manage/Alpha/credentials")
        self.tab.driver.find_element("css selector", '[popovertarget="new-secret"]').click()
        self.assertAccessible("the question")
        self.send('form[action="/manage/Alpha/secret"] button.main')
        for width, scheme in ((360, "dark"), (1280, "light")):
            self.tab.look(width, scheme)
            self.assertFits(width, scheme, self.path)
            self.assertAccessible(self.path)
        self.open("/manage")
        self.fill(short_name="Beta", name="x")
        self.send()
        self.assertAccessible("a mistake")


def _known(game: dict[str, Any]) -> dict[str, Any]:
    return {name: game[name] for name in ("client_id", "client_secret")}
