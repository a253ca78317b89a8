"""
gossipctl: what an admin does from a terminal.

It asks a running daemon over its admin API. If no daemon runs, it opens the store itself, for commands that need
nothing else.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from functools import partial
from threading import current_thread, main_thread
from typing import Any

import msgspec

from gossip.cli import terminal
from gossip.cli.commands import add_commands, given
from gossip.cli.daemon import Failed, NotRunning, RunningDaemon, StoppedDaemon
from gossip.cli.overview import Overview
from gossip.cli.parser import Parser, did_you_mean
from gossip.cli.terminal import printable
from gossip.config.config import Config
from gossip.config.errors import ConfigError
from gossip.config.loading import load
from gossip.operations.command import Command, View
from gossip.operations.intermud3 import GameI3, placed
from gossip.operations.keys import GameKey, located


class _Version(argparse.Action):
    """Prints the version, which takes a while to find out."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        import gossip

        terminal.show(f"gossipctl {gossip.__version__}")
        parser.exit()


def parser() -> Parser:
    """
    Make the parser of the command line.

    What it parses has in C{run} the function that carries the command out and returns the exit code.
    """
    common = Parser(add_help=False, argument_default=argparse.SUPPRESS)
    common.add_argument("--data", metavar="DIR", help="the data directory of the daemon")
    common.add_argument("--config", metavar="FILE", help="the configuration file of the daemon")
    common.add_argument("--socket", metavar="PATH", help="the admin socket of the daemon")
    common.add_argument("--json", action="store_true", help="print JSON")
    top = Overview("gossipctl", parents=[common], usage="gossipctl [OPTION ...] COMMAND ...")
    top.add_argument("--version", action=_Version, nargs=0, help="print the version, and exit")
    subparsers = top.add_subparsers(metavar="COMMAND", required=True, parser_class=Parser, prog="gossipctl")
    add_commands(subparsers, common, _carry_out)

    def add(name: str, text: str, run: Any) -> Parser:
        made: Parser = subparsers.add_parser(name, help=text, description=text, parents=[common])
        made.set_defaults(run=run, parser=made)
        return made

    add("status", "show how the daemon is", _status)
    check = add("check", "look for what is wrong with the configuration, its files and the running daemon", _check)
    check.add_argument("--quiet", action="store_true", help="print nothing unless something is wrong")
    sessions = add("sessions", "list live sessions", _sessions)
    sessions.add_argument("--match", metavar="TEXT", help="only sessions whose game or address contains this text")
    sessions.add_argument("--after", metavar="NEXT", help="start after this session, as the page before it says")
    sessions.add_argument("--limit", metavar="N", type=int, help="show at most this number of sessions")
    backup = add("backup", "copy the database to a new file", _backup)
    text = "the new file; a directory, where the file gets a name with the time; or - for standard output"
    backup.add_argument("file", metavar="FILE", help=text)
    text = "keep the latest N backups with such a name in the directory, and remove older ones"
    backup.add_argument("--keep", metavar="N", type=int, help=text)
    text = "copy everything to another, empty database, while the daemon is stopped"
    copy_to = add("copy-to", text, _copy_to)
    copy_to.add_argument("url", metavar="URL", help="where to, such as postgresql://gossip@localhost/gossip")
    tail = add("tail", "follow what is said", _tail)
    tail.add_argument("channel", metavar="CHANNEL", nargs="?", help="only this channel (default: all channels)")
    help_ = add("help", "show what a command does", partial(_help, top))
    help_.add_argument("words", metavar="COMMAND", nargs="*", help="the command (default: list all commands)")
    completion = add("completion", "print a script that completes commands and options", partial(_completion, top))
    completion.add_argument("shell", metavar="SHELL", choices=("bash", "zsh", "fish"), help="bash, zsh or fish")
    talk = add("talk", "join the network as a game, and talk", _talk)
    text = "the address of the network's socket (default: that of the daemon on this machine)"
    talk.add_argument("--url", help=text)
    talk.add_argument("--id", metavar="CLIENT_ID", help="the client_id of the game, or set GOSSIP_CLIENT_ID")
    text = "its secret; safer in GOSSIP_CLIENT_SECRET, since other users can see your command line"
    talk.add_argument("--secret", metavar="SECRET", help=text)
    talk.add_argument("--name", metavar="PLAYER", help="your name (default: your login)")
    text = "a channel to join; can be repeated (default: gossip)"
    talk.add_argument("--channel", metavar="CHANNEL", action="append", help=text)
    return top


