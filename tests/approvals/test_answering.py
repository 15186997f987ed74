"""Who may answer, when answers decide, and what an answer does once it is late."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone
from guardian.shortcuts import assign_perm

from approvals import services
from approvals.errors import ApprovalClosed, ApprovalNotFound, NotAnApprover, ReasonMissing
from approvals.models import Answer, ApprovalRequest, Delegation, Grant
from audit.models import AuditEvent
from axonportal.accounts.models import Scope, Tenant, User
from policies import services as policies
from tests.approvals.holding import QUERY, answered, seed_policy
from tests.factories import ClientFactory, MembershipFactory, UserFactory, approver, issued
from tests.gateway.calling import Api


def held(api: Api, **more: object) -> str:
    """The id of the request that a call of the guide's policy opens."""
    return str(api.pre_check(QUERY, **more)["approval"]["request_id"])


def kinds() -> list[str]:
    """The steps on record, in their order."""
    rows = AuditEvent.objects.filter(kind__startswith="approval.")
    return [kind.removeprefix("approval.") for kind in rows.order_by("event_id").values_list(
        "kind", flat=True)]  # fmt: skip


# --- Who ----------------------------------------------------------------------------------


def test_a_member_of_the_group_answers_and_every_step_is_on_record(
    api: Api, tenant: Tenant
) -> None:
    seed_policy(tenant)
    person = approver(tenant)

    settled = answered(held(api), person, reason="Looked at it.")

    assert settled.status == "approved"
    assert settled.outcome == f"Approved by {person.username}: Looked at it."
    assert kinds() == ["request", "approve", "settle"]
    assert [event.kind for event in services.history(settled)] == [
        "approval.request",
        "approval.approve",
        "approval.settle",
    ]


@pytest.mark.parametrize("stranger", ["no group", "other group", "superuser"])
def test_nobody_else_does(api: Api, tenant: Tenant, stranger: str) -> None:
    seed_policy(tenant)
    person = MembershipFactory(tenant=tenant).user
    if stranger == "other group":
        person.groups.add(Group.objects.create(name="others"))
    if stranger == "superuser":
        person.is_superuser = True
        person.save()
    request_id = held(api)

    with pytest.raises(NotAnApprover, match="it is for members of security-team"):
        answered(request_id, person)

    assert ApprovalRequest.objects.get().status == "pending"
    assert kinds() == ["request", "refuse"]


def test_a_member_of_the_group_in_another_tenant_does_not_even_find_it(
    api: Api, tenant: Tenant
) -> None:
    seed_policy(tenant)
    foreigner = approver(MembershipFactory().tenant)

    with pytest.raises(ApprovalNotFound):
        answered(held(api), foreigner)


@pytest.mark.parametrize("claimed_as", ["username", "email", "EMAIL", "second account"])
def test_nobody_answers_her_own_request(api: Api, tenant: Tenant, claimed_as: str) -> None:
    seed_policy(tenant)
    person = approver(tenant, username="ada", email="ada@example.com")
    claims = {"username": "ada", "email": "ada@example.com", "EMAIL": "ADA@EXAMPLE.COM"}
    if claimed_as == "second account":
        UserFactory(username="ada-work", email="ada@example.com")
    request_id = held(api, user_token=claims.get(claimed_as, "ada-work"))

    with pytest.raises(NotAnApprover, match="Nobody answers her own request"):
        answered(request_id, person)


def test_nor_does_the_person_whose_credential_asked_though_it_claims_another(
    tenant: Tenant,
) -> None:
    seed_policy(tenant)
    person = approver(tenant)
    client = ClientFactory(tenant=tenant)
    secret = issued(client, user=person, scopes=Scope.values).secret
    request_id = held(Api({"Authorization": f"Bearer {secret}"}), user_token="somebody else")

    with pytest.raises(NotAnApprover, match="Nobody answers her own request"):
        answered(request_id, person)


def test_who_left_the_group_while_the_page_was_open_no_longer_answers(
    api: Api, tenant: Tenant
) -> None:
    seed_policy(tenant)
    person = approver(tenant)
    request_id = held(api)
    person.groups.clear()

    with pytest.raises(NotAnApprover):
        answered(request_id, person)


@pytest.mark.parametrize("gone", ["switched off", "left the tenant"])
def test_who_is_gone_no_longer_answers(api: Api, tenant: Tenant, gone: str) -> None:
    seed_policy(tenant)
    person = approver(tenant)
    request_id = held(api)
    if gone == "switched off":
        User.objects.filter(pk=person.pk).update(is_active=False)
    else:
        person.memberships.all().delete()

    with pytest.raises(NotAnApprover):
        services.answer(
            request_id, tenant_ids=[tenant.pk], approver=person, choice=Answer.Choice.APPROVE
        )


