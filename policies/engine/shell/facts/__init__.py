"""Facts of a call: what it touches, and what it is told to do where."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import chain

from policies.engine.shell.call import Call
from policies.engine.shell.facts import (
    clouds,
    clusters,
    databases,
    infrastructure,
    repositories,
)
from policies.engine.shell.facts.line import LEFT_OUT, UNTOLD
from policies.engine.shell.facts.touched import touched
from policies.engine.shell.model import UNKNOWN

MAX_VALUE = 500  # characters of one value; a longer one is left out whole

Reader = Callable[[Call, Mapping[str, str]], Iterator[tuple[str, str]]]

_READERS: dict[str, Reader] = {
    "git": repositories.git,
    "helm": clusters.helm,
    **dict.fromkeys(infrastructure.PROGRAMS, infrastructure.terraform),
    **dict.fromkeys(clusters.CLIENTS | clusters.LAUNCHERS | set(clusters.SWITCHERS),
                    clusters.kubernetes),
    **dict.fromkeys(clouds.PROGRAMS, clouds.cloud),
    **dict.fromkeys(databases.CLIENTS, databases.database),
}  # fmt: skip


def facts(call: Call, variables: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Names and values of facts; `variables` are those that the text sets."""
    reader = _READERS.get(call.name)
    if reader is None and not call.name.islower():
        reader = _READERS.get(call.name.lower())  # some file systems fold case
    if reader is None:
        return touched(call)
    return chain(touched(call), _told(reader(call, variables)))


def _told(read: Iterator[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    for fact, value in read:
        if value:
            told = value.replace(UNKNOWN, UNTOLD)
            yield fact, told if len(told) <= MAX_VALUE else LEFT_OUT
