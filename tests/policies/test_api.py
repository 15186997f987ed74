"""`/api/v1/policies` and `/api/v1/dynamic-policies`: shapes, pages, repeats, refusals."""

from __future__ import annotations

import json
import subprocess
import uuid
from typing import Any

import pytest

from audit.models import AuditEvent
from axonportal.accounts.models import Tenant
from policies import services
from policies.builtin import BUILTINS
from policies.errors import PolicyNotFound
from policies.models import Policy, PolicyVersion
from tests.factories import BLOCK_PRODUCTION, saved_policy
from tests.gateway.calling import DYNAMIC, POLICIES, Api, is_a_problem

BOTH = [pytest.param(POLICIES, id="policies"), pytest.param(DYNAMIC, id="dynamic-policies")]


def shown(path: str, body: Any) -> dict[str, Any]:
    """The policy in an answer: wrapped for the SDK, bare for the guide."""
    if path.startswith(DYNAMIC):
        assert list(body) == ["policy"]
        body = body["policy"]
    return dict(body)


# --- Shapes ---------------------------------------------------------------------------------


def test_the_list_is_a_bare_array_that_the_guides_jq_reads(api: Api, tenant: Tenant) -> None:
    saved_policy(tenant, name="claude-code-governance")
    rows = api.get(POLICIES).body

    selected = subprocess.run(
        ["jq", '.[] | select(.name == "claude-code-governance") | .id'],
        input=json.dumps(rows).encode(),
        capture_output=True,
        check=True,
        timeout=10,
    )

    assert (
        json.loads(selected.stdout)
        == rows[[row["name"] for row in rows].index("claude-code-governance")]["id"]
    )


def test_the_sdks_list_is_an_envelope_with_its_pages(api: Api) -> None:
    body = api.get(DYNAMIC).body

    assert list(body) == ["policies", "pagination"]
    assert len(body["policies"]) == len(BUILTINS)
    assert body["pagination"]["total"] == body["pagination"]["total_items"] == len(BUILTINS)


@pytest.mark.parametrize("path", BOTH)
def test_a_policy_has_all_that_clients_parse(api: Api, path: str) -> None:
    answer = api.post(path, BLOCK_PRODUCTION)

    policy = shown(path, answer.body)
    assert answer.status == 201
    assert uuid.UUID(policy["id"])
    assert policy["enabled"] is True
    assert policy["priority"] == 100
    assert (policy["type"], policy["tier"], policy["severity"]) == ("content", "tenant", "medium")
    assert policy["created_at"].endswith("Z")
    assert policy["updated_at"].endswith("Z")
    assert policy["tags"] == []
    assert policy["conditions"] == BLOCK_PRODUCTION["conditions"]
    assert policy["actions"][0]["config"] == {"message": "Production access blocked"}
    assert None not in policy.values()


@pytest.mark.parametrize("path", BOTH)
def test_a_policy_is_read_changed_switched_and_deleted(api: Api, path: str) -> None:
    policy_id = shown(path, api.post(path, BLOCK_PRODUCTION).body)["id"]
    one = f"{path}/{policy_id}"

    read = shown(path, api.get(one).body)
    put = shown(path, api.put(one, {"enabled": False}).body)
    patched = shown(path, api.call("PATCH", one, {"enabled": True, "note": "again"}).body)
    deleted = api.call("DELETE", one)

    assert read["version"] == 1
    assert (put["enabled"], put["version"]) == (False, 2)
    assert (patched["enabled"], patched["version"]) == (True, 3)
    assert deleted.status == 204
    assert deleted.body is None
    is_a_problem(api.get(one), 404, decision=False)
    is_a_problem(api.call("DELETE", one), 404, decision=False)
    assert policy_id not in json.dumps(api.get(path).body)


@pytest.mark.parametrize("path", BOTH)
def test_a_built_in_policy_goes_by_its_name_too(api: Api, path: str) -> None:
    policy = shown(path, api.get(f"{path}/sql_injection_detection").body)

    assert policy["name"] == policy["policy_id"] == "sql_injection_detection"
    assert policy["tier"] == "system"


@pytest.mark.parametrize("path", BOTH)
@pytest.mark.parametrize(
    "policy_id", ["nope", "00000000-0000-0000-0000-000000000000", "%00", "%F0%9F%98%80", "x" * 3000]
)
@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_an_id_of_nothing_is_a_404(api: Api, path: str, policy_id: str, method: str) -> None:
    answer = api.call(method, f"{path}/{policy_id}", {"enabled": True})

    is_a_problem(answer, 404, decision=False)


