"""What follows from Django's own events: sign-ins as audit events in the trail of each tenant that
they concern, and a change of a person told to every process."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db.models.signals import post_save
from django.dispatch import receiver
from django.http import HttpRequest

from audit.models import NO_TENANT
from audit.services import record_event
from axonportal.accounts.authentication import TOPIC
from axonportal.accounts.models import User
from axonportal.common import changes

# Instead of a name that no account has: people type their password there by mistake.
UNKNOWN = "(no such user)"


@receiver(post_save, sender=User)
def _user_saved(sender: Any, update_fields: frozenset[str] | None = None, **kwargs: Any) -> None:
    """A credential bound to a person who was switched off ends with her, at once."""
    if update_fields is None or "is_active" in update_fields:
        changes.publish(TOPIC)


@receiver(user_logged_in)
def _signed_in(sender: Any, request: HttpRequest, user: User, **kwargs: Any) -> None:
    _record("session.sign_in", user, request)


@receiver(user_logged_out)
def _signed_out(sender: Any, request: HttpRequest, user: User | None, **kwargs: Any) -> None:
    if user is not None:
        _record("session.sign_out", user, request)


@receiver(user_login_failed)
def _failed(
    sender: Any, credentials: dict[str, Any], request: HttpRequest | None = None, **kwargs: Any
) -> None:
    name = str(credentials.get("username") or "").replace("\0", "")
    _record("session.sign_in_failed", User.objects.filter(username=name).first(), request)


def _record(kind: str, user: User | None, request: HttpRequest | None) -> None:
    tenants = list(user.memberships.values_list("tenant_id", "tenant__slug")) if user else []
    for tenant_id, slug in tenants or [(NO_TENANT, "")]:
        record_event(
            kind,
            actor=user.get_username() if user else UNKNOWN,
            target=user,
            tenant_id=tenant_id,
            tenant=slug,
            address=request.META.get("REMOTE_ADDR", "") if request else "",
        )
