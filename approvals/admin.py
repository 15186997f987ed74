"""Approvals in the portal: the inbox and one page for each request."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from approvals import delegating, inbox, page, quality, services
from approvals.errors import ApprovalNotFound, DelegationRefused
from approvals.forms import AnswerForm, BreakGlassForm, BulkDenyForm, DelegationForm, ReviewForm
from approvals.models import Answer, ApprovalRequest, Delegation
from approvals.notifications import admin as notifications  # noqa: F401 (registers its pages)
from audit.bounded import bounded
from audit.errors import TooMuchToRead
from axonportal.common.admin import (
    OWNER,
    ReadOnly,
    TenantScoped,
    chips,
    memberships,
    plural,
    query_of,
)
from axonportal.common.display import badge, visible
from axonportal.common.errors import PortalError

_SUGGESTED = timedelta(days=7)  # a delegation, unless somebody types another time
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

    # --- Figures --------------------------------------------------------------------------

    def get_urls(self) -> list[Any]:
        quality_page = path(
            "quality/",
            self.admin_site.admin_view(self.quality_view),
            name="approvals_approvalrequest_quality",
        )
        return [quality_page, *super().get_urls()]

    def quality_view(self, request: HttpRequest) -> HttpResponse:
        """How people answer, for those who read everything."""
        tenants = inbox.viewer(request).whole
        if not tenants:
            raise PermissionDenied
        window = request.GET.get("window", "")
        window = window if window in quality.WINDOWS else quality.DEFAULT_WINDOW
        problem = ""
        figures: dict[str, Any] = {}
        try:
            with bounded():
                since = timezone.now() - quality.WINDOWS[window]
                figures = {
                    "people": quality.by_approver(tenants, since),
                    "policies": quality.by_policy(tenants, since),
                }
        except TooMuchToRead as error:
            problem = error.detail
        context = self.page(
            request,
            title=_t("Approval quality"),
            chips=chips(
                request.GET,
                "window",
                _t("Time"),
                [
                    (key, _t("%(n)d days") % {"n": span.days})
                    for key, span in quality.WINDOWS.items()
                ],
                default=quality.DEFAULT_WINDOW,
            ),
            problem=problem,
            quick_s=quality.QUICK_S,
            least=quality.ALWAYS_LEAST,
            **figures,
        )
        return TemplateResponse(request, "approvals/quality.html", context)

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


@admin.register(Delegation)
class DelegationAdmin(ReadOnly, TenantScoped):
    """Who answers in whose place; a person delegates her own voice, and nobody else's."""

    menu_group = "work"
    menu_order = 20
    list_display = ["who", "starts", "ends", "state", "why"]
    list_select_related = ["tenant", "approver", "delegate"]
    empty_text = _("Nobody answers in anybody's place. Add a delegation before you go on leave.")
    intro = _("Who is away lets a colleague answer in her place; each answer says so.")

    def get_queryset(self, request: HttpRequest) -> Any:
        person = inbox.viewer(request)
        return Delegation.objects.filter(
            delegating.visible_to(person.user, whole=person.whole, tenants=person.tenants)
        )

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(memberships(request))

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(memberships(request))

    @admin.display(description=_("who for whom"), ordering="approver__username")
    def who(self, row: Delegation) -> str:
        return _t("%(delegate)s for %(approver)s") % {
            "delegate": row.delegate.get_username(),
            "approver": row.approver.get_username(),
        }

    @admin.display(description=_("reason"))
    def why(self, row: Delegation) -> SafeString:
        return visible(row.reason)

    @admin.display(description=_("from"), ordering="starts_at")
    def starts(self, row: Delegation) -> str:
        return f"{row.starts_at:%Y-%m-%d %H:%M} UTC"

    @admin.display(description=_("until"), ordering="ends_at")
    def ends(self, row: Delegation) -> str:
        return f"{row.ended_at or row.ends_at:%Y-%m-%d %H:%M} UTC"

    @admin.display(description=_("state"))
    def state(self, row: Delegation) -> SafeString:
        return delegation_state(row)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Delegate one's own voice."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        user: Any = request.user
        now = timezone.now()
        form = DelegationForm(
            request.POST or None,
            user=user,
            tenants=list(memberships(request)),
            initial={"starts_at": now, "ends_at": now + _SUGGESTED},
        )
        if request.method == "POST" and form.is_valid():
            typed = form.cleaned_data
            try:
                made = delegating.delegate(
                    typed["tenant"],
                    approver=user,
                    to=typed["delegate"],
                    starts_at=typed["starts_at"],
                    ends_at=typed["ends_at"],
                    reason=typed["reason"],
                    now=now,
                    address=_address(request),
                )
            except DelegationRefused as error:
                form.add_error(error.field, error.detail)
            else:
                messages.success(
                    request,
                    _t("Delegated to %(name)s.") % {"name": made.delegate.get_username()},
                )
                return HttpResponseRedirect(reverse("admin:approvals_delegation_changelist"))
        context = self.page(
            request,
            title=_t("Let somebody answer in my place"),
            form=form,
            most_days=delegating.MAX_LENGTH.days,
        )
        status = 400 if form.errors else 200
        return TemplateResponse(request, "approvals/delegate.html", context, status=status)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """What was agreed; a POST by whom it is of, or by an owner, ends it early."""
        row = self.found_or_404(request, object_id)
        user: Any = request.user
        role = memberships(request)[row.tenant_id].role
        may_end = row.approver_id == user.pk or role == OWNER
        if request.method == "POST":
            if not may_end:
                raise PermissionDenied
            delegating.end(row, by=user, address=_address(request))
            messages.success(request, _t("The delegation has ended."))
            return HttpResponseRedirect(request.path)
        context = self.page(
            request,
            title=str(row),
            row=row,
            state=delegation_state(row),
            may_end=may_end and row.ended_at is None and row.ends_at > timezone.now(),
            show_tenant=len(memberships(request)) > 1,
        )
        return TemplateResponse(request, "approvals/delegation.html", context)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        raise Http404  # its beginning and its end are audit events


def delegation_state(row: Delegation) -> SafeString:
    """Whether it is in force, in a word."""
    now = timezone.now()
    if row.ended_at is not None:
        return badge(_t("Ended early"), "quiet")
    if row.ends_at <= now:
        return badge(_t("Over"), "quiet")
    return badge(_t("In force"), "good") if row.starts_at <= now else badge(_t("To come"), "wait")