# --- Pages ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("limit=2", ["a0", "a1"]),
        ("limit=2&offset=2", ["a2", "a3"]),
        ("page_size=2", ["a0", "a1"]),
        ("page=2&page_size=2", ["a2", "a3"]),
        ("page=3&limit=2", ["a4"]),
        ("page=9&page_size=2", []),
        ("sort_by=name&sort_order=desc&limit=2", ["a4", "a3"]),
        ("sort_by=name&sort_dir=DESC&limit=2", ["a4", "a3"]),
        ("sort_by=-name&limit=1", ["a4"]),
        ("sort_by=priority&sort_order=asc&limit=1", ["a4"]),
    ],
)
def test_both_styles_of_pages_and_of_sorting_are_understood(
    api: Api, tenant: Tenant, query: str, names: list[str]
) -> None:
    for number in range(5):
        saved_policy(tenant, name=f"a{number}-page", priority=100 - number)

    bare = api.get(f"{POLICIES}?search=-page&{query}")
    wrapped = api.get(f"{DYNAMIC}?search=-page&{query}")

    assert [policy["name"][:2] for policy in bare.body] == names
    assert wrapped.body["policies"] == bare.body
    assert bare.headers["X-Total-Count"] == "5"
    assert wrapped.body["pagination"]["total"] == 5


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("enabled=true", 2),
        ("enabled=True", 2),
        ("enabled=1", 2),
        ("enabled=false", 1),
        ("type=risk", 1),
        ("severity=high", 1),
        ("mode=observe", 1),
        ("category=dynamic-risk", 1),
        ("name=one of mine", 1),
        ("search=OF MINE", 3),
        ("search=nothing like it", 0),
    ],
)
def test_a_list_is_narrowed(api: Api, tenant: Tenant, query: str, count: int) -> None:
    saved_policy(tenant, name="one of mine", type="risk", severity="high", mode="observe")
    saved_policy(tenant, name="two of mine", category="dynamic-risk")
    saved_policy(tenant, name="three of mine", enabled=False)

    found = api.get(f"{POLICIES}?search=of mine&{query}").body

    assert len(found) == count


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=-1",
        "limit=1001",
        "limit=ten",
        "page=0",
        "offset=-1",
        "page_size=1e3",
        "sort_by=conditions",
        "sort_order=up",
        "enabled=maybe",
        "search=%00",
        "limit=" + "9" * 5000,
    ],
)
def test_a_page_that_cannot_be_is_refused(api: Api, query: str) -> None:
    is_a_problem(api.get(f"{POLICIES}?{query}"), 400, decision=False)


# --- Repeats and conflicts ------------------------------------------------------------------


@pytest.mark.parametrize("path", BOTH)
def test_a_post_that_is_repeated_finds_what_it_made(api: Api, path: str) -> None:
    first = api.post(path, BLOCK_PRODUCTION)
    second = api.post(path, BLOCK_PRODUCTION)

    assert (first.status, second.status) == (201, 200)
    assert first.body == second.body
    assert PolicyVersion.objects.filter(snapshot__name="no-production").count() == 1


@pytest.mark.parametrize("path", BOTH)
def test_another_policy_of_a_taken_name_is_a_conflict(api: Api, path: str) -> None:
    first = api.post(path, BLOCK_PRODUCTION)

    answer = api.post(path, {**BLOCK_PRODUCTION, "priority": 5})

    assert "change it with PUT" in is_a_problem(answer, 409, decision=False)
    assert answer.body["id"] == shown(path, first.body)["id"]


def test_renaming_to_a_taken_name_is_a_conflict(api: Api, tenant: Tenant) -> None:
    saved_policy(tenant, name="taken")
    other = saved_policy(tenant, name="other")

    answer = api.put(f"{POLICIES}/{other.pk}", {"name": "taken"})

    is_a_problem(answer, 409, decision=False)


def test_the_name_of_a_deleted_policy_is_free(api: Api) -> None:
    first = api.post(POLICIES, BLOCK_PRODUCTION).body["id"]
    api.call("DELETE", f"{POLICIES}/{first}")

    again = api.post(POLICIES, BLOCK_PRODUCTION)

    assert again.status == 201
    assert again.body["id"] != first


def test_a_change_that_changes_nothing_makes_no_version(api: Api, tenant: Tenant) -> None:
    policy = saved_policy(tenant)

    answer = api.put(f"{POLICIES}/{policy.pk}", {"priority": policy.priority, "enabled": True})

    assert answer.body["version"] == 1
    assert PolicyVersion.objects.filter(policy=policy).count() == 1


