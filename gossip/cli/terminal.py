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


# The results of the operations of gossip.operations.games, for people.


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
        "owner": result["owner"],
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
    speakers = result["speakers"]
    shown = {
        "name": result["name"],
        "state": _channel_state(result),
        "description": result["description"],
        "speakers": None if speakers is None else ", ".join(speakers) or "none",
    }
    return listing({name: value for name, value in shown.items() if value})


def agents(result: Mapping[str, Any]) -> str:
    """A table of code bases."""
    rows = [(agent["name"], agent["url"] or "", agent["repo_url"] or "") for agent in result["agents"]]
    return table(("CODE BASE", "HOME", "SOURCE"), rows) if rows else "No code base is known."


def agent(result: Mapping[str, Any]) -> str:
    """All about one code base."""
    shown = {"name": result["name"], "home": result["url"], "source": result["repo_url"]}
    return listing({name: value for name, value in shown.items() if value})


def accounts(result: Mapping[str, Any]) -> str:
    """A table of accounts."""
    rows = [
        (each["name"], _account_state(each), each["email"] or "", ", ".join(each["games"]))
        for each in result["accounts"]
    ]
    return table(("NAME", "STATE", "MAIL", "GAMES"), rows) if rows else "There is no account."


def account(result: Mapping[str, Any]) -> str:
    """All about one account."""
    shown = {
        "name": result["name"],
        "state": _account_state(result),
        "mail": result["email"],
        "games": ", ".join(result["games"]),
        "since": result["created_at"],
    }
    return listing({name: value for name, value in shown.items() if value})


def account_link(result: Mapping[str, Any]) -> str:
    """A link that somebody gets."""
    until = printable(result["until"])
    return f"{printable(result['address'])}\n\nIt is good once, until {until}, and is not shown again."


def _account_state(account: Mapping[str, Any]) -> str:
    states = {
        "admin": account["admin"],
        "disabled": account["disabled"],
        "no password yet": not account["has_password"],
    }
    return ", ".join(name for name, is_so in states.items() if is_so) or "open"


def mutes(result: Mapping[str, Any]) -> str:
    """A table of mutes."""
    return _restrictions(result["mutes"]) or "Nobody is muted."


def bans(result: Mapping[str, Any]) -> str:
    """A table of bans."""
    return _restrictions(result["bans"]) or "Nobody is banned."


def _restrictions(restrictions: Sequence[Mapping[str, Any]]) -> str:
    rows = [
        (each["who"], each["channel"] or "all", _minute(each["until"]) or "for good", each["set_by"], each["reason"])
        for each in restrictions
    ]
    return table(("WHO", "CHANNEL", "UNTIL", "BY", "REASON"), rows) if rows else ""


def restriction(result: Mapping[str, Any]) -> str:
    """All about one mute or ban."""
    shown = {
        "who": result["who"],
        "channel": result["channel"] or "all",
        "until": result["until"] or "for good",
        "reason": result["reason"],
        "set by": result["set_by"],
        "set at": result["set_at"],
    }
    return listing(shown)


def filters(result: Mapping[str, Any]) -> str:
    """A table of filters."""
    rows = [
        (
            each["text"],
            each["channel"] or "all",
            "anywhere" if each["substring"] else "words",
            each["action"],
            each["set_by"],
            each["reason"],
        )
        for each in result["filters"]
    ]
    return table(("TEXT", "CHANNEL", "HITS", "ACTION", "BY", "REASON"), rows) if rows else "There is no filter."


def filter_(result: Mapping[str, Any]) -> str:
    """All about one filter."""
    shown = {
        "text": result["text"],
        "channel": result["channel"] or "all",
        "hits": "anywhere" if result["substring"] else "words",
        "action": result["action"],
        "reason": result["reason"],
        "set by": result["set_by"],
        "set at": result["set_at"],
    }
    return listing(shown)


def tried(result: Mapping[str, Any]) -> str:
    """What a filter would have hit."""
    count = f"It would have hit {result['hits']} of {result['messages']} messages of the last week."
    lines = [printable(f"{_minute(each['said_at'])} {said(each)[9:]}") for each in result["shown"]]
    return "\n".join((count, *lines))


def reports(result: Mapping[str, Any]) -> str:
    """A table of complaints."""
    rows = [
        (
            each["number"],
            _minute(each["made_at"]),
            each["made_by"],
            each["reason"],
            f"[{each['channel']}] {each['name']}@{each['game']}: {each['message']}",
            f"{each['resolved_by']}: {each['resolution'] or 'resolved'}" if each["resolved_at"] else "",
        )
        for each in result["reports"]
    ]
    head = ("NUMBER", "AT", "BY", "REASON", "MESSAGE", "RESOLVED")
    return table(head, rows) if rows else "No complaint waits."


def report(result: Mapping[str, Any]) -> str:
    """All about one complaint."""
    shown = {
        "number": result["number"],
        "message": f"[{result['channel']}] {result['name']}@{result['game']}: {result['message']}",
        "reason": result["reason"],
        "made by": result["made_by"],
        "made at": result["made_at"],
        "resolved by": result["resolved_by"],
        "resolved at": result["resolved_at"],
        "resolution": result["resolution"],
    }
    return listing({name: value for name, value in shown.items() if value})


def audit(result: Mapping[str, Any]) -> str:
    """A table of what admins did."""
    rows = [
        (each["at"][:19].replace("T", " "), each["actor"], each["operation"], each["subject"], each["arguments"])
        for each in result["entries"]
    ]
    return table(("AT", "BY", "DID", "TO", "EXACTLY"), rows) if rows else "No admin did anything."


def _minute(time: str | None) -> str:
    """A time for a column: to the minute."""
    return time[:16].replace("T", " ") if time else ""


def status(result: Mapping[str, Any]) -> str:
    """How the daemon is."""
    return listing({name: _plain(value) for name, value in result.items()})


def sessions(result: Mapping[str, Any]) -> str:
    """A table of live sessions."""
    rows = [
        (
            each["game"],
            each["peer"],
            each["transport"],
            _minute(each["since"]),
            each["players"],
            ", ".join(each["channels"]),
        )
        for each in result["sessions"]
    ]
    return table(("GAME", "ADDRESS", "BY", "SINCE", "PLAYERS", "CHANNELS"), rows) if rows else "Nobody is connected."


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
    if channel["speakers"] is not None:
        states.append("only some may speak")
    return ", ".join(states)


def _plain(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{number} {name}" for name, number in value.items()) or "none"
    return str(value)


Shown = Callable[[Mapping[str, Any]], str]
"""Makes what is shown to a person of a result."""
