"""The documents: they are well-formed, and what they show exists."""

from __future__ import annotations

import contextlib
import io
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_type_hints

import msgspec
from docutils import nodes  # type: ignore[import-untyped]
from twisted.trial.unittest import SynchronousTestCase

from gossip.cli import ctl
from gossip.config import config
from gossip.config.errors import ConfigError
from gossip.config.loading import load
from gossip.protocol import frames, server_events
from gossip.protocol.errors import TABLE
from gossip.protocol.events import Event, Malformed, Unknown, Unreadable
from gossip.store.errors import Trouble
from gossip.tap import Options
from gossip.transports.telnet.lines import Lettering
from gossip.transports.telnet.text_dialect import _COMMANDS
from gossip.transports.telnet.text_format import LineOptions
from tests.support.documents import (
    CONNECTING,
    DOCUMENTS,
    EXAMPLES,
    OPERATOR,
    PROTOCOL,
    README,
    ROOT,
    TELNET,
    blocks,
    literals,
    parsed,
)
from tests.support.telnet_games import BANNER, TRANSCRIPT

REFUSED = {"invalid credentials", "missing supports", "must support channels", "includes unknown supports"}
ANSWERS = {"authenticate", "players/status", "games/status"}
"""Events that the network sends only as answers of their own form."""

VALUES = {name: name.upper() for name in ("channel", "flag", "hint", "number", "option", "reason", "usage")}
VALUES["until"] = " until TIME"
"""What stands in the documents in the place of the values of an error."""

BROADCASTS: dict[str, type[Any]] = {
    "restart": server_events.Restart,
    "channels/broadcast": server_events.ChannelsBroadcast,
    "channels/changed": server_events.ChannelsChanged,
    "channels/removed": server_events.RemovedOf,
    "players/sign-in": server_events.PlayersSignedIn,
    "players/sign-out": server_events.PlayersSignedOut,
    "games/connect": server_events.GamesConnect,
    "games/disconnect": server_events.GamesDisconnect,
    "tells/receive": server_events.TellsReceive,
    "moderation/notice": server_events.ModerationNotice,
}


class Listed(msgspec.Struct, forbid_unknown_fields=True):
    """A payload of channels/list."""

    total: int
    channels: list[server_events.ChannelOf]


class History(msgspec.Struct, forbid_unknown_fields=True):
    """A payload of channels/history."""

    channel: str
    total: int
    more: bool
    messages: list[server_events.MessageOf]


class Reported(msgspec.Struct, forbid_unknown_fields=True):
    """A payload of reports/create."""

    report: int


PAYLOADS: dict[str, type[Any]] = {
    "players/status": server_events.PlayersOf,
    "games/status": server_events.StatusOf,
    "channels/history": History,
    "channels/list": Listed,
    "reports/create": Reported,
    "achievements/create": server_events.AchievementOf,
    "achievements/update": server_events.AchievementOf,
}


def commands(path: Path) -> Iterator[list[str]]:
    """The words of each line of the shell; a line may go on in the next."""
    for block in blocks(path, "sh"):
        for line in block.replace("\\\n", " ").splitlines():
            for part in re.split(r" && |\|| > ", re.sub(r"\$\((?!venv)[^()]*\)", "X", line)):
                with contextlib.suppress(ValueError):  # half a quotation: a piece of a longer line
                    yield shlex.split(part, comments=True)


def arguments(path: Path, program: str) -> Iterator[list[str]]:
    """What a program is called with."""
    for words in commands(path):
        for index, word in enumerate(words):
            if Path(word.removeprefix("$(")).name == program:
                yield words[index + 1 :]
                break