def test_a_built_in_policy_is_kept_and_can_be_switched_off(api: Api, tenant: Tenant) -> None:
    one = f"{POLICIES}/dangerous_query_blocking"

    refused = api.call("DELETE", one)
    switched = api.put(one, {"enabled": False})

    assert "Switch it off" in is_a_problem(refused, 409, decision=False)
    assert switched.body["enabled"] is False
    assert api.pre_check("DROP TABLE users")["approved"] is True


# --- Refusals -------------------------------------------------------------------------------

LEAF = {"field": "query", "operator": "contains", "value": "x"}
ACT = {"type": "block"}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        pytest.param({"name": ""}, "name", id="no name"),
        pytest.param({"name": "ab"}, "name", id="short name"),
        pytest.param({"name": "n" * 101}, "name", id="long name"),
        pytest.param({"name": "a\nb c"}, "name", id="line break in the name"),
        pytest.param({"name": "a\0bc"}, "name", id="NUL in the name"),
        pytest.param({"name": 7}, "name", id="number for a name"),
        pytest.param({"description": "d" * 501}, "description", id="long description"),
        pytest.param({"description": "a\0b"}, "description", id="NUL in the description"),
        pytest.param({"severity": "grave"}, "severity", id="severity"),
        pytest.param({"mode": "sleep"}, "mode", id="mode"),
        pytest.param({"priority": 1001}, "priority", id="priority"),
        pytest.param({"priority": "high"}, "priority", id="priority as text"),
        pytest.param({"rollout_percent": 101}, "rollout_percent", id="rollout"),
        pytest.param({"enabled": "yes"}, "enabled", id="enabled"),
        pytest.param({"tags": "x"}, "tags", id="tags"),
        pytest.param({"tags": ["t" * 51]}, "tags", id="long tag"),
        pytest.param({"conditions": []}, "conditions", id="no conditions"),
        pytest.param({"conditions": "x"}, "conditions", id="conditions as text"),
        pytest.param({"conditions": [LEAF, 7]}, "conditions.1", id="a number for a condition"),
        pytest.param({"conditions": [LEAF, LEAF, {**LEAF, "value": None}]}, "conditions.2.value"),
        pytest.param({"conditions": [{**LEAF, "field": "qury"}]}, "conditions.0.field", id="field"),
        pytest.param({"conditions": [{**LEAF, "operator": []}]}, "conditions.0.operator", id="op"),
        pytest.param({"conditions": [{**LEAF, "value": "a\0"}]}, "conditions.0.value", id="NUL"),
        pytest.param(
            {"conditions": [{**LEAF, "operator": "matches", "value": "(a"}]},
            "conditions.0.value",
            id="pattern",
        ),
        pytest.param(
            {"conditions": [{"any": [LEAF, {"not": {**LEAF, "field": "x"}}]}]},
            "conditions.0.any.1.not.field",
            id="nested",
        ),
        pytest.param({"actions": []}, "actions", id="no actions"),
        pytest.param({"actions": [{"type": "explode"}]}, "actions.0.type", id="action"),
        pytest.param({"actions": [ACT, {"type": ["block"]}]}, "actions.1.type", id="type as list"),
        pytest.param({"actions": [{**ACT, "message": 7}]}, "actions.0.message", id="message"),
        pytest.param({"actions": [{**ACT, "phase": []}]}, "actions.0.phase", id="phase"),
        pytest.param({"actions": [{**ACT, "approvers": "x"}]}, "actions.0.approvers", id="appr"),
        pytest.param({"applies_to": {"colour": ["x"]}}, "applies_to.colour", id="selector"),
        pytest.param({"applies_to": {"tools": "Bash"}}, "applies_to.tools", id="selector as text"),
        pytest.param({"applies_to": {"phases": ["later"]}}, "applies_to.phases", id="phases"),
        pytest.param({"applies_to": [1]}, "applies_to", id="applies_to as list"),
    ],
)
@pytest.mark.parametrize("path", BOTH)
def test_what_is_wrong_is_named_where_it_stands(
    api: Api, path: str, change: dict[str, Any], field: str
) -> None:
    answer = api.post(path, {**BLOCK_PRODUCTION, **change})

    is_a_problem(answer, 400, decision=False)
    assert field in [error["field"] for error in answer.body["errors"]]
    assert all(error["message"] for error in answer.body["errors"])
    assert not Policy.objects.filter(builtin="").exists()


