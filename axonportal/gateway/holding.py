"""A decision that holds: use the approval that exists, join the request that waits, or open one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from django.conf import settings

from approvals import services as approvals
from approvals.errors import NobodyCanAnswer, TooManyPending
from approvals.models import ApprovalRequest
from audit import ids, rows
from audit.models import GatewayContext
from axonportal.gateway import binding, keeping, operations
from axonportal.gateway.caller import Caller, name
from axonportal.gateway.keeping import Kept
from policies import services as policy_services
from policies.engine.approval import Terms
from policies.engine.decision import Decision, Match, Verdict
from policies.engine.operation import Operation, Phase
from policies.engine.policy import ActionType, CompiledPolicy

MAX_NAME = 200  # characters of a policy's name that a client gives
MAX_REASON = 2_000
_SEVERITIES = ("low", "medium", "high", "critical")


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """How it stands with the request for an operation, as answers and records tell it."""

    request_id: str
    status: str
    url: str
    expires_at: Any
    outcome: str = ""

    def present(self, iso: Any) -> dict[str, Any]:
        """On the wire."""
        told = {
            "request_id": self.request_id,
            "status": self.status,
            "url": self.url,
            "expires_at": iso(self.expires_at),
        }
        return told | ({"outcome": self.outcome} if self.outcome else {})


def resolve(
    caller: Caller,
    operation: Operation,
    decision: Decision,
    *,
    arguments: Any,
    kept: Kept,
    context_id: str,
) -> tuple[Decision, Approval | None]:
    """The decision as it stands once approvals have had their say.

    An approval for exactly this operation lets it run, once. Otherwise it is held, under the
    request that the answer names; or denied at once where nobody could ever answer.
    """
    if operation.phase == Phase.AFTER:
        reason = f"{decision.reason} A result cannot wait for a person, so it is withheld."
        return replace(decision, verdict=Verdict.DENY, reason=reason), None
    tenant_id = caller.principal.tenant_id
    digest = binding.digest(caller, operation, arguments, decision)
    if (used := approvals.consume(tenant_id, digest, context_id)) is not None:
        return replace(decision, verdict=Verdict.ALLOW, reason=""), _approval(used)
    held = _held(caller, operation, decision, digest, arguments, kept, context_id)
    try:
        request = approvals.hold(held)
    except (NobodyCanAnswer, TooManyPending) as error:
        reason = f"{decision.reason} It is denied at once: {error.detail}"
        return replace(decision, verdict=Verdict.DENY, reason=reason), None
    approval = _approval(request)
    if request.status == ApprovalRequest.Status.DENIED:
        reason = (
            f"require_approval: {request.outcome} ({request.pk}). Asking again changes nothing "
            f"before {request.expires_at:%Y-%m-%d %H:%M} UTC."
        )
        return replace(decision, verdict=Verdict.DENY, reason=reason), approval
    reason = (
        f"{decision.reason} Have it approved at {approval.url}, then send exactly the same call "
        f"again: it passes once. The request {request.pk} waits until "
        f"{request.expires_at:%Y-%m-%d %H:%M} UTC."
    )
    return replace(decision, reason=reason), approval


def ask(
    caller: Caller,
    text: str,
    *,
    policy_id: str,
    policy: str,
    reason: str,
    severity: str,
    expires_in_s: int,
    notify_url: str,
) -> ApprovalRequest:
    """The request that a program opens by itself, or the open one for the same text.

    `policy_id` or `policy`, its name, may be one of the tenant's policies that require approval;
    its terms count then. Otherwise the deployment's groups answer. Its approval lets no call of
    the gateway pass: whoever asked acts on the answer.

    Raises:
        NobodyCanAnswer, TooManyPending: as for `approvals.hold`.
    """
    operation = operations.of_query(text, tool="", fields=caller.fields())
    decision = policy_services.decide(caller.principal.tenant_id, operation)
    kept = keeping.of_operation(operation, decision)
    known = _named(caller.principal.tenant_id, {policy_id, policy} - {""})
    action = known.action(Phase.BEFORE) if known is not None else None
    terms = (action.terms if action else None) or Terms()
    said_name = keeping.of_text(policy[:MAX_NAME])
    asking: dict[str, Any] = {
        "policy_id": known.spec.id if known else keeping.of_text(policy_id[:MAX_NAME]),
        "policy": known.spec.name if known else said_name or "asked by the client",
        "version": known.spec.version if known else 0,
        "message": keeping.of_text(reason[:MAX_REASON]) or "The client asks for approval.",
        **_asked(terms),
    }
    # A program may make its request more urgent and shorter-lived than the policy does, not less.
    worst = max(severity, known.spec.severity if known else severity, key=_SEVERITIES.index)
    bound = _opened_by_a_pre_check(caller, text) or binding.digest(
        caller, operation, {"asked": {**asking, "said": [policy_id, policy, reason]}}, decision
    )
    held = replace(
        _held(caller, operation, decision, bound, {"query": text}, kept, ""),
        policies=[{key: rows.clean(value) for key, value in asking.items()}],
        severity=worst,
        expires_in_s=min(expires_in_s or terms.expires_in_s, terms.expires_in_s)
        if known
        else expires_in_s,
        notify_url=notify_url,
    )
    return approvals.hold(held)


def _opened_by_a_pre_check(caller: Caller, text: str) -> bytes | None:
    """What the open request for the very same text is bound to, if a pre-check opened one for
    the same subject: its approval lets that pre-check pass.

    What is kept of a text does not tell two apart that differ in a secret only, so the original's
    digest is compared, which stands with the decision.
    """
    principal = caller.principal
    candidates = ApprovalRequest.objects.for_tenant(principal.tenant_id).open()
    candidates = candidates.filter(
        client_id=principal.client_id,
        verified_user=principal.user,
        user_id=rows.clean(name(caller.user_id)),
        agent="pre-check",
    )
    decided = list(candidates.values_list("context_id", flat=True))
    same = GatewayContext.objects.for_tenant(principal.tenant_id).filter(
        created_at__in=[ids.time_of(context_id) for context_id in decided],  # names partitions
        context_id__in=decided,
        query_sha256=binding.original(text),
    )
    held = candidates.filter(context_id__in=list(same.values_list("context_id", flat=True)))
    bound = held.order_by("created_at").values_list("digest", flat=True).first()
    return None if bound is None else bytes(bound)


def _named(tenant_id: int, names: set[str]) -> CompiledPolicy | None:
    """The tenant's policy of that id or name, if it requires approval of anything."""
    for compiled in policy_services.current(tenant_id):
        action = compiled.action(Phase.BEFORE)
        if {compiled.spec.id, compiled.spec.name} & names and action and action.terms:
            return compiled
    return None


