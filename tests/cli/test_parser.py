"""L{gossip.cli.parser}: the words of a command line that nobody knows, and parsers that nobody needs."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from gossip.cli import ctl
from gossip.cli.parser import did_you_mean
from tests.support.command_line import run


class ParserTests(SynchronousTestCase):
    """What somebody may have meant, and what is made for it."""

    def test_did_you_mean(self) -> None:
        """A word that is almost a command or an option is answered with that one."""
        for line, meant in (
            ("stauts", "status"),
            ("gaem list", "game"),
            ("game remov MyMUD", "remove"),
            ("game add X --short X --hiden", "--hidden"),
            ("help staus", "status"),
            ("help game lst", "list"),
        ):
            code, out, err = run(*line.split())
            self.assertEqual((code in (1, 2), out), (True, ""), line)
            self.assertIn(f", did you mean {meant!r}?", err)
        self.assertEqual(did_you_mean("xyzzy", ("status", "sessions")), "")

    def test_usage_of_the_command(self) -> None:
        """The usage beside an unknown option is that of the command."""
        code, _, err = run("channel", "list", "--quick")
        self.assertEqual((code, err.splitlines()[0].split()[:4]), (2, ["usage:", "gossipctl", "channel", "list"]))

    def test_help(self) -> None:
        """help shows what --help shows, for all commands and for one."""
        for words in ((), ("game",), ("game", "add"), ("status",)):
            told = run("help", *words)
            self.assertEqual(told, run(*words, "--help"), words)
            self.assertEqual(told[0], 0)
        self.assertEqual(run("help", "nonsense")[0], 1)

    def test_version(self) -> None:
        """The version is that of the package."""
        import gossip

        self.assertEqual(run("--version"), (0, f"gossipctl {gossip.__version__}\n", ""))

    def test_filled_when_used(self) -> None:
        """The commands below a word are made when the word is typed, and not for any other word."""
        top = ctl.parser()
        top.parse_args(["game", "list"])
        made = {word for word, parser in top.below.items() if parser.fill is None}
        self.assertIn("game", made)
        self.assertFalse(made & {"channel", "account", "mute"})
