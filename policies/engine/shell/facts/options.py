"""How a command line is read for facts: which words are options, which are values of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from policies.engine.shell.call import Call
from policies.engine.shell.model import UNKNOWN

MAX_SETTINGS = 20  # words of a command that may set variables for what it wraps

_ASSIGNED = re.compile(r"[A-Za-z_]\w*=")


@dataclass(frozen=True, slots=True)
class Line:
    """A command line: the words that are no options, and the values of the options by name.

    An option without a value has a blank one. Of several spellings each is kept as it is written.
    """

    operands: list[str]
    options: Mapping[str, list[str]]

    def values(self, *names: str) -> list[str]:
        """All values that the options of these names are given, but blank ones."""
        options = self.options
        return [value for name in names for value in options.get(name, ()) if value]

    def has(self, *names: str) -> bool:
        """Whether one of these options is given and not told to be off."""
        return any(
            value not in ("false", "0", "no", "none")
            for name in names
            for value in self.options.get(name, ())
        )


def read(
    arguments: Sequence[str],
    valued: frozenset[str],
    *,
    joined: frozenset[str] = frozenset(),
    long_dash: bool = False,
    ends: bool = False,
) -> Line:
    """Read what follows the name of a program.

    `valued` options take the next word where no value is joined to them; those in `joined` take
    one only where it is. `long_dash`: `-name` is `--name`, and letters are never joined. `ends`:
    what stands behind a `--` is no operand.
    """
    operands: list[str] = []
    options: dict[str, list[str]] = {}
    at, count = 0, len(arguments)
    while at < count:
        text = arguments[at]
        at += 1
        if not text.startswith("-") or text == "-":
            operands.append(text)
            continue
        if text == "--":
            operands.extend(() if ends else arguments[at:])
            break
        if long_dash and text[1] != "-":
            text = "-" + text
        if text[1] == "-":
            name, equals, value = text.partition("=")
        else:
            name, equals, value = _letters(text, valued, joined, options)
        if not equals and name in valued and at < count:
            value = arguments[at]
            at += 1
        options.setdefault(name, []).append(value)
    return Line(operands, options)


def _letters(
    text: str, valued: frozenset[str], joined: frozenset[str], options: dict[str, list[str]]
) -> tuple[str, str, str]:
    """The last option of a word of letters (`-it`, `-nprod`); those before it are noted."""
    for index in range(1, len(text)):
        name, rest = "-" + text[index], text[index + 1 :]
        if rest and (name in valued or name in joined or rest[0] == "="):
            return name, "=", rest.removeprefix("=")
        if rest:
            options.setdefault(name, []).append("")
    return "-" + text[-1], "", ""


def arguments_of(call: Call) -> list[str]:
    """The arguments of a call, and one more that is not known where there may be more."""
    return [*call.arguments, UNKNOWN] if call.open else call.arguments


def setting(call: Call, variables: Mapping[str, str], *names: str) -> list[str]:
    """What the environment variables of these names are set to for a call, as the text tells.

    Set before the command, by `env` or `sudo`, or by an earlier command of the text.
    """
    given: Mapping[str, str] = call.command.assignments
    if call.wrappers:
        given = dict(given)
        for word in call.command.words[1:MAX_SETTINGS]:
            if _ASSIGNED.match(word.text):
                name, _, value = word.text.partition("=")
                given[name] = value
    return [value for name in names if (value := given.get(name) or variables.get(name, ""))]


def known(operands: Sequence[str]) -> list[str]:
    """The operands from the first on that the text tells: a `$OPTIONS` before it names nothing."""
    for index, text in enumerate(operands):
        if text != UNKNOWN:
            return list(operands[index:])
    return []
