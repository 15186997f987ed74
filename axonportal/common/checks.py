"""System checks: combinations of settings that must not go into production."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.core.checks import Warning as CheckWarning
from django.core.exceptions import ImproperlyConfigured

MIN_SECRET_CHARS = 32
_LOCAL_HOSTS = {"localhost", "127.0.0.1", "[::1]", "testserver"}


@register
def check_secrets(app_configs: Any, **kwargs: Any) -> Sequence[CheckMessage]:
    """Without secrets of its own the portal does not start; there is no default for one."""
    found: list[CheckMessage] = []
    if _length("SECRET_KEY") < MIN_SECRET_CHARS:
        found.append(
            Error(
                "AXON_SECRET_KEY is missing or short.",
                hint=f"Set it, or AXON_SECRET_KEY_FILE, to at least {MIN_SECRET_CHARS} random "
                "characters; `manage.py up` makes one by itself.",
                id="axonportal.E001",
            )
        )
    if _length("AXON_CREDENTIAL_KEY") < MIN_SECRET_CHARS:
        found.append(
            Error(
                "AXON_CREDENTIAL_KEY is missing or short.",
                hint="Set it as AXON_SECRET_KEY, to another value: credentials then survive a "
                "change of that one.",
                id="axonportal.E002",
            )
        )
    return found


def _length(name: str) -> int:
    try:
        return len(getattr(settings, name))
    except ImproperlyConfigured:  # Django does not even tell an empty SECRET_KEY
        return 0


@register
def check_demo(app_configs: Any, **kwargs: Any) -> Sequence[CheckMessage]:
    """The demo trusts its own machine and must not be reachable under another name."""
    if not settings.AXON_DEMO:
        return []
    foreign = sorted(set(settings.ALLOWED_HOSTS) - _LOCAL_HOSTS)
    if foreign:
        return [
            Error(
                f"The demo answers to {', '.join(foreign)}.",
                hint="Unset AXON_DEMO for a portal that others reach, and issue credentials.",
                id="axonportal.E003",
            )
        ]
    return []


@register(deploy=True)
def check_production(app_configs: Any, **kwargs: Any) -> Sequence[CheckMessage]:
    """What `check --deploy` adds to Django's own."""
    found: list[CheckMessage] = []
    if settings.AXON_RECORDER != "group":
        found.append(
            Error(
                "AXON_RECORDER=inline is for commands and tests.",
                hint="Unset it: decisions are then durable before they are answered.",
                id="axonportal.E004",
            )
        )
    if not settings.AXON_PUBLIC_URL.startswith("https://"):
        found.append(
            CheckWarning(
                "AXON_PUBLIC_URL is not https.",
                hint="Cookies are sent in the clear then, and credentials too.",
                id="axonportal.W001",
            )
        )
    return found


def refuse_unsafe(*more: Callable[[Any], Sequence[CheckMessage]]) -> None:
    """For the web server, which runs no system checks: not a request without secrets.

    `more` are checks of other apps that must hold for it as well.

    Raises:
        ImproperlyConfigured: what is wrong and how to mend it.
    """
    found = [*check_secrets(None), *check_demo(None), *chain.from_iterable(c(None) for c in more)]
    if found:
        raise ImproperlyConfigured(" ".join(f"{error.msg} {error.hint}" for error in found))
