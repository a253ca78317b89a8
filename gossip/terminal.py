"""What a person sees in a terminal: nothing that came from outside may command it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

_JOINERS: Final = "\u200c\u200d"
"""They are not printable, but half of all emoji, Persian and Hindi."""


def printable(text: str) -> str:
    """A text on one line, without what a terminal could take for a command or what turns its lines around."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() or char in _JOINERS else " " if char.isspace() else "" for char in text)


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Rows in columns, each as wide as its longest cell."""
    cells = [tuple(head), *(tuple(printable(str(cell)) for cell in row) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in cells)


def listing(values: Mapping[str, object]) -> str:
    """Names and values, a line each."""
    width = max(map(len, values))
    return "\n".join(f"{name.ljust(width)}  {printable(str(value))}" for name, value in values.items())


# The results of the operations of gossip.admin, for people.


def credentials(result: Mapping[str, Any]) -> str:
    """What the owner of a game needs."""
    shown = {"client_id": result["client_id"], "client_secret": result["client_secret"]}
    lines = [f"{printable(result['name'])} ({printable(result['short_name'])})", "", listing(shown), ""]
    lines.append("The secret is not shown again. Give both to the game's owner.")
    if until := result.get("old_secret_until"):
        lines.append(f"The old secret works until {until}.")
    return "\n".join(lines)


def exports(result: Mapping[str, Any]) -> str:
    """The same for a shell, whose C{gossipctl talk} finds it in its environment."""
    return f"export GOSSIP_CLIENT_ID={result['client_id']} GOSSIP_CLIENT_SECRET={result['client_secret']}"


def games(result: Mapping[str, Any]) -> str:
    """A table of games."""
    rows = [(game["short_name"], game["name"], _states(game), game["client_id"]) for game in result["games"]]
    return table(("SHORT", "NAME", "STATE", "CLIENT ID"), rows) if rows else "No game is registered."


def game(result: Mapping[str, Any]) -> str:
    """All about one game."""
    connections = (
        connection["url"] if "url" in connection else f"{connection['type']} {connection['host']} {connection['port']}"
        for connection in result["connections"]
    )
    shown = {
        "name": result["name"],
        "short name": result["short_name"],
        "client_id": result["client_id"],
        "state": _states(result),
        "tagline": result["tagline"],
        "description": result["description"],
        "homepage": result["homepage_url"],
        "connections": ", ".join(connections),
        "code base": result["user_agent"],
        "protocol": result["version"],
        "registered": result["created_at"],
        "old secret until": result["old_secret_until"],
    }
    return listing({name: value for name, value in shown.items() if value})


def channels(result: Mapping[str, Any]) -> str:
    """A table of channels."""
    rows = [(channel["name"], _channel_state(channel), channel["description"] or "") for channel in result["channels"]]
    return table(("CHANNEL", "STATE", "DESCRIPTION"), rows) if rows else "There is no channel."


def channel(result: Mapping[str, Any]) -> str:
    """All about one channel."""
    shown = {"name": result["name"], "state": _channel_state(result), "description": result["description"]}
    return listing({name: value for name, value in shown.items() if value})


def agents(result: Mapping[str, Any]) -> str:
    """A table of code bases."""
    rows = [(agent["name"], agent["url"] or "", agent["repo_url"] or "") for agent in result["agents"]]
    return table(("CODE BASE", "HOME", "SOURCE"), rows) if rows else "No code base is known."


def agent(result: Mapping[str, Any]) -> str:
    """All about one code base."""
    shown = {"name": result["name"], "home": result["url"], "source": result["repo_url"]}
    return listing({name: value for name, value in shown.items() if value})


def status(result: Mapping[str, Any]) -> str:
    """How the daemon is."""
    return listing({name: _plain(value) for name, value in result.items()})


def said(result: Mapping[str, Any]) -> str:
    """One message: when, where, who and what."""
    time = str(result["said_at"])[11:19]
    who = f"{result['name']}@{result['game']}"
    return printable(f"{time} [{result['channel']}] {who}: {result['message']}")


def _states(game: Mapping[str, Any]) -> str:
    states = {"disabled": game["disabled"], "hidden": game["hidden"], "hides players": game["hide_players"]}
    return ", ".join(name for name, is_so in states.items() if is_so) or "open"


def _channel_state(channel: Mapping[str, Any]) -> str:
    states = ["hidden" if channel["hidden"] else "shown"]
    if channel["paused_until"]:
        states.append(f"paused until {channel['paused_until']}")
    return ", ".join(states)


def _plain(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{number} {name}" for name, number in value.items()) or "none"
    return str(value)


Shown = Callable[[Mapping[str, Any]], str]
"""Makes what is shown to a person of a result."""
