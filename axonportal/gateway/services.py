"""One operation's way: decide, redact what is kept, record durably, answer."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from approvals.waiting import waiting
from audit import ids
from audit.models import GATEWAY_CONTEXTS
from audit.recorder import recorder
from audit.services import record_tool_call
from axonportal.gateway import binding, holding, keeping
from axonportal.gateway.caller import Caller, name
from axonportal.gateway.holding import Approval
from policies import services as policy_services
from policies.engine.decision import Decision, Verdict
from policies.engine.operation import Operation

logger = logging.getLogger(__name__)

MAX_COUNT = 2**53  # of tokens and milliseconds: what JSON numbers hold exactly


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A decision that is on record, under its id."""

    decision: Decision
    context_id: str
    created_at: datetime
    expires_at: datetime
    approval: Approval | None = None

    @property
    def approved(self) -> bool:
        return self.decision.verdict == "allow"

    @property
    def is_waiting(self) -> bool:
        """Is there a request that a person may still answer?"""
        return self.decision.verdict == Verdict.HOLD and self.approval is not None


def check(caller: Caller, operation: Operation, *, arguments: Any = None) -> Checked:
    """Decide an operation and record the decision before anybody hears of it.

    `arguments` are the tool's, whole, as they would run; an approval is bound to them.

    Raises:
        RecorderUnavailable: it could not be made durable; the caller's fail mode answers then.
    """
    started = time.perf_counter()
    decision = policy_services.decide(caller.principal.tenant_id, operation)
    return _record_decision(caller, operation, decision, arguments=arguments, started=started)


def check_again(
    caller: Caller, operation: Operation, held: Checked, wait_s: float, *, arguments: Any = None
) -> Checked:
    """Wait for a person's answer to `held`, at most `AXON_MAX_WAIT_S`, and decide anew after it.

    What was held stays on record as such; what the answer makes of it is a decision of its own,
    by the policies of that moment. Without an answer in that time it is `held`.

    Raises:
        RecorderUnavailable: as for `check`.
    """
    assert held.approval is not None  # noqa: S101 (`is_waiting` was asked)
    timeout_s = min(wait_s, settings.AXON_MAX_WAIT_S)
    if not waiting.until_settled(held.approval.request_id, timeout_s):
        return held
    with waiting.turn:
        return check(caller, operation, arguments=arguments)


def _record_decision(
    caller: Caller,
    operation: Operation,
    decision: Decision,
    *,
    arguments: Any = None,
    started: float | None = None,
) -> Checked:
    stamp = ids.stamp(ids.CONTEXT)
    expires_at = stamp.at + timedelta(seconds=settings.AXON_CONTEXT_LIFETIME_S)
    kept = keeping.of_operation(operation, decision)
    approval = None
    if decision.verdict == Verdict.HOLD:
        decision, approval = holding.resolve(
            caller, operation, decision, arguments=arguments, kept=kept, context_id=stamp.id
        )
        if approval is not None:
            kept.snapshot["approval"] = {
                "request_id": approval.request_id,
                "status": approval.status,
                "outcome": approval.outcome,
            }
    row = {
        **who(caller),
        "context_id": stamp.id,
        "created_at": stamp.at,
        "expires_at": expires_at,
        "tool": name(operation.tool),
        "phase": operation.phase.value,
        "query": kept.text,
        "query_sha256": binding.original(operation.text),
        "context": keeping.of_json(caller.context),
        "data_sources": [keeping.of_text(source) for source in caller.data_sources],
        "verdict": decision.verdict.value,
        "action": decision.action.value if decision.action else "",
        "approved": decision.verdict == "allow",
        "block_reason": decision.reason,
        "triggered_policies": decision.policies,
        "requires_redaction": decision.requires_redaction,
        "snapshot": kept.snapshot,
        "policy_revision": decision.policy_revision,
        "engine_version": decision.engine_version,
        "duration_us": int((time.perf_counter() - started) * 1e6) if started else 0,
    }
    recorder().record(GATEWAY_CONTEXTS, row)
    logger.info(
        "%s %s %s %s %d us",
        stamp.id,
        decision.verdict,
        f"{operation.tool:.80}" if operation.tool.isprintable() and operation.tool else "-",
        ",".join(decision.policies) or "-",
        row["duration_us"],
    )
    return Checked(
        decision=decision,
        context_id=stamp.id,
        created_at=stamp.at,
        expires_at=expires_at,
        approval=approval,
    )


def who(caller: Caller) -> dict[str, Any]:
    """The columns that say who asked, the same in every record."""
    principal = caller.principal
    return {
        "tenant_id": principal.tenant_id,
        "tenant": principal.tenant,
        "client_id": principal.client_id,
        "credential": principal.credential,
        "user_id": name(caller.user_id),
        "verified_user": principal.user,
        "agent": name(caller.agent),
        "session_id": name(caller.session_id),
        "tool_use_id": name(caller.tool_use_id),
    }


def _is_duration(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_COUNT


def check_result(
    caller: Caller,
    operation: Operation,
    *,
    tool_input: Any,
    duration_ms: Any = None,
    failed: bool = False,
) -> Checked:
    """Decide on what a tool gave back, and record the call.

    The tool call is always recorded; the decision beside it only if some policy matched, so that
    a plain result does not stand in the trail twice.

    Raises:
        RecorderUnavailable: as for `check`.
    """
    decision = policy_services.decide(caller.principal.tenant_id, operation)
    if decision.matches:
        checked = _record_decision(caller, operation, decision)
    else:
        stamp = ids.stamp(ids.CONTEXT)
        checked = Checked(
            decision=decision, context_id="", created_at=stamp.at, expires_at=stamp.at
        )
    kept = keeping.of_operation(operation, decision)
    record_tool_call(
        **who(caller),
        tool_name=name(operation.tool),
        input=keeping.of_json(tool_input) if isinstance(tool_input, Mapping) else {},
        output="" if failed else kept.text,
        success=not failed,
        error_message=kept.text if failed else "",
        duration_ms=duration_ms if _is_duration(duration_ms) else None,
        policies_applied=decision.policies,
        snapshot=kept.snapshot,
    )
    return checked
