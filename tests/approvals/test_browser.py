"""From the link in a message to the one run of the call, in a real Chromium."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from approvals import links
from approvals.models import Answer, ApprovalRequest
from approvals.notifications import delivery
from approvals.notifications.models import Notification
from axonportal.accounts.models import Scope, Tenant, User
from tests.approvals.holding import answered, held, seed_policy
from tests.approvals.receiving import Mailbox, text_of
from tests.factories import ClientFactory, TenantFactory, approver, issued
from tests.gateway.calling import Api
from tests.portal.chromium import opened, sign_in, with_password

pytestmark = pytest.mark.browser

CALL: dict[str, Any] = {
    "query": "kubectl scale deploy/web --replicas=9 -n production",
    "user_token": "developer",
    "context": {"tool": "Bash", "session_id": "s-1"},
}
INBOX = "/admin/approvals/approvalrequest/"


@pytest.fixture
def tenant(transactional_db: None) -> Tenant:
    made: Tenant = TenantFactory(slug="ours")
    return made


@pytest.fixture
def ann(tenant: Tenant) -> User:
    return with_password(approver(tenant, username="ann"))


@pytest.fixture
def api(tenant: Tenant) -> Api:
    client = ClientFactory(tenant=tenant, client_id="agent")
    return Api({"Authorization": f"Bearer {issued(client, scopes=Scope.values).secret}"})


def _asked(api: Api, tenant: Tenant) -> ApprovalRequest:
    seed_policy(tenant, approve_needs_reason=True)
    answer = api.pre_check(**CALL)
    assert answer["approved"] is False
    return ApprovalRequest.objects.get(pk=answer["approval"]["request_id"])


def _follow_link(
    page: Page, request: ApprovalRequest, person: User, address: str | None = None
) -> None:
    page.goto(urlsplit(address or links.link_for(request)).path)
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    sign_in(page, person)


def test_from_the_link_in_the_mail_to_the_one_run(
    live_server: LiveServer, api: Api, tenant: Tenant, ann: User, box: Mailbox
) -> None:
    request = _asked(api, tenant)
    assert delivery.drain(Notification.Channel.MAIL) == 1
    (mail,) = box.mails
    (link,) = set(re.findall(r"http://localhost:8080/approvals/[\w:-]+", text_of(mail, "html")))
    with opened(live_server.url, refusals="status of 400") as page:
        _follow_link(page, request, ann, link)
        assert urlsplit(page.url).path == request.get_absolute_url()
        expect(page.locator("h1")).to_contain_text("Waits for approval")
        expect(page.locator("pre.text").first).to_contain_text(CALL["query"])
        expect(page.locator(".countdown")).to_contain_text("in 23 h 59 min")

        page.get_by_role("button", name="Approve").click()
        expect(page.get_by_role("alert")).to_contain_text("wants a reason for an approval, too")
        page.get_by_label("Reason").fill("Agreed with the team")
        page.get_by_role("button", name="Approve").click()

        expect(page.locator("h1")).to_contain_text("Approved")
        expect(page.locator(".reason")).to_have_text("Approved by ann: Agreed with the team")

    passed, again = api.pre_check(**CALL), api.pre_check(**CALL)
    assert (passed["approved"], again["approved"]) == (True, False)
    considered = Answer.objects.get().considered_s
    assert considered is not None
    assert considered > 0


def test_without_scripts_it_works_and_looking_decides_nothing(
    live_server: LiveServer, api: Api, tenant: Tenant, ann: User
) -> None:
    request = _asked(api, tenant)
    with opened(live_server.url, javascript=False) as page:
        _follow_link(page, request, ann)
        page.reload()
        assert ApprovalRequest.objects.get().status == "pending"

        page.get_by_label("Reason").fill("Not today")
        page.get_by_role("button", name="Deny").click()

        expect(page.locator("h1")).to_contain_text("Denied")
    assert "Denied by ann: Not today" in api.pre_check(**CALL)["block_reason"]


def test_with_scripts_looking_decides_nothing_either(
    live_server: LiveServer, tenant: Tenant, ann: User
) -> None:
    request = held(tenant)
    with opened(live_server.url) as page:
        _follow_link(page, request, ann)
        with page.expect_response(lambda answer: answer.url.endswith("/change/"), timeout=15_000):
            pass  # the page renews itself

        assert ApprovalRequest.objects.get().status == "pending"
        assert not Answer.objects.exists()


def test_a_page_that_is_open_hears_of_an_answer_and_loses_nothing_typed(
    live_server: LiveServer, tenant: Tenant, ann: User
) -> None:
    request, bob = held(tenant), approver(tenant, username="bob")
    with opened(live_server.url) as page:
        _follow_link(page, request, ann)
        page.get_by_label("Reason").fill("half a sent")
        answered(request.pk, bob, "deny", "No.")

        expect(page.locator("h1")).to_contain_text("Denied", timeout=20_000)
        expect(page.get_by_label("Reason")).to_have_value("half a sent")


def test_the_inbox_is_used_by_keyboard_and_renews_itself(
    live_server: LiveServer, tenant: Tenant, ann: User
) -> None:
    first, second = held(tenant, "first"), held(tenant, "second")
    with opened(live_server.url) as page:
        page.goto(INBOX)
        sign_in(page, ann)
        expect(page.locator("#count-approvalrequest")).to_contain_text("2")
        held(tenant, "third")
        expect(page.locator("#count-approvalrequest")).to_contain_text("3", timeout=15_000)

        for key in ("j", "j", "k", "x", "j", "x", "k", "x"):
            page.keyboard.press(key)
        picked = page.locator("input[name=picked]:checked")
        expect(picked).to_have_count(1)
        assert picked.get_attribute("value") == second.pk
        page.get_by_text("Deny what is picked").first.click()
        page.get_by_label("Reason for denying").fill("Deploys are frozen.")
        page.get_by_role("button", name="Deny what is picked").click()
        expect(page.locator(".messagelist")).to_contain_text("1 request has your denial")
        expect(page.locator("#count-approvalrequest")).to_contain_text("2")

        page.keyboard.press("j")
        page.keyboard.press("Enter")
        expect(page.locator("h1")).to_contain_text("Waits for approval")
        assert urlsplit(page.url).path == first.get_absolute_url()
    assert ApprovalRequest.objects.get(pk=second.pk).status == "denied"
