"""No input makes the shell family fail, or take more than a bounded time."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.engine.findings import Report, View
from policies.engine.shell import Shell
from policies.engine.shell.verbs import RULES

BUDGET_S = 5.0  # for 100 kB on a busy machine; alone it takes a tenth
ALL_SIGNS = frozenset(sign.name for sign in Shell.signs)
UNITS = [
    "(",
    "'",
    '"',
    '"$(',
    "$(",
    "${a:-",
    "`",
    "{a,b}",
    "a|",
    "[[ ",
    "cat <<A\n",
    "if ",
    "a=1 ",
    "case x in ",
    "$((",
    "<(",
    "sudo ",
    "eval ",
    "rm -rf /;",
    "echo x|base64 -d|",
    "\\",
    "\x00",
    "powershell -c iex;",
    "find . -exec ",
    "git -c a=b ",
    "`a`",
    "a$@",
    "> ",
    "! ",
    "((a ",
    "env A=b ",
    "ln -s / x;",
    "f(){ ",
    "${x//a/b}",
    "curl -o f u;sh f;",
]


def examine(text: str) -> Report:
    report = Report()
    Shell().examine(View(text=text, offset=0, language="shell"), ALL_SIGNS, report)
    return report


@pytest.mark.parametrize("unit", UNITS)
def test_a_hundred_kilobytes_of_one_thing_take_bounded_time(unit: str):
    text = unit * (100_000 // len(unit))

    start = time.perf_counter()
    examine(text)

    assert time.perf_counter() - start < BUDGET_S


def test_what_is_too_deep_to_read_is_opaque():
    report = examine("$(" * 200 + "rm -rf /")

    assert report.truncated
    assert "truncated" in report.facts["shell.opaque"]


def test_a_long_chain_is_read_to_its_end():
    report = examine("ls; " * 400 + "rm -rf /opt")

    assert [finding.rule for finding in report.findings] == ["delete_broad"]


@settings(max_examples=200, deadline=None)
@given(
    st.text(
        alphabet=st.sampled_from("'\"`(){}$;|&<>\\\n =#*~-/rmsheval1\x00Ａ\u200b"), max_size=150
    )
)
def test_any_text_gives_findings_inside_itself(text: str):
    for finding in examine(text).findings:
        assert 0 <= finding.start <= finding.end <= len(text)


def test_what_is_past_the_limits_is_scanned_for_the_gravest_commands():
    report = examine("true\n" * 3_000 + "rm -rf /srv\n")

    assert report.truncated
    assert [(found.rule, found.confidence) for found in report.findings] == [("delete_broad", 0.5)]


@pytest.mark.parametrize("spelling", [str.upper, str.title, lambda name: f"{name}.sh"])
def test_every_program_may_be_written_another_way(spelling):
    for name in RULES:
        examine(f"{spelling(name)} -x a /b --c=d; {spelling(name)}")
