"""Clients and their credentials, teams and members; users, groups and tenants for superusers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db import models
from django.db.models import Count, OuterRef, Q, Subquery
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from audit.admin import Audited
from audit.models import GatewayContext
from axonportal.accounts import services
from axonportal.accounts import token_pages as token_pages  # registers its pages
from axonportal.accounts.connecting import connecting
from axonportal.accounts.forms import (
    ClientForm,
    CredentialForm,
    MembershipForm,
    TeamForm,
    is_last_owner,
)
from axonportal.accounts.models import Client, Credential, Membership, Scope, Team, Tenant, User
from axonportal.common.admin import (
    InTenant,
    ObjectPermissionMixin,
    OwnRelated,
    ParentPermissionInline,
    SuperuserOnly,
    TenantScoped,
    memberships,
    query_of,
)
from axonportal.common.display import badge, moment

EXPIRES_SOON = timedelta(days=14)


def credential_state(credential: Credential) -> SafeString:
    """One word for a credential's life: revoked, expired, expires soon, usable."""
    if credential.revoked_at is not None:
        return badge(_t("Revoked"), "quiet")
    if not credential.is_usable:
        return badge(_t("Expired"), "bad")
    if not credential.client.is_active:
        return badge(_t("Client is off"), "quiet")
    if credential.expires_at and credential.expires_at < timezone.now() + EXPIRES_SOON:
        return badge(_t("Expires soon"), "wait")
    return badge(_t("Usable"), "good")


class CredentialInline(ParentPermissionInline):
    """A client's credentials on its page; each has a page of its own."""

    model = Credential
    template = "portal/credentials_inline.html"
    extra = 0

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("client", "user")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Client)
class ClientAdmin(Audited, ObjectPermissionMixin, TenantScoped):
    """Programs that ask before they act."""

    menu_order = 10
    records_itself = True
    form = ClientForm
    change_form_template = "admin/accounts/client/change_form.html"  # type: ignore[misc]
    inlines = [CredentialInline]
    list_display = ["client_id", "name", "team", "state", "fails", "usable", "last_decision"]
    list_filter = ["is_active", "fail_mode", ("team", OwnRelated)]
    list_select_related = ["tenant", "team"]
    search_fields = ["client_id", "name", "description"]
    empty_text = _("No clients yet. Add one for each program that will ask: a team's agents, a CI.")
    intro = _("A client is a program that asks before it acts; its credentials are its secrets.")

    def get_queryset(self, request: HttpRequest) -> Any:
        latest = GatewayContext.objects.filter(
            tenant_id=OuterRef("tenant_id"), client_id=OuterRef("client_id")
        ).order_by("-created_at")
        usable = Q(credentials__revoked_at=None) & (
            Q(credentials__expires_at=None) | Q(credentials__expires_at__gt=timezone.now())
        )
        return (
            super()
            .get_queryset(request)
            .annotate(
                usable_credentials=Count("credentials", filter=usable),
                last_decision_at=Subquery(latest.values("created_at")[:1]),
            )
        )

    @admin.display(description=_("state"), ordering="is_active")
    def state(self, client: Client) -> SafeString:
        return badge(_t("On"), "good") if client.is_active else badge(_t("Off"), "quiet")

    @admin.display(description=_("when the portal fails"), ordering="fail_mode")
    def fails(self, client: Client) -> SafeString:
        if client.fail_mode == Client.FailMode.OPEN:
            return badge(_t("Lets through"), "wait")
        return badge(_t("Denies"), "good")

    @admin.display(description=_("usable credentials"), ordering="usable_credentials")
    def usable(self, client: Any) -> int:
        return int(client.usable_credentials)

    @admin.display(description=_("last decision"), ordering="last_decision_at")
    def last_decision(self, client: Any) -> SafeString | str:
        if client.last_decision_at is None:
            return _t("never")
        url = reverse("admin:audit_gatewaycontext_changelist")
        query = query_of(client=client.client_id, window="30d")
        return format_html('<a href="{}{}">{}</a>', url, query, moment(client.last_decision_at))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Records name it; it is switched off instead."""
        return False

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Its name on the wire is given once; the tenant is told where there are several."""
        fields = [name for name in ClientForm.Meta.fields if name not in {"tenant", "client_id"}]
        if obj is None:
            return ["tenant", "client_id", *fields]
        return ["tenant", *fields] if len(memberships(request)) > 1 else fields

    def save_model(self, request: HttpRequest, obj: Client, form: Any, change: bool) -> None:
        services.save_client(obj, actor=request.user.get_username(), created=not change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Credentials are issued and revoked by their own pages."""

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        client = context.get("original")
        if client is not None:
            context |= {
                "credentials": [
                    (credential, credential_state(credential))
                    for credential in client.credentials.select_related("user", "client")
                ],
                "may_issue": request.user.has_perm("accounts.add_credential", client),
                "issue_url": reverse("admin:accounts_credential_add") + query_of(client=client.pk),
                "connecting": connecting(client_id=client.client_id),
                "may_hand_out": self.may_hand_out(request, client),
            }
        return super().render_change_form(request, context, *args, **kwargs)


class CredentialState(admin.SimpleListFilter):
    """Usable, soon to expire, expired, revoked."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("usable", _("Usable")),
            ("soon", _("Expires soon")),
            ("expired", _("Expired")),
            ("revoked", _("Revoked")),
        ]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet) -> models.QuerySet:
        now = timezone.now()
        if self.value() == "usable":
            return queryset.filter(
                Q(expires_at=None) | Q(expires_at__gt=now),
                revoked_at=None,
                client__is_active=True,
            )
        if self.value() == "soon":
            return queryset.filter(
                revoked_at=None, expires_at__gt=now, expires_at__lt=now + EXPIRES_SOON
            )
        if self.value() == "expired":
            return queryset.filter(revoked_at=None, expires_at__lte=now)
        if self.value() == "revoked":
            return queryset.exclude(revoked_at=None)
        return queryset


