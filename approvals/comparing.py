"""How two operations differ, for a person who has approved one like it before."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher

from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from axonportal.common.display import visible

# Comparing takes time by the square of the pieces: words of short texts, lines of long ones.
MAX_WORDS = 4_000
MAX_LINES = 4_000
_WORDS = re.compile(r"\w+|\s+|[^\w\s]")


def compared(before: str, after: str) -> SafeString | None:
    """`after` as HTML with what was added and removed since `before` marked.

    None if the texts have too many lines to be compared while a page waits.
    """
    pieces = _words(before), _words(after)
    if max(map(len, pieces)) > MAX_WORDS:
        pieces = before.splitlines(keepends=True), after.splitlines(keepends=True)
        if max(map(len, pieces)) > MAX_LINES:
            return None
    return _marked(*pieces)


def _words(text: str) -> list[str]:
    # One more than counts is enough to know that there are too many.
    return [
        match[0] for _n, match in zip(range(MAX_WORDS + 1), _WORDS.finditer(text), strict=False)
    ]


def _marked(before: Sequence[str], after: Sequence[str]) -> SafeString:
    shown: list[str] = []
    matcher = SequenceMatcher(a=before, b=after, autojunk=False)
    for tag, a, b, c, d in matcher.get_opcodes():
        if tag == "equal":
            shown.append(visible("".join(after[c:d])))
            continue
        if a < b:
            shown.append(format_html("<del>{}</del>", visible("".join(before[a:b]))))
        if c < d:
            shown.append(format_html("<ins>{}</ins>", visible("".join(after[c:d]))))
    return mark_safe("".join(shown))  # noqa: S308 (pieces are escaped)
