"""A link from a mail shows a page; it decides nothing and goes no further."""

from __future__ import annotations

import logging
from urllib.parse import urlsplit

import pytest
from django.core import signing
from django.test import Client as Browser
from django.urls import reverse

from approvals import links
from approvals.models import Answer, ApprovalRequest
from audit.models import AuditEvent
from axonportal.accounts.models import Tenant, User
from tests.approvals.holding import held
from tests.factories import TenantFactory, approver
from tests.portal.people import browser, read


@pytest.fixture
def ann(tenant: Tenant) -> User:
    person = approver(tenant, username="ann")
    person.set_password("a-good-password")
    person.save()
    return person


def _path(request: ApprovalRequest) -> str:
    return urlsplit(links.link_for(request)).path


def test_who_is_signed_in_comes_to_the_requests_own_page(tenant: Tenant, ann: User) -> None:
    request = held(tenant)

    answer = browser(ann).get(_path(request))

    assert (answer.status_code, answer.headers["Location"]) == (302, request.get_absolute_url())
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "no-store" in answer.headers["Cache-Control"]


def test_who_is_not_signs_in_first_and_the_token_stays_behind(tenant: Tenant, ann: User) -> None:
    request, visitor = held(tenant), Browser()
    path = _path(request)
    token = path.rpartition("/")[2]

    sent = visitor.get(path)
    form = visitor.get(sent.headers["Location"])
    arrived = visitor.post(
        reverse("admin:login"),
        {
            "username": "ann",
            "password": "a-good-password",
            "next": form.context["next"],
        },
    )

    assert token not in sent.headers["Location"]
    assert token not in form.content.decode()
    assert arrived.headers["Location"] == request.get_absolute_url()


@pytest.mark.parametrize("method", ["get", "head"])
@pytest.mark.parametrize("signed_in", [False, True])
def test_coming_by_a_link_changes_nothing(
    tenant: Tenant, ann: User, method: str, signed_in: bool
) -> None:
    request = held(tenant)
    visitor = browser(ann) if signed_in else Browser()
    before = ApprovalRequest.objects.filter(pk=request.pk).values().get()
    events = AuditEvent.objects.count()

    getattr(visitor, method)(_path(request), {"choice": "approve"}, follow=True)

    assert ApprovalRequest.objects.filter(pk=request.pk).values().get() == before
    assert AuditEvent.objects.count() == events
    assert not Answer.objects.exists()


@pytest.mark.parametrize("method", ["post", "put", "delete", "patch"])
def test_a_link_takes_nothing_but_looking(tenant: Tenant, ann: User, method: str) -> None:
    answer = getattr(browser(ann), method)(_path(held(tenant)))

    assert answer.status_code == 405


def test_a_foreign_a_missing_and_a_forged_one_lead_to_the_same_page(
    tenant: Tenant, ann: User
) -> None:
    other: Tenant = TenantFactory()
    approver(other)
    visitor = browser(ann)
    foreign = held(other)
    missing = ApprovalRequest(pk="apr_" + "0" * 32)

    pages = [
        visitor.get(path, follow=True)
        for path in (_path(foreign), _path(missing), "/approvals/forged:token")
    ]

    assert {page.status_code for page in pages} == {404}
    texts = [read(page.content.decode()).text.rpartition("Nothing to see here") for page in pages]
    assert len({after for _before, _title, after in texts}) == 1
    assert other.slug not in pages[0].content.decode()


def test_an_outsider_learns_nothing_from_a_forged_one(db: None) -> None:
    answer = Browser().get("/approvals/forged:token")

    assert answer.status_code == 404
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "forged" not in answer.content.decode()


def test_an_expired_one_says_so_and_offers_the_inbox(
    tenant: Tenant, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def expired(token: str) -> str:
        raise signing.SignatureExpired("too old")

    path = _path(held(tenant))
    monkeypatch.setattr(links, "read", expired)

    answer = browser(ann).get(path)

    assert answer.status_code == 410
    assert "This link has expired" in answer.content.decode()
    assert reverse("admin:approvals_approvalrequest_changelist") in answer.content.decode()


def test_no_page_of_it_is_framed(tenant: Tenant, ann: User) -> None:
    request = held(tenant)
    visitor = browser(ann)

    answers = [
        visitor.get(path)
        for path in (_path(request), request.get_absolute_url(), "/approvals/forged")
    ]

    for answer in answers:
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


def test_no_log_line_holds_the_token(
    tenant: Tenant, ann: User, caplog: pytest.LogCaptureFixture
) -> None:
    path = _path(held(tenant))
    token = path.rpartition("/")[2]

    with caplog.at_level(logging.INFO):
        for one in (path, path + "x", "/approvals/" + token[:-3]):
            browser(ann).get(one, follow=True)

    assert token[:20] not in caplog.text
