"""Every sample beside the SQL rules: the attack is found by its rule, the twin by none."""

import pytest

from policies.engine.analysis import Analysis, analyse
from policies.engine.operation import Language, Operation, Part
from policies.engine.sql.samples import HARMLESS, SAMPLES, Sample

FAMILIES = ("sql.", "shell.")
IDS = [f"{sample.rule}-{index}" for index, sample in enumerate(SAMPLES)]


def examined(text: str, language: str) -> Analysis:
    part = Part(start=0, end=len(text), language=Language(language))
    return analyse(Operation(text=text, parts=(part,)))


def found(text: str, language: str) -> list[tuple[str, str]]:
    return [
        (finding.kind, finding.rule)
        for finding in examined(text, language).findings
        if finding.kind.startswith(FAMILIES)
    ]


@pytest.mark.parametrize("sample", SAMPLES, ids=IDS)
def test_the_attack_is_found_by_its_rule(sample: Sample):
    assert (sample.kind, sample.rule) in found(sample.attack, sample.language)


@pytest.mark.parametrize("sample", SAMPLES, ids=IDS)
def test_the_twin_is_left_alone(sample: Sample):
    assert found(sample.twin, sample.language) == []


@pytest.mark.parametrize("text", HARMLESS)
def test_prose_and_source_code_are_left_alone_when_nobody_says_what_they_are(text: str):
    assert found(text, "auto") == []


@pytest.mark.parametrize("language", ["sql", "auto"])
def test_a_commented_drop_is_both_destruction_and_injection(language: str):
    text = "DROP TABLE users; --"

    kinds = found(text, language)

    assert kinds == [("sql.destructive", "drop_table"), ("sql.injection", "comment_tail")]


def test_a_bare_drop_is_destruction_only():
    assert found("DROP TABLE users", "auto") == [("sql.destructive", "drop_table")]


def test_a_finding_covers_its_statement_in_the_original_text():
    text = "SELECT 1;\n  DELETE FROM orders ;\nSELECT 2;"

    (finding,) = examined(text, "sql").findings

    assert text[finding.start : finding.end] == "DELETE FROM orders"
    assert "orders" in finding.reason
    assert finding.reference.startswith("https://")


def test_the_statement_its_tables_and_functions_are_facts():
    text = "SELECT count(*) FROM shop.orders o, lines l JOIN goods g ON g.id = l.good"

    facts = examined(text, "sql").facts

    assert facts["sql.statement"] == ("SELECT",)
    assert facts["sql.table"] == ("shop.orders", "lines", "goods")
    assert facts["sql.function"] == ("count",)
