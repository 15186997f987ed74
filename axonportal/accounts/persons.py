"""How the API knows which person is asking: her session in the portal, or a personal token.

A client's credential is no person, whatever its scopes and whoever it is bound to: it lies on a
developer's machine, within reach of the agent that it governs.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.contrib.auth import get_user
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware
from rest_framework.request import Request

from axonportal.accounts import credentials
from axonportal.accounts.authentication import basic_pair
from axonportal.accounts.forms import may_sign_in
from axonportal.accounts.models import PersonalToken, User
from axonportal.common.errors import Forbidden, Unauthenticated

HEADER = "HTTP_X_USER_TOKEN"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
HOW = (
    "A person sends her personal token (Authorization: Bearer axp_..., Basic user:axp_..., or "
    "X-User-Token), or is signed in to the portal. Make one under Access > Personal tokens, or "
    "with manage.py create_token."
)
CHALLENGE = {"WWW-Authenticate": 'Bearer, Basic realm="axonportal", charset="UTF-8"'}


class Way(StrEnum):
    """How she made herself known."""

    SESSION = "session"
    TOKEN = "token"  # noqa: S105


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who is known to be who she is."""

    user: User
    way: Way

    @property
    def tenant_ids(self) -> list[int]:
        return list(self.user.memberships.values_list("tenant_id", flat=True))


def person_of(request: HttpRequest | Request) -> Person | None:
    """The person who asks; None if nothing says that it is one.

    Raises:
        Unauthenticated: a personal token that is wrong, expired or revoked, or not hers.
        Forbidden: her session, without the proof that her own page sent this.
    """
    name, secret = _token(request)
    if secret:
        return Person(user=_owner(name, secret), way=Way.TOKEN)
    if request.META.get("HTTP_AUTHORIZATION"):
        return None  # a client's credential; a session beside it does not make it a person
    user = _signed_in(request)
    return Person(user=user, way=Way.SESSION) if user is not None else None


def require_person(request: HttpRequest | Request) -> Person:
    """The person who asks.

    Raises:
        Forbidden: it is a client, which answers nothing.
        Unauthenticated: nobody is known.
    """
    person = person_of(request)
    if person is not None:
        return person
    if request.META.get("HTTP_AUTHORIZATION"):
        raise Forbidden(f"A client's credential answers no approval, whatever its scopes. {HOW}")
    raise Unauthenticated(f"Only a person answers an approval. {HOW}", headers=CHALLENGE)


def _token(request: HttpRequest | Request) -> tuple[str, str]:
    """The name that comes with a personal token ("" if none does), and the token."""
    if secret := request.META.get(HEADER, "").strip():
        return "", secret
    scheme, _, value = request.META.get("HTTP_AUTHORIZATION", "").strip().partition(" ")
    if scheme.lower() == "bearer" and value.strip().startswith(credentials.PERSONAL_MARK):
        return "", value.strip()
    if scheme.lower() == "basic":
        name, secret = basic_pair(value)
        if secret.startswith(credentials.PERSONAL_MARK):
            return name, secret
    return "", ""


def _owner(name: str, secret: str) -> User:
    if secret.isprintable():
        rows = PersonalToken.objects.usable().filter(prefix=credentials.prefix(secret))
        for token in rows.select_related("user"):
            if credentials.matches(secret, token.digest) and name in {
                "",
                token.user.get_username(),
            }:
                PersonalToken.objects.note_use(token)
                return token.user
    raise Unauthenticated(
        f"The personal token is not known, expired or revoked. {HOW}", headers=CHALLENGE
    )


def _signed_in(request: HttpRequest | Request) -> User | None:
    """Who is signed in to the portal; the API's paths pass its middleware by, so it is read here.

    Other sites can make a browser send its session along. What changes something therefore needs
    the token that only a page of the portal knows.
    """
    from django.conf import settings

    plain: Any = request._request if isinstance(request, Request) else request  # noqa: SLF001
    key = plain.COOKIES.get(settings.SESSION_COOKIE_NAME)
    if not key:
        return None
    plain.session = SessionStore(key)
    user = get_user(plain)
    if not isinstance(user, User) or not may_sign_in(user):
        return None
    if plain.method not in SAFE:
        _check_csrf(plain)
    return user


class _Checking(CsrfViewMiddleware):
    """Says why, instead of showing a page."""

    def _reject(self, request: HttpRequest, reason: str) -> Any:
        return reason


def _check_csrf(request: HttpRequest) -> None:
    checking: Any = _Checking(lambda _request: HttpResponse())
    checking.process_request(request)
    reason = checking.process_view(request, None, (), {})
    if reason is not None:
        raise Forbidden(
            f"{reason} Send the portal's CSRF token as X-CSRFToken, or use a personal token."
        )
