"""For a time somebody answers in a colleague's place: what may be agreed, and how it ends."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from approvals.errors import DelegationRefused
from approvals.models import Delegation
from approvals.querysets import DelegationQuerySet
from audit.services import record_event
from axonportal.accounts.models import Membership, Tenant, User

MAX_LENGTH = timedelta(days=60)
MAX_AHEAD = timedelta(days=365)  # how far off it may begin


@transaction.atomic
def delegate(
    tenant: Tenant,
    *,
    approver: User,
    to: User,
    starts_at: datetime,
    ends_at: datetime,
    now: datetime,
    reason: str = "",
    address: str = "",
) -> Delegation:
    """Let `to` answer in the place of `approver`; what was delegated to her goes no further.

    Raises:
        DelegationRefused: to herself, to nobody of the tenant, too long, or beside another one.
    """
    # Two forms of one person sent at once: the second waits here and then sees the first.
    inside = Membership.objects.select_for_update().filter(tenant=tenant, user__is_active=True)
    if to.pk == approver.pk:
        raise DelegationRefused("Name somebody else.", field="delegate")
    if {approver.pk, to.pk} - set(
        inside.filter(user__in=[approver, to]).values_list("user", flat=True)
    ):
        raise DelegationRefused("Both have to be members of the tenant.", field="delegate")
    _check_span(starts_at, ends_at, now)
    if _beside(tenant, approver, starts_at, ends_at).exists():
        raise DelegationRefused(
            "Another delegation of yours covers a part of that time; end it first.",
            field="starts_at",
        )
    made = Delegation.objects.create(
        tenant=tenant,
        approver=approver,
        delegate=to,
        starts_at=starts_at,
        ends_at=ends_at,
        reason=reason.strip(),
    )
    record_event(
        "approval.delegate",
        actor=approver.get_username(),
        target=made,
        tenant_id=tenant.pk,
        tenant=tenant.slug,
        detail={
            "to": to.get_username(),
            "from": starts_at.isoformat(),
            "until": ends_at.isoformat(),
            "reason": made.reason,
        },
        address=address,
    )
    return made


def _check_span(starts_at: datetime, ends_at: datetime, now: datetime) -> None:
    if ends_at <= starts_at:
        raise DelegationRefused("It must end after it starts.", field="ends_at")
    if ends_at <= now:
        raise DelegationRefused("It would be over already.", field="ends_at")
    if ends_at - starts_at > MAX_LENGTH:
        raise DelegationRefused(f"At most {MAX_LENGTH.days} days.", field="ends_at")
    if starts_at > now + MAX_AHEAD:
        raise DelegationRefused(f"At most {MAX_AHEAD.days} days ahead.", field="starts_at")


def _beside(
    tenant: Tenant, approver: User, starts_at: datetime, ends_at: datetime
) -> DelegationQuerySet:
    return Delegation.objects.filter(
        tenant=tenant,
        approver=approver,
        ended_at=None,
        starts_at__lt=ends_at,
        ends_at__gt=starts_at,
    )


@transaction.atomic
def end(delegation: Delegation, *, by: User, address: str = "") -> Delegation:
    """End it now; once it is over this changes nothing."""
    delegation = Delegation.objects.select_for_update().get(pk=delegation.pk)
    if not Delegation.objects.filter(pk=delegation.pk, ended_at=None, ends_at__gt=Now()).exists():
        return delegation
    Delegation.objects.filter(pk=delegation.pk).update(ended_at=Now())
    delegation.refresh_from_db()
    record_event(
        "approval.delegate_end",
        actor=by.get_username(),
        target=delegation,
        tenant_id=delegation.tenant_id,
        tenant=delegation.tenant.slug,
        detail={
            "of": delegation.approver.get_username(),
            "to": delegation.delegate.get_username(),
        },
        address=address,
    )
    return delegation


def visible_to(user: User, *, whole: Sequence[int], tenants: Sequence[int]) -> Q:
    """Of the tenants `whole` all; of the others hers, and those that name her."""
    hers = Q(approver=user) | Q(delegate=user)
    return Q(tenant__in=whole) | (Q(tenant__in=tenants) & hers)
