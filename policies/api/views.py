"""`/api/v1/policies` (a bare array) and `/api/v1/dynamic-policies` (the SDK's envelope)."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import HttpResponse
from rest_framework.request import Request

from audit import actors
from audit.actors import Actor
from axonportal.accounts.authentication import Principal, tenant_of
from axonportal.accounts.models import Scope
from axonportal.common.api import ApiView, answer
from axonportal.common.body import read_object
from axonportal.common.errors import Invalid
from axonportal.common.pagination import page_of
from policies import services
from policies.api.filters import PolicyFilter
from policies.api.payloads import present, present_version, read
from policies.errors import PolicyNotFound
from policies.models import Policy, PolicyVersion

SORTS = ("name", "priority", "created_at", "updated_at", "severity", "version")


class _PolicyView(ApiView):
    """What the routes share; `wrapped` answers objects as `{"policy": ...}`."""

    wrapped = False
    scopes = {
        "GET": Scope.POLICIES_READ,
        "POST": Scope.POLICIES_WRITE,
        "PUT": Scope.POLICIES_WRITE,
        "PATCH": Scope.POLICIES_WRITE,
        "DELETE": Scope.POLICIES_WRITE,
    }

    def principal(self) -> Principal:
        principal: Principal = self.request.user  # type: ignore[assignment]
        return principal

    def actor(self) -> Actor:
        """Whom the trail names: the bound person, else the client."""
        principal = self.principal()
        return Actor(principal.user) if principal.user else actors.client(principal.client_id)

    def found(self, policy_id: str) -> Policy:
        """The tenant's policy by its id or built-in name; another tenant's does not exist."""
        policies = Policy.objects.for_tenant(self.principal().tenant_id).select_related("tenant")
        try:
            policy = policies.filter(pk=uuid.UUID(policy_id)).first()
        except ValueError:
            name = policy_id if policy_id.isprintable() else ""
            policy = policies.filter(builtin=name).exclude(builtin="").first()
        if policy is None:
            raise PolicyNotFound(f"There is no policy {policy_id[:100]!r}.")
        return policy

    def shown(self, policy: Policy, *, status: int = 200) -> HttpResponse:
        body = present(policy)
        return answer({"policy": body} if self.wrapped else body, status=status)


class PolicyListView(_PolicyView):
    """List and create."""

    def get(self, request: Request) -> HttpResponse:
        policies = Policy.objects.for_tenant(self.principal().tenant_id).select_related("tenant")
        filters = PolicyFilter(request.query_params, queryset=policies)
        if not filters.is_valid():
            errors = [
                {"field": name, "message": " ".join(map(str, messages))}
                for name, messages in filters.errors.items()
            ]
            raise Invalid("; ".join(f"{e['field']}: {e['message']}" for e in errors), errors=errors)
        page = page_of(filters.qs, request.query_params, sorts=SORTS, default="name")
        rows = [present(policy) for policy in page.rows]
        headers = {"X-Total-Count": str(page.total)}
        if not self.wrapped:
            return answer(rows, headers=headers)
        return answer({"policies": rows, "pagination": page.envelope()}, headers=headers)

    def post(self, request: Request) -> HttpResponse:
        values = read(read_object(request), partial=False)
        policy, created = services.create_policy(
            tenant_of(self.principal()), values, actor=self.actor()
        )
        return self.shown(policy, status=201 if created else 200)


class PolicyView(_PolicyView):
    """One policy."""

    def get(self, request: Request, policy_id: str) -> HttpResponse:
        return self.shown(self.found(policy_id))

    def put(self, request: Request, policy_id: str) -> HttpResponse:
        policy = self.found(policy_id)
        body = read_object(request)
        values = read(body, partial=True)
        if not values:
            raise Invalid('Nothing to change: send fields such as {"enabled": false}.')
        note = body.get("note", "")
        policy = services.update_policy(
            policy, values, actor=self.actor(), note=note if isinstance(note, str) else ""
        )
        return self.shown(policy)

    def patch(self, request: Request, policy_id: str) -> HttpResponse:
        return self.put(request, policy_id)

    def delete(self, request: Request, policy_id: str) -> HttpResponse:
        services.delete_policy(self.found(policy_id), actor=self.actor())
        return HttpResponse(status=204, content_type="application/json")


class PolicyVersionsView(_PolicyView):
    """The versions of one policy, newest first."""

    def get(self, request: Request, policy_id: str) -> HttpResponse:
        policy = self.found(policy_id)
        versions = PolicyVersion.objects.filter(policy=policy).order_by("-version")
        page = page_of(versions, request.query_params, sorts=("version",), default="-version")
        rows: list[dict[str, Any]] = [present_version(version) for version in page.rows]
        return answer({"policy_id": str(policy.pk), "versions": rows, "count": page.total})