def test_a_single_person_can_be_permitted_on_a_single_request(api: Api, tenant: Tenant) -> None:
    seed_policy(tenant)
    person = MembershipFactory(tenant=tenant).user
    request_id = held(api)
    assign_perm(
        "approvals.answer_approvalrequest", person, ApprovalRequest.objects.get(pk=request_id)
    )

    assert answered(request_id, person).status == "approved"


# --- What it takes ------------------------------------------------------------------------


def test_a_denial_needs_a_reason_and_an_approval_where_the_policy_says_so(
    api: Api, tenant: Tenant
) -> None:
    seed_policy(tenant, approve_needs_reason=True)
    person = approver(tenant)
    request_id = held(api)

    with pytest.raises(ReasonMissing, match="the requester is told"):
        services.answer(
            request_id, tenant_ids=[tenant.pk], approver=person, choice=Answer.Choice.DENY
        )
    with pytest.raises(ReasonMissing, match="for an approval, too"):
        answered(request_id, person)
    assert answered(request_id, person, reason="Change 4711").status == "approved"


def test_two_of_the_group_have_to_agree_and_one_person_is_one(api: Api, tenant: Tenant) -> None:
    first, second = approver(tenant), approver(tenant)
    seed_policy(tenant, quorum=2)
    request_id = held(api)

    assert answered(request_id, first).status == "pending"
    assert answered(request_id, first).status == "pending"
    assert answered(request_id, second).status == "approved"


def test_one_denial_settles_a_request_that_needs_two_approvals(api: Api, tenant: Tenant) -> None:
    first, second = approver(tenant), approver(tenant)
    seed_policy(tenant, quorum=2)
    request_id = held(api)
    answered(request_id, first)

    assert answered(request_id, second, "deny").status == "denied"
    assert not Grant.objects.exists()


def test_a_policy_may_let_a_majority_overrule_a_denial(api: Api, tenant: Tenant) -> None:
    people = [approver(tenant) for _ in range(3)]
    seed_policy(tenant, quorum=2, one_denial_settles=False)
    request_id = held(api)

    assert answered(request_id, people[0], "deny").status == "pending"
    assert answered(request_id, people[1]).status == "pending"
    assert answered(request_id, people[2]).status == "approved"


def test_it_is_denied_once_no_majority_is_possible(api: Api, tenant: Tenant) -> None:
    User.objects.all().delete()
    people = [approver(tenant) for _ in range(3)]
    seed_policy(tenant, quorum=2, one_denial_settles=False)
    request_id = held(api)
    answered(request_id, people[0], "deny")

    assert answered(request_id, people[1], "deny").status == "denied"


def test_one_of_each_group_means_a_person_for_each(api: Api, tenant: Tenant) -> None:
    both, other = approver(tenant, "ops", "security-team"), approver(tenant, "ops")
    seed_policy(tenant, approvers=["ops", "security-team"], quorum="each_group")
    request_id = held(api)

    assert answered(request_id, both).status == "pending"
    assert answered(request_id, other).status == "approved"


def test_unanimous_means_everybody_who_may_answer(api: Api, tenant: Tenant) -> None:
    User.objects.all().delete()
    first, second = approver(tenant), approver(tenant)
    approver(tenant, username="ada")  # the subject, who is not asked
    seed_policy(tenant, quorum="unanimous")
    request_id = held(api, user_token="ada")

    assert answered(request_id, first).status == "pending"
    assert answered(request_id, second).status == "approved"


def test_every_policy_that_asks_is_satisfied_on_its_own(api: Api, tenant: Tenant) -> None:
    security, ops = approver(tenant), approver(tenant, "ops")
    seed_policy(tenant)
    policies.create_policy(
        tenant,
        {
            "name": "deployments",
            "conditions": [{"field": "query", "operator": "contains", "value": "deploy"}],
            "actions": [{"type": "require_approval", "approvers": ["ops"]}],
        },
        actor="ada",
    )
    request_id = held(api)

    assert answered(request_id, security).status == "pending"
    assert answered(request_id, ops).status == "approved"


def test_an_answer_of_somebody_who_left_meanwhile_does_not_count(api: Api, tenant: Tenant) -> None:
    first, second = approver(tenant), approver(tenant)
    seed_policy(tenant, quorum=2)
    request_id = held(api)
    answered(request_id, first)
    first.groups.clear()

    assert answered(request_id, second).status == "pending"


# --- Too late -----------------------------------------------------------------------------


def test_the_second_click_of_two_changes_nothing(api: Api, tenant: Tenant) -> None:
    seed_policy(tenant)
    person = approver(tenant)
    request_id = held(api)
    answered(request_id, person)

    assert answered(request_id, person).status == "approved"
    assert Grant.objects.count() == Answer.objects.count() == 1


