"""Seams of a spliced value: comments, second statements, stored conditions, broken clauses."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from policies.engine.language import starts_sql, word_set
from policies.engine.sql.evidence import (
    BEHIND_LITERAL,
    COMPARISONS,
    Evidence,
    Tokens,
    text_at,
)
from policies.engine.sql.probes import time_call
from policies.engine.sql.statements import Statement
from policies.engine.sql.tokens import Token
from policies.engine.sql.unions import PROBES, lists_columns

HEAD = 8  # tokens that are put before a bare value, and its first
MAX_HIDDEN = 400  # characters of a comment that are looked at
MIN_QUERY = 2  # tokens: SELECT and one word
MAX_BLANK = 12  # characters of a comment that stands for a blank

_EMPTY = re.compile(r"(?:--[\s+\-]*|#\s*|/\*[\s*]*(?:\*/)?|;?%00)['\"]?\Z")
_HIDDEN_SQL = re.compile(
    r"(?:--|\#|/\*)\s*\w{0,8}['\")]*\s*(?:['\")]|(?:and|or)\s+[\w.\"`]+\s*(?:=|<|>|in\b|like\b|is\b)"
    r"|order\s+by\b|limit\s+\d|group\s+by\b|returning\b)",
    re.IGNORECASE,
)
_QUOTE = re.compile(r"'(?!(?<=\w')\w)")  # and not the apostrophe of "don't"
_KEYWORDS = word_set("union select or and from where sleep having order group if all by insert")
_AFTER_OPERATOR = word_set(
    "as where in like is on and or xor union having waitfor order group limit between rlike "
    "declare exec execute create drop insert update delete from select"
)
_NO_ENGLISH = word_set("union waitfor rlike declare exec having")
_JOINERS = frozenset(["or", "and", "xor", "||"])
_BEHIND_STRING = frozenset(["or", "and", "union", "waitfor", "having"])


def comments(tokens: Tokens, text: str, *, value: bool) -> Iterator[Evidence]:
    """Comments that hide the rest, hide keywords, or stand where a blank would."""
    blanks = 0
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
            if value and blanks:
                continue
            blanks += 1
            # src/**/or/**/*.py is a pattern of paths: in values it tells nothing by itself.
            yield _comment(
                "inline_comment", "A comment stands where a blank would.", token, weak=value
            )
        elif (following is None or token.open) and _cuts_off(token, before, text, value=value):
            # Behind a value that no quote closed (355#, INPUT #) it tells nothing by itself.
            weak = value and not (
                before.kind in ("string", "quoted")
                or before.text == ")"
                or (before.kind == "number" and _EMPTY.match(token.text) and token.text[0] == "-")
            )
            yield _comment(
                "comment_tail", "A comment cuts off the rest of the statement.", token, weak=weak
            )


def _comment(rule: str, reason: str, token: Token, *, weak: bool = False) -> Evidence:
    return Evidence(rule=rule, reason=reason, start=token.start, end=token.end, weak=weak)


def _hides_keyword(tokens: Tokens, index: int) -> bool:
    return any(token.text in _KEYWORDS for token in tokens[index + 1 : index + 3])


def _is_blank(before: Token, token: Token, following: Token) -> bool:
    touching = before.end == token.start and token.end == following.start
    words = before.text in _KEYWORDS or following.text in _KEYWORDS
    short = token.end - token.start - 4 <= MAX_BLANK
    return short and touching and words and before.kind != "comment"


def _cuts_off(token: Token, before: Token, text: str, *, value: bool) -> bool:
    """Whether the comment that ends the text hides a rest, or ends it for no reader."""
    line = text.rfind("\n", 0, token.start) + 1
    if not text[line : token.start].strip():
        return False  # a comment on a line of its own
    if token.open and not value:
        return True
    if before.text == "=" and before.kind == "operator":
        return not value  # a value may be a comment, or an option of a command
    if token.text.startswith("/*") and not token.open:
        return False
    head = token.text[:MAX_HIDDEN]
    if _EMPTY.match(head):
        return True
    if value:
        return False  # ain't -- isn't, 6'7" -- 6'2"
    return "\n" not in text.strip() and bool(
        _HIDDEN_SQL.match(head) or len(_QUOTE.findall(head)) % 2
    )


def stacked(statements: Sequence[Statement], text: str, *, value: bool) -> Iterator[Evidence]:
    """A second statement behind a value, or one that only waits behind a query."""
    if len(statements) < 2:
        return
    first = statements[0]
    cut = first.tokens[-1].text in COMPARISONS or statements[-1].tokens[-1].open
    if cut and not value and statements[1].verb:
        yield _stack(statements[1])
        return
    if not value and _closes_early(first, statements[1], text):
        yield _stack(statements[1])
        return
    well_formed = not value or _is_well_formed(first)
    for statement in statements[1:]:
        verb = statement.tokens[0].text
        waits = time_call(statement.tokens, 0) or verb == "waitfor"
        if value and not well_formed:
            return
        if value and (statement.verb or waits):
            if waits or _is_query(statement, text):
                yield _stack(statement)
        elif (
            (waits or verb == "shutdown" or _sleeps(statement) or _reaches_out(statement))
            and "\n" not in text[first.start : statement.start]
            and first.verb in ("select", "insert", "update", "delete", "with", "replace")
        ):
            yield _stack(statement)


def _is_query(statement: Statement, text: str) -> bool:
    """Whether a verb begins a statement here: `Ross; select works` is none, `1; select 2` is."""
    tokens = statement.tokens
    name = tokens[1] if len(tokens) > 1 else tokens[0]
    if tokens[0].text == "select" and len(tokens) <= MIN_QUERY and name.kind == "word":
        return name.text in PROBES
    return starts_sql(text[statement.start : statement.end])


def _closes_early(first: Statement, second: Statement, text: str) -> bool:
    """Whether a query ends in `= '';` and another statement follows in the same line."""
    if first.verb not in ("select", "update", "delete") or len(first.tokens) < 4:
        return False
    last, before = first.tokens[-1], first.tokens[-2]
    return (
        last.text == "''"
        and before.text in COMPARISONS
        and any(token.text == "where" for token in first.tokens)
        and "\n" not in text[first.start : second.start]
        and bool(second.verb)
    )


def _is_well_formed(statement: Statement) -> bool:
    """Whether no value is followed by a word as in prose: `'fix: don' t drop tables; ...`."""
    return not any(
        (before.kind in ("string", "number", "quoted") or _is_name(before))
        and (token.kind == "word" and token.text not in BEHIND_LITERAL)
        for before, token in pairwise(statement.tokens[HEAD - 1 :])
    )


def _is_name(token: Token) -> bool:
    return token.kind == "word" and token.text not in BEHIND_LITERAL and token.text not in _STARTS


_STARTS = word_set("not null distinct all any some exists waitfor delay case select top union")


def _sleeps(statement: Statement) -> bool:
    """SELECT pg_sleep(9) and nothing else."""
    tokens = statement.tokens
    return len(tokens) > 2 and tokens[0].text == "select" and time_call(tokens, 1)


def _reaches_out(statement: Statement) -> bool:
    """EXEC of an extended procedure, behind a query."""
    words = [token.text for token in statement.tokens[:6]]
    return words[0] in ("exec", "execute") and any(word.startswith("xp_") for word in words)


def _stack(statement: Statement) -> Evidence:
    return Evidence(
        rule="stacked",
        reason="A second statement follows a value in the same line.",
        start=statement.start,
        end=statement.end,
    )


def assigned(statement: Statement) -> Iterator[Evidence]:
    """A condition of constants where a value is stored: SET c = '' OR 'a'='a'."""
    tokens = statement.tokens
    if statement.verb not in ("update", "insert", "replace") or not statement.words & _JOINERS:
        return
    stored = True
    for index in range(1, len(tokens) - 3):
        stored = stored and tokens[index].text not in ("where", "on", "select", "case")
        if (
            tokens[index].text not in ("or", "and", "xor", "||")
            or tokens[index - 1].kind != "string"
        ):
            continue
        left, operator, right = tokens[index + 1 : index + 4]
        constants = left.kind in ("string", "number") and right.kind in ("string", "number")
        if constants and operator.text in (*COMPARISONS, "like"):
            yield _stored(
                "A comparison of constants stands where a value is stored.", tokens, index
            )
            return
        if stored and tokens[index].text != "||":
            yield _stored("A condition stands where a text is stored.", tokens, index)
            return


def _stored(reason: str, tokens: Tokens, index: int) -> Evidence:
    return Evidence(
        rule="tautology", reason=reason, start=tokens[index].start, end=tokens[index + 3].end
    )


_WATCHED = frozenset(["select", ".", ":=", "@"])


def _impossible(tokens: Tokens) -> Iterator[Evidence]:
    """What no dialect has a meaning for, or one that only serves to hide."""
    for index, token in enumerate(tokens):
        if token.text not in _WATCHED or not 0 < index < len(tokens) - 1:
            continue
        before, after = tokens[index - 1], tokens[index + 1]
        reason = ""
        if (
            token.text == "select"
            and before.text in ("and", "or", "xor")
            and lists_columns(tokens, index + 1)
        ):
            reason = "A query without brackets stands where a condition belongs."
        elif token.text == "." and before.kind == "number" and after.kind == "word":
            if index + 2 < len(tokens) and tokens[index + 2].text == "(":
                reason = "A number is written so that it hides a call (MySQL reads 1.e(x))."
        elif token.text == ":=" and before.text == "@":
            reason = "A variable without a name collects what a query returns."
        elif token.text == "@" and before.text == "into" and after.text == ",":
            reason = "Variables without names take the columns of a query."
        if reason:
            yield Evidence(
                rule="misplaced_clause", reason=reason, start=before.start, end=after.end
            )
            return
    last = len(tokens) - 1
    while last > 0 and tokens[last].text == "(":
        last -= 1
    if (
        last > 2
        and tokens[last].text in COMPARISONS
        and tokens[last - 1].kind in ("number", "string")
        and tokens[last - 2].text in ("and", "or", "xor", "&&", "||")
    ):
        yield Evidence(
            rule="misplaced_clause",
            reason="A comparison of a constant is left open for the rest of another query.",
            start=tokens[last - 2].start,
            end=tokens[last].end,
        )


def _left_open(tokens: Tokens) -> str:
    """Why the end of a statement waits for the rest of another query."""
    last, before = tokens[-1], text_at(tokens, len(tokens) - 2)
    operator = text_at(tokens, len(tokens) - 3)
    if last.text == "(" and before in _ASKING and operator in COMPARISONS:
        return "A call that asks the server is left open."
    if last.open and last.kind == "string" and len(tokens) > 3 and before in COMPARISONS:
        constant = tokens[-3].kind in ("string", "number")
        if constant and tokens[-4].text in ("and", "or", "xor", "&&", "||"):
            return "A comparison of constants ends in a quote that is left open."
    return ""


_ASKING = PROBES | word_set(
    "user version database schema substr substring ascii updatexml extractvalue sleep benchmark "
    "length pg_sleep load_file"
)


def _counted(tokens: Tokens) -> Iterator[Evidence]:
    """ORDER BY 1,2,3, ... behind SELECT *: it finds out how many columns there are."""
    if text_at(tokens, 1) != "*":
        return
    for index in range(len(tokens) - 2 * MIN_COUNTED):
        if tokens[index].text == "order" and tokens[index + 1].text == "by":
            listed = tokens[index + 2 : index + 2 + 2 * MIN_COUNTED : 2]
            if [token.text for token in listed] == _COUNTED:
                yield Evidence(
                    rule="breakout",
                    reason="Ordering by number after number counts the columns.",
                    start=tokens[index].start,
                    end=tokens[-1].end,
                )
            return


MIN_COUNTED = 8  # columns by number, behind SELECT *
_COUNTED = [str(number) for number in range(1, MIN_COUNTED + 1)]


def broken(statement: Statement, *, value: bool) -> Iterator[Evidence]:
    """A clause where a value belongs, and a quote that is left open behind a condition."""
    tokens = statement.tokens
    yield from _impossible(tokens)
    if not value:
        yield from _counted(tokens) if "order" in statement.words else ()
        if reason := _left_open(tokens):
            first = tokens[max(0, len(tokens) - 3)].start
            yield Evidence(rule="misplaced_clause", reason=reason, start=first, end=tokens[-1].end)
    misplaced = _NO_ENGLISH if value else _AFTER_OPERATOR
    held = not misplaced.isdisjoint(statement.words)
    for before, token in pairwise(tokens[HEAD:] if value else tokens) if held else ():
        if (
            token.text in misplaced
            and token.kind == "word"
            and before.kind == "operator"
            and before.text in COMPARISONS
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
