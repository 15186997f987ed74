"""A text made out of another, and where each of its characters came from."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapped:
    """`text[i]` was made of `[starts[i], ends[i])` of the text that it was read from.

    Neighbours may share a stretch (three bytes share four characters of base64) or leave one out
    (what was dropped); `starts` and `ends` never fall.
    """

    text: str
    starts: Sequence[int]
    ends: Sequence[int]


class Pieces:
    """Builds a `Mapped` from left to right out of copied stretches and replacements.

    Runs are kept, not characters: what was copied or replaced as one takes one entry, so that a
    long text with few replacements stays cheap.
    """

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._at: list[int] = []  # where a run begins in the made text
        self._starts: list[int] = []
        self._ends: list[int] = []  # -1: copied, character by character
        self.length = 0

    def copy(self, text: str, start: int, end: int) -> None:
        """Take over `text[start:end]` as it is."""
        if start < end:
            self._add(text[start:end], start, -1)

    def put(self, text: str, start: int, end: int) -> None:
        """Put `text`, all of it made of `[start, end)`; a blank text drops the stretch."""
        if text:
            self._add(text, start, end)

    def _add(self, text: str, start: int, end: int) -> None:
        self._texts.append(text)
        self._at.append(self.length)
        self._starts.append(start)
        self._ends.append(end)
        self.length += len(text)

    def made(self) -> Mapped:
        """The text with its map."""
        runs = _Runs(self._at, self._starts, self._ends, self.length)
        return Mapped(
            text="".join(self._texts), starts=_Places(runs, end=False), ends=_Places(runs, end=True)
        )


@dataclass(frozen=True, slots=True)
class _Runs:
    at: list[int]
    starts: list[int]
    ends: list[int]
    length: int


class _Places(Sequence[int]):
    """The starts or the ends of all characters, computed from the runs."""

    __slots__ = ("_end", "_runs")

    def __init__(self, runs: _Runs, *, end: bool) -> None:
        self._runs, self._end = runs, end

    def __len__(self) -> int:
        return self._runs.length

    def __getitem__(self, index: int | slice) -> int | list[int]:  # type: ignore[override]
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(len(self)))]  # type: ignore[misc]
        runs = self._runs
        if index < 0:
            index += runs.length
        if not 0 <= index < runs.length:
            raise IndexError(index)
        run = bisect_right(runs.at, index) - 1
        if runs.ends[run] >= 0:
            return runs.ends[run] if self._end else runs.starts[run]
        return runs.starts[run] + index - runs.at[run] + self._end

    def __iter__(self) -> Iterator[int]:
        runs = self._runs
        borders = pairwise([*runs.at, runs.length])
        for (at, border), start, end in zip(borders, runs.starts, runs.ends, strict=True):
            if end >= 0:
                yield from [end if self._end else start] * (border - at)
            else:
                yield from range(start + self._end, start + self._end + border - at)
