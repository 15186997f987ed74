"""The inbox: what waits for whom, who sees what, and no way to approve in bulk."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone
from guardian.shortcuts import assign_perm

from approvals import inbox as lists
from approvals.models import ANSWER, Answer, ApprovalRequest, Delegation
from axonportal.accounts.models import Membership, Tenant, User
from tests.approvals.holding import answered, held
from tests.approvals.pages import INBOX, inbox
from tests.factories import MembershipFactory, TenantFactory, UserFactory, approver
from tests.portal.people import HOSTILE, browser, member, read


@pytest.fixture
def ann(tenant: Tenant) -> User:
    return approver(tenant, username="ann")


@pytest.fixture
def bob(tenant: Tenant) -> User:
    return approver(tenant, username="bob")


def _names(html: str) -> set[str]:
    """The ids of the requests that a page names."""
    return set(re.findall(r"apr_[0-9a-f]{32}", html))


def test_what_waits_for_me_is_counted_in_the_menu_until_i_have_answered(
    tenant: Tenant, ann: User, bob: User
) -> None:
    first = held(tenant, terms={"quorum": 2})
    second = held(tenant)

    before = inbox(ann)
    answered(first.pk, ann)
    after, others = inbox(ann), inbox(ann, show="others")

    assert _names(before) == {first.pk, second.pk}
    assert "Approvals2 waiting for you" in read(before).text
    assert _names(after) == {second.pk}
    assert "Approvals1 waiting for you" in read(after).text
    assert _names(others) == {first.pk}


def test_the_menu_shows_no_count_when_nothing_waits(tenant: Tenant, ann: User) -> None:
    page = inbox(ann)

    assert "waiting for you" not in page
    assert "Nothing waits for your answer" in page


def test_settled_ones_stand_apart_with_their_outcome(tenant: Tenant, ann: User, bob: User) -> None:
    denied, expired = held(tenant), held(tenant)
    answered(denied.pk, bob, "deny", "Use staging.")
    ApprovalRequest.objects.filter(pk=expired.pk).update(expires_at=expired.created_at)

    waiting, page = inbox(ann), inbox(ann, show="settled")

    assert _names(waiting) == set()
    assert _names(page) == {denied.pk, expired.pk}
    assert "Denied by bob: Use staging." in read(page).text
    assert "Expired, so denied" in read(page).text


# --- Who sees what ------------------------------------------------------------------------


def test_who_reads_the_trail_sees_all_requests_of_her_tenant(tenant: Tenant, bob: User) -> None:
    request = held(tenant)

    for role in ("auditor", "editor", "owner"):
        person = member(tenant, role)
        assert _names(inbox(person, show="others")) == {request.pk}
        assert browser(person).get(request.get_absolute_url()).status_code == 200


def test_an_approver_sees_what_she_may_answer_has_answered_or_is_hers(
    tenant: Tenant, bob: User
) -> None:
    eve = approver(tenant, "leads", username="eve", email="eve@example.com")
    hers = held(tenant, user_id="eve@example.com")
    asked = held(tenant, terms={"approvers": ["leads"]})
    others = held(tenant)
    had = held(tenant, terms={"approvers": ["leads"], "quorum": 1})
    answered(had.pk, eve, "deny", "No.")
    eve.groups.clear()

    seen = {one.pk: browser(eve).get(one.get_absolute_url()) for one in (hers, others, had, asked)}

    assert [seen[one.pk].status_code for one in (hers, had)] == [200, 200]
    assert [seen[one.pk].status_code for one in (others, asked)] == [404, 404]
    assert _names(inbox(eve, show="others")) == {hers.pk}
    assert _names(inbox(eve, show="settled")) == {had.pk}


def test_nobody_is_asked_about_her_own_request_under_any_name(
    tenant: Tenant, ann: User, bob: User
) -> None:
    twin = approver(tenant, username="ann-2", email=ann.email.upper())
    request = held(tenant, user_id="ANN")

    assert _names(inbox(ann)) == set()
    assert _names(inbox(twin)) == set()
    assert _names(inbox(bob)) == {request.pk}
    assert _names(inbox(ann, show="others")) == {request.pk}


def test_who_holds_the_permission_alone_is_asked_too(tenant: Tenant, bob: User) -> None:
    request = held(tenant)
    auditor, approving = member(tenant, "auditor"), member(tenant, "approver")
    assign_perm(ANSWER, auditor, request)
    assign_perm(ANSWER, approving, request)

    assert _names(inbox(auditor)) == {request.pk}
    assert _names(inbox(approving)) == {request.pk}


def test_what_was_delegated_to_me_waits_for_me_while_it_lasts(tenant: Tenant, ann: User) -> None:
    deputy = member(tenant, "approver", username="dan")
    now = timezone.now()
    row = Delegation.objects.create(
        tenant=tenant,
        approver=ann,
        delegate=deputy,
        starts_at=now - timedelta(hours=1),
        ends_at=now + timedelta(hours=1),
    )
    request = held(tenant)
    hers = held(tenant, user_id="ann")

    during, whose = inbox(deputy), inbox(ann)
    Delegation.objects.filter(pk=row.pk).update(ends_at=now)
    afterwards = inbox(deputy)

    assert _names(during) == {request.pk}
    assert hers.pk not in during
    assert "You may answer in place of ann until" in during
    assert "dan may answer in your place until" in whose
    assert _names(afterwards) == set()


def test_the_groups_of_one_tenant_ask_nobody_of_another(tenant: Tenant, ann: User) -> None:
    other: Tenant = TenantFactory()
    stranger = approver(other, username="stranger")
    request, foreign = held(tenant), held(other)

    assert _names(inbox(stranger)) == {foreign.pk}
    assert browser(stranger).get(request.get_absolute_url()).status_code == 404
    assert request.pk not in inbox(stranger, show="others") + inbox(stranger, show="settled")


def test_a_role_in_one_tenant_shows_nothing_of_another(tenant: Tenant, bob: User) -> None:
    other: Tenant = TenantFactory()
    approver(other)
    person = member(other, "owner")
    MembershipFactory(user=person, tenant=tenant, role=Membership.Role.APPROVER)
    request = held(tenant)

    assert request.pk not in inbox(person, show="others")
    assert browser(person).get(request.get_absolute_url()).status_code == 404


def test_a_superuser_who_is_no_member_sees_nothing(tenant: Tenant, ann: User) -> None:
    request = held(tenant)
    root = UserFactory(is_superuser=True)

    assert _names(inbox(root, show="others")) == set()
    assert browser(root).get(request.get_absolute_url()).status_code == 404


@pytest.mark.parametrize("request_id", ["apr_" + "0" * 32, "x", "a%00b", "../../x", "-1"])
def test_what_is_not_there_and_what_is_not_hers_look_the_same(
    tenant: Tenant, ann: User, request_id: str
) -> None:
    other: Tenant = TenantFactory()
    approver(other)
    foreign = held(other)
    visitor = browser(ann)
    url = reverse("admin:approvals_approvalrequest_change", args=["ID"])

    missing = visitor.get(url.replace("ID", request_id))
    hidden = visitor.get(foreign.get_absolute_url())
    posted = visitor.post(foreign.get_absolute_url(), {"step": "answer", "answer-choice": "deny"})

    assert missing.status_code == hidden.status_code == posted.status_code == 404
    without = [re.sub(r'value="\w{64}"', "", page.content.decode()) for page in (missing, hidden)]
    assert without[0] == without[1]
    assert not Answer.objects.exists()


# --- Pages --------------------------------------------------------------------------------


def test_long_lists_come_in_pages_by_key(
    tenant: Tenant, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "PAGE_ROWS", 2)
    made = [held(tenant) for _ in range(5)]
    visitor = browser(ann)
    seen: list[str] = []
    url = reverse(INBOX)
    while url:
        html = visitor.get(url).content.decode()
        page = re.findall(r'id="row-(apr_\w+)"', html)
        assert len(page) <= 2
        seen += page
        found = re.search(r'rel="next" href="([^"]+)"', html)
        url = reverse(INBOX) + found[1].replace("&amp;", "&") if found else ""

    assert seen == [one.pk for one in made]  # what expires first


def test_settled_ones_come_newest_first_and_by_key(
    tenant: Tenant, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "PAGE_ROWS", 2)
    made = [held(tenant) for _ in range(3)]
    for one in made:
        answered(one.pk, ann)

    first = inbox(ann, show="settled")
    second = inbox(ann, show="settled", after=made[1].pk)

    assert _names(first) == {made[2].pk, made[1].pk}
    assert _names(second) == {made[0].pk}


@pytest.mark.parametrize("query", [{"show": "nonsense"}, {"after": "x"}, {"after": "\0"}])
def test_nonsense_in_the_address_shows_the_first_page(
    tenant: Tenant, ann: User, query: dict[str, str]
) -> None:
    request = held(tenant)

    assert _names(inbox(ann, **query)) == {request.pk}


def test_hostile_text_is_harmless_in_every_tab(tenant: Tenant, ann: User) -> None:
    clean = HOSTILE.replace("\0", "\N{REPLACEMENT CHARACTER}")
    fields = {"user_id": "<b>eve</b>", "tool": "<b>t</b>", "client_id": "<i>c</i>"}
    held(tenant, clean, terms={"policy": "<b>p</b>"}, **fields)
    done = held(tenant, clean, **fields)
    answered(done.pk, ann, "deny", clean)

    for show in ("mine", "settled"):
        html = inbox(ann, show=show)

        page = read(html)
        assert "<script>alert(1)</script>" in page.text
        assert not "".join(page.inline).strip()
        assert not set("\u202e\u202c\u200b\x1b\U000e0041") & set(html)


def test_the_keys_are_told_on_the_page(tenant: Tenant, ann: User) -> None:
    held(tenant)

    text = " ".join(read(inbox(ann)).text.split())

    assert "Keys: j next · k previous · Enter open · x pick" in text


# --- Denying several ----------------------------------------------------------------------


def test_several_are_denied_with_one_reason(tenant: Tenant, ann: User) -> None:
    made = [held(tenant) for _ in range(3)]
    visitor = browser(ann)

    answer = visitor.post(
        reverse(INBOX),
        {"picked": [made[0].pk, made[1].pk], "reason": "Deploys are frozen."},
        follow=True,
    )

    assert "2 requests have your denial" in answer.content.decode()
    states = ApprovalRequest.objects.order_by("created_at").values_list("status", flat=True)
    assert list(states) == ["denied", "denied", "pending"]
    assert set(Answer.objects.values_list("reason", flat=True)) == {"Deploys are frozen."}


def test_denying_several_needs_a_reason_and_keeps_what_was_picked(
    tenant: Tenant, ann: User
) -> None:
    request = held(tenant)
    visitor = browser(ann)

    silent = visitor.post(reverse(INBOX), {"picked": [request.pk], "reason": " "})
    empty = visitor.post(reverse(INBOX), {"reason": "because"})

    assert (silent.status_code, empty.status_code) == (400, 400)
    assert f'value="{request.pk}"' in silent.content.decode()
    assert " checked" in silent.content.decode()
    assert "Pick what is to be denied first." in empty.content.decode()
    assert "because" in empty.content.decode()
    assert not Answer.objects.exists()


def test_there_is_no_approving_in_bulk(tenant: Tenant, ann: User) -> None:
    request = held(tenant)

    html = inbox(ann)
    browser(ann).post(reverse(INBOX), {"picked": [request.pk], "reason": "r", "choice": "approve"})

    assert 'value="approve"' not in html
    assert Answer.objects.get().choice == "deny"


def test_denying_several_tells_which_could_not_be(tenant: Tenant, ann: User, bob: User) -> None:
    mine, settled = held(tenant), held(tenant)
    other: Tenant = TenantFactory()
    approver(other)
    foreign = held(other)
    answered(settled.pk, bob)

    answer = browser(ann).post(
        reverse(INBOX), {"picked": [mine.pk, settled.pk, foreign.pk], "reason": "No."}, follow=True
    )

    text = read(answer.content.decode()).text
    assert "1 request has your denial" in text
    assert "This request is settled: Approved by bob." in text
    assert "There is no approval request" in text
    assert ApprovalRequest.objects.get(pk=foreign.pk).status == "pending"


def test_bulk_denial_needs_the_token_of_the_form(tenant: Tenant, ann: User) -> None:
    request = held(tenant)
    careful = Browser(enforce_csrf_checks=True)
    careful.force_login(ann, backend="django.contrib.auth.backends.ModelBackend")

    forged = careful.post(reverse(INBOX), {"picked": [request.pk], "reason": "No."})

    assert forged.status_code == 403
    assert not Answer.objects.exists()


# --- Broken glass -------------------------------------------------------------------------


def test_a_broken_glass_stays_in_the_inbox_until_it_is_reviewed(
    tenant: Tenant, ann: User, bob: User
) -> None:
    request = held(tenant)
    assign_perm("accounts.break_glass", bob, tenant)
    browser(bob).post(request.get_absolute_url(), {"step": "glass", "glass-reason": "Down"})

    before = read(inbox(ann)).text
    browser(ann).post(request.get_absolute_url(), {"step": "review", "review-note": "Right."})
    after = read(inbox(ann)).text

    assert "Broken glass, not reviewed yet" in before
    assert "Broken glass" not in after


def test_the_page_of_an_inbox_asks_few_questions(
    tenant: Tenant, ann: User, django_assert_max_num_queries: object
) -> None:
    for _ in range(20):
        held(tenant)
    Group.objects.get(name="security-team")
    visitor = browser(ann)

    with django_assert_max_num_queries(25):  # type: ignore[operator]
        visitor.get(reverse(INBOX))
