"""Problem documents (RFC 9457) for every error of the API; `error` and `message` repeat the
sentence, because clients of other servers read the one or the other."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import orjson
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from rest_framework import exceptions

from axonportal.common.errors import PortalError
from axonportal.common.paths import is_api

logger = logging.getLogger(__name__)

CONTENT_TYPE = "application/problem+json"
# On these a client may look at nothing but `approved`; doubt must read as a denial there.
DECISION_PREFIXES = ("/api/policy/", "/api/v1/hooks/", "/mcp/", "/api/v1/mcp/")


def problem(
    path: str,
    *,
    status: int,
    code: str,
    title: str,
    detail: str,
    errors: list[dict[str, str]] | None = None,
    headers: dict[str, str] | None = None,
    extra: dict[str, Any] | None = None,
) -> HttpResponse:
    """The answer for a refusal of a call to `path`."""
    body: dict[str, Any] = {
        "type": f"/problems/{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "error": detail,
        "message": detail,
        "success": False,
        **(extra or {}),
    }
    if errors:
        body["errors"] = errors
    if path.startswith(DECISION_PREFIXES):
        body |= {"approved": False, "block_reason": detail}
    data = orjson.dumps(body)
    response = HttpResponse(data, status=status, content_type=CONTENT_TYPE)
    response.headers["Content-Length"] = str(len(data))
    for name, value in (headers or {}).items():
        response.headers[name] = value
    return response


def from_error(path: str, error: PortalError) -> HttpResponse:
    """The answer for a `PortalError`."""
    return problem(
        path,
        status=error.status,
        code=error.code,
        title=error.title,
        detail=error.detail,
        errors=error.errors,
        headers=error.headers,
        extra=error.extra,
    )


def unexpected(path: str) -> HttpResponse:
    """The answer for an error of ours; the log has the trace, the caller a denial."""
    return problem(
        path,
        status=500,
        code="internal-error",
        title="The portal failed",
        detail="The portal could not decide because of an internal error, so this is a denial. "
        "Try again; the portal's log says what went wrong.",
    )


def method_not_allowed(path: str, method: str, allowed: Sequence[str]) -> HttpResponse:
    """The answer for a method that a path does not take."""
    return problem(
        path,
        status=405,
        code="method-not-allowed",
        title=HTTPStatus(405).phrase,
        detail=f"{method} is not answered here; use {', '.join(allowed)}.",
        headers={"Allow": ", ".join(allowed)},
    )


def exception_handler(error: Exception, context: dict[str, Any]) -> HttpResponseBase:
    """REST framework's errors and ours as problem documents; anything else is logged."""
    path = context["request"].path_info
    if isinstance(error, PortalError):
        return from_error(path, error)
    if isinstance(error, exceptions.APIException):
        if isinstance(error, exceptions.MethodNotAllowed):
            method = str(context["request"].method)
            return method_not_allowed(path, method, context["view"].allowed_methods)
        return problem(
            path,
            status=error.status_code,
            code=str(error.default_code).replace("_", "-"),
            title=HTTPStatus(error.status_code).phrase,
            detail=_sentence(error.detail),
            errors=_fields(error.detail),
        )
    if isinstance(error, OperationalError | InterfaceError):
        # The text of a database error may quote values; its kind says enough.
        logger.warning("cannot answer %s: database: %s", path, type(error).__name__)
        return problem(
            path,
            status=503,
            code="unavailable",
            title="The portal cannot answer now",
            detail="The portal's database cannot be reached. Try again in a moment; if it lasts, "
            "tell the security team.",
        )
    logger.error("error while answering %s", path, exc_info=error)
    return unexpected(path)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Django's handler404: JSON on the API, a page elsewhere."""
    if is_api(request.path_info):
        return problem(
            request.path_info,
            status=404,
            code="not-found",
            title="There is no such path",
            detail=f"{request.path_info} is no path of this API; docs/reference/api.md lists them.",
        )
    return render(request, "404.html", status=404)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Django's handler400: a foreign Host header, or a body that Django refused."""
    if is_api(request.path_info):
        return problem(
            request.path_info,
            status=400,
            code="bad-request",
            title="The request was refused",
            detail="The request's Host header or form is not accepted; AXON_ALLOWED_HOSTS lists "
            "the names that this portal answers to.",
        )
    return render(request, "400.html", status=400)


def server_error(request: HttpRequest) -> HttpResponseBase:
    """Django's handler500."""
    if is_api(request.path_info):
        return unexpected(request.path_info)
    return render(request, "500.html", status=500)


def _sentence(detail: Any) -> str:
    if isinstance(detail, dict):
        return " ".join(f"{name}: {_sentence(value)}" for name, value in detail.items())
    if isinstance(detail, list):
        return " ".join(_sentence(item) for item in detail)
    return str(detail)


def _fields(detail: Any) -> list[dict[str, str]]:
    if not isinstance(detail, dict):
        return []
    return [{"field": name, "message": _sentence(value)} for name, value in detail.items()]
