"""What happens round every request, and what does not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from django.core import signals
from django.db import connection

ROOT = Path(__file__).resolve().parents[2]


def test_a_connection_goes_back_to_the_pool_when_the_request_ends(transactional_db):
    connection.ensure_connection()

    signals.request_finished.send(sender=None)

    assert connection.connection is None


def test_what_has_no_use_is_not_called():
    # In a process of its own: what counts queries in tests connects some of it again.
    program = (
        "import django; django.setup()\n"
        "from django.core import signals\n"
        "for signal in (signals.request_started, signals.request_finished):\n"
        "    print(*(receiver().__name__ for _, receiver, *_ in signal.receivers))"
    )
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"}

    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )

    started, finished = (line.split() for line in done.stdout.splitlines())
    assert not {*started, *finished} & {"reset_queries", "close_caches"}
    assert "close_old_connections" not in started
    assert "close_old_connections" in finished
