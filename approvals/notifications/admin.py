"""Webhooks and what could not be delivered, in the portal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from approvals.notifications import delivery, mail, targets
from approvals.notifications.errors import CannotResend
from approvals.notifications.models import Event, Notification, Undelivered, WebhookTarget
from audit.admin import Audited
from axonportal.common.admin import ReadOnly, TenantScoped, tenants_with
from axonportal.common.display import badge, moment, visible
from axonportal.common.errors import Invalid

MAX_RESENT = 1_000  # by one click


def _mail_off() -> str:
    if mail.is_on():
        return ""
    return _t(
        "Mail is off, because AXON_EMAIL_URL is not set: people are told in the portal and by "
        "webhooks only."
    )


class WebhookForm(forms.ModelForm):
    """A webhook; where its address leads is judged when it is connected to."""

    events = forms.MultipleChoiceField(
        label=_("Tell it when a request is"),
        choices=Event.choices,
        initial=Event.values,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    class Meta:
        model = WebhookTarget
        fields = ("tenant", "name", "kind", "url", "events", "is_active")
        widgets = {"kind": forms.RadioSelect, "url": forms.TextInput(attrs={"size": 60})}

    def clean_url(self) -> str:
        url: str = self.cleaned_data["url"]
        try:
            return targets.checked_url(url) if url else ""
        except Invalid as error:
            raise ValidationError(error.detail) from None


@admin.register(WebhookTarget)
class WebhookTargetAdmin(Audited, TenantScoped):
    """Addresses that are told of approvals; the secret is shown when it is made or renewed."""

    menu_group = "govern"
    menu_order = 60
    form = WebhookForm
    change_form_template = "admin/approvals/webhooktarget/change_form.html"
    list_display = ["name", "kind", "host", "hears", "state", "latest"]
    list_filter = ["kind", "is_active"]
    list_select_related = ["tenant"]
    empty_text = _("No webhooks yet. Add one for each system or channel that should hear.")
    intro = _("A webhook is told when something waits for approval, and what became of it.")

    @admin.display(description=_("to"), empty_value="-")
    def host(self, target: WebhookTarget) -> str | None:
        return targets.host_of(target.url) or None

    @admin.display(description=_("hears of"))
    def hears(self, target: WebhookTarget) -> str:
        if target.kind == WebhookTarget.Kind.NOTIFY_URL:
            return _t("its request's outcome")
        if set(target.events) == set(Event.values):
            return _t("everything")
        return ", ".join(str(Event(event).label) for event in target.events) or _t("nothing")

    @admin.display(description=_("state"), ordering="is_active")
    def state(self, target: WebhookTarget) -> SafeString:
        return badge(_t("On"), "good") if target.is_active else badge(_t("Off"), "quiet")

    @admin.display(description=_("last delivery"))
    def latest(self, target: WebhookTarget) -> SafeString | str:
        sent = (
            Notification.objects.filter(target=target, sent_at__isnull=False)
            .order_by("-sent_at")
            .values_list("sent_at", flat=True)
            .first()
        )
        return moment(sent, missing=_t("never"))

    def event_detail(self, obj: WebhookTarget) -> dict[str, Any]:
        return {"kind": obj.kind, "host": targets.host_of(obj.url), "is_active": obj.is_active}

    def get_urls(self) -> list[Any]:
        renew = path(
            "<path:object_id>/renew/",
            self.admin_site.admin_view(self.renew_view),
            name="approvals_webhooktarget_renew",
        )
        return [renew, *super().get_urls()]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        return super().changelist_view(request, {"intro": _with_mail(self.intro)})

    def response_add(
        self, request: HttpRequest, obj: WebhookTarget, post_url_continue: Any = None
    ) -> HttpResponse:
        """The answer to the POST is the only page that shows the secret."""
        if obj.kind == WebhookTarget.Kind.SLACK:
            return super().response_add(request, obj, post_url_continue)
        return self._secret(request, obj, targets.secret(obj))

    def renew_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask once more, then make another secret and show it."""
        target = self.found_or_404(request, object_id)
        if not self.has_change_permission(request, target):
            raise PermissionDenied
        if request.method == "POST":
            secret = targets.renew_secret(
                target, actor=request.user.get_username(), address=_address(request)
            )
            return self._secret(request, target, secret)
        context = self.page(request, title=_t("Renew the secret?"), target=target)
        return TemplateResponse(request, "approvals/webhook_renew.html", context)

    def _secret(self, request: HttpRequest, target: WebhookTarget, secret: str) -> HttpResponse:
        context = self.page(request, title=_t("Copy the secret now"), target=target, secret=secret)
        return TemplateResponse(request, "approvals/webhook_secret.html", context)


