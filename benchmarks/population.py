"""Thousands of games, registered in a store while no daemon runs, since gossipctl would take a second for each."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from gossip.registry.changes import Change, GameSaved
from gossip.registry.entities import Game, Secret
from gossip.registry.secret import digest
from gossip.store.store import Store

GROUP: Final = 1000
"""How many games one transaction registers."""


class Population:
    """
    Registered games, and the data directory of a daemon that knows them.

    @ivar credentials: client_id and client_secret of each.
    @ivar file: the same, a line each, for the load.
    """

    def __init__(self, directory: Path, games: int) -> None:
        """@param directory: where to keep them. It is created."""
        directory.mkdir(parents=True)
        self._data = directory / "data"
        self.file = directory / "credentials"
        self.credentials = [(str(uuid.uuid4()), str(uuid.uuid4())) for _ in range(games)]
        self.file.write_text("".join(f"{client_id} {secret}\n" for client_id, secret in self.credentials))
        register(self.credentials, None, self._data)

    def settle(self, data: Path) -> Path:
        """Make a data directory that knows all of them, for one daemon."""
        shutil.copytree(self._data, data)
        return data

    def settle_in(self, url: str, data: Path) -> None:
        """Let an empty PostgreSQL database know all of them."""
        register(self.credentials, url, data)


def register(credentials: Iterable[Sequence[str]], url: str | None, data: Path) -> None:
    """
    Register games in a store that has none.

    @param credentials: client_id and client_secret of each.
    """
    with closing(Store.open(url, data)) as store:
        for group in _grouped(_registrations(credentials)):
            while group:
                group = store.keep(group)


def _registrations(credentials: Iterable[Sequence[str]]) -> Iterator[Change]:
    for number, (client_id, secret) in enumerate(credentials):
        name = short_name(number)
        yield GameSaved(
            Game(client_id=client_id, short_name=name, name=f"The {name}", secrets=(Secret(digest(secret)),))
        )


def short_name(number: int) -> str:
    """What the other games call a game of this number."""
    return f"Game{number}"


def _grouped(changes: Iterator[Change]) -> Iterator[list[Change]]:
    group: list[Change] = []
    for change in changes:
        group.append(change)
        if len(group) == GROUP:
            yield group
            group = []
    if group:
        yield group


def certificate(directory: Path) -> tuple[Path, Path]:
    """Make a certificate for the loopback, and its key; returns both files."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(1))
    signed = builder.not_valid_after(now + timedelta(30)).sign(key, hashes.SHA256())
    files = directory / "certificate.pem", directory / "key.pem"
    files[0].write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return files
