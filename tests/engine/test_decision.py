"""From matches to the answer: verdict, reason, redactions and the snapshot."""

from __future__ import annotations

import json
from itertools import permutations
from typing import Any

import pytest

from policies.engine.analysis import analyse
from policies.engine.decision import (
    MAX_REASONS,
    MAX_SHOWN_EVIDENCE,
    Decision,
    Verdict,
    complete,
    decide,
    snapshot,
)
from policies.engine.findings import MAX_FINDINGS, Finding
from policies.engine.operation import Operation, Phase
from policies.engine.policy import ActionType, CompiledPolicy, PolicySpec
from policies.engine.policyset import PolicySet
from policies.engine.redaction import Style, redact

PROD = [{"field": "text", "operator": "contains", "value": "prod"}]


def policy(name: str, *actions: Any, conditions: Any = PROD, **more: Any) -> CompiledPolicy:
    return CompiledPolicy(
        PolicySpec(
            id=name,
            name=name,
            conditions=conditions,
            actions=[{"type": action} if isinstance(action, str) else action for action in actions],
            **more,
        )
    )


def decided(*policies: CompiledPolicy, text: str = "prod", phase: Phase = Phase.BEFORE) -> Decision:
    return decide(Operation(text=text, phase=phase), PolicySet(policies))


@pytest.mark.parametrize("order", list(permutations(["allow", "log", "warn", "redact"])), ids=str)
def test_without_a_block_or_a_hold_it_may_run_and_all_are_named(order: tuple[str, ...]) -> None:
    answer = decided(*(policy(action, action) for action in order))

    assert answer.verdict == Verdict.ALLOW
    assert answer.action == ActionType.REDACT
    assert answer.policies == ["redact", "warn", "log", "allow"]
    assert answer.reason == ""


@pytest.mark.parametrize(
    "others", list(permutations(["allow", "log", "warn", "redact"], 2)), ids=str
)
def test_a_hold_outweighs_all_but_a_block(others: tuple[str, ...]) -> None:
    weaker = [policy(action, action, priority=1000) for action in others]

    held = decided(*weaker, policy("hold", "require_approval", priority=0))
    denied = decided(*weaker, policy("hold", "require_approval"), policy("b", "block", priority=0))

    assert (held.verdict, held.policies[0]) == (Verdict.HOLD, "hold")
    assert (denied.verdict, denied.policies[:2]) == (Verdict.DENY, ["b", "hold"])


def test_nothing_matching_is_allowed_without_an_action() -> None:
    answer = decided(policy("block", "block"), text="staging")

    assert (answer.verdict, answer.action, answer.policies, answer.reason) == (
        Verdict.ALLOW,
        None,
        [],
        "",
    )
    assert not answer.allows_outright


@pytest.mark.parametrize(
    ("actions", "expected"),
    [
        (["allow"], True),
        (["allow", "log"], True),
        (["log"], False),
        (["allow", "warn"], False),
        (["allow", "redact"], False),
        (["allow", "block"], False),
    ],
    ids=str,
)
def test_an_outright_allow_has_nothing_stricter_beside_it(
    actions: list[str], expected: bool
) -> None:
    answer = decided(*(policy(action, action) for action in actions))

    assert answer.allows_outright is expected


def test_the_reason_is_of_the_deciding_policies_and_bounded() -> None:
    blocks = [policy(f"b{n}", {"type": "block", "message": f"Reason {n}"}) for n in range(5)]

    answer = decided(*blocks, policy("w", {"type": "warn", "message": "A warning"}))

    assert answer.reason == "Reason 0; Reason 1; Reason 2"
    assert MAX_REASONS == 3
    assert len(answer.policies) == 6


def test_the_same_sentence_is_said_once() -> None:
    answer = decided(*(policy(n, {"type": "block", "message": "No"}) for n in ("a1", "a2")))

    assert answer.reason == "No"


def test_a_hold_names_its_approvers() -> None:
    answer = decided(
        policy("a", {"type": "require_approval", "message": "Ask.", "approvers": ["ops", "sec"]})
    )

    assert answer.reason == "require_approval: Ask. Approvers: ops, sec."


def test_an_action_of_the_other_phase_is_no_match() -> None:
    after_only = policy("a", {"type": "block", "phase": "after"})

    assert decided(after_only).policies == []
    assert decided(after_only, phase=Phase.AFTER).verdict == Verdict.DENY


def test_a_second_look_takes_the_same_kinds_and_what_the_first_has_brought_together() -> None:
    text = "SSN jane@corp-mail.com, 219551234 and DE89 3704 0044 0532 0130 00"
    condition = [{"field": "text", "operator": "detects", "value": "pii.email"}]
    answer = decided(policy("mail", "redact", conditions=condition), text=text)
    after = text.replace("jane@corp-mail.com", "") + " kim@corp-mail.com"

    left = answer.left_over(analyse(Operation(text=after)).findings)

    # The account number was there before, and no policy took it out.
    assert [found.kind for found in answer.redactions] == ["pii.email"]
    assert [found.kind for found in left] == ["pii.ssn", "pii.email"]


