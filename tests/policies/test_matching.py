"""Promise 1: every match counts, the most restrictive action wins, and the answer says why."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest
from pytest_django import Settings

from axonportal.accounts.models import Tenant
from axonportal.common import changes
from policies.models import Policy
from tests.factories import saved_policy
from tests.gateway.calling import Api

ACTIONS = ("log", "warn", "redact", "require_approval", "block")
APPROVED = {"log", "warn", "redact"}


@pytest.mark.parametrize("order", list(permutations(ACTIONS, 2)), ids="-".join)
@pytest.mark.parametrize("priorities", [(1000, 0), (0, 1000), (5, 5)], ids=str)
def test_of_two_matches_the_stricter_wins_whatever_comes_first(
    api: Api, tenant: Tenant, order: tuple[str, str], priorities: tuple[int, int]
) -> None:
    for action, priority in zip(order, priorities, strict=True):
        saved_policy(tenant, name=f"to {action}", actions=[{"type": action}], priority=priority)
    strictest = max(order, key=ACTIONS.index)

    answer = api.pre_check("production")

    assert answer["approved"] is (strictest in APPROVED)
    assert answer["policies"] == [
        f"to {action}" for action in sorted(order, key=ACTIONS.index, reverse=True)
    ]
    assert {match["action"] for match in answer["matches"]} == set(order)


def test_a_log_never_hides_a_block(api: Api, tenant: Tenant) -> None:
    saved_policy(tenant, name="logging", actions=[{"type": "log"}], priority=1000)
    saved_policy(tenant, name="blocking", priority=0)
    saved_policy(tenant, name="allowing", actions=[{"type": "allow"}], priority=1000)

    answer = api.pre_check("production")

    assert answer["approved"] is False
    assert answer["policies"] == ["blocking", "logging", "allowing"]


def test_all_matches_of_all_kinds_are_reported(api: Api, tenant: Tenant) -> None:
    saved_policy(tenant)

    answer = api.pre_check(
        "/* for jane.roe@acme-corp.com, ssn 536-22-8726 */ DROP TABLE production; --"
    )

    assert set(answer["policies"]) == {
        "no-production",
        "dangerous_query_blocking",
        "sql_injection_detection",
        "pii_email_detection",
        "pii_ssn_detection",
    }
    assert answer["approved"] is False
    assert answer["requires_redaction"] is True
    for sentence in ("Production access blocked", "SQL injection pattern detected"):
        assert sentence in answer["block_reason"]


def test_equal_actions_are_ordered_by_priority(api: Api, tenant: Tenant) -> None:
    for name, priority in (("low one", 1), ("high one", 900), ("middle", 500)):
        saved_policy(tenant, name=name, priority=priority)

    assert api.pre_check("production")["policies"] == ["high one", "middle", "low one"]


def test_the_strictest_action_of_one_policy_counts(api: Api, tenant: Tenant) -> None:
    saved_policy(tenant, actions=[{"type": "log"}, {"type": "block"}, {"type": "warn"}])

    assert api.pre_check("production")["approved"] is False


# --- What set the action --------------------------------------------------------------------


def decided(answer: dict[str, Any], policy: str) -> tuple[str, str]:
    match = next(match for match in answer["matches"] if match["policy"] == policy)
    return match["action"], match["decided_by"]


def test_observe_mode_matches_and_changes_nothing(api: Api, tenant: Tenant) -> None:
    saved_policy(tenant, mode="observe")

    answer = api.pre_check("production")

    assert answer["approved"] is True
    assert decided(answer, "no-production") == ("log", "observe mode")


@pytest.mark.parametrize(
    ("setting", "query", "policy"),
    [
        ("PII_ACTION", "ssn 536-22-8726", "pii_ssn_detection"),
        ("SQLI_ACTION", "SELECT * FROM t WHERE a = '' OR 1=1 --'", "sql_injection_detection"),
        ("DANGEROUS_QUERY_ACTION", "DROP TABLE users", "dangerous_query_blocking"),
        ("DANGEROUS_COMMAND_ACTION", "rm -rf /", "dangerous_command_blocking"),
        ("SENSITIVE_DATA_ACTION", "AKIA" + "QYLPMN5HHHFPZAM2", "secret_detection"),
    ],
)
@pytest.mark.parametrize("action", ACTIONS)
def test_a_deployments_setting_stands_for_its_category_and_is_named(
    api: Api, settings: Settings, setting: str, query: str, policy: str, action: str
) -> None:
    settings.AXON_CATEGORY_ACTIONS = {setting: action}

    answer = api.pre_check(query)

    assert decided(answer, policy) == (action, setting)
    assert answer["approved"] is (action in APPROVED)


def test_pii_action_log_is_the_guides_observe_mode(api: Api, settings: Settings) -> None:
    settings.AXON_CATEGORY_ACTIONS = {"PII_ACTION": "log"}

    answer = api.pre_check("call +1 415 555 2671 or jane.roe@acme-corp.com")

    assert answer["approved"] is True
    assert "requires_redaction" not in answer
    assert answer["policies"] == ["pii_email_detection", "pii_phone_detection"]


def test_a_setting_leaves_a_tenants_own_policies_alone(
    api: Api, tenant: Tenant, settings: Settings
) -> None:
    settings.AXON_CATEGORY_ACTIONS = {"DANGEROUS_QUERY_ACTION": "log"}
    saved_policy(
        tenant,
        category="security-dangerous",
        conditions=[{"field": "query", "operator": "detects", "value": "sql.destructive"}],
    )

    answer = api.pre_check("DROP TABLE users")

    assert answer["approved"] is False
    assert decided(answer, "no-production") == ("block", "policy")
    assert decided(answer, "dangerous_query_blocking") == ("log", "DANGEROUS_QUERY_ACTION")


def test_a_rollout_reaches_its_share_of_subjects_and_always_the_same(
    api: Api, tenant: Tenant
) -> None:
    saved_policy(tenant, rollout_percent=30)
    subjects = [f"user-{number}" for number in range(200)]

    first = [api.pre_check("production", user_token=subject) for subject in subjects]
    second = [api.pre_check("production", user_token=subject) for subject in subjects[:20]]

    blocked = [answer["approved"] is False for answer in first]
    assert 30 <= sum(blocked) <= 90
    assert blocked[:20] == [answer["approved"] is False for answer in second]
    for answer in first:
        action, by = decided(answer, "no-production")
        expected = ("log", "rollout of 30 %") if answer["approved"] else ("block", "policy")
        assert (action, by) == expected


@pytest.mark.parametrize(("percent", "approved"), [(0, True), (100, False)])
def test_the_ends_of_a_rollout(api: Api, tenant: Tenant, percent: int, approved: bool) -> None:
    saved_policy(tenant, rollout_percent=percent)

    assert api.pre_check("production")["approved"] is approved


def test_a_policy_that_can_no_longer_be_read_blocks_and_says_so(api: Api, tenant: Tenant) -> None:
    policy = saved_policy(tenant)
    Policy.objects.filter(pk=policy.pk).update(
        conditions=[{"field": "gone", "operator": "equals", "value": 1}], version=2
    )
    changes.publish(f"policies:{tenant.pk}")

    answer = api.pre_check("ls")

    assert answer["approved"] is False
    assert "cannot be read" in answer["block_reason"]
    assert "an editor must correct it" in answer["block_reason"]
