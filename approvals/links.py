"""What a mail or a chat carries: a signed reference to a request, good for nothing but its page."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.core import signing
from django.urls import reverse

from approvals.models import ApprovalRequest

LIFE = timedelta(days=8)  # a request waits for 7 days at most
_SALT = "approvals.link"


def link_for(request: ApprovalRequest) -> str:
    """The address of the request for somebody who may not be signed in."""
    token = signing.dumps(request.pk, salt=_SALT)
    return f"{settings.AXON_PUBLIC_URL}{reverse('approval-link', args=[token])}"


def read(token: str) -> str:
    """The id of the request that the token is for.

    Raises:
        SignatureExpired: it was made too long ago.
        BadSignature: it is no such token.
    """
    return str(signing.loads(token, salt=_SALT, max_age=LIFE))
