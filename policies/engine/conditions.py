"""The condition language: `{"field", "operator", "value"}`, and `all`, `any`, `not` over them.

A list of conditions means all of them. Conditions are validated once, when a policy is saved,
and compiled to a tree of small objects that test an operation.

A field may have several values (a fact such as `sql.table` often does) or none. A positive
operator holds if some value satisfies it; a negative one (`not_equals`, `not_contains`,
`not_matches`, `not_in`) if none does, so that "unless the region is eu" also covers an operation
that names no region.
"""

from __future__ import annotations

import difflib
import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from operator import methodcaller
from typing import Any

from policies.engine.analysis import Analysis
from policies.engine.operation import Operation, Phase
from policies.engine.patterns import Pattern, PatternError, compile_literal, compile_pattern

MAX_DEPTH = 8  # all/any/not inside each other
MAX_CONDITIONS = 100  # per policy
MAX_LIST_VALUES = 1_000  # of `in`, `contains_any`
MAX_VALUE_CHARS = 10_000  # of one text value
MAX_EVIDENCE = 1_000  # places where one condition matched; the last one reaches to the end then

TEXT_FIELDS = ("query", "response", "text")
FIELDS = (
    "tool",
    "phase",
    "client_id",
    "team",
    "tenant",
    "region",
    "user_id",
    "verified_user",
    "user.email",
    "session_id",
    "working_directory",
    "permission_mode",
    "agent",
    "request_type",
    "connector",
    "data_sources",
)
FACTS = (
    "sql.statement",
    "sql.table",
    "sql.function",
    "shell.command",
    "shell.opaque",
    "file.read",
    "file.write",
    "host",
    "package.install",
    "git",
    "analysis",
)
# What other products call the same thing.
FIELD_ALIASES = {
    "cwd": "working_directory",
    "context.cwd": "working_directory",
    "context.working_directory": "working_directory",
    "context.tool": "tool",
    "context.session_id": "session_id",
    "user": "user_id",
    "user_token": "user_id",
    "client": "client_id",
    "tool_name": "tool",
    "connector_type": "connector",
}
OPERATOR_ALIASES = {
    "regex": "matches",
    "not_regex": "not_matches",
    "eq": "equals",
    "ne": "not_equals",
    "gt": "greater_than",
    "lt": "less_than",
}

Value = str | int | float | bool