def test_a_redacting_policy_takes_out_every_place_it_matched() -> None:
    text = "ids CUST-1, cust-22 and é CUST-333"
    condition = [{"field": "query", "operator": "matches", "value": r"CUST-\d+"}]

    answer = decided(policy('the "ids"', "redact", conditions=condition), text=text)

    assert answer.requires_redaction
    assert [text[found.start : found.end] for found in answer.redactions] == [
        "CUST-1",
        "cust-22",
        "CUST-333",
    ]
    assert redact(text, answer.redactions).text == "ids [THE_IDS_], [THE_IDS_] and é [THE_IDS_]"


def test_a_placeholder_leaves_json_json() -> None:
    text = json.dumps({"id": "CUST-1", "note": 'a "quoted" CUST-2'})
    condition = [{"field": "query", "operator": "matches", "value": r"CUST-\d+"}]

    answer = decided(policy('a "name"\\', "redact", conditions=condition), text=text)

    kept = redact(text, answer.redactions).text
    assert json.loads(kept) == {"id": "[A_NAME_]", "note": 'a "quoted" [A_NAME_]'}


def test_a_list_of_findings_that_was_cut_stands_for_the_whole_text() -> None:
    finding = Finding(kind="pii.email", rule="r", start=1, end=2, confidence=1.0, reason="x")

    whole = complete([finding] * MAX_FINDINGS, 7_000)
    short = complete([finding] * 3, 7_000)

    assert [(each.start, each.end) for each in whole] == [(0, 7_000)]
    assert redact("x" * 7_000, whole).text == "[WITHHELD]"
    assert short == [finding] * 3


def test_a_snapshot_is_json_that_holds_no_text_of_the_operation() -> None:
    text = "psql -c 'DROP TABLE zebra' # prod"

    answer = decide(
        Operation(text=text, tool="Bash"),
        PolicySet([policy("block", "block"), policy("obs", "block", mode="observe")], revision=3),
    )

    shot = json.loads(json.dumps(snapshot(answer)))
    assert shot["policies"] == 3
    assert [match["decided_by"] for match in shot["matches"]] == ["policy", "observe mode"]
    assert [match["written_action"] for match in shot["matches"]] == ["block", "block"]
    assert shot["matches"][0]["evidence"] == [
        {"path": "conditions.0", "start": 29, "end": 33, "kind": ""}
    ]
    del shot["facts"], shot["findings"]
    assert "DROP" not in json.dumps(shot)


def test_a_snapshot_keeps_a_bounded_number_of_places() -> None:
    answer = decided(policy("block", "block"), text="prod " * 500)

    shot = snapshot(answer)

    assert len(answer.matches[0].evidence) == 500
    assert len(shot["matches"][0]["evidence"]) == MAX_SHOWN_EVIDENCE


def test_a_redacting_policy_says_what_stands_in_the_places() -> None:
    text = "ssn 536-22-8726, jane@corp-mail.com, id 7788"
    answer = decided(
        policy(
            "numbers",
            {"type": "redact", "style": "keep_last4"},
            conditions=[{"field": "query", "operator": "detects", "value": "pii.ssn"}],
        ),
        policy(
            "ids",
            {"type": "redact", "style": "drop"},
            conditions=[{"field": "query", "operator": "matches", "value": "id [0-9]+"}],
        ),
        text=text,
    )

    assert answer.styles == {"pii.ssn": Style.KEEP_LAST_FOUR, "policy.ids": Style.DROP}
    assert redact(text, answer.redactions, style=answer.styles).text == (
        "ssn ***-**-8726, jane@corp-mail.com, "
    )


@pytest.mark.parametrize("order", list(permutations(["placeholder", "keep_last4", "hash"])))
def test_of_several_redacting_policies_the_strictest_style_counts(order: tuple[str, ...]) -> None:
    condition = [{"field": "query", "operator": "detects", "value": "pii.ssn"}]
    answer = decided(
        *(
            policy(style, {"type": "redact", "style": style}, conditions=condition)
            for style in order
        ),
        text="ssn 536-22-8726",
    )

    assert answer.styles == {"pii.ssn": Style.PLACEHOLDER}


def test_a_policy_without_a_style_leaves_it_to_those_that_name_one() -> None:
    condition = [{"field": "query", "operator": "detects", "value": "pii.ssn"}]
    silent = policy("built-in", "redact", conditions=condition)
    named = policy("own", {"type": "redact", "style": "keep_last4"}, conditions=condition)

    assert decided(silent, text="536-22-8726").styles == {}
    assert decided(silent, named, text="536-22-8726").styles == {"pii.ssn": Style.KEEP_LAST_FOUR}


def test_a_policy_that_only_observes_has_no_style() -> None:
    condition = [{"field": "query", "operator": "detects", "value": "pii.ssn"}]
    answer = decided(
        policy("a", {"type": "redact", "style": "drop"}, conditions=condition, mode="observe"),
        text="ssn 536-22-8726",
    )

    assert answer.styles == {}