class State(admin.SimpleListFilter):
    """Given up, or tried again."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("failed", _("Given up")), ("pending", _("Tried again"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(status=self.value()) if self.value() else queryset


@admin.register(Undelivered)
class UndeliveredAdmin(ReadOnly, TenantScoped):
    """What could not be delivered and why; resending is a POST."""

    menu_group = "review"
    menu_order = 60
    change_list_template = "admin/approvals/undelivered/change_list.html"
    list_display = ["what", "about", "recipient", "channel", "state", "attempts", "next_try", "why"]
    list_filter = [State, "channel"]
    list_select_related = ["tenant", "request"]
    empty_text = _("Everything was delivered.")
    intro = _("Notifications that were tried in vain. Each try keeps its delivery id.")

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).undelivered()

    @admin.display(description=_("notification"), ordering="event")
    def what(self, row: Notification) -> str:
        return str(row.get_event_display())

    @admin.display(description=_("request"))
    def about(self, row: Notification) -> SafeString:
        url = reverse("admin:approvals_approvalrequest_change", args=[row.request_id])
        return format_html('<a href="{}">{}</a>', url, visible(row.request.tool or row.request_id))

    @admin.display(description=_("state"), ordering="status")
    def state(self, row: Notification) -> SafeString:
        return _state(row)

    @admin.display(description=_("next try"), ordering="next_try_at")
    def next_try(self, row: Notification) -> SafeString | str:
        return moment(row.next_try_at) if row.status == Notification.Status.PENDING else "-"

    @admin.display(description=_("why"))
    def why(self, row: Notification) -> SafeString:
        return visible(row.last_error)

    def get_urls(self) -> list[Any]:
        wrap = self.admin_site.admin_view
        return [
            path(
                "resend/",
                wrap(self.resend_all_view),
                name="approvals_undelivered_resend_all",
            ),
            path(
                "<path:object_id>/resend/",
                wrap(self.resend_view),
                name="approvals_undelivered_resend",
            ),
            *super().get_urls(),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        context = {
            "intro": _with_mail(self.intro),
            "may_resend": self._resendable(request).exists(),
        }
        return super().changelist_view(request, context)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        row = self.found_or_404(request, object_id)
        context = self.page(
            request,
            title=str(row),
            row=row,
            state=_state(row),
            may_resend=row.tenant_id in self._tenants_to_resend_in(request),
        )
        return TemplateResponse(request, "approvals/undelivered.html", context)

    def resend_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Try one again now."""
        return self._resend(request, [object_id])

    def resend_all_view(self, request: HttpRequest) -> HttpResponse:
        """Try all again now."""
        keys = self._resendable(request).order_by("created_at").values_list("pk", flat=True)
        return self._resend(request, list(keys[:MAX_RESENT]))

    def _resend(self, request: HttpRequest, keys: Sequence[str]) -> HttpResponse:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        allowed = self._tenants_to_resend_in(request)
        if not allowed:
            raise PermissionDenied
        try:
            count = delivery.resend(
                [key for key in keys if "\0" not in key],
                tenant_ids=allowed,
                actor=request.user.get_username(),
                address=_address(request),
            )
        except CannotResend as error:
            messages.warning(request, error.detail)
        else:
            said = ngettext(
                "%(n)d notification is being sent again.",
                "%(n)d notifications are being sent again.",
                count,
            )
            messages.success(request, said % {"n": count})
        return HttpResponseRedirect(reverse("admin:approvals_undelivered_changelist"))

    def _resendable(self, request: HttpRequest) -> Any:
        return self.get_queryset(request).filter(tenant__in=self._tenants_to_resend_in(request))

    def _tenants_to_resend_in(self, request: HttpRequest) -> list[int]:
        return tenants_with(request, "approvals.change_undelivered")


def _state(row: Notification) -> SafeString:
    if row.status == Notification.Status.FAILED:
        return badge(_t("Given up"), "bad")
    return badge(_t("Tried again"), "wait")


def _with_mail(intro: Any) -> str:
    return " ".join(filter(None, [str(intro), _mail_off()]))


def _address(request: HttpRequest) -> str:
    return str(request.META.get("REMOTE_ADDR", ""))
