"""Secrets of clients: how they are made, kept and compared."""

from __future__ import annotations

import hashlib
import hmac
import secrets

from django.conf import settings

MARK = "axn_"  # so that secret scanners, ours too, know one when they see it
PERSONAL_MARK = "axp_"  # of a person's token, which is no client's secret
_SECRET_BYTES = 32
PREFIX_CHARS = 12  # of the secret, kept in the clear to find and to name the credential


def new_secret(mark: str = MARK) -> str:
    """A random secret: the mark and 43 characters, 256 bits."""
    return mark + secrets.token_urlsafe(_SECRET_BYTES)


def prefix(secret: str) -> str:
    """What may be shown of a secret."""
    return secret[:PREFIX_CHARS]


def digest(secret: str) -> bytes:
    """HMAC-SHA256 under AXON_CREDENTIAL_KEY; 32 bytes.

    The secrets are random, so a slow password hash would only make every call slow.
    """
    key = settings.AXON_CREDENTIAL_KEY.encode()
    return hmac.new(key, secret.encode("utf-8", "replace"), hashlib.sha256).digest()


def matches(secret: str, kept: bytes | memoryview) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(digest(secret), bytes(kept))
