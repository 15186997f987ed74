from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection

from audit import partitions, tasks
from audit.models import RECORDS, GatewayContext
from tests.audit.records import TENANT, stored

pytestmark = pytest.mark.django_db

FAR = datetime(2031, 5, 20, 12, tzinfo=UTC)


def _partition_of(context: GatewayContext) -> str:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tableoid::regclass::text FROM gateway_contexts WHERE context_id = %s",
            [context.context_id],
        )
        return str(cursor.fetchone()[0])


def test_this_month_and_the_next_two_are_there_from_the_start():
    assert partitions.make() == []


def test_the_task_makes_the_months_that_are_missing_and_does_no_harm_twice(monkeypatch):
    monkeypatch.setattr(partitions, "datetime", _Clock)

    tasks.make_partitions()

    assert partitions.make() == []
    assert partitions.make(date(2031, 6, 30)) == [f"{table}_2031_08" for table in RECORDS]


def test_the_months_run_over_the_end_of_a_year():
    made = partitions.make(date(2031, 12, 31))

    assert [name for name in made if name.startswith("tool_calls")] == [
        "tool_calls_2031_12",
        "tool_calls_2032_01",
        "tool_calls_2032_02",
    ]


@pytest.mark.parametrize(
    ("at", "partition"),
    [
        (datetime(2031, 5, 1, tzinfo=UTC), "gateway_contexts_2031_05"),
        (datetime(2031, 5, 31, 23, 59, 59, 999_000, tzinfo=UTC), "gateway_contexts_2031_05"),
        (datetime(2031, 6, 1, tzinfo=UTC), "gateway_contexts_default"),
    ],
    ids=["first moment", "last moment", "next month"],
)
def test_a_month_is_a_month_of_utc_whatever_the_session_says(at, partition):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL TIME ZONE 'Pacific/Auckland'")
    partitions.make_one("gateway_contexts", date(2031, 5, 20))

    context = stored(at=at)

    assert _partition_of(context) == partition


def test_a_row_without_a_partition_is_kept_and_moves_when_its_month_is_made():
    context = stored(at=FAR)
    beside = stored(at=FAR + timedelta(days=60))
    assert _partition_of(context) == "gateway_contexts_default"

    partitions.make_one("gateway_contexts", FAR.date())

    assert _partition_of(context) == "gateway_contexts_2031_05"
    assert _partition_of(beside) == "gateway_contexts_default"
    assert GatewayContext.objects.count() == 2


def test_a_lookup_by_id_reads_one_partition_by_its_primary_key():
    contexts = [stored(query=f"SELECT {number}") for number in range(300)]
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE gateway_contexts")
    question = GatewayContext.objects.for_tenant(TENANT).by_context_id(contexts[150].context_id)

    plan = question.explain()

    month = f"gateway_contexts_{contexts[150].created_at:%Y_%m}"
    assert f"using {month}_pkey on {month}" in plan
    assert plan.count(" on gateway_contexts_") == 1
    assert question.get() == contexts[150]


class _Clock(datetime):
    @classmethod
    def now(cls, tz=None):
        return FAR
