"""Counting what was to be found against what was found, over the project's own cases."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from policies.engine.cases import Case, Span
from policies.engine.classes import CLASSES, SPAN_CLASSES, class_of, classes_of
from policies.engine.findings import Finding

# A place counts as found when it and the place to find have this share of their union in common.
MIN_OVERLAP = 0.5


def ratio(part: float, whole: float) -> float:
    """`part / whole`; 1 where there was nothing to count, so nothing was done wrong."""
    return part / whole if whole else 1.0


@dataclass(slots=True, kw_only=True)
class Tally:
    """Texts: rightly found, wrongly found, missed, rightly left alone; then places likewise."""

    found: int = 0
    wrong: int = 0
    missed: int = 0
    left_alone: int = 0
    spans_found: int = 0
    spans_wrong: int = 0
    spans_missed: int = 0

    @property
    def positives(self) -> int:
        return self.found + self.missed

    @property
    def negatives(self) -> int:
        return self.wrong + self.left_alone

    def figures(self, *, spans: bool) -> dict[str, float]:
        """Recall, precision, rate of wrong hits among the harmless texts, and F1 of the places."""
        shown = {
            "recall": ratio(self.found, self.positives),
            "precision": ratio(self.found, self.found + self.wrong),
            "fpr": self.wrong / self.negatives if self.negatives else 0.0,
        }
        if spans:
            twice = 2 * self.spans_found
            shown["span_f1"] = ratio(twice, twice + self.spans_wrong + self.spans_missed)
        return shown

    def add(self, *, expected: bool, said: bool) -> None:
        if expected:
            self.found += said
            self.missed += not said
        else:
            self.wrong += said
            self.left_alone += not said

    def add_spans(self, expected: Iterable[Span], said: Iterable[Finding]) -> None:
        """Pair each place to find with one found, of the same kind and about as large."""
        left = list(said)
        for span in expected:
            paired = next(
                (
                    finding
                    for finding in left
                    if f"{finding.kind}.".startswith(f"{span.kind}.")
                    and overlap(span, finding) >= MIN_OVERLAP
                ),
                None,
            )
            if paired is None:
                self.spans_missed += 1
            else:
                left.remove(paired)
                self.spans_found += 1
        self.spans_wrong += len(left)


def overlap(one: Span | Finding, other: Span | Finding) -> float:
    """Intersection over union of two places."""
    common = min(one.end, other.end) - max(one.start, other.start)
    together = max(one.end, other.end) - min(one.start, other.start)
    return common / together if common > 0 else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Error:
    """A text in which a class was missed, or found where there is nothing."""

    name: str
    case: Case
    missed: bool


@dataclass(slots=True, kw_only=True)
class Score:
    """The tallies by class, and by class, source and family; and every error."""

    classes: dict[str, Tally] = field(default_factory=dict)
    groups: dict[tuple[str, str, str], Tally] = field(default_factory=dict)
    errors: list[Error] = field(default_factory=list)

    def figures(self) -> dict[str, dict[str, float]]:
        """The figures of each class."""
        return {
            name: tally.figures(spans=name in SPAN_CLASSES) for name, tally in self.classes.items()
        }

    def tallies(self, name: str, case: Case) -> Iterator[Tally]:
        """The tallies that a case counts in, for a class."""
        yield self.classes.setdefault(name, Tally())
        yield self.groups.setdefault((name, case.source, case.family), Tally())


def score(cases: Iterable[Case]) -> Score:
    """Examine all cases and count, each for the classes that it says something of.

    What is only found behind a switch is left out: the figures are of the engine as it comes.
    """
    result = Score()
    for case in cases:
        if case.countries:
            continue
        findings = case.examined().findings
        said = classes_of(findings)
        for name in CLASSES:
            if name not in case.scored:
                continue
            for tally in result.tallies(name, case):
                tally.add(expected=name in case.expected, said=name in said)
                if name in SPAN_CLASSES:
                    tally.add_spans(
                        case.spans, [each for each in findings if class_of(each.kind) == name]
                    )
            if (name in case.expected) != (name in said):
                result.errors.append(Error(name=name, case=case, missed=name in case.expected))
    return result
