"""What clients report afterwards: model calls and tool calls."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from audit.models import LlmCall, ToolCall
from axonportal.accounts.models import Scope, Tenant
from tests.factories import ClientFactory, TenantFactory, issued
from tests.gateway.calling import LLM_CALL, TOOL_CALL, Api, is_a_problem

REPORT = {
    "provider": "anthropic",
    "model": "claude",
    "response_summary": "Done.",
    "token_usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
    "latency_ms": 900,
    "metadata": {"temperature": 0},
}


def test_a_model_call_is_recorded_under_the_context_that_allowed_it(api: Api) -> None:
    context_id = api.pre_check("hello", user_token="ada")["context_id"]

    answer = api.post(LLM_CALL, {"context_id": context_id, "client_id": "agent", **REPORT})

    assert answer.status == 200
    call = LlmCall.objects.get(audit_id=answer.body["audit_id"])
    assert answer.body["success"] is True
    assert (call.context_id, call.user_id, call.total_tokens) == (context_id, "ada", 15)


def test_a_report_that_is_sent_again_is_one_record(api: Api) -> None:
    body = {"context_id": api.pre_check("hello")["context_id"], **REPORT}

    first, second = api.post(LLM_CALL, body), api.post(LLM_CALL, body)

    assert first.body == second.body
    assert LlmCall.objects.count() == 1


@pytest.mark.parametrize("field", ["context_id", "provider", "model"])
def test_a_required_field_is_named(api: Api, field: str) -> None:
    body = {"context_id": "ctx_1", **REPORT, field: ""}

    answer = api.post(LLM_CALL, body)

    assert f"{field} field is required" in is_a_problem(answer, 400, decision=False)
    assert answer.body["errors"][0]["field"] == field


@pytest.mark.parametrize("context_id", ["ctx_1", "nonsense", "\0", "ctx_" + "f" * 32, "x" * 5000])
def test_an_unknown_context_is_a_404(api: Api, context_id: str) -> None:
    answer = api.post(LLM_CALL, {"context_id": context_id, **REPORT})

    assert "There is no gateway context" in is_a_problem(answer, 404, decision=False)


def test_another_tenants_context_does_not_exist(api: Api) -> None:
    theirs = Api(
        {"Authorization": f"Bearer {issued(ClientFactory(tenant=TenantFactory())).secret}"}
    )
    context_id = theirs.pre_check("hello")["context_id"]

    is_a_problem(api.post(LLM_CALL, {"context_id": context_id, **REPORT}), 404, decision=False)


def test_another_clients_context_is_not_reported_on(api: Api, tenant: Tenant) -> None:
    secret = issued(ClientFactory(tenant=tenant), scopes=Scope.values).secret
    context_id = Api({"Authorization": f"Bearer {secret}"}).pre_check("hello")["context_id"]

    is_a_problem(api.post(LLM_CALL, {"context_id": context_id, **REPORT}), 403, decision=False)


def test_an_expired_context_is_refused_with_what_to_do(
    api: Api, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    context_id = api.pre_check("hello")["context_id"]
    later = timezone.now() + timedelta(minutes=6)
    monkeypatch.setattr("axonportal.gateway.api.audit_calls.timezone.now", lambda: later)

    answer = api.post(LLM_CALL, {"context_id": context_id, **REPORT})

    assert "ask again" in is_a_problem(answer, 409, decision=False)


@pytest.mark.parametrize(
    "wrong",
    [
        {"latency_ms": -1},
        {"latency_ms": 2**60},
        {"latency_ms": "soon"},
        {"token_usage": {"total_tokens": -5}},
        {"token_usage": []},
        {"metadata": []},
        {"response_summary": 7},
    ],
    ids=str,
)
def test_a_report_of_the_wrong_shape_is_refused(api: Api, wrong: dict[str, Any]) -> None:
    body = {"context_id": api.pre_check("hello")["context_id"], **REPORT, **wrong}

    is_a_problem(api.post(LLM_CALL, body), 400, decision=False)


def test_a_tool_call_is_recorded(api: Api) -> None:
    answer = api.post(
        TOOL_CALL,
        {
            "tool_name": "search",
            "tool_type": "function",
            "input": {"q": "orders"},
            "output": {"rows": 3},
            "user_id": "ada",
            "duration_ms": 12,
            "success": False,
            "error_message": "timeout",
            "unknown": {"kept": "out"},
        },
    )

    assert answer.status == 201
    assert answer.body["status"] == "recorded"
    assert answer.body["timestamp"].endswith("Z")
    call = ToolCall.objects.get(tool_call_id=answer.body["audit_id"])
    assert (call.tool_name, call.caller_name, call.user_id) == ("search", "function", "ada")
    assert (call.success, call.error_message, call.duration_ms) == (False, "timeout", 12)
    assert call.input == {"q": "orders"}
    assert call.output == "3"


@pytest.mark.parametrize(
    "wrong",
    [
        {"tool_name": ""},
        {"tool_name": 7},
        {"duration_ms": -1},
        {"duration_ms": 10**30},
        {"context_id": "c" * 65},
        {"policies_applied": "x"},
        {"success": "yes"},
    ],
    ids=str,
)
def test_a_tool_call_of_the_wrong_shape_is_refused(api: Api, wrong: dict[str, Any]) -> None:
    is_a_problem(api.post(TOOL_CALL, {"tool_name": "x", **wrong}), 400, decision=False)


def test_names_that_are_too_long_keep_their_beginning(api: Api) -> None:
    answer = api.post(TOOL_CALL, {"tool_name": "t" * 5000, "user_id": "u" * 5000})

    call = ToolCall.objects.get(tool_call_id=answer.body["audit_id"])
    assert len(call.tool_name) <= 255
    assert call.tool_name.startswith("t" * 200)