def test_a_number_beyond_all_bounds_is_refused(api: Api) -> None:
    body = json.dumps(BLOCK_PRODUCTION).replace('"production"', "1e999").encode()

    answer = api.call("POST", POLICIES, body)

    is_a_problem(answer, 400, decision=False)
    assert answer.body["errors"][0]["field"] == "conditions.0.value"


def test_every_mistake_is_named_at_once(api: Api) -> None:
    answer = api.post(
        POLICIES,
        {
            **BLOCK_PRODUCTION,
            "severity": "grave",
            "conditions": [{**LEAF, "field": "qury"}, {**LEAF, "operator": "is"}],
            "actions": [{"type": "explode"}],
        },
    )

    assert [error["field"] for error in answer.body["errors"]] == [
        "severity",
        "conditions.0.field",
        "conditions.1.operator",
        "actions.0.type",
    ]


def test_an_update_that_is_invalid_changes_nothing(api: Api, tenant: Tenant) -> None:
    policy = saved_policy(tenant)

    answer = api.put(f"{POLICIES}/{policy.pk}", {"enabled": False, "conditions": [{}]})

    is_a_problem(answer, 400, decision=False)
    policy.refresh_from_db()
    assert (policy.enabled, policy.version) == (True, 1)


def test_an_update_of_nothing_is_told_what_to_send(api: Api, tenant: Tenant) -> None:
    answer = api.put(f"{POLICIES}/{saved_policy(tenant).pk}", {"colour": "red"})

    assert "Nothing to change" in is_a_problem(answer, 400, decision=False)


def test_fields_of_other_products_and_nulls_are_left_out(api: Api) -> None:
    answer = api.post(
        DYNAMIC,
        {**BLOCK_PRODUCTION, "tier": "tenant", "organization_id": None, "description": None},
    )

    assert answer.status == 201
    assert answer.body["policy"]["description"] == ""


def test_a_pattern_that_would_hang_a_matcher_is_refused_within_bounds(api: Api) -> None:
    """Promise 11; RE2 would take it, compiling it for the prefilter would not end."""
    bomb = {**LEAF, "operator": "matches", "value": ".{1,1000}x.{1,1000}y.{1,1000}z"}
    harmless = {**LEAF, "operator": "matches", "value": "x+"}

    alone = api.post(POLICIES, {**BLOCK_PRODUCTION, "conditions": [bomb]})
    among = api.post(POLICIES, {**BLOCK_PRODUCTION, "conditions": [harmless, bomb]})

    for answer in (alone, among):
        assert "shorten the pattern's repeats" in is_a_problem(answer, 400, decision=False)
        assert answer.body["errors"][0]["field"] == "conditions"


# --- What is left behind --------------------------------------------------------------------


def test_every_act_is_an_event_of_its_actor(api: Api) -> None:
    policy_id = api.post(POLICIES, BLOCK_PRODUCTION).body["id"]
    api.put(f"{POLICIES}/{policy_id}", {"enabled": False, "note": "too strict"})
    api.call("DELETE", f"{POLICIES}/{policy_id}")

    events = AuditEvent.objects.filter(target_id=policy_id).order_by("created_at", "event_id")

    assert [event.kind for event in events] == ["policy.create", "policy.update", "policy.delete"]
    assert {(event.actor, event.actor_kind) for event in events} == {("agent", "client")}
    assert events[1].detail == {"version": 2, "changed": ["enabled"], "note": "too strict"}


@pytest.mark.parametrize("path", BOTH)
def test_the_versions_are_listed_newest_first(api: Api, path: str) -> None:
    policy_id = shown(path, api.post(path, BLOCK_PRODUCTION).body)["id"]
    api.put(f"{path}/{policy_id}", {"priority": 7, "note": "later"})

    body = api.get(f"{path}/{policy_id}/versions").body

    assert body["count"] == 2
    assert [version["version"] for version in body["versions"]] == [2, 1]
    newest = body["versions"][0]
    assert newest["snapshot"]["priority"] == 7
    assert (newest["change_type"], newest["change_summary"]) == ("updated", "later")
    assert newest["changed_by"] == "client agent"


def test_the_service_refuses_what_somebody_deleted_meanwhile(tenant: Tenant) -> None:
    policy = saved_policy(tenant)
    stale = Policy.objects.get(pk=policy.pk)
    services.delete_policy(policy, actor="ada")

    with pytest.raises(PolicyNotFound):
        services.update_policy(stale, {"enabled": True}, actor="ada")
