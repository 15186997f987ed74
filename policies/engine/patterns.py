"""Patterns that people write: admitted by RE2, run on RE2 and Vectorscan, never on `re`.

RE2 runs in linear time and refuses what would not (look-around, back-references, repeats over
1,000). All patterns are matched without case and with `.` matching line breaks too, because a
policy that a line break or a capital letter evades protects nobody; `(?-i)` and `(?-s)` undo it.
`^` and `$` are the ends of the text; `(?m)` makes them the ends of lines.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import re2

MAX_PATTERN_CHARS = 1_000
_MAX_RE2_BYTES = 8 * 2**20  # RE2's own default; larger patterns are refused


class PatternError(ValueError):
    """The pattern cannot be used; the text says why and what would do."""


def _options() -> Any:
    options = re2.Options()
    options.case_sensitive = False
    options.dot_nl = True
    options.log_errors = False
    options.max_mem = _MAX_RE2_BYTES
    return options


@dataclass(frozen=True, slots=True)
class Pattern:
    """A compiled pattern; `regex.search` takes UTF-8 bytes, `source` is what it was made of."""

    regex: Any
    source: str


@lru_cache(maxsize=20_000)
def compile_pattern(source: str) -> Pattern:
    """A pattern as a person wrote it.

    Raises:
        PatternError: too long, or not a pattern that RE2 takes.
    """
    if len(source) > MAX_PATTERN_CHARS:
        raise PatternError(
            f"The pattern has {len(source)} characters; at most {MAX_PATTERN_CHARS} are taken."
        )
    return _compile(source)


@lru_cache(maxsize=20_000)
def compile_literal(text: str, *, at_start: bool = False, at_end: bool = False) -> Pattern:
    """The text itself, without case; bound to the text's start or end if asked."""
    return _compile(("\\A" if at_start else "") + _escape(text) + ("\\z" if at_end else ""))


def _escape(text: str) -> str:
    """The text as a pattern, in the syntax that RE2 and Vectorscan share."""
    return "".join(
        char if char.isalnum() or char in " _" or ord(char) > 127 else f"\\x{ord(char):02x}"
        for char in text
    )


def _compile(source: str) -> Pattern:
    try:
        return Pattern(re2.compile(source, _options()), source)
    except re2.error as error:
        reason = error.args[0] if error.args else "not accepted"
        if isinstance(reason, bytes):
            reason = reason.decode("utf-8", "replace")
        raise PatternError(
            f"Not a pattern that RE2 takes: {reason}. Look-around and back-references do not "
            "exist there; repeats go up to 1,000."
        ) from None
