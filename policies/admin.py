"""Policies: the list, the form with its trial, the versions; and tenants, who start with some."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models
from django.http import Http404, HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from audit import explanation
from audit.admin import Audited
from audit.bounded import bounded
from audit.errors import TooMuchToRead
from audit.models import GatewayContext
from axonportal.accounts.admin import TenantAdmin
from axonportal.accounts.models import Tenant
from axonportal.common.admin import ObjectPermissionMixin, TenantScoped, memberships, query_of
from axonportal.common.display import badge, moment, pretty, visible
from axonportal.common.errors import PortalError
from axonportal.common.templatetags.portal import action as action_badge
from policies import answering, history, services
from policies.builtin import category_setting
from policies.engine import decision as engine
from policies.engine.conditions import ConditionsError
from policies.engine.decision import Decision
from policies.engine.policy import compile_actions
from policies.forms import PolicyForm, SampleForm
from policies.models import Policy, PolicyVersion
from policies.trials import Trial

COUNT_WINDOW = timedelta(hours=24)
VERSIONS_SHOWN = 50
KNOWN_TOOLS = ("Bash", "Edit", "Read", "Write", "WebFetch", "WebSearch", "Task")
_TONES = {"critical": "bad", "high": "wait", "medium": "warn", "low": "quiet"}

# What somebody sees who may look at a policy and not change it.
_READING = [
    (None, {"fields": ["name", "description"]}),
    (_("When it matches"), {"fields": ["conditions_written", "applies_to_written"]}),
    (_("What it does"), {"fields": ["actions_written", "enabled", "mode", "rollout_percent"]}),
    (_("How it is listed"), {"fields": ["severity", "priority", "category", "tags"]}),
]


class Origin(admin.SimpleListFilter):
    """Shipped with the portal, or the tenant's own."""

    title = _("origin")
    parameter_name = "origin"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("own", _("Own")), ("builtin", _("Built-in"))]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet) -> models.QuerySet:
        if self.value() == "own":
            return queryset.filter(builtin="")
        if self.value() == "builtin":
            return queryset.exclude(builtin="")
        return queryset


