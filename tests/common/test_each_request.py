"""What happens round every request, and what does not."""

from __future__ import annotations

import pytest
from django.core import signals
from django.db import connection


def test_a_connection_goes_back_to_the_pool_when_the_request_ends(transactional_db):
    connection.ensure_connection()

    signals.request_finished.send(sender=None)

    assert connection.connection is None


@pytest.mark.parametrize("signal", ["request_started", "request_finished"])
def test_what_has_no_use_is_not_called(signal):
    called = {
        receiver().__name__
        for _, receiver, *_ in getattr(signals, signal).receivers
        if receiver() is not None
    }

    assert not called & {"reset_queries", "close_caches"}
