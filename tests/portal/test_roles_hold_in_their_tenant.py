"""What a role shows in one tenant it does not show in another."""

from __future__ import annotations

import pytest
from django.urls import reverse
from guardian.shortcuts import assign_perm

from axonportal.accounts.models import Membership
from tests.portal.people import LISTS, World, browser, member, pages_of

RECORDS = ("decisions", "tool calls", "model calls", "audit events")


@pytest.mark.parametrize("name", LISTS)
def test_an_auditor_here_who_approves_there_reads_nothing_there(
    ours: World, theirs: World, name: str
) -> None:
    person = member(ours.tenant, "auditor")
    Membership.objects.create(user=person, tenant=theirs.tenant, role=Membership.Role.APPROVER)

    page = browser(person).get(reverse(LISTS[name])).content.decode()

    assert all(f"theirs-{thing}" not in page for thing in ("client", "policy", "user", "team"))


@pytest.mark.parametrize("name", ["decision", "tool call", "audit event", "policy", "client"])
def test_nor_does_a_page_open(ours: World, theirs: World, name: str) -> None:
    person = member(ours.tenant, "auditor")
    Membership.objects.create(user=person, tenant=theirs.tenant, role=Membership.Role.APPROVER)

    answer = browser(person).get(pages_of(theirs)[name])

    assert answer.status_code in {302, 404}
    assert "theirs-" not in answer.content.decode()


def test_an_approver_sees_an_overview_without_figures(ours: World) -> None:
    visitor = browser(member(ours.tenant, "approver"))

    overview = visitor.get(reverse("admin:index")).content.decode()

    assert "Overview" in overview
    assert "ours-" not in overview
    assert {visitor.get(reverse(LISTS[name])).status_code for name in RECORDS} == {403}


def test_a_single_policy_may_still_be_shown_to_her(ours: World) -> None:
    person = member(ours.tenant, "approver")
    assign_perm("policies.view_policy", person, ours.policy)

    answer = browser(person).get(pages_of(ours)["policy"])

    assert answer.status_code == 200
    assert "ours-policy" in answer.content.decode()
