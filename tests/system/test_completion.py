"""L{gossip.cli.completion}: the shells themselves complete with the scripts."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from gossip.cli import ctl
from gossip.cli.completion import SHELLS, script
from tests.support.command_line import run

BASH = """
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _gossipctl; printf '%s\\n' "${COMPREPLY[@]}"
"""
ZSH = """
compdef() { }
_describe() { print -l -- ${${(P)2}%%:*} }
source $1; shift
words=("$@"); CURRENT=$#; _gossipctl
"""
FISH = """
source $argv[1]; complete -C (string join ' ' -- $argv[2..-1]) | string split -f 1 \\t
"""
PROGRAMS = {"bash": ("bash", "--norc", "-c", BASH), "zsh": ("zsh", "-f", "-c", ZSH), "fish": ("fish", "-N", "-c", FISH)}


class CompletionTests(SynchronousTestCase):
    """Lines that are half typed."""

    def completed(self, shell: str, *words: str) -> set[str]:
        """What a shell offers."""
        if shutil.which(shell) is None:
            raise SkipTest(f"needs {shell}")
        file = Path(self.mktemp())
        file.write_text(script(ctl.parser(), shell))
        name = () if shell == "fish" else (shell,)
        command = [*PROGRAMS[shell], *name, str(file), "gossipctl", *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.stderr, "", shell)
        # zsh leaves it to its own functions to drop what does not match.
        return {word for word in done.stdout.split() if word.startswith(words[-1])}

    def complete(self, shell: str) -> None:
        self.assertEqual(self.completed(shell, "sta"), {"status"})
        self.assertEqual(self.completed(shell, "game", "r"), {"rehearse", "rotate", "remove"})
        self.assertEqual(self.completed(shell, "game", "add", "--hi"), {"--hidden", "--hide-players"})
        self.assertEqual(self.completed(shell, "--data", "x", "channel", "remove", "--y"), {"--yes"})

    def test_bash(self) -> None:
        """bash completes commands and options, wherever other options stand."""
        self.complete("bash")

    def test_zsh(self) -> None:
        """zsh does so."""
        self.complete("zsh")

    def test_fish(self) -> None:
        """fish does so."""
        self.complete("fish")

    def test_everything(self) -> None:
        """Each script has every command; no other shell has one."""
        for shell in SHELLS:
            code, out, _ = run("completion", shell)
            self.assertEqual(code, 0)
            for word, parser in ctl.parser().below.items():
                for each in (word, *parser.below):
                    self.assertIn(each, out)
        self.assertEqual(run("completion", "tcsh")[0], 2)
