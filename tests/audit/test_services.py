from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction

from audit.errors import ContextNotFound, RecordRefused
from audit.models import AuditEvent, LlmCall, ToolCall
from audit.services import find_context, record_event, record_llm_call, record_tool_call
from tests.audit.records import TENANT, stored

pytestmark = pytest.mark.django_db


def test_an_event_copies_what_it_names():
    context = stored()

    event = record_event(
        "context.read",
        actor="ada",
        target=context,
        tenant_id=TENANT,
        tenant="demo",
        detail={"why": "audit"},
        address="127.0.0.1",
    )

    kept = AuditEvent.objects.get(pk=event.pk)
    assert (kept.kind, kept.actor, kept.actor_kind) == ("context.read", "ada", "person")
    assert (kept.target_type, kept.target_id) == ("audit.gatewaycontext", context.context_id)
    assert (kept.tenant_id, kept.detail, kept.address) == (TENANT, {"why": "audit"}, "127.0.0.1")
    assert kept.created_at == event.created_at


def test_an_event_falls_with_the_transaction_of_its_act():
    with transaction.atomic():
        record_event("policy.update", actor="ada")
        transaction.set_rollback(True)

    assert not AuditEvent.objects.exists()


def test_a_refused_record_leaves_the_callers_transaction_usable():
    with pytest.raises(RecordRefused, match="StringDataRightTruncation"):
        record_event("k" * 256, actor="ada")

    record_event("policy.update", actor="ada")

    assert AuditEvent.objects.get().kind == "policy.update"


def test_a_context_is_found_in_its_tenant_by_one_query(django_assert_num_queries):
    context = stored()

    with django_assert_num_queries(1):
        found = find_context(TENANT, context.context_id)

    assert found == context


@pytest.mark.parametrize("context_id", ["ctx_abc123", "", "ctx_" + "0" * 32, "x\0"], ids=ascii)
def test_an_unknown_context_is_a_refusal_that_says_what_to_send(context_id):
    with pytest.raises(ContextNotFound, match="Use the context_id that the pre-check answered"):
        find_context(TENANT, context_id)


def test_another_tenants_context_is_as_good_as_none():
    context = stored()

    with pytest.raises(ContextNotFound):
        find_context(TENANT + 1, context.context_id)


def test_a_retried_report_of_a_model_call_is_one_row():
    context = stored(user_id="developer")
    report: dict[str, Any] = {
        "client_id": "claude-code",
        "provider": "anthropic",
        "model": "claude",
        "response_summary": "ok\0",
        "total_tokens": 12,
        "metadata": {"a": 1, "b": 2},
    }

    first = record_llm_call(context, **report)
    again = record_llm_call(context, **(report | {"metadata": {"b": 2, "a": 1}}))

    kept = LlmCall.objects.get()
    assert first.audit_id == again.audit_id == kept.audit_id
    assert kept.recorded_at == first.recorded_at
    assert (kept.created_at, kept.user_id) == (context.created_at, "developer")


@pytest.mark.parametrize(
    "change",
    [{"client_id": "other"}, {"model": "other"}, {"total_tokens": 13}, {"metadata": {"n": 2}}],
    ids=lambda change: next(iter(change)),
)
def test_another_report_on_the_same_context_is_another_row(change):
    context = stored()
    report: dict[str, Any] = {"client_id": "c", "provider": "p", "model": "m", "total_tokens": 12}
    record_llm_call(context, **report)

    record_llm_call(context, **(report | change))

    assert LlmCall.objects.count() == 2


def test_the_same_report_on_another_context_is_another_row():
    report: dict[str, Any] = {"client_id": "c", "provider": "p", "model": "m"}

    record_llm_call(stored(), **report)
    record_llm_call(stored(), **report)

    assert LlmCall.objects.count() == 2


def test_a_tool_call_joins_the_newest_decision_of_its_tool_use():
    stored(session_id="s1", tool_use_id="toolu_1")
    newest = stored(session_id="s1", tool_use_id="toolu_1")
    stored(session_id="s1", tool_use_id="toolu_1", tenant_id=TENANT + 1)
    stored(session_id="s1", tool_use_id="toolu_1", phase="after")
    stored(session_id="s2", tool_use_id="toolu_1")

    call = record_tool_call(
        tenant_id=TENANT,
        client_id="claude-code",
        tool_name="Bash",
        session_id="s1",
        tool_use_id="toolu_1",
        input={"command": "ls"},
        output="a\0b",
    )

    kept = ToolCall.objects.get(pk=call.pk)
    assert kept.context_id == newest.context_id
    assert kept.input == {"command": "ls"}
    assert kept.output == "a\N{REPLACEMENT CHARACTER}b"


def test_a_tool_use_with_characters_that_are_not_stored_is_joined_all_the_same():
    context = stored(session_id="s\0", tool_use_id="\udfff")

    call = record_tool_call(
        tenant_id=TENANT, client_id="c", tool_name="Bash", session_id="s\0", tool_use_id="\udfff"
    )

    assert ToolCall.objects.get(pk=call.pk).context_id == context.context_id


def test_a_tool_call_without_a_decision_is_recorded_without_one():
    call = record_tool_call(
        tenant_id=TENANT, client_id="c", tool_name="Bash", session_id="s1", tool_use_id="toolu_9"
    )

    assert ToolCall.objects.get(pk=call.pk).context_id == ""
