"""Escapes of URLs, HTML, JSON and quoted-printable mail, resolved with a map of every character.

Pure helpers for every family; each resolves one layer.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable

from policies.engine.mapped import Mapped, Pieces

# Each begins with a letter and with no group: so `re` passes by at once what begins none.
_PERCENT = r"%[0-9A-Fa-f]{2}(?:%[0-9A-Fa-f]{2})*+|%[uU][0-9A-Fa-f]{4}"
# Without its semicolon only a number is taken: `?a=1&lt=2` is a query.
# Classic ASP drops a percent sign that begins no byte: `%S%E%L%E%C%T` is a word there.
_STRAY = r"%(?=[A-Za-z0-9_])"
_ENTITY = r"&#[0-9]{1,12}+;?|&#[xX][0-9A-Fa-f]{1,12}+;?|&[A-Za-z][A-Za-z0-9]{1,30}+;"
# Pairs of halves; rows of other letters, which are told at once; a half without its other.
_PAIR = r"\\u[dD][89abAB][0-9A-Fa-f]{2}\\u[dD][c-fC-F][0-9A-Fa-f]{2}"
_ESCAPE = (
    rf"{_PAIR}"
    r"|\\u(?![dD][89a-fA-F])[0-9A-Fa-f]{4}(?:\\u(?![dD][89a-fA-F])[0-9A-Fa-f]{4})*+"
    r"|\\u[0-9A-Fa-f]{4}"
)
_CHARACTER = r'\\\\(?:\\\\)*+|\\["/bfnrt]'
_QUOTED = r"=[0-9A-F]{2}|=\r?\n"

_PLAIN = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}


def percent(text: str) -> Mapped:
    """`text` with `%41` and `%u0041` resolved; bytes are UTF-8, else Latin-1."""
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
        if len(found[0]) == 2:
            continue  # `\\\\u0041` is a backslash and four digits
        character = _unescaped(found[0])
        # Half of a pair, which stays as it was written, is no character.
        if len(character) == 1 and character not in '"\\' and character >= " ":
            pieces.copy(text, at, found.start())
            pieces.put(character, *found.span())
            at = found.end()
    pieces.copy(text, at, len(text))
    return pieces.made()


def quoted_printable(text: str) -> Mapped:
    """`text` with the escapes of quoted-printable resolved (RFC 2045, 6.7)."""
    return _resolved(text, [_QUOTED])


_LETTERS = re.compile(rf"{_PAIR}|\\u[0-9A-Fa-f]{{4}}|\\.", re.DOTALL)
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
            case "%" if text[start + 1] not in "uU":
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
                _put_letters(pieces, found[0], start)
        at = end
    pieces.copy(text, at, len(text))
    return pieces.made()


def _put_bytes(pieces: Pieces, run: str, start: int) -> None:
    data = bytes.fromhex(run.replace("%", ""))
    if data.isascii() and b"\0" not in data:
        pieces.row(data.decode("ascii"), start, 3)
        return
    for found in _SEQUENCE.finditer(data):
        first, last = start + 3 * found.start(), start + 3 * found.end()
        octets = found[0]
        if octets == b"\0":
            continue  # a string ends there in C, and goes on in a database
        if octets[0] in (0xC0, 0xC1) and len(octets) > 1:
            pieces.put(chr((octets[0] & 0x1F) << 6 | octets[1] & 0x3F), first, last)
        else:
            pieces.put(_text_of(octets), first, last)


# A character of UTF-8, one of ASCII in two bytes (which lenient decoders take), or any byte.
_SEQUENCE = re.compile(
    rb"[\xc0-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}|.", re.DOTALL
)


def _text_of(octets: bytes) -> str:
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError:
        return octets.decode("latin-1")


def _put_letters(pieces: Pieces, written: str, start: int) -> None:
    """Put a run of escapes of JSON that are all of one kind."""
    if written[1] == "\\":
        pieces.row(written[::2], start, 2)
    elif written[1] != "u":
        pieces.put(_PLAIN.get(written[1], written[1]), start, start + 2)
    elif written[2] in "dD" and written[3] in "89abcdefABCDEF":
        pieces.put(_unescaped(written), start, start + len(written))
    else:
        codes = written.split("\\u")[1:]
        pieces.row("".join([chr(int(code, 16)) for code in codes]), start, 6)


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
    """What `\\u0041` stands for, or a pair of halves."""
    high = int(written[2:6], 16)
    if len(written) > 6:
        low = int(written[8:12], 16)
        return chr(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))
    return _character(high, written)
