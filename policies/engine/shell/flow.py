"""Where what a command reads comes from: pipes, and the names that a search looks for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from policies.engine.shell.hits import is_secret
from policies.engine.shell.model import Command

MAX_UPSTREAM = 20  # commands of a pipeline that are looked at
_BY_NAME = frozenset(["-name", "-iname", "-path", "-ipath", "-wholename"])


def upstream(feeds: Sequence[Command]) -> list[Command]:
    """The commands that feed, and those that feed them, as far as `MAX_UPSTREAM` of them."""
    found = list(feeds)
    for command in found:
        if len(found) < MAX_UPSTREAM:
            found.extend(command.source)
    return found


def sought(commands: Iterable[Command]) -> Iterator[str]:
    """The names that the commands look for (`find -name`)."""
    for command in commands:
        texts = [word.text for word in command.words]
        for text, following in zip(texts, [*texts[1:], ""], strict=False):
            if text in _BY_NAME:
                yield following


def found_name(pattern: str) -> str:
    """A path that a search by this pattern may give."""
    return "x/" + pattern.replace("*", "x").replace("?", "x")


def found_secret(commands: Iterable[Command]) -> str:
    """A path of secrets that the commands may find and print; blank when they look for none."""
    for name in sought(commands):
        path = found_name(name)
        if is_secret(path):
            return path
    return ""
