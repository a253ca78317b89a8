"""gossipctl with a store on disk, with a daemon at a socket, and in a process of its own."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import pwd
import shlex
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import inlineCallbacks
from twisted.internet.endpoints import UNIXServerEndpoint
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import SkipTest, SynchronousTestCase, TestCase

from gossip.registry.changes import MessageSaid, ReportMade
from gossip.registry.entities import Report
from gossip.store.store import Store
from gossip.web.api.admin_api import admin_site, said_json
from gossip.web.settings import WebRules
from tests.support.command_line import run
from tests.support.memory_service import CountingTransport, MemoryService
from tests.support.memory_store import COPY
from tests.support.world import NOW, uuid


class OfflineTests(SynchronousTestCase):
    """Commands that work without a daemon."""

    def setUp(self) -> None:
        self.data = os.path.join(self.mktemp(), "data")

    def run_(self, *argv: str) -> tuple[int, str, str]:
        return run("--data", self.data, *argv)

    def json(self, *argv: str) -> Any:
        """The one object that a command prints."""
        code, out, err = self.run_("--json", *argv)
        self.assertEqual((code, err, out.count("\n")), (0, "", 1), err)
        return json.loads(out)

    def test_search(self) -> None:
        """Everything that was said is searched; what a message has in it cannot move the cursor."""
        with contextlib.closing(Store.open(None, self.data)) as store:
            for seq, text in enumerate(("The café", "A dragon \x1b[31m", "/me waves"), 1):
                store.apply(MessageSaid("gossip", seq, uuid(1), "Alpha", "Ana", text, 1795132800.0 + seq))
        code, out, err = self.run_("search", "the", "CAFE", "--channel", "gossip")
        self.assertEqual(
            (code, out.splitlines()[1:], err), (0, ["gossip:1  2026-11-20 00:00  [gossip] Ana@Alpha: The café"], "")
        )
        _, out, _ = self.run_("search", "--name", "ana", "--to", "2026-11-20", "--from", "2026-11-20")
        self.assertEqual([line.split()[0] for line in out.splitlines()], ["ID", "gossip:3", "gossip:2", "gossip:1"])
        self.assertNotIn("\x1b", out)
        self.assertEqual(
            [each["id"] for each in self.json("search", "drag*", "--limit", "1")["messages"]], ["gossip:2"]
        )
        self.assertEqual(self.run_("search", "unicorn"), (0, "Nothing was found.\n", ""))
        for argv in (("search",), ("search", "?"), ("search", "x", "--from", "yesterday")):
            self.assertNotEqual(self.run_(*argv)[0], 0, argv)

    def test_game_add(self) -> None:
        """The first game creates the store, and its credentials are printed as one object."""
        added = self.json("game", "add", "My MUD", "--short", "MyMUD", "--hidden", "--hide-players")
        self.assertEqual(list(added), ["name", "short_name", "client_id", "client_secret", "owner", "link", "address"])
        self.assertEqual(added["address"], "http://127.0.0.1:4110/connect")
        self.assertEqual((added["name"], added["short_name"]), ("My MUD", "MyMUD"))
        with contextlib.closing(Store.open(None, self.data)) as store:
            game = store.load().authenticate(added["client_id"], added["client_secret"], NOW)
        assert game is not None
        self.assertEqual((game.hidden, game.hides_players), (True, True))

    def test_new_directory(self) -> None:
        """Whoever is in another directory than the daemon is told that a new network was begun there."""
        told = f"No daemon runs for {self.data}: it was created, and waits for one.\n"
        self.assertEqual(self.run_("channel", "create", "staff")[2], told)
        self.assertEqual(self.run_("channel", "create", "news")[2], "")

    def test_game_for_shell(self) -> None:
        """
        For a shell there is one line on standard output. The person sees beside it whose game it is: that of the only
        admin.
        """
        self.run_("account", "add", "Boss", "--admin")
        code, out, err = self.run_("game", "add", "My MUD", "--short", "MyMUD", "--shell")
        self.assertEqual((code, out.count("\n"), err.count("\n")), (0, 1, 2))
        self.assertTrue(out.startswith("export GOSSIP_CLIENT_ID="), out)
        self.assertIn("My MUD (MyMUD): its credentials are in this shell.\nIt belongs to the account Boss.", err)
        out = self.run_("game", "rotate", "MyMUD")[1]
        self.assertRegex(out, r"\nconnect to +ws://127.0.0.1:4110/socket\nguide +http://127.0.0.1:4110/connect/MyMUD\n")

    def test_key(self) -> None:
        """A key for IMC2 is shown ready to paste, with the host and the port of the configuration."""
        self.run_("game", "add", "My MUD", "--short", "MyMUD")
        out = self.run_("game", "key", "MyMUD", "imc2")[1]
        self.assertRegex(out, r"LocalName +MyMUD\nServerAddr +127.0.0.1\nServerPort +4113\nClientPwd +[a-z2-7]{20}\n")
        self.assertIn("This network has no IMC2 port yet", out)

    def test_game(self) -> None:
        """A game is registered, changed and removed."""
        ways = ("--telnet", "[::1]:4000", "--secure-telnet", "a.example:4001", "--web", "https://a.example/play")
        self.json("game", "add", "Alpha", "--short", "A", "--description", "x", "--homepage", "http://a.example", *ways)
        shown = self.json("game", "show", "a")
        self.assertEqual(
            shown["connections"],
            [
                {"type": "telnet", "host": "::1", "port": 4000},
                {"type": "secure telnet", "host": "a.example", "port": 4001},
                {"type": "web", "url": "https://a.example/play"},
            ],
        )
        self.assertEqual((shown["description"], shown["homepage_url"]), ("x", "http://a.example"))
        edited = self.json("game", "edit", "a", "--name", "Beta", "--hidden", "--no-connections", "--description", "")
        self.assertEqual(
            (edited["name"], edited["hidden"], edited["connections"], edited["description"]), ("Beta", True, [], None)
        )
        self.assertFalse(self.json("game", "edit", "a", "--no-hidden")["hidden"])
        self.assertTrue(self.json("game", "disable", "a")["disabled"])
        self.assertFalse(self.json("game", "enable", "a")["disabled"])
        self.assertIn("old_secret_until", self.json("game", "rotate", "a"))
        self.json("game", "remove", "a", "--yes")
        self.assertEqual(self.json("game", "list")["games"], [])

    def test_channel_and_agent(self) -> None:
        """Channels and code bases are created and changed."""
        self.json("channel", "create", "news", "--description", "All talk")
        self.assertTrue(self.json("channel", "hide", "news")["hidden"])
        self.assertTrue(self.json("channel", "show", "news")["hidden"])
        self.assertFalse(self.json("channel", "publish", "news")["hidden"])
        self.assertTrue(self.json("channel", "create", "staff", "--hidden")["hidden"])
        self.json("channel", "remove", "staff", "--yes")
        self.assertIsNotNone(self.json("channel", "pause", "news", "5")["paused_until"])
        self.assertIsNone(self.json("channel", "resume", "news")["paused_until"])
        self.assertEqual(self.json("channel", "describe", "news", "x")["description"], "x")
        self.assertEqual(
            [each["name"] for each in self.json("channel", "list")["channels"]], ["gossip", "news", "testing"]
        )
        self.json("agent", "set", "Evennia", "--url", "https://e.example", "--repo-url", "https://r.example")
        self.assertEqual(len(self.json("agent", "list")["agents"]), 1)

    def test_moderation(self) -> None:
        """Mutes, bans, filters and speakers are changed; the audit log has each change and the user that made it."""
        self.json("channel", "create", "news")
        self.json("game", "add", "Alpha", "--short", "A")
        muted = self.json("mute", "add", "Ana@A", "So", "--channel", "news", "--for", "2h")
        self.assertEqual((muted["who"], muted["channel"]), ("ana@A", "news"))
        self.assertEqual(len(self.json("mute", "list")["mutes"]), 1)
        self.json("mute", "remove", "ana@a", "--channel", "news")
        self.assertIsNone(self.json("ban", "add", "192.0.2.1", "So")["until"])
        self.assertEqual(len(self.json("ban", "list")["bans"]), 1)
        self.json("ban", "remove", "192.0.2.1")
        added = self.json("filter", "add", "Darn", "So", "--mask", "--substring")
        self.assertEqual((added["action"], added["substring"]), ("mask", True))
        self.assertEqual(self.json("filter", "try", "darn")["hits"], 0)
        self.assertEqual(len(self.json("filter", "list")["filters"]), 1)
        self.json("filter", "remove", "darn")
        self.assertEqual(self.json("channel", "speakers", "news", "a")["speakers"], ["A"])
        self.assertEqual(self.json("channel", "speakers", "news", "--none")["speakers"], [])
        self.assertIsNone(self.json("channel", "speakers", "news", "--all")["speakers"])
        self.json("account", "add", "Bob")
        self.assertEqual(self.json("channel", "moderators", "news", "bob")["moderators"], ["Bob"])
        self.assertEqual(self.json("channel", "moderators", "news", "--none")["moderators"], [])
        self.assertEqual(self.run_("channel", "moderators", "news")[0], 2)
        entries = self.json("audit")["entries"]
        self.assertEqual({entry["actor"] for entry in entries}, {f"unix:{pwd.getpwuid(os.getuid()).pw_name}"})
        self.assertEqual(
            [(entry["operation"], entry["subject"]) for entry in entries[-4:]],
            [("mute/remove", "ana@a"), ("mute/add", "Ana@A"), ("game/add", "Alpha"), ("channel/create", "news")],
        )
        self.assertEqual(len(self.json("audit", "--limit", "2")["entries"]), 2)

    def test_reports(self) -> None:
        """Reports are listed and resolved."""
        self.json("channel", "create", "news")
        report = Report(
            number=1,
            channel="news",
            seq=3,
            game="A",
            name="Ana",
            message="Hi",
            reason="Rude",
            made_by="bo",
            made_at=NOW,
        )
        with contextlib.closing(Store.open(None, self.data)) as store:
            store.apply(ReportMade(report))
        self.assertEqual(
            self.run_("report", "list")[1],
            "NUMBER  AT                BY  REASON  MESSAGE           RESOLVED\n"
            "1       2023-11-14 22:00  bo  Rude    [news] Ana@A: Hi\n",
        )
        self.assertEqual(self.json("report", "resolve", "1", "muted")["resolution"], "muted")
        self.assertEqual(self.run_("report", "list")[1], "No report is open.\n")
        self.assertIn(": muted\n", self.run_("report", "list", "--all")[1])

    def test_moderation_for_people(self) -> None:
        """People see mutes, bans, filters and the audit log as tables."""
        self.json("channel", "create", "news")
        self.assertEqual(self.run_("mute", "list")[1], "Nobody is muted.\n")
        self.assertEqual(self.run_("ban", "list")[1], "Nobody is banned.\n")
        self.assertEqual(self.run_("filter", "list")[1], "There is no filter.\n")
        self.assertIn("until    for good\n", self.run_("ban", "add", "192.0.2.1", "So")[1])
        head, row = self.run_("ban", "list")[1].splitlines()
        self.assertEqual(head.split(), ["WHO", "COVERS", "CHANNEL", "UNTIL", "BY", "REASON"])
        self.assertEqual(row.split()[:6], ["192.0.2.1", "one", "address", "all", "for", "good"])
        self.assertIn("hits     anywhere\n", self.run_("filter", "add", "a", "So", "--substring")[1])
        self.assertEqual(self.run_("filter", "list")[1].splitlines()[1].split()[:4], ["a", "all", "anywhere", "refuse"])
        self.assertIn("hit 0 of 0 messages", self.run_("filter", "try", "a")[1])
        self.assertIn("only some may speak", self.run_("channel", "speakers", "news", "--none")[1])
        self.assertIn("banned 192.0.2.1: So\n", self.run_("audit")[1])
        self.assertEqual(self.run_("mute", "add", "x", "y", "--for", "1y")[0], 2)
        self.assertEqual(self.run_("channel", "speakers", "news")[0], 2)

    def test_accounts(self) -> None:
        """Accounts are created, changed and removed; links are whole URLs, and the store has only their digests."""
        added = self.json("account", "add", "Ana", "--admin", "--email", "ana@example.org")
        self.assertEqual((added["name"], added["admin"], added["email"]), ("Ana", True, "ana@example.org"))
        self.assertRegex(added["link"], "^/reset/[0-9a-f-]{36}$")
        self.assertEqual(added["address"], "http://127.0.0.1:4110" + added["link"])
        self.json("account", "add", "Bea")
        self.json("game", "add", "Alpha", "--short", "A", "--owner", "bea")
        self.assertEqual(self.json("account", "show", "BEA")["games"], ["A"])
        self.assertEqual(self.json("game", "edit", "A", "--owner", "")["owner"], None)
        self.assertEqual(self.json("game", "edit", "A", "--owner", "Bea")["owner"], "Bea")
        self.assertTrue(self.json("account", "edit", "bea", "--admin")["admin"])
        edited = self.json("account", "edit", "bea", "--no-admin", "--disabled", "--email", "bea@example.org")
        self.assertEqual((edited["admin"], edited["disabled"], edited["email"]), (False, True, "bea@example.org"))
        self.assertFalse(self.json("account", "edit", "bea", "--no-disabled")["disabled"])
        self.assertIn("/reset/", self.json("account", "reset", "Ana")["address"])
        invited = self.json("account", "invite")
        self.assertRegex(invited["address"], "^http://127.0.0.1:4110/sign-up/[0-9a-f-]{36}$")
        with contextlib.closing(Store.open(None, self.data)) as store:
            secret = invited["link"].removeprefix("/sign-up/")
            self.assertIsNotNone(store.load().accounts.shown(secret, "invite", time.time()))
        self.assertNotIn(secret.encode(), Path(self.data, "gossip.db").read_bytes())
        self.assertEqual([each["name"] for each in self.json("account", "list")["accounts"]], ["Ana", "Bea"])
        self.json("account", "remove", "Bea", "--yes")
        self.assertIsNone(self.json("game", "show", "A")["owner"])
        self.assertEqual(
            self.run_("account", "remove", "Ana", "--yes"), (1, "", "gossipctl: the last admin must stay one\n")
        )
        self.assertEqual(self.run_("account", "add", "ana"), (1, "", "gossipctl: the name ana is taken\n"))

    def test_accounts_for_people(self) -> None:
        """People see accounts as a table, and links on lines of their own, at the website of the configuration."""
        config = self.mktemp()
        Path(config).write_text('[network]\nwebsite = "https://gossip.example.org/"\n')
        code, out, err = self.run_("--config", config, "account", "add", "Ana")
        self.assertEqual((code, err), (0, f"No daemon runs for {self.data}: it was created, and waits for one.\n"))
        first, blank, last = out.splitlines()
        self.assertRegex(first, "^https://gossip.example.org/reset/[0-9a-f-]{36}$")
        self.assertEqual(blank, "")
        self.assertRegex(last, "^The link works once, until 2[0-9T:.-]+Z, and is not shown again.$")
        self.assertEqual(self.run_("account", "list")[1], "NAME  STATE            MAIL  GAMES\nAna   no password yet\n")
        self.assertIn("state  no password yet\n", self.run_("account", "show", "ana")[1])
        self.json("account", "add", "Bea", "--admin")
        self.json("account", "edit", "Ana", "--disabled")
        self.assertIn("Bea   admin, no password yet", self.run_("account", "list")[1])
        self.assertIn("Ana   disabled, no password yet", self.run_("account", "list")[1])
        self.json("game", "add", "Alpha", "--short", "A", "--owner", "Ana")
        self.assertIn("owner       Ana\n", self.run_("game", "show", "A")[1])

    def test_json_after_the_command(self) -> None:
        """--json and other common options can also follow the command."""
        code, out, _ = run("channel", "create", "news", "--json", "--data", self.data)
        self.assertEqual((code, json.loads(out)["name"]), (0, "news"))

    def test_refused(self) -> None:
        """A refusal is one line on stderr, and the exit code 1."""
        self.json("game", "add", "Alpha", "--short", "A")
        self.assertEqual(
            self.run_("game", "add", "Beta", "--short", "a"), (1, "", "gossipctl: the short name a is taken\n")
        )
        self.assertEqual(
            self.run_("game", "add", "Beta", "--short", "System"),
            (1, "", "gossipctl: the short name System is reserved\n"),
        )
        self.assertEqual(self.run_("game", "show", "B"), (1, "", "gossipctl: no such game\n"))

    def test_not_in_json(self) -> None:
        """A value that JSON cannot express is reported."""
        self.json("channel", "create", "news")
        for minutes in ("nan", "inf", "1e400"):
            told = "gossipctl: a number on the command line is not finite\n"
            self.assertEqual(self.run_("channel", "pause", "news", minutes), (1, "", told))
        self.assertEqual(self.run_("game", "show", "\udcff"), (1, "", "gossipctl: the command line is not in UTF-8\n"))

    def test_for_people(self) -> None:
        """People see results as tables."""
        self.assertEqual(self.run_("channel", "create", "news")[0], 0)
        self.assertEqual(self.run_("game", "list")[1], "No game is registered.\n")
        added = self.json("game", "add", "The Alpha", "--short", "A", "--hidden")
        self.json("game", "add", "B", "--short", "LongName")
        head, first, _ = self.run_("game", "list")[1].splitlines()
        self.assertEqual(head, "SHORT     NAME       STATE   CLIENT ID")
        self.assertEqual(first, f"A         The Alpha  hidden  {added['client_id']}")
        self.assertEqual(
            [line.split()[:2] for line in self.run_("channel", "list")[1].splitlines()],
            [["CHANNEL", "STATE"], ["gossip", "public"], ["news", "public"], ["testing", "hidden"]],
        )
        self.assertIn("The secret is not shown again", self.run_("game", "rotate", "A")[1])

    def test_no_store(self) -> None:
        """Reading from a store that does not exist does not create it."""
        code, _, err = self.run_("game", "list")
        self.assertEqual((code, os.path.exists(self.data)), (1, False))
        self.assertIn("name the data directory with --data", err)

    def test_in_use(self) -> None:
        """A store that another process uses is left alone."""
        with contextlib.closing(Store.open(None, self.data)):
            code, _, err = self.run_("game", "list")
        self.assertEqual((code, err.count("\n")), (1, 1))
        self.assertIn("uses", err)

    def test_backup(self) -> None:
        """A backup is made, but never over an existing file."""
        self.json("channel", "create", "news")
        path = self.mktemp()
        self.assertEqual(self.json("backup", path), {"path": os.path.abspath(path)})
        with contextlib.closing(sqlite3.connect(path)) as copy:
            self.assertEqual(copy.execute("SELECT name FROM channels WHERE name = 'news'").fetchall(), [("news",)])
        told = (1, "", f"gossipctl: {path} already exists; a backup does not overwrite it\n")
        self.assertEqual(self.run_("backup", path), told)

    def test_as_root(self) -> None:
        """What root creates without a daemon belongs to the owner of the data directory."""
        if os.geteuid():
            raise SkipTest("needs root")
        home = tempfile.mkdtemp(prefix="gossip")
        self.addCleanup(shutil.rmtree, home)
        os.chown(home, 4110, 4111)
        self.data = os.path.join(home, "data")
        backup = os.path.join(self.mktemp())
        self.json("channel", "create", "news")
        self.json("backup", backup)
        files = [self.data, *(os.path.join(self.data, name) for name in os.listdir(self.data))]
        self.assertEqual({(os.stat(path).st_uid, os.stat(path).st_gid) for path in files}, {(4110, 4111)})
        self.assertEqual((os.geteuid(), os.stat(backup).st_uid), (0, 0))
        self.assertEqual(self.json("audit")["entries"][0]["actor"], "unix:root")

    def test_needs_a_daemon(self) -> None:
        """Commands that need a daemon say so."""
        for argv in (("say", "gossip", "hi"), ("tail",), ("restart-notice", "5"), ("sessions",)):
            told = (
                f"gossipctl: no daemon listens at {self.data}/admin.sock; start it, or name another one with --data\n"
            )
            self.assertEqual(self.run_(*argv), (1, "", told))
        told = f"not running: nothing listens at {self.data}/admin.sock\n"
        self.assertEqual(self.run_("status"), (1, told, ""))
        self.assertEqual(self.run_("--json", "status"), (1, '{"running": false}\n', ""))

    def test_named_socket(self) -> None:
        """With --socket, only the daemon there is asked: no store is opened."""
        code, _, err = run("--socket", "nowhere.sock", "channel", "create", "gossip")
        self.assertEqual((code, err), (1, "gossipctl: no daemon listens at nowhere.sock\n"))


class QuestionTests(SynchronousTestCase):
    """The command in a process of its own, with a person at a terminal and without."""

    def test_removing(self) -> None:
        """What cannot be undone is asked first, of a person only; then a word tells what was done."""
        data = self.mktemp()
        run("--data", data, "channel", "create", "news")
        command = [sys.executable, "-m", "gossip.cli.ctl", "--data", data, "channel", "remove", "news"]
        options: dict[str, Any] = {"env": {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}}
        options |= {"capture_output": True, "text": True}
        nobody = subprocess.run(command, stdin=subprocess.DEVNULL, check=False, **options)
        self.assertEqual((nobody.returncode, nobody.stdout), (1, ""))
        self.assertIn("add --yes", nobody.stderr)
        asked = "Remove the channel news? Its messages stay until they expire. [y/N] "
        for typed, told in (
            (b"n\n", (1, "", f"{asked}gossipctl: nothing was changed\n")),
            (b"\n", (1, "", f"{asked}gossipctl: nothing was changed\n")),
            (b"y\n", (0, "Removed the channel news.\n\nname   news\nstate  public\n", asked)),
        ):
            keyboard, terminal = pty.openpty()
            self.addCleanup(os.close, keyboard)
            self.addCleanup(os.close, terminal)
            os.write(keyboard, typed)
            done = subprocess.run(command, stdin=terminal, check=False, **options)
            self.assertEqual((done.returncode, done.stdout, done.stderr), told)


class DaemonTests(TestCase):
    """Commands that a running daemon carries out."""

    @inlineCallbacks
    def setUp(self) -> Any:  # type: ignore[override]
        # Not mktemp: the path of a unix socket is short.
        self.data = tempfile.mkdtemp(prefix="gossip")
        self.addCleanup(shutil.rmtree, self.data)
        self.service = MemoryService()
        self.rules = WebRules()
        site = admin_site(self.service, self.service.store, self.service.clock, deferToThread, rules=self.rules)
        self.port = yield UNIXServerEndpoint(reactor, os.path.join(self.data, "admin.sock")).listen(site)
        self.addCleanup(self.port.stopListening)

    def run_(self, *argv: str) -> Any:
        return deferToThread(run, "--data", self.data, *argv)

    @inlineCallbacks
    def test_changes(self) -> Any:
        """A change takes effect in the running daemon; no store is opened."""
        code, out, err = yield self.run_("--json", "game", "add", "My MUD", "--short", "MyMUD")
        self.assertEqual((code, err), (0, ""))
        added = json.loads(out)
        registry = self.service.network.registry
        self.assertIsNotNone(registry.authenticate(added["client_id"], added["client_secret"], NOW))
        self.assertEqual(os.listdir(self.data), ["admin.sock"])
        refused = yield self.run_("game", "add", "Other", "--short", "mymud")
        self.assertEqual(refused, (1, "", "gossipctl: the short name mymud is taken\n"))

    @inlineCallbacks
    def test_status(self) -> Any:
        """The status of a running daemon is shown."""
        self.service.transports = [CountingTransport()]
        code, out, _ = yield self.run_("status")
        self.assertEqual(code, 0)
        self.assertRegex(out, r"connections +3 pigeon\n")
        code, out, _ = yield self.run_("--json", "status")
        self.assertEqual(json.loads(out), {"running": True, **self.service.status(), "address": "", "socket": ""})

    @inlineCallbacks
    def test_say_notice_backup(self) -> Any:
        """The daemon speaks on a channel, announces a restart and copies its database."""
        session = self.service.join("Alpha", channels=["gossip"])
        said = yield self.run_("say", "gossip", "Hello,", "all")
        self.assertEqual(said, (0, "Said on gossip.\n", ""))
        self.assertEqual(self.service.store.said[0].message, "Hello, all")
        self.assertEqual((yield self.run_("restart-notice", "5"))[0], 0)
        events = [(told["event"], told["payload"]) for told in self.service.told(session)]
        self.assertEqual(events[1:], [("restart", {"downtime": 5})])
        path = self.mktemp()
        backup = yield self.run_("backup", path)
        self.assertEqual(backup, (0, f"The database was copied to {os.path.abspath(path)}.\n", ""))
        self.assertEqual(Path(path).read_bytes(), COPY)
        self.assertEqual([entry.operation for entry in self.service.store.entries], ["say", "restart-notice", "backup"])
        self.service.store.full = True
        self.assertEqual((yield self.run_("backup", self.mktemp())), (1, "", "gossipctl: the disk is full\n"))

    @inlineCallbacks
    def test_actor(self) -> Any:
        """The audit log has the user of the machine, the command and its arguments."""
        yield self.run_("channel", "create", "gossip")
        yield self.run_("restart-notice", "5")
        user = pwd.getpwuid(os.getuid()).pw_name
        noted = [(entry.actor, entry.operation, entry.subject) for entry in self.service.store.entries]
        self.assertEqual(noted, [(f"unix:{user}", "channel/create", "gossip"), (f"unix:{user}", "restart-notice", "5")])
        code, out, _ = yield self.run_("audit")
        self.assertEqual((code, "announced a restart of 5 seconds\n" in out), (0, True))

    @inlineCallbacks
    def test_sessions(self) -> Any:
        """The live sessions are those on the admin pages."""
        out = yield self.run_("sessions")
        self.assertEqual(out, (0, "Nobody is connected.\n", ""))
        self.service.join("Beta").opened_at = NOW - 60
        self.service.join("Alpha", channels=["gossip", "testing"], players=["Ana", "Bo"])
        code, out, _ = yield self.run_("sessions")
        self.assertEqual(
            out,
            "GAME   ADDRESS    BY         SINCE             PLAYERS  CHANNELS\n"
            "Alpha  192.0.2.1  websocket  2023-11-14 22:00  2        gossip, testing\n"
            "Beta   192.0.2.1  websocket  2023-11-14 21:59  0\n",
        )
        code, out, _ = yield self.run_("--json", "sessions")
        told = json.loads(out)
        self.assertEqual((code, told["total"], told["next"]), (0, 2, None))
        self.assertEqual([each["game"] for each in told["sessions"]], ["Alpha", "Beta"])
        code, out, _ = yield self.run_("sessions", "--limit", "1")
        self.assertEqual((code, "Alpha" in out, "Beta" in out), (0, True, False))
        after = shlex.split(out.splitlines()[-1])[2:]
        for chosen in (["--match", "bet"], after):
            code, out, _ = yield self.run_("sessions", *chosen)
            self.assertEqual((code, "Alpha" in out, "Beta" in out), (0, False, True), chosen)
        code, _, error = yield self.run_("sessions", "--limit", "0")
        self.assertEqual((code, error), (1, "gossipctl: limit: must be at least 1\n"))

    @inlineCallbacks
    def test_links(self) -> Any:
        """A link has the website of the daemon if it has one, and otherwise that of the configuration."""
        _, out, _ = yield self.run_("--json", "account", "invite")
        self.assertRegex(json.loads(out)["address"], "^http://127.0.0.1:4110/sign-up/")
        self.rules.address = "https://gossip.example.org"
        _, out, _ = yield self.run_("account", "invite")
        self.assertRegex(out, "^https://gossip.example.org/sign-up/")

    @inlineCallbacks
    def test_tail_refused(self) -> Any:
        """A channel that does not exist cannot be followed."""
        refused = yield self.run_("tail", "nowhere")
        self.assertEqual(refused, (1, "", "gossipctl: no such channel\n"))


ENDED = "it ended the connection before everything was there"


class Script(Protocol):
    """A daemon that sends one thing, and goes away."""

    said = b""

    def dataReceived(self, data: bytes) -> None:
        assert self.transport is not None
        self.transport.write(self.said)
        self.transport.loseConnection()


class LostDaemonTests(TestCase):
    """A daemon that goes away, or is not a daemon."""

    @inlineCallbacks
    def answer(self, said: bytes, *argv: str) -> Any:
        """Run a command line with a daemon that sends this."""
        data = tempfile.mkdtemp(prefix="gossip")
        self.addCleanup(shutil.rmtree, data)
        path = os.path.join(data, "admin.sock")
        factory = Factory.forProtocol(type("Script", (Script,), {"said": said}))
        port = yield UNIXServerEndpoint(reactor, path).listen(factory)
        self.addCleanup(port.stopListening)
        return (yield deferToThread(run, "--socket", path, *argv))

    @inlineCallbacks
    def test_tail(self) -> Any:
        """Messages are shown as they come, cleaned, until the daemon ends the connection."""
        message = "\x1b[31mred\nand more"
        line = said_json(MessageSaid("gossip", 1, uuid(1), "Alpha", "A\x07na", message, NOW))
        said = b"HTTP/1.0 200 OK\r\n\r\n" + line * 2 + line[:9]
        code, out, err = yield self.answer(said, "tail", "gossip")
        self.assertEqual(out, "22:00:00 [gossip] Ana@Alpha: [31mred and more\n" * 2)
        self.assertEqual((code, err), (1, "gossipctl: the daemon ended the connection\n"))
        code, out, err = yield self.answer(said, "tail", "--json")
        self.assertEqual([json.loads(line)["message"] for line in out.splitlines()], [message, message])
        self.assertNotIn("\x1b", out)

    @inlineCallbacks
    def test_half_a_backup(self) -> Any:
        """A backup that breaks off leaves nothing."""
        path = Path(self.mktemp())
        path.mkdir()
        for said in (
            b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf",
            b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n",
        ):
            told = yield self.answer(said, "backup", str(path / "b.db"))
            self.assertEqual(told, (1, "", f"gossipctl: the daemon did not send the whole backup: {ENDED}\n"))
            self.assertEqual(list(path.iterdir()), [])

    @inlineCallbacks
    def test_no_answer(self) -> Any:
        """A missing, incomplete or invalid answer is reported in one line."""
        answers = (
            b"",
            b"SSH-2.0-OpenSSH\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{",
            b"HTTP/1.1 500 Oops\r\n\r\n<b>",
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]",
        )
        for said in answers:
            for argv in (("status",), ("game", "list")):
                code, out, err = yield self.answer(said, *argv)
                self.assertEqual((code, out, err.count("\n")), (1, "", 1), said)
                self.assertTrue(err.startswith("gossipctl: the daemon"), err)


class OutputTests(SynchronousTestCase):
    """The command in a process of its own, whose output goes nowhere."""

    def run_(self, *argv: str, **options: Any) -> subprocess.CompletedProcess[bytes]:
        command = [sys.executable, "-m", "gossip.cli.ctl", *argv]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        return subprocess.run(command, env=environment, check=False, **options)

    def test_broken_pipe(self) -> None:
        """A reader that goes away ends it quietly."""
        reading, writing = os.pipe()
        os.close(reading)
        with open(writing, "wb") as pipe:
            argv = ("--json", "--data", self.mktemp(), "channel", "create", "news")
            done = self.run_(*argv, stdout=pipe, stderr=subprocess.PIPE)
        self.assertEqual((done.returncode, done.stderr), (0, b""))

    def test_full(self) -> None:
        """If the output cannot be written, one line says so; that the complaint cannot be written changes no code."""
        told = b"gossipctl: cannot write to standard output: No space left on device\n"
        with open("/dev/full", "wb") as full:
            for argv in (("--help",), ("--version",), ("help", "game"), ("--data", self.mktemp(), "status")):
                done = self.run_(*argv, stdout=full, stderr=subprocess.PIPE)
                self.assertEqual((done.returncode, done.stderr), (1, told), argv)
            self.assertEqual(self.run_("--help", stdout=full, stderr=full).returncode, 1)
            self.assertEqual(self.run_("nonsense", stdout=subprocess.PIPE, stderr=full).returncode, 2)

    def test_closed(self) -> None:
        """Without a standard output nothing is done: the secret of a game, for example, would be lost."""
        data = self.mktemp()
        argv = ("--data", data, "game", "add", "My MUD", "--short", "MyMUD")
        done = self.run_(*argv, stderr=subprocess.PIPE, preexec_fn=lambda: os.close(1))
        self.assertEqual((done.returncode, done.stderr), (1, b"gossipctl: standard output is closed\n"))
        self.assertFalse(os.path.exists(data))
        self.assertEqual(self.run_(*argv, preexec_fn=lambda: os.closerange(1, 3)).returncode, 1)

    def test_imports(self) -> None:
        """A command imports nothing that takes long to import and that it does not use."""
        code = (
            "import sys; from gossip.cli.ctl import main; main(['--data', sys.argv[1], 'status']);"
            " print(*{name.partition('.')[0] for name in sys.modules})"
        )
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        done = subprocess.run(
            [sys.executable, "-c", code, self.mktemp()], env=environment, capture_output=True, text=True, check=True
        )
        first, imported = done.stdout.splitlines()
        self.assertTrue(first.startswith("not running: "), first)
        slow = {
            "sqlalchemy",
            "alembic",
            "twisted",
            "zope",
            "prometheus_client",
            "jinja2",
            "tomli_w",
            "asyncio",
            "http",
            "email",
            "ssl",
        }
        self.assertEqual(slow & set(imported.split()), set())
