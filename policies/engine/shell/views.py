"""Texts inside a command as views of their own, each character with its place in the original."""

from __future__ import annotations

from collections.abc import Sequence

from policies.engine.findings import View
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
    """A text that was worked out of `[start, end)`: its parts are placed by proportion."""
    count = max(1, len(text))
    places = [start + index * (end - start) // count for index in range(len(text))]
    return _mapped(view, text, [*places, end], language, layer)


def _mapped(view: View, text: str, places: list[int], language: str, layer: str) -> View:
    inner = view.part(0, 0, language=language, layer=layer)
    if isinstance(view.offset, int):
        offsets = [view.offset + place for place in places]
    else:
        last = len(view.offset) - 1
        offsets = [view.offset[min(place, last)] for place in places]
    return View(
        text=text,
        offset=offsets,
        language=language,
        layer=inner.layer,
        depth=inner.depth,
        path=view.path,
    )
