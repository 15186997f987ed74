"""Work on approvals that has its time; the rows are the queue, each task is only a nudge."""

from __future__ import annotations

from celery import shared_task
from django.db import OperationalError


@shared_task(ignore_result=True)
def deliver() -> None:
    """Have this process deliver what is due, on threads that hold up no other task."""
    from approvals.notifications import workers

    workers.wake()


@shared_task(
    acks_late=True,
    ignore_result=True,
    autoretry_for=(OperationalError,),
    retry_backoff=True,
    max_retries=5,
)
def expire_due() -> None:
    """Tidy up requests whose time is past, and tell their people."""
    from approvals import services

    services.expire_due()


@shared_task(
    acks_late=True,
    ignore_result=True,
    autoretry_for=(OperationalError,),
    retry_backoff=True,
    max_retries=5,
)
def escalate_due() -> None:
    """Ask further groups where nobody has decided in time."""
    from approvals import services

    services.escalate_due()