def _approval(request: ApprovalRequest) -> Approval:
    return Approval(
        request_id=request.pk,
        status=request.status,
        url=f"{settings.AXON_PUBLIC_URL}{request.get_absolute_url()}",
        expires_at=request.expires_at,
        outcome=request.outcome,
    )


def _held(
    caller: Caller,
    operation: Operation,
    decision: Decision,
    digest: bytes,
    arguments: Any,
    kept: Kept,
    context_id: str,
) -> approvals.Held:
    principal = caller.principal
    asking = [match for match in decision.matches if match.action == ActionType.REQUIRE_APPROVAL]
    severities = [match.severity for match in asking] or ["medium"]
    sent: dict[str, Any] = {
        "credential": principal.credential,
        "user_id": name(caller.user_id),
        "verified_user": principal.user,
        "agent": name(caller.agent),
        "session_id": name(caller.session_id),
        "working_directory": keeping.of_text(_text(caller.fields()["working_directory"])),
        "target": name(keeping.of_text(binding.target_of(caller, operation))),
        "tool": name(operation.tool),
        "text": kept.text,
        "arguments": keeping.of_json(arguments) if isinstance(arguments, Mapping) else {},
        "context": keeping.of_json(caller.context),
        "snapshot": kept.snapshot,
    }
    # What PostgreSQL cannot store is replaced, character for character.
    cleaned: dict[str, Any] = {key: rows.clean(value) for key, value in sent.items()}
    return approvals.Held(
        tenant_id=principal.tenant_id,
        tenant=principal.tenant,
        digest=digest,
        policies=[_asking(match) for match in asking],
        severity=max(severities, key=_SEVERITIES.index),
        client_id=principal.client_id,
        context_id=context_id,
        shape=binding.shape(operation),
        **cleaned,
    )


def _asking(match: Match) -> dict[str, Any]:
    return {
        "policy_id": match.policy_id,
        "policy": match.policy,
        "version": match.version,
        "message": match.message,
        **_asked(match.terms or Terms()),
    }


def _asked(terms: Terms) -> dict[str, Any]:
    """The terms as they are stored; where no group is named, the deployment's own."""
    return {
        **asdict(terms),
        "approvers": list(terms.approvers or settings.AXON_APPROVERS),
        "escalation": [
            {"after_s": step.after_s, "approvers": list(step.approvers)}
            for step in terms.escalation
        ],
    }


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
