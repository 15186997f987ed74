"""Webhook targets: their secrets, signatures and addresses."""

from __future__ import annotations

import base64
import hmac
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.utils.encoding import iri_to_uri

from approvals.notifications.models import LANE_LENGTH, WebhookTarget, new_salt
from audit.actors import Actor
from audit.services import record_event
from axonportal.accounts.credentials import MARK
from axonportal.common.errors import Invalid

_PURPOSE = b"axonportal webhook v1:"


def secret(target: WebhookTarget) -> str:
    """What signs the deliveries to the target: derived, so that it is nowhere in the database.

    Renewing AXON_CREDENTIAL_KEY renews all of them.
    """
    key = settings.AXON_CREDENTIAL_KEY.encode()
    made = hmac.digest(key, _PURPOSE + bytes(target.salt), "sha256")
    return MARK + base64.urlsafe_b64encode(made).rstrip(b"=").decode()


def signature(key: str, body: bytes) -> str:
    """HMAC-SHA256 of the body, in hexadecimal digits: as AxonFlow's receivers verify it."""
    return hmac.digest(key.encode(), body, "sha256").hex()


def signature_in_time(key: str, timestamp: str, body: bytes) -> str:
    """The same over `timestamp.body`: what was recorded cannot be sent again later."""
    return signature(key, timestamp.encode() + b"." + body)


@transaction.atomic
def renew_secret(target: WebhookTarget, *, actor: Actor | str, address: str = "") -> str:
    """Give the target another secret, from the next delivery on; the old one signs nothing more."""
    target.salt = new_salt()
    target.save(update_fields=["salt"])
    record_event(
        "webhook.renew_secret",
        actor=actor,
        target=target,
        tenant_id=target.tenant_id,
        tenant=target.tenant.slug,
        address=address,
    )
    return secret(target)


def host_of(url: str) -> str:
    """What may be shown of an address: the host. The rest may let its reader post there."""
    return (urlsplit(url).hostname or "").lower()


def lane(tenant_id: int, url: str) -> str:
    """Where deliveries hinder one another: one tenant's at one host."""
    try:
        return f"{tenant_id}:{host_of(url)}"[:LANE_LENGTH]
    except ValueError:
        return f"{tenant_id}:"


def checked_url(url: str) -> str:
    """The address as it goes on the wire.

    What it leads to is looked at when it is connected to, for a name can lead elsewhere by then.

    Raises:
        Invalid: not an http(s) address, or one with a password or a fragment in it.
    """
    uri = iri_to_uri(url.strip()) or ""
    try:
        parts = urlsplit(uri)
        port_is_fine = parts.port is None or parts.port > 0
    except ValueError:
        raise Invalid("This is not an address.") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname or not port_is_fine:
        raise Invalid("Give an address that begins with https:// and a host.")
    if parts.username is not None or parts.password is not None:
        raise Invalid("An address with a user or password in it is not taken.")
    if parts.fragment or any(char <= " " or char == "\x7f" for char in uri):
        raise Invalid("The address holds a fragment or a blank.")
    return uri
