"""
The lines of a login, both ways (IMC2, section 4). Without I/O.

By SHA-256, a client proves that it has the key, which stays at home. The proof is made of a number that the hub picks
for one connection: with the same number again, an answer that somebody has overheard would be good once more.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from gossip.registry.entities import Secret
from gossip.registry.secret import SERVER_WORD
from gossip.transports.imc2.packets import cut

NUMBERS: Final = 100_000_000, 2_147_483_647
"""The least and the greatest number that a proof is made of."""

_NOTICE_BYTES: Final = 200

_SERVER_PASSWORD: Final = re.compile("(?![\"'])[!#-&(-~]{1,64}")
_UNFIT: Final = re.compile("[^ -!#-&(-~]")
_SHOWN: Final = 40


class Plain(Struct, frozen=True):
    """
    A login with the key itself.

    @ivar server_password: what the client wants to be answered, so that it is content; it proves nothing.
    @ivar knows_sha256: whether the client can log in by SHA-256 the next time.
    """

    mud: str
    key: str
    server_password: str
    knows_sha256: bool


class Asking(Struct, frozen=True):
    """A client asks for the number to make a proof of."""

    mud: str


class Proved(Struct, frozen=True):
    """A login by SHA-256: the proof takes the place of the key."""

    mud: str
    proof: str


def read(line: str) -> Plain | Asking | Proved | None:
    """Read the first line of a client; C{None} if it does not begin like IMC2."""
    match line.split():
        case ["PW", mud, key, *more]:
            sent = more[more.index("autosetup") + 1 :][:1] if "autosetup" in more else []
            password = sent[0] if sent and _SERVER_PASSWORD.fullmatch(sent[0]) else SERVER_WORD
            return Plain(mud, key, password, "SHA256" in more[more.index("autosetup") + 2 :] if sent else False)
        case ["SHA256-AUTH-REQ", mud, *_]:
            return Asking(mud)
        case ["SHA256-AUTH-RESP", mud, proof, *_]:
            return Proved(mud, proof)
    return None


def proof(number: int, key: str, server_password: str = SERVER_WORD) -> str:
    """What proves that a client has a key."""
    return hashlib.sha256(f"{number}{key}{server_password}".encode()).hexdigest()


def proved(number: int, shown: str, secrets: Iterable[Secret]) -> str:
    """The key that a proof was made with, of those that are kept in clear; empty if it was none of them."""
    found = ""
    for secret in secrets:
        if secret.clear is not None:
            wanted = proof(number, secret.clear)
            if hmac.compare_digest(wanted.encode(), shown.lower().encode("utf-8", "surrogatepass")):
                found = secret.clear
    return found


# The answers.


def welcome(login: Plain | Proved, server: str, network: str, by_sha256: bool) -> str:
    """
    The answer to a login that succeeded.

    @param by_sha256: whether the client is to log in by SHA-256 from the next time on.
    """
    if isinstance(login, Proved):
        return f"SHA256-AUTH-APPR {server} {network} version=2"
    return f"PW {server} {login.server_password} version=2 {network}{' SHA256-SET' if by_sha256 else ''}"


def challenge(server: str, number: int) -> str:
    """The number to make a proof of."""
    return f"SHA256-AUTH-INIT {server} {number}"


def taken(server: str) -> str:
    """The answer to a game that logs in while it is connected, too often."""
    return f"autosetup {server} reject connected"


def notice(server: str, why: str) -> str:
    """A line that refuses a login. A client logs all of its words."""
    return f'NOTICE {server} "{cut(_UNFIT.sub("", why), _NOTICE_BYTES, "ascii")}" x x'


def shown(mud: str) -> str:
    """The name that a MUD gave, for a notice."""
    return _UNFIT.sub("", mud)[:_SHOWN]
