"""
What an entry of the activity log says, in words: C{registered MyMUD (My MUD)}. The name of the admin comes before it.

The texts are kept by the names of commands, not with the commands: the log still has entries of commands that are gone.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

Arguments = Mapping[str, Any]
"""The arguments of an entry, by their names."""

_LONGEST: Final = 200
"""The maximum length of an argument that is repeated, in characters."""

_NEW: Final = ("game/add", "channel/create", "account/add")
"""Commands of which only arguments with a value are shown: something new has nothing else."""


def activity(operation: str, subject: str, arguments: str) -> str:
    """
    Say what was done, as the rest of a sentence that begins with the name of an admin.

    @param operation: the name of the command.
    @param subject: what it was about.
    @param arguments: the noted arguments, in JSON.
    @return: one sentence without a full stop. It can contain anything that somebody typed: whoever shows it cleans it.
    """
    try:
        given = json.loads(arguments)
        say = _DEEDS[operation]
        return say(given) if callable(say) else say.format_map(_Shown(given)) + _details(operation, say, given)
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
        # An entry of another version of gossip.
        return f"{operation} {subject}".strip()


class _Shown(dict[str, Any]):
    """Arguments, each as a text."""

    def __getitem__(self, name: str) -> str:
        return _value(super().__getitem__(name))


def _details(operation: str, template: str, given: Arguments) -> str:
    """The arguments that the template does not name, in parentheses."""
    others = {name: value for name, value in given.items() if "{" + name + "}" not in template}
    if operation in _NEW:
        others = {name: value for name, value in others.items() if value}
    return f" ({', '.join(_argument(name, value) for name, value in others.items())})" if others else ""


def _argument(name: str, value: Any) -> str:
    label = name.removesuffix("_url").replace("_", " ")
    if isinstance(value, bool):
        return label if value else f"not {label}"
    return f"no {label}" if value in (None, "", []) else f"{label}: {_value(value)}"


def _value(value: Any) -> str:
    match value:
        case str():
            return value if len(value) <= _LONGEST else value[: _LONGEST - 1] + "…"
        case list():
            return ", ".join(map(_value, value))
        case dict():
            return " ".join(map(_value, value.values()))
        case float():
            return f"{value:g}"
    return str(value)


def _lasting(minutes: float | None) -> str:
    """How long something lasts; nothing if it lasts for good."""
    if minutes is None:
        return ""
    for name, size in (("day", 24 * 60), ("hour", 60)):
        if minutes >= size and minutes % size == 0:
            return f" for {_counted(minutes / size, name)}"
    return f" for {_counted(minutes, 'minute')}"


def _counted(number: float, what: str) -> str:
    return f"{number:g} {what}" if number == 1 else f"{number:g} {what}s"


def _on(given: Arguments) -> str:
    return f" on {given['channel']}" if given.get("channel") else ""


def _quoted(text: str) -> str:
    return f"“{_value(text)}”"


def _restricted(done: str) -> Callable[[Arguments], str]:
    def say(given: Arguments) -> str:
        return f"{done} {given['who']}{_on(given)}{_lasting(given.get('minutes'))}: {_value(given['reason'])}"

    return say


def _lifted(kind: str) -> Callable[[Arguments], str]:
    return lambda given: f"lifted the {kind} of {given['who']}{_on(given)}"


def _filtered(given: Arguments) -> str:
    does = "masks" if given.get("action") == "mask" else "refuses"
    where = f"{' inside words' if given.get('substring') else ''}{_on(given)}"
    return f"added a filter that {does} {_quoted(given['text'])}{where}: {_value(given['reason'])}"


def _described(given: Arguments) -> str:
    channel, description = given["channel"], given["description"]
    if not description:
        return f"removed the description of {channel}"
    return f"described {channel} as {_quoted(description)}"


def _gave_voice(given: Arguments) -> str:
    channel, games = given["channel"], given["games"]
    speakers: Collection[str] = ("all games",) if games is None else games or ("only the network itself",)
    return f"let {_value(list(speakers))} speak on {channel}"


def _entrusted(given: Arguments) -> str:
    return f"let {_value(list(given['accounts']) or ['only admins'])} moderate {given['channel']}"


def _resolved(given: Arguments) -> str:
    resolution = given.get("resolution")
    return f"resolved report {given['number']}" + (f": {_value(resolution)}" if resolution else "")


def _removed(given: Arguments) -> str:
    [said] = given["messages"]
    return (
        f"removed {given['id']}, {_quoted(said['message'])} by {said['name']}@{said['game']}: {_value(given['reason'])}"
    )


def _purged(given: Arguments) -> str:
    count = _counted(len(given["messages"]), "message")
    return f"removed {count} by {given['who']}{_on(given)}: {_value(given['reason'])}"


def _rehearsed(given: Arguments) -> str:
    step = given.get("step")
    return f"rehearsed with {given['game']}" + (f" ({_value(step)})" if step else "")


def _joined_i3(given: Arguments) -> str:
    if given.get("remove"):
        return f"let {given['game']} no longer join by Intermud-3"
    name = given.get("name")
    return f"let {given['game']} join by Intermud-3" + (f" as {_value(name)}" if name else "")


_DEEDS: Final[dict[str, str | Callable[[Arguments], str]]] = {
    "game/add": "registered {short_name} ({name})",
    "game/rotate": "created a new secret for {game}",
    "game/key": lambda given: f"created a new key of {given['game']} for {str(given['protocol']).upper()}",
    "game/i3": _joined_i3,
    "game/disable": "disabled {game}",
    "game/enable": "enabled {game}",
    "game/remove": "removed {game}",
    "game/edit": "changed {game}",
    "game/rehearse": _rehearsed,
    "channel/create": "created the channel {channel}",
    "channel/publish": "published the channel {channel}",
    "channel/show": "published the channel {channel}",
    "channel/hide": "hid the channel {channel}",
    "channel/pause": lambda given: f"paused the channel {given['channel']}{_lasting(given['minutes'])}",
    "channel/resume": "ended the pause of the channel {channel}",
    "channel/describe": _described,
    "channel/speakers": _gave_voice,
    "channel/moderators": _entrusted,
    "channel/remove": "removed the channel {channel}",
    "agent/set": "changed the code base {agent}",
    "account/add": "created the account {name}",
    "account/edit": "changed the account {name}",
    "account/reset": "created a link to set the password of {name}",
    "account/invite": "created an invitation",
    "account/remove": "removed the account {name}",
    "message/remove": _removed,
    "message/purge": _purged,
    "channels/remove": _removed,
    "mute/add": _restricted("muted"),
    "mute/remove": _lifted("mute"),
    "ban/add": _restricted("banned"),
    "ban/remove": _lifted("ban"),
    "filter/add": _filtered,
    "filter/remove": lambda given: f"removed the filter for {_quoted(given['text'])}{_on(given)}",
    "report/add": "reported message {seq} on {channel}: {reason}",
    "report/resolve": _resolved,
    "node/end": "declared the node {name} dead",
    "node/drain": "told a node to take no new games, or to take them again",
    "i3/reconnect": "had Intermud-3 dialled again",
    "i3/accept-rules": "accepted the rules of Intermud-3",
    "i3/forget": "forgot the password for Intermud-3",
    "restart-notice": lambda given: f"announced a restart of {_counted(given['seconds'], 'second')}",
    "say": lambda given: f"said {_quoted(given['text'])} on {given['channel']}",
    "backup": "copied the database",
}
"""What was done, by the name of the command: a template with names of arguments, or a function of the arguments."""

KNOWN: Final[Collection[str]] = _DEEDS.keys()
"""The names of the commands that have a text."""
