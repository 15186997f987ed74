"""The questions to the database about who asks."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Q
from django.utils import timezone

if TYPE_CHECKING:
    from axonportal.accounts.models import (  # noqa: F401 (in the bases below)
        Client,
        Credential,
        PersonalToken,
        Tenant,
        User,
    )


USE_NOTED_EVERY = timedelta(minutes=1)


class TenantQuerySet(models.QuerySet["Tenant"]):
    def of(self, user: User) -> Self:
        """The tenants that `user` belongs to; a superuser is no member of all of them."""
        return self.filter(memberships__user=user)


class ClientQuerySet(models.QuerySet["Client"]):
    def of(self, user: User) -> Self:
        """The clients of `user`'s tenants."""
        return self.filter(tenant__memberships__user=user)


class CredentialQuerySet(models.QuerySet["Credential"]):
    def usable(self) -> Self:
        """Neither revoked nor expired, of a client that is switched on."""
        return self.filter(
            Q(expires_at=None) | Q(expires_at__gt=timezone.now()),
            revoked_at=None,
            client__is_active=True,
        )

    def note_use(self, credential: Credential) -> None:
        """Remember that it was used, to the minute: a write per call would double its cost."""
        now = timezone.now()
        seen = credential.last_used_at
        if seen is None or now - seen > USE_NOTED_EVERY:
            self.filter(pk=credential.pk).update(last_used_at=now)


class PersonalTokenQuerySet(models.QuerySet["PersonalToken"]):
    def usable(self) -> Self:
        """Neither revoked nor expired, of a person who is active and belongs to some tenant."""
        return self.filter(
            expires_at__gt=timezone.now(),
            revoked_at=None,
            user__is_active=True,
            user__memberships__isnull=False,
        ).distinct()

    def note_use(self, token: PersonalToken) -> None:
        """Remember that it was used, to the minute."""
        now = timezone.now()
        if token.last_used_at is None or now - token.last_used_at > USE_NOTED_EVERY:
            self.filter(pk=token.pk).update(last_used_at=now)
