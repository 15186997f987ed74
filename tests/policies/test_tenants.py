"""Promise 7: tenants never meet, on any path that takes an id."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from audit.models import GatewayContext, ToolCall
from axonportal.accounts.models import Scope, Tenant
from axonportal.common.paths import is_api
from policies.models import Policy, PolicyVersion
from policies.services import add_builtin_policies
from tests.factories import BLOCK_PRODUCTION, ClientFactory, TenantFactory, issued, saved_policy
from tests.gateway.calling import DYNAMIC, LLM_CALL, POLICIES, TOOL_CALL, Api, is_a_problem

# Every path of the API, by its name, and the calls that name something of a tenant. A path that
# is added without a line here fails the first test.
WITH_AN_ID: dict[str, tuple[str, ...]] = {
    "api/v1/policies-one": ("GET", "PUT", "PATCH", "DELETE"),
    "api/v1/policies-versions": ("GET",),
    "api/v1/dynamic-policies-one": ("GET", "PUT", "PATCH", "DELETE"),
    "api/v1/dynamic-policies-versions": ("GET",),
}
IN_THE_BODY = {"audit-llm-call", "audit-tool-call"}
# Their cases are in tests/approvals/test_hitl.py.
OF_APPROVALS = {
    "hitl-request",
    "hitl-approve",
    "hitl-reject",
    "hitl-override",
    "hitl-history",
}
WITHOUT_AN_ID = {
    "pre-check",
    "hooks-claude-code",
    "health",
    "api/v1/policies-list",
    "api/v1/dynamic-policies-list",
    "hitl-queue",
    "hitl-stats",
    "hitl-status",
    "hitl-expire",
}


def api_patterns(resolver: URLResolver | None = None) -> Iterator[URLPattern]:
    for entry in (resolver or get_resolver()).url_patterns:
        if isinstance(entry, URLPattern) and is_api("/" + str(entry.pattern).lstrip("^")):
            yield entry


def test_every_path_of_the_api_has_its_case_here() -> None:
    names = {pattern.name for pattern in api_patterns()}

    assert names == WITH_AN_ID.keys() | IN_THE_BODY | WITHOUT_AN_ID | OF_APPROVALS
    for pattern in api_patterns():
        has_an_id = bool(pattern.pattern.regex.groupindex)
        assert has_an_id == (pattern.name in WITH_AN_ID.keys() | OF_APPROVALS), pattern.name


@pytest.fixture
def theirs(db: None) -> Policy:
    other: Tenant = TenantFactory()
    add_builtin_policies(other)
    return saved_policy(other, name="theirs")


@pytest.mark.parametrize(
    ("name", "method"),
    [(name, method) for name, methods in WITH_AN_ID.items() for method in methods],
)
def test_another_tenants_policy_does_not_exist(
    api: Api, theirs: Policy, name: str, method: str
) -> None:
    prefix, _, kind = name.rpartition("-")
    path = f"/{prefix}/{theirs.pk}" + ("/versions" if kind == "versions" else "")

    answer = api.call(method, path, {"enabled": False})

    is_a_problem(answer, 404, decision=False)
    theirs.refresh_from_db()
    assert (theirs.enabled, theirs.deleted_at, theirs.version) == (True, None, 1)


@pytest.mark.parametrize("path", [POLICIES, DYNAMIC])
def test_a_list_holds_the_callers_policies_only(api: Api, theirs: Policy, path: str) -> None:
    body = api.get(f"{path}?limit=1000").body

    rows = body if path == POLICIES else body["policies"]
    assert "theirs" not in [row["name"] for row in rows]
    assert len({row["tenant_id"] for row in rows}) == 1


@pytest.mark.parametrize("path", [POLICIES, DYNAMIC])
def test_a_built_in_name_is_the_callers_own_row(
    api: Api, tenant: Tenant, theirs: Policy, path: str
) -> None:
    api.put(f"{path}/sql_injection_detection", {"enabled": False})

    mine = Policy.objects.get(tenant=tenant, builtin="sql_injection_detection")
    other = Policy.objects.get(tenant=theirs.tenant, builtin="sql_injection_detection")
    assert (mine.enabled, other.enabled) == (False, True)


def test_a_policy_of_one_tenant_decides_nothing_of_another(api: Api, theirs: Policy) -> None:
    assert api.pre_check("production")["approved"] is True


def test_a_name_may_be_used_by_two_tenants(api: Api, theirs: Policy) -> None:
    assert api.post(POLICIES, {**BLOCK_PRODUCTION, "name": "theirs"}).status == 201


def test_a_report_does_not_reach_another_tenants_decision(api: Api, theirs: Policy) -> None:
    client = ClientFactory(tenant=theirs.tenant)
    other = Api({"Authorization": f"Bearer {issued(client, scopes=Scope.values).secret}"})
    context_id = other.pre_check("hello")["context_id"]

    model = api.post(LLM_CALL, {"context_id": context_id, "provider": "p", "model": "m"})
    tool = api.post(TOOL_CALL, {"context_id": context_id, "tool_name": "Bash"})

    is_a_problem(model, 404, decision=False)
    assert tool.status == 201  # a claim, kept among the caller's own
    context = GatewayContext.objects.get(context_id=context_id)
    assert not ToolCall.objects.of_context(context).exists()


def test_the_same_session_of_two_tenants_is_two_sessions(api: Api, theirs: Policy) -> None:
    event: dict[str, Any] = {
        "tool_name": "Bash",
        "session_id": "s",
        "tool_use_id": "toolu_1",
        "tool_input": {"command": "ls"},
        "tool_response": {"stdout": "a"},
    }
    secret = issued(ClientFactory(tenant=theirs.tenant)).secret
    Api({"Authorization": f"Bearer {secret}"}).hook({**event, "hook_event_name": "PreToolUse"})

    api.hook({**event, "hook_event_name": "PostToolUse"})

    assert ToolCall.objects.get().context_id == ""


def test_versions_carry_their_tenant(theirs: Policy) -> None:
    assert PolicyVersion.objects.get(policy=theirs).tenant_id == theirs.tenant_id
