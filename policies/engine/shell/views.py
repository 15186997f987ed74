"""Texts inside a command as views of their own, each character with its place in the original."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

from policies.engine.findings import View
from policies.engine.mapped import Mapped, Places
from policies.engine.shell.model import Word


def joined(view: View, words: Sequence[Word], language: str, layer: str) -> View:
    """The texts of `words`, joined by blanks."""
    if len(words) == 1 and (start := words[0].contiguous()) is not None:
        return view.part(start, start + len(words[0].text), language=language, layer=layer)
    text = " ".join(word.text for word in words)
    words = tuple(words)
    begins = list(accumulate((len(word.text) + 1 for word in words), initial=0))
    limit, count = len(view.text), len(text)
    places: dict[int, tuple[list[int], list[int]]] = {}

    def place(at: int, side: int) -> tuple[int, bool]:
        index = bisect_right(begins, at) - 1
        inside = at - begins[index]
        if index not in places:
            places[index] = words[index].places()
        found = places[index][side][inside]
        blank = inside == len(words[index].text) and index + 1 < len(words)
        if blank:
            found = min(found, words[index + 1].start)  # the blank between two words
        return min(found, limit), blank

    def first(at: int) -> int:
        return place(at, 0)[0]

    def last(at: int) -> int:
        # A character reaches to the next one, over the quotes between them.
        begin, (end, blank) = first(at), place(at, 1)
        return min(limit, max(begin + 1, first(at + 1), begin if blank else end))

    mapped = Mapped(text=text, starts=Places(first, count), ends=Places(last, count))
    return view.derived(mapped, language=language, layer=layer)


def made(view: View, text: str, start: int, end: int, language: str, layer: str) -> View:
    """A text that was worked out of `[start, end)`: every part of it is placed on the whole.

    Which characters a part was made of is not known, and less than all may leave some of it.
    """
    count = len(text)
    starts, ends = Places(lambda _: start, count), Places(lambda _: end, count)
    mapped = Mapped(text=text, starts=starts, ends=ends)
    return view.derived(mapped, language=language, layer=layer)
