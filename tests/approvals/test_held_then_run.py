"""The way of a held operation: asked, answered by a person, run once."""

from __future__ import annotations

from typing import Any

import pytest

from approvals.models import ApprovalRequest, Grant
from audit.models import AuditEvent, GatewayContext
from axonportal.accounts.models import Tenant
from policies import services as policies
from tests.approvals.holding import QUERY, answered, seed_policy
from tests.factories import approver
from tests.gateway.calling import Api
from tests.gateway.test_hooks import before


def test_the_guides_policy_holds_and_says_what_to_do(api: Api, tenant: Tenant) -> None:
    seed_policy(tenant)

    answer = api.pre_check(QUERY)

    request = ApprovalRequest.objects.get()
    assert (answer["approved"], answer["verdict"]) == (False, "hold")
    assert answer["policies"] == ["production-approval-required"]
    assert answer["block_reason"].startswith("require_approval: ")
    assert "Approvers: security-team." in answer["block_reason"]
    assert "send exactly the same call again" in answer["block_reason"]
    assert answer["approval"] == {
        "request_id": request.pk,
        "status": "pending",
        "url": f"http://localhost:8080{request.get_absolute_url()}",
        "expires_at": answer["approval"]["expires_at"],
    }
    assert answer["approval"]["expires_at"].endswith("Z")
    assert GatewayContext.objects.get().snapshot["approval"]["request_id"] == request.pk


def test_once_approved_the_exact_call_passes_once(api: Api, tenant: Tenant) -> None:
    seed_policy(tenant)
    held = api.pre_check(QUERY)
    answered(held["approval"]["request_id"], approver(tenant))

    passed, again = api.pre_check(QUERY), api.pre_check(QUERY)

    assert (passed["approved"], passed["approval"]["status"]) == (True, "approved")
    assert Grant.objects.get().context_id == passed["context_id"]
    assert (again["approved"], again["approval"]["status"]) == (False, "pending")
    assert again["approval"]["request_id"] != held["approval"]["request_id"]


def test_a_hooks_exact_retry_passes_once_though_its_tool_use_differs(
    hook_api: Api, tenant: Tenant
) -> None:
    seed_policy(tenant)
    denied = hook_api.hook(before("Bash", command=QUERY) | {"tool_use_id": "toolu_1"})
    answered(ApprovalRequest.objects.get().pk, approver(tenant))

    passed = hook_api.hook(before("Bash", command=QUERY) | {"tool_use_id": "toolu_2"})
    again = hook_api.hook(before("Bash", command=QUERY) | {"tool_use_id": "toolu_3"})

    said = denied["hookSpecificOutput"]["permissionDecisionReason"]
    assert "require_approval" in said
    assert "/approvals/approvalrequest/apr_" in said
    assert passed == {}  # no opinion: the agent's own permission flow goes on
    assert again["hookSpecificOutput"]["permissionDecision"] == "deny"


@pytest.mark.parametrize(
    "changed",
    [
        {"query": QUERY + " "},
        {"user_token": "eve"},
        {"context": {"session_id": "other"}},
        {"context": {"cwd": "/elsewhere"}},
        {"context": {"tool": "mcp__db__query"}},
        {"context": {"connector": "billing"}},
        {"context": {"environment": "live"}},
        {"data_sources": ["customers"]},
    ],
    ids=["byte", "subject", "session", "directory", "tool", "target", "context", "sources"],
)
def test_anything_else_is_another_request(
    api: Api, tenant: Tenant, changed: dict[str, Any]
) -> None:
    seed_policy(tenant)
    call: dict[str, Any] = {
        "query": QUERY,
        "user_token": "ada",
        "context": {"session_id": "s", "cwd": "/work"},
    }
    held = api.pre_check(**call)
    answered(held["approval"]["request_id"], approver(tenant))

    other = api.pre_check(**{**call, **changed})

    assert other["approved"] is False
    assert other["approval"]["request_id"] != held["approval"]["request_id"]
    assert Grant.objects.get().consumed_at is None
    assert api.pre_check(**call)["approved"] is True


