"""Every page starts from the memberships of whoever has signed in."""

from __future__ import annotations

import pytest
from django.test import Client as Browser
from django.urls import reverse

from axonportal.accounts.models import Client, Credential, Membership
from policies.models import Policy
from tests.portal.people import LISTS, World, browser, member, pages_of, policy_form

PAGES = (
    "policy",
    "policy versions",
    "policy deletion",
    "policy permissions",
    "client",
    "client permissions",
    "credential",
    "revocation",
    "token",
    "token revocation",
    "team",
    "membership",
    "approval",
    "delegation",
    "decision",
    "tool call",
    "audit event",
)


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("superuser", [False, True], ids=["member", "superuser"])
def test_a_thing_of_another_tenant_is_not_found(
    ours: World, theirs: World, name: str, superuser: bool
) -> None:
    visitor = browser(member(ours.tenant, is_superuser=superuser, is_staff=superuser))

    other, own = visitor.get(pages_of(theirs)[name]), visitor.get(pages_of(ours)[name])

    assert own.status_code == 200
    # Django's admin sends those who look for what is not there to the first page.
    assert other.status_code in {302, 404}
    assert other.headers.get("Location", "/admin/") == "/admin/"
    assert "theirs" not in other.content.decode()


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("superuser", [False, True], ids=["member", "superuser"])
def test_a_list_names_nothing_of_another_tenant(
    ours: World, theirs: World, name: str, superuser: bool
) -> None:
    visitor = browser(member(ours.tenant, is_superuser=superuser, is_staff=superuser))

    page = visitor.get(reverse(LISTS[name])).content.decode()

    assert "theirs" not in page


@pytest.mark.parametrize(
    "query",
    ["?tenant=theirs", "?q=theirs", "?client=theirs-client", "?session=theirs-session&window=all"],
)
def test_no_filter_reaches_another_tenant(
    owner: Browser, ours: World, theirs: World, query: str
) -> None:
    page = owner.get(reverse("admin:audit_gatewaycontext_changelist") + query)

    assert theirs.decision.pk not in page.content.decode()


def test_the_id_of_another_tenants_decision_leads_nowhere(
    owner: Browser, ours: World, theirs: World
) -> None:
    url = reverse("admin:audit_gatewaycontext_changelist")

    found = owner.get(url, {"q": ours.decision.pk})
    missed = owner.get(url, {"q": theirs.decision.pk})

    assert found.status_code == 302
    assert missed.status_code == 200


def test_no_policy_is_made_in_another_tenant(owner: Browser, ours: World, theirs: World) -> None:
    url = reverse("admin:policies_policy_add")

    answer = owner.post(url, policy_form(tenant=theirs.tenant.pk))

    assert answer.status_code == 200
    assert "not one of the available choices" in answer.content.decode()
    assert not Policy.objects.filter(name="no production").exists()


def test_no_credential_is_issued_for_another_tenants_client_or_person(
    owner: Browser, ours: World, theirs: World
) -> None:
    url = reverse("admin:accounts_credential_add")
    fields = {"name": "stolen", "scopes": ["decide"]}

    owner.post(url, {**fields, "client": theirs.client.pk})
    owner.post(url, {**fields, "client": ours.client.pk, "user": theirs.owner.pk})

    assert not Credential.objects.filter(name="stolen").exists()


def test_another_tenants_credential_is_not_revoked(
    owner: Browser, ours: World, theirs: World
) -> None:
    owner.post(pages_of(theirs)["revocation"])

    theirs.credential.refresh_from_db()
    assert theirs.credential.revoked_at is None


def test_a_client_takes_no_team_of_another_tenant(
    owner: Browser, ours: World, theirs: World
) -> None:
    url = pages_of(ours)["client"]

    owner.post(
        url,
        {
            "name": "",
            "description": "",
            "team": theirs.team.pk,
            "fail_mode": "closed",
            "region": "",
            "is_active": "on",
            "credentials-TOTAL_FORMS": "0",
            "credentials-INITIAL_FORMS": "0",
        },
    )

    assert Client.objects.get(pk=ours.client.pk).team is None


def test_a_member_of_two_tenants_sees_both_and_chooses(ours: World, theirs: World) -> None:
    Membership.objects.create(user=ours.owner, tenant=theirs.tenant, role=Membership.Role.AUDITOR)
    both = browser(ours.owner)
    url = reverse("admin:audit_gatewaycontext_changelist")

    everything = both.get(url).content.decode()
    chosen = both.get(url, {"tenant": "theirs"}).content.decode()

    assert ours.decision.pk in everything
    assert theirs.decision.pk in everything
    assert ours.decision.pk not in chosen
    assert theirs.decision.pk in chosen


def test_a_role_in_one_tenant_gives_nothing_in_another(ours: World, theirs: World) -> None:
    Membership.objects.create(user=ours.owner, tenant=theirs.tenant, role=Membership.Role.AUDITOR)
    both = browser(ours.owner)

    owned = both.post(pages_of(ours)["policy"], policy_form(name="ours-policy"))
    audited = both.post(pages_of(theirs)["policy"], policy_form(name="theirs-policy"))
    shared = both.get(pages_of(theirs)["policy permissions"])
    revoked = both.post(pages_of(theirs)["revocation"])

    assert owned.status_code == 302
    assert audited.status_code == 403
    assert shared.status_code == 403
    assert revoked.status_code == 403
    assert Policy.objects.get(pk=theirs.policy.pk).version == 1
