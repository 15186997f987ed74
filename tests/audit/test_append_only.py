"""Promise 10: records of the past are append-only, enforced by the database."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from django.db import IntegrityError, connection, transaction

from audit import partitions
from audit.models import RECORDS, GatewayContext
from audit.recorder import InlineRecorder
from tests.audit.flush import forbid_truncate
from tests.audit.records import one_of_each, stored

pytestmark = pytest.mark.django_db

IN_2031 = datetime(2031, 5, 20, 12, tzinfo=UTC)
CHANGES = {
    "update": "UPDATE {} SET tenant = 'another'",
    "delete": "DELETE FROM {}",
    "truncate": "TRUNCATE {}",
    "truncate cascade": "TRUNCATE ONLY {} CASCADE",
}


def _refusal(statement: str) -> str:
    with (
        pytest.raises(IntegrityError) as refused,
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
    return str(refused.value)


def _partitions(table: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits "
            "WHERE inhparent = %s::regclass ORDER BY 1",
            [table],
        )
        return [name for (name,) in cursor.fetchall()]


@pytest.fixture
def _rows() -> None:
    for table, row in one_of_each().items():
        InlineRecorder().record(table, row)


@pytest.mark.parametrize("change", ["update", "delete"])
@pytest.mark.parametrize("table", RECORDS)
@pytest.mark.usefixtures("_rows")
def test_no_row_can_be_changed(table, change):
    message = _refusal(CHANGES[change].format(table))

    assert f"is append-only: {change.upper()} is refused" in message
    assert RECORDS[table]._default_manager.count() == 1


@pytest.mark.parametrize("change", ["update", "delete"])
@pytest.mark.parametrize("table", RECORDS)
def test_no_row_can_be_changed_through_its_partition(table, change):
    row = one_of_each()[table]
    InlineRecorder().record(table, row)
    partition = f"{table}_{row['created_at']:%Y_%m}"

    message = _refusal(CHANGES[change].format(partition))

    assert f"{partition} is append-only" in message


@pytest.mark.parametrize("table", RECORDS)
def test_no_table_or_partition_can_be_truncated(table):
    forbid_truncate()
    every = [table, *_partitions(table)]
    assert len(every) >= 5  # the table, this month and two more, the default

    for name in every:
        message = _refusal(CHANGES["truncate"].format(name))

        assert "is append-only: TRUNCATE is refused" in message


@pytest.mark.parametrize("change", CHANGES)
def test_a_partition_made_later_is_protected_too(change):
    partitions.make_one("gateway_contexts", date(2031, 5, 20))
    forbid_truncate()
    stored(at=IN_2031)

    message = _refusal(CHANGES[change].format("gateway_contexts_2031_05"))

    assert "gateway_contexts_2031_05 is append-only" in message


@pytest.mark.parametrize("change", ["update", "delete"])
def test_the_default_partition_is_protected_too(change):
    stored(at=IN_2031)

    message = _refusal(CHANGES[change].format("gateway_contexts_default"))

    assert "gateway_contexts_default is append-only" in message


def test_a_session_that_passes_for_a_replica_changes_nothing_either():
    partitions.make_one("gateway_contexts", IN_2031.date())
    later = "gateway_contexts_2031_05"

    # Only `A` fires under session_replication_role = replica, which a superuser may set.
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgrelid::regclass::text, tgname, tgenabled FROM pg_trigger "
            "WHERE tgname LIKE 'append_only%%' AND tgenabled <> 'D'"
        )
        found = {(table, trigger): state for table, trigger, state in cursor.fetchall()}

    assert set(found.values()) == {"A"}
    every = [name for table in RECORDS for name in (table, *_partitions(table))]
    assert set(found) >= {(name, "append_only") for name in every}
    assert (later, "append_only_truncate") in found


@pytest.mark.usefixtures("_rows")
def test_the_orm_is_refused_as_well():
    context = GatewayContext.objects.get()
    context.verdict, context.approved = "deny", False

    with pytest.raises(IntegrityError, match="is append-only: UPDATE"), transaction.atomic():
        context.save()
    with pytest.raises(IntegrityError, match="is append-only: DELETE"), transaction.atomic():
        context.delete()

    assert GatewayContext.objects.get().verdict == "allow"
