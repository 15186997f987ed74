"""A policy as the engine reads it: actions, whom it applies to, and whom it is rolled out to."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from policies.engine.conditions import ConditionsError
from policies.engine.operation import Operation, Phase
from policies.engine.policy import (
    ActionType,
    CompiledPolicy,
    PolicySpec,
    compile_actions,
    compile_selector,
)
from policies.engine.redaction import Style

ANY = [{"field": "phase", "operator": "exists", "value": True}]


def spec(**changes: Any) -> PolicySpec:
    return PolicySpec(
        **{"id": "p1", "name": "p", "conditions": ANY, "actions": [{"type": "block"}], **changes}
    )


@pytest.mark.parametrize(
    ("applies_to", "hit", "miss"),
    [
        ({"tools": ["Bash"]}, "Bash", "BashOutput"),
        ({"tools": ["bash"]}, "BASH", "Read"),
        ({"tools": ["mcp__*"]}, "mcp__db__query", "xmcp__db"),
        ({"tools": ["*__query"]}, "mcp__db__query", "mcp__db__queries"),
        ({"tools": ["mcp__*__query"]}, "mcp__db__query", "mcp__query"),
        ({"tools": ["*"]}, "anything", None),
        ({"tools": ["a.b*"]}, "a.bc", "axbc"),
        ({"tools": ["é*"]}, "Éa", "e"),
        ({"tools": ["Read", "mcp__*"]}, "MCP__x", "Bash"),
        ({"not_tools": ["Write", "Edit*"]}, "Bash", "EditFile"),
        ({"not_tools": ["write"]}, "Bash", "Write"),
        ({"phases": ["before"]}, "Bash", None),
        ({}, "Bash", None),
    ],
    ids=str,
)
def test_a_policy_applies_to_the_tools_it_names(
    applies_to: dict[str, Any], hit: str, miss: str | None
) -> None:
    selector = compile_selector(applies_to) or (lambda operation: True)

    assert selector(Operation(text="", tool=hit))
    if miss is not None:
        assert not selector(Operation(text="", tool=miss))


@pytest.mark.parametrize(
    ("applies_to", "expected"),
    [
        ({"clients": ["agent-*"]}, True),
        ({"clients": ["other"]}, False),
        ({"not_clients": ["agent-*"]}, False),
        ({"teams": ["ops"]}, True),
        ({"teams": ["dev"]}, False),
        ({"users": ["ada", "bob"]}, True),
        ({"users": ["eve"]}, False),
        ({"phases": ["after"]}, False),
        ({"tools": ["Bash"], "users": ["ada"], "phases": ["before"]}, True),
        ({"tools": ["Bash"], "users": ["eve"]}, False),
        ({"tools": [], "users": None}, True),
    ],
    ids=str,
)
def test_all_that_is_named_must_hold(applies_to: dict[str, Any], expected: bool) -> None:
    operation = Operation(
        text="", tool="Bash", fields={"client_id": "agent-7", "team": "ops", "user_id": "ada"}
    )
    selector = compile_selector(applies_to) or (lambda operation: True)

    assert selector(operation) is expected


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        ({"tool": ["Bash"]}, "applies_to.tool"),
        ({"tools": "Bash"}, "applies_to.tools"),
        ({"tools": [""]}, "applies_to.tools"),
        ({"tools": [7]}, "applies_to.tools"),
        ({"tools": ["x"] * 101}, "applies_to.tools"),
        ({"tools": ["x" * 201]}, "applies_to.tools"),
        ({"phases": ["during"]}, "applies_to.phases"),
        (["Bash"], "applies_to"),
    ],
    ids=str,
)
def test_a_selection_that_cannot_be_is_refused(raw: Any, path: str) -> None:
    with pytest.raises(ConditionsError) as refused:
        compile_selector(raw)

    assert path in dict(refused.value.errors)


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ({"type": "block", "message": "a"}, "a"),
        ({"type": "block", "config": {"message": "b"}}, "b"),
        ({"type": "block", "config": {"reason": "c"}}, "c"),
        ({"type": "block", "message": "a", "config": {"message": "b"}}, "a"),
        ({"type": "block"}, ""),
        ({"type": "block", "config": "x"}, ""),
    ],
    ids=str,
)
def test_a_message_stands_in_any_of_its_places(item: dict[str, Any], message: str) -> None:
    assert compile_actions([item])[0].message == message


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        (None, "actions"),
        ([], "actions"),
        ("block", "actions"),
        ([{"type": "block"}] * 11, "actions"),
        (["block"], "actions.0"),
        ([{}], "actions.0.type"),
        ([{"type": "route"}], "actions.0.type"),
        ([{"type": {}}], "actions.0.type"),
        ([{"type": "block", "message": 7}], "actions.0.message"),
        ([{"type": "block", "message": "m" * 1_001}], "actions.0.message"),
        ([{"type": "block", "phase": "later"}], "actions.0.phase"),
        ([{"type": "block", "phase": ["before"]}], "actions.0.phase"),
        ([{"type": "log"}, {"type": "block", "approvers": "ops"}], "actions.1.approvers"),
        ([{"type": "block", "approvers": [""]}], "actions.0.approvers"),
    ],
    ids=str,
)
def test_an_action_that_cannot_be_is_refused(raw: Any, path: str) -> None:
    with pytest.raises(ConditionsError) as refused:
        compile_actions(raw)

    assert path in dict(refused.value.errors)


def test_an_action_may_be_of_one_phase() -> None:
    policy = CompiledPolicy(
        spec(actions=[{"type": "warn", "phase": "before"}, {"type": "redact", "phase": "after"}])
    )

    before, after = policy.action(Phase.BEFORE), policy.action(Phase.AFTER)

    assert before is not None
    assert after is not None
    assert (before.type, after.type) == (ActionType.WARN, ActionType.REDACT)
    only_after = CompiledPolicy(spec(actions=[{"type": "block", "phase": "after"}]))
    assert only_after.action(Phase.BEFORE) is None


def test_a_stored_policy_that_cannot_be_read_blocks_with_a_reason() -> None:
    policy = CompiledPolicy.of(spec(conditions=[{"field": "gone"}], applies_to={"tools": ["x"]}))

    action = policy.action(Phase.BEFORE)

    assert action is not None
    assert action.type == ActionType.BLOCK
    assert "cannot be read" in action.message
    assert policy.selector is None


def test_a_growing_rollout_keeps_whom_it_had() -> None:
    subjects = [f"user-{number}" for number in range(500)]
    reached = [
        {s for s in subjects if CompiledPolicy(spec(rollout_percent=percent)).rolled_out_to(s)}
        for percent in (0, 10, 50, 99, 100)
    ]

    assert reached[0] == set()
    assert reached[-1] == set(subjects)
    assert all(fewer <= more for fewer, more in pairwise(reached))
    assert 25 <= len(reached[1]) <= 80


def test_two_policies_are_rolled_out_to_different_subjects() -> None:
    subjects = [f"user-{number}" for number in range(500)]
    first, second = (CompiledPolicy(spec(id=each, rollout_percent=50)) for each in ("p1", "p2"))

    same = sum(first.rolled_out_to(s) == second.rolled_out_to(s) for s in subjects)

    assert 200 < same < 300


@pytest.mark.parametrize("style", list(Style))
def test_a_redaction_names_its_style(style: Style) -> None:
    (action,) = compile_actions([{"type": "redact", "style": style.value}])

    assert action.style is style


def test_a_redaction_without_a_style_leaves_it_to_others() -> None:
    (action,) = compile_actions([{"type": "redact"}])

    assert action.style is None


@pytest.mark.parametrize(
    ("item", "says"),
    [
        ({"type": "redact", "style": "blur"}, "keep_last4"),
        ({"type": "redact", "style": None}, "Styles are"),
        ({"type": "redact", "style": ["hash"]}, "Styles are"),
        ({"type": "block", "style": "hash"}, "Only redact"),
    ],
    ids=str,
)
def test_a_style_that_cannot_be_is_refused(item: dict[str, Any], says: str) -> None:
    with pytest.raises(ConditionsError) as refused:
        compile_actions([item])

    assert says in dict(refused.value.errors)["actions.0.style"]