def transcript(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """The frames of the examples: which way each goes (> or <), and what it is."""
    for block in blocks(path, "text"):
        for frame in re.split(r"\n(?=[<>] )", block):
            yield frame[0], json.loads(re.sub(r"\n\s+", " ", frame[2:]))


def settings_of(struct: type[Any]) -> Iterator[str]:
    """The names of all settings, those of tables too."""
    for field in msgspec.structs.fields(struct):
        yield field.encode_name
        if isinstance(field.type, type) and issubclass(field.type, msgspec.Struct):
            yield from settings_of(field.type)


class WellFormed(SynchronousTestCase):
    """All documents."""

    def test_no_complaint(self) -> None:
        """docutils understands every document without a warning."""
        for path in DOCUMENTS:
            self.assertEqual(parsed(path)[1], "", path.name)

    def test_links(self) -> None:
        """A link to another document leads to one."""
        for path in DOCUMENTS:
            for link in parsed(path)[0].findall(nodes.reference):
                target = link.get("refuri", "")
                if target and "://" not in target:
                    self.assertTrue((path.parent / target).is_file(), f"{path.name}: {target}")

    def test_files(self) -> None:
        """The files of this repository that are named exist."""
        for path in DOCUMENTS:
            for literal in literals(path):
                if re.fullmatch(r"(etc|docs|examples|gossip|network|tests)/\S+", literal):
                    found = (ROOT / literal).exists() or (ROOT / "gossip" / literal).exists()
                    self.assertTrue(found, f"{path.name}: {literal}")


class Unread(Options):
    """The command line, without the file that it names."""

    def postOptions(self) -> None:
        """Look at nothing else."""


class Commands(SynchronousTestCase):
    """Commands to paste."""

    def test_readme_runs(self) -> None:
        """The README's first block is one command, which ends with the daemon in the foreground."""
        block = blocks(README, "sh")[0]
        self.assertNotIn("\n", block)
        self.assertTrue(block.startswith("python3 -m venv venv && venv/bin/pip install . && "))
        self.assertTrue(block.endswith("venv/bin/twistd -n gossip"))

    def test_readme_tests(self) -> None:
        """The README's second block is one command, which ends with the tests."""
        block = blocks(README, "sh")[1]
        self.assertNotIn("\n", block)
        self.assertIn("venv/bin/pip install -e '.[test]'", block)
        self.assertTrue(block.endswith(" -m twisted.trial -j 3 tests"))

    def test_gossipctl(self) -> None:
        """Every gossipctl that is shown is one that it understands."""
        count = 0
        for path in DOCUMENTS:
            for words in arguments(path, "gossipctl"):
                nowhere = contextlib.redirect_stdout(io.StringIO())
                with nowhere, contextlib.redirect_stderr(io.StringIO()) as complaints:
                    try:
                        ctl.parser().parse_args(words)
                    except SystemExit as end:
                        if end.code:
                            self.fail(f"{path.name}: gossipctl {shlex.join(words)}: {complaints.getvalue()}")
                count += 1
        self.assertGreater(count, 30)

    def test_every_gossipctl(self) -> None:
        """The page for operators shows every command of gossipctl."""
        shown = {tuple(words[:2]) for words in arguments(OPERATOR, "gossipctl")}
        for command, parser in ctl.parser().below.items():
            belows: list[tuple[str, ...]] = [(command, below) for below in parser.below]
            for words in belows or [(command,)]:
                self.assertTrue(any(known[: len(words)] == words for known in shown), words)

    def test_twistd(self) -> None:
        """The options of twistd gossip that are shown exist."""
        for path in DOCUMENTS:
            for words in arguments(path, "twistd"):
                if "gossip" in words:
                    Unread().parseOptions(words[words.index("gossip") + 1 :])

    def test_extras(self) -> None:
        """The extras that are installed exist."""
        setup = (ROOT / "setup.cfg").read_text()
        for path in DOCUMENTS:
            for extra in re.findall(r"\.\[(\w+)\]", path.read_text("utf-8")):
                self.assertRegex(setup, rf"(?m)^{extra} =$")


class Health(SynchronousTestCase):
    """What the documents say of the health of the daemon."""

    def test_words(self) -> None:
        """Each word for a database that fails is explained."""
        for trouble in Trouble:
            self.assertIn(f"\n``{trouble}`` ", OPERATOR.read_text("utf-8"))


class Settings(SynchronousTestCase):
    """The configuration."""

    def test_toml(self) -> None:
        """The examples of gossip.toml are valid."""
        for path in DOCUMENTS:
            for number, block in enumerate(blocks(path, "toml")):
                file = Path(self.mktemp())
                file.write_text(block)
                self.assertNotEqual(load({"config": str(file)}, {}), config.Config(), f"{path.name}: {number}")

    def test_names(self) -> None:
        """A name like one of a setting is one of a setting."""
        others = {"client_id", "client_secret", "worker_connections", "proxy_read_timeout", "pg_dump", "pg_restore"}
        others |= {"synchronous_standby_names", "synchronous_commit", "remote_apply", "max_connections"}
        others |= {"indexed_words", "indexed_blocks"}
        for literal in literals(OPERATOR) - others:
            if re.fullmatch(r"[a-z]+(_[a-z]+)+", literal) and not literal.startswith("gossip_"):
                self.assertIn(literal, set(settings_of(config.Config)))

    def test_metrics(self) -> None:
        """A metric that is named is one that an alert or a panel uses."""
        used = "".join((ROOT / "etc" / name).read_text() for name in ("alerts.yaml", "grafana.json"))
        for literal in literals(OPERATOR):
            if re.fullmatch(r"gossip(_[a-z]+)+", literal):
                self.assertIn(literal, used)

    def test_environment(self) -> None:
        """The variables of the environment that are named exist."""
        known = {f"GOSSIP_{name.upper()}" for name in get_type_hints(config.Config)} | {
            "GOSSIP_CONFIG",
            "GOSSIP_CLIENT_ID",
            "GOSSIP_CLIENT_SECRET",
        }
        shown = "".join(path.read_text("utf-8") for path in (README, CONNECTING, OPERATOR))
        for name in re.findall(r"\bGOSSIP_(?!TEST_)[A-Z_]+", shown):
            self.assertIn(name, known)

    def test_ways(self) -> None:
        """Operators are told of every variable and every option that is a setting."""
        shown = literals(OPERATOR)
        for name, value in msgspec.to_builtins(config.Config()).items():
            if not isinstance(value, dict):
                self.assertIn(f"GOSSIP_{name.upper()}", shown)
                option = name.replace("_", "-")
                self.assertEqual(f"--{option}" in shown, option in Options(), name)

    def test_long_socket_path(self) -> None:
        """What is said of a path that is too long for a socket stands where operators look for it."""
        refused = self.assertRaises(ConfigError, load, {"data": "/" + "x" * 120}, {})
        named, _, error = str(refused).partition("/x")
        self.assertIn(f"{named.removeprefix('--data: ')}... {error.partition(' ')[2]}", literals(OPERATOR))

    def test_reload(self) -> None:
        """The file and the page name the same settings that wait for a restart."""
        (file,) = re.findall(r"except (.*?) of \[limits\]\.", (ROOT / "etc" / "gossip.toml").read_text(), re.DOTALL)
        (page,) = re.findall(r"and\s+in ``\[limits\]``(.*?)\.\n", OPERATOR.read_text("utf-8"), re.DOTALL)
        names = set(re.findall(r"[a-z]+_[a-z_]+", file))
        self.assertEqual(names, set(re.findall(r"[a-z]+_[a-z_]+", page)))
        below = {name.removeprefix("limits.") for name in config.NEED_RESTART if name.startswith("limits.")}
        self.assertEqual(names, below)
        (others,) = re.findall(r"These need\s+one:\s+(.*?), and\s+in", OPERATOR.read_text("utf-8"), re.DOTALL)
        self.assertEqual(
            set(re.findall(r"[a-z0-9_]+", others)) | {f"limits.{name}" for name in below},
            # Of a whole table only its name is given.
            {re.sub(r"^(imc2|i3)\..*", r"\1", name) for name in config.NEED_RESTART},
        )


class Protocol(SynchronousTestCase):
    """The page for authors of games."""

    def test_requests(self) -> None:
        """Every frame from a game is one that the network understands, and each event has one."""
        shown = set()
        for way, frame in transcript(PROTOCOL):
            if way == ">":
                event = frames.decode(json.dumps(frame).encode())
                self.assertFalse(isinstance(event, Unreadable | Unknown | Malformed), frame)
                self.assertLessEqual(set(frame), {"event", "ref", "payload"})
                assert isinstance(event, Event)
                known = {field.encode_name for field in msgspec.structs.fields(event)}
                if "attributes" in known:
                    known = {field.name for field in msgspec.structs.fields(server_events.AchievementOf)}
                self.assertLessEqual(set(frame.get("payload", {})), known, str(frame))
                shown.add(event.wire)
        wires = {event.wire for event in Event.__subclasses__()}
        readable = {
            wire for wire in wires if not isinstance(frames.decode(b'{"event": "%b"}' % wire.encode()), Unknown)
        }
        self.assertEqual(shown, readable)

    def test_by_hand(self) -> None:
        """The network understands the frames that a newcomer types by hand."""
        found = [*blocks(CONNECTING, "json"), *re.findall(r"printf '(.*)\\n'", CONNECTING.read_text("utf-8"))]
        found += [literal for literal in literals(CONNECTING) if literal.startswith('{"event": ')]
        for frame in found:
            self.assertIsInstance(frames.decode(frame.encode()), Event, frame)
        self.assertEqual(len(found), 4)

    def test_answers(self) -> None:
        """Every frame from the network answers the request above it, or is one that it sends by itself."""
        shown = set()
        asked: dict[str, str] = {}
        for way, frame in transcript(PROTOCOL):
            event, ref, payload = frame["event"], frame.get("ref"), frame.get("payload", {})
            if way == ">":
                if ref is not None:
                    asked[json.dumps(ref)] = event
            elif "status" in frame or event in ANSWERS:
                shown.add(event)
                # In an authenticate, channels to subscribe to and to resume are asked for as well.
                if event != "authenticate" and not (
                    event in ("channels/subscribe", "channels/history") and ref is None
                ):
                    self.assertEqual(asked[json.dumps(ref)], event)
                self.assertIn(frame.get("status", "success"), ("success", "failure"))
                if frame.get("status") != "failure" and event in PAYLOADS:
                    struct = server_events.EndOf if set(payload) == {"total"} else PAYLOADS[event]
                    msgspec.convert(payload, struct)
                    known = {field.name for field in msgspec.structs.fields(struct)}
                    if "online" in payload:
                        known |= {"online", "uptime_seconds", "last_seen_at"}
                    self.assertLessEqual(set(payload), known)
            elif event != "heartbeat":
                shown.add(event)
                struct = BROADCASTS[event]
                if struct is server_events.ChannelsBroadcast and "seq" in payload:
                    struct = server_events.ChannelsBroadcastNumbered
                struct = server_events.ChannelsEmote if "emote" in payload else struct
                known = {field.name for field in msgspec.structs.fields(struct)} - {"ref"}
                if struct is server_events.ChannelsChanged:
                    known |= {field.name for field in msgspec.structs.fields(server_events.ChannelOf)}
                self.assertEqual(set(payload), known)
                self.assertRegex(str(ref), r"^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")
        self.assertLessEqual({*BROADCASTS, *PAYLOADS, *ANSWERS}, shown)

    def test_errors(self) -> None:
        """Every error that is named stands in the table of errors, and the other way round."""
        document = parsed(PROTOCOL)[0]
        named = {
            row.children[0].astext()
            for row in document.findall(nodes.row)
            if re.match(r"[A-Za-z][a-z]+ [a-z]|unknown$|unauthenticated$", row.children[0].astext())
            and row.children[0].next_node(nodes.literal)
        }
        named |= {frame["error"] for way, frame in transcript(PROTOCOL) if "error" in frame}
        # In the place of a value anything may stand: a name, a time, what an admin wrote.
        patterns = {
            kind.code: re.compile(re.sub(r"\\{\w+\\}", ".*", re.escape(kind.text))) for kind in TABLE if kind.metric
        }
        for error in named:
            self.assertTrue(any(pattern.fullmatch(error) for pattern in patterns.values()), error)
        shown = named | literals(PROTOCOL)
        for code, pattern in patterns.items():
            self.assertTrue(any(map(pattern.fullmatch, shown)), code)

    def test_limits(self) -> None:
        """The rates are those of the defaults."""
        rates = msgspec.to_builtins(config.Limits().rates)
        table = {
            cells[0]: (int(cells[1]), int(cells[2].partition(" ")[0]) / (60 if "minute" in cells[2] else 1))
            for row in parsed(PROTOCOL)[0].findall(nodes.row)
            if len(cells := [entry.astext() for entry in row.children]) == 3 and cells[1].isdigit()
        }
        expected = {
            "All together" if name == "global" else name.replace("_", "/", 1).replace("_", "-"): (
                rate["burst"],
                rate["per_second"],
            )
            for name, rate in rates.items()
        }
        self.assertEqual({name: (most, round(rate, 4)) for name, (most, rate) in table.items()}, expected)


class Telnet(SynchronousTestCase):
    """The page for authors of old MUDs."""

    def test_transcript(self) -> None:
        """Its transcript is the one that is tested."""
        (shown,) = blocks(TELNET, "text")
        said = [line for line in TRANSCRIPT.strip().splitlines() if line[0] in "CS"]
        self.assertEqual(shown.splitlines(), [f"S: {BANNER}", *said])

    def test_commands(self) -> None:
        """It shows every command, and no other; every option is explained."""
        rows = [[cell.astext() for cell in row.children] for row in parsed(TELNET)[0].findall(nodes.row)]
        shown = {verb for cells in rows if len(cells) == 3 for verb in re.findall(r"\b[A-Z][A-Z-]{3,}\b|WHO", cells[0])}
        self.assertEqual(shown, set(_COMMANDS))
        text = TELNET.read_text("utf-8")
        for option in LineOptions().shown():
            self.assertIn(f"``{option}=", text)

    def test_numbers(self) -> None:
        """It shows every error of the table with its number, and no other."""
        shown = {
            (int(row.children[0].astext()), literal.astext())
            for row in parsed(TELNET)[0].findall(nodes.row)
            if row.children[0].astext().isdigit()
            for literal in row.children[1].findall(nodes.literal)
        }
        known = {(kind.number, kind.text.format_map(VALUES)) for kind in TABLE}
        self.assertEqual({one for one in shown if one[1] not in _COMMANDS}, known)

    def test_lines(self) -> None:
        """It shows every line that comes unasked."""
        text = TELNET.read_text("utf-8")
        for line in (
            "MSG",
            "TELL",
            "SIGNIN",
            "SIGNOUT",
            "GAMEUP",
            "GAMEDOWN",
            "PING",
            "RESTART",
            "NOTE",
            "BYE",
            "NOTICE",
            "CHANGED",
        ):
            self.assertIn(f"``{line} ", text)

    def test_limits(self) -> None:
        """The limits that it tells are the defaults."""
        limits, text = config.Limits().telnet, TELNET.read_text("utf-8")
        for number in (limits.line_bytes, limits.line_bytes_before_login):
            self.assertIn(f" {number} bytes" if number == limits.line_bytes else f"the login {number}", text)
        self.assertEqual(limits.logins, 3)
        self.assertEqual(Lettering().maxline, 1024)

    def test_example(self) -> None:
        """What the README of the examples tells to change, and to call, is there."""
        source = (ROOT / "examples" / "gossip.c").read_text()
        called = {name for block in blocks(EXAMPLES, "c") for name in re.findall(r"\bgossip_(?!wait)\w+", block)}
        self.assertEqual(called, {"gossip_open", "gossip_poll", "gossip_heard", "gossip_send"})
        for name in called | {"GOSSIP_MAIN", "OPTION double={"}:
            self.assertIn(name, source)
