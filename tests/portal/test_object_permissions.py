"""Rights for single objects come from the owners of their tenant and from nobody else."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse
from guardian.shortcuts import assign_perm

from audit.models import AuditEvent
from axonportal.accounts.models import User
from policies.models import Policy
from tests.portal.people import World, browser, member, pages_of, policy_form


def _grant_url(policy: Policy, user: User) -> str:
    return reverse("admin:policies_policy_permissions_manage_user", args=[policy.pk, user.pk])


def test_an_owner_lets_an_auditor_change_one_policy(ours: World) -> None:
    auditor = member(ours.tenant, "auditor")
    builtin = Policy.objects.get(tenant=ours.tenant, builtin="secret_detection")

    browser(ours.owner).post(_grant_url(ours.policy, auditor), {"permissions": ["change_policy"]})

    granted = browser(auditor).post(
        pages_of(ours)["policy"], policy_form(name="ours-policy", mode="observe")
    )
    other = browser(auditor).post(builtin.get_absolute_url(), policy_form(mode="observe"))
    assert granted.status_code == 302
    assert other.status_code == 403
    event = AuditEvent.objects.get(kind="policy.permissions")
    assert event.detail["holder"] == auditor.username


@pytest.mark.parametrize("role", ["auditor", "editor"])
def test_who_may_change_a_policy_cannot_grant_herself_more(ours: World, role: str) -> None:
    user = member(ours.tenant, role)
    assign_perm("policies.change_policy", user, ours.policy)
    visitor = browser(user)

    overview = visitor.get(pages_of(ours)["policy permissions"])
    granting = visitor.post(
        _grant_url(ours.policy, user), {"permissions": ["change_policy", "delete_policy"]}
    )

    assert overview.status_code == 403
    assert granting.status_code == 403
    assert not user.has_perm("policies.delete_policy", ours.policy) or role == "editor"
    assert "Object permissions" not in visitor.get(pages_of(ours)["policy"]).content.decode()


def test_rights_are_given_to_people_and_groups_of_the_tenant_only(
    ours: World, theirs: World
) -> None:
    owner = browser(ours.owner)
    strangers = Group.objects.create(name="strangers")
    theirs.owner.groups.add(strangers)
    group_url = reverse(
        "admin:policies_policy_permissions_manage_group", args=[ours.policy.pk, strangers.pk]
    )

    person = owner.get(_grant_url(ours.policy, theirs.owner))
    group = owner.get(group_url)
    page = owner.get(pages_of(ours)["policy permissions"]).content.decode()

    assert (person.status_code, group.status_code) == (404, 404)
    assert "theirs-owner" not in page
    assert "strangers" not in page


def test_a_group_of_the_tenant_may_be_given_rights(ours: World) -> None:
    reviewers = Group.objects.create(name="reviewers")
    auditor = member(ours.tenant, "auditor")
    auditor.groups.add(reviewers)
    url = reverse(
        "admin:policies_policy_permissions_manage_group", args=[ours.policy.pk, reviewers.pk]
    )

    browser(ours.owner).post(url, {"permissions": ["change_policy"]})

    assert User.objects.get(pk=auditor.pk).has_perm("policies.change_policy", ours.policy)


@pytest.mark.parametrize("number", ["x", "99999999999999999999", "-1", "²"])
def test_what_is_no_id_is_not_found(ours: World, number: str) -> None:
    base = pages_of(ours)["policy permissions"]

    assert browser(ours.owner).get(f"{base}user-manage/{number}/").status_code == 404
