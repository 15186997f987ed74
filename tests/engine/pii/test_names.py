"""Names are found by a registered finder, and by nothing else."""

import re

import pytest

from policies.engine.pii import names
from policies.engine.pii.rules import RULES
from tests.engine.pii.test_personal_data import examine, report_of


class Directory:
    """Finds the names of two persons."""

    def find(self, text):
        for match in re.finditer("Ada Roe|Bo Chen", text):
            yield *match.span(), 0.8


class Broken:
    """Gives offsets that are none, then fails."""

    def find(self, text):
        yield 5, 2, 1.0
        yield 0, len(text) + 1, 1.0
        raise RuntimeError("no model")


@pytest.fixture
def registered():
    def register(finder):
        names.register(finder)

    yield register
    names.unregister()


def test_no_name_is_looked_for_by_default():
    assert examine("Ada Roe signed") == []


def test_every_name_that_the_finder_tells_is_a_finding(registered):
    registered(Directory())

    found = examine("Ada Roe and Bo Chen signed")

    assert [(f.kind, f.rule, f.start, f.end) for f in found] == [
        ("pii.name", "name.registered", 0, 7),
        ("pii.name", "name.registered", 12, 19),
    ]
    assert found[0].confidence == 0.8
    assert f"{found[0].kind}/{found[0].rule}" in {rule.id for rule in RULES}


def test_a_finder_that_fails_is_told_not_hidden(registered):
    registered(Broken())

    report = report_of("ssn 536-22-8726")

    assert [f.kind for f in report.findings] == ["pii.ssn"]
    assert report.truncated


def test_a_finder_sees_a_bounded_text(registered):
    registered(Directory())

    report = report_of("x" * names.MAX_TEXT + " Ada Roe")

    assert report.findings == []
    assert report.truncated


def test_a_name_never_covers_what_another_rule_found(registered):
    class Everything:
        def find(self, text):
            yield 0, len(text), 0.9

    registered(Everything())

    assert [f.kind for f in examine("ssn 536-22-8726")] == ["pii.ssn"]
