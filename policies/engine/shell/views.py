"""Texts inside a command as views of their own, each character with its place in the original."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from policies.engine.findings import View
from policies.engine.mapped import Mapped
from policies.engine.shell.model import Word


def joined(view: View, words: Sequence[Word], language: str, layer: str) -> View:
    """The texts of `words`, joined by blanks."""
    if len(words) == 1 and (start := words[0].contiguous()) is not None:
        return view.part(start, start + len(words[0].text), language=language, layer=layer)
    places: list[int] = []
    for word in words:
        if places:
            places[-1] = min(places[-1], word.start)
        places.extend(word.offsets())
    return _mapped(view, " ".join(word.text for word in words), places, language, layer)


def made(view: View, text: str, start: int, end: int, language: str, layer: str) -> View:
    """A text that was worked out of `[start, end)`: every part of it is placed on the whole.

    Which characters a part was made of is not known, and less than all may leave some of it.
    """
    count = len(text)
    mapped = Mapped(text=text, starts=[start] * count, ends=[end] * count)
    return view.derived(mapped, language=language, layer=layer)


def _mapped(view: View, text: str, places: list[int], language: str, layer: str) -> View:
    limit = len(view.text)
    places = [min(place, limit) for place in places]
    # A character reaches to the next one, over the quotes between them.
    ends = [min(limit, max(here + 1, following)) for here, following in pairwise(places)]
    mapped = Mapped(text=text, starts=places[:-1], ends=ends)
    return view.derived(mapped, language=language, layer=layer)
