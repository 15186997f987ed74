"""How records become what PostgreSQL reads: a row's values, or one JSON array per table.

`INSERT .. SELECT .. FROM jsonb_to_recordset(..)` takes any number of rows in one round trip for
about a tenth of `executemany`'s client time. A single row goes as VALUES instead: PostgreSQL then
reads no JSON but the columns that hold some, which is a third less of its time (190 to 130 us).
ON CONFLICT DO NOTHING on the primary key makes both safe to send again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple

import orjson
from django.db import connection
from django.db.models import NOT_PROVIDED
from django.utils.functional import Promise

from audit.models import RECORDS
from audit.text import storable

Row = Mapping[str, Any]

# orjson ends at 254 levels; a row adds its own.
MAX_DEPTH = 200
CUT = "[deeper levels are not recorded]"
MAX_INTEGER = 2**63 - 1
# Python refuses to write out longer numbers in decimal (4,300 digits by default).
_MAX_DECIMAL_BITS = 10_000
_NUMBERED = re.compile(r"\$\d+")


class Encoded(NamedTuple):
    """A row that PostgreSQL can store: of which table, as JSON, and by column."""

    table: str
    json: bytes
    row: Row


class Insert(NamedTuple):
    """A statement with `$1`, `$2` and so on, and its parameters in PostgreSQL's text format."""

    statement: bytes
    parameters: list[bytes | None]

    def for_django(self) -> tuple[str, list[str | None]]:
        """The same for a cursor of Django's, whose placeholders are `%s`."""
        texts = [None if value is None else value.decode() for value in self.parameters]
        return _NUMBERED.sub("%s", self.statement.decode()), texts


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """What a row of one table needs to have, and the INSERTs for one row and for any number.

    `texts` says, column by column in the order of `insert_one`, how a value is written.
    """

    columns: frozenset[str]
    defaults: Mapping[str, Any]
    insert: str
    insert_one: bytes
    texts: Sequence[tuple[str, Callable[[Any], bytes]]]


@cache
def table(name: str) -> Table:
    """The table of that name.

    Raises:
        LookupError: the trail has no such table.
    """
    if name not in RECORDS:
        raise LookupError(f"{name} is no table of the trail.")
    fields = {str(field.column): field for field in RECORDS[name]._meta.concrete_fields}
    types = {column: field.db_type(connection) or "" for column, field in fields.items()}
    names = ", ".join(fields)
    numbers = ", ".join(f"${number}" for number in range(1, len(fields) + 1))
    sent = ", ".join(f"{column} {kind}" for column, kind in types.items())
    conflict = "ON CONFLICT DO NOTHING"
    return Table(
        columns=frozenset(fields),
        defaults={
            column: field.get_default()
            for column, field in fields.items()
            if field.default is not NOT_PROVIDED or field.null
        },
        insert=(
            f"INSERT INTO {name} ({names}) SELECT {names} "  # noqa: S608 (names of our own models)
            f"FROM jsonb_to_recordset({{}}) AS sent ({sent}) {conflict}"
        ),
        insert_one=(
            f"INSERT INTO {name} ({names}) VALUES ({numbers}) {conflict}"  # noqa: S608
        ).encode(),
        texts=[(column, _TEXTS.get(kind, _text)) for column, kind in types.items()],
    )


def encode(name: str, row: Row) -> Encoded:
    """The row, with the defaults of the columns that it leaves out.

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
        full = {column: clean(value, 1) for column, value in full.items()}
        encoded = orjson.dumps(full, default=_plain)
    return Encoded(name, encoded, full)


def insert(rows: Sequence[Encoded]) -> Insert:
    """One statement, and so one transaction, for rows of any tables."""
    if len(rows) == 1:
        return Insert(statement(rows), _values(rows[0]))
    by_table: dict[str, list[bytes]] = {}
    for row in rows:
        by_table.setdefault(row.table, []).append(row.json)
    arrays: list[bytes | None] = [b"[%b]" % b",".join(by_table[name]) for name in sorted(by_table)]
    return Insert(statement(rows), arrays)


def statement(rows: Sequence[Encoded]) -> bytes:
    """The statement of their `insert`: the same for the same tables."""
    if len(rows) == 1:
        return table(rows[0].table).insert_one
    return _insert_all(tuple(sorted({row.table for row in rows})))


@cache
def _insert_all(names: tuple[str, ...]) -> bytes:
    inserts = [table(name).insert.format(f"${at}") for at, name in enumerate(names, 1)]
    parts = ", ".join(f"part{at} AS ({insert})" for at, insert in enumerate(inserts[:-1]))
    return (f"WITH {parts} {inserts[-1]}" if parts else inserts[-1]).encode()


def _values(encoded: Encoded) -> list[bytes | None]:
    row = encoded.row
    return [
        None if (value := row[column]) is None else text(value)
        for column, text in table(encoded.table).texts
    ]


def _text(value: Any) -> bytes:
    if isinstance(value, datetime):
        return value.isoformat().encode()
    return str(value).encode()


def _array(value: Iterable[str]) -> bytes:
    """An array of texts as PostgreSQL writes it."""
    quoted = ('"' + item.replace("\\", r"\\").replace('"', r"\"") + '"' for item in map(str, value))
    return ("{" + ",".join(quoted) + "}").encode() if value else b"{}"


def _json(value: Any) -> bytes:
    return orjson.dumps(value, default=_plain)


def _bytea(value: bytes) -> bytes:
    return rf"\x{value.hex()}".encode()


_TEXTS: dict[str, Callable[[Any], bytes]] = {"jsonb": _json, "text[]": _array, "bytea": _bytea}


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
