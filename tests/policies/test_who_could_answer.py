"""A policy that asks people is saved only if they could answer; its page says who could."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group

from approvals.models import ApprovalRequest
from axonportal.accounts.models import Tenant, User
from policies import answering, services
from policies.engine.policy import compile_actions
from policies.errors import PolicyInvalid
from policies.models import Policy
from tests.approvals.holding import QUERY, SEED, seed_policy
from tests.factories import TenantFactory, approver
from tests.gateway.calling import DYNAMIC, POLICIES, Api, is_a_problem


def refused(tenant: Tenant, **terms: Any) -> list[tuple[str, str]]:
    """What is said against the guide's policy with these terms: node and sentence."""
    with pytest.raises(PolicyInvalid) as caught:
        seed_policy(tenant, **terms)
    assert not Policy.objects.for_tenant(tenant.pk).filter(name=SEED["name"]).exists()
    return [(one["field"], one["message"]) for one in caught.value.errors]


def in_the_way(tenant: Tenant, terms: dict[str, Any]) -> list[tuple[str, str]]:
    """What stands in the way of an action with these terms."""
    actions = compile_actions([{"type": "require_approval", **terms}])
    return answering.unanswerable(tenant.pk, actions)


def emptied(tenant: Tenant) -> Policy:
    """A policy whose group has lost its people since it was saved."""
    policy = seed_policy(tenant)
    Group.objects.get(name="security-team").user_set.clear()
    return policy


def test_a_group_that_is_not_there(tenant: Tenant) -> None:
    [(node, said)] = refused(tenant, approvers=["security-team", "secuirty-team"])

    assert node == "actions.0.approvers"
    assert "There is no group 'secuirty-team'; make it under Access > Groups" in said


@pytest.mark.parametrize("who", ["nobody", "inactive", "of another tenant", "of no tenant"])
def test_a_group_in_which_nobody_could_answer(tenant: Tenant, who: str) -> None:
    Group.objects.create(name="ops")
    if who == "inactive":
        approver(tenant, "ops", is_active=False)
    elif who == "of another tenant":
        approver(TenantFactory(), "ops")
    elif who == "of no tenant":
        approver(tenant, "ops").memberships.all().delete()

    [(node, said)] = refused(tenant, approvers=["ops"])

    assert node == "actions.0.approvers"
    assert "Nobody in the group 'ops' can answer: add an active member of this tenant" in said


def test_one_able_member_is_enough(tenant: Tenant) -> None:
    approver(tenant, "ops", is_active=False)
    approver(TenantFactory(), "ops")
    approver(tenant, "ops")

    assert seed_policy(tenant, approvers=["ops"]).enabled


def test_without_a_group_those_of_the_setting_answer(tenant: Tenant, settings: Any) -> None:
    services.delete_policy(seed_policy(tenant, approvers=[]), actor="ada")
    settings.AXON_APPROVERS = ()

    [(node, said)] = refused(tenant, approvers=[])

    assert (node, said) == (
        "actions.0.approvers",
        "Name a group of approvers; AXON_APPROVERS is empty, too.",
    )


def test_more_have_to_approve_than_there_are(tenant: Tenant) -> None:
    both = approver(tenant, "ops", "leads", username="ada")
    approver(tenant, "leads", username="bob")

    [(node, said)] = refused(tenant, approvers=["ops", "leads"], quorum=3)

    assert node == "actions.0.quorum"
    assert "3 have to approve, and only 2 could (ada, bob)" in said
    assert "or ask for 2" in said
    assert both.groups.count() == 2
    assert seed_policy(tenant, approvers=["ops", "leads"], quorum=2)


def test_one_of_each_group_needs_as_many_people_as_groups(tenant: Tenant) -> None:
    approver(tenant, "ops", "leads", username="ada")

    [(node, said)] = refused(tenant, approvers=["ops", "leads"], quorum="each_group")

    assert node == "actions.0.quorum"
    assert "nobody speaks for two" in said
    approver(tenant, "ops", username="bob")
    assert seed_policy(tenant, approvers=["ops", "leads"], quorum="each_group")


def test_everybody_needs_somebody(tenant: Tenant) -> None:
    assert seed_policy(tenant, quorum="unanimous")
    [(node, _)] = in_the_way(tenant, {"approvers": ["x"], "quorum": "unanimous"})
    assert node == "actions.0.approvers"


