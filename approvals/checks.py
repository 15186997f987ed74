"""System checks: whether people can be told that something waits for them."""

from __future__ import annotations

from collections.abc import Sequence
from email.utils import parseaddr
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.core.checks import Warning as CheckWarning


@register
def check_sender(app_configs: Any, **kwargs: Any) -> Sequence[CheckMessage]:
    """A mail without a sender is refused by every server, one after the other."""
    if not settings.EMAIL_HOST or "@" in parseaddr(settings.DEFAULT_FROM_EMAIL)[1]:
        return []
    return [
        Error(
            "AXON_EMAIL_URL is set and AXON_EMAIL_FROM is not an address.",
            hint="Set AXON_EMAIL_FROM, for example to 'Axon Portal <portal@your.domain>'.",
            id="approvals.E001",
        )
    ]


@register(deploy=True)
def check_mail(app_configs: Any, **kwargs: Any) -> Sequence[CheckMessage]:
    """Without mail, who does not look at the portal does not hear of a request."""
    if settings.EMAIL_HOST:
        return []
    return [
        CheckWarning(
            "Mail is off: approvers are told in the portal and by webhooks only.",
            hint="Set AXON_EMAIL_URL and AXON_EMAIL_FROM.",
            id="approvals.W001",
        )
    ]
