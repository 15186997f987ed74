"""The index over policies may only save work: its answer is that of a plain loop over all."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from policies.engine.analysis import Analysis
from policies.engine.decision import decide
from policies.engine.findings import Finding
from policies.engine.nodes import Inputs
from policies.engine.operation import Operation, Phase
from policies.engine.policy import CompiledPolicy, PolicySpec
from policies.engine.policyset import PolicySet

WORDS = ["prod", "PROD", "drop table", "é", "ᲀ", "в", "a\vb", "rm", "", "x y"]
KINDS = ["pii.ssn", "pii.email", "sql.injection", "secret.token"]
LEAVES = st.one_of(
    st.builds(
        lambda field, operator, value: {"field": field, "operator": operator, "value": value},
        st.sampled_from(["query", "response", "text"]),
        st.sampled_from(
            ["contains", "equals", "not_equals", "not_contains", "starts_with", "ends_with"]
        ),
        st.sampled_from([word for word in WORDS if word]),
    ),
    st.builds(
        lambda field, value: {"field": field, "operator": "matches", "value": value},
        st.sampled_from(["query", "text", "context.a"]),
        st.sampled_from(
            [r"a\Sb", r"\bprod", "в", r"[^\s]", r"drop\s+table", "(?-i)PROD", r"\pL", "x*"]
        ),
    ),
    st.builds(
        lambda kind: {"field": "text", "operator": "detects", "value": kind},
        st.sampled_from([*KINDS, "pii", "sql", "secret"]),
    ),
    st.builds(
        lambda field, operator, value: {"field": field, "operator": operator, "value": value},
        st.sampled_from(["tool", "user_id", "context.a", "sql.table"]),
        st.sampled_from(["equals", "not_equals"]),
        st.sampled_from(["prod", "1", 1, 1.0, True, "true"]),
    ),
    st.builds(
        lambda field, operator, value: {"field": field, "operator": operator, "value": value},
        st.sampled_from(["tool", "query", "context.a", "sql.table"]),
        st.sampled_from(["in", "not_in"]),
        st.lists(st.sampled_from(["prod", "rm", 1, True]), min_size=1, max_size=3),
    ),
    st.builds(
        lambda field, value: {"field": field, "operator": "exists", "value": value},
        st.sampled_from(["query", "context.a", "sql.table"]),
        st.booleans(),
    ),
)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda nodes: {"all": nodes}),
        st.lists(inner, min_size=1, max_size=3).map(lambda nodes: {"any": nodes}),
        inner.map(lambda node: {"not": node}),
    ),
    max_leaves=6,
)
INPUTS = st.builds(
    lambda text, phase, tool, user, value, kinds, tables: Inputs(
        Operation(
            text=text,
            phase=phase,
            tool=tool,
            fields={"user_id": user, "context": {"a": value}},
        ),
        Analysis(
            findings=tuple(
                Finding(kind=kind, rule="r", start=0, end=0, confidence=1.0, reason="x")
                for kind in kinds
            ),
            facts={"sql.table": tuple(tables)} if tables else {},
        ),
    ),
    st.lists(st.sampled_from(WORDS), max_size=3).map(" ".join),
    st.sampled_from(Phase),
    st.sampled_from(["prod", "rm", ""]),
    st.sampled_from(["prod", "1", ""]),
    st.sampled_from(["prod", 1, 1.0, True, "true", None, ["rm", 1]]),
    st.lists(st.sampled_from(KINDS), max_size=2),
    st.lists(st.sampled_from(["prod", "rm", "1"]), max_size=2),
)


def compiled(trees: list[Any]) -> list[CompiledPolicy]:
    return [
        CompiledPolicy(
            PolicySpec(
                id=str(number), name=f"p{number}", conditions=tree, actions=[{"type": "log"}]
            )
        )
        for number, tree in enumerate(trees)
    ]


def matching(policies: list[CompiledPolicy], inputs: Inputs) -> list[str]:
    return [policy.spec.name for policy in policies if policy.node.test(inputs)]


@settings(max_examples=400, deadline=None)
@given(trees=st.lists(TREES, min_size=1, max_size=8), inputs=INPUTS)
def test_without_a_prefilter_the_candidates_hold_every_match(
    trees: list[Any], inputs: Inputs
) -> None:
    policies = compiled(trees)

    found = matching(PolicySet(policies).candidates(inputs), inputs)

    assert found == matching(policies, inputs)


@settings(max_examples=40, deadline=None)
@given(
    trees=st.lists(TREES, min_size=1, max_size=8),
    newer=st.lists(TREES, max_size=2),
    each=st.lists(INPUTS, min_size=1, max_size=15),
)
def test_behind_a_prefilter_and_with_newer_policies_too(
    trees: list[Any], newer: list[Any], each: list[Inputs]
) -> None:
    complete = PolicySet(compiled(trees)).with_prefilter()
    policies = compiled([*trees, *newer])
    overlaid = PolicySet(policies, prefilter=complete.prefilter)

    for inputs in each:
        plain = matching(policies, inputs)
        assert matching(overlaid.candidates(inputs), inputs) == plain
        older = matching(list(complete.policies), inputs)
        assert matching(complete.candidates(inputs), inputs) == older


def test_only_policies_whose_anchor_is_there_are_tested() -> None:
    leaf = {"field": "query", "operator": "contains", "value": "production"}
    policies = compiled(
        [
            [leaf],
            [leaf, {"field": "tool", "operator": "equals", "value": "Bash"}],
            [{"field": "text", "operator": "detects", "value": "pii"}],
            [{"field": "user_id", "operator": "in", "value": ["ada", "bob"]}],
            [{"not": leaf}],
        ]
    )
    whole = PolicySet(policies).with_prefilter()
    inputs = Inputs(Operation(text="staging", fields={"user_id": "bob"}), Analysis(facts={}))

    names = [policy.spec.name for policy in whole.candidates(inputs)]

    assert names == ["p3", "p4"]
    assert whole.is_complete


def test_a_set_carries_its_revision_into_the_decision() -> None:
    policies = PolicySet([], revision=41).with_prefilter()

    assert decide(Operation(text="ls"), policies).policy_revision == 41
