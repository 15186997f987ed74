"""Every documented way to write a policy works: the guide's, the SDK's, and ours."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.gateway.calling import DYNAMIC, POLICIES, Api

GUIDE_BLOCK = {
    "name": "claude-code-production-block",
    "description": "Block production database access from Claude Code",
    "policy_type": "content",
    "conditions": [{"field": "query", "operator": "contains", "value": "production"}],
    "actions": [{"type": "block", "message": "Production access blocked"}],
}
GUIDE_APPROVAL = {
    "name": "production-approval-required",
    "conditions": [{"field": "query", "operator": "matches", "value": ".*production.*"}],
    "actions": [{"type": "require_approval", "approvers": ["security-team"]}],
}
SDK = {
    "name": "sdk policy",
    "type": "content",
    "category": "dynamic-risk",
    "tier": "tenant",
    "conditions": [{"field": "query", "operator": "contains", "value": "production"}],
    "actions": [{"type": "block", "config": {"message": "Not here"}}],
    "priority": 100,
    "enabled": True,
}


@pytest.mark.parametrize("path", [POLICIES, DYNAMIC])
@pytest.mark.parametrize("content_type", ["application/json", "application/x-www-form-urlencoded"])
@pytest.mark.parametrize(
    ("body", "reason"),
    [
        pytest.param(GUIDE_BLOCK, "Production access blocked", id="the guide's block"),
        pytest.param(GUIDE_APPROVAL, "require_approval: Policy production", id="its approval"),
        pytest.param(SDK, "Not here", id="the SDK's"),
        pytest.param(
            SDK | {"actions": [{"type": "block", "config": {"reason": "Because"}}]},
            "Because",
            id="config.reason",
        ),
        pytest.param(SDK | {"actions": [{"type": "block"}]}, "Policy sdk policy", id="no text"),
    ],
)
def test_it_is_taken_and_enforced(
    api: Api, path: str, content_type: str, body: dict[str, Any], reason: str
) -> None:
    created = api.post(path, body, content_type=content_type)

    answer = api.pre_check("SELECT 1 -- on production")

    assert created.status == 201, created.body
    assert answer["approved"] is False
    assert answer["policies"] == [body["name"]]
    assert answer["block_reason"].startswith(reason)


def test_without_a_type_a_tenant_header_or_enabled_a_policy_is_on(api: Api) -> None:
    policy = api.post(POLICIES, GUIDE_APPROVAL).body

    assert policy["enabled"] is True
    assert policy["type"] == policy["policy_type"] == "content"


@pytest.mark.parametrize("kind", ["content", "user", "risk", "cost"])
@pytest.mark.parametrize("key", ["type", "policy_type"])
def test_the_type_has_two_names(api: Api, key: str, kind: str) -> None:
    policy = api.post(POLICIES, {**GUIDE_APPROVAL, key: kind}).body

    assert policy["type"] == policy["policy_type"] == kind


def test_the_guides_put_without_a_content_type_changes_the_actions_alone(api: Api) -> None:
    created = api.post(POLICIES, GUIDE_BLOCK).body

    changed = api.call(
        "PUT",
        f"{POLICIES}/{created['id']}",
        json.dumps({"actions": [{"type": "log"}]}).encode(),
        content_type="application/x-www-form-urlencoded",
    )

    assert changed.status == 200
    assert changed.body["actions"] == [{"type": "log", "config": {}}]
    assert changed.body["conditions"] == GUIDE_BLOCK["conditions"]
    answer = api.pre_check("production")
    assert answer["approved"] is True
    assert answer["policies"] == [GUIDE_BLOCK["name"]]


@pytest.mark.parametrize(
    ("written", "value", "hit", "miss"),
    [
        ("matches", "^prod", "production", "a prod"),
        ("regex", "^prod", "production", "a prod"),
        ("not_regex", "^prod", "staging", "production"),
        ("eq", "ls", "LS", "ls -l"),
        ("ne", "ls", "ls -l", "ls"),
    ],
)
def test_operators_have_their_other_names(
    api: Api, written: str, value: str, hit: str, miss: str
) -> None:
    condition = {"field": "query", "operator": written, "value": value}
    api.post(POLICIES, {**GUIDE_BLOCK, "conditions": [condition]})

    assert api.pre_check(hit)["approved"] is False
    assert api.pre_check(miss)["approved"] is True


def test_the_sdks_alert_is_a_warning(api: Api) -> None:
    api.post(POLICIES, {**GUIDE_BLOCK, "actions": [{"type": "alert", "message": "Seen"}]})

    answer = api.pre_check("production")

    assert answer["approved"] is True
    assert answer["warnings"] == ["Seen"]


def test_what_a_client_read_it_can_write_back(api: Api) -> None:
    created = api.post(POLICIES, GUIDE_BLOCK).body

    written = api.put(f"{POLICIES}/{created['id']}", created)

    assert written.status == 200
    assert written.body["actions"][0]["message"] == "Production access blocked"
