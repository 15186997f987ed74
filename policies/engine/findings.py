"""What detectors report: findings with their place, and facts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

# Per operation; past it the report is `truncated`, and whoever redacts takes the whole text.
MAX_FINDINGS = 100_000
MAX_FACT_VALUES = 200  # values kept per fact


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing seen in a text.

    `kind` is dotted, from the family down (`pii.ssn`, `sql.injection`, `secret.github_token`,
    `shell.dangerous`); a condition may name any prefix. `rule` is the rule inside the kind.
    `start` and `end` are character offsets in `Operation.text`; `confidence` runs from 0 to 1.
    `reason` is a sentence for a person and never repeats the found text.
    `layer` names the encodings or wrappers it was under, outermost first; empty: as written.
    """

    kind: str
    rule: str
    start: int
    end: int
    confidence: float
    reason: str
    layer: str = ""
    reference: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A text to examine: a part of the operation, or something unwrapped from it.

    `offset` says where it stands in `Operation.text`: a number (contiguous: original = offset +
    index) or one original offset per character and one for the end (decoded text).
    """

    text: str
    offset: int | Sequence[int]
    language: str
    layer: str = ""
    depth: int = 0
    path: tuple[str | int, ...] = ()

    def place(self, start: int, end: int) -> tuple[int, int]:
        """The stretch of `Operation.text` that `[start, end)` of this view came from."""
        if isinstance(self.offset, int):
            return self.offset + start, self.offset + end
        return self.offset[start], self.offset[end]

    def part(self, start: int, end: int, *, language: str, layer: str) -> View:
        """A stretch of this view as a view of its own, one layer deeper."""
        whole = self.offset
        return View(
            text=self.text[start:end],
            offset=whole + start if isinstance(whole, int) else whole[start : end + 1],
            language=language,
            layer=f"{self.layer} > {layer}" if self.layer else layer,
            depth=self.depth + 1,
            path=self.path,
        )


@dataclass(slots=True)
class Report:
    """What the families write while one operation is examined."""

    findings: list[Finding] = field(default_factory=list)
    facts: dict[str, list[str]] = field(default_factory=dict)
    nested: list[View] = field(default_factory=list)
    truncated: bool = False
    seen: set[tuple[str, str, int, int]] = field(default_factory=set)

    def find(
        self,
        view: View,
        start: int,
        end: int,
        *,
        kind: str,
        rule: str,
        reason: str,
        confidence: float = 1.0,
        reference: str = "",
    ) -> None:
        """Record a finding at `[start, end)` of `view`, once."""
        if len(self.findings) >= MAX_FINDINGS:
            self.truncated = True
            return
        first, last = view.place(start, end)
        if (kind, rule, first, last) in self.seen:
            return  # an unwrapped text is examined again by every family
        self.seen.add((kind, rule, first, last))
        self.findings.append(
            Finding(
                kind=kind,
                rule=rule,
                start=first,
                end=last,
                confidence=confidence,
                reason=reason,
                layer=view.layer,
                reference=reference,
            )
        )

    def fact(self, name: str, value: str) -> None:
        """Record a value of a fact, once."""
        values = self.facts.setdefault(name, [])
        if value in values:
            return
        if len(values) >= MAX_FACT_VALUES:
            self.truncated = True
            return
        values.append(value)

    def nest(self, view: View) -> None:
        """Have an unwrapped text examined too (within the depth that `analyse` allows)."""
        self.nested.append(view)
