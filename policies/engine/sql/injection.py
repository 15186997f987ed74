"""Signs that a value was spliced into a statement: told from what a person or a program writes.

The classes of signs follow the OWASP Web Security Testing Guide, 07-05 (SQL injection).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from policies.engine.language import starts_sql, word_set
from policies.engine.sql.conditions import ConditionReader, Node, is_constant, truth, walk
from policies.engine.sql.statements import Statement, clause_end, closing, top_level
from policies.engine.sql.tokens import Token

Tokens = Sequence[Token]

MAX_PROBES = 300  # calls of probing functions that are looked at in one statement
MAX_HIDDEN = 400  # characters of a comment that are looked at


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A sign of injection in `[start, end)` of the text; `weak` ones count only together."""

    rule: str
    reason: str
    start: int
    end: int
    confidence: float = 0.9
    weak: bool = False


_TIME = word_set(
    "sleep pg_sleep pg_sleep_for pg_sleep_until benchmark randomblob "
    "dbms_pipe.receive_message dbms_lock.sleep dbms_session.sleep user_lock.sleep "
    "regexp_instr_delay sleepforseconds"
)
_OUT_OF_BAND = word_set(
    "utl_http.request utl_inaddr.get_host_address utl_inaddr.get_host_name "
    "utl_tcp.open_connection utl_smtp.open_connection dbms_ldap.init httpuritype xp_dirtree "
    "xp_fileexist xp_subdirs xp_getfiledetails dblink_connect dblink_send_query openrowset "
    "opendatasource dbms_xslprocessor.read2clob"
)
_ERROR = word_set(
    "extractvalue updatexml xmltype gtid_subset gtid_subtract geometrycollection multipoint "
    "multipolygon linestring multilinestring ctxsys.drithsx.sn dbms_utility.sqlid_to_sqlhash "
    "json_keys ctxsys.ctx_report.token_type ordsys.ord_dicom.getmappingxpath analyse "
    "dbms_xdb_version.checkin dbms_xdb_version.makeversioned"
)
_PROBES = word_set(
    "user current_user session_user system_user database schema version current_database "
    "current_schema @@version @@hostname @@datadir @@basedir @@version_compile_os "
    "@@servername sqlite_version version_comment banner load_file current_setting pg_ls_dir "
    "db_name host_name user_name suser_name @@global.version @@tmpdir inet_server_addr"
)
_SCHEMA = word_set(
    "information_schema sysobjects syscolumns sysdatabases sqlite_master sqlite_schema "
    "all_tables user_tables all_tab_columns dba_users all_users pg_shadow pg_user pg_catalog "
    "msysobjects v$version user_tab_columns pg_authid"
)
_PIECES = word_set(
    "substring substr mid ascii ord unicode char_length left right hex ord strcmp lpad locate "
    "instr bit_length"
)  # fmt: skip
_AFTER_OPERATOR = word_set(
    "and or xor union having waitfor order group limit between rlike declare exec execute "
    "create drop insert update delete from"
)
_EMPTY = re.compile(r"(?:--[\s+\-]*|#\s*|/\*[\s*]*(?:\*/)?|;?%00)['\"]?\Z")
_HIDDEN_SQL = re.compile(
    r"(?:--|\#|/\*)\s*['\")]*\s*(?:['\")]|(?:and|or)\s+[\w.\"`]+\s*(?:=|<|>|in\b|like\b|is\b)"
    r"|order\s+by\b|limit\s+\d|group\s+by\b|returning\b)",
    re.IGNORECASE,
)
_OPERATORS = word_set("= < > <= >= <> !=")


def evidence(
    tokens: Tokens, statements: Sequence[Statement], text: str, *, value: bool
) -> list[Evidence]:
    """The signs in a text; `value`: it is a value put behind `WHERE c =` for this purpose."""
    found = list(_comments(tokens, text, value=value))
    found.extend(_stacked(statements, text, value=value))
    for statement in statements:
        found.extend(_conditions(statement, value=value))
        found.extend(_unions(statement, value=value))
        found.extend(_calls(statement, value=value))
        found.extend(_broken(statement, value=value))
        found.extend(_assigned(statement))
    return found


# Conditions ------------------------------------------------------------------------------------


