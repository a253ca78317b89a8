r"""
Sign-extended UTF-8: one escape for each byte beyond ASCII, its number extended as a signed byte is.

CoffeeMud's client writes C{\uffc3\uffbc} for a u with diaeresis, which is C3 BC in UTF-8.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
from msgspec import Raw

_LOWEST: Final = "\uff80"
_HIGHEST: Final = "\uffff"

_UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError, OverflowError)

_fields = msgspec.json.Decoder(dict[str, Raw]).decode


def mended(frame: bytes) -> bytes:
    """
    A frame whose payload has the texts that were meant. It is the same frame if there are none of this kind, or if it
    cannot be read.
    """
    if b"\\uff" not in frame.lower():
        return frame
    try:
        fields = _fields(frame)
        if "payload" not in fields:
            return frame
        payload = msgspec.json.encode(_mended(msgspec.json.decode(fields["payload"])))
        return msgspec.json.encode({**fields, "payload": Raw(payload)})
    except _UNREADABLE:
        return frame


def _mended(value: Any) -> Any:
    match value:
        case str():
            return text(value)
        case list():
            return [_mended(each) for each in value]
        case dict():
            return {name: _mended(each) for name, each in value.items()}
    return value


def text(given: str) -> str:
    """
    The text that was meant, if every character beyond ASCII is a sign-extended byte and all bytes together are UTF-8;
    otherwise the text as it is.
    """
    beyond = [character for character in given if character > "\x7f"]
    if not beyond or min(beyond) < _LOWEST or max(beyond) > _HIGHEST:
        return given
    try:
        return bytes(ord(character) & 0xFF for character in given).decode()
    except UnicodeDecodeError:
        return given
