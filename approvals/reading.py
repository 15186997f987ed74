"""A held text read once more for its page: what is encoded in it, what only looks like something.

Who knows encodings stands above this app and hands its reader in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """A text inside the text: `name` lists the encodings and wrappers, outermost first.

    `start` and `end` are the stretch of the whole that it was made of.
    """

    name: str
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LookAlike:
    """A stretch of the text whose letters imitate others, and the word that it looks like."""

    start: int
    end: int
    looks_like: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What is in a text beside what everybody sees; `complete` unless a limit cut it short."""

    layers: Sequence[Layer] = ()
    look_alikes: Sequence[LookAlike] = ()
    complete: bool = True


Reader = Callable[[str, str], Reading]  # of a tool's name and a text

_readers: list[Reader] = []


def use(reader: Reader) -> None:
    """Read with `reader` from now on; for the start of a process."""
    _readers[:] = [reader]


def read(tool: str, text: str) -> Reading:
    """What the reader sees in the text."""
    return _readers[0](tool, text)
