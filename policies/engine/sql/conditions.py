"""Conditions read out of tokens, and what of them is constant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from policies.engine.language import word_set
from policies.engine.sql.statements import closing
from policies.engine.sql.tokens import Token

MAX_DEPTH = 40  # nested parentheses that are read; deeper ones count as unknown
MAX_NODES = 20_000  # of one condition
MAX_CHAIN = 20  # comparisons of comparisons (a = b = c) that are read

_COMPARE = word_set("= <> != > < >= <= <=> == ~ !~ ~* !~* @> <@ ?| ?& ?")
_MATCH = word_set("like ilike rlike regexp glob similar sounds in between")
_ARITHMETIC = word_set("+ - * / % ^ & | -> ->> #> #>> #- div mod collate")
_STRING_ARITHMETIC = frozenset("-*^&/%|")
_SIGNS = frozenset("-+~@!")
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

    `kind` is one of or, xor, and, not, compare, constant, null, column, call, case, subquery,
    list, strings (arithmetic on string literals), unknown. `name` is the operator, column or
    function; `first` and `last` are token indexes (last exclusive).
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
    if node.kind == "subquery" and node.children:
        return truth(node.children[0])
    if node.kind == "call" and node.children:
        return _called(node.name, node.children[0])
    return None


def _called(name: str, arguments: Node) -> bool | None:
    if name == "exists" and arguments.kind == "subquery" and arguments.children:
        return True  # EXISTS (SELECT 1)
    first = arguments.children[0] if arguments.kind == "list" else arguments
    if name in ("coalesce", "ifnull", "nvl", "isnull", "greatest", "least") and first.kind == (
        "constant"
    ):
        return truth(first)
    return None


def is_constant(node: Node) -> bool:
    """Whether nothing in it depends on a row: literals and operators on them only."""
    if node.kind in ("constant", "null"):
        return True
    return bool(node.children) and node.kind != "call" and all(map(is_constant, node.children))


def is_static(node: Node, tokens: Sequence[Token]) -> bool:
    """Whether it is the same for every row: constants, and functions or queries without columns."""
    for current in walk(node):
        if current.kind == "column" and current.name not in _ENVIRONMENT:
            return False
        if current.kind == "unknown" and not current.children:
            return False
        if current.kind in ("case", "subquery") and _names_columns(tokens, current):
            return False
    return True


def _names_columns(tokens: Sequence[Token], node: Node) -> bool:
    last = min(node.last, len(tokens))
    for index in range(node.first, last):
        token = tokens[index]
        if token.kind == "variable" and not token.text.startswith("@@"):
            return True
        if token.kind != "word" or token.text in _QUERY_WORDS or token.text in _ENVIRONMENT:
            continue
        if index + 1 < len(tokens) and tokens[index + 1].text == "(":
            continue
        return True
    return False


_ENVIRONMENT = word_set(
    "user current_user session_user system_user sysdate systimestamp current_timestamp "
    "current_date current_time rownum uid"
)
_QUERY_WORDS = word_set(
    "select case when then else end and or not null true false is in like between distinct all "
    "union as from dual limit by exists"
)


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
    if node.name in ("like", "ilike") and _is_any_text(right.value):
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


def _is_any_text(value: Value | None) -> bool:
    """`%` and `%%`, which every text is like."""
    return isinstance(value, str) and value != "" and not value.strip("%")


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
            # `1) AND 2=2 AND (3=3` is one chain: what stands behind belongs to it.
            others = other.children if other.kind == name else (other,)
            node = Node(kind=name, first=start, last=self.at, children=(node, *others))
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
        for _ in range(MAX_CHAIN):
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
                break
        return left

    def _is_operator(self) -> bool:
        if self._peek() == "?":  # a JSON operator of PostgreSQL, and a place for a parameter
            following = self.at + 1
            return following < len(self.tokens) and self.tokens[following].kind == "string"
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
        parts = [self._operand(depth)]
        plain = True
        while (word := self._peek()) in _ARITHMETIC or (word == "||" and not self._starts_or()):
            self.at += 1
            other = self._operand(depth)
            last = parts[-1]
            value = _folded(word, last, other) if len(parts) == 1 else None
            if value is not None:
                parts = [Node(kind="constant", first=start, last=self.at, value=value)]
                continue
            plain = plain and word in _STRING_ARITHMETIC and _is_text(last) and _is_text(other)
            parts.append(other)
        if len(parts) == 1:
            return parts[0]
        return self._node("strings" if plain else "unknown", start, "", *parts)

    def _operand(self, depth: int) -> Node:
        node = self._primary(depth)
        while self._peek() == "::":  # a cast changes the type, not what the value depends on
            self.at += 1
            while self.at < len(self.tokens) and self.tokens[self.at].kind in ("word", "quoted"):
                if self.tokens[self.at].text in _STOP:
                    break
                self.at += 1
            if self._peek() == "(":
                self._skip_group()
        if self._peek() == "[":
            self._skip_group()
        return node

    def _skip_group(self) -> None:
        close = ")" if self._peek() == "(" else "]"
        while self.at < len(self.tokens) and self._peek() != close:
            self.at += 1
        self.at += 1

    def _starts_or(self) -> bool:
        """Whether the `||` here joins conditions (MySQL's or) and not strings."""
        following = self._peek(2)
        if self._peek(1) == "(" and self._peek(3) in _COMPARE:
            return True
        if following == "(":  # a function: what follows its brackets tells
            behind = closing(self.tokens, self.at + 2) + 1
            following = self.tokens[behind].text if behind < len(self.tokens) else ""
        return following in _COMPARE or following in ("in", "like", "is", "between")

    def _primary(self, depth: int) -> Node:
        start, negative = self.at, False
        self.nodes += 1
        while (sign := self._peek()) in _SIGNS or sign == "binary":
            negative ^= sign == "-"
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
            value = _literal(token.text)
            if negative and isinstance(value, int | float):
                value = -value
            return Node(kind="constant", first=start, last=self.at, value=value)
        if token.kind == "variable" and token.text.startswith("@@"):
            return Node(kind="call", first=start, last=self.at, name=token.text.lower())
        if token.kind == "string" and not token.open:
            return self._string(start, token)
        return self._quoted(start, token) if token.kind == "quoted" else self._unknown(start)

    def _quoted(self, start: int, token: Token) -> Node:
        if self._peek() == ".":
            return self._dotted(start, token.text.strip('"`').lower())
        if not token.text.startswith('"') or token.open:
            return self._unknown(start)
        if token.text == '""':  # no name is empty
            return Node(kind="constant", first=start, last=self.at, value="")
        # A column in standard SQL, a string in MySQL: equal to itself in both.
        return Node(kind="column", first=start, last=self.at, name=token.text[1:-1].lower())

    def _array(self, start: int) -> Node:
        """ARRAY['a', 'b'], a constant if its elements are."""
        first = self.at + 1
        self._skip_group()
        plain = all(
            token.kind in ("string", "number") or token.text in ",]"
            for token in self.tokens[first : self.at]
        )
        return self._node("constant" if plain else "unknown", start, "")

    def _string(self, start: int, token: Token) -> Node:
        value = token.text[token.text.find("'") + 1 : -1]
        while self.at < len(self.tokens) and self.tokens[self.at].kind == "string":
            value += self.tokens[self.at].text.strip("'")  # adjacent strings are one
            self.at += 1
        return Node(kind="constant", first=start, last=self.at, value=value)

    def _bracket(self, start: int, depth: int) -> Node:
        self.at += 1
        if depth >= MAX_DEPTH or self._peek() in ("select", "with", "values"):
            return self._subquery(start)
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

    def _subquery(self, start: int) -> Node:
        """A query in brackets; one that only selects a constant has it as its child."""
        constant: tuple[Node, ...] = ()
        if self._peek() == "select" and self._peek(2) == ")":
            self.at += 1
            constant = (self._primary(MAX_DEPTH - 1),)
        self._skip_to_close()
        return self._node("subquery", start, "", *constant)

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
        if word == "array" and self._peek() == "[":
            return self._array(start)
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
        if self._peek(1) == ")":
            self.at += 2
            return self._node("call", start, name)
        arguments = self._bracket(self.at, depth + 1)
        return self._node("call", start, name, arguments)

    def _case(self, start: int) -> Node:
        depth = 1
        while self.at < len(self.tokens) and depth:
            word = self.tokens[self.at].text
            depth += (word == "case") - (word == "end")
            self.at += 1
        return self._node("case", start, "")


def _is_text(node: Node) -> bool:
    return node.kind == "constant" and isinstance(node.value, str)


def _folded(word: str, left: Node, right: Node) -> Value | None:
    if left.kind != "constant" or right.kind != "constant":
        return None
    one, two = left.value, right.value
    if word == "||" or (word == "+" and isinstance(one, str) and isinstance(two, str)):
        return f"{one}{two}"
    if isinstance(one, int | float) and isinstance(two, int | float):
        return _calculate(word, one, two)
    return None


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
