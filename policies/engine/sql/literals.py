"""Texts that a statement spells in pieces, by codes or in quotes of its own, as one text each.

`'jane@' || 'corp.test'`, `U&'\\0035'`, `x'6a61'`, `$$...$$`: the server reads one value, and so do
the families that look for data. Nothing is evaluated but constants.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies.engine.decode.octets import hex_text
from policies.engine.sql.evidence import Tokens, kind_at, text_at
from policies.engine.sql.tokens import Token, inner

MAX_LITERALS = 200  # of one text
MAX_PIECES = 50  # of one literal
MAX_QUOTED = 100  # characters of a text between dollar signs
MIN_DIGITS = 12  # of a number in hexadecimal, to hold a text

_ESCAPED = re.compile(r"\\(?:\+([0-9a-fA-F]{6})|([0-9a-fA-F]{4}))")
_JOINING = frozenset(["||", "+", ","])
_LAST_CODE = 0x10FFFF


def spelled(tokens: Tokens) -> Iterator[tuple[str, int, int]]:
    """The texts, each with the stretch that spells it."""
    found, at = 0, 0
    while at < len(tokens) and found < MAX_LITERALS:
        token = tokens[at]
        if token.kind not in ("string", "number"):
            at += 1
            continue
        parts = [token]
        listed = text_at(tokens, at - 1) == "(" and text_at(tokens, at - 2).startswith("concat")
        while (
            text_at(tokens, at + 1) in _JOINING
            and (listed or text_at(tokens, at + 1) != ",")
            and kind_at(tokens, at + 2) == "string"
            and len(parts) < MAX_PIECES
        ):
            parts.append(tokens[at + 2])
            at += 2
        at += 1
        if len(parts) > 1 or _is_special(token):
            text = "".join(map(_said, parts))
            if text:
                found += 1
                yield text, parts[0].start, parts[-1].end


def _is_special(token: Token) -> bool:
    head = token.text[:2].lower()
    if token.kind == "number":
        return head == "0x" and token.end - token.start >= MIN_DIGITS
    if head[:1] == "$":  # a longer one is a program, that is read where it stands
        return token.end - token.start <= MAX_QUOTED
    return head in ("u&", "x'")


def _said(token: Token) -> str:
    head = token.text[:2].lower()
    if token.kind == "number":
        return _of_hex(token.text[2:]) if head == "0x" else token.text
    first, last = inner(token)
    content = token.text[first - token.start : last - token.start].replace("''", "'")
    if head == "x'":
        return _of_hex(content)
    return _ESCAPED.sub(_character, content) if head == "u&" else content


def _of_hex(digits: str) -> str:
    made = hex_text(digits) if digits else None
    return made.text if made else ""


def _character(found: re.Match[str]) -> str:
    code = int(found[1] or found[2], 16)
    return chr(code) if code <= _LAST_CODE and not 0xD800 <= code <= 0xDFFF else found[0]
