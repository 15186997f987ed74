"""What a membership's role allows, as Django's permissions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.backends import BaseBackend

from axonportal.accounts.models import Membership

_READ = {
    "policies": ("policy", "policyversion"),
    "audit": ("gatewaycontext", "toolcall", "llmcall", "auditevent"),
    "accounts": ("client", "credential", "team", "tenant", "membership"),
    "approvals": ("approvalrequest", "delegation", "undelivered"),
}
_EDIT = {
    "policies": ("policy",),
    "accounts": ("client", "credential", "team"),
    "approvals": ("undelivered",),
}
# Who knows the address of a chat's webhook can post there: not for everybody who reads.
_EDIT_UNSEEN = {"approvals": ("webhooktarget",)}
# Owners hand out permissions for single objects; the admin asks for their tenant as well.
_OWN = {
    "accounts": ("membership",),
    "guardian": ("userobjectpermission", "groupobjectpermission"),
}


def _permissions(models: Mapping[str, tuple[str, ...]], *verbs: str) -> frozenset[str]:
    return frozenset(
        f"{app}.{verb}_{model}"
        for app, names in models.items()
        for model in names
        for verb in verbs
    )


_AUDITOR = _permissions(_READ, "view")
_EDITOR = (
    _AUDITOR
    | _permissions(_EDIT, "add", "change", "delete")
    | _permissions(_EDIT_UNSEEN, "view", "add", "change", "delete")
)
_OWNER = _EDITOR | _permissions(_OWN, "view", "add", "change", "delete")

ROLE_PERMISSIONS: dict[str, frozenset[str]] = {
    Membership.Role.AUDITOR: _AUDITOR,
    Membership.Role.EDITOR: _EDITOR,
    Membership.Role.OWNER: _OWNER,
    # Whether a single request is hers to see, its own page asks.
    Membership.Role.APPROVER: frozenset({"approvals.view_approvalrequest"}),
}


class MembershipBackend(BaseBackend):
    """Grants the permissions of the user's role: in the object's tenant, or, asked without an
    object, in any of her tenants (lists are filtered by tenant then)."""

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        if not user_obj.is_active or user_obj.is_anonymous:
            return False
        tenant_id = getattr(obj, "tenant_id", None)
        return any(
            perm in ROLE_PERMISSIONS[role]
            for tenant, role in _roles(user_obj)
            if tenant_id is None or tenant == tenant_id
        )

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        if not user_obj.is_active or user_obj.is_anonymous:
            return False
        return any(
            permission.startswith(f"{app_label}.")
            for _, role in _roles(user_obj)
            for permission in ROLE_PERMISSIONS[role]
        )


def _roles(user: Any) -> list[tuple[int, str]]:
    """The user's tenants and roles, read once per request (a user object lives as long)."""
    if not hasattr(user, "_membership_roles"):
        user._membership_roles = list(user.memberships.values_list("tenant_id", "role"))  # noqa: SLF001
    roles: list[tuple[int, str]] = user._membership_roles  # noqa: SLF001
    return roles
