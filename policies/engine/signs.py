"""One Vectorscan pass over a text, for the signs of all families."""

from __future__ import annotations

import contextlib
import ctypes
import threading
from collections.abc import Iterable, Mapping, Sequence

import hyperscan

from policies.engine.family import Sign

MAX_REMEMBERED = 4_096  # sets of signs whose names are kept; the same few come again and again

_FLAGS = (
    hyperscan.HS_FLAG_CASELESS
    | hyperscan.HS_FLAG_DOTALL
    | hyperscan.HS_FLAG_SINGLEMATCH
    | hyperscan.HS_FLAG_ALLOWEMPTY
)


class PatternScanner:
    """Which of many patterns occur in a text; thread-safe (a scratch per thread)."""

    def __init__(self, patterns: Sequence[str], *, flags: int = _FLAGS) -> None:
        """Compile `patterns`; their indexes are the ids that `scan` answers.

        Raises:
            hyperscan.error: a pattern that Vectorscan cannot compile.
        """
        self._database: hyperscan.Database | None = None
        self._local = threading.local()
        if patterns:
            database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
            database.compile(
                expressions=[pattern.encode() for pattern in patterns],
                ids=list(range(len(patterns))),
                elements=len(patterns),
                flags=[flags] * len(patterns),
            )
            self._database = database
            self._scratch = hyperscan.Scratch(database)

    def scan(self, data: bytes) -> set[int]:
        """The ids of the patterns that occur in `data`."""
        found: set[int] = set()
        if self._database is not None:
            add = found.add

            def on_match(
                pattern: int, _start: int, _end: int, _flags: int, _context: object
            ) -> None:
                add(pattern)

            self._database.scan(data, match_event_handler=on_match, scratch=self._own_scratch())
        return found

    def _own_scratch(self) -> hyperscan.Scratch:
        # One scratch shared by threads raised ScratchInUseError in 0.2 to 0.6 % of requests.
        scratch: hyperscan.Scratch | None = getattr(self._local, "scratch", None)
        if scratch is None:
            scratch = self._local.scratch = self._scratch.clone()
        return scratch


def give_back() -> None:
    """Return to the system what compiling took and freed: a fifth of the engine's memory.

    The GNU C library keeps it otherwise; others have no such call, or no need of it.
    """
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


class SignScanner:
    """The signs of all families in one database."""

    def __init__(self, signs: Iterable[tuple[str, Sign]]) -> None:
        named = list(signs)
        self._signs = [(family, sign.name) for family, sign in named]
        self._scanner = PatternScanner([sign.pattern for _, sign in named])
        self._named: dict[frozenset[int], Mapping[str, frozenset[str]]] = {}

    def scan(self, text: str) -> Mapping[str, frozenset[str]]:
        """The names of the signs in `text`, by family; families without any are left out."""
        found = frozenset(self._scanner.scan(text.encode("utf-8", "replace")))
        named = self._named.get(found)
        if named is None:
            named = self._name(found)
            if len(self._named) < MAX_REMEMBERED:
                self._named[found] = named
        return named

    def _name(self, found: frozenset[int]) -> Mapping[str, frozenset[str]]:
        by_family: dict[str, set[str]] = {}
        for index in found:
            family, name = self._signs[index]
            by_family.setdefault(family, set()).add(name)
        return {family: frozenset(names) for family, names in by_family.items()}
