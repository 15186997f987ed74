"""Django's middleware for the portal's pages; each steps aside on the API's paths.

Sessions, CSRF and messages are for people. Run over every API call they would cost about 0.2 ms
and could answer a hook with a redirect or an HTML page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth.middleware import AuthenticationMiddleware as _Authentication
from django.contrib.messages.middleware import MessageMiddleware as _Message
from django.contrib.sessions.middleware import SessionMiddleware as _Session
from django.middleware.clickjacking import XFrameOptionsMiddleware as _XFrameOptions
from django.middleware.common import CommonMiddleware as _Common
from django.middleware.csrf import CsrfViewMiddleware as _Csrf
from django.middleware.security import SecurityMiddleware as _Security
from whitenoise.middleware import WhiteNoiseMiddleware as _WhiteNoise

from axonportal.common.paths import is_api

if TYPE_CHECKING:
    from django.http import HttpRequest


class _PagesOnly:
    """Mixin: the wrapped middleware sees the portal's pages, never an API call."""

    def __call__(self, request: HttpRequest) -> Any:
        if is_api(request.path_info):
            return self.get_response(request)  # type: ignore[attr-defined]
        return super().__call__(request)  # type: ignore[misc]


class SecurityMiddleware(_PagesOnly, _Security):
    pass


class WhiteNoiseMiddleware(_PagesOnly, _WhiteNoise):
    pass


class SessionMiddleware(_PagesOnly, _Session):
    pass


class CommonMiddleware(_PagesOnly, _Common):
    pass


class CsrfViewMiddleware(_PagesOnly, _Csrf):
    def process_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if is_api(request.path_info):
            return None
        return super().process_view(request, *args, **kwargs)


class AuthenticationMiddleware(_PagesOnly, _Authentication):
    pass


class MessageMiddleware(_PagesOnly, _Message):
    pass


class XFrameOptionsMiddleware(_PagesOnly, _XFrameOptions):
    pass
