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
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from policies.engine.nodes import (
    TEXT_FIELDS,
    AllOf,
    AnyOf,
    Detects,
    Exists,
    FieldTest,
    Node,
    Not,
    TextPattern,
    Value,
    as_number,
    as_text,
    found,
)
from policies.engine.patterns import PatternError, compile_literal, compile_pattern

MAX_DEPTH = 8  # all/any/not inside each other
MAX_CONDITIONS = 100  # per policy
MAX_LIST_VALUES = 1_000  # of `in`, `contains_any`
MAX_VALUE_CHARS = 10_000  # of one text value

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
    "sql.column",
    "sql.effect",
    "sql.signature",
    "sql.tautology",
    "sql.stacked",
    "sql.dialect",
    "shell.command",
    "shell.arguments",
    "shell.executes",
    "shell.opaque",
    "file.read",
    "file.write",
    "host",
    "package.install",
    "git.operation",
    "git.remote",
    "git.branch",
    "git.force",
    "git.delete",
    "cloud.provider",
    "cloud.service",
    "cloud.operation",
    "cloud.account",
    "cloud.region",
    "kubernetes.operation",
    "kubernetes.resource",
    "kubernetes.namespace",
    "kubernetes.context",
    "terraform.operation",
    "terraform.workspace",
    "terraform.target",
    "terraform.auto_approve",
    "database.client",
    "database.host",
    "database.name",
    "database.user",
    "text.hidden",
    "text.homoglyph",
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
    "git": "git.operation",
}
OPERATOR_ALIASES = {
    "regex": "matches",
    "not_regex": "not_matches",
    "eq": "equals",
    "ne": "not_equals",
    "gt": "greater_than",
    "lt": "less_than",
}


class ConditionsError(ValueError):
    """What is wrong, node by node: `(path, sentence)` such as `("conditions.2.value", "...")`."""

    def __init__(self, errors: Sequence[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{path}: {text}" for path, text in errors))
        self.errors = list(errors)


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
            return found(compiled, as_text(candidate).encode("utf-8", "replace"))

        return FieldTest(path, tuple(field.split(".")), satisfied, negated=negated)

    def _valued(
        self, path: str, field: str, operator: str, value: Any, *, negated: bool
    ) -> Node | None:
        place = f"{path}.value"
        where = tuple(field.split("."))
        if operator in {"greater_than", "less_than"}:
            limit = as_number(value) if isinstance(value, str | int | float) else None
            if limit is None:
                self.errors.append((place, "Give a number."))
                return None
            bound, more = limit, operator == "greater_than"

            def beyond(candidate: Value) -> bool:
                number = as_number(candidate)
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
