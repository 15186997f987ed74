"""The questions to the database about notifications; time is the database's."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Self

from django.db import models
from django.db.models import Min, Q
from django.db.models.functions import Coalesce, Now

if TYPE_CHECKING:
    from approvals.notifications.models import Notification, WebhookTarget  # noqa: F401 (bases)
    from axonportal.accounts.models import User


class NotificationQuerySet(models.QuerySet["Notification"]):
    def for_user(self, user: User) -> Self:
        """What the portal tells this person, in the tenants that she still belongs to."""
        return self.filter(
            channel="portal", user=user, tenant__in=user.memberships.values("tenant")
        ).order_by("-created_at")

    def unread(self) -> Self:
        """Not looked at yet."""
        return self.filter(read_at=None)

    def mark_read(self) -> int:
        """She has seen them; how many were new."""
        return self.unread().update(read_at=Now())

    def waiting(self) -> Self:
        """To be delivered, now or later."""
        return self.filter(status="pending")

    def due(self, channel: str) -> Self:
        """To be delivered now, and in nobody's hands."""
        return self.waiting().filter(
            Q(leased_until=None) | Q(leased_until__lte=Now()),
            channel=channel,
            next_try_at__lte=Now(),
        )

    def in_flight(self) -> Self:
        """In the hands of a worker that is alive, as far as one can tell."""
        return self.waiting().filter(leased_until__gt=Now())

    def undelivered(self) -> Self:
        """Tried in vain: given up, or to be tried again."""
        return self.filter(
            Q(status="failed") | Q(status="pending", attempts__gt=0) & ~Q(last_error="")
        )

    def mailed_since(self, lane: str, ago: timedelta) -> Any:
        """When each mail of the lane left, or was taken to be sent, in that time."""
        return (
            self.filter(lane=lane, channel="mail", event__in=("requested", "escalated"))
            .filter(
                Q(status="sent", sent_at__gt=Now() - ago)
                | Q(status="pending", leased_until__gt=Now())
            )
            .values("batch")
            .annotate(at=Min(Coalesce("sent_at", "claimed_at")))
            .values_list("at", flat=True)
        )


class WebhookTargetQuerySet(models.QuerySet["WebhookTarget"]):
    def told(self, tenant_id: int, event: str) -> Self:
        """The tenant's targets that want to hear of the event."""
        return self.filter(tenant_id=tenant_id, is_active=True, events__contains=[event]).exclude(
            url=""
        )