def _conditions(statement: Statement, *, value: bool) -> Iterator[Evidence]:
    tokens = statement.tokens
    budget = 200  # conditions of one statement
    for index, token in enumerate(tokens):
        if token.kind != "word" or token.text not in ("where", "having", "on", "when"):
            continue
        if token.text == "on" and not _follows_join(tokens, index):
            continue
        budget -= 1
        if budget < 0:
            return
        reader = ConditionReader(tokens, index + 1)
        tree = reader.read(loose=True)
        if token.text == "having" and tree.kind == "compare" and is_constant(tree):
            yield Evidence(
                rule="tautology",
                reason="A HAVING that compares constants is what probes use.",
                start=token.start,
                end=tokens[min(tree.last, len(tokens)) - 1].end,
            )
        yield from _tautologies(tree, tokens, value=value)


def _follows_join(tokens: Tokens, index: int) -> bool:
    return any(token.text == "join" for token in tokens[max(0, index - 6) : index])


def _tautologies(tree: Node, tokens: Tokens, *, value: bool) -> Iterator[Evidence]:
    for node in walk(tree):
        if node.kind not in ("or", "and", "xor"):
            continue
        if is_constant(node.children[0]):
            continue
        for position, child in enumerate(node.children):
            verdict = _suspicious(node.kind, position, child, tokens, value=value)
            if verdict:
                rule, reason, weak = verdict
                yield Evidence(
                    rule=rule,
                    reason=reason,
                    start=tokens[node.first].start,
                    end=tokens[min(node.last, len(tokens)) - 1].end,
                    weak=weak,
                )
                return


def _suspicious(
    kind: str, position: int, child: Node, tokens: Tokens, *, value: bool
) -> tuple[str, str, bool] | None:
    if position == 0:
        return None  # a leading 1=1 is what programs write that append conditions
    inner = child.children[0] if child.kind == "not" and child.children else child
    if kind == "and" and inner.kind in ("and", "or"):
        return None
    constant = is_constant(inner)
    settled = truth(child)
    if kind in ("or", "xor"):
        if (
            inner.kind == "and"
            and inner.children[0].kind == "compare"
            and is_constant(inner.children[0])
        ):
            inner, settled = inner.children[0], True
        if inner.kind == "constant" and isinstance(inner.value, bool) and not value:
            return "tautology", "An OR with TRUE opens every row.", True
        if inner.kind == "constant" and not isinstance(inner.value, bool):
            return "tautology", "An OR with a constant is what probes use.", True
        if settled is True and inner.kind in ("compare", "constant"):
            return "tautology", "An OR with a condition that is always true opens every row.", False
        if constant and inner.kind in ("compare", "constant"):
            return "tautology", "An OR with a comparison of constants is what probes use.", False
        return None
    if inner.kind == "compare" and inner.name not in ("is null", "is not null", "is value"):
        if constant or (settled is True and _same_text(inner, tokens)):
            return "tautology", "An AND with a comparison of constants is what probes use.", False
    elif value and constant and inner.kind == "constant" and inner.value in (0, 1, True, False):
        return "tautology", "An AND with a constant is what probes use.", True
    return None


def _same_text(node: Node, tokens: Tokens) -> bool:
    """Two equal quoted names ("1"="1" is a comparison of strings in MySQL)."""
    return all(
        child.last == child.first + 1 and tokens[child.first].kind == "quoted"
        for child in node.children
    )


# UNION -----------------------------------------------------------------------------------------


def _unions(statement: Statement, *, value: bool) -> Iterator[Evidence]:
    tokens = statement.tokens
    budget = 50  # set operations of one statement
    for index, token in enumerate(tokens):
        if budget < 0:
            return
        if token.text not in ("union", "intersect", "except", "minus") or token.kind != "word":
            continue
        at = index + 1
        while at < len(tokens) and tokens[at].text in ("all", "distinct", "(", "distinctrow"):
            at += 1
        if at >= len(tokens) or not tokens[at].text.startswith("select"):
            continue
        budget -= 1
        reason = _union_reason(tokens, index, at, value=value)
        if reason:
            yield Evidence(
                rule="union_select", reason=reason, start=token.start, end=tokens[-1].end
            )
            return