@admin.register(Credential)
class CredentialAdmin(Audited, TenantScoped):
    """Secrets of clients: issued, shown once, revoked; never changed or deleted."""

    menu_order = 20
    tenant_path = "client__tenant"
    records_itself = True
    list_display = [
        *("name", "client", "person", "what_for", "state", "used", "expires", "issued", "prefix"),
    ]
    list_filter = [CredentialState, ("client", OwnRelated)]
    list_select_related = ["client__tenant", "user"]
    search_fields = ["name", "prefix", "client__client_id", "user__username"]
    empty_text = _("No credentials yet. Issue one for each place where a client runs.")
    intro = _("A credential is shown once, when it is issued. Lost one? Issue another, revoke it.")

    def owner(self, obj: Credential) -> Client:
        return obj.client

    @admin.display(description=_("tenant"))
    def client_tenant_slug(self, credential: Credential) -> str:
        return credential.client.tenant.slug

    @admin.display(description=_("person"), ordering="user__username", empty_value="-")
    def person(self, credential: Credential) -> str | None:
        return credential.user.get_username() if credential.user else None

    @admin.display(description=_("scopes"))
    def what_for(self, credential: Credential) -> str:
        return ", ".join(credential.scopes)

    @admin.display(description=_("state"))
    def state(self, credential: Credential) -> SafeString:
        return credential_state(credential)

    @admin.display(description=_("expires"), ordering="expires_at")
    def expires(self, credential: Credential) -> SafeString | str:
        return moment(credential.expires_at, missing=_t("never"))

    @admin.display(description=_("last used"), ordering="last_used_at")
    def used(self, credential: Credential) -> SafeString | str:
        return moment(credential.last_used_at, missing=_t("never"))

    @admin.display(description=_("issued"), ordering="created_at")
    def issued(self, credential: Credential) -> SafeString | str:
        return moment(credential.created_at)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_urls(self) -> list[Any]:
        revoke = path(
            "<path:object_id>/revoke/",
            self.admin_site.admin_view(self.revoke_view),
            name="accounts_credential_revoke",
        )
        return [revoke, *super().get_urls()]

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Issue a credential; the answer to the POST is the only page that shows the secret."""
        tenants = self.tenants_to_add_in(request)
        if not tenants:
            raise PermissionDenied
        clients = Client.objects.filter(tenant__in=tenants, is_active=True).select_related("tenant")
        form = CredentialForm(
            request.POST or None,
            clients=clients,
            tenants=tenants,
            initial={"client": _whole(request.GET.get("client"))},
        )
        if request.method == "POST" and form.is_valid():
            issued = services.issue_credential(
                form.cleaned_data["client"],
                name=form.cleaned_data["name"],
                actor=request.user.get_username(),
                user=form.cleaned_data["user"],
                scopes=form.cleaned_data["scopes"],
                expires_at=form.cleaned_data["expires"],
            )
            client_id = issued.credential.client.client_id
            context = self.page(
                request,
                title=_t("Copy the secret now"),
                credential=issued.credential,
                secret=issued.secret,
                connecting=connecting(client_id=client_id, secret=issued.secret),
            )
            return render(request, "portal/credential_issued.html", context)
        context = self.page(
            request, title=_t("Issue a credential"), form=form, no_clients=not clients
        )
        return render(request, "portal/credential_issue.html", context)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: Any = None,
    ) -> HttpResponse:
        credential = self.found_or_404(request, object_id)
        context = self.page(
            request,
            title=credential.name,
            credential=credential,
            state=credential_state(credential),
            scopes=[(name, _meaning(name)) for name in credential.scopes],
            may_revoke=credential.revoked_at is None
            and self.has_change_permission(request, credential),
            show_tenant=len(memberships(request)) > 1,
        )
        return render(request, "portal/credential.html", context)

    def revoke_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """Ask once more, then end the credential."""
        credential = self.found_or_404(request, object_id)
        if not self.has_change_permission(request, credential):
            raise PermissionDenied
        if request.method == "POST":
            services.revoke_credential(credential, actor=request.user.get_username())
            messages.success(
                request,
                _t("%(name)s is revoked; calls with it are refused from now on.")
                % {"name": credential.name},
            )
            return HttpResponseRedirect(
                reverse("admin:accounts_credential_change", args=[credential.pk])
            )
        context = self.page(
            request,
            title=_t("Revoke %(name)s?") % {"name": credential.name},
            credential=credential,
        )
        return render(request, "portal/credential_revoke.html", context)


def render(request: HttpRequest, template: str, context: dict[str, Any]) -> TemplateResponse:
    """A page of the portal."""
    return TemplateResponse(request, template, context)


def _meaning(scope: str) -> str:
    label = str(dict(Scope.choices).get(scope, scope))
    return label.partition(": ")[2] or label


def _whole(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() and len(text) < 19 else None


@admin.register(Team)
class TeamAdmin(Audited, TenantScoped):
    """People who work together; policies can be limited to teams."""

    menu_order = 30
    form = TeamForm
    list_display = ["name", "people"]
    list_select_related = ["tenant"]
    search_fields = ["name"]
    empty_text = _("No teams yet. A policy can be limited to a team, and a client belong to one.")

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).annotate(size=Count("members"))

    @admin.display(description=_("members"), ordering="size")
    def people(self, team: Any) -> int:
        return int(team.size)

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "members":
            kwargs["queryset"] = User.objects.filter(
                memberships__tenant__in=list(memberships(request))
            ).distinct()
            kwargs["widget"] = forms.CheckboxSelectMultiple()
        return super().formfield_for_manytomany(db_field, request, **kwargs)


@admin.register(Membership)
class MembershipAdmin(Audited, TenantScoped):
    """Who may do what in a tenant; its owners decide."""

    menu_order = 40
    form = MembershipForm
    list_display = ["user", "what", "email"]
    list_filter = ["role"]
    list_select_related = ["tenant", "user"]
    search_fields = ["user__username", "user__email"]
    ordering = ["user__username"]
    intro = _("Auditors read, editors change policies and clients, owners decide who is who.")

    @admin.display(description=_("role"), ordering="role")
    def what(self, membership: Membership) -> str:
        return str(membership.get_role_display())

    @admin.display(description=_("e-mail"), ordering="user__email")
    def email(self, membership: Membership) -> str:
        return membership.user.email

    def tenants_to_add_in(self, request: HttpRequest) -> list[int]:
        """A superuser may join any tenant, and help one that lost its owners; it is on record."""
        if request.user.is_superuser:
            return list(Tenant.objects.values_list("pk", flat=True))
        return super().tenants_to_add_in(request)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return ["tenant", "username", "role"]
        return ["user", "tenant", "role"] if len(memberships(request)) > 1 else ["user", "role"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = list(super().get_readonly_fields(request, obj))
        return [*fields, "user"] if obj else fields

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        allowed = super().has_delete_permission(request, obj)
        return allowed and not (obj is not None and is_last_owner(obj))

    def event_detail(self, obj: Membership) -> dict[str, Any]:
        return {"user": obj.user.get_username(), "role": obj.role}


def _tenants_of(user: User) -> list[int]:
    return list(user.memberships.values_list("tenant_id", flat=True))


@admin.register(User)
class UserAdmin(Audited, SuperuserOnly, DjangoUserAdmin):
    """People who sign in; what they see and may do follows from their memberships."""

    menu_order = 60
    list_display = ["username", "full_name", "email", "kind", "member_of", "last_login"]
    list_filter = ["is_superuser", "is_active", "groups"]
    filter_horizontal = []
    intro = _("A person sees nothing before she is a member of a tenant: Access > Memberships.")
    fieldsets = [
        (None, {"fields": ["username", "password"]}),
        (_("Person"), {"fields": ["first_name", "last_name", "email"]}),
        (_("Rights"), {"fields": ["is_active", "is_superuser", "groups"]}),
    ]
    readonly_fields = ["last_login"]

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("memberships__tenant")

    @admin.display(description=_("name"))
    def full_name(self, user: User) -> str:
        return user.get_full_name()

    @admin.display(description=_("kind"), ordering="is_superuser")
    def kind(self, user: User) -> SafeString:
        if not user.is_active:
            return badge(_t("Switched off"), "quiet")
        return badge(_t("Superuser"), "wait") if user.is_superuser else badge(_t("Person"), "good")

    @admin.display(description=_("member of"))
    def member_of(self, user: User) -> str:
        return ", ".join(f"{row.tenant.slug} ({row.role})" for row in user.memberships.all())

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "groups":
            kwargs["widget"] = forms.CheckboxSelectMultiple()
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def event_tenants(self, obj: User) -> list[int]:
        return _tenants_of(obj)


admin.site.unregister(Group)


@admin.register(Group)
class GroupAdmin(Audited, SuperuserOnly, DjangoGroupAdmin):
    """Groups of people: approvers, and holders of permissions for single objects."""

    menu_order = 70
    list_display = ["name", "people"]
    fields = ["name"]
    filter_horizontal = []
    empty_text = _("No groups yet. A policy that requires approval names groups of approvers.")
    intro = _("Groups approve, and may be given permissions for single policies and clients.")

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).annotate(size=Count("user"))

    @admin.display(description=_("members"), ordering="size")
    def people(self, group: Any) -> int:
        return int(group.size)


def _owned(request: HttpRequest) -> list[int]:
    """The ids of the tenants that the user owns."""
    rows = memberships(request).items()
    return [key for key, row in rows if row.role == Membership.Role.OWNER]


class TenantAdmin(Audited, ObjectPermissionMixin, SuperuserOnly):
    """Organisations; whoever adds one becomes its first owner. Registered by `policies`, which
    gives a new tenant its built-in policies.

    Its owners look at it and say who may break the glass there; nobody may by her role.
    """

    handed_out = ["break_glass"]
    change_form_template = "admin/accounts/tenant/change_form.html"  # type: ignore[misc]

    menu_order = 80
    list_display = ["slug", "name", "region", "members", "created_at"]
    prepopulated_fields = {"slug": ["name"]}
    fields = ["name", "slug", "region"]
    intro = _("Nothing of one tenant is ever seen by another.")

    def get_queryset(self, request: HttpRequest) -> Any:
        rows = super().get_queryset(request).annotate(size=Count("memberships"))
        return rows if request.user.is_superuser else rows.filter(pk__in=_owned(request))

    def owner(self, obj: Tenant) -> InTenant:
        return InTenant(tenant_id=obj.pk)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        owned = _owned(request)
        hers = bool(owned) if obj is None else obj.pk in owned
        return hers or super().has_view_permission(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # Guardian's pages ask so before they show who has what; `_guarded` has let her in then.
        is_handing_out = obj is None and hasattr(request, "_portal_object")
        return is_handing_out or super().has_change_permission(request, obj)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        tenant = context.get("original")
        context["may_hand_out"] = tenant is not None and self.may_hand_out(request, tenant)
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description=_("members"), ordering="size")
    def members(self, tenant: Any) -> int:
        return int(tenant.size)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Tenant, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if not change:
            Membership.objects.create(user=request.user, tenant=obj, role=Membership.Role.OWNER)  # type: ignore[misc]

    def event_tenants(self, obj: Tenant) -> list[int]:
        return [obj.pk]
