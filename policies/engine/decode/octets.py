"""Bytes that were written as text (base64, hex, compressed), each with the place it stood in.

Pure helpers for every family: nothing here looks for encoded text, the caller knows where it is.
"""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from policies.engine.mapped import Mapped, Places

MAX_ENCODED = 200_000  # characters of one encoded stretch; more is no text that a person wrote
MAX_INFLATED = 200_000  # bytes that a compressed stretch may grow to

_NOT_BASE64 = re.compile(r"[^A-Za-z0-9+/]")
_URL_SAFE = str.maketrans("-_", "+/")
_HEX_PAIR = re.compile(r"(?:0x|\\x)?([0-9A-Fa-f]{2})[\s:,]?")
_HEX = re.compile(r"[0-9A-Fa-f]+\Z")
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f-\x9f\ud800-\udfff\ufffd]")
_GROUP = 4  # characters of base64 that hold three bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Octets:
    """`data[i]` was written as `[starts[i], ends[i])` of the text that it was read from.

    For base64 that is the whole group of four characters: taking out less would leave some bits.
    """

    data: bytes
    starts: Sequence[int]
    ends: Sequence[int]


def from_base64(text: str) -> Octets | None:
    """The bytes of base64: both alphabets, line breaks and blanks inside, padding or none.

    None: it is no base64, holds nothing, or is longer than `MAX_ENCODED`.
    """
    if len(text) > MAX_ENCODED:
        return None
    body = text.translate(_URL_SAFE).rstrip("= \t\r\n")
    places: Sequence[int] = range(len(body))
    if _NOT_BASE64.search(body):
        places = [at for at, character in enumerate(body) if not character.isspace()]
        body = "".join(body.split())
        if _NOT_BASE64.search(body):
            return None
    if len(body) < 2 or len(body) % _GROUP == 1:
        return None
    try:
        data = base64.b64decode(body + "=" * (-len(body) % _GROUP), validate=True)
    except (binascii.Error, ValueError):
        return None
    padded = len(text.rstrip())  # padding belongs to the last group
    last, size = (len(body) - 1) // _GROUP, len(data)

    def start(at: int) -> int:
        return places[at // 3 * _GROUP]

    def end(at: int) -> int:
        group = at // 3
        return padded if group == last else places[group * _GROUP + _GROUP - 1] + 1

    return Octets(data=data, starts=Places(start, size), ends=Places(end, size))


def from_hex(text: str) -> Octets | None:
    """The bytes of hexadecimal digits; `0x`, `\\x`, blanks, colons and commas may stand between.

    None: it is no hex, an odd digit is left over, or it is longer than `MAX_ENCODED`.
    """
    if len(text) > MAX_ENCODED or not text:
        return None
    if _HEX.match(text):
        if len(text) % 2:
            return None
        size = len(text)
        return Octets(
            data=bytes.fromhex(text), starts=range(0, size, 2), ends=range(2, size + 1, 2)
        )
    digits, starts, ends, at = [], [], [], 0
    while at < len(text):
        found = _HEX_PAIR.match(text, at)
        if found is None:
            return None
        digits.append(found[1])
        starts.append(at)
        at = found.end()
        ends.append(found.end(1))
    return Octets(data=bytes.fromhex("".join(digits)), starts=starts, ends=ends)


def inflated(octets: Octets) -> Octets | None:
    """What gzip or zlib data holds; every byte of it was made of the whole stretch.

    None: it is not compressed, is damaged before the first byte, or exceeds `MAX_INFLATED`.
    """
    if not octets.data:
        return None
    inflater = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)  # 32: tell gzip from zlib by itself
    try:
        data = inflater.decompress(octets.data, MAX_INFLATED)
    except zlib.error:
        return None
    if not data or inflater.unconsumed_tail:
        return None
    first, last, count = octets.starts[0], octets.ends[-1], len(data)
    return Octets(
        data=data, starts=Places(lambda _: first, count), ends=Places(lambda _: last, count)
    )


def as_text(octets: Octets) -> Mapped | None:
    """The text that bytes hold, in UTF-8 or UTF-16 (little-endian); None: they hold none."""
    data = octets.data
    wide = len(data) >= 2 and len(data) % 2 == 0 and b"\0" in data[:64]
    encoding, unit = ("utf-16-le", 2) if wide else ("utf-8", 1)
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        return None
    if not text or _UNPRINTABLE.search(text):
        return None
    starts, ends = octets.starts, octets.ends
    if len(text) == len(data):
        return Mapped(text=text, starts=starts, ends=ends)
    if unit == 1:
        firsts = [at for at, octet in enumerate(data) if octet & 0xC0 != 0x80]
    else:
        firsts = [at for at in range(0, len(data), 2) if data[at + 1] & 0xFC != 0xDC]
    firsts.append(len(data))
    return Mapped(
        text=text,
        starts=Places(lambda at: starts[firsts[at]], len(text)),
        ends=Places(lambda at: ends[firsts[at + 1] - 1], len(text)),
    )


def base64_text(text: str) -> Mapped | None:
    """The text in base64, unpacked if it is compressed; None: there is none."""
    octets = from_base64(text)
    return _opened(octets)


def hex_text(text: str) -> Mapped | None:
    """The text in hexadecimal digits, unpacked if it is compressed; None: there is none."""
    return _opened(from_hex(text))


def _opened(octets: Octets | None) -> Mapped | None:
    if octets is None:
        return None
    if octets.data[:2] in (b"\x1f\x8b", b"\x78\x9c", b"\x78\xda", b"\x78\x01"):
        octets = inflated(octets) or octets
    return as_text(octets)
