"""What the portal's admin classes share: one tenant's view, read-only records, object permissions.

Nothing here knows the models above: a user's memberships are reached through the user.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import Http404, HttpRequest, HttpResponseBase, QueryDict
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from guardian.admin import (
    AdminGroupObjectPermissionsForm,
    AdminUserObjectPermissionsForm,
    ReinforcedGuardedModelAdminMixin,
)
from guardian.shortcuts import get_objects_for_user

FOUND = 302  # the redirect that follows a form that was saved
OWNER = "owner"  # the role that may hand out permissions for single objects


@dataclass(frozen=True, slots=True, kw_only=True)
class Chip:
    """One choice of a filter, as a link."""

    label: str | SafeString
    url: str
    selected: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Chips:
    """A filter: its name and its choices, of which one is selected."""

    title: str
    chips: Sequence[Chip]


def chips(
    query: QueryDict,
    name: str,
    title: str,
    choices: Iterable[tuple[str, Any]],
    *,
    default: str = "",
) -> Chips:
    """A filter over the query parameter `name`; choosing the default removes the parameter.

    Each link starts again from the first page.
    """
    chosen = query.get(name, default)

    def url(value: str) -> str:
        changed = query.copy()
        for key in (name, "before", "p"):
            changed.pop(key, None)
        if value != default:
            changed[name] = value
        return f"?{changed.urlencode()}"

    return Chips(
        title=str(title),
        chips=[
            Chip(label=str(label), url=url(value), selected=value == chosen)
            for value, label in choices
        ],
    )


def memberships(request: HttpRequest) -> dict[int, Any]:
    """The signed-in user's memberships by tenant id, read once per request."""
    known: dict[int, Any] | None = getattr(request, "_portal_memberships", None)
    if known is None:
        rows = request.user.memberships.select_related("tenant")  # type: ignore[union-attr]
        known = {row.tenant_id: row for row in rows.order_by("tenant__slug")}
        request._portal_memberships = known  # type: ignore[attr-defined]  # noqa: SLF001
    return known


def tenant_slugs(request: HttpRequest) -> dict[int, str]:
    """The slugs of the user's tenants by id."""
    return {key: row.tenant.slug for key, row in memberships(request).items()}


class PortalAdmin(admin.ModelAdmin):
    """The portal's defaults: a place in the menu, filters as chips, no counting of everything."""

    menu_group = "access"  # of `PortalSite`: work, govern, review, access; "" for no entry
    menu_order = 50
    empty_text: Any = ""  # what to do when the list is empty
    intro: Any = ""  # one line under the title of the list
    actions = None
    list_per_page = 50
    list_max_show_all = 0
    show_full_result_count = False
    view_on_site = False

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Without the admin's icons beside a choice: each thing is made on its own page."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None:
            for name in ("add", "change", "delete", "view"):
                setattr(field.widget, f"can_{name}_related", False)
        return field

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        changelist = super().get_changelist_instance(request)
        changelist.title = plural(self)
        return changelist

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        context = {"empty_text": self.empty_text, "intro": self.intro}
        return super().changelist_view(request, context | (extra_context or {}))

    def found_or_404(self, request: HttpRequest, object_id: str) -> Any:
        """The object, if the user may see it.

        Raises:
            Http404: it is not there, or another tenant's; which of the two is not said.
            PermissionDenied: her role does not show it.
        """
        obj = self.get_object(request, object_id)
        if obj is None:
            raise Http404
        if not self.has_view_permission(request, obj):
            raise PermissionDenied
        return obj


