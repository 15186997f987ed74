"""What every page knows."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def portal(request: HttpRequest) -> dict[str, Any]:
    """`demo`: this portal trusts loopback callers, which every page says."""
    return {"demo": settings.AXON_DEMO}
