"""What a rule is called, what it finds and where that is described: one entry per rule."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule of a family.

    `kind` and `name` are those of its findings (`Finding.kind`, `Finding.rule`). `finds` is a
    sentence for the reference page, `reference` the address of a description by others, if any.
    """

    kind: str
    name: str
    finds: str
    reference: str = ""

    @property
    def id(self) -> str:
        """`sql.injection/tautology`: unique over all families."""
        return f"{self.kind}/{self.name}"
