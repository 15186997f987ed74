from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from audit.recorder import GroupRecorder, open_connection


@pytest.fixture
def group(transactional_db: None) -> Iterator[GroupRecorder]:
    recorder = GroupRecorder(timeout_s=10)
    yield recorder
    recorder.close()


@pytest.fixture
def other(transactional_db: None) -> Iterator[psycopg.Connection]:
    """Somebody else at the same database."""
    with open_connection() as connection:
        yield connection