class State(admin.SimpleListFilter):
    """Enforced, observed or off."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("enforce", _("Enforced")), ("observe", _("Observed")), ("off", _("Off"))]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet) -> models.QuerySet:
        if self.value() == "off":
            return queryset.filter(enabled=False)
        if self.value() in {"enforce", "observe"}:
            return queryset.filter(enabled=True, mode=self.value())
        return queryset


class OwnCategories(admin.AllValuesFieldListFilter):
    """The categories in use, of the rows that the user sees."""

    def __init__(
        self,
        field: Any,
        request: HttpRequest,
        params: Any,
        model: Any,
        model_admin: Any,
        field_path: str,
    ) -> None:
        super().__init__(field, request, params, model, model_admin, field_path)
        rows = model_admin.get_queryset(request).exclude(category="")
        self.lookup_choices = (
            rows.order_by(field.name).distinct().values_list(field.name, flat=True)
        )


@admin.register(Policy)
class PolicyAdmin(Audited, ObjectPermissionMixin, TenantScoped):
    """What is allowed. Saving goes through the services, which keep a version of each."""

    menu_group = "govern"
    menu_order = 10
    records_itself = True
    form = PolicyForm
    change_form_template = "admin/policies/policy/change_form.html"  # type: ignore[misc]
    list_display = [
        "title",
        "severity_word",
        "state",
        "effective",
        "version_link",
        "changed",
    ]
    list_filter = [State, "severity", Origin, ("category", OwnCategories)]
    list_select_related = ["tenant"]
    search_fields = ["name", "description", "category"]
    ordering = ["-enabled", "builtin", "name"]
    empty_text = _("No policies here. Add one, or take away a filter.")
    intro = _("All policies are evaluated, every match is recorded, the strictest action wins.")

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).filter(deleted_at=None)

    # --- The list -------------------------------------------------------------------------

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        start = timezone.now() - COUNT_WINDOW
        request._portal_matches = _matches(list(memberships(request)), start)  # type: ignore[attr-defined]  # noqa: SLF001
        return super().changelist_view(request, extra_context)

    def get_list_display(self, request: HttpRequest) -> Any:
        """The column of matches reads what was counted for this request."""
        counts = getattr(request, "_portal_matches", None)

        @admin.display(description=_("matches, 24 h"))
        def matched(policy: Policy) -> SafeString | str:
            if counts is None:
                return "-"
            count = counts.get((policy.tenant_id, policy.name), 0)
            if not count:
                return "0"
            url = reverse("admin:audit_gatewaycontext_changelist")
            query = query_of(policy=policy.name, window="24h")
            return format_html('<a href="{}{}">{}</a>', url, query, count)

        columns = list(super().get_list_display(request))
        columns.insert(columns.index("version_link"), matched)
        return columns

    @admin.display(description=_("policy"), ordering="name")
    def title(self, policy: Policy) -> SafeString:
        return format_html(
            '{}{}<span class="sub">{}</span>',
            visible(policy.name),
            format_html(' <span class="tag">{}</span>', _t("built-in")) if policy.builtin else "",
            visible(" · ".join(part for part in (policy.category, policy.description) if part)),
        )

    @admin.display(description=_("severity"), ordering="severity")
    def severity_word(self, policy: Policy) -> SafeString:
        return badge(policy.get_severity_display(), _TONES[policy.severity])

    @admin.display(description=_("state"), ordering="mode")
    def state(self, policy: Policy) -> SafeString:
        return state_of(policy)

    @admin.display(description=_("what it does"))
    def effective(self, policy: Policy) -> SafeString:
        return effective(policy)

    @admin.display(description=_("version"), ordering="version")
    def version_link(self, policy: Policy) -> SafeString:
        url = reverse("admin:policies_policy_versions", args=[policy.pk])
        return format_html('<a href="{}">{}</a>', url, policy.version)

    @admin.display(description=_("changed"), ordering="updated_at")
    def changed(self, policy: Policy) -> SafeString | str:
        return moment(policy.updated_at)

    # --- The form -------------------------------------------------------------------------

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is not None and not self.has_change_permission(request, obj):
            return _READING
        asks = obj is None or len(memberships(request)) > 1
        return [
            (None, {"fields": [*(["tenant"] if asks else []), "name", "description"]}),
            (
                _("When it matches"),
                {
                    "fields": ["conditions", "applies_to"],
                    "description": _("All rows must hold. A field may have several values."),
                },
            ),
            (
                _("What it does"),
                {"fields": ["actions", "enabled", "mode", "rollout_percent"]},
            ),
            (_("How it is listed"), {"fields": ["severity", "priority", "category", "tags"]}),
            (None, {"fields": ["note"]}),
        ]

    @admin.display(description=_("conditions"))
    def conditions_written(self, policy: Policy) -> SafeString:
        return format_html("<pre>{}</pre>", pretty(policy.conditions))

    @admin.display(description=_("applies to"))
    def applies_to_written(self, policy: Policy) -> SafeString:
        return format_html("<pre>{}</pre>", pretty(policy.applies_to or _t("everything")))

    @admin.display(description=_("actions"))
    def actions_written(self, policy: Policy) -> SafeString:
        return format_html("<pre>{}</pre>", pretty(policy.actions))

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        made = super().get_form(request, obj, change, **kwargs)
        return type(made.__name__, (made,), {"trying": "_try" in request.POST})

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        form = context["adminform"].form
        policy = context.get("original")
        sampled = "try_text" in request.POST
        context |= {
            "sample": SampleForm(request.POST if sampled else None),
            "trial": _shown(getattr(form, "trial", None)),
            "trying": getattr(form, "trying", False),
            "node_errors": getattr(form, "node_errors", ()),
            "known_tools": KNOWN_TOOLS,
            "may_hand_out": policy is not None and self.may_hand_out(request, policy),
        }
        if policy is not None:
            context |= {
                "state": state_of(policy),
                "effective": effective(policy),
                "setting": _setting(policy),
                "asked": _asked(policy),
            }
        return super().render_change_form(request, context, *args, **kwargs)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """A refusal that only the saving could find (somebody else was faster) is a message."""
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except PortalError as error:
            messages.error(request, error.detail)
            return HttpResponseRedirect(request.path)

    def save_model(self, request: HttpRequest, obj: Policy, form: Any, change: bool) -> None:
        values = {
            name: form.cleaned_data[name] for name in services.EDITABLE if name in form.fields
        }
        actor, note = request.user.get_username(), form.cleaned_data["note"]
        if change:
            saved = services.update_policy(obj, values, actor=actor, note=note)
        else:
            saved, _new = services.create_policy(obj.tenant, values, actor=actor, note=note)
        for name in ("id", "version", "updated_at"):
            setattr(obj, name, getattr(saved, name))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A built-in policy is switched off or observed, never deleted."""
        return super().has_delete_permission(request, obj) and not (obj is not None and obj.builtin)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Its versions stay, so nothing goes with it."""
        return [str(obj) for obj in objs], {}, set(), []

    def delete_model(self, request: HttpRequest, obj: Policy) -> None:
        services.delete_policy(obj, actor=request.user.get_username())

    # --- Versions -------------------------------------------------------------------------

    def get_urls(self) -> list[Any]:
        versions = path(
            "<path:object_id>/versions/",
            self.admin_site.admin_view(self.versions_view),
            name="policies_policy_versions",
        )
        return [versions, *super().get_urls()]

    def versions_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """How the policy came to be what it is; a deleted one too. POST takes a version up again.

        `?before=12` shows the versions older than 12.
        """
        versions = _versions_of(request, object_id)
        policy = versions[0].policy
        if not self.has_view_permission(request, policy):
            raise PermissionDenied
        editable = policy.deleted_at is None and self.has_change_permission(request, policy)
        if request.method == "POST":
            return self._take_up(request, policy, editable=editable)
        shown = versions[:VERSIONS_SHOWN]
        context = self.page(
            request,
            title=_t("Versions of %(name)s") % {"name": policy.name},
            policy=policy,
            original=policy if policy.deleted_at is None else None,
            steps=list(history.steps(versions))[:VERSIONS_SHOWN],
            current=policy.version,
            editable=editable,
            older=shown[-1].version if len(versions) > VERSIONS_SHOWN else 0,
            setting=_setting(policy),
        )
        return TemplateResponse(request, "portal/policy_versions.html", context)

    def _take_up(
        self, request: HttpRequest, policy: Policy, *, editable: bool
    ) -> HttpResponseRedirect:
        if not editable:
            raise PermissionDenied
        number = request.POST.get("version", "")
        version = (
            policy.versions.filter(version=int(number)).first()
            if number.isdecimal() and len(number) < 9
            else None
        )
        if version is None:
            raise Http404
        try:
            services.update_policy(
                policy,
                version.snapshot,
                actor=request.user.get_username(),
                note=_t("As in version %(n)s again.") % {"n": number},
            )
        except PortalError as error:
            messages.error(request, error.detail)
        else:
            messages.success(
                request, _t("The policy is as in version %(n)s again.") % {"n": number}
            )
        return HttpResponseRedirect(request.path)


def _versions_of(request: HttpRequest, object_id: str) -> list[PolicyVersion]:
    """The newest versions before `?before`, and one more to compare the last with."""
    versions = PolicyVersion.objects.filter(tenant__in=list(memberships(request)))
    before = request.GET.get("before", "")
    if before.isdecimal() and len(before) < 9:
        versions = versions.filter(version__lt=int(before))
    try:
        versions = versions.filter(policy_id=object_id).select_related("policy__tenant")
    except ValidationError:  # no UUID
        raise Http404 from None
    found = list(versions[: VERSIONS_SHOWN + 1])
    if not found:
        raise Http404
    return found


def _matches(tenant_ids: list[int], start: Any) -> Mapping[tuple[int, str], int] | None:
    """How often each policy matched since `start`; None if that takes too long to count."""
    try:
        with bounded():
            rows = GatewayContext.objects.filter(tenant_id__in=tenant_ids, created_at__gte=start)
            counted: dict[tuple[int, str], int] = rows.matches_per_policy()
            return counted
    except TooMuchToRead:
        return None


def _setting(policy: Policy) -> tuple[str, str]:
    """The deployment's setting that stands for a built-in policy's action, and its value."""
    name = category_setting(policy.builtin)
    return name, settings.AXON_CATEGORY_ACTIONS.get(name, "")


def _asked(policy: Policy) -> Sequence[answering.Asked]:
    """Whom the saved policy asks; nobody, if a newer release cannot read its actions."""
    try:
        return answering.asked_by(policy.tenant_id, compile_actions(policy.actions))
    except ConditionsError:
        return ()


def state_of(policy: Policy) -> SafeString:
    """Whether and for whom it is in force."""
    if not policy.enabled:
        return badge(_t("Off"), "quiet")
    if policy.mode == Policy.Mode.OBSERVE:
        return badge(_t("Observed"), "wait")
    if policy.rollout_percent < 100:
        return badge(_t("Enforced for %(n)d %%") % {"n": policy.rollout_percent}, "good")
    return badge(_t("Enforced"), "good")


def effective(policy: Policy) -> SafeString:
    """What happens when it matches, and what decided that if it is not the policy."""
    if not policy.enabled:
        return badge(_t("nothing: it is off"), "quiet")
    if policy.mode == Policy.Mode.OBSERVE:
        return format_html('{} <span class="sub">{}</span>', action_badge("log"), _t("observed"))
    name, switched = _setting(policy)
    if switched:
        return format_html('{} <span class="sub">{}</span>', action_badge(switched), name)
    return format_html_join(" ", "{}", ((shown,) for shown in _actions(policy)))


def _actions(policy: Policy) -> list[SafeString]:
    shown = []
    for action in policy.actions:
        word = action_badge("warn" if action.get("type") == "alert" else str(action.get("type")))
        if phase := action.get("phase"):
            where = _t("before") if phase == "before" else _t("results")
            word = format_html('{} <span class="sub">{}</span>', word, where)
        shown.append(word)
    return shown


def _shown(trial: Trial | None) -> dict[str, Any] | None:
    """A trial as its template shows it."""
    if trial is None:
        return None
    return {
        "alone": _decision(trial.alone, trial.operation.text),
        "together": _decision(trial.together, trial.operation.text),
    }


def _decision(decision: Decision, text: str) -> dict[str, Any]:
    action = decision.action.value if decision.action else ""
    rows, matches = explanation.read(engine.snapshot(decision), action=action)
    return {
        "verdict": decision.verdict.value,
        "action": action,
        "reason": decision.reason,
        "text": explanation.highlighted(text, rows),
        "findings": rows[: explanation.MAX_ROWS],
        "matches": matches,
        "facts": decision.analysis.facts,
    }


@admin.register(Tenant)
class TenantWithPoliciesAdmin(TenantAdmin):
    """A new tenant starts with the built-in policies."""

    def save_model(self, request: HttpRequest, obj: Tenant, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if not change:
            services.add_builtin_policies(obj)