class TenantScoped(PortalAdmin):
    """Rows of the signed-in user's tenants only; another tenant's id is a 404.

    Superusers see no more than others: they become members first, which is on record.
    """

    tenant_path = "tenant"  # from the model to its tenant

    def owner(self, obj: Any) -> Any:
        """The object whose `tenant_id` decides which of the user's roles counts."""
        return obj

    def get_queryset(self, request: HttpRequest) -> Any:
        rows = super().get_queryset(request).filter(self._in(memberships(request)))
        shown = self.tenants_to_view(request)
        if len(shown) == len(memberships(request)):
            return rows
        # Where her role shows none of these, she may have been given single ones.
        held = get_objects_for_user(
            request.user,
            [f"{verb}_{self.opts.model_name}" for verb in ("view", "change")],
            self.model,
            any_perm=True,
            with_superuser=False,
            accept_global_perms=False,
        )
        return rows.filter(self._in(shown) | models.Q(pk__in=held.values("pk")))

    def _in(self, tenant_ids: Iterable[int]) -> models.Q:
        return models.Q((f"{self.tenant_path}__in", list(tenant_ids)))

    def tenants_to_view(self, request: HttpRequest) -> list[int]:
        """The ids of the tenants in which the user's role shows her all of these."""
        return tenants_with(request, f"{self.opts.app_label}.view_{self.opts.model_name}")

    def _may(self, request: HttpRequest, verb: str, obj: Any) -> bool:
        permission = f"{self.opts.app_label}.{verb}_{self.opts.model_name}"
        return request.user.has_perm(permission, self.owner(obj) if obj is not None else None)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, "view", obj) or self._may(request, "change", obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, "change", obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, "delete", obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(self.tenants_to_add_in(request))

    def tenants_to_add_in(self, request: HttpRequest) -> list[int]:
        """The ids of the tenants in which the user's role lets her add one of these."""
        return tenants_with(request, f"{self.opts.app_label}.add_{self.opts.model_name}")

    def get_list_display(self, request: HttpRequest) -> Any:
        columns = list(super().get_list_display(request))
        if len(memberships(request)) > 1:
            columns.insert(1, self.tenant_path.replace("__", "_") + "_slug")
        return columns

    @admin.display(description=_("tenant"))
    def tenant_slug(self, obj: Any) -> str:
        return str(obj.tenant.slug)

    def get_list_filter(self, request: HttpRequest) -> Any:
        filters = list(super().get_list_filter(request))
        if len(memberships(request)) > 1:
            filters.insert(0, (self.tenant_path, OwnTenants))
        return filters

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """A thing stays in its tenant."""
        fields = list(super().get_readonly_fields(request, obj))
        return [*fields, "tenant"] if obj is not None and self.tenant_path == "tenant" else fields

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """The tenant is told only where the user has several."""
        fields = list(super().get_fields(request, obj))
        if obj is not None and len(memberships(request)) < 2:
            return [name for name in fields if name != "tenant"]
        return fields

    def formfield_for_foreignkey(
        self, db_field: models.ForeignKey, request: HttpRequest, **kwargs: Any
    ) -> Any:
        """Choices of the user's tenants; the tenant itself is no question when there is one."""
        related: Any = db_field.remote_field.model
        if db_field.name == "tenant":
            choices = related.objects.filter(pk__in=self.tenants_to_add_in(request))
            kwargs |= {"queryset": choices, "empty_label": None}
            if len(choices) == 1:
                kwargs |= {"initial": choices[0], "widget": forms.HiddenInput()}
        elif hasattr(related, "tenant"):
            kwargs["queryset"] = _shown(related, request)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def page(self, request: HttpRequest, **context: Any) -> dict[str, Any]:
        """The context of a page of this admin that is no form of Django's."""
        return {**self.admin_site.each_context(request), "opts": self.opts, **context}


@dataclass(frozen=True, slots=True, kw_only=True)
class InTenant:
    """Stands for any object of a tenant when a role is asked about one that is not there yet."""

    tenant_id: int


def tenants_with(request: HttpRequest, permission: str) -> list[int]:
    """The ids of those of the user's tenants in which her role has the permission."""
    user: Any = request.user
    return [
        key for key in memberships(request) if user.has_perm(permission, InTenant(tenant_id=key))
    ]


def _shown(model: Any, request: HttpRequest) -> models.QuerySet:
    """The rows of a model with a tenant that the user's roles show her."""
    permission = f"{model._meta.app_label}.view_{model._meta.model_name}"
    rows: models.QuerySet = model.objects.filter(tenant__in=tenants_with(request, permission))
    return rows


def plural(model_admin: admin.ModelAdmin) -> str:
    """What a list of these is called, at the head of a page and in the menu."""
    return str(model_admin.opts.verbose_name_plural).capitalize()


class OwnTenants(admin.RelatedFieldListFilter):
    """The tenants that the signed-in user belongs to."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> Any:
        return list(tenant_slugs(request).items())

    def has_output(self) -> bool:
        return True


class OwnRelated(admin.RelatedFieldListFilter):
    """Related rows of the user's own tenants; Django's filter would name everybody's."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> Any:
        return [(row.pk, str(row)) for row in _shown(field.related_model, request)]


class ReadOnly(admin.ModelAdmin):
    """Mixin: to be looked at, never changed."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class SuperuserOnly(PortalAdmin):
    """What reaches beyond one tenant: people, groups and tenants themselves."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return _is_superuser(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_superuser(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_superuser(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return _is_superuser(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_superuser(request)


def _is_superuser(request: HttpRequest) -> bool:
    return bool(request.user.is_active and request.user.is_superuser)


class ParentPermissionInline(admin.TabularInline):
    """Rows that whoever may change (or see) the parent may change (or see)."""

    def _parent(self, request: HttpRequest, verb: str, obj: Any) -> bool:
        parent = self.parent_model._meta
        return request.user.has_perm(f"{parent.app_label}.{verb}_{parent.model_name}", obj)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._parent(request, "view", obj) or self._parent(request, "change", obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._parent(request, "change", obj)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._parent(request, "change", obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._parent(request, "change", obj)


class _Limited:
    """Mixin: offers the permissions of these names only; all of them if there are none."""

    handed_out: Sequence[str] = ()

    def get_obj_perms_field_choices(self) -> list[Any]:
        choices = super().get_obj_perms_field_choices()  # type: ignore[misc]
        return [one for one in choices if not self.handed_out or one[0] in self.handed_out]


class _UserPermissions(_Limited, AdminUserObjectPermissionsForm):
    def get_obj_perms_field_widget(self) -> type[forms.Widget]:
        return forms.CheckboxSelectMultiple


class _GroupPermissions(_Limited, AdminGroupObjectPermissionsForm):
    def get_obj_perms_field_widget(self) -> type[forms.Widget]:
        return forms.CheckboxSelectMultiple


class ObjectPermissionMixin(ReinforcedGuardedModelAdminMixin):
    """Permissions for single objects, handed out by the owners of the object's tenant alone.

    Guardian's reinforced mixin asks for its permissions without an object, which an owner of one
    tenant has while she looks at another; so here the object's tenant is asked as well.
    """

    handed_out: Sequence[str] = ()  # the permissions that are; without any, all of the model's
    obj_perms_manage_template = "admin/object_permissions.html"
    obj_perms_manage_user_template = "admin/object_permissions_of.html"
    obj_perms_manage_group_template = "admin/object_permissions_of.html"

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request)  # type: ignore[no-untyped-call]

    def get_urls(self) -> list[Any]:
        return list(super().get_urls())  # type: ignore[no-untyped-call]

    def permissions_saved(self, request: HttpRequest, obj: Any, *, holder: Any) -> None:
        """Called after a change of what `holder` (a user or a group) may do with `obj`."""

    def may_hand_out(self, request: HttpRequest, obj: Any) -> bool:
        """Is the user an owner of the object's tenant (or a superuser who belongs to it)?"""
        membership = memberships(request).get(self.owner(obj).tenant_id)  # type: ignore[attr-defined]
        return membership is not None and (membership.role == OWNER or _is_superuser(request))

    def _guarded(
        self,
        request: HttpRequest,
        object_pk: str,
        view: Callable[..., HttpResponseBase],
        holders: Callable[[Any], models.QuerySet] | None = None,
        holder_id: str = "",
    ) -> HttpResponseBase:
        """Guardian's view, once the object is the user's to share and the holder of its tenant."""
        obj = self.found_or_404(request, object_pk)  # type: ignore[attr-defined]
        if not self.may_hand_out(request, obj):
            raise PermissionDenied
        request._portal_object = obj  # type: ignore[attr-defined]  # noqa: SLF001
        if holders is None:
            return view(request, object_pk)
        holder = holders(obj).filter(pk=_number(holder_id)).first()
        if holder is None:
            raise Http404
        response = view(request, object_pk, holder_id)
        if request.method == "POST" and response.status_code == FOUND:
            self.permissions_saved(request, obj, holder=holder)
        return response

    def obj_perms_manage_view(self, request: HttpRequest, object_pk: str) -> HttpResponseBase:
        return self._guarded(request, object_pk, super().obj_perms_manage_view)

    def obj_perms_manage_user_view(
        self, request: HttpRequest, object_pk: str, user_id: str
    ) -> HttpResponseBase:
        view = super().obj_perms_manage_user_view
        return self._guarded(request, object_pk, view, self._members, user_id)

    def obj_perms_manage_group_view(
        self, request: HttpRequest, object_pk: str, group_id: str
    ) -> HttpResponseBase:
        view = super().obj_perms_manage_group_view
        return self._guarded(request, object_pk, view, self._groups, group_id)

    def _members(self, obj: Any) -> models.QuerySet:
        """The people of the object's tenant; nobody else needs to be named here."""
        tenant_id = self.owner(obj).tenant_id  # type: ignore[attr-defined]
        return get_user_model().objects.filter(memberships__tenant=tenant_id)

    def _groups(self, obj: Any) -> models.QuerySet:
        return Group.objects.filter(user__in=self._members(obj)).distinct()

    def get_obj_perms_user_select_form(self, request: HttpRequest) -> type[forms.Form]:
        people = self._members(_object_of(request))

        class PersonForm(forms.Form):
            user = forms.ModelChoiceField(people, to_field_name="username", label=_("Person"))

        return PersonForm

    def get_obj_perms_group_select_form(self, request: HttpRequest) -> type[forms.Form]:
        groups = self._groups(_object_of(request))

        class GroupForm(forms.Form):
            group = forms.ModelChoiceField(groups, to_field_name="name", label=_("Group"))

        return GroupForm

    def get_obj_perms_manage_user_form(self, request: HttpRequest) -> type[forms.Form]:
        return type("UserPermissions", (_UserPermissions,), {"handed_out": self.handed_out})

    def get_obj_perms_manage_group_form(self, request: HttpRequest) -> type[forms.Form]:
        return type("GroupPermissions", (_GroupPermissions,), {"handed_out": self.handed_out})

    def get_obj_perms_base_context(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        context = super().get_obj_perms_base_context(request, obj)  # type: ignore[no-untyped-call]
        path = f"admin:{self.opts.app_label}_{self.opts.model_name}"  # type: ignore[attr-defined]
        return {
            **context,
            "model_perms": [
                one
                for one in context["model_perms"]
                if not self.handed_out or one.codename in self.handed_out
            ],
            "title": _t("Who may do what with %(name)s") % {"name": obj},
            "back": reverse(f"{path}_permissions", args=[obj.pk]),
            "back_to_object": reverse(f"{path}_change", args=[obj.pk]),
        }


def _object_of(request: HttpRequest) -> Any:
    """The object whose permissions the request is about, set by `_guarded`."""
    return request._portal_object  # type: ignore[attr-defined]  # noqa: SLF001


def _number(text: str) -> int:
    """A key from a path; -1, which no row has, for what is no number."""
    return int(text) if text.isdecimal() and len(text) < 19 else -1


def query_of(**values: Any) -> str:
    """A query string of those values that are given."""
    query = QueryDict(mutable=True)
    query.update({key: str(value) for key, value in values.items() if value})
    return f"?{query.urlencode()}" if query else ""