def _union_reason(tokens: Tokens, index: int, at: int, *, value: bool) -> str:
    if value or (index and tokens[index - 1].text in _OPERATORS):
        return "A UNION SELECT comes out of a value."
    end = clause_end(tokens, at)
    inside = [tokens[place] for place in top_level(tokens, at + 1, end)]
    words = [token.text for token in inside]
    first_arm = {token.text for token in tokens[:index]}
    if "from" not in first_arm or _is_row_source(tokens, index):
        return ""
    columns = words[: words.index("from")] if "from" in words else words
    if "from" in words and _SCHEMA & {token.text for token in tokens[at:end]} - first_arm:
        return "A UNION reads the database's own catalogue beside another table."
    if any(word in _PROBES for word in columns if word not in first_arm) and "from" not in words:
        return "A UNION asks the server about itself."
    literals = [token for token in inside if token.kind in ("number", "string", "word")]
    if "from" in words or not literals:
        return ""
    values = [token.text for token in literals]
    if _counts_columns(values, tokens, index):
        return "A UNION of constants counts the columns of the query before it."
    return ""


def _is_row_source(tokens: Tokens, index: int) -> bool:
    """Whether the arm before the UNION is itself made of constants."""
    start = max(
        (at for at in range(index) if tokens[at].text == "select" and tokens[at].kind == "word"),
        default=0,
    )
    return all(token.text != "from" for token in tokens[start:index])


def _counts_columns(values: Sequence[str], tokens: Tokens, index: int) -> bool:
    plain = [value for value in values if value not in ("as", "all", "limit", "null")]
    nulls = values.count("null")
    if nulls == len(values):
        return True
    numbers = [int(value) for value in plain if value.isdigit() and len(value) < 6]
    if len(numbers) >= 2 and numbers == list(range(numbers[0], numbers[0] + len(numbers))):
        return "as" not in values
    wide = _width(tokens, 0, index)
    return wide > 0 and "as" not in values and len(values) != wide and len(values) > 1


def _width(tokens: Tokens, first: int, last: int) -> int:
    """How many columns the SELECT at `first` has; 0 when a star hides it."""
    if tokens[first].text != "select":
        return 0
    width = 1
    for at in top_level(tokens, first + 1, last):
        text = tokens[at].text
        if text == "from":
            return width
        if text == "*":
            return 0
        width += text == ","
    return 0


# Functions -------------------------------------------------------------------------------------


def _calls(statement: Statement, *, value: bool) -> Iterator[Evidence]:
    tokens = statement.tokens
    if tokens[0].text in ("create", "grant", "revoke", "comment", "alter"):
        return
    plain = set() if value else set(_projection(tokens))
    budget = MAX_PROBES
    for index in range(len(tokens)):
        name = _called(tokens, index)
        if not name:
            continue
        if name in _TIME and index in plain:
            continue
        for names, rule, holds, reason in _PROBE_RULES:
            if name not in names:
                continue
            budget -= 1
            if budget < 0:
                return
            if holds(tokens, index, value):
                text = reason.format(name.upper())
                yield _probe(rule, text, tokens, index)
                break


def _probe(rule: str, reason: str, tokens: Tokens, index: int) -> Evidence:
    end = closing(tokens, index + 1) if _text(tokens, index + 1) == "(" else index + 2
    return Evidence(
        rule=rule,
        reason=reason,
        start=tokens[index].start,
        end=tokens[min(end, len(tokens) - 1)].end,
    )


def _text(tokens: Tokens, index: int) -> str:
    return tokens[index].text if 0 <= index < len(tokens) else ""


def _texts(tokens: Tokens) -> set[str]:
    return {token.text for token in tokens}


def _called(tokens: Tokens, index: int) -> str:
    token = tokens[index]
    if token.kind != "word":
        return ""
    following = _text(tokens, index + 1)
    if token.text in ("waitfor", "exec", "execute", "declare", "xp_dirtree", "xp_cmdshell"):
        return token.text if following else ""
    if following != "(":
        return ""
    name = token.text
    at = index
    while _text(tokens, at - 1) == "." and at >= 2 and tokens[at - 2].kind == "word":
        at -= 2
        name = f"{tokens[at].text}.{name}"
    return name if name in _TIME | _OUT_OF_BAND | _ERROR else token.text


def _projection(tokens: Tokens) -> Iterator[int]:
    """Where a statement that only calls functions calls them: SELECT pg_sleep(1)."""
    words = [tokens[at].text for at in top_level(tokens, 0, len(tokens))]
    if (
        words[:1]
        and words[0] in ("select", "call", "do", "perform")
        and not {"where", "union", "having"} & set(words)
    ):
        last = next(
            (
                at
                for at in top_level(tokens, 0, len(tokens))
                if tokens[at].text in ("order", "group")
            ),
            len(tokens),
        )
        nested = 0
        for at in range(last):
            nested += tokens[at].text == "select" and at > 0
            if not nested:
                yield at


