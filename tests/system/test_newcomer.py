"""
The first fifteen minutes: a newcomer who does what the README and the first lines of the log say, and nothing else.

The commands are those of the documents, typed in a directory with an empty home. The daemon has a port of its own:
that of the README may be taken on this machine. The installation is left out, since it takes long and needs a package
index. With C{GOSSIP_TEST_INSTALL} in the environment it is made as well, in a fresh clone.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from shutil import copytree, ignore_patterns, rmtree
from typing import Final

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from tests.support.daemon import WITHIN, environment, eventually, free_port
from tests.support.documents import README, ROOT, blocks, literals
from tests.support.person import Person

PROGRAMS: Final = {
    "twistd": "from twisted.scripts.twistd import run",
    "gossipctl": "import sys; from gossip.cli.ctl import main; run = lambda: sys.exit(main())",
}
"""The programs that an installation puts into venv/bin: each defines what is run."""

LEFT_OUT: Final = (".*", "venv", "build", "dist", "*.egg-info", "__pycache__", "_trial_temp*", "gossip-data")
"""What is no part of a clone."""

INSTALL_SECONDS: Final = 900
"""How long the installation may take, in seconds."""

PASSWORD: Final = "four unrelated words here"


class Terminal:
    """A shell with a person before it, who types lines and reads what is shown."""

    def __init__(self, directory: Path, command: str, variables: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            ["bash", "-c", command],
            cwd=directory,
            env=variables,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._shown = bytearray()
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        while data := os.read(self._process.stdout.fileno(), 65536):
            self._shown += data

    @property
    def shown(self) -> str:
        """All that was shown."""
        return bytes(self._shown).decode(errors="replace")

    def type(self, line: str) -> None:
        """Type a line."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n".encode())
        self._process.stdin.flush()

    def read(self, text: str, times: int = 1, within: float = WITHIN) -> None:
        """Wait until a text is shown, as many times."""
        try:
            eventually(lambda: self.shown.count(text) >= times, text, within)
        except AssertionError as error:
            raise AssertionError(f"{error}; there is:\n{self.shown}") from None

    def wait(self) -> int:
        """Wait for its end; returns the exit code."""
        return self._process.wait(WITHIN)

    def close(self) -> None:
        """End it, and what it started."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGTERM)
            self.wait()
        self._reading.join(WITHIN)
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()


class Newcomer(SynchronousTestCase):
    """
    What a newcomer does, step by step.

    @ivar directory: the clone.
    @ivar home: a home with nothing in it.
    """

    def setUp(self) -> None:
        # Short, since it holds a unix socket.
        self.directory = Path(tempfile.mkdtemp(prefix="gossip-"))
        self.addCleanup(rmtree, self.directory)
        self.home = Path(tempfile.mkdtemp(prefix="gossip-"))
        self.addCleanup(rmtree, self.home)
        self.variables = {**environment(), "HOME": str(self.home)}
        self.person = Person()
        self.port = free_port()
        self.run_readme(blocks(README, "sh")[0])

    def run_readme(self, command: str) -> None:
        """Do what the first command of the README does, and wait for the last of the first lines."""
        (self.directory / "venv" / "bin").mkdir(parents=True)
        for name, definition in PROGRAMS.items():
            program = self.directory / "venv" / "bin" / name
            program.write_text(f"#!{sys.executable}\n{definition}\nrun()\n")
            program.chmod(0o755)
        self.start_daemon(command.rpartition(" && ")[2], WITHIN)

    def start_daemon(self, command: str, within: float) -> None:
        """Type a command that ends with the daemon in the foreground."""
        self.daemon = self.terminal(command, GOSSIP_LISTEN=f"tcp:{self.port}:interface=127.0.0.1")
        self.daemon.read("no admin yet", within=within)
        # pip may have left a cache there.
        self.at_home = set(self.home.iterdir())

    def terminal(self, command: str, **variables: str) -> Terminal:
        """Open a terminal, and type a command."""
        opened = Terminal(self.directory, command, {**self.variables, **variables})
        self.addCleanup(opened.close)
        return opened

    def printed(self, before: str) -> str:
        """What the daemon printed after these words."""
        found = re.search(rf"{re.escape(before)} (.+)", self.daemon.shown)
        assert found is not None, self.daemon.shown
        return found[1]

    def address(self, ends: str) -> str:
        """An address of the README, at the port of this daemon."""
        found = re.search(rf"http://127\.0\.0\.1:4110(\S*{ends})\b", README.read_text("utf-8"))
        assert found is not None, ends
        return f"http://127.0.0.1:{self.port}{found[1]}"

    def become_admin(self) -> None:
        """Open the link of the log, and fill in the form that it leads to."""
        self.person.open(self.printed("make the first one at").partition(" until ")[0])
        self.person.press("Create the first admin", name="Boss", password=PASSWORD, again=PASSWORD)
        self.assertIn("/admin", self.person.page.path)

    def talk(self) -> Terminal:
        """Register a game and join, as the README does it in the second terminal."""
        talking = self.terminal(blocks(README, "sh")[2])
        talking.read("* Connected. You talk on testing.")
        return talking

    def talk_by_log(self) -> Terminal:
        """Register a game with the command of the log, and join with its credentials."""
        adding = self.terminal(self.printed("register a game with:"))
        self.assertEqual(adding.wait(), 0, adding.shown)
        adding.read("The secret is not shown again.")
        self.assertIn(f"ws://127.0.0.1:{self.port}/socket\n", adding.shown)
        known = dict(re.findall(r"(?m)^(client_id|client_secret) +(\S+)$", adding.shown))
        credentials = {f"GOSSIP_{name.upper()}": value for name, value in known.items()}
        talking = self.terminal(blocks(README, "sh")[2].splitlines()[1], **credentials)
        talking.read("* Connected. You talk on testing.")
        return talking

    def converse(self, talking: Terminal, times: int = 1) -> None:
        """Type what the README says to a game that is alone, and read what it says will come."""
        shown = literals(README)
        tell = next(each for each in shown if each.startswith("/tell echo@gossip "))
        answer = next(each for each in shown if each.startswith("[testing] echo@gossip: "))
        self.assertIn("Type ``hello``.", README.read_text("utf-8"))
        try:
            talking.type("hello")
            talking.read(f"{answer}\n", times, within=2)
        except AssertionError:
            # It answers once a second. No person is as fast as this.
            talking.type("hello")
            talking.read(f"{answer}\n", times)
        talking.type(tell)
        talking.read("echo@gossip tells you: ", times)

    def find_game(self) -> None:
        """Find the game where the README says that it is."""
        page = self.person.open(self.address("/manage"))
        if "Take My MUD" in (button for form in page.forms for button in form.buttons):
            page = self.person.press("Take My MUD")
        self.assertEqual(page.links.get("My MUD"), "/manage/MyMUD")

    def see_steps(self, talking: Terminal) -> None:
        """Open the guide of the game, talk once more, and see all steps ticked."""
        self.person.follow("Connect")
        self.person.follow(next(text for text, link in self.person.page.links.items() if link.endswith("/python")))
        self.assertTrue(self.person.page.steps)
        self.converse(talking, times=2)
        eventually(lambda: all(self.person.open(self.person.page.path).steps), "all steps are ticked")

    def see_pages(self, talking: Terminal) -> None:
        """Talk where everybody hears it, with another game; it is on a page that everybody can read."""
        self.assertIn("type ``/join gossip``", README.read_text("utf-8"))
        talking.type("/join gossip")
        talking.read("* You talk on gossip.")
        other = self.terminal(blocks(README, "sh")[3])
        other.read("* Connected. You talk on gossip.")
        talking.type("Hello!")
        other.read("[gossip] Ana@MyMUD: Hello!\n")
        other.type("And you?")
        talking.read("[gossip] Bo@YourMUD: And you?\n")
        reader = Person()
        # Games hear a line before it is on disk, where the page reads it.
        eventually(lambda: "And you?" in reader.open(self.address("/gossip")).text, "what was said, on its page")
        self.assertIn("Hello!", reader.page.text)
        page = reader.open("/games")
        self.assertEqual(page.links.get("My MUD"), "/games/MyMUD")
        self.assertIn("online", reader.open("/games/MyMUD").text)

    def check_home(self) -> None:
        """Nothing was written outside of the clone, and nothing failed."""
        self.assertEqual(set(self.home.iterdir()), self.at_home)
        self.assertNotIn("Traceback", self.daemon.shown)

    def do_game_first(self) -> None:
        """The command of the log first, then the link: the admin finds the game, and takes it."""
        talking = self.talk_by_log()
        self.converse(talking)
        self.become_admin()
        self.find_game()
        self.see_steps(talking)
        self.see_pages(talking)
        self.check_home()


class NewcomerTests(Newcomer):
    """From the first start to a game that talks."""

    def test_admin_first(self) -> None:
        """The link first, then the game of the README: the game belongs to the admin."""
        self.become_admin()
        talking = self.talk()
        self.assertIn("It belongs to the account Boss.", talking.shown)
        self.converse(talking)
        self.find_game()
        self.see_steps(talking)
        self.see_pages(talking)
        talking.type("/quit")
        self.assertEqual(talking.wait(), 0)
        self.check_home()

    def test_game_first(self) -> None:
        """The command of the log first, then the link: the admin finds the game, and takes it."""
        self.do_game_first()


class CloneTests(Newcomer):
    """The same from a fresh clone, with the installation."""

    def run_readme(self, command: str) -> None:
        if not os.environ.get("GOSSIP_TEST_INSTALL"):
            raise SkipTest("GOSSIP_TEST_INSTALL is not set")
        copytree(ROOT, self.directory, symlinks=True, ignore=ignore_patterns(*LEFT_OUT), dirs_exist_ok=True)
        # This checkout must not be found.
        del self.variables["PYTHONPATH"]
        self.start_daemon(command, INSTALL_SECONDS)

    def test_clone(self) -> None:
        """The README's first command as it stands, and then everything else."""
        self.do_game_first()
