"""Members sign in, each try is on record, and the demo says what it is."""

from __future__ import annotations

import pytest
from django.test import Client as Browser
from django.urls import reverse

from audit.models import NO_TENANT, AuditEvent
from axonportal.accounts.models import User
from axonportal.accounts.signals import UNKNOWN
from tests.portal.people import World, browser

URL = "/admin/login/"


def _with_password(user: User) -> User:
    user.set_password("a-good-password")
    user.save()
    return user


def test_a_member_needs_no_staff_flag(ours: World) -> None:
    _with_password(ours.owner)
    visitor = Browser()

    answer = visitor.post(
        URL, {"username": ours.owner.username, "password": "a-good-password", "next": "/admin/"}
    )

    assert answer.status_code == 302
    assert not ours.owner.is_staff
    assert visitor.get("/admin/").status_code == 200
    event = AuditEvent.objects.get(kind="session.sign_in")
    assert (event.tenant_id, event.actor) == (ours.tenant.pk, ours.owner.username)
    assert event.address == "127.0.0.1"


def test_somebody_without_a_tenant_is_told_why_not(db: None) -> None:
    _with_password(User.objects.create_user("stranger"))

    answer = Browser().post(URL, {"username": "stranger", "password": "a-good-password"})

    assert "you belong to no tenant" in answer.content.decode()


def test_a_membership_that_ended_ends_the_access(ours: World) -> None:
    visitor = browser(ours.owner)
    ours.owner.memberships.all().delete()

    answer = visitor.get(reverse("admin:audit_gatewaycontext_changelist"))

    assert answer.status_code == 302
    assert answer.headers["Location"].startswith(URL)


def test_a_wrong_password_is_recorded_where_its_user_belongs(ours: World) -> None:
    Browser().post(URL, {"username": ours.owner.username, "password": "wrong"})

    event = AuditEvent.objects.get(kind="session.sign_in_failed")
    assert (event.tenant_id, event.actor) == (ours.tenant.pk, ours.owner.username)


def test_an_unknown_name_is_not_kept_for_it_may_be_a_password(db: None) -> None:
    Browser().post(URL, {"username": "hunter2-my-password\0", "password": "x"})
    Browser().post(URL, {"username": "hunter2-my-password", "password": "x"})

    event = AuditEvent.objects.get(kind="session.sign_in_failed")
    assert (event.tenant_id, event.actor) == (NO_TENANT, UNKNOWN)


def test_signing_out_is_recorded(ours: World) -> None:
    browser(ours.owner).post(reverse("admin:logout"))

    assert AuditEvent.objects.filter(kind="session.sign_out", actor="ours-owner").exists()


@pytest.mark.parametrize("demo", [True, False], ids=["demo", "production"])
def test_the_demo_says_so_on_every_page(ours: World, settings: object, demo: bool) -> None:
    settings.AXON_DEMO = demo  # type: ignore[attr-defined]
    visitor = browser(ours.owner)

    pages = [
        Browser().get(URL),
        visitor.get("/admin/"),
        visitor.get(reverse("admin:policies_policy_add")),
        visitor.get("/nothing/"),
    ]

    assert ["trusts every program" in page.content.decode() for page in pages] == [demo] * 4


@pytest.mark.parametrize("name", ["users", "groups"])
def test_what_reaches_beyond_a_tenant_is_for_superusers(ours: World, name: str) -> None:
    app = "auth" if name == "groups" else "accounts"
    url = reverse(f"admin:{app}_{name[:-1]}_changelist")

    refused = browser(ours.owner).get(url)
    ours.owner.is_superuser = True
    ours.owner.save()
    allowed = browser(ours.owner).get(url)

    assert refused.status_code == 403
    assert allowed.status_code == 200