def _leaks(tokens: Tokens, index: int) -> bool:
    inside = tokens[index + 1 : closing(tokens, index + 1)]
    return any(
        token.text in ("select", "concat", "concat_ws", "chr", "char", "~", "extractvalue")
        or token.text in _PROBES
        or token.text.lower().startswith("0x7e")
        for token in inside
    )


def _casts_query(tokens: Tokens, index: int) -> bool:
    end = closing(tokens, index + 1)
    inside = [token.text for token in tokens[index + 2 : end]]
    numeric = {"int", "integer", "numeric", "signed", "float", "bigint", "decimal"} & set(inside)
    query = {"select", "char", "chr"} & set(inside) or any(
        word in _PROBES and word.startswith("@@") for word in inside
    )
    beside = {_text(tokens, index - 1), _text(tokens, end + 1)} & (_OPERATORS | {"and", "or"})
    return bool(numeric and query and beside)


def _picks_apart(tokens: Tokens, index: int, *, value: bool) -> bool:
    end = closing(tokens, index + 1)
    inside = [token.text for token in tokens[index + 2 : end]]
    called = [
        word
        for word, following in zip(inside, [*inside[1:], ""], strict=False)
        if word in _PROBES and (following == "(" or word.startswith("@@") or "_" in word)
    ]
    secret = "select" in inside or bool(called)
    compared = _text(tokens, end + 1) in _OPERATORS | {"between", "in", "like", ")"} or _text(
        tokens, index - 1
    ) in _OPERATORS | {"("}
    where = any(token.text in ("where", "having") for token in tokens[:index])
    return secret and compared and (where or value)


_PROBE_RULES: tuple[tuple[frozenset[str], str, Callable[[Tokens, int, bool], bool], str], ...] = (
    (
        frozenset(["waitfor"]),
        "time_probe",
        lambda tokens, index, _: index > 0 and _text(tokens, index + 1) in ("delay", "time"),
        "Waits inside another statement (WAITFOR).",
    ),
    (
        _TIME,
        "time_probe",
        lambda tokens, index, value: value or tokens[index].text != "randomblob",
        "{} is called where a condition stands: a delay answers a question.",
    ),
    (
        _OUT_OF_BAND,
        "out_of_band",
        lambda tokens, _, value: value or tokens[0].text not in ("exec", "execute"),
        "{} sends data out through the server.",
    ),
    (
        _ERROR,
        "error_probe",
        lambda tokens, index, _: _leaks(tokens, index),
        "{} is made to fail with data in its message.",
    ),
    (
        frozenset(["convert", "cast"]),
        "error_probe",
        lambda tokens, index, _: _casts_query(tokens, index),
        "A query is cast to a number to make the error tell its result.",
    ),
    (
        _PIECES,
        "blind_probe",
        lambda tokens, index, value: _picks_apart(tokens, index, value=value),
        "A secret is compared piece by piece.",
    ),
    (
        frozenset(["floor"]),
        "error_probe",
        lambda tokens, index, _: _text(tokens, index + 2) == "rand" and "group" in _texts(tokens),
        "FLOOR(RAND()) in a grouping makes MySQL fail with data.",
    ),
    (
        frozenset(["exec", "execute", "declare", "xp_cmdshell"]),
        "stacked",
        lambda _, index, value: value and index > 3,
        "A value brings a procedure call with it.",
    ),
)


# Comments and stacked statements ---------------------------------------------------------------


def _comments(tokens: Tokens, text: str, *, value: bool) -> Iterator[Evidence]:
    for index, token in enumerate(tokens):
        if token.kind != "comment":
            continue
        before = tokens[index - 1] if index else None
        following = tokens[index + 1] if index + 1 < len(tokens) else None
        if before is None:
            continue
        if token.text.startswith("/*!") and _hides_keyword(tokens, index):
            yield _comment(
                "inline_comment", "Keywords stand in MySQL's executable comments.", token
            )
        elif token.text.startswith("/*") and following and _is_blank(before, token, following):
            yield _comment("inline_comment", "A comment stands where a blank would.", token)
        elif (following is None or token.open) and _cuts_off(token, before, text, value=value):
            yield _comment("comment_tail", "A comment cuts off the rest of the statement.", token)


