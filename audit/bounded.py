"""Reads of the trail for a page: they end in time, and say so, however much there is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import OperationalError, connection, transaction
from psycopg.errors import QueryCanceled

from audit.errors import TooMuchToRead

PAGE_TIMEOUT_MS = 5_000  # what a person waits for at most


@contextmanager
def bounded(timeout_ms: int = PAGE_TIMEOUT_MS) -> Iterator[None]:
    """Every statement inside ends within `timeout_ms`.

    Raises:
        TooMuchToRead: one did not; a narrower question will.
    """
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT set_config('statement_timeout', %s, true)", [str(timeout_ms)]
                )
            yield
            with connection.cursor() as cursor:  # in a test's transaction it would outlive this
                cursor.execute("SELECT set_config('statement_timeout', '0', true)")
    except OperationalError as error:
        if not isinstance(error.__cause__, QueryCanceled):
            raise
        raise TooMuchToRead(
            "There is too much to read for that question. Choose a shorter time, or a client."
        ) from None
