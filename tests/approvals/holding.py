"""Operations that are held, and people who answer."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from approvals import services
from approvals.models import Answer, ApprovalRequest
from axonportal.accounts.models import Tenant, User
from policies.models import Policy
from tests.factories import saved_policy

# As the integration guide has it.
SEED: dict[str, Any] = {
    "name": "production-approval-required",
    "conditions": [{"field": "query", "operator": "matches", "value": ".*production.*"}],
    "actions": [{"type": "require_approval", "approvers": ["security-team"]}],
}
QUERY = "deploy to production"


def seed_policy(
    tenant: Tenant, *, applies_to: dict[str, Any] | None = None, **terms: Any
) -> Policy:
    """The guide's policy, with other terms if given."""
    action = {**SEED["actions"][0], **terms}
    return saved_policy(tenant, **{**SEED, "actions": [action], "applies_to": applies_to or {}})


def answered(
    request_id: str, person: User, choice: str = "approve", reason: str = "", **options: Any
) -> ApprovalRequest:
    """The request after the person's answer."""
    tenants = list(person.memberships.values_list("tenant_id", flat=True))
    return services.answer(
        request_id,
        tenant_ids=tenants,
        approver=person,
        choice=Answer.Choice(choice),
        reason=reason or ("No." if choice == "deny" else ""),
        **options,
    )


POLICY: dict[str, Any] = {
    "policy_id": "00000000-0000-7000-8000-000000000001",
    "policy": "production-approval-required",
    "version": 1,
    "message": "Production needs a second pair of eyes.",
    "approvers": ["security-team"],
    "quorum": 1,
    "one_denial_settles": True,
    "approve_needs_reason": False,
    "expires_in_s": 86_400,
    "grant_life_s": 3_600,
    "escalation": [],
}

_made = iter(range(1, 1_000_000))


def held(tenant: Tenant, text: str = "deploy to production", **fields: Any) -> ApprovalRequest:
    """A request that waits; the terms of its policy may be given as `terms`."""
    terms = fields.pop("terms", {})
    values: dict[str, Any] = {
        "tenant_id": tenant.pk,
        "tenant": tenant.slug,
        "digest": sha256(str(next(_made)).encode()).digest(),
        "policies": [{**POLICY, **terms}],
        "client_id": "agent",
        "user_id": "developer",
        "tool": "Bash",
        "text": text,
        "arguments": {"command": text},
        "shape": "one",
    }
    made = services.hold(services.Held(**values | fields))
    return ApprovalRequest.objects.with_state().get(pk=made.pk)
