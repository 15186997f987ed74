"""Webhooks and what is undelivered, in the portal."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client as Browser
from django.urls import reverse

from approvals.notifications import delivery, targets
from approvals.notifications.models import Event, Notification, WebhookTarget
from approvals.page import history
from audit.models import AuditEvent
from axonportal.accounts.models import Membership, Tenant
from tests.approvals.holding import QUERY, seed_policy
from tests.approvals.receiving import Hooks, Mailbox
from tests.approvals.test_mails import only_approver
from tests.approvals.test_webhooks import rows, target
from tests.factories import TenantFactory
from tests.gateway.calling import Api
from tests.portal.people import browser, member

WEBHOOKS = "admin:approvals_webhooktarget_changelist"
ADD = "admin:approvals_webhooktarget_add"
CHANGE = "admin:approvals_webhooktarget_change"
RENEW = "admin:approvals_webhooktarget_renew"
UNDELIVERED = "admin:approvals_undelivered_changelist"
ONE = "admin:approvals_undelivered_change"
RESEND = "admin:approvals_undelivered_resend"
RESEND_ALL = "admin:approvals_undelivered_resend_all"


@pytest.fixture
def editor(tenant: Tenant) -> Browser:
    return browser(member(tenant, Membership.Role.EDITOR))


@pytest.fixture
def undelivered(api: Api, tenant: Tenant, receiver: Hooks) -> Notification:
    """A webhook that its receiver did not want."""
    target(tenant, receiver.url)
    seed_policy(tenant)
    receiver.answers = [404]
    api.pre_check(QUERY)
    delivery.drain("webhook")
    row: Notification = rows().get()
    return row


def webhook_form(tenant: Tenant, **changed: Any) -> dict[str, Any]:
    """What the browser sends for a generic webhook."""
    return {
        "tenant": tenant.pk,
        "name": "ops",
        "kind": "generic",
        "url": "https://hooks.example.com/approvals?key=hush",
        "events": [Event.REQUESTED, Event.DENIED],
        "is_active": "on",
        **changed,
    }


def secret_in(page: str) -> str:
    found = re.search(r"axn_[\w-]{43}", page)
    return found[0] if found else ""


def test_a_webhooks_secret_is_shown_when_it_is_made_and_never_again(
    editor: Browser, tenant: Tenant
) -> None:
    answer = editor.post(reverse(ADD), webhook_form(tenant))

    made = WebhookTarget.objects.get()
    assert made.events == ["requested", "denied"]
    assert secret_in(answer.content.decode()) == targets.secret(made)
    assert "no-store" in answer.headers["Cache-Control"]
    for url in (reverse(WEBHOOKS), reverse(CHANGE, args=[made.pk]), reverse(RENEW, args=[made.pk])):
        assert secret_in(editor.get(url).content.decode()) == ""
    event = AuditEvent.objects.get(kind="webhooktarget.create")
    assert event.detail["host"] == "hooks.example.com"
    assert "hush" not in str(event.detail)
    assert "hush" not in editor.get(reverse(WEBHOOKS)).content.decode()


def test_a_renewed_secret_is_shown_once_and_on_record(editor: Browser, tenant: Tenant) -> None:
    one = target(tenant, "https://hooks.example.com/")
    before = targets.secret(one)

    asked = editor.get(reverse(RENEW, args=[one.pk]))
    assert targets.secret(WebhookTarget.objects.get()) == before
    answer = editor.post(reverse(RENEW, args=[one.pk]))

    assert asked.status_code == 200
    assert secret_in(answer.content.decode()) == targets.secret(WebhookTarget.objects.get())
    assert targets.secret(WebhookTarget.objects.get()) != before
    assert AuditEvent.objects.filter(kind="webhook.renew_secret").count() == 1


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"url": "ftp://example.com/"}, "begins with https://"),
        ({"url": "https://me:secret@example.com/"}, "user or password"),
        ({"url": ""}, "Give the address"),
        ({"kind": "notify_url"}, "only what signs for notify_url has none"),
        ({"events": ["everything"]}, "not one of the available choices"),
    ],
    ids=["scheme", "password", "none", "one too many", "event"],
)
def test_a_webhook_that_cannot_work_is_not_saved(
    editor: Browser, tenant: Tenant, changed: dict[str, Any], says: str
) -> None:
    answer = editor.post(reverse(ADD), webhook_form(tenant, **changed))

    assert says in answer.content.decode()
    assert not WebhookTarget.objects.exists()


def test_a_tenant_has_one_signer_of_notify_url(editor: Browser, tenant: Tenant) -> None:
    form = webhook_form(tenant, kind="notify_url", url="")
    editor.post(reverse(ADD), form)

    again = editor.post(reverse(ADD), form | {"name": "another"})

    assert "There is one already" in again.content.decode()
    assert WebhookTarget.objects.count() == 1


@pytest.mark.parametrize("role", [Membership.Role.AUDITOR, Membership.Role.APPROVER])
def test_who_may_not_edit_sees_no_address(tenant: Tenant, role: Membership.Role) -> None:
    one = target(tenant, "https://hooks.slack.com/services/hush", kind="slack")
    visitor = browser(member(tenant, role))

    assert visitor.get(reverse(WEBHOOKS)).status_code == 403
    assert visitor.get(reverse(CHANGE, args=[one.pk])).status_code in {302, 403}
    assert visitor.post(reverse(RENEW, args=[one.pk])).status_code in {403, 404}


def test_webhooks_of_another_tenant_are_not_there(editor: Browser, tenant: Tenant) -> None:
    foreign = target(TenantFactory(), "https://foreign.example.com/", name="foreign")

    assert "foreign" not in editor.get(reverse(WEBHOOKS)).content.decode()
    assert editor.get(reverse(CHANGE, args=[foreign.pk])).status_code == 302
    assert editor.post(reverse(RENEW, args=[foreign.pk])).status_code == 404
    refused = editor.post(reverse(ADD), webhook_form(foreign.tenant))
    assert "not one of the available choices" in refused.content.decode()


def test_what_is_undelivered_is_listed_with_the_reason_and_sent_again_by_post(
    editor: Browser, undelivered: Notification, receiver: Hooks
) -> None:
    listed = editor.get(reverse(UNDELIVERED)).content.decode()
    page = editor.get(reverse(ONE, args=[undelivered.pk])).content.decode()
    looked = editor.get(reverse(RESEND, args=[undelivered.pk]))

    assert "It answers 404" in listed
    assert "Given up" in listed
    assert "said the receiver" in page
    assert looked.status_code == 405
    assert rows().get().status == "failed"

    answer = editor.post(reverse(RESEND, args=[undelivered.pk]), follow=True)
    delivery.drain("webhook")

    assert "1 notification is being sent again." in answer.content.decode()
    assert rows().get().status == "sent"
    assert len({post.headers["X-Axon-Delivery-Id"] for post in receiver.posts}) == 1
    assert "Everything was delivered." in editor.get(reverse(UNDELIVERED)).content.decode()
    told = {one.event.kind: one for one in history(undelivered.request)}
    assert told["approval.notify_failed"].said.startswith("It answers 404")
    assert told["approval.notify_failed"].beside == "webhook: ops"
    assert "approval.resend" in told


def test_all_are_sent_again_with_one_click(editor: Browser, undelivered: Notification) -> None:
    assert "Resend all" in editor.get(reverse(UNDELIVERED)).content.decode()

    editor.post(reverse(RESEND_ALL))

    assert rows().get().status == "pending"


def test_an_auditor_reads_what_is_undelivered_and_resends_nothing(
    tenant: Tenant, undelivered: Notification
) -> None:
    auditor = browser(member(tenant, Membership.Role.AUDITOR))

    assert "Resend" not in auditor.get(reverse(UNDELIVERED)).content.decode()
    assert auditor.get(reverse(ONE, args=[undelivered.pk])).status_code == 200
    assert auditor.post(reverse(RESEND, args=[undelivered.pk])).status_code == 403
    assert auditor.post(reverse(RESEND_ALL)).status_code == 403
    assert rows().get().status == "failed"


def test_another_tenants_editor_neither_sees_nor_resends_it(undelivered: Notification) -> None:
    stranger = browser(member(TenantFactory(), Membership.Role.EDITOR))

    assert undelivered.pk not in stranger.get(reverse(UNDELIVERED)).content.decode()
    assert stranger.get(reverse(ONE, args=[undelivered.pk])).status_code == 404
    stranger.post(reverse(RESEND, args=[undelivered.pk]))
    stranger.post(reverse(RESEND_ALL))
    assert rows().get().status == "failed"


def test_a_form_without_its_token_resends_nothing(
    tenant: Tenant, undelivered: Notification
) -> None:
    person = member(tenant, Membership.Role.EDITOR)
    forged = Browser(enforce_csrf_checks=True)
    forged.force_login(person, backend="django.contrib.auth.backends.ModelBackend")

    assert forged.post(reverse(RESEND, args=[undelivered.pk])).status_code == 403
    assert rows().get().status == "failed"


@pytest.mark.parametrize("page", [WEBHOOKS, UNDELIVERED])
def test_the_pages_say_that_mail_is_off(editor: Browser, page: str) -> None:
    assert "Mail is off" in editor.get(reverse(page)).content.decode()


def test_or_nothing_when_it_is_on(editor: Browser, box: Mailbox) -> None:
    assert "Mail is off" not in editor.get(reverse(UNDELIVERED)).content.decode()


def test_what_a_server_said_is_shown_escaped(
    api: Api, tenant: Tenant, box: Mailbox, editor: Browser
) -> None:
    only_approver(tenant, username="grace")
    editor = browser(member(tenant, Membership.Role.EDITOR))
    seed_policy(tenant)
    box.refuse = "550 <script>alert(1)</script>"
    api.pre_check(QUERY)
    delivery.drain("mail")

    page = editor.get(reverse(UNDELIVERED)).content.decode()

    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>alert(1)" not in page
