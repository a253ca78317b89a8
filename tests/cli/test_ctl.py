"""L{gossip.cli.ctl}: command lines in, text and exit codes out."""

from __future__ import annotations

import os
import shlex
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from gossip.cli import ctl, terminal
from gossip.cli.daemon import RunningDaemon
from gossip.cli.overview import FIRST_STEPS
from gossip.operations.catalogue import COMMANDS
from gossip.operations.command import Table
from gossip.registry.entities import Report
from tests.support.command_line import run


class CommandLineTests(SynchronousTestCase):
    """The command line itself."""

    def test_usage(self) -> None:
        """A wrong command line ends with 2, a call for help with 0."""
        for argv in ((), ("game",), ("game", "add", "X"), ("nonsense",), ("restart-notice", "soon")):
            code, out, err = run(*argv)
            self.assertEqual((code, out), (2, ""), argv)
            self.assertIn("usage: gossipctl", err)
        code, _, err = run("game", "add", "X", "--short", "X", "--telnet", "host")
        self.assertEqual((code, "'host' is not HOST:PORT" in err), (2, True))
        for argv in (("--help",), ("game", "--help"), ("game", "add", "--help"), ("talk", "--help")):
            self.assertEqual(run(*argv)[0], 0)

    def test_alone(self) -> None:
        """Without a command there is the whole help: where to begin, and every command in a group."""
        code, out, err = run()
        self.assertEqual((code, out, err), (2, "", run("--help")[1]))
        for steps, _ in FIRST_STEPS:
            self.assertIn(f"\n  {steps}  ", err)
            ctl.parser().parse_args(shlex.split(steps)[1:])
        for word, parser in ctl.parser().below.items():
            self.assertRegex(err, rf"\n  {word} +\w", parser.prog)
        self.assertNotIn("Others:", err, "each command has a group: see L{gossip.cli.overview}")
        self.assertLessEqual(max(map(len, err.splitlines())), 120)
        code, out, err = run("game")
        self.assertEqual((code, out, err), (2, "", run("game", "--help")[1]))
        self.assertTrue(err.startswith("usage: gossipctl game "), err)

    def test_bad_configuration(self) -> None:
        """A configuration that cannot be read is reported in one line."""
        code, out, err = run("--config", "/nonexistent/gossip.toml", "status")
        self.assertEqual((code, out), (1, ""))
        self.assertEqual(err.count("\n"), 1)
        self.assertTrue(err.startswith("gossipctl: "), err)

    def test_long_socket_path(self) -> None:
        """A socket with a path that is too long is reported."""
        code, _, err = run("--socket", "/" + "x" * 107, "status")
        self.assertEqual(code, 1)
        self.assertIn("107 bytes", err)

    def test_talk_needs_credentials(self) -> None:
        """talk needs credentials and the URL of a websocket."""
        self.patch(os, "environ", {})
        self.assertEqual(run("talk", "--id", "x")[0], 1)
        code, _, err = run("talk", "--id", "x", "--secret", "y", "--url", "http://mud.example")
        self.assertEqual(
            (code, err), (1, "gossipctl: http://mud.example is no address like wss://mud.example/socket\n")
        )


class EndTests(SynchronousTestCase):
    """Commands that are cut short."""

    def test_interrupt(self) -> None:
        """Ctrl-C ends it quietly."""

        def interrupted(daemon: RunningDaemon, name: str) -> Any:
            raise KeyboardInterrupt

        self.patch(RunningDaemon, "get", interrupted)
        self.assertEqual(run("status"), (130, "", ""))


