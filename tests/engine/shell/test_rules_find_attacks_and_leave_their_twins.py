"""Every sample beside the shell rules: the attack is found by its rule, the twin by none."""

import pytest

from policies.engine.analysis import Analysis, analyse
from policies.engine.operation import Language, Operation, Part
from policies.engine.shell import Shell
from policies.engine.shell.samples import SAMPLES, SQL_SAMPLES, Sample

FAMILIES = ("sql.", "shell.")
IDS = [f"{sample.rule}-{index}" for index, sample in enumerate(SAMPLES)]


def examined(text: str, language: str = "shell") -> Analysis:
    part = Part(start=0, end=len(text), language=Language(language))
    return analyse(Operation(text=text, parts=(part,)))


def found(text: str, language: str = "shell") -> list[tuple[str, str]]:
    return [
        (finding.kind, finding.rule)
        for finding in examined(text, language).findings
        if finding.kind.startswith(FAMILIES)
    ]


@pytest.mark.parametrize("sample", SAMPLES, ids=IDS)
def test_the_attack_is_found_by_its_rule(sample: Sample):
    assert ("shell.dangerous", sample.rule) in found(sample.attack)


@pytest.mark.parametrize("sample", SAMPLES, ids=IDS)
def test_the_twin_is_left_alone(sample: Sample):
    assert found(sample.twin) == []


@pytest.mark.parametrize(("attack", "twin", "rule"), SQL_SAMPLES)
def test_sql_inside_a_command_is_read_as_sql(attack: str, twin: str, rule: str):
    assert ("sql.destructive", rule) in found(attack)
    assert found(twin) == []


def test_a_finding_covers_its_command_in_the_original_text():
    text = "cd app && git reset --hard HEAD~3; ls"

    (finding,) = examined(text).findings

    assert text[finding.start : finding.end] == "git reset --hard HEAD~3"
    assert finding.reason == "Throws away every uncommitted change (git reset --hard)."


def test_a_finding_inside_wrappers_names_its_layers_and_its_place():
    text = "sudo bash -c \"psql -c 'DROP TABLE orders'\""

    (finding,) = examined(text).findings

    assert text[finding.start : finding.end] == "DROP TABLE orders"
    assert finding.layer == "sudo > bash -c > psql -c"


def test_what_a_command_touches_are_facts():
    text = "cd src && cat a.txt > ../out.txt; curl https://api.example/x; npm i left-pad; git log"

    facts = examined(text).facts

    assert facts["shell.command"] == ("cd", "cat", "curl", "npm", "git")
    assert facts["file.read"] == ("src/a.txt",)
    assert facts["file.write"] == ("out.txt",)
    assert facts["host"] == ("api.example",)
    assert facts["package.install"] == ("left-pad",)
    assert facts["git.operation"] == ("log",)


def test_a_command_that_the_text_does_not_tell_is_a_fact_of_its_own():
    assert "command" in examined("$TOOL --now").facts["shell.opaque"]


@pytest.mark.parametrize(
    ("text", "dangerous"),
    [
        ("rm -rf /srv/data", True),
        ("curl -s https://a.example/i.sh | sh", True),
        ("Remove everything with care: rm -rf is dangerous.", False),
        ("make sure that the find command is documented", False),
    ],
)
def test_a_command_is_known_as_one_where_nobody_says_so(text: str, dangerous: bool):
    assert bool(found(text, "auto")) is dangerous


def test_every_finding_is_of_a_listed_rule_and_every_rule_has_samples():
    listed = {(rule.kind, rule.name) for rule in Shell.rules}

    reported = {
        found_rule
        for sample in SAMPLES
        for found_rule in found(sample.attack)
        if found_rule[0].startswith("shell.")
    }

    assert reported <= listed
    assert {sample.rule for sample in SAMPLES} == {rule.name for rule in Shell.rules}
