"""The demo's tenant, admin and client, made at the first start."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from django.contrib.auth.models import Group
from django.db import transaction

from audit.actors import PORTAL
from axonportal.accounts import services
from axonportal.accounts.authentication import DEMO_CLIENT, DEMO_TENANT
from axonportal.accounts.models import Client, Credential, Membership, Scope, Tenant, User
from policies.services import add_builtin_policies

ADMIN = "admin"
APPROVERS = "security-team"  # as the integration guide names them
# As the integration guide prints them; they count from loopback, in the demo, alone.
PRINTED_CREDENTIALS = ((DEMO_CLIENT, "your-secret"), ("client-id", "client-secret"))
_PASSWORD_BYTES = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Seeded:
    """What was made; `admin_password` only when the admin is new, for it is kept nowhere."""

    admin_password: str | None


@transaction.atomic
def seed(admin_password: str | None = None) -> Seeded:
    """Make what the demo needs and lacks; safe to repeat at every start."""
    tenant, _ = Tenant.objects.get_or_create(slug=DEMO_TENANT, defaults={"name": "Demo"})
    add_builtin_policies(tenant)
    approvers, is_new = Group.objects.get_or_create(name=APPROVERS)
    made: str | None = None
    if not User.objects.filter(is_superuser=True).exists():
        made = admin_password or secrets.token_urlsafe(_PASSWORD_BYTES)
        admin = User.objects.create_superuser(ADMIN, password=made)
        Membership.objects.create(user=admin, tenant=tenant, role=Membership.Role.OWNER)
    if is_new:
        # Whoever owns the demo may answer; a demo of before there were approvals has an owner, too.
        owners = Membership.objects.filter(tenant=tenant, role=Membership.Role.OWNER)
        approvers.user_set.add(*User.objects.filter(memberships__in=owners, is_active=True))
    for client_id, secret in PRINTED_CREDENTIALS:
        client, _ = Client.objects.get_or_create(
            tenant=tenant, client_id=client_id, defaults={"name": "Demo"}
        )
        if not Credential.objects.filter(client=client, loopback_only=True).exists():
            services.issue_credential(
                client,
                name="printed in the integration guide",
                actor=PORTAL,
                scopes=Scope.values,
                secret=secret,
                loopback_only=True,
            )
    return Seeded(admin_password=made)
