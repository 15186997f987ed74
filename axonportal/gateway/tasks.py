"""Work of the gateway that has its time."""

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
def forget_session_files() -> None:
    """Delete notes of sessions that are long over."""
    from axonportal.gateway import session_files

    session_files.forget()
