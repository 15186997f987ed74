"""Statements where nobody said that a statement stands: `select * from pg_shadow` as a value.

A whole statement is no attack by itself: where SQL is expected none of these is reported, and
where nothing is known most statements are somebody's question. These reach for the server itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from policies.engine.language import word_set
from policies.engine.sql import destructive
from policies.engine.sql.evidence import COMPARISONS, Evidence, Tokens, kind_at, text_at
from policies.engine.sql.probes import time_call
from policies.engine.sql.statements import Statement

MAX_STATEMENTS = 4  # of one text

_REACHING = frozenset(["server_program", "server_file"])
# Where servers keep accounts, what they may do, and their passwords.
_ACCOUNTS = word_set(
    "pg_shadow pg_authid pg_group pg_auth_members sysusers syslogins sysxlogins sql_logins "
    "server_principals dba_users dbauth rdb$users user$ mysql.user"
)
# Settings that name the files of keys and rules, or how passwords are kept.
_TELLING = ("_file", "_keyfile", "config_file", "password_encryption", "data_directory")
_DYNAMIC = frozenset(["exec", "execute"])


def lone_statements(statements: Sequence[Statement]) -> Iterator[Evidence]:
    """Those that read accounts or files of the server, run its programs, or only wait."""
    for statement in statements[:MAX_STATEMENTS]:
        if reason := _reason(statement):
            yield Evidence(
                rule="lone_statement",
                reason=reason,
                start=statement.start,
                end=statement.end,
            )


def _reason(statement: Statement) -> str:
    tokens, words = statement.tokens, statement.words
    first = tokens[0].text
    if any(hit.rule in _REACHING for hit in destructive.hits(statement)):
        return "A statement for the server's files or programs stands where a value may."
    if first == "select" and (words & _ACCOUNTS or _reads_user_table(tokens)):
        return "A query for the server's accounts stands where a value may."
    if first == "select" and "from" not in words and _only_waits(tokens):
        return "A query that only waits stands where a value may."
    if "current_setting" in words and _asks_for_files(tokens):
        return "A query for the server's own files stands where a value may."
    if first in _DYNAMIC and _runs_text(tokens):
        return "An order to run a text as a statement stands where a value may."
    if first == "declare" and text_at(tokens, 1).startswith("@") and _is_cut(tokens):
        return "A batch that is cut off stands where a value may."
    return ""


def _reads_user_table(tokens: Tokens) -> bool:
    return any(
        [token.text for token in tokens[at : at + 3]] == ["mysql", ".", "user"]
        for at in range(len(tokens) - 2)
    )


def _only_waits(tokens: Tokens) -> bool:
    at = 1
    while text_at(tokens, at) == "(":
        at += 1
    return at < len(tokens) and time_call(tokens, at)


def _asks_for_files(tokens: Tokens) -> bool:
    return any(
        token.text == "current_setting"
        and kind_at(tokens, index + 2) == "string"
        and text_at(tokens, index + 2).strip("'").lower().endswith(_TELLING)
        for index, token in enumerate(tokens)
    )


def _runs_text(tokens: Tokens) -> bool:
    """`exec(@s)`, `execute immediate '...'`: what is run is not known from the statement."""
    at = 1
    while text_at(tokens, at) == "(":
        at += 1
    if text_at(tokens, 1) == "immediate":
        return kind_at(tokens, 2) in ("string", "quoted")
    return at > 1 and kind_at(tokens, at) == "variable"


def _is_cut(tokens: Tokens) -> bool:
    return tokens[-1].text in COMPARISONS or tokens[-1].open
