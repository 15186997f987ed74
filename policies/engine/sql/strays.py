"""Statements that a value has torn: the value is taken out again and judged as one.

`... WHERE login = '' or x like '%' AND ...` reads on behind the string as no statement would. A
statement that is merely wrong (an apostrophe that nobody doubled) holds no sign in that rest.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from policies.engine.language import word_set
from policies.engine.sql.budget import Budget
from policies.engine.sql.decoding import joined_words
from policies.engine.sql.evidence import BEHIND_LITERAL, Evidence, Tokens, text_at
from policies.engine.sql.statements import Statement
from policies.engine.sql.values import value_evidence

MAX_STRAYS = 4  # values of one statement that are judged
MAX_STRAY = 1_000  # characters of one of them

_BEFORE = word_set("= < > <= >= <> != like ilike rlike regexp ( , between %")
_ZONES = word_set("where set values having on")
_QUERY_ONLY = frozenset(["group", "having", "union"])
_LITERALS = ("string", "number", "quoted")


def stray_values(statement: Statement, text: str, budget: Budget) -> Iterator[Evidence]:
    """Signs of injection in what stands behind a literal that should have ended a condition."""
    tokens = statement.tokens
    if statement.verb not in ("select", "insert", "update", "delete", "replace", "with"):
        return
    torn = tokens[-1].open
    zone, left = False, MAX_STRAYS
    for index, token in enumerate(tokens):
        if token.kind == "word":
            zone = zone or token.text in _ZONES
            continue
        if not zone or token.kind not in _LITERALS or not index:
            continue
        if tokens[index - 1].text not in _BEFORE:
            continue
        junk = index + 1 < len(tokens) and _is_junk(tokens, index + 1, statement.verb)
        if not junk and not torn:
            continue
        left -= 1
        if left < 0:
            return
        start = token.start + (token.kind != "number")
        stretch = text[start : min(statement.end, start + MAX_STRAY)]
        found = value_evidence(stretch, budget)
        if not found and "/*" in stretch and (whole := joined_words(stretch)) != stretch:
            found = [
                replace(sign, start=0, end=len(stretch)) for sign in value_evidence(whole, budget)
            ]
        for sign in found:
            yield Evidence(
                rule=sign.rule,
                reason=sign.reason,
                start=start + sign.start,
                end=start + sign.end,
                confidence=sign.confidence,
                weak=sign.weak,
            )
        if found:
            return


def _is_junk(tokens: Tokens, at: int, verb: str) -> bool:
    """Whether what stands at `at` cannot follow a literal in a condition or a list."""
    following = tokens[at]
    if following.kind in _LITERALS or (
        following.text == "(" and text_at(tokens, at + 1) == "select"
    ):
        return True
    if following.kind != "word":
        return False
    return following.text not in BEHIND_LITERAL or (
        following.text in _QUERY_ONLY and verb in ("update", "delete")
    )
