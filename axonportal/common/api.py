"""The base of API views: JSON whatever the caller accepts, and no work without a use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views import View
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from axonportal.common import problems


class JsonAlways(BaseContentNegotiation):
    """Answers JSON; an `Accept` header that wants something else gets JSON too, not a 406."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: Any = None
    ) -> tuple[BaseRenderer, str]:
        return renderers[0], renderers[0].media_type


class CallView(View):
    """A verb of the API that reads its own body and knows its caller from it.

    Nothing of REST framework's views would be used here (no serializers, renderers, throttles or
    authenticators), and passing through them costs a call about 0.1 ms.
    """

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Callable[..., HttpResponseBase]:
        view = super().as_view(**initkwargs)
        view.csrf_exempt = True  # type: ignore[attr-defined]
        return view

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return super().dispatch(request, *args, **kwargs)
        except Exception as error:  # answered as a problem document, and logged if it is ours
            return problems.exception_handler(error, {"request": request, "view": self})

    def http_method_not_allowed(
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        return problems.method_not_allowed(request.path_info, str(request.method), self._allowed())

    def options(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        allowed = self._allowed()
        return answer({"allow": allowed}, headers={"Allow": ", ".join(allowed)})

    def _allowed(self) -> list[str]:
        return [name.upper() for name in self.http_method_names if hasattr(self, name)]


class ApiView(APIView):
    """A resource of the API. Views read the body with `common.body`, not `request.data`."""

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
