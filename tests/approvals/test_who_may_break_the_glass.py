"""The owners of a tenant say who may break the glass in it, and nobody else does."""

from __future__ import annotations

import pytest
from django.urls import reverse

from approvals import services
from audit.models import AuditEvent
from axonportal.accounts.models import Tenant, User
from tests.factories import TenantFactory, approver
from tests.portal.people import browser, member, read


def _page(tenant: Tenant, user: User | None = None) -> str:
    name = "admin:accounts_tenant_permissions"
    if user is None:
        return reverse(name, args=[tenant.pk])
    return reverse(f"{name}_manage_user", args=[tenant.pk, user.pk])


def test_an_owner_gives_the_permission_on_her_tenant(tenant: Tenant) -> None:
    owner, ann = member(tenant, "owner"), approver(tenant, username="ann")
    visitor = browser(owner)

    menu = visitor.get(reverse("admin:accounts_tenant_changelist")).content.decode()
    tool = visitor.get(reverse("admin:accounts_tenant_change", args=[tenant.pk]))
    before = services.may_break_glass(ann, tenant)
    given = visitor.post(_page(tenant, ann), {"permissions": ["break_glass"]})

    assert tenant.slug in menu
    assert _page(tenant) in tool.content.decode()
    assert (given.status_code, before) == (302, False)
    assert services.may_break_glass(ann, tenant)
    event = AuditEvent.objects.get(kind="tenant.permissions")
    assert (event.tenant_id, event.detail["holder"]) == (tenant.pk, "ann")


def test_nothing_else_of_a_tenant_is_handed_out(tenant: Tenant) -> None:
    owner, ann = member(tenant, "owner"), approver(tenant, username="ann")
    visitor = browser(owner)

    page = read(visitor.get(_page(tenant, ann)).content.decode()).text
    visitor.post(_page(tenant, ann), {"permissions": ["change_tenant"]})
    changed = visitor.post(
        reverse("admin:accounts_tenant_change", args=[tenant.pk]), {"name": "x", "slug": "x"}
    )

    assert "Can let a held operation run without its approvers" in page
    assert "Can change tenant" not in page
    assert not User.objects.get(pk=ann.pk).has_perm("accounts.change_tenant", tenant)
    assert changed.status_code == 403


@pytest.mark.parametrize("role", ["approver", "auditor", "editor"])
def test_no_other_role_hands_it_out(tenant: Tenant, role: str) -> None:
    person = member(tenant, role)
    visitor = browser(person)

    answers = [
        visitor.get(_page(tenant)),
        visitor.get(_page(tenant, person)),
        visitor.post(_page(tenant, person), {"permissions": ["break_glass"]}),
    ]

    assert {answer.status_code for answer in answers} <= {403, 404}
    assert not services.may_break_glass(person, tenant)


def test_an_owner_of_another_tenant_does_not(tenant: Tenant) -> None:
    other: Tenant = TenantFactory()
    owner, ann = member(other, "owner"), approver(tenant, username="ann")
    visitor = browser(owner)

    answers = [visitor.get(_page(tenant)), visitor.get(_page(tenant, ann))]
    foreign = visitor.post(_page(other, ann), {"permissions": ["break_glass"]})
    listed = visitor.get(reverse("admin:accounts_tenant_changelist")).content.decode()

    assert {answer.status_code for answer in [*answers, foreign]} == {404}
    assert tenant.slug not in listed
    assert not services.may_break_glass(ann, tenant)


def test_being_in_charge_of_all_is_not_enough(tenant: Tenant) -> None:
    root = member(tenant, "auditor", is_superuser=True)

    assert not services.may_break_glass(root, tenant)
