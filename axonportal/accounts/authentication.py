"""How the API knows who is asking: Basic and Bearer credentials, and the demo's open loopback."""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import threading
import time
from dataclasses import dataclass

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest
from rest_framework.request import Request

from axonportal.accounts import credentials
from axonportal.accounts.models import Client, Credential, Scope, Tenant
from axonportal.common import changes
from axonportal.common.errors import Forbidden, Unauthenticated

TOPIC = "accounts"  # of `common.changes`: a credential, client or tenant changed
CACHE_S = 5.0  # how long a verified header is believed, should a notice be lost
CACHE_SIZE = 10_000
DEMO_TENANT = "demo"
DEMO_CLIENT = "claude-code"
CHALLENGE = {"WWW-Authenticate": 'Basic realm="axonportal", charset="UTF-8", Bearer'}
# A request that passed a proxy on this machine comes from loopback without being local.
_FORWARDED = (
    "HTTP_FORWARDED",
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_REAL_IP",
    "HTTP_VIA",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Who asks: a client of a tenant, and the person its credential is bound to, if any."""

    tenant_id: int
    tenant: str
    client_id: str
    client_pk: int
    scopes: frozenset[str]
    fail_mode: str = Client.FailMode.CLOSED
    region: str = ""
    team: str = ""
    user: str = ""
    email: str = ""
    credential_pk: int = 0
    credential: str = ""  # its prefix; "" for the demo's callers without one
    is_authenticated: bool = True

    def require(self, scope: str) -> None:
        """Raises Forbidden unless the credential has `scope`."""
        if scope not in self.scopes:
            raise Forbidden(
                f"The credential {self.credential or 'of the demo'} of client {self.client_id} "
                f"lacks the scope {scope}; it has {', '.join(sorted(self.scopes))}. Issue one "
                "with that scope under Access > Credentials."
            )


class _Cache:
    """Verified headers by their SHA-256, so that a secret is looked up once in `CACHE_S`."""

    def __init__(self) -> None:
        self._entries: dict[bytes, tuple[float, Principal]] = {}
        self._generation = 0
        self._lock = threading.Lock()

    def get(self, key: bytes) -> Principal | None:
        entry = self._entries.get(key)
        return entry[1] if entry is not None and entry[0] > time.monotonic() else None

    @property
    def generation(self) -> int:
        return self._generation

    def put(self, key: bytes, principal: Principal, generation: int) -> None:
        """Keep it, unless something changed since `generation` was read."""
        with self._lock:
            if generation != self._generation:
                return
            if len(self._entries) >= CACHE_SIZE:
                self._entries.clear()
            self._entries[key] = (time.monotonic() + CACHE_S, principal)

    def forget(self, topic: str = "") -> None:
        if topic in {"", TOPIC}:
            with self._lock:
                self._generation += 1
                self._entries = {}


cache = _Cache()
changes.subscribe(cache.forget)


def authenticate(request: HttpRequest | Request, *, client_id: str = "") -> Principal:
    """Who asks. `client_id` is what the body names, for callers without a credential.

    Raises:
        Unauthenticated: no credential where one is needed, or a wrong one.
    """
    changes.check()  # a credential that another process revoked is not believed any more
    header = request.META.get("HTTP_AUTHORIZATION", "").strip()
    if header:
        key = hashlib.sha256(header.encode("utf-8", "surrogateescape")).digest()
        # The demo's secrets count only from this machine.
        local = b"\1" if settings.AXON_DEMO and is_local(request) else b"\0"
        principal = cache.get(key + local)
        if principal is None:
            generation = cache.generation
            principal = _verify(request, header)
            if principal is not None:
                cache.put(key + local, principal, generation)
        if principal is not None:
            return principal
    if not settings.AXON_DEMO:
        raise Unauthenticated(
            "Send the client's credential: Authorization: Basic base64(client_id:secret), or "
            "Bearer secret.",
            headers=CHALLENGE,
        )
    if not is_local(request):
        raise Unauthenticated(
            "This is a demo: it answers without credentials only to programs on its own "
            "machine, called directly (no proxy, no page of another site).",
            headers=CHALLENGE,
        )
    return _demo_caller(client_id)


def _verify(request: HttpRequest | Request, header: str) -> Principal | None:
    """The principal of an Authorization header; None: the demo's caller without a secret."""
    scheme, _, value = header.partition(" ")
    named = ""
    if scheme.lower() == "basic":
        named, secret = basic_pair(value)
        if not secret and settings.AXON_DEMO:
            return None  # the official SDK sends `community:` when nothing is configured
    elif scheme.lower() == "bearer":
        secret = value.strip()
    else:
        raise Unauthenticated(
            f"The Authorization scheme {scheme[:20]!r} is not known; use Basic or Bearer.",
            headers=CHALLENGE,
        )
    if secret.startswith(credentials.PERSONAL_MARK):
        raise Unauthenticated(
            "This is a person's token: with it she reads and answers approvals "
            "(/api/v1/hitl/queue). Programs send their client's credential.",
            headers=CHALLENGE,
        )
    rows = Credential.objects.usable().filter(prefix=credentials.prefix(secret))
    # PostgreSQL takes no NUL, and no secret of ours has an unprintable character.
    known = rows.select_related("client__tenant", "client__team", "user")
    for credential in known if secret.isprintable() else ():
        if credentials.matches(secret, credential.digest) and (
            not named or named == credential.client.client_id
        ):
            if credential.loopback_only and not (settings.AXON_DEMO and is_local(request)):
                continue
            if credential.user is not None and not credential.user.is_active:
                continue
            Credential.objects.note_use(credential)
            return _principal(credential)
    raise Unauthenticated(
        "The credential is not known, expired or revoked, or its client is switched off.",
        headers=CHALLENGE,
    )


def basic_pair(value: str) -> tuple[str, str]:
    """Name and secret of a Basic header's value.

    Raises:
        Unauthenticated: it is not base64 of UTF-8.
    """
    try:
        text = base64.b64decode(value.strip(), validate=True).decode("utf-8")
    except ValueError:  # not base64, not ASCII before it or not UTF-8 behind it
        raise Unauthenticated(
            "The Basic credential is not base64 of client_id:secret.", headers=CHALLENGE
        ) from None
    name, _, secret = text.partition(":")
    return name, secret


def _principal(credential: Credential) -> Principal:
    client = credential.client
    return Principal(
        tenant_id=client.tenant_id,
        tenant=client.tenant.slug,
        client_id=client.client_id,
        client_pk=client.pk,
        scopes=frozenset(credential.scopes),
        fail_mode=client.fail_mode,
        region=client.region or client.tenant.region,
        team=client.team.name if client.team else "",
        user=credential.user.get_username() if credential.user else "",
        email=credential.user.email if credential.user else "",
        credential_pk=credential.pk,
        credential=credential.prefix,
    )


def _demo_caller(client_id: str) -> Principal:
    key = b"demo:" + client_id.encode("utf-8", "replace")
    principal = cache.get(key)
    if principal is None:
        generation = cache.generation
        client = (
            Client.objects.filter(
                tenant__slug=DEMO_TENANT, client_id=client_id or DEMO_CLIENT, is_active=True
            )
            .select_related("tenant", "team")
            .first()
            if client_id.isprintable()
            else None
        )
        if client is None:
            raise Unauthenticated(
                f"There is no client {client_id!r}; the demo has {DEMO_CLIENT!r}. Add clients "
                "under Access > Clients.",
                headers=CHALLENGE,
            )
        principal = Principal(
            tenant_id=client.tenant_id,
            tenant=client.tenant.slug,
            client_id=client.client_id,
            client_pk=client.pk,
            scopes=frozenset(Scope.values),
            fail_mode=client.fail_mode,
            region=client.region or client.tenant.region,
            team=client.team.name if client.team else "",
        )
        cache.put(key, principal, generation)
    return principal


def is_local(request: HttpRequest | Request) -> bool:
    """Did a program on this machine call directly?

    Loopback alone does not say so: a proxy here forwards for others, and a page of another site,
    open in a browser here, can send requests too (browsers say so by Origin or Sec-Fetch-Site,
    or, where its name was made to point here, by Host).
    """
    meta = request.META
    try:
        if not ipaddress.ip_address(meta.get("REMOTE_ADDR", "")).is_loopback:
            return False
        request.get_host()
    except (ValueError, DisallowedHost):
        return False
    if any(name in meta for name in _FORWARDED) or "HTTP_ORIGIN" in meta:
        return False
    return meta.get("HTTP_SEC_FETCH_SITE", "none") in {"none", "same-origin"}


def tenant_of(principal: Principal) -> Tenant:
    """The tenant's row."""
    return Tenant.objects.get(pk=principal.tenant_id)
