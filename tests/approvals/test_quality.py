"""Figures about answers: of people and of policies, and a hint where yes is a habit."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from approvals import quality
from approvals.models import Answer, ApprovalRequest
from axonportal.accounts.models import Tenant, User
from tests.approvals.holding import POLICY, answered, held, seed_policy
from tests.factories import TenantFactory, approver
from tests.portal.people import browser, member, read

PAGE = "admin:approvals_approvalrequest_quality"


@pytest.fixture
def ann(tenant: Tenant) -> User:
    return approver(tenant, username="ann")


@pytest.fixture
def bob(tenant: Tenant) -> User:
    return approver(tenant, username="bob")


def _since() -> object:
    return timezone.now() - timedelta(days=1)


def _answered_after(request: ApprovalRequest, seconds: float) -> None:
    Answer.objects.filter(request=request).update(
        answered_at=request.created_at + timedelta(seconds=seconds)
    )
    ApprovalRequest.objects.filter(pk=request.pk).update(
        settled_at=request.created_at + timedelta(seconds=seconds)
    )


def test_people_are_counted_by_what_they_did_and_did_not(
    tenant: Tenant, ann: User, bob: User
) -> None:
    for seconds, choice, looked in ((10, "approve", 1.0), (20, "deny", 60.0), (90, "approve", 3.0)):
        request = held(tenant)
        answered(request.pk, ann, choice, considered_s=looked)
        _answered_after(request, seconds)
    expired = held(tenant)
    hers = held(tenant, user_id="BOB")
    ApprovalRequest.objects.filter(pk__in=[expired.pk, hers.pk]).update(
        expires_at=expired.created_at
    )

    found = {one.name: one for one in quality.by_approver([tenant.pk], _since())}  # type: ignore[arg-type]

    of_ann, of_bob = found["ann"], found["bob"]
    assert (of_ann.given, of_ann.approved, of_ann.median_s) == (3, 2, 20)
    assert (of_ann.quick, of_ann.measured, of_ann.missed) == (1, 3, 2)
    assert (of_bob.given, of_bob.median_s, of_bob.approved_share) == (0, None, None)
    assert of_bob.missed == 1


def test_policies_are_counted_by_how_their_requests_ended(
    tenant: Tenant, ann: User, bob: User
) -> None:
    for choice in ("approve", "approve", "deny"):
        request = held(tenant)
        answered(request.pk, ann, choice, considered_s=1.0)
        _answered_after(request, 30)
    unanswered, half = held(tenant), held(tenant, terms={"quorum": 2})
    answered(half.pk, ann)
    ApprovalRequest.objects.filter(pk__in=[unanswered.pk, half.pk]).update(
        expires_at=half.created_at
    )

    (found,) = quality.by_policy([tenant.pk], _since())  # type: ignore[arg-type]

    assert (found.name, found.asked, found.approved, found.denied) == (POLICY["policy"], 5, 2, 1)
    assert (found.missed, found.quick, found.measured, found.median_s) == (1, 3, 3, 30)


def test_other_tenants_and_other_times_do_not_count(tenant: Tenant, ann: User) -> None:
    other: Tenant = TenantFactory()
    approver(other)
    held(other)
    old = held(tenant)
    answered(old.pk, ann)
    ApprovalRequest.objects.filter(pk=old.pk).update(created_at=old.created_at - timedelta(days=2))

    assert quality.by_policy([tenant.pk], _since()) == []  # type: ignore[arg-type]
    assert quality.by_approver([tenant.pk], _since()) == []  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("denied", "count", "hinted"), [(0, 20, True), (0, 19, False), (1, 20, False)]
)
def test_a_policy_that_everybody_always_approves_is_pointed_out_on_its_page(
    tenant: Tenant, ann: User, denied: int, count: int, hinted: bool
) -> None:
    policy = seed_policy(tenant)
    for number in range(count):
        request = held(tenant, terms={"policy_id": str(policy.pk), "policy": policy.name})
        answered(request.pk, ann, "deny" if number < denied else "approve")

    page = browser(member(tenant, "owner")).get(policy.get_absolute_url()).content.decode()

    assert ("of 20 requests of this policy were approved" in page) is hinted


@pytest.mark.parametrize("role", ["auditor", "editor", "owner"])
def test_who_reads_everything_reads_the_figures(tenant: Tenant, ann: User, role: str) -> None:
    request = held(tenant, terms={"policy": "<b>p</b>"})
    answered(request.pk, ann, considered_s=1.0)
    visitor = browser(member(tenant, role))

    page = visitor.get(reverse(PAGE))
    odd = visitor.get(reverse(PAGE), {"window": "nonsense"})

    text = read(page.content.decode()).text
    assert (page.status_code, odd.status_code) == (200, 200)
    assert "<b>p</b>" in text
    assert "ann" in text
    assert "100%" in text


def test_an_approver_does_not(tenant: Tenant, ann: User) -> None:
    assert browser(ann).get(reverse(PAGE)).status_code == 403
