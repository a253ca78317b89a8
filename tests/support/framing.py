"""Frames as a game writes them, byte for byte."""

from __future__ import annotations


def text(event: str, payload: bytes | None = None, ref: bytes | None = b'"r"') -> bytes:
    """A frame made of JSON texts."""
    fields = [b'"event":"%s"' % event.encode()]
    if ref is not None:
        fields.append(b'"ref":%s' % ref)
    if payload is not None:
        fields.append(b'"payload":%s' % payload)
    return b"{%s}" % b",".join(fields)
