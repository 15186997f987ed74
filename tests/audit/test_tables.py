"""The tables are made by SQL; Django's models and the reference have to say the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.db import connection, models

from audit import recorder, rows
from audit.models import RECORDS

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "audit.md"

TYPES = {"timestamp with time zone": "timestamptz", "character varying": "varchar"}


def _columns_in_database(table: str) -> dict[str, str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT attname, format_type(atttypid, atttypmod), attnotnull FROM pg_attribute "
            "WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped",
            [table],
        )
        return {
            name: _written(kind, may_be_null=not required)
            for name, kind, required in cursor.fetchall()
        }


def _columns_of_model(model: type[models.Model]) -> dict[str, str]:
    return {
        str(field.column): _written(str(field.db_type(connection)), may_be_null=field.null)
        for field in model._meta.concrete_fields
    }


def _columns_in_reference(table: str) -> dict[str, str]:
    section = REFERENCE.read_text(encoding="utf-8").split(f"## `{table}`")[1].split("\n## ")[0]
    return dict(re.findall(r"^\| `(\w+)` \| ([^|]+) \| [^|]+ \|$", section, re.MULTILINE))


def _written(kind: str, *, may_be_null: bool) -> str:
    for long, short in TYPES.items():
        kind = kind.replace(long, short)
    kind = re.sub(r",\s*", ", ", kind)
    return f"{kind}, may be null" if may_be_null else kind


@pytest.mark.django_db
@pytest.mark.parametrize("table", RECORDS)
def test_the_models_have_the_columns_of_the_tables(table):
    assert _columns_of_model(RECORDS[table]) == _columns_in_database(table)


@pytest.mark.django_db
@pytest.mark.parametrize("table", RECORDS)
def test_the_reference_describes_every_column(table):
    assert _columns_in_reference(table) == _columns_of_model(RECORDS[table])


@pytest.mark.django_db
@pytest.mark.parametrize("table", RECORDS)
def test_the_indexes_and_constraints_of_the_models_exist(table):
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, table)

    meta = RECORDS[table]._meta
    named = {index.name for index in meta.indexes} | {each.name for each in meta.constraints}
    # From version 18 on, PostgreSQL lists NOT NULL among the constraints.
    found = {name: each for name, each in found.items() if not name.endswith("_not_null")}
    assert named | {f"{table}_pkey"} == set(found)
    key = found[f"{table}_pkey"]
    assert key["primary_key"]
    assert key["columns"] == ["tenant_id", "created_at", meta.pk.column]


def test_the_reference_names_the_limits_of_the_recorder():
    text = REFERENCE.read_text(encoding="utf-8")

    for limit in (
        f"{recorder.TIMEOUT_S:g} s |",
        f"{recorder.MAX_WAITING:,} per process",
        f"{recorder.STATEMENT_TIMEOUT_MS // 1000} s |",
        f"{recorder.MAX_BATCH_BYTES // 2**20} MiB",
        f"| {rows.MAX_DEPTH} |",
        f"`{recorder.UNANSWERED}`",
    ):
        assert limit in text
