"""Bare values: would this text break out of the place where a program puts it?

The value is put behind `WHERE c =`, as a number and inside both kinds of quotes, and the statement
so made is read for signs of injection. What is harmless as a value has none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import re2

from policies.engine.language import word_set
from policies.engine.sql.breakouts import breakouts
from policies.engine.sql.budget import Budget, Work
from policies.engine.sql.evidence import BEHIND_LITERAL, Evidence, Tokens
from policies.engine.sql.fragments import fragments
from policies.engine.sql.injection import evidence
from policies.engine.sql.statements import split
from policies.engine.sql.tokens import tokenize

MAX_VALUE = 4_000  # characters; longer texts are documents, not values
MAX_LINES = 6
MAX_WORD = 80  # characters at its beginning that are looked at for two words
MIN_LINE = 20  # characters of a line on average, for line breaks to be lines

_HEAD = "SELECT c FROM t WHERE c = "
_CONTEXTS = ("", "'", '"', "`")  # behind the head: as a number, or inside these quotes
_OPERAND = 7  # the index of the first token behind the head
_OPERATOR_FIRST = re.compile(
    r"\s*(?:and|or|xor|union|having|order\s+by|group\s+by|rlike|limit|procedure|waitfor|into|"
    r"in\s*\(\s*select|where\s+\(*['\"\d]|&&|\|\||[,);])",
    re.IGNORECASE,
)
# `; or 1=1`: the mark ends what stood before the value.
_AFTER_END = re.compile(r"\s*;\s*(?=(?:and|or|xor)\s)", re.IGNORECASE)
_SUBQUERY = re.compile(
    r"\s*\(+\s*select\b(?P<rest>.*)\)\s*(?:[=<>][^()]{1,40})?\Z", re.IGNORECASE | re.DOTALL
)
_FROM = re.compile(r"\bfrom\b", re.IGNORECASE)
_CONCATENATED = re.compile(r"""\s*(['"])\s*(\|\||\+)\s*[\w(@].*[\w)]\s*\2\s*\1\s*\Z""", re.DOTALL)
# A quoted operator alone: all of the value is `'='` or `'-'`.
_OPERATOR_ALONE = re.compile(r"""\s*(['"])\s*(?:[=<>|&+*/^%-]|<>|!=|\|\||&&)\s*\1\s*\Z""")
_NUMBERS_ALONE = re.compile(r"\s*(\d{1,6})\s+or\s+\1\s*\Z|\s*\d+\s+xor\s+\d+\s*\Z", re.IGNORECASE)
# An option or a colour in quotes: '--help', "#d8bbff", "<name>".
_QUOTED_WORD = re.compile(r"""(?:(?:--|\#)[\w=,-]*|<[\w-]+>)['"`]|(?:and|or|not)['"]\s+[\w"'`]""")
_WAITS = re.compile(r"(?:(?<![-/])[-+*/<>=!|&^(,~%]|\b(?:and|or|xor|like|in))\s*\Z", re.IGNORECASE)
_CLOSED = re.compile(
    r"[^\s()'\"`;,]{2,60}(?=\)+\s*(?:and|or|xor|union|order|group|having|limit|\|\||&&|;|--|\#)"
    r"(?:\W|\Z))",
    re.IGNORECASE,
)
# Signs that do not need to stand at the place where the value breaks out.
_SPACE = r"[\s\v\x1c-\x1f]"  # what Python calls a blank; RE2 knows fewer
_ANYWHERE = re.compile(
    r"\b(?:union|select|waitfor|sleep|benchmark|having|exec|execute|declare|insert|drop|outfile|"
    r"dumpfile|procedure|create|grant|alter|truncate)\b|;|--|\#|/\*|\b(?:or|and|xor)\b[^=<>]{0,60}(?:[=<>]|\b(?:like|is|in)\b)|"
    rf"\w_\w+{_SPACE}*\(|\b(?:iif|if|case|elt)\b|\w\([^()]{{0,60}}\w\(|@@|\|\||&&",
    re.IGNORECASE,
)
# The same in a fiftieth of the time. Its letters are ASCII, so it is asked of such texts only.
_options = re2.Options()
_options.case_sensitive = False
_ANYWHERE_IN_ASCII = re2.compile(_ANYWHERE.pattern.encode(), _options)
_STARTS_OUT = re.compile(
    r"\s*(?:[-+]?[\d.]|[('\")]|\w+\)|and\b|or\b|xor\b|null\b|[,;|&])", re.IGNORECASE
)
_GOES_ON = re.compile(
    r"[\s)]*(?:[-+*/^&|=<>!%;\#,~?(]|\Z|(?:and|or|xor|union|having|order|group|like|ilike|rlike|"
    r"regexp|glob|in|between|is|not|limit|procedure|into|waitfor|collate|notnull|isnull|div|mod|as|"
    r"where|sounds)\b)",
    re.IGNORECASE,
)
_QUOTED_NAME = re.compile(r"""\w{3,40}['"`](?=[\s,;:.)]|\Z)""")
_QUOTED_OPERATOR = re.compile(
    r"""(?:[-+*/%^&|<>=~!?]{1,3}|like|select|and|or|in)['"`](?P<behind>\s*(?:[:,)\]]|=>))?""",
    re.IGNORECASE,
)
_PLAIN = re.compile(r"[\w.@%-]*\Z")  # what stands before the quote of a value, and of no password
_APOSTROPHE = re.compile(r"[a-z]'(?:s|t|re|ve|ll|d|m)\s+[a-z]+\s+[a-z]", re.IGNORECASE)
_KEYWORDS = BEHIND_LITERAL | word_set(
    "select insert update delete drop create alter truncate exec execute declare waitfor begin "
    "case null true false grant backup bulk load copy call merge replace shutdown procedure if"
)
_OPENS_QUOTE = frozenset("=(,:[{+")
_CUT = re.compile(r"--(?:[\s+\w]|\Z)|\#(?:[\s%]|\Z)|/\*")


def value_evidence(value: str, budget: Budget) -> list[Evidence]:
    """Signs of injection in `value`, offsets in it; the first context that shows some counts."""
    if len(value) > MAX_VALUE or _is_document(value):
        return []
    if not budget.left(Work.VALUES):
        budget.cut()
        return []
    if closed := _CLOSED.match(value):
        # kim@x) and 4=4: whatever stands before a bracket that nobody opened is the value
        value = "1" * closed.end() + value[closed.end() :]
    elif joined := _AFTER_END.match(value):
        value = " " * joined.end() + value[joined.end() :]
    if _CONCATENATED.match(value):
        return [
            _whole(
                value,
                "concatenation",
                "The value closes its string, adds an expression and opens it again.",
            )
        ]
    if _OPERATOR_ALONE.match(value) or _NUMBERS_ALONE.match(value):
        return [
            _whole(value, "breakout", "The value ends its string and goes on as an expression.")
        ]
    for quote in _CONTEXTS:
        if quote in value and _may_break_out(value, quote):
            found = list(_in_context(value, quote, budget))
            if any(not sign.weak for sign in found) or len(found) > 1:
                return found
    return list(fragments(value))


def _is_document(value: str) -> bool:
    """Whether it has many lines, and not only because line breaks stand for blanks."""
    lines = value.count("\n")
    return lines > MAX_LINES and len(value) > lines * MIN_LINE


def _may_break_out(value: str, quote: str) -> bool:
    """Whether the context is worth reading: a cheap question, as most values are plain text."""
    if value.isascii():
        found = _ANYWHERE_IN_ASCII.search(value.encode())
    else:
        found = _ANYWHERE.search(value)
    if found is not None:
        return not (_reads_as_prose(value) if not quote else _is_apostrophe(value, quote))
    if not quote:
        return _STARTS_OUT.match(value) is not None
    return _GOES_ON.match(value, value.index(quote) + 1) is not None


def _reads_as_prose(value: str) -> bool:
    """Whether it begins with two words that no SQL can have side by side."""
    words = value[:MAX_WORD].lower().split(None, 2)
    return len(words) > 2 and all(
        word.replace("'", "").isalpha() and word not in _KEYWORDS for word in words[:2]
    )


def _is_apostrophe(value: str, quote: str) -> bool:
    """Whether what would close the string is the apostrophe of "harbour's old crane"."""
    return quote == "'" and _APOSTROPHE.match(value, max(0, value.index(quote) - 1)) is not None


def subquery_evidence(value: str) -> list[Evidence]:
    """A text that is one query in brackets without a table: `(select 1)`, a value, no statement."""
    found = _SUBQUERY.match(value[:MAX_VALUE])
    if found is None:
        return []
    rest = found.group("rest")
    if _FROM.search(rest) and not rest.startswith(("(", "/*", "+")):
        return []
    return [_whole(value, "breakout", "A query in brackets stands where a value belongs.")]


def _whole(value: str, rule: str, reason: str) -> Evidence:
    return Evidence(rule=rule, reason=reason, start=0, end=max(1, len(value)))


def _in_context(value: str, quote: str, budget: Budget) -> Iterator[Evidence]:
    head = _HEAD + quote
    if not quote and _OPERATOR_FIRST.match(value):
        head += "1 "
    # What the program puts behind the value closes the string that the value leaves open.
    closing = quote or "'"
    is_open = (value.count(closing) + len(quote)) % 2
    if quote and not is_open and _WAITS.search(value) and _PLAIN.match(value.partition(quote)[0]):
        is_open = 2  # the string of the program is the operand that is missing
    text = head + value + closing * is_open
    limit = len(head) + len(value)
    if quote and _is_quoted_word(value, quote):
        return
    tokens, complete = tokenize(text, budget.left(Work.VALUES))
    budget.spend(Work.VALUES, len(tokens))
    if not complete:
        budget.cut()
    if quote and not any(token.start < limit for token in tokens[_OPERAND + 1 :]):
        return  # all of it stays inside the quotes
    if len(tokens) <= _OPERAND:
        return
    found = evidence(tokens, split(tokens), text, value=True)
    starts = tokens[_OPERAND].kind in ("number", "string") or _is_negative(tokens)
    closes = len(tokens) > _OPERAND + 2 and tokens[_OPERAND + 1].text == ")"
    if quote or starts or (closes and tokens[_OPERAND].kind == "word"):
        first = _OPERAND + (not quote and _is_negative(tokens))
        bare = [token for token in tokens[:-1] if token.kind != "comment"]
        bare.append(tokens[-1])  # a comment at the end is an end, others are blanks
        made_up = len(head) > len(_HEAD) + len(quote) and value.lstrip()[:1].isalpha()
        unclosed = bool(quote) and not is_open and tokens[-1].kind != "comment"
        found.extend(
            breakouts(bare, first, text, quoted=bool(quote), alone=made_up, unclosed=unclosed)
        )
    if quote and not any(sign.rule == "comment_tail" and not sign.weak for sign in found):
        found.extend(_cut_off(tokens, value, quote))
    whole = not quote and tokens[_OPERAND].kind in ("string", "quoted")
    for sign in found:
        if whole and sign.rule == "comment_tail" and tokens[_OPERAND + 1].kind == "comment":
            continue  # "a quotation" -- and who said it
        yield Evidence(
            rule=sign.rule,
            reason=sign.reason,
            start=max(0, min(sign.start, limit) - len(head)),
            end=max(1, min(sign.end, limit) - len(head)),
            confidence=sign.confidence,
            weak=sign.weak,
        )


def _is_negative(tokens: Tokens) -> bool:
    return (
        tokens[_OPERAND].text in ("-", "+")
        and len(tokens) > _OPERAND + 1
        and (tokens[_OPERAND + 1].kind == "number")
    )


def _cut_off(tokens: Tokens, value: str, quote: str) -> Iterator[Evidence]:
    """`kim'-- and the rest`: a comment right behind the quote, whatever it says."""
    if tokens[-1].text == ";" and tokens[-2].text.endswith("*/"):
        tokens = tokens[:-1]
    at = _OPERAND + 1
    while at < len(tokens) and tokens[at].text == ")":
        at += 1
    at += at < len(tokens) and tokens[at].text == ";"
    if len(tokens) != at + 1 or tokens[-1].kind != "comment":
        return
    before = value[: tokens[_OPERAND].end - len(_HEAD) - 2]
    touching = tokens[at].start == tokens[at - 1].end
    if _CUT.match(tokens[-1].text) and " " not in before and (touching or not before):
        yield Evidence(
            rule="comment_tail",
            reason="A comment cuts off the rest of the statement.",
            start=tokens[-1].start,
            end=tokens[-1].end,
        )


def _is_quoted_word(value: str, quote: str) -> bool:
    """Whether the first quoted thing is an option or a colour: use '--' to stop."""
    at = value.find(quote)
    before = value[:at]
    if before.rstrip()[-1:] in _OPENS_QUOTE and before.strip():
        return True  # name='x', f("x"), { a: 'x' }: the quote begins a text, and ends none
    opens = not before or not (before[-1].isalnum() or before[-1] in "%_")
    if not opens:
        return False
    # Starts with "/", { '>': '&gt;' }: the operator itself is quoted.
    operator = _QUOTED_OPERATOR.match(value, at + 1)
    if operator is not None and (before or operator.group("behind")):
        return True
    if not before and _QUOTED_NAME.match(value, at + 1) is not None:
        return True
    return _QUOTED_WORD.match(value, at + 1) is not None
