"""Who signs in, what there is to see, and how a page is read."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from approvals.models import ApprovalRequest, Delegation
from audit.models import AuditEvent, GatewayContext, ToolCall
from audit.services import record_event, record_tool_call
from axonportal.accounts.models import (
    Client,
    Credential,
    Membership,
    PersonalToken,
    Team,
    Tenant,
    User,
)
from axonportal.accounts.services import issue_token
from policies.models import Policy
from policies.services import add_builtin_policies
from tests.approvals.holding import held
from tests.audit.records import stored
from tests.factories import (
    ClientFactory,
    MembershipFactory,
    TeamFactory,
    approver,
    issued,
    saved_policy,
)

HOSTILE = (
    '<script>alert(1)</script> "><img src=x onerror=alert(2)> {{ 7|add:7 }} '
    "\u202etxt.exe\u202c zero\u200bwidth \x1b[31m \U000e0041 NUL\0end\nsecond line"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A tenant with one of each thing, and a name that is in all of them."""

    tenant: Tenant
    mark: str
    owner: User
    policy: Policy
    client: Client
    credential: Credential
    token: PersonalToken
    team: Team
    decision: GatewayContext
    tool_call: ToolCall
    event: AuditEvent
    approval: ApprovalRequest
    delegation: Delegation


def member(tenant: Tenant, role: str = Membership.Role.OWNER, **fields: Any) -> User:
    """A person of the tenant."""
    membership = MembershipFactory(tenant=tenant, role=role)
    user: User = membership.user
    for name, value in fields.items():
        setattr(user, name, value)
    user.save()
    return user


def browser(user: User) -> Browser:
    """A browser in which `user` has signed in."""
    opened = Browser()
    opened.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return opened


def world(tenant: Tenant, mark: str) -> World:
    """Fill a tenant; `mark` stands in everything that has a name."""
    add_builtin_policies(tenant)
    client = ClientFactory(tenant=tenant, client_id=f"{mark}-client")
    decision = stored(
        tenant_id=tenant.pk,
        tenant=tenant.slug,
        client_id=client.client_id,
        user_id=f"{mark}-user",
        tool=f"{mark}-tool",
        session_id=f"{mark}-session",
        tool_use_id="toolu_1",
        query=f"SELECT '{mark}'",
        verdict="deny",
        triggered_policies=[f"{mark}-policy"],
    )
    owner = member(tenant, username=f"{mark}-owner")
    person = approver(tenant, f"{mark}-group", username=f"{mark}-approver")
    return World(
        tenant=tenant,
        mark=mark,
        owner=owner,
        token=issue_token(owner, name=f"{mark}-token", actor=f"{mark}-owner").token,
        policy=saved_policy(tenant, name=f"{mark}-policy"),
        client=client,
        credential=issued(client, name=f"{mark}-credential").credential,
        team=TeamFactory(tenant=tenant, name=f"{mark}-team"),
        decision=decision,
        tool_call=record_tool_call(
            tenant_id=tenant.pk,
            client_id=client.client_id,
            tool_name=f"{mark}-tool",
            session_id=f"{mark}-session",
            tool_use_id="toolu_1",
            output=f"{mark} output",
        ),
        event=record_event("policy.update", actor=f"{mark}-owner", tenant_id=tenant.pk),
        approval=held(
            tenant,
            f"deploy {mark}",
            client_id=client.client_id,
            context_id=decision.pk,
            session_id=f"{mark}-session",
            terms={"approvers": [f"{mark}-group"], "policy": f"{mark}-policy"},
        ),
        delegation=Delegation.objects.create(
            tenant=tenant,
            approver=owner,
            delegate=person,
            starts_at=timezone.now(),
            ends_at=timezone.now() + timedelta(days=1),
            reason=f"{mark} leave",
        ),
    )


