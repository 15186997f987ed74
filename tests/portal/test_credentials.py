"""A secret is shown once, on the page that answers its making, and nowhere again."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.core import serializers
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from audit.models import AuditEvent
from axonportal.accounts import credentials
from axonportal.accounts.models import Credential
from tests.portal.people import World, browser, member, pages_of

URL = "/admin/accounts/credential/add/"


def _issue(visitor: Browser, ours: World, **changed: object) -> str:
    fields = {"client": ours.client.pk, "name": "laptop", "scopes": ["decide", "record"]}
    return visitor.post(URL, {**fields, **changed}).content.decode()


def test_the_secret_is_shown_once_and_kept_as_a_digest(owner: Browser, ours: World) -> None:
    page = _issue(owner, ours, user=ours.owner.pk)

    secret = re.findall(r'id="secret">(axn_[\w-]+)<', page)[0]
    made = Credential.objects.get(name="laptop")
    assert credentials.matches(secret, made.digest)
    assert made.user == ours.owner
    assert f"export AXON_TOKEN={secret}" in page
    assert "PreToolUse" in page
    assert "/api/policy/pre-check" in page
    everything = serializers.serialize(
        "json", [*Credential.objects.all(), *AuditEvent.objects.all()]
    )
    assert secret not in everything
    for url in (
        URL,
        reverse("admin:accounts_credential_change", args=[made.pk]),
        reverse("admin:accounts_credential_changelist"),
        pages_of(ours)["client"],
        reverse("admin:audit_auditevent_changelist"),
    ):
        assert secret not in owner.get(url).content.decode()
    assert not [value for value in owner.session.values() if secret in str(value)]


def test_the_page_with_the_secret_is_not_kept_by_caches(owner: Browser, ours: World) -> None:
    answer = owner.post(URL, {"client": ours.client.pk, "name": "laptop", "scopes": ["decide"]})

    assert "no-store" in answer.headers["Cache-Control"]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"name": ""}, "This field is required"),
        ({"scopes": []}, "This field is required"),
        ({"scopes": ["approve"]}, "is not one of the available choices"),
        ({"expires": "2020-01-01"}, "That day is over"),
    ],
    ids=["no name", "no scope", "no such scope", "the past"],
)
def test_a_form_that_is_not_right_issues_nothing(
    owner: Browser, ours: World, changed: dict[str, object], said: str
) -> None:
    page = _issue(owner, ours, **changed)

    assert said in page
    assert not Credential.objects.filter(name="laptop").exists()


def test_an_expiry_is_the_end_of_its_day(owner: Browser, ours: World) -> None:
    day = (timezone.now() + timedelta(days=3)).date()

    _issue(owner, ours, expires=day.isoformat())

    expires = Credential.objects.get(name="laptop").expires_at
    assert expires is not None
    assert (expires.date(), expires.hour) == (day, 23)


def test_revoking_asks_first_and_is_on_record(owner: Browser, ours: World) -> None:
    url = pages_of(ours)["revocation"]

    asked = owner.get(url)
    ours.credential.refresh_from_db()
    before = ours.credential.revoked_at
    owner.post(url)

    assert "refused from that moment" in asked.content.decode()
    assert before is None
    ours.credential.refresh_from_db()
    assert ours.credential.revoked_at is not None
    event = AuditEvent.objects.get(kind="credential.revoke")
    assert (event.actor, event.tenant_id) == (ours.owner.username, ours.tenant.pk)


def test_an_auditor_sees_credentials_and_touches_none(ours: World) -> None:
    auditor = browser(member(ours.tenant, "auditor"))

    shown = auditor.get(pages_of(ours)["credential"]).content.decode()
    issuing = auditor.get(URL)
    revoking = auditor.post(pages_of(ours)["revocation"])

    assert "Revoke" not in shown
    assert (issuing.status_code, revoking.status_code) == (403, 403)


def test_a_credential_is_never_deleted(owner: Browser, ours: World) -> None:
    url = reverse("admin:accounts_credential_delete", args=[ours.credential.pk])

    assert owner.post(url, {"post": "yes"}).status_code == 403
