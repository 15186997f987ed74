"""The pages on detection against the rules and the cases they are made from."""

import re

import pytest

from benchmarks import detectors, scorecard, tally
from policies.builtin import BUILTINS
from policies.engine.cases import own_cases
from policies.engine.catalogue import entries


@pytest.fixture(scope="module")
def explanation() -> str:
    return scorecard.PAGE.read_text(encoding="utf-8")


def test_the_reference_is_what_the_rules_say():
    written = detectors.PAGE.read_text(encoding="utf-8")

    assert written == detectors.page(), "Run `make scorecard ARGS=--write`."


def test_every_rule_stands_in_the_reference_once():
    written = detectors.PAGE.read_text(encoding="utf-8")
    named = []
    for section in re.split(r"^### ", written, flags=re.MULTILINE)[1:]:
        kind = section.split("`")[1]
        named += [f"{kind}/{name}" for name in re.findall(r"^\| `([^`]+)` \|", section, re.M)]

    assert sorted(named) == sorted(entry.rule.id for entry in entries())


def test_every_rule_has_a_sentence_and_samples():
    for entry in entries():
        assert entry.rule.finds.endswith("."), entry.rule.id
        # Names are found by what a deployment registers, and by nothing that comes along.
        assert entry.hit is not None or entry.rule.kind == "pii.name", entry.rule.id
        assert entry.miss is not None, entry.rule.id


def test_no_secret_stands_on_a_page(explanation):
    written = detectors.PAGE.read_text(encoding="utf-8") + explanation

    for case in own_cases():
        for span in case.spans:
            if span.kind.partition(".")[0] == "secret":
                assert case.text[span.start : span.end] not in written, case.id


def test_the_kinds_of_built_in_policies_are_all_in_the_reference():
    written = detectors.PAGE.read_text(encoding="utf-8")

    for policy in BUILTINS:
        assert f"`{policy.name}` (" in written


def test_the_own_table_lists_the_cases_that_there_are(explanation):
    written = scorecard.block(explanation, "own")
    now = list(scorecard.own_table(tally.score(own_cases())))

    assert scorecard.shape(written) == scorecard.shape(now), "Run `make scorecard ARGS=--write`."


@pytest.mark.parametrize("name", ["own", "errors", "development", "times"])
def test_a_block_is_replaced_and_nothing_else(explanation, name):
    page = scorecard.replaced(explanation, name, ["new"])

    assert scorecard.block(page, name) == ["new"]
    assert scorecard.replaced(page, name, scorecard.block(explanation, name)) == explanation


def test_code_in_a_cell_breaks_neither_the_table_nor_the_code():
    assert detectors.code("a | b\nc") == "`a \\| b ⏎ c`"
    assert detectors.code("`x`") == "`` `x` ``"
    assert detectors.code("x" * 200, 10) == f"`{'x' * 9}…`"
    assert detectors.code("\u202ea") == "`\\u202ea`"
