"""Refusals: each with a status, a stable code and a sentence for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar


class PortalError(Exception):
    """A refusal that an API answers as a problem document and a page shows as a message.

    `errors` name the places: `[{"field": "conditions.2.value", "message": "..."}]`.
    """

    status: ClassVar[int] = 400
    code: ClassVar[str] = "bad-request"
    title: ClassVar[str] = "The request cannot be carried out"

    def __init__(
        self,
        detail: str,
        *,
        errors: Sequence[Mapping[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = [dict(error) for error in errors]
        self.headers = dict(headers or {})
        self.extra = dict(extra or {})


class Invalid(PortalError):
    code = "invalid"
    title = "The request is not valid"


class NotJson(PortalError):
    code = "not-json"
    title = "The body is not JSON"


class LengthMissing(PortalError):
    status = 411
    code = "length-missing"
    title = "The body's length is missing"


class TooLarge(PortalError):
    status = 413
    code = "too-large"
    title = "The body is too large"


class UnsupportedMediaType(PortalError):
    status = 415
    code = "unsupported-media-type"
    title = "The content type is not supported"


class Unauthenticated(PortalError):
    status = 401
    code = "unauthenticated"
    title = "Who is asking is not known"


class Forbidden(PortalError):
    status = 403
    code = "forbidden"
    title = "This credential may not do that"


class NotFound(PortalError):
    status = 404
    code = "not-found"
    title = "There is no such thing here"


class Conflict(PortalError):
    status = 409
    code = "conflict"
    title = "The request conflicts with what exists"


class Unavailable(PortalError):
    status = 503
    code = "unavailable"
    title = "The portal cannot answer now"
