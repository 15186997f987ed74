"""What is allowed: policies and their immutable versions."""

from __future__ import annotations

import uuid

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from axonportal.accounts.models import Tenant
from policies.engine.policy import PolicySpec
from policies.querysets import PolicyQuerySet, PolicyVersionQuerySet

NAME = RegexValidator(
    r"^[^\x00-\x1f\x7f]{3,100}\Z", _("3 to 100 characters, no line breaks or control characters.")
)


class Policy(models.Model):
    """A named rule set of a tenant: conditions, and what happens when they hold.

    Saved through `services` only, which validates it, keeps the version and tells every process.
    """

    class Mode(models.TextChoices):
        ENFORCE = "enforce", _("Enforce")
        OBSERVE = "observe", _("Observe: match and record, change nothing")

    class Severity(models.TextChoices):
        CRITICAL = "critical", _("Critical")
        HIGH = "high", _("High")
        MEDIUM = "medium", _("Medium")
        LOW = "low", _("Low")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="policies")
    builtin = models.CharField(
        _("built-in"),
        max_length=100,
        blank=True,
        editable=False,
        help_text=_("The name under which the portal ships it; empty for the tenant's own."),
    )
    name = models.CharField(_("name"), max_length=100, validators=[NAME])
    description = models.CharField(_("description"), max_length=500, blank=True)
    type = models.CharField(_("type"), max_length=20, default="content")
    category = models.CharField(_("category"), max_length=50, blank=True)
    severity = models.CharField(
        _("severity"), max_length=10, choices=Severity, default=Severity.MEDIUM
    )
    priority = models.PositiveSmallIntegerField(
        _("priority"),
        default=100,
        validators=[MaxValueValidator(1000)],
        help_text=_("Orders the matches; it never lets one policy hide another."),
    )
    enabled = models.BooleanField(_("enabled"), default=True)
    mode = models.CharField(_("mode"), max_length=10, choices=Mode, default=Mode.ENFORCE)
    rollout_percent = models.PositiveSmallIntegerField(
        _("rollout (%)"),
        default=100,
        validators=[MaxValueValidator(100)],
        help_text=_("The share of subjects it is enforced for; for the others it observes."),
    )
    applies_to = models.JSONField(_("applies to"), default=dict, blank=True)
    conditions = models.JSONField(_("conditions"))
    actions = models.JSONField(_("actions"))
    tags = ArrayField(
        models.CharField(max_length=50), verbose_name=_("tags"), default=list, blank=True
    )
    version = models.PositiveIntegerField(_("version"), default=1, editable=False)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    updated_at = models.DateTimeField(_("changed"), default=timezone.now, editable=False)
    deleted_at = models.DateTimeField(_("deleted"), null=True, editable=False)

    objects = PolicyQuerySet.as_manager()

    class Meta:
        verbose_name = _("policy")
        verbose_name_plural = _("policies")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                name="policy_name_once_per_tenant",
                fields=["tenant", "name"],
                condition=Q(deleted_at=None),
                violation_error_message=_("There is a policy of this name."),
            ),
            models.UniqueConstraint(
                name="policy_builtin_once_per_tenant",
                fields=["tenant", "builtin"],
                condition=~Q(builtin=""),
            ),
            models.CheckConstraint(
                name="policy_rollout_is_a_percentage", condition=Q(rollout_percent__lte=100)
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("admin:policies_policy_change", args=[self.pk])

    def spec(self) -> PolicySpec:
        """The policy in the engine's terms."""
        from policies.builtin import category_setting

        return PolicySpec(
            id=str(self.pk),
            name=self.name,
            version=self.version,
            description=self.description,
            category=self.category,
            severity=self.severity,
            priority=self.priority,
            mode=self.mode,
            rollout_percent=self.rollout_percent,
            category_setting=category_setting(self.builtin),
            conditions=self.conditions,
            actions=self.actions,
            applies_to=self.applies_to,
        )


class PolicyVersion(models.Model):
    """A policy as it was from one save to the next; the database refuses to change it."""

    class Change(models.TextChoices):
        CREATED = "created", _("Created")
        UPDATED = "updated", _("Changed")
        DELETED = "deleted", _("Deleted")

    policy = models.ForeignKey(Policy, models.PROTECT, related_name="versions")
    tenant = models.ForeignKey(Tenant, models.PROTECT, related_name="+")
    version = models.PositiveIntegerField(_("version"))
    snapshot = models.JSONField(_("policy"))
    change = models.CharField(_("change"), max_length=10, choices=Change)
    note = models.CharField(_("note"), max_length=500, blank=True)
    author = models.CharField(_("author"), max_length=200)
    created_at = models.DateTimeField(_("saved"), default=timezone.now)

    objects = PolicyVersionQuerySet.as_manager()

    class Meta:
        verbose_name = _("policy version")
        verbose_name_plural = _("policy versions")
        ordering = ["-version"]
        constraints = [
            models.UniqueConstraint(name="policy_version_once", fields=["policy", "version"]),
        ]

    def __str__(self) -> str:
        return f"{self.snapshot.get('name', '')} v{self.version}"
