"""Completion for shells: scripts with all commands and options, made from the parsers, and so from the operations."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from shlex import quote
from typing import Any, Final

from gossip.cli.parser import Parser

Words = Mapping[str, str]
"""What can be typed next, with what it is for."""


def script(top: Parser, shell: str) -> str:
    """
    Make the script of a shell.

    @param top: the parser of gossipctl.
    @param shell: one of L{SHELLS}.
    """
    return SHELLS[shell](dict(_places(top, "")))


def _places(parser: Parser, place: str) -> Iterator[tuple[str, Words]]:
    """Each place of the command line, such as C{/game/add} behind these two words, and what can be typed there."""
    # argparse keeps the help of commands to itself.
    below: Any = next((action for action in parser.filled()._actions if isinstance(action.choices, dict)), None)
    words: dict[str, str] = {}
    if below is not None:
        words |= {choice.dest: choice.help or "" for choice in below._get_subactions()}
    for action in parser._actions:
        if action.help != argparse.SUPPRESS:
            help_ = (action.help or "").replace("%(default)s", str(action.default))
            words |= dict.fromkeys((name for name in action.option_strings if name.startswith("--")), help_)
    yield place, words
    for name, one in parser.below.items():
        yield from _places(one, f"{place}/{name}")


def _bash(places: Mapping[str, Words]) -> str:
    known = "|".join(filter(None, places))
    cases = "\n".join(f"        {quote(place)}) found={quote(' '.join(words))} ;;" for place, words in places.items())
    return f"""# Completion of gossipctl for bash: source <(gossipctl completion bash)
_gossipctl() {{
    local place= found= word
    for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
        case "$place/$word" in
        {known}) place=$place/$word ;;
        esac
    done
    case "$place" in
{cases}
    esac
    COMPREPLY=($(compgen -W "$found" -- "${{COMP_WORDS[COMP_CWORD]}}"))
}}
complete -o default -F _gossipctl gossipctl"""


def _zsh(places: Mapping[str, Words]) -> str:
    known = "|".join(filter(None, places))
    cases = "\n".join(
        f"    {quote(place)}) found=({' '.join(quote(_for_zsh(*each)) for each in words.items())}) ;;"
        for place, words in places.items()
    )
    return f"""#compdef gossipctl
# Completion of gossipctl for zsh: source <(gossipctl completion zsh)
_gossipctl() {{
    local place= word
    local -a found
    for word in ${{words[2,CURRENT-1]}}; do
        case "$place/$word" in
        {known}) place=$place/$word ;;
        esac
    done
    case "$place" in
{cases}
    esac
    _describe gossipctl found || _files
}}
if [ "${{funcstack[1]}}" = _gossipctl ]; then
    _gossipctl "$@"
else
    compdef _gossipctl gossipctl
fi"""


def _for_zsh(word: str, help_: str) -> str:
    return f"{word}:{help_}"


def _fish(places: Mapping[str, Words]) -> str:
    lines = [
        "# Completion of gossipctl for fish: gossipctl completion fish | source",
        "function __gossipctl_at",
        "    set -l place ''",
        "    for word in (commandline -opc)[2..-1]",
        '        switch "$place/$word"',
        f"            case {' '.join(filter(None, places))}",
        '                set place "$place/$word"',
        "        end",
        "    end",
        '    test "$place" = "$argv[1]"',
        "end",
    ]
    for place, words in places.items():
        at = _for_fish(f"__gossipctl_at {_for_fish(place)}")
        for word, help_ in words.items():
            kind = f"-l {word[2:]}" if word.startswith("--") else f"-f -a {word}"
            lines.append(f"complete -c gossipctl -n {at} {kind} -d {_for_fish(help_)}")
    return "\n".join(lines)


def _for_fish(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


SHELLS: Final = {"bash": _bash, "zsh": _zsh, "fish": _fish}
"""The shells that have completion."""
