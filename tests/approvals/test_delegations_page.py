"""Letting somebody answer in one's place, in the portal."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from approvals import delegating
from approvals.errors import DelegationRefused
from approvals.models import Answer, Delegation
from audit.models import AuditEvent
from axonportal.accounts.models import Tenant, User
from tests.approvals.holding import held
from tests.approvals.pages import page, says
from tests.factories import TenantFactory, approver
from tests.portal.people import browser, member, read

LIST = "admin:approvals_delegation_changelist"
ADD = "admin:approvals_delegation_add"


@pytest.fixture
def ann(tenant: Tenant) -> User:
    return approver(tenant, username="ann")


@pytest.fixture
def dan(tenant: Tenant) -> User:
    return member(tenant, "approver", username="dan")


def _typed(tenant: Tenant, to: User, **changed: Any) -> dict[str, Any]:
    now = timezone.now()
    return {
        "tenant": tenant.pk,
        "delegate": to.pk,
        "starts_at": f"{now:%Y-%m-%dT%H:%M}",
        "ends_at": f"{now + timedelta(days=3):%Y-%m-%dT%H:%M}",
        "reason": "on leave",
        **changed,
    }


def _day(offset: float) -> str:
    return f"{timezone.now() + timedelta(days=offset):%Y-%m-%dT%H:%M}"


def test_a_person_delegates_her_voice_and_the_answer_says_so(
    tenant: Tenant, ann: User, dan: User
) -> None:
    sent = browser(ann).post(reverse(ADD), _typed(tenant, dan), follow=True)
    request = held(tenant)

    seen = read(page(dan, request)).text
    browser(dan).post(request.get_absolute_url(), says("approve", "For Ann"))

    assert "Delegated to dan." in sent.content.decode()
    assert "You answer in place of ann" in seen
    assert Answer.objects.get().on_behalf_of == "ann"
    event = AuditEvent.objects.get(kind="approval.delegate")
    assert (event.actor, event.detail["to"], event.detail["reason"]) == ("ann", "dan", "on leave")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"ends_at": _day(-1), "starts_at": _day(-2)}, "It would be over already."),
        ({"ends_at": _day(1), "starts_at": _day(2)}, "It must end after it starts."),
        ({"ends_at": _day(61)}, "At most 60 days."),
        ({"starts_at": _day(400), "ends_at": _day(401)}, "At most 365 days ahead."),
        ({"ends_at": "soon"}, "Enter a valid date/time."),
        ({"reason": "x" * 201}, "at most 200 characters"),
    ],
    ids=["past", "backwards", "too long", "too far off", "no time", "long reason"],
)
def test_what_makes_no_sense_is_refused_with_what_was_typed(
    tenant: Tenant, ann: User, dan: User, changed: dict[str, str], said: str
) -> None:
    answer = browser(ann).post(reverse(ADD), _typed(tenant, dan, **changed))

    assert answer.status_code == 400
    assert said in answer.content.decode()
    assert not Delegation.objects.exists()


def test_nobody_delegates_to_herself_or_to_somebody_outside(
    tenant: Tenant, ann: User, dan: User
) -> None:
    stranger = member(TenantFactory(), "approver", username="stranger")
    visitor = browser(ann)

    form = visitor.get(reverse(ADD)).content.decode()
    answers = [visitor.post(reverse(ADD), _typed(tenant, to)) for to in (ann, stranger)]

    assert "dan" in form
    assert "stranger" not in form
    assert {answer.status_code for answer in answers} == {400}
    now = timezone.now()
    for to in (ann, stranger):
        with pytest.raises(DelegationRefused):
            delegating.delegate(
                tenant,
                approver=ann,
                to=to,
                starts_at=now,
                ends_at=now + timedelta(days=1),
                now=now,
            )


def test_two_of_one_person_do_not_overlap_unless_the_first_has_ended(
    tenant: Tenant, ann: User, dan: User
) -> None:
    visitor = browser(ann)
    visitor.post(reverse(ADD), _typed(tenant, dan))

    beside = visitor.post(reverse(ADD), _typed(tenant, dan, ends_at=_day(1)))
    row = Delegation.objects.get()
    visitor.post(reverse("admin:approvals_delegation_change", args=[row.pk]))
    afterwards = visitor.post(reverse(ADD), _typed(tenant, dan, ends_at=_day(1)))

    assert "covers a part of that time" in beside.content.decode()
    assert afterwards.status_code == 302
    assert Delegation.objects.count() == 2


def test_ending_early_takes_the_voice_back_at_once(tenant: Tenant, ann: User, dan: User) -> None:
    browser(ann).post(reverse(ADD), _typed(tenant, dan))
    request = held(tenant)
    row = Delegation.objects.get()
    url = reverse("admin:approvals_delegation_change", args=[row.pk])

    by_delegate = browser(dan).post(url)
    by_herself = browser(ann).post(url)
    browser(ann).post(url)
    tried = browser(dan).post(request.get_absolute_url(), says("approve"))

    assert (by_delegate.status_code, by_herself.status_code) == (403, 302)
    assert tried.status_code == 404  # it is not even hers to see any more
    assert AuditEvent.objects.filter(kind="approval.delegate_end").count() == 1


def test_owners_see_all_and_may_end_one_others_see_their_own(
    tenant: Tenant, ann: User, dan: User
) -> None:
    eve = member(tenant, "approver", username="eve")
    owner = member(tenant, "owner")
    foreign = member(TenantFactory(), "owner")
    browser(ann).post(reverse(ADD), _typed(tenant, dan))
    url = reverse("admin:approvals_delegation_change", args=[Delegation.objects.get().pk])

    lists = {
        person.username: "dan for ann" in browser(person).get(reverse(LIST)).content.decode()
        for person in (ann, dan, owner, eve, foreign)
    }
    looked = {browser(person).get(url).status_code for person in (eve, foreign)}
    ended = browser(owner).post(url)

    assert lists == {
        "ann": True,
        "dan": True,
        owner.username: True,
        "eve": False,
        foreign.username: False,
    }
    assert looked == {404}
    assert ended.status_code == 302
    assert Delegation.objects.get().ended_at is not None


def test_nothing_of_it_is_changed_or_deleted(tenant: Tenant, ann: User, dan: User) -> None:
    browser(ann).post(reverse(ADD), _typed(tenant, dan))
    row = Delegation.objects.get()

    deletion = browser(member(tenant, "owner")).post(
        reverse("admin:approvals_delegation_delete", args=[row.pk]), {"post": "yes"}
    )

    assert deletion.status_code == 403
    assert Delegation.objects.exists()


def test_hostile_text_is_harmless(tenant: Tenant, ann: User, dan: User) -> None:
    browser(ann).post(reverse(ADD), _typed(tenant, dan, reason="<script>alert(1)</script>\u202e"))
    row = Delegation.objects.get()

    for url in (reverse(LIST), reverse("admin:approvals_delegation_change", args=[row.pk])):
        html = browser(ann).get(url).content.decode()
        assert "<script>alert(1)</script>" in read(html).text
        assert "\u202e" not in html
