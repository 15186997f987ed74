"""The menu is grouped by job and has nothing that does not open."""

from __future__ import annotations

import re

import pytest

from tests.portal.people import World, browser, member, read

JOBS = ["Work", "Govern", "Review", "Access"]


@pytest.mark.parametrize("role", ["owner", "editor", "auditor"])
def test_every_entry_opens(ours: World, role: str) -> None:
    visitor = browser(member(ours.tenant, role))
    page = visitor.get("/admin/").content.decode()
    menu = page[page.index('<nav id="menu"') : page.index("</nav>")]

    links = re.findall(r'href="([^"]+)"', menu)

    assert re.findall(r"<h2>(\w+)</h2>", menu) == JOBS
    assert {visitor.get(link).status_code for link in links} == {200}
    assert "Users" not in menu


def test_users_groups_and_tenants_are_in_a_superusers_menu(ours: World) -> None:
    page = browser(member(ours.tenant, is_superuser=True)).get("/admin/").content.decode()

    text = read(page).text
    assert all(entry in text for entry in ("Users", "Groups", "Tenants"))


def test_the_page_that_is_open_is_marked(ours: World) -> None:
    page = browser(ours.owner).get("/admin/policies/policy/").content.decode()

    assert '<a href="/admin/policies/policy/" aria-current="page">Policies</a>' in page


def test_the_page_of_an_app_leads_to_the_overview(ours: World) -> None:
    answer = browser(ours.owner).get("/admin/policies/")

    assert (answer.status_code, answer.headers["Location"]) == (302, "/admin/")


def test_djangos_shortcut_to_any_object_is_closed(ours: World, theirs: World) -> None:
    from django.contrib.contenttypes.models import ContentType

    kind = ContentType.objects.get_for_model(theirs.policy)

    answer = browser(ours.owner).get(f"/admin/r/{kind.pk}/{theirs.policy.pk}/")

    assert answer.status_code == 404
