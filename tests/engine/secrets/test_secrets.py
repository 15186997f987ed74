"""Secrets are found where they are, the value alone, and nothing that only looks like one."""

import re
from collections.abc import Iterable

import pytest

from policies.engine.findings import Finding, Report, View
from policies.engine.secrets import Secrets
from policies.engine.secrets.providers import SHAPES
from policies.engine.secrets.rules import RULES
from policies.engine.secrets.samples import SAMPLES
from policies.engine.secrets.tokens import made_up
from policies.engine.signs import SignScanner

FAMILY = Secrets()
SCANNER = SignScanner((FAMILY.name, sign) for sign in FAMILY.signs)


def examine(text: str) -> list[Finding]:
    report = Report()
    view = View(text=text, offset=0, language="auto")
    FAMILY.examine(view, frozenset(SCANNER.scan(text).get(FAMILY.name, ())), report)
    return sorted(report.findings, key=lambda found: found.start)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_every_sample_is_found_exactly(sample):
    found = examine(sample.text)

    assert [(f.kind, sample.text[f.start : f.end]) for f in found] == list(sample.found)


def test_no_reason_repeats_what_was_found():
    for sample in SAMPLES:
        for found in examine(sample.text):
            assert sample.text[found.start : found.end] not in found.reason


def test_every_finding_is_of_a_listed_rule():
    listed = {rule.id for rule in RULES}

    found = {f"{f.kind}/{f.rule}" for sample in SAMPLES for f in examine(sample.text)}

    assert found == listed
    assert Secrets.rules == RULES


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_every_rule_has_a_harmless_twin(rule):
    assert [s for s in SAMPLES if s.twin == rule.name and not s.found]


def test_a_made_up_token_is_the_same_every_time_and_another_for_another_seed():
    assert made_up("ghp_<A36>") == made_up("ghp_<A36>") != made_up("ghp_<A36>", 1)


def test_a_storm_of_names_is_told_not_passed_over():
    report = Report()
    view = View(text="password " * 20_000, offset=0, language="auto")

    FAMILY.examine(view, frozenset(["word"]), report)

    assert report.truncated


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: f"{shape.kind}-{shape.sign[:12]}")
def test_the_sign_of_a_shape_is_as_wide_as_its_pattern(shape):
    from hypothesis import HealthCheck, given, settings
    from hypothesis import strategies as st

    @settings(
        max_examples=15,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.from_regex(re.compile(shape.pattern.pattern, re.ASCII), fullmatch=True))
    def sign_is_seen(token: str) -> None:
        seen: Iterable[str] = SCANNER.scan(f" {token} ").get(FAMILY.name, ())
        assert any(
            f"shape.{number}" in seen for number, other in enumerate(SHAPES) if other is shape
        )

    sign_is_seen()