def _comment(rule: str, reason: str, token: Token) -> Evidence:
    return Evidence(rule=rule, reason=reason, start=token.start, end=token.end)


def _hides_keyword(tokens: Tokens, index: int) -> bool:
    following = tokens[index + 1 : index + 3]
    return any(token.text in _KEYWORDS for token in following)


_KEYWORDS = word_set("union select or and from where sleep having order group if")


def _is_blank(before: Token, token: Token, following: Token) -> bool:
    content = token.text[2:-2]
    touching = before.end == token.start and token.end == following.start
    words = before.text in _KEYWORDS or following.text in _KEYWORDS
    return len(content) <= 8 and touching and words and before.kind != "comment"


def _cuts_off(token: Token, before: Token, text: str, *, value: bool) -> bool:
    """Whether the comment that ends the text hides a rest, or ends it for no reader."""
    line = text.rfind("\n", 0, token.start) + 1
    if not text[line : token.start].strip():
        return False  # a comment on a line of its own
    if token.open:
        return True
    if token.text.startswith("/*"):
        return False
    head = token.text[:MAX_HIDDEN]
    if _EMPTY.match(head):
        return True
    return "\n" not in text.strip() and bool(_HIDDEN_SQL.match(head) or head.count("'") % 2)


def _stacked(statements: Sequence[Statement], text: str, *, value: bool) -> Iterator[Evidence]:
    if len(statements) < 2:
        return
    first = statements[0]
    cut = first.tokens[-1].text in _OPERATORS or statements[-1].tokens[-1].open
    if cut and not value and statements[1].verb:
        yield _stack(statements[1])
        return
    for statement in statements[1:]:
        verb = statement.tokens[0].text
        if value and (statement.verb or verb in _TIME or verb == "waitfor"):
            if starts_sql(text[statement.start : statement.end]):
                yield _stack(statement)
        elif (
            (verb in ("waitfor", "shutdown") or _called(statement.tokens, 0) in _TIME)
            and "\n" not in text[first.start : statement.start]
            and first.verb not in ("use", "set")
        ):
            yield _stack(statement)


def _stack(statement: Statement) -> Evidence:
    return Evidence(
        rule="stacked",
        reason="A second statement follows a value in the same line.",
        start=statement.start,
        end=statement.end,
    )


# Assigned values -------------------------------------------------------------------------------


def _assigned(statement: Statement) -> Iterator[Evidence]:
    """A condition of constants where a value is stored: SET c = '' OR 'a'='a'."""
    tokens = statement.tokens
    if statement.verb not in ("update", "insert", "replace"):
        return
    for index in range(1, len(tokens) - 3):
        if (
            tokens[index].text not in ("or", "and", "xor", "||")
            or tokens[index - 1].kind != "string"
        ):
            continue
        left, operator, right = tokens[index + 1 : index + 4]
        if (
            left.kind in ("string", "number")
            and operator.text in (*_OPERATORS, "like")
            and right.kind in ("string", "number")
        ):
            yield Evidence(
                rule="tautology",
                reason="A comparison of constants stands where a value is stored.",
                start=tokens[index].start,
                end=right.end,
            )
            return


# Broken statements -----------------------------------------------------------------------------


def _broken(statement: Statement, *, value: bool) -> Iterator[Evidence]:
    tokens = statement.tokens
    for before, token in pairwise(tokens):
        misplaced = token.text in _AFTER_OPERATOR or (token.text == "select" and not value)
        if (
            misplaced
            and token.kind == "word"
            and before.kind == "operator"
            and before.text in _OPERATORS
        ):
            yield Evidence(
                rule="misplaced_clause",
                reason="A clause stands where a value belongs.",
                start=before.start,
                end=token.end,
                weak=value,
            )
            return
    last = tokens[-1]
    if not last.open or last.kind != "string" or value:
        return
    for before, token in pairwise(tokens):
        if before.kind == "string" and token.text in _BEHIND_STRING:
            yield Evidence(
                rule="open_quote",
                reason="A quote is left open behind a condition.",
                start=before.start,
                end=last.end,
                weak=True,
            )
            return


_BEHIND_STRING = frozenset(["or", "and", "union", "waitfor", "having"])