def test_a_new_version_of_the_policy_makes_an_approval_worthless(api: Api, tenant: Tenant) -> None:
    policy = seed_policy(tenant)
    answered(api.pre_check(QUERY)["approval"]["request_id"], approver(tenant))
    policies.update_policy(policy, {"description": "as before"}, actor="ada")

    assert api.pre_check(QUERY)["approved"] is False


def test_the_same_call_joins_the_open_request(api: Api, tenant: Tenant) -> None:
    seed_policy(tenant)

    first, second = api.pre_check(QUERY), api.pre_check(QUERY)

    assert first["approval"]["request_id"] == second["approval"]["request_id"]
    assert ApprovalRequest.objects.get().asked == 2


def test_after_a_denial_asking_again_changes_nothing(api: Api, tenant: Tenant) -> None:
    seed_policy(tenant)
    person = approver(tenant)
    answered(api.pre_check(QUERY)["approval"]["request_id"], person, "deny", "Use staging.")

    again = api.pre_check(QUERY)

    assert (again["approved"], again["verdict"]) == (False, "deny")
    assert f"Denied by {person.username}: Use staging." in again["block_reason"]
    assert again["block_reason"].startswith("require_approval: ")
    assert ApprovalRequest.objects.count() == 1


def test_a_script_that_was_rewritten_meanwhile_is_another_request(
    hook_api: Api, tenant: Tenant
) -> None:
    seed_policy(tenant, applies_to={"tools": ["Bash"]})
    session = {"session_id": "s-1", "cwd": "/work"}

    def written(content: str) -> None:
        path = "/work/production.sh"
        hook_api.hook(before("Write", file_path=path, content=content) | session)

    def run() -> dict[str, Any]:
        return hook_api.hook(before("Bash", command="bash production.sh") | session)

    written("./check.sh && kubectl get pods")
    run()
    answered(ApprovalRequest.objects.get().pk, approver(tenant))
    written("./check.sh && kubectl delete pods --all")

    assert "deny" in str(run())
    assert Grant.objects.get().consumed_at is None
    written("./check.sh && kubectl get pods")
    assert run() == {}


@pytest.mark.parametrize(
    "odd",
    ["\0", "\ud800", "\u202e", "x" * 100_000, "it's --", "<script>"],
    ids=["nul", "surrogate", "bidi", "long", "quote", "markup"],
)
def test_whatever_the_text_is_it_can_wait_and_run(
    api: Api, hook_api: Api, tenant: Tenant, odd: str
) -> None:
    seed_policy(tenant)
    call: dict[str, Any] = {
        "query": f"{QUERY} {odd}",
        "user_token": f"ada {odd}",
        "context": {"session_id": f"s{odd}", "cwd": f"/work/{odd}", f"key{odd}": [odd]},
    }
    held = api.pre_check(**call)
    answered(held["approval"]["request_id"], approver(tenant))

    assert api.pre_check(**call)["approved"] is True
    assert api.pre_check(**call)["approved"] is False
    assert "require_approval" in str(hook_api.hook(before("Bash", command=f"{QUERY} {odd}")))


def test_what_waits_holds_no_personal_data_and_no_secret(api: Api, tenant: Tenant) -> None:
    seed_policy(tenant)
    mail, secret = "ada@lovelace-engines.com", "AKIA" + "QYLPMN5HHHFPZAM2"

    api.pre_check(
        f"{QUERY} for {mail} with {secret}",
        context={"cwd": f"/home/{mail}", "note": secret, "connector": mail},
        data_sources=[mail],
    )

    kept = ApprovalRequest.objects.values().get()
    events = list(AuditEvent.objects.values())
    assert {key for key, value in kept.items() if mail in str(value)} == set()
    assert secret not in str(kept)
    assert mail not in str(events)
