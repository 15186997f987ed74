"""No page has anything inline or from elsewhere, and each says so in its header."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from django.test import Client as Browser
from django.urls import reverse
from guardian.shortcuts import assign_perm

from approvals.links import link_for
from axonportal.accounts.models import User
from axonportal.common.csp import POLICY
from tests.portal.people import (
    FOR_SUPERUSERS,
    FORMS,
    LISTS,
    World,
    browser,
    member,
    pages_of,
    policy_form,
    read,
)

LOADING = {"src", "href", "action", "formaction", "data", "poster"}


def _is_clean(html: str) -> None:
    page = read(html)
    assert not "".join(page.inline).strip()
    assert not page.attributes("style")
    handlers = [name for _tag, found in page.elements for name in found if name.startswith("on")]
    assert not handlers
    addresses = [value for name in LOADING for value in page.attributes(name)]
    assert not [url for url in addresses if urlsplit(url).netloc or url.startswith("javascript")]


@pytest.mark.parametrize("name", [*LISTS, *FORMS, *FOR_SUPERUSERS])
def test_lists_and_forms(ours: World, name: str) -> None:
    visitor = browser(member(ours.tenant, is_superuser=True))
    url = reverse((LISTS | FORMS | FOR_SUPERUSERS)[name])

    answer = visitor.get(url)

    assert answer.status_code == 200
    assert answer.headers["Content-Security-Policy"] == POLICY
    _is_clean(answer.content.decode())


def test_pages_about_single_things(owner: Browser, ours: World) -> None:
    for name, url in pages_of(ours).items():
        answer = owner.get(url)

        assert answer.status_code == 200, name
        _is_clean(answer.content.decode())


def test_a_form_with_errors_a_trial_and_an_issued_secret(owner: Browser, ours: World) -> None:
    add = reverse("admin:policies_policy_add")
    tenant = ours.tenant.pk
    answers = [
        owner.post(add, policy_form(tenant=tenant, conditions_field=["qery"])),
        owner.post(add, policy_form(tenant=tenant, _try="1", try_text="x production")),
        owner.post(
            reverse("admin:accounts_credential_add"),
            {"client": ours.client.pk, "name": "laptop", "scopes": ["decide"]},
        ),
    ]

    for answer in answers:
        assert answer.status_code == 200
        _is_clean(answer.content.decode())


def test_the_pages_of_approvals_that_no_list_leads_to(owner: Browser, ours: World) -> None:
    person = browser(User.objects.get(username="ours-approver"))
    assign_perm("accounts.break_glass", User.objects.get(username="ours-approver"), ours.tenant)
    url, inbox = ours.approval.get_absolute_url(), reverse(LISTS["approvals"])
    tenant = reverse("admin:accounts_tenant_permissions", args=[ours.tenant.pk])
    answers = [
        person.get(url),
        person.post(url, {"step": "answer", "answer-choice": "deny"}),
        person.post(url, {"step": "glass", "glass-reason": ""}),
        person.post(inbox, {"picked": [ours.approval.pk], "reason": ""}),
        person.post(reverse(FORMS["new delegation"]), {"reason": "x"}),
        person.get(url.replace("apr_", "apr_0")),
        person.get("/approvals/forged"),
        owner.get(tenant),
        Browser().get(urlsplit(link_for(ours.approval)).path, follow=True),
    ]

    for answer in answers:
        assert answer.headers["Content-Security-Policy"] == POLICY
        _is_clean(answer.content.decode())
    assert [answer.status_code for answer in answers] == [
        200,
        400,
        400,
        400,
        400,
        404,
        404,
        200,
        200,
    ]


def test_pages_for_nobody_in_particular(db: None) -> None:
    for url in ("/admin/login/", "/admin/no-such-page/", "/nothing/"):
        answer = Browser().get(url, follow=True)

        assert answer.headers["Content-Security-Policy"] == POLICY
        _is_clean(answer.content.decode())
