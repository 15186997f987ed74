"""The portal: Django's admin with a menu by job, for members of tenants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from axonportal.common.admin import plural

GROUPS = (
    ("work", _("Work")),
    ("govern", _("Govern")),
    ("review", _("Review")),
    ("access", _("Access")),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A line of the menu."""

    title: str
    url: str
    current: bool
    count: str = ""  # of what waits there for the user
    name: str = ""  # of the count, within the page


@dataclass(frozen=True, slots=True, kw_only=True)
class MenuGroup:
    """The pages of one job."""

    title: str
    entries: Sequence[Entry]


class PortalSite(admin.AdminSite):
    """The admin site of the portal. An admin class names its place by `menu_group`."""

    site_header = _("Axon Portal")
    site_title = _("Axon Portal")
    index_title = _("Overview")
    index_template = "portal/overview.html"
    enable_nav_sidebar = False  # ours is in `admin/base.html`
    empty_value_display = "-"

    @property
    def login_form(self) -> Any:  # type: ignore[override]
        """Read late: forms need the models, which are not there when the site is made."""
        from axonportal.accounts.forms import SignInForm

        return SignInForm

    def has_permission(self, request: HttpRequest) -> bool:
        """Members sign in without being Django's staff; what they see follows from their roles."""
        from axonportal.accounts.forms import may_sign_in

        return may_sign_in(request.user)

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        context = super().each_context(request)
        return context | {"menu": self.menu(request) if context["has_permission"] else []}

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """Empty: the menu takes its place on every page."""
        return []

    def menu(self, request: HttpRequest) -> list[MenuGroup]:
        """The pages that this user can open, by job."""
        index = reverse("admin:index")
        entries: dict[str, list[tuple[int, Entry]]] = {key: [] for key, _title in GROUPS}
        entries["work"].append(
            (0, Entry(title=_t("Overview"), url=index, current=request.path == index))
        )
        for model_admin in self._registry.values():
            group = getattr(model_admin, "menu_group", "")
            if group not in entries or not model_admin.has_view_permission(request):
                continue
            opts = model_admin.opts
            url = reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist")
            count = getattr(model_admin, "menu_count", None)
            entry = Entry(
                title=plural(model_admin),
                url=url,
                current=request.path.startswith(url),
                count=count(request) if count else "",
                name=f"count-{opts.model_name}" if count else "",
            )
            entries[group].append((getattr(model_admin, "menu_order", 0), entry))
        return [
            MenuGroup(
                title=str(title),
                entries=[entry for _order, entry in sorted(entries[key], key=lambda pair: pair[0])],
            )
            for key, title in GROUPS
            if entries[key]
        ]

    def get_urls(self) -> list[Any]:
        """Without Django's shortcut to any object of any model, which asks nobody's tenant."""
        return [
            pattern
            for pattern in super().get_urls()
            if getattr(pattern, "name", "") != "view_on_site"
        ]

    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        """What needs doing now, and the last day at a glance."""
        from axonportal.overview import overview

        request.current_app = self.name
        context = {
            **self.each_context(request),
            "title": self.index_title,
            **overview(request),
            **(extra_context or {}),
        }
        return TemplateResponse(request, str(self.index_template), context)

    def app_index(self, request: HttpRequest, app_label: str, extra_context: Any = None) -> Any:
        """An app has no page of its own; the menu is by job."""
        return HttpResponseRedirect(reverse("admin:index"))
