"""Personal tokens in the portal: each person makes her own; owners may end those of others."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from audit.admin import Audited
from axonportal.accounts import services
from axonportal.accounts.models import Membership, PersonalToken
from axonportal.common.admin import PortalAdmin, memberships
from axonportal.common.display import badge, moment
from axonportal.common.errors import PortalError

EXPIRES_SOON = timedelta(days=14)


class TokenForm(forms.Form):
    """What a new token is called, and how long it lives."""

    name = forms.CharField(
        label=_("Name"),
        max_length=services.MAX_TOKEN_NAME_CHARS,
        help_text=_("Where you will use it, for example the name of a laptop or a script."),
    )
    expires = forms.DateField(
        label=_("Expires"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=_("At the end of that day, UTC; at most a year from now."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["expires"].initial = (timezone.now() + services.TOKEN_LIFE).date()

    def clean_expires(self) -> datetime:
        """The end of the day."""
        now, day = timezone.now(), self.cleaned_data["expires"]
        if day < now.date():
            raise forms.ValidationError(_("That day is over; choose a later one."))
        if day > (now + services.MAX_TOKEN_LIFE).date():
            raise forms.ValidationError(_("At most a year from now."))
        return min(datetime.combine(day, time.max, tzinfo=UTC), now + services.MAX_TOKEN_LIFE)


def token_state(token: PersonalToken) -> SafeString:
    """One word for a token's life: revoked, expired, expires soon, usable."""
    if token.revoked_at is not None:
        return badge(_t("Revoked"), "quiet")
    if not token.is_usable:
        return badge(_t("Expired"), "bad")
    if not token.user.is_active:
        return badge(_t("Person is off"), "quiet")
    if token.expires_at < timezone.now() + EXPIRES_SOON:
        return badge(_t("Expires soon"), "wait")
    return badge(_t("Usable"), "good")


@admin.register(PersonalToken)
class PersonalTokenAdmin(Audited, PortalAdmin):
    """A person's tokens: issued by herself, shown once, revoked; never changed or deleted.

    Owners see, and may revoke, the tokens of their tenant's members.
    """

    menu_order = 25
    records_itself = True
    list_display = ["name", "person", "state", "used", "expires", "made", "prefix"]
    list_select_related = ["user"]
    search_fields = ["name", "prefix", "user__username"]
    empty_text = _("No personal tokens. Make one to answer approvals from a script or an SDK.")
    intro = _("With her personal token a person answers approvals over the API, in her own name.")

    def get_queryset(self, request: HttpRequest) -> Any:
        owned = [
            key for key, row in memberships(request).items() if row.role == Membership.Role.OWNER
        ]
        theirs = Membership.objects.filter(tenant__in=owned).values("user")
        return super().get_queryset(request).filter(Q(user=request.user.pk) | Q(user__in=theirs))

    @admin.display(description=_("person"), ordering="user__username")
    def person(self, token: PersonalToken) -> str:
        return token.user.get_username()

    @admin.display(description=_("state"))
    def state(self, token: PersonalToken) -> SafeString:
        return token_state(token)

    @admin.display(description=_("expires"), ordering="expires_at")
    def expires(self, token: PersonalToken) -> SafeString | str:
        return moment(token.expires_at)

    @admin.display(description=_("last used"), ordering="last_used_at")
    def used(self, token: PersonalToken) -> SafeString | str:
        return moment(token.last_used_at, missing=_t("never"))

    @admin.display(description=_("made"), ordering="created_at")
    def made(self, token: PersonalToken) -> SafeString | str:
        return moment(token.created_at)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return True

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Everybody has her own; the queryset holds no others but those she owns."""
        return bool(memberships(request))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(memberships(request))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_urls(self) -> list[Any]:
        revoke = path(
            "<path:object_id>/revoke/",
            self.admin_site.admin_view(self.revoke_view),
            name="accounts_personaltoken_revoke",
        )
        return [revoke, *super().get_urls()]

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Make a token; the answer to the POST is the only page that shows it."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = TokenForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            user: Any = request.user
            try:
                issued = services.issue_token(
                    user,
                    name=form.cleaned_data["name"],
                    actor=user.get_username(),
                    expires_at=form.cleaned_data["expires"],
                    address=request.META.get("REMOTE_ADDR", ""),
                )
            except PortalError as error:
                form.add_error(None, error.detail)
            else:
                return self._page(
                    request,
                    "portal/token_issued.html",
                    title=_t("Copy the token now"),
                    token=issued.token,
                    secret=issued.secret,
                )
        return self._page(
            request, "portal/credential_issue.html", title=_t("Make a personal token"), form=form
        )

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: Any = None,
    ) -> HttpResponse:
        token = self._found_or_404(request, object_id)
        return self._page(
            request,
            "portal/token.html",
            title=token.name,
            token=token,
            state=token_state(token),
            may_revoke=token.revoked_at is None,
        )

    def revoke_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """Ask once more, then end the token."""
        token = self._found_or_404(request, object_id)
        if request.method == "POST":
            services.revoke_token(
                token,
                actor=request.user.get_username(),
                address=request.META.get("REMOTE_ADDR", ""),
            )
            messages.success(
                request,
                _t("%(name)s is revoked; calls with it are refused from now on.")
                % {"name": token.name},
            )
            return HttpResponseRedirect(
                reverse("admin:accounts_personaltoken_change", args=[token.pk])
            )
        return self._page(
            request,
            "portal/token_revoke.html",
            title=_t("Revoke %(name)s?") % {"name": token.name},
            token=token,
        )

    def _found_or_404(self, request: HttpRequest, object_id: str) -> PersonalToken:
        """The token, if it is hers or of a member of a tenant that she owns."""
        found = self.get_object(request, object_id)
        if found is None:
            raise Http404
        token: PersonalToken = found
        return token

    def _page(self, request: HttpRequest, template: str, **context: Any) -> TemplateResponse:
        shared = {**self.admin_site.each_context(request), "opts": self.opts}
        return TemplateResponse(request, template, shared | context)
