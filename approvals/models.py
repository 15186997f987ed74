"""Who may say yes: held operations, the answers to them, and what an approval is good for."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from approvals.notifications import models as notifications  # noqa: F401 (Django looks here)
from approvals.querysets import (
    ApprovalRequestQuerySet,
    DelegationQuerySet,
    GrantQuerySet,
)
from audit.models import ID_LENGTH, NAME_LENGTH
from axonportal.accounts.models import Tenant

ANSWER = "approvals.answer_approvalrequest"  # held by a group, or a person, on one request
BREAK_GLASS = "accounts.break_glass"  # held on a tenant


class ApprovalRequest(models.Model):
    """An operation held until its approvers have answered; open while PENDING and in time.

    What it says of the operation is as the trail keeps it: without personal data and secrets. Who
    may answer is guardian's: the approver groups hold `answer_approvalrequest` on this row.
    """

    class Status(models.TextChoices):
        PENDING = "pending", _("Waiting")
        APPROVED = "approved", _("Approved")
        DENIED = "denied", _("Denied")
        EXPIRED = "expired", _("Expired")

    class Severity(models.TextChoices):
        CRITICAL = "critical", _("Critical")
        HIGH = "high", _("High")
        MEDIUM = "medium", _("Medium")
        LOW = "low", _("Low")

    id = models.CharField(_("request"), max_length=ID_LENGTH, primary_key=True)
    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="approval_requests")
    digest = models.BinaryField(max_length=32)  # of exactly what would run; see `gateway.binding`
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.PENDING)
    severity = models.CharField(
        _("severity"), max_length=10, choices=Severity, default=Severity.MEDIUM
    )
    groups = models.ManyToManyField(Group, related_name="+", verbose_name=_("approver groups"))
    # One entry for each policy that asked: `policy_id`, `policy`, `version`, `message`, and its
    # terms (`approvals.terms`).
    policies = models.JSONField(_("policies"), default=list)

    context_id = models.CharField(_("decision"), max_length=ID_LENGTH, blank=True)
    client_id = models.CharField(_("client"), max_length=NAME_LENGTH)
    credential = models.CharField(_("credential"), max_length=ID_LENGTH, blank=True)
    user_id = models.CharField(_("user"), max_length=NAME_LENGTH, blank=True)
    verified_user = models.CharField(_("verified user"), max_length=NAME_LENGTH, blank=True)
    agent = models.CharField(_("agent"), max_length=ID_LENGTH, blank=True)
    session_id = models.CharField(_("session"), max_length=NAME_LENGTH, blank=True)
    working_directory = models.TextField(_("working directory"), blank=True)
    target = models.CharField(_("target"), max_length=NAME_LENGTH, blank=True)
    tool = models.CharField(_("tool"), max_length=NAME_LENGTH, blank=True)
    text = models.TextField(_("operation"))
    arguments = models.JSONField(_("arguments"), default=dict)
    context = models.JSONField(_("context"), default=dict)
    snapshot = models.JSONField(_("facts and findings"), default=dict)
    # What stays the same when values differ: to find requests like this one.
    shape = models.CharField(_("shape"), max_length=64, blank=True)
    notify_url = models.URLField(_("address told of the outcome"), max_length=2_000, blank=True)

    created_at = models.DateTimeField(_("asked"))
    expires_at = models.DateTimeField(_("expires"))
    settled_at = models.DateTimeField(_("settled"), null=True, blank=True)
    # How it ended, as one sentence for the subject.
    outcome = models.TextField(_("outcome"), blank=True)
    asked = models.PositiveIntegerField(_("times asked"), default=1)
    last_asked_at = models.DateTimeField(_("last asked"))
    escalated = models.PositiveSmallIntegerField(_("escalations"), default=0)

    # Break-glass: by whom, why, and the review that it waits for.
    broken_by = models.CharField(_("broken glass by"), max_length=NAME_LENGTH, blank=True)
    broken_reason = models.TextField(_("why it could not wait"), blank=True)
    reviewed_by = models.CharField(_("reviewed by"), max_length=NAME_LENGTH, blank=True)
    reviewed_at = models.DateTimeField(_("reviewed"), null=True, blank=True)
    review = models.TextField(_("review"), blank=True)

    objects = ApprovalRequestQuerySet.as_manager()

    class Meta:
        verbose_name = _("approval request")
        verbose_name_plural = _("approvals")
        ordering = ["-created_at"]
        permissions = [("answer_approvalrequest", _("Can answer the approval request"))]
        default_permissions = ("view",)
        constraints = [
            models.CheckConstraint(
                name="approval_request_settled_at_iff_not_pending",
                condition=Q(status="pending", settled_at=None)
                | (~Q(status="pending") & Q(settled_at__isnull=False)),
            ),
            # The same operation asked again joins the open request.
            models.UniqueConstraint(
                name="approval_request_open_once",
                fields=["tenant", "digest"],
                condition=Q(status="pending"),
            ),
        ]
        indexes = [
            # The sweeps read open requests only; settled ones pile up.
            models.Index("expires_at", name="approval_request_open", condition=Q(status="pending")),
            models.Index("tenant", F("created_at").desc(), name="approval_request_recent"),
            models.Index("tenant", "digest", name="approval_request_digest"),
            models.Index("tenant", "shape", F("created_at").desc(), name="approval_request_shape"),
            models.Index(
                "tenant",
                name="approval_request_to_review",
                condition=~Q(broken_by="") & Q(reviewed_at=None),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.tool or 'operation'} ({self.pk})"

    def get_absolute_url(self) -> str:
        return reverse("admin:approvals_approvalrequest_change", args=[self.pk])


class Answer(models.Model):
    """One person's answer; the names are as they were when she gave it."""

    class Choice(models.TextChoices):
        APPROVE = "approve", _("Approve")
        DENY = "deny", _("Deny")

    class Way(models.TextChoices):
        PORTAL = "portal", _("in the portal")
        TOKEN = "token", _("with a personal token")

    request = models.ForeignKey(ApprovalRequest, models.CASCADE, related_name="answers")
    approver = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    approver_name = models.CharField(_("approver"), max_length=NAME_LENGTH)
    on_behalf_of = models.CharField(
        _("in place of"), max_length=NAME_LENGTH, blank=True, help_text=_("By delegation.")
    )
    choice = models.CharField(_("answer"), max_length=10, choices=Choice)
    reason = models.TextField(_("reason"), blank=True)
    way = models.CharField(_("given"), max_length=10, choices=Way, default=Way.PORTAL)
    answered_at = models.DateTimeField(_("at"), db_default=Now())
    # Seconds from the page (or, by token, the request) being there to the answer.
    considered_s = models.FloatField(_("considered for"), null=True, blank=True)

    class Meta:
        verbose_name = _("answer")
        verbose_name_plural = _("answers")
        ordering = ["answered_at"]
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(name="answer_once", fields=["request", "approver"]),
        ]

    def __str__(self) -> str:
        return f"{self.approver_name}: {self.get_choice_display()}"


