"""Who asks and who decides: tenants, people, teams, clients and their credentials."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.fields import ArrayField
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from axonportal.accounts.querysets import (
    ClientQuerySet,
    CredentialQuerySet,
    PersonalTokenQuerySet,
    TenantQuerySet,
)

CLIENT_ID = RegexValidator(
    r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,99}\Z",
    _("Letters, digits and . _ @ - only, at most 100, beginning with a letter or digit."),
)


class User(AbstractUser):
    """A person who signs in to the portal."""

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")


class Tenant(models.Model):
    """An organisation; nothing of one tenant is ever seen by another."""

    slug = models.SlugField(_("slug"), unique=True)
    name = models.CharField(_("name"), max_length=200)
    region = models.CharField(
        _("region"), max_length=50, blank=True, help_text=_("Where its data may be, e.g. eu.")
    )
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    objects = TenantQuerySet.as_manager()

    class Meta:
        verbose_name = _("tenant")
        verbose_name_plural = _("tenants")
        ordering = ["slug"]
        permissions = [("break_glass", _("Can let a held operation run without its approvers"))]

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """What a person may do in a tenant; the portal shows a person her tenants' data only."""

    class Role(models.TextChoices):
        OWNER = "owner", _("Owner: everything, members included")
        EDITOR = "editor", _("Editor: policies, clients and credentials")
        AUDITOR = "auditor", _("Auditor: reads everything")
        APPROVER = "approver", _("Approver: sees and answers what is asked of her")

    user = models.ForeignKey(User, models.CASCADE, related_name="memberships")
    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="memberships")
    role = models.CharField(_("role"), max_length=10, choices=Role, default=Role.AUDITOR)

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        constraints = [
            models.UniqueConstraint(name="membership_once", fields=["user", "tenant"]),
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.tenant}"


class Team(models.Model):
    """People who work together; policies and connectors can be limited to teams."""

    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="teams")
    name = models.CharField(_("name"), max_length=100)
    members = models.ManyToManyField(User, blank=True, related_name="teams")

    class Meta:
        verbose_name = _("team")
        verbose_name_plural = _("teams")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(name="team_name_once_per_tenant", fields=["tenant", "name"]),
        ]

    def __str__(self) -> str:
        return self.name


class Client(models.Model):
    """A program that asks before it acts: an agent's hook, an SDK, an MCP client."""

    class FailMode(models.TextChoices):
        CLOSED = "closed", _("Closed: what cannot be decided or recorded is denied")
        OPEN = "open", _("Open: what cannot be decided is let through, with a warning")

    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="clients")
    client_id = models.CharField(_("client id"), max_length=100, validators=[CLIENT_ID])
    name = models.CharField(_("name"), max_length=200, blank=True)
    description = models.TextField(_("description"), blank=True)
    team = models.ForeignKey(
        Team, models.SET_NULL, null=True, blank=True, related_name="clients", verbose_name=_("team")
    )
    fail_mode = models.CharField(
        _("fail mode"), max_length=10, choices=FailMode, default=FailMode.CLOSED
    )
    region = models.CharField(_("region"), max_length=50, blank=True)
    is_active = models.BooleanField(
        _("active"), default=True, help_text=_("Switched off, every call of it is refused.")
    )
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    objects = ClientQuerySet.as_manager()

    class Meta:
        verbose_name = _("client")
        verbose_name_plural = _("clients")
        ordering = ["client_id"]
        constraints = [
            models.UniqueConstraint(
                name="client_id_once_per_tenant", fields=["tenant", "client_id"]
            ),
        ]

    def __str__(self) -> str:
        return self.client_id


class Scope(models.TextChoices):
    """What a credential may do. There is no scope for answering an approval: people do that."""

    DECIDE = "decide", _("decide: ask whether an operation may run")
    RECORD = "record", _("record: report what ran")
    QUERY = "query", _("query: run statements on connectors")
    POLICIES_READ = "policies:read", _("policies:read: list policies")
    POLICIES_WRITE = "policies:write", _("policies:write: change policies")
    AUDIT_READ = "audit:read", _("audit:read: search the audit trail")


HOOK_SCOPES = [Scope.DECIDE.value, Scope.RECORD.value]


def _hook_scopes() -> list[str]:
    return list(HOOK_SCOPES)


class Credential(models.Model):
    """A client's secret, kept as a prefix and a keyed digest; shown once, when it is made.

    Bound to a user, it also says for whom the client acts: a verified identity. Unbound, the
    user that a call names is a claim.
    """

    client = models.ForeignKey(
        Client, models.CASCADE, related_name="credentials", verbose_name=_("client")
    )
    user = models.ForeignKey(
        User,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="credentials",
        verbose_name=_("person"),
        help_text=_("Calls with this credential are known to be this person's."),
    )
    name = models.CharField(_("name"), max_length=100, help_text=_("Where it is used."))
    prefix = models.CharField(_("prefix"), max_length=12, editable=False, db_index=True)
    digest = models.BinaryField(editable=False, max_length=32)
    scopes = ArrayField(
        models.CharField(max_length=20, choices=Scope),
        verbose_name=_("scopes"),
        default=_hook_scopes,
    )
    loopback_only = models.BooleanField(_("loopback only"), default=False, editable=False)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True, editable=False)

    objects = CredentialQuerySet.as_manager()

    class Meta:
        verbose_name = _("credential")
        verbose_name_plural = _("credentials")
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(name="credential_has_scopes", condition=Q(scopes__len__gt=0)),
        ]

    def __str__(self) -> str:
        return f"{self.client.client_id}: {self.name} ({self.prefix}…)"

    @property
    def is_usable(self) -> bool:
        """Neither revoked nor expired."""
        return self.revoked_at is None and (
            self.expires_at is None or self.expires_at > timezone.now()
        )


class PersonalToken(models.Model):
    """What a person sends to answer approvals without a browser; kept as prefix and digest.

    It stands for her, not for a client: it decides and records nothing.
    """

    user = models.ForeignKey(User, models.CASCADE, related_name="tokens", verbose_name=_("person"))
    name = models.CharField(_("name"), max_length=100, help_text=_("Where it is used."))
    prefix = models.CharField(_("prefix"), max_length=12, editable=False, db_index=True)
    digest = models.BinaryField(editable=False, max_length=32)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    expires_at = models.DateTimeField(_("expires"))
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True, editable=False)

    objects = PersonalTokenQuerySet.as_manager()

    class Meta:
        verbose_name = _("personal token")
        verbose_name_plural = _("personal tokens")
        ordering = ["-created_at"]
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.user}: {self.name} ({self.prefix}…)"

    @property
    def is_usable(self) -> bool:
        """Neither revoked nor expired."""
        return self.revoked_at is None and self.expires_at > timezone.now()
