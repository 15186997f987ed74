"""What a credential may do; promise 6 of the design: a hook never lifts its own block."""

from __future__ import annotations

import pytest

from axonportal.accounts import services
from axonportal.accounts.models import HOOK_SCOPES, Credential, Scope, Tenant
from axonportal.common.errors import Invalid
from tests.factories import BLOCK_PRODUCTION, ClientFactory, issued, saved_policy
from tests.gateway.calling import (
    DYNAMIC,
    HITL,
    HOOK,
    LLM_CALL,
    POLICIES,
    PRE_CHECK,
    QUEUE,
    TOOL_CALL,
    Api,
)
from tests.gateway.calling import is_a_problem as problem

CALLS = [
    ("POST", PRE_CHECK, {"query": "ls"}, Scope.DECIDE),
    ("POST", HOOK, {"hook_event_name": "PreToolUse"}, Scope.DECIDE),
    ("POST", TOOL_CALL, {"tool_name": "Bash"}, Scope.RECORD),
    ("POST", LLM_CALL, {"context_id": "ctx_1", "provider": "p", "model": "m"}, Scope.RECORD),
    ("GET", QUEUE, None, Scope.DECIDE),
    ("POST", QUEUE, {"original_query": "x", "request_type": "tool"}, Scope.DECIDE),
    ("GET", f"{QUEUE}/{{request}}", None, Scope.DECIDE),
    ("GET", f"{QUEUE}/{{request}}/history", None, Scope.DECIDE),
    ("GET", f"{HITL}/stats", None, Scope.DECIDE),
    ("GET", f"{HITL}/status", None, Scope.DECIDE),
    ("POST", f"{HITL}/expire", None, Scope.DECIDE),
    *(
        call
        for prefix in (POLICIES, DYNAMIC)
        for call in (
            ("GET", prefix, None, Scope.POLICIES_READ),
            ("HEAD", prefix, None, Scope.POLICIES_READ),
            ("POST", prefix, BLOCK_PRODUCTION, Scope.POLICIES_WRITE),
            ("GET", f"{prefix}/{{id}}", None, Scope.POLICIES_READ),
            ("PUT", f"{prefix}/{{id}}", {"enabled": False}, Scope.POLICIES_WRITE),
            ("PATCH", f"{prefix}/{{id}}", {"enabled": False}, Scope.POLICIES_WRITE),
            ("DELETE", f"{prefix}/{{id}}", None, Scope.POLICIES_WRITE),
            ("GET", f"{prefix}/{{id}}/versions", None, Scope.POLICIES_READ),
        )
    ),
]


@pytest.mark.parametrize(
    ("method", "path", "body", "scope"), CALLS, ids=[f"{call[0]} {call[1]}" for call in CALLS]
)
def test_a_call_needs_its_scope_and_nothing_else(
    tenant: Tenant, method: str, path: str, body: object, scope: Scope
) -> None:
    path = path.format(id=saved_policy(tenant, name="to be kept").pk, request="apr_1")
    others = [other for other in Scope.values if other != scope]
    client = ClientFactory(tenant=tenant)
    without = Api({"Authorization": f"Bearer {issued(client, scopes=others).secret}"})
    only = Api({"Authorization": f"Bearer {issued(client, scopes=[scope]).secret}"})

    refused = without.call(method, path, body)
    allowed = only.call(method, path, body)

    assert refused.status == 403
    if method != "HEAD":
        detail = problem(refused, 403, decision=path in {PRE_CHECK, HOOK})
        assert f"lacks the scope {scope}" in detail
    assert allowed.status in {200, 201, 204, 404}


def test_a_hooks_credential_decides_and_records_and_that_is_all(tenant: Tenant) -> None:
    secret = issued(ClientFactory(tenant=tenant)).secret

    credential = Credential.objects.get(prefix=secret[:12])

    assert sorted(credential.scopes) == sorted(HOOK_SCOPES) == ["decide", "record"]


def test_an_agent_that_was_blocked_cannot_switch_the_policy_off(
    hook_api: Api, tenant: Tenant
) -> None:
    policy = saved_policy(tenant)
    assert hook_api.pre_check("production")["approved"] is False

    refused = hook_api.put(f"{POLICIES}/{policy.pk}", {"enabled": False})

    assert "policies:write" in problem(refused, 403, decision=False)
    assert hook_api.pre_check("production")["approved"] is False


def test_no_scope_answers_approvals() -> None:
    assert not [scope for scope in Scope.values if "appro" in scope or "hitl" in scope]


@pytest.mark.parametrize("scopes", [[], ["admin"], ["decide", "approve"]])
def test_a_credential_has_known_scopes_and_at_least_one(tenant: Tenant, scopes: list[str]) -> None:
    with pytest.raises(Invalid, match="Scopes are"):
        services.issue_credential(
            ClientFactory(tenant=tenant), name="x", actor="ada", scopes=scopes
        )


def test_options_describes_a_path_without_a_scope(hook_api: Api) -> None:
    assert hook_api.call("OPTIONS", POLICIES).status == 200
