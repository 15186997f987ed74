"""System checks: settings that the engine cannot follow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register


@register
def check_national_ids(app_configs: Any, **kwargs: Any) -> Sequence[CheckMessage]:
    """A country misspelt would leave its numbers in the clear without a word."""
    if not settings.AXON_NATIONAL_IDS:
        return []
    from policies.engine.pii.national import national_ids  # phone books and all: only if asked

    try:
        national_ids(settings.AXON_NATIONAL_IDS)
    except ValueError as error:
        return [
            Error(
                str(error),
                hint="Take the country out of AXON_NATIONAL_IDS, or write its code of ISO 3166.",
                id="policies.E001",
            )
        ]
    return []
