"""What changed from one version of a policy to the next, for a person to read."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from policies.models import PolicyVersion


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of a difference; `sign` is "+", "-" or " "."""

    sign: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldChange:
    """How one field differs, line by line."""

    name: str
    lines: Sequence[Line]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A version and how it differs from the one before; the first one from nothing."""

    version: PolicyVersion
    changes: Sequence[FieldChange]


def steps(versions: Sequence[PolicyVersion]) -> Iterator[Step]:
    """Each version with its changes, newest first. The last one given may be there only to be
    compared with; it is a step of its own if it is version 1."""
    for version, before in zip(versions, [*versions[1:], None], strict=True):
        if before is not None:
            yield Step(version=version, changes=changes(before.snapshot, version.snapshot))
        elif version.version == 1:
            yield Step(version=version, changes=changes({}, version.snapshot))


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[FieldChange]:
    """The fields that differ, in the order in which they are stored."""
    names = [*after, *(name for name in before if name not in after)]
    return [
        FieldChange(name=name, lines=_lines(before.get(name), after.get(name)))
        for name in names
        if before.get(name) != after.get(name)
    ]


def _lines(before: Any, after: Any) -> list[Line]:
    old, new = ([] if value is None else _written(value).splitlines() for value in (before, after))
    return [
        Line(sign=line[0], text=line[2:])
        for line in difflib.ndiff(old, new)
        if not line.startswith("?")
    ]


def _written(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, indent=2, ensure_ascii=False)