def test_what_is_settled_takes_no_other_answer(api: Api, tenant: Tenant) -> None:
    seed_policy(tenant)
    first, second = approver(tenant), approver(tenant)
    request_id = held(api)
    answered(request_id, first)

    with pytest.raises(ApprovalClosed, match=f"Approved by {first.username}"):
        answered(request_id, second, "deny")


def test_past_its_time_it_is_denied_whatever_the_job_did(api: Api, tenant: Tenant) -> None:
    seed_policy(tenant)
    request_id = held(api)
    ApprovalRequest.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    assert services.find(request_id, [tenant.pk]).state == "expired"  # type: ignore[attr-defined]
    with pytest.raises(ApprovalClosed, match="Nobody answered in time"):
        answered(request_id, approver(tenant))

    assert ApprovalRequest.objects.get().status == "expired"
    assert not Grant.objects.exists()
    assert held(api) != request_id


def test_an_approval_is_good_for_its_time_only(api: Api, tenant: Tenant) -> None:
    seed_policy(tenant, grant_life_s=60)
    answered(held(api), approver(tenant))
    Grant.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    assert api.pre_check(QUERY)["approved"] is False


@pytest.mark.parametrize("minutes", [-5, 5])
def test_a_process_whose_clock_is_off_neither_expires_nor_revives_anything(
    api: Api, tenant: Tenant, monkeypatch: pytest.MonkeyPatch, minutes: int
) -> None:
    seed_policy(tenant, expires_in_s=120, grant_life_s=120)
    request_id = held(api)
    now = timezone.now
    monkeypatch.setattr(timezone, "now", lambda: now() + timedelta(minutes=minutes))

    assert services.expire_due() == 0
    assert answered(request_id, approver(tenant)).status == "approved"
    assert api.pre_check(QUERY)["approved"] is True


def test_a_deleted_policy_asks_no_more_and_its_request_is_still_answered(
    api: Api, tenant: Tenant
) -> None:
    policy = seed_policy(tenant)
    request_id = held(api)
    policies.delete_policy(policy, actor="ada")

    assert answered(request_id, approver(tenant)).status == "approved"
    assert api.pre_check(QUERY)["approved"] is True  # no policy asks; the grant stays unused
    assert Grant.objects.get().consumed_at is None


# --- Nobody -------------------------------------------------------------------------------


def test_what_nobody_could_answer_is_denied_at_once(api: Api, tenant: Tenant) -> None:
    seed_policy(tenant)
    Group.objects.get(name="security-team").user_set.clear()

    answer = api.pre_check(QUERY)

    assert (answer["approved"], answer["verdict"]) == (False, "deny")
    assert answer["block_reason"].startswith("require_approval: ")
    assert "Nobody in the group 'security-team' can answer" in answer["block_reason"]
    assert "approval" not in answer
    assert not ApprovalRequest.objects.exists()


def test_nor_does_a_request_wait_that_only_its_subject_could_answer(
    api: Api, tenant: Tenant
) -> None:
    User.objects.all().delete()
    approver(tenant, username="ada")
    seed_policy(tenant)

    answer = api.pre_check(QUERY, user_token="ada")

    assert answer["verdict"] == "deny"
    assert "besides the subject there is nobody" in answer["block_reason"]


def test_a_client_that_opens_too_many_requests_is_told_so(
    api: Api, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "MAX_PENDING", 2)
    seed_policy(tenant)
    for number in range(2):
        api.pre_check(f"{QUERY} {number}")

    answer = api.pre_check(f"{QUERY} 3")

    assert answer["verdict"] == "deny"
    assert "wait for approval already" in answer["block_reason"]
    assert api.pre_check(f"{QUERY} 1")["verdict"] == "hold"  # joining is no further request


# --- Escalation, delegation, break-glass --------------------------------------------------


def aged(request_id: str, seconds: int) -> None:
    ApprovalRequest.objects.filter(pk=request_id).update(
        created_at=timezone.now() - timedelta(seconds=seconds)
    )


def test_after_its_time_the_next_group_may_answer_too(api: Api, tenant: Tenant) -> None:
    lead = approver(tenant, "leads")
    seed_policy(tenant, escalation=[{"after_s": 600, "approvers": ["leads"]}])
    request_id = held(api)
    with pytest.raises(NotAnApprover):
        answered(request_id, lead)
    assert services.escalate_due() == 0

    aged(request_id, 601)

    assert (services.escalate_due(), services.escalate_due()) == (1, 0)
    assert answered(request_id, lead).status == "approved"
    assert "escalate" in kinds()


