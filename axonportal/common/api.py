"""The base of API views: JSON whatever the caller accepts, and no work without a use."""

from __future__ import annotations

from typing import Any

import orjson
from django.http import HttpResponse
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.views import APIView


class JsonAlways(BaseContentNegotiation):
    """Answers JSON; an `Accept` header that wants something else gets JSON too, not a 406."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: Any = None
    ) -> tuple[BaseRenderer, str]:
        return renderers[0], renderers[0].media_type


class ApiView(APIView):
    """A view of the API. Views read the body with `common.body`, not `request.data`."""

    content_negotiation_class = JsonAlways
    renderer_classes = [JSONRenderer]


def answer(value: Any, *, status: int = 200, headers: dict[str, str] | None = None) -> HttpResponse:
    """A JSON answer; dates are ISO 8601 with their zone."""
    data = orjson.dumps(value, option=orjson.OPT_UTC_Z)
    response = HttpResponse(data, status=status, content_type="application/json")
    # Django's own middleware would set it; without it the server sends chunks.
    response.headers["Content-Length"] = str(len(data))
    for name, text in (headers or {}).items():
        response.headers[name] = text
    return response
