"""How a record becomes what PostgreSQL reads: one JSON array per table and statement.

`INSERT .. SELECT .. FROM jsonb_to_recordset(..)` takes any number of rows in one round trip for
about a tenth of `executemany`'s client time, and ON CONFLICT DO NOTHING on the primary key makes
it safe to send again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any

import orjson
from django.db import connection
from django.db.models import NOT_PROVIDED
from django.utils.functional import Promise
from psycopg.types.json import Jsonb

from audit.models import RECORDS
from audit.text import storable

Row = Mapping[str, Any]

# orjson ends at 254 levels; a row adds its own.
MAX_DEPTH = 200
CUT = "[deeper levels are not recorded]"
MAX_INTEGER = 2**63 - 1
# Python refuses to write out longer numbers in decimal (4,300 digits by default).
_MAX_DECIMAL_BITS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """What a row of one table needs to have, and the INSERT for any number of them."""

    columns: frozenset[str]
    defaults: Mapping[str, Any]
    insert: str


@cache
def table(name: str) -> Table:
    """The table of that name.

    Raises:
        LookupError: the trail has no such table.
    """
    if name not in RECORDS:
        raise LookupError(f"{name} is no table of the trail.")
    fields = {str(field.column): field for field in RECORDS[name]._meta.concrete_fields}
    names = ", ".join(fields)
    types = ", ".join(f"{column} {field.db_type(connection)}" for column, field in fields.items())
    return Table(
        columns=frozenset(fields),
        defaults={
            column: field.get_default()
            for column, field in fields.items()
            if field.default is not NOT_PROVIDED or field.null
        },
        insert=(
            f"INSERT INTO {name} ({names}) SELECT {names} "  # noqa: S608 (names of our own models)
            f"FROM jsonb_to_recordset(%s) AS sent ({types}) ON CONFLICT DO NOTHING"
        ),
    )


def encode(name: str, row: Row) -> bytes:
    """The row as JSON, with the defaults of the columns that it leaves out.

    What PostgreSQL cannot store is replaced, character for character, so that spans stay right:
    NUL and lone surrogates by U+FFFD. Integers beyond 64 bits become text, levels beyond 200 a
    note. Bytes are for bytea columns.

    Raises:
        ValueError: a column that the table has not, or a required one that is missing.
        TypeError: a value that has no JSON form.
    """
    shape = table(name)
    full = {**shape.defaults, **row}
    if full.keys() != shape.columns:
        wrong = ", ".join(sorted(full.keys() ^ shape.columns))
        raise ValueError(f"These columns of {name} are unknown or missing: {wrong}.")
    try:
        encoded = orjson.dumps(full, default=_plain)
    except TypeError:
        encoded = b""
    if not encoded or rb"\u0000" in encoded:
        encoded = orjson.dumps(clean(full), default=_plain)
    return encoded


def insert(rows: Iterable[tuple[str, bytes]]) -> tuple[str, list[Any]]:
    """One statement, and so one transaction, for encoded rows of any tables; its parameters."""
    by_table: dict[str, list[bytes]] = {}
    for name, encoded in rows:
        by_table.setdefault(name, []).append(encoded)
    names = tuple(sorted(by_table))
    arrays = [Jsonb(b"[%b]" % b",".join(by_table[name]), dumps=_as_is) for name in names]
    return _statement(names), arrays


@cache
def _statement(names: tuple[str, ...]) -> str:
    *others, last = (table(name).insert for name in names)
    if not others:
        return last
    parts = ", ".join(f"part{number} AS ({insert})" for number, insert in enumerate(others))
    return f"WITH {parts} {last}"


def _as_is(encoded: bytes) -> bytes:
    return encoded


def _plain(value: object) -> object:
    if isinstance(value, bytes):
        return rf"\x{value.hex()}"
    if isinstance(value, Promise | Decimal):
        return str(value)
    if isinstance(value, set | frozenset):
        return sorted(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"A record cannot hold a {type(value).__name__}.")


def clean(value: object, depth: int = 0) -> object:
    """The value with what PostgreSQL cannot store replaced, as `encode` describes."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, Mapping):
        if depth >= MAX_DEPTH:
            return CUT
        return {clean(str(key)): clean(item, depth + 1) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return CUT if depth >= MAX_DEPTH else [clean(item, depth + 1) for item in value]
    if isinstance(value, int) and not -MAX_INTEGER <= value <= MAX_INTEGER:
        return str(value) if value.bit_length() <= _MAX_DECIMAL_BITS else hex(value)
    return value
