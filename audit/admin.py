"""The trail, to be looked at: decisions, tool calls, model calls, audit events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from audit import explanation
from audit.bounded import bounded
from audit.errors import TooMuchToRead
from audit.models import NO_TENANT, AuditEvent, GatewayContext, LlmCall, ToolCall
from audit.services import record_event
from axonportal.common.admin import (
    Chip,
    Chips,
    ReadOnly,
    TenantScoped,
    chips,
    memberships,
    plural,
    query_of,
    tenant_slugs,
)

PAGE_ROWS = 50
SAMPLE_ROWS = 500  # newest rows that the choices of a filter are taken from
NEIGHBOURS = 5  # decisions of the session shown before and after one
MAX_FOLLOWING = 20  # tool and model calls shown with a decision
MAX_PARAMETER_CHARS = 300

WINDOWS = {
    "1h": timedelta(hours=1),
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
}
_WINDOW_CHOICES = (
    ("1h", _("1 hour")),
    ("24h", _("24 hours")),
    ("7d", _("7 days")),
    ("30d", _("30 days")),
    ("all", _("All")),
)
DEFAULT_WINDOW = "7d"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """A filter of a list: the query parameter and the column it compares.

    `choices` are fixed; without, those of the newest rows are offered. A filter that is not
    `offered` is reached by links only, and shown once it is set.
    """

    parameter: str
    title: Any
    column: str
    choices: Sequence[tuple[str, Any]] = ()
    offered: bool = True


class RecordAdmin(ReadOnly, TenantScoped):
    """A list of records, newest first, by key and not by page number; nothing is counted.

    The time window bounds what is read, a time limit ends what takes too long all the same.
    """

    menu_group = "review"
    list_template = "portal/records.html"
    rows_template = ""
    detail_template = ""
    filters: Sequence[Filter] = ()
    person_label: Any = _("User")
    search_label: Any = ""  # of the search field; without one there is none
    empty_text = _("Nothing here in this time. Choose a longer one, or fewer filters.")

    def tenant_ids(self, request: HttpRequest) -> list[int]:
        """Whose records the user may see."""
        return self.tenants_to_view(request)

    def get_queryset(self, request: HttpRequest) -> Any:
        return self.model.objects.filter(tenant_id__in=self.tenant_ids(request))

    def get_object(self, request: HttpRequest, object_id: str, from_field: Any = None) -> Any:
        """By the id alone, which names the partition."""
        return self.get_queryset(request).by_id(object_id).first()

    def search(self, rows: Any, words: str) -> Any:
        """Narrow the rows to those that hold the words."""
        return rows

    def exact(self, rows: Any, request: HttpRequest) -> Any:
        """Further filters of one kind of record."""
        return rows

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        if not self.has_view_permission(request):
            raise PermissionDenied
        words = _parameter(request, "q")
        if words and self.get_object(request, words) is not None:
            return HttpResponseRedirect(self.url_of(words))
        problem = ""
        rows: list[Any] = []
        offered: list[Chips] = []
        try:
            with bounded():
                offered = self._chips(request)
                rows = self._rows(request, words)
        except TooMuchToRead as error:
            problem = error.detail
        return TemplateResponse(
            request,
            self.list_template,
            self.page(
                request,
                title=plural(self),
                intro=self.intro,
                chips=offered,
                set_filters=self._set_filters(request),
                rows=rows[:PAGE_ROWS],
                rows_template=self.rows_template,
                older=self._older(request, rows),
                newer="before" in request.GET,
                first_page=self._without(request, "before"),
                words=words,
                person=_parameter(request, "user"),
                search_label=self.search_label,
                person_label=self.person_label,
                kept=[
                    (key, value)
                    for key, value in request.GET.items()
                    if key not in {"q", "user", "before"}
                ],
                problem=problem,
                empty_text=self.empty_text,
                tenants=tenant_slugs(request),
                show_tenant=len(self.tenant_ids(request)) > 1,
            ),
        )

    def _chosen_tenants(self, request: HttpRequest) -> list[int]:
        allowed = self.tenant_ids(request)
        slug = _parameter(request, "tenant")
        chosen = [key for key, known in tenant_slugs(request).items() if known == slug]
        return [key for key in chosen if key in allowed] or allowed

    def _rows(self, request: HttpRequest, words: str) -> list[Any]:
        rows = self.model.objects.all()
        window = request.GET.get("window", DEFAULT_WINDOW)
        if window in WINDOWS:
            rows = rows.filter(created_at__gte=timezone.now() - WINDOWS[window])
        for one in self.filters:
            if one.column and (value := _parameter(request, one.parameter)):
                rows = rows.filter(**{one.column: value})
        rows = self.exact(rows, request)
        if words:
            rows = self.search(rows, words)
        if before := _parameter(request, "before"):
            rows = rows.older_than(before)
        found: list[Any] = rows.newest(self._chosen_tenants(request), PAGE_ROWS + 1)
        return found

    def _chips(self, request: HttpRequest) -> list[Chips]:
        offered = [
            chips(request.GET, "window", _t("Time"), _WINDOW_CHOICES, default=DEFAULT_WINDOW)
        ]
        slugs = tenant_slugs(request)
        if len(slugs) > 1:
            choices = [("", _t("All")), *((slug, slug) for slug in slugs.values())]
            offered.append(chips(request.GET, "tenant", _t("Tenant"), choices))
        tenants = self._chosen_tenants(request)
        for one in self.filters:
            if not one.offered:
                continue
            choices = list(one.choices)
            if not choices:
                values = self.model.objects.all().recent_values(
                    one.column, tenants, sample=SAMPLE_ROWS
                )
                chosen = _parameter(request, one.parameter)
                choices = [(value, value) for value in sorted({*values, chosen} - {""})]
            if len(choices) > 1 or _parameter(request, one.parameter):
                choices.insert(0, ("", _t("All")))
                offered.append(chips(request.GET, one.parameter, one.title, choices))
        return offered

    def _set_filters(self, request: HttpRequest) -> list[Chip]:
        """What is set by links, to be taken away again."""
        return [
            Chip(
                label=f"{one.title}: {_parameter(request, one.parameter)}",
                url=self._without(request, one.parameter, "before"),
                selected=True,
            )
            for one in self.filters
            if not one.offered and one.parameter != "user" and _parameter(request, one.parameter)
        ]

    def _older(self, request: HttpRequest, rows: Sequence[Any]) -> str:
        if len(rows) <= PAGE_ROWS:
            return ""
        query = request.GET.copy()
        query["before"] = rows[PAGE_ROWS - 1].pk
        return f"?{query.urlencode()}"

    def _without(self, request: HttpRequest, *parameters: str) -> str:
        query = request.GET.copy()
        for name in parameters:
            query.pop(name, None)
        return f"?{query.urlencode()}"

    def url_of(self, record_id: str) -> str:
        """The page of one record."""
        return reverse(f"admin:audit_{self.opts.model_name}_change", args=[record_id])

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        record = self.found_or_404(request, object_id)
        slugs = {**tenant_slugs(request), NO_TENANT: "-"}
        context = self.page(
            request,
            record=record,
            title=str(record),
            record_tenant=slugs.get(record.tenant_id, record.tenant),
            show_tenant=len(memberships(request)) > 1,
            **self.details(request, record),
        )
        return TemplateResponse(request, self.detail_template, context)

    def details(self, request: HttpRequest, record: Any) -> dict[str, Any]:
        """What the page of one record shows beside the record."""
        return {}

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        raise Http404  # a record has none: it never changes


def _parameter(request: HttpRequest, name: str) -> str:
    """A query parameter, as the database can take it."""
    return request.GET.get(name, "").replace("\0", "").strip()[:MAX_PARAMETER_CHARS]


@admin.register(GatewayContext)
class GatewayContextAdmin(RecordAdmin):
    """Decisions, and the page that says why each fell as it did."""

    menu_order = 10
    rows_template = "portal/rows/decisions.html"
    detail_template = "portal/decision.html"
    search_label = _("Words in the text, or a decision id")
    empty_text = _(
        "No decisions in this time. Choose a longer one or fewer filters; if there never were "
        "any, the overview says how to connect a client."
    )
    filters = [
        Filter(
            parameter="verdict",
            title=_("Verdict"),
            column="verdict",
            choices=[("allow", _("Allowed")), ("deny", _("Denied")), ("hold", _("Held"))],
        ),
        Filter(parameter="tool", title=_("Tool"), column="tool"),
        Filter(parameter="client", title=_("Client"), column="client_id"),
        Filter(
            parameter="phase",
            title=_("Phase"),
            column="phase",
            choices=[("before", _("Before it ran")), ("after", _("After it ran"))],
        ),
        Filter(parameter="user", title=_("User"), column="user_id", offered=False),
        Filter(parameter="session", title=_("Session"), column="session_id", offered=False),
        Filter(
            parameter="policy",
            title=_("Policy"),
            column="",
            offered=False,
        ),
        Filter(parameter="redacted", title=_("Redacted"), column="", offered=False),
    ]

    def exact(self, rows: Any, request: HttpRequest) -> Any:
        if _parameter(request, "verdict") in {"deny", "hold"}:
            rows = rows.refused()  # by the index of those alone
        if policy := _parameter(request, "policy"):
            rows = rows.of_policy(policy)
        return rows.filter(requires_redaction=True) if _parameter(request, "redacted") else rows

    def search(self, rows: Any, words: str) -> Any:
        return rows.search(words)

    def details(self, request: HttpRequest, record: GatewayContext) -> dict[str, Any]:
        decisions, list_url = (
            GatewayContext.objects,
            reverse("admin:audit_gatewaycontext_changelist"),
        )
        calls = ToolCall.objects.following(record)[:MAX_FOLLOWING]
        return {
            "why": explanation.explain(record),
            "session": decisions.all().around(record, each=NEIGHBOURS),
            "session_url": list_url + query_of(session=record.session_id, window="all"),
            "tool_calls": calls if record.phase == GatewayContext.Phase.BEFORE else [],
            "llm_calls": LlmCall.objects.of_context(record)[:MAX_FOLLOWING],
            "duration_ms": record.duration_us / 1000,
        }


@admin.register(ToolCall)
class ToolCallAdmin(RecordAdmin):
    """What ran, as hooks and SDKs reported it."""

    menu_order = 20
    rows_template = "portal/rows/tool_calls.html"
    detail_template = "portal/tool_call.html"
    empty_text = _(
        "No tool calls in this time. They are reported by a client's PostToolUse hook, or by "
        "POST /api/v1/audit/tool-call."
    )
    filters = [
        Filter(parameter="tool", title=_("Tool"), column="tool_name"),
        Filter(parameter="client", title=_("Client"), column="client_id"),
        Filter(parameter="user", title=_("User"), column="user_id", offered=False),
        Filter(parameter="session", title=_("Session"), column="session_id", offered=False),
    ]

    def details(self, request: HttpRequest, record: ToolCall) -> dict[str, Any]:
        rows, matches = explanation.read(record.snapshot)
        text = record.output or record.error_message
        decision = (
            GatewayContext.objects.for_tenant(record.tenant_id).by_context_id(record.context_id)
        ).first()
        return {
            "text": explanation.highlighted(text, rows),
            "findings": rows[: explanation.MAX_ROWS],
            "matches": matches,
            "decision": decision,
        }


@admin.register(LlmCall)
class LlmCallAdmin(RecordAdmin):
    """Calls of language models, as clients reported them."""

    menu_order = 30
    rows_template = "portal/rows/llm_calls.html"
    detail_template = "portal/llm_call.html"
    empty_text = _("No model calls in this time. SDKs report them by POST /api/audit/llm-call.")
    filters = [
        Filter(parameter="client", title=_("Client"), column="client_id"),
        Filter(parameter="user", title=_("User"), column="user_id", offered=False),
    ]


@admin.register(AuditEvent)
class AuditEventAdmin(RecordAdmin):
    """Every act in the portal; acts that belong to no tenant are for superusers."""

    menu_order = 40
    rows_template = "portal/rows/events.html"
    detail_template = "portal/event.html"
    search_label = _("Words in the event, its target or its address")
    person_label = _("Actor")
    filters = [
        Filter(
            parameter="by",
            title=_("By"),
            column="actor_kind",
            choices=AuditEvent.ActorKind.choices,
        ),
        Filter(parameter="kind", title=_("Event"), column="kind"),
        Filter(parameter="user", title=_("Actor"), column="actor", offered=False),
        Filter(parameter="type", title=_("Kind of target"), column="target_type", offered=False),
        Filter(parameter="target", title=_("Target"), column="target_id", offered=False),
    ]

    def tenant_ids(self, request: HttpRequest) -> list[int]:
        own = super().tenant_ids(request)
        return [*own, NO_TENANT] if request.user.is_superuser else own

    def search(self, rows: Any, words: str) -> Any:
        for word in words.split():
            rows = rows.filter(
                models.Q(kind__icontains=word)
                | models.Q(target__icontains=word)
                | models.Q(actor__icontains=word)
                | models.Q(address__icontains=word)
            )
        return rows

    def details(self, request: HttpRequest, record: AuditEvent) -> dict[str, Any]:
        return {"target_url": _target_url(record)}


def _target_url(event: AuditEvent) -> str:
    """The page of what was acted on, if there is one."""
    try:
        return reverse(
            f"admin:{event.target_type.replace('.', '_')}_change", args=[event.target_id]
        )
    except NoReverseMatch:
        return ""


class Audited(admin.ModelAdmin):
    """Mixin: what people do in the admin leaves audit events instead of the admin's own log.

    For models whose changes go through services that record them, `records_itself` is True.
    """

    records_itself = False

    def event_tenants(self, obj: Any) -> Sequence[int]:
        """The tenants in whose trail an act on `obj` belongs."""
        return [getattr(obj, "tenant_id", NO_TENANT)]

    def event_detail(self, obj: Any) -> Mapping[str, Any]:
        """What an event about `obj` says beside the names of the changed fields."""
        return {}

    def record(self, request: HttpRequest, verb: str, obj: Any, **detail: Any) -> None:
        """Leave an event in the transaction of the change."""
        tenants = list(self.event_tenants(obj)) or [NO_TENANT]
        for tenant_id in tenants:
            record_event(
                f"{self.opts.model_name}.{verb}",
                actor=request.user.get_username(),
                target=obj,
                tenant_id=tenant_id,
                detail={**self.event_detail(obj), **detail},
                address=request.META.get("REMOTE_ADDR", ""),
            )

    def construct_change_message(
        self, request: HttpRequest, form: Any, formsets: Any, add: bool = False
    ) -> Any:
        return list(form.changed_data)

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        if not self.records_itself:
            self.record(request, "create", obj)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        if not self.records_itself:
            changed = message if isinstance(message, list) else [str(message)]
            self.record(request, "update", obj, changed=changed)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        if not self.records_itself:
            for obj in queryset:
                self.record(request, "delete", obj)

    def permissions_saved(self, request: HttpRequest, obj: Any, *, holder: Any) -> None:
        """What `ObjectPermissionMixin` reports: who may now do what with `obj`."""
        self.record(request, "permissions", obj, holder=str(holder))

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        """The audit events about it."""
        url = reverse("admin:audit_auditevent_changelist")
        return HttpResponseRedirect(
            url + query_of(type=self.opts.label_lower, target=object_id, window="all")
        )
