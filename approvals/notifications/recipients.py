"""Which member of a tenant a name in a request stands for."""

from __future__ import annotations

from django.db.models import Q

from approvals.models import ApprovalRequest
from axonportal.accounts.models import User


def requester(request: ApprovalRequest) -> User | None:
    """The person to hear of the outcome: proved by the credential, or claimed by the caller."""
    return member_called(request.tenant_id, request.verified_user or request.user_id)


def member_called(tenant_id: int, name: str) -> User | None:
    """The active member of that user name or address; nobody where several could be meant."""
    if not name:
        return None
    people = User.objects.filter(is_active=True, memberships__tenant=tenant_id)
    if (exact := people.filter(username=name).first()) is not None:
        return exact
    found = list(people.filter(Q(username__iexact=name) | Q(email__iexact=name)).distinct()[:2])
    return found[0] if len(found) == 1 else None
