"""The lines of a long text that something stands in, as a text of their own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from policies.engine.mapped import Mapped, Pieces

WHOLE = 1_000  # characters: a text up to this length is read whole
MANY = 50  # lines after which it shows whether it stands everywhere
REACH = 200  # characters of a long line that are kept around what stands in it


def around(
    text: str, pattern: re.Pattern[str], spans: Iterable[tuple[int, int]] = ()
) -> Mapped | None:
    """The lines of `text` with a match of `pattern` or one of `spans`; None: all of it.

    What is read once more for the sake of a few places need not be read all. Of a line, `REACH`
    characters on either side are kept.
    """
    if len(text) <= WHOLE:
        return None
    found = [*(_lines(text, *span) for span in spans)]
    covered = 0
    for first, last in _matches(text, pattern):
        found.append((first, last))
        covered += last - first
        if len(found) > MANY and covered > last * 3 // 4:
            return None  # it stands everywhere
    kept: list[tuple[int, int]] = []
    for first, last in sorted(found):
        if kept and first <= kept[-1][1] + 1:
            kept[-1] = (kept[-1][0], max(kept[-1][1], last))
        else:
            kept.append((first, last))
    if not kept or sum(last - first for first, last in kept) > len(text) * 3 // 4:
        return None
    pieces, at = Pieces(), 0
    for first, last in kept:
        if at:
            pieces.put("\n", at, first)
        pieces.copy(text, first, last)
        at = last
    return pieces.made()


def _matches(text: str, pattern: re.Pattern[str]) -> Iterator[tuple[int, int]]:
    at = 0
    while (match := pattern.search(text, at)) is not None:
        first, last = _lines(text, *match.span())
        yield first, last
        # What stands between is inside, with all that is kept around it.
        at = max(match.end(), last - REACH)


def _lines(text: str, start: int, end: int) -> tuple[int, int]:
    first = max(0, start - REACH)
    first = max(first, text.rfind("\n", first, start) + 1)
    limit = min(len(text), end + 2 * REACH)
    last = text.find("\n", end, limit)
    return first, limit if last < 0 else last
