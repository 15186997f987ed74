"""What can be done with tenants, clients and credentials; each act is an audit event."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from audit.actors import Actor
from audit.services import record_event
from axonportal.accounts import credentials
from axonportal.accounts.authentication import TOPIC
from axonportal.accounts.models import (
    HOOK_SCOPES,
    Client,
    Credential,
    PersonalToken,
    Scope,
    User,
)
from axonportal.common import changes
from axonportal.common.errors import Conflict, Invalid

TOKEN_LIFE = timedelta(days=90)  # of a personal token, unless another is asked for
MAX_TOKEN_LIFE = timedelta(days=365)
MAX_TOKENS = 20  # usable ones of one person
MAX_TOKEN_NAME_CHARS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """A new credential and its secret, which is nowhere else and shown once."""

    credential: Credential
    secret: str


@transaction.atomic
def save_client(client: Client, *, actor: Actor | str, created: bool) -> Client:
    """Save a client and tell every process."""
    client.save()
    record_event(
        "client.create" if created else "client.update",
        actor=actor,
        target=client,
        tenant_id=client.tenant_id,
        tenant=client.tenant.slug,
        detail={"fail_mode": client.fail_mode, "is_active": client.is_active},
    )
    changes.publish(TOPIC)
    return client


@transaction.atomic
def issue_credential(
    client: Client,
    *,
    name: str,
    actor: Actor | str,
    user: User | None = None,
    scopes: Sequence[str] = HOOK_SCOPES,
    expires_at: datetime | None = None,
    secret: str = "",
    loopback_only: bool = False,
) -> Issued:
    """Make a credential for `client`, bound to `user` if given.

    `secret` is given only for the demo's printed credentials, which count from loopback alone.

    Raises:
        Invalid: a scope that does not exist, none at all, or an expiry in the past.
    """
    unknown = sorted(set(scopes) - set(Scope.values))
    if unknown or not scopes:
        raise Invalid(f"Scopes are {', '.join(Scope.values)}; got {', '.join(unknown) or 'none'}.")
    if expires_at is not None and expires_at <= timezone.now():
        raise Invalid("The expiry is in the past.")
    secret = secret or credentials.new_secret()
    credential = Credential.objects.create(
        client=client,
        user=user,
        name=name,
        prefix=credentials.prefix(secret),
        digest=credentials.digest(secret),
        scopes=sorted(set(scopes)),
        expires_at=expires_at,
        loopback_only=loopback_only,
    )
    record_event(
        "credential.issue",
        actor=actor,
        target=credential,
        tenant_id=client.tenant_id,
        tenant=client.tenant.slug,
        detail={"scopes": credential.scopes, "user": user.get_username() if user else ""},
    )
    changes.publish(TOPIC)
    return Issued(credential=credential, secret=secret)


@transaction.atomic
def revoke_credential(credential: Credential, *, actor: Actor | str) -> Credential:
    """End a credential; it is refused everywhere within a second. Twice is once."""
    credential = (
        Credential.objects.select_for_update()
        .select_related("client__tenant")
        .get(pk=credential.pk)
    )
    if credential.revoked_at is None:
        credential.revoked_at = timezone.now()
        credential.save(update_fields=["revoked_at"])
        record_event(
            "credential.revoke",
            actor=actor,
            target=credential,
            tenant_id=credential.client.tenant_id,
            tenant=credential.client.tenant.slug,
        )
        changes.publish(TOPIC)
    return credential


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedToken:
    """A new personal token and its secret, which is nowhere else and shown once."""

    token: PersonalToken
    secret: str


@transaction.atomic
def issue_token(
    user: User,
    *,
    name: str,
    actor: Actor | str,
    expires_at: datetime | None = None,
    address: str = "",
) -> IssuedToken:
    """Make a token by which a person answers approvals without a browser.

    Unless told otherwise it lives for `TOKEN_LIFE`.

    Raises:
        Invalid: no name, an expiry in the past or after `MAX_TOKEN_LIFE`, or a person who belongs
            to no tenant.
        Conflict: she has `MAX_TOKENS` already.
    """
    user = User.objects.select_for_update().get(pk=user.pk)
    name = name.strip()
    if not 0 < len(name) <= MAX_TOKEN_NAME_CHARS or not name.isprintable():
        raise Invalid(
            f"Name the token in 1 to {MAX_TOKEN_NAME_CHARS} characters: where is it used?"
        )
    now = timezone.now()
    expires_at = expires_at or now + TOKEN_LIFE
    if not now < expires_at <= now + MAX_TOKEN_LIFE:
        raise Invalid(f"A token lives from 1 to {MAX_TOKEN_LIFE.days} days.")
    if not user.is_active or not user.memberships.exists():
        raise Invalid(f"{user.get_username()} is no active member of any tenant.")
    if PersonalToken.objects.usable().filter(user=user).count() >= MAX_TOKENS:
        raise Conflict(f"{user.get_username()} has {MAX_TOKENS} tokens already; revoke one first.")
    secret = credentials.new_secret(credentials.PERSONAL_MARK)
    token = PersonalToken.objects.create(
        user=user,
        name=name,
        prefix=credentials.prefix(secret),
        digest=credentials.digest(secret),
        expires_at=expires_at,
    )
    _token_event("token.issue", token, actor, address)
    return IssuedToken(token=token, secret=secret)


@transaction.atomic
def revoke_token(token: PersonalToken, *, actor: Actor | str, address: str = "") -> PersonalToken:
    """End a token; it is refused from now on. Twice is once."""
    token = PersonalToken.objects.select_for_update().get(pk=token.pk)
    if token.revoked_at is None:
        token.revoked_at = timezone.now()
        token.save(update_fields=["revoked_at"])
        _token_event("token.revoke", token, actor, address)
    return token


def _token_event(kind: str, token: PersonalToken, actor: Actor | str, address: str) -> None:
    """One event in each tenant of the person: the token works in all of them."""
    detail = {"user": token.user.get_username(), "expires_at": token.expires_at.isoformat()}
    for row in token.user.memberships.select_related("tenant"):
        record_event(
            kind,
            actor=actor,
            target=token,
            tenant_id=row.tenant_id,
            tenant=row.tenant.slug,
            detail=detail,
            address=address,
        )
