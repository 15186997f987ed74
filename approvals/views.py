"""Where a link from a mail arrives: it shows the way to the request and decides nothing."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core import signing
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views import View
from django.views.decorators.cache import never_cache

from approvals import links


@method_decorator(never_cache, name="dispatch")
class LinkView(View):
    """Leads to the request's own page, past the sign-in if need be.

    The token gives no rights and goes no further than here: the page that follows has a plain
    address, and no Referer tells this one. Whether there is such a request, and whether it is for
    whoever came, the page itself decides.
    """

    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        try:
            request_id = links.read(token)
        except signing.SignatureExpired:
            answer = _page(request, _("This link has expired"), "approvals/link_expired.html", 410)
        except signing.BadSignature:
            answer = _page(request, _("Nothing to see here"), "approvals/unknown.html", 404)
        else:
            answer = HttpResponseRedirect(_way_to(request, request_id))
        answer.headers["Referrer-Policy"] = "no-referrer"
        return answer


def _way_to(request: HttpRequest, request_id: str) -> str:
    page = reverse("admin:approvals_approvalrequest_change", args=[request_id])
    if admin.site.has_permission(request):
        return page
    return f"{reverse('admin:login')}?next={page}"


def _page(request: HttpRequest, title: str, template: str, status: int) -> HttpResponse:
    context: dict[str, Any] = {**admin.site.each_context(request), "title": title}
    return TemplateResponse(request, template, context, status=status).render()
