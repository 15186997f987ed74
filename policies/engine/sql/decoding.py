"""Readings of a value that a server between the caller and the database would make of it.

The encodings are those that servers resolve (percent signs, HTML entities, JSON's `\\u0027`) and
those that filters are known to be passed with: overlong UTF-8, `%u0027`, comments inside words.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from urllib.parse import unquote, unquote_plus

MAX_ROUNDS = 2  # layers of percent signs

_UNICODE = re.compile(r"%[uU]([0-9a-fA-F]{4})|\\u([0-9a-fA-F]{4})|\\x([0-9a-fA-F]{2})")
_OVERLONG = re.compile(r"%c([01])%([89ab][0-9a-f])", re.IGNORECASE)
_BLANK = re.compile(r"(?<!%c2)%a0", re.IGNORECASE)  # MySQL takes it for a blank in latin1
_STRAY_PERCENT = re.compile(r"%(?![0-9a-fA-F]{2}|u[0-9a-fA-F]{4})(?=[A-Za-z])")
PLUS = re.compile(
    r"(?:[+;)]|\A)(?:and|or|union|select|order|having|from|where|like|xor|waitfor)\+", re.I
)
_INSIDE_WORD = re.compile(r"(?<=[a-z])/\*[^*/]{0,12}\*/(?=[a-z])", re.IGNORECASE)
_LINE = re.compile(r"(?:\#|--)[\w ]{0,40}[\r\n]+")
_ENCODED = re.compile(
    r"%(?:[0-9a-f]{2}|u[0-9a-f]{4}|[a-z]%)|&#|&[a-z]{2,6};|\\[ux][0-9a-f]{2}|/\*|\+|\#|--", re.I
)

# Quotes that databases convert; whole texts in other alphabets are read by `decode`.
_QUOTES = dict(
    zip("\uff07\uff02\u2018\u2019\u201c\u201d\u2032\u02bc\uff1d", "'\"''\"\"''=", strict=True)
)


def plain(text: str) -> str:
    """The text with quotes and equal signs of other alphabets as the ones that databases read."""
    if text.isascii():
        return text
    for quote, known in _QUOTES.items():  # a table for `translate` takes fifty times as long
        text = text.replace(quote, known)
    return text


def decoded(value: str) -> str:
    """The value with percent signs and HTML entities resolved, as a web server would (twice)."""
    for _ in range(MAX_ROUNDS):
        before = value
        if "%" in value:
            value = _BLANK.sub("%20", _OVERLONG.sub(_overlong, value))
            if len(_STRAY_PERCENT.findall(value)) > 2:
                value = _STRAY_PERCENT.sub("", value)
            value = _UNICODE.sub(_character, value)
            value = unquote_plus(value) if " " not in value else unquote(value)
        elif "\\" in value:
            value = _UNICODE.sub(_character, value)
        if "&" in value:
            value = html.unescape(value)
        if value == before:
            break
    return plain(value)


def _character(found: re.Match[str]) -> str:
    return chr(int(found.group(1) or found.group(2) or found.group(3), 16))


def _overlong(found: re.Match[str]) -> str:
    return chr(int(found.group(1)) << 6 | int(found.group(2), 16) & 0x3F)


def joined_words(text: str) -> str:
    """The text without the short comments that split its words: `UN/**/ION`."""
    return _INSIDE_WORD.sub("", text)


def readings(value: str) -> Iterator[str]:
    """Other readings of `value` that may be told apart from it, likeliest first."""
    if _ENCODED.search(value) is not None:
        first = decoded(value)
        if first != value:
            yield first
        if _LINE.search(first):
            yield _LINE.sub(" ", first)
        if "/*" in first and _INSIDE_WORD.search(first):
            yield joined_words(first)
        if PLUS.search(first):
            yield first.replace("+", " ")
    if '""' in value:  # a field of a CSV file, where a quote is written twice
        yield value.strip().removeprefix('"').removesuffix('"').replace('""', '"')
