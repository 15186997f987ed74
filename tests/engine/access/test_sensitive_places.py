"""Files and hosts that a tool names: what needs a person, and what does not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.engine.access import normal
from policies.engine.access.rules import RULES
from policies.engine.access.samples import SAMPLES, Sample
from policies.engine.analysis import Analysis, analyse
from policies.engine.operation import Language, Operation, Part


def examined(text: str, language: str) -> Analysis:
    part = Part(start=0, end=len(text), language=Language(language))
    return analyse(Operation(text=text, parts=(part,)))


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.attack)
def test_each_rule_finds_its_place_and_leaves_its_twin(sample: Sample) -> None:
    found = [(one.kind, one.rule) for one in examined(sample.attack, sample.language).findings]

    assert found == [(sample.kind, sample.rule)]
    assert not examined(sample.twin, sample.language).findings


def test_every_rule_has_a_sample():
    assert {rule.name for rule in RULES} == {sample.rule for sample in SAMPLES}


@pytest.mark.parametrize(
    ("text", "language", "fact", "value"),
    [
        ("/home/kim/shop/../notes.md", "read_path", "file.read", "/home/kim/notes.md"),
        ("src/app.py", "path", "file.write", "src/app.py"),
        ("https://api.shop.dev:8443/v1?x=1", "url", "host", "api.shop.dev"),
        ("http://[2001:db8::1]/", "url", "host", "2001:db8::1"),
    ],
)
def test_what_is_touched_is_a_fact(text, language, fact, value):
    assert examined(text, language).facts[fact] == (value,)


@pytest.mark.parametrize(
    "path",
    [
        "/home/kim/shop/%2e%2e/%2essh/id_rsa",
        "/home/kim/.ssh/id_r\u200bsa",
        "/home/kim/.ssh/./id_rsa",
    ],
    ids=["percent", "hidden character", "dot"],
)
def test_a_disguised_path_is_the_path_that_it_means(path):
    assert [one.rule for one in examined(path, "read_path").findings] == ["credential_read"]


@given(st.text(max_size=60), st.sampled_from(["path", "read_path", "url"]))
def test_any_text_is_read(text, language):
    for finding in examined(text, language).findings:
        assert 0 <= finding.start <= finding.end <= len(text)
    assert normal(normal(text)) == normal(text)
