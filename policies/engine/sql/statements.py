"""Statements out of tokens: verbs, tables and functions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from policies.engine.language import word_set
from policies.engine.sql.tokens import Token

MAX_ARGUMENTS = 200  # tokens between a pair of brackets that are looked through
MAX_CLAUSES = 50  # places of one statement where another can start
MAX_CLAUSE = 4_000  # tokens of a clause that are looked through for its end

VERBS = word_set(
    "select insert update delete merge replace upsert drop truncate alter create rename grant "
    "revoke copy load call exec execute prepare deallocate explain analyze vacuum set reset "
    "show describe desc use begin commit rollback start savepoint declare do lock unlock kill "
    "shutdown flush purge attach detach pragma with values table comment cluster reindex "
    "refresh listen notify discard import export backup restore dbcc waitfor if reassign "
    "optimize handler install uninstall checkpoint unload put remove undrop from print deny "
    "bulk end"
)
_OPENERS = word_set("begin then else do loop immediate analyze verbose repeat atomic")
_TABLE_WORDS = word_set("from join into update table truncate using view")
_NOT_TABLES = word_set(
    "select where set only if exists not lateral unnest values dual on as skip of nowait "
    "low_priority ignore overwrite outfile dumpfile stdin stdout program concurrently"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A statement of a text: its tokens without comments, and where it stands."""

    tokens: Sequence[Token]
    words: frozenset[str]  # the texts of its tokens: what it cannot hold, no detector looks for
    verb: str
    start: int
    end: int


def split(tokens: Sequence[Token]) -> list[Statement]:
    """The statements, cut at semicolons (those of a BEGIN ... END block too)."""
    statements: list[Statement] = []
    current: list[Token] = []
    for token in tokens:
        if token.kind == "comment":
            continue
        if token.text == ";":
            _add(statements, current)
            current = []
        else:
            current.append(token)
    _add(statements, current)
    return statements


def _add(statements: list[Statement], tokens: list[Token]) -> None:
    if tokens:
        statements.append(
            Statement(
                tokens=tokens,
                words=frozenset([token.text for token in tokens]),
                verb=_verb(tokens),
                start=tokens[0].start,
                end=tokens[-1].end,
            )
        )


def _verb(tokens: Sequence[Token]) -> str:
    for token in tokens:
        if token.text == "(":
            continue
        return token.text if token.kind == "word" and token.text in VERBS else ""
    return ""


def clause_starts(tokens: Sequence[Token]) -> Iterator[int]:
    """The indexes at which a statement can start, those inside a CTE or a block included."""
    before, found = "", 0
    for index, token in enumerate(tokens):
        if found >= MAX_CLAUSES:
            return
        if token.kind == "word" and (
            index == 0
            or before in ("(", ")", ":")
            or before in _OPENERS
            or (before == "as" and tokens[0].text in ("prepare", "declare", "create"))
            or (before == "explain" and token.text != "analyze")
        ):
            found += token.text in VERBS
            yield index
        before = token.text


def closing(tokens: Sequence[Token], opening: int) -> int:
    """The index of the bracket that closes the one at `opening`, or where the search ended."""
    depth = 0
    last = min(len(tokens), opening + MAX_ARGUMENTS)
    for index in range(opening, last):
        text = tokens[index].text
        depth += (text == "(") - (text == ")")
        if depth == 0:
            return index
    return last


def clause_end(tokens: Sequence[Token], first: int) -> int:
    """The index past the last token on the level of `first`: the end, or a closing bracket."""
    depth = 0
    last = min(len(tokens), first + MAX_CLAUSE)
    for index in range(first, last):
        text = tokens[index].text
        depth += (text == "(") - (text == ")")
        if depth < 0:
            return index
    return last


def top_level(tokens: Sequence[Token], first: int, last: int) -> Iterator[int]:
    """The indexes in `[first, last)` that stand in no brackets."""
    depth = 0
    for index in range(first, last):
        text = tokens[index].text
        if text == ")":
            depth -= 1
        if depth == 0:
            yield index
        if text == "(":
            depth += 1


def name_at(tokens: Sequence[Token], index: int) -> tuple[str, int]:
    """The (dotted) name at `index` without quotes, and the index after it."""
    parts: list[str] = []
    while index < len(tokens) and tokens[index].kind in ("word", "quoted", "string", "variable"):
        parts.append(tokens[index].text.strip("\"`'"))
        if index + 1 < len(tokens) and tokens[index + 1].text == ".":
            index += 2
        else:
            return ".".join(parts), index + 1
    return ".".join(parts), index


def tables(statement: Statement) -> Iterator[str]:
    """The names that stand where a table does; those of common table expressions are left out."""
    tokens = statement.tokens
    defined = {
        tokens[index].text.strip('"`')
        for index in range(len(tokens) - 2)
        if tokens[index + 1].text == "as" and tokens[index + 2].text == "("
    }
    for index, token in enumerate(tokens):
        if token.kind != "word" or token.text not in _TABLE_WORDS:
            continue
        at = index + 1
        while at < len(tokens) and tokens[at].text in ("if", "not", "exists", "only", "table"):
            at += 1
        while at < len(tokens):
            name, after = name_at(tokens, at)
            called = after < len(tokens) and tokens[after].text == "(" and token.text != "into"
            if not name or name in _NOT_TABLES or called or tokens[at].kind == "string":
                break
            if name not in defined:
                yield name
            if token.text not in ("from", "table") or after >= len(tokens):
                break
            if tokens[after].kind == "word" and after + 1 < len(tokens):  # FROM a x, b y
                after += 1 + (tokens[after].text == "as")
            if after >= len(tokens) or tokens[after].text != ",":
                break
            at = after + 1


def functions(statement: Statement) -> Iterator[str]:
    """The names that are followed by an opening bracket, keywords left out."""
    tokens = statement.tokens
    for index in range(len(tokens) - 1):
        if tokens[index + 1].text == "(" and tokens[index].kind == "word":
            name = tokens[index].text
            if name not in _NOT_FUNCTIONS and name not in VERBS:
                dotted = index >= 2 and tokens[index - 1].text == "."
                yield f"{tokens[index - 2].text}.{name}" if dotted else name


_NOT_FUNCTIONS = word_set(
    "in and or not as on from where values exists any all some over using having when then "
    "else case by union except intersect limit key unique index references check primary into "
    "join is like between partition within filter interval offset returning recursive "
    "materialized"
)
