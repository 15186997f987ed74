"""Compiled conditions: small objects that test an operation and say where they held.

`conditions` makes them; `policyset` asks their anchors first.
"""

from __future__ import annotations

import heapq
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from operator import methodcaller
from typing import Any

from policies.engine.analysis import Analysis
from policies.engine.operation import Operation, Phase
from policies.engine.patterns import Pattern

TEXT_FIELDS = ("query", "response", "text")
MAX_EVIDENCE = 1_000  # places where one condition matched; the last one reaches to the end then

Value = str | int | float | bool


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


class Node(ABC):
    """A compiled condition."""

    __slots__ = ()

    @abstractmethod
    def test(self, inputs: Inputs) -> bool:
        """Does it hold?"""

    @abstractmethod
    def evidence(self, inputs: Inputs) -> Iterator[Evidence]:
        """The leaves that made this node hold; called only when it does."""

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
        return found(self.patterns, data) != self.negated

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


def found(compiled: Iterable[Pattern], data: bytes) -> bool:
    return any(pattern.regex.search(data) is not None for pattern in compiled)


def as_text(value: Value) -> str:
    """How values are compared: `true`, `3` and `"3"` alike, whichever way JSON spelt them."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def as_number(value: Value) -> float | None:
    if isinstance(value, bool):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None
