"""What every save leaves behind, and that the database keeps it: promise 10 for policies."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction

from axonportal.accounts.models import Tenant
from policies import services
from policies.builtin import BUILTINS
from policies.models import Policy, PolicyVersion
from tests.factories import saved_policy


def test_each_save_keeps_a_copy_with_author_and_note(tenant: Tenant) -> None:
    policy = saved_policy(tenant)

    services.update_policy(policy, {"priority": 7}, actor="bob", note="after the incident")

    first, second = PolicyVersion.objects.filter(policy=policy).order_by("version")
    assert (first.change, first.author, first.snapshot["priority"]) == ("created", "ada", 100)
    assert (second.change, second.author, second.snapshot["priority"]) == ("updated", "bob", 7)
    assert second.note == "after the incident"
    assert second.snapshot.keys() == set(services.EDITABLE)


def test_a_deleted_policy_keeps_its_versions(tenant: Tenant) -> None:
    policy = saved_policy(tenant)

    services.delete_policy(policy, actor="bob", note="not needed")

    last = PolicyVersion.objects.filter(policy=policy).order_by("version").last()
    assert last is not None
    assert (last.version, last.change, last.note) == (2, "deleted", "not needed")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE policies_policyversion SET note = 'changed'",
        "UPDATE policies_policyversion SET snapshot = '{}'",
        "DELETE FROM policies_policyversion",
    ],
)
def test_the_database_refuses_to_change_a_version(tenant: Tenant, statement: str) -> None:
    saved_policy(tenant)
    before = PolicyVersion.objects.count()

    with (
        pytest.raises(DatabaseError, match="never changed or deleted"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)

    assert PolicyVersion.objects.count() == before


def test_a_decision_names_the_version_it_rests_on(api: object, tenant: Tenant) -> None:
    policy = saved_policy(tenant)
    services.update_policy(policy, {"priority": 7}, actor="bob")

    answer = api.pre_check("production")  # type: ignore[attr-defined]

    assert answer["matches"][0]["version"] == 2
    assert answer["matches"][0]["policy_id"] == str(policy.pk)


def test_a_tenant_begins_with_the_policies_that_the_guide_names(tenant: Tenant) -> None:
    names = set(Policy.objects.for_tenant(tenant.pk).values_list("name", flat=True))

    assert names == {builtin.name for builtin in BUILTINS}
    assert names == {
        "sql_injection_detection",
        "dangerous_query_blocking",
        "dangerous_command_blocking",
        "sensitive_access_blocking",
        "pii_ssn_detection",
        "pii_credit_card_detection",
        "pii_aadhaar_detection",
        "pii_pan_detection",
        "pii_email_detection",
        "pii_phone_detection",
        "secret_detection",
    }


@pytest.mark.django_db
def test_a_migration_gives_every_tenant_what_came_with_the_version() -> None:
    earlier = Tenant.objects.create(slug="earlier", name="Earlier")
    own = saved_policy(earlier, name="secret_detection")

    call_command("migrate", verbosity=0)

    made = Policy.objects.filter(tenant=earlier)
    assert set(made.values_list("name", flat=True)) == {builtin.name for builtin in BUILTINS}
    assert made.get(name="secret_detection") == own


def test_what_a_tenant_made_of_a_built_in_policy_survives_the_next_start(tenant: Tenant) -> None:
    policy = Policy.objects.get(tenant=tenant, builtin="pii_ssn_detection")
    services.update_policy(policy, {"mode": "observe", "name": "ssn"}, actor="ada")

    services.add_builtin_policies(tenant)

    policy.refresh_from_db()
    assert (policy.mode, policy.name) == ("observe", "ssn")
    assert Policy.objects.filter(tenant=tenant).count() == len(BUILTINS)
