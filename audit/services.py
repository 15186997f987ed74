"""What the other apps do with the trail: add to it, and find one decision in it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeVar

import orjson
from django.db import DEFAULT_DB_ALIAS, models

from audit import actors, ids, rows
from audit.actors import Actor
from audit.errors import ContextNotFound
from audit.models import (
    AUDIT_EVENTS,
    ID_LENGTH,
    LLM_CALLS,
    NAME_LENGTH,
    NO_TENANT,
    TOOL_CALLS,
    AuditEvent,
    GatewayContext,
    LlmCall,
    Record,
    ToolCall,
)
from audit.recorder import InlineRecorder, recorder

R = TypeVar("R", bound=Record)


def record_event(
    kind: str,
    *,
    actor: Actor | str,
    target: models.Model | None = None,
    tenant_id: int = NO_TENANT,
    tenant: str = "",
    detail: Mapping[str, Any] | None = None,
    address: str = "",
) -> AuditEvent:
    """Record an act, in the caller's transaction: it stands or falls with what was done.

    `kind` is dotted, thing first: `policy.update`. A bare name as `actor` is a person's.
    `detail` must hold no secret and no text of an operation that was not redacted. The target's
    id and name are copied.

    Raises:
        RecorderUnavailable: the database is away.
    """
    who = actors.of(actor)
    stamp = ids.stamp(ids.EVENT)
    row = {
        "event_id": stamp.id,
        "created_at": stamp.at,
        "tenant_id": tenant_id,
        "tenant": tenant,
        "kind": kind,
        "actor": who.name[:NAME_LENGTH],
        "actor_kind": who.kind,
        "target_type": target._meta.label_lower if target else "",
        "target_id": str(target.pk)[:NAME_LENGTH] if target else "",
        "target": str(target) if target else "",
        "detail": dict(detail or {}),
        "address": address[:NAME_LENGTH],
    }
    InlineRecorder().record(AUDIT_EVENTS, row)
    return _stored(AuditEvent, row)


def find_context(tenant_id: int, context_id: str) -> GatewayContext:
    """The tenant's decision of that id, read from one partition by its primary key.

    Raises:
        ContextNotFound: this tenant has none; that another has it makes no difference.
    """
    context = GatewayContext.objects.for_tenant(tenant_id).by_context_id(context_id).first()
    if context is None:
        raise ContextNotFound(
            f"There is no gateway context {context_id[:ID_LENGTH]!r}. "
            "Use the context_id that the pre-check answered."
        )
    return context


def record_tool_call(
    *,
    tenant_id: int,
    client_id: str,
    tool_name: str,
    tenant: str = "",
    context_id: str = "",
    credential: str = "",
    user_id: str = "",
    verified_user: str = "",
    agent: str = "",
    session_id: str = "",
    tool_use_id: str = "",
    caller_name: str = "",
    workflow_id: str = "",
    step_id: str = "",
    input: Mapping[str, Any] | None = None,  # noqa: A002 (the wire's and the column's name)
    output: str = "",
    success: bool = True,
    error_message: str = "",
    duration_ms: int | None = None,
    policies_applied: Sequence[str] = (),
    snapshot: Mapping[str, Any] | None = None,
) -> ToolCall:
    """Record a tool that ran; durable when this returns.

    `input`, `output` and `error_message` are redacted by the caller. Without a `context_id` the
    decision asked for ahead of the same tool use in the same session is looked up.

    Raises:
        RecorderUnavailable: it is not known to be stored.
        RecordRefused: the database does not accept it.
    """
    stamp = ids.stamp(ids.TOOL_CALL)
    if not context_id and session_id and tool_use_id:
        context_id = (
            GatewayContext.objects.for_tenant(tenant_id)
            .of_tool_use(session_id, tool_use_id, before=stamp.at)
            .values_list("context_id", flat=True)
            .first()
            or ""
        )
    row = {
        "tool_call_id": stamp.id,
        "created_at": stamp.at,
        "tenant_id": tenant_id,
        "tenant": tenant,
        "context_id": context_id,
        "client_id": client_id,
        "credential": credential,
        "user_id": user_id,
        "verified_user": verified_user,
        "agent": agent,
        "session_id": session_id,
        "tool_use_id": tool_use_id,
        "tool_name": tool_name,
        "caller_name": caller_name,
        "workflow_id": workflow_id,
        "step_id": step_id,
        "input": dict(input or {}),
        "output": output,
        "success": success,
        "error_message": error_message,
        "duration_ms": duration_ms,
        "policies_applied": list(policies_applied),
        "snapshot": dict(snapshot or {}),
    }
    recorder().record(TOOL_CALLS, row)
    return _stored(ToolCall, row)


def record_llm_call(
    context: GatewayContext,
    *,
    client_id: str,
    provider: str,
    model: str,
    response_summary: str = "",
    prompt_tokens: int = 0,
    completion_tokens: int = 0,
    total_tokens: int = 0,
    latency_ms: int = 0,
    metadata: Mapping[str, Any] | None = None,
    estimated_cost_usd: Decimal | None = None,
) -> LlmCall:
    """Record a model call that followed `context`; durable when this returns.

    The same report of the same client is one row with one `audit_id`, however often it is sent
    (the stored `recorded_at` is the first one's). `response_summary` and `metadata` are redacted
    by the caller.

    Raises:
        RecorderUnavailable: it is not known to be stored.
        RecordRefused: the database does not accept it.
    """
    report = {
        "context_id": context.context_id,
        "client_id": client_id,
        "provider": provider,
        "model": model,
        "prompt_tokens": prompt_tokens,
        "completion_tokens": completion_tokens,
        "total_tokens": total_tokens,
        "latency_ms": latency_ms,
        "response_summary": response_summary,
        "metadata": dict(metadata or {}),
    }
    digest = hashlib.sha256(_canonical(report)).digest()
    stamp = ids.derived(ids.LLM_CALL, context.created_at, digest)
    row = {
        **report,
        "audit_id": stamp.id,
        "created_at": stamp.at,
        "recorded_at": ids.stamp(ids.LLM_CALL).at,
        "estimated_cost_usd": estimated_cost_usd,
        "tenant_id": context.tenant_id,
        "tenant": context.tenant,
        "user_id": context.user_id,
    }
    recorder().record(LLM_CALLS, row)
    return _stored(LlmCall, row)


def _canonical(report: Mapping[str, Any]) -> bytes:
    """The same bytes for the same report."""
    return orjson.dumps(rows.clean(report), option=orjson.OPT_SORT_KEYS)


def _stored(model: type[R], row: Mapping[str, Any]) -> R:
    """The row as its model has it; reading it back would cost another round trip."""
    fields = [field.attname for field in model._meta.concrete_fields]
    return model.from_db(DEFAULT_DB_ALIAS, fields, [row[name] for name in fields])
