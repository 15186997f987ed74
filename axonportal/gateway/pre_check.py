"""`POST /api/policy/pre-check`: may this operation run?"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from axonportal.accounts.authentication import Principal, authenticate
from axonportal.accounts.models import Scope
from axonportal.common.api import CallView, answer
from axonportal.common.body import read_object
from axonportal.common.errors import Forbidden, Invalid
from axonportal.gateway import operations, services, session_files
from axonportal.gateway.caller import Caller
from axonportal.gateway.failing import CannotDecide, fails_open, guarded
from axonportal.gateway.services import Checked
from policies.engine.decision import Decision
from policies.engine.operation import Operation
from policies.engine.policy import ActionType

MAX_DATA_SOURCES = 100
MAX_WAIT_S = 86_400  # what a caller may ask for; AXON_MAX_WAIT_S is what it gets
_EXAMPLE = '{"client_id": "claude-code", "user_token": "ada", "query": "SELECT 1"}'


class PreCheckRequest(msgspec.Struct, kw_only=True, forbid_unknown_fields=False):
    """The body. Fields that are not listed are recorded in the context."""

    query: str
    client_id: str | None = None
    user_token: str | None = None
    data_sources: list[str] | None = None
    context: dict[str, Any] | None = None
    wait_s: float | None = None


class PreCheckView(CallView):
    """Decide whether an operation may run, before it runs; 200 for yes and for no."""

    def post(self, request: HttpRequest) -> HttpResponse:
        body = read_object(request)
        payload = _parse(body)
        principal = authenticate(request, client_id=payload.client_id or "")
        principal.require(Scope.DECIDE)
        caller = _caller(payload, body, principal)
        context = caller.context
        tool = context.get("tool") or context.get("tool_name") or ""
        operation = operations.of_query(
            payload.query,
            tool=tool if isinstance(tool, str) else "",
            fields=caller.fields(request_type=body.get("request_type", "")),
            inherited=session_files.of(caller),
        )
        try:
            checked = guarded(lambda: _checked(caller, operation, payload.wait_s or 0.0))
        except CannotDecide as error:
            if fails_open(principal):
                return answer(_unchecked(error))
            raise
        return answer(present(checked))


def _checked(caller: Caller, operation: Operation, wait_s: float) -> Checked:
    arguments = {"query": operation.text, "data_sources": list(caller.data_sources)}
    checked = services.check(caller, operation, arguments=arguments)
    if wait_s > 0 and checked.is_waiting:
        checked = services.check_again(caller, operation, checked, wait_s, arguments=arguments)
    if checked.approved:
        session_files.note(caller, None, checked.decision.analysis)
    return checked


def _parse(body: dict[str, Any]) -> PreCheckRequest:
    if not body.get("query") or not str(body["query"]).strip():
        raise Invalid(
            f"query field is required: the text to check. For example {_EXAMPLE}.",
            errors=[{"field": "query", "message": "Required, not empty."}],
        )
    try:
        payload = msgspec.convert(body, PreCheckRequest)
    except msgspec.ValidationError as error:
        text, _, place = str(error).partition(" - at `$.")
        field = place.rstrip("`")
        raise Invalid(
            f"{field or 'body'}: {text}. For example {_EXAMPLE}.",
            errors=[{"field": field, "message": text}],
        ) from None
    if payload.wait_s is not None and not 0 <= payload.wait_s <= MAX_WAIT_S:
        raise Invalid(
            f"wait_s is a number of seconds from 0 to {MAX_WAIT_S:,}; this portal waits at most "
            f"{settings.AXON_MAX_WAIT_S} s."
        )
    if payload.data_sources and len(payload.data_sources) > MAX_DATA_SOURCES:
        raise Invalid(f"data_sources has more than {MAX_DATA_SOURCES} entries.")
    return payload


def _caller(payload: PreCheckRequest, body: dict[str, Any], principal: Principal) -> Caller:
    if payload.client_id and payload.client_id != principal.client_id:
        raise Forbidden(
            f"The credential belongs to client {principal.client_id!r}, not to "
            f"{payload.client_id[:100]!r}; send the client_id that it was issued for."
        )
    if not payload.client_id and not principal.credential:
        raise Invalid(
            f"client_id field is required without a credential. For example {_EXAMPLE}.",
            errors=[{"field": "client_id", "message": "Required."}],
        )
    unlisted = {
        key: value for key, value in body.items() if key not in PreCheckRequest.__struct_fields__
    }
    context = {**unlisted, **(payload.context or {})}
    session = context.get("session_id")
    return Caller(
        principal=principal,
        agent="pre-check",
        user_id=payload.user_token or principal.user,
        session_id=session if isinstance(session, str) else "",
        context=context,
        data_sources=tuple(payload.data_sources or ()),
    )


def present(checked: Checked) -> dict[str, Any]:
    """The answer on the wire: the fields that clients rely on, then our own."""
    decision = checked.decision
    body: dict[str, Any] = {
        "context_id": checked.context_id,
        "approved": checked.approved,
        "policies": decision.policies,
        "expires_at": iso(checked.expires_at),
        "verdict": decision.verdict.value,
        "policy_revision": decision.policy_revision,
    }
    if decision.requires_redaction:
        body["requires_redaction"] = True
    if not checked.approved:
        body["block_reason"] = decision.reason
    if checked.approval is not None:
        body["approval"] = checked.approval.present(iso)
    if warnings := decision.messages(ActionType.WARN):
        body["warnings"] = warnings
    if decision.matches:
        body["matches"] = _matches(decision)
        body["findings"] = [
            {
                "kind": finding.kind,
                "rule": finding.rule,
                "start": finding.start,
                "end": finding.end,
                "reason": finding.reason,
            }
            for finding in decision.analysis.findings
        ]
    return body


def _matches(decision: Decision) -> list[dict[str, Any]]:
    return [
        {
            "policy": match.policy,
            "policy_id": match.policy_id,
            "version": match.version,
            "action": match.action.value,
            "decided_by": match.decided_by,
            "category": match.category,
            "severity": match.severity,
            "message": match.message,
        }
        for match in decision.matches
    ]


def _unchecked(error: CannotDecide) -> dict[str, Any]:
    """The answer for a client whose fail mode is open: it may run, and nothing is on record."""
    now = timezone.now()
    return {
        "context_id": f"ctx_unrecorded_{uuid.uuid4().hex}",
        "approved": True,
        "policies": [],
        "expires_at": iso(now + timedelta(seconds=1)),
        "verdict": "allow",
        "warnings": [f"Not checked: this client fails open. {error.detail}"],
    }


def iso(moment: datetime) -> str:
    """ISO 8601 in UTC with a Z, as the documented samples have it."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")[:-6] + "Z"
