"""What is told to whom: one row per recipient and channel, the queue of its own delivery."""

from __future__ import annotations

import secrets

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from approvals.notifications.querysets import NotificationQuerySet, WebhookTargetQuerySet
from audit.models import ID_LENGTH, NAME_LENGTH
from axonportal.accounts.models import Tenant

LANE_LENGTH = 320  # of a mail address (RFC 3696), longer than any host's name
ERROR_LENGTH = 500


class Event(models.TextChoices):
    """What happened to a request."""

    REQUESTED = "requested", _("asked for")
    ESCALATED = "escalated", _("escalated")
    APPROVED = "approved", _("approved")
    DENIED = "denied", _("denied")
    EXPIRED = "expired", _("expired")
    BREAK_GLASS = "break_glass", _("glass broken")
    REVIEWED = "reviewed", _("reviewed")


def every_event() -> list[str]:
    """What a new target hears of."""
    return list(Event.values)


def new_salt() -> bytes:
    """What a target's secret is derived from, beside the portal's key."""
    return secrets.token_bytes(16)


class WebhookTarget(models.Model):
    """An address of a tenant that is told of its approvals.

    The secret that signs what it is sent is derived from the portal's key and `salt`, so it is
    nowhere in the database, and a new salt is a new secret.
    """

    class Kind(models.TextChoices):
        GENERIC = "generic", _("Generic: signed JSON")
        SLACK = "slack", _("Slack-compatible: a message in a channel")
        NOTIFY_URL = "notify_url", _("Signs what goes to the notify_url of single requests")

    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="webhook_targets")
    name = models.CharField(_("name"), max_length=100)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.GENERIC)
    url = models.CharField(
        _("address"),
        max_length=2_000,
        blank=True,
        help_text=_(
            "https:// and a public host. Whoever knows the address of a Slack webhook can post "
            "there, so only editors see it."
        ),
    )
    events = ArrayField(
        models.CharField(max_length=20, choices=Event),
        verbose_name=_("tell it when a request is"),
        default=every_event,
        blank=True,
    )
    is_active = models.BooleanField(
        _("active"), default=True, help_text=_("Switched off, it is told nothing.")
    )
    salt = models.BinaryField(max_length=32, default=new_salt, editable=False)
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)

    objects = WebhookTargetQuerySet.as_manager()

    class Meta:
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                name="webhook_target_name_once_per_tenant", fields=["tenant", "name"]
            ),
            models.UniqueConstraint(
                name="webhook_target_one_signer_per_tenant",
                fields=["tenant"],
                condition=Q(kind="notify_url"),
                violation_error_message=_("There is one already; renew its secret instead."),
            ),
            models.CheckConstraint(
                name="webhook_target_has_an_address",
                condition=Q(kind="notify_url", url="") | (~Q(kind="notify_url") & ~Q(url="")),
                violation_error_message=_(
                    "Give the address; only what signs for notify_url has none."
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Notification(models.Model):
    """Something that one recipient is told over one channel.

    PENDING is due at `next_try_at`, unless a worker has it until `leased_until`. `id` is the
    delivery id, the same however often it is sent. Mails of one `batch` go as one.
    """

    class Channel(models.TextChoices):
        PORTAL = "portal", _("portal")
        MAIL = "mail", _("mail")
        WEBHOOK = "webhook", _("webhook")

    class Audience(models.TextChoices):
        APPROVER = "approver", _("approver")
        REQUESTER = "requester", _("requester")
        SYSTEM = "system", _("another system")

    class Status(models.TextChoices):
        PENDING = "pending", _("Waiting")
        SENT = "sent", _("Delivered")
        FAILED = "failed", _("Given up")
        DROPPED = "dropped", _("Not needed any more")

    id = models.CharField(_("delivery"), max_length=ID_LENGTH, primary_key=True)
    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="+")
    request = models.ForeignKey(
        "approvals.ApprovalRequest", models.CASCADE, related_name="notifications"
    )
    event = models.CharField(_("event"), max_length=20, choices=Event)
    audience = models.CharField(_("told as"), max_length=10, choices=Audience)
    channel = models.CharField(_("channel"), max_length=10, choices=Channel)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="+"
    )
    target = models.ForeignKey(
        WebhookTarget, models.CASCADE, null=True, blank=True, related_name="+"
    )
    recipient = models.CharField(_("recipient"), max_length=NAME_LENGTH)
    # Where it goes, as far as deliveries hinder one another: a mail address, a host.
    lane = models.CharField(_("to"), max_length=LANE_LENGTH, blank=True)
    # How it stood with the request at that moment; a repeat says the same.
    facts = models.JSONField(_("facts"), default=dict)

    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.PENDING)
    batch = models.CharField(max_length=ID_LENGTH, blank=True)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    created_at = models.DateTimeField(_("written"), db_default=Now())
    since = models.DateTimeField(_("tried since"), db_default=Now())
    next_try_at = models.DateTimeField(_("next try"), db_default=Now())
    claimed_at = models.DateTimeField(null=True, blank=True)
    leased_until = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(_("why"), max_length=ERROR_LENGTH, blank=True)
    sent_at = models.DateTimeField(_("delivered"), null=True, blank=True)
    read_at = models.DateTimeField(_("read"), null=True, blank=True)

    objects = NotificationQuerySet.as_manager()

    class Meta:
        verbose_name = _("notification")
        verbose_name_plural = _("notifications")
        ordering = ["-created_at", "-id"]
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                name="notification_sent_at_iff_sent",
                condition=Q(status="sent", sent_at__isnull=False)
                | (~Q(status="sent") & Q(sent_at=None)),
            ),
        ]
        indexes = [
            # What waits is little; what was delivered piles up.
            models.Index(
                "channel", "next_try_at", name="notification_due", condition=Q(status="pending")
            ),
            models.Index("lane", "sent_at", name="notification_lane"),
            models.Index(
                "user", name="notification_unread", condition=Q(channel="portal", read_at=None)
            ),
            models.Index("user", F("created_at").desc(), name="notification_of_user"),
            models.Index("tenant", name="notification_failed", condition=Q(status="failed")),
        ]

    def __str__(self) -> str:
        return f"{self.get_event_display()}: {self.recipient} ({self.pk})"


class Undelivered(Notification):
    """What could not be delivered, as the portal lists it."""

    class Meta:
        proxy = True
        verbose_name = _("undelivered notification")
        verbose_name_plural = _("undelivered")
        default_permissions = ("view", "change")
