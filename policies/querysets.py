"""The questions to the database about policies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models

if TYPE_CHECKING:
    from axonportal.accounts.models import User
    from policies.models import Policy, PolicyVersion  # noqa: F401 (in the bases below)


class PolicyQuerySet(models.QuerySet["Policy"]):
    def existing(self) -> Self:
        """Not deleted; a deleted policy stays for its versions' sake."""
        return self.filter(deleted_at=None)

    def for_tenant(self, tenant_id: int) -> Self:
        """The tenant's existing policies, built-in ones included."""
        return self.existing().filter(tenant_id=tenant_id)

    def of(self, user: User) -> Self:
        """The existing policies of `user`'s tenants."""
        return self.existing().filter(tenant__memberships__user=user)

    def in_force(self, tenant_id: int) -> Self:
        """What is evaluated: enabled ones, those in observe mode included."""
        return self.for_tenant(tenant_id).filter(enabled=True)


class PolicyVersionQuerySet(models.QuerySet["PolicyVersion"]):
    def of(self, user: User) -> Self:
        """The versions of policies of `user`'s tenants."""
        return self.filter(tenant__memberships__user=user)
