"""REST framework's view of who asks: `request.user` is the principal, views name scopes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from axonportal.accounts.authentication import CHALLENGE, authenticate

if TYPE_CHECKING:
    from rest_framework.views import APIView


class ClientAuthentication(BaseAuthentication):
    """Authenticates clients by their credentials; see `authentication.authenticate`."""

    def authenticate(self, request: Request) -> tuple[Any, Any]:
        return authenticate(request), None

    def authenticate_header(self, request: Request) -> str:
        return CHALLENGE["WWW-Authenticate"]


class HasScope(BasePermission):
    """The view names a scope per method: `scopes = {"GET": Scope.POLICIES_READ, ...}`.

    A method that it has and does not name is refused; HEAD counts as GET.
    """

    def has_permission(self, request: Request, view: APIView) -> bool:
        scopes: dict[str, str] = getattr(view, "scopes", {})
        method = "GET" if request.method == "HEAD" else request.method
        if method in scopes:
            request.user.require(scopes[method])  # type: ignore[union-attr]
            return True
        return method == "OPTIONS" or method not in view.allowed_methods
