"""UNION SELECT where it was not written together with the query before it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from policies.engine.language import word_set
from policies.engine.sql.evidence import COMPARISONS, Evidence, Tokens, kind_at, text_at
from policies.engine.sql.statements import Statement, clause_end, top_level
from policies.engine.sql.tokens import Token

MAX_UNIONS = 20  # set operations of one statement
MAX_ARM = 1_000  # tokens of the query before it that are looked at
MAX_LIST = 50  # tokens of a list before a UNION
MIN_NUMBERED = 2  # columns that hold their own position

PROBES = word_set(
    "user current_user session_user system_user database schema version current_database "
    "current_schema @@version @@hostname @@datadir @@basedir @@version_compile_os "
    "@@servername sqlite_version version_comment banner load_file current_setting pg_ls_dir "
    "db_name host_name user_name suser_name @@global.version @@tmpdir inet_server_addr"
)
_SCHEMA = word_set(
    "information_schema sysobjects syscolumns sysdatabases sqlite_master sqlite_schema "
    "all_tables user_tables all_tab_columns dba_users all_users pg_shadow pg_user pg_catalog "
    "msysobjects v$version user_tab_columns pg_authid syscat sysibm pg_database pg_class "
    "rdb$relations sqlite_temp_master"
)
_CATALOGUES = ("pg_", "sys", "information_schema", "all_", "dba_", "user_", "v$", "sqlite_")
_OPERATIONS = word_set("union intersect except minus")
_ARM_END = word_set("from order limit into offset fetch procedure where group having")


def unions(statement: Statement, *, value: bool) -> Iterator[Evidence]:
    """The first set operation of the statement that shows where it comes from."""
    tokens = statement.tokens
    if not statement.words & _OPERATIONS:
        return
    budget = MAX_UNIONS
    for index, token in enumerate(tokens):
        if token.kind != "word" or token.text not in _OPERATIONS:
            continue
        at = index + 1
        while text_at(tokens, at) in ("all", "distinct", "(", "distinctrow"):
            at += 1
        if text_at(tokens, at) != "select":
            if value and _brings_rows(tokens, index, at):
                yield _union("A UNION of rows or of a table comes out of a value.", tokens, index)
                return
            if value and at > index + 1 and text_at(tokens, at).startswith("select"):
                yield _union("A UNION SELECT comes out of a value.", tokens, index)
                return
            continue
        budget -= 1
        if budget < 0:
            return
        reason = _reason(tokens, index, at, value=value)
        if reason:
            yield _union(reason, tokens, index)
            return


def _brings_rows(tokens: Tokens, index: int, at: int) -> bool:
    """`7 UNION VALUES (1,2)`, `7 UNION TABLE users`: queries without a SELECT."""
    if tokens[index - 1].kind not in ("number", "string", "quoted"):
        return False
    if text_at(tokens, at) == "values":
        return text_at(tokens, at + 1) in ("(", "row")
    ends = at + 2 >= len(tokens) or tokens[at + 2].kind == "comment"
    return text_at(tokens, at) == "table" and kind_at(tokens, at + 1) == "word" and ends


def _union(reason: str, tokens: Tokens, index: int) -> Evidence:
    return Evidence(
        rule="union_select", reason=reason, start=tokens[index].start, end=tokens[-1].end
    )


def _reason(tokens: Tokens, index: int, at: int, *, value: bool) -> str:
    if value:
        return "A UNION SELECT comes out of a value." if lists_columns(tokens, at + 1) else ""
    if index and tokens[index - 1].text in COMPARISONS:
        return "A UNION SELECT comes out of a value."
    if _follows_list(tokens, index):
        return "A UNION stands in brackets behind a value."
    if tokens[0].text in ("delete", "update") and _is_outside(tokens, index):
        return "A UNION stands behind a statement that answers no rows."
    end = clause_end(tokens, at)
    inside = [tokens[place] for place in top_level(tokens, at + 1, end)]
    first_arm = {token.text for token in tokens[max(0, index - MAX_ARM) : index]}
    if "from" not in first_arm or _is_row_source(tokens, index):
        return ""
    has_source = any(token.text == "from" for token in inside)
    columns = _columns(inside)
    catalogue = _SCHEMA & {token.text for token in tokens[at:end]} - first_arm
    if has_source and catalogue and not any(word.startswith(_CATALOGUES) for word in first_arm):
        return "A UNION reads the database's own catalogue beside another table."
    if not has_source and any(
        token.text in PROBES and token.text not in first_arm for token in tokens[at:end]
    ):
        return "A UNION asks the server about itself."
    width = _width(tokens, 0, index)
    if has_source and not _only_dual(inside):
        return _padding(columns, width, tokens, index)
    if _counts_columns(columns, width):
        return "A UNION of constants counts the columns of the query before it."
    return ""


def _padding(columns: Sequence[Sequence[Token]], width: int, tokens: Tokens, index: int) -> str:
    """Why an arm that reads a table looks fitted to a query that its writer could not see."""
    numbered = sum(
        len(column) == 1 and column[0].text == str(place + 1)
        for place, column in enumerate(columns)
    )
    if numbered >= MIN_NUMBERED:
        return "A UNION numbers its columns to see where they come out."
    star = any(token.text == "*" for column in columns for token in column)
    after_value = tokens[index - 1].kind in ("number", "string")
    if width and not star and after_value and len(columns) != width:
        return "A UNION has another number of columns than the query before it."
    return ""


def lists_columns(tokens: Tokens, at: int) -> bool:
    """Whether the words behind SELECT can be its columns: a select committee is none."""
    while text_at(tokens, at) in ("all", "distinct", "top"):
        at += 1
    if at >= len(tokens):
        return tokens[at - 2].text == "all" or tokens[-1].text == "select"
    if tokens[at].kind in ("number", "string", "variable", "quoted", "comment"):
        return True
    if tokens[at].kind != "word" or tokens[at].text in ("null", "case"):
        return True
    following = text_at(tokens, at + 1)
    return following in (",", "(", "from", ".", ";", "||", "+", ")", "into", "as") or (
        at + 1 < len(tokens) and tokens[at + 1].kind == "comment"
    )


def _follows_list(tokens: Tokens, index: int) -> bool:
    """Whether the brackets round the UNION hold a value before it: `IN (5 UNION SELECT`."""
    if tokens[index - 1].kind not in ("number", "string"):
        return False
    depth = 0
    for at in range(index - 1, max(-1, index - MAX_LIST), -1):
        text = tokens[at].text
        depth += (text == ")") - (text == "(")
        if depth < 0:
            return tokens[at + 1].kind in ("number", "string") and text_at(tokens, at - 1) == "in"
    return False


def _columns(inside: Sequence[Token]) -> list[list[Token]]:
    """The output columns of an arm, each as its tokens outside of brackets."""
    columns: list[list[Token]] = [[]]
    for token in inside:
        if token.kind == "word" and token.text in _ARM_END:
            break
        if token.text == ",":
            columns.append([])
        else:
            columns[-1].append(token)
    return columns


def _is_outside(tokens: Tokens, index: int) -> bool:
    """Whether no bracket is open at `index`."""
    texts = [token.text for token in tokens[:index]]
    return texts.count("(") <= texts.count(")")


def _only_dual(inside: Sequence[Token]) -> bool:
    return any(
        token.text == "from" and following.text == "dual" for token, following in pairwise(inside)
    )


def _is_row_source(tokens: Tokens, index: int) -> bool:
    """Whether the arm before the UNION is itself made of constants."""
    for at in range(index - 1, -1, -1):
        if tokens[at].kind != "word":
            continue
        if tokens[at].text == "from":
            return False
        if tokens[at].text == "select":
            return True
    return True


def _counts_columns(columns: Sequence[Sequence[Token]], width: int) -> bool:
    """Whether an arm without a table looks like a probe for the number of columns."""
    if any(token.text == "as" for column in columns for token in column):
        return False
    texts = [column[0].text for column in columns if len(column) == 1]
    bare = len(texts) == len(columns)
    if bare and all(text == "null" for text in texts):
        return True
    numbers = [int(text) for text in texts if text.isdigit() and len(text) < 6]
    if len(numbers) >= MIN_NUMBERED and numbers == list(
        range(numbers[0], numbers[0] + len(numbers))
    ):
        return True
    if len(numbers) > MIN_NUMBERED and len(set(numbers)) == 1 and numbers[0]:
        return True
    if width == 0 and len(numbers) == len(columns) >= MIN_NUMBERED and min(numbers) > 1:
        return True
    if any(token.text in ("and", "or", "=") for token in columns[-1]):
        return True  # the rest of the query that the value stood in
    return bare and width > 0 and len(columns) != width and len(columns) > 1


def _width(tokens: Tokens, first: int, last: int) -> int:
    """How many columns the SELECT at `first` has; 0 when a star hides it."""
    if tokens[first].text != "select":
        return 0
    width = 1
    for at in top_level(tokens, first + 1, min(last, first + MAX_ARM)):
        text = tokens[at].text
        if text == "from":
            return width
        if text == "*":
            return 0
        width += text == ","
    return 0