class TerminalTests(SynchronousTestCase):
    """L{gossip.cli.terminal}: what a person sees."""

    def test_printable(self) -> None:
        """Control characters and those that reverse lines are removed; other text stays as it is."""
        self.assertEqual(
            terminal.printable("I <3 you > me – Grüße, 你好 ✔️ 👩\u200d🚀"), "I <3 you > me – Grüße, 你好 ✔️ 👩\u200d🚀"
        )
        self.assertEqual(
            terminal.printable("a\x1b[2Jb\x9b1mc\td\r\ne\u202ef\u2066\x00\x7f\u2028g\ud800"), "a[2Jb1mc d  ef g"
        )

    def test_blocks(self) -> None:
        """Lines, names with values, and tables are written one below the other; empty values are left out."""
        table = Table(("A", "B"), [("long", 1), ("x", "")], "Nothing.")
        self.assertEqual(
            terminal.written(["One:", "", {"name": "x", "of": None, "by": ""}, table, Table(("A",), [], "Nothing.")]),
            "One:\n\nname  x\nA     B\nlong  1\nx\nNothing.",
        )

    def test_hostile_results(self) -> None:
        """Hostile texts stay in their lines and cells, whichever view of a result shows them."""
        hostile = "x\x1b[2J\n\u202ey"
        known = ("name", "short_name", "client_id", "disabled", "hidden", "hide_players", "tagline", "description")
        more = ("homepage_url", "language", "user_agent", "version", "owner", "created_at", "old_secret_until")
        game: dict[str, Any] = dict.fromkeys((*known, *more), hostile)
        game["connections"] = [{"url": hostile}, dict.fromkeys(("type", "host", "port"), hostile)]
        channel: dict[str, Any] = {"name": hostile, "hidden": False, "paused_until": None, "description": hostile}
        channel |= {"speakers": [hostile], "moderators": [hostile], "described_by": hostile, "described_at": hostile}
        agent = {"name": hostile, "url": hostile, "repo_url": None}
        restriction = dict.fromkeys(("who", "covers", "channel", "until", "reason", "set_by", "set_at"), hostile)
        kept = dict.fromkeys(("text", "channel", "substring", "action", "reason", "set_by", "set_at"), hostile)
        report = dict.fromkeys((*Report.__struct_fields__, "quote", "verified", "said_at"), hostile)
        message = {**report, "id": hostile, "removed": None, "removed_by": hostile, "removed_at": hostile}
        entry = dict.fromkeys(("at", "actor", "operation", "subject", "arguments"), hostile)
        names = ("name", "admin", "disabled", "email", "has_password", "created_at", "until", "address")
        account: dict[str, Any] = {**dict.fromkeys(names, hostile), "games": [hostile]}
        credentials = dict.fromkeys(("name", "short_name", "client_id", "client_secret", "old_secret_until"), hostile)
        node = {**dict.fromkeys(("name", "version", "address", "since", "sessions", "players"), hostile), "here": True}
        node |= {"behind": 0.5, "clock": -7.5, "differs": True, "draining": True, "deaf": False}
        status: dict[str, Any] = dict.fromkeys(("state", "why", "router", "mud", "game", "node"), hostile)
        status |= {"accepted": True, "known": False, "routers": [(hostile, hostile)], "since": 1, "next_attempt": 7}
        status |= {"muds": 1, "waiting": 2, "delivered": 3}
        results: dict[str, Any] = {
            "game/add": credentials,
            "game/key": {
                **dict.fromkeys(("name", "short_name", "key", "host", "port", "old_key_until"), hostile),
                "sha256": True,
            },
            "game/i3": dict.fromkeys(
                ("name", "short_name", "mud", "password", "open_until", "host", "port", "router"), hostile
            ),
            "game/list": {"games": [game]},
            "game/show": game,
            "channel/list": {"channels": [channel]},
            "channel/publish": channel,
            "channel/info": channel,
            "agent/list": {"agents": [agent]},
            "agent/set": agent,
            "account/list": {"accounts": [account]},
            "account/show": account,
            "account/reset": account,
            "mute/list": {"mutes": [restriction]},
            "ban/list": {"bans": [restriction]},
            "mute/add": restriction,
            "filter/list": {"filters": [kept]},
            "filter/add": kept,
            "filter/try": {"hits": 1, "messages": 1, "shown": [report]},
            "report/list": {"reports": [report]},
            "message/search": {"messages": [message], "next": 7},
            "message/show": message,
            "message/purge": {"messages": [message], "removed": 0, "more": True},
            "report/resolve": {**report, "verified": False},
            "audit/list": {"entries": [entry]},
            "restart-notice": {"seconds": hostile},
            "game/rehearse": {"steps": [{"step": "tell", "sent": hostile, "outcome": hostile, "done": None}]},
            "say": {"channel": hostile},
            "node/list": {"nodes": [node]},
            "node/end": {"name": hostile},
            "node/drain": {"name": hostile, "end": False},
            "i3/status": status,
            "i3/muds": {"muds": [{**dict.fromkeys(("short_name", "name", "players"), hostile), "supports": [hostile]}]},
            "i3/channels": {"channels": [{**dict.fromkeys(("there", "host", "here"), hostile), "way": "both"}]},
            "i3/reconnect": {"router": hostile},
            "i3/accept-rules": {"mud": hostile},
            "i3/forget": {"mud": hostile},
        }
        views = {command.view for command in COMMANDS.values()}
        self.assertEqual(views, {COMMANDS[wire].view for wire in results}, "each view is tried")
        keys = ("game", "peer", "transport", "since", "players", "channels")
        session: dict[str, Any] = {**dict.fromkeys(keys, hostile), "channels": [hostile]}
        for shown in (
            *(COMMANDS[wire].view(result) for wire, result in results.items()),
            COMMANDS["game/add"].shell_view(credentials),
            terminal.sessions({"sessions": [session]}),
            terminal.said(report),
        ):
            written = terminal.written(shown)
            self.assertEqual([line for line in written.splitlines() if not line.isprintable()], [])
            self.assertIn("x[2J y", written)
