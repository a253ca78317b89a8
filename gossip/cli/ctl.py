"""
gossipctl: what an admin does from a terminal.

With a daemon running it speaks to its admin API; with none, it opens the store itself, for what needs nothing else.
"""

from __future__ import annotations

import argparse
import errno
import http.client
import json
import os
import pwd
import socket
import sys
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from gossip.cli import terminal
from gossip.cli.commands import add_operations
from gossip.cli.terminal import Shown, printable
from gossip.config import SOCKET_PATH_BYTES, Config, ConfigError, load
from gossip.operations import catalogue
from gossip.operations.operation import Occasion, carry_out, read
from gossip.registry.errors import Refused

TIMEOUT: Final = 60
"""How many seconds the daemon may take for an answer."""

_CREATE: Final = ("game/add", "channel/create", "agent/set", "account/add")
"""What may be the first thing that is done to a store."""


class Failed(Exception):
    """It was not done; the text is one line for the person who asked for it."""


class NotRunning(Exception):
    """Nobody listens at the admin socket."""


# The daemon.


class _Connection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: Path, timeout: float | None) -> None:
        super().__init__("gossip", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(os.fspath(self._path))


class Daemon:
    """A running daemon, at its admin socket."""

    def __init__(self, path: Path) -> None:
        """
        @raise Failed: no socket can have such a path.
        """
        if len(os.fsencode(path)) > SOCKET_PATH_BYTES:
            raise Failed(
                f"the path of the admin socket has over {SOCKET_PATH_BYTES} bytes: let admin_socket be a shorter one"
            )
        self._path = path

    def get(self, name: str) -> dict[str, Any]:
        """Ask something."""
        with closing(self._connection()) as connection:
            return self._read(self._request(connection, "GET", name))

    def post(self, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """Have something done."""
        with closing(self._connection()) as connection:
            return self._read(self._request(connection, "POST", name, _written(arguments)))

    def tail(self, channel: str | None) -> Iterator[dict[str, Any]]:
        """What is said, as it is said, until the daemon ends it."""
        with closing(self._connection(forever=True)) as connection:
            query = f"?{urlencode({'channel': channel})}" if channel else ""
            response = self._request(connection, "GET", f"tail{query}")
            if response.status != http.client.OK:
                self._read(response)
            try:
                while line := response.readline():
                    yield json.loads(line)
            except (OSError, http.client.HTTPException):
                return

    def _connection(self, forever: bool = False) -> _Connection:
        return _Connection(self._path, None if forever else TIMEOUT)

    def _request(
        self, connection: _Connection, method: str, name: str, body: bytes | None = None
    ) -> http.client.HTTPResponse:
        """
        @raise NotRunning: nobody listens.
        @raise Failed: the daemon cannot be asked.
        """
        try:
            connection.connect()
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.ECONNREFUSED, errno.ENOTDIR):
                raise NotRunning from None
            raise Failed(f"cannot reach the daemon at {self._path}: {error.strerror}") from None
        try:
            connection.request(method, f"/{name}", body)
            return connection.getresponse()
        except TimeoutError:
            raise Failed(f"the daemon did not answer within {TIMEOUT} seconds") from None
        except (OSError, http.client.HTTPException) as error:
            raise Failed(f"the daemon did not answer: {error}") from None

    def _read(self, response: http.client.HTTPResponse) -> dict[str, Any]:
        """
        @raise Failed: it was not done; the text is the daemon's.
        """
        try:
            result = json.loads(response.read())
        except (OSError, http.client.HTTPException, ValueError):
            result = None
        if not isinstance(result, dict):
            raise Failed(f"the daemon's answer cannot be read ({response.status} {response.reason})") from None
        if response.status != http.client.OK:
            raise Failed(str(result.get("error", response.reason)))
        return result


def _written(arguments: dict[str, Any]) -> bytes:
    """
    Arguments in JSON.

    @raise Failed: there is no JSON for something that a command line can say.
    """
    try:
        return json.dumps(arguments, ensure_ascii=False, allow_nan=False).encode()
    except UnicodeEncodeError:
        raise Failed("the command line is not in UTF-8") from None
    except ValueError:
        raise Failed("a number on the command line is not finite") from None


# The store, with no daemon running.


class Offline:
    """The store of a daemon that does not run."""

    def __init__(self, config: Config) -> None:
        self._config = config

    def post(self, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """
        Carry out an operation of L{gossip.operations.games}, or C{backup}.

        @raise Failed: it was not done.
        """
        from gossip.store.errors import StoreError
        from gossip.store.store import Store

        config = self._config
        if name not in _CREATE and not config.database and not config.data_path.is_dir():
            raise Failed(f"there is no {config.data}, and no daemon runs: say with --data where the data is")
        try:
            with closing(Store.open(config.database or None, config.data_path)) as store:
                if name == "backup":
                    store.backup(arguments["path"])
                    return arguments
                registry = store.load()
                operation = read(_written(arguments), catalogue.OPERATIONS[name])
                now = time.time()
                found = operation.look(store, now) if operation.looks else None
                occasion = Occasion(now, lambda: str(uuid.uuid4()), _user(), found)
                change, result = carry_out(operation, registry, occasion)
                if change is not None:
                    registry.check(change, config.network.blocked_games)
                    store.apply(change)
                return result
        except (StoreError, Refused) as error:
            raise Failed(str(error)) from None


def _user() -> str:
    """Who sits there, as the log of what admins did has him."""
    try:
        return f"unix:{pwd.getpwuid(os.getuid()).pw_name}"
    except KeyError:
        return f"unix:{os.getuid()}"


# The commands. Each parser says by its defaults how its command is carried out.


def parser() -> argparse.ArgumentParser:
    """The command line of gossipctl."""
    common = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    common.add_argument("--data", metavar="DIR", help="the daemon's data directory")
    common.add_argument("--config", metavar="FILE", help="the daemon's configuration file")
    common.add_argument("--socket", metavar="PATH", help="the daemon's admin socket")
    common.add_argument("--json", action="store_true", help="print JSON")
    top = argparse.ArgumentParser("gossipctl", parents=[common], description="Administer a gossip daemon.")
    commands = top.add_subparsers(metavar="COMMAND", required=True)
    add_operations(commands, common, _operate)

    def command(name: str, text: str, run: Any) -> argparse.ArgumentParser:
        made: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text, parents=[common])
        made.set_defaults(run=run)
        return made

    command("status", "how the daemon is", _status)
    command("sessions", "list the sessions that are live", _sessions)
    notice = command("restart-notice", "tell all games that the network will be away", _restart_notice)
    notice.add_argument("seconds", metavar="SECONDS", type=int)
    backup = command("backup", "copy the database to a new file", _backup)
    backup.add_argument("file", metavar="FILE")
    say = command("say", "say something on a channel, as the network itself", _say)
    say.add_argument("channel", metavar="CHANNEL")
    say.add_argument("text", metavar="TEXT", nargs="+")
    tail = command("tail", "follow what is said", _tail)
    tail.add_argument("channel", metavar="CHANNEL", nargs="?")
    talk = command("talk", "join the network as a game, and talk", _talk)
    talk.add_argument("--url", default="ws://127.0.0.1:4110/socket", help="where to join (default: %(default)s)")
    talk.add_argument("--id", metavar="CLIENT_ID", help="or in GOSSIP_CLIENT_ID")
    talk.add_argument("--secret", metavar="SECRET", help="better in GOSSIP_CLIENT_SECRET: others can see arguments")
    talk.add_argument("--name", metavar="PLAYER", help="your name (default: your login)")
    talk.add_argument("--channel", metavar="CHANNEL", action="append", help="may be repeated (default: gossip)")
    return top


# How the commands are carried out. Each returns the exit code.


def _operate(arguments: argparse.Namespace) -> int:
    name = arguments.operation
    given = {
        key: value for key, value in vars(arguments).items() if key in catalogue.OPERATIONS[name].__struct_fields__
    }
    result = _post(arguments, name, given)
    if "link" in result:
        # A daemon that knows where its pages are says so; otherwise this configuration does.
        result.setdefault("address", _config(arguments).address + result["link"])
    return _show(arguments, result, arguments.shown)


def _status(arguments: argparse.Namespace) -> int:
    try:
        return _show(arguments, {"running": True, **_daemon(arguments).get("status")}, terminal.status)
    except NotRunning:
        _show(arguments, {"running": False}, lambda _: "not running")
        return 1


def _sessions(arguments: argparse.Namespace) -> int:
    try:
        return _show(arguments, _daemon(arguments).get("sessions"), terminal.sessions)
    except NotRunning:
        raise Failed(_NOT_RUNNING) from None


def _restart_notice(arguments: argparse.Namespace) -> int:
    result = _running(arguments, "restart-notice", {"seconds": arguments.seconds})
    return _show(arguments, result, lambda result: f"All games were told: back in {result['seconds']} seconds.")


def _say(arguments: argparse.Namespace) -> int:
    result = _running(arguments, "say", {"channel": arguments.channel, "text": " ".join(arguments.text)})
    return _show(arguments, result, lambda result: f"Said on {printable(result['channel'])}.")


def _backup(arguments: argparse.Namespace) -> int:
    # The daemon has a working directory of its own.
    result = _post(arguments, "backup", {"path": os.path.abspath(arguments.file)})
    return _show(arguments, result, lambda result: f"The database was copied to {printable(result['path'])}.")


def _tail(arguments: argparse.Namespace) -> int:
    try:
        for said in _daemon(arguments).tail(arguments.channel):
            _show(arguments, said, terminal.said)
    except NotRunning:
        raise Failed(_NOT_RUNNING) from None
    raise Failed("the daemon ended the connection")


def _talk(arguments: argparse.Namespace) -> int:
    from gossip.cli import talk

    client_id = arguments.id or os.environ.get("GOSSIP_CLIENT_ID")
    secret = arguments.secret or os.environ.get("GOSSIP_CLIENT_SECRET")
    if not client_id or not secret:
        raise Failed("talk needs --id and --secret, or GOSSIP_CLIENT_ID and GOSSIP_CLIENT_SECRET in the environment")
    try:
        return talk.main(arguments.url, client_id, secret, arguments.name, arguments.channel or ["gossip"])
    except ValueError as error:
        raise Failed(str(error)) from None


_NOT_RUNNING: Final = "no daemon runs: this needs one"


def _config(arguments: argparse.Namespace) -> Config:
    options = {name: getattr(arguments, name, None) for name in ("config", "data")}
    return load({**options, "admin-socket": getattr(arguments, "socket", None)}, os.environ)


def _daemon(arguments: argparse.Namespace) -> Daemon:
    return Daemon(_config(arguments).admin_path)


def _running(arguments: argparse.Namespace, name: str, given: dict[str, Any]) -> dict[str, Any]:
    """Have something done that only a daemon can do."""
    try:
        return _daemon(arguments).post(name, given)
    except NotRunning:
        raise Failed(_NOT_RUNNING) from None


def _post(arguments: argparse.Namespace, name: str, given: dict[str, Any]) -> dict[str, Any]:
    """Have something done by the daemon, or do it to the store of one that does not run."""
    try:
        return _daemon(arguments).post(name, given)
    except NotRunning:
        path = getattr(arguments, "socket", None)
        if path is not None and not (hasattr(arguments, "data") or hasattr(arguments, "config")):
            # Who names a socket means that daemon, and not whatever lies in the working directory.
            raise Failed(f"nobody listens at {path}") from None
        return Offline(_config(arguments)).post(name, given)


def _show(arguments: argparse.Namespace, result: dict[str, Any], shown: Shown) -> int:
    # JSON in ASCII: no terminal takes anything in it for a command.
    print(json.dumps(result) if getattr(arguments, "json", False) else shown(result), flush=True)
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """
    Do what a command line says.

    @return: the exit code: 0 if it was done, 1 if not (one line on stderr says why), 2 for a wrong command line.
    """
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            # A terminal that cannot show a character is no reason to fail.
            reconfigure(errors="backslashreplace")
    try:
        arguments = parser().parse_args(argv)
    except SystemExit as usage:
        return usage.code if isinstance(usage.code, int) else 2
    try:
        run: Any = arguments.run
        return int(run(arguments))
    except (Failed, ConfigError) as error:
        print(f"gossipctl: {printable(str(error))}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Or Python complains once more when it flushes at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


if __name__ == "__main__":
    sys.exit(main())
