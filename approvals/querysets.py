"""The questions to the database about approvals.

Time is the database's: the clocks of processes differ.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Now

if TYPE_CHECKING:
    from approvals.models import ApprovalRequest, Delegation, Grant  # noqa: F401 (in the bases)


class ApprovalRequestQuerySet(models.QuerySet["ApprovalRequest"]):
    def for_tenant(self, tenant_id: int) -> Self:
        """The tenant's requests."""
        return self.filter(tenant_id=tenant_id)

    def open(self) -> Self:
        """Requests that can still be answered."""
        return self.filter(status="pending", expires_at__gt=Now())

    def overdue(self) -> Self:
        """Past their time, though nobody has said so yet."""
        return self.filter(status="pending", expires_at__lte=Now())

    def with_state(self) -> Self:
        """With `state`: the status, but `expired` as soon as the time is past."""
        return self.annotate(
            state=Case(
                When(status="pending", expires_at__lte=Now(), then=Value("expired")),
                default=F("status"),
            )
        )

    def to_review(self) -> Self:
        """Broken glass that nobody else has looked at yet."""
        return self.filter(~Q(broken_by=""), reviewed_at=None)


class GrantQuerySet(models.QuerySet["Grant"]):
    def usable(self, tenant_id: int, digest: bytes) -> Self:
        """Not used and not past its time."""
        return self.filter(
            tenant_id=tenant_id, digest=digest, consumed_at=None, expires_at__gt=Now()
        )


class DelegationQuerySet(models.QuerySet["Delegation"]):
    def active(self) -> Self:
        """In force now."""
        return self.filter(starts_at__lte=Now(), ends_at__gt=Now(), ended_at=None)
