"""What stands behind the quote or the number with which a value leaves its place.

A value that ends a string and goes on as SQL is told from one that merely holds an apostrophe:
what follows has to read as the rest of a condition or statement, up to the end of the text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from policies.engine.language import starts_sql, word_set
from policies.engine.sql.conditions import ConditionReader, Node, is_constant, walk
from policies.engine.sql.evidence import COMPARISONS, Evidence, Tokens, kind_at, text_at
from policies.engine.sql.unions import lists_columns

MAX_WORDS_BEFORE = 3  # words before a quote that a bare string in an OR may follow
MIN_EXPRESSION = 3  # tokens: the string, an operator and something

_JOINERS = word_set("and or xor || && | &")
_SYMBOLS = word_set("= <> != > < >= <= <=> + - * / % ^ | & || ~ !~ == ?")
_MATCHERS = word_set(
    "like ilike rlike regexp glob in between is not div mod sounds collate notnull isnull"
)
_STATEMENTS = word_set(
    "select insert update delete drop create alter truncate exec execute declare waitfor "
    "shutdown begin if set call use merge replace grant backup bulk copy load handler do "
    "with print attach vacuum kill"
)
_PROCEDURE = re.compile(r"(?:sp|xp|fn|dbms|utl|master|sys)\w*\Z|@\w+|\(|'")


def breakouts(
    tokens: Tokens, first: int, text: str, *, quoted: bool, alone: bool, unclosed: bool
) -> Iterator[Evidence]:
    """Signs in `tokens[first:]`, where the value (a number or a string) stands at `first`.

    `alone`: the number was put there for a value that begins with its operator; `and price > 4`
    is then a filter as people write them, and no sign. `unclosed`: the quote of the program would
    be left over behind the value, as in no statement that runs; a password may well look like that.
    """
    at = first + 1
    while text_at(tokens, at) == ")":
        at += 1
    if at >= len(tokens) or tokens[at].kind == "comment":
        return
    word = tokens[at].text
    if word in _JOINERS:
        odd = unclosed and not word.isalpha() and not _calls(tokens, at)
        reason = "" if alone or odd else _joined(tokens, first, at, quoted=quoted)
    else:
        reason = _continued(tokens, first, at, quoted=quoted, unclosed=unclosed)
    if not reason and tokens[at].kind == "word":
        reason = "" if alone and at + 1 >= len(tokens) else _clause(tokens, at, text)
        if tokens[first].text.startswith("`") and word in _STATEMENTS:
            reason = ""  # a query in a JavaScript template, or in Markdown
    if not reason and word == "(" and text_at(tokens, at + 1) == "select" and quoted:
        reason = "A query follows the end of the string."
    if not reason and word == ";":
        reason = _statement(tokens, at + 1, text)
    if reason:
        yield Evidence(rule="breakout", reason=reason, start=tokens[at].start, end=tokens[-1].end)


def _continued(tokens: Tokens, first: int, at: int, *, quoted: bool, unclosed: bool) -> str:
    """An operator, or a comma, behind the value."""
    word = tokens[at].text
    if quoted and (word in _SYMBOLS or word in _MATCHERS):
        return _compared(tokens, first) if not unclosed or _calls(tokens, at) else ""
    if word in COMPARISONS and text_at(tokens, at + 1) == "(":
        return _queried(tokens, at)
    if not quoted and word in _MATCHERS:
        return _matched(tokens, first, at)
    return _next_value(tokens, at) if quoted and word == "," else ""


def _calls(tokens: Tokens, at: int) -> bool:
    return any(token.text == "(" for token in tokens[at:])


def _read(tokens: Tokens, first: int) -> tuple[Node, bool]:
    """The condition at `first`, and whether it takes the rest of the statement."""
    reader = ConditionReader(tokens, first)
    node = reader.read(loose=True)
    if any(part.kind == "unknown" and part.first >= part.last for part in walk(node)):
        return node, False  # an operator without its operand
    return node, reader.at >= len(tokens) or _ends(tokens, reader.at)


def _ends(tokens: Tokens, at: int) -> bool:
    rest = text_at(tokens, at)
    if rest == ";" or kind_at(tokens, at) == "comment":
        return True
    return rest in ("limit", "order", "group", "having", "union", "into", "procedure")


def _joined(tokens: Tokens, first: int, at: int, *, quoted: bool) -> str:
    """A condition that is joined to the value: `' or name like '%`, `7 and pin > 4`."""
    node, complete = _read(tokens, at + 1)
    if not complete:
        return ""
    inner = node.children[0] if node.kind == "not" and node.children else node
    if tokens[at].text in ("|", "&") and not quoted and not is_constant(inner):
        return ""
    if inner.kind in ("compare", "and", "or", "xor", "strings"):
        return "A condition is joined to the value."
    if inner.kind in ("subquery", "case") or any(part.kind == "subquery" for part in walk(inner)):
        return "A query is joined to the value."
    if not quoted:
        boolean = inner.kind == "constant" and isinstance(inner.value, bool)
        return "A constant is joined to the value." if boolean else ""
    if inner.kind == "call" or (inner.kind == "unknown" and inner.children):
        return "An expression is joined to the end of the string."
    if inner.kind == "constant" and _is_short(tokens, first):
        text = inner.value
        if tokens[at].text == "||" and isinstance(text, str) and text and " " not in text:
            return "A text is joined to the end of the string."
        if isinstance(text, bool) or not isinstance(text, str) or not text.strip()[:1].isalpha():
            return "A constant is joined to the end of the string."
    return ""


def _is_short(tokens: Tokens, first: int) -> bool:
    return tokens[first].text.count(" ") < MAX_WORDS_BEFORE


def _compared(tokens: Tokens, first: int) -> str:
    """The value itself as one side: `'='`, `'+sleep(4)+'`, `' like '%`."""
    node, complete = _read(tokens, first)
    word = tokens[first + 1].text
    least = MIN_EXPRESSION - (word in ("notnull", "isnull"))  # SQLite's, without an operand
    if not complete or node.last - node.first < least:
        return ""
    if word in _MATCHERS and (
        not _is_short(tokens, first)
        or (word == "between" and node.kind != "and" and len(node.children) != 3)
    ):
        return ""
    last = tokens[min(node.last, len(tokens)) - 1]
    if last.kind == "string" and last.text.count(" ") >= MAX_WORDS_BEFORE and last.text[1:] != " ":
        return ""  # '||' is how strings are joined
    return _EXPRESSION


_EXPRESSION = "The value ends its string and goes on as an expression."


def _next_value(tokens: Tokens, at: int) -> str:
    """`', role=(select ...) where ...`: the value goes on with another column."""
    named = kind_at(tokens, at + 1) == "word" and text_at(tokens, at + 2) == "="
    start = at + 3 if named else at + 1
    if text_at(tokens, start) == "(" and text_at(tokens, start + 1) == "select":
        return "A query follows the end of the string."
    return ""


def _queried(tokens: Tokens, at: int) -> str:
    """`1=(select ...)`."""
    while text_at(tokens, at + 1) == "(":
        at += 1
    return "A query is compared with the value." if text_at(tokens, at + 1) == "select" else ""


def _matched(tokens: Tokens, first: int, at: int) -> str:
    """`7 rlike (select ...)`, `7 in (select ...)`, `1 like 1`."""
    at += text_at(tokens, at) == "not"
    if text_at(tokens, at) not in _MATCHERS or text_at(tokens, at) in ("is", "not"):
        return ""
    following = at + 1
    while text_at(tokens, following) == "(":
        following += 1
    if following > at + 1 and text_at(tokens, following) == "select":
        return "A query is compared with the value."
    short = text_at(tokens, at) in ("like", "rlike", "regexp") and first + 3 >= len(tokens) - 1
    if short and kind_at(tokens, at + 1) in ("number", "string"):
        return "The value goes on as a comparison of constants."
    return ""


def _clause(tokens: Tokens, at: int, text: str) -> str:
    """A clause or statement without anything between it and the value."""
    check = _CLAUSES.get(tokens[at].text)
    return check(tokens, at, text) if check else ""


def _union(tokens: Tokens, at: int, _: str) -> str:
    following = text_at(tokens, at + 1)
    start = at + 1
    while text_at(tokens, start) == "(":
        start += 1
    select = text_at(tokens, start) == "select" and lists_columns(tokens, start + 1)
    fits = select or not following or following in ("all", "distinct")
    return "A UNION follows the value." if fits else ""


def _order(tokens: Tokens, at: int, _: str) -> str:
    if text_at(tokens, at + 1) != "by":
        return ""
    after = at + 3
    following = text_at(tokens, after)
    ends = after >= len(tokens) or kind_at(tokens, after) == "comment"
    if kind_at(tokens, at + 2) == "number" and (ends or following in _BEHIND_ORDER):
        return "Ordering by a number counts the columns."
    if "(" in (text_at(tokens, at + 2), following):
        return "A sort order with a query or function follows the value."
    if kind_at(tokens, after) == "comment" or following == "having":
        return "A clause and a comment follow the value."
    return ""


_BEHIND_ORDER = frozenset([",", ";", ")", "and", "or", "&&", "||"])


def _having(tokens: Tokens, at: int, _: str) -> str:
    literal = kind_at(tokens, at + 1) in ("number", "string") or text_at(tokens, at + 1) == "("
    called = text_at(tokens, at + 2) == "("
    if not literal and not called:
        return ""
    node, complete = _read(tokens, at + 1)
    fits = complete and node.kind in ("compare", "and", "or")
    return "A HAVING follows the value." if fits else ""


def _limit(tokens: Tokens, at: int, _: str) -> str:
    if kind_at(tokens, at + 1) != "number" or at + 2 >= len(tokens):
        return ""
    fits = text_at(tokens, at + 2) in (",", "offset", "into", "procedure", "union")
    return "A LIMIT follows the value." if fits or kind_at(tokens, at + 2) == "comment" else ""


def _procedure(tokens: Tokens, at: int, _: str) -> str:
    fits = text_at(tokens, at + 1) == "analyse"
    return "PROCEDURE ANALYSE follows the value." if fits else ""


def _into(tokens: Tokens, at: int, _: str) -> str:
    following = text_at(tokens, at + 1)
    fits = following in ("outfile", "dumpfile") or following.startswith("@")
    return "The rows are written away behind the value." if fits else ""


def _waitfor(tokens: Tokens, at: int, _: str) -> str:
    fits = text_at(tokens, at + 1) in ("delay", "time")
    return "A delay follows the value." if fits else ""


def _exec(tokens: Tokens, at: int, _: str) -> str:
    fits = _PROCEDURE.match(text_at(tokens, at + 1))
    return "A procedure call follows the value." if fits else ""


def _where(tokens: Tokens, at: int, _: str) -> str:
    """`1 where 2=2`, `1) as x where 2=2`."""
    if tokens[at].text == "as" and text_at(tokens, at + 2) != "where":
        return ""
    node, complete = _read(tokens, at + (1 if tokens[at].text == "where" else 3))
    fits = complete and node.kind in ("compare", "and", "or")
    return "A WHERE follows the value." if fits else ""


def _query(tokens: Tokens, at: int, text: str) -> str:
    pair = (tokens[at].text, text_at(tokens, at + 1))
    fits = pair in _PAIRS or starts_sql(text[tokens[at].start :])
    return "A statement follows the value." if fits else ""


_PAIRS = frozenset([("insert", "into"), ("select", "top"), ("begin", "declare")])
_CLAUSES: dict[str, Callable[[Tokens, int, str], str]] = {
    "union": _union,
    "order": _order,
    "group": _order,
    "having": _having,
    "limit": _limit,
    "procedure": _procedure,
    "into": _into,
    "waitfor": _waitfor,
    "exec": _exec,
    "execute": _exec,
    "as": _where,
    "where": _where,
    **dict.fromkeys(("select", "insert", "update", "delete", "drop", "create"), _query),
    **dict.fromkeys(("declare", "begin", "grant", "alter", "truncate"), _query),
}


def _statement(tokens: Tokens, at: int, text: str) -> str:
    """A statement behind a semicolon."""
    word, following = text_at(tokens, at), text_at(tokens, at + 1)
    if word == "(":
        word, following = following, text_at(tokens, at + 2)
    if word not in _STATEMENTS or kind_at(tokens, at) not in ("word", "punctuation"):
        return ""
    if starts_sql(text[tokens[at].start :]):
        return "A statement follows the value."
    known = {
        "select": following[:1] in ("@", "'", "(") or following.isdigit(),
        "insert": following == "into",
        "update": text_at(tokens, at + 2) == "set",
        "delete": following == "from",
        "create": following in ("table", "user", "login", "function", "procedure", "or"),
        "alter": following in ("table", "user", "login", "database", "system"),
        "truncate": following == "table",
        "drop": following in ("table", "database", "view", "procedure", "user"),
        "if": following in ("(", "not", "exists"),
        "begin": following in ("declare", "dbms_lock", "execute", ";", "exec"),
        "set": following.startswith("@"),
        "exec": bool(_PROCEDURE.match(following)),
        "execute": bool(_PROCEDURE.match(following)) or following == "immediate",
        "declare": following.startswith("@") or text_at(tokens, at + 2) in ("varchar", "int"),
        "bulk": following == "insert",
        "backup": following in ("database", "log"),
        "replace": following in ("into",) or text_at(tokens, at + 2) in ("(", "values"),
        "kill": kind_at(tokens, at + 1) == "number" or following in ("query", "connection"),
        "call": text_at(tokens, at + 2) in ("(", "."),
        "handler": text_at(tokens, at + 2) in ("open", "read"),
        "do": following in ("sleep", "benchmark", "$$"),
        "waitfor": following in ("delay", "time"),
        "shutdown": following in ("", "with") or kind_at(tokens, at + 1) == "comment",
        "copy": "program" in (text_at(tokens, at + 2), text_at(tokens, at + 3)),
    }
    return "A statement follows the value." if known.get(word) else ""
