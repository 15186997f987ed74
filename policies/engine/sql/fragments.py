"""Pieces of statements that are a value by themselves: shapes that need no context to be told.

`values` asks whether a value breaks out of its place. These do not, or not in a way that reads as
a condition: they are the beginning, the middle or the end of what another value completes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from policies.engine.sql.evidence import Evidence

MAX_HEAD = 400  # characters of a value that are looked at

_JOINER = r"(?:and|or|xor|\|\||&&)"
_FILE_CALL = (
    r"(?:load_file|lo_import|lo_export|pg_read_(?:binary_)?file|pg_ls_dir|load_extension"
    r"|sys_eval|sys_exec|lo_from_bytea)"
)
_ENDS = r"(?:\s*(?:--|\#|/\*).{0,80})?\s*\Z"


class _Shape(NamedTuple):
    rule: str
    reason: str
    pattern: re.Pattern[str]


def _shape(rule: str, reason: str, pattern: str) -> _Shape:
    return _Shape(rule, reason, re.compile(pattern, re.IGNORECASE | re.DOTALL))


_SHAPES = (
    _shape(
        "misplaced_clause",
        "A condition waits for a string that the rest of another query ends.",
        rf"\s*{_JOINER}\s+[\w.`]{{1,60}}\s*(?:=|<>|!=|<|>|\blike\b)\s*['\"]\s*\Z",
    ),
    _shape(
        "misplaced_clause",
        "A comparison of a constant is left open for the rest of another query.",
        r"\s*(?:select\s+)?(?:i?if\s*\(|case\s+when\s*\(?)\s*(?:\d{1,9}|'\w{0,20}')\s*(?:=|<>|<|>)"
        r"\s*\Z",
    ),
    _shape(
        "misplaced_clause",
        "A source of rows stands where a value belongs.",
        r"\s*from\s*(?:\(+\s*select\b|information_schema\s*\.\s*\w)",
    ),
    _shape(
        "breakout",
        "A column is joined to the end of the string.",
        rf"['\"](?:\s*\)+\s*|\s+){_JOINER}\s+\(*\s*(?:not\s+)?[\w.]{{1,60}}\s*\)*!?{_ENDS}",
    ),
    _shape(
        "breakout",
        "An escape of ODBC is joined to the value, which MySQL reads through.",
        rf"[^'\"{{}}]{{0,60}}['\"\d)]\s*\)*\s*{_JOINER}\s*\{{\s*[a-z_]\w{{0,30}}\s+[^{{}}]{{0,200}}[(=<>]",
    ),
    _shape(
        "conditional_probe",
        "A choice is joined to the value: it answers a question by what it does.",
        rf"[\s\d'\")]*\b{_JOINER}\s+\(*\s*case\s+when\b.{{1,150}}\bthen\b.{{1,100}}\bend\b[\s)]*"
        r"(?:(?:--|\#|['\"]).{0,60})?\Z",
    ),
    _shape(
        "lone_statement",
        "A function that reaches the server's files or programs stands where a value belongs.",
        rf"[\s()'\"\d;,+-]*(?:{_JOINER}\s*|select\s+)?\(*{_FILE_CALL}\s*\(\s*(?:['\"(]|0x|n?cha?r\s*\(|concat\b)",
    ),
    _shape(
        "lone_statement",
        "The rows are written into a file of the server.",
        r"\S{0,60}\s+into\s+(?:out|dump)file\s*['\"]",
    ),
    _shape(
        "lone_statement",
        "A variable of the server stands where a value belongs.",
        r"\s*@@(?:global\.|session\.)?(?:version\w{0,20}|hostname|datadir|basedir|tmpdir"
        rf"|servername|language|plugin_dir|secure_file_priv){_ENDS}",
    ),
    _shape(
        "lone_statement",
        "A piece of a text is asked for as only SQL writes it.",
        r"\s*(?:overlay\s*\([^()]{1,60}\bplacing\s|substring\s*\([^(),]{1,60}\sfrom\s+\d+\s+for\s)",
    ),
    _shape("breakout", "A query follows a variable.", r"\s*@\w{1,30}\s+(?:union\s+)?select\b"),
    _shape(
        "comment_tail",
        "A comment that holds a quote ends the value in one reading and not in another.",
        r"\s*[-+]?\d{1,9}\s*/\*[^*]{0,20}['\"][^*]{0,20}\*/",
    ),
    _shape(
        "comment_tail",
        "A comment cuts off the rest of the statement.",
        r"\s*[-+]?\d{1,9}\s*\)*\s*;\s*(?:--[\s+-]*|\#\s*)\Z",
    ),
)
# These may stand anywhere in a value.
_ANYWHERE = (
    _shape(
        "inline_comment",
        "A comment stands between a keyword and its bracket.",
        r"\b(?:in|or|and|union|select|from|where|exists|values|sleep)/\*[^*/]{0,12}\*/\s*\(",
    ),
    _shape(
        "comment_tail",
        "A comment keeps the statement out of SQL Server's log.",
        r"(?:--|/\*)\s*sp_password\b",
    ),
)
_COMMENT = re.compile(r"/\*|sp_password", re.IGNORECASE)


def fragments(value: str) -> Iterator[Evidence]:
    """The first shape that `value` has, offsets in it."""
    head = value[:MAX_HEAD]
    found = next(
        ((shape, match) for shape in _SHAPES if (match := shape.pattern.match(head))), None
    )
    if found is None and _COMMENT.search(head):
        found = next(
            ((shape, match) for shape in _ANYWHERE if (match := shape.pattern.search(head))), None
        )
    if found is not None:
        shape, match = found
        yield Evidence(
            rule=shape.rule, reason=shape.reason, start=match.start(), end=max(1, match.end())
        )