def test_the_group_of_an_escalation_is_named_where_it_stands(tenant: Tenant) -> None:
    approver(tenant, "leads")
    steps = [
        {"after_s": 60, "approvers": ["leads"]},
        {"after_s": 120, "approvers": ["leads", "nobody"]},
    ]

    [(node, said)] = refused(tenant, escalation=steps)

    assert node == "actions.0.escalation.1.approvers"
    assert "There is no group 'nobody'" in said


@pytest.mark.parametrize("path", [POLICIES, DYNAMIC])
def test_the_api_names_the_node(api: Api, path: str) -> None:
    answer = api.post(
        path,
        {
            "name": "asks nobody",
            "conditions": [{"field": "query", "operator": "contains", "value": "x"}],
            "actions": [{"type": "log"}, {"type": "require_approval", "approvers": ["nobody"]}],
        },
    )

    assert "There is no group 'nobody'" in is_a_problem(answer, 400, decision=False)
    assert [one["field"] for one in answer.body["errors"]] == ["actions.1.approvers"]


def test_one_that_is_off_is_saved_and_switching_on_is_refused(tenant: Tenant) -> None:
    policy, _ = services.create_policy(
        tenant,
        {
            "name": "later",
            "enabled": False,
            "conditions": [{"field": "query", "operator": "contains", "value": "x"}],
            "actions": [{"type": "require_approval", "approvers": ["nobody-yet"]}],
        },
        actor="ada",
    )

    with pytest.raises(PolicyInvalid, match="There is no group 'nobody-yet'"):
        services.update_policy(policy, {"enabled": True}, actor="ada")
    approver(tenant, "nobody-yet")
    assert services.update_policy(policy, {"enabled": True}, actor="ada").enabled


@pytest.mark.parametrize(
    "values",
    [
        {"description": "as before"},
        {"severity": "low", "tags": ["a"]},
        {"enabled": False},
        {"mode": "observe"},
        {"conditions": [{"field": "query", "operator": "contains", "value": "y"}]},
    ],
    ids=["description", "severity", "off", "observe", "conditions"],
)
def test_a_group_that_became_empty_holds_up_no_other_change(
    tenant: Tenant, values: dict[str, Any]
) -> None:
    policy = emptied(tenant)

    saved = services.update_policy(policy, values, actor="ada")

    assert saved.version == 2


def test_whoever_touches_the_actions_sets_the_group_right(tenant: Tenant) -> None:
    policy = emptied(tenant)
    actions = [{**policy.actions[0], "message": "Ask"}]

    with pytest.raises(PolicyInvalid, match="Nobody in the group 'security-team'"):
        services.update_policy(policy, {"actions": actions}, actor="ada")
    services.update_policy(policy, {"mode": "observe"}, actor="ada")
    with pytest.raises(PolicyInvalid, match="Nobody in the group 'security-team'"):
        services.update_policy(policy, {"mode": "enforce"}, actor="ada")


def test_what_nobody_can_answer_any_more_is_denied_at_once(api: Api, tenant: Tenant) -> None:
    emptied(tenant)

    answer = api.pre_check(QUERY)

    assert (answer["approved"], answer["verdict"]) == (False, "deny")
    assert "denied at once: Nobody in the group 'security-team'" in answer["block_reason"]
    assert not ApprovalRequest.objects.exists()


def test_it_is_told_who_could_answer_now_and_later(tenant: Tenant) -> None:
    ada: User = approver(tenant, "ops", username="ada")
    approver(tenant, "leads", username="bob")
    policy = seed_policy(
        tenant, approvers=["ops"], escalation=[{"after_s": 600, "approvers": ["leads"]}]
    )
    ada.is_active = False
    ada.save()

    [asked] = answering.asked_by(tenant.pk, compile_actions(policy.actions))

    assert [(one.name, one.people) for one in asked.groups] == [("ops", [])]
    [(after, groups)] = asked.later
    assert (after, [(one.name, one.people) for one in groups]) == ("10 min", [("leads", ["bob"])])
    assert [node for node, _ in asked.problems] == ["actions.0.approvers"]
    assert (asked.needs, asked.expires, asked.holds) == ("1 person", "1 d", "1 h")
