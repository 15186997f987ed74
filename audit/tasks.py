"""Work on the trail that has its time."""

from __future__ import annotations

from celery import shared_task
from django.db import OperationalError


@shared_task(
    acks_late=True,
    ignore_result=True,
    autoretry_for=(OperationalError,),
    retry_backoff=True,
    max_retries=5,
)
def make_partitions() -> None:
    """Make the months ahead; what is there already stays as it is."""
    from audit import partitions

    partitions.make()