def _carry_out(arguments: argparse.Namespace) -> int:
    command: type[Command] = arguments.command
    if command.question and not arguments.yes:
        terminal.ask(command.question.format_map(given(arguments)))
    result = _post(arguments)
    if "link" in result:
        # A daemon that has pages knows their address; otherwise the configuration does.
        result.setdefault("address", _config(arguments).address + result["link"])
    if command is GameKey and not result["host"]:
        config = _config(arguments)
        result = located(result, config.address, config.imc2_port)
    if command is GameI3 and not result["host"]:
        config = _config(arguments)
        result = placed(result, config.address, config.i3_port, config.i3_router)
    said = (command.done.format_map(result), "") if command.done else ()
    if arguments.view is command.shell_view:
        terminal.complain(terminal.written(command.beside_shell_view(result)))
    return _show(arguments, result, lambda shown: (*said, *arguments.view(shown)))


def _post(arguments: argparse.Namespace) -> dict[str, Any]:
    """Have the running daemon carry out a command, or carry it out on the store of a stopped one."""
    command = arguments.command
    try:
        return _daemon(arguments).post(command.wire, given(arguments), command.takes)
    except NotRunning:
        stopped = _stopped(arguments)
        is_new = stopped.is_new and not getattr(arguments, "json", False)
        result = stopped.post(command, given(arguments))
        if is_new:
            # Whoever is in another directory than the daemon would wonder where the game is.
            terminal.complain(f"No daemon runs for {stopped.data}: it was created, and waits for one.")
        return result


def _stopped(arguments: argparse.Namespace) -> StoppedDaemon:
    path = getattr(arguments, "socket", None)
    if path is not None and not (hasattr(arguments, "data") or hasattr(arguments, "config")):
        # --socket names that daemon, not whatever lies in the working directory.
        raise Failed(f"no daemon listens at {path}") from None
    return StoppedDaemon(_config(arguments))


def _status(arguments: argparse.Namespace) -> int:
    try:
        status = {"running": True, **_daemon(arguments).get("status")}
        _show(arguments, status, terminal.status)
        return 0 if status.get("health") == "ok" else 1
    except NotRunning as error:
        shown = f"not running: nothing listens at {error.path}"
        _show(arguments, {"running": False}, lambda _: (shown,))
        return 1


def _check(arguments: argparse.Namespace) -> int:
    from gossip.checks import findings
    from gossip.cli.check import about_daemon

    config = _config(arguments)
    try:
        status = _daemon(arguments).get("status")
    except NotRunning:
        status = None
    found = [*findings(config), *about_daemon(config, status)]
    errors = sum(finding.severity == "error" for finding in found)
    if found or not arguments.quiet:
        counted = f"{errors} errors, {len(found) - errors} warnings."
        result = {"problems": [msgspec.to_builtins(finding) for finding in found]}
        _show(arguments, result, lambda _: (*map(str, found), counted))
    return 1 if errors else 0


def _sessions(arguments: argparse.Namespace) -> int:
    words = ("match", "after", "limit")
    asked = {word: value for word in words if (value := getattr(arguments, word)) is not None}
    return _show(arguments, _daemon(arguments).get("sessions", **asked), terminal.sessions)


def _backup(arguments: argparse.Namespace) -> int:
    from gossip.cli import backup

    # Only the main thread can have signals.
    with backup.tidy() if current_thread() is main_thread() else nullcontext():
        path = backup.save(_snapshot(arguments), arguments.file, arguments.keep)
    if path is not None:
        _show(arguments, {"path": str(path)}, lambda result: (f"The database was copied to {result['path']}.",))
    return 0


def _copy_to(arguments: argparse.Namespace) -> int:
    counts, copied = _stopped(arguments).copy_to(arguments.url)
    done = "Everything was copied, and compared with the original:" if copied else "Everything has been copied before:"
    return _show(
        arguments,
        {"rows": counts, "copied": copied},
        lambda _: (done, *(f"  {name:<20} {count:>10}" for name, count in counts.items())),
    )


