"""Escapes of URLs, HTML, JSON and quoted-printable mail, resolved with a map of every character.

Pure helpers for every family; each resolves one layer.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable

from policies.engine.mapped import Mapped, Pieces

_PERCENT = r"(?:%[0-9A-Fa-f]{2})++|%u[0-9A-Fa-f]{4}"
# Without its semicolon only a number is taken: `?a=1&lt=2` is a query.
# Classic ASP drops a percent sign that begins no byte: `%S%E%L%E%C%T` is a word there.
_STRAY = r"%(?=[A-Za-z0-9_])"
_ENTITY = r"&#[0-9]{1,7}+;?|&#[xX][0-9A-Fa-f]{1,6}+;?|&[A-Za-z][A-Za-z0-9]{1,30}+;"
_ESCAPE = r"(?:\\u[dD][89abAB][0-9A-Fa-f]{2}\\u[dD][c-fC-F][0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4})"
_CHARACTER = r'\\[\\"/bfnrt]'
_QUOTED = r"=[0-9A-F]{2}|=\r?\n"

_PLAIN = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
_FIRST_PRINTABLE = 0x20


def percent(text: str) -> Mapped:
    """`text` with `%41` and `%u0041` resolved; runs of bytes are UTF-8, else Latin-1."""
    return _resolved(text, [_PERCENT])


def entities(text: str) -> Mapped:
    """`text` with the entities of HTML resolved."""
    return _resolved(text, [_ENTITY])


def json_escapes(text: str) -> Mapped:
    """The content of a JSON string, without its escapes."""
    return _resolved(text, [_ESCAPE, _CHARACTER])


def json_letters(text: str) -> Mapped:
    """A JSON text with those `\\u0041` resolved that may stand for themselves: it stays JSON."""
    pieces, at = Pieces(), 0
    for found in _LETTERS.finditer(text):
        character = _unescaped(found[0])
        if found[0][0] != "\\" or found[0][1] != "u":
            continue  # `\\\\u0041` is a backslash and four digits
        if character not in '"\\' and ord(character) >= _FIRST_PRINTABLE:
            pieces.copy(text, at, found.start())
            pieces.put(character, *found.span())
            at = found.end()
    pieces.copy(text, at, len(text))
    return pieces.made()


def quoted_printable(text: str) -> Mapped:
    """`text` with the escapes of quoted-printable resolved (RFC 2045, 6.7)."""
    return _resolved(text, [_QUOTED])


_LETTERS = re.compile(f"{_ESCAPE}|\\\\.", re.DOTALL)
_KINDS = {
    "asp": [_PERCENT, _STRAY],
    "url": [_PERCENT],
    "form": [r"\+"],
    "html": [_ENTITY],
    "json": [_ESCAPE, _CHARACTER],
    "letters": [_ESCAPE],
    "mail": [_QUOTED],
}
_COMPILED: dict[tuple[str, ...], re.Pattern[str]] = {}


def resolved(text: str, kinds: Iterable[str]) -> Mapped:
    """`text` with one layer of several kinds of escapes (keys of `_KINDS`) resolved."""
    return _resolved(text, _of(kinds))


def escapes_of(kinds: Iterable[str]) -> re.Pattern[str]:
    """The pattern of their escapes; those of marks alone (`\\n`, `\\"`) do not count."""
    return _pattern(tuple(_of("letters" if kind == "json" else kind for kind in kinds)))


def _of(kinds: Iterable[str]) -> list[str]:
    return [pattern for kind in kinds for pattern in _KINDS[kind]]


def _pattern(patterns: tuple[str, ...]) -> re.Pattern[str]:
    compiled = _COMPILED.get(patterns)
    if compiled is None:
        compiled = _COMPILED[patterns] = re.compile("|".join(patterns))
    return compiled


def _resolved(text: str, patterns: list[str]) -> Mapped:
    pattern = _pattern(tuple(patterns))
    pieces, at = Pieces(), 0
    for found in pattern.finditer(text):
        start, end = found.span()
        pieces.copy(text, at, start)
        match text[start]:
            case "%" if end - start == 1:
                pass
            case "%" if text[start + 1] != "u":
                _put_bytes(pieces, found[0], start)
            case "%":
                pieces.put(_character(int(found[0][2:], 16), found[0]), start, end)
            case "+":
                pieces.put(" ", start, end)
            case "&":
                pieces.put(_entity(found[0]), start, end)
            case "=":
                pieces.put(_mail(found[0]), start, end)
            case _:
                pieces.put(_unescaped(found[0]), start, end)
        at = end
    pieces.copy(text, at, len(text))
    return pieces.made()


def _put_bytes(pieces: Pieces, run: str, start: int) -> None:
    data = bytes.fromhex(run.replace("%", ""))
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    if len(text) == len(data):
        pieces.row(text, start, 3)
        return
    at = start
    for character in text:
        size = 3 * len(character.encode())
        pieces.put(character, at, at + size)
        at += size


def _character(code: int, written: str) -> str:
    # Half of a pair is no character: it stays as it was written.
    return written if 0xD800 <= code <= 0xDFFF else chr(code)


def _entity(written: str) -> str:
    if written[1] != "#":
        return html.unescape(written)
    digits = written[2:].rstrip(";")
    code = int(digits[1:], 16) if digits[0] in "xX" else int(digits)
    if code < 0x20 or 0x7F <= code < 0xA0 or code > 0xFFFF:  # HTML has rules of its own for them
        plain = html.unescape(written)
        return written if "\ufffd" in plain else plain
    return _character(code, written)


def _mail(written: str) -> str:
    return "" if written[1] in "\r\n" else chr(int(written[1:], 16))


def _unescaped(written: str) -> str:
    kind = written[1]
    if kind != "u":
        return _PLAIN.get(kind, kind)
    high = int(written[2:6], 16)
    if len(written) > 6:
        low = int(written[8:12], 16)
        return chr(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))
    return _character(high, written)
