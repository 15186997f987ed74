"""Rows of the trail, with what a test does not care about filled in."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from audit import ids
from audit.models import (
    AUDIT_EVENTS,
    GATEWAY_CONTEXTS,
    LLM_CALLS,
    TOOL_CALLS,
    GatewayContext,
)
from audit.recorder import InlineRecorder

TENANT = 7


def decision(*, at: datetime | None = None, **fields: Any) -> dict[str, Any]:
    """A row of gateway_contexts: allowed, just now or at `at`."""
    stamp = ids.stamp(ids.CONTEXT)
    if at is not None:
        stamp = ids.derived(ids.CONTEXT, at, bytes.fromhex(stamp.id.removeprefix(ids.CONTEXT))[6:])
    row = {
        "context_id": stamp.id,
        "created_at": stamp.at,
        "tenant_id": TENANT,
        "tenant": "demo",
        "client_id": "claude-code",
        "query": "SELECT 1",
        "verdict": "allow",
    } | fields
    return {"approved": row["verdict"] == "allow"} | row


def stored(*, at: datetime | None = None, **fields: Any) -> GatewayContext:
    """A decision in the database."""
    row = decision(at=at, **fields)
    InlineRecorder().record(GATEWAY_CONTEXTS, row)
    return GatewayContext.objects.get(pk=row["context_id"])


def one_of_each() -> dict[str, dict[str, Any]]:
    """A row for every table of the trail."""
    call, llm, event = (ids.stamp(kind) for kind in (ids.TOOL_CALL, ids.LLM_CALL, ids.EVENT))
    common = {"tenant_id": TENANT, "tenant": "demo"}
    return {
        GATEWAY_CONTEXTS: decision(),
        TOOL_CALLS: common
        | {
            "tool_call_id": call.id,
            "created_at": call.at,
            "client_id": "claude-code",
            "tool_name": "Bash",
        },
        LLM_CALLS: common
        | {
            "audit_id": llm.id,
            "created_at": llm.at,
            "recorded_at": llm.at,
            "context_id": "ctx_1",
            "client_id": "claude-code",
            "provider": "anthropic",
            "model": "claude",
        },
        AUDIT_EVENTS: common
        | {
            "event_id": event.id,
            "created_at": event.at,
            "kind": "policy.update",
            "actor": "ada",
        },
    }
