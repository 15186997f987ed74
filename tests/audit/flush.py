"""What the trail's own protection needs from a test database."""

from __future__ import annotations

from django.db import connection

TRIGGER = "append_only_truncate"


def allow_flush() -> None:
    """Let a transactional test's clean-up empty the trail: it truncates every table."""
    _alter("DISABLE")


def forbid_truncate() -> None:
    """As in production again; within a test's transaction, so only there."""
    _alter("ENABLE ALWAYS")


def _alter(how: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = %s", [TRIGGER]
        )
        for (table,) in cursor.fetchall():
            # ONLY: a statement's trigger is each table's own; and a partition made with its
            # parent's trigger disabled still has one.
            cursor.execute(f"ALTER TABLE ONLY {table} {how} TRIGGER {TRIGGER}")
