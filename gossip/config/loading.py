"""
Reading the settings, and writing them as gossip.toml.

Command-line options override the environment, which overrides the file, which overrides the defaults.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, cast, get_args

import msgspec
from msgspec.structs import replace

from gossip.config.config import Config, Table
from gossip.config.errors import ConfigError
from gossip.config.validation import HIDDEN, validate

ENVIRONMENT: Final = "GOSSIP_"
"""The prefix of environment variables: C{listen} is C{GOSSIP_LISTEN}."""

_DEFAULTS: Final = cast("Table", msgspec.to_builtins(Config()))

_NAMES: Final = tuple(name for name, value in _DEFAULTS.items() if not isinstance(value, dict))
"""The settings that the environment and the command line can set."""


def file(options: Mapping[str, Any], environ: Mapping[str, str]) -> str:
    """The name of the configuration file; empty if there is none. The arguments are those of L{load}."""
    return str(options.get("config") or environ.get(ENVIRONMENT + "CONFIG") or "")


def load(options: Mapping[str, Any], environ: Mapping[str, str]) -> Config:
    """
    Read the settings from the file, the environment and the command line. Later ones override earlier ones.

    An empty option or variable counts as not given. A setting is checked even if another one overrides it: a wrong file
    would cause a surprise later.

    @param options: C{config}, the name of the file, and settings by the names of their options (C{admin-socket}), each
        a text or a list of texts. Other keys are ignored, so you can pass C{twisted.python.usage.Options}.
    @param environ: the environment.
    @raise ConfigError: a setting is wrong.
    """
    table = _DEFAULTS
    config = Config()
    for source, settings in _layers(options, environ):
        try:
            table = _merged(table, settings)
            config = _converted(table)
            validate(config)
        except ConfigError as error:
            raise ConfigError(f"{source}: {error}") from None
    return _reserved(config)


def _reserved(config: Config) -> Config:
    """No game can have the name that the network has on an IMC2 port, or one like games of another network."""
    blocked, gateway = config.network.blocked_games, config.i3.gateway
    names = ((config.imc2.listen, config.imc2.server), (gateway.routers, f"*{gateway.suffix}"))
    more = tuple(name for used, name in names if used and name.lower() not in map(str.lower, blocked))
    return replace(config, network=replace(config.network, blocked_games=(*blocked, *more))) if more else config


def dump(config: Config) -> str:
    """
    Write a configuration in the format that C{load} reads.

    Passwords become C{***}, since this text goes to terminals, logs and bug reports. C{load} refuses C{***}, so that a
    copied password fails early and with a clear error.
    """
    # Imported where they are needed: gossipctl loads the configuration for every command.
    import tomli_w

    table = cast("Table", msgspec.to_builtins(config))
    if config.database:
        from sqlalchemy import make_url

        table["database"] = make_url(config.database).render_as_string(hide_password=True)
    if config.web.mail.password:
        table["web"]["mail"]["password"] = HIDDEN
    return tomli_w.dumps(table)


def _layers(options: Mapping[str, Any], environ: Mapping[str, str]) -> Iterator[tuple[str, Table]]:
    """Where settings come from, and the settings. Later ones override earlier ones."""
    if name := file(options, environ):
        yield name, _read(Path(name))
    for name in _NAMES:
        variable = ENVIRONMENT + name.upper()
        if text := environ.get(variable):
            yield variable, {name: _value(name, text)}
    for name in _NAMES:
        option = name.replace("_", "-")
        if given := options.get(option):
            yield f"--{option}", {name: _value(name, given)}


def _read(path: Path) -> Table:
    try:
        text = path.read_bytes().decode("utf-8-sig")  # some editors begin a file with a byte-order mark
        return tomllib.loads(text)
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8, at byte {error.start}") from None
    except RecursionError:
        raise ConfigError(f"{path}: nested too deeply") from None
    except ValueError as error:
        # A TOMLDecodeError, which names line and column; or the path contains a NUL.
        raise ConfigError(f"{path}: {error}") from None


def _value(name: str, given: object) -> object:
    """Convert a text to the type of a setting, if it looks like one."""
    if isinstance(given, str):
        default = _DEFAULTS[name]
        if isinstance(default, list | tuple):
            return given.split()
        if isinstance(default, int) and re.fullmatch("-?[0-9]{1,18}", given):
            return int(given)
    return given


def _merged(table: Table, settings: Table, place: str = "") -> Table:
    """Override the settings of a table, down to single keys: a rate with one key given keeps its other key."""
    merged = dict(table)
    for key, value in settings.items():
        if key not in table:
            raise ConfigError(_unknown(key, table, place))
        below = table[key]
        if isinstance(below, dict) and isinstance(value, dict):
            merged[key] = _merged(below, value, f"{place}.{key}" if place else key)
        else:
            merged[key] = value
    return merged


def _unknown(key: str, table: Table, place: str) -> str:
    complaint = f"unknown key {key!r}" + (f" in [{place}]" if place else "")
    alike = difflib.get_close_matches(key, table, n=1)
    return f"{complaint}, did you mean {alike[0]!r}?" if alike else complaint


def _converted(table: Table) -> Config:
    try:
        return msgspec.convert(table, Config)
    except msgspec.ValidationError as error:
        # msgspec says: Expected `int`, got `str` - at `$.limits.players`
        what, _, where = str(error).partition(" - at `$.")
        where = where.rstrip("`").replace("[...]", "")
        if what.startswith("Invalid enum value"):
            what = f"must be one of {', '.join(_choices(where))}, not {what.removeprefix('Invalid enum value ')}"
        what = what.replace("`", "").replace("object", "table").replace("array", "list")
        raise ConfigError(f"{where}: {what[:1].lower()}{what[1:]}") from None


def _choices(where: str) -> tuple[str, ...]:
    """The values that a setting can have, by the names of its tables and its own: C{web.sign_up}."""
    kind: Any = Config
    for name in where.split("."):
        kind = next(field.type for field in msgspec.structs.fields(kind) if field.encode_name == name)
    return get_args(kind)
