"""Promise 8: a saved change is in force with the next call, here and in other processes."""

from __future__ import annotations

import pytest
from django.db import connection, transaction

from axonportal.accounts.models import Tenant
from axonportal.common import changes
from policies import services
from policies.active import active
from policies.models import Policy
from tests.factories import TenantFactory, saved_policy
from tests.gateway.calling import POLICIES, Api


def test_a_created_policy_holds_for_the_next_call(api: Api) -> None:
    assert api.pre_check("production")["approved"] is True

    api.post(
        POLICIES,
        {
            "name": "new one",
            "conditions": [{"field": "query", "operator": "contains", "value": "production"}],
            "actions": [{"type": "block"}],
        },
    )

    assert api.pre_check("production")["approved"] is False


def test_a_changed_switched_or_deleted_policy_holds_no_longer(api: Api, tenant: Tenant) -> None:
    policy = saved_policy(tenant)
    one = f"{POLICIES}/{policy.pk}"
    seen = [api.pre_check("production")["approved"]]

    for body in ({"enabled": False}, {"enabled": True}, {"actions": [{"type": "log"}]}):
        api.put(one, body)
        seen.append(api.pre_check("production")["approved"])
    api.put(one, {"actions": [{"type": "block"}]})
    seen.append(api.pre_check("production")["approved"])
    api.call("DELETE", one)
    seen.append(api.pre_check("production")["approved"])

    assert seen == [False, True, False, True, False, True]


def test_the_revision_in_an_answer_counts_every_change(api: Api, tenant: Tenant) -> None:
    before = api.pre_check("ls")["policy_revision"]

    saved_policy(tenant)

    assert api.pre_check("ls")["policy_revision"] == before + 1


def test_a_policy_of_another_process_is_met_by_the_shared_word(tenant: Tenant) -> None:
    """As another process would leave it: rows written and the word raised, no call in here."""
    policy = saved_policy(tenant)
    current = active.of(tenant.pk)
    Policy.objects.filter(pk=policy.pk).update(enabled=False)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE common_revision SET number = number + 1 WHERE topic = %s",
            [f"policies:{tenant.pk}"],
        )
    assert active.of(tenant.pk) is current

    changes.word().raise_()

    assert active.of(tenant.pk).revision == current.revision + 1
    assert str(policy.pk) not in [each.spec.id for each in active.of(tenant.pk).policies]


def test_an_unchanged_policy_is_not_compiled_again(tenant: Tenant) -> None:
    saved_policy(tenant)
    before = {policy.spec.id: policy for policy in active.of(tenant.pk).policies}

    saved_policy(tenant, name="another")

    after = {policy.spec.id: policy for policy in active.of(tenant.pk).policies}
    assert all(after[key] is policy for key, policy in before.items())


def test_without_a_change_no_query_is_asked(
    tenant: Tenant, django_assert_num_queries: object
) -> None:
    active.of(tenant.pk)

    with django_assert_num_queries(0):  # type: ignore[operator]
        active.of(tenant.pk)


def test_a_change_of_one_tenant_leaves_the_others_sets_alone(
    tenant: Tenant, theirs: Tenant
) -> None:
    saved_policy(theirs)
    mine = active.of(tenant.pk)

    saved_policy(theirs, name="another of theirs")

    assert active.of(tenant.pk) is mine


@pytest.fixture
def theirs(db: None) -> Tenant:
    made: Tenant = TenantFactory()
    return made


@pytest.mark.django_db(transaction=True)
def test_a_save_that_is_rolled_back_leaves_the_old_state_in_force() -> None:
    tenant = TenantFactory()
    policy = saved_policy(tenant)
    assert active.of(tenant.pk).policies

    with transaction.atomic():
        services.update_policy(policy, {"enabled": False}, actor="ada")
        transaction.set_rollback(True)

    assert [each.spec.id for each in active.of(tenant.pk).policies] == [str(policy.pk)]
