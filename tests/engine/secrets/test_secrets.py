"""Secrets are found where they are, the value alone, and nothing that only looks like one."""

import re

import pytest

from policies.engine.findings import Finding, Report, View
from policies.engine.secrets import Secrets
from policies.engine.secrets.providers import SHAPES
from policies.engine.secrets.samples import SAMPLES
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
        seen = SCANNER.scan(f" {token} ").get(FAMILY.name, set())
        assert any(
            f"shape.{number}" in seen for number, other in enumerate(SHAPES) if other is shape
        )

    sign_is_seen()
