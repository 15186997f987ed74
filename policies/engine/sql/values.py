"""Bare values: would this text break out of the place where a program puts it?

The value is put behind `WHERE c =`, as a number and inside both kinds of quotes, and the statement
so made is read for signs of injection. What is harmless as a value has none.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from urllib.parse import unquote, unquote_plus

from policies.engine.sql.injection import Evidence, evidence
from policies.engine.sql.statements import split
from policies.engine.sql.tokens import tokenize

MAX_VALUE = 4_000  # characters; longer texts are documents, not values
MAX_LINES = 6

_HEAD = "SELECT c FROM t WHERE c = "
_OPERATOR_FIRST = re.compile(
    r"\s*(?:and|or|xor|union|having|order\s+by|group\s+by|rlike|limit|procedure|waitfor|&&|\|\||[,);#]|--|/\*)",
    re.IGNORECASE,
)
_CONCATENATED = re.compile(r"""\s*(['"])\s*(\|\||\+)\s*[\w(@].*[\w)]\s*\2\s*\1\s*\Z""", re.DOTALL)


def value_evidence(value: str) -> list[Evidence]:
    """Signs of injection in `value`, offsets in it; the first context that shows some counts."""
    if len(value) > MAX_VALUE or value.count("\n") > MAX_LINES:
        return []
    if _CONCATENATED.match(value):
        return [
            Evidence(
                rule="concatenation",
                reason="The value closes its string, adds an expression and opens it again.",
                start=0,
                end=len(value),
            )
        ]
    for quote in ("", "'", '"'):
        if quote in value:
            found = list(_in_context(value, quote))
            if any(not sign.weak for sign in found) or len(found) > 1:
                return found
    return []


def _in_context(value: str, quote: str) -> Iterator[Evidence]:
    head = _HEAD + quote
    if not quote and _OPERATOR_FIRST.match(value):
        head += "1 "
    # What the program puts behind the value closes the string that the value leaves open.
    closing = quote or "'"
    is_open = (value.count(closing) + len(quote)) % 2
    text = head + value + closing * is_open
    tokens, _ = tokenize(text)
    limit = len(head) + len(value)
    if quote and not any(token.start < limit for token in tokens[8:]):
        return  # all of it stays inside the quotes
    for sign in evidence(tokens, split(tokens), text, value=True):
        yield Evidence(
            rule=sign.rule,
            reason=sign.reason,
            start=max(0, min(sign.start, limit) - len(head)),
            end=max(1, min(sign.end, limit) - len(head)),
            confidence=sign.confidence,
            weak=sign.weak,
        )


def decoded(value: str) -> str:
    """The value with percent signs and HTML entities resolved, as a web server would (twice)."""
    for _ in range(2):
        if "%" in value:
            value = unquote_plus(value) if " " not in value else unquote(value)
        if "&" in value:
            value = html.unescape(value)
    return value
