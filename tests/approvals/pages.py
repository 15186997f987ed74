"""Held operations and the pages on which people answer them."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from django.urls import reverse

from approvals import services
from approvals.models import ApprovalRequest
from axonportal.accounts.models import Tenant, User
from tests.portal.people import browser

INBOX = "admin:approvals_approvalrequest_changelist"
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


def page(person: User, request: ApprovalRequest) -> str:
    """The page of the request as the person sees it."""
    answer = browser(person).get(request.get_absolute_url())
    assert answer.status_code == 200
    return answer.content.decode()


def inbox(person: User, **query: str) -> str:
    """The inbox as the person sees it."""
    answer = browser(person).get(reverse(INBOX), query)
    assert answer.status_code == 200
    return answer.content.decode()


def says(choice: str, reason: str = "", **more: str) -> dict[str, str]:
    """What the browser sends for an answer."""
    return {"step": "answer", "answer-choice": choice, "answer-reason": reason, **more}