def _snapshot(arguments: argparse.Namespace) -> Iterator[bytes]:
    """A copy of the database, from the running daemon or from the store of a stopped one."""
    try:
        yield from _daemon(arguments).snapshot()
    except NotRunning:
        yield from _stopped(arguments).snapshot()


def _tail(arguments: argparse.Namespace) -> int:
    for said in _daemon(arguments).tail(arguments.channel):
        _show(arguments, said, terminal.said)
    raise Failed("the daemon ended the connection")


def _completion(top: Parser, arguments: argparse.Namespace) -> int:
    from gossip.cli.completion import script

    terminal.show(script(top, arguments.shell))
    return 0


def _help(top: Parser, arguments: argparse.Namespace) -> int:
    found = top
    for word in arguments.words:
        if word not in found.below:
            typed = " ".join(arguments.words)
            raise Failed(f"there is no command {typed!r}{did_you_mean(word, found.below)}")
        found = found.below[word]
    terminal.show(found.filled().format_help().rstrip("\n"))
    return 0


def _talk(arguments: argparse.Namespace) -> int:
    from gossip.cli import talk

    client_id = arguments.id or os.environ.get("GOSSIP_CLIENT_ID")
    secret = arguments.secret or os.environ.get("GOSSIP_CLIENT_SECRET")
    if not client_id or not secret:
        raise Failed(
            "talk needs a game: set GOSSIP_CLIENT_ID and GOSSIP_CLIENT_SECRET, or give --id and --secret; "
            "to get both: eval \"$(gossipctl game add 'My MUD' --short MyMUD --shell)\""
        )
    url = arguments.url or _socket(arguments)
    try:
        return talk.main(url, client_id, secret, arguments.name, arguments.channel or ["gossip"])
    except ValueError as error:
        raise Failed(str(error)) from None


def _socket(arguments: argparse.Namespace) -> str:
    """The address at which games on this machine join the daemon."""
    named = any(hasattr(arguments, name) for name in ("data", "config", "socket"))
    try:
        found = _daemon(arguments).get("status").get("socket")
    except NotRunning as error:
        if named:
            raise Failed(f"no daemon listens at {error.path}; to talk on another network, give its --url") from None
        found = None
    except Failed:
        # Its socket is for its own user. Everybody may talk.
        found = None
    found = found or _config(arguments).socket
    if not found:
        raise Failed("the daemon listens on no address that is known here: give its --url")
    return str(found)


def _config(arguments: argparse.Namespace) -> Config:
    options = {name: getattr(arguments, name, None) for name in ("config", "data")}
    return load({**options, "admin-socket": getattr(arguments, "socket", None)}, os.environ)


def _daemon(arguments: argparse.Namespace) -> RunningDaemon:
    return RunningDaemon(_config(arguments).admin_path)


def _show(arguments: argparse.Namespace, result: dict[str, Any], view: View) -> int:
    # JSON in ASCII: no terminal takes anything in it for a command.
    terminal.show(json.dumps(result) if getattr(arguments, "json", False) else terminal.written(view(result)))
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """
    Carry out a command line.

    @return: the exit code: 0 for success, 1 for a failure, which one line on stderr explains, 2 for a command line that
        makes no sense.
    """
    if sys.stdout is None:
        # The secret of a new game, for example, is shown once: better not to make one.
        terminal.complain("gossipctl: standard output is closed")
        return 1
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            # A terminal that cannot show a character is no reason to fail.
            reconfigure(errors="backslashreplace")
    try:
        try:
            return _run(argv)
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        terminal.discard()
        return 0
    except OSError as error:
        # It may be done all the same.
        terminal.discard()
        terminal.complain(f"gossipctl: cannot write to standard output: {error.strerror}")
        return 1


def _run(argv: Sequence[str] | None) -> int:
    try:
        arguments = parser().parse_args(argv)
        run: Any = arguments.run
        return int(run(arguments))
    except SystemExit as usage:
        return usage.code if isinstance(usage.code, int) else 2
    except (Failed, ConfigError, terminal.Unsure) as error:
        terminal.complain(f"gossipctl: {printable(str(error))}")
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
