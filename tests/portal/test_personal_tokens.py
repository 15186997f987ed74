"""Personal tokens in the portal: shown once, listed, revoked by their person or an owner."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from audit.models import AuditEvent
from axonportal.accounts import credentials, services
from axonportal.accounts.models import PersonalToken
from tests.portal.people import World, browser, member, pages_of

LIST = "/admin/accounts/personaltoken/"
ADD = LIST + "add/"


def _day(days: int) -> str:
    return (timezone.now() + timedelta(days=days)).date().isoformat()


@pytest.mark.parametrize("role", ["owner", "editor", "auditor", "approver"])
def test_everybody_makes_one_for_herself_and_it_is_shown_once(ours: World, role: str) -> None:
    person = member(ours.tenant, role)
    visitor = browser(person)

    page = visitor.post(ADD, {"name": "laptop", "expires": _day(30)}).content.decode()

    secret = re.findall(r'id="secret">(axp_[\w-]+)<', page)[0]
    made = PersonalToken.objects.get(user=person)
    assert credentials.matches(secret, made.digest)
    assert made.expires_at.date().isoformat() == _day(30)
    own = reverse("admin:accounts_personaltoken_change", args=[made.pk])
    for url in (LIST, ADD, own):
        assert secret not in visitor.get(url).content.decode()
    assert made.prefix in visitor.get(LIST).content.decode()
    event = AuditEvent.objects.get(kind="token.issue", target_id=str(made.pk))
    assert (event.actor, event.address) == (person.username, "127.0.0.1")


def test_the_page_with_the_token_is_not_kept_by_caches(owner: Browser) -> None:
    answer = owner.post(ADD, {"name": "laptop", "expires": _day(30)})

    assert "no-store" in answer.headers["Cache-Control"]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"name": ""}, "This field is required"),
        ({"expires": ""}, "This field is required"),
        ({"expires": _day(-1)}, "That day is over"),
        ({"expires": _day(367)}, "At most a year"),
    ],
)
def test_a_form_that_is_not_right_makes_none(
    owner: Browser, ours: World, changed: dict[str, str], said: str
) -> None:
    page = owner.post(ADD, {"name": "laptop", "expires": _day(30), **changed})

    assert said in page.content.decode()
    assert not PersonalToken.objects.filter(name="laptop").exists()


def test_the_limit_is_told_in_the_form(owner: Browser, ours: World) -> None:
    for _ in range(services.MAX_TOKENS - 1):  # she has one
        services.issue_token(ours.owner, name="x", actor="x")

    page = owner.post(ADD, {"name": "laptop", "expires": _day(30)}).content.decode()

    assert "revoke one first" in page


def test_its_person_revokes_it_after_being_asked(ours: World) -> None:
    person = member(ours.tenant, "approver")
    token = services.issue_token(person, name="laptop", actor="x").token
    visitor = browser(person)
    url = reverse("admin:accounts_personaltoken_revoke", args=[token.pk])

    visitor.get(url)
    token.refresh_from_db()
    before = token.revoked_at
    visitor.post(url)

    token.refresh_from_db()
    assert before is None
    assert token.revoked_at is not None
    assert "Revoked" in visitor.get(LIST).content.decode()


def test_an_owner_revokes_that_of_a_member(owner: Browser, ours: World) -> None:
    token = services.issue_token(member(ours.tenant, "editor"), name="laptop", actor="x").token

    assert "laptop" in owner.get(LIST).content.decode()
    owner.post(reverse("admin:accounts_personaltoken_revoke", args=[token.pk]))

    token.refresh_from_db()
    assert token.revoked_at is not None
    assert AuditEvent.objects.get(kind="token.revoke").actor == ours.owner.username


@pytest.mark.parametrize("role", ["editor", "auditor", "approver"])
def test_others_see_and_revoke_their_own_only(ours: World, role: str) -> None:
    visitor = browser(member(ours.tenant, role))

    listed = visitor.get(LIST).content.decode()
    revoked = visitor.post(pages_of(ours)["token revocation"])

    assert "ours-token" not in listed
    assert revoked.status_code == 404
    ours.token.refresh_from_db()
    assert ours.token.revoked_at is None


def test_a_token_is_never_changed_or_deleted(owner: Browser, ours: World) -> None:
    deletion = reverse("admin:accounts_personaltoken_delete", args=[ours.token.pk])
    services.revoke_token(ours.token, actor="x")

    owner.post(pages_of(ours)["token"], {"name": "other"})

    assert owner.post(deletion, {"post": "yes"}).status_code == 403
    assert PersonalToken.objects.get(pk=ours.token.pk).name == "ours-token"
