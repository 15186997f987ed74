"""Conditions that do not depend on a row, where a person would not write one."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies.engine.language import word_set
from policies.engine.sql.conditions import (
    ConditionReader,
    Node,
    is_constant,
    is_static,
    truth,
    walk,
)
from policies.engine.sql.evidence import COMPARISONS, Evidence, Tokens, kind_at, text_at
from policies.engine.sql.statements import Statement

MAX_CONDITIONS = 200  # of one statement that are read
MAX_REREAD = 3  # times that a token is read on average, as conditions hold others
MAX_FREE = 2_000  # tokens that are read at any rate
MAX_CHOICES = 300  # CASE, IF and their like of one statement that are looked at
MAX_QUERY = 100  # tokens of a query in a condition that are looked at
MAX_BOUND = 2_000  # tokens of a statement that are looked at for a bound parameter
MAX_BLANKS = 2  # in a string that is no prose

# Functions of their arguments alone: with constants they are constants.
_PURE = word_set(
    "char chr nchar ascii ord unicode mod abs sign greatest least elt make_set if iif ifnull "
    "nullif coalesce nvl decode length len char_length octet_length bit_length upper lower ucase "
    "lcase hex unhex bin oct conv concat concat_ws substring substr mid left right lpad rpad "
    "instr locate position strcmp round floor ceil ceiling pi power pow sqrt exp md5 sha1 sha "
    "crc32 bit_count isnull reverse repeat replicate space trim ltrim rtrim quote quarter tan "
    "cot sin cos row field likelihood likely unlikely typeof cast convert json "
    "json_valid json_length json_type json_depth json_quote json_array json_object json_extract"
)
# What probes ask the server about itself.
_SELF = word_set(
    "user current_user session_user system_user database schema version current_database "
    "current_schema db_name user_name suser_name suser_sname host_name sqlite_version "
    "connection_id current_setting is_srvrolemember is_member has_dbaccess db_id user_id "
    "sys_context userenv load_file pg_client_encoding inet_server_addr rownum uid row_count "
    "last_insert_id found_rows get_lock"
)
_CHOICES = word_set("if iif elt make_set decode case")
_LOGIC = frozenset(["compare", "and", "or", "xor", "not"])
_OPENERS = _CHOICES | {"where", "having", "when"}
_DATE = re.compile(r"\s*\d{2,4}[-/.]\d{1,2}[-/.]\d{1,4}")

_ALWAYS = "An OR with a condition that is always true opens every row."
_CONSTANT_OR = "An OR with a comparison of constants is what probes use."
_CONSTANT_AND = "An AND with a comparison of constants is what probes use."
_STRINGS = "Arithmetic on strings turns a comparison into zero equals zero."

Verdict = tuple[str, bool]  # the reason, and whether it is weak


def conditions(statement: Statement, *, value: bool) -> Iterator[Evidence]:
    """Constant conditions behind WHERE, HAVING and WHEN, and choices between constants."""
    tokens = statement.tokens
    if not statement.words & _OPENERS:
        return
    budget = MAX_CONDITIONS
    reads = MAX_REREAD * len(tokens) + MAX_FREE
    for index, token in enumerate(tokens):
        if token.kind != "word" or token.text not in ("where", "having", "when"):
            continue  # and not ON: a join on 1=1 is how people and programs write a cross join
        budget -= 1
        if budget < 0 or reads < 0:
            break
        tree = ConditionReader(tokens, index + 1).read(loose=True)
        reads -= tree.last - index
        if token.text == "having" and is_constant(tree) and tree.kind in _LOGIC:
            yield _tautology(
                "A HAVING that compares constants is what probes use.", tokens, index, tree.last
            )
        yield from _spliced(tree, tokens, value=value)
    if statement.words & _CHOICES:
        yield from _choices(tokens, value=value)


def _tautology(
    reason: str, tokens: Tokens, first: int, last: int, *, weak: bool = False
) -> Evidence:
    return Evidence(
        rule="tautology",
        reason=reason,
        start=tokens[first].start,
        end=tokens[min(last, len(tokens)) - 1].end,
        weak=weak,
    )


def _spliced(tree: Node, tokens: Tokens, *, value: bool) -> Iterator[Evidence]:
    for node in walk(tree):
        if node.kind == "compare" and (reason := _odd_comparison(node, value=value)):
            yield _tautology(reason, tokens, node.first, node.last)
            return
        if node.kind == "compare" and node.name == "in" and _is_torn_list(node):
            yield _tautology(_CONSTANT_OR, tokens, node.first, node.last)
            return
        if node.kind not in ("or", "and", "xor") or is_constant(node.children[0]):
            continue
        if value and node.kind == "and" and _is_arithmetic(node.children[0]):
            continue
        for position in range(1, len(node.children)):  # a leading 1=1 is for appending to
            verdict = (
                _beside_and(node.children[position], tokens, value=value)
                if node.kind == "and"
                else _beside_or(node, position, tokens, value=value)
            )
            if verdict:
                reason, weak = verdict
                yield _tautology(reason, tokens, node.first, node.last, weak=weak)
                return


def _is_torn_list(node: Node) -> bool:
    """`IN (5 OR 7=7)`: a condition where the list has its values."""
    return any(
        child.kind in ("or", "and", "xor")
        and any(part.kind == "compare" for part in child.children)
        for child in node.children[1:]
    )


def _is_arithmetic(node: Node) -> bool:
    """`2+2 = 4 and 3+3 = 6`: the value begins with a comparison of its own."""
    return node.kind == "compare" and node.children[0].kind == "compare"


def _odd_comparison(node: Node, *, value: bool) -> str:
    """`c = ''=''` and `c = ''-''`: both compare with zero in MySQL."""
    left, right = node.children[0], node.children[-1]
    if value and any(_is_prose(part) for part in walk(node)):
        return ""  # use '*' or a list of names
    chained = not value and left.kind == "compare"  # values: see `breakouts`
    for child in node.children:
        if child.kind == "strings" and not any(
            isinstance(part.value, str) and _DATE.match(part.value) for part in child.children
        ):
            return _STRINGS
    matched = node.name in COMPARISONS or node.name in ("like", "rlike", "regexp")
    if chained and matched and left.name in COMPARISONS:
        inner = left.children[-1]
        if inner.kind == right.kind == "constant" and isinstance(right.value, str):
            return "A comparison is compared with a constant: MySQL then takes every row."
    return ""


def _is_prose(node: Node) -> bool:
    return isinstance(node.value, str) and node.value.count(" ") > MAX_BLANKS


def _beside_or(node: Node, position: int, tokens: Tokens, *, value: bool) -> Verdict | None:
    child = node.children[position]
    inner = child.children[0] if child.kind == "not" and child.children else child
    settled = truth(child)
    if (
        inner.kind == "and"
        and inner.children[0].kind in ("compare", "constant", "strings")
        and is_constant(inner.children[0])
    ):
        inner, settled = inner.children[0], True
    if inner.kind == "strings":
        return _STRINGS, False
    if inner.kind == "constant":
        if isinstance(inner.value, bool) and not value:
            return "An OR with TRUE opens every row.", True
        empty = isinstance(inner.value, str) and not inner.value.strip() and not value
        return "An OR with a constant is what probes use.", not empty
    if settled is True and inner.kind == "compare":
        return _ALWAYS, False
    if inner.kind != "compare":
        if _asks_static(inner, tokens, value=value):
            return "An OR with a function of constants is what probes use.", False
        return None
    if is_constant(inner):
        never = settled is False and all(part.value in (0, 1) for part in inner.children)
        if _is_filter_switch(inner, node, position) or (never and not value):
            return None  # OR 0 = 1 is what a query builder writes for an empty list
        return _CONSTANT_OR, False
    if inner.name == "is not null" and _compares_same(inner, node, position):
        return _ALWAYS, False
    if _asks_static(inner, tokens, value=value):
        return "An OR with a condition that no row decides is what probes use.", False
    return None


def _is_filter_switch(child: Node, node: Node, position: int) -> bool:
    """`kind = 'x' OR 'x' = 'ALL'`: how a filled-in template leaves an optional filter."""
    if truth(child) is not False or child.name != "=":
        return False
    values = {part.value for part in child.children}
    return any(
        sibling.kind == "compare" and values & {part.value for part in sibling.children[1:]}
        for place, sibling in enumerate(node.children)
        if place != position
    )


def _compares_same(child: Node, node: Node, position: int) -> bool:
    """`a = 'x' OR a IS NOT NULL`: the second makes the first pointless."""
    name = child.children[0].name
    return any(
        sibling.kind == "compare"
        and sibling.name in ("=", "like")
        and sibling.children[0].kind == "column"
        and sibling.children[0].name == name
        for sibling in node.children[:position]
    )


def _beside_and(child: Node, tokens: Tokens, *, value: bool) -> Verdict | None:
    inner = child.children[0] if child.kind == "not" and child.children else child
    if inner.kind == "compare":
        if inner.name in ("is null", "is not null", "is value") and not value:
            return None
        constant = is_constant(inner)
        if constant and not value and _is_generated(inner, tokens):
            return None
        if constant and child.kind == "not" and not value and truth(inner) is False:
            return None  # NOT (0 = 1) is what a query builder writes for an empty exclusion
        if constant or (truth(child) is True and _same_text(inner, tokens)):
            return _CONSTANT_AND, False
    elif value and inner.kind == "constant" and inner.value in (0, 1, True, False):
        return "An AND with a constant is what probes use.", True
    if _asks_static(inner, tokens, value=value):
        return "An AND with a condition that no row decides is what probes use.", False
    return None


def _is_generated(node: Node, tokens: Tokens) -> bool:
    """What query builders write for "always" and "never", beside bound parameters."""
    values = [child.value for child in node.children]
    if not all(child.kind == "constant" and child.value in (0, 1) for child in node.children):
        return False
    if node.name in ("!=", "<>") and values[0] == values[-1]:
        return True
    return any(
        token.kind == "variable" and not token.text.startswith("@@") for token in tokens[:MAX_BOUND]
    )


def _same_text(node: Node, tokens: Tokens) -> bool:
    """Two equal quoted names ("1"="1" is a comparison of strings in MySQL)."""
    return all(
        child.last == child.first + 1 and tokens[child.first].kind == "quoted"
        for child in node.children
    )


def _asks_static(node: Node, tokens: Tokens, *, value: bool) -> bool:
    """Whether a condition without columns asks something that only a probe would."""
    if node.kind not in ("compare", "call", "case", "subquery", "unknown", "strings"):
        return False
    if node.kind == "unknown" and is_constant(node):
        # (7=7)*3: arithmetic on a comparison
        return any(part.kind == "compare" for part in walk(node))
    if node.kind == "call" and node.name in ("elt", "make_set"):
        return True  # texts, that nobody takes for conditions
    if value:
        if node.kind == "subquery" or any(part.kind == "subquery" for part in walk(node)):
            return node.kind != "unknown"
        if node.kind == "call" and node.name not in _PURE | _SELF:
            return False  # f('x') or die('y')
        return _calls_something(node) and is_static(node, tokens)
    if node.kind not in ("compare", "call"):
        return False
    if node.kind == "compare" and _compares_query(node, tokens):
        return True
    calls = [part for part in walk(node) if part.kind == "call"]
    if not calls or any(part.kind in ("subquery", "case", "unknown") for part in walk(node)):
        return False
    known = all(part.name in _PURE and part.children for part in calls)
    return known and is_static(node, tokens)


def _compares_query(node: Node, tokens: Tokens) -> bool:
    """`1=(SELECT 1 FROM information_schema.tables)`, `(SELECT current_user)='x'`."""
    sides = {child.kind: child for child in node.children}
    if set(sides) != {"constant", "subquery"}:
        return False
    query = sides["subquery"]
    words = {token.text for token in tokens[query.first : min(query.last, query.first + MAX_QUERY)]}
    return bool(words & _CATALOGUE) or ("from" not in words and bool(words & _SELF))


_CATALOGUE = word_set("information_schema sysobjects sqlite_master pg_shadow all_users dba_users")


def _calls_something(node: Node) -> bool:
    return any(
        (
            part.kind == "call"
            and (
                (part.children and "." not in part.name)
                or part.name in _PURE | _SELF
                or part.name.startswith("@@")
            )
        )
        or part.kind == "case"
        for part in walk(node)
    )


def _choices(tokens: Tokens, *, value: bool) -> Iterator[Evidence]:
    """IF(7=7, ...), CASE WHEN (7=7) THEN ...: a choice that constants make.

    In statements only behind WHERE and its like, and of numbers: reports fill in strings.
    """
    condition, budget, depth = value, MAX_CHOICES, 0
    for index, token in enumerate(tokens):
        if token.kind != "word":
            depth += (token.text == "(") - (token.text == ")")
            continue
        if token.text in ("where", "having", "order", "limit", "rlike") or (
            token.text == "group" and text_at(tokens, index + 1) == "by"
        ):
            condition = True
            continue
        if token.text == "select" and not depth:
            condition = value
        if not condition or token.text not in _CHOICES:
            continue
        opener = "when" if token.text == "case" else "("
        if text_at(tokens, index + 1) != opener:
            continue
        budget -= 1
        if budget < 0:
            return
        at = index + 2
        while text_at(tokens, at) in ("(", "not"):
            at += 1
        numbers = kind_at(tokens, at) == kind_at(tokens, at + 2) == "number"
        strings = kind_at(tokens, at) == kind_at(tokens, at + 2) == "string"
        if text_at(tokens, at + 1) in COMPARISONS and (numbers or (value and strings)):
            yield Evidence(
                rule="conditional_probe",
                reason=f"{token.text.upper()} chooses by a comparison of constants: it answers "
                "a question by what it does.",
                start=token.start,
                end=tokens[at + 2].end,
            )
            return
