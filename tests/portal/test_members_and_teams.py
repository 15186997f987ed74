"""Owners decide who belongs to a tenant; every change is on record."""

from __future__ import annotations

from django.urls import reverse

from audit.models import NO_TENANT, AuditEvent
from axonportal.accounts.models import Membership, Tenant, User
from policies.builtin import BUILTINS
from policies.models import Policy
from tests.factories import UserFactory
from tests.portal.people import World, browser, member, pages_of

ADD = "/admin/accounts/membership/add/"


def test_an_owner_makes_somebody_a_member(ours: World) -> None:
    user = UserFactory(username="grace")

    browser(ours.owner).post(ADD, {"tenant": ours.tenant.pk, "username": "grace", "role": "editor"})

    assert user.memberships.get().role == "editor"
    event = AuditEvent.objects.get(kind="membership.create")
    assert event.detail == {"user": "grace", "role": "editor"}
    assert (event.tenant_id, event.actor) == (ours.tenant.pk, ours.owner.username)


def test_an_editor_makes_nobody_a_member(ours: World) -> None:
    UserFactory(username="grace")

    answer = browser(member(ours.tenant, "editor")).post(
        ADD, {"tenant": ours.tenant.pk, "username": "grace", "role": "owner"}
    )

    assert answer.status_code == 403


def test_a_tenant_keeps_an_owner(ours: World) -> None:
    owner, url = browser(ours.owner), pages_of(ours)["membership"]

    stays = owner.post(url, {"role": "auditor"})
    deletion = owner.post(url.replace("/change/", "/delete/"), {"post": "yes"})
    member(ours.tenant, "owner")
    goes = owner.post(url, {"role": "auditor"})

    assert "last owner stays one" in stays.content.decode()
    assert deletion.status_code == 403
    assert goes.status_code == 302
    assert ours.owner.memberships.get().role == "auditor"


def test_nobody_is_a_member_twice_and_strangers_are_not_listed(ours: World, theirs: World) -> None:
    owner = browser(ours.owner)

    twice = owner.post(
        ADD, {"tenant": ours.tenant.pk, "username": ours.owner.username, "role": "editor"}
    ).content.decode()
    unknown = owner.post(
        ADD, {"tenant": ours.tenant.pk, "username": "nobody", "role": "editor"}
    ).content.decode()

    assert "a member already" in twice
    assert "There is no user of that name" in unknown
    assert "theirs-owner" not in owner.get(ADD).content.decode()


def test_a_superuser_joins_a_tenant_and_it_is_in_its_trail(ours: World, theirs: World) -> None:
    root = member(ours.tenant, is_superuser=True, username="root")

    browser(root).post(ADD, {"tenant": theirs.tenant.pk, "username": "root", "role": "auditor"})

    assert root.memberships.count() == 2
    event = AuditEvent.objects.get(kind="membership.create")
    assert event.tenant_id == theirs.tenant.pk


def test_a_new_tenant_has_an_owner_and_the_built_in_policies(ours: World) -> None:
    root = member(ours.tenant, is_superuser=True, username="root")

    browser(root).post("/admin/accounts/tenant/add/", {"name": "New", "slug": "new", "region": ""})

    tenant = Tenant.objects.get(slug="new")
    assert Membership.objects.get(tenant=tenant).user == root
    assert Policy.objects.filter(tenant=tenant).count() == len(BUILTINS)
    assert AuditEvent.objects.filter(kind="tenant.create", tenant_id=tenant.pk).exists()


def test_a_team_takes_members_of_its_tenant_only(ours: World, theirs: World) -> None:
    owner, url = browser(ours.owner), pages_of(ours)["team"]

    owner.post(url, {"name": "core", "members": [theirs.owner.pk]})
    refused = list(ours.team.members.all())
    owner.post(url, {"name": "core", "members": [ours.owner.pk]})

    assert refused == []
    assert list(ours.team.members.all()) == [ours.owner]
    assert AuditEvent.objects.get(kind="team.update").detail["changed"] == ["name", "members"]


def test_users_and_groups_are_made_by_superusers_and_on_record(ours: World) -> None:
    root = browser(member(ours.tenant, is_superuser=True))

    root.post(
        reverse("admin:accounts_user_add"),
        {
            "username": "grace",
            "usable_password": "true",
            "password1": "a-long-enough-secret",
            "password2": "a-long-enough-secret",
        },
    )
    root.post(reverse("admin:auth_group_add"), {"name": "approvers"})

    assert User.objects.filter(username="grace").exists()
    kinds = set(AuditEvent.objects.filter(tenant_id=NO_TENANT).values_list("kind", flat=True))
    assert {"user.create", "group.create"} <= kinds


def test_a_client_is_saved_by_its_service_and_never_deleted(ours: World) -> None:
    owner = browser(ours.owner)
    empty = {"credentials-TOTAL_FORMS": "0", "credentials-INITIAL_FORMS": "0"}
    fields = {"name": "CI", "description": "", "fail_mode": "open", "region": "", "team": ""}

    added = owner.post(
        "/admin/accounts/client/add/",
        {"tenant": ours.tenant.pk, "client_id": "ci", "is_active": "on", **fields, **empty},
    )
    deletion = owner.post(
        reverse("admin:accounts_client_delete", args=[ours.client.pk]), {"post": "yes"}
    )

    assert added.status_code == 302
    assert ours.tenant.clients.get(client_id="ci").fail_mode == "open"
    assert AuditEvent.objects.get(kind="client.create").detail["fail_mode"] == "open"
    assert deletion.status_code == 403
