"""No class of detection falls below what was recorded for it."""

import os

import pytest

from benchmarks import development, floors, tally
from policies.engine.cases import Case, Span, own_cases
from policies.engine.classes import CLASSES
from policies.engine.findings import Finding
from policies.engine.operation import Language


def test_no_class_falls_below_its_floor_on_the_own_cases():
    limits = floors.recorded()["own"]

    figures = tally.score(own_cases()).figures()

    assert limits.keys() == CLASSES.keys()
    assert list(floors.broken(limits, figures)) == []


@pytest.mark.skipif(
    not development.is_present() and os.environ.get("CI") != "true",
    reason="the development corpora are not beside this checkout",
)
def test_no_class_falls_below_its_floor_on_the_development_corpora():
    limits = floors.recorded()["development"]

    figures = development.figures(development.report())

    assert limits.keys() == CLASSES.keys()
    assert list(floors.broken(limits, figures)) == []


def test_a_figure_under_its_floor_is_told():
    limits = {"sqli": {"recall": 0.9, "fpr": 0.01}, "pii": {"span_f1": 0.9}}
    figures = {"sqli": {"recall": 0.89, "fpr": 0.011}}

    assert list(floors.broken(limits, figures)) == [
        "sqli: recall is 0.8900, its floor is 0.9.",
        "sqli: fpr is 0.0110, its floor is 0.01.",
        "pii: span_f1 is not measured any more.",
    ]


def test_what_was_measured_is_recorded_on_the_lenient_side(tmp_path, monkeypatch):
    monkeypatch.setattr(floors, "FLOORS", tmp_path / "floors.json")
    figures = {"sqli": {"recall": 0.98765, "precision": 0.999, "fpr": 0.00123}}

    floors.record({"own": figures})

    assert floors.recorded() == {
        "own": {"sqli": {"recall": 0.987, "precision": 0.999, "fpr": 0.002}}
    }
    assert list(floors.broken(floors.recorded()["own"], figures)) == []


def finding(kind: str, start: int, end: int) -> Finding:
    return Finding(kind=kind, rule="x", start=start, end=end, confidence=1.0, reason="")


def test_a_place_counts_when_it_is_of_the_same_kind_and_about_as_large():
    counted = tally.Tally()

    counted.add_spans(
        [Span(kind="pii.ssn", start=0, end=10), Span(kind="pii.ssn", start=20, end=30)],
        [finding("pii.ssn", 0, 6), finding("pii.phone", 20, 30), finding("pii.ssn", 29, 60)],
    )

    assert (counted.spans_found, counted.spans_wrong, counted.spans_missed) == (1, 2, 1)


def test_misses_and_wrong_hits_are_counted_and_kept():
    def case(text: str, *expected: str) -> Case:
        return Case(
            id=text,
            family="shell",
            source="x",
            text=text,
            scored=frozenset(["dangerous"]),
            expected=frozenset(expected),
            tool="Bash",
            language=Language.SHELL,
        )

    result = tally.score(
        [
            case("rm -rf /", "dangerous"),
            case("ls", "dangerous"),
            case("rm -rf /etc"),
            case("ls -l"),
        ]
    )

    assert result.figures()["dangerous"] == {"recall": 0.5, "precision": 0.5, "fpr": 0.5}
    assert [(error.case.text, error.missed) for error in result.errors] == [
        ("ls", True),
        ("rm -rf /etc", False),
    ]
