"""The borders in JSON that a replacement must respect, also in JSON inside its strings."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

import orjson

MAX_NESTED = 4  # JSON in a string of JSON, and so on; deeper ones are strings like others

_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_NUMBER_CHARACTERS = frozenset("0123456789+-.eE")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_UNICODE_ESCAPE = re.compile(r"\\u[0-9a-fA-F]{4}")
_LONGEST_ESCAPE = 6
_PIECE = re.compile(r"\\u([0-9a-fA-F]{4})|\\(.)|[^\\]+", re.DOTALL)
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
_MARKS = tuple("{[")


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch to replace; `quote` stands round the replacement of what was a number."""

    start: int
    end: int
    quote: str = ""


def looks_like_json(text: str) -> bool:
    """Whether the whole text, or each of its lines, is a JSON object or array."""
    stripped = text.strip()
    if not stripped.startswith(_MARKS) or not stripped.endswith(("}", "]")):
        return False
    if _is_json(stripped):
        return True
    lines = stripped.splitlines()
    return len(lines) > 1 and all(_is_json(line) for line in lines if line.strip())


def _is_json(text: str) -> bool:
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return True


class JsonText:
    """A text that is JSON."""

    def __init__(self, text: str, *, quote: str = '"', depth: int = 0) -> None:
        """`quote` is how a quotation mark of this text is written in the outermost one."""
        self._text = text
        self._quote = quote
        self._depth = depth
        self._strings = [match.span() for match in _STRING.finditer(text)]
        self._starts = [start for start, _ in self._strings]
        self._inner: dict[int, tuple[JsonText, list[int]] | None] = {}

    def pieces(self, start: int, end: int) -> Iterator[Piece]:
        """The contents of strings and the numbers in `[start, end)`, no escape cut in half."""
        at = max(0, bisect_right(self._starts, start) - 1)
        while start < end:
            while at < len(self._strings) and self._strings[at][1] <= start:
                at += 1
            first, last = self._strings[at] if at < len(self._strings) else (end, end)
            if start < first:
                yield from self._numbers(start, min(end, first))
                start = first
            if first < end:
                inner, outer = max(start, first + 1), min(end, last - 1)
                if inner < outer:
                    yield from self._in_string(at, inner, outer)
                start = last

    def _in_string(self, at: int, start: int, end: int) -> Iterator[Piece]:
        first, last = self._strings[at]
        nested = self._nested(at)
        if nested is None:
            yield Piece(self._after_escape(start, first), self._past_escape(end, first, last))
            return
        text, places = nested
        inner_start = bisect_right(places, start) - 1
        inner_end = min(bisect_right(places, end - 1), len(places) - 1)
        for piece in text.pieces(inner_start, inner_end):
            yield Piece(places[piece.start], places[piece.end], piece.quote)

    def _nested(self, at: int) -> tuple[JsonText, list[int]] | None:
        """The JSON that a string holds, and where each of its characters stands in this text."""
        if at not in self._inner:
            first, last = self._strings[at]
            content = self._text[first + 1 : last - 1]
            self._inner[at] = None
            if self._depth < MAX_NESTED and content.lstrip(" \\nrt").startswith(_MARKS):
                text, places = _decoded(content, first + 1)
                if looks_like_json(text):
                    # A mark of the string, escaped as often as the string is nested.
                    quote = self._quote.replace("\\", "\\\\").replace('"', '\\"')
                    nested = JsonText(text, quote=quote, depth=self._depth + 1)
                    self._inner[at] = nested, places
        return self._inner[at]

    def _numbers(self, start: int, end: int) -> Iterator[Piece]:
        text = self._text
        while start > 0 and text[start - 1] in _NUMBER_CHARACTERS:
            start -= 1
        while end < len(text) and text[end] in _NUMBER_CHARACTERS:
            end += 1
        for number in _NUMBER.finditer(text, start, end):
            yield Piece(*number.span(), self._quote)

    def _escape_over(self, place: int, first: int) -> tuple[int, int] | None:
        """The escape that `place` lies inside of, if any."""
        for start in range(max(first + 1, place - _LONGEST_ESCAPE + 1), place):
            if self._text[start] != "\\" or self._escaped(start, first):
                continue
            match = _UNICODE_ESCAPE.match(self._text, start)
            end = match.end() if match else start + 2
            if start < place < end:
                return start, end
        return None

    def _escaped(self, place: int, first: int) -> bool:
        slashes = 0
        while place - slashes - 1 > first and self._text[place - slashes - 1] == "\\":
            slashes += 1
        return slashes % 2 == 1

    def _after_escape(self, start: int, first: int) -> int:
        over = self._escape_over(start, first)
        return over[1] if over else start

    def _past_escape(self, end: int, first: int, last: int) -> int:
        over = self._escape_over(end, first)
        return min(over[1], last - 1) if over else end


def _decoded(content: str, offset: int) -> tuple[str, list[int]]:
    """What a string's content says, and the place of each character and of the end."""
    characters: list[str] = []
    places: list[int] = []
    for piece in _PIECE.finditer(content):
        place = offset + piece.start()
        if piece[1]:
            said = chr(int(piece[1], 16))
        elif piece[2]:
            said = _ESCAPED.get(piece[2], piece[2])
        else:
            characters += piece[0]
            places += range(place, offset + piece.end())
            continue
        if characters and "\ud800" <= characters[-1] <= "\udbff" and "\udc00" <= said <= "\udfff":
            pair = characters[-1] + said
            characters[-1] = pair.encode("utf-16", "surrogatepass").decode("utf-16")
            continue
        characters.append(said)
        places.append(place)
    places.append(offset + len(content))
    return "".join(characters), places