class Grant(models.Model):
    """What an approval is good for: the one exact operation, once, until it ends."""

    request = models.OneToOneField(ApprovalRequest, models.CASCADE, related_name="grant")
    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="+")
    digest = models.BinaryField(max_length=32)
    created_at = models.DateTimeField(_("given"), db_default=Now())
    expires_at = models.DateTimeField(_("good until"))
    consumed_at = models.DateTimeField(_("used"), null=True, blank=True)
    context_id = models.CharField(_("used by decision"), max_length=ID_LENGTH, blank=True)

    objects = GrantQuerySet.as_manager()

    class Meta:
        verbose_name = _("grant")
        verbose_name_plural = _("grants")
        default_permissions = ()
        indexes = [
            models.Index("tenant", "digest", name="grant_unused", condition=Q(consumed_at=None)),
        ]

    def __str__(self) -> str:
        return f"grant of {self.request_id}"


class Delegation(models.Model):
    """For a time, somebody answers in a colleague's place; what was delegated is not passed on."""

    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="delegations")
    approver = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        related_name="delegations",
        verbose_name=_("approver"),
    )
    delegate = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name=_("delegate")
    )
    starts_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("until"))
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    ended_at = models.DateTimeField(_("ended early"), null=True, blank=True, editable=False)

    objects = DelegationQuerySet.as_manager()

    class Meta:
        verbose_name = _("delegation")
        verbose_name_plural = _("delegations")
        ordering = ["-starts_at"]
        constraints = [
            models.CheckConstraint(
                name="delegation_ends_after_it_starts",
                condition=Q(ends_at__gt=F("starts_at")),
                violation_error_message=_("It must end after it starts."),
            ),
            models.CheckConstraint(
                name="delegation_to_somebody_else",
                condition=~Q(approver=F("delegate")),
                violation_error_message=_("Name somebody else."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.delegate} for {self.approver}"
