"""What lies past the budget: verbs that destroy are still looked for, by pattern.

Without tokens a verb in a string or a comment cannot be told from a statement, so what is found
here has a lower confidence, and the report says `truncated` anyway.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from policies.engine.stretches import lowered, stretches

REACH = 1_500  # characters round its word that the longest statement takes: mostly blanks
MAX_UNREAD = 200  # places that are reported of one text
CONFIDENCE = 0.7

_BLANK = r"(?:\s|/\*[^*]{0,40}\*/){1,9}"
_NAME = r"[\w.\"`\[\]$]{1,80}"
_PATTERN = re.compile(
    rf"\b(?:(?P<drop_table>drop{_BLANK}tables?)|(?P<drop_database>drop{_BLANK}(?:database|keyspace))"
    rf"|(?P<drop_schema>drop{_BLANK}schema)|(?P<drop_owned>drop{_BLANK}owned)){_BLANK}{_NAME}"
    rf"|\b(?P<truncate>truncate{_BLANK}(?:table{_BLANK})?{_NAME})\s{{0,9}}(?:;|,|\Z)"
    rf"|\b(?P<delete_all>delete{_BLANK}from{_BLANK}{_NAME})\s{{0,9}}(?:;|\Z)"
    r"|\b(?P<server_program>xp_cmdshell\b|copy\b[^;]{1,60}\bprogram\b)"
    rf"|\b(?P<server_file>into{_BLANK}(?:out|dump)file)\b",
    re.IGNORECASE,
)

# One of them stands in every match: most texts hold none, and need no pattern.
_NEEDED = ("drop", "truncate", "delete", "xp_cmdshell", "program", "outfile", "dumpfile")


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """A rule whose words stand at `[start, end)` of a text that was not read."""

    rule: str
    start: int
    end: int


def unread(text: str, start: int) -> Iterator[Unread]:
    """Where `text[start:]` holds the words of a statement that destroys."""
    lower = lowered(text)
    found = (
        match
        for first, last in stretches(lower, _NEEDED, REACH)
        if last > start
        for match in _PATTERN.finditer(text, max(first, start), last)
    )
    for match in islice(found, MAX_UNREAD):
        yield Unread(rule=match.lastgroup or "", start=match.start(), end=match.end())
