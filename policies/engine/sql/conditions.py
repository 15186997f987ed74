"""Conditions read out of tokens, and what of them is constant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from policies.engine.language import word_set
from policies.engine.sql.tokens import Token

MAX_DEPTH = 40  # nested parentheses that are read; deeper ones count as unknown
MAX_NODES = 20_000  # of one condition

_COMPARE = word_set("= <> != > < >= <= <=> == ~ !~ ~* !~*")
_MATCH = word_set("like ilike rlike regexp glob similar sounds in between")
_ARITHMETIC = word_set("+ - * / % ^ & | :: -> ->> div mod")
_STOP = word_set(
    "group order having limit offset union intersect except minus returning window fetch for "
    "procedure into on when then end else left right inner outer full cross join using "
    "qualify set where select from waitfor values connect start or and xor like ilike rlike "
    "regexp in is between"
)

Value = bool | int | float | str


@dataclass(slots=True, kw_only=True)
class Node:
    """A piece of a condition.

    `kind` is one of or, xor, and, not, compare, constant, null, column, call, subquery, list,
    unknown. `name` is the operator, column or function; `first` and `last` are token indexes
    (last exclusive).
    """

    kind: str
    first: int
    last: int
    name: str = ""
    value: Value | None = None
    children: tuple[Node, ...] = ()


def truth(node: Node) -> bool | None:
    """Whether the condition holds for every row (True), for none (False), or depends."""
    if node.kind in ("constant", "null"):
        return _as_bool(node.value) if node.kind == "constant" else False
    if node.kind == "not":
        inside = truth(node.children[0])
        return None if inside is None else not inside
    if node.kind in ("and", "or"):
        values = [truth(child) for child in node.children]
        settling = node.kind == "or"
        if settling in values:
            return settling
        return None if None in values else not settling
    if node.kind == "compare":
        return _compare(node)
    return None


def is_constant(node: Node) -> bool:
    """Whether nothing in it depends on a row: literals and operators on them only."""
    if node.kind in ("constant", "null"):
        return True
    return bool(node.children) and node.kind != "call" and all(map(is_constant, node.children))


def walk(node: Node) -> list[Node]:
    """The node and everything under it."""
    nodes = [node]
    for current in nodes:  # grows while it is read: breadth first, without recursion
        nodes.extend(current.children)
    return nodes


def _as_bool(value: Value | None) -> bool | None:
    if isinstance(value, str):
        number = _number(value)
        return None if number is None else bool(number)
    return None if value is None else bool(value)


def _number(value: Value) -> float | None:
    try:
        return float(value)
    except ValueError:
        return None


def _compare(node: Node) -> bool | None:
    left, right = node.children[0], node.children[-1]
    if node.name == "is not null":
        return True if left.kind == "constant" or _is_key(left) else None
    if node.name == "is null":
        return False if left.kind == "constant" else None
    if left.kind == right.kind == "column" and left.name == right.name:
        return True if node.name in ("=", "<=>", ">=", "<=", "like", "==") else None
    if node.name in ("like", "ilike") and right.kind == "constant" and right.value == "%":
        return True
    if node.name == "in":
        return _contains(left, node.children[1:])
    if node.name == "between" and len(node.children) == 3:
        low, high = (_ordered(left, other) for other in node.children[1:])
        return None if low is None or high is None else low >= 0 >= high
    order = _ordered(left, right)
    if order is None:
        return None
    outcomes = {
        **dict.fromkeys(("=", "==", "<=>", "like", "ilike", "rlike", "regexp", "~"), order == 0),
        **dict.fromkeys(("<>", "!="), order != 0),
        ">": order > 0,
        "<": order < 0,
        ">=": order >= 0,
        "<=": order <= 0,
    }
    return outcomes.get(node.name)


def _contains(left: Node, options: Sequence[Node]) -> bool | None:
    orders = [_ordered(left, option) for option in options]
    return True if 0 in orders else (None if None in orders or not orders else False)


def _ordered(left: Node, right: Node) -> int | None:
    """-1, 0 or 1 for constants; None where either is not constant."""
    if left.kind != "constant" or right.kind != "constant":
        return None
    one, two = left.value, right.value
    if isinstance(one, str) and isinstance(two, str):
        return (one > two) - (one < two)
    if one is None or two is None:
        return None
    first, second = _number(one), _number(two)
    if first is None or second is None:
        return None
    return (first > second) - (first < second)


def _is_key(node: Node) -> bool:
    return node.kind == "column" and node.name.rpartition(".")[2] == "id"


class ConditionReader:
    """Reads one condition from `tokens` (without comments), tolerating what it does not know."""

    def __init__(self, tokens: Sequence[Token], first: int) -> None:
        self.tokens = tokens
        self.at = first
        self.nodes = 0

    def read(self, *, loose: bool = False) -> Node:
        """The condition at the current place; `loose` reads past brackets that nobody opened."""
        start = self.at
        node = self._or(0)
        while loose and self._peek() == ")":
            while self._peek() == ")":
                self.at += 1
            if self._peek() not in ("or", "and", "xor", "||", "&&"):
                break
            name = {"||": "or", "&&": "and"}.get(self._peek(), self._peek())
            self.at += 1
            other = self._or(0)
            node = Node(kind=name, first=start, last=self.at, children=(node, other))
        return node

    def _peek(self, ahead: int = 0) -> str:
        at = self.at + ahead
        return self.tokens[at].text if at < len(self.tokens) else ""

    def _unknown(self, start: int) -> Node:
        return Node(kind="unknown", first=start, last=self.at)

    def _or(self, depth: int) -> Node:
        start = self.at
        parts = [self._and(depth)]
        kind = "or"
        while (word := self._peek()) in ("or", "xor", "||"):
            self.at += 1
            kind = "xor" if word == "xor" else kind
            right = self._and(depth)
            if word == "||" and right.kind not in ("compare", "call", "and"):
                right = Node(kind="unknown", first=right.first, last=right.last)  # concatenation
            parts.append(right)
        if len(parts) == 1:
            return parts[0]
        return Node(kind=kind, first=start, last=self.at, children=tuple(parts))

    def _and(self, depth: int) -> Node:
        start = self.at
        parts = [self._not(depth)]
        while self._peek() in ("and", "&&"):
            self.at += 1
            parts.append(self._not(depth))
        if len(parts) == 1:
            return parts[0]
        return Node(kind="and", first=start, last=self.at, children=tuple(parts))

    def _not(self, depth: int) -> Node:
        start, negations = self.at, 0
        while self._peek() in ("not", "!"):
            self.at += 1
            negations += 1
        node = self._comparison(depth)
        if negations % 2:
            return Node(kind="not", first=start, last=self.at, children=(node,))
        return node

    def _comparison(self, depth: int) -> Node:
        start = self.at
        left = self._sum(depth)
        while True:
            word = self._peek()
            if word in _COMPARE and self._is_operator():
                self.at += 1
                if self._peek() in ("any", "all", "some", "binary"):
                    self.at += 1
                right = self._sum(depth)
                left = self._node("compare", start, word, left, right)
            elif word == "is":
                left = self._is(start, left, depth)
            elif word in ("notnull", "isnull"):
                self.at += 1
                name = "is not null" if word == "notnull" else "is null"
                left = self._node("compare", start, name, left, left)
            elif word in _MATCH or (word == "not" and self._peek(1) in _MATCH):
                left = self._match(start, left, depth)
            else:
                return left

    def _is_operator(self) -> bool:
        return self.tokens[self.at].kind == "operator"

    def _node(self, kind: str, start: int, name: str, *children: Node) -> Node:
        return Node(kind=kind, first=start, last=self.at, name=name, children=children)

    def _is(self, start: int, left: Node, depth: int) -> Node:
        self.at += 1
        negated = self._peek() == "not"
        self.at += negated
        right = self._sum(depth)
        name = "is not " if negated else "is "
        name += "null" if right.kind == "null" else "value"
        return self._node("compare", start, name, left, right)

    def _match(self, start: int, left: Node, depth: int) -> Node:
        negated = self._peek() == "not"
        self.at += negated
        word = self._peek()
        self.at += 1
        if word in ("sounds", "similar"):
            self.at += 1
        right = self._sum(depth)
        others: tuple[Node, ...] = (right,)
        if word == "between" and self._peek() == "and":
            self.at += 1
            others = (right, self._sum(depth))
        elif word == "in" and right.kind == "list":
            others = right.children
        elif word == "in" and right.kind == "subquery":
            others = (Node(kind="unknown", first=right.first, last=right.last, children=(right,)),)
        node = self._node("compare", start, word, left, *others)
        return self._node("not", start, "", node) if negated else node

    def _sum(self, depth: int) -> Node:
        start = self.at
        node = self._primary(depth)
        while (word := self._peek()) in _ARITHMETIC or (word == "||" and not self._starts_or()):
            self.at += 1
            other = self._primary(depth)
            node = self._fold(start, word, node, other)
        return node

    def _starts_or(self) -> bool:
        """Whether the `||` here joins conditions (MySQL's or) and not strings."""
        following = self._peek(2)
        return following in _COMPARE or following in ("in", "like", "is", "(", "between")

    def _fold(self, start: int, word: str, left: Node, right: Node) -> Node:
        value: Value | None = None
        if left.kind == right.kind == "constant":
            one, two = left.value, right.value
            if word == "||" or (word == "+" and isinstance(one, str) and isinstance(two, str)):
                value = f"{one}{two}"
            elif isinstance(one, int | float) and isinstance(two, int | float):
                value = _calculate(word, one, two)
        if value is None:
            return self._node("unknown", start, word, left, right)
        return Node(kind="constant", first=start, last=self.at, value=value)

    def _primary(self, depth: int) -> Node:
        start = self.at
        self.nodes += 1
        while self._peek() in ("-", "+", "~", "@", "!", "binary"):
            self.at += 1
        if start >= len(self.tokens) or self.at >= len(self.tokens) or self.nodes > MAX_NODES:
            return self._unknown(start)
        token = self.tokens[self.at]
        if token.text == "(":
            return self._bracket(start, depth)
        if token.kind == "word":
            return self._word(start, token, depth)
        if token.kind == "punctuation" or token.kind == "operator":
            if token.text == "*":
                self.at += 1
            return self._unknown(start)
        self.at += 1
        if token.kind == "number":
            return Node(kind="constant", first=start, last=self.at, value=_literal(token.text))
        if token.kind == "string" and not token.open:
            return self._string(start, token)
        if token.kind == "quoted" and self._peek() == ".":
            return self._dotted(start, token.text.strip('"`').lower())
        if token.kind == "quoted" and token.text.startswith('"') and not token.open:
            # A column in standard SQL, a string in MySQL: equal to itself in both.
            return Node(kind="column", first=start, last=self.at, name=token.text[1:-1].lower())
        return self._unknown(start)

    def _string(self, start: int, token: Token) -> Node:
        value = token.text[token.text.find("'") + 1 : -1]
        while self.at < len(self.tokens) and self.tokens[self.at].kind == "string":
            value += self.tokens[self.at].text.strip("'")  # adjacent strings are one
            self.at += 1
        return Node(kind="constant", first=start, last=self.at, value=value)

    def _bracket(self, start: int, depth: int) -> Node:
        self.at += 1
        if depth >= MAX_DEPTH or self._peek() in ("select", "with", "values"):
            self._skip_to_close()
            return self._node("subquery", start, "")
        parts = [self._or(depth + 1)]
        while self._peek() == ",":
            self.at += 1
            parts.append(self._or(depth + 1))
        if self._peek() != ")" and self.at < len(self.tokens):
            self._skip_to_close()
            return self._node("unknown", start, "", *parts)
        self.at += 1
        if len(parts) == 1:
            return parts[0]
        return self._node("list", start, "", *parts)

    def _skip_to_close(self) -> None:
        depth = 1
        while self.at < len(self.tokens) and depth:
            text = self.tokens[self.at].text
            depth += (text == "(") - (text == ")")
            self.at += 1

    def _word(self, start: int, token: Token, depth: int) -> Node:
        word = token.text
        if word in _STOP and not (word in ("left", "right", "values") and self._peek(1) == "("):
            return self._unknown(start)
        self.at += 1
        if word in ("true", "false"):
            return Node(kind="constant", first=start, last=self.at, value=word == "true")
        if word == "null":
            return Node(kind="null", first=start, last=self.at)
        if word == "case":
            return self._case(start)
        if word in ("interval", "date", "timestamp") and self._is_literal():
            self.at += 1
            return self._unknown(start)
        return self._dotted(start, word, depth)

    def _is_literal(self) -> bool:
        return self.at < len(self.tokens) and self.tokens[self.at].kind in ("string", "number")

    def _dotted(self, start: int, name: str, depth: int = 0) -> Node:
        while self._peek() == "." and self.at + 1 < len(self.tokens):
            name += "." + self.tokens[self.at + 1].text.strip('"`').lower()
            self.at += 2
        if self._peek() != "(":
            return Node(kind="column", first=start, last=self.at, name=name)
        arguments = self._bracket(self.at, depth + 1)
        return self._node("call", start, name, arguments)

    def _case(self, start: int) -> Node:
        depth = 1
        while self.at < len(self.tokens) and depth:
            word = self.tokens[self.at].text
            depth += (word == "case") - (word == "end")
            self.at += 1
        return self._node("call", start, "case")


def _calculate(word: str, one: float, two: float) -> Value | None:
    if word == "+":
        return one + two
    if word == "-":
        return one - two
    if word == "*" and abs(one) < 1e9 and abs(two) < 1e9:
        return one * two
    if word in ("/", "div") and two:
        return one / two
    if word in ("%", "mod") and two:
        return one % two
    return None


def _literal(text: str) -> Value:
    try:
        return int(text, 16) if text[:2].lower() == "0x" else float(text)
    except (ValueError, OverflowError):
        return text
