"""Operations that are held, and people who answer."""

from __future__ import annotations

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
