"""
How gossipctl reaches what it administers: a running daemon at its admin socket, or the store of a stopped one.
"""

from __future__ import annotations

import errno
import json
import os
import pwd
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from gossip.cli.http import OK, Answer, BadAnswer, Connection
from gossip.config.config import Config
from gossip.config.validation import SOCKET_PATH_BYTES
from gossip.operations.command import Command
from gossip.operations.operation import Occasion, Operation, carry_out, read
from gossip.registry.errors import Refused

if TYPE_CHECKING:
    from gossip.registry.changes import Change
    from gossip.store.store import Store

TIMEOUT: Final = 60
"""How long the daemon may take to answer, in seconds."""

SNAPSHOT_SECONDS: Final = 600
"""How long the daemon may take to copy its database, in seconds."""

CHUNK: Final = 64 * 1024
"""How much of a copy of the database is read at once, in bytes."""


class Failed(Exception):
    """A command failed; the text is one line for the person who typed it."""


class NotRunning(Failed):
    """
    No daemon listens at the admin socket.

    @ivar path: the admin socket.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(f"no daemon listens at {path}; start it, or name another one with --data")
        self.path = path


class RunningDaemon:
    """A running daemon, at its admin socket."""

    def __init__(self, path: Path) -> None:
        """
        @param path: the admin socket.
        @raise Failed: the path is too long for a socket.
        """
        if len(os.fsencode(path)) > SOCKET_PATH_BYTES:
            raise Failed(
                f"the path of the admin socket has over {SOCKET_PATH_BYTES} bytes: set admin_socket to a shorter one"
            )
        self._path = path

    def get(self, name: str, **parameters: object) -> dict[str, Any]:
        """Ask for something, such as C{status}."""
        query = f"?{urlencode(parameters)}" if parameters else ""
        with closing(self._connection()) as connection:
            return self._read(self._request(connection, "GET", name + query))

    def post(self, name: str, arguments: dict[str, Any], takes: float = 0.0) -> dict[str, Any]:
        """
        Have a command carried out, and return its result.

        @param takes: how long it can take besides the usual, in seconds.
        """
        with closing(self._connection(TIMEOUT + takes)) as connection:
            return self._read(self._request(connection, "POST", name, _written(arguments)))

    def snapshot(self) -> Iterator[bytes]:
        """
        Yield a copy of the database, chunk by chunk.

        @raise Failed: there is none, or it ends too early.
        """
        with closing(self._connection(SNAPSHOT_SECONDS)) as connection:
            answer = self._request(connection, "POST", "backup")
            if answer.status != OK:
                self._read(answer)
            try:
                yield from answer.chunks()
            except (OSError, BadAnswer) as error:
                raise Failed(f"the daemon did not send the whole backup: {error}") from None

    def tail(self, channel: str | None) -> Iterator[dict[str, Any]]:
        """Yield each message as it is said, until the daemon ends the connection."""
        with closing(self._connection(None)) as connection:
            query = f"?{urlencode({'channel': channel})}" if channel else ""
            answer = self._request(connection, "GET", f"tail{query}")
            if answer.status != OK:
                self._read(answer)
            # The last line may be half a message.
            with suppress(OSError, ValueError):
                yield from map(json.loads, answer.lines())

    def _connection(self, timeout: float | None = TIMEOUT) -> Connection:
        """
        @raise NotRunning: no daemon listens.
        @raise Failed: the daemon cannot be reached.
        """
        try:
            return Connection(self._path, timeout)
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.ECONNREFUSED, errno.ENOTDIR):
                raise NotRunning(self._path) from None
            raise Failed(f"cannot reach the daemon at {self._path}: {error.strerror}") from None

    def _request(self, connection: Connection, method: str, name: str, body: bytes = b"") -> Answer:
        """
        @raise Failed: the daemon does not answer.
        """
        try:
            return connection.request(method, f"/{name}", body)
        except TimeoutError:
            raise Failed(f"the daemon did not answer within {connection.timeout:.0f} seconds") from None
        except (OSError, BadAnswer) as error:
            raise Failed(f"the daemon did not answer: {error}") from None

    def _read(self, answer: Answer) -> dict[str, Any]:
        """
        @raise Failed: the daemon refused, with its text; or its answer cannot be read.
        """
        try:
            result = json.loads(b"".join(answer.chunks()))
        except (OSError, BadAnswer, ValueError):
            result = None
        if not isinstance(result, dict):
            raise Failed(f"the daemon's answer cannot be read ({answer.status} {answer.reason})") from None
        if answer.status != OK:
            raise Failed(str(result.get("error", answer.reason)))
        return result


def _written(arguments: dict[str, Any]) -> bytes:
    """
    Write arguments as JSON.

    @raise Failed: the command line holds something that JSON cannot express.
    """
    try:
        return json.dumps(arguments, ensure_ascii=False, allow_nan=False).encode()
    except UnicodeEncodeError:
        raise Failed("the command line is not in UTF-8") from None
    except ValueError:
        raise Failed("a number on the command line is not finite") from None


class StoppedDaemon:
    """
    The store of a daemon that does not run.

    @ivar data: the data directory, as it was named.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self.data = config.data

    @property
    def is_new(self) -> bool:
        """Whether there is no data directory yet."""
        return not self._config.database and not self._config.data_path.is_dir()

    def post(self, command: type[Command], arguments: dict[str, Any]) -> dict[str, Any]:
        """
        Carry out a command, and return its result.

        @raise Failed: it was not carried out.
        """

        if command.needs_daemon:
            raise NotRunning(self._config.admin_path)
        try:
            asked = read(_written(arguments), command)
            with self._store(command.may_be_first, beside=True) as store:
                assert isinstance(asked, Operation)
                now = time.time()
                found = asked.look(store, now) if asked.looks else None
                registry = store.load(now)
                results = []
                for part in asked.parts(found):
                    on = Occasion(now, lambda: str(uuid.uuid4()), _user(), part, self._config.in_clear)
                    change, result = carry_out(asked, registry, on)
                    results.append(result)
                    if change is not None:
                        settings = self._config.network
                        registry.check(change, settings.blocked_games, settings.blocked_accounts)
                        store.apply(change)
                return asked.joined(found, results)
        except Refused as error:
            raise Failed(str(error)) from None

    def snapshot(self) -> Iterator[bytes]:
        """
        Yield a copy of the database, chunk by chunk.

        @raise Failed: there is none.
        """
        with self._store() as store:
            copy = store.snapshot()
        with copy:
            while chunk := copy.read(CHUNK):
                yield chunk

    def copy_to(self, url: str) -> tuple[dict[str, int], bool]:
        """
        Copy everything to another, empty database; see L{gossip.store.copying.copy}.

        @raise Failed: that is not possible.
        """
        from gossip.store.copying import copy
        from gossip.store.errors import StoreError

        with self._store() as store:
            try:
                return copy(store, url, self._config.data_path)
            except StoreError as error:
                raise Failed(str(error)) from None

    @contextmanager
    def _store(self, may_be_first: bool = False, beside: bool = False) -> Iterator[Store]:
        """
        The store, open.

        @param may_be_first: make one if there is none.
        @param beside: if it is that of a node, others may use it meanwhile.
        @raise Failed: it cannot be used.
        """
        from gossip.cluster import node_file
        from gossip.registry.built_in import BUILT_IN
        from gossip.store.errors import StoreError

        config = self._config
        node = node_file.read(config.data_path)
        if node and not config.database:
            raise Failed(
                f"{config.data} is the data directory of the node {node}, which does not run: to change something"
                " without it, set GOSSIP_NODE and GOSSIP_DATABASE as for the node"
            )
        if not may_be_first and self.is_new:
            raise Failed(f"there is no {config.data}, and no daemon runs: name the data directory with --data")
        try:
            with _owner_of(config.data_path), closing(self._open(beside, BUILT_IN)) as store:
                yield store
        except StoreError as error:
            raise Failed(str(error)) from None

    def _open(self, beside: bool, first: Iterable[Change]) -> Store:
        config = self._config
        if config.node and beside:
            from gossip.cluster.shared_store import SharedStore

            return SharedStore.open_beside(config.database, config.data_path, first)
        from gossip.store.store import Store

        return Store.open(config.database or None, config.data_path, first)


@contextmanager
def _owner_of(directory: Path) -> Iterator[None]:
    """
    If this is root, become the owner of the data directory for a while: the daemon must be able to open whatever is
    created in it. A directory that does not exist yet will belong to the owner of the one above it.
    """
    if os.geteuid():
        yield
        return
    found = next(each for each in (directory.absolute(), *directory.absolute().parents) if each.exists()).stat()
    group = os.getegid()
    os.setegid(found.st_gid)
    os.seteuid(found.st_uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(group)


def _user() -> str:
    """The user of this machine, as the audit log names users."""
    try:
        return f"unix:{pwd.getpwuid(os.getuid()).pw_name}"
    except KeyError:
        return f"unix:{os.getuid()}"
