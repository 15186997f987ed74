"""A text made out of another, and where each of its characters came from.

Places are worked out when they are asked for: of a long text that is read once more hardly any
character is ever looked up.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import overload


class Places(Sequence[int]):
    """A sequence of places, each answered by a function of its index."""

    __slots__ = ("_length", "_place")

    def __init__(self, place: Callable[[int], int], length: int) -> None:
        self._place, self._length = place, length

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, index: int) -> int: ...
    @overload
    def __getitem__(self, index: slice) -> Places: ...
    def __getitem__(self, index: int | slice) -> int | Places:
        if isinstance(index, slice):
            chosen, place = range(self._length)[index], self._place
            return Places(lambda at: place(chosen[at]), len(chosen))
        if index < 0:
            index += self._length
        if not 0 <= index < self._length:
            raise IndexError(index)
        return self._place(index)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapped:
    """`text[i]` was made of `[starts[i], ends[i])` of the text that it was read from.

    Neighbours may share a stretch (three bytes share four characters of base64) or leave one out
    (what was dropped); `starts` and `ends` never fall.
    """

    text: str
    starts: Sequence[int]
    ends: Sequence[int]

    def through(self, outer: Mapped) -> Mapped:
        """This text, read from that of `outer`, with the places in what `outer` was read from."""
        starts, ends = self.starts, self.ends
        return Mapped(
            text=self.text,
            starts=Places(lambda at: outer.starts[starts[at]], len(starts)),
            ends=Places(lambda at: outer.ends[ends[at] - 1], len(ends)),
        )


class Pieces:
    """Builds a `Mapped` from left to right out of copied stretches and replacements."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._at: list[int] = []  # where a run begins in the made text
        self._starts: list[int] = []
        # Where the stretch of a run ends, if all of the run was made of all of it; else how wide
        # the stretch of each character is, as a negative number.
        self._ends: list[int] = []
        self.length = 0

    def copy(self, text: str, start: int, end: int) -> None:
        """Take over `text[start:end]` as it is."""
        if start < end:
            self._add(text[start:end], start, -1)

    def row(self, text: str, start: int, width: int) -> None:
        """Put characters that were each made of `width` characters, from `start` on."""
        if text:
            self._add(text, start, -width)

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
        at, starts, ends = self._at, self._starts, self._ends

        def start(index: int) -> int:
            run = bisect_right(at, index) - 1
            width = -ends[run]
            return starts[run] + (index - at[run]) * width if width > 0 else starts[run]

        def end(index: int) -> int:
            run = bisect_right(at, index) - 1
            width = -ends[run]
            return starts[run] + (index - at[run] + 1) * width if width > 0 else ends[run]

        length = self.length
        return Mapped(
            text="".join(self._texts), starts=Places(start, length), ends=Places(end, length)
        )
