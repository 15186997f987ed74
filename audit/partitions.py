"""The partitions of the trail: one per table and month (UTC), made ahead."""

from __future__ import annotations

import logging
from datetime import UTC, date, datetime

from django.db import connection, transaction

from audit.models import RECORDS

logger = logging.getLogger(__name__)

MONTHS_AHEAD = 2
# Waiting for a lock makes every later reader wait behind us; better to try again later.
LOCK_TIMEOUT = "1s"


def make(today: date | None = None) -> list[str]:
    """Make the partitions of this month and the next two where they are missing; their names.

    Rows that went to a default partition for want of a month move to the new one. Each
    partition is a transaction of its own.

    Raises:
        django.db.OperationalError: a lock was not to be had within a second; try again.
    """
    today = today or datetime.now(UTC).date()
    made = []
    for table in RECORDS:
        for ahead in range(MONTHS_AHEAD + 1):
            years, month = divmod(today.month - 1 + ahead, 12)
            first = date(today.year + years, month + 1, 1)
            if make_one(table, first):
                made.append(f"{table}_{first:%Y_%m}")
    if made:
        logger.info("made partitions: %s", ", ".join(made))
    return made


def make_one(table: str, day: date) -> bool:
    """Make the partition of `table` for the month of `day`; False if it was there."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [LOCK_TIMEOUT])
        cursor.execute("SELECT audit_make_partition(%s::regclass, %s)", [table, day])
        return bool(cursor.fetchone()[0])
