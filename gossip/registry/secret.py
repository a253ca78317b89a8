"""The secrets of a game: the form in which they are kept, what each is for, and how they are replaced."""

from __future__ import annotations

import hashlib
from typing import Final

from msgspec.structs import replace

from gossip.registry.entities import Game, Secret

IMC2: Final = "imc2"
"""The use of keys for IMC2."""

SERVER_WORD: Final = "gossip"
"""
The password of the network in the configuration of an IMC2 client. It is in the proofs of logins by SHA-256, so it is
the same for all games.
"""

MOST: Final = 4
"""The maximum number of old secrets of a use that still work. The last of them is the one in use."""


def digest(secret: str) -> bytes:
    """The form in which a secret is kept. UUIDs compare in lower case."""
    return hashlib.sha256(secret.lower().encode("utf-8", "surrogatepass")).digest()


def secrets_of(game: Game, use: str = "") -> tuple[Secret, ...]:
    """The secrets of a game that have this use, the latest first."""
    return tuple(secret for secret in game.secrets if secret.use == use)


def rotated(
    game: Game,
    secret: str,
    now: float,
    use: str = "",
    in_use: bytes | None = None,
    overlap: float = 24 * 3600,
    in_clear: bool = False,
) -> Game:
    """
    A game with a new secret. The latest one of the same use still works for a while. So do the one that the game uses,
    until its time is over, and those in between: one may be on its way into the configuration of the game. Older ones
    are dropped. Secrets of other uses stay as they are.

    @param secret: the new secret, in clear.
    @param now: seconds since the epoch.
    @param use: what the secret is for, as in L{Secret}.
    @param in_use: the digest of the secret that the game showed last; C{None} if that is not known: then each may be.
    @param overlap: for how many seconds the old secret still works.
    @param in_clear: whether the secret itself is kept, too.
    """
    kept = [
        old if old.expires is not None else replace(old, expires=now + overlap)
        for old in secrets_of(game, use)
        if old.expires is None or old.expires > now
    ]
    used = next((at for at, old in enumerate(kept) if old.digest == in_use), len(kept) - 1)
    kept = kept[: used + 1]
    if len(kept) > MOST:
        kept = [*kept[: MOST - 1], kept[-1]]
    others = tuple(other for other in game.secrets if other.use != use)
    new = Secret(digest(secret), use=use, clear=secret if in_clear else None)
    return replace(game, secrets=(new, *kept, *others))


def old_secret_until(game: Game, now: float, use: str = "") -> float | None:
    """
    When the secret from before the last rotation stops working.

    @param now: seconds since the epoch.
    @return: seconds since the epoch; C{None} if no old secret works.
    """
    ends = (secret.expires for secret in secrets_of(game, use) if secret.expires is not None)
    return max((end for end in ends if end > now), default=None)
