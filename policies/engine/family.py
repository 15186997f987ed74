"""The contract between the analysis and a family of detectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from policies.engine.findings import Report, View
from policies.engine.rules import Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """A pattern whose presence makes a family worth running on a text.

    Every family's signs go into one Vectorscan database, scanned once per text, without case.
    `pattern` is in the syntax that Vectorscan and RE2 share: no look-around, no back-references,
    bounded repeats of at most 1,000. The text is UTF-8; `.` matches any character.
    """

    name: str
    pattern: str


class Family(Protocol):
    """A family of detectors: one folder with its code, its rules and their samples."""

    name: str
    signs: Sequence[Sign]
    rules: Sequence[Rule]

    def examine(self, view: View, signs: frozenset[str], report: Report) -> None:
        """Look at one text and report facts and findings.

        `signs` holds the names of this family's signs that occur in `view.text`. A family
        returns at once when nothing calls for it; no exception may leave it for any input.
        """