def test_escalation_never_reaches_the_subject(api: Api, tenant: Tenant) -> None:
    lead = approver(tenant, "leads", username="ada")
    seed_policy(tenant, escalation=[{"after_s": 600, "approvers": ["leads"]}])
    request_id = held(api, user_token="ada")
    aged(request_id, 601)
    services.escalate_due()

    with pytest.raises(NotAnApprover, match="Nobody answers her own request"):
        answered(request_id, lead)


def delegated(tenant: Tenant, whose: User, to: User, *, hours: tuple[int, int] = (-1, 1)) -> None:
    now = timezone.now()
    Delegation.objects.create(
        tenant=tenant,
        approver=whose,
        delegate=to,
        starts_at=now + timedelta(hours=hours[0]),
        ends_at=now + timedelta(hours=hours[1]),
    )


def test_a_delegate_answers_in_her_place_and_the_answer_says_so(api: Api, tenant: Tenant) -> None:
    seed_policy(tenant)
    person, stand_in = approver(tenant), MembershipFactory(tenant=tenant).user
    delegated(tenant, person, stand_in)

    settled = answered(held(api), stand_in)

    given = settled.answers.get()
    assert (given.approver_name, given.on_behalf_of) == (stand_in.username, person.username)
    assert f"in place of {person.username}" in settled.outcome


@pytest.mark.parametrize("hours", [(1, 2), (-2, -1)], ids=["not yet", "over"])
def test_a_delegation_counts_in_its_time_only(
    api: Api, tenant: Tenant, hours: tuple[int, int]
) -> None:
    seed_policy(tenant)
    stand_in = MembershipFactory(tenant=tenant).user
    delegated(tenant, approver(tenant), stand_in, hours=hours)

    with pytest.raises(NotAnApprover):
        answered(held(api), stand_in)


def test_what_was_delegated_is_not_passed_on(api: Api, tenant: Tenant) -> None:
    seed_policy(tenant)
    second, third = (MembershipFactory(tenant=tenant).user for _ in range(2))
    person = approver(tenant)
    delegated(tenant, person, second)
    delegated(tenant, second, third)
    delegated(tenant, third, person)  # a loop

    with pytest.raises(NotAnApprover):
        answered(held(api), third)


def test_the_subject_answers_through_nobody_and_nobody_through_the_subject(
    api: Api, tenant: Tenant
) -> None:
    seed_policy(tenant)
    subject, person, friend = (
        approver(tenant, username="ada"),
        approver(tenant),
        MembershipFactory(tenant=tenant).user,
    )
    delegated(tenant, person, subject)
    delegated(tenant, subject, friend)
    request_id = held(api, user_token="ada")

    for nobody in (subject, friend):
        with pytest.raises(NotAnApprover):
            answered(request_id, nobody)


def test_a_person_and_her_delegate_are_one_voice(api: Api, tenant: Tenant) -> None:
    person, stand_in = approver(tenant), MembershipFactory(tenant=tenant).user
    delegated(tenant, person, stand_in)
    seed_policy(tenant, quorum=2)
    request_id = held(api)
    answered(request_id, person)

    assert answered(request_id, stand_in).status == "pending"


def test_the_glass_is_broken_by_permission_alone_and_the_case_stays_open(
    api: Api, tenant: Tenant
) -> None:
    seed_policy(tenant)
    colleague, person = approver(tenant), MembershipFactory(tenant=tenant).user
    request_id = held(api)

    def broken(reason: str = "Production is down") -> ApprovalRequest:
        return services.break_glass(
            request_id, tenant_ids=[tenant.pk], person=person, reason=reason
        )

    with pytest.raises(NotAnApprover, match="lacks the permission to break the glass"):
        broken()
    assign_perm("accounts.break_glass", person, tenant)
    with pytest.raises(ReasonMissing, match="why it cannot wait"):
        broken(" ")

    settled = broken()

    assert (settled.status, settled.broken_by) == ("approved", person.username)
    assert api.pre_check(QUERY)["approved"] is True
    assert list(ApprovalRequest.objects.to_review()) == [settled]
    assign_perm("approvals.answer_approvalrequest", person, settled)
    with pytest.raises(NotAnApprover, match="Somebody else"):
        services.review(request_id, tenant_ids=[tenant.pk], reviewer=person, note="Fine.")
    services.review(request_id, tenant_ids=[tenant.pk], reviewer=colleague, note="Was right.")
    assert not ApprovalRequest.objects.to_review().exists()
    assert {"break_glass", "settle", "review"} <= set(kinds())


def test_being_superuser_breaks_no_glass(api: Api, tenant: Tenant) -> None:
    seed_policy(tenant)
    root = UserFactory(is_superuser=True)
    MembershipFactory(user=root, tenant=tenant)

    with pytest.raises(NotAnApprover):
        services.break_glass(held(api), tenant_ids=[tenant.pk], person=root, reason="I can")