def pages_of(one: World) -> dict[str, str]:
    """The pages about single things of a tenant, by a name for each."""
    policy, client, credential = one.policy.pk, one.client.pk, one.credential.pk
    return {
        "policy": reverse("admin:policies_policy_change", args=[policy]),
        "policy versions": reverse("admin:policies_policy_versions", args=[policy]),
        "policy deletion": reverse("admin:policies_policy_delete", args=[policy]),
        "policy permissions": reverse("admin:policies_policy_permissions", args=[policy]),
        "client": reverse("admin:accounts_client_change", args=[client]),
        "client permissions": reverse("admin:accounts_client_permissions", args=[client]),
        "credential": reverse("admin:accounts_credential_change", args=[credential]),
        "revocation": reverse("admin:accounts_credential_revoke", args=[credential]),
        "token": reverse("admin:accounts_personaltoken_change", args=[one.token.pk]),
        "token revocation": reverse("admin:accounts_personaltoken_revoke", args=[one.token.pk]),
        "team": reverse("admin:accounts_team_change", args=[one.team.pk]),
        "membership": reverse(
            "admin:accounts_membership_change",
            args=[one.owner.memberships.get(tenant=one.tenant).pk],
        ),
        "approval": one.approval.get_absolute_url(),
        "delegation": reverse("admin:approvals_delegation_change", args=[one.delegation.pk]),
        "decision": reverse("admin:audit_gatewaycontext_change", args=[one.decision.pk]),
        "tool call": reverse("admin:audit_toolcall_change", args=[one.tool_call.pk]),
        "audit event": reverse("admin:audit_auditevent_change", args=[one.event.pk]),
    }


LISTS = {
    "overview": "admin:index",
    "approvals": "admin:approvals_approvalrequest_changelist",
    "approval quality": "admin:approvals_approvalrequest_quality",
    "delegations": "admin:approvals_delegation_changelist",
    "policies": "admin:policies_policy_changelist",
    "clients": "admin:accounts_client_changelist",
    "credentials": "admin:accounts_credential_changelist",
    "personal tokens": "admin:accounts_personaltoken_changelist",
    "teams": "admin:accounts_team_changelist",
    "memberships": "admin:accounts_membership_changelist",
    "decisions": "admin:audit_gatewaycontext_changelist",
    "tool calls": "admin:audit_toolcall_changelist",
    "model calls": "admin:audit_llmcall_changelist",
    "audit events": "admin:audit_auditevent_changelist",
    "webhooks": "admin:approvals_webhooktarget_changelist",
    "undelivered": "admin:approvals_undelivered_changelist",
}
FORMS = {
    "new policy": "admin:policies_policy_add",
    "new delegation": "admin:approvals_delegation_add",
    "new client": "admin:accounts_client_add",
    "new credential": "admin:accounts_credential_add",
    "new webhook": "admin:approvals_webhooktarget_add",
    "new personal token": "admin:accounts_personaltoken_add",
    "new team": "admin:accounts_team_add",
    "new membership": "admin:accounts_membership_add",
    "password": "admin:password_change",
}
FOR_SUPERUSERS = {
    "users": "admin:accounts_user_changelist",
    "new user": "admin:accounts_user_add",
    "groups": "admin:auth_group_changelist",
    "new group": "admin:auth_group_add",
    "tenants": "admin:accounts_tenant_changelist",
    "new tenant": "admin:accounts_tenant_add",
}


def policy_form(**changed: Any) -> dict[str, Any]:
    """What the browser sends for a policy that blocks `production`."""
    return {
        "name": "no production",
        "description": "",
        "category": "",
        "severity": "high",
        "priority": "100",
        "enabled": "on",
        "mode": "enforce",
        "rollout_percent": "100",
        "tags": "",
        "note": "asked for by operations",
        "conditions_as": "rows",
        "conditions_field": ["query"],
        "conditions_operator": ["contains"],
        "conditions_value": ["production"],
        "actions_as": "rows",
        "actions_type": ["block"],
        "actions_message": ["Ask the team first"],
        "actions_phase": [""],
        "actions_approvers": [""],
        "applies_to_as": "rows",
        **{
            f"applies_to_{name}": ""
            for name in (
                "tools",
                "not_tools",
                "clients",
                "not_clients",
                "teams",
                "users",
                "phases",
            )
        },
        **changed,
    }


@dataclass(slots=True)
class Page:
    """The elements of a page, as far as tests ask for them."""

    elements: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    inline: list[str] = field(default_factory=list)  # what stands in script and style elements
    text: str = ""

    def attributes(self, name: str) -> list[str]:
        """The values of that attribute on any element."""
        return [
            value or "" for _tag, found in self.elements if name in found for value in [found[name]]
        ]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.page = Page()
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.page.elements.append((tag, dict(attrs)))
        if tag in {"script", "style"}:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._open and tag == self._open[-1]:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        if self._open:
            self.page.inline.append(data)
        else:
            self.page.text += data


def read(html: str) -> Page:
    """Parse a page."""
    reader = _Reader()
    reader.feed(html)
    return reader.page
