"""The labelled texts as one thing, whatever form a family keeps its samples in."""

import re

import pytest

from policies.engine.analysis import families
from policies.engine.cases import CORPORA, Case, own_cases, twin_id
from policies.engine.classes import CLASSES, class_of

CASES = own_cases()


def test_every_family_has_cases_to_find_and_cases_to_leave_alone():
    for family in families():
        of_family = [case for case in CASES if case.family == family.name]

        assert any(case.expected for case in of_family)
        assert any(not case.expected for case in of_family)


def test_a_case_has_an_id_of_its_own_and_says_something():
    assert len({case.id for case in CASES}) == len(CASES)
    for case in CASES:
        assert case.text
        assert case.scored <= CLASSES.keys()
        assert case.expected <= case.scored or not class_of(case.kind)


def test_no_line_of_the_corpora_counts_twice():
    corpora = [case for case in CASES if case.source != "samples"]

    assert {path.stem for path in CORPORA.glob("*.jsonl")} == {case.family for case in corpora}
    assert len({(case.text, case.tool) for case in corpora}) == len(corpora)


def test_a_pair_is_a_hit_and_the_miss_of_the_same_rule():
    by_id = {case.id: case for case in CASES}
    pairs = [(case, by_id[twin_id(case)]) for case in CASES if twin_id(case)]

    assert pairs
    for hit, miss in pairs:
        assert (hit.kind, hit.rule, hit.family) == (miss.kind, miss.rule, miss.family)
        assert not miss.expected


def test_a_place_to_find_is_the_value_that_the_sample_names():
    placed = [case for case in CASES if case.spans]

    assert placed
    for case in placed:
        for span in case.spans:
            assert case.text[span.start : span.end].strip()
            assert class_of(span.kind) in case.expected


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("sql.injection", "sqli"),
        ("sql.destructive", "dangerous"),
        ("shell.dangerous", "dangerous"),
        ("pii.ssn", "pii"),
        ("secret.github_token", "secrets"),
        ("shell.opaque", ""),
        ("sqli", ""),
    ],
)
def test_a_kind_is_measured_in_one_class(kind, expected):
    assert class_of(kind) == expected


def test_a_case_is_examined_as_its_tool_would_give_it():
    case = Case(
        id="x", family="pii", source="x", text="536228726", scored=frozenset(["pii"]), key="ssn"
    )

    assert [finding.kind for finding in case.examined().findings] == ["pii.ssn"]


def test_a_published_bypass_has_six_variants_and_six_twins():
    families_of_bypasses: dict[str, list[bool]] = {}
    for case in CASES:
        if re.fullmatch(r"[SQ]\d\d", case.source):
            families_of_bypasses.setdefault(case.source, []).append(bool(case.expected))

    assert len(families_of_bypasses) >= 30
    for name, kinds in families_of_bypasses.items():
        assert (kinds.count(True) >= 6, kinds.count(False) >= 6) == (True, True), name
