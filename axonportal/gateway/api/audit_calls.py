"""What clients report afterwards: `/api/audit/llm-call` and `/api/v1/audit/tool-call`."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from audit import services as audit_services
from audit.models import ID_LENGTH
from axonportal.accounts.authentication import authenticate
from axonportal.accounts.models import Scope
from axonportal.common.api import CallView, answer
from axonportal.common.body import read_object
from axonportal.common.errors import Conflict, Forbidden, Invalid
from axonportal.gateway import keeping, operations, services
from axonportal.gateway.caller import Caller, name
from axonportal.gateway.pre_check import iso
from policies import services as policy_services

Count = Annotated[int, msgspec.Meta(ge=0, le=services.MAX_COUNT)]


class TokenUsage(msgspec.Struct, kw_only=True):
    """Counts of one model call."""

    prompt_tokens: Count = 0
    completion_tokens: Count = 0
    total_tokens: Count = 0


class LlmCallRequest(msgspec.Struct, kw_only=True):
    """The body of `/api/audit/llm-call`."""

    context_id: str
    provider: str
    model: str
    client_id: str = ""
    response_summary: str | None = None
    token_usage: TokenUsage | None = None
    latency_ms: Count | None = None
    metadata: dict[str, Any] | None = None


class ToolCallRequest(msgspec.Struct, kw_only=True):
    """The body of `/api/v1/audit/tool-call`; `tool_type` is `caller_name`'s older name."""

    tool_name: str
    caller_name: str | None = None
    tool_type: str | None = None
    context_id: Annotated[str, msgspec.Meta(max_length=ID_LENGTH)] | None = None
    input: Any = None
    output: Any = None
    workflow_id: str | None = None
    step_id: str | None = None
    session_id: str | None = None
    tool_use_id: str | None = None
    user_id: str | None = None
    duration_ms: Count | None = None
    policies_applied: list[str] | None = None
    success: bool | None = None
    error_message: str | None = None


class LlmCallView(CallView):
    """Record a model call that followed a pre-check; a retried report is one record."""

    def post(self, request: HttpRequest) -> HttpResponse:
        body = read_object(request)
        payload = _convert(body, LlmCallRequest, required=("context_id", "provider", "model"))
        principal = authenticate(request, client_id=payload.client_id)
        principal.require(Scope.RECORD)
        context = audit_services.find_context(principal.tenant_id, payload.context_id)
        if context.client_id != principal.client_id:
            raise Forbidden(
                f"The context {context.context_id} was asked for by another client; each client "
                "reports on its own."
            )
        if context.expires_at is not None and context.expires_at < timezone.now():
            raise Conflict(
                f"The context {context.context_id} expired at {iso(context.expires_at)}; ask "
                "again before the model is called."
            )
        usage = payload.token_usage or TokenUsage()
        call = audit_services.record_llm_call(
            context,
            client_id=principal.client_id,
            provider=name(payload.provider),
            model=name(payload.model),
            response_summary=keeping.of_text(payload.response_summary or ""),
            prompt_tokens=usage.prompt_tokens,
            completion_tokens=usage.completion_tokens,
            total_tokens=usage.total_tokens,
            latency_ms=payload.latency_ms or 0,
            metadata=keeping.of_json(payload.metadata or {}),
        )
        return answer({"success": True, "audit_id": call.audit_id})


class ToolCallView(CallView):
    """Record a tool that ran."""

    def post(self, request: HttpRequest) -> HttpResponse:
        body = read_object(request)
        payload = _convert(body, ToolCallRequest, required=("tool_name",))
        principal = authenticate(request, client_id=_text(body.get("client_id")))
        principal.require(Scope.RECORD)
        caller = Caller(
            principal=principal,
            agent="sdk",
            user_id=payload.user_id or principal.user,
            session_id=payload.session_id or "",
            tool_use_id=payload.tool_use_id or "",
        )
        operation = operations.of_tool_result(
            payload.tool_name, payload.output, fields=caller.fields()
        )
        # Judged for the record's sake: the caller has the result already.
        decision = policy_services.decide(principal.tenant_id, operation)
        kept = keeping.of_operation(operation, decision)
        tool_input = payload.input if isinstance(payload.input, dict) else {"input": payload.input}
        call = audit_services.record_tool_call(
            **services.who(caller),
            context_id=payload.context_id or "",
            tool_name=name(payload.tool_name),
            caller_name=name(payload.caller_name or payload.tool_type or ""),
            workflow_id=name(payload.workflow_id or ""),
            step_id=name(payload.step_id or ""),
            input=keeping.of_json(tool_input) if payload.input is not None else {},
            output=kept.text,
            success=payload.success is not False,
            error_message=keeping.of_text(payload.error_message or ""),
            duration_ms=payload.duration_ms,
            policies_applied=payload.policies_applied or decision.policies,
            snapshot=kept.snapshot,
        )
        return answer(
            {
                "audit_id": call.tool_call_id,
                "status": "recorded",
                "timestamp": iso(call.created_at),
            },
            status=201,
        )


def _convert(body: dict[str, Any], shape: type[Any], *, required: tuple[str, ...]) -> Any:
    for field in required:
        if not body.get(field):
            raise Invalid(
                f"{field} field is required.", errors=[{"field": field, "message": "Required."}]
            )
    try:
        return msgspec.convert(body, shape)
    except msgspec.ValidationError as error:
        text, _, place = str(error).partition(" - at `$.")
        field = place.rstrip("`") or "body"
        raise Invalid(f"{field}: {text}.", errors=[{"field": field, "message": text}]) from None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
