"""Several real daemons on a real PostgreSQL: one network to everybody."""

from __future__ import annotations

import re
import signal
import socket
from contextlib import closing
from http.client import HTTPConnection, HTTPResponse
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import create_engine, text
from twisted.trial.unittest import SynchronousTestCase
from websockets.exceptions import InvalidMessage

from gossip import __version__
from gossip.cli.daemon import Failed
from gossip.store.schema import VERSION_TABLE
from gossip.transports.intermud3.mudmode import frame
from tests.support.daemon import WITHIN, Daemon, Frame, Game, eventually, free_port
from tests.support.databases import OnPostgreSQL
from tests.support.world import FLAGS

CONFIG = """
[cluster]
lease_seconds = 3.0
"""


class NodesTests(OnPostgreSQL, SynchronousTestCase):
    """Two nodes, with games on both."""

    def setUp(self) -> None:
        super().setUp()
        self.a, self.b = self.node("a"), self.node("b")

    def node(self, name: str, before: str = "", more: str = "") -> Daemon:
        """
        Start a node.

        @param before: what else stands at the begin of its configuration file.
        @param more: what else stands at its end.
        """
        assert self.url is not None
        daemon = Daemon(before + CONFIG + more, ("--node", name, "--database", self.url))
        self.addCleanup(daemon.close)
        return daemon.start()

    def join(self, node: Daemon, game: Frame, **more: Any) -> Game:
        """A game joins a node."""
        joined = Game(node.url)
        self.addCleanup(joined.close)
        joined.authenticate(game, **more)
        return joined

    def register(self, name: str) -> Frame:
        """Register a game on one node; the other knows it at once."""
        return self.a.register(name)

    def test_talk(self) -> None:
        """Games on two nodes hear each other, see each other's players, and tell each other something."""
        alpha, beta = self.register("Alpha"), self.register("Beta")
        first = self.join(self.a, alpha, channels=["gossip"], players=["Ana"])
        other = self.join(self.b, beta, channels=["gossip"], players=["Bo"])
        self.assertEqual(first.expect("games/connect")["payload"], {"game": "Beta"})
        said = {"channel": "gossip", "name": "Ana", "message": "Hello!"}
        self.assertEqual(first.ask("channels/send", said)[-1]["status"], "success")
        heard = other.expect("channels/broadcast")["payload"]
        self.assertEqual(heard, {"channel": "gossip", "game": "Alpha", "name": "Ana", "message": "Hello!"})
        (status,) = other.ask("players/status", {"game": "Alpha"})
        self.assertEqual(status["payload"]["players"], ["Ana"])
        tell = {
            "from_name": "Bo",
            "to_game": "Alpha",
            "to_name": "Ana",
            "message": "psst",
            "sent_at": "2026-01-01T00:00:00Z",
        }
        self.assertEqual(other.outcome("tells/send", tell), "success")
        self.assertEqual(first.expect("tells/receive")["payload"]["message"], "psst")
        self.assertEqual(other.ask("players/sign-in", {"name": "Cy"})[-1]["status"], "success")
        self.assertEqual(first.expect("players/sign-in")["payload"], {"game": "Beta", "name": "Cy"})

    def test_numbers(self) -> None:
        """Both nodes give the same numbers, in one order, and history has them."""
        alpha, beta = self.register("Alpha"), self.register("Beta")
        more: dict[str, Any] = {"channels": ["gossip"], "supports": [*FLAGS, "history"]}
        first, other = self.join(self.a, alpha, **more), self.join(self.b, beta, **more)
        said = {"channel": "gossip", "name": "Ana", "message": "Hello!"}
        for number in range(6):
            sender = first if number % 2 else other
            answers = sender.ask("channels/send", said)
            self.assertIn("success", [each.get("status") for each in answers])
        (history,) = [
            each for each in first.ask("channels/history", {"channel": "gossip"}) if each["event"] == "channels/history"
        ]
        numbers = [each["seq"] for each in history["payload"]["messages"]]
        self.assertEqual((len(numbers), numbers), (6, sorted(set(numbers))))
        told = [
            each for each in other.ask("channels/history", {"channel": "gossip"}) if each["event"] == "channels/history"
        ]
        self.assertEqual([each["seq"] for each in told[0]["payload"]["messages"]], numbers)

    def test_admin(self) -> None:
        """What an admin does on one node holds on the other: a ban ends sessions there, a name is taken at once."""
        alpha = self.register("Alpha")
        game = self.join(self.b, alpha, channels=["gossip"])
        self.a.admin("ban/add", who="Alpha", reason="spam")
        frames, code, _ = game.ended()
        self.assertEqual((frames[-1]["error"], code), ("banned: spam", 4000))
        with self.assertRaises(Exception) as caught:
            self.b.register("Alpha")
        self.assertIn("taken", str(caught.exception))
        for number in range(4):
            (self.a, self.b)[number % 2].register(f"Game{number}")
        eventually(lambda: self.b.status()["health"] == "ok", "a healthy node")

    def test_killed(self) -> None:
        """What a killed node acknowledged is stored; its games can come back elsewhere."""
        alpha, beta = self.register("Alpha"), self.register("Beta")
        game = self.join(self.a, alpha, channels=["gossip"], players=["Ana"])
        other = self.join(self.b, beta, channels=["gossip"])
        acknowledged = []
        game.hear()
        for number in range(8):
            said = {"channel": "gossip", "name": "Ana", "message": f"message {number}"}
            if game.ask("channels/send", said)[-1]["status"] == "success":
                acknowledged.append(f"message {number}")
        self.a.stop(signal.SIGKILL)
        heard = [other.expect("channels/broadcast")["payload"]["message"] for _ in acknowledged]
        self.assertEqual(heard, acknowledged)
        self.b.logged("node a is gone")
        status = other.ask("players/status", {"game": "Alpha"})[-1]
        self.assertEqual(status["payload"]["players"], [])
        again = self.join(self.b, alpha, channels=["gossip"])
        self.assertEqual(
            again.outcome("channels/send", {"channel": "gossip", "name": "Ana", "message": "back"}), "success"
        )
        told = other.expect("channels/broadcast")["payload"]["message"]
        self.assertEqual(told, "back")

    def test_rolling(self) -> None:
        """A node that is stopped leaves at once, and begins anew under its name; nobody is told that its games left."""
        alpha, beta = self.register("Alpha"), self.register("Beta")
        game = self.join(self.a, alpha, channels=["gossip"])
        other = self.join(self.b, beta, channels=["gossip"])
        self.assertEqual(self.a.stop(), 0)
        self.assertEqual(game.ended()[1], 1012)
        self.b.logged("node a is gone")
        back = self.join(self.b, alpha, channels=["gossip"])
        self.a.start()
        self.b.logged("node a joined", times=1)
        said = {"channel": "gossip", "name": "Ana", "message": "Here again"}
        self.assertEqual(back.ask("channels/send", said)[-1]["status"], "success")
        told = [each for each in other.hear() if each["event"] != "games/connect"]
        self.assertEqual([each["event"] for each in told], ["channels/broadcast"])
        self.assertEqual(other.ask("games/status")[-1]["payload"]["game"], "Alpha")

    def test_stopped_in_its_tracks(self) -> None:
        """A node that stands still is taken for dead; when it wakes up it joins anew, and its games are still there."""
        alpha, beta = self.register("Alpha"), self.register("Beta")
        game = self.join(self.a, alpha, channels=["gossip"])
        other = self.join(self.b, beta, channels=["gossip"])
        self.a.send_signal(signal.SIGSTOP)
        self.b.logged("node a is gone")
        self.a.send_signal(signal.SIGCONT)
        self.a.logged("hears the others", times=2)
        said = {"channel": "gossip", "name": "Ana", "message": "I am awake"}
        answers = game.ask("channels/send", said)
        self.assertEqual(answers[-1]["status"], "success")
        self.assertEqual(other.expect("channels/broadcast")["payload"]["message"], "I am awake")

    def all_at_once(self, games: list[Game], event: str, *payloads: Frame) -> list[Frame]:
        """All games send the same requests, before any of them reads an answer; returns the answers."""
        for game in games:
            for payload in payloads:
                game.write({"event": event, "ref": "r", "payload": payload})
        return [game.expect(event) for game in games for _ in payloads]

    def test_points(self) -> None:
        """The 500 points hold over sessions on two nodes, and nobody is told to try again."""
        alpha = self.register("Alpha")
        games = [self.join(node, alpha) for node in (self.a, self.b) * 2]
        wanted = [{"title": f"No. {number}", "points": 40} for number in range(8)]
        answers = self.all_at_once(games, "achievements/create", *wanted)
        refused = [answer["payload"].get("errors", answer) for answer in answers if answer["status"] == "failure"]
        self.assertEqual(refused, [{"points": ["no points left"]}] * 20)
        for game in games:
            pages = [each["payload"] for each in game.ask("achievements/sync")]
            self.assertEqual(sum(each["points"] for page in pages for each in page["achievements"]), 480)

    def test_reports_at_once(self) -> None:
        """Reports that are made on two nodes at once have numbers of their own, without a gap."""
        alpha = self.register("Alpha")
        games = [self.join(node, alpha) for node in (self.a, self.b) * 2]
        report = {"game": "Alpha", "from": "Ana", "reason": "spam"}
        for which, game in enumerate(games):
            game.write({"event": "reports/create", "ref": "r", "payload": {**report, "name": f"Bo{which}"}})
        answers = [game.expect("reports/create") for game in games]
        self.assertEqual([each.get("error") for each in answers], [None] * 4)
        numbers = [each["payload"]["report"] for each in answers]
        self.assertEqual(sorted(numbers), [1, 2, 3, 4])

    def test_nodes(self) -> None:
        """An admin sees all nodes and the sessions of all, tells all games of a restart, and can end a node."""
        alpha, beta = self.register("Alpha"), self.register("Beta")
        games = [self.join(self.a, alpha, players=["Ana", "Cy"]), self.join(self.b, beta, players=["Bo"])]
        games[1].ask("channels/unsubscribe", {"channel": "x"})
        for node in (self.a, self.b):
            eventually(lambda: len(node.admin("node/list")["nodes"]) == 2, "two nodes")  # noqa: B023
        listed = [
            (each["name"], each["here"], each["sessions"], each["players"], each["differs"])
            for each in self.a.admin("node/list")["nodes"]
        ]
        self.assertEqual(listed, [("a", True, 1, 2, False), ("b", False, 1, 1, False)])
        shown = self.b.gossipctl_text("node", "list")
        self.assertEqual([line.split()[0] for line in shown.splitlines()], ["NODE", "a", "b"])
        self.assertIn("b (this one)", shown)
        status = self.b.status()
        self.assertEqual((status["node"], status["nodes"], status["sessions"]), ("b", ["a", "b"], 2))
        for node in (self.a, self.b):
            sessions = node.gossipctl("sessions")["sessions"]
            self.assertEqual([(each["game"], each["node"]) for each in sessions], [("Alpha", "a"), ("Beta", "b")])
        self.a.admin("restart-notice", seconds=100)
        for game in games:
            self.assertIn(game.expect("restart")["payload"]["downtime"], range(95, 106))
        for name, why in (("nobody", "no such node"), ("a", "this is the node that you ask")):
            with self.assertRaises(Failed) as caught:
                self.a.admin("node/end", name=name)
            self.assertIn(why, str(caught.exception))
        self.a.admin("node/end", name="b")
        self.b.logged("hears the others", times=2)
        self.a.logged("node b joined", times=2)

    def test_drain(self) -> None:
        """A node that drains says so everywhere, and hangs up on new games; those that are there stay."""
        game = self.join(self.b, self.register("Alpha"))
        self.b.admin("node/drain")
        self.assertEqual((self.b.get("/health").status, self.a.get("/health").status), (503, 200))
        self.assertEqual(self.b.status()["health"], "draining")

        def shown() -> dict[str, bool]:
            return {each["name"]: each["draining"] for each in self.a.admin("node/list")["nodes"]}

        eventually(lambda: shown() == {"a": False, "b": True}, "a node that drains")
        self.assertIn("draining", self.a.gossipctl_text("node", "list"))
        with self.assertRaises((EOFError, OSError, InvalidMessage)):
            Game(self.b.url)
        self.assertEqual(game.ask("players/status", {"game": "Alpha"})[-1]["payload"]["game"], "Alpha")
        self.b.admin("node/drain", end=True)
        self.assertEqual(self.b.get("/health").status, 200)
        eventually(lambda: shown() == {"a": False, "b": False}, "a node that takes games")
        self.join(self.b, self.register("Beta"))

    def test_drain_ports(self) -> None:
        """A node that drains takes no game by telnet, IMC2 and Intermud-3 either; each ends as its protocol needs."""
        ports = {name: free_port() for name in ("telnet", "imc2", "i3")}
        telnet, imc2, i3 = (f'["tcp:{port}:interface=127.0.0.1"]' for port in ports.values())
        node = self.node("c", before=f"telnet = {telnet}\n", more=f"[imc2]\nlisten = {imc2}\n[i3]\nlisten = {i3}\n")
        game = self.register("Alpha")
        key = node.admin("game/key", game="Alpha")["key"]
        password = node.admin("game/i3", game="Alpha", name="Alpha Mud")["password"]
        about = ["Lib", "Lib", "Driver", "LPMud", "open", "ana@example.org", {"tell": 1}, 0]
        logins = {
            "telnet": f"LOGIN {game['client_id']} {game['client_secret']}\r\n".encode(),
            "imc2": f"PW Alpha {key} version=2 autosetup x\n\r".encode(),
            "i3": frame(["startup-req-3", 5, "Alpha Mud", 0, "*gossip", 0, int(password), 0, 0, 4000, 0, 0, *about]),
        }

        def told(port: str) -> bytes:
            """What a game is told that logs in at a port, up to the answer or the end."""
            with socket.create_connection(("127.0.0.1", ports[port]), WITHIN) as connection:
                connection.sendall(logins[port])
                heard = b""
                while not re.search(b"OK LOGIN|^PW |startup-reply", heard):
                    try:
                        read = connection.recv(65536)
                    except ConnectionResetError:
                        return heard + b"RST"
                    if not read:
                        return heard + b"FIN"
                    heard += read
                return heard

        for port, welcome in (("telnet", b"OK LOGIN Alpha"), ("imc2", b"PW Gossip x"), ("i3", b"startup-reply")):
            self.assertIn(welcome, told(port))
        node.admin("node/drain")
        self.assertRegex(told("telnet"), b"\r\nBYE 503 no new games here: connect again\r\nFIN$")
        self.assertEqual((told("imc2"), told("i3")), (b"RST", b"RST"))
        eventually(lambda: node.status()["connections"] == dict.fromkeys(("websocket", *ports), 0), "nobody there")
        node.admin("node/drain", end=True)
        self.assertIn(b"OK LOGIN Alpha", told("telnet"))

    def test_newer_schema(self) -> None:
        """A node ends at its start if a newer one has upgraded the schema, and says what to install."""
        engine = create_engine(self.behind)
        with engine.begin() as connection:
            connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))
        engine.dispose()
        late = Daemon(CONFIG, (*self.b.arguments[:1], "c", *self.b.arguments[2:]))
        self.addCleanup(late.close)
        late.launch()
        self.assertEqual(late.wait(), 1)
        self.assertIn(f": install the version here that node b runs (gossip {__version__})\n", late.log)
        self.assertNotIn("Traceback", late.log)
        self.join(self.b, self.register("Alpha"))

    def test_settings_that_differ(self) -> None:
        """A node with other settings is told of, and marked."""
        self.b.configure(CONFIG + "[limits]\nchannels = 7\n")
        self.b.send_signal(signal.SIGHUP)
        self.a.logged("node b has other settings")
        marked = {each["name"]: each["differs"] for each in self.a.admin("node/list")["nodes"]}
        self.assertEqual(marked, {"a": False, "b": True})

    def browse(self, node: Daemon, path: str, cookies: dict[str, str], **form: str) -> tuple[int, str]:
        """A browser asks a node for a page, or sends a form; it keeps its cookies. Returns the status and the body."""
        body = urlencode(form) if form else None
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())} if cookies else {}
        if form:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        with closing(HTTPConnection("127.0.0.1", node.port, timeout=WITHIN)) as connection:
            connection.request("POST" if form else "GET", path, body, headers)
            answer = connection.getresponse()
            for line in answer.headers.get_all("Set-Cookie", ()):
                cookies.update({name: morsel.value for name, morsel in SimpleCookie(line).items()})
            return answer.status, answer.read().decode()

    def token(self, page: str) -> str:
        """The token of the forms of a page."""
        found = re.search('name="csrf" value="([^"]*)"', page)
        assert found is not None, page
        return found[1]

    def test_cookies(self) -> None:
        """A browser that signs in or out on one node has done so on the other at once, and its forms are good there."""
        browser: dict[str, str] = {}
        link = self.a.admin("account/add", name="Root", admin=True)["link"]
        page = self.browse(self.a, link, browser)[1]
        password = "correct horse battery"
        status, _ = self.browse(self.a, link, browser, csrf=self.token(page), password=password, again=password)
        self.assertEqual(status, 303)
        for number in range(6):
            node, other = (self.a, self.b) if number % 2 else (self.b, self.a)
            status, page = self.browse(node, "/account", browser)
            self.assertEqual(status, 200)
            self.assertEqual(self.browse(other, "/sign-out", browser, csrf=self.token(page))[0], 303)
            self.assertEqual(self.browse(node, "/account", dict(browser))[0], 303)
            page = self.browse(node, "/sign-in", browser)[1]
            fields = {"name": "Root", "password": password}
            self.assertEqual(self.browse(other, "/sign-in", browser, csrf=self.token(page), **fields)[0], 303)

    def test_at_once(self) -> None:
        """What an admin allows on one node holds on the other in the same moment: nothing is refused in between."""
        for number in range(4):
            here, there = (self.a, self.b) if number % 2 else (self.b, self.a)
            name = f"Game{number}"
            game = self.join(there, here.register(name), channels=["gossip"])
            secret = there.admin("game/rotate", game=name)
            here.admin("game/disable", game=name)
            game.ended()
            there.admin("game/enable", game=name)
            game = self.join(here, secret, channels=["gossip"])
            there.admin("mute/add", who=f"Ana@{name}", reason="spam")
            here.admin("mute/remove", who=f"Ana@{name}")
            again = self.join(there, secret, channels=["gossip"])
            here.admin("mute/add", who=f"Ana@{name}", reason="spam")
            there.admin("mute/remove", who=f"Ana@{name}")
            said = {"channel": "gossip", "name": "Ana", "message": "Hello!"}
            self.assertEqual(game.ask("channels/send", said)[-1].get("error"), None)
            self.assertEqual(again.ask("channels/send", said)[-1].get("error"), None)
            game.close()
            again.close()
            account = f"Owner{number}"
            link = here.admin("account/add", name=account)["link"]
            self.assertEqual(self.browse(there, link, {})[0], 200)
            self.assertEqual(self.browse(here, f"/games/{name}", {})[0], 200)

    def owner(self) -> dict[str, str]:
        """The cookies of an admin, who may look at all games."""
        browser: dict[str, str] = {}
        link = self.a.admin("account/add", name="Root", admin=True)["link"]
        page = self.browse(self.a, link, browser)[1]
        password = "correct horse battery"
        self.browse(self.a, link, browser, csrf=self.token(page), password=password, again=password)
        return browser

    def test_owner(self) -> None:
        """An owner at one node watches a game at the other, and rehearses with it."""
        alpha, browser = self.register("Alpha"), self.owner()

        def live(text: str) -> str:
            found = eventually(lambda: text in (page := self.browse(self.a, path, browser)[1]) and page, text)
            assert isinstance(found, str)
            return found

        path = "/manage/Alpha/live"
        live("Waiting for your game to open a socket.")
        refused = Game(self.b.url)
        self.addCleanup(refused.close)
        refused.write({"event": "authenticate", "payload": {**alpha, "client_secret": "x", "supports": ["channels"]}})
        refused.ended()
        live("its client_secret has 1 characters instead of 36")
        game = self.join(self.b, alpha, channels=["testing"], players=["Ana"])
        live("Authenticated. Waiting for your game to answer a heartbeat.")
        game.write({"event": "heartbeat", "payload": {"players": ["Ana"]}})
        game.ask("channels/send", {"channel": "testing", "name": "Ana", "message": "Can you see me?"})
        live("Can you see me?")
        rehearsed = self.a.admin("game/rehearse", game="Alpha", step="tell", no_wait=True)
        self.assertEqual(rehearsed["steps"][0]["outcome"], "waiting until it answers a heartbeat")
        self.assertEqual(game.expect("tells/receive")["payload"]["from_name"], "echo")
        live("echo@gossip told Ana")

    def test_attempts(self) -> None:
        """Wrong passwords count on all nodes together."""
        self.a.admin("account/add", name="Root", admin=True)
        browser: dict[str, str] = {}
        token = self.token(self.browse(self.a, "/sign-in", browser)[1])
        statuses = [
            self.browse(node, "/sign-in", browser, csrf=token, name="Root", password="wrong")[0]
            for node in (self.a, self.b) * 6
        ]
        self.assertEqual((statuses[:10], statuses[-1]), ([422] * 10, 429))

    def test_extensions(self) -> None:
        """What games with extensions are told, they are told on every node; echo answers where it is asked."""
        extensions = ["directory", "moderation"]
        more: dict[str, Any] = {"channels": ["gossip", "testing"], "extensions": extensions}
        games = [self.join(self.a, self.register("Alpha"), players=["Ana"], **more)]
        games.append(self.join(self.b, self.register("Beta"), **more))
        games[0].expect("games/connect")
        for node in (self.a, self.b):
            description = f"From {node.arguments[1]}"
            node.admin("channel/describe", channel="gossip", description=description)
            for game in games:
                changed = game.expect("channels/changed")["payload"]
                self.assertEqual((changed["change"], changed["description"]), ("described", description))
        for game in games:
            (answer,) = game.ask("channels/list")
            counts = {each["channel"]: each["games"] for each in answer["payload"]["channels"]}
            self.assertEqual((counts["gossip"], counts["testing"]), (2, 2))
        self.b.admin("mute/add", who="Ana@Alpha", reason="shouting")
        self.assertEqual(games[0].expect("moderation/notice")["payload"]["reason"], "shouting")
        self.b.admin("mute/remove", who="Ana@Alpha")
        self.assertEqual(games[0].expect("moderation/notice")["payload"]["kind"], "lifted")
        said = {"channel": "testing", "name": "Ana", "message": "hello"}
        heard = [each.get("payload", {}).get("name") for each in games[0].ask("channels/send", said)]
        self.assertEqual(heard, [None, "echo"])
        message = games[1].expect("channels/broadcast")["payload"]
        self.assertEqual(message["name"], "Ana")
        self.b.admin("message/remove", id=message["id"], reason="slur")
        for game in games:
            removed = game.expect("channels/removed")["payload"]
            self.assertEqual((removed["id"], removed["reason"]), (message["id"], "slur"))
        self.assertEqual([each["event"] for each in games[1].hear()], [])

    def test_live_pages(self) -> None:
        """A page that follows a channel goes on at another node where it was, and is told of removals."""
        alpha = self.register("Alpha")
        self.a.admin("channel/publish", channel="gossip")
        game = self.join(self.a, alpha, channels=["gossip"], supports=[*FLAGS, "history"])
        last = ""
        for number, node in enumerate((self.b, self.a, self.b)):
            with closing(HTTPConnection("127.0.0.1", node.port, timeout=WITHIN)) as connection:
                connection.request("GET", "/chat/gossip/live", headers={"Last-Event-ID": last} if last else {})
                stream = connection.getresponse()
                self.assertEqual(stream.status, 200)
                if last:
                    # Said between the two.
                    last = self.follow(stream, f"missed {number}")
                said = {"channel": "gossip", "name": "Ana", "message": f"live {number}"}
                game.ask("channels/send", said)
                last = self.follow(stream, f"live {number}")
                self.a.admin("message/remove", id=f"gossip:{last}", reason="because")
                self.follow(stream, "because")
                game.ask("channels/send", {**said, "message": f"missed {number + 1}"})

    def follow(self, stream: HTTPResponse, text: str) -> str:
        """Read what a live page is sent up to this text; returns the number of the last event."""
        last = ""
        while text not in (line := stream.readline().decode()):
            self.assertTrue(line, f"the stream ended before {text}")
            last = line.removeprefix("id:").strip() if line.startswith("id:") else last
        return last

    def test_gossipctl_without_its_node(self) -> None:
        """gossipctl on the machine of a node that is stopped changes the network beside the others, which hear it."""
        assert self.url is not None
        beta = self.register("Beta")
        game = self.join(self.b, beta, channels=["gossip"], extensions=["directory"])
        self.a.stop()
        for command in ("channel", "describe", "gossip", "Elsewhere"), ("channel", "list"), ("backup", "saved"):
            with self.assertRaises(AssertionError) as caught:
                self.a.gossipctl(*command)
            self.assertIn("is the data directory of the node a, which does not run", str(caught.exception))
        self.assertEqual(list(self.a.data.glob("gossip.db*")), [])
        self.a.environment.update(GOSSIP_DATABASE=self.url, GOSSIP_NODE="a")
        for number in range(2):
            self.a.gossipctl("channel", "describe", "gossip", f"From a machine {number}")
            self.assertEqual(game.expect("channels/changed")["payload"]["description"], f"From a machine {number}")
            self.b.admin("channel/describe", channel="gossip", description=f"From a node {number}")
            game.expect("channels/changed")
        alpha = self.a.gossipctl("game", "add", "The Alpha", "--short", "Alpha")
        self.join(self.b, alpha)
        del self.a.environment["GOSSIP_NODE"]
        with self.assertRaises(AssertionError) as caught:
            self.a.gossipctl("game", "disable", "Alpha")
        self.assertIn("is used by several daemons (nodes): stop them, or be one of them (node)", str(caught.exception))

    def test_alone_again(self) -> None:
        """The data directory of a node can be that of a daemon that is alone, and is nobody else's then."""
        self.a.stop()
        alone = Daemon("", data=self.a.data)
        self.addCleanup(alone.close)
        alone.start().stop()
        self.assertEqual(len(alone.gossipctl("channel", "list")["channels"]), 2)

    def test_ready(self) -> None:
        """systemd is told that a node is ready when games can join it: then the next one may be stopped."""
        self.a.stop()
        address = str(self.a.directory / "notify")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
            systemd.settimeout(WITHIN)
            systemd.bind(address)
            self.a.environment["NOTIFY_SOCKET"] = address
            self.a.launch()
            self.assertEqual(systemd.recv(100), b"READY=1")
            self.assertEqual(self.a.get("/health").status, 200)
            self.assertEqual(self.a.log.count("node a hears the others"), 2)

    def test_same_name(self) -> None:
        """A second node of a name does not start, and neither does a daemon that is alone."""
        assert self.url is not None
        for arguments, why in (
            (("--node", "a"), "another daemon is the node a"),
            ((), "is used by several daemons (nodes): stop them, or be one of them"),
        ):
            daemon = Daemon("", (*arguments, "--database", self.url))
            self.addCleanup(daemon.close)
            daemon.launch()
            self.assertEqual(daemon.wait(), 1)
            self.assertIn(why, daemon.log)

    def test_logs(self) -> None:
        """Nothing of all this leaves a traceback."""
        for daemon in (self.a, self.b):
            daemon.stop()
            self.assertNotIn("Traceback", Path(daemon.directory / "log").read_text())