class ConditionsError(ValueError):
    """What is wrong, node by node: `(path, sentence)` such as `("conditions.2.value", "...")`."""

    def __init__(self, errors: Sequence[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{path}: {text}" for path, text in errors))
        self.errors = list(errors)


class Inputs:
    """What conditions look at: an operation and what the detectors read out of it."""

    __slots__ = ("__dict__", "analysis", "operation")

    def __init__(self, operation: Operation, analysis: Analysis) -> None:
        self.operation = operation
        self.analysis = analysis

    @cached_property
    def data(self) -> bytes:
        """The operation's text as UTF-8, encoded once for all patterns."""
        return self.operation.text.encode("utf-8", "replace")

    @cached_property
    def kinds(self) -> frozenset[str]:
        """The kinds of all findings with their prefixes: `pii.ssn` and `pii`."""
        found: set[str] = set()
        for kind in {finding.kind for finding in self.analysis.findings}:
            while kind:
                found.add(kind)
                kind = kind.rpartition(".")[0]
        return frozenset(found)

    def has_text(self, field: str) -> bool:
        """Is this text field the operation's text? `query` before, `response` after."""
        if field == "text":
            return True
        return (field == "query") == (self.operation.phase == Phase.BEFORE)

    def values(self, path: tuple[str, ...]) -> list[Value]:
        """The values of a field that is no text field; empty when it is missing."""
        name = ".".join(path)
        facts = self.analysis.facts.get(name)
        if facts is not None:
            return list(facts)
        if name == "tool":
            return [self.operation.tool] if self.operation.tool else []
        if name == "phase":
            return [self.operation.phase.value]
        node: Any = self.operation.fields
        for key in path:
            if not isinstance(node, Mapping) or key not in node:
                return []
            node = node[key]
        return list(_scalars(node))


def _scalars(node: Any) -> Iterator[Value]:
    if isinstance(node, str | int | float | bool):
        if node != "":
            yield node
    elif isinstance(node, list | tuple):
        for item in node:
            if isinstance(item, str | int | float | bool):
                yield item


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Which condition held, and where in the text if it looked at the text (characters)."""

    path: str
    start: int = -1
    end: int = -1
    kind: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """What must be there for a condition to hold: the cheap question asked first.

    `pattern`: in Vectorscan's syntax, over the text. `kind`: among the findings.
    `path` and `values`: a field that equals one of the values.
    """

    pattern: str = ""
    kind: str = ""
    path: tuple[str, ...] = ()
    values: tuple[str, ...] = ()


class Node:
    """A compiled condition."""

    __slots__ = ()

    def test(self, inputs: Inputs) -> bool:
        raise NotImplementedError

    def evidence(self, inputs: Inputs) -> Iterator[Evidence]:
        """The leaves that made this node hold; called only when it does."""
        raise NotImplementedError

    def anchor(self) -> Anchor | None:
        """None: this node can hold without anything in particular being there."""
        return None


class AllOf(Node):
    __slots__ = ("nodes",)

    def __init__(self, nodes: Sequence[Node]) -> None:
        self.nodes = tuple(nodes)

    def test(self, inputs: Inputs) -> bool:
        return all(node.test(inputs) for node in self.nodes)

    def evidence(self, inputs: Inputs) -> Iterator[Evidence]:
        for node in self.nodes:
            yield from node.evidence(inputs)

    def anchor(self) -> Anchor | None:
        anchors = [anchor for node in self.nodes if (anchor := node.anchor()) is not None]
        # The rarest kind first: a finding, then a text pattern, then an equal field.
        anchors.sort(key=lambda anchor: (not anchor.kind, not anchor.pattern))
        return anchors[0] if anchors else None


class AnyOf(Node):
    __slots__ = ("nodes",)

    def __init__(self, nodes: Sequence[Node]) -> None:
        self.nodes = tuple(nodes)

    def test(self, inputs: Inputs) -> bool:
        return any(node.test(inputs) for node in self.nodes)

    def evidence(self, inputs: Inputs) -> Iterator[Evidence]:
        for node in self.nodes:
            if node.test(inputs):
                yield from node.evidence(inputs)


class Not(Node):
    __slots__ = ("node", "path")

    def __init__(self, node: Node, path: str) -> None:
        self.node = node
        self.path = path

    def test(self, inputs: Inputs) -> bool:
        return not self.node.test(inputs)

    def evidence(self, inputs: Inputs) -> Iterator[Evidence]:
        yield Evidence(path=self.path)


class Detects(Node):
    """A detector found something of a kind in the text."""

    __slots__ = ("field", "kind", "path")

    def __init__(self, path: str, field: str, kind: str) -> None:
        self.path, self.field, self.kind = path, field, kind

    def test(self, inputs: Inputs) -> bool:
        return inputs.has_text(self.field) and self.kind in inputs.kinds

    def evidence(self, inputs: Inputs) -> Iterator[Evidence]:
        dotted = self.kind + "."
        for finding in inputs.analysis.findings:
            if finding.kind == self.kind or finding.kind.startswith(dotted):
                yield Evidence(
                    path=self.path, start=finding.start, end=finding.end, kind=finding.kind
                )

    def anchor(self) -> Anchor:
        return Anchor(kind=self.kind)


class TextPattern(Node):
    """A pattern over the operation's text; several are alternatives."""

    __slots__ = ("field", "negated", "path", "patterns")

    def __init__(
        self, path: str, field: str, compiled: Sequence[Pattern], *, negated: bool
    ) -> None:
        self.path, self.field, self.negated = path, field, negated
        self.patterns = tuple(compiled)

    def test(self, inputs: Inputs) -> bool:
        if not inputs.has_text(self.field):
            return self.negated
        data = inputs.data
        return _found(self.patterns, data) != self.negated

    def evidence(self, inputs: Inputs) -> Iterator[Evidence]:
        """Every place, because a redacting policy takes each of them out."""
        if self.negated or not inputs.has_text(self.field):
            yield Evidence(path=self.path)
            return
        for start, end in _places(self.patterns, inputs):
            yield Evidence(path=self.path, start=start, end=end)

    def anchor(self) -> Anchor | None:
        if self.negated:
            return None
        return Anchor(pattern="|".join(f"(?:{pattern.source})" for pattern in self.patterns))


class FieldTest(Node):
    """A comparison of a field's values."""

    __slots__ = ("equal_to", "field", "negated", "path", "satisfied")

    def __init__(
        self,
        path: str,
        field: tuple[str, ...],
        satisfied: Callable[[Value], bool],
        *,
        negated: bool = False,
        equal_to: Sequence[Value] = (),
    ) -> None:
        self.path, self.field, self.satisfied = path, field, satisfied
        self.negated = negated
        self.equal_to = tuple(as_text(value) for value in equal_to)

    def test(self, inputs: Inputs) -> bool:
        return any(map(self.satisfied, inputs.values(self.field))) != self.negated

    def evidence(self, inputs: Inputs) -> Iterator[Evidence]:
        yield Evidence(path=self.path)

    def anchor(self) -> Anchor | None:
        if self.negated or not self.equal_to:
            return None
        return Anchor(path=self.field, values=self.equal_to)


class Exists(Node):
    """A field has a value (or, with `false`, has none)."""

    __slots__ = ("field", "path", "wanted")

    def __init__(self, path: str, field: tuple[str, ...], *, wanted: bool) -> None:
        self.path, self.field, self.wanted = path, field, wanted

    def test(self, inputs: Inputs) -> bool:
        if self.field[0] in TEXT_FIELDS:
            return (inputs.has_text(self.field[0]) and bool(inputs.operation.text)) == self.wanted
        return bool(inputs.values(self.field)) == self.wanted

    def evidence(self, inputs: Inputs) -> Iterator[Evidence]:
        yield Evidence(path=self.path)


_span = methodcaller("span")


def _places(compiled: Iterable[Pattern], inputs: Inputs) -> list[tuple[int, int]]:
    """Where the patterns match, in characters and in order."""
    data = inputs.data
    each = (map(_span, pattern.regex.finditer(data)) for pattern in compiled)
    spans = list(dict.fromkeys(islice(heapq.merge(*each), MAX_EVIDENCE + 1)))
    if len(spans) > MAX_EVIDENCE:
        spans = [*spans[: MAX_EVIDENCE - 1], (spans[MAX_EVIDENCE - 1][0], len(data))]
    characters, at, count = {}, 0, 0
    for place in sorted({place for span in spans for place in span}):
        count += len(data[at:place].decode("utf-8", "replace"))
        at, characters[place] = place, count
    return [(characters[start], characters[end]) for start, end in spans]


def _found(compiled: Iterable[Pattern], data: bytes) -> bool:
    return any(pattern.regex.search(data) is not None for pattern in compiled)


def as_text(value: Value) -> str:
    """How values are compared: `true`, `3` and `"3"` alike, whichever way JSON spelt them."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _number(value: Value) -> float | None:
    if isinstance(value, bool):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


# --- Compilation ----------------------------------------------------------------------------


class _Compiler:
    def __init__(self) -> None:
        self.errors: list[tuple[str, str]] = []
        self.count = 0

    def node(self, raw: Any, path: str, depth: int) -> Node | None:
        if depth > MAX_DEPTH:
            self.errors.append((path, f"Conditions nest at most {MAX_DEPTH} deep."))
            return None
        if isinstance(raw, list):
            return self._group(AllOf, raw, path, depth)
        if not isinstance(raw, Mapping):
            self.errors.append(
                (path, 'A condition is an object: {"field": ..., "operator": ..., "value": ...}.')
            )
            return None
        for key, group in (("all", AllOf), ("any", AnyOf)):
            if key in raw:
                return self._only(raw, key, path) and self._group(
                    group, raw[key], f"{path}.{key}", depth
                )
        if "not" in raw:
            if not self._only(raw, "not", path):
                return None
            inner = self.node(raw["not"], f"{path}.not", depth + 1)
            return Not(inner, path) if inner is not None else None
        return self._leaf(raw, path)

    def _only(self, raw: Mapping[str, Any], key: str, path: str) -> Any:
        others = sorted(set(raw) - {key})
        if others:
            self.errors.append((path, f"Beside {key!r} stands {others[0]!r}; nest it instead."))
        return not others

    def _group(self, group: Any, raw: Any, path: str, depth: int) -> Node | None:
        if not isinstance(raw, list) or not raw:
            self.errors.append((path, "Give a list of at least one condition."))
            return None
        nodes = [self.node(item, f"{path}.{index}", depth + 1) for index, item in enumerate(raw)]
        complete = [node for node in nodes if node is not None]
        return group(complete) if len(complete) == len(nodes) else None

    def _leaf(self, raw: Mapping[str, Any], path: str) -> Node | None:
        self.count += 1
        if self.count > MAX_CONDITIONS:
            if self.count == MAX_CONDITIONS + 1:
                self.errors.append((path, f"A policy has at most {MAX_CONDITIONS} conditions."))
            return None
        before = len(self.errors)
        field = self._field(raw.get("field"), path)
        operator = self._operator(raw.get("operator"), path)
        if "value" not in raw and operator != "exists":
            self.errors.append((f"{path}.value", "The value to compare with is missing."))
        if len(self.errors) > before:
            return None
        node = self._comparison(path, field, operator, raw.get("value", True))
        return node if len(self.errors) == before else None

    def _field(self, name: Any, path: str) -> str:
        if not isinstance(name, str) or not name.strip():
            self.errors.append((f"{path}.field", f"Name a field: {', '.join(TEXT_FIELDS)}, ..."))
            return ""
        field = FIELD_ALIASES.get(name.strip(), name.strip())
        known = (*TEXT_FIELDS, *FIELDS, *FACTS)
        if field in known or (field.startswith("context.") and len(field) > len("context.")):
            return field
        near = difflib.get_close_matches(field, known, n=1)
        self.errors.append(
            (
                f"{path}.field",
                f"There is no field {field[:80]!r}"
                + (f"; did you mean {near[0]!r}?" if near else ".")
                + " Fields: "
                + ", ".join((*known, "context.<key>"))
                + ".",
            )
        )
        return ""

    def _operator(self, name: Any, path: str) -> str:
        operator = OPERATOR_ALIASES.get(name, name) if isinstance(name, str) else ""
        if operator not in OPERATORS:
            self.errors.append(
                (f"{path}.operator", f"Operators are {', '.join(OPERATORS)}; got {name!r:.80}.")
            )
            return ""
        return operator

    def _comparison(self, path: str, field: str, operator: str, value: Any) -> Node | None:
        place = f"{path}.value"
        if operator == "detects":
            if field not in TEXT_FIELDS:
                self.errors.append((f"{path}.field", "`detects` looks at query, response or text."))
            kind = self._string(value, place)
            return Detects(path, field, kind)
        if operator == "exists":
            if not isinstance(value, bool):
                self.errors.append((place, "`exists` takes true or false."))
            return Exists(path, tuple(field.split(".")), wanted=bool(value))
        negated = operator.startswith("not_")
        plain = operator.removeprefix("not_")
        if plain in {"contains", "contains_any", "matches", "starts_with", "ends_with"}:
            return self._textual(path, field, plain, value, negated=negated)
        if field in TEXT_FIELDS and plain in {"greater_than", "less_than"}:
            self.errors.append((f"{path}.operator", "A text is neither greater nor less."))
            return None
        return self._valued(path, field, plain, value, negated=negated)

    def _textual(
        self, path: str, field: str, operator: str, value: Any, *, negated: bool
    ) -> Node | None:
        place = f"{path}.value"
        many = operator == "contains_any"
        strings = self._strings(value, place) if many else [self._string(value, place)]
        try:
            compiled = [
                compile_pattern(text)
                if operator == "matches"
                else compile_literal(
                    text, at_start=operator == "starts_with", at_end=operator == "ends_with"
                )
                for text in strings
            ]
        except PatternError as error:
            self.errors.append((place, str(error)))
            return None
        if field in TEXT_FIELDS:
            return TextPattern(path, field, compiled, negated=negated)

        def satisfied(candidate: Value) -> bool:
            return _found(compiled, as_text(candidate).encode("utf-8", "replace"))

        return FieldTest(path, tuple(field.split(".")), satisfied, negated=negated)

    def _valued(
        self, path: str, field: str, operator: str, value: Any, *, negated: bool
    ) -> Node | None:
        place = f"{path}.value"
        where = tuple(field.split("."))
        if operator in {"greater_than", "less_than"}:
            limit = _number(value) if isinstance(value, str | int | float) else None
            if limit is None:
                self.errors.append((place, "Give a number."))
                return None
            bound, more = limit, operator == "greater_than"

            def beyond(candidate: Value) -> bool:
                number = _number(candidate)
                return number is not None and (number > bound if more else number < bound)

            return FieldTest(path, where, beyond)
        values = (
            self._scalar_list(value, place) if operator == "in" else [self._scalar(value, place)]
        )
        wanted = frozenset(as_text(item) for item in values)
        if field in TEXT_FIELDS:
            whole = [compile_literal(as_text(item), at_start=True, at_end=True) for item in values]
            return TextPattern(path, field, whole, negated=negated)
        return FieldTest(
            path,
            where,
            lambda candidate: as_text(candidate) in wanted,
            negated=negated,
            equal_to=values,
        )

    def _string(self, value: Any, place: str) -> str:
        if isinstance(value, bool | int | float):
            value = as_text(value)
        if not isinstance(value, str) or not value:
            self.errors.append((place, "Give a text of at least one character."))
            return "?"
        if len(value) > MAX_VALUE_CHARS:
            self.errors.append((place, f"A value has at most {MAX_VALUE_CHARS} characters."))
            return "?"
        return value

    def _strings(self, value: Any, place: str) -> list[str]:
        return [self._string(item, place) for item in self._list(value, place)]

    def _scalar(self, value: Any, place: str) -> Value:
        if isinstance(value, str):
            return self._string(value, place)
        if isinstance(value, bool | int | float):
            return value
        self.errors.append((place, "Give a text, a number, true or false; lists go with `in`."))
        return ""

    def _scalar_list(self, value: Any, place: str) -> list[Value]:
        return [self._scalar(item, place) for item in self._list(value, place)]

    def _list(self, value: Any, place: str) -> list[Any]:
        if not isinstance(value, list) or not value:
            self.errors.append((place, "Give a list of at least one value."))
            return []
        if len(value) > MAX_LIST_VALUES:
            self.errors.append((place, f"A list has at most {MAX_LIST_VALUES} values."))
            return []
        return value


OPERATORS = (
    "equals",
    "not_equals",
    "contains",
    "not_contains",
    "contains_any",
    "matches",
    "not_matches",
    "starts_with",
    "ends_with",
    "in",
    "not_in",
    "greater_than",
    "less_than",
    "exists",
    "detects",
)


def compile_conditions(raw: Any) -> Node:
    """Validate and compile what a policy's author wrote.

    Raises:
        ConditionsError: with every mistake and its path, such as `conditions.2.value`.
    """
    compiler = _Compiler()
    node = compiler.node(raw, "conditions", 0)
    if compiler.errors or node is None:
        raise ConditionsError(compiler.errors or [("conditions", "Give at least one condition.")])
    return node


def text_patterns(raw: Any) -> Iterable[str]:
    """All patterns that `matches` conditions hold, for the admission check."""
    if isinstance(raw, list):
        for item in raw:
            yield from text_patterns(item)
    elif isinstance(raw, Mapping):
        for key in ("all", "any", "not"):
            if key in raw:
                yield from text_patterns(raw[key])
        name = raw.get("operator")
        if OPERATOR_ALIASES.get(str(name), name) in {"matches", "not_matches"}:
            value = raw.get("value")
            if isinstance(value, str):
                yield value
