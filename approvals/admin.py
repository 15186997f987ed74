"""Approvals in the portal: the inbox and one page for each request."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _t
from django.utils.translation import ngettext

from approvals import inbox, page, services
from approvals.errors import ApprovalNotFound
from approvals.forms import AnswerForm, BreakGlassForm, BulkDenyForm, ReviewForm
from approvals.models import Answer, ApprovalRequest
from axonportal.common.admin import ReadOnly, TenantScoped, memberships, plural, query_of
from axonportal.common.errors import PortalError

_FORMS: dict[str, type[forms.Form]] = {
    "answer": AnswerForm,
    "glass": BreakGlassForm,
    "review": ReviewForm,
}


@admin.register(ApprovalRequest)
class ApprovalRequestAdmin(ReadOnly, TenantScoped):
    """What waits and how it ended; each request has a page on which it is answered.

    Only POST changes anything, and only through `approvals.services`.
    """

    menu_group = "work"
    menu_order = 10

    def get_queryset(self, request: HttpRequest) -> Any:
        return inbox.visible_to(inbox.viewer(request))

    def get_object(self, request: HttpRequest, object_id: str, from_field: Any = None) -> Any:
        if "\0" in object_id:
            return None
        return self.get_queryset(request).filter(pk=object_id).first()

    def menu_count(self, request: HttpRequest) -> str:
        """How many requests wait for the user; shown beside the menu's entry."""
        count = inbox.count_of(inbox.viewer(request))
        return "" if count == "0" else count

    # --- The inbox ------------------------------------------------------------------------

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """What waits for her, for others, and what is settled; POST denies what she picked."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return self._listed(request)
        picked = request.POST.getlist("picked")[: inbox.PAGE_ROWS]
        form = BulkDenyForm(request.POST)
        if not picked:
            form.add_error(None, _t("Pick what is to be denied first."))
        if not form.is_valid():
            return self._listed(request, form, picked, status=400)
        self._deny(request, picked, form.cleaned_data["reason"])
        return HttpResponseRedirect(request.get_full_path())

    def _deny(self, request: HttpRequest, picked: Sequence[str], reason: str) -> None:
        user: Any = request.user
        denied = 0
        for request_id in picked:
            try:
                services.answer(
                    request_id,
                    tenant_ids=list(memberships(request)),
                    approver=user,
                    choice=Answer.Choice.DENY,
                    reason=reason,
                    address=_address(request),
                )
                denied += 1
            except PortalError as error:
                messages.warning(request, f"{request_id[:40]}: {error.detail}")
        if denied:
            messages.success(
                request,
                ngettext(
                    "%(n)d request has your denial; the requester is told why.",
                    "%(n)d requests have your denial; the requesters are told why.",
                    denied,
                )
                % {"n": denied},
            )

    def _listed(
        self,
        request: HttpRequest,
        form: BulkDenyForm | None = None,
        picked: Sequence[str] = (),
        status: int = 200,
    ) -> HttpResponse:
        person = inbox.viewer(request)
        tabs = inbox.tabs(person, request.GET.get("show", ""))
        current = next(tab for tab in tabs if tab.selected)
        rows = inbox.page_of(current.rows, current.key, request.GET.get("after", ""))
        context = self.page(
            request,
            title=plural(self),
            tabs=tabs,
            current=current,
            rows=rows[: inbox.PAGE_ROWS],
            more=query_of(show=current.key, after=rows[inbox.PAGE_ROWS - 1].pk)
            if len(rows) > inbox.PAGE_ROWS
            else "",
            later="after" in request.GET,
            form=form or BulkDenyForm(),
            picked=picked,
            to_review=list(inbox.to_review(person)[: inbox.PAGE_ROWS]),
            acting_for_me=list(inbox.delegations_of(person).select_related("delegate")),
            acting_for=list(
                inbox.delegations_to(person.user, person.tenants).select_related("approver")
            ),
            reads_all=bool(person.whole),
            show_tenant=len(memberships(request)) > 1,
        )
        return TemplateResponse(request, "approvals/inbox.html", context, status=status)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        raise Http404  # the page of a request ends with its steps

    # --- One request ----------------------------------------------------------------------

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The page; a POST answers, breaks the glass or reviews, and leads back to it."""
        held = self.get_object(request, object_id)
        if held is None or not self.has_view_permission(request):
            return self._unknown(request)
        if request.method != "POST":
            return self._shown(request, held)
        step = request.POST.get("step", "")
        if step not in _FORMS:
            return self._shown(request, held, status=400)
        form = _FORMS[step](request.POST, prefix=step)
        if not form.is_valid():
            return self._shown(request, held, {step: form}, status=400)
        try:
            done = self._done(request, held, step, form.cleaned_data)
        except ApprovalNotFound:
            return self._unknown(request)
        except PortalError as error:
            form.add_error(None, error.detail)
            return self._shown(
                request, self.get_object(request, held.pk), {step: form}, error.status
            )
        messages.success(request, done)
        return HttpResponseRedirect(held.get_absolute_url())

    def _done(
        self, request: HttpRequest, held: ApprovalRequest, step: str, typed: dict[str, Any]
    ) -> str:
        """Do what the form asks for; what came of it, in words."""
        user: Any = request.user
        tenants = list(memberships(request))
        if step == "glass":
            services.break_glass(
                held.pk,
                tenant_ids=tenants,
                person=user,
                reason=typed["reason"],
                address=_address(request),
            )
            return _t("The glass is broken: exactly this call may run once. Everybody is told.")
        if step == "review":
            services.review(held.pk, tenant_ids=tenants, reviewer=user, note=typed["note"])
            return _t("The case is closed.")
        answered = services.answer(
            held.pk,
            tenant_ids=tenants,
            approver=user,
            choice=Answer.Choice(typed["choice"]),
            reason=typed["reason"],
            considered_s=page.considered_s(typed["seen"], held, user),
            address=_address(request),
        )
        if answered.status == ApprovalRequest.Status.PENDING:
            return _t("Your answer is recorded. The request still waits for others.")
        if answered.status == ApprovalRequest.Status.APPROVED:
            return _t("Approved: exactly this call may run once.")
        return _t("Denied: it does not run, and the requester is told why.")

    def _shown(
        self,
        request: HttpRequest,
        held: ApprovalRequest,
        typed: dict[str, forms.Form] | None = None,
        status: int = 200,
    ) -> HttpResponse:
        """The page, with what was typed if it could not be taken."""
        user: Any = request.user
        made = {name: form(prefix=name) for name, form in _FORMS.items()}
        made["answer"].initial["seen"] = page.seal(held, user)
        context = self.page(
            request,
            title=str(held),
            held=held,
            show_tenant=len(memberships(request)) > 1,
            may_read_trail=held.tenant_id in inbox.viewer(request).whole,
            forms=made | (typed or {}),
            **page.everything(held, user, self.get_queryset(request)),
        )
        return TemplateResponse(request, "approvals/request.html", context, status=status)

    def _unknown(self, request: HttpRequest) -> HttpResponse:
        """The same page for what is not there and for what is not hers to see."""
        context = self.page(request, title=_t("Nothing to see here"))
        return TemplateResponse(request, "approvals/unknown.html", context, status=404)


def _address(request: HttpRequest) -> str:
    return str(request.META.get("REMOTE_ADDR", ""))
