"""The classic signatures of SQL injection, as values of the fact `sql.signature`.

Published lists block on them; measured on harmless statements that costs several wrong blocks in a
hundred, so they are facts: a policy can ask for one, nothing is blocked by default. They are told
by tokens, so none is found inside a string or a comment.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from policies.engine.language import word_set
from policies.engine.sql.evidence import COMPARISONS, Tokens, kind_at, text_at
from policies.engine.sql.statements import Statement

_WSTG = (
    "https://owasp.org/www-project-web-security-testing-guide/latest/4-Web_Application_Security_"
    "Testing/07-Input_Validation_Testing/05-Testing_for_SQL_Injection"
)
_CHEAT = "https://cheatsheetseries.owasp.org/cheatsheets/SQL_Injection_Prevention_Cheat_Sheet.html"
_MYSQL = "https://dev.mysql.com/doc/refman/8.0/en"
_POSTGRES = "https://www.postgresql.org/docs/current"
_MSSQL = "https://learn.microsoft.com/en-us/sql"

_HEX = re.compile(r"0x[0-9a-f]{8}", re.IGNORECASE)
_HIDDEN_VERB = re.compile(
    r"(?:--|\#)\s*(?:select|insert|update|delete|drop|union|alter|create|exec)\b", re.IGNORECASE
)
_VERBS = word_set("select insert update delete drop union alter create exec execute")


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """A form that is known from attacks; `finds` and `reference` are for the reference page."""

    name: str
    finds: str
    reference: str


def _list(reference: str, **finds: str) -> tuple[Signature, ...]:
    return tuple(
        Signature(name=name, finds=text, reference=reference) for name, text in finds.items()
    )


SIGNATURES: tuple[Signature, ...] = (
    *_list(
        _WSTG,
        union_select="UNION, UNION ALL or UNION DISTINCT of a SELECT.",
        union_injection="A UNION SELECT right behind a string or a bracket.",
        or_true="OR between two numbers that are compared.",
        or_string="OR between two strings that are compared.",
        and_false="AND between two numbers that are compared.",
        stacked_drop="A DROP TABLE or DROP DATABASE behind another statement.",
        stacked_delete="A DELETE behind another statement.",
        stacked_update="An UPDATE behind another statement.",
        stacked_insert="An INSERT behind another statement.",
        stacked_exec="An EXEC or EXECUTE behind another statement.",
        inline_comment="A block comment before a verb.",
        line_comment_mysql="A verb behind #.",
        line_comment_dash="A verb behind --.",
        select_from="A SELECT behind a statement that ends in a string or a bracket.",
        admin_bypass="An OR with a comparison, and a comment at the end.",
        hex_encoding="A hexadecimal literal of at least eight digits.",
        concat_select="CONCAT of a query.",
        information_schema="The catalogue INFORMATION_SCHEMA.",
    ),
    *_list(
        f"{_MYSQL}/miscellaneous-functions.html",
        sleep="SLEEP with a number.",
        benchmark="BENCHMARK with a count.",
    ),
    *_list(f"{_MYSQL}/xml-functions.html", extractvalue="EXTRACTVALUE.", updatexml="UPDATEXML."),
    *_list(
        f"{_MYSQL}/string-functions.html",
        char_function="CHAR of two or more numbers.",
        load_file="LOAD_FILE.",
    ),
    *_list(f"{_MYSQL}/select-into.html", into_outfile="INTO OUTFILE or DUMPFILE."),
    *_list(
        f"{_POSTGRES}/functions-datetime.html#FUNCTIONS-DATETIME-DELAY",
        pg_sleep="PG_SLEEP with a number.",
    ),
    *_list(
        f"{_MSSQL}/t-sql/language-elements/waitfor-transact-sql",
        waitfor="WAITFOR DELAY with a time.",
    ),
    *_list(
        f"{_MSSQL}/t-sql/functions/cast-and-convert-transact-sql", convert_int="CONVERT to INT."
    ),
    *_list(
        f"{_MSSQL}/relational-databases/system-compatibility-views/"
        "system-compatibility-views-transact-sql",
        sys_tables="SQL Server's system tables.",
    ),
    *_list(
        _CHEAT,
        drop_table="DROP TABLE.",
        drop_database="DROP DATABASE.",
        truncate="TRUNCATE TABLE.",
        alter_table="ALTER TABLE.",
        delete_no_where="DELETE of a table without a condition.",
        create_user="CREATE USER.",
        grant="GRANT.",
        revoke="REVOKE.",
    ),
)

_STACKED = {
    "delete": "stacked_delete",
    "update": "stacked_update",
    "insert": "stacked_insert",
    "exec": "stacked_exec",
    "execute": "stacked_exec",
}
_SYSTEM_TABLES = word_set("sysobjects syscolumns sysusers sysdatabases syslogins sysprocesses")
_FIRST_WORDS = {
    ("drop", "table"): "drop_table",
    ("drop", "database"): "drop_database",
    ("truncate", "table"): "truncate",
    ("alter", "table"): "alter_table",
    ("create", "user"): "create_user",
}
_TRIGGERS = (
    word_set(
        "union or and sleep pg_sleep benchmark waitfor extractvalue updatexml convert char concat "
        "load_file outfile dumpfile information_schema sys"
    )
    | _SYSTEM_TABLES
)


def signatures(
    tokens: Tokens, statements: Sequence[Statement], *, words: frozenset[str]
) -> Iterator[str]:
    """The names of the signatures in a text; `words`: the texts of its tokens."""
    yield from _of_statements(statements)
    if words & _TRIGGERS:
        for statement in statements:
            if statement.words & _TRIGGERS:
                yield from _of_tokens(statement.tokens)
    for index, token in enumerate(tokens):
        if token.kind == "comment":
            yield from _of_comment(tokens, index)
        elif token.kind == "number" and token.end - token.start > 9 and _HEX.match(token.text):
            yield "hex_encoding"


def _of_statements(statements: Sequence[Statement]) -> Iterator[str]:
    for index, statement in enumerate(statements):
        tokens = statement.tokens
        pair = (tokens[0].text, text_at(tokens, 1))
        if pair in _FIRST_WORDS:
            yield _FIRST_WORDS[pair]
        if pair[0] in ("grant", "revoke"):
            yield pair[0]
        if pair == ("delete", "from") and not {"where", "using", "limit"} & statement.words:
            yield "delete_no_where"
        if index == 0:
            continue
        if pair in (("drop", "table"), ("drop", "database")):
            yield "stacked_drop"
        if pair[0] in _STACKED:
            yield _STACKED[pair[0]]
        last = statements[index - 1].tokens[-1]
        closed = last.kind in ("string", "quoted") or last.text == ")"
        if closed and pair[0] == "select" and "from" in statement.words:
            yield "select_from"


def _of_tokens(tokens: Tokens) -> Iterator[str]:
    for index, token in enumerate(tokens):
        if token.kind == "word" and token.text in _TRIGGERS:
            check = _CHECKS.get(token.text)
            if check is not None:
                yield from check(tokens, index)
            elif token.text in _SYSTEM_TABLES or text_at(tokens, index + 1) == ".":
                yield "information_schema" if token.text == "information_schema" else "sys_tables"


def _union(tokens: Tokens, index: int) -> Iterator[str]:
    at = index + 1
    while text_at(tokens, at) in ("all", "distinct", "("):
        at += 1
    if text_at(tokens, at) == "select":
        yield "union_select"
        if index and (tokens[index - 1].kind == "string" or tokens[index - 1].text == ")"):
            yield "union_injection"


def _joined(tokens: Tokens, index: int) -> Iterator[str]:
    left, right = kind_at(tokens, index + 1), kind_at(tokens, index + 3)
    if left != right or text_at(tokens, index + 2) not in COMPARISONS:
        return
    either = tokens[index].text
    if left == "number":
        yield "or_true" if either == "or" else "and_false"
    elif left == "string" and either == "or":
        yield "or_string"


def _call(name: str, *, number: bool = False) -> Callable[[Tokens, int], Iterator[str]]:
    def check(tokens: Tokens, index: int) -> Iterator[str]:
        if text_at(tokens, index + 1) == "(" and (
            not number or kind_at(tokens, index + 2) == "number"
        ):
            yield name

    return check


def _convert(tokens: Tokens, index: int) -> Iterator[str]:
    if text_at(tokens, index + 1) == "(" and text_at(tokens, index + 2) == "int":
        yield "convert_int"


def _char(tokens: Tokens, index: int) -> Iterator[str]:
    kinds = (kind_at(tokens, index + 2), kind_at(tokens, index + 4))
    if kinds == ("number", "number") and text_at(tokens, index + 3) == ",":
        yield "char_function"


def _concat(tokens: Tokens, index: int) -> Iterator[str]:
    if any(token.text == "select" for token in tokens[index + 1 : index + 12]):
        yield "concat_select"


def _waitfor(tokens: Tokens, index: int) -> Iterator[str]:
    if text_at(tokens, index + 1) == "delay" and kind_at(tokens, index + 2) == "string":
        yield "waitfor"


def _outfile(tokens: Tokens, index: int) -> Iterator[str]:
    if text_at(tokens, index - 1) == "into":
        yield "into_outfile"


def _schema(tokens: Tokens, index: int) -> Iterator[str]:
    yield "information_schema"


_CHECKS: dict[str, Callable[[Tokens, int], Iterator[str]]] = {
    "union": _union,
    "or": _joined,
    "and": _joined,
    "sleep": _call("sleep", number=True),
    "pg_sleep": _call("pg_sleep", number=True),
    "benchmark": _call("benchmark", number=True),
    "extractvalue": _call("extractvalue"),
    "updatexml": _call("updatexml"),
    "load_file": _call("load_file"),
    "waitfor": _waitfor,
    "convert": _convert,
    "char": _char,
    "concat": _concat,
    "outfile": _outfile,
    "dumpfile": _outfile,
    "information_schema": _schema,
}


def _of_comment(tokens: Tokens, index: int) -> Iterator[str]:
    token = tokens[index]
    if token.text.startswith("/*"):
        if text_at(tokens, index + 1) in _VERBS:
            yield "inline_comment"
        return
    if _HIDDEN_VERB.match(token.text):
        yield "line_comment_dash" if token.text.startswith("-") else "line_comment_mysql"
    if index == len(tokens) - 1 and token.text.startswith("--"):
        before = tokens[max(0, index - 4) : index]
        texts = [part.text for part in before]
        if len(texts) == 4 and texts[0] == "or" and texts[2] in COMPARISONS:
            yield "admin_bypass"
